//! A relay that lies: it answers twice, ahead of time, out of order, or with what answers something else. No answer passes for
//! that of another command, nothing is taken for sent that may not be, and nobody else's letter pays for it.

use touchline::domain::{Fault, Outcome};

use super::{Relay, envelope};
use crate::support::scripted_smtp::ScriptedSmtp;

const TO: &str = "dana@clinic.example";
const HELLO: &str = "> 220 relay\n< EHLO\n> 250 relay\n";
const MAIL: &str = "< MAIL\n> 250 ok\n";
const RCPT: &str = "< RCPT\n> 250 ok\n";
const DATA: &str = "< DATA\n> 354 go\n";
const TAKEN: &str = "! body\n> 250 ok\n";

fn in_short(outcome: &Outcome) -> (&'static str, Option<Fault>) {
    (outcome.as_str(), outcome.failure().map(|failure| failure.fault))
}

/// One letter by a relay that lies, and another by the same account, which is served honestly over a connection of its own.
async fn outcomes(script: &str) -> (Outcome, Outcome) {
    let honest = format!("{HELLO}{MAIL}{RCPT}{DATA}{TAKEN}");
    let relay = ScriptedSmtp::start(&[&format!("{script}! hold"), &honest]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    let first = provider.submit(&envelope(TO)).await;
    (first, provider.submit(&envelope(TO)).await)
}

#[tokio::test]
async fn an_answer_too_many_or_out_of_order_never_passes_for_another_one() {
    let protocol = Some(Fault::ProtocolError);
    for (script, outcome) in [
        // Twice, where the second would answer the next command.
        (format!("> 220 relay\n> 220 relay\n{}", ""), ("not_sent", protocol)),
        (format!("{HELLO}< MAIL\n> 250 ok\n> 250 ok\n"), ("not_sent", protocol)),
        (format!("{HELLO}{MAIL}< RCPT\n> 250 ok\n> 354 go\n"), ("not_sent", protocol)),
        // Taken before it was there.
        (format!("{HELLO}{MAIL}{RCPT}< DATA\n> 354 go\n> 250 queued\n"), ("not_sent", protocol)),
        // An answer to something else.
        (format!("{HELLO}< MAIL\n> 354 go\n"), ("not_sent", protocol)),
        (format!("{HELLO}{MAIL}< RCPT\n> 354 go\n"), ("not_sent", protocol)),
        (format!("{HELLO}{MAIL}{RCPT}< DATA\n> 250 ok\n"), ("not_sent", protocol)),
        (format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 354 go\n"), ("unknown", protocol)),
        (format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 221 bye\n"), ("unknown", protocol)),
        (format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 235 welcome\n"), ("unknown", protocol)),
        // The first answer to the letter is the one that counts, and nothing else is read over that connection.
        (format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 250 ok\n> 250 ok\n"), ("accepted", None)),
        (format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 250 ok\n> 554 5.7.1 no\n"), ("accepted", None)),
        (
            format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> 554 5.7.1 spam\n> 250 ok\n"),
            ("refused", Some(Fault::PolicyRefusal)),
        ),
        // Yes to the recipient, and no to the letter.
        (format!("{HELLO}{MAIL}{RCPT}< DATA\n> 554 5.7.1 no\n! close\n"), ("refused", Some(Fault::PolicyRefusal))),
        (
            format!("{HELLO}{MAIL}{RCPT}< DATA\n> 554 5.1.1 unknown\n! close\n"),
            ("refused", Some(Fault::MailboxUnknown)),
        ),
    ] {
        let (first, second) = outcomes(&script).await;
        assert_eq!(in_short(&first), outcome, "{script}: {first:?}");
        assert_eq!(second.as_str(), "accepted", "{script}: {second:?}");
    }
}

/// A connection that breaks behind the answer loses nothing: the letter is the relay's, and the next one goes over another.
#[tokio::test]
async fn what_was_answered_stands_though_the_connection_breaks() {
    for (answer, outcome) in
        [("250 ok", ("accepted", None)), ("554 5.7.1 spam", ("refused", Some(Fault::PolicyRefusal)))]
    {
        let script = format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> {answer}\n! close\n");
        let (first, second) = outcomes(&script).await;
        assert_eq!(in_short(&first), outcome, "{answer}");
        assert_eq!(second.as_str(), "accepted", "{answer}");
    }
}

/// Where callbacks name a letter by the relay's own name alone, that is the reference; else it is the letter's `Message-ID`.
#[tokio::test]
async fn the_relays_own_name_is_the_reference_where_its_provider_calls_back() {
    const LONG: &str = "0102018c2f3d4e5f-8a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-000000";
    for (events, answer, is_kept) in [
        (true, format!("250 Ok {LONG}"), true),
        (false, format!("250 Ok {LONG}"), false),
        (true, "250 2.0.0 Ok: queued as 4F00BA1C2D".to_owned(), false),
        (true, "250 Great success".to_owned(), false),
    ] {
        let relay = ScriptedSmtp::start(&[&format!("{HELLO}{MAIL}{RCPT}{DATA}! body\n> {answer}\n! hold")]).await;
        let settings = if events { "tls = \"off\"\nevents = \"mailgun\"" } else { "tls = \"off\"" };
        let mut account = Relay::new(relay.address.port(), settings);
        if events {
            account.secrets = vec![("events_key", "a key of the tests".to_owned())];
        }
        let envelope = envelope(TO);
        let Outcome::Accepted { reference } = account.provider().submit(&envelope).await else {
            panic!("not accepted: {answer}")
        };
        let own = format!("<{}@harbor.example>", envelope.attempt);
        assert_eq!(reference.0, if is_kept { LONG.to_owned() } else { own }, "{answer}");
    }
}
