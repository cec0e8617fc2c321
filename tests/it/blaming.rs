//! The same refusal for several recipients in a row is about us: the account pauses, the letters wait, and what was held
//! against addresses is taken back. On both databases, over restarts and whoever records the answers.

use std::collections::BTreeMap;
use std::time::Duration;

use touchline::accounts::acts;
use touchline::domain::attempt::{Attempt, ProviderReference};
use touchline::domain::event::EventSource;
use touchline::domain::fault::Failure;
use touchline::domain::health::Health;
use touchline::domain::id::AttemptId;
use touchline::domain::mail_domains::MailDomains;
use touchline::domain::message::Message;
use touchline::domain::provider_state::ProviderState;
use touchline::domain::touch::Touch;
use touchline::domain::{About, Actor, Address, AuditAct, Fault, MessageStatus, Outcome, Remedy, Rule};
use touchline::queue::retry::RetryRules;
use touchline::settle::{self, Evidence, Origin, Rules, SmtpDoubt, Update};
use touchline::store::Store;

use crate::storage::samples::{Stage, at, attempt, touch};
use crate::support::databases::each_db;

const RELAY: &str = "office";
/// What a relay without a code says of everybody.
const NO_PROOF: (Fault, &str, &str) = (Fault::Unknown, "550", "Administrative decision for … (id 4F00BA)");
/// What it says of a mailbox that is not there.
const PROOF: (Fault, &str, &str) = (Fault::MailboxUnknown, "550 5.1.1", "5.1.1 …: User unknown");

fn rules() -> Rules {
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
        domains: MailDomains::default(),
        capabilities: BTreeMap::new(),
    }
}

fn refused((fault, code, text): (Fault, &str, &str)) -> Outcome {
    Outcome::Refused(Failure::new(fault).about(About::Recipient).remedy(Remedy::AskRecipient).code(code).text(text))
}

/// Letters of one broadcast on their way through the relay.
struct Scene {
    store: Store,
    attempts: Vec<Attempt>,
}

impl Scene {
    async fn set(store: &Store, recipients: usize) -> Self {
        Self::set_with_later_copy(store, recipients, None).await
    }

    /// One of the letters is a touch of its own, sent later than the one that the others are.
    async fn set_with_later_copy(store: &Store, recipients: usize, copy: Option<usize>) -> Self {
        let stage = Stage::set(store).await;
        let later = Touch { occurred_ms: at(20), ..touch(stage.referrer.id) };
        let address = |n: usize| -> Address { format!("office{n}@clinic.example").parse().expect("an address") };
        let messages: Vec<Message> = (0..recipients)
            .map(|n| Message {
                address: address(n),
                broadcast_id: None,
                touch_id: if copy == Some(n) { later.id } else { stage.touch.id },
                give_up_ms: at(0).after(Duration::from_secs(2 * 86_400)),
                ..stage.message()
            })
            .collect();
        let calls = messages.iter().map(|message| Self::call(message, 1));
        let attempts: Vec<Attempt> = calls.collect();
        let mut tx = store.write().await.expect("tx");
        tx.touches_insert(&[later]).await.expect("stored");
        tx.messages_insert(&messages).await.expect("stored");
        let keys: Vec<_> = messages.iter().map(|message| message.address.key()).collect();
        tx.addresses_ensure(&keys, at(1)).await.expect("made");
        tx.attempts_insert(&attempts).await.expect("stored");
        tx.commit().await.expect("committed");
        Self { store: store.clone(), attempts }
    }

    fn call(message: &Message, number: i64) -> Attempt {
        let dialled = Some(message.address.clone());
        Attempt { provider: RELAY.into(), dialled, ..attempt(message.id, number) }
    }

    /// The relay's answer to one of them, recorded as by a node of its own.
    async fn answer(&self, n: usize, outcome: Outcome) {
        self.answer_all(&[(n, outcome)]).await;
    }

    /// Answers recorded in one transaction.
    async fn answer_all(&self, answers: &[(usize, Outcome)]) {
        let update = |(n, outcome): &(usize, Outcome)| Update {
            attempt: self.attempts[*n].id,
            evidence: Evidence::Answer(outcome.clone()),
            origin: Origin::provider(EventSource::Answer, RELAY),
        };
        let updates: Vec<Update> = answers.iter().map(update).collect();
        let mut tx = self.store.write().await.expect("tx");
        settle::apply_all(&mut tx, &rules(), &updates, at(30)).await.expect("learnt");
        tx.commit().await.expect("committed");
    }

    fn accepted(&self, n: usize) -> Outcome {
        Outcome::Accepted { reference: ProviderReference(format!("<{}@harbor.example>", self.attempts[n].id)) }
    }

    async fn message(&self, n: usize) -> Message {
        let mut tx = self.store.read().await.expect("tx");
        tx.message(self.attempts[n].message_id, false).await.expect("read").expect("there")
    }

    async fn health(&self, n: usize) -> Health {
        let address = self.message(n).await.address;
        let mut tx = self.store.read().await.expect("tx");
        tx.address_health(&address).await.expect("read").expect("known").health
    }

    async fn account(&self) -> ProviderState {
        let states = self.store.read().await.expect("tx").provider_states(false).await.expect("read");
        states.into_iter().find(|state| state.provider == RELAY).unwrap_or_default()
    }

    async fn statuses(&self) -> Vec<MessageStatus> {
        let mut statuses = Vec::new();
        for n in 0..self.attempts.len() {
            statuses.push(self.message(n).await.status);
        }
        statuses
    }

    /// Makes another attempt of a letter that waits, after the account was resumed.
    async fn call_again(&mut self, n: usize, number: i64) -> AttemptId {
        let again = Attempt { opened_ms: at(45), ..Self::call(&self.message(n).await, number) };
        let mut tx = self.store.write().await.expect("tx");
        tx.attempts_insert(std::slice::from_ref(&again)).await.expect("stored");
        tx.commit().await.expect("committed");
        self.attempts[n] = again;
        self.attempts[n].id
    }

    async fn resume(&self, and_let_them_stand: bool) {
        let who = Actor::operator("sam");
        if and_let_them_stand {
            acts::resume_and_let_refusals_stand(&self.store, RELAY, &who, at(40)).await.expect("resumed");
        } else {
            acts::resume(&self.store, RELAY, &who, at(40)).await.expect("resumed");
        }
    }
}

#[tokio::test]
async fn three_recipients_refused_alike_pause_the_account_and_their_letters_wait() {
    each_db(async |store| {
        let scene = Scene::set(&store, 3).await;
        scene.answer(0, refused(NO_PROOF)).await;
        scene.answer(1, refused((NO_PROOF.0, NO_PROOF.1, "administrative decision for … (id 77C1AA)"))).await;
        assert_eq!(scene.account().await.paused_ms, None, "two may be chance");
        assert_eq!(scene.message(1).await.tries, 1);
        scene.answer(2, refused(NO_PROOF)).await;
        let account = scene.account().await;
        assert!(account.paused_ms.is_some() && account.resumes_ms.is_none(), "a person is asked");
        assert_eq!(account.paused_remedy, Some(Remedy::SameForAll));
        let reason = account.paused_reason.expect("a reason");
        assert!(reason.contains("Administrative decision") && reason.contains("3 recipients"), "{reason}");
        for n in 0..3 {
            let message = scene.message(n).await;
            assert_eq!((message.status, message.tries), (MessageStatus::Queued, 0), "{n}");
            assert_eq!(message.reason.map(touchline::domain::Reason::as_str), Some("provider_paused"));
            let mut tx = store.read().await.expect("tx");
            assert!(tx.queue_entry(message.id.0).await.expect("read").is_some(), "it is on the queue");
            let events = tx.events_of(message.id).await.expect("read");
            let last = events.last().expect("some");
            assert_eq!((last.kind.as_str(), &last.who), ("taken_back", &Actor::Rule(Rule::SameRefusal)));
        }
    })
    .await;
}

#[tokio::test]
async fn ten_unknown_mailboxes_in_a_row_are_about_us_and_no_mark_stays() {
    each_db(async |store| {
        let scene = Scene::set(&store, 11).await;
        for n in 0..9 {
            scene.answer(n, refused(PROOF)).await;
            assert_eq!((scene.health(n).await, scene.message(n).await.status), (Health::Dead, MessageStatus::Failed));
        }
        assert_eq!(scene.account().await.paused_ms, None, "nine may have left together");
        scene.answer(9, refused(PROOF)).await;
        assert!(scene.account().await.paused_ms.is_some());
        for n in 0..10 {
            let message = scene.message(n).await;
            assert_eq!((message.status, message.tries, message.settled_ms), (MessageStatus::Queued, 0, None), "{n}");
            assert_eq!(scene.health(n).await, Health::Unverified, "{n}");
        }
        scene.answer(10, refused(PROOF)).await;
        assert_eq!(
            (scene.health(10).await, scene.message(10).await.status),
            (Health::Unverified, MessageStatus::Queued),
            "what was already under way is about us too"
        );
        let audit = store.read().await.expect("tx").audit_page(&[], 0, 100).await.expect("read");
        let revived = audit.iter().filter(|line| line.action == AuditAct::ReviveAddress).count();
        assert_eq!(revived, 11, "each with a record");
        assert!(audit.iter().all(|line| !format!("{line:?}").contains("@clinic.example")), "without an address");
    })
    .await;
}

#[tokio::test]
async fn an_acceptance_shows_that_the_account_works_and_ends_the_row() {
    each_db(async |store| {
        let scene = Scene::set(&store, 7).await;
        for n in [0, 1] {
            scene.answer(n, refused(NO_PROOF)).await;
        }
        scene.answer(2, scene.accepted(2)).await;
        for n in [3, 4] {
            scene.answer(n, refused(NO_PROOF)).await;
        }
        assert_eq!(scene.account().await.paused_ms, None);
        scene.answer_all(&[(5, refused(NO_PROOF)), (6, scene.accepted(6))]).await;
        assert!(scene.account().await.paused_ms.is_some(), "the third came before the acceptance");
        let left = store.read().await.expect("tx").refusals_of(RELAY).await.expect("read");
        assert!(left.is_empty(), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn the_same_recipient_again_or_another_refusal_or_a_passing_one_does_not_count() {
    each_db(async |store| {
        let mut scene = Scene::set(&store, 4).await;
        scene.answer(0, refused(NO_PROOF)).await;
        scene.call_again(0, 2).await;
        scene.answer(0, refused(NO_PROOF)).await;
        scene.answer(1, refused(NO_PROOF)).await;
        scene.answer(2, refused((Fault::Unknown, "550", "quite another reason"))).await;
        scene.answer(3, refused((Fault::Deferred, "450 4.2.0", NO_PROOF.2))).await;
        assert_eq!(scene.account().await.paused_ms, None, "{:?}", scene.statuses().await);
    })
    .await;
}

#[tokio::test]
async fn answers_recorded_at_the_same_time_by_several_nodes_are_counted_together() {
    each_db(async |store| {
        let scene = std::sync::Arc::new(Scene::set(&store, 12).await);
        let recorders = (0..12).map(|n| {
            let scene = scene.clone();
            tokio::spawn(async move { scene.answer(n, refused(NO_PROOF)).await })
        });
        for recorder in recorders.collect::<Vec<_>>() {
            recorder.await.expect("no answer was thrown out");
        }
        assert!(scene.account().await.paused_ms.is_some());
        assert_eq!(scene.statuses().await, [MessageStatus::Queued; 12]);
    })
    .await;
}

#[tokio::test]
async fn after_a_resume_the_same_refusal_pauses_again_unless_a_person_says_that_it_stands() {
    each_db(async |store| {
        let mut scene = Scene::set(&store, 10).await;
        for n in 0..10 {
            scene.answer(n, refused(PROOF)).await;
        }
        scene.resume(false).await;
        assert!(!scene.account().await.is_paused(at(41)));
        scene.call_again(0, 2).await;
        scene.answer(0, refused(PROOF)).await;
        assert!(scene.account().await.is_paused(at(41)), "nothing was mended");
        assert_eq!((scene.message(0).await.status, scene.health(0).await), (MessageStatus::Queued, Health::Unverified));

        scene.resume(true).await;
        scene.call_again(0, 3).await;
        scene.answer(0, refused(PROOF)).await;
        assert!(!scene.account().await.is_paused(at(41)));
        assert_eq!((scene.message(0).await.status, scene.health(0).await), (MessageStatus::Failed, Health::Dead));
    })
    .await;
}

/// A person may have found the address good, or the letter may have arrived another way, before the tenth refusal came.
#[tokio::test]
async fn what_changed_since_is_not_taken_back() {
    each_db(async |store| {
        let scene = Scene::set(&store, 10).await;
        for n in 0..9 {
            scene.answer(n, refused(PROOF)).await;
        }
        let (withdrawn, address) = (scene.message(0).await, scene.message(1).await.address);
        let mut tx = store.write().await.expect("tx");
        let withdrawn = Message { status: MessageStatus::Cancelled, reason: None, ..withdrawn };
        tx.message_update(&withdrawn).await.expect("written");
        let known = tx.address_health(&address).await.expect("read").expect("known");
        tx.addresses_learn(&[known.after_success()], at(31)).await.expect("written");
        tx.commit().await.expect("committed");
        scene.answer(9, refused(PROOF)).await;
        assert_eq!(scene.message(0).await.status, MessageStatus::Cancelled);
        assert_eq!(scene.health(1).await, Health::Confirmed);
        assert_eq!(scene.health(2).await, Health::Unverified);
    })
    .await;
}

/// Nobody gets two copies because the first had failed by a refusal that turned out to be about us.
#[tokio::test]
async fn a_letter_that_was_sent_anew_since_does_not_wait_again() {
    each_db(async |store| {
        let scene = Scene::set_with_later_copy(&store, 10, Some(9)).await;
        for n in 0..10 {
            scene.answer(n, refused(PROOF)).await;
        }
        let mut statuses = vec![MessageStatus::Failed; 9];
        statuses.push(MessageStatus::Queued);
        assert_eq!(scene.statuses().await, statuses, "the copy that was sent later waits, and no other");
        assert_eq!(scene.health(0).await, Health::Unverified, "no mark stays all the same");
    })
    .await;
}

#[tokio::test]
async fn of_two_copies_that_failed_alike_only_the_one_refused_last_waits_again() {
    each_db(async |store| {
        let scene = Scene::set_with_later_copy(&store, 10, Some(8)).await;
        for n in 0..10 {
            scene.answer(n, refused(PROOF)).await;
        }
        let mut statuses = vec![MessageStatus::Queued; 10];
        statuses[8] = MessageStatus::Failed;
        assert_eq!(scene.statuses().await, statuses);
    })
    .await;
}

#[tokio::test]
async fn a_letter_whose_later_copy_is_on_its_way_does_not_wait_again() {
    each_db(async |store| {
        let scene = Scene::set_with_later_copy(&store, 11, Some(10)).await;
        for n in 0..10 {
            scene.answer(n, refused(PROOF)).await;
        }
        assert!(scene.account().await.is_paused(at(41)));
        assert_eq!(scene.statuses().await[..10], [MessageStatus::Failed; 10]);
    })
    .await;
}

#[tokio::test]
async fn a_quota_pauses_until_it_returns_and_a_fault_of_the_account_until_a_person_comes() {
    each_db(async |store| {
        let scene = Scene::set(&store, 2).await;
        let quota = Failure::new(Fault::QuotaReached).about(About::Speed).remedy(Remedy::WaitForQuota);
        scene.answer(0, Outcome::NotSent(quota.retry_after(Some(600)).text("quota"))).await;
        let account = scene.account().await;
        assert_eq!(account.resumes_ms, Some(at(30).after(Duration::from_secs(600))));
        assert!(account.is_paused(at(31)) && !account.is_paused(at(30).after(Duration::from_secs(600))));
        let closed = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::AskRelay);
        scene.answer(1, Outcome::NotSent(closed.text("suspended"))).await;
        let account = scene.account().await;
        assert_eq!((account.resumes_ms, account.paused_remedy), (None, Some(Remedy::AskRelay)));
        assert_eq!(scene.statuses().await, [MessageStatus::Queued; 2]);
    })
    .await;
}
