//! `touchline dkim`: the keys with which letters are signed (RFC 6376, RFC 8463).

mod new;
mod rsa_key;

use crate::cli::console::Console;
use crate::cli::exit::CliError;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create an RSA and an Ed25519 key in new files, and show the DNS records and settings that go with them
    New(new::Args),
}

/// Does it.
///
/// # Errors
/// The domain or account is not known, a file exists already, or no key can be made.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::New(args) => new::run(console, &args).await,
    }
}
