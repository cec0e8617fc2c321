//! What came back for emails: list it, see one, deal with one.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{JsonBody, cut_to_page, limit, query, unreadable_cursor};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::Timestamp;
use crate::domain::id::{MessageId, ReturnId};
use crate::domain::returned::{ReturnAct, ReturnKind};
use crate::feedback::returns::working::{acts_for, work as work_on};
use crate::public::{ReturnPage, ReturnView};
use crate::store::Tx;
use crate::store::records::returns::{ReturnRow, ReturnsOf};
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Returns on a page unless asked otherwise, and at most.
const PAGE_DEFAULT: i64 = 50;
const PAGE_MAX: i64 = 200;

/// Which returns, and which page of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    state: Option<String>,
    kind: Option<String>,
    message: Option<String>,
    referrer: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

impl Wanted {
    fn of(&self) -> Result<ReturnsOf, Problem> {
        let refused = |field: &str, words: String| Problem::field(Kind::Invalid, field, words);
        let kinds = self.kind.iter().flat_map(|kinds| kinds.split(',')).map(str::parse::<ReturnKind>);
        let an_id = |field: &'static str| move |_: uuid::Error| refused(field, format!("give the {field}'s id"));
        Ok(ReturnsOf {
            state: self.state.as_deref().map(str::parse).transpose().map_err(|words| refused("state", words))?,
            kinds: kinds.collect::<Result<_, _>>().map_err(|words| refused("kind", words))?,
            message: self.message.as_deref().map(str::parse).transpose().map_err(an_id("message"))?,
            referrer: self.referrer.as_deref().map(str::parse).transpose().map_err(an_id("referrer"))?,
        })
    }
}

/// What came back for emails, newest first: bounces, delays, complaints, automatic replies, answers and opt-outs.
#[utoipa::path(
    get,
    operation_id = "list_returns",
    path = "/api/v1/returns",
    tag = "returns",
    params(
        ("state" = Option<String>, Query, description = "Only those in this state; `open` are those that need a person"),
        ("kind" = Option<String>, Query, description = "Only these kinds, separated by commas: `bounce`, `delay`, `delivered`, \
            `complaint`, `auto_reply`, `reply`, `opt_out`, `none`"),
        ("message" = Option<String>, Query, description = "Only those about the message with this id", format = Uuid),
        ("referrer" = Option<String>, Query, description = "Only those about the referrer with this id", format = Uuid),
        ("limit" = Option<i64>, Query, description = "Returns on the page, 1 to 200; 50 by default",
            minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = ReturnPage),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 422, description = "The query cannot be read", body = ProblemView),
    )
)]
pub(super) async fn list(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<ReturnPage>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted =
        query(wanted, "state, kind, message, referrer, limit (1 to 200) and after (`next` of the page before)")?;
    let limit = limit(wanted.limit, PAGE_DEFAULT, PAGE_MAX)?;
    let of = wanted.of()?;
    let mut tx = state.gateway.store.read().await?;
    let after = match &wanted.after {
        Some(after) => Some(place(&mut tx, after).await?),
        None => None,
    };
    let mut rows = tx.returns_page(&of, after, limit + 1).await?;
    let has_more = cut_to_page(&mut rows, limit);
    let whole = bearer.may(Scope::Operate);
    Ok(Json(ReturnPage {
        next: rows.last().filter(|_| has_more).map(|last| last.id.to_string()),
        returns: rows.iter().map(|row| ReturnView::of(row, &acts_for(row), whole)).collect(),
    }))
}

/// Where a page begins: behind the return whose id was given as `next`.
async fn place(tx: &mut Tx, after: &str) -> Result<(Timestamp, ReturnId), Problem> {
    let id = after.parse().map_err(|_| unreadable_cursor())?;
    let last = tx.return_row(id, false).await?.ok_or_else(unreadable_cursor)?;
    Ok((last.received_ms, last.id))
}

/// One return: what was read, which message it is about, what it means and what can be done.
#[utoipa::path(
    get,
    operation_id = "show_return",
    path = "/api/v1/returns/{id}",
    tag = "returns",
    params(("id" = String, Path, description = "The return's id", format = Uuid)),
    responses(
        (status = 200, description = "The return", body = ReturnView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such return", body = ProblemView),
    )
)]
pub(super) async fn show(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ReturnView>, Problem> {
    bearer.require(Scope::Read)?;
    let row = state.gateway.store.read().await?.return_row(return_id(&id)?, false).await?;
    let row = row.ok_or_else(missing)?;
    Ok(Json(view(&row, bearer.may(Scope::Operate))))
}

/// What a person does about a return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnWork {
    /// `match`: it is about the message; `not_a_bounce`: the address is good; `suppress`: they ask for no more email;
    /// `suppress_fax`: no more faxes; `suppress_all`: neither; `dismiss`: nothing to do; `done`: dealt with. Those that a return allows are in its `acts`.
    #[schema(value_type = String, example = "match")]
    act: ReturnAct,
    /// With `match`: the id of the message it is about, where another one than the proposed is meant.
    #[schema(format = Uuid)]
    message: Option<String>,
}

/// Deals with a return. Who did what is recorded.
#[utoipa::path(
    post,
    operation_id = "work_return",
    path = "/api/v1/returns/{id}/work",
    tag = "returns",
    params(("id" = String, Path, description = "The return's id", format = Uuid)),
    request_body = ReturnWork,
    responses(
        (status = 200, description = "Done; the return as it stands now", body = ReturnView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such return", body = ProblemView),
        (status = 409, description = "It does not allow that act: why, and what to do", body = ProblemView),
        (status = 422, description = "The request cannot be read", body = ProblemView),
    )
)]
pub(super) async fn work(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    JsonBody(wanted): JsonBody<ReturnWork>,
) -> Result<Json<ReturnView>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = return_id(&id)?;
    let refused = |words: &str| Problem::field(Kind::Invalid, "message", words);
    let message: Option<MessageId> =
        wanted.message.as_deref().map(str::parse).transpose().map_err(|_| refused("give the message's id"))?;
    if message.is_some() && wanted.act != ReturnAct::Match {
        return Err(refused("a message goes with the act `match` alone"));
    }
    let give_up = Duration::from_secs(state.gateway.config.sending.give_up_hours * 3600);
    let row = work_on(&state.gateway.feedback(), id, wanted.act, message, &bearer.actor(), give_up).await?;
    Ok(Json(view(&row, true)))
}

fn view(row: &ReturnRow, whole: bool) -> ReturnView {
    ReturnView::of(row, &acts_for(row), whole)
}

pub(super) fn return_id(text: &str) -> Result<ReturnId, Problem> {
    text.parse().map_err(|_| missing())
}

pub(super) fn missing() -> Problem {
    Problem::new(Kind::NotFound, "there is no such return")
}
