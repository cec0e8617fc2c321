//! With a relay that offers PIPELINING, the commands of a letter travel together, and every failure means what it means
//! without.

use touchline::domain::{Fault, Outcome};

use super::{Relay, envelope};
use crate::support::scripted_smtp::ScriptedSmtp;

const TO: &str = "dana@clinic.example";
const HELLO: &str = "> 220 relay\n< EHLO\n> 250-relay\n> 250 PIPELINING\n";
/// All three commands are there before the first is answered.
const ALL: &str = "< MAIL FROM:<letters@harbor.example>\n< RCPT TO:<dana@clinic.example>\n< DATA\n";
const TAKEN: &str = "> 250 ok\n> 250 ok\n> 354 go\n! body\n> 250 ok\n";

fn in_short(outcome: &Outcome) -> (&'static str, Option<Fault>) {
    (outcome.as_str(), outcome.failure().map(|failure| failure.fault))
}

/// Submits one letter to a relay that follows `script` after the three commands.
async fn outcome_of(script: &str) -> Outcome {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{ALL}{script}")]).await;
    // Only a silence is waited for, before the final dot or after it.
    let (command, dot) = match (script.contains("! hold"), script.contains("! body")) {
        (false, _) => (60, 60),
        (true, false) => (1, 60),
        (true, true) => (60, 1),
    };
    let settings = format!("tls = \"off\"\ncommand_timeout_seconds = {command}\nfinal_dot_timeout_seconds = {dot}");
    let provider = Relay::new(relay.address.port(), &settings).provider();
    let outcome = provider.submit(&envelope(TO)).await;
    drop(provider);
    assert_eq!(relay.ended(1).await, Vec::<String>::new(), "{script}");
    outcome
}

#[tokio::test]
async fn the_commands_of_a_letter_leave_together() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{ALL}{TAKEN}{ALL}{TAKEN}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    for _ in 0..2 {
        assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
    }
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
    assert_eq!(relay.verbs(), ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn each_answer_counts_for_its_own_command() {
    for (script, outcome) in [
        ("> 451 4.7.1 too fast\n> 503 no\n> 503 no", ("not_sent", Some(Fault::RateLimited))),
        ("> 550 5.1.8 no such sender\n> 503 no\n> 554 no", ("not_sent", Some(Fault::AccountError))),
        ("> 354 go on", ("not_sent", Some(Fault::ProtocolError))),
        ("> 250 ok\n> 550 5.1.1 unknown\n> 554 no", ("refused", Some(Fault::MailboxUnknown))),
        ("> 250 ok\n> 451 4.7.1 greylisted\n> 503 no", ("refused", Some(Fault::Deferred))),
        ("> 250 ok\n> 554 5.7.1 Relay access denied\n> 554 no", ("not_sent", Some(Fault::AccountError))),
        ("> 250 ok\n> 421 4.3.0 shutting down", ("not_sent", Some(Fault::RateLimited))),
        ("> 250 ok\n> 250 ok\n> 554 5.7.1 no", ("refused", Some(Fault::PolicyRefusal))),
        ("> 250 ok\n> 250 ok\n> 250 what", ("not_sent", Some(Fault::ProtocolError))),
        ("> 250 ok\n> 250 ok\n> 354 go\n! body\n> 554 5.7.1 spam", ("refused", Some(Fault::PolicyRefusal))),
        ("> 250 ok\n> 250 ok\n> 354 go\n! body\n> 451 4.3.0 disk", ("refused", Some(Fault::Deferred))),
    ] {
        assert_eq!(in_short(&outcome_of(script).await), outcome, "{script}");
    }
}

#[tokio::test]
async fn silence_is_unknown_only_after_the_final_dot() {
    let not_sent = ("not_sent", Some(Fault::ProviderError));
    for answers in ["", "> 250 ok\n", "> 250 ok\n> 250 ok\n"] {
        for end in ["! close", "! hold"] {
            let script = format!("{answers}{end}");
            assert_eq!(in_short(&outcome_of(&script).await), not_sent, "{script}");
        }
    }
    let garbled = outcome_of("> 250 ok\n> oh well").await;
    assert_eq!(in_short(&garbled), ("not_sent", Some(Fault::ProtocolError)));
    for end in ["! close", "! hold"] {
        let script = format!("> 250 ok\n> 250 ok\n> 354 go\n! body\n{end}");
        assert_eq!(in_short(&outcome_of(&script).await), ("unknown", Some(Fault::ProviderError)), "{script}");
    }
}

#[tokio::test]
async fn a_refusal_stands_even_if_the_rest_is_never_answered() {
    for end in ["! close", "> 503 no\n! close", "> 421 bye", "> what"] {
        let outcome = outcome_of(&format!("> 550 5.1.8 no such sender\n{end}")).await;
        assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::AccountError)), "{end}");
    }
    for end in ["! close", "> 421 bye", "> what"] {
        let outcome = outcome_of(&format!("> 250 ok\n> 550 5.1.1 unknown\n{end}")).await;
        assert_eq!(in_short(&outcome), ("refused", Some(Fault::MailboxUnknown)), "{end}");
    }
}

#[tokio::test]
async fn a_relay_that_wants_a_letter_for_nobody_gets_the_dot_alone() {
    let refused = "> 250 ok\n> 550 5.1.1 unknown\n> 354 go\n< .\n";
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{ALL}{refused}> 554 5.5.1 nobody\n{ALL}{TAKEN}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(in_short(&provider.submit(&envelope(TO)).await), ("refused", Some(Fault::MailboxUnknown)));
    assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
    assert_eq!(relay.ended(1).await, Vec::<String>::new());

    // One that takes even that for a letter is not trusted with another over the same connection.
    let odd = format!("{HELLO}{ALL}{refused}> 250 queued\n! hold");
    let relay = ScriptedSmtp::start(&[&odd, &format!("{HELLO}{ALL}{TAKEN}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(in_short(&provider.submit(&envelope(TO)).await), ("refused", Some(Fault::MailboxUnknown)));
    assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
    assert_eq!(relay.ended(2).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_recipient_costs_neither_the_connection_nor_a_round_trip() {
    let refused = "> 250 ok\n> 550 5.1.1 unknown\n> 554 no\n";
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{ALL}{refused}< RSET\n{ALL}> 250 ok\n{TAKEN}")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "refused");
    assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_within_the_same_letter() {
    for after in ["! close".to_owned(), format!("{ALL}> 421 4.4.2 idle too long"), format!("{ALL}! close")] {
        let ended = usize::from(after == "! close");
        let relay =
            ScriptedSmtp::start(&[&format!("{HELLO}{ALL}{TAKEN}{after}"), &format!("{HELLO}{ALL}{TAKEN}")]).await;
        let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
        assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
        relay.ended(ended).await;
        let outcome = provider.submit(&envelope(TO)).await;
        assert_eq!(outcome.as_str(), "accepted", "{after}: {outcome:?}");
        assert_eq!(relay.ended(2).await, Vec::<String>::new());
    }
}
