//! `/referrers/new`, `/referrers/imports`, `/referrers/differences` and a referrer's merge, deletion and locations: who is
//! who, settled by a person.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::message::sentence;
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::moment::Moment;
use crate::domain::address::pretty_number;
use crate::domain::conflict::{Choice, Conflict};
use crate::domain::id::{ConflictId, ImportId, LocationId, MergeId, ReferrerId};
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Referrer, ReferrerType};
use crate::referrers::import::undo::{self, ToldImport};
use crate::referrers::{self, ReferrersError, audience, conflicts, fields, locations, merge, remove};
use crate::store::records::imports::ListImport;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Longest text of a field, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// The fields of the forms, in their order, with the form's name for each.
const FORM_FIELDS: [RecordField; 15] = [
    RecordField::FirstName,
    RecordField::LastName,
    RecordField::Credentials,
    RecordField::Organization,
    RecordField::Kind,
    RecordField::Fax,
    RecordField::Email,
    RecordField::Phone,
    RecordField::Street,
    RecordField::City,
    RecordField::Region,
    RecordField::PostalCode,
    RecordField::TimeZone,
    RecordField::Npi,
    RecordField::Notes,
];

/// Reads the fields that a form holds. One that it does not hold stays as it is.
///
/// # Errors
/// 422 with the field and what is wrong with it.
pub(super) fn fill(posted: &Fields, referrer: &mut Referrer) -> Result<(), PageProblem> {
    for field in FORM_FIELDS {
        if !posted.has(field.as_str()) {
            continue;
        }
        let said = posted.optional_line(field.as_str(), field.label(), TEXT_CHARS_MAX)?.unwrap_or_default();
        fields::set(referrer, field, &said)
            .map_err(|why| refused_field(field.as_str(), sentence(&format!("{}: {why}", field.label()))))?;
    }
    Ok(())
}

/// What may be chosen as a kind of referrer.
pub(super) fn kinds(chosen: ReferrerType) -> Vec<(&'static str, String, bool)> {
    ReferrerType::ALL.iter().map(|kind| (kind.as_str(), wording::referrer_type(*kind), *kind == chosen)).collect()
}

#[derive(Template)]
#[template(path = "referrers_new.html")]
struct NewPage {
    frame: Frame,
    kinds: Vec<(&'static str, String, bool)>,
}

/// `GET /referrers/new`.
pub async fn new(State(state): State<WebState>, operator: Operator, Query(asked): Query<Asked>) -> Response {
    let frame = Frame::new(&state, &operator, Section::Referrers, "Add a referrer", &asked);
    frame::show(&NewPage { frame, kinds: kinds(ReferrerType::Other) })
}

/// `POST /referrers/new`.
pub async fn add(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let is_another = posted.fields.optional("another").is_some();
    let mut tried = Referrer::new(ReferrerType::Other, state.gateway.clock.now());
    fill(&posted.fields, &mut tried)?;
    let apply = |referrer: &mut Referrer| drop(fill(&posted.fields, referrer));
    let added = referrers::add(&state.gateway.referrers(), &posted.operator.actor, is_another, apply).await;
    let added = added.map_err(in_words)?;
    Ok(then_show(&Done::ReferrerAdded.at(&format!("/referrers/{}", added.id))))
}

fn in_words(error: ReferrersError) -> PageProblem {
    match error {
        ReferrersError::Known(who) => {
            let words = format!("{who}; change that one, or check \u{201c}This is not someone already listed\u{201d}");
            refused_field("another", sentence(&words))
        }
        ReferrersError::Invalid(why) => refused(sentence(&why)),
        other => other.into(),
    }
}

/// `POST /referrers/{id}/delete`.
pub async fn delete(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let why = posted.fields.line("why", "the reason", 200)?;
    remove::remove(&state.gateway.referrers(), id, &why, &posted.operator.actor).await?;
    Ok(then_show(&Done::ReferrerDeleted.at("/referrers")))
}

/// `POST /referrers/{id}/merge`: another record of the same person is merged into this one.
pub async fn merge(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let other = posted.fields.line("other", "the other record", 200)?;
    let other = other.rsplit('/').next().unwrap_or(&other).to_owned();
    let mut tx = state.gateway.store.read().await?;
    let other = audience::one(&mut tx, &other).await.map_err(about_other)?;
    drop(tx);
    merge::merge(&state.gateway.referrers(), id, other.id, &posted.operator.actor).await.map_err(about_other)?;
    Ok(then_show(&Done::Merged.at(&format!("/referrers/{id}"))))
}

/// What is wrong with the other record.
fn about_other(error: ReferrersError) -> PageProblem {
    match error {
        ReferrersError::NotFound(why) | ReferrersError::Invalid(why) => refused_field("other", sentence(&why)),
        other => in_words(other),
    }
}

/// `POST /referrers/{id}/merges/{merge}/undo`.
pub async fn undo_merge(
    State(state): State<WebState>,
    Path((id, merged)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let merged: MergeId = merged.parse().map_err(|_| nowhere())?;
    let known = state.gateway.store.read().await?.merge(merged).await?;
    known.filter(|merge| merge.kept == id).ok_or_else(nowhere)?;
    merge::undo_merge(&state.gateway.referrers(), merged, &posted.operator.actor).await.map_err(in_words)?;
    Ok(then_show(&Done::MergeUndone.at(&format!("/referrers/{id}"))))
}

/// `POST /referrers/{id}/locations/{location}`: letters go there from now on.
pub async fn prefer(
    State(state): State<WebState>,
    Path((id, location)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let location: LocationId = location.parse().map_err(|_| nowhere())?;
    locations::prefer(&state.gateway.referrers(), id, location, &posted.operator.actor).await?;
    Ok(then_show(&Done::LocationPreferred.at(&format!("/referrers/{id}"))))
}

/// One import.
struct ImportRow {
    id: ImportId,
    at: Moment,
    list: String,
    who: String,
    what: String,
    undone: Option<Moment>,
}

#[derive(Template)]
#[template(path = "referrers_imports.html")]
struct ImportsPage {
    frame: Frame,
    rows: Vec<ImportRow>,
}

/// `GET /referrers/imports`.
pub async fn imports(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let imports = undo::imports_told(&state.gateway.referrers()).await?;
    let rows = imports
        .into_iter()
        .map(|ToldImport { import: one, brought }| ImportRow {
            id: one.id,
            at: calendar.moment(one.created_ms),
            who: one.who.name().to_owned(),
            what: what_it_brought(&one, &brought),
            undone: one.undone_ms.map(|at| calendar.moment(at)),
            list: named(&one.list),
        })
        .collect();
    let frame = Frame::new(&state, &operator, Section::Referrers, "Imported lists", &asked);
    Ok(frame::show(&ImportsPage { frame, rows }))
}

/// A list by its name; a program may have given it none.
fn named(list: &str) -> String {
    if list.is_empty() { "a list without a name".to_owned() } else { list.to_owned() }
}

/// What an import changed, as its entry in the audit trail says; of one without an entry only the people.
fn what_it_brought(import: &ListImport, brought: &[(i64, String)]) -> String {
    if brought.is_empty() {
        return format!("{} new, {} updated", wording::grouped(import.added), wording::grouped(import.updated));
    }
    let told: Vec<String> =
        brought.iter().map(|(count, what)| format!("{} {what}", wording::grouped(*count))).collect();
    told.join(", ")
}

/// `POST /referrers/imports/{id}/undo`.
pub async fn undo_import(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ImportId = id.parse().map_err(|_| nowhere())?;
    undo::undo_import(&state.gateway.referrers(), id, &posted.operator.actor).await.map_err(in_words)?;
    Ok(then_show(&Done::ImportUndone.at("/referrers/imports")))
}

/// One difference.
struct ConflictRow {
    id: ConflictId,
    name: String,
    link: String,
    field: &'static str,
    kept: String,
    offered: String,
    list: String,
    since: Moment,
}

#[derive(Template)]
#[template(path = "referrers_differences.html")]
struct ConflictsPage {
    frame: Frame,
    rows: Vec<ConflictRow>,
}

/// `GET /referrers/differences`: where a list says something else than a correction by hand.
pub async fn differences(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let open = conflicts::open(&state.gateway.referrers()).await?;
    let ids: Vec<ReferrerId> = open.iter().map(|one| one.referrer_id).collect();
    let people = state.gateway.store.read().await?.referrers(&ids).await?;
    let name =
        |id: ReferrerId| people.iter().find(|one| one.id == id).map(Referrer::full_description).unwrap_or_default();
    let rows = open
        .iter()
        .map(|one| ConflictRow {
            id: one.id,
            name: name(one.referrer_id),
            link: format!("/referrers/{}", one.referrer_id),
            field: one.field.label(),
            kept: one.kept.as_deref().map_or_else(|| "(empty)".to_owned(), |text| shown(one, text)),
            offered: shown(one, &one.offered),
            list: named(&one.list),
            since: calendar.moment(one.created_ms),
        })
        .collect();
    let title = "Lists that differ from corrections";
    Ok(frame::show(&ConflictsPage { frame: Frame::new(&state, &operator, Section::Referrers, title, &asked), rows }))
}

fn shown(conflict: &Conflict, text: &str) -> String {
    match conflict.field {
        RecordField::Fax | RecordField::Phone => pretty_number(text),
        RecordField::Kind => {
            text.parse::<ReferrerType>().map(wording::referrer_type).unwrap_or_else(|_| text.to_owned())
        }
        _ => text.to_owned(),
    }
}

/// `POST /referrers/differences/{id}`: the correction stays, or the list's value replaces it.
pub async fn settle(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ConflictId = id.parse().map_err(|_| nowhere())?;
    let choice: Choice = posted.fields.word("choice", "keep or accept")?;
    conflicts::settle(&state.gateway.referrers(), id, choice, &posted.operator.actor).await.map_err(in_words)?;
    Ok(then_show(&Done::ConflictSettled.at("/referrers/differences")))
}
