//! No letter twice: what went to a referrer is left out within its repeat window, whoever sends it, by whatever way, from
//! however many programs at once, unless somebody says that it is to go again.

mod racing;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use touchline::campaign::{self, Decisions, runner};
use touchline::domain::id::{ReferrerId, short};
use touchline::domain::message::Message;
use touchline::domain::touch::Touch;
use touchline::domain::{Actor, Channel, MessageStatus};
use touchline::intake::answer::{Accepted, SkipReason};
use touchline::intake::request::{Content, Request};
use touchline::intake::{self, IntakeError, Parts};
use touchline::operator::{self, Act};

use crate::campaigns::clinic::{Clinic, audited, plan, put, referrer, row};
use crate::support::databases::each_database;

const MONDAY: &str = "2026-11-23T15:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A letter to somebody by mail, as a person sends it, without an undo window.
pub fn request(letter: &str, to: &str) -> Request {
    Request {
        letter: letter.to_owned(),
        to: to.parse().expect("an audience"),
        via: vec![Channel::Email],
        variables: Map::new(),
        individually: BTreeMap::new(),
        at: None,
        again: false,
        now: false,
        undo_seconds: Some(0),
        who: Actor::operator("dana"),
        idempotency_key: None,
        run: None,
    }
}

fn saying(what: &str) -> Map<String, Value> {
    json!({ "what": what }).as_object().expect("an object").clone()
}

async fn send(parts: &Parts, request: &Request) -> Accepted {
    intake::submit(parts, request).await.expect("accepted")
}

fn left_out(accepted: &Accepted) -> usize {
    accepted.skipped.iter().filter(|one| one.reason == Some(SkipReason::Repeat)).count()
}

/// How many messages there are to be sent, and who is left out as a repeat.
fn verdict(accepted: &Accepted) -> (usize, usize) {
    (accepted.counts.queued, left_out(accepted))
}

pub async fn touches(parts: &Parts, referrer: ReferrerId) -> Vec<(Touch, Vec<Message>)> {
    let mut tx = parts.store.read().await.expect("a transaction");
    let mut found = Vec::new();
    for touch in tx.touches_of(referrer, 100).await.expect("read") {
        let messages = tx.messages_of_touch(touch.id).await.expect("read");
        found.push((touch, messages));
    }
    found
}

#[tokio::test]
async fn a_list_that_is_sent_twice_goes_out_once_and_the_second_says_what_went_when() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let people = [referrer(1), referrer(2)];
        put(&parts, &people).await;
        let all = request("introduction", "all");
        assert_eq!(verdict(&send(&parts, &all).await), (2, 0));
        clinic.clock.advance(Duration::from_secs(5));

        let planned = intake::list::dry_run(&parts, &all).await.expect("a dry run");
        let second = send(&parts, &all).await;
        assert_eq!((verdict(&planned), verdict(&second)), ((0, 2), (0, 2)));
        assert_eq!(planned.skipped, second.skipped);
        let why = &second.skipped[0].why;
        let words = ["`introduction`", "since Nov 23, 2026 9:00 AM CST", "not repeated before May 22, 2027", "--again"];
        assert!(words.iter().all(|word| why.contains(word)), "{why}");
        assert_eq!(verdict(&send(&parts, &request("introduction", "Whitfield1")).await), (0, 1), "and one letter");
        assert_eq!(verdict(&send(&parts, &request("direct-ask", "all")).await), (2, 0), "another letter is none");
        for person in &people {
            assert_eq!(touches(&parts, person.id).await.len(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn every_submission_is_on_record_with_its_letter_its_audience_and_its_numbers() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let (ana, ben) = (referrer(1), referrer(2));
        put(&parts, &[ana.clone(), ben]).await;
        let keyed = Request { idempotency_key: Some("monday".into()), ..request("introduction", "all") };
        let list = send(&parts, &keyed).await;
        assert_eq!(send(&parts, &keyed).await.submission, list.submission, "the same answer, and no other entry");
        clinic.clock.advance(MINUTE);
        let single = Request { who: Actor::token("crm"), ..request("direct-ask", "Whitfield1") };
        let single = send(&parts, &single).await;
        clinic.clock.advance(MINUTE);
        let left_out = send(&parts, &Request { now: true, ..request("introduction", "Whitfield1") }).await;
        assert_eq!(verdict(&left_out), (0, 1));

        let ana = short(&ana.id.0);
        let expected = [
            format!("operator:dana {} introduction to referrer {ana}: 0 messages accepted, 1 not", left_out.submission),
            format!("token:crm {} direct-ask to referrer {ana}: 1 message accepted, 0 not", single.submission),
            format!("operator:dana {} introduction to all: 2 messages accepted, 0 not", list.submission),
        ];
        assert_eq!(audited(&parts, "submit").await, expected);
        assert!(audited(&parts, "send_now").await.is_empty(), "nothing was sent at once");
    })
    .await;
}

#[tokio::test]
async fn who_says_again_sends_it_again_and_it_is_recorded_as_a_repeat() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let (ana, ben) = (referrer(1), referrer(2));
        put(&parts, &[ana.clone(), ben.clone()]).await;
        let first = send(&parts, &request("introduction", "Whitfield1")).await;
        clinic.clock.advance(MINUTE);
        let again = Request { again: true, ..request("introduction", "all") };
        let second = send(&parts, &again).await;
        assert_eq!(verdict(&second), (2, 0));
        let repeats = async |who: ReferrerId| -> Vec<_> {
            touches(&parts, who).await.into_iter().map(|(touch, _)| touch.repeat_of).collect()
        };
        assert_eq!(repeats(ana.id).await, [Some(first.messages[0].touch), None]);
        assert_eq!(repeats(ben.id).await, [None], "for him it is the first one");
        assert_eq!(audited(&parts, "send_again").await, [format!("operator:dana {} introduction", second.submission)]);

        let keyed = Request { idempotency_key: Some("monday".into()), ..request("introduction", "Whitfield1") };
        let kept = send(&parts, &keyed).await;
        assert_eq!(verdict(&kept), (0, 1));
        assert_eq!(send(&parts, &keyed).await, kept, "the same key gets the same answer");
        let other = intake::submit(&parts, &Request { again: true, ..keyed }).await;
        assert!(matches!(other, Err(IntakeError::KeyReused)), "{other:?}");
    })
    .await;
}

#[tokio::test]
async fn the_same_content_under_another_name_is_a_repeat_and_other_content_is_none() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.copy_built_in("introduction", "hello");
        clinic.write_letter_with("update", "category = \"capacity\"");
        clinic.write_letter_with("update-2", "category = \"capacity\"");
        let parts = clinic.node().await;
        put(&parts, &[referrer(1), referrer(2)]).await;
        assert_eq!(verdict(&send(&parts, &request("introduction", "Whitfield1")).await), (1, 0));
        let copy = send(&parts, &request("hello", "all")).await;
        assert_eq!(verdict(&copy), (1, 1));
        let why = &copy.skipped[0].why;
        assert!(why.contains("`hello` says the same as `introduction`, which is already on its way to them"), "{why}");
        assert_eq!(verdict(&send(&parts, &request("introduction", "all")).await), (0, 2), "in both directions");
        assert_eq!(verdict(&intake::list::dry_run(&parts, &request("hello", "all")).await.expect("dry")), (0, 2));
        let again = Request { again: true, ..request("hello", "Whitfield1") };
        assert_eq!(verdict(&send(&parts, &again).await), (1, 0));

        let update = |letter, what| Request { variables: saying(what), ..request(letter, "Whitfield1") };
        assert_eq!(verdict(&send(&parts, &update("update", "two openings")).await), (1, 0));
        assert_eq!(verdict(&send(&parts, &update("update-2", "two openings")).await), (0, 1));
        assert_eq!(
            verdict(&send(&parts, &update("update-2", "a new partner")).await),
            (1, 0),
            "it says something else"
        );
    })
    .await;
}

#[tokio::test]
async fn a_letter_whose_folder_is_renamed_is_the_same_letter() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.copy_built_in("introduction", "hello");
        std::fs::write(clinic.letters.path().join("hello/letter.md"), text_of(&clinic, "hello") + "\nOur own line.\n")
            .expect("a letter");
        let parts = clinic.node().await;
        put(&parts, &[referrer(1), referrer(2)]).await;
        assert_eq!(verdict(&send(&parts, &request("introduction", "Whitfield2")).await), (1, 0));
        assert_eq!(verdict(&send(&parts, &request("hello", "Whitfield1")).await), (1, 0));
        let (old, new) = (clinic.letters.path().join("hello"), clinic.letters.path().join("welcome"));
        std::fs::rename(old, &new).expect("renamed");
        std::fs::write(new.join("letter.md"), text_of(&clinic, "welcome").replace("\n\n", "  \n\n\n"))
            .expect("written");
        let parts = clinic.node().await;
        let renamed = send(&parts, &request("welcome", "all")).await;
        assert_eq!(verdict(&renamed), (1, 1), "white space makes no other letter");
        assert!(renamed.skipped[0].why.contains("`welcome` says the same as `hello`"), "{}", renamed.skipped[0].why);
    })
    .await;
}

fn text_of(clinic: &Clinic, letter: &str) -> String {
    std::fs::read_to_string(clinic.letters.path().join(letter).join("letter.md")).expect("its text")
}

#[tokio::test]
async fn each_kind_of_letter_may_be_repeated_after_its_own_window() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        for (name, head) in [
            ("update", "category = \"capacity\""),
            ("newsletter", "category = \"education\"\npurpose = \"informational\""),
            ("report", "category = \"report\"\npurpose = \"treatment\""),
            ("receipt", "category = \"operations\"\npurpose = \"operational\""),
            ("reminder", "category = \"capacity\"\nrepeat_days = 3"),
            ("alert", "category = \"introduction\"\nrepeat_days = 0"),
        ] {
            clinic.write_letter_with(name, head);
        }
        let parts = clinic.node().await;
        put(&parts, &[referrer(1)]).await;
        let (a, b) = ("the one", "the other");
        for (letter, days, other_content_is_a_repeat) in [
            ("update", 14, true),
            ("newsletter", 14, true),
            ("report", 1, false),
            ("receipt", 1, false),
            ("reminder", 3, true),
        ] {
            let with = |what: &str| Request { variables: saying(what), ..request(letter, "Whitfield1") };
            assert_eq!(verdict(&send(&parts, &with(a)).await), (1, 0), "{letter}");
            assert_eq!(verdict(&send(&parts, &with(a)).await), (0, 1), "{letter} at once");
            let expected = if other_content_is_a_repeat { (0, 1) } else { (1, 0) };
            assert_eq!(verdict(&send(&parts, &with(b)).await), expected, "{letter} with other content");
            clinic.clock.advance(DAY * days - Duration::from_millis(1));
            assert_eq!(verdict(&send(&parts, &with(a)).await), (0, 1), "{letter} at the end of its window");
            clinic.clock.advance(Duration::from_millis(1));
            assert_eq!(verdict(&send(&parts, &with(a)).await), (1, 0), "{letter} after its window");
        }
        for _ in 0..3 {
            let alert = Request { variables: saying(a), ..request("alert", "Whitfield1") };
            assert_eq!(verdict(&send(&parts, &alert).await), (1, 0), "a letter without a window");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_planned_for_later_counts_from_then() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        put(&parts, &[referrer(1)]).await;
        let later = Request { at: Some(clinic.now().after(DAY * 10)), ..request("introduction", "Whitfield1") };
        assert_eq!(verdict(&send(&parts, &later).await), (1, 0));
        let early = send(&parts, &request("introduction", "Whitfield1")).await;
        assert_eq!(verdict(&early), (0, 1), "it comes anyway");
        let why = &early.skipped[0].why;
        assert!(why.contains("is planned for them on Dec 3, 2026 9:00 AM CST"), "{why}");
        let far = Request { at: Some(clinic.now().after(DAY * 189)), ..request("introduction", "Whitfield1") };
        assert_eq!(verdict(&send(&parts, &far).await), (0, 1), "179 days after it");
        let farther = Request { at: Some(clinic.now().after(DAY * 190)), ..far };
        assert_eq!(verdict(&send(&parts, &farther).await), (1, 0), "180 days after it");
    })
    .await;
}

#[tokio::test]
async fn what_was_never_sent_stands_in_nobodys_way() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let gateway = clinic.gateway(&[]).await;
        let parts = gateway.intake();
        put(&parts, &[referrer(1)]).await;
        let introduction = request("introduction", "Whitfield1");
        for ending in [MessageStatus::Failed, MessageStatus::Suppressed, MessageStatus::Expired] {
            let sent = send(&parts, &introduction).await;
            assert_eq!(verdict(&sent), (1, 0), "before {ending}");
            let mut tx = parts.store.write().await.expect("a transaction");
            let mut message = tx.message(sent.messages[0].id, true).await.expect("read").expect("there");
            (message.status, message.settled_ms) = (ending, Some(clinic.now()));
            tx.message_update(&message).await.expect("written");
            tx.commit().await.expect("committed");
        }
        let sent = send(&parts, &introduction).await;
        let (id, sam) = (sent.messages[0].id, Actor::operator("sam"));
        operator::act(&gateway.operator(), id, Act::Hold, &sam).await.expect("held");
        assert_eq!(verdict(&send(&parts, &introduction).await), (0, 1), "a person may still release it");
        operator::act(&gateway.operator(), id, Act::Cancel, &sam).await.expect("cancelled");
        assert_eq!(verdict(&send(&parts, &introduction).await), (1, 0), "cancelled");
    })
    .await;
}

#[tokio::test]
async fn words_of_their_own_are_counted_by_their_own_letter() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let (ana, ben) = (referrer(1), referrer(2));
        put(&parts, &[ana.clone(), ben.clone()]).await;
        let own = Content { letter: "direct-ask".into(), variables: Map::new() };
        let mixed = Request { individually: BTreeMap::from([(ana.id, own)]), ..request("introduction", "all") };
        assert_eq!(verdict(&send(&parts, &mixed).await), (2, 0));
        assert_eq!(verdict(&send(&parts, &mixed).await), (0, 2));
        let common = send(&parts, &request("introduction", "all")).await;
        assert_eq!(verdict(&common), (1, 1));
        assert_eq!((common.messages[0].referrer, common.skipped[0].referrer), (ana.id, ben.id));
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_that_several_share_gets_no_second_copy_under_another_name() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let (ana, mut ben) = (referrer(1), referrer(2));
        ben.email = ana.email.clone();
        put(&parts, &[ana.clone(), ben]).await;
        let all = request("introduction", "all");
        let first = send(&parts, &all).await;
        assert_eq!((first.counts.queued, first.counts.skipped, left_out(&first)), (1, 1, 0));
        let second = send(&parts, &all).await;
        assert_eq!((second.counts.queued, second.counts.skipped, left_out(&second)), (0, 2, 1));
    })
    .await;
}

#[tokio::test]
async fn last_months_run_never_blocks_this_months_and_a_second_one_in_a_month_is_left_out() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-12-01T14:59:00Z");
        let parts = clinic.node().await;
        put(&parts, &[referrer(1), referrer(2)]).await;
        campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        let who = Actor::operator("dana");
        for month in 0..12 {
            let next = row(&parts, "monthly").await.next_ms.expect("a next run");
            clinic.clock.advance(next.since(clinic.now()));
            assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
            let made = campaign::show(&parts, "monthly").await.expect("shown").runs[0].total;
            assert_eq!(made, 2, "the planned run of month {month}");
            clinic.clock.advance(DAY * 3);
            let preview = campaign::preview(&parts, "monthly", Decisions::default()).await.expect("a preview").planned;
            let by_hand = campaign::run_now(&parts, "monthly", &who).await.expect("accepted");
            assert_eq!((verdict(&preview), verdict(&by_hand)), ((0, 2), (0, 2)), "by hand in month {month}");
            if month % 4 == 3 {
                let decided = Decisions { again: true, now: false };
                let again = campaign::run_as_decided(&parts, "monthly", &who, decided).await.expect("accepted");
                assert_eq!(verdict(&again), (2, 0));
            }
        }
        assert_eq!(audited(&parts, "send_again").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_campaign_that_runs_once_has_the_window_of_its_letter() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-12-01T14:59:00Z");
        let parts = clinic.node().await;
        put(&parts, &[referrer(1)]).await;
        campaign::add(&parts, plan("one day", "once 2026-12-03 09:00")).await.expect("made");
        let by_hand = campaign::run_now(&parts, "one day", &Actor::operator("dana")).await.expect("accepted");
        assert_eq!(verdict(&by_hand), (1, 0));
        clinic.clock.advance(DAY * 2 + MINUTE);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(campaign::show(&parts, "one day").await.expect("shown").runs[0].total, 0);
    })
    .await;
}
