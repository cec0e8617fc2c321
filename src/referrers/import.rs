//! Import: the rows of a sheet become referrers. All or none; a repeat updates and never duplicates.

use serde::Serialize;

use super::edit::npi_taken;
use super::sheet::{Problem, Sheet, SheetRow};
use super::{Parts, ReferrersError, entered};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Timestamp;
use crate::domain::basis::Basis;
use crate::domain::id::{BasisId, ReferrerId};
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::store::Tx;

/// What an import did, or in a dry run would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Referrers that are new.
    pub added: usize,
    /// Referrers that were known and have changed.
    pub updated: usize,
    /// Referrers that were known and are unchanged.
    pub unchanged: usize,
    /// Bases recorded.
    pub bases: usize,
    /// What was odd or wrong, with the line of the file.
    pub problems: Vec<String>,
    /// Whether anything was stored.
    pub stored: bool,
}

/// Imports a sheet's rows.
///
/// `skip_bad_rows` decides what happens when some rows cannot be used: without it nothing is imported.
///
/// # Errors
/// [`ReferrersError::Invalid`] with every bad row's line and reason; then nothing was imported.
pub async fn import(
    parts: &Parts,
    sheet: &Sheet,
    who: &Actor,
    dry_run: bool,
    skip_bad_rows: bool,
) -> Result<ImportReport, ReferrersError> {
    let words: Vec<String> = sheet.problems.iter().map(problem_line).collect();
    if sheet.problems.iter().any(|problem| problem.refuses) && !skip_bad_rows && !dry_run {
        return Err(ReferrersError::Invalid(format!(
            "nothing was imported, because {} of {} rows cannot be used; fix them, or leave them out with --skip-bad-rows:\n{}",
            sheet.refused_count,
            sheet.rows.len() + sheet.refused_count,
            words.join("\n")
        )));
    }
    let now = parts.clock.now();
    let mut report = ImportReport { problems: words, ..ImportReport::default() };
    let mut tx = parts.store.write().await?;
    for row in &sheet.rows {
        let line = row.line;
        bring_in(&mut tx, row, who, now, &mut report)
            .await
            .map_err(|error| ReferrersError::Invalid(format!("line {line}: {error}; nothing was imported")))?;
    }
    if !dry_run {
        let detail = format!("{} new, {} updated", report.added, report.updated);
        tx.audit(who, AuditAct::ImportReferrers, None, Some(&detail), now).await?;
        tx.commit().await?;
        report.stored = true;
    }
    Ok(report)
}

fn problem_line(problem: &Problem) -> String {
    match &problem.column {
        Some(column) => format!("  line {}, column {column}: {}", problem.line, problem.message),
        None => format!("  line {}: {}", problem.line, problem.message),
    }
}

async fn bring_in(
    tx: &mut Tx,
    row: &SheetRow,
    who: &Actor,
    now: Timestamp,
    report: &mut ImportReport,
) -> Result<(), ReferrersError> {
    let known = same_referrer(tx, row).await?;
    let referrer = merged(row, known.clone(), now);
    match &known {
        None => report.added += 1,
        Some(known) if *known == (Referrer { updated_ms: known.updated_ms, ..referrer.clone() }) => {
            report.unchanged += 1;
        }
        Some(_) => report.updated += 1,
    }
    entered::give_another_chance(tx, known.as_ref(), &referrer, &[], who, now).await?;
    tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    add_basis(tx, row, who, now, report).await
}

/// The referrer a row describes: the same NPI; else the same email; else the same fax and name. Two different NPIs are
/// never the same referrer.
async fn same_referrer(tx: &mut Tx, row: &SheetRow) -> Result<Option<Referrer>, ReferrersError> {
    let candidates = tx.referrers_like(row.npi.as_deref(), row.email.as_ref(), row.fax.as_ref()).await?;
    if let Some(same) = candidates.iter().find(|known| row.npi.is_some() && known.npi == row.npi) {
        return Ok(Some(same.clone()));
    }
    let compatible = |known: &&Referrer| row.npi.is_none() || known.npi.is_none();
    let by_email = |known: &&Referrer| row.email.is_some() && known.email == row.email;
    let by_fax_and_name = |known: &&Referrer| {
        row.fax.is_some() && known.fax == row.fax && name_key(known) == name_key(&merged(row, None, Timestamp(0)))
    };
    let same = candidates
        .iter()
        .filter(compatible)
        .find(by_email)
        .or_else(|| candidates.iter().filter(compatible).find(by_fax_and_name));
    Ok(same.cloned())
}

fn name_key(referrer: &Referrer) -> String {
    referrer.person_name().or_else(|| referrer.organization.clone()).unwrap_or_default().to_lowercase()
}

/// The row merged into what is known. An empty cell never erases; tags are only added; state is never changed.
fn merged(row: &SheetRow, known: Option<Referrer>, now: Timestamp) -> Referrer {
    let mut referrer = known.unwrap_or_else(|| Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: None,
        last_name: None,
        credentials: None,
        organization: None,
        kind: row.kind,
        email: None,
        fax: None,
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: Vec::new(),
        source: None,
        notes: None,
        created_ms: now,
        updated_ms: now,
    });
    let zone = row.time_zone.map(|zone| zone.name().to_owned());
    for (known, said) in [
        (&mut referrer.npi, &row.npi),
        (&mut referrer.first_name, &row.first_name),
        (&mut referrer.last_name, &row.last_name),
        (&mut referrer.credentials, &row.credentials),
        (&mut referrer.organization, &row.organization),
        (&mut referrer.phone, &row.phone),
        (&mut referrer.time_zone, &zone),
        (&mut referrer.source, &row.source),
    ] {
        if said.is_some() {
            known.clone_from(said);
        }
    }
    referrer.email = row.email.clone().or(referrer.email);
    referrer.fax = row.fax.clone().or(referrer.fax);
    if row.kind != crate::domain::referrer::ReferrerType::Other {
        referrer.kind = row.kind;
    }
    referrer.tags.extend(row.tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()));
    referrer.tags.sort_unstable();
    referrer.tags.dedup();
    referrer.updated_ms = now;
    referrer
}

/// Records the row's basis unless the same one is on record, current or ended: an import never lifts an opt-out.
async fn add_basis(
    tx: &mut Tx,
    row: &SheetRow,
    who: &Actor,
    now: Timestamp,
    report: &mut ImportReport,
) -> Result<(), ReferrersError> {
    let (Some(said), Some(fax)) = (&row.basis, &row.fax) else { return Ok(()) };
    let obtained_on = said.date.to_string();
    let on_record = tx.basis_of(fax).await?;
    let same = |basis: &Basis| basis.kind == said.kind && basis.obtained_on == obtained_on;
    if on_record.iter().any(same) {
        return Ok(());
    }
    tx.basis_insert(&Basis {
        id: BasisId::new(),
        fax: fax.clone(),
        kind: said.kind,
        number_source: said.number_source,
        obtained_on,
        how: said.note.clone().unwrap_or_else(|| "imported".to_owned()),
        by_whom: who.name().to_owned(),
        note: row.source.clone(),
        created_ms: now,
        ended_ms: None,
        ended_reason: None,
    })
    .await?;
    report.bases += 1;
    Ok(())
}
