//! Signing in to a mail service by OAuth 2.0 instead of with a password: who signs in, where, and how a token is renewed.
//! A mailbox needs the same as a relay, so this is neither's. `settings` reads an account's section, `authority` knows the
//! services, `denial` puts a refusal into words, `scope` compares what was granted with what was asked for, `keeper` is what holds the tokens between two uses.

mod authority;
mod denial;
mod keeper;
mod scope;
mod settings;

use std::fmt;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use self::authority::{Access, Authority};
pub use self::keeper::{Bearer, TokenKeeper, Unkept, nobody_signed_in};
pub use self::settings::{SETTINGS, Settings};

use crate::domain::Clock;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::domain::words::words;
use crate::http::oauth::assertion::{GRANT_TYPE, ServiceKey};
use crate::http::oauth::code::{Pending, no_randomness};
use crate::http::oauth::device::Device;
use crate::http::oauth::exchange::{Denied, Endpoint, Issued};

words! {
    /// Who signs in. It follows from what the account's section gives.
    Grant {
        /// A person, once, for the mailbox: a refresh token keeps the sign-in alive (RFC 6749 §6).
        Person = "person",
        /// The practice's app registration, with its secret (RFC 6749 §4.4).
        Application = "application",
        /// A service account in the name of the mailbox, with its key (RFC 7523).
        ServiceAccount = "service_account",
    }
}

impl Grant {
    /// As a clause: "signs in as …" without a verb.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::Person => "OAuth, a person's sign-in",
            Self::Application => "OAuth, client credentials of the app registration",
            Self::ServiceAccount => "OAuth, a service account with domain-wide delegation",
        }
    }
}

/// How one account signs in. Prints its name and grant only.
pub struct SignIn {
    account: String,
    mailbox: String,
    authority: Authority,
    grant: Grant,
    client_id: String,
    client_secret: Option<SecretString>,
    service_key: Option<ServiceKey>,
    token: Endpoint,
    device: Option<Endpoint>,
    authorize: Option<Url>,
    scope: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("account", &self.account).field("grant", &self.grant).finish_non_exhaustive()
    }
}

impl SignIn {
    /// The account's name in the configuration.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The mailbox that is signed in to.
    #[must_use]
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// Who signs in.
    #[must_use]
    pub const fn grant(&self) -> Grant {
        self.grant
    }

    /// The service.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.authority
    }

    /// The longest that renewing a token takes.
    #[must_use]
    pub const fn renewal_max(&self) -> std::time::Duration {
        self.token.timeout()
    }

    /// A word for what tokens are issued for: another client, scope or mailbox has another. It holds no secret, and the word
    /// stays the same when a secret is renewed.
    #[must_use]
    pub fn made_for(&self) -> String {
        let parts = [
            self.grant.as_str(),
            self.token.url().as_str(),
            self.service_key.as_ref().map_or(&self.client_id, |key| &key.issuer),
            &self.scope,
            &self.mailbox,
        ];
        hex::encode(&digest(&SHA256, parts.join("\0").as_bytes()).as_ref()[..16])
    }

    /// Gets another access token, for a person by the refresh token of the sign-in.
    ///
    /// # Errors
    /// Why there is none. `account_error` with a remedy where a person is needed; otherwise it may work later.
    pub async fn renew(&self, refresh: Option<&SecretString>) -> Result<Issued, Failure> {
        let scope = ("scope", self.scope.as_str());
        let issued = match (self.grant, refresh) {
            (Grant::Person, None) => return Err(nobody_signed_in()),
            (Grant::Person, Some(refresh)) => {
                let own = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret()), scope];
                self.token.ask(&self.with_client(&own), None).await
            }
            (Grant::Application, _) => {
                self.token.ask(&self.with_client(&[("grant_type", "client_credentials"), scope]), None).await
            }
            (Grant::ServiceAccount, _) => {
                let assertion = self.assertion()?;
                self.token.ask(&[("grant_type", GRANT_TYPE), ("assertion", assertion.expose_secret())], None).await
            }
        };
        issued.map_err(|denied| self.failure(denied))
    }

    /// Whether a person can sign in by a code on another device.
    #[must_use]
    pub const fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// Whether a person can sign in in a browser that comes back to this machine.
    #[must_use]
    pub const fn has_browser(&self) -> bool {
        self.authorize.is_some()
    }

    /// Begins a sign-in by a code on another device.
    ///
    /// # Errors
    /// The service has no such way, or refuses.
    pub async fn begin_device(&self) -> Result<Device, Failure> {
        let endpoint = self.device.as_ref().ok_or_else(no_such_way)?;
        let begun = Device::begin(endpoint, &self.client_id, &self.scope, self.clock.now()).await;
        begun.map_err(|denied| self.failure(denied))
    }

    /// Waits until the person has signed in, for a quarter of an hour at most.
    ///
    /// # Errors
    /// The person refused or did not come in time, or the service refuses.
    pub async fn wait_for_device(&self, device: &Device) -> Result<Issued, Failure> {
        let issued = device.wait(&self.token, &self.with_client(&[]), self.clock.as_ref()).await;
        self.lasting(issued.map_err(|denied| self.failure(denied))?)
    }

    /// The host of the address on this machine that the browser comes back to. Microsoft lets only `localhost` have any port;
    /// RFC 8252 §8.3 prefers the address itself.
    #[must_use]
    pub const fn redirect_host(&self) -> &'static str {
        match self.authority {
            Authority::Microsoft => "localhost",
            Authority::Google | Authority::Other => "127.0.0.1",
        }
    }

    /// Begins a sign-in in a browser that comes back to `redirect`.
    ///
    /// # Errors
    /// The service has no such way.
    pub fn begin_browser(&self, redirect: &str) -> Result<Pending, Failure> {
        let authorize = self.authorize.as_ref().ok_or_else(no_such_way)?;
        let mut further = self.authority.asked_of_the_person().to_vec();
        further.push(("login_hint", &self.mailbox));
        Pending::begin(authorize, &self.client_id, &self.scope, redirect, &further).ok_or_else(no_randomness)
    }

    /// Redeems the code that the browser brought.
    ///
    /// # Errors
    /// The service refuses.
    pub async fn redeem(&self, pending: &Pending, code: &SecretString) -> Result<Issued, Failure> {
        let issued = pending.redeem(&self.token, &self.with_client(&[]), code).await;
        self.lasting(issued.map_err(|denied| self.failure(denied))?)
    }

    /// A refusal of the service in a word, as a failure of this account.
    #[must_use]
    pub fn refused(&self, word: &str) -> Failure {
        let failure = Failure::new(Fault::AccountError).text(word);
        self.failure(Denied { failure, word: Some(word.to_owned()), number: None })
    }

    fn failure(&self, denied: Denied) -> Failure {
        denial::failure(self.grant, denied)
    }

    fn with_client<'a>(&'a self, own: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let secret = self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose_secret()));
        own.iter().copied().chain([("client_id", self.client_id.as_str())]).chain(secret).collect()
    }

    fn assertion(&self) -> Result<SecretString, Failure> {
        let audience = self.token.url().as_str();
        let key = self.service_key.as_ref().ok_or_else(no_such_way)?;
        key.sign(&self.scope, &self.mailbox, audience, self.clock.now()).ok_or_else(no_randomness)
    }

    /// A sign-in without permission for mail sends nothing, and one without a refresh token would end within the hour.
    fn lasting(&self, issued: Issued) -> Result<Issued, Failure> {
        if issued.scope.as_deref().is_some_and(|granted| !scope::grants_mail(&self.scope, granted)) {
            let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::SignIn);
            return Err(failure.text("permission for mail was not given: run it again and allow it"));
        }
        if issued.refresh.is_some() {
            return Ok(issued);
        }
        let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::AppRegistration);
        Err(failure.text(
            "no refresh token was issued: the sign-in would end within the hour. The scope must allow offline access",
        ))
    }
}

fn no_such_way() -> Failure {
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::AppRegistration);
    failure.text("the account has no address for this way of signing in")
}
