//! Import: the rows of a sheet become referrers. All or none; a repeat updates and never doubles anybody, nobody is merged
//! with another by a shared address alone, and what is not clear is left to a person.

mod apply;
mod keep;
mod roster;
mod suppressions;
pub mod undo;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

pub use roster::Candidate;
pub use suppressions::{SuppressionsReport, import_suppressions};

use super::matching::Facet;
use super::refusals::{self, People};
use super::sheet::{Problem, Sheet, SheetRow};
use super::{Parts, ReferrersError};
use crate::domain::id::{ImportId, ReferrerId};
use crate::domain::{Actor, Timestamp};
use crate::store::Tx;
use apply::{Circumstances, Effect};
use keep::Kept;
use roster::{Meant, Roster};

/// Why a basis ended whose import was undone; the list may bring it again.
const IMPORT_UNDONE: &str = "the import was undone";
/// Longest name of a list, in characters.
const LIST_CHARS_MAX: usize = 100;

/// How a list is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The list's name: its file's, without folders.
    pub list: String,
    /// Show what would happen; store nothing.
    pub dry_run: bool,
    /// Leave out rows that cannot be used, instead of refusing the list.
    pub skip_bad_rows: bool,
    /// What a person said about rows that are not clear, by line.
    pub decisions: BTreeMap<u64, Decision>,
}

/// Who a row means, said by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// That referrer.
    Same(ReferrerId),
    /// Somebody who is not on record yet.
    New,
}

/// A row of which it is not clear whom it means. It is left out until a person says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unclear {
    /// Line of the file.
    pub line: u64,
    /// Name, organization and place of the row.
    pub name: String,
    /// Why it is not clear.
    pub why: &'static str,
    /// Who could be meant.
    pub candidates: Vec<Candidate>,
}

/// What an import did, or in a dry run would do. Rows are counted once each, by their effect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// The import, to undo it; none in a dry run.
    pub import: Option<ImportId>,
    /// Rows that added a referrer.
    pub added: usize,
    /// Rows that changed a known referrer.
    pub updated: usize,
    /// Rows that said nothing new.
    pub unchanged: usize,
    /// Rows that added a further location to a referrer.
    pub locations: usize,
    /// Corrections by hand that the list contradicts: they stand until a person accepts what the list says.
    pub conflicts: usize,
    /// Bases recorded.
    pub bases: usize,
    /// Bases left out, because the same one had ended for another reason than an undone import: an opt-out, a withdrawal
    /// or a mistake.
    pub bases_left_out: usize,
    /// Suppressions recorded, because the list says who refused letters or cannot be reached.
    pub suppressions: usize,
    /// Rows of which it is not clear whom they mean; they were left out.
    pub unclear: Vec<Unclear>,
    /// What was odd or wrong, with the line of the file.
    pub problems: Vec<String>,
    /// Whether anything was stored.
    pub stored: bool,
}

/// Imports a sheet's rows.
///
/// # Errors
/// [`ReferrersError::Invalid`] with every bad row's line and reason, unless those are to be left out; then nothing was
/// imported.
pub async fn import(
    parts: &Parts,
    sheet: &Sheet,
    who: &Actor,
    options: &ImportOptions,
) -> Result<ImportReport, ReferrersError> {
    let rows: Vec<&SheetRow> = sheet.rows.iter().chain(&sheet.refused_refusals).collect();
    refuse_unknown_lines(&rows, options)?;
    let problems: Vec<String> = sheet.problems.iter().map(problem_line).collect();
    refuse_bad_rows(sheet, &problems, options)?;
    let mut report = ImportReport { problems, ..ImportReport::default() };
    let circumstances = Circumstances { list: list_name(&options.list), who: who.clone(), now: parts.clock.now() };
    let mut tx = parts.store.write().await?;
    let mut roster = Roster::load(&mut tx, &rows).await?;
    assign_all(&mut roster, &sheet.rows, options, &mut report);
    let people = people_who_refuse(&roster, sheet, options, &mut report);
    refuse_unresolved(&rows, options, &mut report)?;
    report.suppressions = record_refusals(&mut tx, &rows, &people, &circumstances).await?;
    let kept = keep::keep(&mut tx, &roster, &sheet.rows, &circumstances).await?;
    count(&kept, &mut report);
    if !options.dry_run {
        report.import = Some(keep::record(&mut tx, &kept, report.suppressions, &circumstances).await?);
        tx.commit().await?;
        report.stored = true;
    }
    Ok(report)
}

/// The name of a list as it is kept.
fn list_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(LIST_CHARS_MAX).collect()
}

/// A decision about a line on which no row begins would be passed over in silence.
fn refuse_unknown_lines(rows: &[&SheetRow], options: &ImportOptions) -> Result<(), ReferrersError> {
    let unknown = options.decisions.keys().find(|line| !rows.iter().any(|row| row.line == **line));
    match unknown {
        None => Ok(()),
        Some(line) => Err(ReferrersError::Invalid(format!(
            "--same or --new names line {line}, on which no row begins that can be used; nothing was imported"
        ))),
    }
}

/// Whom the rows mean: those that are kept, and behind them those that are left out and yet say who refuses letters.
fn people_who_refuse(roster: &Roster, sheet: &Sheet, options: &ImportOptions, report: &mut ImportReport) -> People {
    let rows = &sheet.rows;
    let mut people = People::default();
    for person in roster.people.iter().filter(|person| person.is_concerned()) {
        let said = person.rows.iter().filter_map(|place| rows.get(*place)).flat_map(refusals::addresses_of);
        people.add(&person.rows, person.addresses().into_iter().chain(said).collect());
    }
    for (place, row) in (rows.len()..).zip(&sheet.refused_refusals) {
        match roster.meant(row, options.decisions.get(&row.line)) {
            Meant::One(person) => {
                let known = roster.people[person].addresses();
                people.add_left_out(place, known.into_iter().chain(refusals::addresses_of(row)).collect());
            }
            Meant::Unclear(why, candidates) => report.unclear.push(unclear(row, why, candidates)),
            Meant::New | Meant::AddressOnly | Meant::Deleted(_) => {}
        }
    }
    people
}

/// Records what rows say about refusals, also those of which it is not clear whom they mean.
async fn record_refusals(
    tx: &mut Tx,
    rows: &[&SheetRow],
    people: &People,
    circumstances: &Circumstances,
) -> Result<usize, ReferrersError> {
    let Circumstances { list, who, now } = circumstances;
    refusals::record(tx, rows, people, refusals::Source { list, who, now: *now }).await
}

/// A refusal of somebody who is on record must not be lost because it is not clear who is meant: then a person says so first.
fn refuse_unresolved(
    rows: &[&SheetRow],
    options: &ImportOptions,
    report: &mut ImportReport,
) -> Result<(), ReferrersError> {
    let needing: HashSet<u64> = rows.iter().filter(|row| refusals::needs_person(row)).map(|row| row.line).collect();
    let unclear = report.unclear.iter().filter(|one| needing.contains(&one.line));
    let lines: Vec<String> = unclear.map(|one| one.line.to_string()).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let message = format!(
        "it is not clear who refuses letters on line {}: say so with --same LINE=ID, or with --new LINE if they are not on \
         record (--dry-run lists who could be meant)",
        lines.join(", ")
    );
    if options.dry_run {
        report.problems.push(format!("  {message}"));
        return Ok(());
    }
    Err(ReferrersError::Invalid(format!("nothing was imported, because {message}")))
}

fn unclear(row: &SheetRow, why: &'static str, candidates: Vec<Candidate>) -> Unclear {
    let name = apply::newcomer(row, ReferrerId::new(), Timestamp(0)).full_description();
    Unclear { line: row.line, name, why, candidates }
}

fn refuse_bad_rows(sheet: &Sheet, problems: &[String], options: &ImportOptions) -> Result<(), ReferrersError> {
    if options.skip_bad_rows || options.dry_run || !sheet.problems.iter().any(|problem| problem.refuses) {
        return Ok(());
    }
    Err(ReferrersError::Invalid(format!(
        "nothing was imported, because {} of {} rows cannot be used; fix them, or leave them out with --skip-bad-rows:\n{}",
        sheet.refused_count,
        sheet.rows.len() + sheet.refused_count,
        problems.join("\n")
    )))
}

fn problem_line(problem: &Problem) -> String {
    match &problem.column {
        Some(column) => format!("  line {}, column {column}: {}", problem.line, problem.message),
        None => format!("  line {}: {}", problem.line, problem.message),
    }
}

/// Finds out for every row whom it means.
fn assign_all(roster: &mut Roster, rows: &[SheetRow], options: &ImportOptions, report: &mut ImportReport) {
    // Whoever is named in full comes first: an initial may stand for any of them.
    let (in_full, vague): (Vec<_>, Vec<_>) =
        rows.iter().enumerate().partition(|(_, row)| !Facet::of_row(row).is_vague());
    for (place, row) in in_full.into_iter().chain(vague) {
        match roster.meant(row, options.decisions.get(&row.line)) {
            Meant::One(person) => roster.assign(person, place, row),
            Meant::New => roster.add_new(place, row),
            Meant::AddressOnly => roster.only_addresses.push(place),
            Meant::Unclear(why, candidates) => {
                report.unclear.push(unclear(row, why, candidates));
            }
            Meant::Deleted(name) => report.problems.push(format!(
                "  line {0}: {name} was deleted here and was left out; --new {0} adds them again",
                row.line
            )),
        }
    }
}

fn count(kept: &[Kept], report: &mut ImportReport) {
    for effect in kept.iter().flat_map(|one| &one.effects) {
        match effect {
            Effect::Added => report.added += 1,
            Effect::Updated => report.updated += 1,
            Effect::Located => report.locations += 1,
            Effect::Nothing => report.unchanged += 1,
        }
    }
    report.conflicts = kept.iter().map(|one| one.conflicts).sum();
    report.bases = kept.iter().map(|one| one.bases.len()).sum();
    report.bases_left_out = kept.iter().map(|one| one.bases_left_out).sum();
}
