//! What a program sees of a message, and what it may do to it; a referrer's history in pages.

use serde_json::{Value, json};
use touchline::access::Scope;
use touchline::domain::MessageStatus;
use touchline::domain::touch::TouchKind;
use touchline::referrers::edit::log_touch;

use super::house::{House, assert_no_canary, problem};

#[tokio::test]
async fn an_address_is_shown_whole_only_to_who_may_operate() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", Some("(312) 555-0142")).await;
    let token = house.token(&[Scope::Send, Scope::Read]).await;
    let body = json!({ "letter": "introduction", "to": referrer.to_string(), "via": ["fax"] });
    let answer: Value = house.post("/api/v1/messages", &token, &body).await.json().await.expect("JSON");
    let path = format!("/api/v1/messages/{}", answer["messages"][0]["id"].as_str().expect("an id"));
    let masked: Value = house.get(&path, &token).await.json().await.expect("JSON");
    assert_eq!(masked["to"], "fax …42");
    assert_no_canary(&masked.to_string());
    assert_eq!((masked["status"].as_str(), masked["letter"].as_str()), (Some("queued"), Some("introduction")));
    assert_eq!(masked["created_at"], "2026-11-23T15:00:00.000Z");
    assert_eq!(masked["attempts"], json!([]));
    assert_eq!(masked["events"][0]["kind"], "queued");
    assert_eq!(masked["events"][0]["who"], "token:integrator");
    let whole = house.token(&[Scope::Read, Scope::Operate]).await;
    let whole: Value = house.get(&path, &whole).await.json().await.expect("JSON");
    assert_eq!(whole["to"], "+13125550142");
}

#[tokio::test]
async fn a_message_is_held_released_and_cancelled_where_its_state_allows() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let token = house.token(&[Scope::Operate]).await;
    let path = |act: &str| format!("/api/v1/messages/{message}/{act}");
    let act = async |act: &str| house.post(&path(act), &token, &json!({})).await;
    let told = problem(act("release").await, 409).await;
    assert_eq!(told["type"], "urn:touchline:problem:wrong-state");
    let held: Value = act("hold").await.json().await.expect("JSON");
    assert_eq!(
        (held["status"].as_str(), held["explanation"].as_str()),
        (Some("held"), Some("Someone put it on hold."))
    );
    let released: Value = act("release").await.json().await.expect("JSON");
    assert_eq!(released["status"], "queued");
    let cancelled: Value = act("cancel").await.json().await.expect("JSON");
    assert_eq!(cancelled["status"], "cancelled");
    problem(act("cancel").await, 409).await;
    let again: Value = act("retry").await.json().await.expect("JSON");
    assert_eq!(again["status"], "queued");
    problem(act("burn").await, 404).await;
    problem(house.post(&format!("/api/v1/messages/{}/hold", uuid::Uuid::nil()), &token, &json!({})).await, 404).await;
    problem(house.get("/api/v1/messages/nonsense", &house.token(&[Scope::Read]).await).await, 404).await;
    assert_eq!(house.message(message).await.status, MessageStatus::Queued);
}

#[tokio::test]
async fn what_waits_for_office_hours_says_until_when_and_is_sent_now_by_who_may() {
    // It is Monday, 9 in the morning.
    let house = House::open_with("\"always\"", "\"Mon-Fri 10:00-17:00\"").await;
    let referrer = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send, Scope::Read, Scope::Operate]).await;
    let mut body = json!({ "letter": "introduction", "to": referrer.to_string(), "via": ["email"] });
    let waits: Value = house.post("/api/v1/messages", &token, &body).await.json().await.expect("JSON");
    let ten = json!("2026-11-23T16:00:00.000Z");
    assert_eq!((&waits["counts"]["queued"], &waits["counts"]["waiting"]), (&json!(1), &json!(1)));
    let message = &waits["messages"][0];
    assert_eq!((&message["status"], &message["reason"]), (&json!("queued"), &json!("outside_office_hours")));
    assert_eq!((&message["waits_until"], message["explanation"].is_string()), (&ten, true));

    let id = message["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/messages/{id}");
    let shown: Value = house.get(&path, &token).await.json().await.expect("JSON");
    assert_eq!((&shown["waits_until"], &shown["due_at"], &shown["any_hour_at"]), (&ten, &ten, &Value::Null));
    let send_now = format!("{path}/send_now");
    problem(house.post(&send_now, &house.token(&[Scope::Send]).await, &json!({})).await, 403).await;
    let sent: Value = house.post(&send_now, &token, &json!({})).await.json().await.expect("JSON");
    let nine = json!("2026-11-23T15:00:00.000Z");
    assert_eq!((&sent["waits_until"], &sent["due_at"], &sent["any_hour_at"]), (&Value::Null, &nine, &nine));
    problem(house.post(&send_now, &token, &json!({})).await, 409).await;

    (body["now"], body["again"]) = (json!(true), json!(true));
    let now: Value = house.post("/api/v1/messages", &token, &body).await.json().await.expect("JSON");
    assert_eq!((&now["counts"]["queued"], &now["counts"]["waiting"]), (&json!(1), &json!(0)), "{now}");
    assert_eq!(now["messages"][0]["waits_until"], Value::Null);
    let lines = house.gateway.store.read().await.expect("tx").audit_page(&[], 0, 50).await.expect("read");
    let ours: Vec<_> = lines.iter().filter(|line| line.action.as_str() == "send_now").collect();
    let subjects: Vec<_> = ours.iter().filter_map(|line| line.subject.clone()).collect();
    let submission = now["submission"].as_str().expect("an id").to_owned();
    assert_eq!(subjects, [submission, id]);
    assert!(ours.iter().all(|line| line.who.to_string() == "token:integrator"), "{ours:?}");
}

#[tokio::test]
async fn a_key_with_now_is_another_request_than_without() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Send]).await;
    let mut body = json!({ "letter": "introduction", "to": referrer.to_string(), "via": ["email"] });
    let post = async |body: &Value| {
        let request = house.request(reqwest::Method::POST, "/api/v1/messages").bearer_auth(&token);
        request.header("Idempotency-Key", "once").json(body).send().await.expect("an answer")
    };
    assert_eq!(post(&body).await.status(), 202);
    body["now"] = json!(true);
    problem(post(&body).await, 409).await;
    body["now"] = json!(false);
    assert_eq!(post(&body).await.status(), 202, "to say no is to say nothing");
}

#[tokio::test]
async fn a_history_is_read_in_pages_that_neither_repeat_nor_miss() {
    let house = House::open().await;
    let referrer = house.referrer("Amara", None).await;
    house.introduction(referrer).await;
    for n in 0..6 {
        // Two at each moment, so that the time alone does not order them.
        house.clock.advance(std::time::Duration::from_secs(n % 2));
        log_touch(
            &house.gateway.referrers(),
            referrer,
            TouchKind::Call,
            &format!("call {n}"),
            None,
            &touchline::domain::Actor::operator("dana"),
        )
        .await
        .expect("logged");
    }
    let token = house.token(&[Scope::Read]).await;
    let path = format!("/api/v1/referrers/{referrer}/touches");
    let whole: Value = house.get(&path, &token).await.json().await.expect("JSON");
    assert_eq!((&whole["delivered"], &whole["goal"], &whole["next"]), (&json!(6), &json!(7), &Value::Null));
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page: Value = house.get(&format!("{path}?limit=2{next}"), &token).await.json().await.expect("JSON");
        seen.extend(page["touches"].as_array().expect("touches").iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(Value::from(seen.clone()), whole["touches"]);
    assert_eq!(seen.len(), 7);
    let letter = seen.iter().find(|touch| touch["kind"] == "letter").expect("the letter");
    assert_eq!(letter["messages"][0]["to"], "email c…");
    problem(house.get(&format!("{path}?after=nonsense"), &token).await, 422).await;
    for limit in ["many", "-1", "0", "201"] {
        problem(house.get(&format!("{path}?limit={limit}"), &token).await, 422).await;
        problem(house.get(&format!("/api/v1/referrers?limit={limit}"), &token).await, 422).await;
    }
    problem(house.get(&format!("/api/v1/referrers/{}/touches", uuid::Uuid::nil()), &token).await, 404).await;
}

#[tokio::test]
async fn failures_are_listed_by_cause_with_what_to_do() {
    let house = House::open().await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let operate = house.token(&[Scope::Operate]).await;
    house.post(&format!("/api/v1/messages/{message}/hold"), &operate, &json!({})).await;
    let read = house.token(&[Scope::Read]).await;
    let list: Value = house.get("/api/v1/failures", &read).await.json().await.expect("JSON");
    assert_no_canary(&list.to_string());
    assert_eq!((&list["causes"][0]["reason"], &list["causes"][0]["messages"]), (&json!("held_by_operator"), &json!(1)));
    assert_eq!(list["messages"][0]["id"], message.to_string());
    assert_eq!(list["messages"][0]["advice"], "Release it when it should be sent.");
    let other: Value = house.get("/api/v1/failures?reason=busy", &read).await.json().await.expect("JSON");
    assert_eq!((&other["messages"], &other["causes"]), (&json!([]), &json!([])));
    let same: Value = house.get("/api/v1/failures?reason=held_by_operator", &read).await.json().await.expect("JSON");
    assert_eq!(same, list);
    for limit in ["-1", "0", "501"] {
        let told = problem(house.get(&format!("/api/v1/failures?limit={limit}"), &read).await, 422).await;
        assert_eq!(told["field"], "limit");
    }
    problem(house.get("/api/v1/failures?resaon=busy", &read).await, 422).await;
}

#[tokio::test]
async fn dead_addresses_get_another_chance_and_are_only_counted_unless_asked_for_more() {
    let house = House::open().await;
    house.referrer("Amara", Some("(312) 555-0142")).await;
    let token = house.token(&[Scope::Operate]).await;
    let revive = async |body: Value| house.post("/api/v1/addresses/revive", &token, &body).await;
    let dead = async || {
        let mut database = house.database().await;
        let dead = "INSERT INTO address (channel, value, health, strikes, fault, updated_ms)
            VALUES ('fax', '+13125550142', 'dead', 1, 'invalid_number', 1795000000000)
            ON CONFLICT (channel, value) DO UPDATE SET health = 'dead', fault = 'invalid_number'";
        sqlx::query(dead).execute(&mut database).await.expect("written");
    };
    dead().await;
    let counted: Value = revive(json!({ "fault": "invalid_number" })).await.json().await.expect("JSON");
    assert_eq!(
        counted,
        json!({ "dry_run": true, "addresses": 1, "is_cut": false,
        "causes": [{ "fault": "invalid_number", "addresses": 1 }] })
    );
    let done: Value = revive(json!({ "channel": "fax", "dry_run": false })).await.json().await.expect("JSON");
    assert_eq!((&done["dry_run"], &done["addresses"]), (&json!(false), &json!(1)));
    problem(revive(json!({ "address": "(312) 555-0142" })).await, 409).await;
    dead().await;
    let one: Value = revive(json!({ "address": "(312) 555-0142" })).await.json().await.expect("JSON");
    assert_eq!(one["addresses"], 1);
    assert_no_canary(&one.to_string());
    for body in [
        json!({ "address": "nobody" }),
        json!({ "since": "yesterday" }),
        json!({ "since": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z" }),
        json!({ "since": "2026-12-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "dry_run": false }),
        json!({ "address": "(312) 555-0142", "channel": "fax" }),
    ] {
        problem(revive(body).await, 422).await;
    }
    let reader = house.token(&[Scope::Read]).await;
    problem(house.post("/api/v1/addresses/revive", &reader, &json!({})).await, 403).await;
}

#[tokio::test]
async fn a_reply_of_a_mail_server_is_explained() {
    let house = House::open().await;
    let token = house.token(&[Scope::Read]).await;
    let explain = async |reply: &str| {
        house.post("/api/v1/explain-reply", &token, &json!({ "reply": reply, "phase": "rcpt" })).await
    };
    let told: Value = explain("554 5.7.1 Relay access denied").await.json().await.expect("JSON");
    assert_eq!((told["about"].as_str(), told["remedy"].as_str()), (Some("account"), Some("allow_relay")), "{told}");
    problem(explain("250 ok").await, 422).await;
}
