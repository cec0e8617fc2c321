//! Letters to win a referrer go out in the recipient's office hours, by the recipient's own clock.

use std::collections::BTreeMap;

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::message::Message;
use touchline::domain::{Actor, Channel, MessageStatus, Reason, Timestamp};
use touchline::intake;
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;
use touchline::operator::Act;

use crate::support::clock::FakeClock;
use crate::support::gateway::{FarSide, TestGateway, each_gateway_at};

/// The evening of the day after Thanksgiving, in Chicago.
const FRIDAY_EVENING: &str = "2026-11-27T18:00:00-06:00";
const MONDAY_MORNING: &str = "2026-11-30T08:00:00-06:00";

/// The settings of an installation that says nothing about office hours.
fn by_default(settings: String) -> String {
    settings.replace("office_hours = \"always\"", "")
}

fn at(text: &str) -> Timestamp {
    Timestamp(chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis())
}

fn reason(message: &Message) -> Option<&'static str> {
    message.reason.map(Reason::as_str)
}

async fn submit(gateway: &TestGateway, letter: &str, to: &str, via: &[Channel], now: bool) -> Accepted {
    intake::submit(&gateway.intake, &request(letter, to, via, now)).await.expect("accepted")
}

fn request(letter: &str, to: &str, via: &[Channel], now: bool) -> Request {
    let sample = include_str!("../../../templates/end-of-treatment-report/sample.json");
    let variables = match letter {
        "end-of-treatment-report" => serde_json::from_str(sample).expect("a sample"),
        _ => serde_json::Map::new(),
    };
    Request {
        letter: letter.to_owned(),
        to: to.parse().expect("an audience"),
        via: via.to_vec(),
        variables,
        individually: BTreeMap::new(),
        at: None,
        now,
        who: Actor::operator("dana"),
        idempotency_key: None,
        run: None,
        again: false,
        undo_seconds: None,
    }
}

/// A report about a patient goes out at any hour; when it has arrived, everything that was due has been looked at.
async fn a_report_arrives(gateway: &TestGateway, name: &str) {
    let sent = submit(gateway, "end-of-treatment-report", name, &[Channel::Fax], false).await;
    assert_eq!((sent.counts.queued, sent.counts.waiting), (1, 0), "a report does not wait for the clock");
    gateway.message_until(sent.messages[0].id, "the report to arrive", delivered).await;
}

fn delivered(message: &Message) -> bool {
    message.status == MessageStatus::Delivered
}

/// Whether a mail has been handed over and the answer is on record: only then may the time go on by more than a lease.
fn went(message: &Message) -> bool {
    message.status != MessageStatus::Queued
}

async fn audited(gateway: &TestGateway) -> Vec<(Actor, String, Option<String>)> {
    let mut tx = gateway.store().read().await.expect("tx");
    let lines = tx.audit_page(&[], 0, 50).await.expect("read");
    let is_ours = |line: &touchline::store::records::events::AuditLine| line.action.as_str() == "send_now";
    lines.into_iter().filter(is_ours).map(|line| (line.who, line.action.to_string(), line.subject)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advertisement_of_a_friday_evening_goes_on_monday_morning_and_a_report_at_once() {
    each_gateway_at(FRIDAY_EVENING, by_default, async |gateway, far, clock| {
        gateway.know(&[("Late", Some("0150"), None), ("Patient", Some("0151"), None)]).await;
        let sent = submit(gateway, "introduction", "Late", &[Channel::Fax], false).await;
        let (id, monday) = (sent.messages[0].id, at(MONDAY_MORNING));
        assert_eq!((sent.counts.queued, sent.counts.waiting), (1, 1));
        assert_eq!(sent.messages[0].waits_until, Some(monday), "the answer says until when");
        let message = gateway.message(id).await;
        assert_eq!((reason(&message), message.due_ms), (Some("outside_office_hours"), monday));
        assert_eq!(message.give_up_ms, monday.after(std::time::Duration::from_secs(72 * 3600)));

        a_report_arrives(gateway, "Patient").await;
        clock.set("2026-11-30T07:59:59-06:00");
        a_report_arrives(gateway, "Patient").await;
        assert!(far.faxes_to("0150").is_empty(), "not a second before the office opens");
        clock.set(MONDAY_MORNING);
        let message = gateway.message_until(id, "Monday's fax", delivered).await;
        assert_eq!((far.faxes_to("0150").len(), message.tries), (1, 0));
        let mut tx = gateway.store().read().await.expect("tx");
        let touch = tx.touch(message.touch_id).await.expect("read").expect("a touch");
        assert_eq!(touch.occurred_ms, monday, "the touch takes place when the letter may go");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_send_outside_office_hours_at_once_or_later_and_both_are_audited() {
    each_gateway_at(FRIDAY_EVENING, by_default, async |gateway, far, _| {
        gateway.know(&[("Now", Some("0150"), None), ("Later", Some("0151"), None)]).await;
        let sent = submit(gateway, "introduction", "Now", &[Channel::Fax], true).await;
        assert_eq!((sent.counts.waiting, sent.messages[0].waits_until), (0, None));
        gateway.message_until(sent.messages[0].id, "the one sent now", delivered).await;
        let submission = Some(sent.submission.to_string());
        let first = (Actor::operator("dana"), "send_now".to_owned(), submission);
        assert_eq!(audited(gateway).await, std::slice::from_ref(&first));

        let id = submit(gateway, "introduction", "Later", &[Channel::Fax], false).await.messages[0].id;
        assert!(gateway.act(id, Act::Release).await.is_err(), "a release is not what lets it go");
        let message = gateway.act(id, Act::SendNow).await.expect("sent now");
        assert_eq!((message.any_hour_ms, reason(&message)), (Some(at(FRIDAY_EVENING)), None));
        let message = gateway.message_until(id, "the one that waited", delivered).await;
        assert_eq!((far.faxes_to("0151").len(), message.any_hour_ms), (1, None), "it holds until the end");
        let second = (Actor::operator("sam"), "send_now".to_owned(), Some(id.to_string()));
        assert_eq!(audited(gateway).await, [second, first]);
        assert!(gateway.story_of(id).await.contains(&"any_hour".to_owned()));
        assert!(gateway.act(id, Act::SendNow).await.is_err(), "it has arrived");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_asked_for_holds_even_when_the_office_hours_no_longer_do() {
    const SATURDAY: &str = "2026-11-28T10:00:00-06:00";
    each_gateway_at(FRIDAY_EVENING, by_default, async |gateway, far, clock| {
        gateway.know(&[("Saturday", Some("0150"), None), ("Patient", Some("0151"), None)]).await;
        let request = Request { at: Some(at(SATURDAY)), ..request("introduction", "Saturday", &[Channel::Fax], false) };
        let id = intake::submit(&gateway.intake, &request).await.expect("accepted").messages[0].id;
        assert_eq!(gateway.message(id).await.waits_until(), Some(at(MONDAY_MORNING)));
        let message = gateway.act(id, Act::SendNow).await.expect("it need not wait for Monday");
        assert_eq!((message.due_ms, reason(&message)), (at(SATURDAY), None));
        clock.set("2026-11-28T09:59:59-06:00");
        a_report_arrives(gateway, "Patient").await;
        assert!(far.faxes_to("0150").is_empty(), "nobody asked for it on Friday evening");
        clock.set(SATURDAY);
        gateway.message_until(id, "Saturday's fax", delivered).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_zone_waits_for_the_hours_that_all_states_share() {
    each_gateway_at(FRIDAY_EVENING, by_default, async |gateway, far, clock| {
        gateway.know(&[("Patient", Some("0151"), None)]).await;
        let list = "first_name,last_name,type,email,time_zone\n\
             Ana,Nowhere,therapist,nowhere@far.example,\n\
             Ana,Honolulu,therapist,honolulu@far.example,Pacific/Honolulu\n\
             Ana,Guam,therapist,guam@far.example,Pacific/Guam\n";
        gateway.import(list).await;
        let sent = submit(gateway, "introduction", "all", &[Channel::Email], false).await;
        assert_eq!(sent.counts.skipped, 1, "one has no mailbox");
        let until = |name: &str| {
            let of = sent.messages.iter().find(|message| message.name.contains(name)).expect("a message");
            of.waits_until.map(|until| until.in_zone(chrono_tz::America::Chicago))
        };
        // Hawaii's office is still open when Chicago's day has ended; Guam's opens on our Sunday afternoon.
        assert_eq!(until("Honolulu"), None);
        assert_eq!(until("Guam").as_deref(), Some("Nov 29, 2026 4:00 PM CST"));
        assert_eq!(until("Nowhere").as_deref(), Some("Nov 30, 2026 12:00 PM CST"), "8 in Hawaii, 1 in New York");
        assert_eq!(sent.counts.waiting, 2);
        let honolulu = gateway.message_of("Honolulu", Channel::Email).await.id;
        gateway.message_until(honolulu, "Hawaii's mail", went).await;
        clock.set("2026-11-29T16:00:00-06:00");
        let guam = gateway.message_of("Guam", Channel::Email).await.id;
        gateway.message_until(guam, "Guam's mail", went).await;
        clock.set("2026-11-30T11:59:59-06:00");
        a_report_arrives(gateway, "Patient").await;
        assert!(far.mails_to("nowhere@far.example").is_empty());
        clock.set("2026-11-30T12:00:00-06:00");
        let nowhere = gateway.message_of("Nowhere", Channel::Email).await.id;
        gateway.message_until(nowhere, "the last mail", went).await;
        clock.set("2026-11-30T12:01:00-06:00");
        gateway.settled().await;
    })
    .await;
}

/// A letter whose first try failed in the last second of the day.
async fn fails_at_five(gateway: &TestGateway, far: &FarSide, clock: &FakeClock, tail: &str) -> Message {
    gateway.know(&[("Busy", Some(tail), None), ("Patient", Some("0151"), None)]).await;
    let id = submit(gateway, "introduction", "Busy", &[Channel::Fax], false).await.messages[0].id;
    let tried = |message: &Message| message.status == MessageStatus::Queued && message.tries == 1;
    gateway.message_until(id, "the first try", tried).await;
    clock.set("2026-11-27T17:00:05-06:00");
    let waits = |message: &Message| message.waits_until().is_some();
    let message = gateway.message_until(id, "the retry to wait", waits).await;
    assert_eq!(far.faxes_to(tail).len(), 1, "no call after five");
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_falls_after_five_waits_until_monday_and_costs_neither_a_try_nor_its_time() {
    let settings = |settings| format!("{}give_up_hours = 1\n", by_default(settings));
    each_gateway_at("2026-11-27T16:59:59-06:00", settings, async |gateway, far, clock| {
        let message = fails_at_five(gateway, far, clock, "0129").await;
        assert_eq!((message.due_ms, message.tries), (at(MONDAY_MORNING), 1));
        let left = message.give_up_ms.since(message.due_ms).as_secs();
        assert!((3_590..3_600).contains(&left), "what was left of its hour is left on Monday: {left} s");
        clock.set("2026-11-29T12:00:00-06:00");
        a_report_arrives(gateway, "Patient").await;
        assert_eq!(far.faxes_to("0129").len(), 1, "nothing on Sunday");
        clock.set(MONDAY_MORNING);
        let message = gateway.message_until(message.id, "Monday's call", delivered).await;
        let attempts: Vec<_> = gateway.attempts_of(message.id).await.iter().map(|one| one.status).collect();
        assert_eq!(attempts, [AttemptStatus::Failed, AttemptStatus::Delivered]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_at_night_waits_and_a_hold_ends_the_hurry() {
    each_gateway_at("2026-11-27T16:00:00-06:00", by_default, async |gateway, far, clock| {
        gateway.know(&[("Held", Some("0150"), None), ("Patient", Some("0151"), None)]).await;
        super::pausing::pause(gateway, "fax-sandbox").await;
        let id = submit(gateway, "introduction", "Held", &[Channel::Fax], true).await.messages[0].id;
        assert!(gateway.message(id).await.any_hour_ms.is_some());
        let held = gateway.act(id, Act::Hold).await.expect("held");
        assert_eq!(held.any_hour_ms, None);
        super::pausing::resume(gateway, "fax-sandbox").await;
        clock.set(FRIDAY_EVENING);
        gateway.act(id, Act::Release).await.expect("released");
        let waits = |message: &Message| message.waits_until() == Some(at(MONDAY_MORNING));
        gateway.message_until(id, "it to wait for Monday", waits).await;
        gateway.act(id, Act::Hold).await.expect("what waits can be held");
        gateway.act(id, Act::Release).await.expect("released");
        a_report_arrives(gateway, "Patient").await;
        assert!(far.faxes_to("0150").is_empty());
        clock.set(MONDAY_MORNING);
        gateway.message_until(id, "Monday's fax", delivered).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_waits_for_each_recipients_own_morning() {
    each_gateway_at("2026-11-30T06:30:00-06:00", by_default, async |gateway, far, clock| {
        let list = "first_name,last_name,type,fax,basis,basis_source,basis_date,basis_note\n\
             Ana,Boston,therapist,(617) 555-0150,permission,given_by_recipient,2026-10-06,asked\n\
             Ana,Chicago,therapist,(312) 555-0151,permission,given_by_recipient,2026-10-06,asked\n\
             Ana,Boise,therapist,(208) 555-0152,permission,given_by_recipient,2026-10-06,asked\n";
        gateway.import(list).await;
        let sent = submit(gateway, "introduction", "all", &[Channel::Fax], false).await;
        assert_eq!((sent.counts.queued, sent.counts.waiting), (3, 3));
        for (name, tail, opens, before) in [
            ("Boston", "0150", "2026-11-30T07:00:00-06:00", "2026-11-30T06:59:59-06:00"),
            ("Chicago", "0151", "2026-11-30T08:00:00-06:00", "2026-11-30T07:59:59-06:00"),
            // Idaho lies in two zones: it waits for the later one.
            ("Boise", "0152", "2026-11-30T10:00:00-06:00", "2026-11-30T09:59:59-06:00"),
        ] {
            clock.set(before);
            assert!(far.faxes_to(tail).is_empty(), "{tail}");
            clock.set(opens);
            let id = gateway.message_of(name, Channel::Fax).await.id;
            gateway.message_until(id, "the morning's fax", delivered).await;
            assert_eq!(far.faxes_to(tail).len(), 1, "{tail}");
        }
        gateway.settled().await;
    })
    .await;
}
