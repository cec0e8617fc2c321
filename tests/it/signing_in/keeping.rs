//! What is kept between two uses: sealed, renewed before its end by one node for all, the newest refresh token never lost. On
//! both databases.

use std::time::Duration;

use touchline::domain::{Fault, Remedy};
use touchline::provider::sign_in::TokenKeeper;

use super::{ACCOUNT, Node, SCOPE, key};
use crate::support::clock::FakeClock;
use crate::support::databases::{each_database, each_db};
use crate::support::token_server::{CANARY, SECRET, TokenServer};

#[tokio::test]
async fn a_token_serves_all_nodes_until_shortly_before_its_end() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        let nodes = [0; 3].map(|_| Node::of_application(&store, &server, &clock));
        let first = nodes[0].token().await.expect("issued");
        clock.advance(Duration::from_secs(3599 - 301));
        for node in &nodes {
            assert_eq!(node.token().await.expect("kept"), first);
        }
        assert_eq!(server.asked("client_credentials"), 1);
        clock.advance(Duration::from_secs(2));
        let second = nodes[1].token().await.expect("renewed");
        assert_ne!(second, first);
        assert_eq!(nodes[2].token().await.expect("kept"), second);
        assert_eq!(server.asked("client_credentials"), 2);
    })
    .await;
}

#[tokio::test]
async fn of_many_callers_on_two_nodes_one_renews_and_all_take_what_it_got() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let nodes = [0; 2].map(|_| Node::of_person(&store, &server, &clock));
        nodes[0].person_signs_in(&server).await;
        clock.advance(Duration::from_secs(3600));
        let (release, held) = tokio::sync::watch::channel(false);
        server.hold(held);
        let callers: Vec<_> =
            (0..12).map(|n| nodes[n % 2].clone()).map(|node| tokio::spawn(async move { node.token().await })).collect();
        // Whoever renews is held at the service; the others look for what it brings.
        nodes[0].until_claimed().await;
        release.send_replace(true);
        let mut got = Vec::new();
        for caller in callers {
            got.push(caller.await.expect("no panic").expect("a token"));
        }
        got.dedup();
        assert_eq!((got.len(), server.asked("refresh_token")), (1, 1), "one request, one token for all");
    })
    .await;
}

#[tokio::test]
async fn the_newest_refresh_token_is_used_for_months_over_restarts_of_any_node() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        Node::of_person(&store, &server, &clock).person_signs_in(&server).await;
        for renewal in 1..=8 {
            clock.advance(Duration::from_secs(20 * 24 * 3600));
            let node = Node::of_person(&store, &server, &clock);
            node.token().await.unwrap_or_else(|failure| panic!("renewal {renewal}: {failure:?}"));
        }
        let presented: Vec<_> =
            server.requests().into_iter().filter_map(|mut fields| fields.remove("refresh_token")).collect();
        let mut once = presented.clone();
        once.dedup();
        assert_eq!((presented.len(), once.len()), (8, 8), "each served once");
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_no_new_refresh_token_with_it() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        clock.advance(Duration::from_secs(3600));
        let (release, caller) = node.held_renewal(&server).await;
        caller.abort();
        release.send_replace(true);
        node.tokens.finish_renewals().await;
        assert_eq!(node.tokens.all().await.expect("read")[0].claimed_until_ms, None, "who ends waits for it");
        node.token().await.expect("what it brought was stored");
        assert_eq!(server.asked("refresh_token"), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_token_can_be_read_in_the_database() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        let known = node.tokens.all().await.expect("read").remove(0);
        assert_eq!((known.account.as_str(), known.signed_in_as.as_deref()), (ACCOUNT, Some("office@harbor.example")));
        for sealed in [&known.refresh_sealed, &known.access_sealed] {
            let octets = sealed.as_deref().expect("there");
            assert!(!octets.windows(CANARY.len()).any(|octets| octets == CANARY.as_bytes()));
        }
        assert!(!format!("{node_tokens:?} {known:?}", node_tokens = node.tokens).contains("harbor"));

        // Another key opens nothing, and asks nobody.
        let stranger = Node::with(&store, &server.settings(true), &[], key("x"), &clock);
        let before = server.requests().len();
        let failure = stranger.token().await.expect_err("another key");
        assert_eq!((failure.fault, failure.remedy), (Fault::AccountError, Some(Remedy::SignIn)));
        assert!(failure.raw_text.is_some_and(|words| words.contains("another key")));
        assert_eq!(server.requests().len(), before);
    })
    .await;
}

#[tokio::test]
async fn a_sqlite_file_carries_no_token_in_any_of_its_octets() {
    each_database(async |database| {
        let Some(path) = database.url.strip_prefix("sqlite:") else { return };
        let store = database.open().await;
        store.migrate().await.expect("made");
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        Node::of_application(&store, &server, &clock).token().await.expect("issued");
        store.close().await;
        let octets = std::fs::read(path).expect("the file");
        for secret in [CANARY, SECRET] {
            assert!(!octets.windows(secret.len()).any(|octets| octets == secret.as_bytes()), "{secret}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_issued_for_other_settings_is_not_used() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        Node::of_person(&store, &server, &clock).person_signs_in(&server).await;
        let settings = server.settings(true).replace("office@harbor.example", "other@harbor.example");
        let moved = Node::with(&store, &settings, &[], key("k"), &clock);
        let failure = moved.token().await.expect_err("another mailbox");
        assert_eq!(failure.remedy, Some(Remedy::SignIn));
        assert!(failure.raw_text.is_some_and(|words| words.contains("other settings")));
        Node::of_person(&store, &server, &clock).token().await.expect("the first settings still have theirs");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_now_is_used_to_its_end() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        node.person_signs_in(&server).await;
        let first = node.token().await.expect("issued");
        clock.advance(Duration::from_secs(3599 - 200));
        server.refuse(Some((503, serde_json::json!({ "error": "temporarily_unavailable" }))));
        assert_eq!(node.token().await.expect("still valid"), first);
        clock.advance(Duration::from_secs(200));
        let failure = node.token().await.expect_err("it has ended");
        assert_eq!((failure.fault, failure.remedy), (Fault::ProviderError, Some(Remedy::WaitForRelay)));
        server.refuse(None);
        assert_ne!(node.token().await.expect("renewed"), first);
    })
    .await;
}

#[tokio::test]
async fn tokens_that_end_at_once_are_not_asked_for_without_end() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        server.lives(0);
        let failure = Node::of_application(&store, &server, &clock).token().await.expect_err("of no use");
        assert_eq!(failure.fault, Fault::ProtocolError);
        assert!(server.requests().len() <= 2);
        server.lives(40);
        Node::of_application(&store, &server, &clock).token().await.expect("used for ten seconds");
    })
    .await;
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_met_the_refusal() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        let nodes = [0; 2].map(|_| Node::of_application(&store, &server, &clock));
        let refused = nodes[0].tokens.bearer(&nodes[0].sign_in, None).await.expect("issued");
        let mut serials = Vec::new();
        for node in &nodes {
            serials.push(node.tokens.bearer(&node.sign_in, Some(&refused)).await.expect("another").serial);
        }
        assert!(serials[0] > refused.serial && serials[0] == serials[1], "{serials:?}");
        assert_eq!(server.asked("client_credentials"), 2);
    })
    .await;
}
