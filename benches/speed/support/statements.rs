//! Where a PostgreSQL server's time goes, statement by statement: its own extension `pg_stat_statements` counts. Off unless
//! `TOUCHLINE_BENCH_STATEMENTS` is set, because counting takes some time of its own.

use sqlx::Row;

use super::desk::Desk;

/// Statements that are printed.
const SHOWN: i64 = 40;
const COSTLIEST: &str = "SELECT calls, total_exec_time, rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 150)
    FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY total_exec_time DESC LIMIT $1";

fn is_on() -> bool {
    std::env::var_os(super::postgres::COUNT_STATEMENTS).is_some()
}

/// Counts from now on.
pub async fn begin(desk: &mut Desk) -> anyhow::Result<()> {
    if let (true, Desk::Postgres(_)) = (is_on(), &desk) {
        desk.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()").await?;
    }
    Ok(())
}

/// Prints what was counted: calls and microseconds for each of `items`, and rows for each call.
pub async fn print(desk: &mut Desk, items: usize) -> anyhow::Result<()> {
    let Desk::Postgres(connection) = desk else { return Ok(()) };
    if !is_on() {
        return Ok(());
    }
    println!(
        "{:>9} {:>9} {:>9}  statement (calls and us for each of {items}, rows for each call)",
        "calls", "us", "rows"
    );
    for row in sqlx::query(COSTLIEST).bind(SHOWN).fetch_all(connection).await? {
        let (calls, took, rows, text): (i64, f64, i64, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let each = |number: f64| number / items as f64;
        println!(
            "{:>9.3} {:>9.1} {:>9.1}  {text}",
            each(calls as f64),
            each(took * 1e3),
            rows as f64 / calls.max(1) as f64
        );
    }
    Ok(())
}
