//! A lean HTTP client, so that the load takes little of the two cores from what is measured: one kept connection each,
//! one request at a time, answers by `Content-Length`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// One answer.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What the head of an answer says, and where it ends.
struct Head {
    end: usize,
    status: u16,
    length: usize,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("the daemon listens")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends a request and reads its answer.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        let Head { end: head_end, status, length } = self.head().await?;
        while self.read.len() < head_end + length {
            self.more().await?;
        }
        let body = self.read[head_end..head_end + length].to_vec();
        self.read.drain(..head_end + length);
        Ok(Answer { status, body })
    }

    /// Reads up to the end of the head.
    async fn head(&mut self) -> anyhow::Result<Head> {
        let end = loop {
            match self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(place) => break place + 4,
                None => self.more().await?,
            }
        };
        let head = std::str::from_utf8(&self.read[..end])?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("a status")?;
        let field = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let length = field("content-length").and_then(|length| length.parse().ok()).context("a length")?;
        Ok(Head { end, status, length })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.read).await?;
        ensure!(count > 0, "the daemon closed the connection");
        Ok(())
    }
}

/// A request as it travels.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut request = text.into_bytes();
    request.extend_from_slice(body);
    request
}

/// What came of a load.
pub struct Load {
    /// From the first request to the last answer.
    pub took: Duration,
    /// Of each request.
    pub times: Vec<Duration>,
}

/// Sends all requests over so many connections at once, each as soon as its connection is free. Every answer must have
/// that status.
pub async fn send_all(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    status: u16,
) -> anyhow::Result<Load> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address).await?);
    }
    let started = Instant::now();
    let working: Vec<_> =
        clients.into_iter().map(|client| tokio::spawn(work(client, requests.clone(), next.clone(), status))).collect();
    let mut times = Vec::with_capacity(requests.len());
    for worker in working {
        times.extend(worker.await??);
    }
    let took = started.elapsed();
    ensure!(times.len() == requests.len(), "{} answers to {} requests", times.len(), requests.len());
    Ok(Load { took, times })
}

async fn work(
    mut client: Client,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    status: u16,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let started = Instant::now();
        let answer = client.send(request).await?;
        times.push(started.elapsed());
        ensure!(
            answer.status == status,
            "answered {} instead of {status}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>()
        );
    }
    Ok(times)
}
