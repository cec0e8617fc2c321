//! A mailbox by IMAP (RFC 9051, and RFC 3501, which more servers know). Folders are opened for reading only (EXAMINE), so that no
//! mail becomes seen; one is opened for writing only to mark, move or delete returns of ours.

mod connection;
mod response;
mod writing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use tokio::time::{Instant, timeout};

use self::connection::Answer;
use self::response::{Response, Status};
use super::conversation::Silence;
use super::handing_out::{Handed, Source, gather, has_code, is_doubtful, is_passing, keyed, refused};
use super::login::enter;
use super::settings::Entrance;
use super::{
    After, Batch, Count, IDLE_MAX, MAIL_OCTETS_MAX, MISSING_FOLDER, Mail, Mailbox, MailboxKind, Place, Progress,
    Session, Settings, is_missing,
};
use crate::domain::Timestamp;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::provider::sign_in::{Access, SignIn};
use crate::provider::{Account, SettingsError};

/// Lines that a server says while it is only to say when there is something new, at most; many say "still here" now and then.
const IDLE_LINES_MAX: usize = 10_000;
/// How long a connection is left alone where the server cannot say that there is mail; some end it after half an hour.
const SLEEP_MAX: Duration = Duration::from_secs(10 * 60);
/// How servers say that there is no such folder, besides RFC 5530's code, in lower case.
const MISSING_WORDS: [&str; 5] =
    ["doesn't exist", "does not exist", "unknown mailbox", "no such mailbox", "could not be found"];
/// A server says of a mail only on which of its days it came, in a time zone that nobody knows: one day more is asked for.
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How long taking leave may take.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A mailbox by IMAP.
pub(super) struct Imap {
    name: String,
    entrance: Arc<Entrance>,
    folders: Vec<String>,
    since: Option<NaiveDate>,
    after: After,
    move_to: Option<String>,
}

impl Imap {
    /// # Errors
    /// Names the key that is wrong.
    pub fn new(account: Account, settings: Settings) -> Result<Self, SettingsError> {
        let name = account.name.clone();
        let entrance = Arc::new(settings.entrance(account, Access::Imap)?);
        let Settings { folders, since, after, move_to, .. } = settings;
        Ok(Self { name, entrance, folders, since, after, move_to })
    }
}

impl fmt::Debug for Imap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailbox for Imap {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> MailboxKind {
        MailboxKind::Imap
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

    fn sign_in(&self) -> Option<&Arc<SignIn>> {
        self.entrance.login.sign_in()
    }

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        let imap = enter::<connection::Imap>(&self.entrance.server, &self.entrance.login).await?;
        let (after, move_to) = (self.after, self.move_to.clone());
        Ok(Box::new(Open { imap, folders: self.folders.clone(), after, move_to, read: None, idles: true }))
    }
}

/// A session.
struct Open {
    imap: connection::Imap,
    folders: Vec<String>,
    after: After,
    move_to: Option<String>,
    /// The folder that news is waited for in, which is the first that is there, as it was when it was last read.
    read: Option<(String, Folder)>,
    /// Whether the server has not refused to say when there is mail, though it offers to.
    idles: bool,
}

/// What a server says of a folder that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Folder {
    validity: u32,
    uid_next: Option<u32>,
    mails: u32,
}

impl Open {
    async fn examine(&mut self, name: &str) -> Result<Folder, Failure> {
        self.open_folder("EXAMINE", name).await
    }

    async fn open_folder(&mut self, command: &str, name: &str) -> Result<Folder, Failure> {
        let answer = self.imap.ask(&format!("{command} {}", writing::folder(name))).await?;
        if answer.status != Status::Ok {
            return Err(unopened(&answer.text));
        }
        let found = answer.untagged;
        let number = |of: &dyn Fn(&Response) -> Option<u32>| found.iter().rev().find_map(of);
        let validity = number(&|one| one.code_number("UIDVALIDITY")).filter(|validity| *validity > 0);
        let validity = validity.ok_or_else(|| {
            let failure = Failure::new(Fault::ProtocolError).about(About::Path).remedy(Remedy::WaitForRelay);
            failure.text("the mail server keeps no unique numbers of its mails (UIDVALIDITY)")
        })?;
        let mails = number(&|one| one.numbered("EXISTS")).unwrap_or(0);
        Ok(Folder { validity, uid_next: number(&|one| one.code_number("UIDNEXT")), mails })
    }

    /// The UIDs behind `last`, in order, of mails that were received since the day before a time.
    async fn search(&mut self, last: u32, since: Option<Timestamp>) -> Result<Vec<u32>, Failure> {
        let Some(first) = last.checked_add(1) else { return Ok(Vec::new()) };
        let day = since.map(|at| format!(" SINCE {}", day(at.before(DAY)))).unwrap_or_default();
        let answer = self.imap.ask(&format!("UID SEARCH UID {first}:*{day}")).await?.done("search")?;
        let found = answer.untagged.iter().flat_map(Response::found);
        // The last mail of the folder is always in the range, whatever its number.
        let mut uids: Vec<u32> = found.filter(|uid| *uid > last).collect();
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    async fn mark(&mut self, uids: &str, flag: &str) -> Result<(), Failure> {
        let stored = self.imap.ask(&format!("UID STORE {uids} +FLAGS.SILENT ({flag})")).await?;
        stored.done("mark a mail").map(drop)
    }

    /// Without UIDPLUS (RFC 4315) a mail can only be marked as deleted: EXPUNGE alone would take along what a person has marked.
    async fn delete(&mut self, uids: &str) -> Result<(), Failure> {
        self.mark(uids, "\\Deleted").await?;
        if self.imap.can("UIDPLUS") || self.imap.can("IMAP4rev2") {
            self.imap.ask(&format!("UID EXPUNGE {uids}")).await?.done("delete a mail")?;
        }
        Ok(())
    }

    /// RFC 6851, or copied and deleted where the server does not know it.
    async fn move_to(&mut self, uids: &str, folder: &str) -> Result<(), Failure> {
        let moves = self.imap.can("MOVE") || self.imap.can("IMAP4rev2");
        let command = format!("UID {} {uids} {}", if moves { "MOVE" } else { "COPY" }, writing::folder(folder));
        let mut answer = self.imap.ask(&command).await?;
        if answer.status != Status::Ok && answer.text.to_ascii_uppercase().contains("[TRYCREATE]") {
            self.imap
                .ask(&format!("CREATE {}", writing::folder(folder)))
                .await?
                .done("create the folder of move_to")?;
            answer = self.imap.ask(&command).await?;
        }
        answer.done("move a mail")?;
        if moves { Ok(()) } else { self.delete(uids).await }
    }

    /// Waits until the server says that there is another mail, or it is time to begin anew. Returns whether it does so.
    async fn idle(&mut self, most: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + most;
        let tag = self.imap.say("IDLE").await?;
        if !self.imap.is_asked_to_go_on(&tag).await? {
            return Ok(false);
        }
        for _ in 0..IDLE_LINES_MAX {
            match self.imap.hear_until(until).await {
                Ok(heard) => {
                    // Some end it by themselves after half an hour.
                    if let Some((status, _)) = heard.status(&tag) {
                        return Ok(status == Status::Ok);
                    }
                    if heard.is_farewell() {
                        return Err(Silence::Closed.into());
                    }
                    if heard.numbered("EXISTS").is_some() || heard.numbered("RECENT").is_some() {
                        break;
                    }
                }
                Err(Silence::TimedOut) => break,
                Err(silence) => return Err(silence.into()),
            }
        }
        self.imap.say_line("DONE").await?;
        for _ in 0..IDLE_LINES_MAX {
            if self.imap.hear().await?.status(&tag).is_some() {
                return Ok(true);
            }
        }
        Err(Silence::Garbled.into())
    }
}

#[async_trait]
impl Source for Open {
    async fn hand_out(&mut self, uid: u32) -> Result<Handed, Silence> {
        let what = format!("UID FETCH {uid} (UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{MAIL_OCTETS_MAX}>)");
        let Answer { status, text, untagged } = self.imap.ask(&what).await?;
        if status != Status::Ok {
            return Ok(Handed::Refused(text));
        }
        // Content that names no mail is of the only one that was asked for.
        let said = untagged.into_iter().filter_map(Response::fetched);
        let said = said.filter(|one| one.uid == Some(uid) || (one.uid.is_none() && one.octets.is_some()));
        let (whole, others): (Vec<_>, Vec<_>) = said.partition(|one| one.octets.is_some());
        let Some((fetched, octets)) = whole.into_iter().find_map(|mut one| one.octets.take().map(|it| (one, it)))
        else {
            // Of a mail that is gone nothing is said.
            let is_there = !others.is_empty();
            return Ok(if is_there { Handed::Refused("the mail has no content".to_owned()) } else { Handed::Gone });
        };
        let is_cut = fetched.size.is_some_and(|size| size > MAIL_OCTETS_MAX as u64);
        Ok(Handed::Mail(Mail { key: uid.to_string(), octets, received_ms: fetched.received_ms, is_cut }))
    }
}

#[async_trait]
impl Session for Open {
    async fn read(&mut self, folder: &str, place: &Place, since: Option<Timestamp>) -> Result<Batch, Failure> {
        let found = self.examine(folder).await?;
        let last = start(place, found);
        if self.read.as_ref().is_none_or(|(first, _)| first == folder) {
            self.read = Some((folder.to_owned(), found));
        }
        let is_new = found.uid_next.is_none_or(|next| next > last.saturating_add(1)) && found.mails > 0;
        let since = since.filter(|_| last == 0);
        let uids = if is_new { self.search(last, since).await? } else { Vec::new() };
        let gathered = gather(self, &uids).await?;
        let is_doubtful = is_doubtful(self, &gathered, Some(last).filter(|last| *last > 0)).await?;
        let mut uid = uids.iter().take(gathered.done).next_back().copied().unwrap_or(last);
        let is_first = is_new && since.is_some();
        if is_first && gathered.done == uids.len() {
            // What is older is not looked for again.
            uid = uid.max(found.uid_next.map_or(0, |next| next.saturating_sub(1)));
        }
        Ok(Batch {
            more: gathered.is_followed(uids.len()),
            progress: Progress::Last { validity: found.validity, uid },
            passed_over: keyed(gathered.passed_over, |uid| uid.to_string()),
            refused: keyed(gathered.refused, |uid| uid.to_string()),
            is_doubtful,
            old: if is_first { (found.mails as usize).saturating_sub(uids.len()) } else { 0 },
            mails: gathered.mails,
        })
    }

    async fn finish(&mut self, folder: &str, validity: u32, keys: &[String]) -> Result<(), Failure> {
        let uids: Vec<&str> = keys.iter().map(String::as_str).filter(|key| key.parse::<u32>().is_ok()).collect();
        if uids.is_empty() {
            return Ok(());
        }
        match self.open_folder("SELECT", folder).await {
            Ok(found) if found.validity == validity => {}
            Ok(_) => return Ok(()),
            Err(failure) if is_missing(&failure) => return Ok(()),
            Err(failure) => return Err(failure),
        }
        let uids = uids.join(",");
        match (self.after, self.move_to.clone()) {
            (After::Keep, _) | (After::Move, None) => Ok(()),
            (After::Seen, _) => self.mark(&uids, "\\Seen").await,
            (After::Delete, _) => self.delete(&uids).await,
            (After::Move, Some(to)) => self.move_to(&uids, &to).await,
        }
    }

    async fn count(&mut self, folder: &str, since: Option<Timestamp>) -> Result<Count, Failure> {
        let mails = self.examine(folder).await?.mails;
        let recent = match since {
            Some(_) if mails > 0 => Some(self.search(0, since).await?.len() as u64),
            Some(_) => Some(0),
            None => None,
        };
        Ok(Count { mails: mails.into(), since: recent })
    }

    async fn wait(&mut self, poll: Duration) -> Result<(), Failure> {
        let idles = self.idles && self.imap.can("IDLE");
        let Some((first, before)) = self.read.take().filter(|_| idles) else {
            tokio::time::sleep(poll.min(SLEEP_MAX)).await;
            return Ok(());
        };
        // What came since the folder was read would not be announced again.
        if self.examine(&first).await? != before {
            return Ok(());
        }
        // Only one folder can be waited for.
        self.idles = self.idle(if self.folders.len() > 1 { poll.min(IDLE_MAX) } else { IDLE_MAX }).await?;
        if !self.idles {
            tokio::time::sleep(poll.min(SLEEP_MAX)).await;
        }
        Ok(())
    }

    async fn close(&mut self) {
        let _ = timeout(CLOSE_MAX, self.imap.log_out()).await;
    }
}

/// A day as a search names it (RFC 9051, `date`).
fn day(at: Timestamp) -> String {
    at.to_utc().format("%-d-%b-%Y").to_string()
}

/// Why a folder is not opened. One that may not be read, or is misspelled, needs a person; a server that is busy does not.
fn unopened(words: &str) -> Failure {
    let (failure, lower) = (refused("open a folder", words), words.to_ascii_lowercase());
    let is_missing = has_code(words, &[MISSING_FOLDER]) || MISSING_WORDS.iter().any(|said| lower.contains(said));
    match (is_missing, is_passing(words)) {
        (true, _) => failure.code(MISSING_FOLDER).remedy(Remedy::ReadReply),
        (false, true) => failure,
        (false, false) => failure.remedy(Remedy::ReadReply),
    }
}

/// The last UID that needs no reading. What another folder of that name had does not count; nor does a number that the server has
/// not given out yet, for then it counts anew and does not say so.
fn start(place: &Place, found: Folder) -> u32 {
    match place {
        Place::Last { validity, uid } if *validity == found.validity => {
            if found.uid_next.is_some_and(|next| next <= *uid) { 0 } else { *uid }
        }
        _ => 0,
    }
}
