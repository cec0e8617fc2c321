//! Commands out, replies in, each within its time. The stream is ours rather than lettre's connection for three
//! reasons that its `AsyncSmtpConnection` (0.11.23) does not let one have: what a server sends in the clear behind its
//! answer to STARTTLS must be noticed and not be read as an answer given under TLS (RFC 3207 §4.2, §5); a line without
//! an end must not fill the memory; and what has left when a connection breaks must be known to the octet.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

use super::reply::Reply;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;

/// RFC 5321 §4.5.3.1.5 allows a reply line 512 octets; some servers explain themselves at more length.
const LINE_OCTETS_MAX: u64 = 2048;
/// Most lines in one reply; an EHLO has about twenty.
const LINES_MAX: usize = 100;
/// The body is written in pieces, each within its own time (RFC 5321 §4.5.3.2.5).
const PIECE_OCTETS: usize = 64 * 1024;

/// A byte stream to the relay, plain or under TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The connection broke.
    Closed,
    /// It took too long.
    TimedOut,
    /// What came is no SMTP reply.
    Garbled,
}

impl Silence {
    /// As a failure; `when` completes "the connection broke …".
    pub fn failure(self, when: &str) -> Failure {
        let (fault, what) = match self {
            Self::Closed => (Fault::ProviderError, "the connection to the relay broke"),
            Self::TimedOut => (Fault::ProviderError, "the relay did not answer in time"),
            Self::Garbled => (Fault::ProtocolError, "the relay gave an answer that is not SMTP"),
        };
        let failure = Failure::new(fault).about(About::Path).remedy(Remedy::WaitForRelay);
        failure.text(format!("{what} {when}"))
    }
}

/// Why no answer came to a whole letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The dot that ends it never left: it was not sent.
    BeforeTheDot(Silence),
    /// The dot may have arrived: nobody knows.
    AfterTheDot(Silence),
}

/// How long things may take: the RFC's times for each step, both cut by the account's own settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// Everything before the final dot must be over by then.
    pub deadline: Instant,
    /// The most for one command.
    pub command_max: Duration,
    /// The most for the answer to the final dot.
    pub final_dot: Duration,
}

impl TimeLimits {
    /// When a step that the RFC gives so many minutes must be over.
    pub fn minutes(&self, minutes: u64) -> Instant {
        self.deadline.min(Instant::now() + self.command_max.min(Duration::from_secs(minutes * 60)))
    }

    /// When the answer to the final dot must be there: not bounded by the deadline, because giving up early may mean
    /// sending twice (RFC 1047).
    pub fn final_dot(&self) -> Instant {
        Instant::now() + self.final_dot
    }
}

/// One side of the dialogue.
pub(super) struct Dialogue<S> {
    io: BufReader<S>,
}

impl<S: Wire> Dialogue<S> {
    pub fn new(stream: S) -> Self {
        Self { io: BufReader::new(stream) }
    }

    /// The stream back; `None` if the server has said more than it was asked.
    pub fn into_stream(self) -> Option<S> {
        (!self.is_ahead()).then(|| self.io.into_inner())
    }

    /// Whether the server has said more than was asked: from then on nobody knows which answer belongs to what.
    pub fn is_ahead(&self) -> bool {
        !self.io.buffer().is_empty()
    }

    /// Sends one command (without its CRLF) and waits for its reply. Nothing is said to a server that is ahead, because what it
    /// has said already would pass for the answer.
    pub async fn say(&mut self, command: &str, until: Instant) -> Result<Reply, Silence> {
        if self.is_ahead() {
            return Err(Silence::Garbled);
        }
        self.send(format!("{command}\r\n").as_bytes(), until).await?;
        self.hear(until).await
    }

    /// Sends what is whole commands already, CRLF included.
    pub async fn send(&mut self, octets: &[u8], until: Instant) -> Result<(), Silence> {
        self.write(octets, until).await.1
    }

    /// Sends a letter, which [`ended_by_a_dot`] has made ready, and waits for the answer. The dot leaves in the same
    /// write as the end of the body, so what was written is counted: while octets are left, so is the dot.
    pub async fn say_letter(&mut self, octets: &[u8], limits: &TimeLimits) -> Result<Reply, Lost> {
        let mut pieces = octets.chunks(PIECE_OCTETS);
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.send(piece, limits.minutes(3)).await.map_err(Lost::BeforeTheDot)?;
        }
        let (written, sent) = self.write(last, limits.minutes(3)).await;
        let lost = if written < last.len() { Lost::BeforeTheDot } else { Lost::AfterTheDot };
        sent.map_err(lost)?;
        self.hear(limits.final_dot()).await.map_err(Lost::AfterTheDot)
    }

    /// Waits for one reply.
    pub async fn hear(&mut self, until: Instant) -> Result<Reply, Silence> {
        timeout_at(until, self.read_reply()).await.unwrap_or(Err(Silence::TimedOut))
    }

    /// Writes, and tells how many octets the stream has taken.
    async fn write(&mut self, octets: &[u8], until: Instant) -> (usize, Result<(), Silence>) {
        let (stream, mut written) = (self.io.get_mut(), 0);
        let writing = async {
            while written < octets.len() {
                match stream.write(&octets[written..]).await {
                    Ok(taken) if taken > 0 => written += taken,
                    _ => return Err(Silence::Closed),
                }
            }
            stream.flush().await.map_err(|_| Silence::Closed)
        };
        let outcome = timeout_at(until, writing).await.unwrap_or(Err(Silence::TimedOut));
        (written, outcome)
    }

    async fn read_reply(&mut self) -> Result<Reply, Silence> {
        let (mut code, mut lines) = (None, Vec::with_capacity(1));
        loop {
            let line = self.read_line().await?;
            let (of_line, is_last, text) = split_line(&line).ok_or(Silence::Garbled)?;
            if *code.get_or_insert(of_line) != of_line || lines.len() == LINES_MAX {
                return Err(Silence::Garbled);
            }
            lines.push(text.to_owned());
            if is_last {
                return Ok(Reply { code: of_line, lines });
            }
        }
    }

    async fn read_line(&mut self) -> Result<String, Silence> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.io).take(LINE_OCTETS_MAX);
        bounded.read_until(b'\n', &mut line).await.map_err(|_| Silence::Closed)?;
        match line.last() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            _ if line.len() as u64 == LINE_OCTETS_MAX => Err(Silence::Garbled),
            _ => Err(Silence::Closed),
        }
    }
}

/// `250-text` as code, whether it is the last line, and text.
fn split_line(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.parse::<u16>().ok())??;
    let is_last = match rest.bytes().next() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        _ => return None,
    };
    (200..600).contains(&code).then(|| (code, is_last, rest.get(1..).unwrap_or("")))
}

/// A mail as the octets that follow DATA: each line that begins with a dot gets another (RFC 5321 §4.5.2), and the dot
/// that ends it all stands at the end.
pub(super) fn ended_by_a_dot(mut eml: Vec<u8>) -> Vec<u8> {
    // Looks at every pair without stopping, which goes many octets at a time.
    let pairs = eml.iter().zip(eml.get(1..).unwrap_or_default());
    let has_dots =
        pairs.fold(eml.first() == Some(&b'.'), |found, (one, next)| found | (*one == b'\n') & (*next == b'.'));
    if has_dots {
        eml = doubled_dots(&eml);
    }
    eml.extend_from_slice(b".\r\n");
    eml
}

fn doubled_dots(eml: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(eml.len() + eml.len() / 64);
    for line in eml.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    stuffed
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    #[tokio::test]
    async fn replies_are_read_whole_and_within_limits() {
        let until = || Instant::now() + Duration::from_secs(5);
        let read = async |text: &[u8]| {
            let (mut far, near) = tokio::io::duplex(1 << 20);
            far.write_all(text).await.expect("room in the pipe");
            drop(far);
            Dialogue::new(near).hear(until()).await
        };
        let reply = read(b"250-relay\r\n250-SIZE 100\r\n250 DSN\r\n").await.expect("a reply");
        assert_eq!((reply.code, reply.lines), (250, vec!["relay".into(), "SIZE 100".into(), "DSN".into()]));
        assert_eq!(read(b"250\r\n").await.map(|reply| reply.code), Ok(250));
        assert_eq!(read(b"hello there\r\n").await, Err(Silence::Garbled));
        assert_eq!(read(b"250-one\r\n550 two\r\n").await, Err(Silence::Garbled));
        assert_eq!(read(&[b'2'; 5000]).await, Err(Silence::Garbled));
        assert_eq!(read("250-x\r\n".repeat(200).as_bytes()).await, Err(Silence::Garbled));
        assert_eq!(read(b"250 cut of").await, Err(Silence::Closed));
        assert_eq!(read("2é0 x\r\n".as_bytes()).await, Err(Silence::Garbled));
    }

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        assert_eq!(ended_by_a_dot(b".a\r\nb.\r\n.\r\n".to_vec()), b"..a\r\nb.\r\n..\r\n.\r\n");
        assert_eq!(ended_by_a_dot(b"a\r\n.b\r\n".to_vec()), b"a\r\n..b\r\n.\r\n");
        assert_eq!(ended_by_a_dot(b"a.\r\nb\r\n".to_vec()), b"a.\r\nb\r\n.\r\n");
    }

    /// A far side that takes so many octets and then breaks.
    async fn lost_after(octets: usize, letter: &[u8]) -> Result<Reply, Lost> {
        let limits = TimeLimits {
            deadline: Instant::now() + Duration::from_secs(5),
            command_max: Duration::MAX,
            final_dot: Duration::from_secs(5),
        };
        Dialogue::new(Breaking { left: octets }).say_letter(letter, &limits).await
    }

    /// Takes at most 1,000 octets at a time, and breaks when none are left.
    struct Breaking {
        left: usize,
    }

    impl AsyncWrite for Breaking {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<std::io::Result<usize>> {
            let taken = octets.len().min(self.left).min(1_000);
            self.left -= taken;
            Poll::Ready(if taken > 0 { Ok(taken) } else { Err(std::io::ErrorKind::BrokenPipe.into()) })
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Breaking {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_letter_is_in_doubt_only_once_its_dot_has_left_whole() {
        let letter = ended_by_a_dot(b"a\r\n".repeat(50_000));
        let whole = letter.len();
        for taken in [0, 1, 70_000, whole - 3, whole - 2, whole - 1] {
            assert_eq!(
                lost_after(taken, &letter).await,
                Err(Lost::BeforeTheDot(Silence::Closed)),
                "{taken} of {whole}"
            );
        }
        assert_eq!(lost_after(whole, &letter).await, Err(Lost::AfterTheDot(Silence::Closed)));
    }
}
