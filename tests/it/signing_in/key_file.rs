//! The key beside the database is lost, cannot be read for a while, or is no key.

use std::time::Duration;

use touchline::domain::{About, Fault, Remedy};
use touchline::sealing::KeyPlace;

use super::{Node, SCOPE};
use crate::support::clock::FakeClock;
use crate::support::databases::each_db;
use crate::support::token_server::{SECRET, TokenServer};

#[tokio::test]
async fn a_lost_key_file_asks_for_a_sign_in_which_makes_another_and_trouble_with_one_passes() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, false).await, FakeClock::new());
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("place");
        std::fs::create_dir(&place).expect("made");
        let file = place.join("touchline.db.key");
        let node = Node::with(&store, &server.settings(true), &[], KeyPlace::File(file.clone()), &clock);
        node.person_signs_in(&server).await;
        let first = node.token().await.expect("signed in");

        // The folder is away, and something else has its name.
        let away = folder.path().join("away");
        std::fs::rename(&place, &away).expect("moved");
        std::fs::write(&place, "no folder").expect("written");
        let failure = node.token().await.expect_err("it cannot be read now");
        assert_eq!((failure.fault, failure.about), (Fault::ProviderError, Some(About::Path)), "{failure:?}");
        std::fs::remove_file(&place).expect("gone");
        std::fs::rename(&away, &place).expect("moved back");
        assert_eq!(node.token().await.expect("it passed"), first);

        std::fs::remove_file(&file).expect("lost");
        for _ in 0..2 {
            let failure = node.token().await.expect_err("lost");
            assert_eq!((failure.fault, failure.remedy), (Fault::AccountError, Some(Remedy::SignIn)), "{failure:?}");
            clock.advance(Duration::from_secs(3600));
        }
        node.person_signs_in(&server).await;
        node.token().await.expect("sealed with another key");

        std::fs::write(&file, "short").expect("written");
        let failure = node.token().await.expect_err("no key");
        assert_eq!((failure.fault, failure.remedy), (Fault::AccountError, None), "{failure:?}");
    })
    .await;
}

#[tokio::test]
async fn an_app_whose_key_file_was_lost_gets_another_token_by_itself() {
    each_db(async |store| {
        let (server, clock) = (TokenServer::start(SCOPE, true).await, FakeClock::new());
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("touchline.db.key");
        let (settings, key) = (server.settings(false), KeyPlace::File(file.clone()));
        let node = Node::with(&store, &settings, &[("client_secret", SECRET)], key, &clock);
        let first = node.token().await.expect("issued");
        std::fs::remove_file(&file).expect("lost");
        assert_ne!(node.token().await.expect("issued anew"), first);
    })
    .await;
}
