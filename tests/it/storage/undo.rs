//! Undo windows: of a submission, of many, and what is left to do after one was used.

use touchline::domain::id::BroadcastId;
use touchline::domain::message::Message;
use touchline::domain::{Actor, MessageStatus};
use touchline::store::records::broadcasts::Broadcast;
use touchline::store::records::submissions::{SubmissionRow, UndoWindow};
use touchline::store::views::undo::Undoable;

use super::samples::{Stage, at, attempt, broadcast, submission};
use crate::support::databases::each_db;

fn with_window(ms: i64) -> SubmissionRow {
    SubmissionRow { undo_until_ms: Some(at(ms)), ..submission(None) }
}

#[tokio::test]
async fn a_window_is_kept_with_its_submission_and_read_for_many_at_once() {
    each_db(async |store| {
        let (open, ended, never) = (with_window(100), with_window(50), submission(None));
        let sam = Actor::operator("sam");
        let mut tx = store.write().await.expect("tx");
        tx.submissions_insert(&[open.clone(), ended.clone(), never.clone()]).await.expect("stored");
        let window =
            |of: &SubmissionRow, undone| UndoWindow { id: of.id, undo_until_ms: of.undo_until_ms, undone_ms: undone };
        let all = [open.id, ended.id, never.id, open.id];
        assert_eq!(tx.submissions_undo_windows(&all, at(50)).await.expect("read"), [window(&open, None)]);
        assert_eq!(
            tx.submissions_undo_windows(&all, at(49)).await.expect("read"),
            [window(&open, None), window(&ended, None)]
        );
        assert_eq!(tx.submission_lock(open.id).await.expect("locked").as_ref(), Some(&open));
        assert_eq!(tx.submission_lock(touchline::domain::id::SubmissionId::new()).await.expect("read"), None);

        tx.submission_undone(open.id, &sam, at(60)).await.expect("noted");
        let undone = SubmissionRow { undone_ms: Some(at(60)), undone_by: Some(sam), ..open.clone() };
        assert_eq!(tx.submission(open.id).await.expect("read"), Some(undone));
        let read = tx.submissions_undo_windows(&all, at(1_000)).await.expect("read");
        assert_eq!(read, [window(&open, Some(at(60)))], "what was withdrawn is always found");
    })
    .await;
}

#[tokio::test]
async fn what_can_be_withdrawn_is_listed_newest_first_with_what_waits_of_it() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let sam = Actor::operator("sam");
        let later = SubmissionRow { created_ms: at(2), ..with_window(200) };
        let mut tx = store.write().await.expect("tx");
        tx.submissions_insert(std::slice::from_ref(&later)).await.expect("stored");
        let waiting = Message { submission_id: later.id, ..stage.message() };
        let held =
            Message { id: touchline::domain::id::MessageId::new(), status: MessageStatus::Held, ..waiting.clone() };
        let gone = Message { submission_id: later.id, ..stage.settled_message() };
        tx.messages_insert(&[waiting.clone(), held.clone(), gone]).await.expect("stored");
        let shown = Undoable {
            id: later.id,
            who: later.who.clone(),
            created_ms: at(2),
            undo_until_ms: at(200),
            broadcast: None,
            letter: Some("introduction".into()),
            messages: 2,
        };
        assert_eq!(tx.undoable(at(100), 10).await.expect("read"), std::slice::from_ref(&shown));
        assert!(tx.undoable(at(200), 10).await.expect("read").is_empty(), "the window has ended");
        assert_eq!(tx.undoable_submission(later.id, at(100)).await.expect("read").as_ref(), Some(&shown));
        assert_eq!(tx.undoable_submission(later.id, at(200)).await.expect("read"), None);
        assert_eq!(tx.undoable_submission(stage.submission.id, at(100)).await.expect("read"), None);
        assert_eq!(tx.messages_waiting_of(later.id, 10).await.expect("read"), [waiting.clone(), held]);
        assert_eq!(tx.messages_waiting_of(later.id, 1).await.expect("read").len(), 1);

        assert!(tx.submissions_undone_left(at(0)).await.expect("read").is_empty());
        tx.submission_undone(later.id, &sam, at(150)).await.expect("noted");
        assert!(tx.undoable(at(100), 10).await.expect("read").is_empty(), "it is withdrawn");
        assert_eq!(tx.submissions_undone_left(at(149)).await.expect("read"), [(later.id, Some(sam))]);
        assert!(tx.submissions_undone_left(at(150)).await.expect("read").is_empty());

        assert!(!tx.submission_was_handed_over(later.id).await.expect("read"));
        tx.attempts_insert(&[attempt(waiting.id, 1)]).await.expect("stored");
        assert!(tx.submission_was_handed_over(later.id).await.expect("read"));
    })
    .await;
}

#[tokio::test]
async fn what_has_nothing_waiting_cannot_be_withdrawn_unless_it_is_still_being_unfolded() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let (empty, ended) = (with_window(200), with_window(200));
        let list = Broadcast { id: BroadcastId::new(), ..broadcast(empty.id) };
        let mut tx = store.write().await.expect("tx");
        tx.submissions_insert(&[empty.clone(), ended.clone()]).await.expect("stored");
        let gone = Message { submission_id: ended.id, ..stage.settled_message() };
        tx.messages_insert(&[gone]).await.expect("stored");
        assert!(tx.undoable(at(100), 10).await.expect("read").is_empty());
        tx.broadcast_insert(&list).await.expect("stored");
        tx.broadcast_unfold_begin(list.id, "{}", &[stage.referrer.id], at(5)).await.expect("begun");
        let found = tx.undoable(at(100), 10).await.expect("read");
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [empty.id]);
        tx.broadcast_unfold_end(list.id, 0).await.expect("ended");
        assert!(tx.undoable(at(100), 10).await.expect("read").is_empty());

        tx.submission_answer(empty.id, "{}", None).await.expect("written");
        assert_eq!(tx.submission(empty.id).await.expect("read").expect("there").undo_until_ms, None);
    })
    .await;
}

#[tokio::test]
async fn a_list_is_stopped_wherever_it_is_and_only_once() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.broadcast_of_submission(stage.submission.id).await.expect("read"), Some(stage.broadcast.id));
        let other = submission(None);
        assert_eq!(tx.broadcast_of_submission(other.id).await.expect("read"), None);
        assert!(!tx.broadcast_unfold_stop(stage.broadcast.id).await.expect("stopped"), "it is unfolded");
        tx.broadcast_unfold_begin(stage.broadcast.id, "{}", &[stage.referrer.id], at(5)).await.expect("begun");
        assert!(tx.broadcast_unfold_stop(stage.broadcast.id).await.expect("stopped"));
        assert!(!tx.broadcast_is_unfolding(stage.broadcast.id).await.expect("read"));
        assert!(!tx.broadcast_unfold_lock(stage.broadcast.id, 0).await.expect("read"), "nobody goes on with it");
        assert!(!tx.broadcast_unfold_stop(stage.broadcast.id).await.expect("stopped"));
    })
    .await;
}
