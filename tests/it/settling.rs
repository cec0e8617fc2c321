//! What follows from evidence about attempts, from any source, any number of times, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use touchline::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use touchline::domain::event::{Billed, EventSource, Fact};
use touchline::domain::fault::Failure;
use touchline::domain::health::Health;
use touchline::domain::id::AttemptId;
use touchline::domain::message::Message;
use touchline::domain::{Actor, AddressKey, PolicyReason, Reason, Rule};
use touchline::domain::{Address, Fault, MessageStatus, Outcome};
use touchline::provider::find_spec;
use touchline::queue;
use touchline::queue::retry::RetryRules;
use touchline::settle::{self, Evidence, Origin, Rules, SmtpDoubt};
use touchline::store::Store;

use crate::storage::samples::{Stage, at, attempt, fax, touch};
use crate::support::databases::each_db;

const ACCOUNT: &str = "fax-sandbox";

fn rules() -> Rules {
    let known = find_spec("sandbox").expect("registered").capabilities;
    Rules {
        retry: RetryRules::default(),
        status_poll: Duration::from_secs(20),
        presume_delivered: Duration::from_secs(3600),
        doubt_settle: Duration::from_secs(120),
        doubt_deadline: Duration::from_secs(86_400),
        report_deadline: Duration::from_secs(86_400),
        smtp_doubt: SmtpDoubt::Hold,
        give_up: Duration::from_secs(3 * 86_400),
        restored: None,
        purging: BTreeMap::new(),
        domains: touchline::domain::mail_domains::MailDomains::default(),
        capabilities: BTreeMap::from([(ACCOUNT.to_owned(), known)]),
    }
}

fn origin() -> Origin {
    Origin::provider(EventSource::Webhook, ACCOUNT)
}

/// Faxes to as many numbers and of half as many touches, each with an attempt under way.
async fn calling(store: &Store, count: u32) -> Vec<Attempt> {
    let stage = Stage::set(store).await;
    let touches: Vec<_> = (0..count.div_ceil(2)).map(|_| touch(stage.referrer.id)).collect();
    let messages: Vec<Message> = (0..count)
        .map(|n| Message {
            touch_id: touches[n as usize / 2].id,
            address: Address::Fax(fax(100 + n)),
            ..stage.message()
        })
        .collect();
    let attempts: Vec<Attempt> = messages.iter().map(|message| attempt(message.id, 1)).collect();
    let mut tx = store.write().await.expect("tx");
    tx.touches_insert(&touches).await.expect("stored");
    tx.messages_insert(&messages).await.expect("stored");
    let keys: Vec<_> = messages.iter().map(|message| message.address.key()).collect();
    tx.addresses_ensure(&keys, at(1)).await.expect("made");
    tx.attempts_insert(&attempts).await.expect("stored");
    tx.commit().await.expect("committed");
    attempts
}

async fn learn(store: &Store, attempt: AttemptId, evidence: &Evidence) -> Message {
    let mut tx = store.write().await.expect("tx");
    let message = settle::apply(&mut tx, &rules(), attempt, evidence, &origin(), at(30)).await.expect("learnt");
    tx.commit().await.expect("committed");
    message.expect("a known attempt")
}

fn accepted(reference: &str) -> Evidence {
    Evidence::Answer(Outcome::Accepted { reference: ProviderReference(reference.to_owned()) })
}

#[tokio::test]
async fn an_acceptance_under_a_name_that_another_hand_over_bears_is_doubt_and_stops_nobody() {
    each_db(async |store| {
        let attempts = calling(&store, 2).await;
        assert_eq!(learn(&store, attempts[0].id, &accepted("fx_1")).await.status, MessageStatus::Accepted);
        assert_eq!(learn(&store, attempts[0].id, &accepted("fx_1")).await.status, MessageStatus::Accepted, "its own");
        let second = learn(&store, attempts[1].id, &accepted("fx_1")).await;
        assert_eq!(second.status, MessageStatus::InDoubt);
        let mut tx = store.read().await.expect("tx");
        let standing = tx.attempt(attempts[1].id).await.expect("read").expect("there");
        assert_eq!((standing.provider_reference, standing.fault), (None, Some(Fault::ProtocolError)));
        drop(tx);
        let fact = Evidence::Fact(Fact::Delivered { pages: Some(1) }, Some(ProviderReference("fx_1".into())));
        let settled = learn(&store, attempts[1].id, &fact).await;
        assert_eq!(settled.status, MessageStatus::Delivered, "a fact about our own reference keeps its weight");
    })
    .await;
}

/// Several who bring evidence of the same letters, each in its own order, must not wait for each other in a circle: the
/// database would throw one of them out, and with it everything else in its batch.
#[tokio::test]
async fn batches_of_news_in_any_order_never_wait_in_a_circle() {
    each_db(async |store| {
        let attempts = calling(&store, 8).await;
        let bringers = (0..4_usize).map(|bringer| {
            let (store, attempts) = (store.clone(), attempts.clone());
            tokio::spawn(async move {
                for round in 0..12_usize {
                    let mut order: Vec<&Attempt> = attempts.iter().collect();
                    order.rotate_left((bringer * 2 + round) % attempts.len());
                    if (bringer + round) % 2 == 0 {
                        order.reverse();
                    }
                    bring(&store, &order, round).await;
                }
            })
        });
        for bringer in bringers.collect::<Vec<_>>() {
            bringer.await.expect("no batch was thrown out");
        }
        let mut tx = store.read().await.expect("tx");
        for one in &attempts {
            let settled = tx.attempt(one.id).await.expect("read").expect("there");
            assert_eq!(settled.status, AttemptStatus::Delivered);
        }
    })
    .await;
}

async fn bring(store: &Store, order: &[&Attempt], round: usize) {
    let ids: Vec<AttemptId> = order.iter().map(|attempt| attempt.id).collect();
    let mut tx = store.write().await.expect("tx");
    tx.attempts_lock(&ids).await.expect("locked");
    for id in ids {
        let evidence = match round % 3 {
            0 => accepted(&format!("fx_{id}")),
            1 => Evidence::Fact(Fact::Progress { stage: "dialing".into() }, None),
            _ => Evidence::Fact(Fact::Delivered { pages: Some(1) }, None),
        };
        settle::apply(&mut tx, &rules(), id, &evidence, &origin(), at(30)).await.expect("learnt");
    }
    tx.commit().await.expect("committed");
}

/// What followed an attempt from before a restore is forgotten: a later try may have reached the recipient.
#[tokio::test]
async fn after_a_restore_another_try_waits_for_a_person_unless_a_person_asked_for_it() {
    each_db(async |store| {
        let attempts = calling(&store, 5).await;
        let restored = Rules { restored: Some(at(25)), ..rules() };
        let busy = Evidence::Fact(Fact::Failed(Failure::new(Fault::Busy)), None);
        let learn = async |attempt: &Attempt, evidence: &Evidence, rules: &Rules, origin: &Origin| {
            let mut tx = store.write().await.expect("tx");
            let learnt = settle::apply(&mut tx, rules, attempt.id, evidence, origin, at(30)).await.expect("learnt");
            let message = learnt.expect("a known attempt");
            let queued = tx.queue_entry(message.id.0).await.expect("read").is_some();
            tx.commit().await.expect("committed");
            (message.status, message.reason, queued)
        };
        let held = (MessageStatus::Held, Some(Reason::from(PolicyReason::Restored)), false);
        assert_eq!(learn(&attempts[0], &busy, &restored, &origin()).await, held);

        learn(&attempts[1], &Evidence::Orphaned, &restored, &origin()).await;
        let absent = learn(&attempts[1], &Evidence::Absent, &restored, &Origin::rule(Rule::FoundUnfinished)).await;
        assert_eq!(absent, held, "that this call was never made says nothing of the next");

        learn(&attempts[2], &Evidence::Orphaned, &restored, &origin()).await;
        let said =
            learn(&attempts[2], &Evidence::SaidNotSent, &restored, &Origin::person(&Actor::operator("sam"))).await;
        assert_eq!((said.0, said.2), (MessageStatus::Queued, true));

        let delivered = Evidence::Fact(Fact::Delivered { pages: Some(1) }, None);
        assert_eq!(learn(&attempts[3], &delivered, &restored, &origin()).await.0, MessageStatus::Delivered);

        let earlier = Rules { restored: Some(at(19)), ..rules() };
        let again = learn(&attempts[4], &busy, &earlier, &origin()).await;
        assert_eq!(
            (again.0, again.2),
            (MessageStatus::Queued, true),
            "an attempt made after the restore is known whole"
        );
    })
    .await;
}

/// A broadcast counts as finished with doubt; a letter that waits for a person is not finished.
#[tokio::test]
async fn a_broadcast_goes_on_when_doubt_becomes_a_letter_that_a_restore_holds() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = Message { broadcast_id: Some(stage.broadcast.id), ..stage.message() };
        let called = attempt(message.id, 1);
        stage.store(&store, std::slice::from_ref(&message)).await;
        let mut tx = store.write().await.expect("tx");
        tx.addresses_ensure(&[message.address.key()], at(1)).await.expect("made");
        tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
        tx.commit().await.expect("committed");
        let restored = Rules { restored: Some(at(25)), ..rules() };
        let learn = async |evidence: &Evidence, now| {
            let mut tx = store.write().await.expect("tx");
            let origin = Origin::rule(Rule::FoundUnfinished);
            settle::apply(&mut tx, &restored, called.id, evidence, &origin, at(now)).await.expect("learnt");
            let finished = tx.broadcasts_finish(at(now)).await.expect("looked");
            let unfinished =
                tx.broadcast(stage.broadcast.id).await.expect("read").expect("there").finished_ms.is_none();
            tx.commit().await.expect("committed");
            (finished, unfinished)
        };
        assert_eq!(learn(&Evidence::Orphaned, 30).await, (1, false), "with doubt it is finished");
        assert_eq!(learn(&Evidence::Absent, 40).await, (0, true), "held, it is not");
    })
    .await;
}

/// A provider tells its charge when it likes, once or with everything it says.
#[tokio::test]
async fn a_charge_is_kept_on_the_attempt_whenever_and_however_often_it_is_told() {
    each_db(async |store| {
        let attempts = calling(&store, 2).await;
        let dialing = Evidence::Fact(Fact::Progress { stage: "dialing".into() }, None);
        let delivered = Evidence::Fact(Fact::Delivered { pages: Some(1) }, None);
        let charge = |amount| Origin { billed: Billed::new(amount, "USD"), ..origin() };
        let told_so_far = [(&dialing, charge("0.05")), (&delivered, charge("0.10")), (&delivered, charge("0.10"))];
        let backwards: Vec<_> = told_so_far.iter().rev().collect();
        for (attempt, evidence) in [(&attempts[0], told_so_far.iter().collect()), (&attempts[1], backwards)] {
            for (evidence, origin) in evidence {
                let mut tx = store.write().await.expect("tx");
                settle::apply(&mut tx, &rules(), attempt.id, evidence, origin, at(30)).await.expect("learnt");
                tx.commit().await.expect("committed");
            }
            let mut tx = store.read().await.expect("tx");
            let standing = tx.attempt(attempt.id).await.expect("read").expect("there");
            assert_eq!(standing.billed(), Billed::new("0.10", "USD"));
            let events = tx.events_of(attempt.message_id).await.expect("read");
            assert_eq!(events.iter().filter(|event| event.kind.as_str() == "delivered").count(), 1, "{events:?}");
        }
        learn(&store, attempts[0].id, &delivered).await;
        let mut tx = store.write().await.expect("tx");
        settle::apply(&mut tx, &rules(), attempts[0].id, &delivered, &charge("0.12"), at(40)).await.expect("learnt");
        let last = tx.events_of(attempts[0].message_id).await.expect("read").pop().expect("some");
        assert_eq!((last.kind.as_str(), last.detail.as_deref()), ("charged", Some("0.12 USD")));
    })
    .await;
}

/// More pages than the document has are not believed, whatever the report says otherwise.
#[tokio::test]
async fn pages_beyond_those_of_the_document_are_not_believed() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let failure = Failure::new(Fault::PartialSend).pages(Some(8));
        for (number, fact, status, pages) in [
            (210, Fact::Delivered { pages: Some(4) }, MessageStatus::Delivered, None),
            (211, Fact::Failed(failure), MessageStatus::Failed, Some(3)),
        ] {
            let message = Message { address: Address::Fax(fax(number)), ..stage.message() };
            let called = Attempt { pages: Some(3), ..attempt(message.id, 1) };
            stage.store(&store, std::slice::from_ref(&message)).await;
            let mut tx = store.write().await.expect("tx");
            tx.addresses_ensure(&[message.address.key()], at(1)).await.expect("made");
            tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
            tx.commit().await.expect("committed");
            assert_eq!(learn(&store, called.id, &Evidence::Fact(fact, None)).await.status, status);
            let mut tx = store.read().await.expect("tx");
            let settled = tx.attempt(called.id).await.expect("read").expect("there");
            assert_eq!(settled.pages_confirmed, pages);
            let told = tx.events_of(message.id).await.expect("read").pop().and_then(|event| event.detail);
            assert!(told.as_deref().is_some_and(|words| words.ends_with("pages of 3")), "{told:?}");
        }
    })
    .await;
}

/// A number may be corrected while a call to the old one is under way: what is learnt concerns the old one.
#[tokio::test]
async fn what_is_learnt_of_a_number_concerns_the_one_that_was_called() {
    each_db(async |store| {
        let called = calling(&store, 1).await.remove(0);
        let old = Address::Fax(fax(101));
        let mut tx = store.write().await.expect("tx");
        tx.addresses_ensure(&[old.key(), AddressKey::from(&fax(177))], at(1)).await.expect("made");
        let message = tx.message(called.message_id, true).await.expect("read").expect("there");
        tx.message_update(&Message { address: Address::Fax(fax(177)), ..message }).await.expect("corrected");
        tx.commit().await.expect("committed");
        learn(&store, called.id, &Evidence::Fact(Fact::Failed(Failure::new(Fault::InvalidNumber)), None)).await;
        let mut tx = store.read().await.expect("tx");
        let health = async |tx: &mut touchline::store::Tx, address: &Address| {
            tx.address_health(address).await.expect("read").expect("known").health
        };
        assert_eq!(health(&mut tx, &old).await, Health::Dead);
        assert_eq!(health(&mut tx, &Address::Fax(fax(177))).await, Health::Unverified);
    })
    .await;
}

/// A provider may call a fax delivered of which a page is missing: the pages decide, and such a letter is not sent again.
#[tokio::test]
async fn a_fax_called_delivered_with_fewer_pages_than_it_has_is_a_partial_send() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        for (confirmed, status) in
            [(2, MessageStatus::Failed), (3, MessageStatus::Delivered), (0, MessageStatus::Delivered)]
        {
            let message = Message { address: Address::Fax(fax(200 + confirmed)), ..stage.message() };
            let called = Attempt { pages: Some(3), ..attempt(message.id, 1) };
            stage.store(&store, std::slice::from_ref(&message)).await;
            let mut tx = store.write().await.expect("tx");
            tx.addresses_ensure(&[message.address.key()], at(1)).await.expect("made");
            tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
            tx.commit().await.expect("committed");
            let origin =
                learn(&store, called.id, &Evidence::Fact(Fact::Delivered { pages: Some(confirmed) }, None)).await;
            assert_eq!(origin.status, status, "{confirmed} of 3 pages");
            let mut tx = store.read().await.expect("tx");
            let settled = tx.attempt(called.id).await.expect("read").expect("there");
            let fault = (status == MessageStatus::Failed).then_some(Fault::PartialSend);
            assert_eq!((settled.fault, settled.pages_confirmed), (fault, Some(i64::from(confirmed))));
        }
    })
    .await;
}

/// The end of a call wakes the next letter to the same number, and only that one: a third would find the number busy again.
#[tokio::test]
async fn the_end_of_a_call_lets_the_next_letter_to_the_number_go_at_once() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let waiting = |number: u32| Message {
            address: Address::Fax(fax(number)),
            reason: Some(PolicyReason::NumberBusy.into()),
            ..stage.message()
        };
        let (called, next, third, elsewhere) = (stage.message(), waiting(101), waiting(101), waiting(102));
        let call = attempt(called.id, 1);
        let mut tx = store.write().await.expect("tx");
        let all = [called.clone(), next.clone(), third.clone(), elsewhere.clone()];
        tx.messages_insert(&all).await.expect("stored");
        tx.addresses_ensure(&[called.address.key(), elsewhere.address.key()], at(1)).await.expect("made");
        tx.attempts_insert(std::slice::from_ref(&call)).await.expect("stored");
        let entries: Vec<_> = [&next, &third, &elsewhere]
            .map(|one| {
                settle::work(one, &touchline::domain::mail_domains::MailDomains::default(), settle::SUBMIT, at(20_000))
            })
            .into();
        queue::put(&mut tx, &entries, at(2)).await.expect("queued");
        tx.commit().await.expect("committed");
        let due = async |message: &Message| {
            let mut tx = store.read().await.expect("tx");
            tx.queue_entry(message.id.0).await.expect("read").expect("an entry").due_ms
        };
        learn(&store, call.id, &accepted("f1")).await;
        assert_eq!(due(&next).await, at(20_000), "the call goes on");
        let failed = Evidence::Fact(Fact::Failed(Failure::new(Fault::Busy)), None);
        learn(&store, call.id, &failed).await;
        let dues = (due(&next).await, due(&third).await, due(&elsewhere).await);
        assert_eq!(dues, (at(30), at(20_000), at(20_000)));
    })
    .await;
}
