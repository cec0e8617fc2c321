//! Requests that cannot be read: answered like every other error, and never carried out.

use std::collections::BTreeMap;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::Executor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use touchline::access::Scope;
use touchline::domain::{Actor, Channel};
use touchline::intake::request::Request;
use touchline::intake::{self, IntakeError};
use touchline::referrers::audience::Audience;

use super::house::{House, problem};

async fn page(answer: Response, status: StatusCode) {
    assert_eq!(answer.status(), status);
    assert!(answer.headers()["content-type"].to_str().expect("text").starts_with("text/html"));
    assert!(answer.headers().contains_key("x-request-id"));
    assert!(answer.text().await.expect("text").contains("<h1>"));
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_like_every_other_error() {
    let house = House::open().await;
    let token = house.token(&[Scope::Read, Scope::Operate]).await;
    for octet in ["%ff", "%00", "a%C3"] {
        for path in ["/api/v1/messages/", "/api/v1/", "/api/v1/conflicts/x/", "/hooks/", "/hooks/fax-sandbox/"] {
            problem(house.get(&format!("{path}{octet}"), &token).await, 400).await;
        }
        for path in ["/", "/nowhere/", "/referrers/", "/o/", "/documents/"] {
            page(house.get(&format!("{path}{octet}"), &token).await, StatusCode::BAD_REQUEST).await;
        }
    }
}

#[tokio::test]
async fn a_text_that_no_database_can_hold_is_refused_wherever_it_stands() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send, Scope::Read, Scope::Operate]).await;
    let letter = json!({ "letter": "introduction", "to": referrer.to_string(), "via": ["email"] });
    let with = |name: &str, value: Value| {
        let mut letter = letter.clone();
        letter[name] = value;
        letter
    };
    for (body, field) in [
        (with("to", json!("Amara\0")), "to"),
        (with("letter", json!("introduction\0")), "letter"),
        (with("variables", json!({ "note": { "text": "a\0" } })), "variables.note.text"),
        (with("variables", json!({ "a\0": 1 })), "variables"),
    ] {
        let told = problem(house.post("/api/v1/messages", &token, &body).await, 422).await;
        assert_eq!(told["field"], field, "{told}");
    }
    let added = house.post("/api/v1/referrers", &token, &json!({ "notes": "\0" })).await;
    assert_eq!(problem(added, 422).await["field"], "notes");
    let fine = house.post("/api/v1/messages", &token, &with("variables", json!({ "note": "\\u0000" }))).await;
    assert_ne!(fine.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let found = house.get("/api/v1/referrers?search=a%00b", &token).await;
    assert_eq!(problem(found, 422).await["field"], "search");
    page(house.get("/referrers?search=%00", &token).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let login = house.request(Method::POST, "/login").form(&[("name", "a\0"), ("password", "x")]);
    page(login.send().await.expect("an answer"), StatusCode::UNPROCESSABLE_ENTITY).await;
}

/// Whoever sends it: a file, a campaign or standard input bring variables of their own.
#[tokio::test]
async fn a_variable_that_no_database_can_hold_is_refused_at_intake() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", None).await;
    let variables = json!({ "note": "a\0" });
    let request = Request {
        letter: "introduction".to_owned(),
        to: Audience::One(referrer.to_string()),
        via: vec![Channel::Email],
        variables: variables.as_object().cloned().expect("an object"),
        individually: BTreeMap::new(),
        at: None,
        who: Actor::operator("dana"),
        again: false,
        now: false,
        undo_seconds: None,
        idempotency_key: None,
        run: None,
    };
    let refused = intake::submit(&house.gateway.intake(), &request).await.expect_err("refused");
    assert!(matches!(&refused, IntakeError::Invalid(words) if words.contains("`note`")), "{refused}");
    assert_eq!(house.messages().await, 0);
}

/// A rule of the schema stands for whatever a database does not take.
#[tokio::test]
async fn what_the_database_does_not_take_is_no_outage() {
    let house = House::open().await;
    let token = house.token(&[Scope::Operate]).await;
    let rule = "CREATE TRIGGER odd BEFORE INSERT ON referrer BEGIN SELECT RAISE(ABORT, 'canary'); END";
    house.database().await.execute(rule).await.expect("done");
    let added = house.post("/api/v1/referrers", &token, &json!({ "last_name": "Whitfield" })).await;
    assert!(!added.headers().contains_key("retry-after"));
    problem(added, 422).await;
}

/// The head of the answer to a request that is sent as it is.
async fn answer_to(house: &House, request: &str) -> String {
    let address = house.url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let house = House::open().await;
    let end = "Connection: close\r\n\r\n";
    for (path, hosts, status) in [
        ("/healthz", "Host: touchline.example\r\n", "200"),
        ("/healthz", "", "400"),
        ("/healthz", "Host: touchline.example\r\nHost: touchline.example\r\n", "400"),
        ("/healthz", "Host: touchline.example/x\r\n", "400"),
        ("/api/v1/failures", "", "400"),
        ("/nowhere", "", "400"),
    ] {
        let answer = answer_to(&house, &format!("GET {path} HTTP/1.1\r\n{hosts}{end}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {hosts:?}: {answer}");
    }
    let older = answer_to(&house, &format!("GET /healthz HTTP/1.0\r\n{end}")).await;
    assert!(older.contains(" 200 "), "HTTP/1.0 needs none: {older}");
}

#[tokio::test]
async fn a_head_has_at_most_64_kib_and_a_larger_one_is_answered_like_every_other_error() {
    let house = House::open().await;
    let get = |path: &str, octets: usize| {
        let length = octets.saturating_sub("GET  HTTP/1.1".len() + path.len());
        format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nX-Much: {}\r\n\r\n", "x".repeat(length))
    };
    assert!(answer_to(&house, &get("/healthz", 60_000)).await.starts_with("HTTP/1.1 200 "));
    for octets in [66_000, 100_000] {
        let answer = answer_to(&house, &get("/api/v1/failures", octets)).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{octets}: {answer}");
        assert!(answer.contains("problem+json") && answer.contains("head-too-large"), "{octets}: {answer}");
        let page = answer_to(&house, &get("/healthz", octets)).await;
        assert!(page.contains("431") && page.contains("at most 64 KiB"), "{octets}: {page}");
    }
    let query = format!("/api/v1/failures?{}", "a".repeat(65_000));
    assert!(answer_to(&house, &get(&query, 66_000)).await.starts_with("HTTP/1.1 431 "), "its address counts as well");
}

#[tokio::test]
async fn a_search_has_at_most_100_characters() {
    let house = House::open().await;
    let token = house.token(&[Scope::Read]).await;
    let search =
        async |length: usize| house.get(&format!("/api/v1/referrers?search={}", "é".repeat(length)), &token).await;
    assert_eq!(search(100).await.status(), StatusCode::OK);
    assert_eq!(problem(search(101).await, 422).await["field"], "search");
    let described: Value = house.get("/api/openapi.json", &token).await.json().await.expect("JSON");
    let parameters =
        described["paths"]["/api/v1/referrers"]["get"]["parameters"].as_array().expect("parameters").clone();
    let of_search = parameters.iter().find(|one| one["name"] == "search").expect("it is described");
    assert_eq!(of_search["schema"]["maxLength"], 100, "{of_search}");
}
