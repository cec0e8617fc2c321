//! A rehearsal: the whole gateway with the real adapter of a provider against the sandbox in that provider's guise.

use touchline::domain::{Channel, Fault, MessageStatus};
use touchline::sandbox::fax::Guise;

use crate::support::gateway::{FarSide, TestGateway, each_gateway_as};

/// What becomes of a letter to these numbers, and how many faxes the line gets for it.
const FATES: &[(&str, MessageStatus, Option<Fault>, usize)] = &[
    ("0142", MessageStatus::Delivered, None, 1),
    ("0117", MessageStatus::Delivered, None, 3),
    ("0120", MessageStatus::Failed, Some(Fault::InvalidNumber), 0),
    ("0128", MessageStatus::Delivered, None, 1),
    ("0124", MessageStatus::Delivered, None, 1),
    ("0279", MessageStatus::Delivered, None, 1),
    ("0125", MessageStatus::Delivered, None, 1),
    ("0126", MessageStatus::Delivered, None, 1),
    ("0280", MessageStatus::Delivered, None, 1),
];

async fn rehearse(gateway: &mut TestGateway, far: &FarSide) {
    let mut sent = Vec::new();
    for fate in FATES {
        let name = format!("Number{}", fate.0);
        gateway.know(&[(&name, Some(fate.0), None)]).await;
        sent.push((gateway.send_via("introduction", &name, &[Channel::Fax]).await.messages[0].id, fate));
    }
    gateway.settled().await;
    for (id, (tail, status, fault, faxes)) in sent {
        let message = gateway.message(id).await;
        let story = gateway.story_of(id).await;
        assert_eq!(message.status, *status, "{tail}: {story:?}");
        let reason = fault.map(|fault| fault.as_str());
        assert!(
            reason.is_none() || message.reason.map(touchline::domain::Reason::as_str) == reason,
            "{tail}: {:?}",
            message.reason
        );
        assert_eq!(far.faxes_to(tail).len(), *faxes, "{tail}: {story:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_rehearses_with_telnyx() {
    each_gateway_as(Guise::Telnyx, |settings| settings, rehearse).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_rehearses_with_phaxio() {
    each_gateway_as(Guise::Phaxio, |settings| settings, rehearse).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_rehearses_with_interfax() {
    each_gateway_as(Guise::InterFax, |settings| settings, rehearse).await;
}
