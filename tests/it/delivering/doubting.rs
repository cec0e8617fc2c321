use touchline::domain::attempt::AttemptStatus;
use touchline::domain::id::MessageId;
use touchline::domain::message::{Confidence, Message};
use touchline::domain::{Channel, MessageStatus, PolicyReason};
use touchline::operator::Act;
use touchline::sandbox::fax::FaxStatus;

use crate::support::gateway::{TestGateway, each_gateway, each_gateway_with};

const MAILBOX: &str = "drop.box@far.example";

/// A mail whose acceptance got lost: it arrived, and nobody here can know.
async fn mail_in_doubt(gateway: &TestGateway) -> MessageId {
    gateway.know(&[("Lost", None, Some(MAILBOX))]).await;
    let id = gateway.send_via("introduction", "Lost", &[Channel::Email]).await.messages[0].id;
    let ledger = gateway.settled().await;
    assert_eq!(ledger.in_doubt, 1, "{ledger:?}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_the_final_dot_waits_for_a_person_who_says_that_it_was_sent() {
    each_gateway(async |gateway, far| {
        let id = mail_in_doubt(gateway).await;
        let message = gateway.message(id).await;
        assert_eq!(
            (message.status, message.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::InDoubt, Some("outcome_unknown"))
        );
        for act in [Act::Retry, Act::Hold, Act::Release, Act::Cancel] {
            let refused = gateway.act(id, act).await.expect_err("a doubt must be decided first");
            assert!(refused.to_string().contains("in doubt"), "{refused}");
        }
        let settled = gateway.act(id, Act::MarkSent).await.expect("decided");
        assert_eq!((settled.status, settled.confidence), (MessageStatus::Delivered, Some(Confidence::Confirmed)));
        assert!(gateway.act(id, Act::MarkSent).await.is_err(), "once");
        assert_eq!(far.mails_to(MAILBOX).len(), 1);
        assert_eq!(gateway.story_of(id).await, ["queued", "in_doubt", "said_sent"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_doubt_goes_out_again_only_when_a_person_says_that_it_was_not_sent() {
    each_gateway(async |gateway, far| {
        let id = mail_in_doubt(gateway).await;
        assert_eq!(far.mails_to(MAILBOX).len(), 1);
        gateway.act(id, Act::MarkNotSent).await.expect("decided");
        gateway.settled().await;
        let ends: Vec<_> = gateway.attempts_of(id).await.iter().map(|attempt| attempt.status).collect();
        assert_eq!(ends, [AttemptStatus::NotSent, AttemptStatus::InDoubt]);
        assert_eq!(far.mails_to(MAILBOX).len(), 2, "that is the price of a wrong word");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_setting_may_decide_about_mail_in_doubt() {
    let assume = |settings: String| format!("{settings}smtp_doubt = \"assume_sent\"\n");
    each_gateway_with(assume, async |gateway, far| {
        gateway.know(&[("Lost", None, Some(MAILBOX))]).await;
        let id = gateway.send_via("introduction", "Lost", &[Channel::Email]).await.messages[0].id;
        gateway.settled().await;
        let message = gateway.message(id).await;
        assert_eq!((message.status, message.confidence), (MessageStatus::Delivered, Some(Confidence::Presumed)));
        assert_eq!(far.mails_to(MAILBOX).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_whose_answer_was_lost_is_found_at_the_provider_and_not_sent_again() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Cut", Some("0124"), None)]).await;
        let id = gateway.send("introduction", "Cut").await.messages[0].id;
        gateway.settled().await;
        assert_eq!(gateway.message(id).await.status, MessageStatus::Delivered);
        let attempts = gateway.attempts_of(id).await;
        assert_eq!(attempts.len(), 1);
        assert!(attempts[0].provider_reference.is_some(), "the provider's name for it was learnt");
        let faxes = far.faxes_to("0124");
        assert_eq!((faxes.len(), faxes[0].status), (1, FaxStatus::Delivered));
    })
    .await;
}

/// A 500 may mean that it was taken. Looked for twice and not found, it was not; so it is tried again, and costs no try.
/// Once: a provider may take what it lists nowhere, and then each try is another copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_fax_that_the_provider_does_not_know_is_tried_again_once_and_then_left_to_a_person() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Broken", Some("0127"), None)]).await;
        let id = gateway.send("introduction", "Broken").await.messages[0].id;
        let is_left = |one: &Message| one.reason == Some(PolicyReason::NotFoundAgain.into());
        let left = gateway.message_until(id, "a person to be needed", is_left).await;
        assert_eq!((left.status, left.tries), (MessageStatus::InDoubt, 0));
        let once = ["queued", "in_doubt", "found_absent", "in_doubt", "in_doubt"];
        assert_eq!(gateway.story_of(id).await, once, "the last one says that it is left to a person");
        assert!(far.faxes_to("0127").is_empty());
        gateway.settled().await;
        assert_eq!(gateway.attempts_of(id).await.len(), 2, "and nothing more happens by itself");

        gateway.act(id, Act::MarkNotSent).await.expect("decided");
        gateway.message_until(id, "a person to be needed again", is_left).await;
        let ends: Vec<_> = gateway.attempts_of(id).await.iter().map(|attempt| attempt.status).collect();
        let (not_sent, in_doubt) = (AttemptStatus::NotSent, AttemptStatus::InDoubt);
        assert_eq!(ends, [not_sent, not_sent, not_sent, in_doubt], "a person's word lets it go once more, too");
    })
    .await;
}
