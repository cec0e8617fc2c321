//! Several relays: which carries what, how much each takes, how a letter travelled, and what a relay that asks for less gets.

use std::time::Duration;

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::message::Message;
use touchline::domain::provider_state::ProviderState;
use touchline::domain::return_path::Way;
use touchline::domain::{Actor, Channel, Clock, MessageStatus, PolicyReason};
use touchline::intake::proposal;
use touchline::intake::request::Request;

use crate::support::clock::FakeClock;
use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway, each_gateway_at, each_gateway_with};
use crate::support::moody_smtp::MoodySmtp;

/// The settings with a second relay like the first one, and these routes for mail.
fn two_relays(settings: &str, routes: &str) -> String {
    let (before, rest) = settings.split_once("[providers.mail-sandbox]").expect("the relay");
    let (section, after) = rest.split_once("[routes]").expect("the next section");
    let second = format!("{before}[providers.mail-sandbox]{section}[providers.mail-second]{section}[routes]{after}");
    second.replace("email = [\"mail-sandbox\"]", &format!("email = [{routes}]"))
}

/// The settings with these lines in the relay's section.
fn with(settings: &str, lines: &str) -> String {
    settings.replace("[providers.mail-sandbox]\n", &format!("[providers.mail-sandbox]\n{lines}\n"))
}

async fn state_of(gateway: &TestGateway, account: &str) -> ProviderState {
    let states = gateway.store().read().await.expect("tx").provider_states(false).await.expect("read");
    states.into_iter().find(|state| state.provider == account).unwrap_or_default()
}

async fn write_to(gateway: &TestGateway, letter: &str, mailboxes: &[&str]) {
    let names: Vec<String> = (0..mailboxes.len()).map(|n| format!("Reader{n}")).collect();
    let people: Vec<_> =
        names.iter().zip(mailboxes).map(|(name, mailbox)| (name.as_str(), None, Some(*mailbox))).collect();
    gateway.know(&people).await;
    gateway.send_via(letter, "all", &[Channel::Email]).await;
}

/// Which relay carried the letter to a mailbox.
async fn carrier(gateway: &TestGateway, mailbox: &str) -> String {
    let messages = gateway.messages().await;
    let message = messages.iter().find(|one| one.address.as_str() == mailbox).expect("a message");
    gateway.attempts_of(message.id).await[0].provider.clone()
}

/// Lets time pass until every letter counts as delivered.
async fn no_bounce_comes(gateway: &TestGateway, clock: &FakeClock) {
    gateway
        .until("every letter to count as delivered", async || {
            clock.advance(Duration::from_secs(10));
            gateway.ledger().await.is_settled().then_some(())
        })
        .await;
    gateway.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_by_the_relay_that_is_meant_for_its_domain() {
    let routes = "{ account = \"mail-second\", domains = [\"gmail.example\", \"*.edu\"] }, \"mail-sandbox\"";
    each_gateway_with(
        |settings| two_relays(&settings, routes),
        async |gateway, far| {
            let mailboxes = ["ana@gmail.example", "ben@cs.mit.edu", "eva@clinic.example", "ida@notgmail.example"];
            write_to(gateway, "introduction", &mailboxes).await;
            gateway.settled().await;
            let mut carriers = Vec::new();
            for mailbox in mailboxes {
                carriers.push(carrier(gateway, mailbox).await);
                assert_eq!(far.mails_to(mailbox).len(), 1, "{mailbox}");
            }
            assert_eq!(carriers, ["mail-second", "mail-second", "mail-sandbox", "mail-sandbox"]);
            assert_eq!(
                gateway.gateway.accounts.domains().of(&"x@y.edu".parse().expect("an address")).map(|it| it.to_string()),
                Some("*.edu".into())
            );
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_by_the_relay_that_is_meant_for_its_purpose_and_one_about_a_patient_only_under_an_agreement() {
    let routes = "{ account = \"mail-second\", purposes = [\"advertisement\"], phi = false }";
    each_gateway_with(
        |settings| two_relays(&settings, routes),
        async |gateway, _| {
            gateway.know(&[("Reader0", None, Some("ana@clinic.example"))]).await;
            gateway.send_via("introduction", "all", &[Channel::Email]).await;
            gateway.settled().await;
            assert_eq!(carrier(gateway, "ana@clinic.example").await, "mail-second");
            let key = |phi| {
                let address = "ana@clinic.example".parse().expect("an address");
                gateway.gateway.accounts.key(&address, touchline::domain::Purpose::Treatment, phi)
            };
            for phi in touchline::domain::PhiClass::ALL {
                let parcel = touchline::accounts::routes::Parcel { key: key(*phi), pages: None };
                assert!(!gateway.gateway.accounts.carriers(&parcel).routed, "a report has no route: {phi}");
            }
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_returns_to_its_own_address_answers_go_to_the_mailbox_that_is_read_and_its_way_is_on_record() {
    let change = |settings: String| {
        with(&settings, "return_path = \"bounces@harbor.example\"").replacen(
            "[practice]\n",
            "[practice]\nreply_to = \"frontdesk@harbor.example\"\n",
            1,
        )
    };
    each_gateway_with(change, async |gateway, far| {
        write_to(gateway, "introduction", &["ana@clinic.example"]).await;
        gateway.settled().await;
        let mail = far.mails_to("ana@clinic.example")[0].clone();
        let message = gateway.messages().await[0].clone();
        let attempt = gateway.attempts_of(message.id).await[0].clone();
        assert_eq!(gateway.gateway.return_paths.read(&mail.from), Some((Way::Bounce, attempt.id)), "{}", mail.from);
        let eml = String::from_utf8(mail.eml.clone()).expect("ASCII");
        assert!(eml.contains("\r\nReply-To: frontdesk@harbor.example\r\n"), "{eml}");
        let opt_out =
            eml.split("<mailto:").nth(1).and_then(|rest| rest.split('?').next()).expect("a mailbox to write to");
        assert_eq!(gateway.gateway.return_paths.read(opt_out), Some((Way::OptOut, attempt.id)));
        assert_eq!(
            (attempt.tls_version.as_deref(), attempt.tls_peer),
            (Some("none"), None),
            "the sandbox does not encrypt"
        );
    })
    .await;
}

/// One limit of a day, how many hours later there is room again, and what is said of it. The time of a letter, an hour with the
/// budget, is over long before.
const LIMITS_OF_A_DAY: [(&str, u64, u64, PolicyReason, &str); 2] = [
    (
        "quota = { per_day = 2 }",
        72,
        26,
        PolicyReason::QuotaSpent,
        "Today's quota of mail-sandbox is 2; 1 letter goes out tomorrow or later.",
    ),
    (
        "daily_budget = { hand_overs = 2 }",
        1,
        20,
        PolicyReason::BudgetSpent,
        "What is left of today's budget of mail-sandbox covers 2; 1 letter goes out tomorrow or later.",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_todays_quota_or_budget_is_said_before_and_goes_out_the_next_day_by_itself() {
    for (limit, give_up_hours, hours, reason, words) in LIMITS_OF_A_DAY {
        let change = |settings: String| {
            let hours = format!("[sending]\ngive_up_hours = {give_up_hours}\n");
            with(&settings, limit).replace("[sending]\n", &hours)
        };
        each_gateway_at("2026-11-23T09:00:00-06:00", change, async |gateway, far, clock| {
            let people = [("Ana", "ana@a.example"), ("Ben", "ben@b.example"), ("Eva", "eva@c.example")];
            gateway.know(&people.map(|(name, mailbox)| (name, None, Some(mailbox)))).await;
            let looked = proposal::propose(&gateway.intake, &to_all()).await.expect("a look");
            is_told_before(&looked, reason, words);

            gateway.send_via("introduction", "all", &[Channel::Email]).await;
            let waits = |one: &Message| {
                one.status == MessageStatus::Queued && one.tries == 0 && one.reason == Some(reason.into())
            };
            let one_waits = async || gateway.messages().await.into_iter().find(waits);
            let waiting = gateway.until("one letter to wait", one_waits).await;
            assert!(gateway.attempts_of(waiting.id).await.is_empty());
            assert!(waiting.give_up_ms > clock.now().after(Duration::from_secs(hours * 3600)) || give_up_hours > 1);
            assert_eq!(far.catcher.messages().len(), 2);

            clock.advance(Duration::from_secs(hours * 3600));
            gateway.message_until(waiting.id, "it to be handed over", |one| one.status != MessageStatus::Queued).await;
            assert_eq!(far.catcher.messages().len(), 3);
            assert_eq!(gateway.message(waiting.id).await.tries, 0);
            no_bounce_comes(gateway, clock).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_pace_of_an_account_does_not_run_out_of_time() {
    let change = |settings: String| {
        with(&settings, "rate_per_minute = 1").replace("[sending]\n", "[sending]\ngive_up_hours = 1\n")
    };
    each_gateway_at("2026-11-23T09:00:00-06:00", change, async |gateway, far, clock| {
        let people = [("Ana", "ana@a.example"), ("Ben", "ben@b.example"), ("Eva", "eva@c.example")];
        gateway.know(&people.map(|(name, mailbox)| (name, None, Some(mailbox)))).await;
        gateway.send_via("introduction", "all", &[Channel::Email]).await;
        let limit = clock.now().after(Duration::from_secs(12 * 3600));
        let waits = |one: &&Message| one.status == MessageStatus::Queued && one.give_up_ms > limit;
        let both = async || (gateway.messages().await.iter().filter(waits).count() == 2).then_some(());
        gateway.until("two letters to wait for the pace", both).await;
        for sent in 2..=3 {
            clock.advance(Duration::from_secs(3 * 3600));
            gateway.until("the next one to go", async || (far.catcher.messages().len() == sent).then_some(())).await;
        }
        let messages = gateway.messages().await;
        assert!(messages.iter().all(|one| one.tries <= 1 && one.status != MessageStatus::Expired), "{messages:?}");
    })
    .await;
}

/// An introduction to everybody by mail.
fn to_all() -> Request {
    Request {
        letter: "introduction".to_owned(),
        to: "all".parse().expect("an audience"),
        via: vec![Channel::Email],
        variables: serde_json::Map::new(),
        at: None,
        who: Actor::operator("dana"),
        idempotency_key: None,
        individually: std::collections::BTreeMap::new(),
        again: true,
        now: false,
        undo_seconds: Some(0),
        run: None,
    }
}

/// What a look beforehand says of a limit of two letters to three people: in words, and as data.
fn is_told_before(looked: &proposal::Proposal, reason: PolicyReason, words: &str) {
    let over: Vec<_> = looked.over_limit().collect();
    let [over] = over[..] else { panic!("one account: {over:?}") };
    let told = touchline::wording::quotas::too_large(&over.account, over.waits_for, over.left.unwrap_or(0), over.later);
    assert_eq!(told, words);
    let json = serde_json::to_value(touchline::public::DryRunView::from(looked)).expect("JSON");
    let [account] = &json["accounts"].as_array().expect("a list")[..] else { panic!("one account: {json}") };
    for (key, value) in [
        ("account", serde_json::json!("mail-sandbox")),
        ("channel", "email".into()),
        ("messages", 3.into()),
        ("today", 2.into()),
        ("later", 1.into()),
        ("waits_for", reason.as_str().into()),
        ("left_today", 2.into()),
    ] {
        assert_eq!(account[key], value, "{key}: {account}");
    }
    let is_quota = reason == PolicyReason::QuotaSpent;
    assert_eq!(account["quotas"][0]["left"] == 2, is_quota, "{account}");
    assert_eq!(account["budget"]["hand_overs_limit"] == 2, !is_quota, "{account}");
    assert!(account["rate"]["per_minute"].is_null() && account["rate"]["at_once_and_domain"].is_null(), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_domain_gets_no_more_than_its_rate_and_each_letter_its_own_moment() {
    let change = |settings: String| with(&settings, "rate_per_domain_per_minute = 6");
    each_gateway_at("2026-11-23T09:00:00-06:00", change, async |gateway, far, clock| {
        write_to(gateway, "introduction", &["ana@A.example", "ben@a.example", "eva@a.example", "ida@b.example"]).await;
        let waits =
            |one: &Message| one.status == MessageStatus::Queued && one.reason == Some(PolicyReason::RateReached.into());
        for (handed_over, waiting) in [(2, 2), (3, 1), (4, 0)] {
            gateway
                .until("the next letter", async || {
                    let messages = gateway.messages().await;
                    let is_recorded =
                        |one: &&Message| matches!(one.status, MessageStatus::Accepted | MessageStatus::Delivered);
                    let recorded = messages.iter().filter(is_recorded).count();
                    let counts = (recorded, messages.iter().filter(|one| waits(one)).count());
                    (counts == (handed_over, waiting)).then_some(())
                })
                .await;
            clock.advance(Duration::from_secs(10));
        }
        assert_eq!((far.mails_to("ida@b.example").len(), far.catcher.messages().len()), (1, 4));
        assert!(gateway.messages().await.iter().all(|message| message.tries == 0));
        no_bounce_comes(gateway, clock).await;
    })
    .await;
}

/// Runs a test on a gateway over each database whose mail goes to a relay that can refuse.
async fn each_relay(test: impl AsyncFn(&TestGateway, &MoodySmtp)) {
    each_database(async |database| {
        let (far, relay) = (FarSide::start().await, MoodySmtp::start().await);
        let mut gateway = TestGateway::start(database, &far, |settings| far.with_mail_by(relay.port, &settings)).await;
        test(&gateway, &relay).await;
        gateway.drain().await;
        gateway.finish(&far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_asks_for_less_is_slowed_down_and_no_letter_pays_for_it() {
    each_relay(async |gateway, relay| {
        relay.refuse(Some(("MAIL", "450 4.7.0 too many messages, slow down")));
        write_to(gateway, "introduction", &["ana@a.example", "ben@b.example"]).await;
        let slowed = gateway
            .until("the account to be slowed down", async || {
                Some(state_of(gateway, "mail-sandbox").await).filter(|state| state.slowing.slowed_ms.is_some())
            })
            .await;
        let account = gateway.gateway.accounts.get("mail-sandbox").expect("there");
        let since = slowed.slowing.slowed_ms.expect("some");
        assert!(account.rate(&slowed, since).is_some_and(|rate| rate <= 60) && account.rate_per_minute.is_none());
        assert!(slowed.paused_ms.is_none(), "slower is not paused");
        relay.refuse(None);
        let ledger = gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (2, 0));
        assert!(gateway.messages().await.iter().all(|message| message.tries == 0));
        assert_eq!(relay.taken().len(), 2, "each once");
    })
    .await;
}

/// Refusals at the recipient and what becomes of the letter once the relay takes it after all.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_put_off_arrives_and_one_that_is_refused_does_not() {
    for (at, words, arrives, tries) in [
        ("RCPT", "450 4.2.0 <{to}>: Greylisted, please come back in five minutes", true, 1),
        ("RCPT", "452 4.2.2 <{to}>: mailbox is full", true, 1),
        (".", "451 4.3.0 the disk is full", true, 1),
        ("RCPT", "421 4.3.2 shutting down", true, 0),
        (".", "554 5.7.1 rejected by policy: looks like spam", false, 1),
    ] {
        each_relay(async |gateway, relay| {
            relay.refuse(Some((at, words)));
            write_to(gateway, "introduction", &["ana@a.example"]).await;
            let id = gateway.messages().await[0].id;
            gateway
                .until("a refusal to be on record", async || {
                    let attempts = gateway.attempts_of(id).await;
                    attempts
                        .into_iter()
                        .find(|one| matches!(one.status, AttemptStatus::Refused | AttemptStatus::NotSent))
                })
                .await;
            relay.refuse(None);
            let ledger = gateway.settled().await;
            assert_eq!((ledger.delivered == 1, relay.taken().len() == 1), (arrives, arrives), "{words}");
            let message = gateway.message(id).await;
            assert!(message.tries >= tries && (tries > 0 || message.tries == 0), "{words}: {}", message.tries);
        })
        .await;
    }
}
