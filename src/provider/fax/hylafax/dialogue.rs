//! Commands out, replies in, each line and each reply bounded, all of it before one deadline.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::domain::fault::{Failure, Fault};

/// Longest command of ours; hfaxd reads a kilobyte.
const COMMAND_BYTES_MAX: usize = 500;
/// Longest line of a reply.
const LINE_BYTES_MAX: u64 = 4096;
/// Most lines of one reply.
const LINES_MAX: usize = 200;

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The connection broke.
    Closed,
    /// The time was over.
    TimedOut,
    /// What came is no reply.
    Garbled,
}

impl Silence {
    /// As a failure.
    pub fn failure(self) -> Failure {
        let (fault, text) = match self {
            Self::Closed => (Fault::ProviderError, "the connection to the fax server broke"),
            Self::TimedOut => (Fault::ProviderError, "the fax server did not answer in time"),
            Self::Garbled => (Fault::ProtocolError, "the fax server gave an answer that is not of its protocol"),
        };
        Failure::new(fault).text(text)
    }
}

/// One reply, all its lines without the code (RFC 959 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Reply {
    /// Its last line, which is the only one of most replies.
    pub fn text(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }
}

/// The control connection.
pub(super) struct Dialogue {
    io: BufReader<TcpStream>,
    until: Instant,
}

impl Dialogue {
    pub fn new(stream: TcpStream, until: Instant) -> Self {
        Self { io: BufReader::new(stream), until }
    }

    /// When everything must be over.
    pub const fn until(&self) -> Instant {
        self.until
    }

    /// Gives what follows another deadline.
    pub const fn extend(&mut self, until: Instant) {
        self.until = until;
    }

    /// Sends one command, without its end of line, and waits for its reply.
    ///
    /// # Errors
    /// There is none. Whether the command arrived is not known.
    pub async fn say(&mut self, command: &str) -> Result<Reply, Silence> {
        self.tell(command).await?;
        self.hear().await
    }

    /// Sends one command. A command that is more than one line never leaves.
    pub async fn tell(&mut self, command: &str) -> Result<(), Silence> {
        if command.len() > COMMAND_BYTES_MAX || command.chars().any(char::is_control) {
            return Err(Silence::Garbled);
        }
        let line = format!("{command}\r\n");
        let writing = self.io.get_mut().write_all(line.as_bytes());
        timeout_at(self.until, writing).await.map_err(|_| Silence::TimedOut)?.map_err(|_| Silence::Closed)
    }

    /// Waits for one reply.
    pub async fn hear(&mut self) -> Result<Reply, Silence> {
        timeout_at(self.until, self.read_reply()).await.unwrap_or(Err(Silence::TimedOut))
    }

    async fn read_reply(&mut self) -> Result<Reply, Silence> {
        let first = self.read_line().await?;
        let code: u16 = first.get(..3).and_then(|code| code.parse().ok()).ok_or(Silence::Garbled)?;
        let more = match first.as_bytes().get(3) {
            None | Some(b' ') => false,
            Some(b'-') => true,
            Some(_) => return Err(Silence::Garbled),
        };
        if !(100..=599).contains(&code) {
            return Err(Silence::Garbled);
        }
        let mut reply = Reply { code, lines: vec![rest(&first)] };
        let end = format!("{code} ");
        let mut open = more;
        while open {
            let line = self.read_line().await?;
            if reply.lines.len() >= LINES_MAX {
                return Err(Silence::Garbled);
            }
            open = !line.starts_with(&end);
            let coded = !open || line.starts_with(&format!("{code}-"));
            reply.lines.push(if coded { rest(&line) } else { line });
        }
        Ok(reply)
    }

    async fn read_line(&mut self) -> Result<String, Silence> {
        let mut octets = Vec::new();
        let mut bounded = (&mut self.io).take(LINE_BYTES_MAX);
        bounded.read_until(b'\n', &mut octets).await.map_err(|_| Silence::Closed)?;
        if octets.last() != Some(&b'\n') {
            let too_long = octets.len() as u64 == LINE_BYTES_MAX;
            return Err(if too_long { Silence::Garbled } else { Silence::Closed });
        }
        let text = String::from_utf8_lossy(&octets);
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn rest(line: &str) -> String {
    line.get(4..).unwrap_or_default().trim().to_owned()
}

/// A text as one quoted token (hfaxd/Parser.c++, `nextToken`): quote and backslash escaped, control characters left
/// out, so that nothing in it can end the token or the line.
pub(super) fn quoted(text: &str, chars_max: usize) -> String {
    let mut token = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()).take(chars_max) {
        if matches!(c, '"' | '\\') {
            token.push('\\');
        }
        token.push(c);
    }
    token.push('"');
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;
    use tokio::net::TcpListener;

    /// What a dialogue makes of these octets, sent by a server that then closes.
    async fn heard(octets: &[u8]) -> Result<Reply, Silence> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
        let (mut server, _) = listener.accept().await.expect("accepted");
        let octets = octets.to_vec();
        let writing = tokio::spawn(async move {
            let _ = server.write_all(&octets).await;
        });
        let reply = Dialogue::new(client, Instant::now() + Duration::from_secs(20)).hear().await;
        let _ = writing.await;
        reply
    }

    #[tokio::test]
    async fn a_reply_of_many_lines_ends_with_its_code_and_a_space() {
        let reply =
            heard(b"217-Job state: jobid 1\r\n    STATE: DONE\r\n217-more\r\n217 End.\r\n").await.expect("read");
        assert_eq!((reply.code, reply.text()), (217, "End."));
        assert_eq!(reply.lines, ["Job state: jobid 1", "    STATE: DONE", "more", "End."]);
        assert_eq!(heard(b"213\r\n").await.expect("read").text(), "");
    }

    #[tokio::test]
    async fn what_is_no_reply_is_told_from_what_breaks_off() {
        for garbage in [&b"hello\r\n"[..], b"20x ok\r\n", b"999 ok\r\n", b"200_ok\r\n", b"\r\n", "é00 \r\n".as_bytes()]
        {
            assert_eq!(heard(garbage).await, Err(Silence::Garbled), "{garbage:?}");
        }
        for cut in [&b""[..], b"200 Job", b"217-Job state\r\n"] {
            assert_eq!(heard(cut).await, Err(Silence::Closed), "{cut:?}");
        }
        assert_eq!(heard(&[b'2'; 5000]).await, Err(Silence::Garbled), "a line without an end");
        assert_eq!(heard(&b"200-\r\n".repeat(300)).await, Err(Silence::Garbled), "a reply without an end");
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_one_token_of_one_line(text in "\\PC{0,40}|[\\x00-\\x7f\"\\\\]{0,40}") {
            let token = quoted(&text, 30);
            prop_assert!(!token.chars().any(char::is_control));
            let inner = &token[1..token.len() - 1];
            let mut escaped = false;
            for c in inner.chars() {
                prop_assert!(escaped || c != '"', "{}", token);
                escaped = c == '\\' && !escaped;
            }
            prop_assert!(!escaped, "the closing quote is one: {}", token);
        }
    }
}
