//! `/calls/permission` and `/calls/number`: whom to telephone, what to ask, and a button for each answer (what an answer
//! does: [`super::calls_answer`]). The pages print as lists to take to the telephone.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::calls_answer::{AGE_MAX, AGE_MAX_DAYS};
use super::form::nowhere;
use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::pager::PER_PAGE;
use super::query::Query;
use super::view::moment::{Calendar, Moment};
use super::view::titles;
use crate::domain::address::pretty_number;
use crate::domain::health::AddressHealth;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, FaxNumber, Timestamp};
use crate::render::Renderer;
use crate::store::Tx;
use crate::store::views::calls::{Call, StoppedBy};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// The two sheets.
pub(super) const PERMISSION: &str = "/calls/permission";
pub(super) const NUMBER: &str = "/calls/number";

/// What may stand in the query: a place in the list, or somebody of it alone.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    after: Option<String>,
    of: Option<String>,
}

/// Somebody to telephone.
struct CallRow {
    id: String,
    link: String,
    name: String,
    organization: Option<String>,
    /// The number to dial, and as it is read out.
    phone: Option<(String, String)>,
    fax: String,
    /// What went wrong, on the sheet of wrong numbers.
    why: Option<&'static str>,
    /// The latest letter that waits for the answer.
    letter: Option<(String, Moment)>,
}

#[derive(Template)]
#[template(path = "calls.html")]
struct Page {
    frame: Frame,
    title: &'static str,
    /// Where the answers go.
    sheet: &'static str,
    question: String,
    is_about_permission: bool,
    total: String,
    permissions: String,
    numbers: String,
    /// Days after which a letter that waited is out of date.
    days: u64,
    rows: Vec<CallRow>,
    next: Option<String>,
    is_first_page: bool,
    /// The referrer's page, if it is about them alone.
    of: Option<String>,
}

/// `GET /calls/permission`: who is to be asked whether updates may be faxed to them.
pub async fn permission(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    show(&state, &operator, PERMISSION, &wanted, &asked).await
}

/// `GET /calls/number`: who is to be asked for the right fax number.
pub async fn number(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    show(&state, &operator, NUMBER, &wanted, &asked).await
}

async fn show(
    state: &WebState,
    operator: &Operator,
    sheet: &'static str,
    wanted: &Wanted,
    asked: &Asked,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(state);
    let is_about_permission = sheet == PERMISSION;
    let only = state.intake.permission_only;
    let mut tx = state.gateway.store.read().await?;
    let Listed { ids, next } = match &wanted.of {
        Some(of) => the_one(&mut tx, is_about_permission, only, of).await?,
        None => a_page(&mut tx, is_about_permission, only, wanted.after.as_deref()).await?,
    };
    let (permissions, numbers) = (tx.calls_for_permission_count(only).await?, tx.calls_for_number_count().await?);
    let title =
        if is_about_permission { "Call sheet: ask for permission to fax" } else { "Call sheet: wrong fax numbers" };
    let practice = &state.gateway.config.practice.name;
    let page = Page {
        frame: Frame::new(state, operator, Section::Failures, title, asked),
        title,
        sheet,
        question: if is_about_permission { wording::ask_permission(practice) } else { wording::ask_number(practice) },
        is_about_permission,
        total: wording::count(if is_about_permission { permissions } else { numbers }, "call to make", "calls to make"),
        permissions: wording::grouped(permissions),
        numbers: wording::grouped(numbers),
        days: AGE_MAX_DAYS,
        next: next.map(|next| format!("{sheet}?after={next}")),
        rows: rows(&mut tx, &ids, is_about_permission, &calendar, &state.gateway.renderer).await?,
        is_first_page: wanted.after.is_none(),
        of: wanted.of.as_ref().map(|id| format!("/referrers/{id}")),
    };
    Ok(frame::show(&page))
}

/// Who is on a page, and where the next one begins if there is one.
struct Listed {
    ids: Vec<ReferrerId>,
    next: Option<String>,
}

async fn a_page(tx: &mut Tx, about_permission: bool, only: bool, after: Option<&str>) -> Result<Listed, PageProblem> {
    let after = after.map_or(Some(Call::FIRST), place).ok_or_else(nowhere)?;
    let limit = PER_PAGE + 1;
    let mut calls = if about_permission {
        tx.calls_for_permission(after, only, limit).await?
    } else {
        tx.calls_for_number(after, limit).await?
    };
    let shown = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let has_more = calls.len() > shown;
    calls.truncate(shown);
    let next = calls.last().filter(|_| has_more).map(|last| format!("{}.{}", last.since_ms.0, last.referrer_id));
    Ok(Listed { ids: calls.iter().map(|call| call.referrer_id).collect(), next })
}

async fn the_one(tx: &mut Tx, about_permission: bool, only: bool, id: &str) -> Result<Listed, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let is_listed = if about_permission { tx.is_to_be_asked(id, only).await? } else { tx.has_wrong_number(id).await? };
    Ok(Listed { ids: is_listed.then_some(id).into_iter().collect(), next: None })
}

/// The place in a sheet that an address names: a moment, and a referrer.
pub(super) fn place(text: &str) -> Option<Call> {
    let (since, id) = text.split_once('.')?;
    Some(Call { referrer_id: id.parse().ok()?, since_ms: Timestamp(since.parse().ok()?) })
}

async fn rows(
    tx: &mut Tx,
    ids: &[ReferrerId],
    is_about_permission: bool,
    calendar: &Calendar,
    renderer: &Renderer,
) -> Result<Vec<CallRow>, PageProblem> {
    let people = tx.referrers(ids).await?;
    let keys: Vec<_> = people.iter().filter_map(|one| Some(Address::Fax(one.fax.clone()?).key())).collect();
    let known = tx.addresses_known(&keys).await?;
    let by = if is_about_permission { StoppedBy::NoPermission } else { StoppedBy::WrongNumber };
    let stopped = tx.faxes_stopped_last(ids, by, calendar.now.before(AGE_MAX)).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(referrer) = people.iter().find(|one| one.id == *id) else { continue };
        let Some(fax) = &referrer.fax else { continue };
        let why = (!is_about_permission).then(|| why(fax, &known));
        let latest = stopped.iter().find(|one| one.referrer_id == *id);
        let letter = latest.map(|one| (titles::letter(renderer, &one.letter), calendar.moment(one.updated_ms)));
        rows.push(row(referrer, fax, why, letter));
    }
    Ok(rows)
}

fn why(fax: &FaxNumber, known: &[AddressHealth]) -> &'static str {
    let key = Address::Fax(fax.clone()).key();
    wording::wrong_number(known.iter().find(|one| one.value == key).and_then(|one| one.fault))
}

fn row(referrer: &Referrer, fax: &FaxNumber, why: Option<&'static str>, letter: Option<(String, Moment)>) -> CallRow {
    let name = referrer.display_name();
    CallRow {
        id: referrer.id.to_string(),
        link: format!("/referrers/{}", referrer.id),
        organization: referrer.organization.clone().filter(|organization| *organization != name),
        name,
        phone: referrer.phone.as_ref().map(|phone| (phone.clone(), pretty_number(phone))),
        fax: fax.pretty(),
        why,
        letter,
    }
}
