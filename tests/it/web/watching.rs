//! Health, metrics, the login, and the headers and limits of every answer.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use touchline::access::{Scope, add_operator};
use touchline::domain::Clock;
use touchline::store::records::provider_state::{Meter, ProviderState};
use touchline::web::session::SESSION_COOKIE;

use super::house::{House, assert_no_canary, problem};

const PASSWORD: &str = "canary horse battery";

async fn look(house: &House, path: &str) -> Response {
    house.request(Method::GET, path).send().await.expect("an answer")
}

#[tokio::test]
async fn it_says_whether_it_lives_and_whether_it_can_work() {
    let house = House::open().await;
    assert_eq!(look(&house, "/healthz").await.text().await.expect("text"), "ok");
    assert_eq!(look(&house, "/readyz").await.status(), StatusCode::OK);
    house.gateway.store.close().await;
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(look(&house, "/healthz").await.status(), StatusCode::OK);
    let unready = look(&house, "/readyz").await;
    assert_eq!(unready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(unready.text().await.expect("text").contains("database"));
}

#[tokio::test]
async fn metrics_count_by_status_and_hold_no_address() {
    let house = House::open().await;
    house.introduction(house.referrer("Amara", Some("(312) 555-0142")).await).await;
    let metrics = look(&house, "/metrics").await.text().await.expect("text");
    for line in [
        "touchline_messages{status=\"queued\"} 1",
        "touchline_messages{status=\"delivered\"} 0",
        "touchline_queue_entries 1",
        "touchline_store_up 1",
        "touchline_provider_breaker_open{provider=\"fax-sandbox\"} 0",
    ] {
        assert!(metrics.lines().any(|each| each == line), "{line} is not in: {metrics}");
    }
    assert_no_canary(&metrics);
    house.gateway.store.close().await;
    let metrics = look(&house, "/metrics").await.text().await.expect("text");
    assert!(metrics.contains("touchline_store_up 0"), "{metrics}");
}

/// What another node found out is on record, and is shown here too.
#[tokio::test]
async fn metrics_tell_of_rests_and_budgets_as_all_nodes_know_them() {
    let budget = "concurrency    = 8\ndaily_budget = { hand_overs = 9 }";
    let house = House::open_with("concurrency    = 8", budget).await;
    let now = house.clock.now();
    let resting = ProviderState {
        provider: "fax-sandbox".into(),
        rests_until_ms: Some(now.after(Duration::from_secs(20))),
        faults: 5,
        ..ProviderState::default()
    };
    let meter = Meter { day_ends_ms: Some(now.after(Duration::from_secs(900))), day_hand_overs: 3, ..Meter::default() };
    let mut tx = house.gateway.store.write().await.expect("a transaction");
    tx.provider_breaker(&resting, now).await.expect("written");
    tx.provider_meter("fax-sandbox", &meter, now).await.expect("written");
    tx.commit().await.expect("committed");
    let has = async |lines: &[&str]| {
        let metrics = look(&house, "/metrics").await.text().await.expect("text");
        for line in lines {
            assert!(metrics.lines().any(|each| each == *line), "{line} is not in: {metrics}");
        }
    };
    has(&[
        "touchline_provider_breaker_open{provider=\"fax-sandbox\"} 1",
        "touchline_provider_faults_in_a_row{provider=\"fax-sandbox\"} 5",
        "touchline_provider_hand_overs_today{provider=\"fax-sandbox\"} 3",
        "touchline_provider_hand_overs_budget{provider=\"fax-sandbox\"} 9",
        "touchline_provider_breaker_open{provider=\"mail-sandbox\"} 0",
    ])
    .await;
    house.clock.advance(Duration::from_secs(1_000));
    has(&[
        "touchline_provider_breaker_open{provider=\"fax-sandbox\"} 0",
        "touchline_provider_hand_overs_today{provider=\"fax-sandbox\"} 0",
    ])
    .await;
}

#[tokio::test]
async fn metrics_need_a_token_from_farther_away() {
    let house = House::open().await;
    let by_proxy = || house.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.9");
    problem_page(by_proxy().send().await.expect("an answer"), 401).await;
    let send = house.token(&[Scope::Send]).await;
    assert_eq!(by_proxy().bearer_auth(send).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    let read = house.token(&[Scope::Read]).await;
    assert_eq!(by_proxy().bearer_auth(read).send().await.expect("an answer").status(), StatusCode::OK);
}

/// A proxy that adds no header of its own looks like somebody on this machine.
#[tokio::test]
async fn metrics_need_a_token_from_anywhere_once_a_proxy_is_known_to_stand_before_the_service() {
    let url = "public_url = \"http://127.0.0.1:8025\"";
    let trusting = format!("{url}\ntrusted_proxies = [\"10.0.0.1\"]");
    for settings in ["public_url = \"https://touchline.example\"", trusting.as_str()] {
        let house = House::open_with(url, settings).await;
        problem_page(look(&house, "/metrics").await, 401).await;
        let read = house.token(&[Scope::Read]).await;
        assert_eq!(house.get("/metrics", &read).await.status(), StatusCode::OK, "{settings}");
    }
}

async fn problem_page(answer: Response, status: u16) {
    assert_eq!(answer.status().as_u16(), status);
    assert_no_canary(&answer.text().await.expect("text"));
}

#[tokio::test]
async fn every_answer_is_named_by_us_and_guarded() {
    let house = House::open().await;
    for path in ["/healthz", "/nowhere", "/api/v1/nowhere"] {
        let request = house.request(Method::GET, path).header("x-request-id", "canary");
        let answer = request.send().await.expect("an answer");
        let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert!(answer.headers()["content-security-policy"].to_str().expect("text").contains("default-src 'self'"));
    }
    problem(look(&house, "/api/v1/nowhere").await, 404).await;
    let page = look(&house, "/nowhere").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.headers()["content-type"].to_str().expect("text").starts_with("text/html"));
}

async fn log_in(house: &House, password: &str) -> Response {
    let form = [("name", "dana"), ("password", password), ("next", "/failures?cause=busy")];
    house.request(Method::POST, "/login").form(&form).send().await.expect("an answer")
}

fn session_in(answer: &Response) -> String {
    let mut all = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie = all.find(|cookie| cookie.starts_with(SESSION_COOKIE)).expect("a session");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie").1.to_owned()
}

#[tokio::test]
async fn an_operator_logs_in_and_out() {
    let house = House::open().await;
    add_operator(&house.gateway.access(), "dana", PASSWORD, &touchline::domain::Actor::operator("test"))
        .await
        .expect("an operator");
    assert!(look(&house, "/login?next=/failures").await.text().await.expect("text").contains("value=\"/failures\""));
    assert_eq!(log_in(&house, "wrong horse battery").await.status(), StatusCode::UNAUTHORIZED);
    let answer = log_in(&house, PASSWORD).await;
    assert_eq!(answer.headers()["location"], "/failures?cause=busy");
    let secret = session_in(&answer);
    let hash = hex::encode(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()));
    let session = async || {
        let mut tx = house.gateway.store.read().await.expect("a transaction");
        tx.session(&hash, house.clock.now()).await.expect("read")
    };
    let kept = session().await.expect("a session, kept by its hash");
    let form_key = kept.form_key;
    assert_eq!(kept.name, "dana");
    let log_out = |form_key: &str| {
        let request = house.request(Method::POST, "/logout").header("cookie", format!("{SESSION_COOKIE}={secret}"));
        request.form(&[("form_key", form_key)]).send()
    };
    assert_eq!(log_out("of another site").await.expect("an answer").status(), StatusCode::FORBIDDEN);
    assert!(session().await.is_some());
    assert_eq!(log_out(&form_key).await.expect("an answer").headers()["location"], "/login");
    assert!(session().await.is_none());
    assert_eq!(log_out(&form_key).await.expect("an answer").status(), StatusCode::SEE_OTHER, "to the login");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let house = House::open().await;
    add_operator(&house.gateway.access(), "dana", PASSWORD, &touchline::domain::Actor::operator("test"))
        .await
        .expect("an operator");
    let secret = session_in(&log_in(&house, PASSWORD).await);
    let hash = hex::encode(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()));
    house.clock.advance(Duration::from_secs(12 * 3600));
    let mut tx = house.gateway.store.read().await.expect("a transaction");
    assert_eq!(tx.session(&hash, house.clock.now()).await.expect("read"), None);
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let house = House::open().await;
    add_operator(&house.gateway.access(), "dana", PASSWORD, &touchline::domain::Actor::operator("test"))
        .await
        .expect("an operator");
    for _ in 0..10 {
        assert_eq!(log_in(&house, "wrong horse battery").await.status(), StatusCode::UNAUTHORIZED);
    }
    let waits = log_in(&house, PASSWORD).await;
    assert_eq!(waits.status(), StatusCode::TOO_MANY_REQUESTS, "even the right one must wait");
    assert!(waits.headers().contains_key("retry-after"));
    house.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(log_in(&house, PASSWORD).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_sites_form_logs_nobody_in() {
    let house = House::open().await;
    add_operator(&house.gateway.access(), "dana", PASSWORD, &touchline::domain::Actor::operator("test"))
        .await
        .expect("an operator");
    let request = house.request(Method::POST, "/login").header("sec-fetch-site", "cross-site");
    let answer = request.form(&[("name", "dana"), ("password", PASSWORD)]).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn told_to_stop_it_ends() {
    let house = House::open_with("[server]", "[server]\nhead_seconds = 300").await;
    assert_eq!(look(&house, "/healthz").await.status(), StatusCode::OK);
    house.stop.cancel();
    // Below the time after which connections are closed by force: one that waits for its next request ends at once.
    let ended = tokio::time::timeout(Duration::from_secs(18), house.server).await.expect("in time");
    ended.expect("no panic");
}

#[tokio::test]
async fn metrics_tell_how_the_reading_of_each_configured_mailbox_stands() {
    let level = "level = \"warn\"";
    let mailbox = "level = \"warn\"\n[mailboxes.returns]\nkind = \"maildir\"\npath = \"returns\"\n";
    let house = House::open_with(level, mailbox).await;
    let now = house.clock.now();
    let mut tx = house.gateway.store.write().await.expect("tx");
    for name in ["returns", "forgotten"] {
        tx.mailbox_claim(name, "one", now.after(Duration::from_secs(90)), now).await.expect("claimed");
        tx.mailbox_read(name, "one", true, now).await.expect("noted");
    }
    tx.commit().await.expect("committed");
    house.clock.advance(Duration::from_secs(3_600));
    let metrics = look(&house, "/metrics").await.text().await.expect("text");
    let labels = "{mailbox=\"returns\",protocol=\"maildir\"}";
    for line in [
        format!("touchline_mailbox_last_read_timestamp_seconds{labels} {}", now.0.div_euclid(1_000)),
        format!("touchline_mailbox_unread{labels} 1"),
        format!("touchline_mailbox_mails_to_look_at{labels} 0"),
    ] {
        assert!(metrics.lines().any(|each| each == line), "{line} is not in: {metrics}");
    }
    assert!(!metrics.contains("forgotten"), "only what is configured: {metrics}");
}
