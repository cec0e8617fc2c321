//! Mails that cannot be read: none is lost without a word, and none stops what lies behind it.

use touchline::domain::id::AttemptId;
use touchline::domain::returned::{ReturnKind, ReturnState};
use touchline::domain::{EmailAddress, MessageStatus};
use touchline::feedback::returns::taking::{Arrived, Taken, take};

use super::mails::{report_to, unknown_user};
use super::{MAILBOX, TUESDAY, mailed, returns};
use crate::support::gateway::each_gateway_at;

/// Parts in one another, deeper than any reader goes.
fn nested(depth: usize) -> Vec<u8> {
    let mut mail = b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n".to_vec();
    for level in 1..depth {
        let part = format!("--b{}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n", level - 1);
        mail.extend(part.as_bytes());
    }
    mail
}

fn not_ours() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("white space", b" \r\n\r\n ".to_vec()),
        ("no mail", vec![0xff; 2_000]),
        ("NULs", vec![0; 5_000]),
        ("10,000 parts in one another", nested(10_000)),
        (
            "10,000 parts beside one another",
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                .iter()
                .copied()
                .chain(b"--b\r\n\r\nx\r\n".repeat(10_000))
                .collect(),
        ),
        ("half a header", b"Subject: =?utf-8?B?/////".to_vec()),
        ("JSON without end", b"{\"notificationType\":\"Bounce\",".to_vec()),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_stays_as_it_is_and_what_lies_behind_it_is_taken() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (ruiz, id) = mailed(gateway, "introduction", "Ruiz").await;
            let (stone, _) = mailed(gateway, "introduction", "Stone").await;
            let mailbox = EmailAddress::parse("bounces@lakeside-psychiatry.example").expect("an address");
            let attempt: AttemptId = gateway.attempts_of(stone.id).await[0].id;
            let to = gateway.gateway.return_paths.bounce(&mailbox, attempt).expect("room");
            // To the signed address of a letter, each is about it, whatever it says.
            let head = format!("Delivered-To: {}\r\n", to.as_str());
            let ours: Vec<Vec<u8>> = vec![
                format!("{head}Subject: ?\r\n\r\n\0\0\0\u{7}").into_bytes(),
                [head.as_bytes(), &nested(10_000)].concat(),
                [head.as_bytes(), b"From: \0@\0.example\r\n\r\n", &vec![b'x'; 40 * 1024 * 1024]].concat(),
            ];
            // A real report with a NUL wherever a server can put one.
            let said = "550 5.1.1 \0<ana@ruiz.example>: \0User unknown\0";
            let with_nuls = report_to("o@l.example", &id, "ana@ruiz.example", "failed", "5.1.1", said);
            let behind = unknown_user("<x@relay>", "nobody\0@elsewhere.example");
            let mut mails: Vec<Vec<u8>> = not_ours().into_iter().map(|(_, mail)| mail).collect();
            let strangers = mails.len();
            mails.extend(ours);
            mails.extend([with_nuls.into_bytes(), behind.into_bytes()]);

            let parts = gateway.gateway.feedback();
            let now = parts.clock.now();
            let arrived: Vec<Arrived> = mails.into_iter().map(|octets| Arrived { octets, received_ms: now }).collect();
            let mut tx = gateway.store().write().await.expect("a transaction");
            let taken = take(&mut tx, &parts, MAILBOX, &arrived, now).await.expect("taken");
            tx.commit().await.expect("committed");
            for ((what, _), taken) in not_ours().iter().zip(&taken) {
                assert_eq!(*taken, Taken::NotOurs, "{what}: it stays in the mailbox");
            }
            assert_eq!(taken[strangers..strangers + 3], [Taken::Answer; 3], "recorded, and they stay");
            assert_eq!(taken[strangers + 3..], [Taken::Ours, Taken::Unmatched]);
            assert_eq!(gateway.message(ruiz.id).await.status, MessageStatus::Failed, "behind all of them");
            let rows = returns(gateway).await;
            assert_eq!(rows.len(), 5);
            let unreadable: Vec<_> = rows.iter().filter(|row| row.kind == ReturnKind::None).collect();
            assert_eq!(unreadable.len(), 3);
            for row in unreadable {
                assert_eq!((row.state, row.message_id), (ReturnState::Open, Some(stone.id)), "a person sees it");
            }
            let texts = rows.iter().flat_map(|row| [&row.diagnostic, &row.recipient, &row.sender]);
            assert!(texts.flatten().all(|text| !text.contains('\0')), "{rows:?}");
        },
    )
    .await;
}
