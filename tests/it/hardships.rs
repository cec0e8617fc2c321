//! When what Touchline depends on fails: a locked database, a full disk, a provider that cannot be reached. Each gives
//! a clear error and loses nothing. (A bad list, letter or configuration: `cli`; a forged webhook: `web`.)

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpSocket;
use touchline::app::Gateway;
use touchline::config::Config;
use touchline::domain::{Channel, SystemClock};
use touchline::intake;
use touchline::intake::request::Request;
use touchline::referrers::audience::Audience;
use touchline::referrers::{import, sheet};
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};
use touchline::store::Store;
use touchline::store::views::ledger::{Ledger, LedgerOf};

use crate::support::PATIENCE;
use crate::support::small_disk::SmallDisk;
use crate::support::{ports, require};

const KEY: &str = "key-of-the-hardships";

/// The demo's configuration with other ports.
fn config(fax_line: &str, relay_port: u16) -> String {
    include_str!("../../config/demo.toml")
        .replace("http://127.0.0.1:8026", fax_line)
        .replace("port = 2525", &format!("port = {relay_port}"))
        .replace("public_url = \"http://127.0.0.1:8025\"", "")
}

async fn open(folder: &Path, text: &str) -> Gateway {
    let secret = |_: &str| Some(KEY.to_owned());
    let config = Config::parse_with_env(text, "hardships.toml", folder, &secret).expect("a good configuration");
    Gateway::open(config, Arc::new(SystemClock)).await.expect("the gateway opens")
}

fn introduction() -> Request {
    Request {
        letter: "introduction".to_owned(),
        to: Audience::All,
        via: Channel::ALL.to_vec(),
        variables: serde_json::Map::new(),
        at: None,
        who: touchline::domain::Actor::operator("test"),
        idempotency_key: None,
        individually: std::collections::BTreeMap::new(),
        again: true,
        now: false,
        undo_seconds: Some(0),
        run: None,
    }
}

/// Two referrers with a basis, at ordinary fictional numbers.
async fn two_referrers(gateway: &Gateway) {
    let text = "first_name,last_name,email,fax,basis,basis_date\n\
                Ana,Ruiz,ana@ruiz.example,(312) 555-0150,permission,2026-11-02\n\
                Ben,Stone,ben@stone.example,(312) 555-0151,permission,2026-11-02\n";
    let sheet = sheet::read(text.as_bytes(), &[]).expect("a list");
    import::import(
        &gateway.referrers(),
        &sheet,
        &touchline::domain::Actor::operator("test"),
        &import::ImportOptions::default(),
    )
    .await
    .expect("imported");
}

async fn ledger(store: &Store) -> Ledger {
    store.read().await.expect("readable").ledger(LedgerOf::Everything).await.expect("a ledger")
}

/// Looks every 50 ms, for a minute at most.
async fn until(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !seen().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "never seen: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_for_a_provider_that_cannot_be_reached_and_go_out_when_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let ((fax, fax_at), (mail, mail_at)) = (ports::closed(), ports::closed());
    let gateway = open(folder.path(), &config(&format!("http://{fax_at}"), mail_at.port())).await;
    two_referrers(&gateway).await;
    let accepted = intake::submit(&gateway.intake(), &introduction()).await.expect("accepted");
    let running = gateway.start();

    until("an attempt for each letter", async || {
        let mut tx = gateway.store.read().await.expect("readable");
        let mut tried = 0;
        for message in &accepted.messages {
            let attempts = tx.attempts_of(message.id).await.expect("attempts");
            tried += usize::from(attempts.iter().any(|attempt| attempt.status.as_str() == "not_sent"));
        }
        tried == accepted.messages.len()
    })
    .await;
    let waiting = ledger(&gateway.store).await;
    assert_eq!((waiting.total, waiting.queued, waiting.failed), (4, 4, 0), "nothing fails for want of a provider");

    let listen = |socket: TcpSocket| socket.listen(64).expect("it listens");
    let line = FaxLine::start(listen(fax), FaxLineOptions::new(SecretString::from(KEY))).expect("starts");
    let catcher = MailCatcher::start(listen(mail), Options::default()).expect("starts");
    until("all delivered", async || ledger(&gateway.store).await.delivered == 4).await;
    assert_eq!((line.faxes().len(), catcher.total()), (2, 2), "each went out once");
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_named_and_the_same_request_works_when_it_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), &config("http://127.0.0.1:9", 9)).await;
    two_referrers(&gateway).await;
    let other =
        Store::open(&format!("sqlite:{}", folder.path().join("touchline-demo.db").display()), 2).await.expect("opens");
    let lock = other.write().await.expect("another program takes the lock");
    let refused = intake::submit(&gateway.intake(), &introduction()).await.expect_err("locked");
    assert!(refused.to_string().contains("locked by another program"), "{refused}");
    assert_eq!(ledger(&gateway.store).await.total, 0, "nothing is half accepted");
    drop(lock);
    let accepted = intake::submit(&gateway.intake(), &introduction()).await.expect("accepted");
    assert_eq!(ledger(&gateway.store).await.total, i64::try_from(accepted.messages.len()).expect("a count"));
}

fn touchline(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchline"))
        .current_dir(folder)
        .args(arguments)
        .env("TOUCHLINE_DEMO_FAX_KEY", KEY)
        .env("TOUCHLINE_DEMO_WEBHOOK_SECRET", KEY)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

#[test]
fn a_full_disk_is_named_nothing_is_half_imported_and_it_works_once_there_is_room() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    let Some(disk) = SmallDisk::mount(folder, 2) else {
        return require::skip("the right to mount a small file system");
    };
    std::fs::write(folder.join("touchline.toml"), config("http://127.0.0.1:9", 9)).expect("written");
    let mut list = "first_name,last_name,organization,email\n".to_owned();
    for n in 0..3000 {
        list.push_str(&format!("Ana,Number{n},{},ana{n}@office{n}.example\n", "A long name of an office ".repeat(8)));
    }
    let list_file = scratch.path().with_extension("csv");
    std::fs::write(&list_file, list).expect("written");
    let list_path = list_file.to_str().expect("a path in plain letters");
    assert!(touchline(folder, &["migrate"]).status.success());

    let refused = touchline(folder, &["referrers", "import", list_path]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "2 MB cannot hold it");
    assert!(words.contains("disk is full"), "{words}");
    let count = |folder: &Path| {
        let listed = touchline(folder, &["--json", "referrers", "list"]);
        String::from_utf8_lossy(&listed.stdout).matches("\"id\"").count()
    };
    assert_eq!(count(folder), 0, "nothing is half imported");

    disk.enlarge(64);
    let done = touchline(folder, &["referrers", "import", list_path]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(count(folder) > 0);
    std::fs::remove_file(list_file).expect("removed");
}
