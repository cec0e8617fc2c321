//! Suppression lists of other mail services, imported: the addresses refuse here what they refused there. All or none; no
//! person is added, nothing is lifted, and a repeat changes nothing.

use serde::Serialize;

use super::{ImportOptions, list_name, problem_line, refuse_bad_rows};
use crate::domain::{Actor, AuditAct};
use crate::referrers::refusals::{self, People, Source, addresses_of};
use crate::referrers::sheet::{Sheet, SheetRow};
use crate::referrers::{Parts, ReferrersError};

/// What an import did, or in a dry run would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SuppressionsReport {
    /// Addresses that the list holds something against.
    pub addresses: usize,
    /// Suppressions that are new.
    pub suppressions: usize,
    /// Entries that cannot be read; they were left out.
    pub refused: usize,
    /// What is wrong with entries, or why nothing is held against their addresses, each with its line.
    pub problems: Vec<String>,
    /// Whether anything was stored.
    pub stored: bool,
}

/// Imports what [`crate::referrers::sheet::suppression_list::read`] has read. The decisions of `options` do not matter: a
/// suppression list means nobody in particular.
///
/// # Errors
/// [`ReferrersError::Invalid`] with the lines that cannot be read, unless those are to be left out; then nothing was stored.
pub async fn import_suppressions(
    parts: &Parts,
    sheet: &Sheet,
    who: &Actor,
    options: &ImportOptions,
) -> Result<SuppressionsReport, ReferrersError> {
    let problems: Vec<String> = sheet.problems.iter().map(problem_line).collect();
    refuse_bad_rows(sheet, &problems, options)?;
    let rows = sheet.rows.iter().chain(&sheet.refused_refusals);
    let rows: Vec<&SheetRow> = rows.filter(|row| addresses_of(row).next().is_some()).collect();
    let (list, now) = (list_name(&options.list), parts.clock.now());
    let mut tx = parts.store.write().await?;
    let suppressions = refusals::record(&mut tx, &rows, &People::default(), Source { list: &list, who, now }).await?;
    if !options.dry_run {
        let detail = format!("{list}: {} addresses, {suppressions} new suppressions", rows.len());
        tx.audit(who, AuditAct::ImportSuppressions, None, Some(&detail), now).await?;
        tx.commit().await?;
    }
    let (addresses, refused, stored) = (rows.len(), sheet.refused_count, !options.dry_run);
    Ok(SuppressionsReport { addresses, suppressions, refused, problems, stored })
}
