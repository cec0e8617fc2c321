//! `touchline inbox`: what it shows of callbacks, and what it never shows.

use touchline::domain::callback::CallbackState;
use touchline::domain::{Clock, SystemClock};
use touchline::store::Store;
use touchline::store::records::inbox::NewCallback;

use super::house::{Answer, House};

/// Stands for what a callback says about a person.
const WORD: &str = "canary-patient";

/// Keeps a callback that cannot be read; answers its identifier.
async fn keep(house: &House) -> String {
    let url = format!("sqlite:{}", house.path("touchline.db").display());
    let store = Store::open(&url, 2).await.expect("opened");
    store.migrate().await.expect("the schema");
    let content = format!("{{\"url\":\"/{WORD}\",\"headers\":[]}}\n{{\"patient\":\"{WORD}\"}}");
    let now = SystemClock.now();
    let mut new = NewCallback::new("fax-sandbox", "f1".to_owned(), content.into_bytes(), 28, now);
    new.state = CallbackState::Unreadable;
    let mut tx = store.write().await.expect("tx");
    tx.inbox_insert(std::slice::from_ref(&new)).await.expect("kept");
    tx.commit().await.expect("committed");
    store.close().await;
    new.id.to_string()
}

#[tokio::test]
async fn callbacks_are_listed_shown_and_read_again_without_a_word_of_them() {
    let mut house = House::new();
    house.set("TOUCHLINE_LOG", "trace");
    let id = keep(&house).await;
    let run = |arguments: &[&str]| -> Answer {
        let answer = house.run(arguments);
        assert!(!answer.out.contains(WORD) && !answer.err.contains(WORD), "{arguments:?} says it: {answer:?}");
        answer
    };
    let listed = run(&["inbox", "list", "--json"]).good().json();
    let line = &listed["callbacks"][0];
    assert_eq!((&line["id"], &line["account"]), (&id.as_str().into(), &"fax-sandbox".into()), "{listed}");
    assert_eq!((&line["state"], &line["size"], &line["facts"]), (&"unreadable".into(), &28.into(), &0.into()));
    let listed = run(&["inbox", "list", "--unreadable", "--since=2026-01-01", "--provider=fax-sandbox"]).good().out;
    let short = id[id.len() - 8..].to_uppercase();
    assert!(listed.contains(&short) && listed.contains("unreadable"), "{listed}");
    assert!(run(&["inbox", "list", "--state=applied"]).good().out.contains("no such callbacks"));

    let shown = run(&["inbox", "show", &id]).good().out;
    assert!(shown.contains("28 bytes") && shown.contains("touchline inbox replay"), "{shown}");
    assert!(run(&["inbox", "show", &id, "--json"]).good().json()["reading"].is_null());
    let missing = "01935000-0000-7000-8000-000000000000";
    assert_eq!(run(&["inbox", "show", missing]).code, 4);

    let rehearsed = run(&["inbox", "replay", "--unreadable", "--dry-run", "--json"]).good().json();
    assert_eq!((&rehearsed["dry_run"], &rehearsed["replayed"]["unreadable"]), (&true.into(), &1.into()));
    let replayed = run(&["inbox", "replay", &id, missing]).good().out;
    assert!(replayed.contains("1 callback was read again") && replayed.contains("1 skipped"), "{replayed}");
    assert_eq!(run(&["inbox", "replay"]).code, 2, "which ones?");
    assert_eq!(run(&["inbox", "replay", &id, "--unreadable"]).code, 2, "either these or all that fit");
    assert_eq!(run(&["inbox", "replay", "--since=yesterday"]).code, 2);

    let found = run(&["doctor", "--json"]).json();
    let checks = found["checks"].as_array().expect("checks");
    let of_callbacks = checks.iter().find(|check| check["check"] == "callbacks").expect("there");
    assert_eq!(of_callbacks["state"], "warn");
    let words = of_callbacks["words"].as_str().expect("words");
    assert!(words.contains("1 callback of fax-sandbox") && words.contains("inbox replay"), "{words}");
}
