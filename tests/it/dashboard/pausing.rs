//! A broadcast that has paused itself, and the health of accounts, as the office manager sees them; and what the API says of both.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use touchline::access::{Scope, create_token};
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::BroadcastId;
use touchline::domain::message::{Confidence, Message};
use touchline::domain::{Actor, Channel, Fault, MessageStatus, PolicyReason, Timestamp};
use touchline::store::records::returns::ReturnRow;
use touchline::store::views::ledger::LedgerOf;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::support::returned::{self, hard_bounce, keep};

const WHY: &str = "7 of 40 emails went to addresses that are bad";

/// A broadcast to everybody that has paused itself, with its letters held by that.
async fn paused(stage: &Stage) -> BroadcastId {
    let sent = stage.send("introduction", "all", &[Channel::Email], json!({})).await;
    let id = sent.broadcast.expect("a broadcast");
    let mut tx = stage.gateway.store.write().await.expect("a database");
    assert!(tx.broadcast_pause(id, WHY, stage.gateway.clock.now()).await.expect("paused"));
    let ids: Vec<_> = sent.messages.iter().map(|message| message.id).collect();
    let mut messages = tx.messages(&ids, true).await.expect("read");
    for message in &mut messages {
        message.status = MessageStatus::Held;
        message.reason = Some(PolicyReason::BroadcastPaused.into());
        tx.message_update(message).await.expect("changed");
    }
    tx.commit().await.expect("committed");
    id
}

async fn token(stage: &Stage, scopes: &[Scope]) -> String {
    create_token(&stage.gateway.access(), "integrator", scopes, &Actor::operator("test")).await.expect("a token")
}

async fn api(stage: &Stage, path: &str, token: &str) -> Value {
    let http = touchline::http::client().expect("a client");
    let answer = http.get(format!("{}{path}", stage.address)).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_broadcast_says_why_wherever_it_is_shown_and_goes_on_by_one_button() {
    let stage = Stage::set_idle().await;
    let id = paused(&stage).await;
    let page = format!("/messages?broadcast={id}");
    let mut operator = Visitor::operator(&stage).await;
    let overview = operator.read("/").await;
    assert!(overview.contains(WHY) && overview.contains(&format!("href=\"{page}\"")), "{overview}");
    assert!(operator.read("/campaigns").await.contains(WHY));
    let shown = operator.read(&page).await;
    for part in
        [WHY, "See what failed", "Let the broadcast go on", "All letters that are held because of the pause are sent"]
    {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    let cause = operator.read("/failures?reason=broadcast_paused").await;
    assert!(cause.contains(&page) && cause.contains("and decide"), "{cause}");
    assert!(!cause.contains("Release all"), "nothing is let go without a look: {cause}");
    assert!(!cause.contains("Let the whole broadcast go on"), "that is decided on the broadcast's page: {cause}");

    let token = token(&stage, &[Scope::Read]).await;
    let listed = api(&stage, "/api/v1/broadcasts?paused=true", &token).await;
    assert_eq!(listed["broadcasts"][0]["paused"]["reason"], WHY);
    let refused = touchline::http::client()
        .expect("a client")
        .post(format!("{}/api/v1/broadcasts/{id}/resume", stage.address))
        .bearer_auth(&token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), StatusCode::FORBIDDEN, "a token that may only read");

    let resume = format!("/broadcasts/{id}/resume");
    assert_eq!(operator.submit(&resume, &[]).await, format!("{page}&done=broadcast_resumed"));
    assert_eq!(operator.submit(&resume, &[]).await, format!("{page}&done=broadcast_not_paused"));
    let shown = operator.read(&page).await;
    assert!(shown.contains("dana let it go on") && !shown.contains("Let the broadcast go on"), "{shown}");
    assert!(!operator.read("/").await.contains(WHY));
    let one = api(&stage, &format!("/api/v1/broadcasts/{id}"), &token).await;
    assert_eq!((&one["paused"], &one["resumed_by"]), (&Value::Null, &json!("operator:dana")));
    assert_eq!(api(&stage, "/api/v1/broadcasts?paused=true", &token).await["broadcasts"], json!([]));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_of_a_paused_broadcast_is_cancelled_after_a_second_thought() {
    let stage = Stage::set_idle().await;
    let id = paused(&stage).await;
    let (page, cancel) = (format!("/messages?broadcast={id}"), format!("/broadcasts/{id}/cancel"));
    let mut operator = Visitor::operator(&stage).await;
    let refused = operator.submit_refused(&cancel, &[("page", page.as_str())]).await;
    assert!(refused.contains("Please check the box"), "{refused}");
    assert_eq!(operator.submit(&cancel, &[("sure", "yes")]).await, format!("{page}&done=broadcast_cancelled"));
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let ledger = tx.ledger(LedgerOf::Broadcast(id)).await.expect("read");
    assert_eq!((ledger.held + ledger.queued, ledger.cancelled), (0, ledger.total), "{ledger:?}");
    drop(tx);
    stage.strike().await;
}

/// A letter that counts as delivered and comes back; another waits.
async fn delivered_and_bounced(stage: &Stage) {
    let now = stage.gateway.clock.now();
    let sent = stage.send("introduction", "Amara Whitfield", &[Channel::Email], json!({})).await;
    stage.send("introduction", "Hannah Reyes-Lindqvist", &[Channel::Email], json!({})).await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(sent.messages[0].id, true).await.expect("read").expect("there");
    message.status = MessageStatus::Delivered;
    (message.confidence, message.settled_ms, message.updated_ms) = (Some(Confidence::Presumed), Some(now), now);
    tx.message_update(&message).await.expect("changed");
    tx.queue_remove(message.id.0).await.expect("removed");
    let attempt = handed_over(&message, now);
    tx.attempts_insert(std::slice::from_ref(&attempt)).await.expect("stored");
    tx.attempts_update(std::slice::from_ref(&attempt)).await.expect("stored");
    tx.commit().await.expect("committed");
    let bounce = ReturnRow { attempt_id: Some(attempt.id), ..hard_bounce(&message, now) };
    keep(&stage.gateway.store, &[bounce]).await;
}

fn handed_over(message: &Message, at: Timestamp) -> Attempt {
    Attempt {
        status: AttemptStatus::Delivered,
        tls_version: Some("none".to_owned()),
        answered_ms: Some(at),
        settled_ms: Some(at),
        ..returned::calling(message, at)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_of_an_account_is_the_same_on_the_screen_and_in_the_api() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    delivered_and_bounced(&stage).await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    tx.provider_slow("mail-sandbox", now).await.expect("slower");
    let mut state = tx.provider_states(false).await.expect("read").remove(0);
    state.provider = "mail-sandbox".to_owned();
    (state.fault, state.faulted_ms) = (Some(Fault::AccountError), Some(now));
    state.fault_text = Some("535 5.7.8 no".to_owned());
    tx.provider_breaker(&state, now.after(Duration::from_secs(1))).await.expect("noted");
    tx.commit().await.expect("committed");

    let token = token(&stage, &[Scope::Read]).await;
    let account = api(&stage, "/api/v1/providers/mail-sandbox", &token).await;
    assert_eq!((&account["state"], &account["rate"]["per_minute_now"]), (&json!("slowed"), &json!(60)), "{account}");
    let day = &account["last_day"];
    assert_eq!((&day["sent"], &day["delivered_presumed"], &day["bounced_hard"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(account["tls"]["version"], "none");
    assert_eq!((&account["tls"]["verified"], &account["last_error"]["words"]), (&json!(false), &json!("535 5.7.8 no")));
    assert_eq!(api(&stage, "/api/v1/providers", &token).await["accounts"].as_array().map(Vec::len), Some(2));
    let page = Visitor::operator(&stage).await.read("/providers").await;
    assert_eq!((&account["waiting"], &account["under_way"]["calling"]), (&json!(1), &json!(0)));
    for part in [
        "slowed down",
        "1 waiting",
        "60 per minute now, no limit configured",
        "1 letter sent",
        "1 presumed delivered",
        "1 bounced: the address is bad",
        "not encrypted",
        "535 5.7.8 no",
    ] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    stage.strike().await;
}
