//! `touchline campaign list | show`: all campaigns, or one with its runs.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::app::Gateway;
use crate::campaign::{self, Overview, Times};
use crate::cli::broadcast;
use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::cli::send::accepted;
use crate::domain::Timestamp;
use crate::domain::campaign::CampaignWait;
use crate::domain::id::short;
use crate::intake::proposal::Proposal;
use crate::public::{BroadcastView, CampaignView, DryRunView, WaitView};
use crate::store::records::campaigns::CampaignRow;
use crate::store::views::ledger::LedgerOf;
use crate::wording;

/// Lists all campaigns; with `all`, removed ones too.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn list(console: &Console, gateway: &Gateway, all: bool) -> Result<(), CliError> {
    let parts = gateway.intake();
    let mut rows = campaign::list(&parts).await?;
    if all {
        rows.extend(campaign::removed(&parts).await?);
    }
    let renewals: Vec<Vec<String>> = rows.iter().map(|row| campaign::renewals(&parts, row)).collect();
    let objects: Vec<_> = rows
        .iter()
        .zip(&renewals)
        .map(|(row, renew)| {
            json!({
                "campaign": CampaignView::from(row),
                "when": campaign::when(row),
                "next_runs": campaign::times(row).map(|times| times.next).unwrap_or_default(),
                "renew": renew,
                "waits": campaign::waits(&parts, row, renew).map(|wait| WaitView::of(row, wait, renew)),
            })
        })
        .collect();
    console.answer(&json!({ "campaigns": objects }), || {
        if rows.is_empty() {
            return "There are no campaigns yet: `touchline campaign add` creates one.".to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let lines = rows.iter().zip(&renewals).map(|(row, renew)| {
            let (letter, to) = (row.letter.clone(), row.audience.clone());
            let state = state(row, campaign::waits(&parts, row, renew), renew);
            vec![row.name.clone(), letter, to, campaign::when(row), state, next(row.next_ms, zone)]
        });
        table(&["campaign", "letter", "to", "when", "state", "next run"], lines)
    })
}

/// What it is doing, and what it waits for.
fn state(row: &CampaignRow, wait: Option<CampaignWait>, renew: &[String]) -> String {
    if row.removed_ms.is_some() {
        return "removed".to_owned();
    }
    match wait {
        Some(CampaignWait::LetterOutOfService) => wording::WAITS_FOR_LETTER.to_owned(),
        Some(CampaignWait::RenewVariables) => wording::waits_for(renew),
        None if !renew.is_empty() => format!("{}; {}", row.state, wording::will_wait_for(renew)),
        None => row.state.to_string(),
    }
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
    let object = json!({ "campaign": described(gateway, &shown), "ledgers": ledgers });
    console.answer(&object, || {
        let zone = gateway.config.practice.time_zone;
        let rows = shown.runs.iter().zip(&ledgers).map(|(run, ledger)| {
            let numbers =
                [ledger.total, ledger.delivered, ledger.failed, ledger.suppressed, ledger.held, ledger.queued];
            let mut row = vec![run.created_ms.in_zone(zone), broadcast::state(run)];
            row.extend(numbers.iter().map(ToString::to_string));
            row
        });
        let header = ["run", "state", "messages", "delivered", "failed", "suppressed", "held", "under way"];
        let runs = if shown.runs.is_empty() { "It has not run yet.".to_owned() } else { table(&header, rows) };
        let paused = shown.runs.iter().filter(|run| run.paused_since().is_some());
        let paused = paused.map(|run| format!("\nTo let it go on: `touchline broadcast resume {}`", short(&run.id.0)));
        format!("{}\n{runs}{}", overview(gateway, &shown, zone), paused.collect::<String>())
    })
}

/// A campaign in words.
pub(super) fn overview(gateway: &Gateway, shown: &Overview, zone: Tz) -> String {
    let row = &shown.campaign;
    let mut text = format!(
        "{} ({}): {} to {} by {}, {}.\nNext run: {}. Active targets: {}.",
        row.name,
        state(row, shown.waits, &shown.renew),
        row.letter,
        row.audience,
        row.channels.replace(',', " and "),
        shown.when,
        next(row.next_ms, zone),
        shown.active_targets
    );
    text.push_str(&dates(campaign::times(row).as_ref()));
    for (name, dated) in campaign::perishable(&gateway.intake(), row) {
        let used = if dated.runs < row.runs { ", used by a run since" } else { "" };
        text.push_str(&format!("\n  {name}: set or confirmed {}{used}", dated.set.in_zone(zone)));
    }
    if let Some(first) = shown.renew.first() {
        text.push_str(&format!(
            "\nRenew: `touchline campaign edit \"{}\" --set {first}=TEXT`; `--keep {first}` if it is still true.",
            row.name
        ));
    }
    for warning in &shown.warnings {
        text.push_str(&format!("\nWarning: {warning}"));
    }
    plain(&text)
}

/// The next dates of a schedule, a line for each.
pub(super) fn dates(times: Option<&Times>) -> String {
    let lines: Vec<String> = times.map_or_else(Vec::new, |times| times.dates().collect());
    if lines.is_empty() { String::new() } else { format!("\nNext dates:\n  {}", lines.join("\n  ")) }
}

/// What a campaign would send now, and when it would run.
///
/// # Errors
/// The answer cannot be written.
pub(super) fn dry_run(console: &Console, planned: &Proposal, times: &Times, zone: Tz) -> Result<(), CliError> {
    let mut object = json!(DryRunView::from(planned));
    object["when"] = json!(times.when);
    object["next_runs"] = json!(times.next);
    console.answer(&object, || {
        let plan = accepted::told_dry(planned, zone);
        format!("{}\nRuns {}.{}", plan.trim_end(), times.when, dates(Some(times)))
    })
}

/// When it next runs.
pub(super) fn next(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(|| "none".to_owned(), |at| at.in_zone(zone))
}

/// A campaign with what a person wants to know beside it.
pub(super) fn described(gateway: &Gateway, overview: &Overview) -> Value {
    let dated = campaign::perishable(&gateway.intake(), &overview.campaign);
    let dated =
        dated.into_iter().map(|(name, dated)| json!({ "variable": name, "set_at": dated.set, "runs": dated.runs }));
    let mut object = json!(CampaignView::from(&overview.campaign));
    object["when"] = json!(overview.when);
    object["next_runs"] = json!(campaign::times(&overview.campaign).map(|times| times.next).unwrap_or_default());
    object["active_targets"] = json!(overview.active_targets);
    object["warnings"] = json!(overview.warnings);
    object["perishable"] = json!(dated.collect::<Vec<_>>());
    object["renew"] = json!(overview.renew);
    object["waits"] = json!(overview.waits.map(|wait| WaitView::of(&overview.campaign, wait, &overview.renew)));
    object["runs"] = json!(overview.runs.iter().map(BroadcastView::from).collect::<Vec<_>>());
    object
}
