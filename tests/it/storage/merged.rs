//! Two records of one person: every question that returns ask by referrer has the same answer for each of them, and the one that it had
//! before they were merged once the merge is undone.

use touchline::domain::id::{MergeId, ReferrerId};
use touchline::domain::message::{Confidence, Message};
use touchline::domain::referrer::Referrer;
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Actor, Channel, MessageStatus, PolicyReason};
use touchline::store::records::merges::Merge;
use touchline::store::records::returns::{ReturnRow, ReturnsOf};
use touchline::store::{Store, Tx};

use super::samples::{Stage, at, referrer};
use crate::support::databases::each_db;
use crate::support::returned::unknown;

/// What is asked by referrer, with the answers in words that can be compared.
async fn answers(tx: &mut Tx, id: ReferrerId, message: &Message) -> Vec<String> {
    let of = ReturnsOf { referrer: Some(id), ..ReturnsOf::default() };
    let returned: Vec<_> = tx.returns_page(&of, None, 100).await.expect("read").iter().map(|row| row.id).collect();
    let away: Vec<_> = tx.away_among(&[id], at(10)).await.expect("read").into_iter().map(|(_, until)| until).collect();
    let held = tx.held_because(id, PolicyReason::AskedToStop.into()).await.expect("counted");
    let soft = tx.returns_soft_since(&message.address.key(), id, at(0)).await.expect("counted");
    vec![
        format!("returned {returned:?}"),
        format!("away {away:?}"),
        format!("held {held}"),
        format!("soft {soft:?}"),
        format!("records {:?}", tx.records_of_person(id).await.expect("read")),
    ]
}

/// A record of one referrer with a letter of each fate, a return and an absence.
async fn told(store: &Store) -> (Stage, Message) {
    let stage = Stage::set(store).await;
    let email = stage.message_by(Channel::Email);
    let held = Message {
        status: MessageStatus::Held,
        reason: Some(PolicyReason::AskedToStop.into()),
        ..stage.message_by(Channel::Email)
    };
    let arrived =
        Message { address: email.address.clone(), confidence: Some(Confidence::Confirmed), ..stage.settled_message() };
    stage.store(store, &[email.clone(), held, arrived]).await;
    let bounce = ReturnRow {
        class: Some(ReturnClass::Soft),
        matched_by: Some(MatchedBy::ReturnPath),
        address_key: Some(email.address.key().as_str().to_owned()),
        message_id: Some(email.id),
        referrer_id: Some(stage.referrer.id),
        state: ReturnState::Applied,
        ..unknown(ReturnKind::Bounce, at(20))
    };
    let mut tx = store.write().await.expect("tx");
    tx.returns_insert(&[bounce]).await.expect("stored");
    tx.away_set(stage.referrer.id, at(300), at(5), None).await.expect("noted");
    tx.commit().await.expect("committed");
    (stage, email)
}

fn merging(kept: ReferrerId, merged: ReferrerId) -> Merge {
    Merge {
        id: MergeId::new(),
        kept,
        merged,
        before: Vec::new(),
        touches: Vec::new(),
        who: Actor::operator("dana"),
        created_ms: at(30),
        undone_ms: None,
    }
}

#[tokio::test]
async fn every_question_by_referrer_has_the_same_answer_for_all_records_of_a_person() {
    each_db(async |store| {
        let (stage, email) = told(&store).await;
        let own = stage.referrer.id;
        let [kept, last, stranger]: [Referrer; 3] = ["Osei", "Vega", "Stone"].map(referrer);
        let mut tx = store.write().await.expect("tx");
        for one in [&kept, &last, &stranger] {
            tx.referrer_put(one).await.expect("stored");
        }
        let before = answers(&mut tx, own, &email).await;
        assert_eq!(before[1..4], [format!("away {:?}", [at(300)]), "held 1".to_owned(), "soft None".to_owned()]);
        let nothing = answers(&mut tx, stranger.id, &email).await;
        assert_eq!(nothing[..4], ["returned []", "away []", "held 0", "soft Some(1)"]);
        // Merged, and who stayed was merged again.
        let (first, second) = (merging(kept.id, own), merging(last.id, kept.id));
        tx.merge_insert(&first).await.expect("stored");
        tx.merge_insert(&second).await.expect("stored");
        for id in [own, kept.id, last.id] {
            let after = answers(&mut tx, id, &email).await;
            assert_eq!(after[..4], before[..4]);
        }
        assert_eq!(answers(&mut tx, stranger.id, &email).await, nothing, "nobody else");
        let mut three = vec![own, kept.id, last.id];
        three.sort_unstable();
        let people = tx.records_of_people(&[kept.id, stranger.id]).await.expect("read");
        assert_eq!((&people[&kept.id], &people[&stranger.id]), (&three, &vec![stranger.id]));
        // What is known latest counts, under whatever record.
        tx.away_set(last.id, at(0), at(6), None).await.expect("noted");
        for id in &three {
            assert_eq!(answers(&mut tx, *id, &email).await[1], "away []");
        }
        assert!(tx.merge_undone(second.id, at(40)).await.expect("undone"));
        assert!(tx.merge_undone(first.id, at(40)).await.expect("undone"));
        assert_eq!(answers(&mut tx, own, &email).await, before);
        assert_eq!(answers(&mut tx, kept.id, &email).await[..4], nothing[..4]);
    })
    .await;
}
