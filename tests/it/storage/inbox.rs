//! The inbox: callbacks as received, and which of them reported a fact first.

use std::collections::{BTreeSet, HashSet};

use touchline::domain::Timestamp;
use touchline::domain::callback::{CallbackForm, CallbackState};
use touchline::domain::id::InboxId;
use touchline::store::Tx;
use touchline::store::records::inbox::{Callback, NewCallback};
use touchline::store::records::inbox_facts::{Claim, NewFact};
use touchline::store::views::inbox::CallbacksOf;

use super::samples::at;
use crate::support::databases::each_db;

const EVERYTHING: CallbacksOf = CallbacksOf { provider: None, state: None, since: None };

/// A callback whose content is its fingerprint, and that tells these facts.
fn callback(provider: &str, fingerprint: &str, facts: &[&str], received: i64) -> NewCallback {
    let content = fingerprint.as_bytes().to_vec();
    let mut new = NewCallback::new(provider, fingerprint.to_owned(), content, fingerprint.len(), at(received));
    new.facts = facts.iter().map(|key| fact(new.id, provider, key, "as it was")).collect();
    new
}

/// A callback without facts that does not wait.
fn in_state(state: CallbackState, fingerprint: &str, received: i64) -> NewCallback {
    let mut new = callback("fax", fingerprint, &[], received);
    new.state = state;
    new
}

fn fact(callback: InboxId, provider: &str, key: &str, said: &str) -> NewFact {
    NewFact { provider: provider.into(), dedupe: key.into(), callback, said: said.into() }
}

fn keys(callbacks: &[Callback]) -> Vec<String> {
    callbacks.iter().map(|callback| format!("{}/{}", callback.provider, callback.dedupe)).collect()
}

async fn states(tx: &mut Tx) -> Vec<(Timestamp, CallbackState)> {
    let lines = tx.callback_lines(&EVERYTHING, 100).await.expect("read");
    lines.iter().map(|line| (line.received_ms, line.state)).collect()
}

#[tokio::test]
async fn what_is_used_once_comes_with_one_content_only_to_whatever_account_and_is_forgotten_with_it() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let once = |provider: &str, content: &str, token: Option<&str>, received| {
            let mut given = callback(provider, content, &[content], received);
            given.used_once = token.map(str::to_owned);
            given
        };
        let first = once("office", "a", Some("t1"), 1);
        let list = [first.clone(), once("office", "b", Some("t1"), 2), once("office", "c", Some("t2"), 3)];
        assert_eq!(tx.inbox_replayed(&list).await.expect("read"), HashSet::from([list[1].id]), "with one before it");
        assert_eq!(tx.inbox_insert(&[list[0].clone(), list[2].clone()]).await.expect("kept"), [1, 1]);
        let later = [
            once("office", "a", Some("t1"), 4),
            once("office", "d", Some("t1"), 5),
            once("other", "e", Some("t1"), 6),
            once("other", "a", Some("t1"), 7),
            once("office", "f", None, 8),
        ];
        assert_eq!(tx.inbox_replayed(&later).await.expect("read"), HashSet::from([later[1].id, later[2].id]));
        assert_eq!(tx.inbox_insert(&later[..2]).await.expect("kept"), [0, 0], "and could not be stored either");
        let (kept, state) = ([first.id, list[2].id], CallbackState::Ignored);
        tx.inbox_settle(&kept, state, at(10)).await.expect("settled");
        assert_eq!(tx.inbox_remove_old(at(100), 10, at(200)).await.expect("removed"), 2);
        assert_eq!(tx.inbox_replayed(&later).await.expect("read").len(), 2, "of what comes now, the first counts");
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_callback_is_kept_once_and_those_looked_at_in_vain_let_others_go_first() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let one = |provider: &str, key: &str, received| callback(provider, key, &[key], received);
        let callbacks = [one("fax-sandbox", "a", 1), one("fax-sandbox", "b", 2), one("fax-sandbox", "b", 2)];
        assert_eq!(tx.inbox_insert(&callbacks).await.expect("kept"), [1, 1, 0], "the same fact twice");
        let more = [one("fax-sandbox", "c", 3), one("fax-sandbox", "a", 9), one("other", "a", 4)];
        assert_eq!(tx.inbox_insert(&more).await.expect("kept"), [1, 0, 1], "another account's is another");
        assert!(tx.inbox_has_waiting().await.expect("read"));
        let waiting = tx.inbox_waiting(10).await.expect("read");
        assert_eq!(keys(&waiting), ["fax-sandbox/a", "fax-sandbox/b", "fax-sandbox/c", "other/a"]);
        assert_eq!((waiting[0].content.as_deref(), waiting[0].looks), (Some(b"a".as_slice()), 0));
        assert_eq!((waiting[0].form, waiting[0].received_ms), (CallbackForm::Raw, at(1)));
        tx.inbox_settle(&[waiting[1].id], CallbackState::Applied, at(10)).await.expect("settled");
        tx.inbox_settle(&[waiting[2].id], CallbackState::Unmatched, at(10)).await.expect("settled");
        tx.inbox_looked(&[waiting[0].id]).await.expect("counted");
        let left = tx.inbox_waiting(10).await.expect("read");
        assert_eq!(keys(&left), ["other/a", "fax-sandbox/a"], "a stranger's callbacks must not stand before ours");
        assert_eq!(left[1].looks, 1);
        assert_eq!(tx.inbox_waiting(1).await.expect("read").len(), 1);
        tx.inbox_settle(&[waiting[1].id], CallbackState::Waiting, at(11)).await.expect("put back");
        let line = tx.callback_line(waiting[1].id).await.expect("read").expect("there");
        assert_eq!((line.state, line.settled_ms), (CallbackState::Waiting, None));
    })
    .await;
}

#[tokio::test]
async fn other_words_for_a_known_fact_are_kept_as_a_repetition_and_every_state_is_read_back() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let first = callback("fax", "first words", &["a", "b"], 1);
        let second = callback("fax", "other words", &["b"], 2);
        let third = callback("fax", "partly new", &["b", "c"], 3);
        assert_eq!(tx.inbox_insert(&[first.clone(), second, third]).await.expect("kept"), [2, 0, 1]);
        let unread = in_state(CallbackState::Unreadable, "???", 4);
        let of_others = in_state(CallbackState::Ignored, "inbound", 5);
        assert_eq!(tx.inbox_insert(&[unread, of_others]).await.expect("kept"), [0, 0]);
        let expected = [
            (at(5), CallbackState::Ignored),
            (at(4), CallbackState::Unreadable),
            (at(3), CallbackState::Waiting),
            (at(2), CallbackState::Repeated),
            (at(1), CallbackState::Waiting),
        ];
        assert_eq!(states(&mut tx).await, expected);
        for state in CallbackState::ALL {
            tx.inbox_settle(&[first.id], *state, at(9)).await.expect("every word is allowed");
            assert_eq!(tx.callback_line(first.id).await.expect("read").expect("there").state, *state);
        }
        assert!(tx.callback_line(InboxId::new()).await.expect("read").is_none());
        tx.inbox_count_facts(first.id, 7).await.expect("noted");
        assert_eq!(tx.inbox_callbacks(&[InboxId::new(), first.id]).await.expect("read")[0].facts, 7);
        assert_eq!(tx.inbox_callback(first.id).await.expect("read").map(|known| known.facts), Some(7));
        assert!(tx.inbox_callback(InboxId::new()).await.expect("read").is_none());
        let unreadable = tx.callbacks_unreadable().await.expect("counted");
        assert_eq!(
            (unreadable[0].provider.as_str(), unreadable[0].callbacks, unreadable[0].oldest_ms),
            ("fax", 1, at(4))
        );
    })
    .await;
}

#[tokio::test]
async fn a_fact_belongs_to_the_callback_that_told_it_first_until_that_one_gives_it_up() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (first, second) = (callback("fax", "1", &["a", "b"], 1), callback("fax", "2", &[], 2));
        let (one, two) = (first.id, second.id);
        tx.inbox_insert(&[first, second]).await.expect("kept");
        let claims = [fact(two, "fax", "a", "x"), fact(two, "fax", "c", "x"), fact(two, "fax", "c", "y")];
        let claimed = tx.inbox_facts_claim(&claims).await.expect("claimed");
        assert_eq!(claimed, BTreeSet::from([(two, "c".to_owned())]));

        tx.inbox_fact_restate(&fact(one, "fax", "a", "otherwise")).await.expect("noted");
        tx.inbox_fact_restate(&fact(one, "fax", "c", "not its own")).await.expect("nothing");
        tx.inbox_fact_applied(one, "b", at(5)).await.expect("noted");
        let mut of_both = tx.inbox_facts_of(&[one, two]).await.expect("read");
        of_both.sort_by(|a, b| a.dedupe.cmp(&b.dedupe));
        let claim = |callback, dedupe: &str, said: &str, applied_ms| Claim {
            callback,
            dedupe: dedupe.into(),
            said: Some(said.into()),
            applied_ms,
        };
        let expected =
            [claim(one, "a", "otherwise", None), claim(one, "b", "as it was", Some(at(5))), claim(two, "c", "x", None)];
        assert_eq!(of_both, expected);

        tx.inbox_fact_release(two, "a").await.expect("not its own");
        assert!(tx.inbox_facts_claim(&claims[..1]).await.expect("asked").is_empty());
        tx.inbox_fact_release(one, "a").await.expect("given up");
        assert_eq!(tx.inbox_facts_claim(&claims[..1]).await.expect("claimed").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_in_portions_with_its_facts_and_what_waits_stays() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let callbacks: Vec<NewCallback> = (1..=5)
            .map(|number| callback("fax", &format!("words {number}"), &[&format!("fact {number}")], number))
            .collect();
        let ids: Vec<InboxId> = callbacks.iter().map(|callback| callback.id).collect();
        tx.inbox_insert(&callbacks).await.expect("kept");
        tx.inbox_settle(&ids[1..], CallbackState::Applied, at(6)).await.expect("settled");
        assert!(!tx.inbox_has_older(at(2)).await.expect("asked"), "the first one waits");
        assert!(tx.inbox_has_older(at(3)).await.expect("asked"));
        assert_eq!(tx.inbox_remove_old(at(5), 2, at(6)).await.expect("removed"), 2);
        assert_eq!(tx.inbox_remove_old(at(5), 2, at(6)).await.expect("removed"), 1);
        assert_eq!(tx.inbox_remove_old(at(5), 2, at(6)).await.expect("removed"), 0);
        let left: Vec<InboxId> =
            tx.inbox_callbacks(&ids).await.expect("read").iter().map(|callback| callback.id).collect();
        assert_eq!(left, [ids[0], ids[4]]);
        assert_eq!(tx.inbox_facts_of(&ids).await.expect("read").len(), 2);
        assert_eq!(tx.inbox_insert(&callbacks[1..2]).await.expect("kept"), [1], "what is forgotten can come again");
    })
    .await;
}

#[tokio::test]
async fn callbacks_are_listed_by_what_is_asked_and_walked_in_the_order_in_which_they_came() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let unread = |fingerprint: &str, received| in_state(CallbackState::Unreadable, fingerprint, received);
        // Two came in the same millisecond.
        let callbacks = [unread("a", 1), unread("b", 2), unread("c", 2), callback("other", "d", &["d"], 3)];
        tx.inbox_insert(&callbacks).await.expect("kept");
        let of =
            CallbacksOf { provider: Some("fax".into()), state: Some(CallbackState::Unreadable), since: Some(at(2)) };
        let lines = tx.callback_lines(&of, 9).await.expect("read");
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.octets == 1 && line.settled_ms == Some(at(2))));
        assert_eq!(tx.callback_lines(&EVERYTHING, 3).await.expect("read").len(), 3);
        let mut walked = Vec::new();
        let mut after = None;
        while let Some(place) = tx.callback_places(&EVERYTHING, after, 1).await.expect("read").pop() {
            walked.push(place.0);
            after = Some(place);
        }
        assert_eq!(walked, [at(1), at(2), at(2)], "the one that waits is not read again");
    })
    .await;
}

/// Four MiB each: what is read at once is bounded, and none is left out.
#[tokio::test]
async fn large_callbacks_are_packed_and_read_a_few_at_a_time() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let large = |number: u8| {
            let content = vec![number; 4 << 20];
            NewCallback::new("fax", number.to_string(), content, 4 << 20, at(i64::from(number)))
        };
        let callbacks: Vec<NewCallback> = (0..6).map(large).collect();
        let ids: Vec<InboxId> = callbacks.iter().map(|callback| callback.id).collect();
        tx.inbox_insert(&callbacks).await.expect("kept");
        let first = tx.inbox_waiting(100).await.expect("read");
        assert_eq!(first.len(), 4);
        assert!(first.iter().zip(0..).all(|(callback, number)| callback.content == Some(vec![number; 4 << 20])));
        let (read, looked_at) = tx.inbox_callbacks_within(&ids).await.expect("read");
        assert_eq!((read.len(), looked_at), (4, 4));
        let (read, looked_at) = tx.inbox_callbacks_within(&[InboxId::new(), ids[5]]).await.expect("read");
        assert_eq!((read.len(), looked_at), (1, 2), "one that is gone counts as looked at");
    })
    .await;
}
