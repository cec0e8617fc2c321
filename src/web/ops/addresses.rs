//! `/referrers/addresses`: the addresses that do not work, and another chance for one of them or for many by cause and
//! time. Many are counted before anything is changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{Datelike, Days, NaiveDate};
use serde::Deserialize;

use super::again::Kept;
use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::pager::Pager;
use super::query::Query;
use super::view::moment::Calendar;
use super::view::people::UnwellRow;
use crate::domain::fault::AddressEvidence;
use crate::domain::id::ReferrerId;
use crate::domain::{Channel, Fault, Timestamp};
use crate::operator::{OperatorError, addresses};
use crate::store::records::addresses::DeadOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Addresses on the page.
const UNWELL_SHOWN: i64 = 500;
/// Every dead address.
const EVERY_DEAD: DeadOf = DeadOf { channel: None, fault: None, since: None, until: None };

/// Which addresses to count.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    cause: Option<String>,
    since: Option<String>,
    until: Option<String>,
    page: Option<String>,
}

/// A cause to choose.
struct CauseChoice {
    word: &'static str,
    meaning: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "referrers_addresses.html")]
struct Page {
    frame: Frame,
    rows: Vec<UnwellRow>,
    causes: Vec<CauseChoice>,
    cause: &'static str,
    since: String,
    until: String,
    counted: Option<String>,
    can_revive: bool,
    pager: Pager,
}

/// `GET /referrers/addresses`, with a cause or days to count what would be tried again.
pub async fn show(
    State(state): State<WebState>,
    mut operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let is_counting = wanted.cause.is_some() || wanted.since.is_some() || wanted.until.is_some();
    let texts = [&wanted.cause, &wanted.since, &wanted.until].map(|text| text.as_deref().unwrap_or_default());
    let (which, counted) = match count(&state, texts, is_counting, &calendar).await {
        Ok(counted) => counted,
        Err(problem) => {
            let Some(refused) = problem.0.refused() else { return Err(problem) };
            let fields = Fields::of(["cause", "since", "until"].into_iter().zip(texts));
            operator.kept = Some(Kept::new("/referrers/addresses", fields, refused));
            (EVERY_DEAD, None)
        }
    };
    let mut tx = state.gateway.store.read().await?;
    let unwell = tx.addresses_unwell(UNWELL_SHOWN).await?;
    let (unwell, pager) = Pager::cut(unwell, wanted.page.as_deref(), "/referrers/addresses")?;
    let ids: Vec<ReferrerId> = unwell.iter().map(|one| one.referrer_id).collect();
    let referrers = tx.referrers(&ids).await?;
    let held_against = |fault: &&Fault| fault.evidence() != AddressEvidence::Neutral;
    let choice = |fault: &Fault| CauseChoice {
        word: fault.as_str(),
        meaning: wording::fault(*fault).trim_end_matches('.'),
        is_chosen: which.fault == Some(*fault),
    };
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Referrers, "Addresses that do not work", &asked),
        rows: unwell.iter().filter_map(|one| UnwellRow::of(one, &referrers, &calendar)).collect(),
        causes: Fault::ALL.iter().filter(held_against).map(choice).collect(),
        cause: which.fault.map_or("", Fault::as_str),
        since: day(texts[1]).map(|day| day.to_string()).unwrap_or_default(),
        until: day(texts[2]).map(|day| day.to_string()).unwrap_or_default(),
        counted: counted.map(|count| wording::count(number(count), "address", "addresses")),
        can_revive: counted.is_some_and(|count| count > 0),
        pager,
    };
    let mut response = frame::show(&page);
    if page.frame.kept.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// The kind that was asked for, and how many there are if that was asked.
async fn count(
    state: &WebState,
    texts: [&str; 3],
    is_counting: bool,
    calendar: &Calendar,
) -> Result<(DeadOf, Option<usize>), PageProblem> {
    let which = read(texts, calendar)?;
    if !is_counting {
        return Ok((which, None));
    }
    match addresses::count(&state.gateway.operator(), which).await {
        Ok(found) => Ok((which, Some(found.addresses))),
        Err(OperatorError::Invalid(_)) => Err(refused_field("until", "The last day is before the first one.")),
        Err(error) => Err(error.into()),
    }
}

/// The kind of dead address that was chosen: cause, first day, last day.
fn read([cause, since, until]: [&str; 3], calendar: &Calendar) -> Result<DeadOf, PageProblem> {
    let fault = match cause.trim() {
        "" => None,
        word => Some(word.parse().map_err(|_| refused_field("cause", "Please choose one of the reasons."))?),
    };
    let begin = |name: &str, text: &str, days: u64| match (text.trim().is_empty(), day(text)) {
        (true, _) => Ok(None),
        (false, Some(day)) => Ok(start_of(day, days, calendar)),
        (false, None) => Err(refused_field(name, "Please enter the date as YYYY-MM-DD.")),
    };
    Ok(DeadOf { channel: None, fault, since: begin("since", since, 0)?, until: begin("until", until, 1)? })
}

fn day(text: &str) -> Option<NaiveDate> {
    let has_four_digits = |day: &NaiveDate| (0..=9999).contains(&day.year());
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().filter(has_four_digits)
}

/// The first moment of a day in the practice's zone, so many days later.
fn start_of(day: NaiveDate, days: u64, calendar: &Calendar) -> Option<Timestamp> {
    let midnight = day.checked_add_days(Days::new(days))?.and_hms_opt(0, 0, 0)?;
    let there = midnight.and_local_timezone(calendar.zone).earliest()?;
    Some(Timestamp(there.timestamp_millis()))
}

/// `POST /referrers/addresses`: all of the kind that was counted get another chance.
pub async fn revive_all(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let fields = &posted.fields;
    let which = read(["cause", "since", "until"].map(|name| fields.text(name)), &frame::calendar(&state))?;
    addresses::revive_all(&state.gateway.operator(), which, &posted.operator.actor).await?;
    Ok(then_show(&Done::RevivedAll.at("/referrers/addresses")))
}

/// `POST /referrers/{id}/revive`: one address of a referrer gets another chance.
pub async fn revive(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let channel: Channel = posted.fields.word("channel", "fax or email")?;
    let referrer = state.gateway.store.read().await?.referrer(id).await?.ok_or_else(nowhere)?;
    let address = referrer.address(channel).ok_or_else(|| refused("There is no such address."))?;
    let done = match addresses::revive(&state.gateway.operator(), &address, &posted.operator.actor).await {
        Ok(()) => Done::Revived,
        Err(OperatorError::Store(error)) => return Err(error.into()),
        Err(_) => Done::NotPossible,
    };
    let page = if posted.fields.text("back") == "referrer" {
        format!("/referrers/{id}")
    } else {
        "/referrers/addresses".into()
    };
    Ok(then_show(&done.at(&page)))
}
