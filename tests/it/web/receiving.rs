//! Provider callbacks: only authenticated ones are stored, each fact once, and a provider is asked to retry when
//! they cannot be stored.

use reqwest::{Method, Response};
use ring::hmac;
use serde_json::json;
use touchline::domain::Clock;
use touchline::domain::id::AttemptId;

use super::house::{House, WEBHOOK_SECRET, problem};

fn callback(id: &str) -> String {
    let fax = json!({ "id": "fax_1", "reference": AttemptId::new().to_string(), "status": "delivered", "pages": 1,
        "pages_confirmed": 1, "fault": null });
    json!({ "id": id, "fax": fax, "at_ms": 1_795_000_000_000_i64 }).to_string()
}

async fn deliver(house: &House, body: &str, signed_body: &str, seconds: i64) -> Response {
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let signature = hmac::sign(&key, format!("{seconds}.{signed_body}").as_bytes());
    house
        .request(Method::POST, "/hooks/fax-sandbox")
        .header("x-sandbox-timestamp", seconds.to_string())
        .header("x-sandbox-signature", hex::encode(signature))
        .body(body.to_owned())
        .send()
        .await
        .expect("an answer")
}

async fn kept(house: &House) -> usize {
    let mut tx = house.gateway.store.read().await.expect("a transaction");
    tx.inbox_waiting(100).await.expect("read").len()
}

#[tokio::test]
async fn a_forged_or_stale_callback_leaves_no_trace() {
    let house = House::open().await;
    let now = house.clock.now().0 / 1000;
    let body = callback("evt_1");
    problem(deliver(&house, &body.replace("delivered", "failed"), &body, now).await, 401).await;
    problem(deliver(&house, &body, &body, now - 3_600).await, 401).await;
    let bare = house.request(Method::POST, "/hooks/fax-sandbox").body(body).send().await.expect("an answer");
    problem(bare, 401).await;
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_doubled_callback_is_kept_once() {
    let house = House::open().await;
    let now = house.clock.now().0 / 1000;
    for _ in 0..2 {
        let body = callback("evt_1");
        assert_eq!(deliver(&house, &body, &body, now).await.status(), 200);
    }
    assert_eq!(kept(&house).await, 1);
    let body = callback("evt_2");
    assert_eq!(deliver(&house, &body, &body, now).await.status(), 200);
    assert_eq!(kept(&house).await, 2);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_not_taken_is_refused() {
    let house = House::open().await;
    let now = house.clock.now().0 / 1000;
    problem(deliver(&house, "not a callback", "not a callback", now).await, 400).await;
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    problem(deliver(&house, &large, &large, now).await, 413).await;
    for provider in ["nobody", "mail-sandbox"] {
        let answer = house.request(Method::POST, &format!("/hooks/{provider}")).body("{}").send().await;
        problem(answer.expect("an answer"), 404).await;
    }
    let looked = house.request(Method::GET, "/hooks/fax-sandbox").send().await.expect("an answer");
    problem(looked, 405).await;
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_callback_that_cannot_be_kept_is_asked_for_again() {
    let house = House::open().await;
    house.gateway.store.close().await;
    let body = callback("evt_1");
    let answer = deliver(&house, &body, &body, house.clock.now().0 / 1000).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    problem(answer, 503).await;
}
