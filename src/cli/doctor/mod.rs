//! `touchline doctor`: configuration, database, letters and providers, each with ok, warn or fail. Sends nothing.

mod letters;
mod mail;
mod mailboxes;
mod permissions;
mod soundness;

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

use crate::app::{Gateway, mail_setup};
use crate::cli::console::{Console, table};
use crate::cli::exit::{CliError, Ending};
use crate::cli::provider::check_accounts;
use crate::cli::rehearsal::{is_rehearsal, is_routed, sends_nothing};
use crate::config::Config;
use crate::domain::{Channel, SystemClock};
use crate::store::Store;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    part: Option<Part>,
}

/// One part of the installation.
#[derive(Debug, clap::Subcommand)]
enum Part {
    /// Check whether receivers will believe the practice's mail: SPF, DKIM, DMARC, return path; --loop sends a test mail
    Mail(mail::Args),
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    state: State,
    words: String,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &str, state: State, words: impl Into<String>) {
        self.0.push(Finding { check: check.to_owned(), state, words: words.into() });
    }
}

/// Runs the checks that are asked for.
///
/// # Errors
/// Something failed; the answer says what.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    match args.part {
        None => everything(console).await,
        Some(Part::Mail(args)) => mail::run(console, &args).await,
    }
}

/// Runs every check that can be run, even after one has failed.
async fn everything(console: &Console) -> Result<(), CliError> {
    let mut findings = Findings::default();
    let complete = console.config();
    let is_complete = complete.is_ok();
    match &complete {
        Ok(_) => findings.add("configuration", State::Ok, console.config_path.display().to_string()),
        Err(error) => findings.add("configuration", State::Fail, error.words.clone()),
    }
    // Without a provider's secret, everything else can still be checked.
    if let Ok(config) = complete.or_else(|_| console.settings()) {
        letters::check(&config, &mut findings);
        check_public_address(&config, &mut findings);
        permissions::check(&config, &console.config_path, &mut findings);
        if check_database(&config, &mut findings).await {
            soundness::check(&config, &mut findings).await;
            if is_complete {
                check_providers(config, &mut findings).await;
            }
        }
    }
    let failed = findings.0.iter().any(|finding| finding.state == State::Fail);
    console.answer(&json!({ "ok": !failed, "checks": findings.0 }), || {
        let rows = findings.0.iter().map(|finding| {
            let state = match finding.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail => "FAIL",
            };
            vec![finding.check.clone(), state.to_owned(), finding.words.clone()]
        });
        table(&["check", "state", "what was found"], rows)
    })?;
    if failed { Err(CliError::said(Ending::Failed)) } else { Ok(()) }
}

/// What is allowed but worth knowing.
fn check_public_address(config: &Config, findings: &mut Findings) {
    if config.server.public_url.is_none() && !sends_nothing(config) {
        findings.add(
            "public address",
            State::Warn,
            "server.public_url is not set: providers are polled, and mail carries no opt-out link",
        );
    }
    for (_, words) in mail_setup::unreachable_events(config) {
        findings.add("provider events", State::Warn, words);
    }
}

/// Opens, migrates and tries a write. True if everything worked.
async fn check_database(config: &Config, findings: &mut Findings) -> bool {
    let tried = async {
        let store = Store::open(config.store.url.expose_secret(), config.store.connections_max).await?;
        store.migrate().await?;
        store.check_start().await?;
        store.check_writable().await?;
        let operators = store.read().await?.operator_count().await?;
        let words = store.describe();
        store.close().await;
        Ok::<_, crate::store::StoreError>((words, operators))
    };
    match tried.await {
        Ok((words, operators)) => {
            findings.add("database", State::Ok, format!("{words}: schema up to date, writable"));
            if operators == 0 {
                findings.add(
                    "operators",
                    State::Warn,
                    "no one can log in to the dashboard: `touchline operator add NAME`",
                );
            }
            true
        }
        Err(error) => {
            findings.add("database", State::Fail, error.to_string());
            false
        }
    }
}

async fn check_providers(config: Config, findings: &mut Findings) {
    let gateway = match Gateway::join(config, Arc::new(SystemClock)).await {
        Ok(gateway) => gateway,
        // The letters have been reported already.
        Err(crate::app::OpenError::Templates(_)) => return,
        Err(error) => return findings.add("providers", State::Fail, error.to_string()),
    };
    for channel in Channel::ALL {
        if !gateway.accounts.carries(*channel) {
            let words = format!("routes.{channel} names no account: nothing is sent by {channel}");
            findings.add(&format!("route {channel}"), State::Warn, words);
        } else if !gateway.accounts.carries_phi(*channel) {
            let words = "no account has a business associate agreement: letters with health information are held";
            findings.add(&format!("route {channel}"), State::Warn, words);
        }
    }
    for checked in check_accounts(&gateway, None).await {
        let publish = checked.publish_words();
        let (state, words) = if checked.ok {
            (State::Ok, checked.words)
        } else if is_routed(&gateway.config, &checked.account) {
            let account = gateway.config.providers.get(&checked.account);
            let is_sandbox = account.is_some_and(|account| is_rehearsal(&checked.account, account));
            let start = "the sandbox does not answer: start `touchline sandbox` in another window";
            (State::Fail, if is_sandbox { format!("{start}. {}", checked.words) } else { checked.words })
        } else {
            (State::Warn, format!("in no route, so nothing is sent by it: {}", checked.words))
        };
        findings.add(&format!("provider {}", checked.account), state, words);
        if !publish.is_empty() {
            let words = format!("the domain must publish (`touchline doctor mail` looks it up):\n{publish}");
            findings.add(&format!("dns {}", checked.account), State::Ok, words);
        }
    }
    mailboxes::check(&gateway, findings).await;
    gateway.store.close().await;
}
