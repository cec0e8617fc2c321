//! Attacks, each bounded: whatever strangers do with connections, heads, bodies and passwords, health is answered, a
//! provider's callback is taken, the API reads, and letters leave.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use touchline::access::{Scope, add_operator, create_token};
use touchline::domain::{Actor, Channel, MessageStatus, SystemClock};
use touchline::sandbox::fax::Guise;

use super::target::{HERE, TURN, Target, attacker, ended, get, heard, post};
use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway, WEBHOOK_SECRET};

const PASSWORD: &str = "correct horse battery";

/// A whole gateway with these settings of its server, what an attack does to it, and its orderly end. While the attack
/// lasts, letters are sent to two referrers.
async fn attacked(settings: &str, attack: impl AsyncFn(&Target, &Busy<'_>)) {
    let _turn = TURN.lock().await;
    let (database, far) = (Database::sqlite().await, FarSide::start_by(Guise::Own, Arc::new(SystemClock)).await);
    let change = |text: String| text.replacen("[server]", &format!("[server]\n{settings}"), 1);
    let gateway = TestGateway::start(&database, &far, change).await;
    gateway.know(&[("Roth", Some("0142"), None), ("Dent", None, Some("dent@office.example"))]).await;
    let access = gateway.gateway.access();
    let token = create_token(&access, "integrator", &[Scope::Read], &Actor::operator("test")).await.expect("a token");
    add_operator(&access, "dana", PASSWORD, &Actor::operator("test")).await.expect("an operator");
    let address = gateway.url.trim_start_matches("http://").parse().expect("an address");
    let target = Target { address, token, webhook_secret: WEBHOOK_SECRET.to_owned() };
    attack(&target, &Busy(&gateway)).await;
    gateway.finish(&far).await;
    database.remove().await;
}

/// A practice that goes on working.
struct Busy<'a>(&'a TestGateway);

impl Busy<'_> {
    /// That a fax and a mail leave now and arrive.
    async fn sends(&self) {
        for (name, channel) in [("Roth", Channel::Fax), ("Dent", Channel::Email)] {
            let accepted = self.0.send_via("introduction", name, &[channel]).await;
            let id = accepted.messages.first().expect("a message").id;
            self.0.message_until(id, "its delivery", |message| message.status == MessageStatus::Delivered).await;
        }
    }
}

/// So many connections, each of which began to send this.
async fn begin(target: &Target, count: usize, addresses: usize, words: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for number in 0..count {
        streams.push(target.begin(attacker(number, addresses), words).await.expect("connected"));
    }
    streams
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_for_nobody_are_refused_unread_and_hold_nothing() {
    attacked("body_seconds = 600", async |target, practice| {
        let slow = post("/hooks/nobody", "", 1_000_000, "x");
        let mut streams = Vec::new();
        for number in 0..520 {
            let mut stream = target.begin(HERE, &slow).await.expect("connected");
            assert_eq!(heard(&mut stream).await, Some(404), "number {number}");
            // Some stay, as many as this process can spare.
            streams.truncate(100);
            streams.push(stream);
        }
        let unsigned = post("/api/v1/messages", "", 200_000, "x");
        assert_eq!(heard(&mut target.begin(HERE, &unsigned).await.expect("connected")).await, Some(401));
        target.goes_on().await;
        practice.sends().await;
    })
    .await;
}

/// More of them than the face has slots, from addresses enough that no limit of one address helps.
#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_take_no_slot_of_any_face() {
    attacked("body_seconds = 600", async |target, practice| {
        for (path, count) in [("/hooks/fax-sandbox", 140), ("/login", 80), ("/o/x", 80)] {
            let slow = post(path, "content-type: application/x-www-form-urlencoded\r\n", 1_000, "x");
            let streams = begin(target, count, 4, &slow).await;
            target.goes_on().await;
            for path in ["/login", "/o/x"] {
                let (status, _) = target.ask(HERE, &get(path, "")).await.expect("an answer");
                assert_eq!(status, 200, "{path}");
            }
            drop(streams);
        }
        practice.sends().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_in_time_is_given_up() {
    attacked("body_seconds = 1", async |target, _| {
        let mut streams = begin(target, 40, 4, &post("/hooks/fax-sandbox", "", 1_000, "x")).await;
        for stream in &mut streams {
            assert_eq!(heard(stream).await, Some(408));
        }
        target.goes_on().await;
    })
    .await;
}

/// Three times as many as there may be, from one address and from many.
#[tokio::test(flavor = "multi_thread")]
async fn unfinished_heads_keep_nobody_out() {
    let settings = "connections_max = 64\nconnections_per_peer_max = 16\nhead_seconds = 300";
    attacked(settings, async |target, practice| {
        for addresses in [1, 200] {
            let streams = begin(target, 200, addresses, "POST /hooks/fax-sandbox HTTP/1.1\r\nHost: touch").await;
            target.goes_on().await;
            practice.sends().await;
            drop(streams);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_in_time_and_an_idle_connection_end() {
    attacked("head_seconds = 1", async |target, _| {
        let idle = get("/healthz", "").replace("Connection: close\r\n", "");
        for words in ["", "GET /healthz HTTP/1.1\r\nHost:", &idle] {
            for mut stream in begin(target, 30, 3, words).await {
                ended(&mut stream).await;
            }
        }
        target.goes_on().await;
    })
    .await;
}

/// Every name is another one, so that each try costs a whole computation and none is told to wait.
#[tokio::test(flavor = "multi_thread")]
async fn nine_hundred_tries_to_log_in_starve_nobody_and_all_are_answered() {
    attacked("", async |target, practice| {
        let attackers: Vec<_> = (0..150).map(|number| tokio::spawn(tries(target.clone(), number))).collect();
        target.goes_on().await;
        practice.sends().await;
        let answers = join_all(attackers).await.into_iter().flat_map(|answers| answers.expect("no panic"));
        let answers: Vec<u16> = answers.collect();
        assert_eq!(answers.len(), 900);
        let expected = |status: &u16| matches!(status, 303 | 401 | 429 | 503);
        assert_eq!(answers.iter().find(|status| !expected(status)), None, "{answers:?}");
        assert!(answers.contains(&401), "{answers:?}");
        let (status, _) = target.ask(HERE, &log_in("dana", PASSWORD)).await.expect("an answer");
        assert_eq!(status, 303, "the one who knows the password gets in");
    })
    .await;
}

/// Six tries of one attacker.
async fn tries(target: Target, number: usize) -> Vec<u16> {
    let from: IpAddr = attacker(number, 15);
    let mut answers = Vec::new();
    for each in 0..6 {
        let request = log_in(&format!("name-{number}-{each}"), "a wrong password of theirs");
        answers.push(target.ask(from, &request).await.expect("an answer").0);
    }
    answers
}

fn log_in(name: &str, password: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let body = form.append_pair("name", name).append_pair("password", password).finish();
    post("/login", "content-type: application/x-www-form-urlencoded\r\n", body.len(), &body)
}
