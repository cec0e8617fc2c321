//! `touchline release`: releases held messages, by id or all of one cause.

use super::act::{self, Messages, RELEASE};
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::ids::TypedId;
use crate::domain::MessageStatus;
use crate::domain::Reason;

/// The most messages one command releases.
const RELEASED_MAX: i64 = 10_000;

/// Which messages.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Messages, by the ids that `touchline failures` shows
    #[arg(required_unless_present = "cause", conflicts_with = "cause", value_name = "MESSAGE")]
    messages: Vec<TypedId>,
    /// All messages held with this cause, such as restored; at most 10,000
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
}

/// Releases messages: those named, or all that are held for one cause.
///
/// # Errors
/// As [`act::run`]; or nothing is held with that cause.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let Some(cause) = args.cause else {
        return act::run(console, Messages { messages: args.messages }, RELEASE).await;
    };
    let reason: Reason = cause.parse().map_err(CliError::usage)?;
    let records = console.records().await?;
    let mut lines = records.store.read().await?.failures(Some(reason), RELEASED_MAX).await?;
    lines.retain(|line| line.status == MessageStatus::Held);
    records.store.close().await;
    if lines.is_empty() {
        return Err(CliError::not_found(format!("no message is held with the cause `{cause}`")));
    }
    let messages = lines.into_iter().map(|line| TypedId::Whole(line.id.0)).collect();
    act::run(console, Messages { messages }, RELEASE).await
}
