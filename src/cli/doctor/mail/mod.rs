//! `touchline doctor mail`: whether receivers will believe the practice's mail, by what its domains publish and how its
//! accounts are set up. Asks DNS; sends nothing, unless it is asked for a test mail.

mod arriving;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::app::{mail_setup, open_account};
use crate::cli::console::{Console, table};
use crate::cli::exit::{CliError, Ending};
use crate::cli::rehearsal::is_rehearsal;
use crate::config::Config;
use crate::domain::{Clock, SystemClock};
use crate::mail_check::{ALL_ANSWERS_TIMEOUT, Sender};
use crate::policy::mail_setup::{Finding, Grade};
use crate::provider::DnsRecord;
use crate::public::FindingView;

/// What to look at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Look at this account only (default: all in the routes of email)
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Send a test mail by each account to the practice's own mailbox, and show what arrives there
    #[arg(long = "loop")]
    sends: bool,
    /// How long to wait for it, 1 to 3600 (default: 120)
    #[arg(long, value_name = "SECONDS", requires = "sends", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
}

/// How long a mail may take to arrive, in seconds, unless that is said.
const TIMEOUT_SECONDS: u64 = 120;

/// Checks all of it, even after something was found.
///
/// # Errors
/// There is a problem; the answer says what to do about it. There is no such account.
pub(super) async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let config = console.config()?;
    let sender = sender(&config, args)?;
    let mut findings = mail_setup::published(&config, &sender, &is_rehearsal, ALL_ANSWERS_TIMEOUT).await?;
    findings.extend(own(console, &config).await);
    if args.sends {
        findings.extend(arriving(console, &sender, args).await?);
    }
    let problems = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    console.answer(&json!({ "ok": problems == 0, "from": sender.from, "findings": views(&findings) }), || {
        shown(&findings)
    })?;
    if problems == 0 { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}

/// What arrives of a mail by each account.
async fn arriving(console: &Console, sender: &Sender, args: &Args) -> Result<Vec<Finding>, CliError> {
    let gateway = console.gateway().await?;
    let accounts: Vec<String> = sender.relays.iter().map(|relay| relay.account.clone()).collect();
    let within = Duration::from_secs(args.timeout.unwrap_or(TIMEOUT_SECONDS));
    let findings = arriving::findings(console, &gateway, &accounts, within).await;
    gateway.mail_tokens.finish_renewals().await;
    gateway.store.close().await;
    findings
}

/// The accounts that are looked at.
fn sender(config: &Config, args: &Args) -> Result<Sender, CliError> {
    let mut sender = mail_setup::sender(config, &|account| records(config, account));
    if let Some(only) = &args.account {
        let names: Vec<String> = sender.relays.iter().map(|relay| relay.account.clone()).collect();
        sender.relays.retain(|relay| relay.account == *only);
        if sender.relays.is_empty() {
            let there_are = names.join(", ");
            return Err(CliError::not_found(format!(
                "routes.email names no SMTP account `{only}`; it names: {there_are}"
            )));
        }
    }
    Ok(sender)
}

/// What an account wants published. One that cannot be opened wants nothing: `touchline doctor` says why it cannot.
fn records(config: &Config, account: &str) -> Vec<DnsRecord> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    open_account(config, account, &clock).map(|account| account.layered.provider().dns_records()).unwrap_or_default()
}

/// What the configuration and the records here say. Where there is no database yet, `touchline doctor` says so.
async fn own(console: &Console, config: &Config) -> Vec<Finding> {
    let records = console.records().await.ok();
    let store = records.as_ref().map(|records| &records.store);
    let findings = mail_setup::of_installation(config, store, SystemClock.now()).await;
    if let Some(store) = store {
        store.close().await;
    }
    findings
}

fn views(findings: &[Finding]) -> Vec<FindingView> {
    findings.iter().map(FindingView::from).collect()
}

fn shown(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|finding| {
        let grade = match finding.grade {
            Grade::Ok => "ok",
            Grade::Advice => "advice",
            Grade::Problem => "PROBLEM",
        };
        let Finding { words, advice, .. } = finding;
        let words = if advice.is_empty() { words.clone() } else { format!("{words}.\nTo do: {advice}") };
        vec![finding.check.to_owned(), finding.about.clone(), grade.to_owned(), words]
    });
    table(&["check", "of", "state", "what was found"], rows)
}

impl From<mail_setup::NoNameServer> for CliError {
    fn from(error: mail_setup::NoNameServer) -> Self {
        Self::new(Ending::Failed, error.to_string())
    }
}
