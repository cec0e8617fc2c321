//! From the mailbox to the letter.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use touchline::domain::fault::{About, Failure, Fault};
use touchline::domain::{Channel, MessageStatus, Remedy};
use touchline::provider::mailbox::After;

use super::{NAME, deliver, deliver_at, empty_maildir, files, found, maildir, read_well, state};
use crate::returning::mails::{personal, unknown_user};
use crate::returning::{TUESDAY, mailed, returns};
use crate::support::gateway::{each_gateway_at, each_gateway_with};

#[tokio::test]
async fn a_bounce_is_read_marked_and_counted_once_and_personal_mail_stays_as_it_is() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            deliver(folder.path(), "1.personal", &personal());
            let before = files(folder.path());
            let mailbox = maildir(folder.path(), After::Seen, &far.clock);
            let parts = gateway.gateway.feedback();
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 0));

            deliver(folder.path(), "2.bounce", &unknown_user(&id, "ana@ruiz.example"));
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 1));
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
            let mut after = files(folder.path());
            let marked = after.remove(std::path::Path::new("cur/2.bounce:2,S"));
            assert!(marked.is_some() && after == before, "{after:?}");

            assert_eq!(read_well(&parts, &mailbox).await, found(0, 0));
            let known = state(gateway.store(), NAME).await;
            assert_eq!((known.taken, known.passed, known.failed_ms), (1, 1, None));
            assert_eq!(returns(gateway).await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn with_keep_nothing_in_the_mailbox_changes() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
            let folder = empty_maildir();
            deliver(folder.path(), "1.bounce", &unknown_user(&id, "ana@ruiz.example"));
            let before = files(folder.path());
            let mailbox = maildir(folder.path(), After::Keep, &far.clock);
            let parts = gateway.gateway.feedback();
            assert_eq!(read_well(&parts, &mailbox).await, found(1, 1));
            assert_eq!(read_well(&parts, &mailbox).await, found(0, 0));
            assert_eq!(files(folder.path()), before);
        },
    )
    .await;
}

#[tokio::test]
async fn the_service_reads_a_configured_mailbox_by_itself() {
    let folders = Mutex::new(Vec::new());
    // A letter must not count as delivered before its bounce is there.
    let change = |settings: String| {
        let folder = empty_maildir();
        let own = format!("kind = \"maildir\"\npath = {:?}\npoll_seconds = 10\nafter = \"delete\"\n", folder.path());
        folders.lock().expect("not poisoned").push(folder);
        let settings =
            settings.replace("email_presume_delivered_seconds = 1", "email_presume_delivered_seconds = 86400");
        format!("{settings}[mailboxes.{NAME}]\n{own}")
    };
    each_gateway_with(change, async |gateway, _| {
        let path = gateway.gateway.config.mailboxes[NAME].settings.path.clone().expect("a path");
        gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
        gateway.send_via("introduction", "Ruiz", &[Channel::Email]).await;
        let id = gateway.message_of("Ruiz", Channel::Email).await.id;
        gateway.message_until(id, "handed over", |message| message.status == MessageStatus::Accepted).await;
        let name = crate::returning::message_id(gateway, id).await;
        let now = SystemTime::from(gateway.gateway.clock.now().to_utc());
        deliver_at(&path, "1.bounce", &unknown_user(&name, "ana@ruiz.example"), now);
        gateway.message_until(id, "the bounce to be read", |message| message.status == MessageStatus::Failed).await;
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_that_nobody_can_read_for_an_hour_needs_a_person_and_a_refused_login_at_once() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, far, clock| {
            let folder = empty_maildir();
            let mailbox = maildir(folder.path(), After::Keep, &far.clock);
            let parts = gateway.gateway.feedback();
            read_well(&parts, &mailbox).await;
            let fail = async |failure: &Failure| {
                let mut tx = gateway.store().write().await.expect("tx");
                tx.mailbox_failed(NAME, parts.queue.node(), failure, parts.clock.now()).await.expect("noted");
                tx.commit().await.expect("committed");
                state(gateway.store(), NAME).await
            };
            let passing = Failure::new(Fault::ProviderError).about(About::Path).text("no connection");
            clock.advance(Duration::from_secs(3_599));
            assert!(!fail(&passing).await.needs_person(parts.clock.now()));
            clock.advance(Duration::from_secs(1));
            assert!(fail(&passing).await.needs_person(parts.clock.now()));
            read_well(&parts, &mailbox).await;
            assert!(!state(gateway.store(), NAME).await.needs_person(parts.clock.now()));
            let refused = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::CheckPassword);
            assert!(fail(&refused.text("no")).await.needs_person(parts.clock.now()));
        },
    )
    .await;
}
