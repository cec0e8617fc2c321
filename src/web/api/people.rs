//! Referrers: search, add, correct, delete, merge, and differences between corrections and lists.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{JsonBody, cut_to_page, limit, query, unreadable_cursor};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::Timestamp;
use crate::domain::conflict::Choice;
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use crate::public::ReferrerView;
use crate::public::people::{ConflictList, ConflictView, MergeOutcome, ReferrerList, RemovedView};
use crate::referrers::{self, conflicts, fields, merge, remove};
use crate::store::records::referrers::sort_name;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Referrers on a page unless asked otherwise, and at most.
const PAGE_DEFAULT: i64 = 50;
const PAGE_MAX: i64 = 200;
/// Longest search, and longest text of a field, in characters.
const SEARCH_CHARS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 400;
/// Longest reason, in characters.
const WHY_CHARS_MAX: usize = 200;
/// Tags of one referrer.
const TAGS_MAX: usize = 30;

/// Which referrers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    search: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

/// What is said about a referrer. What is left out stays as it is; an empty text erases.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReferrerFields {
    /// National Provider Identifier.
    npi: Option<String>,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
    /// Letters after the name.
    credentials: Option<String>,
    /// Clinic, group or facility.
    organization: Option<String>,
    /// What kind of referrer: a word.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Mailbox.
    email: Option<String>,
    /// Fax number, as people write it.
    fax: Option<String>,
    /// Voice number, as people write it, with its extension.
    phone: Option<String>,
    /// Street and house number.
    street: Option<String>,
    /// Town.
    city: Option<String>,
    /// State or province.
    region: Option<String>,
    /// ZIP or postal code.
    postal_code: Option<String>,
    /// IANA zone name.
    time_zone: Option<String>,
    /// Notes for people; nothing about patients.
    notes: Option<String>,
    /// Contact status: a word.
    #[schema(value_type = Option<String>)]
    state: Option<ReferrerState>,
    /// All labels; replaces those there are.
    tags: Option<Vec<String>>,
    /// For a new referrer: that it is none of those who look alike.
    another: bool,
}

impl ReferrerFields {
    fn apply(&self, referrer: &mut Referrer) -> Result<(), Problem> {
        for (field, said) in [
            (RecordField::Npi, &self.npi),
            (RecordField::FirstName, &self.first_name),
            (RecordField::LastName, &self.last_name),
            (RecordField::Credentials, &self.credentials),
            (RecordField::Organization, &self.organization),
            (RecordField::Kind, &self.kind),
            (RecordField::Email, &self.email),
            (RecordField::Fax, &self.fax),
            (RecordField::Phone, &self.phone),
            (RecordField::Street, &self.street),
            (RecordField::City, &self.city),
            (RecordField::Region, &self.region),
            (RecordField::PostalCode, &self.postal_code),
            (RecordField::TimeZone, &self.time_zone),
            (RecordField::Notes, &self.notes),
        ] {
            let Some(said) = said else { continue };
            let refuse = |why: String| Problem::field(Kind::Invalid, field.as_str(), why);
            if said.chars().count() > TEXT_CHARS_MAX {
                return Err(refuse(format!("at most {TEXT_CHARS_MAX} characters")));
            }
            if said.chars().any(|c| c.is_control() && c != '\n') {
                return Err(refuse("write it without control characters".to_owned()));
            }
            fields::set(referrer, field, said).map_err(refuse)?;
        }
        referrer.state = self.state.unwrap_or(referrer.state);
        if let Some(tags) = &self.tags {
            let mut tags: Vec<String> =
                tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
            tags.sort_unstable();
            tags.dedup();
            if tags.len() > TAGS_MAX
                || tags.iter().any(|tag| tag.chars().count() > 60 || tag.chars().any(char::is_control))
            {
                return Err(Problem::field(Kind::Invalid, "tags", "at most 30 tags, each of at most 60 characters"));
            }
            referrer.tags = tags;
        }
        Ok(())
    }
}

/// Referrers by name, or those that a search finds: words of name, organization or town without regard to accents, a
/// number in any form, an email address or an NPI.
#[utoipa::path(
    get,
    operation_id = "list_referrers",
    path = "/api/v1/referrers",
    tag = "referrers",
    params(
        ("search" = Option<String>, Query, description = "What to look for", max_length = 100),
        ("limit" = Option<i64>, Query, description = "Referrers on the page, 1 to 200; 50 by default",
            minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = ReferrerList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 422, description = "The query cannot be read", body = ProblemView),
    )
)]
pub(super) async fn list(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<ReferrerList>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted = query(wanted, "search, limit (1 to 200) and after (`next` of the page before)")?;
    let limit = limit(wanted.limit, PAGE_DEFAULT, PAGE_MAX)?;
    let search = wanted.search;
    if search.as_deref().is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        let words = format!("at most {SEARCH_CHARS_MAX} characters");
        return Err(Problem::field(Kind::Invalid, "search", words));
    }
    let mut tx = state.gateway.store.read().await?;
    let after = match wanted.after.as_deref() {
        None => None,
        Some(id) => {
            let id = id.parse().map_err(|_| unreadable_cursor())?;
            Some(tx.referrer(id).await?.ok_or_else(unreadable_cursor)?)
        }
    };
    let name = after.as_ref().map(sort_name);
    let cursor = name.as_deref().zip(after.as_ref().map(|last| last.id));
    let search = search.as_deref().filter(|text| !text.trim().is_empty());
    let mut found = tx.referrers_page(search, cursor, limit + 1).await?;
    let has_more = cut_to_page(&mut found, limit);
    let whole = bearer.may(Scope::Operate);
    Ok(Json(ReferrerList {
        next: found.last().filter(|_| has_more).map(|last| last.id.to_string()),
        referrers: found.iter().map(|one| ReferrerView::of(one, whole)).collect(),
    }))
}

/// One referrer with all places where they work.
#[utoipa::path(
    get,
    operation_id = "show_referrer",
    path = "/api/v1/referrers/{id}",
    tag = "referrers",
    params(("id" = String, Path, description = "The referrer's id", format = Uuid)),
    responses(
        (status = 200, description = "The referrer", body = ReferrerView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such referrer", body = ProblemView),
    )
)]
pub(super) async fn show(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ReferrerView>, Problem> {
    bearer.require(Scope::Read)?;
    let mut tx = state.gateway.store.read().await?;
    let id = id.parse().map_err(|_| missing())?;
    let found = tx.referrer(id).await?.filter(|found| found.removed_ms.is_none()).ok_or_else(missing)?;
    if !bearer.may(Scope::Operate) {
        return Ok(Json(ReferrerView::of(&found, false)));
    }
    Ok(Json(ReferrerView::of(&found, true).with_locations(&tx.locations_of(&[id]).await?)))
}

fn missing() -> Problem {
    Problem::new(Kind::NotFound, "there is no such referrer")
}

/// Adds a referrer. Somebody who looks like a known person is refused unless `another` is true.
#[utoipa::path(
    post,
    operation_id = "add_referrer",
    path = "/api/v1/referrers",
    tag = "referrers",
    request_body = ReferrerFields,
    responses(
        (status = 201, description = "Added", body = ReferrerView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 422, description = "A value is not valid, or they are known", body = ProblemView),
    )
)]
pub(super) async fn add(
    State(state): State<WebState>,
    bearer: Bearer,
    JsonBody(said): JsonBody<ReferrerFields>,
) -> Result<(StatusCode, Json<ReferrerView>), Problem> {
    bearer.require(Scope::Operate)?;
    said.apply(&mut Referrer::new(ReferrerType::Other, Timestamp(0)))?;
    let fill = |referrer: &mut Referrer| drop(said.apply(referrer));
    let added = referrers::add(&state.gateway.referrers(), &bearer.actor(), said.another, fill).await?;
    Ok((StatusCode::CREATED, Json(ReferrerView::of(&added, true))))
}

/// Corrects a referrer. Later lists do not overwrite what is set here.
#[utoipa::path(
    patch,
    operation_id = "edit_referrer",
    path = "/api/v1/referrers/{id}",
    tag = "referrers",
    params(("id" = String, Path, description = "The referrer's id", format = Uuid)),
    request_body = ReferrerFields,
    responses(
        (status = 200, description = "As it is now", body = ReferrerView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such referrer", body = ProblemView),
        (status = 422, description = "A value is not valid", body = ProblemView),
    )
)]
pub(super) async fn edit(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    JsonBody(said): JsonBody<ReferrerFields>,
) -> Result<Json<ReferrerView>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = id.parse().map_err(|_| missing())?;
    // Tried on a copy first, so that a wrong value is refused before anything is written.
    let mut copy = state.gateway.store.read().await?.referrer(id).await?.ok_or_else(missing)?;
    said.apply(&mut copy)?;
    let change = |referrer: &mut Referrer| drop(said.apply(referrer));
    let after = referrers::edit(&state.gateway.referrers(), id, &bearer.actor(), change).await?;
    Ok(Json(ReferrerView::of(&after, true)))
}

/// Why a referrer is deleted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

/// Takes a referrer off all lists. History and refusals are kept, and a later list does not add them again.
#[utoipa::path(
    delete,
    operation_id = "delete_referrer",
    path = "/api/v1/referrers/{id}",
    tag = "referrers",
    params(
        ("id" = String, Path, description = "The referrer's id", format = Uuid),
        ("why" = String, Query, description = "The reason, for the audit trail: not blank", min_length = 1,
            max_length = 200),
    ),
    responses(
        (status = 200, description = "What is kept", body = RemovedView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such referrer", body = ProblemView),
        (status = 422, description = "The reason is missing", body = ProblemView),
    )
)]
pub(super) async fn delete(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    why: Result<Query<Why>, QueryRejection>,
) -> Result<Json<RemovedView>, Problem> {
    bearer.require(Scope::Operate)?;
    let why = query(why, "why (the reason, which is required)")?.why;
    if why.chars().count() > WHY_CHARS_MAX || why.chars().any(char::is_control) {
        let words = format!("one line of at most {WHY_CHARS_MAX} characters");
        return Err(Problem::field(Kind::Invalid, "why", words));
    }
    let id = id.parse().map_err(|_| missing())?;
    let removed = remove::remove(&state.gateway.referrers(), id, &why, &bearer.actor()).await?;
    Ok(Json(RemovedView { touches: removed.touches, refusals: removed.refusals }))
}

/// Whom to merge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeWanted {
    /// The referrer that is merged into the one of the path.
    #[schema(format = Uuid)]
    other: String,
}

/// Merges another referrer into this one: touches are joined, the stricter contact status stands.
#[utoipa::path(
    post,
    operation_id = "merge_referrers",
    path = "/api/v1/referrers/{id}/merge",
    tag = "referrers",
    params(("id" = String, Path, description = "The referrer that stays", format = Uuid)),
    request_body = MergeWanted,
    responses(
        (status = 200, description = "Merged", body = MergeOutcome),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "One of them does not exist", body = ProblemView),
        (status = 422, description = "They cannot be one person", body = ProblemView),
    )
)]
pub(super) async fn merge(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    JsonBody(wanted): JsonBody<MergeWanted>,
) -> Result<Json<MergeOutcome>, Problem> {
    bearer.require(Scope::Operate)?;
    let kept = id.parse().map_err(|_| missing())?;
    let other = wanted.other.parse().map_err(|_| missing())?;
    let merged = merge::merge(&state.gateway.referrers(), kept, other, &bearer.actor()).await?;
    Ok(Json(MergeOutcome {
        merge: merged.merge.0,
        touches: merged.touches,
        referrer: ReferrerView::of(&merged.kept, true),
    }))
}

/// Undoes a merge: both are as before, with their own touches.
#[utoipa::path(
    post,
    path = "/api/v1/merges/{id}/undo",
    tag = "referrers",
    params(("id" = String, Path, description = "The merge's id", format = Uuid)),
    responses(
        (status = 200, description = "Both, as they are now", body = ReferrerList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such merge", body = ProblemView),
        (status = 422, description = "It cannot be undone anymore", body = ProblemView),
    )
)]
pub(super) async fn undo_merge(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ReferrerList>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = id.parse().map_err(|_| Problem::new(Kind::NotFound, "there is no such merge"))?;
    let restored = merge::undo_merge(&state.gateway.referrers(), id, &bearer.actor()).await?;
    let referrers = restored.iter().map(|one| ReferrerView::of(one, true)).collect();
    Ok(Json(ReferrerList { referrers, next: None }))
}

/// Where lists say something else than corrections by hand.
#[utoipa::path(
    get,
    path = "/api/v1/conflicts",
    tag = "referrers",
    responses(
        (status = 200, description = "Those that wait for a person, the oldest first, at most 1,000", body = ConflictList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
    )
)]
pub(super) async fn open_conflicts(
    State(state): State<WebState>,
    bearer: Bearer,
) -> Result<Json<ConflictList>, Problem> {
    bearer.require(Scope::Operate)?;
    let open = conflicts::open(&state.gateway.referrers()).await?;
    Ok(Json(ConflictList { conflicts: open.into_iter().map(ConflictView::from).collect() }))
}

/// Settles a difference: `keep` the correction, or `accept` what the list says.
#[utoipa::path(
    post,
    path = "/api/v1/conflicts/{id}/{choice}",
    tag = "referrers",
    params(
        ("id" = String, Path, description = "The conflict's id", format = Uuid),
        ("choice" = String, Path, description = "`keep` or `accept`"),
    ),
    responses(
        (status = 200, description = "Settled", body = ConflictView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such conflict or choice", body = ProblemView),
        (status = 422, description = "It was settled before", body = ProblemView),
    )
)]
pub(super) async fn settle_conflict(
    State(state): State<WebState>,
    bearer: Bearer,
    Path((id, choice)): Path<(String, String)>,
) -> Result<Json<ConflictView>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = id.parse().map_err(|_| Problem::new(Kind::NotFound, "there is no such conflict"))?;
    let choice: Choice = choice.parse().map_err(|_| Problem::new(Kind::NotFound, "the choices are keep and accept"))?;
    let settled = conflicts::settle(&state.gateway.referrers(), id, choice, &bearer.actor()).await?;
    Ok(Json(ConflictView::from(settled)))
}
