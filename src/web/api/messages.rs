//! Messages: submit them, see them, act on them, list those that did not get through.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::body::{JsonBody, limit, moment, query};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::Channel;
use crate::domain::Reason;
use crate::domain::id::{self, MessageId, ReferrerId};
use crate::intake;
use crate::intake::Begun;
use crate::intake::list::Ready;
use crate::intake::request::Request;
use crate::operator::{self, Act};
use crate::public::{AttemptView, FailureList, MessageDetail, MessageView, SubmissionView};
use crate::referrers::audience::Audience;
use crate::store::Tx;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// How long a request waits for a list to be on the queue; less than any request may take (`web::guard`).
pub(in crate::web) const LIST_ANSWER_WITHIN: Duration = Duration::from_secs(100);
/// Failures listed unless asked otherwise, and at most.
const FAILURES_DEFAULT: i64 = 50;
const FAILURES_MAX: i64 = 500;
/// What may be done about a message.
pub(super) const ACTS: [&str; 6] = ["retry", "hold", "release", "send_now", "cancel", "purge"];

/// A letter to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// The letter's name.
    #[schema(example = "introduction")]
    letter: String,
    /// To whom: a referrer's id, NPI, email address or name; `tag:NAME`, `type:NAME` or `all` for a list.
    #[schema(example = "tag:north-shore")]
    to: String,
    /// By which channels. Defaults to every channel that has a route.
    #[schema(value_type = Option<Vec<String>>, example = json!(["fax", "email"]))]
    via: Option<Vec<Channel>>,
    /// The letter's own variables.
    #[serde(default)]
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
    /// Not before: RFC 3339 with an offset. Defaults to immediately.
    #[schema(format = DateTime, example = "2026-12-01T09:00:00-06:00")]
    at: Option<String>,
    /// Whether it goes out again to those who got the same letter within its repeat window; then it counts as no touch.
    #[serde(default)]
    again: bool,
    /// Send without undo window, and outside the recipients' office hours. Recorded as the decision of the token's owner.
    /// Excludes `undo_seconds`.
    #[serde(default)]
    now: bool,
    /// How long it can be withdrawn before it is sent, in seconds: 0 to 86,400. Defaults to 0: not at all. Treatment letters
    /// have no undo window.
    #[schema(minimum = 0, maximum = 86_400)]
    undo_seconds: Option<u64>,
}

/// Accepts a letter: afterwards it is durable and will be carried out.
#[utoipa::path(
    post,
    operation_id = "submit_message",
    path = "/api/v1/messages",
    tag = "messages",
    request_body = NewMessage,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "1 to 255 characters. The same key with the same body is answered with the same answer, and \
            nothing is sent twice; with another body it is refused (409).")),
    responses(
        (status = 202, description = "Accepted. A long list may be answered with `unfolding: true` before all of it is on \
            the queue; it goes on by itself", body = SubmissionView),
        (status = 400, description = "There is more than one Idempotency-Key", body = ProblemView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `send`", body = ProblemView),
        (status = 404, description = "No such letter, or no referrer matches", body = ProblemView),
        (status = 409, description = "The key was used for another request", body = ProblemView),
        (status = 422, description = "It cannot be carried out; each missing variable is listed once, with how many recipients it concerns",
            body = ProblemView),
        (status = 429, description = "The queue is full; try again after Retry-After", body = ProblemView),
        (status = 503, description = "Temporarily unavailable; try again after Retry-After", body = ProblemView),
    )
)]
pub(super) async fn submit(
    State(state): State<WebState>,
    bearer: Bearer,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewMessage>,
) -> Result<(StatusCode, Json<SubmissionView>), Problem> {
    bearer.require(Scope::Send)?;
    let request = Request {
        to: audience(&new.to)?,
        via: channels(&state, new.via)?,
        at: new.at.as_deref().map(|text| moment("at", text)).transpose()?,
        letter: new.letter,
        variables: new.variables,
        who: bearer.actor(),
        idempotency_key: idempotency_key(&headers)?,
        again: new.again,
        now: new.now,
        undo_seconds: new.undo_seconds,
        individually: BTreeMap::new(),
        run: None,
    };
    let ends = Instant::now() + state.list_answer_within;
    let view = match intake::begin(&state.intake, &request).await? {
        Begun::Done(accepted) => accepted.into(),
        Begun::List(list) => list_view(&state, list, ends).await,
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// A list is accepted once it is recorded, so from here on it is answered with its submission, whatever happens. It is
/// unfolded in a task of its own: neither the end of this request nor a caller that goes away cuts it off.
async fn list_view(state: &WebState, list: Ready, ends: Instant) -> SubmissionView {
    let so_far = list.so_far();
    let submission = so_far.submission;
    let parts = state.intake.clone();
    let unfolding = tokio::spawn(async move { list.finish(&parts).await });
    match tokio::time::timeout_at(ends, unfolding).await {
        Ok(Ok(Ok(accepted))) => return accepted.into(),
        Ok(Ok(Err(error))) => tracing::warn!(%error, %submission, "a recorded list is waiting to be queued"),
        Ok(Err(_)) => tracing::error!(%submission, "queuing a list ended unexpectedly; it is retried"),
        Err(_) => tracing::info!(%submission, "a list was answered before all of it was queued"),
    }
    SubmissionView::unfolding(so_far)
}

/// To whom. Nobody is named by a telephone number, and a refusal further down would repeat it.
fn audience(to: &str) -> Result<Audience, Problem> {
    let invalid = |detail: String| Problem::field(Kind::Invalid, "to", detail);
    let digits = to.chars().filter(char::is_ascii_digit).count();
    let letters = to.chars().any(char::is_alphabetic);
    let npi = to.trim().len() == 10 && digits == 10;
    let id = to.trim().parse::<ReferrerId>().is_ok();
    if digits >= 7 && !letters && !npi && !id {
        return Err(invalid("name the referrer by id, NPI, email address or name, not by number".to_owned()));
    }
    Audience::from_str(to).map_err(invalid)
}

/// What was asked for, or every channel that has a route.
fn channels(state: &WebState, via: Option<Vec<Channel>>) -> Result<Vec<Channel>, Problem> {
    let routed = |channel: &Channel| state.gateway.accounts.carries(*channel);
    let mut channels = via.unwrap_or_else(|| Channel::ALL.iter().copied().filter(routed).collect());
    channels.sort_unstable();
    channels.dedup();
    if channels.is_empty() {
        return Err(Problem::field(Kind::Invalid, "via", "name at least one channel that has a route: fax, email"));
    }
    Ok(channels)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    const NAME: &str = "Idempotency-Key";
    let mut keys = headers.get_all(NAME).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(Problem::field(Kind::Malformed, NAME, "the request has more than one Idempotency-Key header"));
    }
    let words = "an idempotency key consists of printable ASCII characters";
    let key = key.to_str().map_err(|_| Problem::field(Kind::Invalid, NAME, words))?;
    Ok(Some(key.to_owned()))
}

/// A message with its attempts and events.
#[utoipa::path(
    get,
    operation_id = "show_message",
    path = "/api/v1/messages/{id}",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id, or the reference printed on its page, such as `418622DC`")),
    responses(
        (status = 200, description = "The message's current state", body = MessageDetail),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such message", body = ProblemView),
        (status = 409, description = "The reference is that of several messages", body = ProblemView),
    )
)]
pub(super) async fn show(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<MessageDetail>, Problem> {
    bearer.require(Scope::Read)?;
    let mut tx = state.gateway.store.read().await?;
    let id = match id::reference(&id) {
        Some(reference) => by_reference(&mut tx, &reference).await?,
        None => message_id(&id)?,
    };
    detail(&mut tx, id, bearer.may(Scope::Operate)).await.map(Json)
}

async fn by_reference(tx: &mut Tx, reference: &str) -> Result<MessageId, Problem> {
    let found = tx.messages_by_reference(reference).await?;
    match found.as_slice() {
        [message] => Ok(message.id),
        [] => Err(Problem::new(Kind::NotFound, "there is no such message")),
        several => {
            let ids: Vec<String> = several.iter().map(|message| message.id.to_string()).collect();
            Err(Problem::new(Kind::Conflict, format!("several messages have this reference: {}", ids.join(", "))))
        }
    }
}

/// Does with a message what a person may: `retry`, `hold`, `release`, `send_now` (outside the recipient's office hours),
/// `cancel` or `purge` (the provider deletes its copy of what has ended; the events show when). One that was handed over already is cancelled only by its provider: then the answer has `cancel_requested`.
#[utoipa::path(
    post,
    operation_id = "act_on_message",
    path = "/api/v1/messages/{id}/{act}",
    tag = "messages",
    params(
        ("id" = String, Path, description = "The message's id", format = Uuid),
        ("act" = String, Path, description = "`retry`, `hold`, `release`, `send_now`, `cancel` or `purge`"),
    ),
    responses(
        (status = 200, description = "Done; the message as it stands now", body = MessageDetail),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such message or act", body = ProblemView),
        (status = 409, description = "Its state does not allow it", body = ProblemView),
    )
)]
pub(super) async fn act(
    State(state): State<WebState>,
    bearer: Bearer,
    Path((id, act)): Path<(String, String)>,
) -> Result<Json<MessageDetail>, Problem> {
    bearer.require(Scope::Operate)?;
    let act = match act.as_str() {
        "retry" => Act::Retry,
        "hold" => Act::Hold,
        "release" => Act::Release,
        "send_now" => Act::SendNow,
        "cancel" => Act::Cancel,
        "purge" => Act::Purge,
        _ => return Err(Problem::new(Kind::NotFound, format!("the acts are {}", ACTS.join(", ")))),
    };
    let id = message_id(&id)?;
    let after = operator::act(&state.gateway.operator(), id, act, &bearer.actor()).await?;
    let mut tx = state.gateway.store.read().await?;
    let detail = detail(&mut tx, id, true).await?;
    let cancel_requested = act.only_asked(&after).then_some(true);
    Ok(Json(MessageDetail { cancel_requested, ..detail }))
}

fn message_id(text: &str) -> Result<MessageId, Problem> {
    text.parse().map_err(|_| Problem::new(Kind::NotFound, "there is no such message"))
}

async fn detail(tx: &mut Tx, id: MessageId, whole: bool) -> Result<MessageDetail, Problem> {
    let message = tx.message(id, false).await?;
    let message = message.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such message"))?;
    let attempts = tx.attempts_of(id).await?;
    Ok(MessageDetail {
        cancel_requested: None,
        attempts: attempts.into_iter().map(|one| AttemptView::of(one, whole)).collect(),
        message: MessageView::of(&message, whole),
        events: tx.events_of(id).await?.into_iter().map(Into::into).collect(),
    })
}

/// Which failures to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailuresWanted {
    /// Only those with this reason's word.
    reason: Option<String>,
    /// How many messages, 1 to 500; 50 by default.
    limit: Option<i64>,
}

/// What did not get through, by cause and by message.
#[utoipa::path(
    get,
    path = "/api/v1/failures",
    tag = "messages",
    params(
        ("reason" = Option<String>, Query, description = "Only those with this reason's word"),
        ("limit" = Option<i64>, Query, description = "How many messages, 1 to 500; 50 by default", minimum = 1, maximum = 500),
    ),
    responses(
        (status = 200, description = "Causes and messages", body = FailureList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
    )
)]
pub(super) async fn failures(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<FailuresWanted>, QueryRejection>,
) -> Result<Json<FailureList>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted = query(wanted, "reason (a word) and limit (1 to 500)")?;
    let limit = limit(wanted.limit, FAILURES_DEFAULT, FAILURES_MAX)?;
    let reason = wanted.reason.as_deref().map(reason_word).transpose()?;
    let mut tx = state.gateway.store.read().await?;
    let mut causes = tx.causes().await?;
    causes.retain(|cause| reason.is_none_or(|reason| reason == cause.reason));
    Ok(Json(FailureList {
        causes: causes.into_iter().map(Into::into).collect(),
        messages: tx.failures(reason, limit).await?.into_iter().map(Into::into).collect(),
    }))
}

fn reason_word(word: &str) -> Result<Reason, Problem> {
    word.parse().map_err(|words| Problem::field(Kind::Invalid, "reason", words))
}
