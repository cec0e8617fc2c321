//! Where letters come back to: the envelope's sender, what is asked for in reports, and what is refused at start.

use touchline::domain::return_path::Way;

use super::{Relay, envelope, return_paths};
use crate::support::scripted_smtp::ScriptedSmtp;

const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n> 250 ok\n";

/// MAIL and RCPT as they are said, for an account with these settings.
async fn said(settings: &str, to: &str, attempts: usize) -> Vec<(String, String, touchline::domain::id::AttemptId)> {
    let relay =
        ScriptedSmtp::start(&[&format!("> 220 relay\n< EHLO\n> 250-relay\n> 250 DSN\n{}", LETTER.repeat(attempts))])
            .await;
    let provider = Relay::new(relay.address.port(), &format!("tls = \"off\"\n{settings}")).provider();
    let mut said = Vec::new();
    for letter in 0..attempts {
        let envelope = envelope(to);
        assert_eq!(provider.submit(&envelope).await.as_str(), "accepted");
        let heard = relay.heard();
        let at = 1 + letter * 3;
        said.push((heard[at].clone(), heard[at + 1].clone(), envelope.attempt));
    }
    said
}

fn sender(mail: &str) -> &str {
    mail.split(['<', '>']).nth(1).expect("a sender")
}

#[tokio::test]
async fn each_attempt_returns_to_an_address_of_its_own() {
    let said = said("return_path = \"bounces@harbor.example\"", "dana@clinic.example", 2).await;
    for (mail, _, attempt) in &said {
        let sender = sender(mail);
        assert!(sender.starts_with("bounces+b") && sender.ends_with("@harbor.example"), "{mail}");
        assert_eq!(return_paths().read(sender), Some((Way::Bounce, *attempt)));
        assert!(mail.contains(&format!("> RET=HDRS ENVID={attempt}")), "{mail}");
    }
    assert_ne!(sender(&said[0].0), sender(&said[1].0));
}

#[tokio::test]
async fn a_relay_that_takes_no_plus_gets_the_mailbox_itself_and_without_one_the_sender_stays() {
    let plain =
        said("return_path = \"bounces@harbor.example\"\nreturn_path_verp = false", "dana@clinic.example", 1).await;
    assert_eq!(sender(&plain[0].0), "bounces@harbor.example");
    let none = said("", "dana@clinic.example", 1).await;
    assert_eq!(sender(&none[0].0), "letters@harbor.example");
}

#[tokio::test]
async fn the_address_that_was_written_to_is_named_in_xtext() {
    let said = said("", "front+desk=1@clinic.example", 1).await;
    let rcpt =
        "RCPT TO:<front+desk=1@clinic.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;front+2Bdesk+3D1@clinic.example";
    assert_eq!(said[0].1, rcpt);
}

#[test]
fn a_return_path_that_cannot_work_is_refused_at_start() {
    for (settings, why) in [
        ("return_path_verp = true", "return_path_verp is given without return_path"),
        ("return_path_verp = false", "return_path_verp is given without return_path"),
        ("return_path = \"returned-mail-of-the-practice@harbor.example\"", "23 characters at most"),
        ("return_path = \"bürsten@harbor.example\"", "ASCII letters"),
        ("return_path = \"no mailbox\"", "return_path"),
        ("requiretls = \"always\"", "expected one of `never`, `if_offered`, `phi`"),
        ("requiretls = \"phi\"", "remove tls = \"off\""),
    ] {
        let refused = Relay::new(25, &format!("tls = \"off\"\n{settings}")).build().expect_err(settings).to_string();
        assert!(refused.contains(why), "{settings}: {refused}");
    }
    let long =
        "tls = \"off\"\nreturn_path_verp = false\nreturn_path = \"returned-mail-of-the-practice@harbor.example\"";
    assert!(Relay::new(25, long).build().is_ok());
}
