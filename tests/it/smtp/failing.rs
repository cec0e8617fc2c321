//! A relay that fails in each phase: before the final dot nothing was sent, an answer is an answer, and silence after
//! the dot is unknown.

use touchline::domain::envelope::Content;
use touchline::domain::{Fault, Outcome};

use super::{Relay, envelope};
use crate::support::ports;
use crate::support::scripted_smtp::ScriptedSmtp;

const TO: &str = "dana.whitfield@clinic.example";
const HELLO: &str = "> 220 relay\n< EHLO\n> 250 relay\n";
const READY: &str = "< MAIL FROM:<letters@harbor.example>\n> 250 ok\n< RCPT TO:<dana.whitfield@clinic.example>\n> 250 ok\n< DATA\n> 354 go\n";

/// Submits one letter to a relay that follows `script` after its greeting.
async fn outcome_of(script: &str, settings: &str) -> Outcome {
    let relay = ScriptedSmtp::start(&[script]).await;
    let provider = Relay::new(relay.address.port(), &format!("tls = \"off\"\n{settings}")).provider();
    let outcome = provider.submit(&envelope(TO)).await;
    assert_nothing_personal(&outcome);
    drop(provider);
    assert_eq!(relay.ended(1).await, Vec::<String>::new(), "{script}");
    outcome
}

fn assert_nothing_personal(outcome: &Outcome) {
    let told = format!("{:?}", outcome.failure()).to_lowercase();
    for word in ["dana", "whitfield", "clinic.example", "harbor", "evening"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
}

fn in_short(outcome: &Outcome) -> (&'static str, Option<Fault>) {
    (outcome.as_str(), outcome.failure().map(|failure| failure.fault))
}

#[tokio::test]
async fn a_relay_that_is_not_there_has_taken_nothing() {
    let (_socket, address) = ports::closed();
    let provider = Relay::new(address.port(), "host = \"127.0.0.1\"\ntls = \"off\"").provider();
    let outcome = provider.submit(&envelope(TO)).await;
    assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::ProviderError)));
    assert!(format!("{outcome:?}").contains("connection refused"), "{outcome:?}");
}

#[tokio::test]
async fn trouble_before_the_recipient_is_named_is_ours_or_the_relays() {
    for (script, fault) in [
        ("! close", Fault::ProviderError),
        ("> 421 4.3.2 come back later", Fault::RateLimited),
        ("> 554 5.7.1 go away", Fault::AccountError),
        ("> 554 no service here", Fault::ProviderError),
        ("> ftp ready", Fault::ProtocolError),
        ("> 220 relay\n< EHLO\n> 502 5.5.1 what", Fault::ProtocolError),
        ("> 220 relay\n< EHLO\n> 550 not you", Fault::ProviderError),
        ("> 220 relay\n< EHLO\n! close", Fault::ProviderError),
    ] {
        assert_eq!(in_short(&outcome_of(script, "").await), ("not_sent", Some(fault)), "{script}");
    }
    for (answer, fault) in [
        ("> 451 4.3.0 trouble with <letters@harbor.example>", Fault::ProviderError),
        ("> 451 4.7.1 too fast", Fault::RateLimited),
        ("> 452 4.5.3 too many", Fault::RateLimited),
        ("> 530 5.7.0 log in first", Fault::AccountError),
        ("> 550 5.1.8 no such sender", Fault::AccountError),
        ("> 555 5.5.4 what", Fault::ProtocolError),
        ("> 354 go on", Fault::ProtocolError),
        ("> oh well", Fault::ProtocolError),
        ("! close", Fault::ProviderError),
    ] {
        let script = format!("{HELLO}< MAIL\n{answer}");
        assert_eq!(in_short(&outcome_of(&script, "").await), ("not_sent", Some(fault)), "{script}");
    }
}

#[tokio::test]
async fn a_relay_that_says_nothing_is_given_up_and_has_taken_nothing() {
    for script in
        ["! hold".to_owned(), format!("{HELLO}< MAIL\n! hold"), format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n! hold")]
    {
        let outcome = outcome_of(&script, "command_timeout_seconds = 1").await;
        assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::ProviderError)), "{script}");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_refused_with_the_servers_code() {
    for (answer, fault, code) in [
        ("550 5.1.1 dana.whitfield: no such user at clinic.example", Fault::MailboxUnknown, "550 5.1.1"),
        ("550 <dana.whitfield@clinic.example>... unknown", Fault::MailboxUnknown, "550"),
        ("450 4.2.1 later", Fault::Deferred, "450 4.2.1"),
        ("451 4.7.1 greylisted", Fault::Deferred, "451 4.7.1"),
        ("452 4.2.2 full", Fault::MailboxFull, "452 4.2.2"),
        ("550 5.1.2 clinic.example has no mail", Fault::DomainUnknown, "550 5.1.2"),
        ("554 5.7.1 not from you", Fault::PolicyRefusal, "554 5.7.1"),
    ] {
        let outcome = outcome_of(&format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> {answer}"), "").await;
        assert_eq!(in_short(&outcome), ("refused", Some(fault)), "{answer}");
        assert_eq!(outcome.failure().and_then(|failure| failure.raw_code.as_deref()), Some(code));
    }
}

#[tokio::test]
async fn a_relay_that_lets_us_send_to_nobody_is_the_accounts_trouble() {
    let outcome = outcome_of(&format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 554 5.7.1 Relay access denied"), "").await;
    assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::AccountError)));
}

#[tokio::test]
async fn a_session_that_ends_at_the_recipient_has_taken_nothing() {
    let outcome = outcome_of(&format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 421 4.3.0 shutting down"), "").await;
    assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::RateLimited)));
}

#[tokio::test]
async fn a_refused_letter_is_refused() {
    let at_data = format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 554 5.7.1 no");
    assert_eq!(in_short(&outcome_of(&at_data, "").await), ("refused", Some(Fault::PolicyRefusal)));
    for (answer, fault) in [
        ("554 5.7.1 spam", Fault::PolicyRefusal),
        ("552 5.3.4 too big", Fault::TooLarge),
        ("451 4.3.0 disk", Fault::Deferred),
        ("550 5.7.26 no DMARC", Fault::PolicyRefusal),
    ] {
        let outcome = outcome_of(&format!("{HELLO}{READY}! body\n> {answer}"), "").await;
        assert_eq!(in_short(&outcome), ("refused", Some(fault)), "{answer}");
    }
}

#[tokio::test]
async fn silence_after_the_final_dot_is_unknown() {
    for (end, fault) in [
        ("! body\n! close", Fault::ProviderError),
        ("! body\n! hold", Fault::ProviderError),
        ("! body\n> thank you", Fault::ProtocolError),
        ("! body\n> 354 go on", Fault::ProtocolError),
    ] {
        let seconds = if end.contains("! hold") { 1 } else { 60 };
        let settings = format!("final_dot_timeout_seconds = {seconds}");
        let outcome = outcome_of(&format!("{HELLO}{READY}{end}"), &settings).await;
        assert_eq!(in_short(&outcome), ("unknown", Some(fault)), "{end}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_long_body_has_taken_nothing() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{READY}! some\n! close")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    let mut envelope = envelope(TO);
    if let Content::Mail(mail) = &mut envelope.content {
        mail.text = "A line of a letter that is far too long to fit into any buffer on the way.\n".repeat(150_000);
    }
    let outcome = provider.submit(&envelope).await;
    assert_eq!(in_short(&outcome), ("not_sent", Some(Fault::ProviderError)), "{outcome:?}");
    assert!(format!("{outcome:?}").contains("broke during the body"), "{outcome:?}");
}

/// Only behind the final dot may the letter have arrived; before it nothing was sent, whoever hung up at what.
#[tokio::test]
async fn a_connection_that_breaks_is_known_for_what_it_means_in_every_phase() {
    let auth = "> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH PLAIN\n< AUTH PLAIN\n";
    let starttls = "> 220 relay\n< EHLO\n> 250-relay\n> 250 STARTTLS\n< STARTTLS\n";
    for (script, tls, login, outcome) in [
        (String::new(), "off", false, "not_sent"),
        ("> 220 relay\n< EHLO\n".to_owned(), "off", false, "not_sent"),
        (starttls.to_owned(), "opportunistic", false, "not_sent"),
        (format!("{starttls}> 220 go\n"), "opportunistic", false, "not_sent"),
        (format!("{starttls}> 220 go\n! tls\n"), "opportunistic", false, "not_sent"),
        (format!("{starttls}> 220 go\n! tls\n< EHLO\n"), "opportunistic", false, "not_sent"),
        (auth.to_owned(), "off", true, "not_sent"),
        (format!("{auth}> 235 ok\n< MAIL\n"), "off", true, "not_sent"),
        (format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n"), "off", false, "not_sent"),
        (format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n"), "off", false, "not_sent"),
        (format!("{auth}> 235 ok\n"), "off", true, "not_sent"),
        (format!("{HELLO}< MAIL\n> 250 ok\n"), "off", false, "not_sent"),
        (format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n"), "off", false, "not_sent"),
        (format!("{HELLO}{READY}! body\n"), "off", false, "unknown"),
    ] {
        let relay = ScriptedSmtp::start(&[&format!("{script}! close")]).await;
        let user = if login { "\nusername = \"frontdesk\"" } else { "" };
        let settings = format!("tls = {tls:?}{user}");
        let mut account = Relay::new(relay.address.port(), &settings);
        account.password = login.then_some("open-sesame");
        let envelope = envelope(TO);
        let answer = account.provider().submit(&envelope).await;
        assert_eq!(in_short(&answer), (outcome, Some(Fault::ProviderError)), "{script}");
        assert_nothing_personal(&answer);
        let got_to_mail = script.contains("< MAIL") || script.contains("> 235");
        assert_eq!(envelope.transport.get().is_some(), got_to_mail, "how it travelled is known from MAIL on: {script}");
    }
}

#[tokio::test]
async fn an_accepted_letter_is_named_by_its_message_id() {
    let relay = ScriptedSmtp::start(&[&format!("{HELLO}{READY}! body\n> 250 2.0.0 queued as 4F00BA")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    let envelope = envelope(TO);
    let Outcome::Accepted { reference } = provider.submit(&envelope).await else { panic!("not accepted") };
    assert_eq!(reference.0, format!("<{}@harbor.example>", envelope.attempt));
    assert_eq!(touchline::provider::mail::attempt_of(&reference.0), Some(envelope.attempt));
}

#[tokio::test]
async fn a_letter_larger_than_the_relay_takes_is_not_begun() {
    let relay = ScriptedSmtp::start(&["> 220 relay\n< EHLO\n> 250-relay\n> 250 SIZE 100\n! hold"]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(in_short(&provider.submit(&envelope(TO)).await), ("refused", Some(Fault::TooLarge)));
    assert_eq!(relay.verbs(), ["EHLO"]);
}

#[tokio::test]
async fn bounces_are_asked_for_where_the_relay_knows_how() {
    let hello = "> 220 relay\n< EHLO\n> 250-relay\n> 250-SIZE 1000000\n> 250 DSN\n";
    let relay = ScriptedSmtp::start(&[&format!("{hello}{READY}! body\n> 250 ok")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    let envelope = envelope(TO);
    assert_eq!(provider.submit(&envelope).await.as_str(), "accepted");
    let heard = relay.heard();
    assert!(heard[1].starts_with("MAIL FROM:<letters@harbor.example> SIZE="), "{heard:?}");
    assert!(heard[1].ends_with(&format!(" RET=HDRS ENVID={}", envelope.attempt)), "{heard:?}");
    assert_eq!(
        heard[2],
        "RCPT TO:<dana.whitfield@clinic.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;dana.whitfield@clinic.example"
    );
}

#[tokio::test]
async fn a_rejected_login_stops_the_account_and_tells_no_secret() {
    let hello = "> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH PLAIN LOGIN\n< AUTH PLAIN\n";
    for (answer, fault) in [
        ("535 5.7.8 no such user frontdesk with open-sesame", Fault::AccountError),
        ("454 4.7.0 try again", Fault::RateLimited),
        ("538 5.7.11 not without encryption", Fault::TlsRequired),
    ] {
        let relay = ScriptedSmtp::start(&[&format!("{hello}> {answer}")]).await;
        let mut account = Relay::new(relay.address.port(), "tls = \"off\"\nusername = \"frontdesk\"");
        account.password = Some("open-sesame");
        let outcome = account.provider().submit(&envelope(TO)).await;
        assert_eq!(in_short(&outcome), ("not_sent", Some(fault)), "{answer}");
        let told = format!("{outcome:?}");
        assert!(!told.contains("frontdesk") && !told.contains("sesame"), "{told}");
    }
}

#[tokio::test]
async fn a_relay_that_knows_only_login_is_answered_question_by_question() {
    let script = "> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH LOGIN\n< AUTH LOGIN\n> 334 VXNlcm5hbWU6\n< ZnJvbnRkZXNr\n\
                  > 334 UGFzc3dvcmQ6\n< b3Blbi1zZXNhbWU=\n> 235 ok\n";
    let relay = ScriptedSmtp::start(&[&format!("{script}< QUIT\n> 221 bye")]).await;
    let mut account = Relay::new(relay.address.port(), "tls = \"off\"\nusername = \"frontdesk\"");
    account.password = Some("open-sesame");
    assert_eq!(account.provider().check().await.as_deref(), Ok("relay answered with AUTH, without encryption"));
    assert_eq!(relay.ended(1).await, Vec::<String>::new());
}
