//! Mailboxes to which returns come: by IMAP (RFC 9051, RFC 3501), by POP3 (RFC 1939), or a maildir on this machine. Reading changes
//! nothing in a mailbox: over IMAP it is opened for reading only, over POP3 nothing is deleted, in a maildir no file is touched.
//! What is done with a return of ours is done by [`Session::finish`], which the caller asks for once its record is committed.
//!
//! A server is not trusted: what it says is bounded in size and time, and bytes that are no answer are a failure. `conversation`
//! reads and writes within limits, `handing_out` asks for mails one by one, `received` reads when one came, `server` connects and encrypts,
//! `login` logs in, `settings` reads a section.

mod conversation;
mod handing_out;
mod imap;
mod login;
mod maildir;
mod pop3;
mod received;
mod server;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;

pub use self::settings::{MailboxTls, OAUTH_KEYS, Settings};

use super::sign_in::SignIn;
use super::{Account, SettingsError};
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::domain::words::words;

/// Mails that are read at once, at most.
pub const BATCH_MAX: usize = 50;
/// What is read of one mail, in octets: 4 MiB. A return with a whole letter in it is far smaller, and what matters of one stands
/// at its beginning.
pub const MAIL_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// A batch ends with the mail that fills it, in octets: 16 MiB.
pub const BATCH_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Mails of one folder that are looked at, at most, where all are listed each time (POP3, maildir).
pub const LISTED_MAX: usize = 100_000;
/// Mails with which something is done at once, at most. The longest UIDs make a command of 1,100 octets of them; servers take 8,000
/// (RFC 2683 §3.2.1.5).
pub const FINISHED_MAX: usize = 100;
/// Old mails that are passed over at once, at most, where each is looked at (POP3, maildir).
pub const OLD_MAX: usize = 1_000;
/// The code of a failure that says that a folder is missing, as RFC 5530 has it.
pub const MISSING_FOLDER: &str = "NONEXISTENT";
/// How long IMAP's IDLE waits before it is begun anew. RFC 2177 says at most 29 minutes.
pub const IDLE_MAX: Duration = Duration::from_secs(25 * 60);

words! {
    /// How a mailbox is read.
    MailboxKind {
        /// RFC 9051 and RFC 3501.
        Imap = "imap",
        /// RFC 1939.
        Pop3 = "pop3",
        /// A folder of this machine with one file for each mail.
        Maildir = "maildir",
    }
}

words! {
    /// What becomes of a return of ours once its record is committed.
    After {
        /// It stays as it is.
        Keep = "keep",
        /// It is marked as read.
        Seen = "seen",
        /// It is deleted.
        Delete = "delete",
        /// It goes to another folder.
        Move = "move",
    }
}

/// How far a folder was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// IMAP: the folder's UIDVALIDITY and the last UID that was read (RFC 9051 §2.3.1.1). Zeros before the first time.
    Last {
        /// UIDVALIDITY.
        validity: u32,
        /// UID.
        uid: u32,
    },
    /// POP3, maildir: what was read and is still there, by [`Mail::key`].
    Seen(BTreeSet<String>),
}

/// What changed in a place by reading. The default changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The new place, as [`Place::Last`].
    Last {
        /// UIDVALIDITY.
        validity: u32,
        /// UID.
        uid: u32,
    },
    /// What else was read, and what is not there any more.
    Seen {
        /// Keys of what was read; those of mails that could not be read too.
        added: Vec<String>,
        /// Keys to forget.
        gone: Vec<String>,
    },
}

impl Default for Progress {
    fn default() -> Self {
        Self::Seen { added: Vec::new(), gone: Vec::new() }
    }
}

/// One mail as it was read. Prints neither address nor content.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// What tells it from others in its folder: the UID, or the unique name, at most 80 octets.
    pub key: String,
    /// The mail, or its beginning.
    pub octets: Vec<u8>,
    /// When the server received it, where it says so.
    pub received_ms: Option<Timestamp>,
    /// Whether there is more of it than was read.
    pub is_cut: bool,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("octets", &self.octets.len()).field("is_cut", &self.is_cut).finish_non_exhaustive()
    }
}

/// A mail that the server does not hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As [`Mail::key`].
    pub key: String,
    /// The server's words. They may name anybody: [`crate::domain::fault::clean`] them before they are shown.
    pub words: String,
}

/// Mails that are new since a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// In the order of the mailbox, at most [`BATCH_MAX`].
    pub mails: Vec<Mail>,
    /// How far the folder is read with them.
    pub progress: Progress,
    /// Whether there are more already.
    pub more: bool,
    /// Mails that the server would not hand out while it handed out later ones, or that are too large to be asked for; they are
    /// passed over, and the progress has them.
    pub passed_over: Vec<Refused>,
    /// Mails that it refuses with none behind them that it hands out. The progress does not have them: they are asked for again.
    pub refused: Vec<Refused>,
    /// Whether these may say less of the mails than of the server.
    pub is_doubtful: bool,
    /// Mails that were received too long ago to be read; the progress has them.
    pub old: usize,
}

/// How many mails a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub mails: u64,
    /// Those received since the time asked about. `None` if no time was, or if nobody knows without reading much.
    pub since: Option<u64>,
}

/// A mailbox as configured.
#[async_trait]
pub trait Mailbox: Send + Sync + fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// How it is read.
    fn kind(&self) -> MailboxKind;

    /// The folders to read, at least one; a single empty name where there are none.
    fn folders(&self) -> &[String];

    /// What becomes of returns of ours.
    fn after(&self) -> After;

    /// The day since which mail is read, if one is configured.
    fn since(&self) -> Option<NaiveDate> {
        None
    }

    /// How it signs in, where it does so by OAuth.
    fn sign_in(&self) -> Option<&Arc<SignIn>> {
        None
    }

    /// Reaches the mailbox and logs in.
    ///
    /// # Errors
    /// `account_error` where a person is needed; otherwise it may work later. Nothing secret and no address is in it.
    async fn open(&self) -> Result<Box<dyn Session>, Failure>;
}

/// A mailbox that is open.
#[async_trait]
pub trait Session: Send {
    /// What is new in a folder since a place. Changes nothing in the mailbox. A place of another kind is read as none. Mail that was
    /// received before `since` is not read: over IMAP only where the folder is read from its start, by the server's days, so that
    /// of the day before some may be read; over POP3 as far as it comes before the first that is not so old; in a maildir always.
    ///
    /// # Errors
    /// The folder is missing ([`is_missing`]), or the server did not do its part; then nothing was read.
    async fn read(&mut self, folder: &str, place: &Place, since: Option<Timestamp>) -> Result<Batch, Failure>;

    /// Does with these mails of a folder, at most [`FINISHED_MAX`], what [`Mailbox::after`] says, and with no others. Those that are
    /// not there any more are done; so are all of a folder that is missing, or another one by now, as `validity` shows (IMAP).
    ///
    /// # Errors
    /// It may be done for some; asking again is harmless.
    async fn finish(&mut self, folder: &str, validity: u32, keys: &[String]) -> Result<(), Failure>;

    /// How many mails a folder holds, and how many of them were received since that time.
    ///
    /// # Errors
    /// The folder is missing ([`is_missing`]), or the server did not do its part.
    async fn count(&mut self, folder: &str, since: Option<Timestamp>) -> Result<Count, Failure>;

    /// Waits until there may be something new since the last reading: until the server says so, or for so long where it cannot say.
    ///
    /// # Errors
    /// The server did not do its part.
    async fn wait(&mut self, poll: Duration) -> Result<(), Failure>;

    /// Takes leave, for at most a few seconds.
    async fn close(&mut self);
}

/// Whether a failure says that the mailbox has no folder of that name. The others can be read all the same.
#[must_use]
pub fn is_missing(failure: &Failure) -> bool {
    failure.raw_code.as_deref() == Some(MISSING_FOLDER)
}

/// A mailbox from its section, of which all but the secrets is in `settings`. `account` has its name, the keys by which it signs
/// in, its secrets, and what all accounts share.
///
/// # Errors
/// Names the key under `mailboxes` and what to do, never a value.
pub fn mailbox(account: Account, settings: Settings) -> Result<Arc<dyn Mailbox>, SettingsError> {
    let built = match settings.kind {
        MailboxKind::Maildir => Ok(Arc::new(maildir::Maildir::new(&account.name, settings)) as Arc<dyn Mailbox>),
        MailboxKind::Imap => imap::Imap::new(account, settings).map(|it| Arc::new(it) as Arc<dyn Mailbox>),
        MailboxKind::Pop3 => pop3::Pop3::new(account, settings).map(|it| Arc::new(it) as Arc<dyn Mailbox>),
    };
    // What reads the keys of a sign-in takes every account for one that sends.
    built.map_err(|SettingsError(words)| SettingsError(words.replacen("providers.", "mailboxes.", 1)))
}

/// The longest unique name that is its own key.
const KEY_OCTETS_MAX: usize = 80;

/// The key of a mail by its unique name: the name, or where that is long or odd, its digest.
fn key(unique: &str) -> String {
    let is_plain = (1..=KEY_OCTETS_MAX).contains(&unique.len()) && unique.bytes().all(|b| b.is_ascii_graphic());
    if is_plain && !unique.starts_with("sha256:") {
        return unique.to_owned();
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, unique.as_bytes());
    format!("sha256:{}", hex::encode(digest))
}
