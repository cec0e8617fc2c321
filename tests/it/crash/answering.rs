//! The wire to the provider is cut, goes silent, or is refused: before anything was received, after everything was
//! received, in the middle of the answer. What certainly did not happen is repeated, what is unknown is looked up or
//! waits for a person, and nobody gets the same letter twice.

use touchline::domain::{Channel, MessageStatus};

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::proxy::{FINAL_DOT, Proxy, Then};
use crate::support::soon;

/// The request of a hand-over to the fax line.
const HAND_OVER: &[&str] = &["POST /faxes"];
/// The same to its last octets, which end the form with the document.
const WHOLE_HAND_OVER: &[&str] = &["POST /faxes", "--\r\n"];
/// How long an answer to the final dot is waited for where none is to come.
const BRIEF_DOT: &str = "final_dot_timeout_seconds = 1";

/// A gateway whose wires to the fax line and to the relay are ours.
struct Wired {
    gateway: TestGateway,
    far: FarSide,
    fax: Proxy,
    relay: Proxy,
}

/// Runs a test on such a gateway over each database.
async fn each_wired(test: impl AsyncFn(&mut Wired)) {
    each_wired_with(|settings| settings, test).await;
}

/// The same with changed settings.
async fn each_wired_with(change: impl Fn(String) -> String, test: impl AsyncFn(&mut Wired)) {
    each_database(async |database| {
        let far = FarSide::start().await;
        let line = far.line.base_url();
        let fax = Proxy::before(line.trim_start_matches("http://").parse().expect("an address")).await;
        let relay = Proxy::before(far.catcher.address()).await;
        let by_wire = |settings: String| {
            let settings = settings.replace(&line, &format!("http://{}", fax.address()));
            change(far.with_mail_by(relay.address().port(), &settings))
        };
        let gateway = TestGateway::start(database, &far, by_wire).await;
        gateway.know(&[("Whitfield", Some("0150"), Some("whitfield@far.example"))]).await;
        let mut wired = Wired { gateway, far, fax, relay };
        test(&mut wired).await;
        wired.gateway.finish(&wired.far).await;
    })
    .await;
}

impl Wired {
    async fn send(&self, channel: Channel) -> (MessageStatus, Vec<&'static str>) {
        send(&self.gateway, channel).await
    }
}

/// Sends the introduction by one channel, and waits for its end: how it stands, and how its attempts do.
async fn send(gateway: &TestGateway, channel: Channel) -> (MessageStatus, Vec<&'static str>) {
    let id = gateway.send_via("introduction", "Whitfield", &[channel]).await.messages[0].id;
    gateway.settled().await;
    let attempts = gateway.attempts_of(id).await;
    (gateway.message(id).await.status, attempts.iter().map(|attempt| attempt.status.as_str()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_that_the_provider_never_heard_of_is_handed_over_again() {
    each_wired(async |wired| {
        wired.fax.at(HAND_OVER, Then::CutBefore);
        assert_eq!(wired.send(Channel::Fax).await, (MessageStatus::Delivered, vec!["not_sent", "delivered"]));
        assert_eq!(wired.far.faxes_to("0150").len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_whose_answer_is_lost_or_torn_is_found_by_our_reference_and_not_sent_again() {
    each_wired(async |wired| {
        for octets in [0, 20] {
            wired.fax.at(HAND_OVER, Then::CutInAnswer(octets));
            assert_eq!(wired.send(Channel::Fax).await, (MessageStatus::Delivered, vec!["delivered"]), "{octets}");
        }
        assert_eq!(wired.far.faxes_to("0150").len(), 2, "one for each letter");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_line_that_goes_silent_is_asked_again_until_it_answers() {
    // Long enough for all of a hand-over to be heard.
    let impatient = |settings: String| settings.replace("concurrency    = 8", "concurrency = 8\ntimeout_seconds = 3");
    each_wired_with(impatient, async |wired| {
        let heard = wired.fax.at(WHOLE_HAND_OVER, Then::HoldAnswer);
        // This number sends no callback, which would tell all before anybody asks.
        wired.gateway.know(&[("Quiet", Some("0123"), None)]).await;
        let id = wired.gateway.send_via("introduction", "Quiet", &[Channel::Fax]).await.messages[0].id;
        heard.seen().await;
        wired.fax.hold();
        let taken = async || (wired.far.faxes_to("0123").len() == 1).then_some(());
        wired.gateway.until("the line to have taken it", taken).await;
        let in_doubt = |message: &touchline::domain::message::Message| message.status == MessageStatus::InDoubt;
        wired.gateway.message_until(id, "doubt", in_doubt).await;
        wired.fax.release();
        wired.gateway.settled().await;
        assert_eq!(wired.gateway.message(id).await.status, MessageStatus::Delivered);
        assert_eq!((wired.gateway.attempts_of(id).await.len(), wired.far.faxes_to("0123").len()), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_the_relay_did_not_hear_to_its_end_is_sent_again() {
    each_wired(async |wired| {
        wired.relay.at(&["RCPT"], Then::CutBefore);
        assert_eq!(wired.send(Channel::Email).await, (MessageStatus::Delivered, vec!["not_sent", "delivered"]));
        assert_eq!(wired.far.catcher.total(), 1);
        wired.relay.refuse();
        let id = wired.gateway.send_via("introduction", "Whitfield", &[Channel::Email]).await.messages[0].id;
        wired
            .gateway
            .until("an attempt that was not sent", async || {
                let attempts = wired.gateway.attempts_of(id).await;
                attempts.iter().any(|attempt| attempt.status.as_str() == "not_sent").then_some(())
            })
            .await;
        wired.relay.release();
        wired.gateway.settled().await;
        assert_eq!(wired.gateway.message(id).await.status, MessageStatus::Delivered);
        assert_eq!(wired.far.catcher.total(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_final_dot_is_not_answered_waits_for_a_person_and_is_not_sent_again() {
    let impatient = |settings: String| settings.replace("kind = \"smtp\"", &format!("kind = \"smtp\"\n{BRIEF_DOT}"));
    each_wired_with(impatient, async |wired| {
        wired.relay.at(FINAL_DOT, Then::HoldAnswer);
        assert_eq!(wired.send(Channel::Email).await, (MessageStatus::InDoubt, vec!["in_doubt"]));
        soon("the mail to arrive", wired.far.catcher.caught(1)).await;
        // The answer comes after all, when nobody listens any more.
        wired.relay.release();
        assert_eq!(wired.gateway.settled().await.in_doubt, 1);

        wired.relay.at(FINAL_DOT, Then::CutInAnswer(2));
        assert_eq!(wired.send(Channel::Email).await, (MessageStatus::InDoubt, vec!["in_doubt"]));
        soon("the mail to arrive", wired.far.catcher.caught(2)).await;

        let cut = wired.relay.at(FINAL_DOT, Then::CutBefore);
        assert_eq!(wired.send(Channel::Email).await, (MessageStatus::InDoubt, vec!["in_doubt"]));
        cut.seen().await;
        // One that is sent after it arrives, so that nothing of it can still be on its way.
        wired.gateway.drain().await;
        let patient = wired.gateway.again(&wired.far, |settings| settings.replace(BRIEF_DOT, "")).await;
        assert_eq!(send(&patient, Channel::Email).await, (MessageStatus::Delivered, vec!["delivered"]));
        assert_eq!(wired.far.catcher.total(), 3, "the third never arrived, which we cannot know");
        patient.finish(&wired.far).await;
    })
    .await;
}
