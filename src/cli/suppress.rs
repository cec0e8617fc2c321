//! `touchline suppress`: suppresses an address; lists and lifts suppressions; brings them from another mail service, and
//! writes them to a file.

mod export;
mod import;

use serde_json::json;

use super::arguments::word;
use super::console::{Console, count, table};
use super::exit::CliError;
use super::ids::{self, TypedId};
use crate::consent::{self, Refusal};
use crate::domain::Address;
use crate::domain::id::SuppressionId;
use crate::domain::suppression::SuppressionReason;
use crate::domain::suppression::SuppressionSource;
use crate::domain::suppression::{Scope, Suppression};
use crate::public::SuppressionView;
use crate::store::records::short_ids::Kept;

/// The most suppressions listed.
const LISTED_MAX: i64 = 10_000;

/// An address to suppress, or what to do with suppressions.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// A fax number or an email address
    #[arg(required = true, value_name = "ADDRESS")]
    address: Option<String>,
    /// What it covers: treatment correspondence is still sent unless it is `all`
    #[arg(long, default_value = "advertisement", value_parser = word(Scope::ALL, Scope::as_str))]
    scope: Scope,
    /// Why: opt_out, complaint, bounced or do_not_contact; other words are kept as evidence
    #[arg(long, default_value = "opt_out")]
    reason: String,
    /// Evidence: where the paper is filed, who said it and when
    #[arg(long)]
    evidence: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List suppressions in effect
    List {
        /// Include those that were lifted
        #[arg(long)]
        all: bool,
    },
    /// Lift a suppression
    Lift {
        /// Its id, as `touchline suppress list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
        /// Why it may be lifted, such as "asked again in writing"
        #[arg(long)]
        reason: String,
    },
    /// Import the suppression list of another mail service
    Import(import::Args),
    /// Write the suppressions in effect to a list that `import --from csv` and `referrers import` read
    Export(export::Args),
}

/// Does it.
///
/// # Errors
/// The address is not valid; the suppression is not in effect; a list cannot be read or written.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    match (args.command, args.address) {
        (Some(Command::List { all }), _) => list(console, all).await,
        (Some(Command::Lift { id, reason }), _) => lift(console, &id, &reason).await,
        (Some(Command::Import(args)), _) => import::run(console, args).await,
        (Some(Command::Export(args)), _) => export::run(console, args).await,
        (None, Some(address)) => {
            let refused = Address::guess(&address).map_err(|error| CliError::refused(error.to_string()))?;
            let (reason, evidence) = reason(&args.reason, args.evidence);
            let refusal = Refusal {
                address: refused,
                scope: args.scope,
                reason,
                source: SuppressionSource::Operator,
                evidence,
                who: console.who.clone(),
                because: None,
                expires_ms: None,
            };
            suppress(console, &refusal).await
        }
        (None, None) => Err(CliError::usage("name an address to suppress")),
    }
}

/// The reason's word. Any other text is kept with the evidence, so that nothing a person wrote is lost.
fn reason(text: &str, evidence: Option<String>) -> (SuppressionReason, Option<String>) {
    match text.parse() {
        Ok(reason) => (reason, evidence),
        Err(_) => {
            let words: Vec<String> = evidence.into_iter().chain([text.to_owned()]).collect();
            (SuppressionReason::Other, Some(words.join("; ")))
        }
    }
}

async fn suppress(console: &Console, refusal: &Refusal) -> Result<(), CliError> {
    let parts = console.gateway_to_read().await?.consent();
    let ended = consent::suppress(&parts, refusal).await?;
    let object = json!({ "channel": refusal.address.channel(), "scope": refusal.scope, "messages_ended": ended });
    console.answer(&object, || {
        let what = match refusal.scope {
            Scope::Advertisement => "Advertisements and informational letters are no longer sent",
            Scope::All => "Nothing is sent anymore",
        };
        let ended = match ended {
            0 => String::new(),
            ended => format!(" {} waiting to be sent stopped.", count(ended, "message")),
        };
        format!("{what} to {}.{ended}", refusal.address.pretty())
    })
}

async fn list(console: &Console, all: bool) -> Result<(), CliError> {
    let records = console.records().await?;
    let found = records.store.read().await?.suppressions_list(all, LISTED_MAX).await?;
    console.answer(
        &json!({ "suppressions": found.iter().map(|one| SuppressionView::of(one, true)).collect::<Vec<_>>() }),
        || {
            if found.is_empty() {
                return "No address is suppressed.".to_owned();
            }
            let rows = found.iter().map(|row| {
                let state = match (row.lifted_ms, &row.lifted_reason) {
                    (Some(at), why) => format!("lifted {}: {}", at.in_zone(records.zone), why.as_deref().unwrap_or("")),
                    (None, _) => row.expires_ms.map_or_else(
                        || "in effect".to_owned(),
                        |at| format!("in effect until {}", at.in_zone(records.zone)),
                    ),
                };
                let since = row.created_ms.in_zone(records.zone);
                vec![
                    ids::shown(row.id.0),
                    shown(row),
                    row.scope.to_string(),
                    row.reason.to_string(),
                    since,
                    row.who.name().to_owned(),
                    state,
                ]
            });
            table(&["id", "address", "scope", "reason", "since", "who", "state"], rows)
        },
    )
}

fn shown(row: &Suppression) -> String {
    row.address.pretty()
}

async fn lift(console: &Console, typed: &TypedId, reason: &str) -> Result<(), CliError> {
    if reason.trim().is_empty() {
        return Err(CliError::usage("--reason says why the suppression may be lifted"));
    }
    let parts = console.gateway_to_read().await?.consent();
    let id = SuppressionId(typed.find(&mut parts.store.read().await?, Kept::Suppression).await?);
    consent::lift(&parts, id, &console.who, reason).await?;
    console.answer(&json!({ "lifted": id }), || format!("Suppression {} is lifted.", ids::shown(id.0)))
}
