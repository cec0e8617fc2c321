//! `/suppressions`: who refused what, since when, and who wrote it down. Addresses are masked here; a referrer's own
//! page shows them whole.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::message::sentence;
use super::notice::{Asked, Done};
use super::pager::Pager;
use super::query::Query;
use super::view::history::{RefusalRow, refusal_row};
use super::view::moment::Moment;
use crate::consent::{self, ConsentError, Refusal};
use crate::domain::Address;
use crate::domain::AddressKey;
use crate::domain::id::SuppressionId;
use crate::domain::suppression::SuppressionReason;
use crate::domain::suppression::SuppressionSource;
use crate::domain::suppression::{Scope, Suppression};
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;

/// Refusals in the list.
const SHOWN_MAX: i64 = 500;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    ended: Option<String>,
    page: Option<String>,
}

/// One refusal.
struct Row {
    refusal: RefusalRow,
    masked: String,
    people: Vec<(String, String)>,
    ended: Option<(Moment, String, String)>,
}

#[derive(Template)]
#[template(path = "suppressions.html")]
struct Page {
    frame: Frame,
    title: &'static str,
    rows: Vec<Row>,
    with_ended: bool,
    is_cut: bool,
    pager: Pager,
}

/// `GET /suppressions`, and `GET /suppressions?ended=1` with those that have ended.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let with_ended = wanted.ended.is_some();
    let mut tx = state.gateway.store.read().await?;
    let list = tx.suppressions_list(with_ended, SHOWN_MAX).await?;
    let is_cut = i64::try_from(list.len()).unwrap_or(i64::MAX) == SHOWN_MAX;
    let link = if with_ended { "/suppressions?ended=1" } else { "/suppressions" };
    let (list, pager) = Pager::cut(list, wanted.page.as_deref(), link)?;
    let people = people(&mut tx, &list).await?;
    let rows: Vec<Row> = list
        .iter()
        .map(|one| Row {
            refusal: refusal_row(one, &calendar),
            masked: one.address.masked(),
            people: people.get(&one.address).cloned().unwrap_or_default(),
            ended: one.lifted_ms.map(|at| {
                let by = one.lifted_by.as_ref().map_or_else(String::new, |by| by.name().to_owned());
                (calendar.moment(at), by, one.lifted_reason.clone().unwrap_or_default())
            }),
        })
        .collect();
    let title = if with_ended { "Suppressions, with those that have ended" } else { "Suppressions in effect" };
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Suppressions, title, &asked),
        title,
        is_cut,
        rows,
        with_ended,
        pager,
    };
    Ok(frame::show(&page))
}

/// By address: the referrers who have it, as name and link.
async fn people(tx: &mut Tx, list: &[Suppression]) -> Result<BTreeMap<AddressKey, Vec<(String, String)>>, StoreError> {
    let mut people = BTreeMap::new();
    for one in list {
        let found = match one.address.address() {
            Some(Address::Fax(number)) => tx.referrers_like(None, None, Some(&number)).await?,
            Some(Address::Email(mailbox)) => tx.referrers_like(None, Some(&mailbox), None).await?,
            None => Vec::new(),
        };
        let named = found.iter().map(|one| (one.display_name(), format!("/referrers/{}", one.id))).collect();
        people.insert(one.address.clone(), named);
    }
    Ok(people)
}

/// `POST /suppressions`: someone called or wrote to opt out.
pub async fn add(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let text = posted.fields.line("address", "the fax number or email address", 254)?;
    let address = Address::guess(&text).map_err(|error| refused_field("address", sentence(&error.to_string())))?;
    let refusal = Refusal {
        address,
        scope: posted.fields.word::<Scope>("scope", "what they opted out of")?,
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Operator,
        evidence: posted.fields.optional_line("evidence", "how they asked", 500)?,
        who: posted.operator.actor.clone(),
        because: None,
        expires_ms: None,
    };
    consent::suppress(&state.gateway.consent(), &refusal).await?;
    Ok(then_show(&Done::Suppressed.at("/suppressions")))
}

/// `POST /suppressions/{id}/lift`: ends a refusal, with the reason why it may end.
pub async fn lift(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: SuppressionId = id.parse().map_err(|_| nowhere())?;
    let why = posted.fields.line("why", "the reason", 200)?;
    match consent::lift(&state.gateway.consent(), id, &posted.operator.actor, &why).await {
        Ok(()) => Ok(then_show(&Done::Lifted.at("/suppressions"))),
        Err(ConsentError::NotFound(_)) => Ok(then_show(&Done::NotPossible.at("/suppressions"))),
        Err(error) => Err(error.into()),
    }
}
