//! The integrator: tokens and scopes, a letter submitted once however often it is sent, and refusals that say what to
//! fix.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Executor;
use touchline::access::Scope;
use touchline::intake::unfold;

use super::house::{House, problem};

fn introduction() -> Value {
    json!({ "letter": "introduction", "to": "tag:north-shore" })
}

#[tokio::test]
async fn without_a_known_token_nothing_is_done() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    let bare = house.request(Method::POST, "/api/v1/messages").json(&introduction()).send().await.expect("an answer");
    assert_eq!(bare.headers()["www-authenticate"], "Bearer realm=\"touchline\"");
    problem(bare, 401).await;
    for path in ["/api/v1/failures", "/api/v1/messages/0", "/api/v1/referrers/0/touches"] {
        let unknown = house.get(path, &format!("tl_{}", "a".repeat(43))).await;
        assert!(unknown.headers()["www-authenticate"].to_str().expect("text").contains("invalid_token"));
        problem(unknown, 401).await;
    }
    let token = house.token(&[Scope::Send]).await;
    let mut tx = house.gateway.store.write().await.expect("a transaction");
    assert_eq!(tx.token_revoke("integrator", house.gateway.clock.now()).await.expect("revoked"), 1);
    tx.commit().await.expect("committed");
    problem(house.post("/api/v1/messages", &token, &introduction()).await, 401).await;
    assert_eq!(house.messages().await, 0);
}

#[tokio::test]
async fn a_token_does_only_what_its_scopes_say() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let send = house.token(&[Scope::Send]).await;
    let read = house.token(&[Scope::Read]).await;
    for answer in [
        house.post("/api/v1/messages", &read, &introduction()).await,
        house.get(&format!("/api/v1/messages/{message}"), &send).await,
        house.get("/api/v1/failures", &send).await,
        house.post(&format!("/api/v1/messages/{message}/cancel"), &read, &json!({})).await,
    ] {
        assert!(answer.headers()["www-authenticate"].to_str().expect("text").contains("insufficient_scope"));
        problem(answer, 403).await;
    }
    assert_eq!(house.messages().await, 1);
}

#[tokio::test]
async fn an_accepted_letter_names_its_messages_and_whom_it_leaves_out() {
    let house = House::open().await;
    house.referrer("Amara", Some("(312) 555-0142")).await;
    house.referrer("Tomasz", None).await;
    let token = house.token(&[Scope::Send]).await;
    let answer = house.post("/api/v1/messages", &token, &introduction()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Value = answer.json().await.expect("JSON");
    let messages = answer["messages"].as_array().expect("messages");
    assert!(answer["submission"].is_string() && answer["broadcast"].is_string());
    assert_eq!(messages.len(), 3, "both routed channels are the default: {answer}");
    assert!(messages.iter().all(|message| message["status"] == "queued"), "{answer}");
    assert_eq!(answer["skipped"][0]["name"], "Tomasz Whitfield, MD");
    assert_eq!(answer["skipped"][0]["channel"], "fax");
    assert_eq!(house.messages().await, 3);
}

/// Held up by a database that takes the list but none of its messages, with time left to wait for it and without.
#[tokio::test]
async fn a_list_that_is_held_up_is_answered_with_its_submission_and_goes_on_by_itself() {
    for time in [Duration::from_secs(100), Duration::ZERO] {
        let house = House::open_answering_lists_within(time).await;
        house.referrer("Amara", Some("(312) 555-0142")).await;
        house.referrer("Tomasz", None).await;
        let hold_up = "CREATE TRIGGER hold_up BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'held up'); END";
        house.database().await.execute(hold_up).await.expect("held up");
        let token = house.token(&[Scope::Send]).await;
        let send = || {
            let request = house.request(Method::POST, "/api/v1/messages").bearer_auth(&token);
            request.header("Idempotency-Key", "november").json(&introduction()).send()
        };
        let answer = send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let early: Value = answer.json().await.expect("JSON");
        assert!(early["submission"].is_string() && early["broadcast"].is_string(), "{early}");
        assert_eq!((&early["unfolding"], &early["messages"]), (&json!(true), &json!([])));
        assert_eq!(house.messages().await, 0);

        house.database().await.execute("DROP TRIGGER hold_up").await.expect("let go");
        house.clock.advance(Duration::from_secs(61));
        unfold::resume(&house.gateway.intake()).await.expect("unfolded");
        let late: Value = send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!((&late["submission"], &late["unfolding"]), (&early["submission"], &json!(false)));
        assert_eq!(late["messages"].as_array().map(Vec::len), Some(3), "{late}");
        assert_eq!(house.messages().await, 3);
    }
}

#[tokio::test]
async fn the_same_key_sends_once() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let send = |body: Value| {
        let request = house.request(Method::POST, "/api/v1/messages").bearer_auth(&token);
        request.header("Idempotency-Key", "november").json(&body).send()
    };
    let together = futures_util::future::join_all((0..8).map(|_| send(introduction()))).await;
    let mut answers = Vec::new();
    for answer in together {
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answers.push(answer.json::<Value>().await.expect("JSON"));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "one wins and all hear its answer");
    assert_eq!(house.messages().await, 1);
    let other = json!({ "letter": "introduction", "to": "all" });
    let told = problem(send(other).await.expect("an answer"), 409).await;
    assert_eq!(told["type"], "urn:touchline:problem:key-reused");
    assert_eq!(house.messages().await, 1);
}

#[tokio::test]
async fn a_missing_variable_is_listed_once_with_the_recipients_it_concerns() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    house.referrer("Tomasz", None).await;
    let token = house.token(&[Scope::Send]).await;
    let body = json!({ "letter": "capacity-update", "to": "all", "variables": { "treatment": "TMS" } });
    let told = problem(house.post("/api/v1/messages", &token, &body).await, 422).await;
    assert_eq!(told["type"], "urn:touchline:problem:missing-variables");
    let missing: Vec<&str> = told["missing"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let openings: Vec<_> = missing.iter().filter(|line| line.contains("`openings` is missing")).collect();
    assert!(openings.len() == 1 && openings[0].contains("(2 recipients: Amara Whitfield, MD; Tomasz"), "{told}");
    assert_eq!(house.messages().await, 0, "nothing is half accepted");
}

#[tokio::test]
async fn a_refusal_says_which_field_and_repeats_no_address() {
    let house = House::open().await;
    house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    for (body, status, field) in [
        (json!({ "letter": "introduction", "to": "all", "cc": "canary" }), 422, Some("cc")),
        (json!({ "to": "all" }), 422, Some("letter")),
        (json!({ "letter": "introduction", "to": "all", "at": "canary o'clock" }), 422, Some("at")),
        (json!({ "letter": "introduction", "to": "all", "at": "9999-12-31T23:59:00-23:59" }), 422, Some("at")),
        (json!({ "letter": "introduction", "to": "(312) 555-0142" }), 422, Some("to")),
        (json!({ "letter": "introduction", "to": "tag:" }), 422, Some("to")),
        (json!({ "letter": "introduction", "to": "all", "via": [] }), 422, Some("via")),
        (json!({ "letter": "introduction", "to": "all", "via": ["canary"] }), 422, None),
        (json!({ "letter": "introduction", "to": "nobody@ridgeline.example" }), 404, None),
        (json!({ "letter": "no-such-letter", "to": "all" }), 404, None),
    ] {
        let told = problem(house.post("/api/v1/messages", &token, &body).await, status).await;
        assert_eq!(told["field"].as_str(), field, "{told}");
    }
    assert_eq!(house.messages().await, 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_not_json_is_refused() {
    let house = House::open().await;
    let token = house.token(&[Scope::Send]).await;
    let request = || house.request(Method::POST, "/api/v1/messages").bearer_auth(&token);
    let large = json!({ "letter": "introduction", "to": "x".repeat(256 * 1024) });
    problem(request().json(&large).send().await.expect("an answer"), 413).await;
    problem(request().body("{}").send().await.expect("an answer"), 415).await;
    let broken = request().header("content-type", "application/json").body("{\"to\": \"canary");
    problem(broken.send().await.expect("an answer"), 400).await;
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let house = House::open_with("[sending]", "[sending]\nqueue_depth_max = 1").await;
    let referrer = house.referrer("Amara", None).await;
    house.introduction(referrer).await;
    let token = house.token(&[Scope::Send]).await;
    let answer = house.post("/api/v1/messages", &token, &introduction()).await;
    assert_eq!(answer.headers()["retry-after"], "60");
    let told = problem(answer, 429).await;
    assert_eq!(
        (told["type"].as_str(), &told["retry_after_seconds"]),
        (Some("urn:touchline:problem:queue-full"), &json!(60))
    );
    assert_eq!(house.messages().await, 1);
}

#[tokio::test]
async fn the_description_is_public_and_tells_of_every_route() {
    let house = House::open().await;
    let answer = house.request(Method::GET, "/api/openapi.json").send().await.expect("an answer");
    let description: Value = answer.json().await.expect("JSON");
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 30, "{:?}", paths.keys());
    for (path, item) in paths {
        for method in item.as_object().expect("an item").keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let path = path.replace("{id}", "0").replace("{act}", "hold");
            let answer = house.request(method, &path).send().await.expect("an answer");
            problem(answer, 401).await;
        }
    }
    let schemas = description["components"]["schemas"].as_object().expect("schemas");
    for name in ["NewMessage", "SubmissionView", "UndoneView", "MessageDetail", "TouchPage", "FailureList", "Problem"] {
        assert!(schemas.contains_key(name), "{name} is not among {:?}", schemas.keys());
    }
}
