//! A connection to an IMAP server: commands out, answers in, encryption and login.

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
use crate::provider::mailbox::server::{Server, unencrypted};
use crate::provider::mailbox::settings::MailboxTls;

/// Longest line: a search of the largest folder names a million mails.
const LINE_OCTETS_MAX: usize = 8 * 1024 * 1024;
/// Pieces of one line between literals.
const PARTS_MAX: usize = 100;
/// What the answer to one command may hold besides the mail that is asked for.
const ANSWER_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Lines of one answer.
const ANSWER_LINES_MAX: usize = 100_000;
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
        let mut octets = 0;
        loop {
            let response = self.hear().await?;
            if let Some((status, text)) = response.status(&tag) {
                return Ok(Answer { status, text, untagged });
            }
            octets +=
                response.parts.iter().map(|(text, part)| text.len() + part.as_ref().map_or(0, Vec::len)).sum::<usize>();
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
        let mut parts = Vec::new();
        // The text of a status has no literals, whatever it ends with.
        let may_have = Response { parts: vec![(line.clone(), None)] };
        let is_status = may_have.status("*").is_some() || !line.starts_with(b"*");
        while let Some(length) = literal(&line).filter(|_| !is_status) {
            let octets = self.talk.octets(length, MAIL_OCTETS_MAX).await?;
            parts.push((without_length(line), Some(octets)));
            if parts.len() == PARTS_MAX {
                return Err(Silence::Garbled);
            }
            line = self.talk.line(LINE_OCTETS_MAX).await?;
        }
        parts.push((line, None));
        Ok(Response { parts })
    }

    /// Takes leave; what the server answers does not matter.
    pub async fn log_out(&mut self) {
        let _ = self.ask("LOGOUT").await;
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
        let greeting = imap.hear().await?;
        match greeting.status("*") {
            Some((Status::Ok | Status::PreAuth, _)) => {}
            Some((_, text)) => return Err(refused("be spoken to", &text)),
            None => return Err(Silence::Garbled.into()),
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

/// The length of the literal that a line announces: `{12}` at its end (RFC 9051 §4.3; `{12+}` in RFC 7888).
fn literal(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let start = digits.iter().rposition(|b| *b == b'{')?;
    let digits = digits.get(start + 1..)?;
    let is_number = (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn without_length(mut line: Vec<u8>) -> Vec<u8> {
    line.truncate(line.iter().rposition(|b| *b == b'{').unwrap_or(0));
    line
}
