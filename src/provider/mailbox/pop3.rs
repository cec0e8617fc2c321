//! A mailbox by POP3 (RFC 1939, RFC 2449, RFC 2595, RFC 5034). All mails are listed each time by their unique names (UIDL); what is
//! deleted is gone once the server has answered QUIT. A session is opened anew for each round: a server shows no mail that came
//! during one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::NaiveDate;
use tokio::time::timeout;

use super::conversation::{Conversation, Silence};
use super::handing_out::{Handed, Source, gather, is_doubtful, is_passing, keyed, refused};
use super::login::{self, Entered, Mechanism, enter};
use super::received::received;
use super::server::{Server, speaks_otherwise, unencrypted};
use super::settings::{Entrance, MailboxTls};
use super::{
    After, Batch, Count, LISTED_MAX, MAIL_OCTETS_MAX, Mail, Mailbox, MailboxKind, OLD_MAX, Place, Progress, Session,
    Settings,
};
use crate::domain::Timestamp;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::provider::sign_in::{Access, SignIn};
use crate::provider::{Account, SettingsError};

/// Longest line that is no mail's.
const LINE_OCTETS_MAX: usize = 8 * 1024;
/// Most of a list: [`LISTED_MAX`] lines with the longest unique names of RFC 1939 §7 (70 octets) fit.
const LIST_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Lines that are asked for of a mail: all of it, and of one that is too large its beginning. What is beyond [`MAIL_OCTETS_MAX`] is
/// passed over anyway.
const TOP_LINES: u32 = 3_000_000;
const TOP_LINES_LARGE: u32 = 20_000;
/// A mail that is larger is not asked for at all, in octets: 64 MiB.
const ASKED_OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// What is kept of a mail's head to see when it came, in octets.
const HEAD_OCTETS_MAX: usize = 64 * 1024;
/// Heads that are looked at to count what came since a time.
const COUNTED_MAX: usize = 200;
/// How long taking leave may take.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A mailbox by POP3.
pub(super) struct Pop3 {
    name: String,
    entrance: Arc<Entrance>,
    since: Option<NaiveDate>,
    after: After,
    folders: [String; 1],
}

impl Pop3 {
    /// # Errors
    /// Names the key that is wrong.
    pub fn new(account: Account, settings: Settings) -> Result<Self, SettingsError> {
        let name = account.name.clone();
        let entrance = Arc::new(settings.entrance(account, Access::Pop)?);
        let Settings { since, after, .. } = settings;
        Ok(Self { name, entrance, since, after, folders: [String::new()] })
    }
}

impl fmt::Debug for Pop3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pop3").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailbox for Pop3 {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> MailboxKind {
        MailboxKind::Pop3
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
        let mut open = Open { entrance: self.entrance.clone(), after: self.after, pop: None };
        open.connection().await?;
        Ok(Box::new(open))
    }
}

/// A session, whose connection is opened when it is needed.
struct Open {
    entrance: Arc<Entrance>,
    after: After,
    pop: Option<Pop>,
}

impl Open {
    async fn connection(&mut self) -> Result<&mut Pop, Failure> {
        let pop = match self.pop.take() {
            Some(pop) => pop,
            None => enter::<Pop>(&self.entrance.server, &self.entrance.login).await?,
        };
        Ok(self.pop.insert(pop))
    }

    /// Ends the connection. What was deleted on it is gone only if the server says so.
    async fn quit(&mut self) -> Result<(), Failure> {
        let Some(mut pop) = self.pop.take() else { return Ok(()) };
        pop.ask("QUIT").await?.done("delete what was marked")
    }
}

#[async_trait]
impl Session for Open {
    async fn read(&mut self, _: &str, place: &Place, since: Option<Timestamp>) -> Result<Batch, Failure> {
        let none = BTreeSet::new();
        let seen = if let Place::Seen(seen) = place { seen } else { &none };
        let pop = self.connection().await?;
        let listed = pop.unique_names().await?;
        let there: BTreeSet<&String> = listed.values().collect();
        let gone = seen.iter().filter(|key| !there.contains(key)).cloned().collect();
        let new: Vec<(u32, &String)> =
            listed.iter().filter(|(_, key)| !seen.contains(*key)).map(|(number, key)| (*number, key)).collect();
        let numbers: Vec<u32> = new.iter().map(|(number, _)| *number).collect();
        let old = pop.older(&numbers, since).await?;
        let numbers = if old == OLD_MAX { &[] } else { numbers.get(old..).unwrap_or_default() };
        let sizes = if numbers.is_empty() { BTreeMap::new() } else { pop.sizes().await? };
        let mut source = Listed { pop, names: &listed, sizes: &sizes };
        let gathered = gather(&mut source, numbers).await?;
        let known = listed.iter().rev().find(|(_, key)| seen.contains(*key)).map(|(number, _)| *number);
        let is_doubtful = is_doubtful(&mut source, &gathered, known).await?;
        let key = |number: u32| listed.get(&number).cloned().unwrap_or_default();
        let added = new.iter().take(old + gathered.done).map(|(_, key)| (*key).clone()).collect();
        Ok(Batch {
            more: old == OLD_MAX || gathered.is_followed(numbers.len()),
            progress: Progress::Seen { added, gone },
            passed_over: keyed(gathered.passed_over, key),
            refused: keyed(gathered.refused, key),
            is_doubtful,
            old,
            mails: gathered.mails,
        })
    }

    async fn finish(&mut self, _: &str, _: u32, keys: &[String]) -> Result<(), Failure> {
        if self.after != After::Delete || keys.is_empty() {
            return Ok(());
        }
        let pop = self.connection().await?;
        let listed = pop.unique_names().await?;
        for (number, _) in listed.iter().filter(|(_, key)| keys.contains(key)) {
            pop.ask(&format!("DELE {number}")).await?.done("delete a mail")?;
        }
        self.quit().await
    }

    async fn count(&mut self, _: &str, since: Option<Timestamp>) -> Result<Count, Failure> {
        let pop = self.connection().await?;
        let answer = pop.ask("STAT").await?;
        let number = answer.text.split_whitespace().next().and_then(|number| number.parse().ok());
        answer.done("count the mails")?;
        let mails: u64 = number.ok_or(Silence::Garbled)?;
        let since = match since {
            Some(since) => pop.count_since(mails, since).await?,
            None => None,
        };
        Ok(Count { mails, since })
    }

    async fn wait(&mut self, poll: Duration) -> Result<(), Failure> {
        self.close().await;
        tokio::time::sleep(poll).await;
        Ok(())
    }

    async fn close(&mut self) {
        let _ = timeout(CLOSE_MAX, self.quit()).await;
    }
}

/// The mails of a connection as they were listed.
struct Listed<'a> {
    pop: &'a mut Pop,
    names: &'a BTreeMap<u32, String>,
    sizes: &'a BTreeMap<u32, u64>,
}

#[async_trait]
impl Source for Listed<'_> {
    async fn hand_out(&mut self, number: u32) -> Result<Handed, Silence> {
        let size = self.sizes.get(&number).copied().unwrap_or(0);
        let is_large = size > MAIL_OCTETS_MAX as u64;
        if size > ASKED_OCTETS_MAX {
            return Ok(Handed::TooLarge);
        }
        let octets = match self.pop.retrieve(number, is_large).await? {
            Ok(octets) => octets,
            Err(words) => return Ok(Handed::Refused(words)),
        };
        let is_cut = is_large || octets.len() >= MAIL_OCTETS_MAX;
        let key = self.names.get(&number).cloned().unwrap_or_default();
        Ok(Handed::Mail(Mail { key, octets, received_ms: None, is_cut }))
    }
}

/// The first line of an answer.
struct Answer {
    is_done: bool,
    text: String,
}

impl Answer {
    fn done(self, step: &str) -> Result<(), Failure> {
        if self.is_done {
            return Ok(());
        }
        Err(refused(step, &self.text))
    }

    fn entered(self) -> Entered {
        if self.is_done {
            return Entered::LoggedIn;
        }
        let upper = self.text.to_ascii_uppercase();
        // RFC 2449 §8, RFC 3206: it may work later.
        let is_passing = ["[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]"].iter().any(|code| upper.starts_with(code))
            || (!upper.starts_with("[AUTH]") && upper.contains("TEMPORAR"));
        Entered::Refused { words: self.text, is_passing }
    }
}

/// A connection.
struct Pop {
    talk: Conversation,
    capabilities: Vec<String>,
}

impl Pop {
    async fn ask(&mut self, command: &str) -> Result<Answer, Silence> {
        self.talk.send(format!("{command}\r\n").as_bytes()).await?;
        self.hear().await
    }

    async fn hear(&mut self) -> Result<Answer, Silence> {
        let line = String::from_utf8_lossy(&self.talk.line(LINE_OCTETS_MAX).await?).into_owned();
        let (word, text) = line.split_once(' ').unwrap_or((&line, ""));
        let is_done = match word.to_ascii_uppercase().as_str() {
            "+OK" => true,
            "-ERR" => false,
            _ => return Err(Silence::Garbled),
        };
        Ok(Answer { is_done, text: text.to_owned() })
    }

    /// The lines behind an answer that is good; `None` if it is not.
    async fn ask_list(&mut self, command: &str) -> Result<Option<Vec<String>>, Silence> {
        if !self.ask(command).await?.is_done {
            return Ok(None);
        }
        let octets = self.talk.until_dot(LIST_OCTETS_MAX).await?;
        let lines = String::from_utf8_lossy(&octets).lines().take(LISTED_MAX).map(str::to_owned).collect();
        Ok(Some(lines))
    }

    async fn learn_capabilities(&mut self) -> Result<(), Silence> {
        // A server that does not know CAPA has none of them.
        self.capabilities = self.ask_list("CAPA").await?.unwrap_or_default();
        Ok(())
    }

    /// The keys of all mails by their numbers.
    async fn unique_names(&mut self) -> Result<BTreeMap<u32, String>, Failure> {
        let unknown = || {
            let failure = Failure::new(Fault::ProtocolError).about(About::Path).remedy(Remedy::WaitForRelay);
            failure.text("the mail server keeps no unique names of its mails (UIDL): read this mailbox by IMAP")
        };
        let lines = self.ask_list("UIDL").await?.ok_or_else(unknown)?;
        let read = |line: &String| {
            let (number, unique) = line.split_once(' ')?;
            Some((number.parse().ok()?, super::key(unique.trim())))
        };
        Ok(lines.iter().filter_map(read).collect())
    }

    async fn sizes(&mut self) -> Result<BTreeMap<u32, u64>, Failure> {
        let lines = self.ask_list("LIST").await?.unwrap_or_default();
        let read = |line: &String| {
            let (number, size) = line.split_once(' ')?;
            Some((number.parse().ok()?, size.split_whitespace().next()?.parse().ok()?))
        };
        Ok(lines.iter().filter_map(read).collect())
    }

    /// How many of these mails, from the first on, came before a time: up to the first that did not or of which nobody knows, and at
    /// most [`OLD_MAX`]. Servers list mails in the order in which they came.
    async fn older(&mut self, numbers: &[u32], since: Option<Timestamp>) -> Result<usize, Silence> {
        let Some(since) = since else { return Ok(0) };
        let mut old = 0;
        for number in numbers.iter().take(OLD_MAX) {
            if self.received(*number).await?.is_none_or(|at| at >= since) {
                break;
            }
            old += 1;
        }
        Ok(old)
    }

    /// How many of so many mails came since a time; `None` if too many would have to be looked at.
    async fn count_since(&mut self, mails: u64, since: Timestamp) -> Result<Option<u64>, Silence> {
        let last = u32::try_from(mails).unwrap_or(u32::MAX);
        for (count, number) in (1..=last).rev().enumerate() {
            if count == COUNTED_MAX {
                return Ok(None);
            }
            if self.received(number).await?.is_some_and(|at| at < since) {
                return Ok(Some(count as u64));
            }
        }
        Ok(Some(mails))
    }

    /// When a mail was received, as its head says.
    async fn received(&mut self, number: u32) -> Result<Option<Timestamp>, Silence> {
        if !self.ask(&format!("TOP {number} 0")).await?.is_done {
            return Ok(None);
        }
        Ok(received(&self.talk.until_dot(HEAD_OCTETS_MAX).await?))
    }

    /// A mail, or the beginning of a large one; the server's words if it will not hand it out. Many servers mark what RETR hands out
    /// as read, and none what TOP does (RFC 1939 §7), which a server need not know.
    async fn retrieve(&mut self, number: u32, is_large: bool) -> Result<Result<Vec<u8>, String>, Silence> {
        let lines = if is_large { TOP_LINES_LARGE } else { TOP_LINES };
        let mut answer = self.ask(&format!("TOP {number} {lines}")).await?;
        if !answer.is_done && !is_large && !is_passing(&answer.text) {
            answer = self.ask(&format!("RETR {number}")).await?;
        }
        if answer.is_done { self.talk.until_dot(MAIL_OCTETS_MAX).await.map(Ok) } else { Ok(Err(answer.text)) }
    }

    async fn start_tls(mut self, server: &Server) -> Result<Self, Failure> {
        if !self.ask("STLS").await?.is_done {
            return Err(unencrypted("the mail server does not offer STLS"));
        }
        let wire = self.talk.into_stream();
        let wire = wire.ok_or_else(|| unencrypted("the mail server went on in the clear after STLS"))?;
        Ok(Self { talk: Conversation::new(server.encrypt(wire).await?, server.limits), capabilities: Vec::new() })
    }

    /// Shows something by a mechanism (RFC 5034). `goes_on` answers the continuation of a failure.
    async fn authenticate(&mut self, mechanism: &str, response: &str, goes_on: &str) -> Result<Entered, Silence> {
        self.talk.send(format!("AUTH {mechanism}\r\n").as_bytes()).await?;
        for said in [response, goes_on] {
            let line = String::from_utf8_lossy(&self.talk.line(LINE_OCTETS_MAX).await?).into_owned();
            let upper = line.to_ascii_uppercase();
            if upper.starts_with("+OK") || upper.starts_with("-ERR") {
                let text = line.split_once(' ').map_or("", |(_, text)| text).to_owned();
                return Ok(Answer { is_done: upper.starts_with("+OK"), text }.entered());
            }
            if !line.starts_with('+') {
                return Err(Silence::Garbled);
            }
            self.talk.send(format!("{said}\r\n").as_bytes()).await?;
        }
        Ok(self.hear().await?.entered())
    }
}

#[async_trait]
impl login::Connection for Pop {
    async fn connect(server: &Server) -> Result<Self, Failure> {
        let talk = Conversation::new(server.reach().await?, server.limits);
        let mut pop = Self { talk, capabilities: Vec::new() };
        match pop.hear().await {
            Ok(greeting) => greeting.done("be spoken to")?,
            Err(Silence::Garbled) => return Err(speaks_otherwise("POP3")),
            Err(silence) => return Err(silence.into()),
        }
        if server.tls == MailboxTls::Required {
            pop = pop.start_tls(server).await?;
        }
        pop.learn_capabilities().await?;
        Ok(pop)
    }

    async fn say_password(&mut self, username: &str, password: &str) -> Result<Entered, Failure> {
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !is_plain(username) || !is_plain(password) {
            return Ok(self.authenticate("PLAIN", &BASE64.encode(format!("\0{username}\0{password}")), "*").await?);
        }
        let user = self.ask(&format!("USER {username}")).await?;
        if !user.is_done {
            return Ok(user.entered());
        }
        Ok(self.ask(&format!("PASS {password}")).await?.entered())
    }

    fn offers(&self, mechanism: Mechanism) -> bool {
        let sasl = self.capabilities.iter().find(|line| line.to_ascii_uppercase().starts_with("SASL"));
        sasl.is_some_and(|line| line.split_whitespace().any(|word| word.eq_ignore_ascii_case(mechanism.name())))
    }

    async fn show_token(&mut self, mechanism: Mechanism, response: &str) -> Result<Entered, Failure> {
        Ok(self.authenticate(mechanism.name(), response, mechanism.goes_on()).await?)
    }
}
