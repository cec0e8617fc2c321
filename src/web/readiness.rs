//! Whether this node can work: the database answers, keeps what it is given, has room, and was not found damaged. It is
//! tried when somebody asks, at most once in five seconds: a gateway that nobody asks writes nothing for it.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::Timestamp;
use crate::store::engine::soundness::Room;
use crate::store::{Store, StoreError};

/// A database that takes longer than this is not ready.
const WITHIN: Duration = Duration::from_secs(2);
/// How long an answer stands.
const STANDS_FOR: Duration = Duration::from_secs(5);

/// Why it cannot work: a word for programs, and words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unready {
    /// The disk is full, or nearly.
    DiskFull,
    /// The database is damaged, or not ours.
    Damaged,
    /// It does not answer in time, as when another program has locked it.
    Slow,
    /// It cannot be read.
    Unreadable,
    /// It can be read, but keeps nothing.
    Unwritable,
}

impl Unready {
    /// The word, and what it means.
    pub(super) const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::DiskFull => ("disk_full", "less than 64 MB are free on the disk of the database"),
            Self::Damaged => ("damaged", "the database is damaged or is not Touchline's; see the log"),
            Self::Slow => ("slow", "the database does not answer in time; another program may have locked it"),
            Self::Unreadable => ("unreadable", "the database cannot be read; see the log"),
            Self::Unwritable => ("unwritable", "the database cannot be written to; see the log"),
        }
    }
}

type Answer = Result<(), Unready>;

/// The latest answer. One caller tries; those who ask meanwhile wait for its answer.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Timestamp, Answer)>>);

impl Readiness {
    /// Whether it can work, as it was within the last five seconds.
    pub(super) async fn ask(&self, store: &Store, now: Timestamp) -> Answer {
        let mut latest = self.0.lock().await;
        if store.was_found_damaged() {
            return Err(Unready::Damaged);
        }
        if let Some((asked, answer)) = *latest
            && (asked..asked.after(STANDS_FOR)).contains(&now)
        {
            return answer;
        }
        let answer = timeout(WITHIN, look(store)).await.unwrap_or(Err(Unready::Slow));
        *latest = Some((now, answer));
        answer
    }
}

async fn look(store: &Store) -> Answer {
    let because = |unready: Unready| {
        move |error: StoreError| {
            tracing::warn!(%error, "not ready");
            store.note(&error);
            if matches!(error, StoreError::Unusable(_)) { Unready::Damaged } else { unready }
        }
    };
    if let Some(Room { free: Some(free), .. }) = store.room()
        && free < Room::LEAST
    {
        return Err(Unready::DiskFull);
    }
    let read = async { store.read().await?.queue_depth().await };
    read.await.map_err(because(Unready::Unreadable))?;
    store.prove_writable().await.map_err(because(Unready::Unwritable))
}
