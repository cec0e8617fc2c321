//! `/messages/{id}`: what, to whom, how it stands and why, what happens next, all that happened, and the page itself.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::calls_answer;
use super::form::{Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::query::Query;
use super::sheet::{self, Sheet};
use super::undo::{self, UndoButton};
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use super::view::returns::{self, ReturnLine};
use super::view::standing::{self, Case, Standing};
use super::view::timeline::{self, Line};
use super::view::titles;
use crate::domain::Actor;
use crate::domain::Reason;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::basis::{Basis, BasisKind, NumberSource};
use crate::domain::event::EventKind;
use crate::domain::id::{BasisId, MessageId, short};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, Channel, FaxNumber, MessageStatus, PolicyReason, Purpose};
use crate::operator::Act;
use crate::operator::{self, OperatorError};
use crate::referrers;
use crate::store::Tx;
use crate::store::records::events::Event;
use crate::store::records::returns::ReturnsOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Returns on a message's page.
const RETURNS_SHOWN: i64 = 50;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    document: Option<String>,
}

/// One attempt in the table.
struct AttemptRow {
    number: i64,
    provider: String,
    at: Moment,
    status: Chip,
    fault: Option<&'static str>,
    code: Option<String>,
    text: Option<String>,
    /// How it travelled, and the cipher suite.
    transport: Option<(String, Option<String>)>,
    pages: Option<i64>,
    charge: Option<String>,
    /// Where it went, if that is not where the message goes now.
    to: Option<String>,
    reference: Option<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Page {
    frame: Frame,
    id: String,
    reference: String,
    title: String,
    channel: &'static str,
    name: String,
    organization: Option<String>,
    referrer_link: String,
    address: String,
    status: Chip,
    confidence: Option<&'static str>,
    standing: Standing,
    purpose: &'static str,
    asks_permission: bool,
    undo: Option<UndoButton>,
    asked_by: String,
    made: Moment,
    timeline: Vec<Line>,
    attempts: Vec<AttemptRow>,
    returned: Vec<ReturnLine>,
    /// Why its broadcast is paused, and the broadcast's page, if that is why it is held.
    paused: Option<(String, String)>,
    sheet: Sheet,
    sheet_title: &'static str,
}

/// Everything the page is made of, read in one transaction.
struct Known {
    message: Message,
    referrer: Referrer,
    attempts: Vec<Attempt>,
    title: String,
    asked_by: String,
    standing: Standing,
    timeline: Vec<Line>,
    returned: Vec<ReturnLine>,
    paused: Option<(String, String)>,
    undo: Option<UndoButton>,
}

/// `GET /messages/{id}`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let id: MessageId = id.parse().map_err(|_| nowhere())?;
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let known = known(&mut tx, &state, id, &calendar).await?.ok_or_else(nowhere)?;
    drop(tx);
    let may_show = wanted.document.as_deref() == Some("show");
    let sheet = sheet::of(&state, &operator, &known.message, &known.referrer, may_show).await?;
    let name = known.referrer.display_name();
    let message = &known.message;
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Messages, format!("{} to {name}", known.title), &asked),
        id: id.to_string(),
        reference: short(&id.0),
        channel: wording::channel(message.channel()),
        organization: known.referrer.organization.clone().filter(|organization| *organization != name),
        name,
        referrer_link: format!("/referrers/{}", message.referrer_id),
        address: message.address.pretty(),
        status: wording::status(message.status).into(),
        confidence: message.confidence.map(wording::confidence),
        purpose: message.purpose.as_str(),
        asks_permission: message.channel() == Channel::Fax && message.purpose == Purpose::Advertisement,
        made: calendar.moment(message.created_ms),
        attempts: known.attempts.iter().map(|attempt| attempt_row(message, attempt, &calendar)).collect(),
        title: known.title,
        asked_by: known.asked_by,
        undo: known.undo,
        standing: known.standing,
        timeline: known.timeline,
        returned: known.returned,
        paused: known.paused,
        sheet_title: sheet_title(message),
        sheet,
    };
    Ok(frame::show(&page))
}

/// What the letter on the page is.
fn sheet_title(message: &Message) -> &'static str {
    match (&message.document_hash, message.status) {
        (None, _) => "As it would go out now",
        (Some(_), MessageStatus::InDoubt) => "As it was handed over",
        (Some(_), _) => "Exactly as sent",
    }
}

/// Why the broadcast of a message is paused, and its page, if that is why the message is held.
async fn paused(tx: &mut Tx, message: &Message) -> Result<Option<(String, String)>, PageProblem> {
    let Some(id) = message.broadcast_id.filter(|_| message.reason == Some(PolicyReason::BroadcastPaused.into())) else {
        return Ok(None);
    };
    let Some(broadcast) = tx.broadcast(id).await? else { return Ok(None) };
    let why = wording::broadcasts::paused(broadcast.pause.paused_reason.as_deref());
    Ok(broadcast.paused_since().map(|_| (why, format!("/messages?broadcast={id}"))))
}

async fn known(
    tx: &mut Tx,
    state: &WebState,
    id: MessageId,
    calendar: &Calendar,
) -> Result<Option<Known>, PageProblem> {
    let Some(message) = tx.message(id, false).await? else { return Ok(None) };
    let Some(referrer) = tx.referrer(message.referrer_id).await? else { return Ok(None) };
    let attempts = tx.attempts_of(id).await?;
    let events = tx.events_of(id).await?;
    let entry = tx.queue_entry(id.0).await?;
    let touch = tx.touch(message.touch_id).await?;
    let undo = undo::of(tx, message.submission_id, calendar).await?;
    let back = tx.returns_page(&ReturnsOf { message: Some(id), ..ReturnsOf::default() }, None, RETURNS_SHOWN).await?;
    let returned = returns::lines(tx, &back, &state.gateway.renderer, calendar).await?;
    let can_stop = attempts
        .iter()
        .find(|attempt| attempt.status == AttemptStatus::Accepted)
        .and_then(|attempt| state.gateway.accounts.get(&attempt.provider))
        .is_some_and(|account| account.capabilities().cancel);
    let can_purge = attempts.iter().any(|attempt| has_copy(state, attempt, &events));
    let case = Case { message: &message, attempts: &attempts, entry: entry.as_ref(), can_stop, can_purge };
    let asked_by = touch.as_ref().map_or_else(|| "Someone".to_owned(), |touch| touch.actor.name().to_owned());
    Ok(Some(Known {
        standing: standing::of(&case, calendar),
        timeline: timeline::of(&message, &asked_by, &attempts, &events, calendar),
        title: touch
            .as_ref()
            .map_or_else(|| titles::letter(&state.gateway.renderer, &message.letter), |touch| touch.title.clone()),
        asked_by,
        returned,
        paused: paused(tx, &message).await?,
        undo,
        message,
        referrer,
        attempts,
    }))
}

/// Whether the provider has a copy of what was handed over that it can be asked to delete.
fn has_copy(state: &WebState, attempt: &Attempt, events: &[Event]) -> bool {
    let has_ended = matches!(attempt.status, AttemptStatus::Delivered | AttemptStatus::Failed);
    let can = state.gateway.accounts.get(&attempt.provider).is_some_and(|account| account.capabilities().purge);
    let is_deleted =
        || events.iter().any(|event| event.kind == EventKind::Purged && event.attempt_id == Some(attempt.id));
    has_ended && can && attempt.provider_reference.is_some() && !is_deleted()
}

fn attempt_row(message: &Message, attempt: &Attempt, calendar: &Calendar) -> AttemptRow {
    let elsewhere = attempt.dialled.as_ref().is_some_and(|dialled| *dialled != message.address);
    AttemptRow {
        transport: attempt.transport().map(|one| (wording::transport(&one), one.cipher)),
        charge: attempt.billed().map(|charge| charge.to_string()),
        to: attempt.dialled.as_ref().filter(|_| elsewhere).map(|to| to.pretty()),
        number: attempt.number,
        provider: attempt.provider.clone(),
        at: calendar.moment(attempt.opened_ms),
        status: wording::attempt_status(attempt.status).into(),
        fault: attempt.fault.map(wording::fault),
        code: attempt.raw_code.clone().filter(|code| attempt.fault.is_none_or(|fault| fault.as_str() != code)),
        text: attempt.raw_text.clone(),
        pages: attempt.pages_confirmed,
        reference: attempt.provider_reference.clone(),
    }
}

/// `POST /messages/{id}`: one act. Leads back to the list it was done from, or else to the message.
pub async fn act(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: MessageId = id.parse().map_err(|_| nowhere())?;
    let wanted =
        standing::act_named(posted.fields.text("act")).ok_or_else(|| refused("Please use the buttons on the page."))?;
    let reason = posted.fields.text("reason");
    let back =
        if reason.parse::<Reason>().is_ok() { format!("/failures?reason={reason}") } else { format!("/messages/{id}") };
    let done = carry_out(&state, id, wanted, &posted.operator.actor).await?;
    Ok(then_show(&done.at(&back)))
}

async fn carry_out(state: &WebState, id: MessageId, act: Act, who: &Actor) -> Result<Done, PageProblem> {
    match operator::act(&state.gateway.operator(), id, act, who).await {
        Ok(after) => Ok(match act {
            Act::Retry => Done::Retried,
            Act::Hold => Done::Held,
            Act::Release => Done::Released,
            Act::SendNow => Done::SentNow,
            Act::Cancel if act.only_asked(&after) => Done::CancelAsked,
            Act::Cancel => Done::Cancelled,
            Act::Purge => Done::PurgeAsked,
            Act::MarkSent => Done::SaidSent,
            Act::MarkNotSent => Done::SaidNotSent,
        }),
        Err(OperatorError::WrongState(_)) => Ok(Done::NotPossible),
        Err(OperatorError::NotStopped(words)) => Err(refused(sentence(&words))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /messages/{id}/correct`: the referrer gets another address, and the message goes there. With the number the
/// office may have given its permission too; a permission holds for one number only, so the new one needs its own.
pub async fn correct(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: MessageId = id.parse().map_err(|_| nowhere())?;
    let message = state.gateway.store.read().await?.message(id, false).await?.ok_or_else(nowhere)?;
    let text = posted.fields.line("address", "the address", 254)?;
    let address = Address::parse(message.channel(), &text)
        .map_err(|error| refused_field("address", sentence(&error.to_string())))?;
    let who = &posted.operator.actor;
    if let (Address::Fax(number), "yes") = (&address, posted.fields.text("permission")) {
        let how = "given together with the corrected number".to_owned();
        calls_answer::permit(&state, number, how, who).await?;
    }
    referrers::edit(&state.gateway.referrers(), message.referrer_id, who, |referrer| match address {
        Address::Fax(number) => referrer.fax = Some(number),
        Address::Email(mailbox) => referrer.email = Some(mailbox),
    })
    .await?;
    let done = match carry_out(&state, id, Act::Retry, who).await? {
        Done::Retried => Done::Corrected,
        other => other,
    };
    Ok(then_show(&done.at(&format!("/messages/{id}"))))
}

/// `POST /messages/{id}/permit`: the office allows updates by fax, and the message goes out.
pub async fn permit(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: MessageId = id.parse().map_err(|_| nowhere())?;
    let how = posted.fields.line("how", "how they gave permission", 200)?;
    let who = &posted.operator.actor;
    let mut tx = state.gateway.store.read().await?;
    let message = tx.message(id, false).await?.ok_or_else(nowhere)?;
    let referrer = tx.referrer(message.referrer_id).await?.ok_or_else(nowhere)?;
    drop(tx);
    let number = referrer.fax.ok_or_else(|| refused("Add a fax number first: permission is per number."))?;
    calls_answer::permit(&state, &number, how, who).await?;
    let done = match carry_out(&state, id, Act::Retry, who).await? {
        Done::Retried => Done::Permitted,
        other => other,
    };
    Ok(then_show(&done.at(&format!("/messages/{id}"))))
}

pub(super) fn permission(number: &FaxNumber, how: String, who: &Actor, calendar: &Calendar) -> Basis {
    Basis {
        id: BasisId::new(),
        fax: number.clone(),
        kind: BasisKind::Permission,
        number_source: Some(NumberSource::GivenByRecipient),
        obtained_on: calendar.today().to_string(),
        how,
        by_whom: who.name().to_owned(),
        note: None,
        created_ms: calendar.now,
        ended_ms: None,
        ended_reason: None,
    }
}

/// An error's words as a sentence.
pub(super) fn sentence(words: &str) -> String {
    format!("{}.", wording::capitalized(words.trim_end_matches('.')))
}

impl Page {
    /// What the field of a correction asks for.
    fn address_label(&self) -> &'static str {
        if self.channel == wording::channel(Channel::Fax) { "Correct fax number" } else { "Correct email address" }
    }

    fn address_type(&self) -> &'static str {
        if self.channel == wording::channel(Channel::Fax) { "tel" } else { "email" }
    }
}
