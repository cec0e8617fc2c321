//! A mailbox by IMAP (RFC 9051, and RFC 3501, which more servers know). Folders are opened for reading only (EXAMINE), so that no
//! mail becomes seen; one is opened for writing only to mark, move or delete returns of ours.

mod connection;
mod response;
mod writing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use self::connection::Answer;
use self::response::{Response, Status};
use super::conversation::Silence;
use super::handing_out::{Handed, Source, gather, has_code, is_passing, refused};
use super::login::enter;
use super::settings::Entrance;
use super::{
    After, Batch, IDLE_MAX, MAIL_OCTETS_MAX, MISSING_FOLDER, Mail, Mailbox, MailboxKind, Place, Progress, Session,
    Settings, is_missing,
};
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
/// How long taking leave may take.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A mailbox by IMAP.
pub(super) struct Imap {
    name: String,
    entrance: Arc<Entrance>,
    folders: Vec<String>,
    after: After,
    move_to: Option<String>,
}

impl Imap {
    /// # Errors
    /// Names the key that is wrong.
    pub fn new(account: Account, settings: Settings) -> Result<Self, SettingsError> {
        let name = account.name.clone();
        let entrance = Arc::new(settings.entrance(account, Access::Imap)?);
        Ok(Self { name, entrance, folders: settings.folders, after: settings.after, move_to: settings.move_to })
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

    fn sign_in(&self) -> Option<&Arc<SignIn>> {
        self.entrance.login.sign_in()
    }

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        let imap = enter::<connection::Imap>(&self.entrance.server, &self.entrance.login).await?;
        let (after, move_to) = (self.after, self.move_to.clone());
        Ok(Box::new(Open { imap, folders: self.folders.clone(), after, move_to, read: None }))
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

    /// The UIDs behind `last`, in order.
    async fn search(&mut self, last: u32) -> Result<Vec<u32>, Failure> {
        let Some(first) = last.checked_add(1) else { return Ok(Vec::new()) };
        let answer = self.imap.ask(&format!("UID SEARCH UID {first}:*")).await?.done("search")?;
        let listed = answer.untagged.iter().filter_map(|response| response.listed("SEARCH"));
        let mut uids: Vec<u32> = listed
            .flat_map(|words| words.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>())
            // The last mail of the folder is always in the range, whatever its number.
            .filter(|uid| *uid > last)
            .collect();
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

    /// Waits until the server says that there is another mail, or it is time to begin anew.
    async fn idle(&mut self, most: Duration) -> Result<(), Failure> {
        let until = Instant::now() + most;
        let tag = self.imap.say("IDLE").await?;
        loop {
            let heard = self.imap.hear().await?;
            if let Some((_, text)) = heard.status(&tag) {
                return Err(refused("say when there is mail", &text));
            }
            if heard.continuation().is_some() {
                break;
            }
        }
        for _ in 0..IDLE_LINES_MAX {
            match self.imap.hear_until(until).await {
                Ok(heard) if heard.numbered("EXISTS").is_some() || heard.numbered("RECENT").is_some() => break,
                Ok(_) => {}
                Err(Silence::TimedOut) => break,
                Err(silence) => return Err(silence.into()),
            }
        }
        self.imap.say_line("DONE").await?;
        for _ in 0..IDLE_LINES_MAX {
            if self.imap.hear().await?.status(&tag).is_some() {
                return Ok(());
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
        let said = untagged.into_iter().filter_map(Response::fetched).filter(|one| one.uid == Some(uid));
        let (whole, others): (Vec<_>, Vec<_>) = said.partition(|one| one.octets.is_some());
        let Some((fetched, octets)) = whole.into_iter().find_map(|mut one| one.octets.take().map(|it| (one, it)))
        else {
            // A mail that is gone has no size; one whose content is NIL has.
            let is_there = others.iter().any(|one| one.size.is_some());
            return Ok(if is_there { Handed::Refused("the mail has no content".to_owned()) } else { Handed::Gone });
        };
        let is_cut = fetched.size.is_some_and(|size| size > MAIL_OCTETS_MAX as u64);
        Ok(Handed::Mail(Mail { key: uid.to_string(), octets, received_ms: fetched.received_ms, is_cut }))
    }
}

#[async_trait]
impl Session for Open {
    async fn read(&mut self, folder: &str, place: &Place) -> Result<Batch, Failure> {
        let found = self.examine(folder).await?;
        let last = start(place, found);
        if self.read.as_ref().is_none_or(|(first, _)| first == folder) {
            self.read = Some((folder.to_owned(), found));
        }
        let is_new = found.uid_next.is_none_or(|next| next > last.saturating_add(1)) && found.mails > 0;
        let uids = if is_new { self.search(last).await? } else { Vec::new() };
        let gathered = gather(self, &uids).await?;
        let uid = uids.iter().take(gathered.done).next_back().copied().unwrap_or(last);
        let (more, progress) = (gathered.done < uids.len(), Progress::Last { validity: found.validity, uid });
        Ok(Batch { mails: gathered.mails, progress, more, unreadable: gathered.unreadable })
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

    async fn count(&mut self, folder: &str) -> Result<u64, Failure> {
        Ok(self.examine(folder).await?.mails.into())
    }

    async fn wait(&mut self, poll: Duration) -> Result<(), Failure> {
        let Some((first, before)) = self.read.take().filter(|_| self.imap.can("IDLE")) else {
            tokio::time::sleep(poll.min(SLEEP_MAX)).await;
            return Ok(());
        };
        // What came since the folder was read would not be announced again.
        if self.examine(&first).await? != before {
            return Ok(());
        }
        // Only one folder can be waited for.
        self.idle(if self.folders.len() > 1 { poll.min(IDLE_MAX) } else { IDLE_MAX }).await
    }

    async fn close(&mut self) {
        let _ = timeout(CLOSE_MAX, self.imap.log_out()).await;
    }
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
