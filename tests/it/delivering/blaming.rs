//! A relay that refuses because of us, from the letter to the resume: nobody is blamed, nothing is lost, and a person is
//! told what to do.

use std::time::Duration;

use touchline::accounts::acts;
use touchline::domain::health::Health;
use touchline::domain::message::Message;
use touchline::domain::{Actor, Address, Channel, MessageStatus, PolicyReason, Remedy};
use touchline::store::records::provider_state::ProviderState;

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::moody_smtp::MoodySmtp;

const RELAY: &str = "mail-sandbox";

/// Runs a test on a gateway over each database whose mail goes to a relay that can refuse.
async fn each_relay(test: impl AsyncFn(&TestGateway, &MoodySmtp)) {
    each_database(async |database| {
        let (far, relay) = (FarSide::start().await, MoodySmtp::start().await);
        let catcher = format!("port = {}", far.catcher.address().port());
        let ours = format!("port = {}", relay.port);
        let mut gateway = TestGateway::start(database, &far, |settings| settings.replace(&catcher, &ours)).await;
        test(&gateway, &relay).await;
        gateway.drain().await;
        gateway.finish(&far).await;
    })
    .await;
}

fn office(n: usize) -> String {
    format!("reader{n}@office{n}.example")
}

/// Makes so many people known and writes to all of them.
async fn send_to(gateway: &TestGateway, count: usize) {
    let names: Vec<String> = (0..count).map(|n| format!("Reader{n}")).collect();
    let mailboxes: Vec<String> = (0..count).map(office).collect();
    let people: Vec<_> =
        names.iter().zip(&mailboxes).map(|(name, mailbox)| (name.as_str(), None, Some(mailbox.as_str()))).collect();
    gateway.know(&people).await;
    gateway.send_via("introduction", "all", &[Channel::Email]).await;
}

async fn paused(gateway: &TestGateway) -> ProviderState {
    gateway
        .until("the account to be paused", async || {
            let states = gateway.store().read().await.expect("tx").provider_states(false).await.expect("read");
            states.into_iter().find(|state| state.provider == RELAY && state.paused_ms.is_some())
        })
        .await
}

async fn nobody_is_blamed(gateway: &TestGateway, count: usize) {
    for n in 0..count {
        let address: Address = office(n).parse().expect("an address");
        let known = gateway.store().read().await.expect("tx").address_health(&address).await.expect("read");
        assert!(known.is_none_or(|known| known.health == Health::Unverified && known.strikes == 0), "{n}");
    }
}

/// Whether a letter waits for its account, which it has been told is paused.
fn waits(one: &Message) -> bool {
    one.status == MessageStatus::Queued && one.tries == 0 && one.reason == Some(PolicyReason::ProviderPaused.into())
}

/// Waits until every letter waits for the account, and none is being handed over.
async fn all_wait(gateway: &TestGateway, count: usize) {
    gateway
        .until("every letter to wait", async || {
            let messages = gateway.messages().await;
            let wait = messages.iter().filter(|one| waits(one)).count();
            let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
            let open = gateway.store().read().await.expect("tx").attempts_open(&ids).await.expect("read");
            (wait == count && open.is_empty()).then_some(())
        })
        .await;
}

async fn resume(gateway: &TestGateway) {
    let now = gateway.gateway.clock.now();
    acts::resume(gateway.store(), RELAY, &Actor::operator("sam"), now).await.expect("resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sending_limit_told_at_the_recipient_stops_the_account_and_no_mailbox() {
    each_relay(async |gateway, relay| {
        relay.refuse(Some(("RCPT", "550 5.1.1 <{to}> user has exceeded its sending limit")));
        send_to(gateway, 6).await;
        let state = paused(gateway).await;
        assert_eq!(state.paused_remedy, Some(Remedy::WaitForQuota));
        assert!(state.resumes_ms.is_some_and(|at| at.since(gateway.gateway.clock.now()) > Duration::from_secs(1800)));
        assert!(state.paused_reason.is_some_and(|words| words.contains("sending limit") && !words.contains('@')));
        all_wait(gateway, 6).await;
        nobody_is_blamed(gateway, 6).await;
        relay.refuse(None);
        resume(gateway).await;
        let ledger = gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (6, 0));
        assert_eq!(relay.taken().len(), 6, "each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_calls_everybody_unknown_is_stopped_and_what_it_did_is_taken_back() {
    each_relay(async |gateway, relay| {
        relay.refuse(Some(("RCPT", "550 5.1.1 <{to}>: User unknown")));
        send_to(gateway, 24).await;
        let state = paused(gateway).await;
        assert_eq!((state.paused_remedy, state.resumes_ms), (Some(Remedy::SameForAll), None));
        all_wait(gateway, 24).await;
        nobody_is_blamed(gateway, 24).await;
        relay.refuse(None);
        resume(gateway).await;
        let ledger = gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (24, 0));
        assert_eq!(relay.taken().len(), 24, "each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_nobody_knows_stops_the_account_at_the_third_recipient_and_none_is_lost() {
    each_relay(async |gateway, relay| {
        relay.refuse(Some((".", "554 Transaction not permitted for this client")));
        send_to(gateway, 8).await;
        let state = paused(gateway).await;
        assert!(state.paused_reason.is_some_and(|words| words.contains("not permitted for this client")));
        all_wait(gateway, 8).await;
        relay.refuse(None);
        resume(gateway).await;
        assert_eq!(gateway.settled().await.delivered, 8);
    })
    .await;
}
