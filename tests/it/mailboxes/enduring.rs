//! Two nodes, and nodes that die.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use touchline::domain::MessageStatus;
use touchline::feedback::mailboxes::{Round, Trouble, claim};
use touchline::provider::mailbox::{After, Mailbox};

use super::stand_in::{Event, StandIn};
use super::{NAME, deliver, empty_maildir, files, found, maildir, other_node, read, read_well, state};
use crate::returning::mails::{personal, unknown_user};
use crate::returning::{TUESDAY, mailed, returns};
use crate::support::gateway::each_gateway_at;

/// Longer than a claim lasts.
const LAPSED: Duration = Duration::from_secs(91);

#[tokio::test]
async fn one_of_two_nodes_reads_a_mailbox_and_the_other_takes_over_without_reading_anything_twice() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (_, ruiz) = mailed(gateway, "introduction", "Ruiz").await;
            let (_, stone) = mailed(gateway, "introduction", "Stone").await;
            let folder = empty_maildir();
            let mailbox = maildir(folder.path(), After::Keep, &far.clock);
            let one = gateway.gateway.feedback();
            let two = other_node(&one);
            deliver(folder.path(), "1.bounce", &unknown_user(&ruiz, "ana@ruiz.example"));
            assert_eq!(read_well(&one, &mailbox).await, found(1, 1));
            assert!(!claim(&two, NAME).await.expect("asked"), "the first has it");
            clock.advance(LAPSED);
            deliver(folder.path(), "2.bounce", &unknown_user(&stone, "ben@stone.example"));
            assert_eq!(read_well(&two, &mailbox).await, found(1, 1), "only what the first has not read");
            assert!(!claim(&one, NAME).await.expect("asked"), "the second has it");
            assert_eq!(state(gateway.store(), NAME).await.taken, 2);
        },
    )
    .await;
}

#[tokio::test]
async fn what_a_node_reads_that_has_lost_the_mailbox_is_left_to_the_one_that_has_it() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            deliver(folder.path(), "1.bounce", &unknown_user(&id, "ana@ruiz.example"));
            let real = maildir(folder.path(), After::Keep, &far.clock);
            let one = gateway.gateway.feedback();
            let two = other_node(&one);
            assert!(claim(&one, NAME).await.expect("asked"));
            let slow: Arc<dyn Mailbox> = Arc::new(StandIn::before(&real, Event::LosesIt(Box::new(two.clone()))));
            let mut session = slow.open().await.expect("opened");
            clock.advance(LAPSED);
            let round =
                Box::pin(touchline::feedback::mailboxes::read_once(&one, slow.as_ref(), session.as_mut())).await;
            assert!(matches!(round, Err(Trouble::Lost)), "{round:?}");
            assert_ne!(gateway.message(letter.id).await.status, MessageStatus::Failed, "nothing of it is recorded");
            assert_eq!(read_well(&two, &real).await, found(1, 1));
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
            assert_eq!(returns(gateway).await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_node_that_dies_between_recording_and_marking_loses_nothing_and_counts_nothing_twice() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            deliver(folder.path(), "1.personal", &personal());
            deliver(folder.path(), "2.bounce", &unknown_user(&id, "ana@ruiz.example"));
            let before = files(folder.path());
            let real = maildir(folder.path(), After::Delete, &far.clock);
            let parts = gateway.gateway.feedback();
            let dying: Arc<dyn Mailbox> = Arc::new(StandIn::before(&real, Event::DiesBeforeFinishing));
            assert!(read(&parts, &dying).await.is_ok_and(|round| round.ours == 1 && round.is_left));
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed, "recorded");
            assert_eq!(files(folder.path()), before, "nothing was deleted");

            clock.advance(LAPSED);
            assert_eq!(read_well(&other_node(&parts), &real).await, found(0, 0), "nothing is read again");
            let left: Vec<_> = files(folder.path()).into_iter().collect();
            assert_eq!(left, before.into_iter().take(1).collect::<Vec<_>>(), "the bounce is deleted, and nothing else");
            assert_eq!((state(gateway.store(), NAME).await.taken, returns(gateway).await.len()), (1, 1));
        },
    )
    .await;
}

#[tokio::test]
async fn a_mailbox_of_which_nothing_is_on_record_any_more_is_read_again_and_nothing_is_counted_twice() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            deliver(folder.path(), "1.bounce", &unknown_user(&id, "ana@ruiz.example"));
            let mailbox = maildir(folder.path(), After::Keep, &far.clock);
            let parts = gateway.gateway.feedback();
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 1));
            let mut tx = gateway.store().write().await.expect("tx");
            tx.mailbox_mails_forget(NAME, "", &["1.bounce"]).await.expect("forgotten");
            tx.commit().await.expect("committed");
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 0), "it was taken before");
            assert_eq!((state(gateway.store(), NAME).await.taken, returns(gateway).await.len()), (1, 1));
        },
    )
    .await;
}

#[tokio::test]
async fn a_folder_that_is_missing_keeps_nobody_from_reading_the_others() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            let folder = empty_maildir();
            deliver(folder.path(), "1.personal", &personal());
            let real = maildir(folder.path(), After::Keep, &far.clock);
            let with = |folders: [&str; 2]| -> Arc<dyn Mailbox> {
                let folders = folders.map(str::to_owned).to_vec();
                Arc::new(StandIn { folders, ..StandIn::before(&real, Event::Lacks(&["Junk", "Spam"])) })
            };
            let parts = gateway.gateway.feedback();
            for (folders, read_now) in [(["INBOX", "Junk"], 1), (["Junk", "INBOX"], 0)] {
                assert_eq!(read_well(&parts, &with(folders)).await, Round { missing: 1, ..found(read_now, 0) });
                clock.advance(Duration::from_secs(3_600));
                read_well(&parts, &with(folders)).await;
                let known = state(gateway.store(), NAME).await;
                assert!(known.failed_ms.is_none() && !known.needs_person(parts.clock.now()), "{known:?}");
            }
            let none = read(&parts, &with(["Junk", "Spam"])).await;
            assert!(matches!(none, Err(Trouble::Mailbox(_))), "{none:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_to_be_done_with_many_mails_is_done_with_a_hundred_at_a_time() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, _| {
            let folder = empty_maildir();
            let real = maildir(folder.path(), After::Delete, &far.clock);
            let counts = Arc::new(Mutex::new(Vec::new()));
            let counting: Arc<dyn Mailbox> = Arc::new(StandIn::before(&real, Event::Counts(counts.clone())));
            let parts = gateway.gateway.feedback();
            let to_finish: Vec<_> =
                (0..250).map(|number| (format!("{number}.bounce"), Some(parts.clock.now()))).collect();
            let mut tx = gateway.store().write().await.expect("tx");
            tx.mailbox_mails_add(NAME, "", 0, &to_finish).await.expect("added");
            tx.commit().await.expect("committed");
            read_well(&parts, &counting).await;
            assert_eq!(*counts.lock().expect("not poisoned"), [100, 100, 50]);
            read_well(&parts, &counting).await;
            assert_eq!(counts.lock().expect("not poisoned").len(), 3, "it is done once");
        },
    )
    .await;
}
