//! A maildir on this machine: `new` and `cur`, one file for each mail. A file's name up to its flags is its unique name, which
//! stays when a mail program moves it from `new` to `cur` or changes its flags.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use chrono::NaiveDate;

use super::{
    After, BATCH_MAX, BATCH_OCTETS_MAX, Batch, Count, LISTED_MAX, MAIL_OCTETS_MAX, Mail, Mailbox, MailboxKind, OLD_MAX,
    Place, Progress, Refused, Session, Settings,
};
use crate::domain::Timestamp;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::files::open_regular;

/// Where the flags of a name begin.
const FLAGS: &str = ":2,";

/// A maildir.
#[derive(Debug, Clone)]
pub(super) struct Maildir {
    name: String,
    path: PathBuf,
    since: Option<NaiveDate>,
    after: After,
    folders: [String; 1],
}

impl Maildir {
    pub fn new(name: &str, settings: Settings) -> Self {
        let Settings { path, since, after, .. } = settings;
        Self { name: name.to_owned(), path: path.unwrap_or_default(), since, after, folders: [String::new()] }
    }

    /// Does work that waits for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map_err(|error| {
            let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
            failure.text(format!("the maildir cannot be used ({}): check path and permissions", error.kind()))
        })
    }
}

#[async_trait]
impl Mailbox for Maildir {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> MailboxKind {
        MailboxKind::Maildir
    }

    fn folders(&self) -> &[String] {
        &self.folders
    }

    fn after(&self) -> After {
        self.after
    }

    fn since(&self) -> Option<NaiveDate> {
        self.since
    }

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        self.on_disk(|path| list(path).map(drop)).await?;
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Maildir {
    async fn read(&mut self, _: &str, place: &Place, since: Option<Timestamp>) -> Result<Batch, Failure> {
        let seen = match place {
            Place::Seen(seen) => seen.clone(),
            Place::Last { .. } => BTreeSet::new(),
        };
        self.on_disk(move |path| read_new(path, &seen, since)).await
    }

    async fn finish(&mut self, _: &str, _: u32, keys: &[String]) -> Result<(), Failure> {
        let (after, keys) = (self.after, keys.to_vec());
        self.on_disk(move |path| finish(path, after, &keys)).await
    }

    async fn count(&mut self, _: &str, since: Option<Timestamp>) -> Result<Count, Failure> {
        self.on_disk(move |path| count(path, since)).await
    }

    async fn wait(&mut self, poll: Duration) -> Result<(), Failure> {
        tokio::time::sleep(poll).await;
        Ok(())
    }

    async fn close(&mut self) {}
}

/// The mails of both folders by their keys, which is about the order in which they came.
fn list(path: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    // What moves from one to the other meanwhile is found in both.
    for folder in ["new", "cur"] {
        for entry in fs::read_dir(path.join(folder))?.take(LISTED_MAX) {
            let entry = entry?;
            let name = entry.file_name();
            let unique = name.to_string_lossy();
            let unique = unique.split(FLAGS).next().unwrap_or_default();
            if !unique.starts_with('.') && entry.file_type()?.is_file() && files.len() < LISTED_MAX {
                files.insert(super::key(unique), entry.path());
            }
        }
    }
    Ok(files)
}

fn count(path: &Path, since: Option<Timestamp>) -> io::Result<Count> {
    let files = list(path)?;
    let is_recent = |file: &&PathBuf| fs::metadata(file).is_ok_and(|file| !is_older(changed(&file), since));
    let recent = since.map(|_| files.values().filter(is_recent).count() as u64);
    Ok(Count { mails: files.len() as u64, since: recent })
}

fn read_new(path: &Path, seen: &BTreeSet<String>, since: Option<Timestamp>) -> io::Result<Batch> {
    let files = list(path)?;
    let gone = seen.iter().filter(|key| !files.contains_key(*key)).cloned().collect();
    let (mut batch, mut added, mut octets) = (Batch::default(), Vec::new(), 0);
    for (key, file) in files.into_iter().filter(|(key, _)| !seen.contains(key)) {
        if batch.refused.len() == BATCH_MAX {
            break;
        }
        if batch.mails.len() == BATCH_MAX || octets >= BATCH_OCTETS_MAX || batch.old == OLD_MAX {
            batch.more = true;
            break;
        }
        match read_one(&key, &file, since) {
            Ok(Some(mail)) => {
                octets += mail.octets.len();
                batch.mails.push(mail);
            }
            Ok(None) => batch.old += 1,
            // A mail program has moved or removed it: if it is there under another name, the next round finds it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // About us, not about the mail: once the permissions are corrected, it is read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(error) => {
                batch.refused.push(Refused { key, words: format!("the file cannot be read: {}", error.kind()) });
                continue;
            }
        }
        added.push(key);
    }
    // Each file stands for itself, unless none at all may be read.
    batch.is_doubtful = batch.refused.len() > 1 && added.is_empty() && seen.is_empty();
    batch.progress = Progress::Seen { added, gone };
    Ok(batch)
}

/// The mail of a file; `None` if it came too long ago.
fn read_one(key: &str, file: &Path, since: Option<Timestamp>) -> io::Result<Option<Mail>> {
    let refused = |error: crate::files::ReadError| match error {
        crate::files::ReadError::System(error) => error,
        _ => io::ErrorKind::InvalidInput.into(),
    };
    let open: File = open_regular(file).map_err(refused)?;
    let received_ms = changed(&open.metadata()?);
    if is_older(received_ms, since) {
        return Ok(None);
    }
    let mut octets = Vec::new();
    open.take(MAIL_OCTETS_MAX as u64 + 1).read_to_end(&mut octets)?;
    let is_cut = octets.len() > MAIL_OCTETS_MAX;
    octets.truncate(MAIL_OCTETS_MAX);
    Ok(Some(Mail { key: key.to_owned(), octets, received_ms, is_cut }))
}

/// When a file was written, which is when the mail in it was delivered: moving it changes nothing of that.
fn changed(file: &fs::Metadata) -> Option<Timestamp> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp).filter(|at| at.is_writable())
}

fn is_older(received_ms: Option<Timestamp>, since: Option<Timestamp>) -> bool {
    received_ms.zip(since).is_some_and(|(at, since)| at < since)
}

fn finish(path: &Path, after: After, keys: &[String]) -> io::Result<()> {
    let files = list(path)?;
    for file in keys.iter().filter_map(|key| files.get(key)) {
        let done = match after {
            After::Delete => fs::remove_file(file),
            After::Seen => mark_seen(path, file),
            After::Keep | After::Move => Ok(()),
        };
        if let Err(error) = done
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Moves a mail to `cur` with the flag S. Flags stand in the order of their letters.
fn mark_seen(path: &Path, file: &Path) -> io::Result<()> {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    let (unique, flags) = name.split_once(FLAGS).unwrap_or((name, ""));
    let flags: BTreeSet<char> = flags.chars().chain(['S']).collect();
    let marked = format!("{unique}{FLAGS}{}", flags.into_iter().collect::<String>());
    fs::rename(file, path.join("cur").join(marked))
}
