//! Mails that are not handed out, and mails that are too old to be of interest.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use touchline::domain::Timestamp;
use touchline::feedback::mailboxes::{Round, Trouble, looked_at};
use touchline::provider::mailbox::{After, Mailbox, MailboxKind};

use super::in_memory::InMemory;
use super::{NAME, deliver, deliver_at, empty_maildir, files, found, maildir, read, read_well, state};
use crate::returning::mails::{personal, unknown_user};
use crate::returning::{TUESDAY, mailed, returns};
use crate::support::gateway::each_gateway_at;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_broken_mail_at_the_end_is_stepped_over_after_a_day_and_shown_to_a_person_until_one_has_looked() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
            let parts = gateway.gateway.feedback();
            for (number, kind) in [MailboxKind::Imap, MailboxKind::Pop3].into_iter().enumerate() {
                let mailbox = InMemory::new(kind);
                let readable: Arc<dyn Mailbox> = mailbox.clone();
                mailbox
                    .deliver(unknown_user(&id, "ana@ruiz.example").replace("This is", &format!("{number}: this is")));
                let broken = mailbox.deliver(personal());
                mailbox.held().broken.insert(broken);
                assert_eq!(read_well(&parts, &readable).await, found(1, 1));
                for hour in 0..23 {
                    clock.advance(HOUR);
                    assert_eq!(read_well(&parts, &readable).await, found(0, 0), "after {hour} hours");
                }
                let known = state(gateway.store(), mailbox.name()).await;
                assert!(
                    known.failed_ms.is_none() && !known.needs_person(parts.clock.now()),
                    "the rest is read: {known:?}"
                );
                assert_eq!((known.unreadable, known.to_look_at), (0, 0));

                clock.advance(HOUR);
                assert_eq!(read_well(&parts, &readable).await, Round { stepped: 1, ..found(0, 0) });
                assert_eq!(read_well(&parts, &readable).await, found(0, 0), "it is not asked for again");
                let known = state(gateway.store(), mailbox.name()).await;
                assert_eq!((known.unreadable, known.to_look_at, known.failed_ms), (1, 1, None));
                let named = gateway
                    .store()
                    .read()
                    .await
                    .expect("tx")
                    .mailbox_to_look_at(mailbox.name(), 9)
                    .await
                    .expect("read");
                assert_eq!((named.len(), named[0].mail.as_str()), (1, broken.to_string().as_str()));
                assert!(named[0].words.contains("is broken") && !named[0].words.contains('@'), "{named:?}");
                assert!(!mailbox.held().finished.contains(&broken), "it stays as it is");

                assert_eq!(looked_at(gateway.store(), mailbox.name()).await.expect("noted"), 1);
                let known = state(gateway.store(), mailbox.name()).await;
                assert_eq!((known.unreadable, known.to_look_at), (1, 0));
            }
        },
    )
    .await;
}

#[tokio::test]
async fn mails_are_not_stepped_over_while_the_server_may_be_what_is_broken() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            let parts = gateway.gateway.feedback();
            let mailbox = InMemory::new(MailboxKind::Imap);
            let readable: Arc<dyn Mailbox> = mailbox.clone();
            let mails = [(); 3].map(|()| mailbox.deliver(personal()));
            mailbox.held().broken.extend(mails);
            mailbox.held().is_doubtful = true;
            for _ in 0..30 {
                let round = read(&parts, &readable).await;
                assert!(
                    matches!(&round, Err(Trouble::Mailbox(failure)) if !format!("{failure:?}").contains('@')),
                    "{round:?}"
                );
                clock.advance(2 * HOUR);
            }
            assert_eq!(state(gateway.store(), mailbox.name()).await.unreadable, 0);
            mailbox.held().broken.clear();
            assert_eq!(read_well(&parts, &readable).await, found(3, 0), "nothing is lost");

            // One among others is passed over at once.
            let broken = mailbox.deliver(personal().replace("Lunch", "Dinner"));
            mailbox.deliver(personal().replace("Lunch", "Tea"));
            mailbox.held().broken.insert(broken);
            mailbox.held().is_doubtful = false;
            assert_eq!(read_well(&parts, &readable).await, Round { stepped: 1, ..found(1, 0) });
            assert_eq!(state(gateway.store(), mailbox.name()).await.to_look_at, 1);
        },
    )
    .await;
}

#[tokio::test]
async fn old_mail_is_left_unread_when_a_mailbox_is_read_for_the_first_time() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            let now = DateTime::parse_from_rfc3339(TUESDAY).expect("a time");
            let old = SystemTime::from(now) - 40 * 24 * HOUR;
            for number in 0..3 {
                let of_another = unknown_user("<1@elsewhere.example>", &format!("kim{number}@elsewhere.example"));
                deliver_at(folder.path(), &format!("1.old{number}"), &of_another, old);
            }
            deliver(folder.path(), "2.bounce", &unknown_user(&id, "ana@ruiz.example"));
            let before = files(folder.path());
            let mailbox = maildir(folder.path(), After::Keep, &far.clock);
            let parts = gateway.gateway.feedback();
            assert_eq!(read_well(&parts, &mailbox).await, Round { old: 3, ..found(1, 1) });
            assert_eq!(returns(gateway).await.len(), 1, "years of bounces are nobody's work");
            let since = state(gateway.store(), NAME).await.since_ms.expect("decided");
            let day_before = Timestamp::from_utc(now.to_utc()).before(24 * HOUR);
            assert!(since >= day_before && since <= Timestamp::from_utc(now.to_utc()), "a day before the first letter");

            // It is decided once; whatever comes later is read.
            clock.advance(24 * HOUR);
            deliver(folder.path(), "3.personal", &personal());
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 0));
            assert_eq!(state(gateway.store(), NAME).await.since_ms, Some(since));
            assert_eq!(files(folder.path()).len(), before.len() + 1);
        },
    )
    .await;
}
