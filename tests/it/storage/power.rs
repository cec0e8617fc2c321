//! A power cut at any moment of a drain: the database as it would be found afterwards, and in it the attempt of every call
//! that had been made. See `docs/decisions/0010-what-a-power-cut-can-do.md`.
//!
//! A reader that stays keeps SQLite from folding the write-ahead log into the file, so that the log at the end holds every
//! commit of the drain in order. Cut off after the n-th commit it is what a power cut leaves that comes right after the
//! n-th fsync; cut off in between, or torn, what one leaves in the middle of the next write. Every way to the far side
//! leads through a tap that notes how long the log was when a call's first octets came by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sqlx::{Connection, Executor, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use touchline::domain::id::AttemptId;
use touchline::provider::mail::attempt_of;
use touchline::sandbox::fax::{Entry, Happened};
use touchline::store::Store;
use touchline::store::views::ledger::{Ledger, LedgerOf};

use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway};

const REFERRERS: usize = 12;
/// Cuts after a commit that are tried; with each goes one in the middle of the next write.
const CUTS_MAX: usize = 70;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What one connection carried to the far side, piece by piece, with the length of the log when each piece came by.
type Carried = Arc<Mutex<Vec<Vec<(usize, Vec<u8>)>>>>;

/// Stands on the way to the far side.
struct Tap {
    port: u16,
    carried: Carried,
}

impl Tap {
    async fn before(far: String, log: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let port = listener.local_addr().expect("bound").port();
        let carried = Carried::default();
        let streams = carried.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&far).await else { continue };
                tokio::spawn(carry(near, far, streams.clone(), log.clone()));
            }
        });
        Self { port, carried }
    }

    /// How long the log was when the first octets that name an attempt came by.
    fn log_at(&self, attempt: AttemptId) -> Option<usize> {
        let name = attempt.to_string();
        let streams = self.carried.lock().expect("whole");
        streams.iter().find_map(|pieces| {
            let all: Vec<u8> = pieces.iter().flat_map(|(_, octets)| octets.iter().copied()).collect();
            let found = all.windows(name.len()).position(|window| window == name.as_bytes())?;
            let mut end = 0;
            pieces.iter().find_map(|(log, octets)| {
                end += octets.len();
                (found < end).then_some(*log)
            })
        })
    }
}

async fn carry(near: TcpStream, far: TcpStream, carried: Carried, log: PathBuf) {
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_far, &mut to_near).await });
    let stream = {
        let mut streams = carried.lock().expect("whole");
        streams.push(Vec::new());
        streams.len() - 1
    };
    let mut octets = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_near.read(&mut octets).await {
        let length = std::fs::metadata(&log).map_or(0, |file| usize::try_from(file.len()).expect("fits"));
        carried.lock().expect("whole")[stream].push((length, octets[..count].to_vec()));
        if to_far.write_all(&octets[..count]).await.is_err() {
            return;
        }
    }
}

/// The log with the places where its commits end.
struct Log {
    octets: Vec<u8>,
    commits: Vec<usize>,
}

impl Log {
    /// Reads the frames (<https://www.sqlite.org/fileformat2.html#walformat>); those after `since` count.
    fn read(octets: Vec<u8>, since: usize) -> Self {
        let number = |at: usize| u32::from_be_bytes(octets[at..at + 4].try_into().expect("four octets"));
        let frame = FRAME_HEADER + usize::try_from(number(8)).expect("a page size");
        let mut commits = Vec::new();
        let mut at = WAL_HEADER;
        while at + frame <= octets.len() {
            assert_eq!(octets[at + 8..at + 16], octets[16..24], "the log was begun anew: the experiment is spoilt");
            // The size of the database stands in the last frame of a commit alone.
            if number(at + 4) != 0 {
                commits.push(at + frame);
            }
            at += frame;
        }
        commits.retain(|end| *end >= since);
        Self { octets, commits }
    }

    /// The last commit that a log of that length holds whole.
    fn commit_within(&self, length: usize) -> usize {
        *self.commits.iter().take_while(|end| **end <= length).last().expect("the drain began later")
    }
}

/// What is found after a cut.
#[derive(Debug, PartialEq)]
struct Found {
    known: Vec<bool>,
    ledger: Ledger,
    depth: i64,
}

/// Opens the database as the daemon would, with that log, and looks it over.
async fn open_after_cut(scratch: &Path, file: &[u8], log: &[u8], calls: &BTreeMap<AttemptId, usize>) -> Found {
    let path = scratch.join("cut.db");
    for name in ["cut.db", "cut.db-wal", "cut.db-shm"] {
        let _ = std::fs::remove_file(scratch.join(name));
    }
    std::fs::write(&path, file).expect("written");
    std::fs::write(scratch.join("cut.db-wal"), log).expect("written");
    let store = Store::open(&format!("sqlite:{}", path.display()), 2).await.expect("it opens");
    let sound = store.soundness().await.expect("it can be asked");
    assert_eq!((sound.damage, sound.risks), (vec![], vec![]));
    let mut tx = store.read().await.expect("a transaction");
    let mut known = Vec::new();
    for attempt in calls.keys() {
        known.push(tx.attempt(*attempt).await.expect("read").is_some());
    }
    let ledger = tx.ledger(LedgerOf::Everything).await.expect("a ledger");
    let depth = tx.queue_depth().await.expect("a depth");
    drop(tx);
    store.close().await;
    Found { known, ledger, depth }
}

/// Every attempt that the far side got to see.
fn attempts_seen(far: &FarSide) -> Vec<AttemptId> {
    let text = std::fs::read_to_string(far.fax_journal()).expect("a journal");
    let entries = text.lines().map(|line| serde_json::from_str::<Entry>(line).expect("a line"));
    let faxes = entries.filter(|entry| entry.event == Happened::Accepted);
    let faxes = faxes.map(|entry| entry.reference.parse().expect("our reference is an attempt's id"));
    let mails = far.catcher.messages();
    let mails = mails.iter().map(|mail| attempt_of(mail.message_id.as_deref().expect("named")).expect("ours"));
    faxes.chain(mails).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_at_any_moment_every_call_that_was_made_is_on_record() {
    let (database, far) = (Database::sqlite().await, FarSide::start().await);
    let file = PathBuf::from(database.url.strip_prefix("sqlite:").expect("a file"));
    let log = file.with_extension("db-wal");
    let line = far.line.base_url();
    let fax = Tap::before(line.trim_start_matches("http://").to_owned(), log.clone()).await;
    let mail = Tap::before(far.catcher.address().to_string(), log.clone()).await;
    let mut gateway = TestGateway::start(&database, &far, |settings| {
        settings
            .replace(&line, &format!("http://127.0.0.1:{}", fax.port))
            .replace(&format!("port = {}", far.catcher.address().port()), &format!("port = {}", mail.port))
    })
    .await;
    let names: Vec<_> = (0..REFERRERS).map(|n| (format!("Number{n}"), format!("01{}", 40 + n))).collect();
    let mailboxes: Vec<_> = (0..REFERRERS).map(|n| format!("n{n}@far.example")).collect();
    let people: Vec<_> = names
        .iter()
        .zip(&mailboxes)
        .map(|((name, tail), mailbox)| (name.as_str(), Some(tail.as_str()), Some(mailbox.as_str())))
        .collect();
    gateway.know(&people).await;

    let mut reader = SqliteConnection::connect(&database.url).await.expect("connected");
    reader.execute("BEGIN").await.expect("begun");
    reader.execute("SELECT COUNT(*) FROM message").await.expect("read");
    let since = usize::try_from(std::fs::metadata(&log).expect("a log").len()).expect("fits");
    gateway.send("introduction", "all").await;
    let delivered = gateway.settled().await.delivered;
    gateway.drain().await;
    let (file, log) = (std::fs::read(&file).expect("read"), std::fs::read(&log).expect("read"));
    reader.close().await.expect("closed");
    gateway.finish(&far).await;

    let log = Log::read(log, since);
    let calls: BTreeMap<AttemptId, usize> = attempts_seen(&far)
        .into_iter()
        .map(|attempt| {
            let length = fax.log_at(attempt).or_else(|| mail.log_at(attempt)).expect("it passed a tap");
            (attempt, log.commit_within(length))
        })
        .collect();
    assert!(calls.len() >= 2 * REFERRERS && delivered == 2 * REFERRERS as i64, "{} calls", calls.len());
    cut_everywhere(&file, &log, &calls).await;
}

async fn cut_everywhere(file: &[u8], log: &Log, calls: &BTreeMap<AttemptId, usize>) {
    let seed = fastrand::u64(..);
    println!("seed of the cuts: {seed}; {} commits, {} calls", log.commits.len(), calls.len());
    let mut random = fastrand::Rng::with_seed(seed);
    let scratch = tempfile::tempdir().expect("a folder");
    let every = log.commits.len().div_ceil(CUTS_MAX);
    let (mut unmade, mut made) = (0, 0);
    for (number, end) in log.commits.iter().enumerate().step_by(every) {
        let at_commit = open_after_cut(scratch.path(), file, &log.octets[..*end], calls).await;
        for ((attempt, recorded), known) in calls.iter().zip(&at_commit.known) {
            if recorded <= end {
                assert!(known, "{attempt} was called, and a cut at {end} forgets it");
                made += 1;
            } else {
                unmade += usize::from(!known);
            }
        }
        let total = at_commit.ledger.total;
        assert!(total == 0 || total == calls.len() as i64, "a submission is whole or not at all: {total}");

        let Some(next) = log.commits.get(number + 1) else { continue };
        let torn = random.usize(end + 1..*next);
        let cut = open_after_cut(scratch.path(), file, &log.octets[..torn], calls).await;
        assert_eq!(cut, at_commit, "cut at {torn}: what was not committed is gone, and nothing else (seed {seed})");
        let mut scrambled = log.octets[..*next].to_vec();
        scrambled[torn..].iter_mut().for_each(|octet| *octet = random.u8(..));
        let cut = open_after_cut(scratch.path(), file, &scrambled, calls).await;
        assert_eq!(cut, at_commit, "scrambled from {torn} on (seed {seed})");
    }
    assert!(unmade > 0 && made > 0, "the cuts came before and after calls");
}
