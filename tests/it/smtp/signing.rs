//! Letters signed with DKIM: checked by a separate verifier, as they arrive at a mail catcher.

use std::time::Duration;

use tokio::net::TcpListener;
use touchline::domain::envelope::{Content, Envelope};
use touchline::domain::{Clock, Timestamp};
use touchline::provider::DnsRecord;
use touchline::sandbox::mail::{MailCatcher, Options};

use super::{Relay, email, envelope};
use crate::support::clock::FakeClock;
use crate::support::dkim_verifier::{Signature, verify};

const RSA: &str = include_str!("../fixtures/dkim/rsa.pem");
const RSA_SHORT: &str = include_str!("../fixtures/dkim/rsa-short.pem");
const ED25519: &str = include_str!("../fixtures/dkim/ed25519.pem");
const BOTH: &str = "tls = \"off\"\ndkim_domain = \"harbor.example\"\ndkim_rsa_selector = \"rsa2026\"\n\
                    dkim_ed25519_selector = \"ed2026\"";

fn keys() -> Vec<(&'static str, String)> {
    vec![("dkim_rsa_key", RSA.to_owned()), ("dkim_ed25519_key", ED25519.to_owned())]
}

/// What arrives of a letter, and what the account wants published.
async fn sent(settings: &str, envelope: &Envelope) -> (String, Vec<DnsRecord>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(listener, Options::default()).expect("a catcher");
    let mut relay = Relay::new(catcher.address().port(), settings);
    relay.secrets = keys();
    let provider = relay.provider();
    assert_eq!(provider.submit(envelope).await.as_str(), "accepted");
    let eml = String::from_utf8(catcher.messages()[0].eml.clone()).expect("ASCII");
    (eml, provider.dns_records())
}

fn verified(eml: &str, records: &[DnsRecord]) -> Vec<Signature> {
    verify(eml, &|name| records.iter().find(|record| record.name == name).map(|record| record.value.clone()))
}

fn advertisement() -> Envelope {
    let mut envelope = envelope("dana@clinic.example");
    if let Content::Mail(mail) = &mut envelope.content {
        mail.unsubscribe = Some("https://harbor.example/u/8f1c".into());
        mail.automatic = true;
        mail.reply_to = Some(email("frontdesk@harbor.example"));
        mail.subject = "Öffnungszeiten und  anderes".into();
        mail.text = "Dear Dr. Whitfield,\n.\n  indented   and spaced \t\n\n\n".into();
    }
    envelope
}

/// The verifier itself, on what others signed.
#[test]
fn the_verifier_agrees_with_the_standard_and_with_dkimpy() {
    let football = |name: &str| {
        match name {
        "brisbane._domainkey.football.example.com" => {
            Some("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned())
        }
        "test._domainkey.football.example.com" => Some(
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/\
             J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2k\
             ryOTIKT+l/K4w3QIDAQAB"
                .to_owned(),
        ),
        _ => None,
    }
    };
    let eml = include_str!("../fixtures/dkim/rfc8463.eml").replace('\n', "\r\n");
    let verdicts: Vec<_> = verify(&eml, &football).into_iter().map(|signature| signature.verdict).collect();
    assert_eq!(verdicts, [Ok(()), Ok(())]);
    let forged = eml.replace("hungry", "thirsty").replace("Is dinner", "Was dinner");
    assert!(verify(&forged, &football).iter().all(|signature| signature.verdict.is_err()));

    let mut account = Relay::new(25, BOTH);
    account.secrets = keys();
    let records = account.provider().dns_records();
    let eml = include_str!("../fixtures/dkim/dkimpy.eml").replace('\n', "\r\n");
    let verdicts: Vec<_> = verified(&eml, &records).into_iter().map(|signature| signature.verdict).collect();
    assert_eq!(verdicts, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn a_letter_carries_a_good_signature_of_each_key() {
    let (eml, records) = sent(BOTH, &advertisement()).await;
    let signatures = verified(&eml, &records);
    let short: Vec<_> = signatures.iter().map(|one| (one.tag("a"), one.tag("s"), one.verdict.clone())).collect();
    assert_eq!(
        short,
        [(Some("rsa-sha256"), Some("rsa2026"), Ok(())), (Some("ed25519-sha256"), Some("ed2026"), Ok(()))],
        "{eml}"
    );
    for signature in &signatures {
        assert_eq!(signature.tag("d"), Some("harbor.example"));
        let now = FakeClock::new().now().0 / 1000;
        assert_eq!(signature.tag("t"), Some(now.to_string().as_str()));
        assert_eq!((signature.tag("x"), signature.tag("l")), (None, None));
    }
    let signature_lines = eml.split("\r\n").take_while(|line| !line.starts_with("From:"));
    assert!(signature_lines.map(str::len).all(|octets| octets <= 78), "{eml}");
}

#[tokio::test]
async fn nobody_can_change_or_add_what_a_recipient_relies_on() {
    let (eml, records) = sent(&format!("{BOTH}\nreturn_path = \"bounces@harbor.example\""), &advertisement()).await;
    let is_good = |eml: &str| verified(eml, &records).iter().all(|signature| signature.verdict.is_ok());
    let is_bad = |eml: &str| verified(eml, &records).iter().all(|signature| signature.verdict.is_err());
    assert!(is_good(&eml));
    for line in [
        "From: eve@evil.example",
        "To: eve@evil.example",
        "Cc: eve@evil.example",
        "Subject: Pay at once",
        "Date: Mon, 23 Nov 2026 15:00:00 +0000",
        "Reply-To: eve@evil.example",
        "Message-ID: <1@evil.example>",
        "Content-Type: text/html",
        "List-Unsubscribe: <https://evil.example/>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ] {
        let (header, body) = eml.split_once("\r\n\r\n").expect("a header");
        assert!(is_bad(&format!("{header}\r\n{line}\r\n\r\n{body}")), "{line} behind");
    }
    assert!(is_bad(&eml.replace("harbor.example/u/8f1c", "harbor.example/u/0000")));
    assert!(eml.contains("<mailto:bounces+u"), "{eml}");
    assert!(is_bad(&eml.replace("<mailto:bounces+u", "<mailto:bounces+x")));
    assert!(is_bad(&eml.replace("Reply-To: frontdesk@", "Reply-To: eve@")));
    assert!(is_bad(&eml.replace("Auto-Submitted: auto-generated", "Auto-Submitted: no")));
    assert!(is_bad(&eml.replace("Dear Dr.", "Dear Mr.")));
    assert!(is_good(&format!("Received: by relay.example\r\n{eml}")));
    assert!(is_good(&eml.replace("Auto-Submitted: auto", "auto-submitted:  auto")), "space is no matter");
}

#[tokio::test]
async fn a_letter_without_an_unsubscribe_link_says_nothing_of_one() {
    let (eml, records) = sent(BOTH, &envelope("dana@clinic.example")).await;
    for signature in verified(&eml, &records) {
        assert_eq!(signature.verdict, Ok(()));
        let names = signature.tag("h").expect("names").to_lowercase();
        assert!(!names.contains("list-unsubscribe"), "a relay may add its own: {names}");
        let named = |name: &str| names.split(':').filter(|one| *one == name).count();
        assert_eq!(
            [named("from"), named("to"), named("subject"), named("date"), named("reply-to"), named("message-id")],
            [2, 2, 2, 2, 1, 2]
        );
    }
}

#[tokio::test]
async fn a_signature_expires_where_that_is_asked_for() {
    let (eml, records) = sent(&format!("{BOTH}\ndkim_expire_days = 14"), &envelope("dana@clinic.example")).await;
    let expected = FakeClock::new().now().after(Duration::from_secs(14 * 24 * 3600));
    for signature in verified(&eml, &records) {
        assert_eq!(signature.verdict, Ok(()));
        assert_eq!(signature.tag("x").and_then(|x| x.parse().ok()).map(|x: i64| Timestamp(x * 1000)), Some(expected));
    }
}

#[test]
fn what_to_publish_is_told() {
    let mut account = Relay::new(25, BOTH);
    account.secrets = keys();
    let records = account.provider().dns_records();
    let names: Vec<&str> = records.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(names, ["rsa2026._domainkey.harbor.example", "ed2026._domainkey.harbor.example"]);
    assert!(records[0].value.starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"));
    assert!(records[1].value.starts_with("v=DKIM1; k=ed25519; p=") && records[1].value.len() == 22 + 44);
    assert_eq!(Relay::new(25, "").provider().dns_records(), []);
}

#[tokio::test]
async fn a_key_that_was_made_here_signs() {
    let (pem, record) = touchline::provider::mail::new_dkim_key().expect("a key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(listener, Options::default()).expect("a catcher");
    let settings = "tls = \"off\"\ndkim_domain = \"harbor.example\"\ndkim_ed25519_selector = \"ed\"";
    let mut relay = Relay::new(catcher.address().port(), settings);
    relay.secrets = vec![("dkim_ed25519_key", secrecy::ExposeSecret::expose_secret(&pem).to_owned())];
    let provider = relay.provider();
    assert_eq!(provider.dns_records()[0].value, record);
    let checked = provider.check().await.expect("it answers");
    assert!(checked.contains("few receivers check Ed25519"), "{checked}");
    assert_eq!(provider.submit(&advertisement()).await.as_str(), "accepted");
    let eml = String::from_utf8(catcher.messages()[0].eml.clone()).expect("ASCII");
    let verdicts: Vec<_> = verified(&eml, &provider.dns_records()).into_iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Ok(())]);
}

#[test]
fn a_key_or_domain_that_would_not_be_believed_is_refused_at_start() {
    let rsa = "dkim_domain = \"harbor.example\"\ndkim_rsa_selector = \"r\"";
    let ed = "dkim_domain = \"harbor.example\"\ndkim_ed25519_selector = \"e\"";
    for (settings, key, word) in [
        (rsa, ("dkim_rsa_key", RSA_SHORT), "dkim_rsa_key is shorter than 2048 bits"),
        (rsa, ("dkim_rsa_key", ED25519), "dkim_rsa_key is not an RSA key"),
        (rsa, ("dkim_rsa_key", "secret-word"), "dkim_rsa_key is not a private key in PEM"),
        (rsa, ("dkim_ed25519_key", ED25519), "dkim_rsa_selector is given without dkim_rsa_key"),
        (ed, ("dkim_ed25519_key", RSA), "dkim_ed25519_key is not an Ed25519 key"),
        ("dkim_domain = \"harbor.example\"", ("dkim_rsa_key", RSA), "without dkim_rsa_selector"),
        ("dkim_rsa_selector = \"r\"", ("dkim_rsa_key", RSA), "without dkim_domain"),
        (
            "dkim_domain = \"evil.example\"\ndkim_rsa_selector = \"r\"",
            ("dkim_rsa_key", RSA),
            "domain of practice.email",
        ),
        (
            "dkim_domain = \"arbor.example\"\ndkim_rsa_selector = \"r\"",
            ("dkim_rsa_key", RSA),
            "domain of practice.email",
        ),
        ("dkim_domain = \"example\"\ndkim_rsa_selector = \"r\"", ("dkim_rsa_key", RSA), "must be a domain name"),
        ("dkim_domain = \"harbor.example\"\ndkim_rsa_selector = \"a b\"", ("dkim_rsa_key", RSA), "dkim_rsa_selector"),
        (&format!("{rsa}\ndkim_expire_days = 0"), ("dkim_rsa_key", RSA), "dkim_expire_days"),
    ] {
        let mut account = Relay::new(25, settings);
        account.secrets = vec![(key.0, key.1.to_owned())];
        let refusal = account.build().map(|_| ()).expect_err(settings).to_string();
        assert!(refusal.contains(word) && refusal.contains("providers.office"), "{settings}: {refusal}");
        assert!(!refusal.contains("secret-word") && !refusal.contains("MII"), "{refusal}");
    }
    let refusal =
        Relay::new(25, "dkim_domain = \"harbor.example\"").build().map(|_| ()).expect_err("no key").to_string();
    assert!(refusal.contains("without a key"), "{refusal}");
    let one_name = BOTH.replace("ed2026", "RSA2026");
    let mut same = Relay::new(25, &one_name);
    same.secrets = keys();
    assert!(same.build().map(|_| ()).expect_err("one name").to_string().contains("must differ"));
}

#[test]
fn a_domain_above_or_below_the_senders_is_good_enough() {
    for domain in ["harbor.example", "HARBOR.example", "mail.harbor.example"] {
        let settings = format!("dkim_domain = {domain:?}\ndkim_rsa_selector = \"r\"");
        let mut account = Relay::new(25, &settings);
        account.secrets = vec![("dkim_rsa_key", RSA.to_owned())];
        assert_eq!(account.provider().dns_records()[0].name, format!("r._domainkey.{}", domain.to_lowercase()));
    }
}
