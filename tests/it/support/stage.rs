//! A stage for the real program: a far side with journals in this process, which outlives every kill, and any number of
//! nodes over one database, each a process with its own network name and loopback address. What became of it all is
//! read afterwards by [`super::reckoning`].

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use touchline::domain::Channel;
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::MessageId;
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};
use touchline::store::Store;
use touchline::store::records::queue_entries::Entry;
use touchline::store::views::ledger::{Ledger, LedgerOf};
use touchline::store::views::lists::LinesOf;

use super::PATIENCE;

const DEMO: &str = include_str!("../../../config/demo.toml");
const KEY: &str = "key-of-the-stage";
/// Fictional numbers of one area code, none of them one that misbehaves.
const NUMBERS_PER_AREA: usize = 60;
const AREAS: [u16; 10] = [312, 773, 847, 224, 630, 708, 815, 217, 309, 618];
/// How often the store is looked at while a test waits for it.
const LOOK: Duration = Duration::from_millis(100);

/// How a run is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Referrers with a fax number, a mailbox, or both: the first `faxes` have a number, the first `mails` a mailbox.
    pub faxes: usize,
    pub mails: usize,
    /// Hand-overs a minute, over all nodes.
    pub rate: u32,
    /// How long a fax call takes.
    pub call_takes: Duration,
    pub lease_seconds: u64,
    pub slots: usize,
    /// Further settings of the mail account.
    pub relay: &'static str,
    /// Further settings of the fax account.
    pub fax: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            faxes: 150,
            mails: 150,
            rate: 900,
            call_takes: Duration::from_millis(30),
            lease_seconds: 5,
            slots: 6,
            relay: "",
            // A fax that nobody makes any more counts as absent once its call must be over, so calls are short here.
            fax: "timeout_seconds = 2",
        }
    }
}

/// The stage.
pub struct Stage {
    pub setup: Setup,
    pub line: FaxLine,
    pub catcher: MailCatcher,
    folder: TempDir,
}

impl Stage {
    /// Opens the far side, writes the configuration and the list of referrers.
    pub async fn build(setup: Setup) -> Self {
        let folder = super::place::folder("touchline-stage");
        let mut fax = FaxLineOptions::new(SecretString::from(KEY));
        fax.call_takes = setup.call_takes;
        fax.journal = Some(folder.path().join("fax.jsonl"));
        let mail = Options { journal: Some(folder.path().join("mail.jsonl")), ..Options::default() };
        let line = FaxLine::start(port().await, fax).expect("the fax line starts");
        let catcher = MailCatcher::start(port().await, mail).expect("the mail catcher starts");
        let stage = Self { setup, line, catcher, folder };
        let (fax, relay) = (stage.fax_address(), stage.catcher.address());
        stage.write_config(fax, relay);
        std::fs::write(stage.path("referrers.csv"), referrers(&stage.setup)).expect("the list is written");
        stage
    }

    /// Where the fax line listens.
    pub fn fax_address(&self) -> SocketAddr {
        self.line.base_url().trim_start_matches("http://").parse().expect("an address")
    }

    /// Writes the demo's configuration with this run's addresses and figures.
    pub fn write_config(&self, fax: SocketAddr, relay: SocketAddr) {
        std::fs::write(self.path("touchline.toml"), self.config(fax, relay)).expect("the configuration is written");
    }

    /// The demo's configuration with these addresses and this run's figures.
    pub fn config(&self, fax: SocketAddr, relay: SocketAddr) -> String {
        let Setup { rate, lease_seconds, slots, .. } = self.setup;
        let replaced = DEMO
            .replace("http://127.0.0.1:8026", &format!("http://{fax}"))
            .replace("port = 2525", &format!("port = {}\nrate_per_minute = {rate}\n{}", relay.port(), self.setup.relay))
            .replace("concurrency    = 8", &format!("concurrency = 4\nrate_per_minute = {rate}\n{}", self.setup.fax))
            .replace("public_url = \"http://127.0.0.1:8025\"", "");
        let (others, sending) = replaced.split_once("[sending]").expect("the section on sending");
        format!("{others}[sending]\nslots = {slots}\nlease_seconds = {lease_seconds}\n{sending}")
    }

    /// A file of this run.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every message that a letter to everybody makes.
    pub fn total(&self) -> i64 {
        i64::try_from(self.setup.faxes + self.setup.mails).expect("a count")
    }

    /// Imports the list and sends the introduction to everybody, by the program.
    pub fn send_to_all(&self, url: &str) {
        self.run(url, &["referrers", "import", "referrers.csv"]);
        self.run(url, &["send", "introduction", "--to", "all", "--via", "fax,email", "--yes"]);
    }

    /// Runs a command of the program to its good end.
    pub fn run(&self, url: &str, arguments: &[&str]) {
        let done = self.command(url).args(arguments).output().expect("the program runs");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Runs a command of the program that answers in JSON; its exit code and answer.
    pub fn ask(&self, url: &str, arguments: &[&str]) -> (i32, serde_json::Value) {
        let done = self.command(url).args(arguments).arg("--json").output().expect("the program runs");
        let answer = serde_json::from_slice(&done.stdout).unwrap_or(serde_json::Value::Null);
        (done.status.code().expect("it ends by itself"), answer)
    }

    fn command(&self, url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
        command
            .current_dir(self.folder.path())
            .env("TOUCHLINE_STORE__URL", url)
            .env("TOUCHLINE_DEMO_FAX_KEY", KEY)
            .env("TOUCHLINE_DEMO_WEBHOOK_SECRET", KEY)
            .stdin(Stdio::null());
        command
    }

    /// Starts a node of that number: `node-1` at 127.0.0.1, `node-2` at 127.0.0.2 and so on, each with its own log.
    pub fn node(&self, number: usize, url: &str) -> Node {
        self.node_with(number, url, &[])
    }

    /// The same with settings of its own, as environment variables.
    pub fn node_with(&self, number: usize, url: &str, settings: &[(&str, String)]) -> Node {
        let log = self.path(&format!("node-{number}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let child = self
            .command(url)
            .args(["serve", "--listen", &format!("127.0.0.{number}:0")])
            .env("HOSTNAME", format!("node-{number}"))
            .envs(settings.iter().map(|(name, value)| (*name, value)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the node starts");
        Node { child, number }
    }

    /// What the nodes logged, for a test that fails.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for number in 1..10 {
            let log = std::fs::read_to_string(self.path(&format!("node-{number}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            for line in &lines[lines.len().saturating_sub(30)..] {
                writeln!(text, "node-{number}: {line}").expect("a string takes text");
            }
        }
        text
    }

    /// How often a node has said something in its log.
    pub fn said(&self, number: usize, words: &str) -> usize {
        let log = std::fs::read_to_string(self.path(&format!("node-{number}.log"))).unwrap_or_default();
        log.matches(words).count()
    }

    /// Waits until a node has said something that often.
    pub async fn hears(&self, number: usize, words: &str, times: usize) {
        let began = Instant::now();
        while self.said(number, words) < times {
            assert!(began.elapsed() < PATIENCE, "node {number} never says `{words}`\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the queue's entries are as looked for.
    pub async fn queue_until(&self, store: &Store, what: &str, look: impl Fn(&[Entry]) -> bool) -> Vec<Entry> {
        let began = Instant::now();
        loop {
            let entries = entries(store).await;
            if look(&entries) {
                return entries;
            }
            assert!(began.elapsed() < PATIENCE, "never seen: {what}; {entries:?}\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until nothing more happens by itself and every broadcast is marked as finished.
    pub async fn settled(&self, store: &Store) -> Ledger {
        self.settled_within(store, PATIENCE).await
    }

    /// The same for more letters than can go in [`PATIENCE`].
    pub async fn settled_within(&self, store: &Store, within: Duration) -> Ledger {
        let began = Instant::now();
        loop {
            let mut tx = store.read().await.expect("the store can be read");
            let ledger = tx.ledger(LedgerOf::Everything).await.expect("a ledger");
            let depth = tx.queue_depth().await.expect("a depth");
            let unfinished = tx.broadcasts_unfinished().await.expect("read");
            drop(tx);
            if ledger.total > 0 && ledger.is_settled() && depth == 0 && !unfinished {
                return ledger;
            }
            assert!(began.elapsed() < within, "not settled: {ledger:?}, {depth} entries\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the ledger shows what is looked for.
    pub async fn until(&self, store: &Store, what: &str, look: impl Fn(&Ledger) -> bool) -> Ledger {
        let began = Instant::now();
        loop {
            let ledger = ledger(store).await;
            if look(&ledger) {
                return ledger;
            }
            assert!(began.elapsed() < PATIENCE, "never seen: {what}; {ledger:?}\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback")
}

/// The ledger of everything.
pub async fn ledger(store: &Store) -> Ledger {
    let mut tx = store.read().await.expect("the store can be read");
    tx.ledger(LedgerOf::Everything).await.expect("a ledger")
}

/// Every entry of the queue.
pub async fn entries(store: &Store) -> Vec<Entry> {
    let mut tx = store.read().await.expect("the store can be read");
    let mut entries = Vec::new();
    for line in tx.message_lines(LinesOf::default(), 100_000).await.expect("read") {
        entries.extend(tx.queue_entry(line.id.0).await.expect("read"));
    }
    entries
}

/// How many attempts stand at that status, one of the open ones.
pub async fn open_attempts(store: &Store, status: AttemptStatus) -> usize {
    open(store).await.iter().filter(|attempt| attempt.status == status).count()
}

/// Every open attempt.
async fn open(store: &Store) -> Vec<Attempt> {
    let mut tx = store.read().await.expect("the store can be read");
    let lines = tx.message_lines(LinesOf::default(), 100_000).await.expect("read");
    let ids: Vec<MessageId> = lines.iter().map(|line| line.id).collect();
    tx.attempts_open(&ids).await.expect("read")
}

/// Waits until at least that many calls of a channel are on record and not answered.
pub async fn calls_under_way(store: &Store, channel: Channel, count: usize) {
    let began = Instant::now();
    let calls = async || {
        let open = open(store).await;
        let of_channel = |attempt: &&Attempt| attempt.dialled.as_ref().is_some_and(|to| to.channel() == channel);
        open.iter().filter(of_channel).filter(|attempt| attempt.status == AttemptStatus::Calling).count()
    };
    while calls().await < count {
        assert!(began.elapsed() < PATIENCE, "there were never {count} calls under way");
        tokio::time::sleep(LOOK).await;
    }
}

/// The seed of a test's random moments: from the environment, to see a run again, or new; said aloud either way.
pub fn seed() -> u64 {
    let seed = std::env::var("TOUCHLINE_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("TOUCHLINE_TEST_SEED={seed}");
    seed
}

/// Ordinary numbers of the range kept for fiction, each with a basis.
fn referrers(setup: &Setup) -> String {
    let mut text =
        "first_name,last_name,organization,type,email,fax,basis,basis_source,basis_date,basis_note\n".to_owned();
    for n in 0..setup.faxes.max(setup.mails) {
        let email = if n < setup.mails { format!("ana{n}@office{n}.example") } else { String::new() };
        let fax = if n < setup.faxes {
            let (area, line) = (AREAS[n / NUMBERS_PER_AREA], 133 + n % NUMBERS_PER_AREA);
            format!("({area}) 555-{line:04},permission,given_by_recipient,2026-11-02,asked by phone")
        } else {
            ",,,,".to_owned()
        };
        writeln!(text, "Ana,Number{n},Office {n},primary_care,{email},{fax}").expect("a string takes text");
    }
    text
}

/// A running node. It is killed when the test ends, however it ends.
pub struct Node {
    child: Child,
    pub number: usize,
}

impl Node {
    /// SIGKILL: no destructor, no drain, no last word.
    pub fn kill(mut self) {
        assert!(self.child.try_wait().expect("it can be asked").is_none(), "node {} ended by itself", self.number);
        self.child.kill().expect("the node can be killed");
        self.child.wait().expect("the node is gone");
    }

    /// SIGTERM, as a service manager sends it. Returns how it ended.
    pub async fn drain(mut self) -> ExitStatus {
        self.signal("TERM");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "node {} does not end", self.number);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops the process in its tracks, as a suspended machine does, until [`Node::wake`].
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn wake(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("a shell").success(), "the signal was sent");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
