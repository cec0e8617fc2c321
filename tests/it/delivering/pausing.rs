use touchline::domain::{Channel, MessageStatus};
use touchline::operator::Act;

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway, each_gateway};
use crate::support::proxy::{FINAL_DOT, Proxy, Then};

/// Pauses an account, as a person does.
pub async fn pause(gateway: &TestGateway, account: &str) {
    set_paused(gateway, account, Some("paused by the test")).await;
}

/// Lets an account go on.
pub async fn resume(gateway: &TestGateway, account: &str) {
    set_paused(gateway, account, None).await;
}

async fn set_paused(gateway: &TestGateway, account: &str, reason: Option<&str>) {
    let now = gateway.gateway.clock.now();
    let mut tx = gateway.store().write().await.expect("tx");
    tx.provider_ensure(account, now).await.expect("made");
    tx.provider_pause(account, reason, now).await.expect("set");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_funds_is_paused_and_nothing_fails() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Broke", Some("0131"), None), ("Waiting", Some("0150"), None)]).await;
        let broke = gateway.send("introduction", "Broke").await.messages[0].id;
        let paused = gateway
            .until("the account to be paused", async || {
                let mut tx = gateway.store().read().await.expect("tx");
                let states = tx.provider_states(false).await.expect("read");
                states.into_iter().find(|state| state.provider == "fax-sandbox" && state.paused_ms.is_some())
            })
            .await;
        assert!(paused.paused_reason.is_some_and(|words| words.contains("funds")));
        let waiting = gateway.send("introduction", "Waiting").await.messages[0].id;
        let put_off = |one: &touchline::domain::message::Message| {
            one.reason.map(touchline::domain::Reason::as_str) == Some("provider_paused")
        };
        gateway.message_until(waiting, "it to be put off", put_off).await;
        gateway.message_until(broke, "the other to be put off too", put_off).await;
        let ledger = gateway.ledger().await;
        assert_eq!((ledger.failed, ledger.queued), (0, 2));
        assert!(far.line.faxes().is_empty());

        gateway.act(broke, Act::Cancel).await.expect("withdrawn");
        resume(gateway, "fax-sandbox").await;
        let ledger = gateway.settled().await;
        assert_eq!((ledger.cancelled, ledger.delivered), (1, 1));
        assert_eq!(gateway.message(waiting).await.tries, 0, "a pause costs no try");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_fax_account_does_not_hold_up_mail() {
    each_gateway(async |gateway, far| {
        pause(gateway, "fax-sandbox").await;
        gateway.know(&[("Whitfield", Some("0150"), Some("whitfield@ridge.example"))]).await;
        gateway.send("introduction", "all").await;
        let mail = gateway.message_of("Whitfield", Channel::Email).await;
        gateway.message_until(mail.id, "the mail", |one| one.status == MessageStatus::Delivered).await;
        assert!(far.line.faxes().is_empty());
        resume(gateway, "fax-sandbox").await;
        assert_eq!(gateway.settled().await.delivered, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_a_running_call_end_and_records_its_answer() {
    each_database(async |database| {
        let far = FarSide::start().await;
        let relay = Proxy::before(far.catcher.address()).await;
        let by_wire = |settings: String| far.with_mail_by(relay.address().port(), &settings);
        let mut gateway = TestGateway::start(database, &far, by_wire).await;
        gateway.know(&[("Reader", None, Some("reader@far.example"))]).await;
        let heard = relay.at(FINAL_DOT, Then::HoldAnswer);
        let id = gateway.send_via("introduction", "Reader", &[Channel::Email]).await.messages[0].id;
        heard.seen().await;
        // The answer comes when the gateway has been told to stop.
        tokio::join!(gateway.drain(), async { relay.release() });
        assert_eq!(gateway.message(id).await.status, MessageStatus::Accepted, "its answer was waited for");
        assert_eq!(far.mails_to("reader@far.example").len(), 1);

        let next = gateway.again(&far, |settings| settings).await;
        next.settled().await;
        assert_eq!(next.message(id).await.status, MessageStatus::Delivered);
        assert_eq!(next.attempts_of(id).await.len(), 1);
        next.finish(&far).await;
        gateway.finish(&far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_from_the_first_call_on() {
    let slowly = |settings: String| settings.replace("concurrency    = 8", "rate_per_minute = 60");
    crate::support::gateway::each_gateway_with(slowly, async |gateway, far| {
        let names: Vec<String> = (0..12).map(|number| format!("Number{number}")).collect();
        let tails: Vec<String> = (0..12).map(|number| format!("01{}", 50 + number)).collect();
        let people: Vec<_> =
            names.iter().zip(&tails).map(|(name, tail)| (name.as_str(), Some(tail.as_str()), None)).collect();
        gateway.know(&people).await;
        gateway.send("introduction", "all").await;
        gateway.settled().await;
        assert_eq!(far.line.faxes().len(), 12);
        // Counted where the calls are let go: a busy machine delays some on their way, and then they arrive in a bunch.
        let mut starts: Vec<i64> = Vec::new();
        for message in gateway.messages().await {
            starts.extend(gateway.attempts_of(message.id).await.iter().map(|attempt| attempt.opened_ms.0));
        }
        starts.sort_unstable();
        assert_eq!(starts.len(), 12);
        // Sixty a minute with a burst of six: the seventh call is at least a second after the first, and so on.
        for (first, seventh) in starts.iter().zip(&starts[6..]) {
            assert!(seventh - first >= 1_000, "seven calls within {} ms: {starts:?}", seventh - first);
        }
    })
    .await;
}
