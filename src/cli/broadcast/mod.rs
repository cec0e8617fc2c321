//! `touchline broadcast`: list broadcasts, show one and why it has paused itself, let it go on, or cancel the rest of it.

use std::time::Duration;

use serde_json::json;

use super::console::{Console, table};
use super::exit::CliError;
use super::ids::TypedId;
use crate::app::Gateway;
use crate::domain::id::{BroadcastId, short};
use crate::operator;
use crate::public::BroadcastView;
use crate::store::records::broadcasts::Broadcast;
use crate::store::records::short_ids::Kept;
use crate::store::views::ledger::{Ledger, LedgerOf};
use crate::wording;

/// How long one command goes on cancelling.
const CANCELLED_WITHIN: Duration = Duration::from_secs(3600);

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List broadcasts, the newest first
    List {
        /// Only those that have paused themselves because too much of them came back
        #[arg(long)]
        paused: bool,
        /// How many at most, 1 to 500
        #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
    },
    /// Show one broadcast: how far it has come, and why it is paused if it is
    Show {
        /// The broadcast, as `touchline broadcast list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
    },
    /// Let a broadcast go on that has paused itself: what is held of it is sent
    Resume {
        /// The broadcast, as `touchline broadcast list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
    },
    /// Cancel what was not handed over of a broadcast: what is held, and what is queued
    Cancel {
        /// The broadcast, as `touchline broadcast list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
    },
}

/// Does it.
///
/// # Errors
/// There is no such broadcast, or it is not paused; configuration or database cannot be used.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    match command {
        Command::List { paused, limit } => list(console, &gateway, paused, limit).await,
        Command::Show { id } => show(console, &gateway, &id).await,
        Command::Resume { id } => resume(console, &gateway, &id).await,
        Command::Cancel { id } => cancel(console, &gateway, &id).await,
    }
}

async fn list(console: &Console, gateway: &Gateway, paused: bool, limit: i64) -> Result<(), CliError> {
    let mut tx = gateway.store.read().await?;
    let found = if paused { tx.broadcasts_paused_now(limit).await? } else { tx.broadcasts_list(None, limit).await? };
    let mut ledgers = Vec::with_capacity(found.len());
    for one in &found {
        ledgers.push(tx.ledger(LedgerOf::Broadcast(one.id)).await?);
    }
    drop(tx);
    let views: Vec<_> = found.iter().zip(&ledgers).map(|(one, ledger)| object(one, ledger)).collect();
    console.answer(&json!({ "broadcasts": views }), || {
        if found.is_empty() {
            return if paused { "No broadcast is paused." } else { "There are no broadcasts yet." }.to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let rows = found.iter().zip(&ledgers).map(|(one, ledger)| {
            let numbers = [ledger.total, ledger.delivered, ledger.failed, ledger.held].map(|number| number.to_string());
            let mut row = vec![short(&one.id.0), one.name.clone(), one.created_ms.in_zone(zone), state(one)];
            row.extend(numbers);
            row
        });
        table(&["id", "broadcast", "created", "state", "messages", "delivered", "failed", "held"], rows)
    })
}

async fn show(console: &Console, gateway: &Gateway, id: &TypedId) -> Result<(), CliError> {
    let mut tx = gateway.store.read().await?;
    let id = BroadcastId(id.find(&mut tx, Kept::Broadcast).await?);
    let found = tx.broadcast(id).await?;
    let found = found.ok_or_else(|| CliError::not_found(format!("there is no broadcast {id}")))?;
    let ledger = tx.ledger(LedgerOf::Broadcast(id)).await?;
    drop(tx);
    console.answer(&object(&found, &ledger), || words(gateway, &found, &ledger))
}

async fn resume(console: &Console, gateway: &Gateway, id: &TypedId) -> Result<(), CliError> {
    let id = BroadcastId(id.find(&mut gateway.store.read().await?, Kept::Broadcast).await?);
    let after = operator::broadcasts::resume(&gateway.operator(), id, &console.who).await?;
    console.answer(&json!({ "broadcast": BroadcastView::from(&after) }), || {
        format!("{} goes on. {}", after.name, wording::broadcasts::GOING_ON)
    })
}

async fn cancel(console: &Console, gateway: &Gateway, id: &TypedId) -> Result<(), CliError> {
    let id = BroadcastId(id.find(&mut gateway.store.read().await?, Kept::Broadcast).await?);
    let done = operator::broadcasts::cancel_rest(&gateway.operator(), id, &console.who, CANCELLED_WITHIN).await?;
    console.answer(&json!({ "id": id, "cancelled": done.cancelled, "has_more": done.has_more }), || {
        let more = if done.has_more { " There are more: run it again." } else { "" };
        let done = i64::try_from(done.cancelled).unwrap_or(i64::MAX);
        format!("{} cancelled.{more}", wording::count(done, "message is", "messages are"))
    })
}

fn object(broadcast: &Broadcast, ledger: &Ledger) -> serde_json::Value {
    json!({ "broadcast": BroadcastView::from(broadcast), "ledger": ledger })
}

/// What it is doing, and why it is paused; for the runs of a campaign as well.
pub(super) fn state(broadcast: &Broadcast) -> String {
    let why = broadcast.pause.paused_reason.as_deref();
    match (broadcast.paused_since(), broadcast.finished_ms) {
        (Some(_), _) => format!("paused itself: {}", why.unwrap_or("too much of it came back")),
        (None, Some(_)) => "finished".to_owned(),
        (None, None) => "under way".to_owned(),
    }
}

fn words(gateway: &Gateway, broadcast: &Broadcast, ledger: &Ledger) -> String {
    let zone = gateway.config.practice.time_zone;
    let mut text = format!(
        "{}: {}, created {}\n{} messages: {} delivered, {} failed, {} held, {} under way",
        broadcast.name,
        broadcast.letter,
        broadcast.created_ms.in_zone(zone),
        ledger.total,
        ledger.delivered,
        ledger.failed,
        ledger.held,
        ledger.queued
    );
    if let Some(since) = broadcast.paused_since() {
        text.push_str(&format!(
            "\nPaused since {}. {} {}\nTo let it go on: `touchline broadcast resume {}`. {}",
            since.in_zone(zone),
            wording::broadcasts::paused(broadcast.pause.paused_reason.as_deref()),
            wording::broadcasts::PAUSED_ADVICE,
            short(&broadcast.id.0),
            wording::broadcasts::GOING_ON
        ));
    } else if let (Some(at), Some(who)) = (broadcast.pause.resumed_ms, &broadcast.pause.resumed_by) {
        text.push_str(&format!("\nIt had paused itself; {} let it go on {}.", who.name(), at.in_zone(zone)));
    }
    super::console::plain(&text)
}
