//! The mailboxes to which returns come, from the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Gateway, OpenError};
use crate::config::{Config, MailboxConfig};
use crate::domain::Clock;
use crate::domain::return_path::ReturnPaths;
use crate::feedback::mailboxes::Watched;
use crate::provider::Account;
use crate::provider::mailbox::mailbox;
use crate::provider::sign_in::{SignIn, TokenKeeper};

/// The longest that renewing a token may take, as of a provider account unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The mailboxes by name. One that lacks a secret cannot be read; only a command that reads gets this far with it.
///
/// # Errors
/// Names the key that is wrong.
pub(super) fn mailboxes(
    config: &Config,
    clock: &Arc<dyn Clock>,
    tokens: &Arc<dyn TokenKeeper>,
) -> Result<BTreeMap<String, Watched>, OpenError> {
    let complete = config.mailboxes.iter().filter(|(_, settings)| settings.missing.is_empty());
    let opened = complete.map(|(name, settings)| Ok((name.clone(), watched(name, settings, clock, tokens)?)));
    opened.collect()
}

fn watched(
    name: &str,
    settings: &MailboxConfig,
    clock: &Arc<dyn Clock>,
    tokens: &Arc<dyn TokenKeeper>,
) -> Result<Watched, OpenError> {
    let account = Account {
        name: name.to_owned(),
        settings: settings.oauth.clone(),
        secrets: settings.secrets.clone(),
        http: crate::http::client().map_err(|_| OpenError::Http)?,
        timeout: TIMEOUT,
        concurrency: 1,
        sender: None,
        callback_url: None,
        documents_url: None,
        baa: false,
        clock: clock.clone(),
        tokens: tokens.clone(),
        // Nothing is sent by it that would come back.
        returns: ReturnPaths::new(&[]),
    };
    let poll = Duration::from_secs(settings.poll_seconds);
    Ok(Watched { mailbox: mailbox(account, settings.settings.clone())?, poll })
}

impl Gateway {
    /// How an account or a mailbox of that name signs in, where it does so by OAuth.
    #[must_use]
    pub fn sign_in_of(&self, name: &str) -> Option<&Arc<SignIn>> {
        let mailbox = || self.mailboxes.get(name)?.mailbox.sign_in();
        self.accounts.get(name).and_then(|account| account.layered.provider().sign_in()).or_else(mailbox)
    }

    /// Every sign-in by OAuth, those of accounts first.
    pub fn all_sign_ins(&self) -> impl Iterator<Item = &Arc<SignIn>> {
        let accounts = self.accounts.iter().filter_map(|(_, account)| account.layered.provider().sign_in());
        accounts.chain(self.mailboxes.values().filter_map(|watched| watched.mailbox.sign_in()))
    }
}
