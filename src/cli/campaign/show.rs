//! `touchline campaign list | show`: all campaigns, or one with its runs.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::app::Gateway;
use crate::campaign::{self, Overview};
use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::domain::Timestamp;
use crate::public::{BroadcastView, CampaignView};
use crate::store::views::ledger::LedgerOf;

/// Lists all campaigns.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn list(console: &Console, gateway: &Gateway) -> Result<(), CliError> {
    let rows = campaign::list(&gateway.intake()).await?;
    let objects: Vec<_> =
        rows.iter().map(|row| json!({ "campaign": CampaignView::from(row), "when": campaign::when(row) })).collect();
    console.answer(&json!({ "campaigns": objects }), || {
        if rows.is_empty() {
            return "There are no campaigns yet: `touchline campaign add` creates one.".to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let lines = rows.iter().map(|row| {
            let (letter, to) = (row.letter.clone(), row.audience.clone());
            vec![row.name.clone(), letter, to, campaign::when(row), row.state.to_string(), next(row.next_ms, zone)]
        });
        table(&["campaign", "letter", "to", "when", "state", "next run"], lines)
    })
}

/// Shows one campaign with its runs.
///
/// # Errors
/// There is no such campaign.
pub(super) async fn show(console: &Console, gateway: &Gateway, name: &str) -> Result<(), CliError> {
    let shown = campaign::show(&gateway.intake(), name).await?;
    let mut tx = gateway.store.read().await?;
    let mut ledgers = Vec::new();
    for run in &shown.runs {
        ledgers.push(tx.ledger(LedgerOf::Broadcast(run.id)).await?);
    }
    drop(tx);
    let object = json!({ "campaign": described(&shown), "ledgers": ledgers });
    console.answer(&object, || {
        let zone = gateway.config.practice.time_zone;
        let rows = shown.runs.iter().zip(&ledgers).map(|(run, ledger)| {
            let state = if run.finished_ms.is_some() { "finished" } else { "under way" };
            let numbers =
                [ledger.total, ledger.delivered, ledger.failed, ledger.suppressed, ledger.held, ledger.queued];
            let mut row = vec![run.created_ms.in_zone(zone), state.to_owned()];
            row.extend(numbers.iter().map(ToString::to_string));
            row
        });
        let header = ["run", "state", "messages", "delivered", "failed", "suppressed", "held", "under way"];
        let runs = if shown.runs.is_empty() { "It has not run yet.".to_owned() } else { table(&header, rows) };
        format!("{}\n{runs}", overview(&shown, zone))
    })
}

/// A campaign in words.
pub(super) fn overview(shown: &Overview, zone: Tz) -> String {
    let row = &shown.campaign;
    let mut text = format!(
        "{} ({}): {} to {} by {}, {}.\nNext run: {}. Active targets: {}.",
        row.name,
        row.state,
        row.letter,
        row.audience,
        row.channels.replace(',', " and "),
        shown.when,
        next(row.next_ms, zone),
        shown.active_targets
    );
    for warning in &shown.warnings {
        text.push_str(&format!("\nWarning: {warning}"));
    }
    plain(&text)
}

/// When it next runs.
pub(super) fn next(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(|| "none".to_owned(), |at| at.in_zone(zone))
}

/// A campaign with what a person wants to know beside it.
pub(super) fn described(overview: &Overview) -> Value {
    let mut object = json!(CampaignView::from(&overview.campaign));
    object["when"] = json!(overview.when);
    object["active_targets"] = json!(overview.active_targets);
    object["warnings"] = json!(overview.warnings);
    object["runs"] = json!(overview.runs.iter().map(BroadcastView::from).collect::<Vec<_>>());
    object
}
