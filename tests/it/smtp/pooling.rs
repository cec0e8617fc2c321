//! Connections are reused for the next letter, and a dead one loses nothing.

use std::time::Duration;

use super::{Relay, envelope};
use crate::support::clock::FakeClock;
use crate::support::scripted_smtp::ScriptedSmtp;

const HELLO: &str = "> 220 relay\n< EHLO\n> 250 relay\n";
const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n> 250 ok\n";
const REFUSED: &str = "< MAIL\n> 250 ok\n< RCPT\n> 550 5.1.1 unknown\n";
const BYE: &str = "< QUIT\n> 221 bye\n";

#[tokio::test]
async fn letters_share_a_connection_without_asking_whether_it_lives() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{LETTER}{LETTER}{LETTER}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    for _ in 0..3 {
        assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "accepted");
    }
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
    assert_eq!(relay.verbs(), ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn a_refused_recipient_does_not_cost_the_connection() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{REFUSED}< RSET\n> 250 ok\n{LETTER}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "refused");
    assert_eq!(provider.submit(&envelope("c@d.example")).await.as_str(), "accepted");
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_within_the_same_letter() {
    for (after, ended) in [("! close", 1), ("< MAIL\n> 421 4.4.2 idle too long", 0), ("< MAIL\n! close", 0)] {
        let dying = format!("{HELLO}{LETTER}{after}");
        let relay = ScriptedSmtp::start(&[&dying, &format!("{HELLO}{LETTER}")]).await;
        let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
        assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "accepted");
        relay.ended(ended).await;
        let outcome = provider.submit(&envelope("c@d.example")).await;
        assert_eq!(outcome.as_str(), "accepted", "{after}: {outcome:?}");
        assert_eq!(relay.ended(2).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_fresh_connection_that_dies_is_not_replaced() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}< MAIL\n! close"), &format!("{HELLO}{LETTER}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "not_sent");
    assert_eq!(relay.verbs(), ["EHLO", "MAIL"]);
}

#[tokio::test]
async fn a_connection_is_closed_after_its_share_of_letters() {
    let script = format!("{HELLO}{LETTER}{LETTER}{BYE}");
    let relay = ScriptedSmtp::start(&[&script, &format!("{HELLO}{LETTER}")]).await;
    let settings = "tls = \"off\"\nmessages_per_connection_max = 2";
    let provider = Relay::new(relay.address.port(), settings).provider();
    for _ in 0..3 {
        assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "accepted");
    }
    assert_eq!(relay.ended(2).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_that_lay_idle_for_half_a_minute_is_not_used_again() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{LETTER}{BYE}"), &format!("{HELLO}{LETTER}")]).await;
    let clock = FakeClock::new();
    let mut account = Relay::new(relay.address.port(), "tls = \"off\"");
    account.clock = clock.clone();
    let provider = account.provider();
    assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "accepted");
    clock.advance(Duration::from_secs(30));
    assert_eq!(provider.submit(&envelope("a@b.example")).await.as_str(), "accepted");
    assert_eq!(relay.ended(2).await, Vec::<String>::new());
}

#[tokio::test]
async fn no_more_connections_are_open_at_once_than_allowed() {
    let script = format!("{HELLO}{LETTER}{LETTER}{LETTER}{LETTER}");
    let relay = ScriptedSmtp::start(&[&script]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"\nconnections_max = 1").provider();
    let letters = (0..4).map(|_| {
        let provider = provider.clone();
        tokio::spawn(async move { provider.submit(&envelope("a@b.example")).await })
    });
    for letter in letters.collect::<Vec<_>>() {
        assert_eq!(letter.await.expect("no panic").as_str(), "accepted");
    }
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
}
