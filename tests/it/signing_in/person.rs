//! A person signs in: by a code on another device, or in a browser that comes back; and signs out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use touchline::domain::{Actor, AuditAct, Clock, Remedy, Timestamp};
use touchline::provider::sign_in::{SignIn, Unkept};
use touchline::store::Store;

use super::{ACCOUNT, Node, SCOPE, provider};
use crate::support::clock::FakeClock;
use crate::support::databases::each_db;
use crate::support::token_server::{MAILBOX, TokenServer};

/// Waits in no time, and notes how long.
#[derive(Debug, Default)]
struct Leaping {
    now: AtomicI64,
    waits: AtomicUsize,
}

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        self.now.fetch_add(wait.as_millis() as i64, Ordering::SeqCst);
        self.waits.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

fn person(server: &TokenServer, clock: &Arc<Leaping>) -> Arc<SignIn> {
    let account = provider(&server.settings(true), &[], Arc::new(Unkept), clock.clone());
    account.sign_in().expect("it signs in").clone()
}

#[tokio::test]
async fn a_code_on_another_device_is_waited_for_as_slowly_as_the_service_wants() {
    let (server, clock) = (TokenServer::start(SCOPE, false).await, Arc::new(Leaping::default()));
    server.device_hears(&["authorization_pending", "slow_down", "authorization_pending"]);
    let sign_in = person(&server, &clock);
    let device = sign_in.begin_device().await.expect("a code");
    assert_eq!((device.user_code.as_str(), device.address.as_str()), ("WDJB-MJHT", "https://id.example/device"));
    let issued = sign_in.wait_for_device(&device).await.expect("signed in");
    assert_eq!(issued.person.as_deref(), Some(MAILBOX));
    assert_eq!(clock.now(), Timestamp((5 + 5 + 10 + 10) * 1000), "five seconds more after slow_down");
    assert!(server.requests().iter().all(|fields| fields["client_id"].len() == 36));
}

#[tokio::test]
async fn a_code_that_nobody_types_ends_and_a_refusal_ends_it_at_once() {
    for (word, waits) in [("authorization_pending", 180), ("access_denied", 1), ("expired_token", 1)] {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, Arc::new(Leaping::default()));
        server.device_hears(&vec![word; 200]);
        let sign_in = person(&server, &clock);
        let device = sign_in.begin_device().await.expect("a code");
        let failure = sign_in.wait_for_device(&device).await.expect_err("nobody came");
        assert_eq!(failure.remedy, Some(Remedy::SignIn), "{word}");
        assert_eq!(clock.waits.load(Ordering::SeqCst), waits, "{word}");
    }
}

#[tokio::test]
async fn a_browser_brings_a_code_that_only_its_verifier_redeems_and_only_once() {
    let (server, clock) = (TokenServer::start(SCOPE, false).await, Arc::new(Leaping::default()));
    let sign_in = person(&server, &clock);
    let redirect = "http://127.0.0.1:49152";
    let pending = sign_in.begin_browser(redirect).expect("an address");
    let landed = server.sign_in_at(pending.address.as_str()).await;
    let code = pending.read(&landed).expect("ours");
    let other = sign_in.begin_browser(redirect).expect("an address");
    assert!(other.read(&landed).is_err(), "another sign-in's answer");
    let issued = sign_in.redeem(&pending, &code).await.expect("redeemed");
    assert!(issued.refresh.is_some());
    assert!(sign_in.redeem(&pending, &code).await.is_err(), "a code serves once");

    let landed = server.sign_in_at(pending.address.as_str()).await;
    let stolen = pending.read(&landed).expect("ours");
    let failure = sign_in.redeem(&other, &stolen).await.expect_err("another verifier");
    assert_eq!(failure.remedy, Some(Remedy::SignIn));
    assert!(!format!("{pending:?} {issued:?} {failure:?}").contains(code.expose_secret()));
}

async fn acts(store: &Store) -> Vec<(AuditAct, Option<String>)> {
    let page = store.read().await.expect("tx").audit_page(&[], 0, 20).await.expect("read");
    page.into_iter().rev().map(|line| (line.action, line.subject)).collect()
}

#[tokio::test]
async fn a_sign_in_and_a_sign_out_are_recorded_and_the_latter_forgets_everything() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        let nobody = node.token().await.expect_err("nobody yet");
        assert_eq!(nobody.remedy, Some(Remedy::SignIn));
        assert!(!node.person_signs_in(&server).await, "no pause was ended");
        node.token().await.expect("signed in");
        assert!(node.tokens.sign_out(ACCOUNT, &Actor::operator("sam")).await.expect("forgotten"));
        assert!(!node.tokens.sign_out(ACCOUNT, &Actor::operator("sam")).await.expect("nothing left"));
        let known = node.tokens.all().await.expect("read").remove(0);
        assert!(known.refresh_sealed.is_none() && known.access_sealed.is_none() && known.signed_in_as.is_none());
        assert_eq!(node.token().await.expect_err("nobody any more").remedy, Some(Remedy::SignIn));
        let account = Some(ACCOUNT.to_owned());
        assert_eq!(acts(&store).await, [(AuditAct::MailLogin, account.clone()), (AuditAct::MailLogout, account)]);
        node.person_signs_in(&server).await;
        node.token().await.expect("signed in again");
    })
    .await;
}

#[tokio::test]
async fn a_renewal_that_comes_back_after_a_sign_out_changes_nothing() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        clock.advance(Duration::from_secs(3600));
        let (release, caller) = node.held_renewal(&server).await;
        node.tokens.sign_out(ACCOUNT, &Actor::operator("sam")).await.expect("forgotten");
        release.send_replace(true);
        assert_eq!(caller.await.expect("no panic").expect_err("signed out").remedy, Some(Remedy::SignIn));
        assert!(node.tokens.all().await.expect("read")[0].access_sealed.is_none());
    })
    .await;
}
