//! A maildir on this machine: `new` and `cur`, one file for each mail. A file's name up to its flags is its unique name, which
//! stays when a mail program moves it from `new` to `cur` or changes its flags.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;

use super::{
    After, BATCH_MAX, BATCH_OCTETS_MAX, Batch, LISTED_MAX, MAIL_OCTETS_MAX, Mail, Mailbox, MailboxKind, Place,
    Progress, Session, Settings,
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
    after: After,
    folders: [String; 1],
}

impl Maildir {
    pub fn new(name: &str, settings: Settings) -> Self {
        let path = settings.path.unwrap_or_default();
        Self { name: name.to_owned(), path, after: settings.after, folders: [String::new()] }
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

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        self.on_disk(|path| list(path).map(drop)).await?;
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Maildir {
    async fn read(&mut self, _: &str, place: &Place) -> Result<Batch, Failure> {
        let seen = match place {
            Place::Seen(seen) => seen.clone(),
            Place::Last { .. } => BTreeSet::new(),
        };
        self.on_disk(move |path| read_new(path, &seen)).await
    }

    async fn finish(&mut self, _: &str, _: u32, keys: &[String]) -> Result<(), Failure> {
        let (after, keys) = (self.after, keys.to_vec());
        self.on_disk(move |path| finish(path, after, &keys)).await
    }

    async fn count(&mut self, _: &str) -> Result<u64, Failure> {
        self.on_disk(|path| list(path).map(|files| files.len() as u64)).await
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

fn read_new(path: &Path, seen: &BTreeSet<String>) -> io::Result<Batch> {
    let files = list(path)?;
    let gone = seen.iter().filter(|key| !files.contains_key(*key)).cloned().collect();
    let (mut mails, mut added, mut octets, mut unreadable, mut more) = (Vec::new(), Vec::new(), 0, 0, false);
    for (key, file) in files.into_iter().filter(|(key, _)| !seen.contains(key)) {
        if added.len() == BATCH_MAX || octets >= BATCH_OCTETS_MAX {
            more = true;
            break;
        }
        match read_one(&file) {
            Ok((content, received_ms, is_cut)) => {
                octets += content.len();
                mails.push(Mail { key: key.clone(), octets: content, received_ms, is_cut });
            }
            // A mail program has moved or removed it: if it is there under another name, the next round finds it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(_) => unreadable += 1,
        }
        added.push(key);
    }
    Ok(Batch { mails, progress: Progress::Seen { added, gone }, more, unreadable })
}

fn read_one(file: &Path) -> io::Result<(Vec<u8>, Option<Timestamp>, bool)> {
    let refused = |error: crate::files::ReadError| match error {
        crate::files::ReadError::System(error) => error,
        _ => io::ErrorKind::InvalidInput.into(),
    };
    let open: File = open_regular(file).map_err(refused)?;
    let changed = open.metadata()?.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let received_ms = changed.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Timestamp);
    let mut octets = Vec::new();
    open.take(MAIL_OCTETS_MAX as u64 + 1).read_to_end(&mut octets)?;
    let is_cut = octets.len() > MAIL_OCTETS_MAX;
    octets.truncate(MAIL_OCTETS_MAX);
    Ok((octets, received_ms.filter(|at| at.is_writable()), is_cut))
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
