//! Encryption: each mode keeps its promise, and health information goes over verified TLS or not at all.

use touchline::domain::envelope::Envelope;
use touchline::domain::{About, Fault, Outcome, PhiClass, Purpose};

use super::{Relay, envelope, phi_envelope};
use crate::support::scripted_smtp::{Identity, ScriptedSmtp};

const TO: &str = "dana@clinic.example";
const PLAIN: &str = "> 220 relay\n< EHLO\n> 250 relay\n";
const UPGRADE: &str = "> 220 relay\n< EHLO\n> 250-relay\n> 250 STARTTLS\n< STARTTLS\n> 220 go\n! tls\n";
const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n> 250 ok\n";

fn fault(outcome: &Outcome) -> Option<(&'static str, Fault)> {
    outcome.failure().map(|failure| (outcome.as_str(), failure.fault))
}

#[tokio::test]
async fn required_means_that_nothing_is_sent_in_the_clear() {
    let refusing = "> 220 relay\n< EHLO\n> 250-relay\n> 250 STARTTLS\n< STARTTLS\n> 454 4.7.0 not today\n! hold";
    for (script, verbs) in [(format!("{PLAIN}! hold"), vec!["EHLO"]), (refusing.to_owned(), vec!["EHLO", "STARTTLS"])] {
        let relay = ScriptedSmtp::start(&[&script]).await;
        let outcome = Relay::new(relay.address.port(), "").provider().submit(&envelope(TO)).await;
        assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)), "{script}");
        assert_eq!(relay.verbs(), verbs);
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused() {
    let relay = ScriptedSmtp::start(&[UPGRADE]).await;
    let outcome = Relay::new(relay.address.port(), "").provider().submit(&envelope(TO)).await;
    assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)));
    assert!(format!("{outcome:?}").contains("authority that is not trusted"), "{outcome:?}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let identity = Identity::new("mail.elsewhere.example");
    let file = identity.trusted();
    let relay = ScriptedSmtp::start_as(identity, &[UPGRADE]).await;
    let settings = format!("accept_ca_file = {:?}", file.path());
    let outcome = Relay::new(relay.address.port(), &settings).provider().submit(&envelope(TO)).await;
    assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)));
    assert!(format!("{outcome:?}").contains("for another name"), "{outcome:?}");
}

#[tokio::test]
async fn a_trusted_relay_is_greeted_again_under_tls_and_gets_the_letter() {
    let identity = Identity::new("localhost");
    let file = identity.trusted();
    let relay = ScriptedSmtp::start_as(identity, &[&format!("{UPGRADE}< EHLO\n> 250 relay\n{LETTER}")]).await;
    let settings = format!("accept_ca_file = {:?}", file.path());
    let outcome = Relay::new(relay.address.port(), &settings).provider().submit(&phi_envelope(TO)).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
    assert_eq!(relay.verbs(), ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn words_sent_in_the_clear_behind_starttls_are_never_read_as_answers_under_tls() {
    let script = "> 220 relay\n< EHLO\n> 250-relay\n> 250 STARTTLS\n< STARTTLS\n> 220 go\n> 250 injected\n! hold";
    let relay = ScriptedSmtp::start(&[script]).await;
    let outcome = Relay::new(relay.address.port(), "").provider().submit(&envelope(TO)).await;
    assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)));
}

#[tokio::test]
async fn implicit_tls_is_there_before_the_greeting() {
    let identity = Identity::new("localhost");
    let file = identity.trusted();
    let script = format!("! tls\n{PLAIN}< QUIT\n> 221 bye");
    let relay = ScriptedSmtp::start_as(identity, &[&script]).await;
    let settings = format!("tls = \"implicit\"\naccept_ca_file = {:?}", file.path());
    let checked = Relay::new(relay.address.port(), &settings).provider().check().await;
    assert_eq!(checked.as_deref(), Ok("relay answered with implicit TLS (TLS 1.3, certificate checked)"));
}

#[tokio::test]
async fn opportunistic_takes_what_is_offered() {
    let settings = "tls = \"opportunistic\"";
    let relay = ScriptedSmtp::start(&[&format!("{PLAIN}{LETTER}")]).await;
    let outcome = Relay::new(relay.address.port(), settings).provider().submit(&envelope(TO)).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
    let relay = ScriptedSmtp::start(&[&format!("{UPGRADE}< EHLO\n> 250 relay\n{LETTER}")]).await;
    let outcome = Relay::new(relay.address.port(), settings).provider().submit(&envelope(TO)).await;
    assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
}

#[tokio::test]
async fn health_information_demands_verified_tls_whatever_the_mode() {
    for mode in ["off", "opportunistic"] {
        for script in [format!("{PLAIN}! hold"), UPGRADE.to_owned()] {
            let relay = ScriptedSmtp::start(&[&script]).await;
            let settings = format!("tls = {mode:?}");
            let outcome = Relay::new(relay.address.port(), &settings).provider().submit(&phi_envelope(TO)).await;
            assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)), "{mode}: {script}");
            assert!(!relay.verbs().contains(&"MAIL".to_owned()));
        }
    }
}

/// Each mode with each kind of line, for every purpose: what a letter goes over, and what one about a patient goes over.
#[tokio::test]
async fn only_a_proven_line_carries_health_information() {
    let starttls = format!("{UPGRADE}< EHLO\n> 250 relay\n{LETTER}! hold");
    let clear = format!("{PLAIN}{LETTER}! hold");
    let implicit = format!("! tls\n{PLAIN}{LETTER}! hold");
    // The mode; the line; whether its certificate is trusted and fits; whether a letter goes, and whether a patient's does.
    for (mode, script, is_proven, goes, goes_with_phi) in [
        ("off", &clear, false, true, false),
        ("off", &starttls, true, false, true),
        ("opportunistic", &clear, false, true, false),
        ("opportunistic", &starttls, false, true, false),
        ("opportunistic", &starttls, true, true, true),
        ("required", &clear, false, false, false),
        ("required", &starttls, false, false, false),
        ("required", &starttls, true, true, true),
        ("implicit", &implicit, false, false, false),
        ("implicit", &implicit, true, true, true),
    ] {
        for (purpose, phi, goes) in [
            (Purpose::Advertisement, PhiClass::None, goes),
            (Purpose::Informational, PhiClass::Deidentified, goes),
            (Purpose::Treatment, PhiClass::Identified, goes_with_phi),
            (Purpose::Operational, PhiClass::Identified, goes_with_phi),
        ] {
            // A letter in the clear to a relay that offers better: nothing is asked of it.
            if mode == "off" && is_proven && phi != PhiClass::Identified {
                continue;
            }
            let identity = Identity::new("localhost");
            let file = identity.trusted();
            let relay = ScriptedSmtp::start_as(identity, &[script]).await;
            let trust = if is_proven { format!("accept_ca_file = {:?}\n", file.path()) } else { String::new() };
            let settings = format!("{trust}tls = {mode:?}");
            let envelope = Envelope { purpose, phi, ..envelope(TO) };
            let outcome = Relay::new(relay.address.port(), &settings).provider().submit(&envelope).await;
            let case = format!("{mode}, proven: {is_proven}, {purpose}, {phi}: {outcome:?}");
            assert_eq!(outcome.as_str() == "accepted", goes, "{case}");
            assert_eq!(relay.verbs().contains(&"MAIL".to_owned()), goes, "{case}");
            let peer = envelope.transport.get().and_then(|way| way.peer);
            assert!(phi != PhiClass::Identified || peer.is_some() == goes, "{case}");
        }
    }
}

/// A connection that died is replaced by one that is worth as much, or by none.
#[tokio::test]
async fn a_proven_line_that_broke_is_not_replaced_by_one_in_the_clear() {
    let identity = Identity::new("localhost");
    let file = identity.trusted();
    let proven = format!("{UPGRADE}< EHLO\n> 250 relay\n{LETTER}! close");
    let relay = ScriptedSmtp::start_as(identity, &[&proven, &format!("{PLAIN}! hold")]).await;
    let settings = format!("accept_ca_file = {:?}\ntls = \"opportunistic\"", file.path());
    let provider = Relay::new(relay.address.port(), &settings).provider();
    assert_eq!(provider.submit(&phi_envelope(TO)).await.as_str(), "accepted");
    relay.ended(1).await;
    let outcome = provider.submit(&phi_envelope(TO)).await;
    assert_eq!(fault(&outcome), Some(("not_sent", Fault::TlsRequired)));
    assert_eq!(relay.verbs().iter().filter(|verb| *verb == "MAIL").count(), 1);
}

#[tokio::test]
async fn health_information_does_not_follow_another_letter_over_an_open_line() {
    let relay = ScriptedSmtp::start(&[&format!("{PLAIN}{LETTER}! hold"), &format!("{PLAIN}! hold")]).await;
    let provider = Relay::new(relay.address.port(), "tls = \"off\"").provider();
    assert_eq!(provider.submit(&envelope(TO)).await.as_str(), "accepted");
    assert_eq!(fault(&provider.submit(&phi_envelope(TO)).await), Some(("not_sent", Fault::TlsRequired)));
}

#[tokio::test]
async fn how_a_letter_travelled_is_noted_whatever_became_of_it() {
    let refused = "< MAIL\n> 250 ok\n< RCPT\n> 550 5.1.1 no such user\n! hold";
    for (start, letter, mode, encrypted, peer) in [
        (PLAIN.to_owned(), LETTER, "off", false, None),
        (PLAIN.to_owned(), refused, "off", false, None),
        (format!("{UPGRADE}< EHLO\n> 250 relay\n"), LETTER, "opportunistic", true, None),
        (format!("{UPGRADE}< EHLO\n> 250 relay\n"), LETTER, "required", true, Some("localhost")),
        (format!("{UPGRADE}< EHLO\n> 250 relay\n"), refused, "required", true, Some("localhost")),
    ] {
        let identity = Identity::new("localhost");
        let file = identity.trusted();
        let relay = ScriptedSmtp::start_as(identity, &[&format!("{start}{letter}")]).await;
        let settings = format!("accept_ca_file = {:?}\ntls = {mode:?}", file.path());
        let envelope = envelope(TO);
        Relay::new(relay.address.port(), &settings).provider().submit(&envelope).await;
        let noted = envelope.transport.get().expect("noted");
        assert_eq!((noted.is_encrypted(), noted.peer.as_deref()), (encrypted, peer), "{mode}");
        let version = if encrypted { "TLS 1.3" } else { "none" };
        assert_eq!((noted.version.as_str(), noted.cipher.is_some()), (version, encrypted), "{mode}");
        assert!(noted.cipher.is_none_or(|cipher| cipher.starts_with("TLS13_")), "{mode}");
    }
    let unreachable = envelope(TO);
    let relay = ScriptedSmtp::start(&["! close"]).await;
    Relay::new(relay.address.port(), "tls = \"off\"").provider().submit(&unreachable).await;
    assert_eq!(unreachable.transport.get(), None, "no connection, no evidence");
}

/// RFC 8689: asked for behind TLS alone, and by letters that demand it sent by nobody who does not offer it.
#[tokio::test]
async fn the_hops_behind_the_relay_are_bound_as_the_account_says() {
    let (offer, none) = ("< EHLO\n> 250-relay\n> 250 REQUIRETLS\n", "< EHLO\n> 250 relay\n");
    for (setting, offers, is_phi, asked, refused) in [
        ("never", offer, true, false, false),
        ("if_offered", offer, false, true, false),
        ("if_offered", none, true, false, false),
        ("phi", offer, true, true, false),
        ("phi", offer, false, false, false),
        ("phi", none, false, false, false),
        ("phi", none, true, false, true),
    ] {
        let identity = Identity::new("localhost");
        let file = identity.trusted();
        // What is offered in the clear counts for nothing.
        let start = "> 220 relay\n< EHLO\n> 250-relay\n> 250-REQUIRETLS\n> 250 STARTTLS\n< STARTTLS\n> 220 go\n! tls\n";
        let relay = ScriptedSmtp::start_as(identity, &[&format!("{start}{offers}{LETTER}")]).await;
        let settings = format!("accept_ca_file = {:?}\nrequiretls = {setting:?}", file.path());
        let envelope = if is_phi { phi_envelope(TO) } else { envelope(TO) };
        let outcome = Relay::new(relay.address.port(), &settings).provider().submit(&envelope).await;
        let case = format!("{setting}, {offers:?}, {is_phi}: {outcome:?}");
        assert_eq!(fault(&outcome), refused.then_some(("refused", Fault::TlsRequired)), "{case}");
        let about = outcome.failure().and_then(|failure| failure.about);
        assert_eq!(about, refused.then_some(About::Letter), "{case}");
        let mail = relay.heard().into_iter().find(|line| line.starts_with("MAIL"));
        assert_eq!(mail.is_none(), refused, "{case}");
        assert_eq!(mail.is_some_and(|mail| mail.ends_with(" REQUIRETLS")), asked, "{case}");
    }
}
