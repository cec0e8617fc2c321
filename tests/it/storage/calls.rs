//! Whom to telephone: for permission to fax updates, and for the right number.

use touchline::domain::basis::{Basis, BasisKind, NumberSource};
use touchline::domain::health::Health;
use touchline::domain::id::{BasisId, MessageId, ReferrerId, SuppressionId};
use touchline::domain::message::Message;
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, Fault, FaxNumber, MessageStatus, PolicyReason, Purpose, Reason};
use touchline::store::Tx;
use touchline::store::views::calls::StoppedBy;
use uuid::Uuid;

use super::samples::{Stage, at, fax, known, referrer};
use crate::support::databases::each_db;

const FIRST: ReferrerId = ReferrerId(Uuid::nil());

fn basis(fax: FaxNumber, kind: BasisKind) -> Basis {
    Basis {
        id: BasisId::new(),
        fax,
        kind,
        number_source: Some(NumberSource::GivenByRecipient),
        obtained_on: "2026-11-02".to_owned(),
        how: "asked".to_owned(),
        by_whom: "dana".to_owned(),
        note: None,
        created_ms: at(4),
        ended_ms: None,
        ended_reason: None,
    }
}

fn refusal(fax: FaxNumber, scope: Scope) -> Suppression {
    Suppression {
        id: SuppressionId::new(),
        channel: Channel::Fax,
        address: Address::Fax(fax).key(),
        scope,
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Operator,
        evidence: None,
        who: Actor::operator("dana"),
        created_ms: at(5),
        lifted_ms: None,
        lifted_by: None,
        lifted_reason: None,
    }
}

/// Somebody to whom an update could not be faxed for want of permission.
async fn unasked(stage: &Stage, tx: &mut Tx, tail: u32) -> Referrer {
    let one = Referrer { fax: Some(fax(tail)), ..referrer("Nakamura") };
    tx.referrer_put(&one).await.expect("stored");
    tx.messages_insert(&[stopped_fax(stage, one.id)]).await.expect("stored");
    one
}

/// A fax to them that was stopped for want of permission.
fn stopped_fax(stage: &Stage, to: ReferrerId) -> Message {
    Message {
        referrer_id: to,
        status: MessageStatus::Suppressed,
        reason: Some(PolicyReason::NoBasis.into()),
        settled_ms: Some(at(9)),
        ..stage.message()
    }
}

#[tokio::test]
async fn whoever_may_not_be_faxed_updates_is_asked_until_there_is_an_answer() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        let mut people = Vec::new();
        for tail in 201..=205 {
            people.push(unasked(&stage, &mut tx, tail).await);
        }
        let ids: Vec<_> = people.iter().map(|one| one.id).collect();
        assert_eq!(tx.calls_for_permission(FIRST, false, 9).await.expect("read"), ids);
        assert_eq!(tx.calls_for_permission(ids[1], false, 2).await.expect("read"), ids[2..4]);
        tx.basis_insert(&basis(fax(201), BasisKind::Permission)).await.expect("stored");
        tx.basis_insert(&basis(fax(202), BasisKind::Ebr)).await.expect("stored");
        tx.suppression_insert(&refusal(fax(203), Scope::Advertisement)).await.expect("stored");
        let closed = Referrer { state: ReferrerState::DoNotContact, ..people[3].clone() };
        tx.referrer_put(&closed).await.expect("stored");
        assert_eq!(tx.calls_for_permission(FIRST, false, 9).await.expect("read"), ids[4..]);
        assert_eq!(tx.calls_for_permission_count(false).await.expect("read"), 1);
        let only = tx.calls_for_permission(FIRST, true, 9).await.expect("read");
        assert_eq!(only, [ids[1], ids[4]], "a relationship does not suffice where only permission does");
        assert_eq!(tx.calls_for_permission_count(true).await.expect("read"), 2);
        let by = StoppedBy::NoPermission;
        let stopped = tx.faxes_stopped(ids[4], by, at(3)).await.expect("read");
        assert_eq!((stopped.len(), stopped[0].letter.as_str()), (1, "introduction"));
        assert!(tx.faxes_stopped(stage.referrer.id, by, at(3)).await.expect("read").is_empty());
        let again = Message { letter: "direct-ask".to_owned(), ..stopped_fax(&stage, ids[4]) };
        tx.messages_insert(&[again]).await.expect("stored");
        let last = tx.faxes_stopped_last(&[ids[0], ids[4], stage.referrer.id], by, at(3)).await.expect("read");
        let mut last: Vec<_> = last.iter().map(|fax| (fax.referrer_id, fax.letter.as_str())).collect();
        last.sort_unstable();
        assert_eq!(last, [(ids[0], "introduction"), (ids[4], "direct-ask")], "the newest of each, and of nobody else");
        let none = tx.faxes_stopped_last(&ids, by, at(4)).await.expect("read");
        assert!(none.is_empty(), "what changed before that moment is out of date");
    })
    .await;
}

#[tokio::test]
async fn whose_number_is_no_fax_or_does_not_exist_is_asked_for_another() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let facts = [
            (301, Health::Dead, Some(Fault::InvalidNumber)),
            (302, Health::Unverified, Some(Fault::NotAFax)),
            (303, Health::Confirmed, None),
            (304, Health::Dead, None),
        ];
        let mut ids = Vec::new();
        for (tail, health, fault) in facts {
            let one = Referrer { fax: Some(fax(tail)), ..referrer("Szymanski") };
            tx.referrer_put(&one).await.expect("stored");
            let address = Address::Fax(fax(tail));
            tx.addresses_ensure(&[address.key()], at(1)).await.expect("made");
            tx.addresses_learn(&[known(&address, health, 1, fault)], at(2)).await.expect("learnt");
            ids.push(one.id);
        }
        assert_eq!(tx.calls_for_number(FIRST, 9).await.expect("read"), [ids[0], ids[1], ids[3]]);
        assert_eq!(tx.calls_for_number(ids[0], 1).await.expect("read"), [ids[1]]);
        tx.suppression_insert(&refusal(fax(304), Scope::All)).await.expect("stored");
        tx.suppression_insert(&refusal(fax(301), Scope::Advertisement)).await.expect("stored");
        assert_eq!(tx.calls_for_number(FIRST, 9).await.expect("read"), ids[..2], "letters about patients still go");
        assert_eq!(tx.calls_for_number_count().await.expect("read"), 2);
        assert_eq!(tx.mailboxes_dead_count().await.expect("read"), 0);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_one_answer_is_not_what_waits_for_another() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        let one = unasked(&stage, &mut tx, 401).await;
        let failed = |reason: Reason| Message {
            status: MessageStatus::Failed,
            reason: Some(reason),
            updated_ms: at(20),
            ..stopped_fax(&stage, one.id)
        };
        let wrong: [Reason; 4] =
            [Fault::NotAFax.into(), Fault::InvalidNumber.into(), PolicyReason::DeadAddress.into(), Fault::Busy.into()];
        let wrong = wrong.map(failed);
        tx.messages_insert(&wrong).await.expect("stored");
        let ids = async |tx: &mut Tx, by, since| {
            let found = tx.faxes_stopped(one.id, by, since).await.expect("read");
            found.into_iter().map(|fax| fax.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&mut tx, StoppedBy::WrongNumber, at(0)).await, [wrong[2].id, wrong[1].id, wrong[0].id]);
        assert_eq!(ids(&mut tx, StoppedBy::WrongNumber, at(20)).await.len(), 3);
        assert!(ids(&mut tx, StoppedBy::WrongNumber, at(21)).await.is_empty());
        let unasked = ids(&mut tx, StoppedBy::NoPermission, at(0)).await;
        assert!(unasked.len() == 1 && wrong.iter().all(|one| one.id != unasked[0]));
        let last = tx.faxes_stopped_last(&[one.id], StoppedBy::WrongNumber, at(0)).await.expect("read");
        assert_eq!(last.iter().map(|fax| fax.id).collect::<Vec<_>>(), [wrong[2].id]);

        assert_eq!(tx.fax_update_last(one.id).await.expect("read"), None, "nothing was sent");
        let sent = Message { referrer_id: one.id, ..stage.message() };
        let report = Message { purpose: Purpose::Treatment, id: MessageId::new(), ..sent.clone() };
        tx.messages_insert(&[sent.clone(), report]).await.expect("stored");
        assert_eq!(tx.fax_update_last(one.id).await.expect("read"), Some(sent.id), "a report is no update");
    })
    .await;
}

#[tokio::test]
async fn those_who_share_a_fax_number_are_found_page_by_page() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let mut ids = Vec::new();
        for (name, tail, removed) in [("Adeyemi", 501, None), ("Nakamura", 501, None), ("Gone", 501, Some(at(2)))] {
            let one = Referrer { fax: Some(fax(tail)), removed_ms: removed, ..referrer(name) };
            tx.referrer_put(&one).await.expect("stored");
            ids.push(one.id);
        }
        tx.referrer_put(&Referrer { fax: Some(fax(502)), ..referrer("Elsewhere") }).await.expect("stored");
        assert_eq!(tx.referrers_faxed_at(&fax(501), FIRST, 9).await.expect("read"), ids[..2]);
        assert_eq!(tx.referrers_faxed_at(&fax(501), FIRST, 1).await.expect("read"), ids[..1]);
        assert_eq!(tx.referrers_faxed_at(&fax(501), ids[0], 9).await.expect("read"), ids[1..2]);
        assert!(tx.referrers_faxed_at(&fax(501), ids[1], 9).await.expect("read").is_empty());
    })
    .await;
}
