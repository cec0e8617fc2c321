//! The promise, tried on the real program: it is killed with SIGKILL at random moments of a 300-message send and started
//! again each time. At the end the ledger adds up, nothing is lost, and the far side's own journals show no message that
//! reached a recipient twice.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::net::TcpListener;
use touchline::domain::{Channel, MessageStatus};
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};
use touchline::store::Store;
use touchline::store::ledger::{Ledger, LedgerOf};

use crate::support::databases::Database;

const REFERRERS: usize = 150;
const KILLS: usize = 25;
/// On PostgreSQL the same, with fewer kills: what differs is the engine, not the moments.
const KILLS_POSTGRES: usize = 8;
const SETTLE_MAX: Duration = Duration::from_secs(150);

/// The far side, in this process, so that it outlives every kill.
struct FarSide {
    line: FaxLine,
    catcher: MailCatcher,
}

impl FarSide {
    async fn start(folder: &Path) -> Self {
        let port = || async { TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback") };
        let mut fax = FaxLineOptions::new(SecretString::from("key-of-the-crash-test"));
        fax.call_takes = Duration::from_millis(30);
        fax.journal = Some(folder.join("fax.jsonl"));
        let mail = Options { journal: Some(folder.join("mail.jsonl")), ..Options::default() };
        Self {
            line: FaxLine::start(port().await, fax).expect("the fax line starts"),
            catcher: MailCatcher::start(port().await, mail).expect("the mail catcher starts"),
        }
    }
}

/// The demo's configuration with this run's ports, short leases, and a rate that makes the send last.
fn write_config(folder: &Path, far: &FarSide) {
    let text = include_str!("../../config/demo.toml")
        .replace("http://127.0.0.1:8026", &far.line.base_url())
        .replace("port = 2525", &format!("port = {}\nrate_per_minute = 900", far.catcher.address().port()))
        .replace("concurrency    = 8", "concurrency    = 4\nrate_per_minute = 900")
        .replace("public_url = \"http://127.0.0.1:8025\"", "")
        .replace("[sending]", "[sending]\nslots = 6\nlease_seconds = 5");
    std::fs::write(folder.join("touchline.toml"), text).expect("the configuration is written");
}

/// Ordinary numbers of the range kept for fiction, none of the sandbox's magic ones, each with a basis.
fn write_referrers(folder: &Path) {
    let mut text =
        "first_name,last_name,organization,type,email,fax,basis,basis_source,basis_date,basis_note\n".to_owned();
    for n in 0..REFERRERS {
        let (area, line) = ([312, 773, 847][n / 60], 133 + n % 60);
        writeln!(
            text,
            "Ana,Number{n},Office {n},primary_care,ana{n}@office{n}.example,({area}) 555-{line:04},permission,given_by_recipient,2026-11-02,asked by phone"
        )
        .expect("a string takes text");
    }
    std::fs::write(folder.join("referrers.csv"), text).expect("the list is written");
}

fn touchline(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("TOUCHLINE_STORE__URL", url)
        .env("TOUCHLINE_DEMO_FAX_KEY", "key-of-the-crash-test")
        .env("TOUCHLINE_DEMO_WEBHOOK_SECRET", "secret-of-the-crash-test")
        .stdin(Stdio::null());
    command
}

fn run_to_end(folder: &Path, url: &str, arguments: &[&str]) {
    let done = touchline(folder, url, arguments).output().expect("the program runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A daemon that is killed when the test ends, however it ends.
struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path, url: &str) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("daemon.log")).expect("a log");
        let child = touchline(folder, url, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        Self(child)
    }

    /// SIGKILL: no destructor, no drain, no last word.
    fn kill(mut self) {
        assert!(self.0.try_wait().expect("the daemon can be asked").is_none(), "the daemon ended by itself");
        self.0.kill().expect("the daemon can be killed");
        self.0.wait().expect("the daemon is gone");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn ledger(store: &Store) -> (Ledger, i64) {
    let mut tx = store.read().await.expect("the store can be read");
    (tx.ledger(LedgerOf::Everything).await.expect("a ledger"), tx.queue_depth().await.expect("a depth"))
}

/// How often each recipient was reached, by the far side's own journal.
fn reached(journal: &Path, counts: impl Fn(&serde_json::Value) -> bool) -> HashMap<String, usize> {
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    let mut reached = HashMap::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a whole line in the journal");
        if counts(&entry) {
            *reached.entry(entry["to_hash"].as_str().expect("a recipient").to_owned()).or_default() += 1;
        }
    }
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_arrives_twice_however_often_the_program_is_killed() {
    let database = Database::sqlite();
    survive(&database, KILLS).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql() {
    let Some(database) = Database::postgres().await else { return };
    survive(&database, KILLS_POSTGRES).await;
    database.remove().await;
}

/// The whole trial on one database.
async fn survive(database: &Database, kills: usize) {
    let url = database.url.as_str();
    let seed = fastrand::u64(..);
    println!("seed of the moments: {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    let far = FarSide::start(folder).await;
    write_config(folder, &far);
    write_referrers(folder);
    run_to_end(folder, url, &["referrers", "import", "referrers.csv"]);
    run_to_end(folder, url, &["send", "introduction", "--to", "all", "--via", "fax,email"]);
    let store = database.open().await;
    assert_eq!(ledger(&store).await.0.total, 2 * REFERRERS as i64, "everything was accepted before the first start");

    for kill in 0..kills {
        let daemon = Daemon::start(folder, url);
        // The moment of the kill is the experiment itself, not a wait for something.
        tokio::time::sleep(Duration::from_millis(random.u64(200..1400))).await;
        daemon.kill();
        let (now, _) = ledger(&store).await;
        assert_eq!(now.total, 2 * REFERRERS as i64, "after kill {kill}");
    }

    let daemon = Daemon::start(folder, url);
    let started = Instant::now();
    loop {
        let (now, depth) = ledger(&store).await;
        if now.is_settled() && depth == 0 {
            break;
        }
        assert!(started.elapsed() < SETTLE_MAX, "not settled: {now:?}, {depth} entries (seed {seed})");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(daemon);
    check(folder, &store).await;
    store.close().await;
}

/// The ledger, message by message, against the journals.
async fn check(folder: &Path, store: &Store) {
    let (ledger, _) = ledger(store).await;
    println!("{ledger:?}");
    assert_eq!(ledger.delivered + ledger.in_doubt, ledger.total, "{ledger:?}");
    let faxed = reached(&folder.join("fax.jsonl"), |entry| entry["event"] == "printed");
    let mailed = reached(&folder.join("mail.jsonl"), |_| true);
    for (journal, name) in [(&faxed, "fax"), (&mailed, "mail")] {
        let twice = journal.values().filter(|count| **count > 1).count();
        assert_eq!(twice, 0, "{twice} recipients got the same {name} twice");
    }
    let mut tx = store.read().await.expect("the store can be read");
    let mut delivered = HashMap::new();
    for message in tx.messages_in(MessageStatus::Delivered, 1000).await.expect("messages") {
        *delivered.entry(message.channel).or_insert(0) += 1;
    }
    assert_eq!(delivered.get(&Channel::Fax), Some(&REFERRERS), "a fax in doubt is looked up by our reference");
    assert_eq!(faxed.len(), REFERRERS);
    let mails_known = *delivered.get(&Channel::Email).unwrap_or(&0);
    assert!(mailed.len() >= mails_known, "{mails_known} mails count as delivered, {} arrived", mailed.len());
    assert!(mailed.len() <= mails_known + usize::try_from(ledger.in_doubt).expect("a count"));
    assert!(mails_known > 0, "some mail went out between the kills");
}
