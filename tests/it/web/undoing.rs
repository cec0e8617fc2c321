//! A program's letters: none twice, and withdrawn in time where it asked for a window.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use touchline::access::{Scope, create_token};
use touchline::domain::{Actor, MessageStatus};

use super::house::{House, problem};

async fn sent(house: &House, token: &str, body: Value) -> Value {
    let answer = house.post("/api/v1/messages", token, &body).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    answer.json().await.expect("JSON")
}

async fn token_of(house: &House, name: &str, scopes: &[Scope]) -> String {
    create_token(&house.gateway.access(), name, scopes, &Actor::operator("test")).await.expect("a token")
}

#[tokio::test]
async fn a_letter_has_the_window_that_was_asked_for_and_is_withdrawn_within_it() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let letter = json!({ "letter": "introduction", "to": "all", "via": ["email"], "undo_seconds": 30 });
    let first = sent(&house, &token, letter.clone()).await;
    assert_eq!(first["undo_until"], "2026-11-23T15:00:30.000Z");
    let path = first["undo_path"].as_str().expect("a path").to_owned();
    assert_eq!(path, format!("/api/v1/submissions/{}/undo", first["submission"].as_str().expect("an id")));

    let stranger = token_of(&house, "another", &[Scope::Send, Scope::Read]).await;
    problem(house.post(&path, &stranger, &json!({})).await, 403).await;
    problem(house.post(&path, &token_of(&house, "reader", &[Scope::Read]).await, &json!({})).await, 403).await;
    let undone: Value = house.post(&path, &token, &json!({})).await.json().await.expect("JSON");
    assert_eq!((&undone["submission"], &undone["messages"]), (&first["submission"], &json!(1)));
    assert_eq!(undone["undone_at"], "2026-11-23T15:00:00.000Z");
    let told = problem(house.post(&path, &token, &json!({})).await, 409).await;
    assert_eq!(told["type"], "urn:touchline:problem:wrong-state");
    let id = first["messages"][0]["id"].as_str().expect("an id").parse().expect("an id");
    assert_eq!(house.message(id).await.status, MessageStatus::Cancelled);

    let second = sent(&house, &token, letter).await;
    assert_eq!(second["counts"]["queued"], 1, "what was withdrawn is no repeat");
    house.clock.advance(Duration::from_secs(30));
    let late = house.post(second["undo_path"].as_str().expect("a path"), &token, &json!({})).await;
    assert!(problem(late, 409).await["detail"].as_str().expect("words").contains("cancel"));
    for unknown in ["nonsense", "01900000-0000-7000-8000-000000000000"] {
        problem(house.post(&format!("/api/v1/submissions/{unknown}/undo"), &token, &json!({})).await, 404).await;
    }
}

#[tokio::test]
async fn who_may_operate_withdraws_what_another_program_sent() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let letter = json!({ "letter": "introduction", "to": "all", "via": ["email"], "undo_seconds": 30 });
    let path = sent(&house, &token, letter).await["undo_path"].as_str().expect("a path").to_owned();
    let operator = token_of(&house, "desk", &[Scope::Operate]).await;
    assert_eq!(house.post(&path, &operator, &json!({})).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_program_has_no_window_unless_it_asks_and_a_window_has_bounds() {
    let house = House::open_with("undo_list_seconds               = 0", "undo_list_seconds = 600").await;
    house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let letter = |more: Value| {
        let mut body = json!({ "letter": "introduction", "to": "all", "via": ["email"], "again": true });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    for without in [json!({}), json!({ "undo_seconds": 0 }), json!({ "now": true })] {
        let answer = sent(&house, &token, letter(without)).await;
        assert_eq!((&answer["undo_until"], &answer["undo_path"]), (&Value::Null, &Value::Null));
    }
    for wrong in
        [json!({ "undo_seconds": 86_401 }), json!({ "undo_seconds": -1 }), json!({ "now": true, "undo_seconds": 1 })]
    {
        problem(house.post("/api/v1/messages", &token, &letter(wrong)).await, 422).await;
    }
}

#[tokio::test]
async fn a_letter_that_went_before_is_left_out_with_its_reason_and_again_sends_it() {
    let house = House::open().await;
    let amara = house.referrer("Amara", None).await;
    house.introduction(amara).await;
    let token = house.token(&[Scope::Send, Scope::Read]).await;
    let letter = json!({ "letter": "introduction", "to": amara.to_string(), "via": ["email"] });
    let second = sent(&house, &token, letter.clone()).await;
    assert_eq!((&second["counts"]["queued"], &second["messages"]), (&json!(0), &json!([])));
    let skipped = &second["skipped"][0];
    assert_eq!((&skipped["reason"], &skipped["channel"]), (&json!("repeat"), &Value::Null));
    assert!(skipped["why"].as_str().expect("words").contains("\"again\": true"), "{skipped}");
    let mut again = letter;
    again["again"] = json!(true);
    assert_eq!(sent(&house, &token, again).await["counts"]["queued"], 1);
    let history: Value =
        house.get(&format!("/api/v1/referrers/{amara}/touches"), &token).await.json().await.expect("JSON");
    assert_eq!(history["touches"][0]["repeat_of"], history["touches"][1]["id"]);
}
