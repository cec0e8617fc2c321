//! Whoever reads a mailbox dies, wherever it waits: before and while mails are read, recorded, committed and marked. What is read
//! afterwards finds everything, and counts nothing twice.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use touchline::domain::MessageStatus;
use touchline::feedback::Parts;
use touchline::feedback::mailboxes::{Round, Trouble, claim, read_once};
use touchline::provider::mailbox::{Mailbox, MailboxKind};
use touchline::store::records::returns::ReturnsOf;

use super::in_memory::InMemory;
use super::{found, read_well, state};
use crate::returning::mails::{personal, unknown_user};
use crate::returning::{TUESDAY, mailed, suppressions};
use crate::support::gateway::each_gateway_at;

/// More places to wait at than any round has.
const POINTS_MAX: usize = 2_000;
/// Rounds in a row that live to their end before nothing is left to die at.
const LIVES: usize = 3;

#[tokio::test]
async fn wherever_a_reader_dies_no_return_is_lost_and_none_counts_twice() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let (parts, mut all) = (gateway.gateway.feedback(), 0);
            for kind in MailboxKind::ALL.iter().copied() {
                let mailbox = InMemory::new(kind);
                let readable: Arc<dyn Mailbox> = mailbox.clone();
                mailbox.deliver(personal());
                Box::pin(read_well(&parts, &readable)).await;
                // How often it waits differs: that one round lived does not show that there is no later point.
                let (mut point, mut lives) = (0, 0);
                while lives < LIVES {
                    // Each report is another mail, though all are about one letter.
                    let report =
                        unknown_user(&id, "ana@ruiz.example").replace("This is", &format!("{kind} {point}: this is"));
                    let uid = mailbox.deliver(report);
                    all += 1;
                    let lived = Box::pin(live_until(point, &parts, &mailbox)).await;
                    Box::pin(read_well(&parts, &readable)).await;
                    assert_eq!(Box::pin(read_well(&parts, &readable)).await, found(0, 0), "{kind} {point}");
                    let known = state(gateway.store(), mailbox.name()).await;
                    assert_eq!((known.taken, known.passed), (point as i64 + 1, 1), "{kind} {point}");
                    let held = mailbox.held();
                    assert!(held.finished.contains(&uid) && !held.finished.contains(&1), "{kind} {point}");
                    drop(held);
                    if let Some(round) = lived {
                        assert_eq!(round.expect("read"), found(1, 1), "{kind} {point}");
                        lives += 1;
                    } else {
                        lives = 0;
                    }
                    point += 1;
                    assert!(point < POINTS_MAX, "a round ends");
                }
                println!("{kind}: {point} points to die at");
                assert!(point > 4, "there are points to die at");
            }
            let mut tx = gateway.store().read().await.expect("tx");
            let rows = tx.returns_page(&ReturnsOf::default(), None, 10_000).await.expect("read");
            drop(tx);
            assert_eq!(rows.len(), all, "each report is recorded once");
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
            assert_eq!(suppressions(gateway, &letter).await.len(), 1);
        },
    )
    .await;
}

/// Reads the mailbox, until it waits so often and once more.
async fn live_until(point: usize, parts: &Parts, mailbox: &InMemory) -> Option<Result<Round, Trouble>> {
    assert!(claim(parts, mailbox.name()).await.expect("asked"));
    let mut session = mailbox.open().await.expect("opened");
    until_it_waits(point, Box::pin(read_once(parts, mailbox, session.as_mut()))).await
}

/// What a future comes to, unless it waits so often and once more.
async fn until_it_waits<T>(times: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut left) = (pin!(work), times);
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
