//! Logging in with a token: what is said, octet for octet; a refused token is renewed once; a token and a password never meet.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use touchline::domain::{About, Fault, Outcome, Remedy};

use super::{Relay, envelope};
use crate::support::scripted_smtp::ScriptedSmtp;
use crate::support::token_server::{CANARY, MAILBOX, SECRET, TokenServer, service_account};

const TO: &str = "dana@clinic.example";
const SCOPE: &str = "https://outlook.office365.com/.default";
const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n> 250 ok\n";
/// `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, as Google sends it.
const CONTINUATION: &str =
    "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

fn xoauth2(number: u32) -> String {
    let said = format!("user={MAILBOX}\u{1}auth=Bearer {CANARY}-access-{number}\u{1}\u{1}");
    format!("AUTH XOAUTH2 {}", BASE64.encode(said))
}

fn oauthbearer(port: u16, number: u32) -> String {
    let token = format!("{CANARY}-access-{number}");
    let said = format!("n,a={MAILBOX},\u{1}host=localhost\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}");
    format!("AUTH OAUTHBEARER {}", BASE64.encode(said))
}

/// One letter by an app registration to a relay with these scripts after its greeting; `PORT` stands for OAUTHBEARER's first
/// response.
async fn outcome_of(offers: &str, scripts: &[&str]) -> (Outcome, ScriptedSmtp, TokenServer) {
    let tokens = TokenServer::start(SCOPE, true).await;
    let scripts: Vec<String> =
        scripts.iter().map(|script| format!("> 220 relay\n< EHLO\n> 250-relay\n> 250 {offers}\n{script}")).collect();
    let relay = ScriptedSmtp::start(&scripts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let settings = format!("tls = \"off\"\n{}", tokens.settings(false));
    let mut account = Relay::new(relay.address.port(), &settings);
    account.secrets = vec![("client_secret", SECRET.to_owned())];
    let outcome = account.provider().submit(&envelope(TO)).await;
    assert_eq!(relay.ended(scripts.len()).await, Vec::<String>::new());
    let told = format!("{outcome:?}");
    assert!(!told.contains("canary") && !told.contains(MAILBOX), "{told}");
    (outcome, relay, tokens)
}

#[tokio::test]
async fn a_token_is_said_as_google_and_microsoft_describe_it() {
    let script = format!("< {}\n> 235 2.7.0 Accepted\n{LETTER}", xoauth2(1));
    let (outcome, ..) = outcome_of("AUTH LOGIN PLAIN XOAUTH2", &[&script]).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
}

#[tokio::test]
async fn a_token_is_said_by_the_rfc_where_the_relay_knows_it() {
    let script = format!("< AUTH OAUTHBEARER\n> 235 2.7.0 Accepted\n{LETTER}");
    let (outcome, relay, _) = outcome_of("AUTH XOAUTH2 OAUTHBEARER", &[&script]).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
    assert_eq!(relay.heard()[1], oauthbearer(relay.address.port(), 1));
}

#[tokio::test]
async fn a_refused_token_is_answered_renewed_once_and_tried_over_another_connection() {
    for (offers, said, goes_on) in
        [("AUTH XOAUTH2", "AUTH XOAUTH2", ""), ("AUTH OAUTHBEARER", "AUTH OAUTHBEARER", "AQ==")]
    {
        let refused = format!("< {said}\n> 334 {CONTINUATION}\n< {goes_on}\n> 535 5.7.8 no");
        let accepted = format!("< {said}\n> 235 ok\n{LETTER}");
        let (outcome, relay, tokens) = outcome_of(offers, &[&refused, &accepted]).await;
        assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
        let heard = relay.heard();
        assert_eq!(heard[2], goes_on, "the whole line: {heard:?}");
        let logins: Vec<&String> = heard.iter().filter(|line| line.starts_with("AUTH")).collect();
        assert!(logins.len() == 2 && logins[0] != logins[1], "another token: {logins:?}");
        assert_eq!(tokens.asked("client_credentials"), 2);
    }
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_about_the_account() {
    let by_google =
        format!("< AUTH XOAUTH2\n> 334 {CONTINUATION}\n< \n> 535 5.7.8 Username and Password not accepted.");
    // Microsoft refuses without a continuation.
    let by_microsoft =
        "< AUTH XOAUTH2\n> 535 5.7.3 Authentication unsuccessful [SN7PR04CA0001.namprd04.prod.outlook.com]";
    let disabled = "< AUTH XOAUTH2\n> 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.";
    for script in [by_google.as_str(), by_microsoft, disabled] {
        let (outcome, _, tokens) = outcome_of("AUTH XOAUTH2", &[script, script]).await;
        let failure = outcome.failure().expect("refused");
        assert_eq!((outcome.as_str(), failure.fault), ("not_sent", Fault::AccountError), "{script}");
        assert_eq!((failure.about, failure.remedy), (Some(About::Account), Some(Remedy::MailboxAccess)), "{script}");
        assert_eq!(tokens.asked("client_credentials"), 2, "once more, and not again");
        if script.contains("334") {
            assert!(
                failure.raw_text.as_deref().is_some_and(|words| words.ends_with("(token status 400)")),
                "{failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_relay_that_repeats_the_command_makes_no_token_known() {
    let said = xoauth2(1);
    let encoded = said.trim_start_matches("AUTH XOAUTH2 ");
    for echo in [said.as_str(), &format!("<{encoded}>"), encoded.trim_end_matches('='), &encoded[..40]] {
        let script = format!("< AUTH XOAUTH2\n> 454 4.7.0 cannot do {echo}");
        let (outcome, ..) = outcome_of("AUTH XOAUTH2", &[&script]).await;
        let words = outcome.failure().and_then(|failure| failure.raw_text.clone()).expect("words");
        assert!(words.contains("cannot do") && !words.contains(&encoded[..16]), "{words}");
    }
}

#[tokio::test]
async fn a_relay_in_trouble_is_not_shown_a_second_token() {
    for refusal in ["454 4.7.0 Temporary authentication failure", "421 4.3.2 Service not available", "432 4.3.2 later"]
    {
        let script = format!("< AUTH XOAUTH2\n> {refusal}");
        let (outcome, _, tokens) = outcome_of("AUTH XOAUTH2", &[&script]).await;
        let failure = outcome.failure().expect("refused");
        assert_eq!(outcome.as_str(), "not_sent", "{refusal}");
        assert_ne!(failure.fault, Fault::AccountError, "{refusal}");
        assert_eq!(tokens.asked("client_credentials"), 1, "{refusal}");
    }
}

#[tokio::test]
async fn a_refused_mechanism_is_not_a_refused_token() {
    let script = format!(
        "< AUTH OAUTHBEARER\n> 504 5.7.4 Unrecognized authentication type\n< {}\n> 235 ok\n{LETTER}",
        xoauth2(1)
    );
    let (outcome, _, tokens) = outcome_of("AUTH XOAUTH2 OAUTHBEARER", &[&script]).await;
    assert_eq!((outcome.as_str(), tokens.asked("client_credentials")), ("accepted", 1), "{outcome:?}");
}

#[tokio::test]
async fn a_token_is_no_password_and_a_password_no_token() {
    let (outcome, relay, _) = outcome_of("AUTH PLAIN LOGIN", &["! hold"]).await;
    let failure = outcome.failure().expect("refused");
    assert_eq!((failure.fault, failure.remedy), (Fault::AccountError, Some(Remedy::OtherLogin)));
    assert_eq!(relay.verbs(), ["EHLO"], "nothing was said");
}

#[tokio::test]
async fn a_service_that_refuses_or_fails_says_whose_matter_it_is() {
    for (status, word, fault, remedy) in [
        (400, "invalid_client", Fault::AccountError, Remedy::AppRegistration),
        (401, "unauthorized_client", Fault::AccountError, Remedy::AppRegistration),
        (400, "invalid_scope", Fault::AccountError, Remedy::AppRegistration),
        (503, "temporarily_unavailable", Fault::ProviderError, Remedy::WaitForRelay),
        (500, "", Fault::ProviderError, Remedy::WaitForRelay),
    ] {
        let tokens = TokenServer::start(SCOPE, true).await;
        let text = "canary-in-a-description";
        tokens.refuse(Some((status, serde_json::json!({ "error": word, "error_description": text }))));
        let settings = format!("tls = \"off\"\n{}", tokens.settings(false));
        let mut account = Relay::new(9, &settings);
        account.secrets = vec![("client_secret", SECRET.to_owned())];
        let outcome = account.provider().submit(&envelope(TO)).await;
        let failure = outcome.failure().expect("refused");
        assert_eq!((outcome.as_str(), failure.fault, failure.remedy), ("not_sent", fault, Some(remedy)), "{word}");
        assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_service_account_signs_for_the_mailbox() {
    let scope = "https://mail.google.com/";
    let tokens = TokenServer::start(scope, false).await;
    let script = format!("> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH XOAUTH2\n< {}\n> 235 ok\n{LETTER}", xoauth2(1));
    let relay = ScriptedSmtp::start(&[&script]).await;
    let settings = format!(
        "tls = \"off\"\nhost = \"localhost\"\noauth = \"google\"\ntoken_url = \"{}/token\"\nusername = \"{MAILBOX}\"",
        tokens.url
    );
    let mut account = Relay::new(relay.address.port(), &settings);
    account.secrets = vec![("service_account", service_account())];
    let outcome = account.provider().submit(&envelope(TO)).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?} {:?}", tokens.requests());
}

#[tokio::test]
async fn a_check_says_how_the_account_signs_in() {
    let tokens = TokenServer::start(SCOPE, true).await;
    let relay =
        ScriptedSmtp::start(&["> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH XOAUTH2\n< AUTH XOAUTH2\n> 235 ok"]).await;
    let settings = format!("tls = \"off\"\n{}", tokens.settings(false));
    let mut account = Relay::new(relay.address.port(), &settings);
    account.secrets = vec![("client_secret", SECRET.to_owned())];
    let told = account.provider().check().await.expect("it works");
    assert!(told.contains("client credentials of the app registration"), "{told}");
}
