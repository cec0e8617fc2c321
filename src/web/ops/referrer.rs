//! `/referrers/{id}`: who they are, whether and why they are written to, and everything that ever went out to them.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::form::nowhere;
use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::people;
use super::query::Query;
use super::view::history::{self, AddressRow, TouchRow};
use super::view::moment::{Calendar, Moment};
use super::view::pieces::{Chip, Steps};
use super::view::returns::{self, ReturnLine};
use crate::domain::AddressKey;
use crate::domain::Channel;
use crate::domain::basis::{Basis, BasisKind, NumberSource};
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::message::Message;
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Location, Referrer, ReferrerState};
use crate::domain::returned::ReturnState;
use crate::domain::touch::{Touch, TouchKind};
use crate::referrers::fields;
use crate::store::records::returns::ReturnsOf;
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Touches in the history.
const TOUCHES_SHOWN: i64 = 100;
/// Returns beside the history.
const RETURNS_SHOWN: i64 = 20;

/// A choice of a form.
struct Choosable {
    word: &'static str,
    label: &'static str,
    means: &'static str,
    is_set: bool,
}

/// One basis for faxing.
struct BasisRow {
    id: String,
    /// Where it is ended, below the referrer's page.
    place: String,
    kind: &'static str,
    how: String,
    obtained_on: String,
    by_whom: String,
    note: Option<String>,
    ended: Option<(Moment, String)>,
    suffices: bool,
}

#[derive(Template)]
#[template(path = "referrer.html")]
struct Page {
    frame: Frame,
    id: String,
    name: String,
    organization: Option<String>,
    kind: String,
    state: Chip,
    state_means: &'static str,
    npi: Option<String>,
    phone: Option<String>,
    typed: Vec<(RecordField, String)>,
    kinds: Vec<(&'static str, String, bool)>,
    place: Option<String>,
    locations: Vec<LocationRow>,
    merges: Vec<(String, Moment)>,
    zone: Option<String>,
    tags: Vec<String>,
    notes: Option<String>,
    fax: Option<String>,
    steps: Steps,
    last_referral: Option<Moment>,
    addresses: Vec<AddressRow>,
    /// Whether they are on the call sheet of those to ask for permission, and of wrong fax numbers.
    to_ask: bool,
    has_wrong_number: bool,
    /// What came back for emails to them, newest first.
    returned: Vec<ReturnLine>,
    /// Whether something of it needs a look.
    needs_look: bool,
    /// Until when they are away.
    away: Option<Moment>,
    /// Whether a conversation with them is open.
    is_in_conversation: bool,
    bases: Vec<BasisRow>,
    may_fax_advertisements: bool,
    touches: Vec<TouchRow>,
    is_cut: bool,
    states: Vec<Choosable>,
    touch_kinds: Vec<Choosable>,
    number_sources: Vec<Choosable>,
    today: String,
}

/// `GET /referrers/{id}`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let referrer = tx.referrer(id).await?.filter(|one| one.removed_ms.is_none()).ok_or_else(nowhere)?;
    let history = history_of(&mut tx, id).await?;
    let bases = match &referrer.fax {
        Some(fax) => tx.basis_of(fax).await?,
        None => Vec::new(),
    };
    let back = tx.returns_page(&ReturnsOf { referrer: Some(id), ..ReturnsOf::default() }, None, RETURNS_SHOWN).await?;
    let away = tx.away_among(&[id], calendar.now).await?.first().map(|(_, until)| calendar.moment(*until));
    let permission_only = state.intake.permission_only;
    let name = referrer.display_name();
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Referrers, name.clone(), &asked),
        id: id.to_string(),
        organization: referrer.organization.clone().filter(|organization| *organization != name),
        name,
        kind: wording::referrer_type(referrer.kind),
        state: wording::referrer_state(referrer.state).into(),
        state_means: wording::referrer_state_means(referrer.state),
        npi: referrer.npi.clone(),
        phone: referrer.phone.as_deref().map(crate::domain::address::pretty_number),
        typed: typed(&referrer),
        kinds: people::kinds(referrer.kind),
        place: referrer.place.line(),
        locations: tx.locations_of(&[id]).await?.into_iter().map(location_row).collect(),
        merges: merges(&mut tx, id, &calendar).await?,
        zone: referrer.time_zone.clone(),
        tags: referrer.tags.clone(),
        notes: referrer.notes.clone(),
        fax: referrer.fax.as_ref().map(|fax| fax.pretty()),
        steps: Steps::new(tx.touches_delivered(id).await?),
        last_referral: last_referral(&history, &calendar),
        addresses: addresses(&mut tx, &referrer, &calendar).await?,
        to_ask: tx.is_to_be_asked(id, permission_only).await?,
        has_wrong_number: tx.has_wrong_number(id).await?,
        returned: returns::lines(&mut tx, &back, &state.gateway.renderer, &calendar).await?,
        needs_look: back.iter().any(|row| row.state == ReturnState::Open),
        away,
        is_in_conversation: referrer.state == ReferrerState::ConversationOpen,
        may_fax_advertisements: bases.iter().any(|basis| basis.is_sufficient(permission_only)),
        bases: bases.iter().map(|basis| basis_row(basis, permission_only, &calendar)).collect(),
        is_cut: i64::try_from(history.len()).unwrap_or(i64::MAX) == TOUCHES_SHOWN,
        touches: history::touches(&history, &calendar),
        states: states(referrer.state),
        touch_kinds: touch_kinds(),
        number_sources: number_sources(),
        today: calendar.today().to_string(),
    };
    Ok(frame::show(&page))
}

/// The texts of the form, as a person types them.
fn typed(referrer: &Referrer) -> Vec<(RecordField, String)> {
    let typed = |field: RecordField| {
        let value = fields::value(referrer, field).unwrap_or_default();
        let is_number = matches!(field, RecordField::Fax | RecordField::Phone);
        (field, if is_number { crate::domain::address::pretty_number(&value) } else { value })
    };
    // Notes of several lines would lose their lines in a field of one.
    let fits = |field: &RecordField, text: &str| *field != RecordField::Kind && !text.contains('\n');
    RecordField::ALL.iter().map(|field| typed(*field)).filter(|(field, text)| fits(field, text)).collect()
}

/// Another place where they work.
struct LocationRow {
    id: String,
    organization: Option<String>,
    place: Option<String>,
    reach: Vec<String>,
}

fn location_row(location: Location) -> LocationRow {
    let fax = location.fax.as_ref().map(|fax| format!("Fax {}", fax.pretty()));
    let email = location.email.as_ref().map(|email| email.as_str().to_owned());
    let phone =
        location.phone.as_deref().map(|phone| format!("Phone {}", crate::domain::address::pretty_number(phone)));
    LocationRow {
        id: location.id.to_string(),
        place: location.place.line(),
        organization: location.organization,
        reach: [fax, email, phone].into_iter().flatten().collect(),
    }
}

/// Merges of another record into this one that stand, each with its id and when.
async fn merges(tx: &mut Tx, id: ReferrerId, calendar: &Calendar) -> Result<Vec<(String, Moment)>, StoreError> {
    let merges = tx.merges_of(id).await?;
    let standing = merges.iter().filter(|merge| merge.kept == id && merge.undone_ms.is_none());
    Ok(standing.map(|merge| (merge.id.to_string(), calendar.moment(merge.created_ms))).collect())
}

/// The touches, newest first, each with its messages.
async fn history_of(tx: &mut Tx, id: ReferrerId) -> Result<Vec<(Touch, Vec<Message>)>, StoreError> {
    let touches = tx.touches_of(id, TOUCHES_SHOWN).await?;
    let ids: Vec<TouchId> = touches.iter().map(|touch| touch.id).collect();
    let mut by_touch: BTreeMap<TouchId, Vec<Message>> = BTreeMap::new();
    for message in tx.messages_of_touches(&ids).await? {
        by_touch.entry(message.touch_id).or_default().push(message);
    }
    Ok(touches
        .into_iter()
        .map(|touch| (by_touch.remove(&touch.id).unwrap_or_default(), touch))
        .map(|(m, t)| (t, m))
        .collect())
}

async fn addresses(tx: &mut Tx, referrer: &Referrer, calendar: &Calendar) -> Result<Vec<AddressRow>, StoreError> {
    let keys: Vec<AddressKey> =
        Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).map(|address| address.key()).collect();
    let known = tx.addresses_known(&keys).await?;
    let refusals = tx.suppressions_among(&keys).await?;
    Ok(history::addresses(referrer, &known, &refusals, calendar))
}

fn last_referral(history: &[(Touch, Vec<Message>)], calendar: &Calendar) -> Option<Moment> {
    let referral = history.iter().find(|(touch, _)| touch.kind == TouchKind::ReferralReceived)?;
    Some(calendar.moment(referral.0.occurred_ms))
}

fn basis_row(basis: &Basis, permission_only: bool, calendar: &Calendar) -> BasisRow {
    BasisRow {
        id: basis.id.to_string(),
        place: format!("basis/{}", basis.id),
        kind: match basis.kind {
            BasisKind::Permission => "Permission",
            BasisKind::Ebr => "Business relationship",
        },
        how: basis.how.clone(),
        obtained_on: basis.obtained_on.clone(),
        by_whom: basis.by_whom.clone(),
        note: basis.note.clone(),
        ended: basis.ended_ms.map(|at| {
            let why = basis.ended_reason.as_deref().unwrap_or("no reason given").replace('_', " ");
            (calendar.moment(at), why)
        }),
        suffices: basis.is_sufficient(permission_only),
    }
}

fn states(now: ReferrerState) -> Vec<Choosable> {
    ReferrerState::ALL
        .iter()
        .map(|state| Choosable {
            word: state.as_str(),
            label: wording::referrer_state(*state).1,
            means: wording::referrer_state_means(*state),
            is_set: *state == now,
        })
        .collect()
}

fn touch_kinds() -> Vec<Choosable> {
    TouchKind::ALL
        .iter()
        .filter(|kind| !matches!(kind, TouchKind::Letter | TouchKind::Reply))
        .map(|kind| Choosable {
            word: kind.as_str(),
            label: wording::touch_kind(*kind),
            means: if kind.counts() { "" } else { " (does not count toward the seven)" },
            is_set: false,
        })
        .collect()
}

fn number_sources() -> Vec<Choosable> {
    NumberSource::ALL
        .iter()
        .map(|source| Choosable {
            word: source.as_str(),
            label: match source {
                NumberSource::GivenByRecipient => "They gave it to us",
                NumberSource::RecipientOwnDirectoryAdOrSite => "Their own site, directory entry or advertisement",
                NumberSource::ThirdPartyList => "A list compiled by a third party",
            },
            means: "",
            is_set: false,
        })
        .collect()
}
