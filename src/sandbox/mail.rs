//! A mail catcher: a mail server on loopback that keeps and shows what it receives. It delivers nothing. The mailbox
//! name makes it misbehave on purpose, so that every outcome of a letter can be seen without a real clinic:
//!
//! | mailbox begins with | what happens |
//! | --- | --- |
//! | `unknown` | 550 5.1.1 at RCPT |
//! | `full` | 452 4.2.2 at RCPT |
//! | `greylist` | 451 4.7.1 the first time the address is tried, then accepted |
//! | `refuse` | 554 5.7.1 after the body |
//! | `large` | 552 5.2.3 after the body |
//! | `slow` | accepted, but the answer to the final dot takes a while |
//! | `drop` | kept, but the connection closes without an answer: a letter in doubt |

mod journal;
mod page;
mod session;

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::journal::Journal;
use crate::domain::{Clock, SystemClock, Timestamp};

/// Concurrent connections; more are turned away with 421.
pub const CONNECTIONS_MAX: usize = 256;
/// Mails kept; the oldest are dropped first.
pub const MESSAGES_KEPT_MAX: usize = 5_000;
/// Octets of mail kept in total.
const OCTETS_KEPT_MAX: usize = 256 * 1024 * 1024;
/// Addresses remembered as having been tried once.
const GREYLIST_MAX: usize = 10_000;

/// How a catcher behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long `slow` mailboxes let the sender wait for the answer to the final dot.
    pub slow_answer: Duration,
    /// A file to which one JSON line is appended for each mail and recipient, before the mail is acknowledged. It
    /// survives the catcher, so that a test can count what actually arrived.
    pub journal: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), slow_answer: Duration::from_secs(20), journal: None }
    }
}

/// A mail that was caught.
#[derive(Clone)]
pub struct CaughtMail {
    /// The envelope's sender; empty for a bounce.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// When its last octet arrived.
    pub received_at: Timestamp,
    /// The mail as received, dots undoubled, CRLF line ends.
    pub eml: Vec<u8>,
    /// Its `Message-ID` without angle brackets.
    pub message_id: Option<String>,
}

impl fmt::Debug for CaughtMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaughtMail").field("octets", &self.eml.len()).finish_non_exhaustive()
    }
}

/// A running catcher. Dropped, it stops immediately; [`MailCatcher::shutdown`] waits until it has.
#[derive(Debug)]
pub struct MailCatcher {
    address: SocketAddr,
    mailroom: Arc<Mailroom>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl MailCatcher {
    /// Serves on a bound listener, which should be on loopback: anyone who reaches it can send mail.
    ///
    /// # Errors
    /// The journal cannot be opened, or the listener has no address.
    pub fn start(listener: TcpListener, options: Options) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let journal = options.journal.as_deref().map(Journal::open).transpose()?;
        let mailroom = Arc::new(Mailroom {
            clock: options.clock,
            slow_answer: options.slow_answer,
            journal,
            state: Mutex::default(),
            total: watch::Sender::new(0),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, mailroom.clone(), stop.clone(), tasks.clone()));
        Ok(Self { address, mailroom, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is kept, oldest first; at most [`MESSAGES_KEPT_MAX`].
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<CaughtMail>> {
        self.mailroom.state().kept.iter().cloned().collect()
    }

    /// The newest kept mail with that `Message-ID`, given with or without angle brackets.
    #[must_use]
    pub fn find(&self, message_id: &str) -> Option<Arc<CaughtMail>> {
        let wanted = message_id.trim().trim_start_matches('<').trim_end_matches('>');
        self.mailroom.state().kept.iter().rev().find(|mail| mail.message_id.as_deref() == Some(wanted)).cloned()
    }

    /// Mails caught since the start, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        *self.mailroom.total.borrow()
    }

    /// Waits until that many mails were caught since the start.
    pub async fn caught(&self, total: u64) {
        let mut seen = self.mailroom.total.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = seen.wait_for(|count| *count >= total).await;
    }

    /// Pages that show what was caught, under `/mail`. They show whole addresses: for loopback only.
    pub fn pages(&self) -> axum::Router {
        page::router(self.mailroom.clone())
    }

    /// Stops and waits until every connection is closed.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for MailCatcher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, mailroom: Arc<Mailroom>, stop: CancellationToken, tasks: TaskTracker) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, for instance: not worth a busy loop.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            tasks.spawn(turn_away(stream));
            continue;
        };
        let (mailroom, stop) = (mailroom.clone(), stop.clone());
        tasks.spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = stop.cancelled() => {}
                // A sender that goes away in the middle is nothing to report.
                _ = session::serve(stream, &mailroom) => {}
            }
        });
    }
}

async fn turn_away(mut stream: TcpStream) {
    let _ = stream.write_all(b"421 4.3.2 Too many connections\r\n").await;
}

/// What all sessions share.
#[derive(Debug)]
struct Mailroom {
    clock: Arc<dyn Clock>,
    slow_answer: Duration,
    journal: Option<Journal>,
    state: Mutex<State>,
    total: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<Arc<CaughtMail>>,
    octets: usize,
    tried_once: HashSet<String>,
}

impl Mailroom {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest mails with their numbers, newest first.
    fn newest(&self, most: usize) -> Vec<(u64, Arc<CaughtMail>)> {
        let state = self.state();
        let total = *self.total.borrow();
        (0..=total).rev().zip(state.kept.iter().rev().take(most).cloned()).collect()
    }

    /// The mail of that number, if it is still kept.
    fn numbered(&self, number: u64) -> Option<Arc<CaughtMail>> {
        let state = self.state();
        let behind = self.total.borrow().checked_sub(number)?;
        state.kept.iter().rev().nth(usize::try_from(behind).ok()?).cloned()
    }

    /// Whether this address is tried for the first time.
    fn is_new(&self, address: &str) -> bool {
        let mut state = self.state();
        if state.tried_once.len() >= GREYLIST_MAX {
            state.tried_once.clear();
        }
        state.tried_once.insert(address.to_lowercase())
    }

    /// Takes a mail: into the journal first, then into what can be seen.
    fn keep(&self, from: String, to: Vec<String>, eml: Vec<u8>) -> io::Result<()> {
        let received_at = self.clock.now();
        let message_id = mail_parser::MessageParser::default()
            .parse_headers(&eml)
            .and_then(|mail| mail.message_id().map(str::to_owned));
        if let Some(journal) = &self.journal {
            journal.write(&to, message_id.as_deref(), received_at)?;
        }
        let mail = CaughtMail { from, to, received_at, eml, message_id };
        let mut state = self.state();
        state.octets += mail.eml.len();
        state.kept.push_back(Arc::new(mail));
        while state.kept.len() > MESSAGES_KEPT_MAX || state.octets > OCTETS_KEPT_MAX {
            let Some(oldest) = state.kept.pop_front() else { break };
            state.octets -= oldest.eml.len();
        }
        // Under the lock: a mail's number follows from how many there were.
        self.total.send_modify(|total| *total += 1);
        drop(state);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_the_same_mail_however_many_arrive_meanwhile() {
        let mailroom = Mailroom {
            clock: Arc::new(SystemClock),
            slow_answer: Duration::ZERO,
            journal: None,
            state: Mutex::default(),
            total: watch::Sender::new(0),
        };
        let count = 2_000_u64;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=count {
                    mailroom.keep(number.to_string(), Vec::new(), Vec::new()).expect("kept");
                }
            });
            let mut seen = 0;
            while seen < count {
                for (number, mail) in mailroom.newest(3) {
                    assert_eq!(mail.from, number.to_string());
                    let again = mailroom.numbered(number).expect("still kept");
                    assert_eq!(again.from, number.to_string());
                    seen = seen.max(number);
                }
            }
        });
        assert!(mailroom.numbered(0).is_none() && mailroom.numbered(count + 1).is_none());
    }
}
