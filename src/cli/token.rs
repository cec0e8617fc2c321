//! `touchline token`: bearer tokens for the API. A token is shown once, when it is created; only its hash is kept.

use serde_json::json;

use super::arguments::word;
use super::console::{Console, count, table};
use super::exit::CliError;
use crate::access::{self, Scope};
use crate::domain::Timestamp;
use crate::public::TokenView;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a token
    Create {
        /// Who or what it is for
        #[arg(value_name = "NAME")]
        name: String,
        /// What it allows: send letters, read what happened, operate on messages
        #[arg(long, value_delimiter = ',', required = true, value_parser = word(Scope::ALL, Scope::as_str))]
        scopes: Vec<Scope>,
    },
    /// List tokens, without their secrets
    List,
    /// Revoke all tokens of a name
    Revoke {
        /// Who or what they were for
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no live token of that name.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, scopes } => create(console, &name, &scopes).await,
        Command::List => list(console).await,
        Command::Revoke { name } => revoke(console, &name).await,
    }
}

async fn create(console: &Console, name: &str, scopes: &[Scope]) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let token = access::create_token(&gateway.access(), name, scopes, &console.who).await?;
    console.answer(&json!({ "name": name, "scopes": scopes, "token": token }), || {
        console.note("Shown only once: store it where secrets are kept, and send it as Authorization: Bearer …");
        token.clone()
    })
}

async fn list(console: &Console) -> Result<(), CliError> {
    let records = console.records().await?;
    let tokens = access::tokens(&records.access()).await?;
    console.answer(&json!({ "tokens": tokens.iter().map(TokenView::from).collect::<Vec<_>>() }), || {
        if tokens.is_empty() {
            return "There are no tokens.".to_owned();
        }
        let at = |moment: Option<Timestamp>, otherwise: &str| {
            moment.map_or_else(|| otherwise.to_owned(), |moment| moment.in_zone(records.zone))
        };
        let rows = tokens.iter().map(|token| {
            let used = at(token.used_ms, "never");
            let state =
                token.revoked_ms.map_or_else(|| "live".to_owned(), |_| format!("revoked {}", at(token.revoked_ms, "")));
            vec![token.name.clone(), token.scopes.clone(), at(Some(token.created_ms), ""), used, state]
        });
        table(&["name", "scopes", "made", "last used", "state"], rows)
    })
}

async fn revoke(console: &Console, name: &str) -> Result<(), CliError> {
    let records = console.records().await?;
    let ended = access::revoke_tokens(&records.access(), name, &console.who).await?;
    let number = usize::try_from(ended).unwrap_or(usize::MAX);
    console.answer(&json!({ "name": name, "revoked": ended }), || format!("{} revoked.", count(number, "token")))
}
