//! `/failures`: what did not get through, by cause, and what can be done about each cause at once.

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
use crate::domain::id::MessageId;
use crate::domain::{Actor, MessageStatus, Reason};
use crate::operator::{self, Act, OperatorError};
use crate::store::views::overview::MessageLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;
use crate::wording::remedies::{self, Bulk, Call};

/// Messages that are looked at in one go when a button acts on all of a cause; then come the next ones, to the end.
const PORTION: i64 = 200;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    reason: Option<String>,
    page: Option<String>,
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
    rows: Vec<LineRow>,
    pager: Pager,
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
        Some(reason) => show_cause(&state, &operator, &asked, (reason, wanted.page), &calendar).await,
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
    (reason, page): (String, Option<String>),
    calendar: &Calendar,
) -> Result<Response, PageProblem> {
    let reason: Reason = reason.parse().map_err(|_| nowhere())?;
    let mut tx = state.gateway.store.read().await?;
    let counts = tx.failures_count(reason).await?;
    let count: i64 = counts.iter().map(|(_, count)| count).sum();
    let (pager, before) = Pager::over(count, page.as_deref(), &format!("/failures?reason={reason}"))?;
    let lines = tx.failures_page(reason, before, PER_PAGE).await?;
    let meaning = wording::explain(reason);
    let page = CausePage {
        frame: Frame::new(state, operator, Section::Failures, meaning.trim_end_matches('.'), asked),
        advice: wording::dashboard_advice(reason),
        count: wording::count(count, "message", "messages"),
        buttons: buttons(&counts, reason),
        call_sheet: call_sheet(reason),
        rows: lines.iter().map(|line| LineRow::of(line, calendar, &state.gateway.renderer)).collect(),
        pager,
        reason: reason.to_string(),
        meaning: meaning.to_owned(),
    };
    Ok(frame::show(&page))
}

/// A button for each thing that can be done, with how many messages it is for.
fn buttons(counts: &[(MessageStatus, i64)], reason: Reason) -> Vec<BulkButton> {
    let for_how_many = |bulk: Bulk| {
        let of_bulk = counts.iter().filter(|(status, _)| remedies::bulk(*status, reason) == Some(bulk));
        of_bulk.map(|(_, count)| count).sum()
    };
    let button = |bulk: Bulk| {
        let count: i64 = for_how_many(bulk);
        let is_first = bulk.is_likely(reason);
        (count > 0).then(|| BulkButton { word: bulk.as_str(), label: bulk.label(count), is_first })
    };
    Bulk::ALL.into_iter().filter_map(button).collect()
}

/// `POST /failures`: one act for every message of a cause. They are taken in portions in the order of their ids, each
/// once, whatever becomes of it; every message is a transaction of its own, so that what was done stays done.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let reason: Reason = posted.fields.text("reason").parse().map_err(|_| nowhere())?;
    let wanted = Bulk::ALL
        .into_iter()
        .find(|bulk| bulk.as_str() == posted.fields.text("act"))
        .ok_or_else(|| refused("Please use the buttons on the page."))?;
    let (mut all, mut done) = (0, 0);
    let mut after = MessageId(Uuid::nil());
    loop {
        let mut lines = state.gateway.store.read().await?.failures_after(reason, after, PORTION).await?;
        let Some(last) = lines.last() else { break };
        after = last.id;
        lines.retain(|line| remedies::bulk(line.status, reason) == Some(wanted));
        all += lines.len();
        match wanted {
            Bulk::RetryCorrected => lines = corrected(&state, lines).await?,
            Bulk::RetryPermitted => lines = permitted(&state, lines).await?,
            Bulk::Retry | Bulk::Release => {}
        }
        done += do_for_each(&state, &lines, wanted, &posted.operator.actor).await?;
    }
    let notice = if wanted == Bulk::Release { Done::ReleasedAll } else { Done::RetriedAll };
    Ok(then_show(&notice.at_counted("/failures", done, all - done)))
}

/// The messages whose referrer has another address by now than the one that went wrong.
async fn corrected(state: &WebState, lines: Vec<MessageLine>) -> Result<Vec<MessageLine>, PageProblem> {
    let mut tx = state.gateway.store.read().await?;
    let mut kept = Vec::new();
    for line in lines {
        let Some(message) = tx.message(line.id, false).await? else { continue };
        let present = tx.referrer(line.referrer_id).await?.and_then(|referrer| referrer.address(line.channel));
        if present.is_some_and(|address| address.key() != message.address.key()) {
            kept.push(line);
        }
    }
    Ok(kept)
}

/// The messages to whose number updates may be faxed by now.
async fn permitted(state: &WebState, lines: Vec<MessageLine>) -> Result<Vec<MessageLine>, PageProblem> {
    let mut tx = state.gateway.store.read().await?;
    let mut kept = Vec::new();
    for line in lines {
        let Some(fax) = tx.referrer(line.referrer_id).await?.and_then(|referrer| referrer.fax) else { continue };
        if tx.basis_of(&fax).await?.iter().any(|basis| basis.is_sufficient(state.intake.permission_only)) {
            kept.push(line);
        }
    }
    Ok(kept)
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
