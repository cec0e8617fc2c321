//! Who may be logged in, and for how long; what is written down of those who may not; and strangers who keep trying.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use sqlx::{Connection, Executor};
use touchline::access::{
    self, Attempt, Scope, add_operator, remove_operator, set_disabled, set_password, verify_operator,
};
use touchline::domain::{Actor, Clock};
use touchline::store::records::access::TokenRow;
use touchline::web::session::{DEVICE_COOKIE, SESSION_COOKIE};

use super::house::House;
use crate::support::PATIENCE;

const NAME: &str = "dana";
const PASSWORD: &str = "canary horse battery";
const OTHER_PASSWORD: &str = "canary horse accumulator";
const MINUTE: Duration = Duration::from_secs(60);

async fn house() -> House {
    let house = House::open().await;
    add_operator(&house.gateway.access(), NAME, PASSWORD, &maria()).await.expect("an operator");
    house
}

fn maria() -> Actor {
    Actor::operator("maria")
}

/// A browser's cookies, as one header.
type Cookies = String;

async fn try_in(house: &House, name: &str, password: &str, cookies: &str) -> Response {
    let request = house.request(Method::POST, "/login").form(&[("name", name), ("password", password)]);
    request.header("cookie", cookies).send().await.expect("an answer")
}

fn cookie(answer: &Response, name: &str) -> Cookies {
    let all = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let found = all.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no cookie {name}")).to_owned()
}

async fn logged_in(house: &House, password: &str) -> Cookies {
    let answer = try_in(house, NAME, password, "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    cookie(&answer, SESSION_COOKIE)
}

/// Whether a page is shown, not the login.
async fn is_in(house: &House, cookies: &str) -> bool {
    let answer = house.request(Method::GET, "/").header("cookie", cookies).send().await.expect("an answer");
    answer.status() == StatusCode::OK
}

/// The acts in the audit trail, oldest first: who, what, about whom, details.
async fn audited(house: &House) -> Vec<(String, &'static str, String, String)> {
    let lines = house.gateway.store.read().await.expect("a transaction").audit_page(&[], 0, 100).await.expect("read");
    let told = lines.into_iter().rev().map(|line| {
        let (subject, detail) = (line.subject.unwrap_or_default(), line.detail.unwrap_or_default());
        (line.who.to_string(), line.action.as_str(), subject, detail)
    });
    told.collect()
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_one_that_is_used_goes_on() {
    let house = house().await;
    let (used, left) = (logged_in(&house, PASSWORD).await, logged_in(&house, PASSWORD).await);
    for round in 0..3 {
        house.clock.advance(29 * MINUTE);
        assert!(is_in(&house, &used).await, "round {round}");
        if round == 1 {
            access::flush(&house.gateway.access()).await.expect("written down");
        }
    }
    assert!(!is_in(&house, &left).await, "nobody has used it for more than half an hour");
    house.clock.advance(30 * MINUTE);
    assert!(!is_in(&house, &used).await);
}

#[tokio::test]
async fn how_long_a_session_may_be_idle_is_a_setting() {
    let house = House::open_with("[server]", "[server]\nsession_idle_minutes = 5").await;
    add_operator(&house.gateway.access(), NAME, PASSWORD, &maria()).await.expect("an operator");
    let session = logged_in(&house, PASSWORD).await;
    house.clock.advance(4 * MINUTE);
    assert!(is_in(&house, &session).await);
    house.clock.advance(5 * MINUTE);
    assert!(!is_in(&house, &session).await);
}

#[tokio::test]
async fn a_new_password_or_an_operator_who_may_log_in_no_longer_ends_the_sessions() {
    let house = house().await;
    let parts = house.gateway.access();
    let (one, two) = (logged_in(&house, PASSWORD).await, logged_in(&house, PASSWORD).await);
    assert_eq!(set_password(&parts, NAME, OTHER_PASSWORD, &maria()).await.expect("set"), 2);
    assert!(!is_in(&house, &one).await && !is_in(&house, &two).await);
    assert_eq!(try_in(&house, NAME, PASSWORD, "").await.status(), StatusCode::UNAUTHORIZED);

    let session = logged_in(&house, OTHER_PASSWORD).await;
    assert_eq!(set_disabled(&parts, NAME, true, &maria()).await.expect("disabled"), 1);
    assert!(!is_in(&house, &session).await);
    assert_eq!(try_in(&house, NAME, OTHER_PASSWORD, "").await.status(), StatusCode::UNAUTHORIZED);
    assert!(!access::has_operators(&parts).await.expect("read"), "the only one is disabled");
    set_disabled(&parts, NAME, false, &maria()).await.expect("enabled");

    let session = logged_in(&house, OTHER_PASSWORD).await;
    assert_eq!(remove_operator(&parts, NAME, &maria()).await.expect("removed"), 1);
    assert!(!is_in(&house, &session).await);
    assert_eq!(try_in(&house, NAME, OTHER_PASSWORD, "").await.status(), StatusCode::UNAUTHORIZED);

    let by_maria: Vec<_> = audited(&house).await.into_iter().filter(|(who, ..)| who == "operator:maria").collect();
    let acts: Vec<_> = by_maria.iter().map(|(_, act, subject, _)| (*act, subject.as_str())).collect();
    let expected = ["set_operator", "set_password", "disable_operator", "enable_operator", "remove_operator"];
    assert_eq!(acts, expected.map(|act| (act, NAME)));
}

/// Checking a password takes a while. What changes meanwhile counts.
#[tokio::test]
async fn no_session_is_opened_by_a_password_that_was_right_a_moment_ago() {
    let house = house().await;
    let parts = house.gateway.access();
    let attempt = Attempt { name: NAME, peer: IpAddr::from([127, 0, 0, 1]), device: None };
    let right = verify_operator(&parts, &attempt, PASSWORD).await.expect("computed").expect("right");
    set_password(&parts, NAME, OTHER_PASSWORD, &maria()).await.expect("set");
    assert!(access::open_session(&parts, &right).await.expect("asked").is_none());
    let right = verify_operator(&parts, &attempt, OTHER_PASSWORD).await.expect("computed").expect("right");
    set_disabled(&parts, NAME, true, &maria()).await.expect("disabled");
    assert!(access::open_session(&parts, &right).await.expect("asked").is_none());
    remove_operator(&parts, NAME, &maria()).await.expect("removed");
    assert!(access::open_session(&parts, &right).await.expect("asked").is_none());
}

#[tokio::test]
async fn an_operator_is_not_replaced_by_another_of_that_name() {
    let house = house().await;
    let parts = house.gateway.access();
    let twice = add_operator(&parts, NAME, OTHER_PASSWORD, &maria()).await;
    assert!(twice.is_err_and(|error| error.to_string().contains("already")));
    logged_in(&house, PASSWORD).await;
    for missing in [
        set_password(&parts, "erin", PASSWORD, &maria()).await,
        set_disabled(&parts, "erin", true, &maria()).await,
        remove_operator(&parts, "erin", &maria()).await,
    ] {
        assert!(missing.is_err_and(|error| error.to_string().contains("no operator `erin`")));
    }
}

#[tokio::test]
async fn refused_log_ins_are_on_record_in_few_lines_that_repeat_nothing_that_was_typed_by_mistake() {
    let house = house().await;
    for _ in 0..10 {
        try_in(&house, NAME, "wrong horse battery", "").await;
    }
    for _ in 0..3 {
        assert_eq!(try_in(&house, NAME, PASSWORD, "").await.status(), StatusCode::TOO_MANY_REQUESTS);
    }
    try_in(&house, "my canary password", "", "").await;
    let refused = async || {
        let lines = audited(&house).await.into_iter().filter(|(who, ..)| who == "system");
        lines.map(|(_, act, subject, detail)| format!("{act} {subject} {detail}")).collect::<Vec<_>>()
    };
    assert_eq!(refused().await, [] as [String; 0], "no answer waits for them");
    access::flush(&house.gateway.access()).await.expect("written down");
    let mut lines = refused().await;
    lines.sort();
    assert_eq!(
        lines,
        [
            "failed_login dana from 127.0.0.1, 10 times",
            "failed_login unknown from 127.0.0.1, once",
            "refused_login dana from 127.0.0.1, 3 times"
        ]
    );
    access::flush(&house.gateway.access()).await.expect("nothing to write down");
    assert_eq!(refused().await.len(), 3);
}

#[tokio::test]
async fn strangers_behind_the_same_address_do_not_lock_out_a_browser_that_was_used_before() {
    let house = house().await;
    let known = cookie(&try_in(&house, NAME, PASSWORD, "").await, DEVICE_COOKIE);
    for _ in 0..10 {
        try_in(&house, NAME, "wrong horse battery", "").await;
    }
    assert_eq!(try_in(&house, NAME, PASSWORD, "").await.status(), StatusCode::TOO_MANY_REQUESTS);
    let forged = format!("{known}00");
    assert_eq!(try_in(&house, NAME, PASSWORD, &forged).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let answer = try_in(&house, NAME, PASSWORD, &known).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(cookie(&answer, DEVICE_COOKIE), known, "the browser stays the one it is");

    for _ in 0..10 {
        assert_eq!(try_in(&house, NAME, "wrong horse battery", &known).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(try_in(&house, NAME, PASSWORD, &known).await.status(), StatusCode::TOO_MANY_REQUESTS);
}

/// A password that is too long is refused before anything is computed, which keeps this short.
#[tokio::test]
async fn a_client_that_tries_one_name_after_the_other_is_held_up_and_a_known_browser_is_not() {
    let house = house().await;
    let known = cookie(&try_in(&house, NAME, PASSWORD, "").await, DEVICE_COOKIE);
    let long = "x".repeat(300);
    let mut held_up = None;
    for number in 0..1_000 {
        let answer = try_in(&house, &format!("name {number}"), &long, "").await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            held_up = Some((number, answer));
            break;
        }
    }
    let (tries, answer) = held_up.expect("a client has a limit over all names");
    assert!(tries >= 29, "only {tries}");
    let wait: u64 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=11).contains(&wait), "{wait}");
    assert_eq!(try_in(&house, NAME, PASSWORD, &known).await.status(), StatusCode::SEE_OTHER);
}

async fn tokens(house: &House) -> Vec<TokenRow> {
    access::tokens(&house.gateway.access()).await.expect("read")
}

/// Each read that waited to write would wait for ten seconds, and there are more of them than the limit allows.
#[tokio::test]
async fn reads_answer_while_another_program_keeps_the_database_from_being_written() {
    let house = house().await;
    let session = logged_in(&house, PASSWORD).await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    let mut secrets = Vec::new();
    for _ in 0..5 {
        secrets.push(house.token(&[Scope::Read]).await);
    }
    let mut locking = house.database().await;
    locking.execute("BEGIN IMMEDIATE").await.expect("locked");
    house.clock.advance(2 * MINUTE);
    let reading = async {
        for secret in &secrets {
            for path in ["/api/v1/referrers", "/api/v1/failures", &format!("/api/v1/messages/{message}"), "/metrics"] {
                assert_eq!(house.get(path, secret).await.status(), StatusCode::OK, "{path}");
            }
        }
        for path in
            ["/", "/messages", "/referrers", "/campaigns", "/providers", "/suppressions", "/operators", "/audit"]
        {
            let request = house.request(Method::GET, path).header("cookie", &session);
            assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK, "{path}");
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("nothing waits for the lock");
    locking.execute("ROLLBACK").await.expect("unlocked");
    locking.close().await.expect("closed");

    assert!(tokens(&house).await.iter().all(|token| token.used_ms.is_none()), "not written down yet");
    access::flush(&house.gateway.access()).await.expect("written down");
    let now = house.clock.now();
    let used = tokens(&house).await.iter().filter(|token| token.used_ms == Some(now)).count();
    assert_eq!(used, secrets.len());
}

#[tokio::test]
async fn what_was_noted_in_memory_is_written_down_before_the_program_ends() {
    let house = house().await;
    let token = house.token(&[Scope::Read]).await;
    assert_eq!(house.get("/api/v1/failures", &token).await.status(), StatusCode::OK);
    house.gateway.start().drain().await;
    assert!(tokens(&house).await[0].used_ms.is_some());
}
