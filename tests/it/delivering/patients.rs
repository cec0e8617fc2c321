//! Letters about patients by email: to nobody who has not signed, and over no line that is not proven, whatever relay the routes,
//! a fallback or a retry would otherwise lead to.

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Actor, Channel, Fault, MessageStatus};
use touchline::intake::{self, request::Request};
use touchline::operator::Act;

use crate::support::gateway::{TestGateway, each_gateway_with};

const MAILBOX: &str = "ana@clinic.example";

/// Two relays, neither of which encrypts; an agreement is signed with the second alone, if with any.
fn two_relays(settings: &str, is_signed: bool) -> String {
    let (before, rest) = settings.split_once("[providers.mail-sandbox]").expect("the relay");
    let (section, after) = rest.split_once("[routes]").expect("the next section");
    let baa = "baa = { signed = true, date = \"2026-01-02\", reference = \"the safe\" }\n";
    let baa = if is_signed { baa } else { "" };
    let text = format!(
        "{before}[providers.mail-sandbox]{section}[providers.mail-second]{}\n{baa}[routes]{after}",
        section.trim_end()
    );
    text.replace("email = [\"mail-sandbox\"]", "email = [\"mail-sandbox\", \"mail-second\"]")
}

async fn send_report(gateway: &TestGateway) -> intake::answer::Accepted {
    gateway.know(&[("Reader", None, Some(MAILBOX))]).await;
    let sample = include_str!("../../../templates/end-of-treatment-report/sample.json");
    let request = Request {
        letter: "end-of-treatment-report".to_owned(),
        to: "Reader".parse().expect("an audience"),
        via: vec![Channel::Email],
        variables: serde_json::from_str(sample).expect("a sample"),
        individually: std::collections::BTreeMap::new(),
        at: None,
        now: false,
        who: Actor::operator("dana"),
        idempotency_key: None,
        run: None,
        again: false,
        undo_seconds: None,
    };
    intake::submit(&gateway.intake, &request).await.expect("accepted")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_agreement_a_report_is_held_and_a_release_does_not_send_it() {
    each_gateway_with(
        |settings| two_relays(&settings, false),
        async |gateway, far| {
            let report = send_report(gateway).await.messages[0].clone();
            assert_eq!(report.status, MessageStatus::Held);
            gateway.act(report.id, Act::Release).await.expect("released");
            let held = |one: &touchline::domain::message::Message| {
                let reason = one.reason.map(touchline::domain::Reason::as_str);
                one.status == MessageStatus::Held && reason == Some("no_baa")
            };
            gateway.message_until(report.id, "it to be held again", held).await;
            assert!(gateway.attempts_of(report.id).await.is_empty() && far.catcher.messages().is_empty());
            gateway.act(report.id, Act::Cancel).await.expect("withdrawn");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_handed_to_the_relay_that_has_signed_alone_and_never_over_a_line_that_is_not_proven() {
    each_gateway_with(
        |settings| two_relays(&settings, true),
        async |gateway, far| {
            let report = send_report(gateway).await.messages[0].id;
            for attempts in 1..=2 {
                let failed = |one: &touchline::domain::message::Message| one.status == MessageStatus::Failed;
                gateway.message_until(report, "it to fail", failed).await;
                let made = gateway.attempts_of(report).await;
                assert_eq!(made.len(), attempts);
                for attempt in &made {
                    assert_eq!((attempt.provider.as_str(), attempt.status), ("mail-second", AttemptStatus::NotSent));
                    assert_eq!((attempt.fault, attempt.tls_version.as_deref()), (Some(Fault::TlsRequired), None));
                }
                if attempts == 1 {
                    gateway.act(report, Act::Retry).await.expect("sent again by a person");
                    let is_tried = async || (gateway.attempts_of(report).await.len() == 2).then_some(());
                    gateway.until("the second attempt", is_tried).await;
                }
            }
            assert!(far.catcher.messages().is_empty(), "nothing left in the clear");
        },
    )
    .await;
}
