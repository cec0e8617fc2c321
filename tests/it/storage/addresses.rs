use touchline::domain::basis::{Basis, BasisKind, NumberSource};
use touchline::domain::health::Health;
use touchline::domain::id::{BasisId, SuppressionId};
use touchline::domain::suppression::{Scope, Suppression};
use touchline::domain::{Actor, Address, AddressKey, Channel, Fault};

use super::samples::{at, email, fax, known};
use crate::support::databases::each_db;

fn basis(tail: u32) -> Basis {
    Basis {
        id: BasisId::new(),
        fax: fax(tail),
        kind: BasisKind::Permission,
        number_source: None,
        obtained_on: "2026-10-06".into(),
        how: "asked".into(),
        by_whom: "dana".into(),
        note: None,
        created_ms: at(1),
        ended_ms: None,
        ended_reason: None,
    }
}

fn suppression(address: &Address, scope: Scope) -> Suppression {
    Suppression {
        id: SuppressionId::new(),
        channel: address.channel(),
        address: address.key(),
        scope,
        reason: touchline::domain::suppression::SuppressionReason::OptOut,
        source: touchline::domain::suppression::SuppressionSource::Web,
        evidence: None,
        who: Actor::operator("recipient"),
        created_ms: at(1),
        lifted_ms: None,
        lifted_by: None,
        lifted_reason: None,
        return_id: None,
        expires_ms: None,
    }
}

#[tokio::test]
async fn what_is_learnt_of_an_address_is_kept_and_not_forgotten_by_the_next_letter() {
    each_db(async |store| {
        let (number, mailbox) = (Address::Fax(fax(101)), Address::Email(email("D.W@ridge.example")));
        let keys = [number.key(), mailbox.key()];
        let mut tx = store.write().await.expect("tx");
        tx.addresses_ensure(&keys, at(1)).await.expect("made");
        tx.addresses_ensure(&[keys[0].clone(), keys[0].clone()], at(1)).await.expect("a repeat changes nothing");
        for health in Health::ALL {
            for fault in Fault::ALL.iter().copied().map(Some).chain([None]) {
                tx.addresses_learn(&[known(&mailbox, *health, 3, fault)], at(2)).await.expect("written");
                let known = tx.address_health(&mailbox).await.expect("read").expect("known");
                assert_eq!((known.health, known.strikes, known.fault), (*health, 3, fault));
            }
        }
        tx.addresses_ensure(&keys, at(3)).await.expect("made");
        let known = tx.addresses_known(&[mailbox.key(), number.key()]).await.expect("read");
        let seen: Vec<_> = known.iter().map(|one| (one.channel, one.health, one.strikes)).collect();
        assert_eq!(seen, [(Channel::Email, Health::Dead, 3), (Channel::Fax, Health::Unverified, 0)]);
        assert_eq!(tx.addresses_lock(&[number.key(), mailbox.key()]).await.expect("locked"), known);
        assert!(tx.addresses_lock(&[]).await.expect("nothing to lock").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_basis_is_kept_with_its_evidence_and_ends_once() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        for kind in BasisKind::ALL {
            for source in NumberSource::ALL.iter().copied().map(Some).chain([None]) {
                let stored = Basis {
                    kind: *kind,
                    number_source: source,
                    note: Some("R. Patel".into()),
                    created_ms: at(1),
                    ..basis(101)
                };
                tx.basis_insert(&stored).await.expect("stored");
                assert!(tx.basis_of(&stored.fax).await.expect("read").contains(&stored));
            }
        }
        let (old, new) = (basis(102), Basis { created_ms: at(9), ..basis(102) });
        tx.basis_insert(&old).await.expect("stored");
        tx.basis_insert(&new).await.expect("stored");
        let ids: Vec<BasisId> = tx.basis_of(&old.fax).await.expect("read").iter().map(|one| one.id).collect();
        assert_eq!(ids, [new.id, old.id], "the newest first");

        assert!(tx.basis_end(old.id, "a mistake", at(5)).await.expect("ended"));
        assert!(!tx.basis_end(old.id, "again", at(6)).await.expect("asked"), "it had ended");
        let among = tx.basis_among(&[AddressKey::from(&fax(102))]).await.expect("read");
        assert_eq!(among, [new]);
        tx.basis_end_all(&fax(102), "opt_out", at(7)).await.expect("ended");
        assert!(tx.basis_among(&[AddressKey::from(&fax(102))]).await.expect("read").is_empty());
        let ended = tx.basis_of(&fax(102)).await.expect("read");
        let reasons: Vec<_> = ended.iter().map(|one| (one.ended_ms, one.ended_reason.as_deref())).collect();
        assert_eq!(reasons, [(Some(at(7)), Some("opt_out")), (Some(at(5)), Some("a mistake"))]);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_stands_once_and_a_lifted_one_keeps_its_row() {
    each_db(async |store| {
        let (number, mailbox) = (Address::Fax(fax(101)), Address::Email(email("D.W@ridge.example")));
        let mut tx = store.write().await.expect("tx");
        for address in [&number, &mailbox] {
            for scope in Scope::ALL {
                let stored = Suppression { evidence: Some("link 7".into()), ..suppression(address, *scope) };
                assert!(tx.suppression_insert(&stored).await.expect("stored"));
                assert!(!tx.suppression_insert(&suppression(address, *scope)).await.expect("asked"), "it stands");
                assert!(tx.suppressions_of(address).await.expect("read").contains(&stored));
            }
        }
        let among =
            tx.suppressions_among(&[number.key(), mailbox.key(), AddressKey::from(&fax(199))]).await.expect("read");
        assert_eq!(among.len(), 4);

        let standing = tx.suppressions_of(&number).await.expect("read");
        assert!(
            tx.suppression_lift(standing[0].id, &Actor::operator("dana"), "asked again", at(8)).await.expect("lifted")
        );
        assert!(!tx.suppression_lift(standing[0].id, &Actor::operator("dana"), "twice", at(9)).await.expect("asked"));
        assert_eq!(tx.suppressions_of(&number).await.expect("read"), standing[1..]);
        assert_eq!(tx.suppressions_list(false, 10).await.expect("read").len(), 3);
        let all = tx.suppressions_list(true, 10).await.expect("read");
        let lifted = all.iter().find(|one| one.id == standing[0].id).expect("its row stays");
        let end = (lifted.lifted_ms, lifted.lifted_by.as_ref().map(Actor::name), lifted.lifted_reason.as_deref());
        assert_eq!(end, (Some(at(8)), Some("dana"), Some("asked again")));
        assert!(tx.suppression_insert(&suppression(&number, standing[0].scope)).await.expect("stored"), "a new one");
        let ever = tx.suppressions_ever_of(&number).await.expect("read");
        assert_eq!((ever.len(), ever.iter().filter(|one| one.lifted_ms.is_some()).count()), (3, 1));
    })
    .await;
}

#[tokio::test]
async fn lists_of_refusals_of_one_moment_come_in_one_order() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        for tail in 100..130 {
            let address = Address::Fax(fax(tail));
            tx.suppression_insert(&suppression(&address, Scope::All)).await.expect("stored");
        }
        let whole = tx.suppressions_list(false, 100).await.expect("read");
        assert!(whole.is_sorted_by(|a, b| a.id > b.id), "of one moment, the newest id first");
        assert_eq!(tx.suppressions_list(false, 7).await.expect("read"), whole[..7]);
    })
    .await;
}
