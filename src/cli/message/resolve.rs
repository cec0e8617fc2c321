//! `touchline resolve`: a person decides what became of a message in doubt.

use super::act::{self, Messages, NOT_SENT, SENT};
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::ids::TypedId;

/// Which message, and what became of it.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("became").required(true))]
pub struct Args {
    /// The message in doubt
    #[arg(value_name = "MESSAGE")]
    message: TypedId,
    /// It was sent
    #[arg(long, group = "became")]
    sent: bool,
    /// It was not sent: it goes out again
    #[arg(long, group = "became")]
    not_sent: bool,
}

/// Records the decision.
///
/// # Errors
/// It is not in doubt.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let order = if args.sent { SENT } else { NOT_SENT };
    act::run(console, Messages { messages: vec![args.message] }, order).await
}
