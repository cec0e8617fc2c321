//! Mailboxes: one node has one at a time, what was read is remembered, and what is to be done until it is.

use touchline::domain::fault::{Failure, Fault};
use touchline::store::records::mailboxes::{Begun, MailCounts, MailOf, SteppedOver};

use super::samples::at;
use crate::support::databases::each_db;

#[tokio::test]
async fn one_node_has_a_mailbox_until_it_gives_it_back_or_its_time_is_over() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert!(tx.mailbox_claim("returns", "one", at(100), at(1)).await.expect("claimed"));
        assert!(tx.mailbox_claim("returns", "one", at(110), at(10)).await.expect("kept"));
        assert!(!tx.mailbox_claim("returns", "two", at(200), at(109)).await.expect("asked"));
        assert!(tx.mailbox_hold("returns", "one").await.expect("asked"));
        assert!(!tx.mailbox_hold("returns", "two").await.expect("asked"));
        assert!(tx.mailbox_claim("returns", "two", at(200), at(110)).await.expect("its time is over"));
        assert!(!tx.mailbox_hold("returns", "one").await.expect("asked"));
        tx.mailbox_release("returns", "one").await.expect("it has nothing to give back");
        assert!(tx.mailbox_hold("returns", "two").await.expect("asked"));
        tx.mailbox_release("returns", "two").await.expect("given back");
        assert!(tx.mailbox_claim("returns", "one", at(300), at(111)).await.expect("claimed"));
        let states = tx.mailbox_states().await.expect("read");
        assert_eq!((states.len(), states[0].owner.as_deref(), states[0].known_ms), (1, Some("one"), at(1)));
    })
    .await;
}

#[tokio::test]
async fn how_it_went_is_noted_by_the_node_that_has_it() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.mailbox_claim("returns", "one", at(100), at(1)).await.expect("claimed");
        let failure = Failure::new(Fault::ProviderError).text("no connection");
        tx.mailbox_failed("returns", "one", &failure, at(2)).await.expect("noted");
        tx.mailbox_failed("returns", "two", &failure, at(3)).await.expect("not noted");
        tx.mailbox_failed("returns", "one", &Failure::new(Fault::AccountError).text("no"), at(4)).await.expect("noted");
        let state = tx.mailbox_states().await.expect("read").remove(0);
        assert_eq!(
            (state.failed_ms, state.failure.as_deref()),
            (Some(at(2)), Some("no")),
            "since the first, the last words"
        );
        assert!(state.is_refused() && state.needs_person(at(5)));
        assert!(!tx.mailbox_read("returns", "two", true, at(6)).await.expect("asked"));
        assert!(tx.mailbox_read("returns", "one", false, at(5)).await.expect("noted"));
        let state = tx.mailbox_states().await.expect("read").remove(0);
        assert_eq!((state.read_ms, state.failed_ms), (Some(at(5)), Some(at(2))), "read, and something is wrong still");
        assert!(tx.mailbox_read("returns", "one", true, at(6)).await.expect("noted"));
        let counts = MailCounts { taken: 1, passed: 2, cut: 3, unreadable: 4 };
        tx.mailbox_count("returns", counts).await.expect("counted");
        tx.mailbox_count("returns", counts).await.expect("counted");
        let state = tx.mailbox_states().await.expect("read").remove(0);
        assert_eq!((state.read_ms, state.failed_ms, state.failure_fault), (Some(at(6)), None, None));
        assert_eq!((state.taken, state.passed, state.cut, state.unreadable), (2, 4, 6, 8));
        assert!(!state.needs_person(at(6 + 3_599_999)) && state.needs_person(at(6 + 3_600_000)));
    })
    .await;
}

#[tokio::test]
async fn since_when_a_mailbox_is_read_is_decided_once_by_the_node_that_has_it() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.mailbox_begun("returns").await.expect("read"), None);
        assert_eq!(tx.first_mailed().await.expect("read"), None);
        tx.mailbox_claim("returns", "one", at(100), at(1)).await.expect("claimed");
        tx.mailbox_begin("returns", "two", at(5)).await.expect("not decided");
        let new = Begun { known_ms: at(1), since_ms: None, read_ms: None };
        assert_eq!(tx.mailbox_begun("returns").await.expect("read"), Some(new));
        tx.mailbox_begin("returns", "one", at(6)).await.expect("decided");
        tx.mailbox_begin("returns", "one", at(7)).await.expect("it is");
        tx.mailbox_read("returns", "one", true, at(8)).await.expect("noted");
        let begun = Begun { since_ms: Some(at(6)), read_ms: Some(at(8)), ..new };
        assert_eq!(tx.mailbox_begun("returns").await.expect("read"), Some(begun));
    })
    .await;
}

#[tokio::test]
async fn tries_for_a_mail_count_once_in_a_while_and_what_is_stepped_over_waits_to_be_looked_at() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.mailbox_claim("returns", "one", at(100), at(1)).await.expect("claimed");
        let of = |mail: &'static str| MailOf { mailbox: "returns", folder: "INBOX", validity: 7, mail };
        let mut tries = Vec::new();
        for (now, last) in [(10, 0), (11, 1), (21, 11), (22, 12)] {
            let tried = tx.mailbox_refused(of("4"), "it is broken", at(last), at(now)).await.expect("noted");
            assert_eq!(tried.first_ms, at(10));
            tries.push(tried.tries);
        }
        assert_eq!(tries, [1, 1, 2, 2]);
        tx.mailbox_refused(of("5"), "no", at(1), at(11)).await.expect("noted");
        assert_eq!(tx.mailbox_to_look_at("returns", 9).await.expect("read"), []);
        tx.mailbox_stepped_over(of("4"), at(30)).await.expect("noted");
        tx.mailbox_stepped_over(of("4"), at(31)).await.expect("it was");
        let named = tx.mailbox_to_look_at("returns", 9).await.expect("read");
        let wanted = SteppedOver {
            folder: "INBOX".to_owned(),
            mail: "4".to_owned(),
            words: "it is broken".to_owned(),
            stepped_ms: at(30),
        };
        assert_eq!(named, [wanted]);
        assert_eq!(tx.mailbox_states().await.expect("read")[0].to_look_at, 1);
        assert_eq!(tx.mailbox_looked_at("other").await.expect("noted"), 0);
        assert_eq!(tx.mailbox_looked_at("returns").await.expect("noted"), 1);
        assert_eq!(tx.mailbox_states().await.expect("read")[0].to_look_at, 0);
        // What is handed out after all is forgotten, and begins anew if it is refused again.
        tx.mailbox_handed_out("returns", "INBOX", &["5", "9"]).await.expect("forgotten");
        let tried = tx.mailbox_refused(of("5"), "no", at(50), at(60)).await.expect("noted");
        assert_eq!((tried.tries, tried.first_ms), (1, at(60)));
    })
    .await;
}

#[tokio::test]
async fn places_and_mails_are_kept_for_each_folder() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.mailbox_place("returns", "INBOX").await.expect("read"), None);
        tx.mailbox_place_save("returns", "INBOX", 7, 12).await.expect("saved");
        tx.mailbox_place_save("returns", "INBOX", 8, 4_294_967_295).await.expect("saved");
        assert_eq!(tx.mailbox_place("returns", "INBOX").await.expect("read"), Some((8, 4_294_967_295)));
        assert_eq!(tx.mailbox_place("returns", "Junk").await.expect("read"), None);

        let mails = [("a".to_owned(), None), ("b".to_owned(), Some(at(1))), ("c".to_owned(), Some(at(2)))];
        tx.mailbox_mails_add("returns", "", 0, &mails).await.expect("added");
        tx.mailbox_mails_add("other", "", 0, &mails).await.expect("added");
        assert_eq!(tx.mailbox_seen("returns", "").await.expect("read").len(), 3);
        let to_finish = tx.mailbox_to_finish("returns", "").await.expect("read");
        assert_eq!(to_finish, [(0, "b".to_owned()), (0, "c".to_owned())]);
        tx.mailbox_mails_finished("returns", "", &["b"]).await.expect("noted");
        tx.mailbox_mails_forget("returns", "", &["a", "x"]).await.expect("forgotten");
        assert_eq!(tx.mailbox_to_finish("returns", "").await.expect("read"), [(0, "c".to_owned())]);
        let mut seen = tx.mailbox_seen("returns", "").await.expect("read");
        seen.sort();
        assert_eq!(seen, ["b", "c"]);
        assert_eq!(tx.mailbox_seen("other", "").await.expect("read").len(), 3, "another mailbox is not touched");
    })
    .await;
}
