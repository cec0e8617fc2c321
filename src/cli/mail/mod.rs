//! `touchline mail`: the sign-ins of accounts that use OAuth instead of a password.

mod landing;
mod login;
mod logout;
mod status;

use crate::cli::console::Console;
use crate::cli::exit::CliError;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Sign in to the mailbox of an account, once; it stays signed in until the sign-in is revoked
    Login(login::Args),
    /// Show how each account signs in, who did, and until when
    Status,
    /// Forget the sign-in of an account
    Logout {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such account, or it has no sign-in; nobody signed in; the service refuses.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::Login(args) => login::run(console, &args).await,
        Command::Status => status::run(console).await,
        Command::Logout { account } => logout::run(console, &account).await,
    }
}
