//! Signing in to a mailbox instead of logging in with a password: what is kept of it, how it is renewed by one node for all, how a
//! person signs in, and what happens when a sign-in ends.

mod dovecot;
mod ending;
mod keeping;
mod key_file;
mod person;
mod resuming;
mod running;

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use touchline::accounts::mail_tokens::MailTokens;
use touchline::accounts::mail_tokens::acts::AfterSignIn;
use touchline::domain::fault::Failure;
use touchline::domain::{Actor, Clock};
use touchline::provider::Provider;
use touchline::provider::sign_in::{SignIn, TokenKeeper};
use touchline::sealing::KeyPlace;
use touchline::store::Store;

use crate::smtp::Relay;
use crate::support::clock::FakeClock;
use crate::support::token_server::{SECRET, TokenServer};

/// The account in all of these.
const ACCOUNT: &str = "office";
const SCOPE: &str = "mail offline_access";

fn key(text: &str) -> KeyPlace {
    KeyPlace::Given(SecretString::from(text.repeat(40)))
}

/// A node: its own keeper of tokens, over a database that others may share.
#[derive(Clone)]
struct Node {
    tokens: Arc<MailTokens>,
    sign_in: Arc<SignIn>,
}

impl Node {
    /// One whose account a person signs in for.
    fn of_person(store: &Store, server: &TokenServer, clock: &Arc<FakeClock>) -> Self {
        Self::with(store, &server.settings(true), &[], key("k"), clock)
    }

    /// One whose account signs in by itself.
    fn of_application(store: &Store, server: &TokenServer, clock: &Arc<FakeClock>) -> Self {
        Self::with(store, &server.settings(false), &[("client_secret", SECRET)], key("k"), clock)
    }

    fn with(
        store: &Store,
        settings: &str,
        secrets: &[(&'static str, &str)],
        key: KeyPlace,
        clock: &Arc<FakeClock>,
    ) -> Self {
        let shared: Arc<dyn Clock> = clock.clone();
        let tokens = Arc::new(MailTokens::new(store.clone(), key, shared.clone()));
        let provider = provider(settings, secrets, tokens.clone(), shared);
        Self { tokens, sign_in: provider.sign_in().expect("it signs in").clone() }
    }

    /// A person signs in in a browser; whether that ended a pause.
    async fn person_signs_in(&self, server: &TokenServer) -> bool {
        sign_in(&self.tokens, &self.sign_in, server).await
    }

    /// Waits until a node renews the tokens.
    async fn until_claimed(&self) {
        while self.tokens.all().await.expect("read")[0].claimed_until_ms.is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// A caller that renews the tokens and is held at the service until it is released.
    async fn held_renewal(&self, server: &TokenServer) -> (watch::Sender<bool>, JoinHandle<Result<String, Failure>>) {
        let (release, held) = watch::channel(false);
        server.hold(held);
        let node = self.clone();
        let caller = tokio::spawn(async move { node.token().await });
        self.until_claimed().await;
        (release, caller)
    }

    /// The token that a login would use.
    async fn token(&self) -> Result<String, Failure> {
        let bearer = self.tokens.bearer(&self.sign_in, None).await?;
        Ok(bearer.token.expose_secret().to_owned())
    }
}

/// A person signs in in a browser, and the relay is found to be good; whether that ended a pause.
async fn sign_in(tokens: &MailTokens, sign_in: &SignIn, server: &TokenServer) -> bool {
    let pending = sign_in.begin_browser("http://127.0.0.1:49152").expect("an address");
    let landed = server.sign_in_at(pending.address.as_str()).await;
    let code = pending.read(&landed).expect("a code");
    let issued = sign_in.redeem(&pending, &code).await.expect("redeemed");
    let dana = Actor::operator("dana");
    tokens.sign_in(sign_in, &issued, &dana).await.expect("stored");
    let after = tokens.resume_signed_in(sign_in.account(), true, &dana).await.expect("looked");
    after == AfterSignIn::Resumed
}

fn provider(
    settings: &str,
    secrets: &[(&'static str, &str)],
    tokens: Arc<dyn TokenKeeper>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Provider> {
    let settings = format!("tls = \"off\"\n{settings}");
    let mut account = Relay::new(9, &settings);
    account.secrets = secrets.iter().map(|(key, secret)| (*key, (*secret).to_owned())).collect();
    account.tokens = tokens;
    account.clock = clock;
    account.provider()
}
