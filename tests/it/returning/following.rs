//! What follows from returns for others than the letter: for the account, the row of equal ones, the list of a person.

use touchline::domain::id::{ArrivalId, ReturnId};
use touchline::domain::message::Message;
use touchline::domain::returned::{ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Channel, Fault, MessageStatus, PhiClass, PolicyReason, Reason};
use touchline::feedback::returns::taking::{Arrived, Taken, read_each, take_each};
use touchline::feedback::returns::working::Act;
use touchline::store::records::returns::ReturnRow;
use touchline::upkeep;

use super::mails::{mailbox_full, reply, report, unknown_user};
use super::{MAILBOX, TUESDAY, act, mailed, returns, suppressions, take_all, take_one};
use crate::storage::samples;
use crate::support::gateway::{TestGateway, each_gateway_at};

/// A report about two recipients.
fn about_two(id: &str, one: (&str, &str, &str), other: (&str, &str, &str)) -> String {
    let group = |(to, action, status): (&str, &str, &str)| {
        format!(
            "Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} said"
        )
    };
    let whole = report(id, one.0, one.1, one.2, &format!("550 {} said", one.2));
    whole.replace(
        "\r\n\r\n--b\r\nContent-Type: text/rfc822-headers",
        &format!("\r\n\r\n{}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers", group(other)),
    )
}

#[tokio::test]
async fn what_a_report_says_of_the_letters_own_recipient_decides_and_nothing_else() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            let own = "office@clinic.example";
            gateway.know(&[("Ruiz", None, Some(own))]).await;
            let dead = ("dead@member.example", "failed", "5.1.1");
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            for (action, status) in [("delayed", "4.4.1"), ("relayed", "2.0.0"), ("expanded", "2.0.0")] {
                let ours = (own, action, status);
                for mail in [about_two(&id, ours, dead), about_two(&id, dead, ours)] {
                    assert_eq!(take_one(gateway, mail).await, Taken::Ours, "{action}");
                    let now = gateway.message(letter.id).await.status;
                    let wanted = if action == "delayed" { MessageStatus::Accepted } else { MessageStatus::Delivered };
                    assert_eq!(now, wanted, "{action}");
                }
            }
            assert_eq!(suppressions(gateway, &letter).await, []);
            let kinds: Vec<ReturnKind> = returns(gateway).await.iter().map(|row| row.kind).collect();
            assert!(!kinds.contains(&ReturnKind::Bounce), "{kinds:?}");
            let ours = (own, "failed", "5.1.1");
            take_one(gateway, about_two(&id, ("well@member.example", "delivered", "2.0.0"), ours)).await;
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed, "it failed for ours");
        },
    )
    .await;
}

/// Five referrers at four domains, a letter to each, and its `Message-ID`.
async fn five(gateway: &TestGateway) -> Vec<(Message, String, String)> {
    let people = [
        ("Ames", "a@one.example"),
        ("Bell", "b@two.example"),
        ("Cruz", "c@three.example"),
        ("Diaz", "d@four.example"),
        ("Ebel", "e@one.example"),
    ];
    gateway.know(&people.map(|(name, at)| (name, None, Some(at)))).await;
    let mut letters = Vec::new();
    for (name, at) in people {
        let (letter, id) = mailed(gateway, "introduction", name).await;
        letters.push((letter, id, at.to_owned()));
    }
    letters
}

async fn paused(gateway: &TestGateway) -> Option<String> {
    let states = gateway.store().read().await.expect("a transaction").provider_states(false).await.expect("read");
    states.into_iter().find(|state| state.paused_ms.is_some()).and_then(|state| state.paused_reason)
}

#[tokio::test]
async fn the_same_failure_for_all_is_about_us_and_is_taken_back() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            let letters = five(gateway).await;
            let look = async || {
                upkeep::equal_returns::stop_accounts(gateway.store(), clock, &gateway.gateway.rules)
                    .await
                    .expect("looked")
            };
            for (_, id, at) in letters.iter().take(4) {
                take_one(gateway, unknown_user(id, at)).await;
            }
            assert_eq!(look().await, 0, "four may have left");
            assert_eq!(paused(gateway).await, None);
            assert_eq!(suppressions(gateway, &letters[0].0).await.len(), 1);
            let (_, id, at) = &letters[4];
            take_one(gateway, unknown_user(id, at)).await;
            // The gateway's own upkeep may be first.
            let why = gateway
                .until("the account is paused", async || {
                    look().await;
                    paused(gateway).await
                })
                .await;
            assert!(why.contains("5 recipients") && why.contains("User unknown") && !why.contains('@'), "{why}");
            for (letter, ..) in &letters {
                let waits = gateway.message_until(letter.id, "waits", |one| one.status == MessageStatus::Queued).await;
                assert_eq!(waits.reason, Some(Reason::Policy(PolicyReason::ProviderPaused)));
                assert_eq!(suppressions(gateway, letter).await, [], "lifted");
            }
            let rows = returns(gateway).await;
            assert!(rows.iter().all(|row| row.class == Some(ReturnClass::Ours)), "{rows:?}");
            assert!(rows.iter().all(|row| row.outcome.as_deref() == Some("about_us")));
            assert_eq!(look().await, 0, "once");
        },
    )
    .await;
}

#[tokio::test]
async fn of_letters_of_which_some_arrive_the_bad_addresses_stay_bad() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            let letters = five(gateway).await;
            gateway.know(&[("Fox", None, Some("f@five.example"))]).await;
            let (_, arrived) = mailed(gateway, "introduction", "Fox").await;
            take_one(gateway, report(&arrived, "f@five.example", "delivered", "2.0.0", "250 ok")).await;
            for (_, id, at) in &letters {
                take_one(gateway, unknown_user(id, at)).await;
            }
            let rules = &gateway.gateway.rules;
            let stopped = upkeep::equal_returns::stop_accounts(gateway.store(), clock, rules).await.expect("looked");
            assert_eq!((stopped, paused(gateway).await), (0, None));
            for (letter, ..) in &letters {
                assert_eq!(suppressions(gateway, letter).await.len(), 1);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_about_our_domain_is_raised_once_and_several_pause_the_account_and_burn_no_letter() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            let letters = five(gateway).await;
            let words = "550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy";
            for (_, id, at) in letters.iter().take(2) {
                take_one(gateway, report(id, at, "failed", "5.7.26", words)).await;
            }
            let rows = returns(gateway).await;
            assert_eq!(
                rows.iter().map(|row| (row.class, row.reason)).collect::<Vec<_>>(),
                vec![(Some(ReturnClass::Ours), Some(Fault::AccountError)); 2]
            );
            let open = rows.iter().filter(|row| row.state == ReturnState::Open).count();
            assert_eq!(open, 1, "one of them is a person's task");
            assert_eq!(gateway.message(letters[0].0.id).await.status, MessageStatus::Failed);
            let (_, id, at) = &letters[2];
            take_one(gateway, report(id, at, "failed", "5.7.26", words)).await;
            gateway
                .until("the account is paused", async || {
                    let rules = &gateway.gateway.rules;
                    upkeep::equal_returns::stop_accounts(gateway.store(), clock, rules).await.expect("looked");
                    paused(gateway).await
                })
                .await;
            for (letter, ..) in letters.iter().take(3) {
                gateway.message_until(letter.id, "waits", |one| one.status == MessageStatus::Queued).await;
                assert_eq!(suppressions(gateway, letter).await, []);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_request_to_stop_may_mean_the_fax() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            let people = [("Ruiz", "0142", "ana@ruiz.example"), ("Stone", "0143", "ben@stone.example")];
            gateway.know(&people.map(|(name, tail, at)| (name, Some(tail), Some(at)))).await;
            for ((name, _, at), decision) in people.into_iter().zip([Act::SuppressFax, Act::SuppressAll]) {
                let (letter, id) = mailed(gateway, "introduction", name).await;
                let [email, fax] = waiting(gateway, name).await;
                take_one(gateway, reply(&id, at, "Please stop faxing us. Remove me from your list.")).await;
                for one in [email, fax] {
                    assert_eq!(gateway.message(one).await.status, MessageStatus::Held, "{name}");
                }
                let row = returns(gateway).await.remove(0);
                act(gateway, &row, decision, None).await.expect("done");
                let of_email = gateway.message(email).await.status;
                assert_eq!(gateway.message(fax).await.status, MessageStatus::Suppressed, "{name}");
                let number = gateway.message(fax).await;
                assert_eq!(suppressions(gateway, &number).await.len(), 1);
                if decision == Act::SuppressFax {
                    assert_eq!(of_email, MessageStatus::Queued, "nobody asked for that");
                    assert_eq!(suppressions(gateway, &letter).await, []);
                } else {
                    assert_eq!(of_email, MessageStatus::Suppressed);
                    assert_eq!(suppressions(gateway, &letter).await.len(), 1);
                }
            }
        },
    )
    .await;
}

/// A letter on both channels that waits for another day.
async fn waiting(gateway: &TestGateway, name: &str) -> [touchline::domain::id::MessageId; 2] {
    let request = touchline::intake::request::Request {
        at: Some(touchline::domain::Timestamp::from_utc("2026-12-03T15:00:00Z".parse().expect("a time"))),
        again: true,
        via: Channel::ALL.to_vec(),
        ..crate::repeating::request("introduction", name)
    };
    let accepted = touchline::intake::submit(&gateway.intake, &request).await.expect("accepted");
    assert_eq!(accepted.counts.queued, 2, "{accepted:?}");
    [gateway.message_of(name, Channel::Email).await.id, gateway.message_of(name, Channel::Fax).await.id]
}

#[tokio::test]
async fn of_a_letter_about_a_patient_no_mailers_words_are_kept() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, _) = mailed(gateway, "introduction", "Ruiz").await;
            let own = samples::touch(letter.referrer_id);
            let about = Message {
                id: touchline::domain::id::MessageId::new(),
                touch_id: own.id,
                phi: PhiClass::Identified,
                ..gateway.message(letter.id).await
            };
            let sent = gateway.attempts_of(letter.id).await.remove(0);
            let attempt = touchline::domain::attempt::Attempt {
                id: touchline::domain::id::AttemptId::new(),
                message_id: about.id,
                provider_reference: None,
                ..sent
            };
            let mut tx = gateway.store().write().await.expect("a transaction");
            tx.touches_insert(std::slice::from_ref(&own)).await.expect("stored");
            tx.messages_insert(std::slice::from_ref(&about)).await.expect("stored");
            tx.attempts_insert(std::slice::from_ref(&attempt)).await.expect("stored");
            tx.commit().await.expect("committed");
            let id = format!("<{}@lakeside-psychiatry.example>", attempt.id);
            take_one(gateway, unknown_user(&id, "ana@ruiz.example")).await;
            let failed = gateway.attempts_of(about.id).await.remove(0);
            assert_eq!((failed.raw_code.as_deref(), failed.raw_text), (Some("5.1.1"), None));
            let story = gateway.story_of(about.id).await.join("\n");
            let evidence = suppressions(gateway, &about).await.remove(0).evidence;
            assert!(!story.contains("User unknown") && evidence.is_none(), "{story} {evidence:?}");
            assert_eq!(returns(gateway).await[0].diagnostic, None);
        },
    )
    .await;
}

#[tokio::test]
async fn addresses_with_control_characters_are_none_on_either_database() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let odd = ["\"a\0b\"@x.example", "a\0b", "\"a\u{1b}b\"@x.example"];
            let mails: Vec<String> = odd.iter().map(|to| unknown_user(&id, to)).collect();
            assert_eq!(take_all(gateway, &mails).await.len(), 3);
            let answer = reply(&id, "\"a\0b\"@x.example", "Yes");
            assert_eq!(take_one(gateway, answer).await, Taken::Answer);
            assert!(returns(gateway).await.iter().all(|row| row.message_id == Some(letter.id)));
        },
    )
    .await;
}

#[tokio::test]
async fn what_names_no_letter_fills_neither_the_database_nor_the_list() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            let large = format!("{}{}", unknown_user("<x@else>", "nobody@else.example"), "x".repeat(700 * 1024));
            assert_eq!(take_one(gateway, large).await, Taken::Unmatched);
            let row = returns(gateway).await.remove(0);
            let mut tx = gateway.store().write().await.expect("a transaction");
            let kept = tx.arrival_body(row.arrival_id.expect("a mail")).await.expect("read").expect("kept");
            assert_eq!(kept.len(), 256 * 1024);
            let others: Vec<ReturnRow> = (1..500)
                .map(|_| ReturnRow { id: ReturnId::new(), arrival_id: None::<ArrivalId>, ..row.clone() })
                .collect();
            tx.returns_insert(&others).await.expect("stored");
            tx.commit().await.expect("committed");
            assert_eq!(take_one(gateway, mailbox_full("<y@else>", "other@else.example")).await, Taken::Unmatched);
            let mut tx = gateway.store().read().await.expect("a transaction");
            assert_eq!(tx.returns_open().await.expect("counted"), 500, "no more in a day");
        },
    )
    .await;
}

#[tokio::test]
async fn a_letter_that_a_person_names_is_judged_by_its_own_mailbox() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, _) = mailed(gateway, "introduction", "Ruiz").await;
            take_one(gateway, unknown_user("<x@relay>", "somebody@member.example")).await;
            let row = returns(gateway).await.remove(0);
            act(gateway, &row, Act::Match, Some(letter.id)).await.expect("matched");
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
            assert_eq!(suppressions(gateway, &letter).await, [], "the report names another mailbox");
            assert_eq!(returns(gateway).await[0].class, Some(ReturnClass::Soft));
        },
    )
    .await;
}

#[tokio::test]
async fn mails_that_take_long_to_read_hold_nobody_up_and_all_of_them_are_taken() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let heavy = |which: usize| {
                let said = "550 5.7.1 words that go on and on ".repeat(27);
                let lines: String =
                    (0..262).map(|n| format!("<a{n}@b{which}.example>: host said: {said}\r\n")).collect();
                format!(
                    "From: MAILER-DAEMON@mx.example\r\nTo: office@lakeside-psychiatry.example\r\n\
                     Subject: Undelivered Mail Returned to Sender\r\n\r\n{lines}"
                )
            };
            let mails: Vec<String> = (0..3).map(heavy).chain([unknown_user(&id, "ana@ruiz.example")]).collect();
            let parts = gateway.gateway.feedback();
            let now = parts.clock.now();
            let arrived = mails.into_iter().map(|mail| Arrived { octets: mail.into_bytes(), received_ms: now });
            // The only writer is somebody else's meanwhile.
            let writer = gateway.store().write().await.expect("a transaction");
            let readings = read_each(&parts.returns, arrived.collect()).await;
            writer.rollback().await.expect("given back");
            let readings: Vec<_> = readings.iter().flatten().collect();
            let mut tx = gateway.store().write().await.expect("a transaction");
            let taken = take_each(&mut tx, &parts, MAILBOX, &readings, now).await.expect("taken");
            tx.commit().await.expect("committed");
            let taken: Vec<Taken> = taken.into_iter().map(|(taken, _)| taken).collect();
            assert_eq!(taken, [Taken::Unmatched, Taken::Unmatched, Taken::Unmatched, Taken::Ours]);
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
        },
    )
    .await;
}
