//! `/failures`: what did not get through, by cause, and what can be done about each cause at once.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Posted, nowhere, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::pager::{PER_PAGE, Pager};
use super::query::Query;
use super::view::causes::{self, CauseGroup};
use super::view::lines::LineRow;
use super::view::moment::Calendar;
use super::view::titles;
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::referrer::Referrer;
use crate::domain::{Actor, AddressKey, FaxNumber, MessageStatus, PolicyReason, Reason};
use crate::operator::{self, Act, OperatorError};
use crate::store::Tx;
use crate::store::records::broadcasts::Broadcast;
use crate::store::views::overview::MessageLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;
use crate::wording::remedies::{self, Bulk, Call};

/// Messages that are looked at in one go when a button acts on all of a cause; then come the next ones, to the end.
const PORTION: i64 = 200;
/// How long one request goes on with an act for very many messages: half of what a request may take, so that the portion it
/// has begun is finished in time.
pub const BULK_WITHIN: Duration = Duration::from_secs(60);
/// Paused broadcasts that are named at most.
const PAUSED_SHOWN: i64 = 10;
/// Before the first message.
const NOBODY: MessageId = MessageId(Uuid::nil());

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    reason: Option<String>,
    page: Option<String>,
    /// The act that is to go on, and behind which message.
    go_on: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct CausesPage {
    frame: Frame,
    groups: Vec<CauseGroup>,
}

#[derive(Template)]
#[template(path = "failures_cause.html")]
struct CausePage {
    frame: Frame,
    reason: String,
    meaning: String,
    advice: &'static str,
    count: String,
    buttons: Vec<BulkButton>,
    call_sheet: Option<&'static str>,
    /// The broadcasts that hold these messages: name and page.
    paused: Vec<(String, String)>,
    rest: Option<Rest>,
    rows: Vec<LineRow>,
    pager: Pager,
}

/// What is left of an act for very many messages.
struct Rest {
    word: &'static str,
    after: String,
    count: String,
}

/// What can be done for all messages of a cause that have the same status.
struct BulkButton {
    word: &'static str,
    label: String,
    is_first: bool,
}

/// `GET /failures`, and `GET /failures?reason=busy`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    match wanted.reason {
        Some(ref reason) => show_cause(&state, &operator, &asked, reason, &wanted, &calendar).await,
        None => {
            let causes = state.gateway.store.read().await?.causes().await?;
            let frame = Frame::new(&state, &operator, Section::Failures, "Failures by cause", &asked);
            Ok(frame::show(&CausesPage { frame, groups: causes::groups(&causes, &calendar) }))
        }
    }
}

async fn show_cause(
    state: &WebState,
    operator: &Operator,
    asked: &Asked,
    reason: &str,
    wanted: &Wanted,
    calendar: &Calendar,
) -> Result<Response, PageProblem> {
    let reason: Reason = reason.parse().map_err(|_| nowhere())?;
    let rest = rest(state, reason, wanted).await?;
    let mut tx = state.gateway.store.read().await?;
    let counts = tx.failures_count(reason, NOBODY).await?;
    let count: i64 = counts.iter().map(|(_, count)| count).sum();
    let (pager, before) = Pager::over(count, wanted.page.as_deref(), &format!("/failures?reason={reason}"))?;
    let lines = tx.failures_page(reason, before, PER_PAGE).await?;
    let meaning = wording::explain(reason);
    let page = CausePage {
        frame: Frame::new(state, operator, Section::Failures, meaning.trim_end_matches('.'), asked),
        advice: wording::dashboard_advice(reason),
        count: wording::count(count, "message", "messages"),
        buttons: buttons(&counts, reason),
        call_sheet: call_sheet(reason),
        paused: paused_broadcasts(&mut tx, state, reason).await?,
        rest,
        rows: lines.iter().map(|line| LineRow::of(line, calendar, &state.gateway.renderer)).collect(),
        pager,
        reason: reason.to_string(),
        meaning: meaning.to_owned(),
    };
    Ok(frame::show(&page))
}

/// The broadcasts that hold the messages of that reason: the name and the page where it is decided what becomes of each.
async fn paused_broadcasts(
    tx: &mut Tx,
    state: &WebState,
    reason: Reason,
) -> Result<Vec<(String, String)>, PageProblem> {
    if reason != PolicyReason::BroadcastPaused.into() {
        return Ok(Vec::new());
    }
    let paused = tx.broadcasts_paused_now(PAUSED_SHOWN).await?;
    let name = |broadcast: &Broadcast| titles::broadcast(&state.gateway.renderer, broadcast);
    Ok(paused.iter().map(|one| (name(one), format!("/messages?broadcast={}", one.id))).collect())
}

/// What is left of the act that the address names, if anything is.
async fn rest(state: &WebState, reason: Reason, wanted: &Wanted) -> Result<Option<Rest>, PageProblem> {
    let (Some(act), Some(after)) = (wanted.go_on.as_deref().and_then(bulk), &wanted.after) else { return Ok(None) };
    let after: MessageId = after.parse().map_err(|_| nowhere())?;
    let count = left(state, reason, act, after).await?;
    let rest =
        Rest { word: act.as_str(), after: after.to_string(), count: wording::count(count, "message", "messages") };
    Ok((count > 0).then_some(rest))
}

/// A button for each thing that can be done, with how many messages it is for.
fn buttons(counts: &[(MessageStatus, i64)], reason: Reason) -> Vec<BulkButton> {
    let button = |bulk: Bulk| {
        let count = for_how_many(counts, reason, bulk);
        let is_first = bulk.is_likely(reason);
        (count > 0).then(|| BulkButton { word: bulk.as_str(), label: bulk.label(count), is_first })
    };
    Bulk::ALL.into_iter().filter_map(button).collect()
}

fn for_how_many(counts: &[(MessageStatus, i64)], reason: Reason, bulk: Bulk) -> i64 {
    let of_bulk = counts.iter().filter(|(status, _)| remedies::bulk(*status, reason) == Some(bulk));
    of_bulk.map(|(_, count)| count).sum()
}

/// `POST /failures`: one act for every message of a cause. They are taken in portions in the order of their ids, each
/// once, whatever becomes of it; every message is a transaction of its own, so that what was done stays done. Where time does
/// not suffice for all, the page that follows says how many are left, and goes on with them.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let reason: Reason = posted.fields.text("reason").parse().map_err(|_| nowhere())?;
    let wanted = bulk(posted.fields.text("act")).ok_or_else(|| refused("Please use the buttons on the page."))?;
    let mut after = posted.fields.optional("after").map_or(Ok(NOBODY), str::parse).map_err(|_| nowhere())?;
    let ends = Instant::now() + state.bulk_within;
    let (mut all, mut done) = (0, 0);
    let notice = if wanted == Bulk::Release { Done::ReleasedAll } else { Done::RetriedAll };
    loop {
        let lines = state.gateway.store.read().await?.failures_after(reason, after, PORTION).await?;
        let Some(last) = lines.last() else { break };
        after = last.id;
        let (seen, acted) = act_on(&state, lines, wanted, reason, &posted.operator.actor).await?;
        (all, done) = (all + seen, done + acted);
        if Instant::now() >= ends && left(&state, reason, wanted, after).await? > 0 {
            let page = format!("/failures?reason={reason}&go_on={}&after={after}", wanted.as_str());
            return Ok(then_show(&notice.at_counted(&page, done, all - done)));
        }
    }
    Ok(then_show(&notice.at_counted("/failures", done, all - done)))
}

/// The act for one portion: how many of the messages it is for, and for how many it was done.
async fn act_on(
    state: &WebState,
    mut lines: Vec<MessageLine>,
    wanted: Bulk,
    reason: Reason,
    who: &Actor,
) -> Result<(usize, usize), PageProblem> {
    lines.retain(|line| remedies::bulk(line.status, reason) == Some(wanted));
    let all = lines.len();
    match wanted {
        Bulk::RetryCorrected => lines = corrected(state, lines).await?,
        Bulk::RetryPermitted => lines = permitted(state, lines).await?,
        Bulk::Retry | Bulk::Release => {}
    }
    Ok((all, do_for_each(state, &lines, wanted, who).await?))
}

/// For how many messages behind `after` the act is.
async fn left(state: &WebState, reason: Reason, wanted: Bulk, after: MessageId) -> Result<i64, PageProblem> {
    let counts = state.gateway.store.read().await?.failures_count(reason, after).await?;
    Ok(for_how_many(&counts, reason, wanted))
}

fn bulk(word: &str) -> Option<Bulk> {
    Bulk::ALL.into_iter().find(|bulk| bulk.as_str() == word)
}

/// The messages whose referrer has another address by now than the one that went wrong.
async fn corrected(state: &WebState, mut lines: Vec<MessageLine>) -> Result<Vec<MessageLine>, PageProblem> {
    let mut tx = state.gateway.store.read().await?;
    let ids: Vec<MessageId> = lines.iter().map(|line| line.id).collect();
    let messages: HashMap<MessageId, AddressKey> =
        tx.messages(&ids, false).await?.into_iter().map(|message| (message.id, message.address.key())).collect();
    let people = referrers(&mut tx, &lines).await?;
    lines.retain(|line| {
        let present = people.get(&line.referrer_id).and_then(|referrer| referrer.address(line.channel));
        let tried = messages.get(&line.id);
        present.is_some_and(|address| tried.is_some_and(|tried| *tried != address.key()))
    });
    Ok(lines)
}

/// The messages to whose number updates may be faxed by now.
async fn permitted(state: &WebState, mut lines: Vec<MessageLine>) -> Result<Vec<MessageLine>, PageProblem> {
    let mut tx = state.gateway.store.read().await?;
    let people = referrers(&mut tx, &lines).await?;
    let numbers: HashSet<&FaxNumber> = people.values().filter_map(|referrer| referrer.fax.as_ref()).collect();
    let keys: Vec<AddressKey> = numbers.into_iter().map(AddressKey::from).collect();
    let mut bases = tx.basis_among(&keys).await?;
    bases.retain(|basis| basis.is_sufficient(state.intake.permission_only));
    let permitted: HashSet<&FaxNumber> = bases.iter().map(|basis| &basis.fax).collect();
    lines.retain(|line| {
        let fax = people.get(&line.referrer_id).and_then(|referrer| referrer.fax.as_ref());
        fax.is_some_and(|fax| permitted.contains(fax))
    });
    Ok(lines)
}

/// Everybody whom the messages are to.
async fn referrers(tx: &mut Tx, lines: &[MessageLine]) -> Result<HashMap<ReferrerId, Referrer>, PageProblem> {
    let ids: HashSet<ReferrerId> = lines.iter().map(|line| line.referrer_id).collect();
    let ids: Vec<ReferrerId> = ids.into_iter().collect();
    Ok(tx.referrers(&ids).await?.into_iter().map(|referrer| (referrer.id, referrer)).collect())
}

/// The call sheet for a reason, as a link.
pub(super) fn call_sheet(reason: Reason) -> Option<&'static str> {
    remedies::is_settled_by_call(reason).map(|call| match call {
        Call::Permission => "/calls/permission",
        Call::Number => "/calls/number",
    })
}

/// How many it was done for. A message that has moved on meanwhile is left as it is.
async fn do_for_each(state: &WebState, lines: &[MessageLine], wanted: Bulk, who: &Actor) -> Result<usize, PageProblem> {
    let act = if wanted == Bulk::Release { Act::Release } else { Act::Retry };
    let mut done = 0;
    for line in lines {
        match operator::act(&state.gateway.operator(), line.id, act, who).await {
            Ok(_) => done += 1,
            Err(OperatorError::WrongState(_) | OperatorError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_a_button_for_each_thing_to_do_with_how_many_it_is_for() {
        let counts = [(MessageStatus::Failed, 1_200), (MessageStatus::Held, 3), (MessageStatus::Expired, 34)];
        let busy: Reason = "busy".parse().expect("a reason");
        let labels: Vec<String> = buttons(&counts, busy).into_iter().map(|button| button.label).collect();
        assert_eq!(labels, ["Retry all 1,234", "Release all 3"]);
        let refused: Reason = "opted_out".parse().expect("a reason");
        assert!(buttons(&[(MessageStatus::Suppressed, 9)], refused).is_empty());
    }
}
