//! `touchline provider check`: credentials and reachability; sends nothing.

use serde_json::json;

use super::check_known;
use crate::app::Gateway;
use crate::cli::console::{Console, table};
use crate::cli::exit::{CliError, Ending};
use crate::domain::fault::Failure;
use crate::provider::DnsRecord;
use crate::wording;

/// What a check of one account found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Checked {
    /// The account.
    pub account: String,
    /// Whether it works.
    pub ok: bool,
    /// What was reached, or what is wrong and what to do.
    pub words: String,
    /// What the practice's domain must publish for it.
    pub publish: Vec<DnsRecord>,
}

impl Checked {
    /// What to publish, one line per record.
    #[must_use]
    pub fn publish_words(&self) -> String {
        let line = |record: &DnsRecord| format!("{} {} \"{}\"", record.name, record.kind, record.value);
        self.publish.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Checks one account or all concurrently, in the order of their names.
pub async fn check_accounts(gateway: &Gateway, only: Option<&str>) -> Vec<Checked> {
    let accounts = gateway.accounts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let checks = accounts.map(|(name, account)| async move {
        let publish = account.layered.provider().dns_records();
        let (ok, words) = match account.layered.check().await {
            Ok(words) => (true, words),
            Err(failure) => (false, failure_words(&failure, name)),
        };
        Checked { account: name.to_owned(), ok, words, publish }
    });
    let checked = futures_util::future::join_all(checks).await;
    gateway.mail_tokens.finish_renewals().await;
    checked
}

/// What is wrong with an account, in the provider's words as well, and what to do.
pub fn failure_words(failure: &Failure, account: &str) -> String {
    let (fault, own) = (failure.fault, own_words(failure));
    let advice = failure.remedy.map(|remedy| wording::refusals::remedy_for(remedy, account));
    format!("{}{own} {}", wording::fault(fault), advice.unwrap_or_else(|| wording::fault_advice(fault).to_owned()))
}

/// What the provider itself said, in parentheses; nothing if it said nothing.
pub(super) fn own_words(failure: &Failure) -> String {
    let said = [failure.raw_code.as_deref(), failure.raw_text.as_deref()];
    let said: Vec<&str> = said.into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(" ")) }
}

pub(super) async fn run(console: &Console, name: Option<&str>) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    if let Some(name) = name {
        check_known(&gateway, name)?;
    }
    let checked = check_accounts(&gateway, name).await;
    console.answer(&json!({ "checks": checked }), || {
        if checked.is_empty() {
            return "No provider account is configured.".to_owned();
        }
        let rows = checked.iter().map(|check| {
            vec![check.account.clone(), if check.ok { "ok" } else { "fail" }.to_owned(), check.words.clone()]
        });
        let found = table(&["account", "state", "what was found"], rows);
        let publish: Vec<String> =
            checked.iter().map(Checked::publish_words).filter(|words| !words.is_empty()).collect();
        if publish.is_empty() {
            return found;
        }
        format!("{found}\n\nThe domain must publish in DNS:\n{}", publish.join("\n"))
    })?;
    if checked.iter().all(|check| check.ok) { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}
