use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Channel, Fault, MessageStatus};

use crate::support::gateway::{TestGateway, each_gateway};

/// Sends one fax to a number, waits for its end, and answers its status, reason, and how each attempt ended.
async fn fax_to(gateway: &TestGateway, tail: &str) -> (MessageStatus, Option<String>, Vec<AttemptStatus>) {
    gateway.know(&[(&format!("Number{tail}"), Some(tail), None)]).await;
    let id = gateway.send_via("introduction", &format!("Number{tail}"), &[Channel::Fax]).await.messages[0].id;
    gateway.settled().await;
    let message = gateway.message(id).await;
    let attempts = gateway.attempts_of(id).await;
    (
        message.status,
        message.reason.map(|reason| reason.to_string()),
        attempts.iter().map(|attempt| attempt.status).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_busy_twice_is_called_a_third_time() {
    each_gateway(async |gateway, far| {
        let (status, reason, attempts) = fax_to(gateway, "0117").await;
        assert_eq!((status, reason), (MessageStatus::Delivered, None));
        assert_eq!(attempts, [AttemptStatus::Failed, AttemptStatus::Failed, AttemptStatus::Delivered]);
        assert_eq!(far.faxes_to("0117").len(), 3);
        let message = gateway.message_of("Number0117", Channel::Fax).await;
        assert_eq!((message.tries, message.dials), (2, 2), "tries and dials count what failed");
        let faults: Vec<_> = gateway.attempts_of(message.id).await.iter().map(|attempt| attempt.fault).collect();
        assert_eq!(faults, [Some(Fault::Busy), Some(Fault::Busy), None]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_never_answers_is_given_up_after_the_calls_of_the_table() {
    each_gateway(async |gateway, far| {
        let (status, reason, attempts) = fax_to(gateway, "0118").await;
        assert_eq!((status, reason.as_deref()), (MessageStatus::Failed, Some("no_answer")));
        assert_eq!((attempts.len(), far.faxes_to("0118").len()), (4, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_send_is_never_sent_again_by_itself() {
    each_gateway(async |gateway, far| {
        let (status, reason, attempts) = fax_to(gateway, "0122").await;
        assert_eq!((status, reason.as_deref()), (MessageStatus::Failed, Some("partial_send")));
        assert_eq!((attempts.as_slice(), far.faxes_to("0122").len()), (&[AttemptStatus::Failed][..], 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_is_tried_once_and_what_passes_is_tried_again() {
    each_gateway(async |gateway, far| {
        for (tail, reason, calls) in
            [("0120", "invalid_number", 0), ("0121", "blocked", 0), ("0130", "document_error", 1)]
        {
            let (status, why, attempts) = fax_to(gateway, tail).await;
            assert_eq!((status, why.as_deref()), (MessageStatus::Failed, Some(reason)), "{tail}");
            assert_eq!((attempts.len(), far.faxes_to(tail).len()), (1, calls), "{tail}");
        }
        for (tail, calls, tries) in [("0128", 1, 0), ("0129", 2, 1)] {
            let (status, _, attempts) = fax_to(gateway, tail).await;
            assert_eq!((status, attempts.len()), (MessageStatus::Delivered, 2), "{tail}");
            assert_eq!(far.faxes_to(tail).len(), calls, "{tail}");
            let message = gateway.message_of(&format!("Number{tail}"), Channel::Fax).await;
            assert_eq!(message.tries, tries, "being asked to slow down costs no try: {tail}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greylisted_letter_comes_back_and_is_taken() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Intake", None, Some("greylist.intake@prairie.example"))]).await;
        let id = gateway.send_via("introduction", "Intake", &[Channel::Email]).await.messages[0].id;
        gateway.settled().await;
        let ends: Vec<_> = gateway.attempts_of(id).await.iter().map(|one| (one.status, one.fault)).collect();
        assert_eq!(ends, [(AttemptStatus::Refused, Some(Fault::Deferred)), (AttemptStatus::Delivered, None)]);
        assert_eq!(far.mails_to("greylist.intake@prairie.example").len(), 1);
    })
    .await;
}
