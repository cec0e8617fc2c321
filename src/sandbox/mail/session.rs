//! One connection to the catcher: RFC 5321, with 8BITMIME, SIZE, ENHANCEDSTATUSCODES, PIPELINING and DSN offered. Answers
//! to pipelined commands are sent together (RFC 2920 §3.2).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Mailroom;

/// RFC 5321 §4.5.3.1.4 gives a command 512 octets; extensions add to that.
const COMMAND_OCTETS_MAX: usize = 2048;
/// RFC 5321 §4.5.3.1.6: a line of text, CRLF included.
const LINE_OCTETS_MAX: usize = 1000;
/// The largest mail accepted.
const MAIL_OCTETS_MAX: usize = 20 * 1024 * 1024;
/// Recipients of one mail (RFC 5321 §4.5.3.1.8 asks for at least a hundred).
const RECIPIENTS_MAX: usize = 100;
/// Octets per read.
const READ_OCTETS: usize = 64 * 1024;
/// RFC 5321 §4.5.3.2.7.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

/// What the name of a mailbox makes the catcher do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Deliver,
    Unknown,
    Full,
    Greylist,
    Refuse,
    Large,
    Slow,
    Drop,
}

impl Mood {
    fn of(address: &str) -> Self {
        let address = address.to_lowercase();
        let moods = [
            ("unknown", Self::Unknown),
            ("full", Self::Full),
            ("greylist", Self::Greylist),
            ("refuse", Self::Refuse),
            ("large", Self::Large),
            ("slow", Self::Slow),
            ("drop", Self::Drop),
        ];
        moods.iter().find(|(prefix, _)| address.starts_with(prefix)).map_or(Self::Deliver, |(_, mood)| *mood)
    }
}

/// Serves one sender until it leaves.
pub(super) async fn serve(stream: TcpStream, mailroom: &Mailroom) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let io = BufReader::with_capacity(READ_OCTETS, stream);
    let mut session = Session { io, mailroom, from: None, to: Vec::new(), unsaid: Vec::new() };
    session.answer("220 mail catcher ready");
    loop {
        let line = match tokio::time::timeout(COMMAND_TIMEOUT, session.read_line(COMMAND_OCTETS_MAX)).await {
            Err(_) => {
                session.answer("421 4.4.2 Waited too long");
                return session.say_all().await;
            }
            Ok(line) => line?,
        };
        let goes_on = match line {
            Line::End => return Ok(()),
            Line::TooLong => {
                session.answer("500 5.5.2 That line is too long");
                true
            }
            Line::Whole(line) => session.command(String::from_utf8_lossy(&line).trim_end()).await?,
        };
        if !goes_on {
            return session.say_all().await;
        }
    }
}

enum Line {
    /// With its line end.
    Whole(Vec<u8>),
    /// Read to its end and discarded.
    TooLong,
    /// There is no more.
    End,
}

struct Session<'a> {
    io: BufReader<TcpStream>,
    mailroom: &'a Mailroom,
    from: Option<String>,
    to: Vec<String>,
    /// Answers waiting for the last command of their pipeline.
    unsaid: Vec<u8>,
}

impl Session<'_> {
    /// Executes one command; `false` ends the session.
    async fn command(&mut self, line: &str) -> io::Result<bool> {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => self.introduce(),
            "HELO" => self.reset_and_answer("250 mail catcher"),
            "MAIL" => self.mail(line),
            "RCPT" => self.rcpt(line),
            "DATA" => return self.data().await,
            "RSET" => self.reset_and_answer("250 2.0.0 Ok"),
            "NOOP" => self.answer("250 2.0.0 Ok"),
            "VRFY" => self.answer("252 2.5.1 Send and see"),
            "QUIT" => {
                self.answer("221 2.0.0 Bye");
                return Ok(false);
            }
            _ => self.answer("502 5.5.1 Not known here"),
        }
        Ok(true)
    }

    fn introduce(&mut self) {
        let offers = format!(
            "250-mail catcher\r\n250-PIPELINING\r\n250-SIZE {MAIL_OCTETS_MAX}\r\n250-8BITMIME\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 DSN"
        );
        self.reset_and_answer(&offers)
    }

    fn mail(&mut self, line: &str) {
        if self.from.is_some() {
            return self.answer("503 5.5.1 One sender at a time");
        }
        let Some((from, parameters)) = path(line, "MAIL FROM:") else {
            return self.answer("501 5.5.4 MAIL FROM:<address>");
        };
        let size = parameters.split(' ').find_map(|word| word.strip_prefix("SIZE=")?.parse::<usize>().ok());
        if size.is_some_and(|size| size > MAIL_OCTETS_MAX) {
            return self.answer("552 5.3.4 Larger than 20 MB");
        }
        self.from = Some(from.to_owned());
        self.answer("250 2.1.0 Ok")
    }

    fn rcpt(&mut self, line: &str) {
        if self.from.is_none() {
            return self.answer("503 5.5.1 MAIL comes first");
        }
        let Some((to, _)) = path(line, "RCPT TO:").filter(|(to, _)| to.contains('@')) else {
            return self.answer("501 5.1.3 RCPT TO:<mailbox@domain>");
        };
        if self.to.len() == RECIPIENTS_MAX {
            return self.answer("452 4.5.3 Too many recipients");
        }
        match Mood::of(to) {
            Mood::Unknown => self.answer("550 5.1.1 No such mailbox"),
            Mood::Full => self.answer("452 4.2.2 The mailbox is full"),
            Mood::Greylist if self.mailroom.is_new(to) => self.answer("451 4.7.1 Greylisted, try again"),
            _ => {
                self.to.push(to.to_owned());
                self.answer("250 2.1.5 Ok")
            }
        }
    }

    async fn data(&mut self) -> io::Result<bool> {
        if self.to.is_empty() {
            self.answer("503 5.5.1 RCPT comes first");
            return Ok(true);
        }
        self.answer("354 End with a dot on a line of its own");
        let eml = match self.read_mail().await? {
            Body::Complete(eml) => eml,
            Body::Unfit(answer) => {
                self.reset_and_answer(answer);
                return Ok(true);
            }
            Body::Cut => return Ok(false),
        };
        self.decide(eml).await
    }

    /// The outcome of a whole mail: the first recipient with a mood decides.
    async fn decide(&mut self, eml: Vec<u8>) -> io::Result<bool> {
        let mood = self.to.iter().map(|to| Mood::of(to)).find(|mood| *mood != Mood::Deliver).unwrap_or(Mood::Deliver);
        match mood {
            Mood::Refuse => self.reset_and_answer("554 5.7.1 Refused by policy"),
            Mood::Large => self.reset_and_answer("552 5.2.3 Longer than this mailbox takes"),
            _ => {
                let from = self.from.take().unwrap_or_default();
                let kept = self.mailroom.keep(from, std::mem::take(&mut self.to), eml);
                match mood {
                    Mood::Drop => return Ok(false),
                    Mood::Slow => tokio::time::sleep(self.mailroom.slow_answer).await,
                    _ => {}
                }
                let answer = if kept.is_ok() { "250 2.0.0 Kept" } else { "451 4.3.0 The journal cannot be written" };
                self.answer(answer);
            }
        }
        Ok(true)
    }

    async fn read_mail(&mut self) -> io::Result<Body> {
        let mut eml = Vec::new();
        let mut unfit = None;
        loop {
            let line = tokio::time::timeout(COMMAND_TIMEOUT, self.read_line(LINE_OCTETS_MAX)).await;
            match line.map_err(|_| io::ErrorKind::TimedOut)?? {
                Line::End => return Ok(Body::Cut),
                Line::TooLong => unfit = Some("554 5.6.0 A line is longer than 998 octets"),
                Line::Whole(line) if line == b".\r\n" => {
                    return Ok(unfit.map_or(Body::Complete(eml), Body::Unfit));
                }
                Line::Whole(line) => {
                    let line = line.strip_prefix(b".").unwrap_or(&line);
                    if eml.len() + line.len() > MAIL_OCTETS_MAX {
                        unfit = Some("552 5.3.4 Larger than 20 MB");
                        eml.clear();
                    }
                    if unfit.is_none() {
                        eml.extend_from_slice(line);
                    }
                }
            }
        }
    }

    async fn read_line(&mut self, octets_max: usize) -> io::Result<Line> {
        let mut is_too_long = false;
        loop {
            if !self.io.buffer().contains(&b'\n') {
                self.say_all().await?;
            }
            let mut line = Vec::new();
            let mut bounded = (&mut self.io).take(octets_max as u64);
            bounded.read_until(b'\n', &mut line).await?;
            match line.last() {
                None => return Ok(Line::End),
                Some(b'\n') if is_too_long => return Ok(Line::TooLong),
                Some(b'\n') => return Ok(Line::Whole(line)),
                Some(_) if line.len() < octets_max => return Ok(Line::End),
                Some(_) => is_too_long = true,
            }
        }
    }

    fn reset_and_answer(&mut self, text: &str) {
        self.from = None;
        self.to.clear();
        self.answer(text);
    }

    fn answer(&mut self, text: &str) {
        self.unsaid.extend_from_slice(text.as_bytes());
        self.unsaid.extend_from_slice(b"\r\n");
    }

    async fn say_all(&mut self) -> io::Result<()> {
        if self.unsaid.is_empty() {
            return Ok(());
        }
        let stream = self.io.get_mut();
        stream.write_all(&self.unsaid).await?;
        self.unsaid.clear();
        stream.flush().await
    }
}

enum Body {
    Complete(Vec<u8>),
    /// Complete, but to be refused; with the answer.
    Unfit(&'static str),
    /// The sender went away before the dot.
    Cut,
}

/// The address and the parameters of `MAIL FROM:<address> parameters`.
fn path<'a>(line: &'a str, command: &str) -> Option<(&'a str, &'a str)> {
    let (head, rest) = line.split_at_checked(command.len())?;
    let rest = head.eq_ignore_ascii_case(command).then(|| rest.trim_start())?;
    let (address, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    let fits = address.len() <= 254 && address.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| (address, parameters.trim()))
}
