//! Another fax API by a file alone: started, tried with one page, and every step reported without showing a value.

use super::house::{Answer, House};
use crate::providers::fixture::{Answer as Said, Exchange};
use crate::providers::replay::Replay;

const NUMBER: &str = "+13125550142";
const KEY: &str = "KEY-canary-77";

/// The house with a description begun from an example and turned to the replay server.
fn house(server: &Replay) -> House {
    let mut house = House::new();
    house.run(&["provider", "new", "acme", "--from", "phaxio"]).good();
    let path = house.path("providers/acme.toml");
    let text = std::fs::read_to_string(path).expect("begun");
    let text = text
        .replace("https://api.phaxio.com/v2.1", &format!("http://127.0.0.1:{}", server.port))
        .replace("hosts    = [\"api.phaxio.com\"]", "private_hosts = [\"127.0.0.1\"]");
    house.write("providers/acme.toml", &text);
    house.set("ACME_API_KEY", KEY);
    house.set("ACME_API_SECRET", KEY);
    house
}

async fn run(house: House, arguments: &'static [&'static str]) -> (House, Answer) {
    let done = tokio::task::spawn_blocking(move || {
        let answer = house.run(arguments);
        (house, answer)
    });
    done.await.expect("the program ran")
}

fn exchange(method: &str, path: &str, body: &str) -> Exchange {
    Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        answer: Said { status: 200, body: body.to_owned(), ..Said::default() },
        ..Exchange::default()
    }
}

fn check() -> Exchange {
    exchange("GET", "/account/status", r#"{"success":true,"data":{"balance":5050}}"#)
}

#[test]
fn a_description_is_begun_once_and_never_outside_its_folder() {
    let house = House::new();
    house.run(&["provider", "new", "acme"]).good();
    let again = house.run(&["provider", "new", "acme"]);
    assert_eq!((again.code, again.err.contains("already")), (5, true), "{again:?}");
    for name in ["../acme", "Acme", "a/b", ".."] {
        assert_eq!(house.run(&["provider", "new", name]).code, 5, "{name}");
    }
    let unknown = house.run(&["provider", "new", "other", "--from", "nobody"]);
    assert_eq!((unknown.code, unknown.err.contains("telnyx-media")), (4, true), "{unknown:?}");
    assert!(!house.path("providers/other.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_sends_one_page_and_tells_every_step_without_a_value() {
    let mut made = exchange("POST", "/faxes", r#"{"success":true,"data":{"id":323034813}}"#);
    made.body_has = vec![NUMBER.to_owned(), "%PDF-".to_owned()];
    let ended = r#"{"success":true,"data":{"id":323034813,"status":"success","num_pages":1}}"#;
    let server = Replay::start(&[check(), made, exchange("GET", "/faxes/323034813", ended)]).await;
    let (house, answer) = run(house(&server), &["provider", "try", "acme.toml", "--to", NUMBER, "--yes"]).await;
    assert_eq!(server.complaints(), Vec::<String>::new(), "{answer:?}");
    let told = answer.good().out;
    for words in [
        "is sound",
        "ACME_API_SECRET",
        "POST 127.0.0.1 /faxes",
        "GET 127.0.0.1 /faxes/{{reference}}",
        "tag[touchline]",
        "status 200",
        "found (9 characters)",
        "delivered",
    ] {
        assert!(told.contains(words), "`{words}` is not told: {told}");
    }
    assert!(!told.contains("5550142") && !told.contains(KEY), "{told}");
    let files = ["touchline.db", "touchline.db-wal"].map(|name| std::fs::read(house.path(name)).unwrap_or_default());
    assert!(files.concat().windows(12).any(|window| window == b"try_provider"), "the call is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_does_not_dial_by_accident_or_a_suppressed_number() {
    let server = Replay::start(&[check(), check()]).await;
    let (house, answer) = run(house(&server), &["provider", "try", "acme", "--to", NUMBER]).await;
    assert_eq!((answer.code, answer.err.contains("--yes")), (2, true), "{answer:?}");
    house.run(&["suppress", NUMBER, "--reason", "opt_out", "--scope", "all"]).good();
    let (_, answer) = run(house, &["provider", "try", "acme", "--to", NUMBER, "--yes"]).await;
    assert_eq!((answer.code, answer.err.contains("suppressed")), (5, true), "{answer:?}");
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[test]
fn a_try_of_a_description_with_a_mistake_points_at_the_line() {
    let house = House::new();
    house.run(&["provider", "new", "acme"]).good();
    let text = std::fs::read_to_string(house.path("providers/acme.toml")).expect("begun").replace("{{to}}", "{{two}}");
    let written = |line: &str| line.contains("\"{{two}}\"") && !line.starts_with('#');
    let line = 1 + text.lines().position(written).expect("there");
    house.write("providers/acme.toml", &text);
    let answer = house.run(&["provider", "try", "acme", "--to", NUMBER, "--yes"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains(&format!("acme.toml:{line}:")) && answer.err.contains("no `two` here"), "{answer:?}");
}
