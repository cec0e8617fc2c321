//! A sign-in ends: it is revoked, or it would end for want of use. What that is called, and who is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::domain::{About, Fault, Remedy};
use touchline::provider::sign_in::TokenKeeper;
use touchline::store::Store;
use touchline::upkeep::sign_ins::{self, Parts};

use super::{ACCOUNT, Node, SCOPE, provider};
use crate::support::clock::FakeClock;
use crate::support::databases::each_db;
use crate::support::token_server::{SECRET, TokenServer};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_revoked_sign_in_is_about_the_account_and_a_new_one_puts_it_right() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        clock.advance(Duration::from_secs(3600));
        server.revoke();
        let failure = node.token().await.expect_err("revoked");
        assert_eq!((failure.fault, failure.about), (Fault::AccountError, Some(About::Account)));
        assert_eq!(failure.remedy, Some(Remedy::SignIn));
        let known = node.tokens.all().await.expect("read").remove(0);
        assert_eq!(known.refusal.as_deref(), Some("the sign-in has ended or was revoked"));
        assert_eq!((known.refusal_remedy, known.claimed_until_ms), (Some(Remedy::SignIn), None));
        assert!(!format!("{failure:?} {:?}", known.refusal).contains("canary"), "no text of the service");

        // Another node that asks at the same moment hears the same without asking.
        let asked = server.requests().len();
        let other = Node::of_person(&store, &server, &clock);
        assert_eq!(other.token().await.expect_err("revoked").remedy, Some(Remedy::SignIn));
        assert_eq!(server.requests().len(), asked);

        node.person_signs_in(&server).await;
        other.token().await.expect("signed in again");
        assert_eq!(node.tokens.all().await.expect("read")[0].refused_ms, None);
    })
    .await;
}

#[tokio::test]
async fn microsofts_numbers_are_put_into_words() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        for (word, number, words, remedy) in [
            ("invalid_grant", 50173, "password was changed", Remedy::SignIn),
            ("invalid_grant", 700_082, "not used for too long", Remedy::SignIn),
            ("interaction_required", 50076, "second factor", Remedy::SignIn),
            ("invalid_client", 7_000_222, "client secret has expired", Remedy::AppRegistration),
        ] {
            clock.advance(Duration::from_secs(3600));
            server
                .refuse(Some((400, json!({ "error": word, "error_codes": [number], "error_description": "canary" }))));
            let failure = node.token().await.expect_err("refused");
            assert!(failure.raw_text.as_deref().is_some_and(|said| said.contains(words)), "{failure:?}");
            assert_eq!(failure.remedy, Some(remedy), "{number}");
            assert_eq!(failure.raw_code.as_deref(), Some(format!("{word} AADSTS{number}").as_str()));
        }
    })
    .await;
}

fn parts(store: &Store, server: &TokenServer, clock: &Arc<FakeClock>) -> (Parts, Node) {
    parts_of(Node::of_person(store, server, clock), &server.settings(true), &[], store, clock)
}

fn parts_of(
    node: Node,
    settings: &str,
    secrets: &[(&'static str, &str)],
    store: &Store,
    clock: &Arc<FakeClock>,
) -> (Parts, Node) {
    let tokens: Arc<dyn TokenKeeper> = node.tokens.clone();
    let provider = provider(settings, secrets, tokens, clock.clone());
    let second = Duration::from_secs(1);
    let limits = Limits { concurrency: 1, timeout: second, breaker_faults: 5, breaker_pause: second };
    let account = ConfiguredAccount::free(Layered::new(ACCOUNT, provider, limits, clock.clone()));
    let accounts = Accounts::new(BTreeMap::from([(ACCOUNT.to_owned(), account)]), Vec::new(), Vec::new());
    let parts =
        Parts { store: store.clone(), accounts: Arc::new(accounts), tokens: node.tokens.clone(), clock: clock.clone() };
    (parts, node)
}

#[tokio::test]
async fn a_sign_in_that_nobody_uses_is_renewed_once_a_day_and_one_that_ended_is_raised_on_that_day() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let ((one, node), (two, _)) = (parts(&store, &server, &clock), parts(&store, &server, &clock));
        assert_eq!(sign_ins::look_after(&one).await.expect("looked"), 0, "nobody has signed in yet");
        node.person_signs_in(&server).await;
        assert_eq!(sign_ins::look_after(&one).await.expect("looked"), 0);
        clock.advance(DAY);
        assert_eq!(sign_ins::look_after(&one).await.expect("looked"), 1);
        assert_eq!(sign_ins::look_after(&two).await.expect("looked"), 0, "another node has done it");
        assert_eq!(server.asked("refresh_token"), 1);

        clock.advance(DAY);
        server.revoke();
        assert_eq!(sign_ins::look_after(&two).await.expect("looked"), 0);
        let states = store.read().await.expect("tx").provider_states(false).await.expect("read");
        let paused =
            states.iter().find(|state| state.provider == ACCOUNT && state.paused_ms.is_some()).expect("paused");
        assert_eq!(paused.paused_remedy, Some(Remedy::SignIn));
        let asked = server.requests().len();
        for _ in 0..2 {
            clock.advance(DAY / 2 - Duration::from_secs(60));
            assert_eq!(sign_ins::look_after(&one).await.expect("looked"), 0);
        }
        assert_eq!(server.requests().len(), asked, "one that was refused is asked about once a day");
        clock.advance(Duration::from_secs(120));
        assert_eq!(sign_ins::look_after(&one).await.expect("looked"), 0);
        assert_eq!(server.requests().len(), asked + 1);
        clock.advance(Duration::from_secs(60));
        assert!(node.person_signs_in(&server).await, "signing in ends that pause");
        let states = store.read().await.expect("tx").provider_states(false).await.expect("read");
        assert!(states.iter().all(|state| state.paused_ms.is_none()));
    })
    .await;
}

#[tokio::test]
async fn an_app_that_signs_in_by_itself_is_kept_alive_too_and_its_ended_secret_is_raised() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        let node = Node::of_application(&store, &server, &clock);
        let (parts, node) = parts_of(node, &server.settings(false), &[("client_secret", SECRET)], &store, &clock);
        node.token().await.expect("issued");
        clock.advance(DAY);
        assert_eq!(sign_ins::look_after(&parts).await.expect("looked"), 1);
        assert_eq!(server.asked("client_credentials"), 2);
        clock.advance(DAY);
        server.refuse(Some((401, json!({ "error": "invalid_client" }))));
        assert_eq!(sign_ins::look_after(&parts).await.expect("looked"), 0);
        let states = store.read().await.expect("tx").provider_states(false).await.expect("read");
        assert_eq!(states[0].paused_remedy, Some(Remedy::AppRegistration));
    })
    .await;
}
