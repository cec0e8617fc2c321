use reqwest::StatusCode;
use ring::hmac;
use serde_json::json;
use touchline::domain::attempt::Attempt;
use touchline::domain::event::EventSource;
use touchline::domain::id::MessageId;
use touchline::domain::{Channel, MessageStatus};
use touchline::sandbox::fax::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway, WEBHOOK_SECRET, each_gateway, each_gateway_with};

async fn delivered_fax(gateway: &TestGateway, tail: &str) -> MessageId {
    let name = format!("Number{tail}");
    gateway.know(&[(&name, Some(tail), None)]).await;
    let id = gateway.send_via("introduction", &name, &[Channel::Fax]).await.messages[0].id;
    gateway.settled().await;
    assert_eq!(gateway.message(id).await.status, MessageStatus::Delivered, "{tail}");
    id
}

/// Posts what the line would say of an attempt, signed with a secret at a time.
async fn call_back(gateway: &TestGateway, about: &Attempt, status: &str, secret: &str, seconds: i64) -> StatusCode {
    let event = if status == "delivered" { "fax.delivered" } else { "fax.failed" };
    let body = json!({
        "id": format!("evt_{}", uuid::Uuid::now_v7().simple()), "event": event, "at_ms": seconds * 1000,
        "fax": { "id": about.provider_reference, "reference": about.id.to_string(), "status": status,
                 "pages": 1, "pages_confirmed": 0, "fault": (status == "failed").then_some("line_error") },
    })
    .to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let http = touchline::http::client().expect("a client");
    let request = http
        .post(format!("{}/hooks/fax-sandbox", gateway.url))
        .header(TIMESTAMP_HEADER, seconds)
        .header(SIGNATURE_HEADER, hex::encode(signature))
        .header("content-type", "application/json")
        .body(body);
    request.send().await.expect("an answer").status()
}

fn seconds(far: &FarSide) -> i64 {
    far.clock.now().0 / 1000
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_come_twice_or_in_reverse_or_forged_change_nothing() {
    let unasked = |settings: String| settings.replace("status_poll_seconds = 1", "status_poll_seconds = 3600");
    each_gateway_with(unasked, async |gateway, far| {
        for tail in ["0125", "0126", "0132"] {
            let id = delivered_fax(gateway, tail).await;
            let story = gateway.story_of(id).await;
            let told = story.iter().filter(|kind| *kind == "delivered").count();
            assert_eq!(told, 1, "{tail}: {story:?}");
            assert!(!story.contains(&"failed".to_owned()), "{tail}: {story:?}");
            assert_eq!((gateway.attempts_of(id).await.len(), far.faxes_to(tail).len()), (1, 1), "{tail}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_confirmation_that_nobody_calls_back_about_is_found_by_asking() {
    each_gateway(async |gateway, _| {
        let id = delivered_fax(gateway, "0123").await;
        let mut tx = gateway.store().read().await.expect("tx");
        let events = tx.events_of(id).await.expect("read");
        let last = events.last().expect("some");
        assert_eq!((last.kind.as_str(), last.source), ("delivered", EventSource::Poll));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_failure_does_not_undo_confirmed_pages_and_a_callback_must_be_signed_now_and_by_the_line() {
    each_gateway(async |gateway, far| {
        let id = delivered_fax(gateway, "0150").await;
        let attempt = gateway.attempts_of(id).await.remove(0);
        let now = seconds(far);
        assert_eq!(call_back(gateway, &attempt, "failed", "guessed", now).await, StatusCode::UNAUTHORIZED);
        assert_eq!(call_back(gateway, &attempt, "failed", WEBHOOK_SECRET, now - 9_000).await, StatusCode::UNAUTHORIZED);
        let mut tx = gateway.store().read().await.expect("tx");
        let waiting = tx.inbox_waiting(10).await.expect("read");
        assert!(waiting.is_empty(), "what is turned away is not kept");
        drop(tx);
        assert_eq!(call_back(gateway, &attempt, "failed", WEBHOOK_SECRET, seconds(far)).await, StatusCode::OK);
        gateway
            .until("the inbox to be empty", async || {
                let mut tx = gateway.store().read().await.expect("tx");
                tx.inbox_waiting(1).await.expect("read").is_empty().then_some(())
            })
            .await;
        assert_eq!(gateway.message(id).await.status, MessageStatus::Delivered);
        assert_eq!(gateway.attempts_of(id).await[0].pages_confirmed, attempt.pages_confirmed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_about_attempts_that_are_not_ours_do_not_hold_up_those_that_are() {
    let unasked = |settings: String| settings.replace("status_poll_seconds = 1", "status_poll_seconds = 3600");
    each_gateway_with(unasked, async |gateway, far| {
        let id = delivered_fax(gateway, "0150").await;
        let ours = gateway.attempts_of(id).await.remove(0);
        for number in 0..120 {
            let strange = Attempt {
                id: touchline::domain::id::AttemptId::new(),
                provider_reference: Some(format!("fx_strange{number}")),
                ..ours.clone()
            };
            let status = call_back(gateway, &strange, "delivered", WEBHOOK_SECRET, seconds(far)).await;
            assert_eq!(status, StatusCode::OK, "it may be about an answer that is not recorded yet");
        }
        delivered_fax(gateway, "0125").await;
        let second = gateway.message_of("Number0125", Channel::Fax).await;
        let mut tx = gateway.store().read().await.expect("tx");
        let events = tx.events_of(second.id).await.expect("read");
        assert!(events.iter().any(|event| event.source == EventSource::Webhook), "heard, not asked for: {events:?}");
    })
    .await;
}

/// A fax account that was taken out of the configuration can be asked no more; its faxes are not therefore delivered.
#[tokio::test(flavor = "multi_thread")]
async fn a_fax_whose_account_is_gone_is_never_called_delivered() {
    each_database(async |database| {
        let far = FarSide::start_slow().await;
        let deaf = |settings: String| settings.replace("public_url", "# public_url");
        let mut gateway = TestGateway::start(database, &far, deaf).await;
        gateway.know(&[("Slow", Some("0123"), None)]).await;
        let id = gateway.send("introduction", "Slow").await.messages[0].id;
        gateway.message_until(id, "the line to take it", |one| one.status == MessageStatus::Accepted).await;
        gateway.drain().await;
        let mut tx = gateway.store().write().await.expect("tx");
        let attempt = tx.attempts_of(id).await.expect("read").remove(0);
        tx.queue_hasten(id.0, far.clock.now()).await.expect("hastened");
        tx.commit().await.expect("committed");

        let renamed = gateway.again(&far, |settings| settings.replace("fax-sandbox", "fax-other")).await;
        renamed
            .until("it to be looked at again", async || {
                (renamed.attempts_of(id).await[0].looks > attempt.looks + 1).then_some(())
            })
            .await;
        assert_eq!(renamed.message(id).await.status, MessageStatus::Accepted);
        renamed.finish(&far).await;
        gateway.finish(&far).await;
    })
    .await;
}
