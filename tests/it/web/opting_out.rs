//! Opt-out links: opening one changes nothing, one click takes effect immediately and for good, and guessing reveals
//! nothing.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use touchline::access::Scope;
use touchline::domain::MessageStatus;
use touchline::domain::id::MessageId;
use touchline::domain::suppression::SuppressionSource;
use touchline::domain::suppression::{Scope as Reach, Suppression};

use super::house::{House, assert_no_canary};

async fn refusals(house: &House) -> Vec<Suppression> {
    let mut tx = house.gateway.store.read().await.expect("a transaction");
    tx.suppressions_list(true, 100).await.expect("read")
}

fn path(house: &House, message: MessageId) -> String {
    format!("/o/{}", house.gateway.opt_out.token(message))
}

async fn one_click(house: &House, path: &str) -> Response {
    let form = [("List-Unsubscribe", "One-Click")];
    house.request(Method::POST, path).form(&form).send().await.expect("an answer")
}

#[tokio::test]
async fn looking_at_the_link_changes_nothing() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let path = path(&house, message);
    for method in [Method::GET, Method::HEAD] {
        let answer = house.request(method, &path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    }
    let page = house.request(Method::GET, &path).send().await.expect("an answer").text().await.expect("text");
    assert!(
        page.contains("<form method=\"post\">") && page.contains("Lakeside Interventional Psychiatry, PLLC"),
        "{page}"
    );
    assert!(page.contains("(800) 555-0144") && page.contains("within 30 days"), "it describes every way: {page}");
    assert_no_canary(&page);
    assert_eq!(refusals(&house).await, []);
    assert_eq!(house.message(message).await.status, MessageStatus::Queued);
}

#[tokio::test]
async fn one_click_stops_advertisements_to_the_address_at_once() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let path = path(&house, message);
    for _ in 0..2 {
        let answer = one_click(&house, &path).await;
        assert_eq!(answer.status(), StatusCode::OK, "no redirect");
        assert_no_canary(&answer.text().await.expect("text"));
    }
    let refusals = refusals(&house).await;
    assert_eq!(refusals.len(), 1, "a second click changes nothing");
    assert_eq!((refusals[0].scope, refusals[0].source.as_str()), (Reach::Advertisement, "one_click"));
    assert_eq!(refusals[0].address.as_str(), "canary.amara@ridgeline.example");
    let ended = house.message(message).await;
    assert_eq!(
        (ended.status, ended.reason.map(touchline::domain::Reason::as_str)),
        (MessageStatus::Suppressed, Some("opted_out"))
    );
}

#[tokio::test]
async fn both_kinds_of_form_and_the_pages_own_button_act() {
    let house = House::open().await;
    let mut sources = Vec::new();
    for name in ["Amara", "Tomasz"] {
        let message = house.introduction(house.referrer(name, None).await).await;
        let request = house.request(Method::POST, &path(&house, message));
        let request = if name == "Amara" {
            request.multipart(reqwest::multipart::Form::new().text("List-Unsubscribe", "One-Click"))
        } else {
            request.form(&[("stop", "yes")])
        };
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK);
        assert_eq!(house.message(message).await.status, MessageStatus::Suppressed);
        sources.push(refusals(&house).await.iter().map(|refusal| refusal.source).collect::<Vec<_>>());
    }
    assert_eq!(sources[0], [SuppressionSource::OneClick]);
    assert_eq!((sources[1].len(), sources[1].contains(&SuppressionSource::Web)), (2, true));
}

#[tokio::test]
async fn a_wrong_token_is_answered_like_a_right_one() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let stranger = path(&house, MessageId::new());
    for wrong in [stranger.as_str(), "/o/nonsense"] {
        let shown = house.request(Method::GET, wrong).send().await.expect("an answer").text().await.expect("text");
        let right = house.request(Method::GET, &path(&house, message)).send().await.expect("an answer");
        assert_eq!(shown, right.text().await.expect("text"));
        assert_eq!(one_click(&house, wrong).await.status(), StatusCode::OK);
    }
    assert_eq!(refusals(&house).await, []);
    let acted = one_click(&house, &path(&house, message)).await.text().await.expect("text");
    assert_eq!(acted, one_click(&house, "/o/nonsense").await.text().await.expect("text"));
}

#[tokio::test]
async fn no_link_stops_letters_about_a_patient() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let sample = include_str!("../../../templates/end-of-treatment-report/sample.json");
    let variables: Value = serde_json::from_str(sample).expect("a sample");
    let body = json!({ "letter": "end-of-treatment-report", "to": referrer.to_string(), "via": ["email"],
        "variables": variables });
    let answer: Value = house.post("/api/v1/messages", &token, &body).await.json().await.expect("JSON");
    let report: MessageId = answer["messages"][0]["id"].as_str().expect("an id").parse().expect("an id");
    assert_eq!(one_click(&house, &path(&house, report)).await.status(), StatusCode::OK);
    assert_eq!(refusals(&house).await, []);
    let before = house.message(report).await.status;
    let advertisement = house.introduction(referrer).await;
    one_click(&house, &path(&house, advertisement)).await;
    assert_eq!(refusals(&house).await.len(), 1);
    assert_eq!(house.message(report).await.status, before, "an opt-out of advertisements leaves it alone");
}
