//! `/calls/permission` and `/calls/number`: whom to telephone, what to ask, and a button for each answer. The pages print
//! as lists to take to the telephone.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::message::{permission as basis_of_permission, sentence};
use super::notice::{Asked, Done};
use super::pager::PER_PAGE;
use super::query::Query;
use super::view::moment::{Calendar, Moment};
use crate::consent::{self, Refusal};
use crate::domain::address::pretty_number;
use crate::domain::health::AddressHealth;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, FaxNumber, Purpose};
use crate::operator::{self, Act, OperatorError, addresses};
use crate::referrers;
use crate::store::Tx;
use crate::store::views::calls::StoppedFax;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// The two sheets.
const PERMISSION: &str = "/calls/permission";
const NUMBER: &str = "/calls/number";

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    after: Option<String>,
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
    permissions: i64,
    numbers: i64,
    rows: Vec<CallRow>,
    next: Option<String>,
    is_first_page: bool,
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
    let after = match &wanted.after {
        Some(id) => id.parse().map_err(|_| nowhere())?,
        None => ReferrerId(Uuid::nil()),
    };
    let only = state.intake.permission_only;
    let limit = i64::try_from(PER_PAGE + 1).unwrap_or(i64::MAX);
    let mut tx = state.gateway.store.read().await?;
    let mut ids = if is_about_permission {
        tx.calls_for_permission(after, only, limit).await?
    } else {
        tx.calls_for_number(after, limit).await?
    };
    let has_more = ids.len() > PER_PAGE;
    ids.truncate(PER_PAGE);
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
        permissions,
        numbers,
        next: ids.last().filter(|_| has_more).map(|last| format!("{sheet}?after={last}")),
        rows: rows(&mut tx, &ids, is_about_permission, &calendar).await?,
        is_first_page: wanted.after.is_none(),
    };
    Ok(frame::show(&page))
}

async fn rows(
    tx: &mut Tx,
    ids: &[ReferrerId],
    is_about_permission: bool,
    calendar: &Calendar,
) -> Result<Vec<CallRow>, PageProblem> {
    let people = tx.referrers(ids).await?;
    let keys: Vec<_> = people.iter().filter_map(|one| Some(Address::Fax(one.fax.clone()?).key())).collect();
    let known = tx.addresses_known(&keys).await?;
    let stopped = tx.faxes_stopped_last(ids).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(referrer) = people.iter().find(|one| one.id == *id) else { continue };
        let Some(fax) = &referrer.fax else { continue };
        let why = (!is_about_permission).then(|| why(fax, &known));
        let latest = stopped.iter().find(|one| one.referrer_id == *id);
        rows.push(row(referrer, fax, why, latest, calendar));
    }
    Ok(rows)
}

fn why(fax: &FaxNumber, known: &[AddressHealth]) -> &'static str {
    let key = Address::Fax(fax.clone()).key();
    wording::wrong_number(known.iter().find(|one| one.value == key).and_then(|one| one.fault))
}

fn row(
    referrer: &Referrer,
    fax: &FaxNumber,
    why: Option<&'static str>,
    latest: Option<&StoppedFax>,
    calendar: &Calendar,
) -> CallRow {
    let name = referrer.display_name();
    CallRow {
        id: referrer.id.to_string(),
        link: format!("/referrers/{}", referrer.id),
        organization: referrer.organization.clone().filter(|organization| *organization != name),
        name,
        phone: referrer.phone.as_ref().map(|phone| (phone.clone(), pretty_number(phone))),
        fax: fax.pretty(),
        why,
        letter: latest.map(|one| (wording::letter(&one.letter), calendar.moment(one.updated_ms))),
    }
}

/// `POST /calls/permission/{id}`: they agreed, or declined.
pub async fn answer_permission(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let referrer = referrer(&state, &id).await?;
    let number = referrer.fax.clone().ok_or_else(|| refused("They have no fax number any more."))?;
    let spoken = posted.fields.optional_line("who", "who you spoke with", 100)?;
    let who = &posted.operator.actor;
    let done = match posted.fields.text("answer") {
        "agreed" => {
            permit(&state, &number, wording::given_by_telephone(spoken.as_deref()), who).await?;
            send_again(&state, referrer.id, who).await?;
            Done::CallAgreed
        }
        "declined" => {
            let refusal = Refusal {
                address: Address::Fax(number),
                scope: Scope::Advertisement,
                reason: SuppressionReason::OptOut,
                source: SuppressionSource::Operator,
                evidence: Some(wording::declined_by_telephone(spoken.as_deref())),
                who: who.clone(),
            };
            consent::suppress(&state.gateway.consent(), &refusal).await?;
            Done::CallDeclined
        }
        _ => return Err(refused_field("answer", "Please use the buttons on the page.")),
    };
    Ok(then_show(&done.at(sheet_of(&posted.fields, PERMISSION))))
}

/// `POST /calls/number/{id}`: the number is right as it is, or it is another one.
pub async fn answer_number(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let referrer = referrer(&state, &id).await?;
    let who = &posted.operator.actor;
    let done = match posted.fields.text("answer") {
        "right" => {
            let number = referrer.fax.clone().ok_or_else(|| refused("They have no fax number any more."))?;
            match addresses::revive(&state.gateway.operator(), &Address::Fax(number), who).await {
                Ok(()) | Err(OperatorError::WrongState(_)) => {}
                Err(error) => return Err(error.into()),
            }
            Done::CallNumberRight
        }
        "corrected" => {
            let text = posted.fields.line("number", "the right fax number", 64)?;
            let number =
                FaxNumber::parse(&text).map_err(|error| refused_field("number", sentence(&error.to_string())))?;
            if posted.fields.text("permission") == "yes" {
                permit(&state, &number, wording::given_by_telephone(None), who).await?;
            }
            referrers::edit(&state.gateway.referrers(), referrer.id, who, |one| one.fax = Some(number)).await?;
            Done::CallNumberCorrected
        }
        _ => return Err(refused_field("answer", "Please use the buttons on the page.")),
    };
    send_again(&state, referrer.id, who).await?;
    Ok(then_show(&done.at(sheet_of(&posted.fields, NUMBER))))
}

async fn referrer(state: &WebState, id: &str) -> Result<Referrer, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let found = state.gateway.store.read().await?.referrer(id).await?;
    found.filter(|one| one.removed_ms.is_none()).ok_or_else(nowhere)
}

async fn permit(state: &WebState, number: &FaxNumber, how: String, who: &Actor) -> Result<(), PageProblem> {
    let basis = basis_of_permission(number, how, who, &frame::calendar(state));
    Ok(consent::add_basis(&state.gateway.consent(), &basis, who).await?)
}

/// Sends again what waited for the answer: every letter about a patient, and of the others the latest only, because the
/// earlier ones are out of date.
async fn send_again(state: &WebState, referrer: ReferrerId, who: &Actor) -> Result<(), PageProblem> {
    let stopped = state.gateway.store.read().await?.faxes_stopped(referrer).await?;
    let latest = stopped.iter().find(|one| one.purpose != Purpose::Treatment).map(|one| one.id);
    for one in stopped.iter().filter(|one| one.purpose == Purpose::Treatment || Some(one.id) == latest) {
        let done = operator::act(&state.gateway.operator(), one.id, Act::Retry, who).await;
        if let Err(OperatorError::Store(error)) = done {
            return Err(error.into());
        }
    }
    Ok(())
}

/// The page of the sheet on which the answer was given.
fn sheet_of<'a>(fields: &'a Fields, sheet: &'a str) -> &'a str {
    let page = fields.text("page");
    let is_ours = page.strip_prefix(sheet).and_then(|rest| rest.strip_prefix("?after="));
    if is_ours.is_some_and(|id| id.parse::<Uuid>().is_ok()) { page } else { sheet }
}
