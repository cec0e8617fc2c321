//! What a person does about an account that signs in by OAuth: sign in, sign out, look. Each act is recorded in the audit
//! trail.

use super::{MailTokens, seal};
use crate::domain::provider_state::ProviderState;
use crate::domain::{Actor, AuditAct, Remedy, Timestamp};
use crate::http::oauth::exchange::Issued;
use crate::provider::sign_in::SignIn;
use crate::sealing::{KeyError, Purpose};
use crate::store::records::mail_tokens::MailToken;
use crate::store::{StoreError, Tx};

/// What a sign-in may put right: a pause with one of these ends once somebody has signed in and the relay was tried.
const BY_SIGNING_IN: [Remedy; 7] = [
    Remedy::SignIn,
    Remedy::MailboxAccess,
    Remedy::AppRegistration,
    Remedy::OauthMicrosoft,
    Remedy::OauthGoogle,
    Remedy::AppPassword,
    Remedy::CheckPassword,
];

/// Whether an account is used after somebody has signed in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterSignIn {
    /// It was not paused.
    InUse,
    /// It was paused for want of this sign-in, and is in use again.
    Resumed,
    /// It is paused still, as this state says: by an operator, for another reason, or because the relay was not good.
    StillPaused(Box<ProviderState>),
}

/// Why a sign-in was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// It cannot be sealed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MailTokens {
    /// Checks that a sign-in could be stored, before a person is asked for one.
    ///
    /// # Errors
    /// There is no key to seal it with.
    pub fn check_key(&self) -> Result<(), KeyError> {
        self.key.sealer_or_new(Purpose::MailTokens).map(drop)
    }

    /// Stores what was issued to a person who has just signed in, in the place of any earlier sign-in. What calls made before
    /// bring back pauses the account no more; a pause that is there stays until [`MailTokens::resume_signed_in`].
    ///
    /// # Errors
    /// Nothing was stored.
    pub async fn sign_in(&self, sign_in: &SignIn, issued: &Issued, who: &Actor) -> Result<(), SignInError> {
        let (account, now) = (sign_in.account(), self.clock.now());
        let sealed = seal(&self.key.sealer_or_new(Purpose::MailTokens)?, sign_in, issued, now)?;
        let mut tx = self.store.write().await?;
        tx.mail_token_sign_in(account, &sealed, issued.person.as_deref(), who, now).await?;
        tx.audit(who, AuditAct::MailLogin, Some(account), Some(sign_in.authority().title()), now).await?;
        tx.provider_signed_in(account, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts an account in use again for which somebody has signed in: if the relay was tried and `is_good`, and if it was paused
    /// for a reason that a sign-in puts right. An operator's own pause is left alone.
    ///
    /// # Errors
    /// Database errors; then nothing was changed.
    pub async fn resume_signed_in(&self, account: &str, is_good: bool, who: &Actor) -> Result<AfterSignIn, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let Some(state) = pause_of(&mut tx, account, now).await? else { return Ok(AfterSignIn::InUse) };
        let is_put_right = state.paused_remedy.is_some_and(|remedy| BY_SIGNING_IN.contains(&remedy));
        if !is_good || !is_put_right {
            return Ok(AfterSignIn::StillPaused(Box::new(state)));
        }
        tx.provider_pause(account, None, now).await?;
        tx.audit(who, AuditAct::ResumeProvider, Some(account), Some("signed in again"), now).await?;
        tx.commit().await?;
        Ok(AfterSignIn::Resumed)
    }

    /// Forgets the tokens of an account; whether there were any. The service is not told: a person ends the app's access there.
    ///
    /// # Errors
    /// Database errors; then nothing was changed.
    pub async fn sign_out(&self, account: &str, who: &Actor) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let forgotten = tx.mail_token_forget(account).await?;
        if forgotten {
            tx.audit(who, AuditAct::MailLogout, Some(account), None, now).await?;
        }
        tx.commit().await?;
        Ok(forgotten)
    }

    /// What is on record of all accounts.
    ///
    /// # Errors
    /// Database errors.
    pub async fn all(&self) -> Result<Vec<MailToken>, StoreError> {
        self.store.read().await?.mail_tokens().await
    }
}

/// The state of the account, if it is paused.
async fn pause_of(tx: &mut Tx, account: &str, now: Timestamp) -> Result<Option<ProviderState>, StoreError> {
    let states = tx.provider_states(true).await?;
    Ok(states.into_iter().find(|state| state.provider == account && state.is_paused(now)))
}
