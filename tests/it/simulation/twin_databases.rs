//! Invariant 18: the same history of operations gives the same rows on both databases.

use std::collections::BTreeMap;

use super::history;
use super::house::House;
use super::spy::Spy;
use super::world::World;

/// Histories that are lived on both.
const HISTORIES: u64 = 7;

/// Histories that are lived twice on each.
const REPEATED_ON_SQLITE: u64 = 25;
const REPEATED_ON_POSTGRES: u64 = 5;

/// Every table with its columns as text, in an order that does not depend on what an id happens to be. Left out: what is
/// made of an id (request hashes, the bodies of documents and callbacks and their digests), which must differ.
const TABLES: &[(&str, &str, &str)] = &[
    ("message", "id, touch_id, submission_id, broadcast_id, referrer_id", MESSAGE),
    ("attempt", "id, message_id", ATTEMPT),
    ("touch", "id, referrer_id, submission_id, broadcast_id", TOUCH),
    ("event", "id, message_id, attempt_id", EVENT),
    ("suppression", "id", SUPPRESSION),
    ("broadcast", "id, submission_id", BROADCAST),
    ("inbox", "id", INBOX),
    ("inbox_fact", "inbox_id", INBOX_FACT),
];
const MESSAGE: &str =
    "channel, address, lane, letter, purpose, phi, status, reason, any_hour_ms, confidence, due_ms, give_up_ms,
    tries, dials, pages, created_ms, updated_ms, settled_ms";
const ATTEMPT: &str = "number, provider, status, provider_reference, fault, raw_code, raw_text, pages_confirmed,
    opened_ms, answered_ms, settled_ms, looks, doubt_deadline_ms";
const TOUCH: &str = "kind, letter, title, category, disposition, occurred_ms, delivered_ms, actor";
const EVENT: &str = "kind, source, who, fault, detail, occurred_ms, recorded_ms";
const SUPPRESSION: &str = "channel, address, scope, reason, source, who, created_ms, lifted_ms, lifted_by";
const BROADCAST: &str = "name, letter, total, created_ms, finished_ms";
const INBOX: &str = "provider, form, octets, facts, state, looks, received_ms, settled_ms";
const INBOX_FACT: &str = "provider, dedupe, applied_ms";

/// A row of which the ids stand apart.
type Row = (Vec<String>, String);

/// Everything in the house, table by table, ids replaced by their place among all ids. Ids sort by creation.
fn rows(spy: &mut Spy) -> BTreeMap<&'static str, Vec<String>> {
    let mut tables: BTreeMap<&'static str, Vec<Row>> = BTreeMap::new();
    for (table, ids, columns) in TABLES {
        tables.insert(table, read(spy, table, ids, columns));
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (ids, _) in tables.values().flatten() {
        for id in ids.iter().filter(|id| !id.is_empty()) {
            places.insert(id.clone(), 0);
        }
    }
    for (place, number) in places.values_mut().enumerate() {
        *number = place;
    }
    let named = |(ids, words): Row| {
        let ids: Vec<String> = ids.iter().map(|id| places.get(id).map_or("-".to_owned(), usize::to_string)).collect();
        format!("{} | {words}", ids.join(" "))
    };
    tables
        .into_iter()
        .map(|(table, rows)| {
            let mut rows: Vec<String> = rows.into_iter().map(named).collect();
            rows.sort();
            (table, rows)
        })
        .collect()
}

fn read(spy: &mut Spy, table: &str, ids: &str, columns: &str) -> Vec<Row> {
    let text = |list: &str, hex: bool| {
        let shown = |column: &str| {
            let column = column.trim();
            let value = if hex { spy.hex(column) } else { format!("CAST({column} AS TEXT)") };
            format!("COALESCE({value}, '')")
        };
        list.split(',').map(shown).collect::<Vec<_>>().join(" || '|' || ")
    };
    let sql = format!("SELECT {}, {} FROM {table}", text(ids, true), text(columns, false));
    let rows: Vec<(String, String)> = spy.rows(&sql);
    rows.into_iter().map(|(ids, words)| (ids.split('|').map(str::to_owned).collect(), words)).collect()
}

/// The first difference between two houses.
fn difference(one: &mut Spy, other: &mut Spy) -> Option<String> {
    let (one, other) = (rows(one), rows(other));
    for (table, rows) in &one {
        let others = &other[table];
        let differs = rows.iter().zip(others).find(|(a, b)| a != b);
        if let Some((a, b)) = differs {
            return Some(format!("{table}:\n  {a}\n  {b}"));
        }
        if rows.len() != others.len() {
            return Some(format!("{table}: {} rows and {}", rows.len(), others.len()));
        }
    }
    None
}

/// Lives a history; its failures are the business of other tests.
fn live(house: &mut House, seed: u64) -> String {
    let mut world = World::new(house, seed, None);
    let _ = history::live(&mut world);
    world.story()
}

#[test]
fn the_same_history_gives_the_same_rows_on_both_databases() {
    let (mut sqlite, Some(mut postgres)) = (House::sqlite(), House::postgres()) else { return };
    for seed in 1000..1000 + HISTORIES {
        live(&mut sqlite, seed);
        let story = live(&mut postgres, seed);
        if let Some(words) = difference(&mut sqlite.spy, &mut postgres.spy) {
            panic!("seed {seed}: {words}\n{story}");
        }
    }
}

/// Else a seed that fails on a busy machine passes on an idle one, and shows nothing.
#[test]
fn a_history_is_a_function_of_its_seed_alone() {
    for mut house in [Some(House::sqlite()), House::postgres()].into_iter().flatten() {
        let seeds = if house.is_sqlite() { 0..REPEATED_ON_SQLITE } else { 0..REPEATED_ON_POSTGRES };
        for seed in seeds {
            let [once, again] = [(); 2].map(|()| {
                let mut world = World::new(&mut house, seed, None);
                let _ = history::live(&mut world);
                world.trace().to_vec()
            });
            assert_eq!(once, again, "seed {seed} on {}", house.engine());
        }
    }
}

#[test]
fn the_checker_for_both_databases_catches_a_row_that_differs() {
    let (mut one, mut other) = (House::sqlite(), House::sqlite());
    live(&mut one, 1000);
    live(&mut other, 1000);
    assert_eq!(difference(&mut one.spy, &mut other.spy), None, "the same history, the same rows");
    assert!(other.spy.tamper("UPDATE event SET who = 'somebody else'") > 0);
    assert!(difference(&mut one.spy, &mut other.spy).is_some());
}
