//! `touchline broadcast`: why a broadcast has paused itself, and what a person decides about it.

use serde_json::{Value, json};
use touchline::domain::id::BroadcastId;
use touchline::domain::{Clock, SystemClock};
use touchline::store::Store;

use super::house::House;

const WHY: &str = "7 of 40 emails went to addresses that are bad";

#[tokio::test]
async fn a_paused_broadcast_says_why_and_goes_on_or_is_cancelled() {
    let mut house = House::with_referrers();
    house.set("COLUMNS", "600");
    let nothing = house.run(&["broadcast", "list", "--paused"]).good().out;
    assert!(nothing.contains("No broadcast is paused."), "{nothing}");
    let sent = house.ask(&["send", "introduction", "--to=all", "--via=email", "--yes"]);
    let id: BroadcastId = sent["broadcast"].as_str().expect("an id").parse().expect("an id");
    let (whole, short) = (id.to_string(), touchline::domain::id::short(&id.0));
    assert_eq!(house.run(&["broadcast", "resume", &whole]).code, 5, "it is not paused");

    let store = Store::open(&format!("sqlite:{}", house.path("touchline.db").display()), 2).await.expect("opened");
    let mut tx = store.write().await.expect("a transaction");
    assert!(tx.broadcast_pause(id, WHY, SystemClock.now()).await.expect("paused"));
    tx.commit().await.expect("committed");
    store.close().await;
    let listed = house.ask(&["broadcast", "list", "--paused"]);
    assert_eq!(listed["broadcasts"][0]["broadcast"]["paused"]["reason"], WHY, "{listed}");
    let shown = house.run(&["broadcast", "show", &short]).good().out;
    for part in [WHY, "Paused since", &format!("touchline broadcast resume {short}")] {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    let resumed = house.ask(&["--as=dana", "broadcast", "resume", &short]);
    assert_eq!((&resumed["broadcast"]["paused"], &resumed["broadcast"]["id"]), (&Value::Null, &json!(id)));
    assert!(house.run(&["broadcast", "show", &short]).good().out.contains("dana let it go on"));
    let ledger = &listed["broadcasts"][0]["ledger"];
    let open = ledger["queued"].as_i64().zip(ledger["held"].as_i64()).map(|(queued, held)| queued + held);
    assert!(open > Some(1), "{ledger}");
    let cancelled = house.ask(&["broadcast", "cancel", &short]);
    assert_eq!((&cancelled["cancelled"], &cancelled["has_more"]), (&json!(open), &json!(false)), "{cancelled}");
}
