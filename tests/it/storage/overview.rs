use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::{Channel, Fault, MessageStatus, Reason};
use touchline::store::views::overview::Cause;

use super::samples::{Stage, at};
use crate::support::databases::each_db;

#[tokio::test]
async fn what_did_not_get_through_is_shown_by_cause_in_one_order() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let one = |status: MessageStatus, reason: Option<&str>, updated: i64| Message {
            status,
            reason: reason.map(|word| word.parse().expect("a reason")),
            updated_ms: at(updated),
            settled_ms: status.is_terminal().then_some(at(9)),
            ..stage.message()
        };
        let messages = [
            one(MessageStatus::Failed, Some("busy"), 1),
            one(MessageStatus::Failed, Some("busy"), 4),
            one(MessageStatus::Failed, None, 2),
            one(MessageStatus::Expired, Some("busy"), 3),
            Message {
                address: "zoe@together.example".parse().expect("an address"),
                ..one(MessageStatus::Held, Some("busy"), 3)
            },
            one(MessageStatus::Suppressed, Some("no_basis"), 3),
            one(MessageStatus::InDoubt, Some("outcome_unknown"), 3),
            one(MessageStatus::Queued, Some("busy"), 5),
            one(MessageStatus::Delivered, None, 6),
        ];
        stage.store(&store, &messages).await;
        let mut tx = store.read().await.expect("tx");
        let cause = |status: MessageStatus, reason: &str, messages: i64, latest: i64| Cause {
            channel: Channel::Fax,
            status,
            reason: reason.parse().expect("a reason"),
            messages,
            latest_ms: at(latest),
        };
        let expected = [
            cause(MessageStatus::Failed, "busy", 2, 4),
            Cause { channel: Channel::Email, ..cause(MessageStatus::Held, "busy", 1, 3) },
            cause(MessageStatus::Expired, "busy", 1, 3),
            cause(MessageStatus::Suppressed, "no_basis", 1, 3),
            cause(MessageStatus::InDoubt, "outcome_unknown", 1, 3),
            cause(MessageStatus::Failed, "unknown", 1, 2),
        ];
        assert_eq!(tx.causes().await.expect("read"), expected);

        let busy = tx.failures(Some(Fault::Busy.into()), 100).await.expect("read");
        assert_eq!(busy.len(), 4);
        assert_eq!((busy[0].id, busy[0].name().as_str()), (messages[1].id, "Whitfield"));
        let all = tx.failures(None, 100).await.expect("read");
        assert_eq!(all.len(), 7);
        assert!(all.is_sorted_by(|a, b| (a.updated_ms, a.id) > (b.updated_ms, b.id)), "the newest first");
        assert_eq!(tx.failures(None, 2).await.expect("read"), all[..2]);
        assert_eq!(
            tx.failures(Some(Fault::Unknown.into()), 9).await.expect("read").len(),
            1,
            "no reason is an unknown one"
        );
        let reason: Reason = Fault::Busy.into();
        let first = MessageId(uuid::Uuid::nil());
        assert_eq!(tx.failures_page(reason, 0, 9).await.expect("read"), busy);
        assert_eq!(tx.failures_page(reason, 1, 2).await.expect("read"), busy[1..3]);
        assert!(tx.failures_page(reason, 4, 2).await.expect("read").is_empty());
        let mut by_id: Vec<_> = busy.iter().map(|line| line.id).collect();
        by_id.sort_unstable();
        let mut seen = Vec::new();
        let mut after = MessageId(uuid::Uuid::nil());
        while let Some(line) = tx.failures_after(reason, after, 1).await.expect("read").pop() {
            after = line.id;
            seen.push(line.id);
        }
        assert_eq!(seen, by_id, "each once, to the end");
        let counts = tx.failures_count(reason, first).await.expect("read");
        let once = |status| (status, 1_i64);
        assert_eq!(counts[0], (MessageStatus::Failed, 2));
        assert_eq!(counts[1..], [once(MessageStatus::Expired), once(MessageStatus::Held)]);
        assert!(tx.failures_count(reason, by_id[3]).await.expect("read").is_empty(), "none is behind the last");
        assert_eq!(tx.failures_count(Fault::Unknown.into(), first).await.expect("read"), [once(MessageStatus::Failed)]);
        assert!(tx.failures_count(Fault::NotAFax.into(), first).await.expect("read").is_empty());
        let recent = tx.messages_recent(2).await.expect("read");
        assert_eq!(recent.iter().map(|line| line.id).collect::<Vec<_>>(), [messages[8].id, messages[7].id]);
        assert_eq!((recent[0].reason, recent[0].status), (None, MessageStatus::Delivered));
    })
    .await;
}
