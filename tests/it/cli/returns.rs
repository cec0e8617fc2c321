//! `touchline returns`: what came back for emails, listed, shown and dealt with.

use serde_json::json;
use touchline::domain::id::short;
use touchline::domain::returned::{ReturnKind, ReturnState};
use touchline::domain::{Clock, EmailAddress, SystemClock};
use touchline::store::Store;
use touchline::store::records::returns::ReturnRow;

use super::house::House;
use crate::support::returned::{hand_over, keep, keep_callback, keep_mail, lost_bounce, unknown};

const MAIL: &[u8] = b"From: MAILER-DAEMON\r\n\r\n\xe9t\xe9: no such user\r\n";

async fn store(house: &House) -> Store {
    let store = Store::open(&format!("sqlite:{}", house.path("touchline.db").display()), 2).await.expect("opened");
    store.migrate().await.expect("the schema");
    store
}

/// A bounce that names no letter, with its mail, and an answer of a referrer who asks for no more.
async fn two_returns(house: &House) -> (ReturnRow, ReturnRow) {
    let (store, now) = (store(house).await, SystemClock.now());
    let mut tx = store.read().await.expect("a transaction");
    let referrer = touchline::referrers::audience::one(&mut tx, "Amara Whitfield").await.expect("in the sample list");
    drop(tx);
    let arrival = keep_mail(&store, MAIL, now).await;
    let bounce = ReturnRow {
        arrival_id: Some(arrival),
        recipient: Some("nobody@clinic.example".to_owned()),
        diagnostic: Some("550 no such user \u{1b}[2J".to_owned()),
        ..unknown(ReturnKind::Bounce, now)
    };
    let asks = ReturnRow {
        sender: referrer.email.as_ref().map(|email: &EmailAddress| email.as_str().to_owned()),
        referrer_id: Some(referrer.id),
        first_line: Some("Please take me off your list.".to_owned()),
        ..unknown(ReturnKind::OptOut, now)
    };
    let old = ReturnRow { state: ReturnState::Applied, ..unknown(ReturnKind::AutoReply, now) };
    keep(&store, &[bounce.clone(), asks.clone(), old]).await;
    store.close().await;
    (bounce, asks)
}

#[tokio::test]
async fn returns_are_listed_shown_and_dealt_with() {
    let mut house = House::with_referrers();
    // Wide enough that no sentence is broken.
    house.set("COLUMNS", "600");
    assert!(house.run(&["returns", "list"]).good().out.contains("There are no such returns."));
    let (bounce, asks) = two_returns(&house).await;

    assert_eq!(house.ask(&["returns", "list"])["returns"].as_array().map(Vec::len), Some(3));
    let open = house.ask(&["returns", "list", "--open", "--kind", "bounce", "--kind", "opt-out"]);
    assert_eq!(open["returns"].as_array().map(Vec::len), Some(2));
    let of_hers = house.ask(&["returns", "list", "--referrer", "Amara Whitfield"]);
    assert_eq!(of_hers["returns"][0]["id"], json!(asks.id));
    let listed = house.run(&["returns", "list"]).good().out;
    for words in ["Amara Whitfield", "nobody@clinic.example", "needs a look", "held until you decide"] {
        assert!(listed.contains(words), "`{words}` is not in {listed}");
    }

    let shown = house.run(&["returns", "show", &short(&bounce.id.0)]).good().out;
    assert!(shown.contains("Name the letter") && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains(&format!("touchline returns work {} dismiss", short(&bounce.id.0))), "{shown}");
    let raw = house.command().args(["returns", "show", &bounce.id.to_string(), "--raw"]).output().expect("it starts");
    assert_eq!(raw.stdout, MAIL, "octet for octet");
    let shown = house.ask(&["returns", "show", &asks.id.to_string()]);
    assert_eq!(
        (&shown["mail_kept"], &shown["acts"]),
        (&json!(false), &json!(["suppress", "suppress_fax", "suppress_all", "dismiss"]))
    );

    let done = house.ask(&["returns", "work", &short(&asks.id.0), "suppress"]);
    assert_eq!((&done["outcome"], &done["done_by"]), (&json!("suppressed"), &json!("operator:dana")));
    let suppressed = house.ask(&["suppress", "list"]);
    assert_eq!(suppressed["suppressions"][0]["return"], json!(asks.id));
    let shown = house.ask(&["returns", "show", &asks.id.to_string()]);
    assert_eq!(shown["suppressions"][0]["reason"], "opt_out");
    assert!(house.run(&["returns", "work", &short(&bounce.id.0), "dismiss"]).good().out.contains("Nothing to do"));
    assert_eq!(house.ask(&["returns", "list", "--open"])["returns"], json!([]));
}

#[tokio::test]
async fn what_a_return_does_not_allow_is_refused_with_the_code_of_its_kind() {
    let house = House::with_referrers();
    let (bounce, asks) = two_returns(&house).await;
    let (bounce, asks) = (short(&bounce.id.0), short(&asks.id.0));
    let (bounce, asks) = (bounce.as_str(), asks.as_str());
    for (arguments, code) in [
        (["returns", "show", "00000000", ""], 4),
        (["returns", "show", asks, "--raw"], 4),
        (["returns", "work", bounce, "match"], 5),
        (["returns", "work", bounce, "not-a-bounce"], 5),
        (["returns", "work", bounce, "burn"], 2),
        (["returns", "work", "00000000", "done"], 4),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
        let answer = house.run(&arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        assert!(!answer.err.is_empty(), "{arguments:?}");
    }
    let mixed = house.run(&["returns", "show", bounce, "--raw", "--json"]);
    assert_eq!(mixed.code, 2, "{mixed:?}");
}

#[tokio::test]
async fn the_letter_of_a_bounce_is_named_the_address_given_up_and_given_back() {
    let mut house = House::with_referrers();
    house.set("COLUMNS", "600");
    let sent = house.ask(&["send", "introduction", "--to", "Amara Whitfield", "--via=email"]);
    let letter = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    let (store, now) = (store(&house).await, SystemClock.now());
    hand_over(&store, letter.parse().expect("an id"), now).await;
    let lost = lost_bounce(now);
    keep(&store, std::slice::from_ref(&lost)).await;
    store.close().await;
    let id = short(&lost.id.0);
    let done = house.ask(&["returns", "work", &id, "match", "--message", &letter]);
    assert_eq!((&done["matched_by"], &done["acts"]), (&json!("person"), &json!(["not_a_bounce"])), "{done}");
    assert_eq!(house.ask(&["status", &letter])["status"], "failed");
    assert_eq!(house.ask(&["suppress", "list"])["suppressions"][0]["return"], json!(lost.id));
    assert_eq!(house.ask(&["returns", "list", "--open"])["returns"], json!([]));
    let good = house.run(&["returns", "work", &id, "not-a-bounce"]).good().out;
    assert!(good.contains("nothing is held against it"), "{good}");
    assert_eq!(house.ask(&["suppress", "list"])["suppressions"], json!([]));
    assert_eq!(house.ask(&["suppress", "list", "--all"])["suppressions"][0]["lifted_by"], "operator:dana");
    assert_eq!(house.ask(&["status", &letter])["status"], "failed", "it did not arrive all the same");
    assert!(house.run(&["returns", "show", &id]).good().out.contains("lifted since"));
}

#[tokio::test]
async fn the_callback_as_it_came_and_all_of_an_answer_are_written_while_they_are_kept() {
    let mut house = House::with_referrers();
    house.set("COLUMNS", "600");
    let (store, now) = (store(&house).await, SystemClock.now());
    let body = b"{\"event\":\"bounce\"}\0\xff";
    let told = ReturnRow { inbox_id: Some(keep_callback(&store, body, now).await), ..unknown(ReturnKind::Bounce, now) };
    let (reply, locked) = (unknown(ReturnKind::Reply, now), unknown(ReturnKind::Reply, now));
    keep(&store, &[told.clone(), reply.clone(), locked.clone()]).await;
    let sealer = touchline::sealing::KeyPlace::File(house.path("touchline.db.key"))
        .sealer_or_new(touchline::sealing::Purpose::Replies)
        .expect("a key");
    let text = secrecy::SecretString::from("Call me on Thursday.\u{1b}[2J".to_owned());
    let mut tx = store.write().await.expect("a transaction");
    for row in [&reply, &locked] {
        // What is stored under another answer's name is not opened as that one.
        let sealed = sealer.seal(&text, format!("reply {}", reply.id).as_bytes()).expect("sealed");
        tx.reply_insert(row.id, &sealed, 24, now).await.expect("kept");
    }
    tx.commit().await.expect("committed");
    store.close().await;

    let raw = house.command().args(["returns", "show", &told.id.to_string(), "--raw"]).output().expect("it starts");
    assert_eq!(raw.stdout, body, "octet for octet");
    let shown = house.ask(&["returns", "show", &told.id.to_string()]);
    assert_eq!((&shown["callback_kept"], &shown["mail_kept"]), (&json!(true), &json!(false)));
    let (id, locked) = (short(&reply.id.0), short(&locked.id.0));
    assert!(house.run(&["returns", "show", &id]).good().out.contains(&format!("touchline returns show {id} --whole")));
    let whole = house.run(&["returns", "show", &id, "--whole"]).good().out;
    assert!(whole.contains("Call me on Thursday.") && !whole.contains('\u{1b}'), "{whole}");
    assert_eq!(house.ask(&["returns", "show", &id, "--whole"])["is_cut"], json!(false));
    for (arguments, code, says) in [
        (["returns", "show", &locked, "--whole"], 3, "another key"),
        (["returns", "show", &short(&told.id.0), "--whole"], 4, "was not kept"),
        (["returns", "show", &id, "--raw"], 4, "people's answers never are"),
    ] {
        let answer = house.run(&arguments);
        assert!(answer.code == code && answer.err.contains(says), "{arguments:?}: {answer:?}");
    }
}
