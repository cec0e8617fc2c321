//! `/failures`: what did not get through, by cause, and what can be done about each cause at once.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::pager::Pager;
use super::query::Query;
use super::view::causes::{self, CauseGroup};
use super::view::lines::LineRow;
use super::view::moment::Calendar;
use crate::domain::Actor;
use crate::domain::Reason;
use crate::operator::{self, Act, OperatorError};
use crate::store::views::overview::MessageLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;
use crate::wording::remedies::{self, Bulk, Call};

/// Messages in the list of a cause, and those that one button acts on.
const LISTED_MAX: i64 = 500;

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
    is_cut: bool,
    bulk: Option<(Bulk, String)>,
    bulk_first: bool,
    call_sheet: Option<&'static str>,
    rows: Vec<LineRow>,
    pager: Pager,
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
    let lines = state.gateway.store.read().await?.failures(Some(reason), LISTED_MAX).await?;
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let bulk = lines.iter().find_map(|line| remedies::bulk(line.status, reason));
    let meaning = wording::explain(reason);
    let (lines, pager) = Pager::cut(lines, page.as_deref(), &format!("/failures?reason={reason}"))?;
    let page = CausePage {
        frame: Frame::new(state, operator, Section::Failures, meaning.trim_end_matches('.'), asked),
        advice: wording::dashboard_advice(reason),
        count: wording::count(count, "message", "messages"),
        is_cut: count == LISTED_MAX,
        bulk: bulk.map(|bulk| (bulk, bulk.label(count))),
        bulk_first: bulk.is_some_and(|bulk| bulk.is_likely(reason)),
        call_sheet: call_sheet(reason),
        rows: lines.iter().map(|line| LineRow::of(line, calendar)).collect(),
        pager,
        reason: reason.to_string(),
        meaning: meaning.to_owned(),
    };
    Ok(frame::show(&page))
}

/// `POST /failures`: one act for every message of a cause, 500 at most.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let reason: Reason = posted.fields.text("reason").parse().map_err(|_| nowhere())?;
    let wanted = Bulk::ALL
        .into_iter()
        .find(|bulk| bulk.as_str() == posted.fields.text("act"))
        .ok_or_else(|| refused("Please use the buttons on the page."))?;
    let mut lines = state.gateway.store.read().await?.failures(Some(reason), LISTED_MAX).await?;
    lines.retain(|line| remedies::bulk(line.status, reason) == Some(wanted));
    let all = lines.len();
    match wanted {
        Bulk::RetryCorrected => lines = corrected(&state, lines).await?,
        Bulk::RetryPermitted => lines = permitted(&state, lines).await?,
        Bulk::Retry | Bulk::Release => {}
    }
    let done = do_for_each(&state, &lines, wanted, &posted.operator.actor).await?;
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
            Err(OperatorError::Store(error)) => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(done)
}
