//! What the log says about requests: routes and outcomes, never a link, a query, a key or a body.

use std::io::Write;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;
use sqlx::Executor;
use touchline::access::Scope;
use tracing_subscriber::fmt::MakeWriter;

use super::house::{House, assert_no_canary};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_names_routes_and_never_a_link_a_query_a_key_or_a_body() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("touchline=trace,tower_http=trace")
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // The server runs on this test's own thread. Other tests' threads may have met a place in the code first and found
    // that nobody listens there, so every place is met once before it is asked again.
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = House::open().await;
    ask_everything(&house, "Amara").await;
    tracing::callsite::rebuild_interest_cache();
    let (link, token) = ask_everything(&house, "Tomasz").await;
    let told = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    for route in [
        "/o/{token}",
        "/api/v1/failures",
        "/hooks/{provider}",
        "/hooks/{provider}/{secret}",
        "/documents/{token}",
        "unmatched",
    ] {
        assert!(told.contains(&format!("route=\"{route}\"")), "{route} is not in: {told}");
    }
    assert_no_canary(&told);
    assert!(!told.contains(&link) && !told.contains(&token), "{told}");
}

/// Requests that carry canaries wherever one can be put; the opt-out token and the bearer token that were used.
async fn ask_everything(house: &House, name: &str) -> (String, String) {
    let message = house.introduction(house.referrer(name, Some("(312) 555-0142")).await).await;
    let token = house.token(&[Scope::Send, Scope::Read]).await;
    let link = house.gateway.opt_out.token(message);
    house.request(Method::POST, &format!("/o/{link}")).form(&[("stop", "canary")]).send().await.expect("an answer");
    house.get("/api/v1/failures?reason=canary", &token).await;
    house.post("/api/v1/messages", &token, &json!({ "letter": "introduction", "to": "(312) 555-0142" })).await;
    house.request(Method::POST, "/hooks/fax-sandbox?key=canary").body("canary").send().await.expect("an answer");
    house.request(Method::POST, "/hooks/fax-sandbox/canary-secret").body("canary").send().await.expect("an answer");
    house.request(Method::GET, "/documents/canary-token").send().await.expect("an answer");
    house.request(Method::GET, "/canary?canary").send().await.expect("an answer");
    (link, token)
}

#[tokio::test]
async fn what_strangers_ask_again_and_again_is_a_line_and_not_one_each() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = House::open().await;
    let guess = async |number: usize| {
        let form = house.request(Method::POST, &format!("/o/guess-{number}")).form(&[("stop", "yes")]);
        assert_eq!(form.send().await.expect("an answer").status(), 200);
    };
    // As above: the places are met once, in case another thread met them first.
    guess(0).await;
    tracing::callsite::rebuild_interest_cache();
    house.clock.advance(std::time::Duration::from_secs(3_600));
    let lines = || {
        let told = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
        told.lines().filter(|line| line.contains("name no letter")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = lines().len();
    for number in 1..=50 {
        guess(number).await;
    }
    let told = lines().split_off(before);
    assert_eq!(told.len(), 1, "{told:?}");
    house.clock.advance(std::time::Duration::from_secs(60));
    guess(51).await;
    let told = lines().split_off(before);
    assert!(told.len() == 2 && told[1].contains("count=50"), "{told:?}");

    house.database().await.execute("ALTER TABLE operator RENAME TO gone").await.expect("done");
    for _ in 0..20 {
        let form = [("name", "dana"), ("password", "correct horse battery")];
        let answer = house.request(Method::POST, "/login").form(&form).send().await.expect("an answer");
        assert!(answer.status().is_server_error() || answer.status().is_client_error(), "{}", answer.status());
    }
    let told = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    let failed = told.lines().filter(|line| line.contains("/login") && line.contains("requests")).count();
    assert!(failed <= 1, "{told}");
    let more = told.lines().filter(|line| line.contains("/login")).count();
    assert!(more <= 1, "nothing else says so either: {told}");
}
