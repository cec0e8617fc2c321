//! No letter by mistake: until its undo window ends, what a person has sent can be withdrawn, and no provider is called.

mod gating;

use std::time::Duration;

use touchline::app::Gateway;
use touchline::domain::id::SubmissionId;
use touchline::domain::touch::Disposition;
use touchline::domain::{Actor, Channel, MessageStatus, OperatorReason};
use touchline::intake::answer::Accepted;
use touchline::intake::list::Prepared;
use touchline::intake::request::Request;
use touchline::intake::{self, Parts, unfold};
use touchline::operator::{self, Act, OperatorError};
use touchline::upkeep::undone;

use crate::campaigns::clinic::{Clinic, audited, plan, put, referrer};
use crate::repeating;
use crate::support::databases::each_database;

const MONDAY: &str = "2026-11-23T15:00:00Z";
const WINDOWS: [(&str, usize); 2] = [("UNDO_ONE_SECONDS", 60), ("UNDO_LIST_SECONDS", 600)];

/// A letter as a person sends it, with the window of the settings.
fn request(letter: &str, to: &str) -> Request {
    Request { undo_seconds: None, ..repeating::request(letter, to) }
}

async fn send(parts: &Parts, request: &Request) -> Accepted {
    intake::submit(parts, request).await.expect("accepted")
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, OperatorError>) -> String {
    answer.expect_err("should be refused").to_string()
}

fn sam() -> Actor {
    Actor::operator("sam")
}

/// Every message of a submission with its touch, and whether it is on the queue.
async fn looked_up(gateway: &Gateway, accepted: &Accepted) -> Vec<(MessageStatus, Option<String>, Disposition, bool)> {
    let mut tx = gateway.store.read().await.expect("a transaction");
    let mut found = Vec::new();
    for one in &accepted.messages {
        let message = tx.message(one.id, false).await.expect("read").expect("there");
        let touch = tx.touch(message.touch_id).await.expect("read").expect("there");
        let queued = tx.queue_entry(one.id.0).await.expect("read").is_some();
        found.push((message.status, message.reason.map(|reason| reason.to_string()), touch.disposition, queued));
    }
    found
}

#[tokio::test]
async fn what_is_withdrawn_in_time_is_cancelled_whole_counts_for_nothing_and_never_leaves() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let (parts, acts) = (gateway.intake(), gateway.operator());
        let people = [referrer(1), referrer(2)];
        put(&parts, &people).await;
        let sent = send(&parts, &request("introduction", "all")).await;
        assert_eq!(sent.undo_until, Some(clinic.now().after(Duration::from_secs(600))));
        let queued = (MessageStatus::Queued, None, Disposition::Pending, true);
        assert_eq!(looked_up(&gateway, &sent).await, [queued.clone(), queued]);
        let undoable = gateway.store.read().await.expect("tx").undoable(clinic.now(), 10).await.expect("read");
        assert_eq!(undoable.iter().map(|one| (one.id, one.messages)).collect::<Vec<_>>(), [(sent.submission, 2)]);

        operator::act(&acts, sent.messages[0].id, Act::Hold, &sam()).await.expect("held");
        clinic.clock.advance(Duration::from_millis(599_999));
        let undone = operator::undo(&acts, sent.submission, &sam()).await.expect("withdrawn");
        assert_eq!((undone.messages, undone.was_unfolding, undone.at), (2, false, clinic.now()));
        let gone = (MessageStatus::Cancelled, Some("withdrawn".to_owned()), Disposition::Cancelled, false);
        assert_eq!(looked_up(&gateway, &sent).await, [gone.clone(), gone]);
        assert_eq!(audited(&parts, "undo").await, [format!("operator:sam {} ", sent.submission)]);
        let row = gateway.store.read().await.expect("tx").submission(sent.submission).await.expect("read").expect("it");
        assert_eq!((row.undone_ms, row.undone_by), (Some(clinic.now()), Some(sam())));

        assert!(refusal(operator::undo(&acts, sent.submission, &sam()).await).contains("withdrawn already"));
        let retried = operator::act(&acts, sent.messages[0].id, Act::Retry, &sam()).await;
        assert!(refusal(retried).contains("send the letter anew"));
        let mut tx = gateway.store.read().await.expect("a transaction");
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
        assert!(tx.undoable(clinic.now(), 10).await.expect("read").is_empty());
        drop(tx);
        let anew = send(&parts, &request("introduction", "all")).await;
        assert_eq!((anew.counts.queued, anew.counts.skipped), (2, 0), "what was withdrawn is no repeat");
    })
    .await;
}

#[tokio::test]
async fn nothing_of_what_was_withdrawn_can_be_retried() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let (parts, acts) = (gateway.intake(), gateway.operator());
        put(&parts, &[referrer(1)]).await;
        // Nobody has permitted the fax: it is suppressed at once, and so is no part of what is cancelled.
        let both = Request { via: vec![Channel::Fax, Channel::Email], ..request("introduction", "all") };
        let sent = send(&parts, &both).await;
        let suppressed = sent.messages.iter().find(|one| one.status == MessageStatus::Suppressed).expect("the fax");
        assert_eq!(operator::undo(&acts, sent.submission, &sam()).await.expect("withdrawn").messages, 1);
        let retried = operator::act(&acts, suppressed.id, Act::Retry, &sam()).await;
        assert!(refusal(retried).contains("its submission was withdrawn"));
        let statuses: Vec<_> = looked_up(&gateway, &sent).await.into_iter().map(|(status, ..)| status).collect();
        assert!(!statuses.contains(&MessageStatus::Queued), "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn after_the_end_it_is_refused_with_what_to_do_instead() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let (parts, acts) = (gateway.intake(), gateway.operator());
        put(&parts, &[referrer(1), referrer(2)]).await;
        let sent = send(&parts, &request("introduction", "Whitfield1")).await;
        assert_eq!(sent.undo_until, Some(clinic.now().after(Duration::from_secs(60))));
        clinic.clock.advance(Duration::from_secs(60));
        let refused = refusal(operator::undo(&acts, sent.submission, &sam()).await);
        assert!(refused.contains("its undo window has ended") && refused.contains("touchline cancel"), "{refused}");
        let without = send(&parts, &Request { now: true, ..request("introduction", "Whitfield2") }).await;
        let refused = refusal(operator::undo(&acts, without.submission, &sam()).await);
        assert!(refused.contains("without an undo window") && refused.contains("touchline cancel"), "{refused}");
        let unknown = operator::undo(&acts, SubmissionId::new(), &sam()).await;
        assert!(matches!(unknown, Err(OperatorError::NotFound(_))), "{unknown:?}");
        assert_eq!(looked_up(&gateway, &sent).await, [(MessageStatus::Queued, None, Disposition::Pending, true)]);
        assert_eq!(audited(&parts, "send_now").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn people_have_a_window_and_programs_schedules_and_treatment_letters_have_none() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter_with("report", "category = \"report\"\npurpose = \"treatment\"\nrepeat_days = 0");
        clinic.write_letter_with("update", "category = \"capacity\"\nrepeat_days = 0");
        let gateway = clinic.gateway(&WINDOWS).await;
        let parts = gateway.intake();
        put(&parts, &[referrer(1), referrer(2)]).await;
        let what = serde_json::json!({ "what": "a word" }).as_object().expect("an object").clone();
        let one = Request { variables: what, ..request("update", "Whitfield1") };
        let list = Request { to: "all".parse().expect("an audience"), ..one.clone() };
        let crm = Actor::token("crm");
        let table = [
            ("one letter", one.clone(), Some(60)),
            ("a list", list.clone(), Some(600)),
            ("now", Request { now: true, ..one.clone() }, None),
            ("a list now", Request { now: true, ..list.clone() }, None),
            ("a treatment letter", Request { letter: "report".into(), ..one.clone() }, None),
            ("a program", Request { who: crm.clone(), ..list.clone() }, None),
            ("a program that asks", Request { who: crm, undo_seconds: Some(5), ..one.clone() }, Some(5)),
            (
                "a treatment letter that asks",
                Request { letter: "report".into(), undo_seconds: Some(5), ..one.clone() },
                None,
            ),
        ];
        for (name, request, seconds) in table {
            let sent = send(&parts, &request).await;
            let until = seconds.map(|seconds| clinic.now().after(Duration::from_secs(seconds)));
            assert_eq!(sent.undo_until, until, "{name}");
            let message = gateway.store.read().await.expect("tx").message(sent.messages[0].id, false).await;
            assert_eq!(message.expect("read").expect("there").due_ms, until.unwrap_or(clinic.now()), "{name}");
            clinic.clock.advance(Duration::from_secs(1));
        }
        for wrong in
            [Request { undo_seconds: Some(86_401), ..one.clone() }, Request { now: true, undo_seconds: Some(1), ..one }]
        {
            assert!(intake::submit(&parts, &wrong).await.is_err());
        }
        touchline::campaign::add(&parts, plan("monthly", "daily 09:30")).await.expect("made");
        let by_hand = touchline::campaign::run_now(&parts, "monthly", &sam()).await.expect("accepted");
        assert_eq!(by_hand.undo_until, Some(clinic.now().after(Duration::from_secs(600))), "a run by a person");
        clinic.clock.advance(Duration::from_secs(3600));
        assert_eq!(touchline::campaign::runner::fire_due(&parts).await.expect("looked"), 1);
        let undoable = gateway.store.read().await.expect("tx").undoable(clinic.now(), 10).await.expect("read");
        assert!(undoable.is_empty(), "a planned run has no window: {undoable:?}");
    })
    .await;
}

#[tokio::test]
async fn the_latest_is_ones_own_and_what_others_sent_is_named() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let (parts, acts) = (gateway.intake(), gateway.operator());
        put(&parts, &[referrer(1), referrer(2), referrer(3)]).await;
        let dana = Actor::operator("dana");
        assert!(refusal(operator::latest(&acts, &dana).await).contains("nothing can be undone"));
        let first = send(&parts, &request("introduction", "Whitfield1")).await;
        clinic.clock.advance(Duration::from_millis(2));
        let second = send(&parts, &request("introduction", "Whitfield2")).await;
        clinic.clock.advance(Duration::from_millis(2));
        let hers = Request { who: Actor::operator("maria"), ..request("introduction", "Whitfield3") };
        let hers = send(&parts, &hers).await;
        assert_eq!(operator::latest(&acts, &dana).await.expect("found"), second.submission);
        operator::undo(&acts, second.submission, &dana).await.expect("withdrawn");
        assert_eq!(operator::latest(&acts, &dana).await.expect("found"), first.submission);
        let refused = refusal(operator::latest(&acts, &sam()).await);
        assert!(refused.contains("maria") && refused.contains(&hers.submission.to_string()), "{refused}");
        clinic.clock.advance(Duration::from_secs(60));
        assert!(refusal(operator::latest(&acts, &dana).await).contains("nothing can be undone"));
    })
    .await;
}

#[tokio::test]
async fn the_latest_passes_over_what_queued_nothing_and_what_was_cancelled_one_by_one() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let (parts, acts) = (gateway.intake(), gateway.operator());
        put(&parts, &[referrer(1), referrer(2), referrer(3)]).await;
        let dana = Actor::operator("dana");
        let first = send(&parts, &request("introduction", "all")).await;
        for to in ["all", "Whitfield1"] {
            clinic.clock.advance(Duration::from_millis(2));
            let twice = send(&parts, &request("introduction", to)).await;
            assert_eq!((twice.counts.queued, twice.undo_until), (0, None), "a repeat to {to} has no window");
            let row = gateway.store.read().await.expect("tx").submission(twice.submission).await.expect("read");
            let row = row.expect("it is there");
            assert_eq!(row.undo_until_ms, None);
            assert!(row.answer.contains("\"undo_until\":null"), "{}", row.answer);
            assert!(refusal(operator::undo(&acts, twice.submission, &dana).await).contains("without an undo window"));
        }
        assert_eq!(operator::latest(&acts, &dana).await.expect("found"), first.submission);

        clinic.clock.advance(Duration::from_millis(2));
        let other = send(&parts, &request("direct-ask", "Whitfield1")).await;
        operator::act(&acts, other.messages[0].id, Act::Cancel, &dana).await.expect("cancelled");
        assert!(refusal(operator::undo(&acts, other.submission, &dana).await).contains("nothing of it waits"));
        let mut tx = gateway.store.read().await.expect("tx");
        let listed: Vec<_> = tx.undoable(clinic.now(), 10).await.expect("read").iter().map(|one| one.id).collect();
        assert_eq!(listed, [first.submission]);
        assert!(tx.undoable_submission(other.submission, clinic.now()).await.expect("read").is_none());
        let found = tx.undoable_submission(first.submission, clinic.now()).await.expect("read").expect("it waits");
        assert_eq!((found.id, found.messages), (first.submission, 3));
        drop(tx);
        let latest = operator::latest(&acts, &dana).await.expect("found");
        assert_eq!(operator::undo(&acts, latest, &dana).await.expect("withdrawn").messages, 3);
        assert!(refusal(operator::latest(&acts, &dana).await).contains("nothing can be undone"));
    })
    .await;
}

/// A list to everybody that is on record, of which nothing has become a message yet.
async fn recorded(parts: &Parts) -> intake::list::Ready {
    let all = request("introduction", "all");
    let Prepared::New(ready) = intake::list::prepare(parts, &all).await.expect("sound") else {
        panic!("it is new");
    };
    let mut tx = parts.store.write().await.expect("a transaction");
    intake::list::record(&mut tx, parts, &all, &ready).await.expect("recorded");
    tx.commit().await.expect("committed");
    ready
}

#[tokio::test]
async fn a_list_that_is_still_being_unfolded_is_stopped_and_nothing_of_it_becomes_a_message() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let parts = gateway.intake();
        put(&parts, &[referrer(1), referrer(2)]).await;
        let ready = recorded(&parts).await;
        let undone = operator::undo(&gateway.operator(), ready.so_far().submission, &sam()).await.expect("withdrawn");
        assert_eq!((undone.messages, undone.was_unfolding), (0, true));
        assert_eq!(ready.finish(&parts).await.expect("an answer").counts.messages(), 0);
        clinic.clock.advance(Duration::from_secs(3600));
        assert_eq!(unfold::resume(&parts).await.expect("looked"), 0);
        let mut tx = parts.store.read().await.expect("a transaction");
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
        assert!(tx.messages_in(MessageStatus::Queued, 10).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_broadcast_that_is_cancelled_while_its_list_is_unfolded_makes_no_more_messages() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        let parts = gateway.intake();
        put(&parts, &[referrer(1), referrer(2)]).await;
        let ready = recorded(&parts).await;
        let submission = ready.so_far().submission;
        let broadcast = parts.store.read().await.expect("tx").broadcast_of_submission(submission).await.expect("read");
        let broadcast = broadcast.expect("a list");
        let (who, operating) = (sam(), gateway.operator());
        let cancel = || operator::broadcasts::cancel_rest(&operating, broadcast, &who, Duration::ZERO);
        for _ in 0..2 {
            let done = cancel().await.expect("cancelled");
            assert_eq!((done.cancelled, done.has_more), (0, false));
        }
        assert_eq!(ready.finish(&parts).await.expect("an answer").counts.messages(), 0);
        clinic.clock.advance(Duration::from_secs(3600));
        assert_eq!(unfold::resume(&parts).await.expect("looked"), 0);
        let mut tx = parts.store.read().await.expect("a transaction");
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_withdrawn_from_another_program_whatever_it_has_come_to() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let (here, there) = (clinic.gateway(&WINDOWS).await, clinic.gateway(&WINDOWS).await);
        let people: Vec<_> = (1..=1_300).map(referrer).collect();
        put(&here.intake(), &people).await;
        let parts = here.intake();
        let sending = tokio::spawn(async move { intake::submit(&parts, &request("introduction", "all")).await });
        let submission = loop {
            match operator::latest(&there.operator(), &Actor::operator("dana")).await {
                Ok(found) => break found,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let undone = operator::undo(&there.operator(), submission, &sam()).await.expect("withdrawn");
        let _ = sending.await.expect("it ends");
        let mut tx = here.store.read().await.expect("a transaction");
        assert!(tx.messages_waiting_of(submission, 10).await.expect("read").is_empty());
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
        let cancelled = tx.messages_in(MessageStatus::Cancelled, 2_000).await.expect("read");
        assert_eq!(cancelled.len(), undone.messages, "on {}", database.engine());
        assert!(cancelled.iter().all(|one| one.reason == Some(OperatorReason::Withdrawn.into())));
    })
    .await;
}

#[tokio::test]
async fn what_a_program_left_of_a_withdrawn_list_is_cancelled_by_upkeep() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&WINDOWS).await;
        put(&gateway.intake(), &[referrer(1), referrer(2)]).await;
        let sent = send(&gateway.intake(), &request("introduction", "all")).await;
        let mut tx = gateway.store.write().await.expect("a transaction");
        tx.submission_undone(sent.submission, &sam(), clinic.now()).await.expect("noted");
        tx.commit().await.expect("committed");
        assert_eq!(undone::finish(&gateway.store, clinic.clock.as_ref()).await.expect("finished"), 2);
        assert_eq!(undone::finish(&gateway.store, clinic.clock.as_ref()).await.expect("nothing left"), 0);
        let gone = (MessageStatus::Cancelled, Some("withdrawn".to_owned()), Disposition::Cancelled, false);
        assert_eq!(looked_up(&gateway, &sent).await, [gone.clone(), gone]);
    })
    .await;
}
