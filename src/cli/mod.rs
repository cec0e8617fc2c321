//! The command line: one file for each command, one folder for each noun. A command reads its arguments, calls the
//! modules below, and answers in text or, with `--json`, in one object; it never writes to the store itself. Errors go
//! to standard error in plain words, and with `--json` to standard output as an object; `exit` has the codes. `console`,
//! `arguments`, `variables`, `sample`, `env_file`, `hidden`, `kinds`, `proofreading` and `rehearsal` are what commands share.

mod address;
mod arguments;
mod backup;
mod basis;
mod bounce;
mod broadcast;
mod campaign;
mod completions;
mod console;
pub mod demo;
mod dkim;
mod doctor;
mod env_file;
mod exit;
mod explain_reply;
mod failures;
mod filling;
mod hidden;
mod ids;
mod inbox;
pub mod init;
mod kinds;
mod mail;
mod mailbox;
mod manual;
mod message;
mod migrate;
mod operator;
mod preview;
mod proofreading;
mod provider;
mod referrers;
mod rehearsal;
mod restore;
mod returns;
mod sample;
mod sandbox;
mod send;
mod serve;
mod suppress;
mod table;
mod template;
mod token;
mod touches;
mod undo;
mod variables;

use crate::access;
use crate::domain::Actor;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use console::Console;
pub use exit::{CliError, Ending};

/// The configuration's name.
const CONFIG_FILE: &str = "touchline.toml";
/// Where the package keeps it (FHS 3.0, section 3.7).
const INSTALLED_CONFIG_FOLDER: &str = "/etc/touchline";
/// Where the package keeps the database (FHS 3.0, section 5.8).
const INSTALLED_DATA_FOLDER: &str = "/var/lib/touchline";

/// Outbound fax and email gateway for practices that live on referrals.
#[derive(Debug, Parser)]
#[command(name = "touchline", version, about, after_long_help = exit::EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file (default: touchline.toml here, else /etc/touchline/touchline.toml)
    #[arg(long, global = true, value_name = "PATH", env = "TOUCHLINE_CONFIG")]
    config: Option<PathBuf>,
    /// Answer with one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,
    /// Who acts, for the records (default: the user name of this machine)
    #[arg(long = "as", global = true, value_name = "NAME")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work: from a list to letters to touch history, on this machine only
    Demo(demo::Args),
    /// Write a first configuration file
    Init(Box<init::Args>),
    /// Run a sandbox that stands in for fax and mail, on this machine only
    Sandbox(sandbox::Args),
    /// Run the gateway: sending, provider callbacks, dashboard and API
    Serve(serve::Args),
    /// Check configuration, database, letters and providers, or what the domain publishes for its mail; sends nothing
    Doctor(doctor::Args),
    /// Send a letter to one referrer or a list
    Send(send::Args),
    /// Write what one recipient would get into a folder; sends nothing
    Preview(preview::Args),
    /// Campaigns: a letter, an audience and a schedule
    #[command(subcommand)]
    Campaign(campaign::Command),
    /// List broadcasts; let one go on that has paused itself, or cancel the rest of one
    #[command(subcommand)]
    Broadcast(broadcast::Command),
    /// Import, list, show, edit and export referrers
    #[command(subcommand)]
    Referrers(referrers::Command),
    /// Show a referrer's touch history, or log a call, visit or meeting
    Touches(touches::Args),
    /// Show what did not get through, by cause
    Failures(failures::Args),
    /// Show a message's status, and everything that happened to it
    Status(message::status::Args),
    /// Send messages that failed again
    Retry(message::act::Messages),
    /// Hold messages that are queued
    Hold(message::act::Messages),
    /// Release held messages
    Release(message::release::Args),
    /// Send messages that wait for office hours now, outside them
    SendNow(message::act::Messages),
    /// Cancel messages that have not been handed over yet
    Cancel(message::act::Messages),
    /// Have providers delete their copies of messages that have ended
    Purge(message::act::Messages),
    /// Withdraw a letter or list before its undo window ends
    Undo(undo::Args),
    /// Resolve a message in doubt
    Resolve(message::resolve::Args),
    /// List addresses that count as dead, and give them another chance
    #[command(subcommand)]
    Address(address::Command),
    /// Explain a mail server's reply: whose fault it is, and what is done about it
    ExplainReply(explain_reply::Args),
    /// Explain mails that came back: who bounced, why, and whether the address is bad
    #[command(subcommand)]
    Bounce(bounce::Command),
    /// List, show and deal with what came back for emails: bounces, replies, opt-outs
    #[command(subcommand)]
    Returns(returns::Command),
    /// Suppress an address; list and lift suppressions
    Suppress(suppress::Args),
    /// Record why a number may be faxed advertisements
    #[command(subcommand)]
    Basis(basis::Command),
    /// List, check and create letters
    #[command(subcommand)]
    Template(template::Command),
    /// List, add, check, create, try, pause and resume providers
    #[command(subcommand)]
    Provider(provider::Command),
    /// Sign in to mailboxes that take no password, and show or forget sign-ins
    #[command(subcommand)]
    Mail(mail::Command),
    /// List the mailboxes to which returns come, and check them
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Create keys to sign letters with (DKIM), with the records to publish
    #[command(subcommand)]
    Dkim(dkim::Command),
    /// List provider callbacks, and parse them again after an upgrade
    #[command(subcommand)]
    Inbox(inbox::Command),
    /// Create, list and revoke API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Add, list, disable and remove the people who may log in to the dashboard
    #[command(subcommand)]
    Operator(operator::Command),
    /// Bring the database's schema up to date
    Migrate,
    /// Copy the database to a file while Touchline runs (SQLite)
    Backup(backup::Args),
    /// Restore a copy; what may have gone out since is held
    Restore(restore::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Manual(manual::Args),
    /// What the exit codes mean
    #[command(long_about = exit::EXIT_CODES)]
    ExitCodes,
}

/// Reads the command line, runs the command and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            console::warn(&format!("touchline: cannot start threads ({})", error.kind()));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if json && !console::is_answered() {
                tell_program(&error);
            }
            if !error.words.is_empty() {
                console::warn(&format!("touchline: {}", console::plain(&error.words)));
            }
            ExitCode::from(error.ending.code())
        }
    }
}

/// What is wrong with a command line, or the help or version that was asked for.
fn not_understood(error: &clap::Error) -> ExitCode {
    // A closed pipe, as in `| head`, is not an error.
    drop(error.print());
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = std::env::args_os().skip(1).take_while(|argument| argument != "--");
    if arguments.any(|argument| argument == "--json") {
        let words = error.render().to_string();
        let words = words.split("\n\n").next().unwrap_or_default().trim();
        tell_program(&CliError::usage(words.strip_prefix("error: ").unwrap_or(words)));
    }
    ExitCode::from(Ending::Usage.code())
}

/// The one object of a command that failed and has no other answer.
fn tell_program(error: &CliError) {
    console::print(&serde_json::to_string_pretty(&error.object()).unwrap_or_default());
}

async fn run(cli: Cli) -> Result<(), CliError> {
    let console = Console { config_path: cli.config.unwrap_or_else(config_path), json: cli.json, who: who(cli.who)? };
    match cli.command {
        Command::Demo(args) => Ok(demo::run(args, console.json).await?),
        Command::Init(args) => init::run(&console, &args),
        Command::Sandbox(args) => sandbox::run(&console, args).await,
        Command::Serve(args) => serve::run(&console, args).await,
        Command::Doctor(args) => doctor::run(&console, args).await,
        Command::Send(args) => send::run(&console, args).await,
        Command::Preview(args) => preview::run(&console, args).await,
        Command::Campaign(command) => campaign::run(&console, command).await,
        Command::Broadcast(command) => broadcast::run(&console, command).await,
        Command::Referrers(command) => referrers::run(&console, command).await,
        Command::Touches(args) => touches::run(&console, args).await,
        Command::Failures(args) => failures::run(&console, args).await,
        Command::Status(args) => message::status::run(&console, args).await,
        Command::Retry(messages) => message::act::run(&console, messages, message::act::RETRY).await,
        Command::Hold(messages) => message::act::run(&console, messages, message::act::HOLD).await,
        Command::Release(messages) => message::release::run(&console, messages).await,
        Command::SendNow(messages) => message::act::run(&console, messages, message::act::SEND_NOW).await,
        Command::Cancel(messages) => message::act::run(&console, messages, message::act::CANCEL).await,
        Command::Purge(messages) => message::act::run(&console, messages, message::act::PURGE).await,
        Command::Undo(args) => undo::run(&console, args).await,
        Command::Resolve(args) => message::resolve::run(&console, args).await,
        Command::Address(command) => address::run(&console, command).await,
        Command::ExplainReply(args) => explain_reply::run(&console, &args),
        Command::Bounce(command) => bounce::run(&console, &command),
        Command::Returns(command) => returns::run(&console, command).await,
        Command::Suppress(args) => suppress::run(&console, args).await,
        Command::Basis(command) => basis::run(&console, command).await,
        Command::Template(command) => template::run(&console, command),
        Command::Provider(command) => provider::run(&console, command).await,
        Command::Mail(command) => mail::run(&console, command).await,
        Command::Mailbox(command) => mailbox::run(&console, command).await,
        Command::Dkim(command) => dkim::run(&console, command).await,
        Command::Inbox(command) => inbox::run(&console, command).await,
        Command::Token(command) => token::run(&console, command).await,
        Command::Operator(command) => operator::run(&console, command).await,
        Command::Migrate => migrate::run(&console).await,
        Command::Backup(args) => backup::run(&console, args).await,
        Command::Restore(args) => restore::run(&console, args).await,
        Command::Completions(args) => {
            completions::run(&args);
            Ok(())
        }
        Command::Manual(args) => manual::run(&args),
        Command::ExitCodes => console.answer(&exit::exit_codes(), || exit::EXIT_CODES.to_owned()),
    }
}

/// The configuration of the folder we are in. Where there is none, and the package has made `/etc/touchline`, the one there.
fn config_path() -> PathBuf {
    let (here, installed) = (PathBuf::from(CONFIG_FILE), Path::new(INSTALLED_CONFIG_FOLDER));
    if here.exists() || !installed.is_dir() { here } else { installed.join(CONFIG_FILE) }
}

/// Longest name under which acts are recorded, in characters.
const NAME_CHARS_MAX: usize = 80;

/// The name under which acts are recorded: as given, else the user's, else `cli`. At most 80 characters.
fn who(given: Option<String>) -> Result<Actor, CliError> {
    if let Some(name) = given {
        let is_name = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        if !is_name || !access::reads_as_it_is(&name) || access::is_reserved(&name) {
            return Err(CliError::usage(format!(
                "--as takes your name: at most {NAME_CHARS_MAX} visible characters, and none of the names that the records \
                 use for somebody else, such as `unknown`"
            )));
        }
        return Ok(Actor::operator(&name));
    }
    let name = std::env::var("USER").unwrap_or_default();
    let fits = access::reads_as_it_is(&name) && !access::is_reserved(&name) && !name.is_empty();
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    Ok(Actor::operator(if fits { &name } else { "cli" }))
}
