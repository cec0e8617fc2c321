//! `touchline migrate`: brings the database's schema up to date, as every start does.

use serde_json::json;

use super::console::Console;
use super::exit::CliError;

/// Migrates.
pub async fn run(console: &Console) -> Result<(), CliError> {
    let records = console.records().await?;
    let database = records.store.describe();
    console.answer(&json!({ "database": database, "schema": "current" }), || {
        format!("The schema is up to date: {database}.")
    })
}
