//! The tokens of accounts that sign in by OAuth, kept in the database for all nodes, sealed. One node renews a token shortly
//! before its end; the others wait for what it stores. `acts` are what a person does, `login` says how a sign-in
//! stands.

pub mod acts;
pub mod login;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::turns::Turns;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::domain::{Clock, Timestamp};
use crate::http::oauth::exchange::Issued;
use crate::provider::sign_in::{Bearer, Grant, SignIn, TokenKeeper, nobody_signed_in};
use crate::sealing::{KeyError, KeyPlace, Purpose, Sealer};
use crate::store::records::mail_tokens::{MailToken, Renewed};
use crate::store::{Store, StoreError, in_time};

/// A token is renewed this long before its end, or in the last quarter of a short life.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// One that could not be renewed is still used until this long before its end.
const USED_UNTIL: Duration = Duration::from_secs(30);
/// How often a node that waits for another's renewal looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A claim outlives the request and the storing by this much.
const CLAIM_GRACE: Duration = Duration::from_secs(10);
/// How long storing what was issued is tried, and the wait between two tries: a rotating refresh token exists nowhere else.
const STORE_MAX: Duration = Duration::from_secs(60);
const STORE_AGAIN: Duration = Duration::from_secs(1);
/// How long a process that ends waits for renewals that have begun.
const FINISH_MAX: Duration = Duration::from_secs(30);
/// Renewals for one caller at most.
const RENEWALS_MAX: u32 = 2;

/// Keeps the tokens of all accounts.
#[derive(Debug, Clone)]
pub struct MailTokens {
    store: Store,
    key: KeyPlace,
    clock: Arc<dyn Clock>,
    turns: Turns,
    renewals: TaskTracker,
}

/// What the record of an account allows.
enum Standing {
    /// A token that stays valid for a while.
    Good(Bearer),
    /// It must be renewed first; until then perhaps this one is still valid.
    Due(Option<Bearer>),
}

/// How a renewal went.
enum Renewal {
    Done,
    /// Another caller is at it, here or on another node.
    Elsewhere,
    Failed(Failure),
}

impl MailTokens {
    /// Tokens in that database, sealed with the key in that place.
    #[must_use]
    pub fn new(store: Store, key: KeyPlace, clock: Arc<dyn Clock>) -> Self {
        Self { store, key, clock, turns: Turns::default(), renewals: TaskTracker::new() }
    }

    /// Renews a sign-in that was not renewed for so long, so that it does not end for want of use, and a secret that has ended
    /// is noticed; true if it was due. One that was refused is asked about as seldom.
    ///
    /// # Errors
    /// The service refuses, or could not be asked.
    pub async fn keep_alive(&self, sign_in: &Arc<SignIn>, unused: Duration) -> Result<bool, Failure> {
        let Some(known) = self.read(sign_in.account()).await? else { return Ok(false) };
        let is_long_ago = |moment| self.clock.now().since(moment) >= unused;
        let is_due = known.issued_ms.is_some_and(is_long_ago) && known.refused_last_ms.is_none_or(is_long_ago);
        let is_signed_in = sign_in.grant() != Grant::Person || known.refresh_sealed.is_some();
        if !is_signed_in || !is_due {
            return Ok(false);
        }
        // The present token is as good as another, and stands in for one that was refused.
        let present = Bearer { token: SecretString::default(), serial: known.serial };
        self.bearer(sign_in, Some(&present)).await.map(|_| true)
    }

    /// Waits for renewals that have begun, half a minute at most: to be called before the process ends, so that it takes no new
    /// refresh token with it.
    pub async fn finish_renewals(&self) {
        self.renewals.close();
        if timeout(FINISH_MAX, self.renewals.wait()).await.is_err() {
            tracing::warn!("a renewal of a sign-in was not waited for any longer");
        }
        self.renewals.reopen();
    }

    async fn read(&self, account: &str) -> Result<Option<MailToken>, Failure> {
        let read = in_time(async { self.store.read().await?.mail_token(account).await }).await;
        read.map_err(|error| unavailable(&error))
    }

    /// What the record allows now. A token that was refused is none.
    fn standing(&self, sign_in: &SignIn, known: &MailToken, refused: Option<&Bearer>) -> Result<Standing, Failure> {
        let now = self.clock.now();
        let is_usable =
            known.made_for == sign_in.made_for() && refused.is_none_or(|refused| refused.serial < known.serial);
        let sealed = known.access_sealed.as_deref().filter(|_| is_usable);
        let valid = sealed.filter(|_| known.access_until_ms.is_some_and(|until| now < until.before(USED_UNTIL)));
        let Some(sealed) = valid else { return Ok(Standing::Due(None)) };
        let Some(sealer) = self.opener()? else { return Ok(Standing::Due(None)) };
        let opened = sealer.open(sealed, &context(known, ACCESS));
        let bearer = opened.map(|token| Bearer { token, serial: known.serial });
        Ok(match bearer {
            Some(bearer) if known.renew_ms.is_some_and(|from| now < from) => Standing::Good(bearer),
            other => Standing::Due(other),
        })
    }

    /// The key, to open what was sealed; none if its file is gone.
    fn opener(&self) -> Result<Option<Sealer>, Failure> {
        match self.key.sealer(Purpose::MailTokens) {
            Ok(sealer) => Ok(Some(sealer)),
            Err(KeyError::Absent(_)) => Ok(None),
            Err(error) => Err(keyless(error)),
        }
    }

    /// Renews the tokens as they are on record, unless another node does. Runs in a task of its own: who gives up waiting must
    /// not take a new refresh token with them.
    async fn renew(&self, sign_in: &SignIn, known: &MailToken) -> Result<Renewal, Failure> {
        let refresh = self.refresh_token(sign_in, known)?;
        let sealer = self.key.sealer_or_new(Purpose::MailTokens).map_err(keyless)?;
        if !self.claim(sign_in, known).await? {
            return Ok(Renewal::Elsewhere);
        }
        let asked = self.clock.now();
        match sign_in.renew(refresh.as_ref()).await {
            Ok(issued) => {
                let renewed = seal(&sealer, sign_in, &issued, asked).map_err(keyless)?;
                self.store_renewed(known, &renewed).await.map(|()| Renewal::Done)
            }
            Err(failure) => self.note_refusal(known, failure).await,
        }
    }

    /// The refresh token of a person's sign-in.
    fn refresh_token(&self, sign_in: &SignIn, known: &MailToken) -> Result<Option<SecretString>, Failure> {
        if sign_in.grant() != Grant::Person {
            return Ok(None);
        }
        let sealed = known.refresh_sealed.as_deref().ok_or_else(nobody_signed_in)?;
        if known.made_for != sign_in.made_for() {
            return Err(sign_in_again("the sign-in was for other settings (app registration, scope or mailbox)"));
        }
        let lost = || sign_in_again("the sign-in cannot be read: the key file beside the database is gone");
        let opened = self.opener()?.ok_or_else(lost)?.open(sealed, &context(known, REFRESH));
        let other =
            || sign_in_again("the sign-in cannot be read: it was stored with another key (store.key, or the key file)");
        opened.map(Some).ok_or_else(other)
    }

    async fn claim(&self, sign_in: &SignIn, known: &MailToken) -> Result<bool, Failure> {
        let now = self.clock.now();
        let until = now.after(sign_in.renewal_max() * 2 + STORE_MAX + CLAIM_GRACE);
        let claimed = in_time(async {
            let mut tx = self.store.write().await?;
            let claimed = tx.mail_token_claim(&known.account, known.serial, until, now).await?;
            tx.commit().await.map(|()| claimed)
        });
        claimed.await.map_err(|error| unavailable(&error))
    }

    /// Stores what was issued before anybody uses it. Where somebody signed in or out meanwhile, theirs counts.
    async fn store_renewed(&self, known: &MailToken, renewed: &Renewed) -> Result<(), Failure> {
        let storing = async {
            while let Err(error) = self.write_renewed(known, renewed).await {
                tracing::warn!(account = known.account, %error, "a renewed sign-in could not be stored; trying again");
                tokio::time::sleep(STORE_AGAIN).await;
            }
        };
        timeout(STORE_MAX, storing).await.map_err(|_| silent())
    }

    async fn write_renewed(&self, known: &MailToken, renewed: &Renewed) -> Result<(), StoreError> {
        in_time(async {
            let mut tx = self.store.write().await?;
            tx.mail_token_renewed(&known.account, known.serial, renewed, self.clock.now()).await?;
            tx.commit().await
        })
        .await
    }

    /// Notes why nothing was issued. Where the tokens are others by now, those decide.
    async fn note_refusal(&self, known: &MailToken, failure: Failure) -> Result<Renewal, Failure> {
        let is_definite = failure.fault == Fault::AccountError;
        let words = failure.raw_text.clone().unwrap_or_default();
        let still = in_time(async {
            let mut tx = self.store.write().await?;
            let still = if is_definite {
                let (account, now) = (&known.account, self.clock.now());
                tx.mail_token_refused(account, known.serial, &words, failure.remedy, now).await?
            } else {
                tx.mail_token_free(&known.account, known.serial).await?;
                true
            };
            tx.commit().await.map(|()| still)
        });
        // If it cannot be noted, the claim ends by itself.
        Ok(if still.await.unwrap_or(true) { Renewal::Failed(failure) } else { Renewal::Done })
    }

    async fn ensure(&self, sign_in: &SignIn) -> Result<(), Failure> {
        if sign_in.grant() == Grant::Person {
            return Err(nobody_signed_in());
        }
        let made = in_time(async {
            let mut tx = self.store.write().await?;
            tx.mail_token_ensure(sign_in.account(), &sign_in.made_for()).await?;
            tx.commit().await
        });
        made.await.map_err(|error| unavailable(&error))
    }
}

#[async_trait]
impl TokenKeeper for MailTokens {
    async fn bearer(&self, sign_in: &Arc<SignIn>, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        let (asked, mut renewals) = (self.clock.now(), 0);
        loop {
            let Some(known) = self.read(sign_in.account()).await? else {
                self.ensure(sign_in).await?;
                continue;
            };
            let still_valid = match self.standing(sign_in, &known, refused)? {
                Standing::Good(bearer) => return Ok(bearer),
                // What was just issued for a few seconds is used for those.
                Standing::Due(Some(bearer)) if renewals > 0 => return Ok(bearer),
                Standing::Due(bearer) => bearer,
            };
            if let Some(failure) = refused_since(&known, asked) {
                return Err(failure);
            }
            if renewals == RENEWALS_MAX {
                let failure = Failure::new(Fault::ProtocolError).about(About::Path).remedy(Remedy::WaitForRelay);
                return Err(failure.text("the sign-in service issues tokens that have ended already"));
            }
            match self.renew_apart(sign_in, known).await {
                Ok(Renewal::Done) => renewals += 1,
                Ok(Renewal::Failed(failure)) if failure.fault == Fault::AccountError => return Err(failure),
                Ok(Renewal::Failed(failure)) | Err(failure) => return still_valid.ok_or(failure),
                Ok(Renewal::Elsewhere) => match still_valid {
                    Some(bearer) => return Ok(bearer),
                    None => self.clock.sleep(LOOK_EVERY).await,
                },
            }
        }
    }
}

impl MailTokens {
    /// [`MailTokens::renew`] in a task that ends by itself.
    async fn renew_apart(&self, sign_in: &Arc<SignIn>, known: MailToken) -> Result<Renewal, Failure> {
        let Some(turn) = self.turns.take(sign_in.account()) else { return Ok(Renewal::Elsewhere) };
        let (keeper, sign_in) = (self.clone(), sign_in.clone());
        let renewing = self.renewals.spawn(async move {
            let _turn = turn;
            keeper.renew(&sign_in, &known).await
        });
        let broken =
            |_| Failure::new(Fault::ProviderError).about(About::Path).text("the renewal of the token was broken off");
        renewing.await.map_err(broken)?
    }
}

/// Seals what was issued at that time.
fn seal(sealer: &Sealer, sign_in: &SignIn, issued: &Issued, at: Timestamp) -> Result<Renewed, KeyError> {
    let made_for = sign_in.made_for();
    let place = |field| context_of(sign_in.account(), &made_for, field);
    let refresh = issued.refresh.as_ref().filter(|_| sign_in.grant() == Grant::Person);
    let early = RENEWED_BEFORE.min(issued.life / 4);
    Ok(Renewed {
        refresh_sealed: refresh.map(|token| sealer.seal(token, &place(REFRESH))).transpose()?,
        access_sealed: sealer.seal(&issued.access, &place(ACCESS))?,
        renew_ms: at.after(issued.life - early),
        access_until_ms: at.after(issued.life),
        made_for,
    })
}

/// The refusal that another caller, or another node, has met since then.
fn refused_since(known: &MailToken, asked: Timestamp) -> Option<Failure> {
    known.refused_last_ms.filter(|refused| *refused >= asked)?;
    let failure = Failure::new(Fault::AccountError).about(About::Account);
    let failure = failure.text(known.refusal.as_deref().unwrap_or_default());
    Some(Failure { remedy: known.refusal_remedy, ..failure })
}

/// Which token a sealed text is.
const ACCESS: &str = "access";
const REFRESH: &str = "refresh";

fn context(known: &MailToken, field: &str) -> Vec<u8> {
    context_of(&known.account, &known.made_for, field)
}

/// What is sealed for one account, one set of settings and one field opens nowhere else.
fn context_of(account: &str, made_for: &str, field: &str) -> Vec<u8> {
    [account, made_for, field].join("\0").into_bytes()
}

fn sign_in_again(words: &str) -> Failure {
    nobody_signed_in().text(words)
}

/// No key: what the configuration or the file lacks is about the account; trouble with reading it passes.
fn keyless(error: KeyError) -> Failure {
    match error {
        KeyError::Unusable(words) => Failure::new(Fault::AccountError).about(About::Account).text(words),
        KeyError::Absent(words) | KeyError::Unavailable(words) => {
            Failure::new(Fault::ProviderError).about(About::Path).text(words)
        }
    }
}

fn unavailable(_: &StoreError) -> Failure {
    silent()
}

/// The database did not do its part.
fn silent() -> Failure {
    let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
    failure.text("the database did not answer when it was asked for the sign-in")
}
