//! A person's sign-in ends if nobody uses it: after 90 days at Microsoft, six months at Google. A practice that writes once a
//! quarter would notice in the middle of a broadcast. So each sign-in, that of an app or a service account too, is renewed once a
//! day, and one that has ended is raised on that day, whether or not a letter waits. It is then asked about once a day.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::accounts::mail_tokens::MailTokens;
use crate::domain::{Clock, Fault};
use crate::settle;
use crate::store::{Store, StoreError};

/// How often sign-ins are looked at.
const INTERVAL: Duration = Duration::from_secs(3600);
/// One that was not renewed for so long is.
const UNUSED_MAX: Duration = Duration::from_secs(24 * 3600);

/// What looking after sign-ins needs.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// Their tokens.
    pub tokens: Arc<MailTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Runs until shut down. The first look is an hour after the start.
pub async fn run(parts: Parts, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let looked = tokio::select! {
            looked = look_after(&parts) => looked,
            () = stop.cancelled() => return,
        };
        if let Err(error) = looked {
            parts.store.note(&error);
            tracing::warn!(%error, "an ended sign-in could not be recorded; trying again");
        }
    }
}

/// Renews what was not used for a day, and pauses the accounts whose sign-in has ended. Returns how many were renewed.
///
/// # Errors
/// The database cannot be used.
pub async fn look_after(parts: &Parts) -> Result<usize, StoreError> {
    let mut renewed = 0;
    for (name, account) in parts.accounts.iter() {
        let Some(sign_in) = account.layered.provider().sign_in() else { continue };
        let asked = parts.clock.now();
        match parts.tokens.keep_alive(sign_in, UNUSED_MAX).await {
            Ok(was_due) => renewed += usize::from(was_due),
            Err(failure) if failure.fault == Fault::AccountError => {
                // At once: by the end of the round somebody may have signed in.
                let ended = [(name.to_owned(), settle::refused_question(&failure, asked))];
                settle::pause_accounts(&parts.store, &ended, parts.clock.now()).await?;
            }
            Err(failure) => {
                let why = failure.raw_text.unwrap_or_default();
                tracing::warn!(account = name, why, "a sign-in could not be renewed; trying again in an hour");
            }
        }
    }
    Ok(renewed)
}
