//! `touchline doctor mail --loop`: the test mail goes out by a relay, lies in a mailbox as servers of others leave it, and is
//! read there.

use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use touchline::sandbox::mail::{MailCatcher, Options};

use crate::cli::house::{Answer, House};
use crate::support::stub_dns::StubDns;
use crate::support::{PATIENCE, soon};

/// What servers on the way add at the top.
const WELL: &str = "Received: from relay.example (relay.example [192.0.2.9]) by mx.practice.example with ESMTPS id 1; now\r\n\
                    Authentication-Results: mx.practice.example; spf=pass smtp.mailfrom=b@practice.example;\r\n dkim=pass \
                    header.d=practice.example; dmarc=pass header.from=practice.example\r\n";
const BADLY: &str = "Received: from relay.example by mx.practice.example with ESMTP id 1; now\r\n\
                     Authentication-Results: mx.practice.example; spf=softfail smtp.mailfrom=b@practice.example;\r\n dkim=none;\r\n \
                     dmarc=fail header.from=practice.example\r\n";

/// A house with a relay that answers, a key if it signs, and a maildir that is read.
async fn house(signs: bool) -> (Arc<House>, MailCatcher, StubDns) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(listener, Options::default()).expect("a catcher");
    let port = catcher.address().port().to_string();
    let mut house =
        tokio::task::spawn_blocking(move || House::with_providers("http://127.0.0.1:9", &port)).await.expect("made");
    house.set("TOUCHLINE_SERVER__PUBLIC_URL", "https://touchline.practice.example");
    let dns = StubDns::start(&[]);
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(house.path("returns").join(folder)).expect("made");
    }
    let mut config = std::fs::read_to_string(house.path("touchline.toml")).expect("a configuration");
    if signs {
        let practice = config.parse::<toml::Table>().expect("TOML");
        let email = practice["practice"]["email"].as_str().expect("an address");
        let domain = email.split_once('@').expect("an address").1;
        let (pem, _) = touchline::provider::mail::new_dkim_key().expect("a key");
        house.write("dkim.pem", secrecy::ExposeSecret::expose_secret(&pem));
        let signing = format!(
            "kind = \"smtp\"\ndkim_domain = \"{domain}\"\ndkim_ed25519_selector = \"ed\"\ndkim_ed25519_key = {{ file = \"dkim.pem\" }}"
        );
        config = config.replace("kind = \"smtp\"", &signing);
    }
    let more = format!(
        "\n[mailboxes.returns]\nkind = \"maildir\"\npath = \"returns\"\n\n[dns]\nserver = \"{}\"\n",
        dns.address()
    );
    house.write("touchline.toml", &format!("{config}{more}"));
    (Arc::new(house), catcher, dns)
}

/// Runs the loop; what the relay takes lies in the mailbox with these fields on top, or does not.
async fn run(house: &Arc<House>, catcher: &MailCatcher, on_top: Option<&str>, timeout: &str) -> (Answer, Vec<Value>) {
    let (program, timeout) = (house.clone(), timeout.to_owned());
    let running = tokio::task::spawn_blocking(move || {
        program.run(&["doctor", "mail", "--loop", "--timeout", &timeout, "--json"])
    });
    soon("the relay has the mail", catcher.caught(1)).await;
    if let Some(on_top) = on_top {
        let eml = String::from_utf8(catcher.messages()[0].eml.clone()).expect("ASCII");
        std::fs::write(house.path("returns/tmp/1.test"), format!("{on_top}{eml}")).expect("written");
        std::fs::rename(house.path("returns/tmp/1.test"), house.path("returns/new/1.test")).expect("delivered");
    }
    let answer = tokio::time::timeout(PATIENCE, running).await.expect("in time").expect("it ran");
    let findings = answer.json()["findings"].as_array().expect("a list").clone();
    (answer, findings)
}

fn grade<'f>(findings: &'f [Value], check: &str) -> (&'f str, &'f str) {
    let found = findings.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check}: {findings:?}"));
    (found["grade"].as_str().expect("a word"), found["words"].as_str().expect("a sentence"))
}

#[tokio::test]
async fn what_arrives_of_a_mail_is_shown_with_what_was_signed() {
    let (house, catcher, _dns) = house(true).await;
    let (_, findings) = run(&house, &catcher, Some(WELL), "120").await;
    for check in ["arrived", "arrived spf", "arrived dkim", "arrived dmarc", "arrived signature", "arrived tls"] {
        assert_eq!(grade(&findings, check).0, "ok", "{check}: {findings:?}");
    }
    assert!(grade(&findings, "arrived").1.contains("mailboxes.returns"), "{findings:?}");
    let signed = grade(&findings, "arrived signature").1;
    assert!(signed.contains("list-unsubscribe-post") && signed.contains("ed25519-sha256"), "{signed}");
    let left: Vec<_> = std::fs::read_dir(house.path("returns/new")).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1, "the mail stays as it was");
}

#[tokio::test]
async fn a_mail_that_fares_badly_says_where() {
    let (house, catcher, _dns) = house(false).await;
    let (answer, findings) = run(&house, &catcher, Some(BADLY), "120").await;
    for (check, grade_, words) in [
        ("arrived", "ok", "mailboxes.returns"),
        ("arrived spf", "problem", "spf=softfail"),
        ("arrived dkim", "problem", "dkim=none"),
        ("arrived dmarc", "problem", "dmarc=fail"),
        ("arrived signature", "problem", "without a DKIM signature"),
        ("arrived tls", "advice", "mx.practice.example (with esmtp)"),
    ] {
        let found = grade(&findings, check);
        assert!(found.0 == grade_ && found.1.contains(words), "{check}: {findings:?}");
    }
    assert_eq!(answer.code, 1);
}

#[tokio::test]
async fn a_mail_that_does_not_arrive_is_a_problem() {
    let (house, catcher, _dns) = house(false).await;
    let (answer, findings) = run(&house, &catcher, None, "1").await;
    let found = grade(&findings, "arrived");
    assert!(found.0 == "problem" && found.1.contains("did not arrive") && answer.code == 1, "{findings:?}");
}
