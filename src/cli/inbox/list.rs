//! `touchline inbox list`.

use serde_json::json;

use super::Filter;
use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::cli::ids::shown;
use crate::domain::callback::CallbackState;
use crate::store::views::inbox::{CallbackLine, CallbacksOf};

/// Lists callbacks.
///
/// # Errors
/// Configuration or database cannot be used.
pub(super) async fn run(
    console: &Console,
    filter: Filter,
    state: Option<CallbackState>,
    limit: u16,
) -> Result<(), CliError> {
    let records = console.records().await?;
    let of = filter.read(records.zone)?;
    let of = CallbacksOf { state: state.or(of.state), ..of };
    let lines = records.store.read().await?.callback_lines(&of, i64::from(limit)).await?;
    console.answer(&json!({ "callbacks": lines }), || {
        if lines.is_empty() {
            return "There are no such callbacks.".to_owned();
        }
        let row = |line: &CallbackLine| {
            vec![
                shown(line.id.0),
                line.provider.clone(),
                line.received_ms.in_zone(records.zone),
                line.state.to_string(),
                line.octets.to_string(),
                line.facts.to_string(),
            ]
        };
        table(&["id", "account", "received", "state", "bytes", "facts"], lines.iter().map(row))
    })
}
