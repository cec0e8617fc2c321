//! A connection to an IMAP server: commands out, answers in, encryption and login.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::time::Instant;

use super::response::{Response, Status, code_in};
use super::writing::quoted;
use crate::domain::fault::Failure;
use crate::provider::mailbox::MAIL_OCTETS_MAX;
use crate::provider::mailbox::conversation::{Conversation, Silence};
use crate::provider::mailbox::handing_out::refused;
use crate::provider::mailbox::login::{self, Entered, Mechanism};
use crate::provider::mailbox::server::{Server, speaks_otherwise, unencrypted};
use crate::provider::mailbox::settings::MailboxTls;

/// Longest line: a search of the largest folder names a million mails.
const LINE_OCTETS_MAX: usize = 8 * 1024 * 1024;
/// Pieces of one line between literals.
const PARTS_MAX: usize = 100;
/// What the answer to one command may hold besides the mail that is asked for.
const ANSWER_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Lines of one answer.
const ANSWER_LINES_MAX: usize = 100_000;
/// How long a server that has taken leave may take to say how the command ended, before it counts as gone.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
/// Continuations of a login: one for the response, one for the refusal.
const CONTINUATIONS_MAX: usize = 3;

/// An answer to a command.
pub(super) struct Answer {
    pub status: Status,
    pub text: String,
    pub untagged: Vec<Response>,
}

impl Answer {
    /// The answer if it is OK.
    ///
    /// # Errors
    /// What the server says instead, as a failure of the step named.
    pub fn done(self, step: &str) -> Result<Self, Failure> {
        if self.status == Status::Ok { Ok(self) } else { Err(refused(step, &self.text)) }
    }
}

pub(super) struct Imap {
    talk: Conversation,
    tags: u32,
    capabilities: Vec<String>,
}

impl Imap {
    /// Whether the server can do that.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|one| one.eq_ignore_ascii_case(capability))
    }

    /// Says a command and collects the answer.
    ///
    /// # Errors
    /// The connection broke, or what came is no answer.
    pub async fn ask(&mut self, command: &str) -> Result<Answer, Silence> {
        let tag = self.say(command).await?;
        let mut untagged = Vec::new();
        let (mut octets, mut leaves_at) = (0, None);
        loop {
            let response = match leaves_at {
                None => self.hear().await?,
                Some(until) => self.hear_until(until).await.map_err(|_| Silence::Closed)?,
            };
            if let Some((status, text)) = response.status(&tag) {
                return Ok(Answer { status, text, untagged });
            }
            if response.is_farewell() {
                leaves_at.get_or_insert_with(|| Instant::now() + FAREWELL_MAX);
            }
            octets += response.octets();
            if octets > ANSWER_OCTETS_MAX + MAIL_OCTETS_MAX || untagged.len() == ANSWER_LINES_MAX {
                return Err(Silence::Garbled);
            }
            untagged.push(response);
        }
    }

    /// Says a command; its tag.
    pub async fn say(&mut self, command: &str) -> Result<String, Silence> {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.talk.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    /// Says a line that is no command.
    pub async fn say_line(&mut self, line: &str) -> Result<(), Silence> {
        self.talk.send(format!("{line}\r\n").as_bytes()).await
    }

    /// The next response, literals included.
    pub async fn hear(&mut self) -> Result<Response, Silence> {
        let line = self.talk.line(LINE_OCTETS_MAX).await?;
        self.complete(line).await
    }

    /// The same with a time of its own.
    pub async fn hear_until(&mut self, until: Instant) -> Result<Response, Silence> {
        let line = self.talk.line_until(LINE_OCTETS_MAX, until).await?;
        self.complete(line).await
    }

    async fn complete(&mut self, mut line: Vec<u8>) -> Result<Response, Silence> {
        let mut response = Response::default();
        // The text of a status has no literals, whatever it ends with.
        let has_literals = line.starts_with(b"*") && !is_status(&line);
        while let Some(length) = literal(&line).filter(|_| has_literals) {
            let octets = self.talk.octets(length, MAIL_OCTETS_MAX).await?;
            response.parts.push((without_length(line), Some(octets)));
            if response.parts.len() == PARTS_MAX || response.octets() > ANSWER_OCTETS_MAX {
                return Err(Silence::Garbled);
            }
            line = self.talk.line(LINE_OCTETS_MAX).await?;
        }
        response.parts.push((line, None));
        Ok(response)
    }

    /// Whether the server asks to go on with the command of that tag, or ends it.
    ///
    /// # Errors
    /// The connection broke, or the server says neither.
    pub async fn is_asked_to_go_on(&mut self, tag: &str) -> Result<bool, Silence> {
        for _ in 0..ANSWER_LINES_MAX {
            let heard = self.hear().await?;
            if heard.status(tag).is_some() {
                return Ok(false);
            }
            if heard.continuation().is_some() {
                return Ok(true);
            }
            if heard.is_farewell() {
                return Err(Silence::Closed);
            }
        }
        Err(Silence::Garbled)
    }

    /// Takes leave; what the server answers does not matter.
    pub async fn log_out(&mut self) {
        let _ = self.ask("LOGOUT").await;
    }

    /// What the server says at first; `None` if that is nothing an IMAP server says.
    async fn greeting(&mut self) -> Result<Option<(Status, String)>, Silence> {
        match self.hear().await {
            Ok(said) => Ok(said.status("*")),
            Err(Silence::Garbled) => Ok(None),
            Err(silence) => Err(silence),
        }
    }

    async fn learn_capabilities(&mut self) -> Result<(), Failure> {
        let answer = self.ask("CAPABILITY").await?.done("say what it can")?;
        let listed = answer.untagged.iter().filter_map(|response| response.listed("CAPABILITY"));
        self.capabilities =
            listed.flat_map(|words| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        Ok(())
    }

    async fn start_tls(mut self, server: &Server) -> Result<Self, Failure> {
        if !self.can("STARTTLS") {
            return Err(unencrypted("the mail server does not offer STARTTLS"));
        }
        let answer = self.ask("STARTTLS").await?;
        if answer.status != Status::Ok {
            return Err(unencrypted("the mail server refuses STARTTLS"));
        }
        let wire = self.talk.into_stream();
        let wire = wire.ok_or_else(|| unencrypted("the mail server went on in the clear after STARTTLS"))?;
        let wire = server.encrypt(wire).await?;
        Ok(Self { talk: Conversation::new(wire, server.limits), tags: self.tags, capabilities: Vec::new() })
    }

    /// Shows something by a mechanism. `goes_on` answers the continuation of a failure.
    async fn authenticate(&mut self, mechanism: &str, response: &str, goes_on: &str) -> Result<Entered, Silence> {
        let tag = self.say(&format!("AUTHENTICATE {mechanism}")).await?;
        let mut said = 0;
        for _ in 0..ANSWER_LINES_MAX {
            let heard = self.hear().await?;
            if let Some((status, text)) = heard.status(&tag) {
                return Ok(entered(status, &text));
            }
            if heard.is_farewell() {
                return Err(Silence::Closed);
            }
            if heard.continuation().is_some() {
                said += 1;
                if said > CONTINUATIONS_MAX {
                    return Err(Silence::Garbled);
                }
                self.say_line(if said == 1 { response } else { goes_on }).await?;
            }
        }
        Err(Silence::Garbled)
    }
}

#[async_trait]
impl login::Connection for Imap {
    async fn connect(server: &Server) -> Result<Self, Failure> {
        let talk = Conversation::new(server.reach().await?, server.limits);
        let mut imap = Self { talk, tags: 0, capabilities: Vec::new() };
        match imap.greeting().await? {
            Some((Status::Ok | Status::PreAuth, _)) => {}
            Some((_, text)) => return Err(refused("be spoken to", &text)),
            None => return Err(speaks_otherwise("IMAP")),
        }
        imap.learn_capabilities().await?;
        if server.tls == MailboxTls::Required {
            imap = imap.start_tls(server).await?;
            imap.learn_capabilities().await?;
        }
        Ok(imap)
    }

    async fn say_password(&mut self, username: &str, password: &str) -> Result<Entered, Failure> {
        let entered = match (quoted(username), quoted(password)) {
            (Some(username), Some(password)) if !self.can("LOGINDISABLED") => {
                let answer = self.ask(&format!("LOGIN {username} {password}")).await?;
                entered(answer.status, &answer.text)
            }
            _ => self.authenticate("PLAIN", &BASE64.encode(format!("\0{username}\0{password}")), "*").await?,
        };
        self.enter(entered).await
    }

    fn offers(&self, mechanism: Mechanism) -> bool {
        self.can(&format!("AUTH={}", mechanism.name()))
    }

    async fn show_token(&mut self, mechanism: Mechanism, response: &str) -> Result<Entered, Failure> {
        let entered = self.authenticate(mechanism.name(), response, mechanism.goes_on()).await?;
        self.enter(entered).await
    }
}

impl Imap {
    /// What a server can do after a login is more than what it says before.
    async fn enter(&mut self, entered: Entered) -> Result<Entered, Failure> {
        if matches!(entered, Entered::LoggedIn) {
            self.learn_capabilities().await?;
        }
        Ok(entered)
    }
}

fn entered(status: Status, text: &str) -> Entered {
    if status == Status::Ok {
        return Entered::LoggedIn;
    }
    let code = code_in(text).unwrap_or_default().to_ascii_uppercase();
    // RFC 5530 §3: it may work later.
    let is_passing = matches!(code.as_str(), "UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG")
        || (code != "AUTHENTICATIONFAILED" && text.to_ascii_lowercase().contains("temporar"));
    Entered::Refused { words: text.to_owned(), is_passing }
}

/// Whether a line says how the server is, behind which stands text for people.
fn is_status(line: &[u8]) -> bool {
    // No status word is longer than PREAUTH.
    let head = line.get(..line.len().min(16)).unwrap_or_default().to_vec();
    Response { parts: vec![(head, None)] }.status("*").is_some()
}

/// The length of the literal that a line announces: `{12}` at its end (RFC 9051 §4.3; `{12+}` in RFC 7888). One that no machine can
/// hold is announced all the same.
fn literal(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let start = digits.iter().rposition(|b| *b == b'{')?;
    let digits = digits.get(start + 1..)?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok().or(Some(usize::MAX))).flatten()
}

fn without_length(mut line: Vec<u8>) -> Vec<u8> {
    line.truncate(line.iter().rposition(|b| *b == b'{').unwrap_or(0));
    line
}
