//! Every statement of the store is understood by both engines, and every function of the store is tried by this suite.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

use super::sources::{Source, store_sources};
use crate::support::databases::{Database, each_database};

/// Whether a constant is a whole statement: nothing is left open for more to follow.
fn is_whole(sql: &str) -> bool {
    sql.matches('(').count() == sql.matches(')').count() && !sql.ends_with(' ')
}

/// Whether a constant begins a statement; those that do not are parts of others, or no SQL at all. What begins with rows
/// of values has its types from them, and is run on both engines by the functions' own tests.
fn begins_one(sql: &str) -> bool {
    !sql.ends_with(" AS (") && ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| sql.starts_with(verb))
}

/// What the code puts around a fragment, done here with parameters for values.
fn completed(name: &str, source: &Source, skip_locked: &str) -> String {
    let sql = &source.constants[name];
    if let Some(columns) = sql.strip_prefix("INSERT INTO ").and_then(|rest| rest.trim_end().strip_suffix(')')) {
        let count = columns.split_once('(').expect("columns").1.split(',').count();
        let values: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
        let conflict = if source.text.contains("ON CONFLICT DO NOTHING\"") { " ON CONFLICT DO NOTHING" } else { "" };
        return format!("{sql}VALUES ({}){conflict}", values.join(", "));
    }
    match name {
        "CLAIM_PICK" => {
            let [only, order, take] = ["CLAIM_URGENT", "CLAIM_ORDER", "CLAIM_TAKE"].map(|part| &source.constants[part]);
            format!("{sql}{only}{order}{skip_locked}{take}")
        }
        "HEADS" => format!("{sql}$1 AND pool = $2 ORDER BY rank, id LIMIT $3) AS heads_0"),
        "CLAIMED_REFERENCES" => format!("{sql}$1 AND provider_reference IN ($2)"),
        "HASTEN_KIND" => {
            let which = &source.constants["HASTEN_WHICH"];
            format!("{sql}$1{which}$2 AND due_ms > $3 AND subject IN ($4)")
        }
        "SETTLE" => format!("{sql}$1{}$2 WHERE id IN ($3)", source.constants["SETTLED"]),
        "EXTEND" => {
            let (start, which) = (&source.constants["EXTEND"], &source.constants["EXTEND_WHICH"]);
            format!("{start}$1{which}$2 AND id IN ($3, $4){skip_locked})")
        }
        "PROMOTE" | "REAP" | "HASTEN_NUMBER" => format!("{sql}{skip_locked})"),
        "TURNS" => format!("{sql}VALUES ($1, $2)) ORDER BY provider, domain"),
        "PART" => format!("{sql}$1 WHERE id IN ($2)"),
        "WINDOWS" => format!("{sql}$1) AND id IN ($2) ORDER BY id"),
        "SENT" => format!("{sql}$1{}$2) AND t.occurred_ms >= $3 AND m.referrer_id IN ($4)", source.constants["OF"]),
        "NUMBERS" => format!("{sql}$1, $2) GROUP BY message_id"),
        "NUMBERS_BUSY" => format!("{sql}$1 AND m.address IN ($2)"),
        "TOUCHING" => format!("{sql}$1) OR kept_id IN ($2))"),
        "HELD_BECAUSE" => format!("{sql}$1 AND referrer_id IN ($2)"),
        "DELIVERED_SINCE" => format!("{sql}$1 AND m.settled_ms > $2 AND m.referrer_id IN ($3) LIMIT 1"),
        "NOTE_PURGED" => format!("{sql}$1 WHERE inbox_id IN ($2)"),
        _ if sql.ends_with('(') => format!("{sql}$1, $2)"),
        _ => {
            panic!("{}: the fragment {name} is not known to this test: say how it is completed", source.path.display())
        }
    }
}

/// Texts that are made at run time from the file's columns; the lock fragment where the code may add one.
fn formatted(source: &Source, lock: &str) -> Vec<String> {
    let with = |text: &str, end: &str| text.replace("{COLUMNS}", &source.constants["COLUMNS"]).replace("{}", end);
    let whole = |text: String| text.replace("{filter}", " WHERE lifted_ms IS NULL");
    source
        .formats
        .iter()
        .flat_map(|text| {
            let lockable = text.contains("{}").then(|| with(text, lock));
            [Some(with(text, "")), lockable].into_iter().flatten().map(whole).collect::<Vec<_>>()
        })
        .collect()
}

fn all_statements(skip_locked: &str, lock: &str) -> Vec<(String, String)> {
    let mut statements = Vec::new();
    for source in store_sources() {
        let place = source.path.file_name().expect("a name").to_string_lossy().into_owned();
        for (name, sql) in source.constants.iter().filter(|(_, sql)| begins_one(sql)) {
            let sql = if is_whole(sql) { sql.clone() } else { completed(name, &source, skip_locked) };
            statements.push((format!("{place} {name}"), sql));
        }
        statements.extend(formatted(&source, lock).into_iter().map(|sql| (format!("{place} format!"), sql)));
    }
    statements
}

async fn prepare(database: &Database, statements: Vec<(String, String)>) -> Vec<String> {
    let mut refused = Vec::new();
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("connected");
        for (place, sql) in statements {
            if let Err(error) = (&mut connection).prepare(AssertSqlSafe(sql).into_sql_str()).await {
                refused.push(format!("{place}: {error}"));
            }
        }
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        for (place, sql) in statements {
            if let Err(error) = (&mut connection).prepare(AssertSqlSafe(sql).into_sql_str()).await {
                refused.push(format!("{place}: {error}"));
            }
        }
    }
    refused
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    each_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("the schema");
        let dialect = store.dialect();
        let statements = all_statements(dialect.skip_locked(), dialect.for_update());
        assert!(statements.len() > 100, "only {} statements were found", statements.len());
        assert_eq!(prepare(database, statements).await, [] as [String; 0]);
        let broken = vec![("broken".to_owned(), "SELECT no_such_column FROM message".to_owned())];
        assert_eq!(prepare(database, broken).await.len(), 1, "this check would not see a mistake");
        store.close().await;
    })
    .await;
}

#[test]
fn every_function_of_the_store_is_tried_by_this_suite() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/storage");
    let tests: String = std::fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|file| std::fs::read_to_string(file.path()).expect("a test file"))
        .collect();
    let mut functions = BTreeSet::new();
    for source in store_sources() {
        for (start, _) in source.text.match_indices("pub async fn ") {
            let name = source.text[start + 13..].split(['(', '<']).next().expect("a name");
            functions.insert(name.to_owned());
        }
    }
    assert!(functions.len() > 80, "only {} functions were found", functions.len());
    let untried: Vec<&String> = functions
        .iter()
        .filter(|name| ![".", "::"].iter().any(|dot| tests.contains(&format!("{dot}{name}("))))
        .collect();
    assert!(untried.is_empty(), "add a test on both databases for: {untried:?}");
}
