//! The mail catcher, asked by the provider that real mail goes through: every mood of a mailbox, as the provider sees it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use touchline::domain::{Fault, Outcome};
use touchline::provider::Provider;
use touchline::sandbox::mail::{MailCatcher, Options};

use super::{Relay, envelope};
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;

async fn catcher(options: Options) -> (MailCatcher, Arc<dyn Provider>) {
    catcher_with(options, "tls = \"off\"").await
}

async fn catcher_with(options: Options, settings: &str) -> (MailCatcher, Arc<dyn Provider>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(listener, options).expect("a catcher");
    let provider = Relay::new(catcher.address().port(), settings).provider();
    (catcher, provider)
}

fn in_short(outcome: &Outcome) -> (&'static str, Option<Fault>) {
    (outcome.as_str(), outcome.failure().map(|failure| failure.fault))
}

#[tokio::test]
async fn a_caught_mail_can_be_found_by_its_message_id() {
    let clock = FakeClock::new();
    let (catcher, provider) = catcher(Options { clock: clock.clone(), ..Options::default() }).await;
    let Outcome::Accepted { reference } = provider.submit(&envelope("dana@clinic.example")).await else {
        panic!("not accepted")
    };
    let mail = catcher.find(&reference.0).expect("caught");
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("letters@harbor.example", &["dana@clinic.example".to_owned()][..])
    );
    assert_eq!(mail.received_at, touchline::domain::Clock::now(clock.as_ref()));
    let parsed = mail_parser::MessageParser::default().parse(&mail.eml).expect("a mail");
    assert_eq!(parsed.body_text(0).as_deref(), Some("Dear Dr. Whitfield,\r\n.\r\nwe are open until eight.\r\n"));
    assert_eq!(catcher.messages().len(), 1);
    catcher.shutdown().await;
    assert_eq!(provider.submit(&envelope("dana@clinic.example")).await.as_str(), "not_sent");
}

#[tokio::test]
async fn the_name_of_a_mailbox_decides_its_fate() {
    let (catcher, provider) = catcher(Options::default()).await;
    for (to, outcome) in [
        ("unknown.one@clinic.example", ("refused", Some(Fault::MailboxUnknown))),
        ("full@clinic.example", ("refused", Some(Fault::MailboxFull))),
        ("greylist@clinic.example", ("refused", Some(Fault::Deferred))),
        ("greylist@clinic.example", ("accepted", None)),
        ("refuse@clinic.example", ("refused", Some(Fault::PolicyRefusal))),
        ("large@clinic.example", ("refused", Some(Fault::TooLarge))),
        ("anybody@clinic.example", ("accepted", None)),
    ] {
        assert_eq!(in_short(&provider.submit(&envelope(to)).await), outcome, "{to}");
    }
    assert_eq!(catcher.total(), 2);
}

#[tokio::test]
async fn a_dropped_or_slow_answer_leaves_a_letter_in_doubt_that_did_arrive() {
    let options = Options { slow_answer: Duration::from_secs(3600), ..Options::default() };
    let (catcher, provider) = catcher_with(options, "tls = \"off\"\nfinal_dot_timeout_seconds = 1").await;
    for to in ["drop@clinic.example", "slow@clinic.example"] {
        let envelope = envelope(to);
        assert_eq!(in_short(&provider.submit(&envelope).await), ("unknown", Some(Fault::ProviderError)), "{to}");
        assert!(catcher.find(&format!("{}@harbor.example", envelope.attempt)).is_some(), "{to}");
    }
    tokio::time::timeout(PATIENCE, catcher.shutdown()).await.expect("stops at once");
}

#[tokio::test]
async fn what_reached_a_recipient_is_in_the_journal_before_it_is_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal.jsonl");
    let (_catcher, provider) = catcher(Options { journal: Some(journal.clone()), ..Options::default() }).await;
    for to in ["Dana@clinic.example", "unknown@clinic.example", "refuse@clinic.example", "drop@clinic.example"] {
        provider.submit(&envelope(to)).await;
    }
    let written = std::fs::read_to_string(&journal).expect("a journal");
    let lines: Vec<serde_json::Value> = written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let hash = |text: &str| hex::encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
    let hashes: Vec<_> = lines.iter().map(|line| line["to_hash"].as_str().expect("a hash").to_owned()).collect();
    assert_eq!(hashes, [hash("dana@clinic.example"), hash("drop@clinic.example")]);
    assert!(lines.iter().all(|line| line["channel"] == "email" && line["at_ms"].is_i64()));
    assert!(lines.iter().all(|line| line["message_id"].as_str().is_some_and(|id| id.ends_with("@harbor.example"))));
    assert!(!written.contains("clinic.example"));
}

#[tokio::test]
async fn what_is_no_mail_is_answered_and_not_kept() {
    let (catcher, _) = catcher(Options::default()).await;
    let mut stream = TcpStream::connect(catcher.address()).await.expect("connected");
    let long_line = "x".repeat(5000);
    let said = format!(
        "EHLO me\r\n{long_line}\r\nRCPT TO:<a@b.example>\r\nMAIL FROM:<>\r\nRCPT TO:a\r\nDATA\r\nRCPT TO:<a@b.example>\r\n\
         DATA\r\n{long_line}\r\n.\r\nMAIL FROM:<> SIZE=99999999\r\nNONSENSE\r\nQUIT\r\n"
    );
    stream.write_all(said.as_bytes()).await.expect("written");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("read");
    let codes: Vec<&str> = answers.lines().filter(|line| &line[3..4] == " ").map(|line| &line[..3]).collect();
    let expected = ["220", "250", "500", "503", "250", "501", "503", "250", "354", "554", "552", "502", "221"];
    assert_eq!(codes, expected, "{answers}");
    assert_eq!(catcher.total(), 0);
}
