//! What a sign-in does to the pause of its account: it ends one that it puts right, once the relay was tried, and no other; and
//! what calls made before it bring back pauses nothing any more.

use std::sync::Arc;
use std::time::Duration;

use touchline::accounts::acts;
use touchline::accounts::mail_tokens::acts::AfterSignIn;
use touchline::domain::provider_state::Pause;
use touchline::domain::{Actor, Clock, Remedy, Timestamp};
use touchline::settle;
use touchline::store::Store;

use super::{ACCOUNT, Node, SCOPE};
use crate::support::clock::FakeClock;
use crate::support::databases::each_db;
use crate::support::token_server::TokenServer;

/// What a sign-in may put right.
const BY_SIGNING_IN: [Remedy; 7] = [
    Remedy::SignIn,
    Remedy::MailboxAccess,
    Remedy::AppRegistration,
    Remedy::OauthMicrosoft,
    Remedy::OauthGoogle,
    Remedy::AppPassword,
    Remedy::CheckPassword,
];

/// The account is paused because of a call that was made at that time.
async fn refused(store: &Store, remedy: Option<Remedy>, called: Timestamp, clock: &Arc<FakeClock>) {
    let pause = Pause { resumes_ms: None, reason: "535 no".to_owned(), remedy, called_ms: called };
    settle::pause_accounts(store, &[(ACCOUNT.to_owned(), pause)], clock.now()).await.expect("recorded");
}

async fn is_paused(store: &Store) -> bool {
    let states = store.read().await.expect("tx").provider_states(false).await.expect("read");
    states.iter().any(|state| state.provider == ACCOUNT && state.paused_ms.is_some())
}

#[tokio::test]
async fn a_good_sign_in_ends_the_pauses_that_it_puts_right_and_names_the_others() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let (node, dana) = (Node::of_person(&store, &server, &clock), Actor::operator("dana"));
        node.person_signs_in(&server).await;
        for remedy in Remedy::ALL.iter().copied().map(Some).chain([None]) {
            clock.advance(Duration::from_secs(1));
            refused(&store, remedy, clock.now(), &clock).await;
            let after = node.tokens.resume_signed_in(ACCOUNT, false, &dana).await.expect("looked");
            let AfterSignIn::StillPaused(state) = after else { panic!("{remedy:?}: {after:?}") };
            assert_eq!((state.paused_remedy, state.paused_reason.as_deref()), (remedy, Some("535 no")));
            let after = node.tokens.resume_signed_in(ACCOUNT, true, &dana).await.expect("looked");
            let is_put_right = remedy.is_some_and(|remedy| BY_SIGNING_IN.contains(&remedy));
            assert_eq!(after == AfterSignIn::Resumed, is_put_right, "{remedy:?}: {after:?}");
            assert_eq!(is_paused(&store).await, !is_put_right, "{remedy:?}");
            acts::resume(&store, ACCOUNT, &dana, clock.now()).await.expect("resumed");
        }
        acts::pause(&store, ACCOUNT, "inspection", &dana, clock.now()).await.expect("paused");
        assert!(!node.person_signs_in(&server).await, "an operator's own pause stays");
        assert!(is_paused(&store).await);
    })
    .await;
}

#[tokio::test]
async fn what_a_call_before_the_sign_in_brings_back_pauses_nothing() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        let before = clock.now();
        clock.advance(Duration::from_secs(5));
        assert!(!node.person_signs_in(&server).await, "it was not paused");
        clock.advance(Duration::from_secs(5));
        refused(&store, Some(Remedy::SignIn), before, &clock).await;
        assert!(!is_paused(&store).await, "old news");
        refused(&store, Some(Remedy::SignIn), clock.now(), &clock).await;
        assert!(is_paused(&store).await);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_without_permission_for_mail_replaces_none() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let node = Node::of_person(&store, &server, &clock);
        server.grants("mail offline_access");
        node.person_signs_in(&server).await;
        let known = node.tokens.all().await.expect("read");
        server.grants("offline_access openid");
        let pending = node.sign_in.begin_browser("http://127.0.0.1:49152").expect("an address");
        let landed = server.sign_in_at(pending.address.as_str()).await;
        let code = pending.read(&landed).expect("a code");
        let failure = node.sign_in.redeem(&pending, &code).await.expect_err("not for mail");
        assert_eq!(failure.remedy, Some(Remedy::SignIn));
        assert!(failure.raw_text.is_some_and(|words| words.contains("permission for mail was not given")));
        assert_eq!(node.tokens.all().await.expect("read"), known);
    })
    .await;
}
