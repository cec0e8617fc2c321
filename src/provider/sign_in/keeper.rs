//! Who holds the tokens between two uses. What has a database keeps them there for all nodes; a check before there is one
//! gets a token anew each time.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Grant, SignIn};
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;

/// An access token in use. Prints nothing of itself.
#[derive(Clone)]
pub struct Bearer {
    /// The token.
    pub token: SecretString,
    /// Which one it is: a newer one has a higher number.
    pub serial: i64,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// Keeps the tokens of all accounts.
#[async_trait]
pub trait TokenKeeper: Send + Sync + fmt::Debug {
    /// A token that stays valid for a while, and is not the one that was `refused`. Renews it where that is needed: one
    /// caller on one node does, the others take what it got. A renewal that has begun goes on when the caller goes away, so
    /// that no new refresh token is lost.
    ///
    /// # Errors
    /// There is none, and why; see [`SignIn::renew`]. Nothing was sent.
    async fn bearer(&self, sign_in: &Arc<SignIn>, refused: Option<&Bearer>) -> Result<Bearer, Failure>;
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unkept;

#[async_trait]
impl TokenKeeper for Unkept {
    async fn bearer(&self, sign_in: &Arc<SignIn>, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        if sign_in.grant() == Grant::Person {
            return Err(nobody_signed_in());
        }
        let issued = sign_in.renew(None).await?;
        Ok(Bearer { token: issued.access, serial: refused.map_or(0, |refused| refused.serial + 1) })
    }
}

/// The failure of an account for which a person must sign in first.
#[must_use]
pub fn nobody_signed_in() -> Failure {
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::SignIn);
    failure.text("nobody is signed in for this account")
}
