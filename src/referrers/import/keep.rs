//! Storing what an import found: records, locations, conflicts, bases, and what is needed to undo it.

use std::collections::HashMap;

use super::IMPORT_UNDONE;
use super::apply::{self, Circumstances, Effect};
use super::roster::{Person, Roster};
use crate::domain::AuditAct;
use crate::domain::basis::Basis;
use crate::domain::conflict::Conflict;
use crate::domain::id::{BasisId, ImportId, ReferrerId};
use crate::referrers::edit::npi_taken;
use crate::referrers::sheet::{OnRecord, SheetRow};
use crate::referrers::{ReferrersError, entered};
use crate::store::Tx;
use crate::store::records::imports::{Before, ImportChange, ListImport};

/// What was stored for one person, or for rows that only name an address.
#[derive(Debug)]
pub(super) struct Kept {
    /// Whom it concerns, if it is a person.
    referrer: Option<ReferrerId>,
    before: Option<Before>,
    has_changed: bool,
    /// What each row did.
    pub effects: Vec<Effect>,
    /// Conflicts recorded.
    pub conflicts: usize,
    /// Bases recorded.
    pub bases: Vec<BasisId>,
    /// Bases left out, because the same one had ended for another reason than an undone import.
    pub bases_left_out: usize,
}

impl Kept {
    /// Of a row that concerns no person.
    fn nothing(Bases { recorded: bases, left_out: bases_left_out }: Bases) -> Self {
        let effects = vec![Effect::Nothing];
        Self { referrer: None, before: None, has_changed: false, effects, conflicts: 0, bases, bases_left_out }
    }
}

/// What became of the bases of some rows.
#[derive(Debug, Default)]
struct Bases {
    recorded: Vec<BasisId>,
    left_out: usize,
}

/// Stores everything.
pub(super) async fn keep(
    tx: &mut Tx,
    roster: &Roster,
    rows: &[SheetRow],
    circumstances: &Circumstances,
) -> Result<Vec<Kept>, ReferrersError> {
    let known: Vec<ReferrerId> = roster.people.iter().filter(|person| person.is_concerned()).map(Person::id).collect();
    let mut settled: HashMap<ReferrerId, Vec<Conflict>> = HashMap::new();
    for conflict in tx.conflicts_of(&known).await? {
        settled.entry(conflict.referrer_id).or_default().push(conflict);
    }
    let mut kept = Vec::new();
    for person in roster.people.iter().filter(|person| person.is_concerned()) {
        if is_nobody(person, rows) {
            kept.push(Kept::nothing(Bases::default()));
            continue;
        }
        let settled = settled.remove(&person.id()).unwrap_or_default();
        kept.push(keep_person(tx, person, &settled, rows, circumstances).await?);
    }
    for row in roster.only_addresses.iter().filter_map(|place| rows.get(*place)) {
        let mut bases = Bases::default();
        add_basis(tx, row, circumstances, &mut bases).await?;
        kept.push(Kept::nothing(bases));
    }
    Ok(kept)
}

/// Whether the rows only say what is known of an address that nobody has.
fn is_nobody(person: &Person, rows: &[SheetRow]) -> bool {
    let mut said = person.rows.iter().filter_map(|place| rows.get(*place));
    person.before.is_none() && said.all(|row| row.on_record == OnRecord::Nobody)
}

async fn keep_person(
    tx: &mut Tx,
    person: &Person,
    settled: &[Conflict],
    rows: &[SheetRow],
    circumstances: &Circumstances,
) -> Result<Kept, ReferrersError> {
    let mut places = person.rows.clone();
    places.sort_unstable();
    let said: Vec<&SheetRow> = places.iter().filter_map(|place| rows.get(*place)).collect();
    let line = said.first().map_or(0, |row| row.line);
    let in_line = |error: ReferrersError| match error {
        ReferrersError::Invalid(why) => ReferrersError::Invalid(format!("line {line}: {why}; nothing was imported")),
        other => other,
    };
    let changed = apply::apply(person.before.as_ref(), person.id(), settled, &said, circumstances);
    let has_changed = person.before.as_ref().is_none_or(|before| before.referrer != changed.referrer);
    if has_changed {
        // A list that gives a known person another address says that it works; that a stranger has it says nothing.
        // What it calls dead itself, it does not.
        if let Some(before) = person.before.as_ref().filter(|_| said.iter().all(|row| row.dead.is_empty())) {
            let Circumstances { who, now, .. } = circumstances;
            entered::give_another_chance(tx, Some(&before.referrer), &changed.referrer, &[], who, *now).await?;
        }
        let stored = match person.before {
            Some(_) => tx.referrer_put(&changed.referrer).await,
            None => tx.referrer_add(&changed.referrer).await,
        };
        stored.map_err(npi_taken).map_err(in_line)?;
    }
    let known = person.before.as_ref().map_or(&[][..], |before| &before.locations);
    let new_locations: Vec<_> = changed.locations.iter().filter(|location| !known.contains(location)).collect();
    for location in &new_locations {
        tx.location_put(location).await?;
    }
    for conflict in &changed.conflicts {
        tx.conflict_put(conflict).await?;
    }
    let mut bases = Bases::default();
    for row in said {
        add_basis(tx, row, circumstances, &mut bases).await?;
    }
    Ok(Kept {
        referrer: Some(person.id()),
        before: person.before.clone(),
        has_changed: has_changed || !new_locations.is_empty(),
        effects: changed.effects,
        conflicts: changed.conflicts.len(),
        bases: bases.recorded,
        bases_left_out: bases.left_out,
    })
}

/// Records the import itself, and what it did in the audit trail: people, bases for faxing, and refusals.
pub(super) async fn record(
    tx: &mut Tx,
    kept: &[Kept],
    suppressions: usize,
    circumstances: &Circumstances,
) -> Result<ImportId, ReferrersError> {
    let Circumstances { list, who, now } = circumstances;
    let changed = kept.iter().filter(|one| one.has_changed || !one.bases.is_empty());
    let changes: Vec<ImportChange> = changed
        .filter_map(|one| {
            let referrer = one.referrer?;
            Some(ImportChange { referrer, before: one.before.clone(), bases: one.bases.clone() })
        })
        .collect();
    let added = changes.iter().filter(|change| change.before.is_none()).count();
    let import = ListImport {
        id: ImportId::new(),
        list: list.clone(),
        who: who.clone(),
        added: i64::try_from(added).unwrap_or(i64::MAX),
        updated: i64::try_from(changes.len() - added).unwrap_or(i64::MAX),
        created_ms: *now,
        undone_ms: None,
    };
    tx.import_insert(&import).await?;
    tx.import_changes_insert(import.id, &changes).await?;
    let bases = kept.iter().map(|one| one.bases.len()).sum();
    let left_out = kept.iter().map(|one| one.bases_left_out).sum();
    let detail = told(&import, bases, left_out, suppressions);
    tx.audit(who, AuditAct::ImportReferrers, Some(&import.id.to_string()), Some(&detail), *now).await?;
    Ok(import.id)
}

/// An import for the audit trail: what is zero is left out, but for the people.
fn told(import: &ListImport, bases: usize, left_out: usize, suppressions: usize) -> String {
    let list = if import.list.is_empty() { String::new() } else { format!("{}: ", import.list) };
    let mut told = format!("{list}{} new, {} updated", import.added, import.updated);
    let further = [
        (bases, "basis for faxing", "bases for faxing"),
        (left_out, "basis left out because it had ended", "bases left out because they had ended"),
        (suppressions, "opt-out", "opt-outs"),
    ];
    for (count, one, many) in further.into_iter().filter(|(count, ..)| *count > 0) {
        told.push_str(&format!(", {count} {}", if count == 1 { one } else { many }));
    }
    told
}

/// Records the row's basis unless the same one is on record, current or ended: an import never lifts an opt-out. One that
/// ended only because its import was undone is recorded again.
async fn add_basis(
    tx: &mut Tx,
    row: &SheetRow,
    circumstances: &Circumstances,
    bases: &mut Bases,
) -> Result<(), ReferrersError> {
    let (Some(said), Some(fax)) = (&row.basis, &row.fax) else { return Ok(()) };
    let obtained_on = said.date.to_string();
    let on_record = tx.basis_of(fax).await?;
    let mut same = on_record.iter().filter(|basis| basis.kind == said.kind && basis.obtained_on == obtained_on);
    if same.clone().any(|basis| basis.ended_ms.is_none()) {
        return Ok(());
    }
    if same.any(|basis| basis.ended_reason.as_deref() != Some(IMPORT_UNDONE)) {
        bases.left_out += 1;
        return Ok(());
    }
    let id = BasisId::new();
    tx.basis_insert(&Basis {
        id,
        fax: fax.clone(),
        kind: said.kind,
        number_source: said.number_source,
        obtained_on,
        how: said.note.clone().unwrap_or_else(|| "imported".to_owned()),
        by_whom: circumstances.who.name().to_owned(),
        note: row.source.clone(),
        created_ms: circumstances.now,
        ended_ms: None,
        ended_reason: None,
    })
    .await?;
    bases.recorded.push(id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Actor, Timestamp};

    #[test]
    fn the_audit_trail_says_how_many_people_bases_and_refusals_a_list_brought() {
        let import = ListImport {
            id: ImportId::new(),
            list: "north_shore.csv".to_owned(),
            who: Actor::operator("dana"),
            added: 12,
            updated: 3,
            created_ms: Timestamp(0),
            undone_ms: None,
        };
        assert_eq!(told(&import, 5, 0, 1), "north_shore.csv: 12 new, 3 updated, 5 bases for faxing, 1 opt-out");
        assert_eq!(
            told(&import, 1, 2, 0),
            "north_shore.csv: 12 new, 3 updated, 1 basis for faxing, 2 bases left out because they had ended"
        );
        assert_eq!(told(&import, 0, 0, 0), "north_shore.csv: 12 new, 3 updated");
    }
}
