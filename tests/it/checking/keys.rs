//! `touchline dkim new`: both keys, what to publish, and letters signed with them, judged by two verifiers of others (dkimpy and Mail::DKIM) and by our own.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tokio::net::TcpListener;
use touchline::domain::envelope::Content;
use touchline::sandbox::mail::{MailCatcher, Options};

use super::verifiers;
use crate::cli::house::House;
use crate::smtp::{Relay, envelope};
use crate::support::dkim_verifier::verify;
use crate::support::require;

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {value}"))
}

/// OpenSSL makes the RSA key.
fn has_openssl() -> bool {
    let found = require::program(&["openssl"]).is_some();
    if !found {
        require::skip("openssl");
    }
    found
}

#[test]
fn two_keys_are_made_once_for_their_owner_alone_and_what_to_publish_is_shown() {
    if !has_openssl() {
        return;
    }
    let house = House::new();
    let made = house.ask(&["dkim", "new"]);
    let domain = text(&made, "/domain").to_owned();
    assert_eq!(text(&made, "/account"), "email-smtp");
    for (place, algorithm, last) in [(0, "rsa", 'r'), (1, "ed25519", 'e')] {
        let key = &made["keys"][place];
        let selector = text(key, "/selector");
        let (start, month) = selector.split_at(2);
        assert!(start == "tl" && month.ends_with(last) && month.len() == 7, "{selector}");
        assert!(month[..6].bytes().all(|octet| octet.is_ascii_digit()), "{selector}");
        assert_eq!((text(key, "/algorithm"), text(key, "/record/kind")), (algorithm, "TXT"));
        assert_eq!(text(key, "/record/name"), format!("{selector}._domainkey.{domain}"));
        let value = text(key, "/record/value");
        assert!(value.starts_with(&format!("v=DKIM1; k={algorithm}; p=")), "{value}");
        let strings: Vec<&str> =
            key["record"]["strings"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert!(strings.concat() == value && strings.iter().all(|string| string.len() <= 255), "{strings:?}");
        let file = house.path(&format!("dkim-{selector}.pem"));
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(made["keys"][0]["record"]["strings"].as_array().map(Vec::len), Some(2), "an RSA key needs two strings");
    let again = house.run(&["dkim", "new"]);
    assert!(again.code == 5 && again.err.contains("never overwritten"), "{again:?}");

    // The settings that it shows are settings that work, and the account then wants just these records.
    let settings = text(&made, "/settings").split_once('\n').expect("the section, then its lines").1;
    let config = std::fs::read_to_string(house.path("touchline.toml")).expect("a configuration");
    house.write("touchline.toml", &config.replace("kind = \"smtp\"", &format!("kind = \"smtp\"\n{settings}")));
    let checked = house.run(&["provider", "check", "email-smtp", "--json"]).json();
    let publish = &checked["checks"][0]["publish"];
    for place in 0..2 {
        let record = &made["keys"][place]["record"];
        assert_eq!(
            (&publish[place]["name"], &publish[place]["value"]),
            (&record["name"], &record["value"]),
            "{checked}"
        );
    }
}

#[test]
fn a_person_is_told_where_each_line_goes_and_no_key_is_shown() {
    if !has_openssl() {
        return;
    }
    let house = House::empty();
    std::fs::create_dir(house.path("keys")).expect("made");
    let told = house.run(&["dkim", "new", "--domain", "clinic.example", "--folder", "keys"]).good().out;
    for words in ["r._domainkey.clinic.example", "e._domainkey.clinic.example", "dkim_rsa_selector", "dkim_ed25519_key"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("PRIVATE KEY") && !house.path("touchline.toml").exists(), "{told}");
    for (arguments, code) in [
        (&["dkim", "new", "--domain", "clinic"][..], 2),
        (&["dkim", "new", "--domain", "clinic..example"], 2),
        (&["dkim", "new"], 3),
    ] {
        assert_eq!(house.run(arguments).code, code, "{arguments:?}");
    }
    let house = House::new();
    assert_eq!(house.run(&["dkim", "new", "--account", "nobody"]).code, 4);
}

#[tokio::test]
async fn what_is_signed_with_new_keys_is_good_to_two_verifiers_of_others_and_what_was_changed_is_not() {
    if !has_openssl() {
        return;
    }
    let house = House::empty();
    let made = house.ask(&["dkim", "new", "--domain", "harbor.example"]);
    let settings =
        "tls = \"off\"\ndkim_domain = \"harbor.example\"\ndkim_rsa_selector = \"r1\"\ndkim_ed25519_selector = \"e1\"";
    let pem = |place: usize| {
        let file = house.path(&format!("dkim-{}.pem", text(&made["keys"][place], "/selector")));
        std::fs::read_to_string(file).expect("a key")
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(listener, Options::default()).expect("a catcher");
    let mut relay = Relay::new(catcher.address().port(), settings);
    relay.secrets = vec![("dkim_rsa_key", pem(0)), ("dkim_ed25519_key", pem(1))];
    let mut envelope = envelope("dana@clinic.example");
    if let Content::Mail(mail) = &mut envelope.content {
        mail.unsubscribe = Some("https://harbor.example/o/8f1c".to_owned());
    }
    assert_eq!(relay.provider().submit(&envelope).await.as_str(), "accepted");
    let eml = catcher.messages()[0].eml.clone();
    let records: Vec<(String, String)> = [("r1", 0), ("e1", 1)]
        .map(|(selector, place)| {
            (format!("{selector}._domainkey.harbor.example"), text(&made["keys"][place], "/record/value").to_owned())
        })
        .to_vec();
    let by_name: BTreeMap<&str, &str> = records.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let ours = |eml: &[u8]| {
        let text = String::from_utf8(eml.to_vec()).expect("ASCII");
        let signatures = verify(&text, &|name| by_name.get(name).map(|value| (*value).to_owned()));
        signatures.iter().map(|one| if one.verdict.is_ok() { "good" } else { "bad" }.to_owned()).collect::<Vec<_>>()
    };
    let changed = String::from_utf8(eml.clone()).expect("ASCII").replace("Dear Dr.", "Dear Mr.").into_bytes();
    for (eml, verdict) in [(&eml, "good"), (&changed, "bad")] {
        assert_eq!(ours(eml), [verdict, verdict]);
        if let Some(theirs) = verifiers::mail_dkim(eml, &records) {
            assert_eq!(theirs, [verdict]);
        }
        if let Some(theirs) = verifiers::dkimpy(eml, &records) {
            assert_eq!(theirs, [verdict, verdict]);
        }
    }
}
