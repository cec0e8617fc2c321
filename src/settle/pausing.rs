//! Pausing accounts that cannot go on until someone mends them, or until a quota returns.

use crate::domain::fault::Failure;
use crate::domain::provider_state::Pause;
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::store::{Store, StoreError, Tx};

/// What stands for the words of a provider that gave none.
const NO_WORDS: &str = "credentials, funds or permission";

/// Pauses an account and reports it: to the operator on the overview and in the audit log, to monitoring in the log and in
/// the metrics. An account that is already paused keeps its reason.
pub(super) async fn pause_account(
    tx: &mut Tx,
    provider: &str,
    pause: &Pause,
    now: Timestamp,
) -> Result<(), StoreError> {
    if tx.provider_pause_new(provider, pause, now).await? {
        let reason = &pause.reason;
        tx.audit(&Actor::System, AuditAct::PauseProvider, Some(provider), Some(reason), now).await?;
        tracing::error!(provider, reason, "the account is paused: it needs a person");
        metrics::counter!("touchline_provider_account_faults_total", "provider" => provider.to_owned()).increment(1);
    }
    Ok(())
}

/// Pauses accounts in a transaction of its own, for who holds no lock yet.
///
/// # Errors
/// [`StoreError`]; then nothing is changed.
pub async fn pause_accounts(store: &Store, pauses: &[(String, Pause)], now: Timestamp) -> Result<(), StoreError> {
    if pauses.is_empty() {
        return Ok(());
    }
    let mut pauses: Vec<&(String, Pause)> = pauses.iter().collect();
    pauses.sort_unstable();
    let mut tx = store.write().await?;
    for (provider, pause) in pauses {
        pause_account(&mut tx, provider, pause, now).await?;
    }
    tx.commit().await
}

/// The pause that follows from a question, asked at that time, to which the provider answered that it refuses the account.
#[must_use]
pub fn refused_question(failure: &Failure, asked: Timestamp) -> Pause {
    Pause { resumes_ms: None, reason: words(Some(failure)), remedy: failure.remedy, called_ms: asked }
}

/// The provider's words, or ours.
pub(super) fn words(failure: Option<&Failure>) -> String {
    let words = failure.and_then(|failure| failure.raw_text.as_deref().or(failure.raw_code.as_deref()));
    words.filter(|words| !words.is_empty()).unwrap_or(NO_WORDS).to_owned()
}
