//! A look at the email setup: what DNS says, what the configuration says, and the quotas against the next broadcast. One piece of code
//! for `touchline doctor mail` and for the dashboard, which keeps the last result of this node.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{own, quota, sender};
use crate::config::{Config, ProviderConfig};
use crate::domain::Timestamp;
use crate::http::dns::NameServers;
use crate::mail_check::{Sender, look};
use crate::policy::mail_setup::{Finding, Grade, judge};
use crate::provider::DnsRecord;
use crate::store::Store;

/// The longest that DNS is asked while a person waits for a page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// This machine names no name server, and the configuration does not either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this machine names no name server: set [dns] server = \"ADDRESS:53\" in touchline.toml")]
pub struct NoNameServer;

/// What was found, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The domain of From.
    pub from: String,
    /// What was found, in the order in which it was looked at.
    pub findings: Vec<Finding>,
}

impl Look {
    /// How many of that grade.
    #[must_use]
    pub fn count(&self, grade: Grade) -> usize {
        self.findings.iter().filter(|finding| finding.grade == grade).count()
    }
}

/// What DNS says of a sender. Accounts for which `rehearses` holds are not asked about: their letters leave no machine.
///
/// # Errors
/// There is nobody to ask.
pub async fn published(
    config: &Config,
    sender: &Sender,
    rehearses: &(dyn Fn(&str, &ProviderConfig) -> bool + Sync),
    within: Duration,
) -> Result<Vec<Finding>, NoNameServer> {
    let is_sandbox = |name: &str| config.providers.get(name).is_some_and(|account| rehearses(name, account));
    let (rehearsals, relays): (Vec<_>, Vec<_>) =
        sender.relays.iter().cloned().partition(|relay| is_sandbox(&relay.account));
    let words = "letters go to the sandbox on this machine, and nowhere else";
    let mut findings: Vec<Finding> =
        rehearsals.iter().map(|relay| Finding::ok("relay", &relay.account, words)).collect();
    if relays.is_empty() {
        if rehearsals.is_empty() {
            let words = "routes.email names no SMTP account: no letter goes by email, or none that DNS speaks of";
            findings.push(Finding::advice("relay", &sender.from, words, "touchline provider add"));
        }
        return Ok(findings);
    }
    let dns = NameServers::new(config.dns.server).map_err(|_| NoNameServer)?;
    findings.extend(judge(&look(&dns, &Sender { from: sender.from.clone(), relays }, within).await));
    Ok(findings)
}

/// What the configuration says, and what the quotas mean for the next broadcast. Without a database, nothing of the latter.
pub async fn of_installation(config: &Config, store: Option<&Store>, now: Timestamp) -> Vec<Finding> {
    let mut findings = own::findings(config);
    if let Some(store) = store {
        findings.extend(quota::finding(store, config, now).await);
    }
    findings
}

/// The last look of this node; one at a time. A node that starts has none.
#[derive(Debug, Default)]
pub struct LastLook {
    last: Mutex<Option<Arc<Look>>>,
    turn: tokio::sync::Mutex<()>,
}

impl LastLook {
    /// The last one.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Look>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks now, within bounded time. Who asks while another's look is under way gets the result of that one.
    ///
    /// # Errors
    /// There is nobody to ask.
    pub(in crate::app) async fn now(
        &self,
        config: &Config,
        store: &Store,
        records: &(dyn Fn(&str) -> Vec<DnsRecord> + Sync),
        now: Timestamp,
    ) -> Result<Arc<Look>, NoNameServer> {
        let before = self.get();
        let _turn = self.turn.lock().await;
        if let Some(other) = self.get().filter(|latest| before.as_ref() != Some(latest)) {
            return Ok(other);
        }
        let sender = sender(config, &|account| records(account));
        let rehearses = |_: &str, account: &ProviderConfig| !super::leaves_this_machine(account);
        let mut findings = published(config, &sender, &rehearses, PAGE_TIMEOUT).await?;
        findings.extend(of_installation(config, Some(store), now).await);
        let look = Arc::new(Look { at: now, from: sender.from, findings });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(look.clone());
        Ok(look)
    }
}
