//! Answers of people that look like those of machines, and mails to the mailbox that letters name for opting out.

use touchline::domain::returned::{Automatic, ReturnKind, ReturnState};
use touchline::domain::{EmailAddress, MessageStatus};
use touchline::feedback::returns::taking::{Arrived, Taken, take};
use touchline::feedback::returns::working::Act;

use super::mails::{personal, reply};
use super::{MAILBOX, TUESDAY, act, mailed, returns, take_one};
use crate::support::gateway::{TestGateway, each_gateway_at};

/// An answer that no header marks as automatic.
fn unmarked(message_id: &str, subject: &str, text: &str) -> String {
    format!(
        "From: Ana <ana@ruiz.example>\r\nTo: office@lakeside-psychiatry.example\r\nSubject: {subject}\r\n\
         Date: Tue, 01 Dec 2026 15:00:00 +0000\r\nIn-Reply-To: {message_id}\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    )
}

#[tokio::test]
async fn what_no_header_marks_as_automatic_stays_in_the_mailbox_and_is_open() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            for (subject, text, kind, automatic) in [
                (
                    "Re: Hello",
                    "Thank you for contacting us. We have a patient for you, please call me.",
                    ReturnKind::Reply,
                    None,
                ),
                ("Re: Hello", "I have retired.", ReturnKind::Reply, None),
                ("Re: Hello", "Is there a guest list for the lunch?", ReturnKind::Reply, None),
                ("Out of office", "I am away until Friday.", ReturnKind::AutoReply, Some(Automatic::Absence)),
                ("Out of office", "I am out today. Please remove us from your list.", ReturnKind::OptOut, None),
                ("Re: Hello", "I have retired. Please remove me from your mailing list.", ReturnKind::OptOut, None),
            ] {
                assert_eq!(take_one(gateway, unmarked(&id, subject, text)).await, Taken::Answer, "{text}");
                let row = returns(gateway).await.remove(0);
                assert_eq!((row.kind, row.automatic, row.state), (kind, automatic, ReturnState::Open), "{text}");
                let mut tx = gateway.store().read().await.expect("a transaction");
                let body = tx.arrival_body(row.arrival_id.expect("a mail")).await.expect("read");
                assert_eq!(body, None, "nothing is kept of what people write: {text}");
            }
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Delivered);
            // Who has seen what may be an absence has not said that they are back.
            let rows = returns(gateway).await;
            let away = rows.iter().find(|row| row.kind == ReturnKind::AutoReply).expect("the absence");
            assert_eq!(act(gateway, away, Act::Done, None).await.expect("done").state, ReturnState::Done);
        },
    )
    .await;
}

/// Takes a mail where letters name a mailbox for opting out.
async fn take_with_an_opt_out_mailbox(gateway: &TestGateway, mail: String) -> Taken {
    let mut parts = gateway.gateway.feedback();
    parts.returns.opt_out_mailbox = Some(EmailAddress::parse("stop@lakeside-psychiatry.example").expect("an address"));
    let now = parts.clock.now();
    let mut tx = gateway.store().write().await.expect("a transaction");
    let mail = Arrived { octets: mail.into_bytes(), received_ms: now };
    let taken = take(&mut tx, &parts, MAILBOX, &[mail], now).await.expect("taken");
    tx.commit().await.expect("committed");
    taken[0]
}

#[tokio::test]
async fn every_mail_of_a_person_to_the_mailbox_for_opting_out_is_seen_by_a_person() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            let mail = |head: &str, text: &str| {
                format!("From: Kim <kim@elsewhere.example>\r\nTo: stop@lakeside-psychiatry.example\r\n{head}\r\n\r\n{text}\r\n")
            };
            for (head, text, kind) in [
                ("Subject:", "", ReturnKind::OptOut),
                ("Subject: Abmelden", "", ReturnKind::OptOut),
                ("Subject: Your letters", "Please remove", ReturnKind::OptOut),
                ("Subject: Your letters", "We would rather hear of you by telephone.", ReturnKind::None),
            ] {
                assert_eq!(take_with_an_opt_out_mailbox(gateway, mail(head, text)).await, Taken::Answer, "{head} {text}");
                let row = returns(gateway).await.remove(0);
                assert_eq!((row.kind, row.state), (kind, ReturnState::Open), "{head} {text}");
                assert_eq!(row.sender.as_deref(), Some("kim@elsewhere.example"), "{head} {text}");
            }
            let newsletter = mail("Subject: Offers\r\nList-Unsubscribe: <https://x.example>", "Unsubscribe here");
            let automatic = mail("Subject: Ticket\r\nAuto-Submitted: auto-replied", "We have received your message");
            for other in [newsletter, automatic, personal(), reply("<unknown@x>", "kim@elsewhere.example", "Yes.")] {
                assert_eq!(take_with_an_opt_out_mailbox(gateway, other).await, Taken::NotOurs);
            }
        },
    )
    .await;
}
