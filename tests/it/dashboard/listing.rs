//! Long lists: every page of them can be reached, and what is done for all of a list is done to its end.

use serde_json::json;
use touchline::domain::id::{MessageId, short};
use touchline::domain::message::Message;
use touchline::domain::{Actor, AuditAct, Channel, Fault, MessageStatus};
use touchline::store::records::events::AuditLine;

use super::stage::Stage;
use super::visitor::Visitor;

/// That many faxes that failed because the line was busy; the newest of them last.
async fn busy(stage: &Stage, count: usize) -> Vec<MessageId> {
    let update = json!({ "treatment": "TMS", "openings": "four", "as_of": "2026-11-23", "start_window": "two weeks" });
    let first = stage.send("capacity-update", "Amara Whitfield", &[Channel::Fax], update).await.messages[0].id;
    let now = stage.gateway.clock.now();
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(first, true).await.expect("read").expect("there");
    (message.status, message.reason) = (MessageStatus::Failed, Some(Fault::Busy.into()));
    (message.settled_ms, message.updated_ms) = (Some(now), now);
    tx.message_update(&message).await.expect("stored");
    tx.queue_remove(first.0).await.expect("removed");
    let others: Vec<Message> = (1..count).map(|_| Message { id: MessageId::new(), ..message.clone() }).collect();
    tx.messages_insert(&others).await.expect("stored");
    tx.commit().await.expect("committed");
    std::iter::once(first).chain(others.iter().map(|one| one.id)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_failures_of_a_cause_are_counted_paged_and_retried_however_many_they_are() {
    let stage = Stage::set_idle().await;
    let ids = busy(&stage, 520).await;
    let mut operator = Visitor::operator(&stage).await;
    let page = operator.read("/failures?reason=busy").await;
    for part in ["520 messages", "Retry all 520", "1 to 50 of 520", "/failures?reason=busy&#38;page=2"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let last = operator.read("/failures?reason=busy&page=11").await;
    assert!(last.contains("501 to 520 of 520") && last.contains("page=10"), "{last}");
    assert!(last.contains(&format!("/messages/{}", ids[0])), "the first that failed, {}, is on it", short(&ids[0].0));
    let beyond = operator.read("/failures?reason=busy&page=12").await;
    assert!(beyond.contains("501 to 520 of 520"), "{beyond}");

    let place = operator.submit("/failures", &[("reason", "busy"), ("act", "retry")]).await;
    assert_eq!(place, "/failures?done=retried_all&n=520&left=0");
    for id in [ids[0], ids[250], ids[519]] {
        assert_eq!(stage.status(id).await, MessageStatus::Queued);
    }
    assert!(operator.read("/failures?reason=busy").await.contains("No more messages have this status and cause."));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_there_was_no_time_for_is_counted_and_gone_on_with() {
    let stage = Stage::set_idle_in_a_hurry().await;
    let ids = busy(&stage, 230).await;
    let mut operator = Visitor::operator(&stage).await;
    let place = operator.submit("/failures", &[("reason", "busy"), ("act", "retry")]).await;
    assert!(
        place.starts_with("/failures?reason=busy&go_on=retry&after=") && place.contains("&n=200&left=0"),
        "{place}"
    );
    let page = operator.read(&place).await;
    for part in
        ["200 messages go out again.", "30 messages of this cause have not been looked at yet", "Go on with the rest"]
    {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let (_, after) = page.split_once("name=\"after\" value=\"").expect("where it goes on");
    let after = after.split('"').next().expect("an id").to_owned();
    let rest = [("reason", "busy"), ("act", "retry"), ("after", after.as_str())];
    assert_eq!(operator.submit("/failures", &rest).await, "/failures?done=retried_all&n=30&left=0");
    for id in [ids[0], ids[229]] {
        assert_eq!(stage.status(id).await, MessageStatus::Queued);
    }
    assert!(!operator.read(&place).await.contains("Go on with the rest"), "nothing is left");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_trail_is_narrowed_before_it_is_paged() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let touch = |_| AuditLine::new(&Actor::operator("sam"), AuditAct::Hold, None, None, now);
    let lines: Vec<AuditLine> = (0..1_005).map(touch).collect();
    let mut tx = stage.gateway.store.write().await.expect("a database");
    tx.audit_insert(&lines).await.expect("written");
    tx.commit().await.expect("committed");
    let operator = Visitor::operator(&stage).await;
    let lists = operator.read("/audit?about=referrers").await;
    assert!(lists.contains("imported referrers"), "older than a thousand others, and still found: {lists}");
    let letters = operator.read("/audit?about=letters&page=21").await;
    assert!(letters.contains("1,001 to 1,005 of 1,005") && letters.contains("put on hold"), "{letters}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_among_the_referrers_says_how_many_match() {
    let stage = Stage::set_idle().await;
    let count = stage.gateway.store.read().await.expect("a database").referrer_count().await.expect("read");
    let mut operator = Visitor::operator(&stage).await;
    let place = operator.submit("/referrers", &[("search", "bielak")]).await;
    let page = operator.read(&place).await;
    assert!(page.contains(&format!("1 of {count} referrers")), "{page}");
    assert!(operator.read("/referrers").await.contains(&format!("{count} referrers")));
    stage.strike().await;
}
