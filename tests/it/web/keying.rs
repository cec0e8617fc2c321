//! An idempotency key belongs to the token that used it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use touchline::access::{Scope, create_token};
use touchline::domain::Actor;

use super::house::{House, problem};

async fn submit(house: &House, token: &str, body: &Value) -> (StatusCode, Value) {
    let request =
        house.request(Method::POST, "/api/v1/messages").bearer_auth(token).header("idempotency-key", "monday");
    let answer = request.json(body).send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

async fn token(house: &House, name: &str) -> String {
    let who = Actor::operator("test");
    create_token(&house.gateway.access(), name, &[Scope::Send], &who).await.expect("a token")
}

/// For one letter and for a list, which are accepted in different ways.
#[tokio::test]
async fn two_tokens_may_use_the_same_key_and_each_gets_its_own_answer() {
    let house = House::open().await;
    let (amara, tomasz) = (house.referrer("Amara", None).await, house.referrer("Tomasz", None).await);
    let single = |to: touchline::domain::id::ReferrerId| json!({ "letter": "introduction", "to": to.to_string() });
    let list = json!({ "letter": "introduction", "to": "tag:north-shore", "again": true });
    let (crm, portal) = (token(&house, "crm").await, token(&house, "portal").await);
    let (billing, intranet) = (token(&house, "billing").await, token(&house, "intranet").await);
    for (first, second, its, other) in
        [(&crm, &portal, single(amara), single(tomasz)), (&billing, &intranet, list.clone(), list)]
    {
        let (status, one) = submit(&house, first, &its).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{one}");
        let (status, two) = submit(&house, second, &other).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{two}");
        assert_ne!(one["submission"], two["submission"]);
        assert_eq!(submit(&house, first, &its).await.1, one);
        assert_eq!(submit(&house, second, &other).await.1, two);
    }
    let request = house.request(Method::POST, "/api/v1/messages").bearer_auth(&crm).header("idempotency-key", "monday");
    problem(request.json(&single(tomasz)).send().await.expect("an answer"), 409).await;
}

/// In one transaction: the requests come at once.
#[tokio::test]
async fn two_tokens_that_use_the_same_key_at_once_get_their_own_answers() {
    let house = House::open().await;
    let (amara, tomasz) = (house.referrer("Amara", None).await, house.referrer("Tomasz", None).await);
    let to = |id: touchline::domain::id::ReferrerId| json!({ "letter": "introduction", "to": id.to_string() });
    let (crm, portal) = (token(&house, "crm").await, token(&house, "portal").await);
    let (for_amara, for_tomasz) = (to(amara), to(tomasz));
    let asked = (0..6).map(|number| {
        let (token, body) = if number % 2 == 0 { (&crm, &for_amara) } else { (&portal, &for_tomasz) };
        submit(&house, token, body)
    });
    let answers = futures_util::future::join_all(asked).await;
    for (number, (status, answer)) in answers.iter().enumerate() {
        assert_eq!(*status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer["submission"], answers[number % 2].1["submission"]);
    }
    assert_ne!(answers[0].1["submission"], answers[1].1["submission"]);
}

#[tokio::test]
async fn a_request_has_one_key_at_most_of_printable_characters() {
    let house = House::open().await;
    let amara = house.referrer("Amara", None).await;
    let token = token(&house, "crm").await;
    let body = json!({ "letter": "introduction", "to": amara.to_string() });
    let with = async |keys: &[&str]| {
        let request = house.request(Method::POST, "/api/v1/messages").bearer_auth(&token).json(&body);
        let request = keys.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
        request.send().await.expect("an answer")
    };
    for keys in [["monday", "tuesday"], ["monday", "monday"]] {
        let told = problem(with(&keys).await, 400).await;
        assert_eq!(told["field"], "Idempotency-Key");
    }
    for key in ["mon\tday", "", &"x".repeat(256)] {
        problem(with(&[key]).await, 422).await;
    }
    assert_eq!(house.messages().await, 0);
    assert_eq!(with(&["monday"]).await.status(), StatusCode::ACCEPTED);
}
