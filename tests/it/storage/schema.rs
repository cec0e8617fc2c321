//! The two schemas are one: the same tables, columns, keys, indexes and checks.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, PgConnection, Row, SqliteConnection};

use crate::support::databases::Database;

/// A schema as a set of sentences that are the same on both engines.
type Schema = BTreeSet<String>;

const NOT_OURS: &[&str] = &["_sqlx_migrations", "sqlite_sequence"];

async fn of_sqlite(url: &str) -> Schema {
    let mut connection = SqliteConnection::connect(url).await.expect("connected");
    let mut schema = Schema::new();
    let tables = sqlx::query("SELECT name, sql FROM sqlite_master WHERE type = 'table'");
    for table in tables.fetch_all(&mut connection).await.expect("read") {
        let (name, sql): (String, String) = (table.get("name"), table.get("sql"));
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        schema.extend(checks_in(&name, &sql));
        let columns = sqlx::query("SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)").bind(&name);
        let mut key = BTreeMap::new();
        for column in columns.fetch_all(&mut connection).await.expect("read") {
            let (column_name, kind): (String, String) = (column.get("name"), column.get("type"));
            schema.insert(column_line(&name, &column_name, &kind, column.get::<i64, _>("notnull") == 0));
            if let place @ 1.. = column.get::<i64, _>("pk") {
                key.insert(place, column_name);
            }
        }
        let key: Vec<String> = key.into_values().collect();
        schema.insert(format!("{name}: primary key {}", key.join(", ")));
        let foreign = sqlx::query("SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list($1)");
        for one in foreign.bind(&name).fetch_all(&mut connection).await.expect("read") {
            let (from, table, to): (String, String, String) = (one.get(0), one.get(1), one.get(2));
            let on_delete: String = one.get(3);
            schema.insert(format!("{name}: {from} refers to {table} {to}, on delete {}", on_delete.to_lowercase()));
        }
    }
    let indexes = sqlx::query("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL");
    for index in indexes.fetch_all(&mut connection).await.expect("read") {
        schema.insert(index_line(&index.get::<String, _>("sql")));
    }
    schema
}

async fn of_postgres(url: &str) -> Schema {
    let mut connection = PgConnection::connect(url).await.expect("connected");
    let mut schema = Schema::new();
    let columns = sqlx::query(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
         FROM information_schema.columns WHERE table_schema = 'public'",
    );
    for column in columns.fetch_all(&mut connection).await.expect("read") {
        let (table, name): (String, String) = (column.get(0), column.get(1));
        let (kind, nullable): (String, String) = (column.get(2), column.get(3));
        if !NOT_OURS.contains(&table.as_str()) {
            schema.insert(column_line(&table, &name, &kind, nullable == "YES"));
        }
    }
    let constraints = sqlx::query(
        "SELECT conrelid::regclass::text, conname::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace",
    );
    for constraint in constraints.fetch_all(&mut connection).await.expect("read") {
        let (table, name): (String, String) = (constraint.get(0), constraint.get(1));
        let (kind, definition): (String, String) = (constraint.get(2), constraint.get(3));
        if !NOT_OURS.contains(&table.as_str()) {
            schema.insert(constraint_line(&table, &name, &kind, &definition));
        }
    }
    let indexes = sqlx::query(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN
         (SELECT conname FROM pg_constraint WHERE contype = 'p')",
    );
    for index in indexes.fetch_all(&mut connection).await.expect("read") {
        schema.insert(index_line(&index.get::<String, _>(0)));
    }
    schema
}

fn column_line(table: &str, column: &str, kind: &str, nullable: bool) -> String {
    let kind = match kind.to_lowercase().as_str() {
        "bigint" | "integer" => "whole number",
        "text" => "text",
        // SQLite keeps identifiers and documents alike as octets.
        "uuid" | "bytea" | "blob" => "octets",
        other => panic!("{table}.{column} is {other}: a type that this test does not know"),
    };
    format!("{table}: {column} {kind}{}", if nullable { ", may be null" } else { "" })
}

fn constraint_line(table: &str, name: &str, kind: &str, definition: &str) -> String {
    match kind {
        "p" => format!("{table}: primary key {}", inside(definition)),
        "c" => format!("{table}: check {name} {}", tokens(definition)),
        "f" => {
            let (from, rest) = definition.split_once(" REFERENCES ").expect("a foreign key");
            let (to_table, to) = rest.split_once('(').expect("a column");
            let on_delete = definition.split_once("ON DELETE ").map_or("no action", |(_, act)| act);
            let to = to.split(')').next().expect("its end");
            format!("{table}: {} refers to {to_table} {to}, on delete {}", inside(from), on_delete.to_lowercase())
        }
        other => panic!("{table}.{name}: a constraint of kind {other}"),
    }
}

/// What stands between the first parenthesis and the last.
fn inside(text: &str) -> &str {
    let (start, end) = (text.find('(').expect("an opening"), text.rfind(')').expect("a closing"));
    &text[start + 1..end]
}

fn checks_in(table: &str, sql: &str) -> Vec<String> {
    let checks = sql.split("CONSTRAINT ").skip(1);
    checks
        .map(|text| {
            let (name, rest) = text.split_once(" CHECK ").expect("a named check");
            let mut depth = 0;
            let end = rest.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            format!("{table}: check {name} {}", tokens(&rest[..=end.expect("its end")]))
        })
        .collect()
}

fn index_line(sql: &str) -> String {
    let unique = if sql.contains("UNIQUE") { "unique " } else { "" };
    let name = sql.split("INDEX ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a name");
    let table = sql.split(" ON ").nth(1).expect("a table").trim_start_matches("public.");
    let table = table.split(' ').next().expect("its name");
    let columns = inside(sql.split(" WHERE ").next().expect("columns"));
    let only = sql.split_once(" WHERE ").map_or_else(String::new, |(_, when)| format!(" where {}", tokens(when)));
    format!("{table}: {unique}index {name} on {columns}{only}")
}

/// The names, words and comparisons of a condition, however the engine writes it down: PostgreSQL prints
/// `x IN ('a', 'b')` as `x = ANY (ARRAY['a'::text, 'b'::text])`.
fn tokens(condition: &str) -> String {
    let text = condition.replace("::text", "").replace("= ANY", "IN").replace("ARRAY", "");
    let words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '\'' | '=' | '<' | '>')));
    words.filter(|word| !word.is_empty() && *word != "CHECK").collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn both_migrated_schemas_are_the_same() {
    let sqlite = Database::empty_sqlite();
    let Some(postgres) = Database::empty_postgres().await else { return };
    for database in [&sqlite, &postgres] {
        let store = database.open().await;
        store.migrate().await.expect("made");
        store.close().await;
    }
    let (left, right) = (of_sqlite(&sqlite.url).await, of_postgres(&postgres.url).await);
    let only_in = |a: &Schema, b: &Schema| -> Vec<String> { a.difference(b).cloned().collect() };
    let (only_sqlite, only_postgres) = (only_in(&left, &right), only_in(&right, &left));
    assert!(left.len() > 200, "only {} facts were read", left.len());
    assert!(
        only_sqlite.is_empty() && only_postgres.is_empty(),
        "only in SQLite: {only_sqlite:#?}\nonly in PostgreSQL: {only_postgres:#?}"
    );
    postgres.remove().await;
}
