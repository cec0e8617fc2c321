//! Logging in: the strongest mechanism first, a refused mechanism is not a refused password, and a login that is refused
//! by policy names the way out.

use touchline::domain::{About, Fault, Outcome, Remedy};

use super::{Relay, envelope};
use crate::support::scripted_smtp::{Identity, ScriptedSmtp};

const TO: &str = "dana@clinic.example";
const PLAIN: &str = "AUTH PLAIN AGZyb250ZGVzawBvcGVuLXNlc2FtZQ==";
const QUESTIONS: &str = "< AUTH LOGIN\n> 334 VXNlcm5hbWU6\n< ZnJvbnRkZXNr\n> 334 UGFzc3dvcmQ6\n< b3Blbi1zZXNhbWU=\n";
const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n> 250 ok\n";

/// Submits one letter with a login to a relay that offers `mechanisms` and goes on as `script` says.
async fn outcome_of(mechanisms: &str, script: &str) -> (Outcome, Vec<String>) {
    let script = format!("> 220 relay\n< EHLO\n> 250-relay\n> 250 {mechanisms}\n{script}");
    let relay = ScriptedSmtp::start(&[&script]).await;
    let mut account = Relay::new(relay.address.port(), "tls = \"off\"\nusername = \"frontdesk\"");
    account.password = Some("open-sesame");
    let outcome = account.provider().submit(&envelope(TO)).await;
    assert_eq!(relay.ended(1).await, Vec::<String>::new(), "{script}");
    let told = format!("{outcome:?}");
    assert!(!told.contains("frontdesk") && !told.contains("sesame"), "{told}");
    (outcome, relay.verbs())
}

fn in_short(outcome: &Outcome) -> (&'static str, Option<Fault>, Option<About>, Option<Remedy>) {
    let failure = outcome.failure();
    let about = failure.and_then(|failure| failure.about);
    (outcome.as_str(), failure.map(|failure| failure.fault), about, failure.and_then(|failure| failure.remedy))
}

#[tokio::test]
async fn a_refused_mechanism_is_not_a_refused_password() {
    for refusal in [
        "504 5.7.4 Unrecognized authentication type",
        "535 5.7.4 Unrecognized authentication type",
        "504 5.5.4 mechanism not supported",
        "501 5.5.2 cannot decode",
        "502 5.5.1 not implemented",
        "500 what",
    ] {
        let script = format!("< {PLAIN}\n> {refusal}\n{QUESTIONS}> 235 welcome\n{LETTER}");
        let (outcome, _) = outcome_of("AUTH PLAIN LOGIN", &script).await;
        assert_eq!(outcome.as_str(), "accepted", "{refusal}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_password_is_not_tried_again_by_another_mechanism() {
    for refusal in ["535 5.7.8 no", "535 no", "550 5.7.1 no", "534 5.7.9 Application-specific password required"] {
        let (outcome, verbs) = outcome_of("AUTH LOGIN PLAIN", &format!("< {PLAIN}\n> {refusal}")).await;
        assert_eq!(
            (outcome.as_str(), outcome.failure().map(|failure| failure.fault)),
            ("not_sent", Some(Fault::AccountError))
        );
        assert_eq!(verbs, ["EHLO", "AUTH"], "{refusal}");
    }
}

#[tokio::test]
async fn where_every_mechanism_is_refused_or_none_is_known_the_account_is_told_so() {
    let both = format!("< {PLAIN}\n> 504 5.7.4 no\n< AUTH LOGIN\n> 504 5.7.4 no");
    let told = ("not_sent", Some(Fault::AccountError), Some(About::Account), Some(Remedy::OtherLogin));
    assert_eq!(in_short(&outcome_of("AUTH PLAIN LOGIN", &both).await.0), told);
    assert_eq!(in_short(&outcome_of("AUTH GSSAPI XOAUTH2", "! hold").await.0), told);
    assert_eq!(in_short(&outcome_of("SIZE 1000000", "! hold").await.0), told);
}

#[tokio::test]
async fn mechanisms_announced_in_the_old_way_are_known_too() {
    let (outcome, _) = outcome_of("AUTH=LOGIN", &format!("{QUESTIONS}> 235 welcome\n{LETTER}")).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
}

#[tokio::test]
async fn a_login_refused_by_policy_names_the_remedy() {
    for (refusal, remedy) in [
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [SN7PR04CA0001.namprd04.prod.outlook.com]",
            Remedy::OauthMicrosoft,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
            Remedy::OauthMicrosoft,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            Remedy::OauthMicrosoft,
        ),
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", Remedy::OauthMicrosoft),
        ("535 5.7.3 Authentication unsuccessful", Remedy::OauthMicrosoft),
        ("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", Remedy::CheckPassword),
        ("534 5.7.9 Application-specific password required.", Remedy::AppPassword),
        ("535 5.7.8 Username and Password not accepted.", Remedy::AppPassword),
        ("534 5.7.14 Please log in via your web browser and then try again.", Remedy::OauthGoogle),
        ("535 Authentication Credentials Invalid", Remedy::CheckPassword),
        ("535 Incorrect authentication data", Remedy::CheckPassword),
    ] {
        let (outcome, _) = outcome_of("AUTH PLAIN", &format!("< {PLAIN}\n> {refusal}")).await;
        let told = ("not_sent", Some(Fault::AccountError), Some(About::Account), Some(remedy));
        assert_eq!(in_short(&outcome), told, "{refusal}");
    }
}

/// The relay's words are those of RFC 7677, whose nonce nobody else draws: it cannot be the one that was meant.
#[tokio::test]
async fn the_strongest_mechanism_goes_first_and_a_challenge_for_somebody_else_is_not_answered() {
    let challenge = "cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=";
    let script =
        format!("< AUTH SCRAM-SHA-256\n> 334 {challenge}\n< *\n> 501 5.5.2 withdrawn\n< {PLAIN}\n> 235 ok\n{LETTER}");
    let (outcome, _) = outcome_of("AUTH LOGIN PLAIN SCRAM-SHA-256", &script).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
}

#[tokio::test]
async fn a_relay_that_keeps_only_hashes_gets_the_password_after_all() {
    let script = format!("< AUTH SCRAM-SHA-256\n> 535 5.7.8 no\n< {PLAIN}\n> 235 ok\n{LETTER}");
    let (outcome, _) = outcome_of("AUTH PLAIN SCRAM-SHA-256", &script).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
}

#[tokio::test]
async fn a_relay_that_does_not_know_ehlo_is_greeted_with_helo_and_offers_nothing() {
    for refusal in ["500 what", "502 5.5.1 not implemented", "501 5.5.4 no", "504 no"] {
        let script = format!("> 220 relay\n< EHLO\n> {refusal}\n< HELO\n> 250 relay\n{LETTER}");
        let relay = ScriptedSmtp::start(&[&script]).await;
        let outcome = Relay::new(relay.address.port(), "tls = \"off\"").provider().submit(&envelope(TO)).await;
        assert_eq!(outcome.as_str(), "accepted", "{refusal}: {outcome:?}");
        assert_eq!(relay.verbs(), ["EHLO", "HELO", "MAIL", "RCPT", "DATA"]);
    }
    let identity = Identity::new("localhost");
    let relay = ScriptedSmtp::start_as(identity, &["> 220 relay\n< EHLO\n> 502 no\n< HELO\n> 250 relay\n! hold"]).await;
    let outcome = Relay::new(relay.address.port(), "").provider().submit(&envelope(TO)).await;
    let told = ("not_sent", Some(Fault::TlsRequired), Some(About::Path), Some(Remedy::UseEncryption));
    assert_eq!(in_short(&outcome), told, "required encryption fails clearly");
}

#[tokio::test]
async fn a_letter_that_asks_for_more_encryption_than_the_account_is_about_itself() {
    let plain = "> 220 relay\n< EHLO\n> 250 relay\n! hold";
    let relay = ScriptedSmtp::start(&[plain, plain]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    let outcome = provider.submit(&super::phi_envelope(TO)).await;
    assert_eq!(outcome.failure().and_then(|failure| failure.about), Some(About::Letter));
}
