//! Octets in and out, each within its time and its number: what a server may say is bounded, whatever it says. Written here and
//! not taken from `async-imap` 0.12 for the reasons in decision 52.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;

/// Octets that are read and thrown away at most, behind what is kept of one mail.
const SKIPPED_MAX: usize = 64 * 1024 * 1024;
/// Octets that are thrown away at a time.
const SKIPPED_AT_ONCE: usize = 64 * 1024;

/// A byte stream to the server, plain or under TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// For the next octets.
    pub answer: Duration,
    /// For the whole answer to one command, however large.
    pub command: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { answer: Duration::from_secs(60), command: Duration::from_secs(600) }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The connection broke.
    Closed,
    /// It took too long.
    TimedOut,
    /// What came does not follow the protocol, or is more than it may be.
    Garbled,
}

impl From<Silence> for Failure {
    fn from(silence: Silence) -> Self {
        let (fault, words) = match silence {
            Silence::Closed => (Fault::ProviderError, "the connection to the mail server broke"),
            Silence::TimedOut => (Fault::ProviderError, "the mail server did not answer in time"),
            Silence::Garbled => {
                (Fault::ProtocolError, "the mail server gave an answer that does not follow the protocol")
            }
        };
        Self::new(fault).about(About::Path).remedy(Remedy::WaitForRelay).text(words)
    }
}

/// A conversation with a server, line by line.
pub(super) struct Conversation {
    io: BufReader<Box<dyn Wire>>,
    limits: TimeLimits,
    /// By when the answer to the present command must be whole.
    deadline: Instant,
}

impl Conversation {
    pub fn new(wire: Box<dyn Wire>, limits: TimeLimits) -> Self {
        Self { io: BufReader::new(wire), limits, deadline: Instant::now() + limits.command }
    }

    /// The stream back; `None` if the server has said more than it was asked (RFC 3207 §5 has the attack).
    pub fn into_stream(self) -> Option<Box<dyn Wire>> {
        self.io.buffer().is_empty().then(|| self.io.into_inner())
    }

    /// Sends octets, which end their command themselves, and starts the time for the answer.
    pub async fn send(&mut self, octets: &[u8]) -> Result<(), Silence> {
        self.deadline = Instant::now() + self.limits.command;
        let until = self.until();
        let stream = self.io.get_mut();
        let writing = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        timeout_at(until, writing).await.map_err(|_| Silence::TimedOut)?.map_err(|_| Silence::Closed)
    }

    /// One line without its end, of at most so many octets.
    pub async fn line(&mut self, octets_max: usize) -> Result<Vec<u8>, Silence> {
        self.line_until(octets_max, self.until()).await
    }

    /// The same with a time of its own, for a server that speaks when it has something to say.
    pub async fn line_until(&mut self, octets_max: usize, until: Instant) -> Result<Vec<u8>, Silence> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.io).take(octets_max as u64 + 2);
        let reading = bounded.read_until(b'\n', &mut line);
        timeout_at(until, reading).await.map_err(|_| Silence::TimedOut)?.map_err(|_| Silence::Closed)?;
        if line.pop() != Some(b'\n') {
            return Err(if line.len() >= octets_max { Silence::Garbled } else { Silence::Closed });
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// So many octets, of which the first `keep` are kept.
    pub async fn octets(&mut self, count: usize, keep: usize) -> Result<Vec<u8>, Silence> {
        let kept = count.min(keep);
        let mut octets = Vec::new();
        while octets.len() < kept {
            let more = self.some(kept - octets.len()).await?;
            octets.extend_from_slice(&more);
        }
        let mut rest = count - kept;
        if rest > SKIPPED_MAX {
            return Err(Silence::Garbled);
        }
        while rest > 0 {
            rest -= self.some(rest).await?.len();
        }
        Ok(octets)
    }

    /// At least one octet and at most so many.
    async fn some(&mut self, octets_max: usize) -> Result<Vec<u8>, Silence> {
        let mut octets = vec![0; octets_max.min(SKIPPED_AT_ONCE)];
        let read = timeout_at(self.until(), self.io.read(&mut octets)).await;
        match read.map_err(|_| Silence::TimedOut)? {
            Ok(count) if count > 0 => {
                octets.truncate(count);
                Ok(octets)
            }
            _ => Err(Silence::Closed),
        }
    }

    /// The lines of an answer that ends with a line of a single dot (RFC 1939 §3), dots undoubled, each with CRLF. The first
    /// `keep` octets are kept.
    pub async fn until_dot(&mut self, keep: usize) -> Result<Vec<u8>, Silence> {
        let (mut kept, mut skipped, mut at_start) = (Vec::new(), 0, true);
        loop {
            let (piece, is_whole) = self.piece().await?;
            let piece = match piece.as_slice() {
                b"." if at_start && is_whole => return Ok(kept),
                [b'.', rest @ ..] if at_start => rest,
                piece => piece,
            };
            at_start = is_whole;
            let room = keep - kept.len();
            let end: &[u8] = if is_whole { b"\r\n" } else { b"" };
            skipped += (piece.len() + end.len()).saturating_sub(room);
            if skipped > SKIPPED_MAX {
                return Err(Silence::Garbled);
            }
            kept.extend(piece.iter().chain(end).take(room));
        }
    }

    /// A line without its end, or a piece of one that is too long; and whether its end has come.
    async fn piece(&mut self) -> Result<(Vec<u8>, bool), Silence> {
        let until = self.until();
        let mut piece = Vec::new();
        let mut bounded = (&mut self.io).take(SKIPPED_AT_ONCE as u64);
        timeout_at(until, bounded.read_until(b'\n', &mut piece))
            .await
            .map_err(|_| Silence::TimedOut)?
            .map_err(|_| Silence::Closed)?;
        if piece.last() == Some(&b'\n') {
            piece.pop();
            if piece.last() == Some(&b'\r') {
                piece.pop();
            }
            return Ok((piece, true));
        }
        if piece.len() < SKIPPED_AT_ONCE { Err(Silence::Closed) } else { Ok((piece, false)) }
    }

    fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.limits.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn hears(text: &[u8]) -> Conversation {
        let (mut far, near) = tokio::io::duplex(1 << 20);
        far.write_all(text).await.expect("room in the pipe");
        drop(far);
        Conversation::new(Box::new(near), TimeLimits::default())
    }

    #[tokio::test]
    async fn lines_end_within_their_limit() {
        let mut talk = hears(b"one\r\ntwo\n\r\nrest").await;
        for line in ["one", "two", ""] {
            assert_eq!(talk.line(10).await, Ok(line.as_bytes().to_vec()));
        }
        assert_eq!(talk.line(10).await, Err(Silence::Closed));
        assert_eq!(hears(&[b'x'; 100]).await.line(10).await, Err(Silence::Garbled));
        assert_eq!(hears(b"0123456789\r\n").await.line(10).await, Ok(b"0123456789".to_vec()));
    }

    #[tokio::test]
    async fn of_many_octets_the_first_are_kept_and_the_rest_is_passed_over() {
        let mut talk = hears(b"0123456789after\r\n").await;
        assert_eq!(talk.octets(10, 4).await, Ok(b"0123".to_vec()));
        assert_eq!(talk.line(10).await, Ok(b"after".to_vec()));
        assert_eq!(hears(b"01").await.octets(3, 9).await, Err(Silence::Closed));
        assert_eq!(hears(b"01").await.octets(usize::MAX, 0).await, Err(Silence::Garbled));
    }

    #[tokio::test]
    async fn a_mail_ends_at_its_dot_however_long_its_lines() {
        let mut talk = hears(b"a\r\n..b\r\n\r\n.\r\nnext\r\n").await;
        assert_eq!(talk.until_dot(100).await, Ok(b"a\r\n.b\r\n\r\n".to_vec()));
        assert_eq!(talk.line(10).await, Ok(b"next".to_vec()));
        let long = [vec![b'.'; 200_000], b"\r\n.\r\n".to_vec()].concat();
        assert_eq!(hears(&long).await.until_dot(1 << 20).await.map(|mail| mail.len()), Ok(200_001));
        assert_eq!(hears(&long).await.until_dot(10).await.map(|mail| mail.len()), Ok(10));
        assert_eq!(hears(b"no end\r\n").await.until_dot(10).await, Err(Silence::Closed));
    }
}
