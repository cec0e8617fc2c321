use touchline::domain::{Channel, MessageStatus};
use touchline::operator::Act;
use touchline::store::Store;
use touchline::store::engine::backup::BackupFile;
use touchline::upkeep::restore;

use super::pausing::{pause, resume};
use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway};

/// Everybody gets their letter after the backup was made. The restored records know nothing of that.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_went_out_after_the_backup_is_not_sent_again_by_itself_after_a_restore() {
    let (database, far) = (Database::sqlite().await, FarSide::start().await);
    let mut gateway = TestGateway::start(&database, &far, |settings| settings).await;
    let people: Vec<String> = (0..6).map(|n| format!("Person{n}")).collect();
    for (person, n) in people.iter().zip(0..) {
        gateway.know(&[(person, Some(&format!("01{}", 40 + n)), Some(&format!("p{n}@far.example")))]).await;
    }
    pause(&gateway, "fax-sandbox").await;
    pause(&gateway, "mail-sandbox").await;
    gateway.send("introduction", "all").await;
    let scratch = tempfile::tempdir().expect("a folder");
    let copy = scratch.path().join("copy.db");
    gateway.store().backup(&copy).await.expect("copied while it runs");

    resume(&gateway, "fax-sandbox").await;
    resume(&gateway, "mail-sandbox").await;
    assert_eq!(gateway.settled().await.delivered, 12);
    gateway.drain().await;
    gateway.gateway.store.close().await;
    let sent = (far.line.faxes().len(), far.catcher.messages().len());
    assert_eq!(sent, (6, 6));

    let file = std::path::Path::new(database.url.strip_prefix("sqlite:").expect("a file"));
    let staged = BackupFile::at(&copy).stage(file).await.expect("room");
    let store = Store::open(&staged.url(), 2).await.expect("opens");
    let parked =
        restore::park(&store, &touchline::domain::Actor::operator("sam"), far.clock.now()).await.expect("parked");
    store.close().await;
    staged.take_its_place(far.clock.now()).await.expect("in place");
    assert_eq!(parked.held, 12);

    let mut again = gateway.again(&far, |settings| settings).await;
    resume(&again, "fax-sandbox").await;
    resume(&again, "mail-sandbox").await;
    // Something new goes out, so the dispatcher has looked at everything that was ready.
    again.know(&[("Newcomer", Some("0150"), None)]).await;
    let new = again.send_via("introduction", "Newcomer", &[Channel::Fax]).await.messages[0].id;
    again.message_until(new, "the new letter", |message| message.status == MessageStatus::Delivered).await;
    assert_eq!((far.line.faxes().len(), far.catcher.messages().len()), (7, 6), "nobody got a second copy");

    // Where a person says so, it goes.
    let first = again.message_of("Person0", Channel::Fax).await;
    assert_eq!(
        (first.status, first.reason.map(touchline::domain::Reason::as_str)),
        (MessageStatus::Held, Some("restored"))
    );
    again.act(first.id, Act::Release).await.expect("released");
    again.message_until(first.id, "it to go out", |message| message.status == MessageStatus::Delivered).await;
    again.drain().await;
    again.gateway.store.close().await;
}
