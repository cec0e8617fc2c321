use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::health::Health;
use touchline::domain::id::MessageId;
use touchline::domain::{Address, Channel, Clock, Fault, FaxNumber, MessageStatus};
use touchline::operator::Act;
use touchline::store::records::provider_state::ProviderState;

use super::pausing::resume;
use crate::support::clock::FakeClock;
use crate::support::gateway::{TestGateway, each_gateway_at, each_gateway_with};

/// The settings with a second fax account like the first one, and these routes.
fn two_accounts(settings: &str, routes: &str) -> String {
    let (_, section) = settings.split_once("[providers.fax-sandbox]").expect("the account");
    let (section, _) = section.split_once("[providers.mail-sandbox]").expect("the next one");
    let second = format!("[providers.fax-second]{section}[providers.mail-sandbox]");
    settings
        .replace("[providers.mail-sandbox]", &second)
        .replace("fax   = [\"fax-sandbox\"]", &format!("fax = [{routes}]"))
}

fn in_order(settings: String) -> String {
    two_accounts(&settings, "\"fax-sandbox\", \"fax-second\"")
}

/// The first account at an address where nobody answers.
fn first_is_gone(settings: String) -> String {
    let (start, rest) = settings.split_once("[providers.fax-sandbox]").expect("the account");
    let (before, after) = rest.split_once("base_url").expect("its address");
    let (_, after) = after.split_once('\n').expect("its end");
    let second = in_order(settings.clone());
    let (_, others) = second.split_once("[providers.fax-second]").expect("the second");
    let gone = format!("{start}[providers.fax-sandbox]{before}base_url = \"http://127.0.0.1:9\"\n{after}");
    let (gone, _) = gone.split_once("[providers.mail-sandbox]").expect("its end");
    format!("{gone}[providers.fax-second]{others}")
}

fn by(attempts: &[Attempt]) -> Vec<(&str, AttemptStatus)> {
    attempts.iter().map(|attempt| (attempt.provider.as_str(), attempt.status)).collect()
}

async fn state_of(gateway: &TestGateway, account: &str) -> ProviderState {
    let mut tx = gateway.store().read().await.expect("tx");
    let states = tx.provider_states(false).await.expect("read");
    states.into_iter().find(|state| state.provider == account).unwrap_or_default()
}

/// Waits until a letter has arrived. The time goes on to each try that it waits for, and no further.
async fn arrives_by(gateway: &TestGateway, clock: &FakeClock, id: MessageId) {
    gateway
        .until("the letter to arrive", async || {
            let mut tx = gateway.store().read().await.expect("tx");
            let entry = tx.queue_entry(id.0).await.expect("read");
            drop(tx);
            if let Some(entry) = entry.filter(|entry| entry.kind == "submit" && entry.state.as_str() == "waiting") {
                clock.advance(entry.due_ms.since(clock.now()));
            }
            (gateway.message(id).await.status == MessageStatus::Delivered).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_reached_rests_and_the_next_one_carries_on() {
    // The tries come within seconds, however long they take us, and the account rests for half a minute.
    each_gateway_at("2026-11-23T09:00:00-06:00", first_is_gone, async |gateway, far, clock| {
        gateway.know(&[("Whitfield", Some("0150"), None)]).await;
        let id = gateway.send("introduction", "Whitfield").await.messages[0].id;
        arrives_by(gateway, clock, id).await;
        gateway.settled().await;
        let attempts = gateway.attempts_of(id).await;
        let (last, before) = attempts.split_last().expect("some");
        assert_eq!((last.provider.as_str(), last.status), ("fax-second", AttemptStatus::Delivered));
        assert!(before.iter().all(|one| by(std::slice::from_ref(one)) == [("fax-sandbox", AttemptStatus::NotSent)]));
        assert_eq!(before.len(), 5, "the breaker opens after so many: {:?}", by(&attempts));
        assert_eq!(far.faxes_to("0150").len(), 1);
        assert_eq!(last.dialled.as_ref().map(Address::as_str), Some("+13125550150"));

        let kept = gateway
            .until("the breaker to be written down", async || {
                Some(state_of(gateway, "fax-sandbox").await).filter(|state| state.rests_until_ms.is_some())
            })
            .await;
        assert_eq!((kept.faults, kept.fault), (5, Some(Fault::ProviderError)));
        gateway.drain().await;
        let next = gateway.again(far, |settings| settings).await;
        let breaker = next.gateway.accounts.get("fax-sandbox").expect("there").layered.breaker();
        assert_eq!((breaker.faults, breaker.fault), (5, kept.fault), "it remembers over a restart");
        assert!(breaker.open_until_ms <= kept.rests_until_ms.expect("some"));
        next.finish(far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_fault_pauses_the_account_at_once_and_the_next_account_takes_the_next_attempt() {
    each_gateway_with(in_order, async |gateway, _| {
        gateway.know(&[("Broke", Some("0131"), None)]).await;
        let id = gateway.send("introduction", "Broke").await.messages[0].id;
        gateway.until("both accounts to be paused", async || state_of(gateway, "fax-second").await.paused_ms).await;
        let attempts = gateway.attempts_of(id).await;
        let refused = AttemptStatus::Refused;
        assert_eq!(by(&attempts), [("fax-sandbox", refused), ("fax-second", refused)], "each was asked once");
        assert!(state_of(gateway, "fax-sandbox").await.paused_reason.is_some_and(|why| why.contains("funds")));
        let mut tx = gateway.store().read().await.expect("tx");
        let audit = tx.audit_page(&[], 0, 50).await.expect("read");
        let pauses = audit
            .iter()
            .filter(|entry| entry.action.as_str() == "pause_provider" && entry.who == touchline::domain::Actor::System)
            .count();
        assert_eq!(pauses, 2, "each pause is on record once");
        drop(tx);
        gateway.act(id, Act::Cancel).await.expect("withdrawn");
        resume(gateway, "fax-sandbox").await;
        gateway.settled().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_doubt_nor_pages_that_arrived_are_a_reason_for_another_account() {
    each_gateway_with(in_order, async |gateway, far| {
        gateway.know(&[("Silent", Some("0124"), None), ("Partial", Some("0122"), None)]).await;
        gateway.send("introduction", "all").await;
        gateway.settled().await;
        for (name, tail, status, reason) in [
            ("Silent", "0124", MessageStatus::Delivered, None),
            ("Partial", "0122", MessageStatus::Failed, Some("partial_send")),
        ] {
            let message = gateway.message_of(name, Channel::Fax).await;
            assert_eq!(
                (message.status, message.reason.map(touchline::domain::Reason::as_str)),
                (status, reason),
                "{name}"
            );
            let attempts = gateway.attempts_of(message.id).await;
            assert_eq!((attempts.len(), attempts[0].provider.as_str()), (1, "fax-sandbox"), "{name}");
            assert_eq!(far.faxes_to(tail).len(), 1, "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_by_the_account_that_is_meant_for_it_and_is_held_where_none_is() {
    let meant = |settings: String| {
        let reports = "{ account = \"fax-second\", purposes = [\"treatment\"] }";
        two_accounts(&settings, &format!("{reports}, {{ account = \"fax-sandbox\", countries = [\"CA\"] }}"))
    };
    each_gateway_with(meant, async |gateway, far| {
        let csv = "first_name,last_name,type,email,fax,basis,basis_source,basis_date,basis_note\n\
                   Ana,North,therapist,,(416) 555-0151,permission,given_by_recipient,2026-10-06,asked\n";
        gateway.import(csv).await;
        gateway.know(&[("South", Some("0150"), None)]).await;
        let north = gateway.send("introduction", "North").await.messages[0].id;
        let south = gateway.send("introduction", "South").await.messages[0].clone();
        assert_eq!(
            (south.status, south.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::Held, Some("no_route"))
        );
        gateway.act(south.id, Act::Release).await.expect("released");
        let held = |one: &touchline::domain::message::Message| one.status == MessageStatus::Held;
        gateway.message_until(south.id, "it to be held again", held).await;
        gateway.message_until(north, "the other", |one| one.status == MessageStatus::Delivered).await;
        assert_eq!(gateway.attempts_of(north).await[0].provider, "fax-sandbox");
        assert!(far.faxes_to("0150").is_empty() && gateway.attempts_of(south.id).await.is_empty());
        gateway.act(south.id, Act::Cancel).await.expect("withdrawn");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_takes_no_more_in_a_day_than_its_budget() {
    let thrifty = |settings: String| {
        let budget = "cost_per_page = 0.07\ndaily_budget = { hand_overs = 9, cost = 0.15 }";
        settings.replace("concurrency    = 8", budget)
    };
    each_gateway_with(thrifty, async |gateway, far| {
        let people: Vec<(String, String)> = (0..4).map(|n| (format!("Number{n}"), format!("015{n}"))).collect();
        let people: Vec<_> = people.iter().map(|(name, tail)| (name.as_str(), Some(tail.as_str()), None)).collect();
        gateway.know(&people).await;
        gateway.send("introduction", "all").await;
        let waiting = gateway
            .until("two to arrive and two to wait", async || {
                let messages = gateway.messages().await;
                let delivered = messages.iter().filter(|one| one.status == MessageStatus::Delivered).count();
                let spent = |one: &&touchline::domain::message::Message| {
                    one.reason.map(touchline::domain::Reason::as_str) == Some("budget_spent")
                };
                let waiting: Vec<_> = messages.iter().filter(spent).map(|one| one.id).collect();
                (delivered == 2 && waiting.len() == 2).then_some(waiting)
            })
            .await;
        assert_eq!(far.line.faxes().len(), 2);
        let meter = state_of(gateway, "fax-sandbox").await.meter;
        let (hand_overs, cost) = meter.today(far.clock.now());
        assert_eq!((hand_overs, cost.to_string()), (2, "0.14".to_owned()));
        for id in waiting {
            assert!(gateway.attempts_of(id).await.is_empty());
            gateway.act(id, Act::Cancel).await.expect("withdrawn");
        }
        gateway.settled().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_number_is_good_for_is_learnt_from_what_became_of_calls_to_it() {
    each_gateway_with(in_order, async |gateway, _| {
        gateway
            .know(&[("Good", Some("0150"), None), ("Voice", Some("0119"), None), ("Gone", Some("0120"), None)])
            .await;
        gateway.send("introduction", "all").await;
        gateway.settled().await;
        let mut tx = gateway.store().read().await.expect("tx");
        for (tail, health) in [("0150", Health::Confirmed), ("0119", Health::Doubtful), ("0120", Health::Dead)] {
            let number = FaxNumber::parse(&format!("(312) 555-{tail}")).expect("a number");
            let known = tx.address_health(&Address::Fax(number)).await.expect("read").expect("known");
            assert_eq!(known.health, health, "{tail}");
        }
    })
    .await;
}
