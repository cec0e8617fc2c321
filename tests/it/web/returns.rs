//! What came back for emails, as programs see it and deal with it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use touchline::access::Scope;
use touchline::domain::Clock;
use touchline::domain::returned::{ReturnKind, ReturnState};
use touchline::store::records::returns::ReturnRow;

use super::house::{House, assert_no_canary, problem};
use crate::support::returned::{about, hand_over, hard_bounce, keep, keep_callback, lost_bounce, unknown};

async fn page(house: &House, token: &str, query: &str) -> Value {
    let answer = house.get(&format!("/api/v1/returns{query}"), token).await;
    assert_eq!(answer.status(), 200, "{query}");
    answer.json().await.expect("JSON")
}

fn ids(page: &Value) -> Vec<String> {
    let returns = page["returns"].as_array().expect("a list").iter();
    returns.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn sixty_returns_come_in_pages_and_by_kind_state_message_and_referrer() {
    let house = House::open().await;
    let token = house.token(&[Scope::Read]).await;
    assert_eq!(page(&house, &token, "").await, json!({ "returns": [], "next": null }));

    let referrer = house.referrer("Amara", None).await;
    let letter = house.introduction(referrer).await;
    let now = house.clock.now();
    let mut rows: Vec<ReturnRow> =
        (0..57).map(|n| unknown(ReturnKind::Bounce, now.before(Duration::from_secs(n)))).collect();
    // Two at the same moment must not be lost between two pages.
    rows.extend((0..2).map(|_| unknown(ReturnKind::Complaint, now.before(Duration::from_secs(49)))));
    rows.push(ReturnRow {
        state: ReturnState::Applied,
        ..about(ReturnKind::AutoReply, &house.message(letter).await, now)
    });
    keep(&house.gateway.store, &rows).await;

    let first = page(&house, &token, "").await;
    let next = first["next"].as_str().expect("there is more").to_owned();
    let second = page(&house, &token, &format!("?after={next}")).await;
    assert_eq!((ids(&first).len(), ids(&second).len(), &second["next"]), (50, 10, &Value::Null));
    let all: BTreeSet<String> = ids(&first).into_iter().chain(ids(&second)).collect();
    assert_eq!(all, rows.iter().map(|row| row.id.to_string()).collect());

    let answer = rows[59].id.to_string();
    for (query, count) in [
        ("?kind=complaint,auto_reply".to_owned(), 3),
        ("?state=applied".to_owned(), 1),
        ("?state=open&kind=auto_reply".to_owned(), 0),
        (format!("?message={letter}"), 1),
        (format!("?referrer={referrer}"), 1),
    ] {
        let found = ids(&page(&house, &token, &query).await);
        assert_eq!(found.len(), count, "{query}");
        assert!(count != 1 || found == [answer.clone()], "{query}");
    }
    for wrong in ["kind=bounces", "state=closed", "message=x", "limit=201", "after=x", "colour=red"] {
        problem(house.get(&format!("/api/v1/returns?{wrong}"), &token).await, 422).await;
    }
}

#[tokio::test]
async fn addresses_and_words_of_people_are_for_those_who_may_operate() {
    let house = House::open().await;
    let letter = house.introduction(house.referrer("Amara", None).await).await;
    let message = house.message(letter).await;
    let now = house.clock.now();
    let bounce = hard_bounce(&message, now);
    let reply = ReturnRow {
        sender: Some(message.address.as_str().to_owned()),
        first_line: Some("Please call me about canary.".to_owned()),
        ..about(ReturnKind::Reply, &message, now)
    };
    keep(&house.gateway.store, &[bounce.clone(), reply.clone()]).await;

    let reader = house.token(&[Scope::Read]).await;
    for row in [&bounce, &reply] {
        let shown: Value = house.get(&format!("/api/v1/returns/{}", row.id), &reader).await.json().await.expect("JSON");
        assert_no_canary(&shown.to_string());
        assert_eq!((&shown["recipient"], &shown["first_line"]), (&json!("email c…"), &Value::Null));
        assert_eq!(shown["message"], json!(letter));
    }
    assert_no_canary(&page(&house, &reader, "").await.to_string());

    let operator = house.token(&[Scope::Read, Scope::Operate]).await;
    let shown: Value =
        house.get(&format!("/api/v1/returns/{}", bounce.id), &operator).await.json().await.expect("JSON");
    assert_eq!(shown["recipient"], message.address.as_str());
    assert_eq!(
        (&shown["kind"], &shown["class"], &shown["status"]),
        (&json!("bounce"), &json!("hard"), &json!("5.1.1"))
    );
    assert!(shown["explanation"].as_str().is_some_and(|words| words.contains("There is no such mailbox.")), "{shown}");
    assert_eq!(shown["acts"], json!(["not_a_bounce"]));
    let shown: Value = house.get(&format!("/api/v1/returns/{}", reply.id), &operator).await.json().await.expect("JSON");
    assert_eq!((&shown["first_line"], &shown["acts"]), (&json!("Please call me about canary."), &json!(["done"])));
}

#[tokio::test]
async fn a_return_is_dealt_with_once_by_who_may_operate() {
    let house = House::open().await;
    let message = house.message(house.introduction(house.referrer("Amara", None).await).await).await;
    let now = house.clock.now();
    let asks = about(ReturnKind::OptOut, &message, now);
    let lost = unknown(ReturnKind::Bounce, now);
    keep(&house.gateway.store, &[asks.clone(), lost.clone()]).await;
    let path = |row: &ReturnRow| format!("/api/v1/returns/{}/work", row.id);
    let suppress = json!({ "act": "suppress" });

    let (sender, reader) = (house.token(&[Scope::Send]).await, house.token(&[Scope::Read]).await);
    problem(house.get("/api/v1/returns", &sender).await, 403).await;
    problem(house.get(&format!("/api/v1/returns/{}", asks.id), &sender).await, 403).await;
    problem(house.post(&path(&asks), &reader, &suppress).await, 403).await;

    let operator = house.token(&[Scope::Operate, Scope::Read]).await;
    for (wrong, status) in [
        (json!({ "act": "burn" }), 422),
        (json!({ "act": "suppress", "message": message.id }), 422),
        (json!({ "act": "match", "message": "x" }), 422),
    ] {
        problem(house.post(&path(&asks), &operator, &wrong).await, status).await;
    }
    problem(house.post(&path(&lost), &operator, &json!({ "act": "match" })).await, 409).await;
    let unsent = json!({ "act": "match", "message": message.id });
    problem(house.post(&path(&lost), &operator, &unsent).await, 409).await;
    problem(house.post(&format!("/api/v1/returns/{}/work", message.id), &operator, &suppress).await, 404).await;
    assert_eq!(page(&house, &operator, "?state=open").await["returns"].as_array().map(Vec::len), Some(2));

    let done: Value = house.post(&path(&asks), &operator, &suppress).await.json().await.expect("JSON");
    assert_eq!((&done["state"], &done["outcome"]), (&json!("done"), &json!("suppressed")));
    assert_eq!((&done["done_by"], &done["acts"]), (&json!("token:integrator"), &json!([])));
    problem(house.post(&path(&asks), &operator, &suppress).await, 409).await;
    let mut tx = house.gateway.store.read().await.expect("a transaction");
    let suppressions = tx.suppressions_of(&message.address).await.expect("read");
    assert_eq!(suppressions.iter().map(|one| one.return_id).collect::<Vec<_>>(), [Some(asks.id)]);
}

#[tokio::test]
async fn the_letter_of_a_bounce_is_named_the_address_given_up_and_given_back() {
    let house = House::open().await;
    let (store, now) = (&house.gateway.store, house.clock.now());
    let letter = hand_over(store, house.introduction(house.referrer("Amara", None).await).await, now).await;
    let lost = lost_bounce(now);
    keep(store, std::slice::from_ref(&lost)).await;
    let operator = house.token(&[Scope::Operate, Scope::Read]).await;
    let path = format!("/api/v1/returns/{}/work", lost.id);
    let done: Value = house
        .post(&path, &operator, &json!({ "act": "match", "message": letter.id }))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!((&done["matched_by"], &done["message"]), (&json!("person"), &json!(letter.id)), "{done}");
    assert_eq!((&done["state"], &done["acts"]), (&json!("done"), &json!(["not_a_bounce"])));
    let shown: Value =
        house.get(&format!("/api/v1/messages/{}", letter.id), &operator).await.json().await.expect("JSON");
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("failed"), &json!("mailbox_unknown")), "{shown}");
    assert_eq!(page(&house, &operator, "?state=open").await["returns"], json!([]), "the tray is empty");
    let list: Value = house.get("/api/v1/suppressions", &operator).await.json().await.expect("JSON");
    let known = &list["suppressions"][0];
    assert_eq!((&known["return"], &known["expires_at"]), (&json!(lost.id), &Value::Null), "{list}");
    problem(house.post(&path, &operator, &json!({ "act": "match", "message": letter.id })).await, 409).await;

    let good: Value = house.post(&path, &operator, &json!({ "act": "not_a_bounce" })).await.json().await.expect("JSON");
    assert_eq!((&good["outcome"], &good["acts"]), (&json!("not_a_bounce"), &json!([])));
    let list: Value = house.get("/api/v1/suppressions?ended=true", &operator).await.json().await.expect("JSON");
    let lifted = &list["suppressions"][0];
    assert_eq!(
        (&lifted["lifted_by"], &lifted["lifted_reason"]),
        (&json!("token:integrator"), &json!("not a bounce")),
        "{list}"
    );
    assert_eq!(house.message(letter.id).await.status, touchline::domain::MessageStatus::Failed, "it did not arrive");
}

#[tokio::test]
async fn a_suppression_is_lifted_with_a_reason_by_who_may_operate() {
    let house = House::open().await;
    let message = house.message(house.introduction(house.referrer("Amara", None).await).await).await;
    let refusal = touchline::consent::Refusal {
        address: message.address.clone(),
        scope: touchline::domain::suppression::Scope::Advertisement,
        reason: touchline::domain::suppression::SuppressionReason::Bounced,
        source: touchline::domain::suppression::SuppressionSource::Email,
        evidence: None,
        who: touchline::domain::Actor::provider("office-mailbox"),
        because: None,
        expires_ms: Some(house.clock.now().after(Duration::from_secs(86_400))),
    };
    touchline::consent::suppress(&house.gateway.consent(), &refusal).await.expect("recorded");
    let reader = house.token(&[Scope::Read]).await;
    let list: Value = house.get("/api/v1/suppressions", &reader).await.json().await.expect("JSON");
    assert_no_canary(&list.to_string());
    let known = &list["suppressions"][0];
    assert_eq!(known["expires_at"], "2026-11-24T15:00:00.000Z", "a soft reason ends: {list}");
    let path = format!("/api/v1/suppressions/{}/lift", known["id"].as_str().expect("an id"));
    let why = json!({ "reason": "asked again in writing" });
    problem(house.post(&path, &reader, &why).await, 403).await;
    let operator = house.token(&[Scope::Operate]).await;
    for wrong in [json!({}), json!({ "reason": " " }), json!({ "reason": "x".repeat(201) }), json!({ "why": "so" })] {
        problem(house.post(&path, &operator, &wrong).await, 422).await;
    }
    let lifted: Value = house.post(&path, &operator, &why).await.json().await.expect("JSON");
    assert_eq!(
        (&lifted["lifted_by"], &lifted["lifted_reason"]),
        (&json!("token:integrator"), &json!("asked again in writing"))
    );
    problem(house.post(&path, &operator, &why).await, 404).await;
}

#[tokio::test]
async fn the_callback_of_a_return_is_shown_as_it_came_to_who_may_operate_until_its_time_is_over() {
    let house = House::open().await;
    let (store, now) = (&house.gateway.store, house.clock.now());
    let body = b"{\"event\":\"bounce\",\"to\":\"canary\"}\0\xff";
    let row = ReturnRow { inbox_id: Some(keep_callback(store, body, now).await), ..unknown(ReturnKind::Bounce, now) };
    let mail = unknown(ReturnKind::Reply, now);
    keep(store, &[row.clone(), mail.clone()]).await;
    let path = |row: &ReturnRow| format!("/api/v1/returns/{}/as-it-came", row.id);
    problem(house.get(&path(&row), &house.token(&[Scope::Read]).await).await, 403).await;
    let operator = house.token(&[Scope::Operate]).await;
    let shown: Value = house.get(&path(&row), &operator).await.json().await.expect("JSON");
    let content = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, body);
    assert_eq!((&shown["form"], &shown["content"]), (&json!("callback"), &json!(content)), "octet for octet");
    assert_eq!(shown["headers"], json!([{ "name": "x-signature", "value": "<b>proof</b>" }]));
    let none: Value = house.get(&path(&mail), &operator).await.json().await.expect("JSON");
    assert_eq!((&none["form"], &none["content"], &none["purged_at"]), (&json!("none"), &Value::Null, &Value::Null));
    let reply = house.get(&format!("/api/v1/returns/{}/reply", mail.id), &operator).await;
    assert!(problem(reply, 409).await["detail"].as_str().is_some_and(|words| words.contains("was not kept")));

    house.clock.advance(Duration::from_secs(91 * 86_400));
    let keep = touchline::upkeep::retention::Retention { callback_days: 90, reply_days: 90 };
    touchline::upkeep::retention::remove_old(store, house.clock.as_ref(), keep).await.expect("removed");
    let gone: Value = house.get(&path(&row), &operator).await.json().await.expect("JSON");
    assert_eq!((&gone["form"], &gone["content"]), (&json!("none"), &Value::Null));
    assert_eq!(gone["purged_at"], "2027-02-22T15:00:00.000Z");
}
