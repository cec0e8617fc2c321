//! What comes back: mails taken once, returns in their order, what a person decided, and what is counted of them.

use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{ArrivalId, AttemptId, BroadcastId, InboxId, MessageId, ReferrerId, ReturnId};
use touchline::domain::message::{Confidence, Message};
use touchline::domain::referrer::Referrer;
use touchline::domain::returned::{Automatic, MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Actor, Address, AddressKey, Channel, Fault, Timestamp};
use touchline::store::records::returns::{Arrival, ReturnRow, ReturnsOf};
use touchline::store::{Store, StoreError};

use super::samples::{Stage, at, attempt, email};
use crate::support::databases::each_db;

/// What a question asks for.
type Fits = fn(&ReturnRow) -> bool;

fn arrival(mailbox: &str, fingerprint: &str, body: Option<&[u8]>) -> Arrival {
    Arrival {
        id: ArrivalId::new(),
        mailbox: mailbox.to_owned(),
        fingerprint: fingerprint.to_owned(),
        kind: ReturnKind::Bounce,
        body: body.map(<[u8]>::to_vec),
        octets: 4_000,
        received_ms: at(1),
    }
}

/// A return of which nothing is known that may be unknown.
pub fn returned(kind: ReturnKind, state: ReturnState, received_ms: Timestamp) -> ReturnRow {
    ReturnRow { state, recorded_ms: at(500), ..crate::support::returned::unknown(kind, received_ms) }
}

/// A return with everything that is known before a person has looked at it.
fn whole() -> ReturnRow {
    ReturnRow {
        arrival_id: Some(ArrivalId::new()),
        inbox_id: Some(InboxId::new()),
        class: Some(ReturnClass::Soft),
        reason: Some(Fault::MailboxFull),
        automatic: Some(Automatic::Moved),
        status: Some("5.2.2".into()),
        diagnostic: Some("552 5.2.2 “full”; try later".into()),
        verdict_row: Some("status:5.2.2".into()),
        recipient: Some("Zoe@together.example".into()),
        address_key: Some("zoe@together.example".into()),
        sender: Some("mail.together.example".into()),
        first_line: Some("I have moved to Elm Street.".into()),
        back_on: Some("2026-12-24".into()),
        matched_by: Some(MatchedBy::Recipient),
        attempt_id: Some(AttemptId::new()),
        message_id: Some(MessageId::new()),
        broadcast_id: Some(BroadcastId::new()),
        referrer_id: Some(ReferrerId::new()),
        ..returned(ReturnKind::Bounce, ReturnState::Open, at(40))
    }
}

async fn stored(store: &Store, returns: &[ReturnRow]) {
    let mut tx = store.write().await.expect("tx");
    tx.returns_insert(returns).await.expect("stored");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_mail_is_taken_once_from_whatever_mailbox() {
    each_db(async |store| {
        let first = arrival("returns", "aa", Some(b"From: <>\r\n\r\nno such user\r\n"));
        let answer = arrival("office", "bb", None);
        let mut tx = store.write().await.expect("tx");
        for one in [&first, &answer] {
            tx.arrival_insert(one, at(2)).await.expect("stored");
        }
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.arrival_body(first.id).await.expect("read"), first.body);
        for without in [answer.id, ArrivalId::new()] {
            assert_eq!(tx.arrival_body(without).await.expect("read"), None);
        }
        let many = (0..2_000).map(|number| number.to_string()).chain(["bb".to_owned(), "aa".to_owned()]);
        let asked: Vec<String> = many.collect();
        let mut known: Vec<String> = tx.arrivals_known(&asked).await.expect("read").into_iter().collect();
        known.sort();
        assert_eq!(known, ["aa", "bb"], "however many are asked about");
        assert!(tx.arrivals_known(&asked[..2_000]).await.expect("read").is_empty());
        assert!(tx.arrivals_known(&[]).await.expect("read").is_empty());
        let again = tx.arrival_insert(&arrival("office", "aa", None), at(3)).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn mails_and_first_lines_are_forgotten_and_what_else_was_read_stays() {
    each_db(async |store| {
        let mails = ["a", "b", "c", "d"].map(|fingerprint| arrival("returns", fingerprint, Some(b"a mail")));
        let read = ReturnRow { arrival_id: Some(mails[0].id), received_ms: at(10), ..whole() };
        let later = ReturnRow { received_ms: at(30), ..whole() };
        let corrected = ReturnRow { arrival_id: Some(mails[3].id), ..whole() };
        let mut tx = store.write().await.expect("tx");
        // Not in the order in which they were taken.
        for (mail, taken) in [(&mails[2], 30), (&mails[0], 10), (&mails[1], 20), (&mails[3], 5)] {
            tx.arrival_insert(mail, at(taken)).await.expect("stored");
        }
        tx.arrival_insert(&arrival("returns", "e", None), at(1)).await.expect("stored");
        tx.returns_insert(&[read.clone(), later.clone(), corrected.clone()]).await.expect("stored");
        tx.return_finish(corrected.id, "not_a_bounce", &Actor::operator("dana"), at(50)).await.expect("noted");
        assert!(!tx.arrivals_have_older(at(10)).await.expect("read"), "one is evidence, of another nothing is kept");
        assert!(tx.arrivals_have_older(at(11)).await.expect("read"));
        assert_eq!(tx.arrivals_forget(at(30), 1, at(60)).await.expect("forgotten"), 2, "a mail and a first line");
        let mut kept = Vec::new();
        for mail in &mails {
            kept.push(tx.arrival_body(mail.id).await.expect("read").is_some());
        }
        assert_eq!(kept, [false, true, true, true], "the oldest first");
        assert_eq!(tx.arrivals_forget(at(30), 100, at(60)).await.expect("forgotten"), 1, "the third is not old enough");
        assert!(!tx.arrivals_have_older(at(30)).await.expect("read"));
        assert_eq!(tx.return_row(later.id, false).await.expect("read"), Some(later));
        let without = ReturnRow { first_line: None, ..read };
        assert_eq!(tx.return_row(without.id, false).await.expect("read"), Some(without));
        assert_eq!(tx.arrivals_known(&["a".to_owned()]).await.expect("read").len(), 1, "it is not taken again");
    })
    .await;
}

#[tokio::test]
async fn a_return_is_read_back_with_every_field_and_with_none() {
    each_db(async |store| {
        let mut returns: Vec<ReturnRow> = ReturnKind::ALL
            .iter()
            .map(|kind| returned(*kind, ReturnState::Applied, at(5)))
            .chain(MatchedBy::ALL.iter().map(|by| ReturnRow { matched_by: Some(*by), ..whole() }))
            .chain([whole()])
            .collect();
        // More than fit one statement.
        returns.extend((0..150).map(|_| returned(ReturnKind::Delay, ReturnState::Applied, at(6))));
        stored(&store, &returns).await;
        let mut tx = store.write().await.expect("tx");
        for one in &returns {
            assert_eq!(tx.return_row(one.id, false).await.expect("read").as_ref(), Some(one));
        }
        assert_eq!(tx.return_row(returns[0].id, true).await.expect("locked").as_ref(), returns.first());
        assert_eq!(tx.return_row(ReturnId::new(), true).await.expect("read"), None);
        let all = tx.returns_page(&ReturnsOf::default(), None, 1_000).await.expect("read");
        assert_eq!(all.len(), returns.len());
    })
    .await;
}

#[tokio::test]
async fn returns_are_read_in_pages_newest_first_and_only_those_that_were_asked_for() {
    each_db(async |store| {
        let (message, referrer) = (MessageId::new(), ReferrerId::new());
        let mut returns = vec![
            ReturnRow { message_id: Some(message), ..returned(ReturnKind::Bounce, ReturnState::Open, at(20)) },
            ReturnRow { message_id: Some(message), ..returned(ReturnKind::Delay, ReturnState::Applied, at(10)) },
            ReturnRow { referrer_id: Some(referrer), ..returned(ReturnKind::Reply, ReturnState::Open, at(20)) },
            ReturnRow { referrer_id: Some(referrer), ..returned(ReturnKind::OptOut, ReturnState::Applied, at(30)) },
            returned(ReturnKind::Complaint, ReturnState::Done, at(20)),
        ];
        stored(&store, &returns).await;
        returns.sort_by_key(|one| std::cmp::Reverse((one.received_ms, one.id)));
        let mut tx = store.read().await.expect("tx");
        let all = ReturnsOf::default();
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = tx.returns_page(&all, after, 2).await.expect("read");
            let Some(last) = page.last() else { break };
            after = Some((last.received_ms, last.id));
            paged.extend(page);
        }
        assert_eq!(paged, returns, "none twice and none left out where several came at one moment");
        let questions: [(ReturnsOf, Fits); 5] = [
            (ReturnsOf { state: Some(ReturnState::Open), ..all.clone() }, |one| one.state == ReturnState::Open),
            (ReturnsOf { kinds: vec![ReturnKind::Bounce, ReturnKind::Reply], ..all.clone() }, |one| {
                matches!(one.kind, ReturnKind::Bounce | ReturnKind::Reply)
            }),
            (ReturnsOf { message: Some(message), ..all.clone() }, |one| one.message_id.is_some()),
            (ReturnsOf { referrer: Some(referrer), ..all.clone() }, |one| one.referrer_id.is_some()),
            (
                ReturnsOf {
                    referrer: Some(referrer),
                    state: Some(ReturnState::Open),
                    message: None,
                    kinds: Vec::new(),
                },
                |one| one.referrer_id.is_some() && one.state == ReturnState::Open,
            ),
        ];
        for (of, fits) in questions {
            let expected: Vec<ReturnRow> = returns.iter().filter(|one| fits(one)).cloned().collect();
            assert!(!expected.is_empty());
            assert_eq!(tx.returns_page(&of, None, 10).await.expect("read"), expected, "{of:?}");
        }
        assert_eq!(tx.returns_open().await.expect("counted"), 2);
    })
    .await;
}

#[tokio::test]
async fn what_a_person_decides_is_noted_once_and_may_be_reconsidered() {
    each_db(async |store| {
        let dana = Actor::operator("dana");
        let open = ReturnRow { attempt_id: None, message_id: None, broadcast_id: None, referrer_id: None, ..whole() };
        let untouched = whole();
        stored(&store, &[open.clone(), untouched.clone()]).await;
        let mut tx = store.write().await.expect("tx");
        let about = (AttemptId::new(), MessageId::new(), Some(BroadcastId::new()), ReferrerId::new());
        let key = Address::Email(email("ana@ridge.example")).key();
        tx.return_match(open.id, about, &key).await.expect("noted");
        let matched = ReturnRow {
            attempt_id: Some(about.0),
            message_id: Some(about.1),
            broadcast_id: about.2,
            referrer_id: Some(about.3),
            matched_by: Some(MatchedBy::Person),
            address_key: Some(key.as_str().to_owned()),
            sender: Some("ridge.example".to_owned()),
            ..open
        };
        assert_eq!(tx.return_row(matched.id, false).await.expect("read"), Some(matched.clone()));

        assert!(tx.return_finish(matched.id, "matched", &dana, at(60)).await.expect("noted"));
        assert!(!tx.return_finish(matched.id, "dismissed", &Actor::operator("sam"), at(61)).await.expect("asked"));
        let done = ReturnRow {
            state: ReturnState::Done,
            outcome: Some("matched".into()),
            done_ms: Some(at(60)),
            done_by: Some(dana.clone()),
            ..matched
        };
        assert_eq!(tx.return_row(done.id, false).await.expect("read"), Some(done.clone()));
        assert_eq!(tx.returns_open().await.expect("counted"), 1);

        let [row, sender] = [&done.verdict_row, &done.sender].map(|text| text.as_deref().expect("known"));
        assert!(!tx.return_is_corrected(row, sender).await.expect("read"));
        tx.return_reconsider(done.id, "not_a_bounce", &dana, at(70)).await.expect("noted");
        let reconsidered = ReturnRow { outcome: Some("not_a_bounce".into()), done_ms: Some(at(70)), ..done.clone() };
        assert_eq!(tx.return_row(done.id, false).await.expect("read"), Some(reconsidered));
        assert!(tx.return_is_corrected(row, sender).await.expect("read"));
        assert!(!tx.return_is_corrected(row, "another.example").await.expect("read"), "only at that domain");
        assert!(!tx.return_is_corrected("another row", sender).await.expect("read"), "and only in those words");
        assert_eq!(tx.return_row(untouched.id, false).await.expect("read"), Some(untouched));
    })
    .await;
}

/// A referrer of the stage gets the mailbox that its mails go to.
async fn with_mailbox(store: &Store, stage: &Stage) -> AddressKey {
    let address = stage.message_by(Channel::Email).address;
    let mut tx = store.write().await.expect("tx");
    let referrer = Referrer { email: Some(email(address.as_str())), ..stage.referrer.clone() };
    tx.referrer_put(&referrer).await.expect("stored");
    tx.commit().await.expect("committed");
    address.key()
}

#[tokio::test]
async fn letters_that_bounced_in_a_way_that_passes_are_counted_until_one_certainly_arrives() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let (key, who) = (with_mailbox(&store, &stage).await, stage.referrer.id);
        let presumed = Message { address: stage.message_by(Channel::Email).address, ..stage.settled_message() };
        stage.store(&store, std::slice::from_ref(&presumed)).await;
        let soft = |message: MessageId, received: i64| ReturnRow {
            address_key: Some(key.as_str().to_owned()),
            message_id: Some(message),
            class: Some(ReturnClass::Soft),
            matched_by: Some(MatchedBy::ReturnPath),
            ..returned(ReturnKind::Bounce, ReturnState::Applied, at(received))
        };
        let another = |received: i64| soft(MessageId::new(), received);
        let (twice, once) = (MessageId::new(), MessageId::new());
        let [corrected, dismissed] = [another(70), another(70)];
        let returns = [
            soft(twice, 50),
            soft(twice, 60),
            soft(once, 70),
            another(5),
            ReturnRow { message_id: None, ..another(70) },
            ReturnRow { class: Some(ReturnClass::Hard), ..another(70) },
            ReturnRow { kind: ReturnKind::Delay, ..another(70) },
            ReturnRow { matched_by: Some(MatchedBy::Recipient), ..another(70) },
            ReturnRow { address_key: Some("other@together.example".into()), ..another(70) },
            corrected.clone(),
            dismissed.clone(),
        ];
        stored(&store, &returns).await;
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.returns_soft_since(&key, who, at(5)).await.expect("counted"), Some(4));
        for (one, outcome) in [(corrected, "not_a_bounce"), (dismissed, "dismissed")] {
            assert!(tx.return_finish(one.id, outcome, &Actor::operator("dana"), at(80)).await.expect("noted"));
        }
        assert_eq!(tx.returns_soft_since(&key, who, at(5)).await.expect("counted"), Some(2), "each letter once");
        assert_eq!(tx.returns_soft_since(&key, who, at(60)).await.expect("counted"), Some(1), "only since then");
        assert_eq!(tx.returns_soft_since(&key, who, at(70)).await.expect("counted"), Some(0));
        let certain = Message { confidence: Some(Confidence::Confirmed), settled_ms: Some(at(65)), ..presumed };
        tx.message_update(&certain).await.expect("written");
        assert_eq!(tx.returns_soft_since(&key, who, at(5)).await.expect("counted"), None, "the address takes mail");
        assert_eq!(tx.returns_soft_since(&key, who, at(65)).await.expect("counted"), Some(1), "it did before that");
    })
    .await;
}

#[tokio::test]
async fn the_latest_hand_over_to_a_referrers_address_is_found() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let letters = [0; 3].map(|_| stage.message_by(Channel::Email));
        stage.store(&store, &letters).await;
        let key = letters[0].address.key();
        let mut tx = store.write().await.expect("tx");
        let mut made = Vec::new();
        for (letter, status, opened) in [
            (&letters[0], AttemptStatus::Accepted, 30),
            (&letters[1], AttemptStatus::Refused, 40),
            (&letters[1], AttemptStatus::NotSent, 50),
            (&letters[2], AttemptStatus::Calling, 60),
        ] {
            let number = 1 + i64::try_from(made.len()).expect("few");
            let one = Attempt { opened_ms: at(opened), ..attempt(letter.id, number) };
            tx.attempts_insert(std::slice::from_ref(&one)).await.expect("stored");
            let learnt = Attempt { status, ..one };
            tx.attempts_update(std::slice::from_ref(&learnt)).await.expect("written");
            made.push((learnt.id, letter.id));
        }
        assert_eq!(tx.attempt_recent_to(&key, at(0), at(99)).await.expect("read"), None, "it is nobody's address");
        tx.commit().await.expect("committed");
        assert_eq!(with_mailbox(&store, &stage).await, key);
        let mut tx = store.read().await.expect("tx");
        let mut found =
            async |since: i64, until: i64| tx.attempt_recent_to(&key, at(since), at(until)).await.expect("read");
        assert_eq!(found(0, 99).await, Some(made[1]), "the latest that a relay heard of");
        assert_eq!(found(0, 40).await, Some(made[1]));
        assert_eq!(found(0, 39).await, Some(made[0]), "not what was handed over later");
        assert_eq!(found(40, 99).await, None, "nor before");
        let stranger = Address::Email(email("nobody@together.example")).key();
        assert_eq!(tx.attempt_recent_to(&stranger, at(0), at(99)).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn a_referrer_is_away_until_what_is_known_latest_says() {
    each_db(async |store| {
        let [away, back, never] = [0; 3].map(|_| ReferrerId::new());
        let mut tx = store.write().await.expect("tx");
        tx.away_set(away, at(200), at(2), Some(ReturnId::new())).await.expect("noted");
        tx.away_set(away, at(100), at(3), Some(ReturnId::new())).await.expect("noted later");
        tx.away_set(away, at(300), at(1), Some(ReturnId::new())).await.expect("what is older does not count");
        tx.away_set(back, at(50), at(2), None).await.expect("noted");
        let all = [never, back, away];
        let mut found = tx.away_among(&all, at(10)).await.expect("read");
        found.sort_by_key(|(_, until)| *until);
        assert_eq!(found, [(back, at(50)), (away, at(100))]);
        assert_eq!(tx.away_among(&all, at(50)).await.expect("read"), [(away, at(100))]);
        assert_eq!(tx.away_among(&[never, back], at(50)).await.expect("read"), []);
        tx.away_set(away, at(4), at(4), None).await.expect("no longer away");
        assert_eq!(tx.away_among(&all, at(10)).await.expect("read"), [(back, at(50))]);
    })
    .await;
}
