//! `touchline failures`: what did not get through, by cause, and what to do about it.

use super::console::{Console, table};
use super::exit::CliError;
use super::ids;
use crate::domain::Reason;
use crate::public::FailureList;
use crate::store::views::overview::Cause;
use crate::wording::{self, advice, explain};

/// Which failures.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those with this cause, such as no_basis or not_a_fax
    #[arg(long, value_name = "CAUSE")]
    reason: Option<Reason>,
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
    causes.retain(|cause| args.reason.is_none_or(|reason| reason == cause.reason));
    let messages = tx.failures(args.reason, i64::from(args.limit)).await?;
    drop(tx);
    let object = FailureList {
        causes: causes.iter().cloned().map(Into::into).collect(),
        messages: messages.iter().cloned().map(Into::into).collect(),
    };
    console.answer(&object, || {
        if causes.is_empty() {
            return "Nothing failed, and nothing needs a person.".to_owned();
        }
        let lines = messages.iter().map(|line| {
            let since = line.updated_ms.in_zone(records.zone);
            vec![ids::shown(line.id.0), line.name(), line.letter.clone(), line.channel.to_string(), since]
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
            wording::status(cause.status).1.to_owned(),
            cause.reason.to_string(),
            explain(cause.reason).to_owned(),
            advice(cause.reason).to_owned(),
        ]
    });
    table(&["messages", "channel", "status", "cause", "why", "what to do"], rows)
}
