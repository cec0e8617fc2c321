//! Opt-out links: opening one changes nothing, one click takes effect immediately and for good, and guessing reveals
//! nothing.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use touchline::access::Scope;
use touchline::consent;
use touchline::domain::id::MessageId;
use touchline::domain::suppression::SuppressionSource;
use touchline::domain::suppression::{Scope as Reach, Suppression};
use touchline::domain::{Actor, MessageStatus};

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

#[tokio::test]
async fn what_only_looks_or_says_nothing_changes_nothing() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let path = path(&house, message);
    let ask = |method, headers: &[(&str, &str)], body: &str| {
        let request = house.request(method, &path).body(body.to_owned());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    let one_click = "List-Unsubscribe=One-Click";
    for (method, headers, body, status) in [
        (Method::GET, &[("purpose", "prefetch")][..], "", StatusCode::OK),
        (Method::GET, &[("sec-purpose", "prefetch;prerender")], "", StatusCode::OK),
        (Method::GET, &[form], one_click, StatusCode::OK),
        (Method::HEAD, &[("sec-purpose", "prefetch")], "", StatusCode::OK),
        (Method::OPTIONS, &[], "", StatusCode::METHOD_NOT_ALLOWED),
        (Method::PUT, &[form], one_click, StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, &[], "", StatusCode::BAD_REQUEST),
        (Method::POST, &[form], "", StatusCode::BAD_REQUEST),
        (Method::POST, &[form], "everything=yes", StatusCode::BAD_REQUEST),
        (Method::POST, &[("content-type", "application/json")], "{}", StatusCode::BAD_REQUEST),
        (Method::POST, &[form, ("sec-purpose", "prefetch")], one_click, StatusCode::BAD_REQUEST),
    ] {
        let answer = ask(method.clone(), headers, body).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{method} {headers:?} {body}");
        let page = answer.text().await.expect("text");
        if method == Method::POST {
            assert!(page.contains("<form method=\"post\">"), "it shows what to press: {page}");
        }
        assert_eq!(refusals(&house).await, [], "{method} {headers:?} {body}");
    }
    assert_eq!(house.message(message).await.status, MessageStatus::Queued);
    assert_eq!(ask(Method::POST, &[], one_click).send().await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(refusals(&house).await.len(), 1, "a receiver that forgets the type of its form is understood");
}

#[tokio::test]
async fn everything_is_stopped_only_by_the_checkbox_and_a_person_undoes_it_with_a_record() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let path = path(&house, message);
    let page = house.request(Method::GET, &path).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains("type=\"checkbox\" name=\"everything\"") && !page.contains("checked"), "{page}");
    let everything = house.request(Method::POST, &path).form(&[("everything", "yes"), ("stop", "yes")]);
    let shown = everything.send().await.expect("an answer").text().await.expect("text");
    assert!(
        shown.contains("not even letters about patients") && shown.contains("a person here can undo it"),
        "{shown}"
    );
    assert_no_canary(&shown);
    let refused = refusals(&house).await;
    assert_eq!(
        refused.iter().map(|one| (one.scope, one.source)).collect::<Vec<_>>(),
        [(Reach::All, SuppressionSource::Web)]
    );

    let dana = Actor::operator("dana");
    consent::lift(&house.gateway.consent(), refused[0].id, &dana, "asked again by phone").await.expect("lifted");
    let lifted = refusals(&house).await.remove(0);
    assert_eq!((lifted.lifted_by, lifted.lifted_reason.as_deref()), (Some(dana.clone()), Some("asked again by phone")));
    let mut tx = house.gateway.store.read().await.expect("a transaction");
    assert_eq!(tx.suppressions_list(false, 10).await.expect("read"), []);
}

#[tokio::test]
async fn the_address_that_got_the_link_is_the_one_that_is_opted_out_also_after_a_correction() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let now = house.message(message).await.address;
    let before = touchline::domain::Address::guess("before@clinic.example").expect("an address");
    let attempt = touchline::domain::attempt::Attempt {
        dialled: Some(before.clone()),
        status: touchline::domain::attempt::AttemptStatus::Failed,
        ..crate::storage::samples::attempt(message, 1)
    };
    let mut tx = house.gateway.store.write().await.expect("a transaction");
    tx.attempts_insert(&[attempt]).await.expect("stored");
    tx.commit().await.expect("committed");
    for address in [before, now] {
        let link = house.gateway.opt_out.link(message, &address.key()).expect("a public URL");
        let (_, token) = link.split_once("/o/").expect("a link");
        assert_eq!(one_click(&house, &format!("/o/{token}")).await.status(), StatusCode::OK);
        let refused = refusals(&house).await;
        assert!(refused.iter().any(|one| one.address == address.key()), "{refused:?}");
        assert_eq!(refused.len(), if address.as_str().starts_with("before") { 1 } else { 2 });
    }
}
