//! From the letter to the sign-in and back: a sign-in that ends pauses the account and costs no letter a try, and the letters go
//! out once somebody has signed in again.

use std::io::Write as _;

use tempfile::NamedTempFile;
use touchline::accounts::acts;
use touchline::domain::message::Message;
use touchline::domain::{Actor, Channel, MessageStatus, PolicyReason, Remedy};
use touchline::store::records::provider_state::ProviderState;
use touchline::wording::attention::{PausedAccount, Signs, needs};

use super::{SCOPE, sign_in};
use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::token_server::TokenServer;
use crate::support::token_smtp::TokenSmtp;

const RELAY: &str = "mail-sandbox";

/// A gateway whose mail goes by a relay that wants tokens.
struct Scene {
    gateway: TestGateway,
    server: TokenServer,
    relay: TokenSmtp,
}

impl Scene {
    /// A person signs in for the relay.
    async fn signs_in(&self) -> bool {
        let gateway = &self.gateway.gateway;
        let account = gateway.accounts.get(RELAY).expect("configured");
        let how = account.layered.provider().sign_in().expect("it signs in").clone();
        sign_in(&gateway.mail_tokens, &how, &self.server).await
    }

    async fn send_to(&self, count: usize) {
        let names: Vec<(String, String)> =
            (0..count).map(|n| (format!("Reader{n}"), format!("reader{n}@office{n}.example"))).collect();
        let people: Vec<_> = names.iter().map(|(name, at)| (name.as_str(), None, Some(at.as_str()))).collect();
        self.gateway.know(&people).await;
        self.gateway.send_via("introduction", "all", &[Channel::Email]).await;
    }

    async fn paused(&self) -> ProviderState {
        let gateway = &self.gateway;
        gateway
            .until("the account to be paused", async || {
                let states = gateway.store().read().await.expect("tx").provider_states(false).await.expect("read");
                states.into_iter().find(|state| state.provider == RELAY && state.paused_ms.is_some())
            })
            .await
    }

    /// Waits until so many letters wait for the account: queued, and with no try used up.
    async fn all_wait(&self, count: usize) {
        let waits = |one: &&Message| {
            one.status == MessageStatus::Queued && one.reason == Some(PolicyReason::ProviderPaused.into())
        };
        let waiting = self
            .gateway
            .until("every letter to wait", async || {
                let messages = self.gateway.messages().await;
                let waiting: Vec<Message> = messages.iter().filter(waits).cloned().collect();
                (waiting.len() == count).then_some(waiting)
            })
            .await;
        assert!(waiting.iter().all(|one| one.tries == 0), "{waiting:?}");
    }
}

async fn each_scene(test: impl AsyncFn(&Scene)) {
    each_database(async |database| {
        let far = FarSide::start().await;
        let server = TokenServer::start(SCOPE, false).await;
        let relay = TokenSmtp::start(&server).await;
        let mut key = NamedTempFile::new().expect("a file");
        writeln!(key, "{}", "k".repeat(44)).expect("written");
        let own = format!("{}messages_per_connection_max = 1\n", server.settings(true));
        let store = format!("[store]\nkey = {{ file = {:?} }}\n", key.path());
        let change = |settings: String| {
            far.with_mail_by(relay.port, &settings)
                .replace("[store]\n", &store)
                .replace("[providers.mail-sandbox]\n", &format!("[providers.mail-sandbox]\n{own}"))
        };
        let gateway = TestGateway::start(database, &far, change).await;
        let mut scene = Scene { gateway, server, relay };
        test(&scene).await;
        scene.gateway.drain().await;
        scene.gateway.finish(&far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_sign_in_pauses_the_relay_and_burns_no_letter() {
    each_scene(async |scene| {
        assert!(!scene.signs_in().await);
        scene.send_to(2).await;
        scene.gateway.settled().await;
        assert_eq!(scene.relay.taken().len(), 2);

        scene.server.revoke();
        scene.send_to(6).await;
        let state = scene.paused().await;
        assert_eq!((state.paused_remedy, state.resumes_ms), (Some(Remedy::SignIn), None));
        let reason = state.paused_reason.clone().expect("a reason");
        assert!(!reason.contains("canary") && !reason.contains('@'), "{reason}");
        scene.all_wait(6).await;
        let paused =
            PausedAccount { account: RELAY.into(), reason: Some(reason), remedy: state.paused_remedy, until: None };
        let told = needs(&Signs { paused: vec![paused], ..Signs::default() }).remove(0);
        assert!(told.sentence.contains("`touchline mail login mail-sandbox`"), "{}", told.sentence);

        assert!(scene.signs_in().await, "signing in resumes the account");
        let ledger = scene.gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (8, 0));
        assert_eq!(scene.relay.taken().len(), 8, "each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_for_the_first_sign_in() {
    each_scene(async |scene| {
        scene.send_to(3).await;
        assert_eq!(scene.paused().await.paused_remedy, Some(Remedy::SignIn));
        scene.all_wait(3).await;
        assert_eq!(scene.relay.logins(), (0, 0), "nobody knocked without a token");
        assert!(scene.signs_in().await);
        assert_eq!(scene.gateway.settled().await.delivered, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_lets_no_token_in_pauses_the_relay_until_its_administrator_allows_it() {
    each_scene(async |scene| {
        scene.signs_in().await;
        scene.relay.refuse_all(true);
        scene.send_to(4).await;
        let state = scene.paused().await;
        assert_eq!(state.paused_remedy, Some(Remedy::MailboxAccess));
        assert!(state.paused_reason.is_some_and(|words| words.contains("token status 400")));
        scene.all_wait(4).await;
        scene.relay.refuse_all(false);
        let (store, now) = (scene.gateway.store(), scene.gateway.gateway.clock.now());
        acts::resume(store, RELAY, &Actor::operator("sam"), now).await.expect("resumed");
        let ledger = scene.gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (4, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_knows_a_token_no_more_is_shown_another_and_no_letter_notices() {
    each_scene(async |scene| {
        scene.signs_in().await;
        scene.server.forget_access();
        scene.send_to(5).await;
        let ledger = scene.gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (5, 0));
        assert_eq!(scene.server.asked("refresh_token"), 1, "renewed once for all connections");
    })
    .await;
}
