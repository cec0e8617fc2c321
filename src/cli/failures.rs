//! `touchline failures`: what did not get through, by cause, and what to do about it.

use serde_json::json;

use super::console::{Console, table};
use super::exit::CliError;
use crate::policy::{advice, explain};
use crate::store::views::overview::{Cause, MessageLine};

/// Which failures.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those with this cause, such as no_basis or not_a_fax
    #[arg(long, value_name = "CAUSE")]
    reason: Option<String>,
    /// How many messages to list
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
}

/// Shows them.
///
/// # Errors
/// Configuration or database cannot be used.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let mut causes = tx.causes().await?;
    causes.retain(|cause| args.reason.as_ref().is_none_or(|reason| *reason == cause.reason));
    let messages = tx.failures(args.reason.as_deref(), i64::from(args.limit)).await?;
    drop(tx);
    let object = json!({
        "causes": causes.iter().map(cause_object).collect::<Vec<_>>(),
        "messages": messages.iter().map(message_object).collect::<Vec<_>>(),
    });
    console.answer(&object, || {
        if causes.is_empty() {
            return "Nothing failed, and nothing waits for a person.".to_owned();
        }
        let lines = messages.iter().map(|line| {
            let since = line.updated_ms.in_zone(records.zone);
            vec![line.id.to_string(), line.name(), line.letter.clone(), line.channel.to_string(), since]
        });
        let list = table(&["message", "referrer", "letter", "channel", "since"], lines);
        format!("{}\n\n{list}", causes_table(&causes))
    })
}

fn causes_table(causes: &[Cause]) -> String {
    let rows = causes.iter().map(|cause| {
        vec![
            cause.messages.to_string(),
            cause.channel.to_string(),
            cause.status.as_str().replace('_', " "),
            cause.reason.clone(),
            explain(&cause.reason),
            advice(&cause.reason).to_owned(),
        ]
    });
    table(&["messages", "channel", "status", "cause", "why", "what to do"], rows)
}

fn cause_object(cause: &Cause) -> serde_json::Value {
    json!({
        "channel": cause.channel,
        "status": cause.status,
        "reason": cause.reason,
        "explanation": explain(&cause.reason),
        "advice": advice(&cause.reason),
        "messages": cause.messages,
        "latest": cause.latest_ms,
    })
}

fn message_object(line: &MessageLine) -> serde_json::Value {
    json!({
        "message": line.id,
        "referrer": line.referrer_id,
        "name": line.name(),
        "letter": line.letter,
        "channel": line.channel,
        "status": line.status,
        "reason": line.reason,
        "tries": line.tries,
        "since": line.updated_ms,
    })
}
