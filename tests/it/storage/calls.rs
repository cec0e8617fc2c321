//! Whom to telephone: for permission to fax updates, and for the right number.

use touchline::domain::basis::{Basis, BasisKind, NumberSource};
use touchline::domain::health::Health;
use touchline::domain::id::{BasisId, MessageId, ReferrerId, SuppressionId};
use touchline::domain::message::Message;
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, Fault, FaxNumber, MessageStatus, PolicyReason, Purpose, Reason};
use touchline::store::Tx;
use touchline::store::views::calls::{Call, StoppedBy};

use super::samples::{Stage, at, fax, known, referrer};
use crate::support::databases::each_db;

const FIRST: Call = Call::FIRST;

fn who(calls: &[Call]) -> Vec<ReferrerId> {
    calls.iter().map(|call| call.referrer_id).collect()
}

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
        return_id: None,
        expires_ms: None,
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
        let all = tx.calls_for_permission(FIRST, false, 9).await.expect("read");
        assert_eq!(who(&all), ids);
        assert_eq!(tx.calls_for_permission(all[1], false, 2).await.expect("read"), all[2..4]);
        assert!(tx.is_to_be_asked(ids[0], false).await.expect("read"));
        tx.basis_insert(&basis(fax(201), BasisKind::Permission)).await.expect("stored");
        tx.basis_insert(&basis(fax(202), BasisKind::Ebr)).await.expect("stored");
        tx.suppression_insert(&refusal(fax(203), Scope::Advertisement)).await.expect("stored");
        let closed = Referrer { state: ReferrerState::DoNotContact, ..people[3].clone() };
        tx.referrer_put(&closed).await.expect("stored");
        assert_eq!(who(&tx.calls_for_permission(FIRST, false, 9).await.expect("read")), ids[4..]);
        for (id, is_asked) in [(ids[1], [false, true]), (ids[2], [false; 2]), (ids[3], [false; 2]), (ids[4], [true; 2])]
        {
            for (only, is_asked) in [false, true].into_iter().zip(is_asked) {
                assert_eq!(tx.is_to_be_asked(id, only).await.expect("read"), is_asked);
            }
        }
        assert_eq!(tx.calls_for_permission_count(false).await.expect("read"), 1);
        let only = tx.calls_for_permission(FIRST, true, 9).await.expect("read");
        assert_eq!(who(&only), [ids[1], ids[4]], "a relationship does not suffice where only permission does");
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
        let all = tx.calls_for_number(FIRST, 9).await.expect("read");
        assert_eq!(who(&all), [ids[0], ids[1], ids[3]]);
        assert_eq!(tx.calls_for_number(all[0], 1).await.expect("read"), all[1..2]);
        for (id, is_wrong) in ids.iter().zip([true, true, false, true]) {
            assert_eq!(tx.has_wrong_number(*id).await.expect("read"), is_wrong);
        }
        tx.suppression_insert(&refusal(fax(304), Scope::All)).await.expect("stored");
        tx.suppression_insert(&refusal(fax(301), Scope::Advertisement)).await.expect("stored");
        let left = tx.calls_for_number(FIRST, 9).await.expect("read");
        assert_eq!(who(&left), ids[..2], "letters about patients still go");
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
        assert_eq!(tx.referrers_faxed_at(&fax(501), FIRST.referrer_id, 9).await.expect("read"), ids[..2]);
        assert_eq!(tx.referrers_faxed_at(&fax(501), FIRST.referrer_id, 1).await.expect("read"), ids[..1]);
        assert_eq!(tx.referrers_faxed_at(&fax(501), ids[0], 9).await.expect("read"), ids[1..2]);
        assert!(tx.referrers_faxed_at(&fax(501), ids[1], 9).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_was_stopped_or_found_out_lately_comes_first_on_every_page() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        let mut ids = Vec::new();
        for (tail, moment) in [(601, 20), (602, 40), (603, 30), (604, 30)] {
            let one = Referrer { fax: Some(fax(tail)), ..referrer("Nakamura") };
            tx.referrer_put(&one).await.expect("stored");
            let stopped = Message { updated_ms: at(moment), ..stopped_fax(&stage, one.id) };
            tx.messages_insert(&[stopped]).await.expect("stored");
            let address = Address::Fax(fax(tail));
            tx.addresses_ensure(&[address.key()], at(1)).await.expect("made");
            let dead = known(&address, Health::Dead, 1, Some(Fault::InvalidNumber));
            tx.addresses_learn(&[dead], at(moment)).await.expect("learnt");
            ids.push(one.id);
        }
        let mut same = [ids[2], ids[3]];
        same.sort_unstable();
        let expected = [ids[1], same[0], same[1], ids[0]];
        let (mut asked, mut wrong) = (Vec::new(), Vec::new());
        let (mut after_asked, mut after_wrong) = (FIRST, FIRST);
        for _ in 0..expected.len() {
            after_asked = tx.calls_for_permission(after_asked, false, 1).await.expect("read")[0];
            after_wrong = tx.calls_for_number(after_wrong, 1).await.expect("read")[0];
            asked.push(after_asked.referrer_id);
            wrong.push(after_wrong.referrer_id);
        }
        assert_eq!((asked, wrong), (expected.to_vec(), expected.to_vec()));
        assert!(tx.calls_for_permission(after_asked, false, 1).await.expect("read").is_empty());
        assert!(tx.calls_for_number(after_wrong, 1).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_is_asked_follows_the_rule_by_which_a_fax_is_sent() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        let mut tail = 700;
        let sources = NumberSource::ALL.iter().copied().map(Some).chain([None]);
        for kind in BasisKind::ALL.iter().copied() {
            for number_source in sources.clone() {
                for ended_ms in [None, Some(at(6))] {
                    tail += 1;
                    let one = unasked(&stage, &mut tx, tail).await;
                    let recorded = Basis { number_source, ..basis(fax(tail), kind) };
                    tx.basis_insert(&recorded).await.expect("stored");
                    if let Some(at) = ended_ms {
                        tx.basis_end(recorded.id, "withdrawn", at).await.expect("ended");
                    }
                    let now = Basis { ended_ms, ..recorded };
                    for only in [false, true] {
                        let is_asked = tx.is_to_be_asked(one.id, only).await.expect("read");
                        assert_eq!(is_asked, !now.is_sufficient(only), "{kind} {number_source:?} {ended_ms:?} {only}");
                    }
                }
            }
        }
    })
    .await;
}
