//! What followed from a return: read on both databases.

use touchline::domain::id::{ReferrerId, ReturnId, SuppressionId};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, PolicyReason};

use super::samples::{at, email};
use crate::support::databases::each_db;

fn because(of: Option<ReturnId>, mailbox: &str) -> Suppression {
    let address = Address::Email(email(mailbox));
    Suppression {
        id: SuppressionId::new(),
        channel: address.channel(),
        address: address.key(),
        scope: Scope::Advertisement,
        reason: SuppressionReason::Bounced,
        source: SuppressionSource::Email,
        evidence: None,
        who: Actor::provider("office-mailbox"),
        created_ms: at(1),
        lifted_ms: None,
        lifted_by: None,
        lifted_reason: None,
        return_id: of,
        expires_ms: Some(at(9)),
    }
}

#[tokio::test]
async fn what_followed_from_a_return_is_known_after_it_was_lifted_too() {
    each_db(async |store| {
        let (of, other) = (ReturnId::new(), ReturnId::new());
        let (first, second) = (because(Some(of), "a@ridge.example"), because(Some(other), "b@ridge.example"));
        let mut tx = store.write().await.expect("tx");
        for one in [&first, &second, &because(None, "c@ridge.example")] {
            assert!(tx.suppression_insert(one).await.expect("written"));
        }
        assert!(tx.suppression_lift(first.id, &Actor::operator("dana"), "not a bounce", at(2)).await.expect("lifted"));
        let lifted = tx.suppression(first.id).await.expect("read").expect("it stays");
        assert_eq!((lifted.lifted_ms, lifted.return_id), (Some(at(2)), Some(of)));
        tx.commit().await.expect("committed");
        let mut tx = store.read().await.expect("tx");
        let found = tx.suppressions_ever_because(of).await.expect("read");
        assert_eq!(found.iter().map(|one| (one.id, one.lifted_ms)).collect::<Vec<_>>(), [(first.id, Some(at(2)))]);
        assert_eq!(found[0].expires_ms, Some(at(9)));
        assert_eq!(tx.suppressions_ever_because(ReturnId::new()).await.expect("read"), []);
        let held = tx.held_because(ReferrerId::new(), PolicyReason::AskedToStop.into()).await.expect("read");
        assert_eq!(held, 0);
    })
    .await;
}

#[tokio::test]
async fn suppressions_that_only_pass_are_found_when_they_end_and_by_their_return() {
    each_db(async |store| {
        let of = ReturnId::new();
        let one = |mailbox: &str, expires: Option<i64>| Suppression {
            expires_ms: expires.map(at),
            ..because(Some(ReturnId::new()), mailbox)
        };
        let (later, sooner) = (one("a@ridge.example", Some(9)), one("b@ridge.example", Some(5)));
        let lifted = Suppression { return_id: Some(of), ..one("c@ridge.example", Some(4)) };
        let mut tx = store.write().await.expect("tx");
        for one in [&later, &sooner, &lifted, &one("d@ridge.example", Some(10)), &one("e@ridge.example", None)] {
            assert!(tx.suppression_insert(one).await.expect("written"));
        }
        assert!(tx.suppression_lift(lifted.id, &Actor::operator("dana"), "not a bounce", at(2)).await.expect("lifted"));
        assert_eq!(tx.suppressions_expired(at(4), 10).await.expect("read"), []);
        assert_eq!(tx.suppressions_expired(at(9), 10).await.expect("read"), [sooner.id, later.id]);
        assert_eq!(tx.suppressions_expired(at(9), 1).await.expect("read"), [sooner.id]);
    })
    .await;
}
