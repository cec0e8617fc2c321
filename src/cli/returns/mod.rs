//! `touchline returns`: what came back for emails. Bounces, complaints and delays, automatic replies, answers and opt-outs: read, and
//! dealt with.

mod kept;
mod list;
mod show;
mod work;

use super::arguments::word;
use super::console::Console;
use super::exit::CliError;
use super::ids::TypedId;
use crate::domain::returned::ReturnAct;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List what came back, newest first
    List(list::Args),
    /// Show one return: what was read in it, which letter it is about, what followed
    Show {
        /// The return, as `touchline returns list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
        /// Write the mail itself, or the body of the mail provider's callback, to standard output, while it is kept
        #[arg(long)]
        raw: bool,
        /// Show all of a person's answer, while it is kept; each reading is in the audit log
        #[arg(long, conflicts_with = "raw")]
        whole: bool,
    },
    /// Deal with a return
    Work {
        /// The return, as `touchline returns list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
        /// match: it is about the letter; not_a_bounce: the address is good; suppress: they ask for no more email; suppress_fax: no
        /// more faxes; suppress_all: neither; dismiss: nothing to do; done: dealt with
        #[arg(value_name = "ACT", value_parser = word(ReturnAct::ALL, ReturnAct::as_str))]
        act: ReturnAct,
        /// With match: the message it is about, where another one than the proposed is meant
        #[arg(long, value_name = "ID")]
        message: Option<TypedId>,
    },
}

/// Does it.
///
/// # Errors
/// There is no such return, or it does not allow the act; configuration or database cannot be used.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List(args) => list::run(console, args).await,
        Command::Show { id, raw: true, .. } => kept::raw(console, &id).await,
        Command::Show { id, whole: true, .. } => kept::whole(console, &id).await,
        Command::Show { id, .. } => show::run(console, &id).await,
        Command::Work { id, act, message } => work::run(console, &id, act, message.as_ref()).await,
    }
}
