//! Lists of referrers, imports, merges, and differences between corrections and lists.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ReferrerView;
use crate::domain::conflict::Conflict;
use crate::domain::{Actor, Timestamp};
use crate::referrers::import::undo::Undone;
use crate::referrers::import::{ImportReport, Unclear};
use crate::store::records::imports::ListImport;

/// A page of referrers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferrerList {
    /// By name.
    pub referrers: Vec<ReferrerView>,
    /// Give it as `after` for the next page.
    pub next: Option<String>,
}

/// What is kept of a referrer who was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedView {
    /// Touches of their history.
    pub touches: usize,
    /// Refusals of their addresses.
    pub refusals: usize,
}

/// Two referrers who are one now.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergeOutcome {
    /// The merge, to undo it.
    pub merge: Uuid,
    /// Touches that were joined.
    pub touches: usize,
    /// The one that stays.
    pub referrer: ReferrerView,
}

/// What an import did, or would do. Rows are counted once each.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportOutcome {
    /// The import, to undo it; none for a dry run.
    pub import: Option<Uuid>,
    /// Rows that added a referrer.
    pub added: usize,
    /// Rows that changed a known one.
    pub updated: usize,
    /// Rows that said nothing new.
    pub unchanged: usize,
    /// Rows that added a further location.
    pub locations: usize,
    /// Rows that could not be used.
    pub refused: usize,
    /// Corrections by hand that the list contradicts.
    pub conflicts: usize,
    /// Bases recorded.
    pub bases: usize,
    /// Bases left out, because the same one had ended: by an opt-out, a withdrawal or a mistake.
    pub bases_left_out: usize,
    /// Rows of which it is not clear whom they mean.
    pub unclear: Vec<UnclearView>,
    /// What was odd or wrong, by line.
    pub problems: Vec<String>,
    /// Whether anything was stored.
    pub stored: bool,
}

impl ImportOutcome {
    /// `refused`: rows that could not be used.
    #[must_use]
    pub fn of(report: ImportReport, refused: usize) -> Self {
        Self {
            import: report.import.map(|id| id.0),
            added: report.added,
            updated: report.updated,
            unchanged: report.unchanged,
            locations: report.locations,
            refused,
            conflicts: report.conflicts,
            bases: report.bases,
            bases_left_out: report.bases_left_out,
            unclear: report.unclear.into_iter().map(UnclearView::from).collect(),
            problems: report.problems.iter().map(|line| line.trim().to_owned()).collect(),
            stored: report.stored,
        }
    }
}

/// A row of which it is not clear whom it means.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnclearView {
    /// Line of the file.
    pub line: u64,
    /// Name, organization and place.
    pub name: String,
    /// Why.
    pub why: &'static str,
    /// Who could be meant.
    pub candidates: Vec<CandidateView>,
}

/// Somebody who could be meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    /// Identifier.
    pub id: Uuid,
    /// Name, organization and place.
    pub name: String,
}

impl From<Unclear> for UnclearView {
    fn from(unclear: Unclear) -> Self {
        let candidates =
            unclear.candidates.into_iter().map(|one| CandidateView { id: one.id.0, name: one.name }).collect();
        Self { line: unclear.line, name: unclear.name, why: unclear.why, candidates }
    }
}

/// Imports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportList {
    /// The newest first.
    pub imports: Vec<ImportView>,
}

/// One import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// Identifier.
    pub id: Uuid,
    /// The list's name.
    pub list: String,
    /// Who imported it.
    #[schema(value_type = String)]
    pub who: Actor,
    /// Referrers added.
    pub added: i64,
    /// Referrers changed.
    pub updated: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was undone.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub undone_at: Option<Timestamp>,
}

impl From<ListImport> for ImportView {
    fn from(import: ListImport) -> Self {
        Self {
            id: import.id.0,
            list: import.list,
            who: import.who,
            added: import.added,
            updated: import.updated,
            created_at: import.created_ms,
            undone_at: import.undone_ms,
        }
    }
}

/// What undoing an import did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportUndone {
    /// Referrers taken off again.
    pub removed: usize,
    /// Referrers as before.
    pub restored: usize,
    /// Bases ended.
    pub bases_ended: usize,
    /// Referrers left as they are, with the reason.
    pub left: Vec<String>,
}

impl From<Undone> for ImportUndone {
    fn from(undone: Undone) -> Self {
        let Undone { removed, restored, bases_ended, left } = undone;
        Self { removed, restored, bases_ended, left }
    }
}

/// Differences that wait for a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictList {
    /// The oldest first.
    pub conflicts: Vec<ConflictView>,
}

/// A list says something else than a correction by hand.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// Identifier.
    pub id: Uuid,
    /// Whose record.
    pub referrer: Uuid,
    /// Which field: a word.
    pub field: &'static str,
    /// What a person entered; none if it was emptied.
    pub kept: Option<String>,
    /// What the list says.
    pub offered: String,
    /// The list's name.
    pub list: String,
    /// When it was found.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<Conflict> for ConflictView {
    fn from(conflict: Conflict) -> Self {
        Self {
            id: conflict.id.0,
            referrer: conflict.referrer_id.0,
            field: conflict.field.as_str(),
            kept: conflict.kept,
            offered: conflict.offered,
            list: conflict.list,
            created_at: conflict.created_ms,
        }
    }
}
