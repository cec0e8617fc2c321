//! A service under attack, as those who attack it and those who need it see it: sockets from any loopback address, and
//! requests that nobody makes by mistake.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ring::hmac;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Mutex;
use tokio::time::timeout;
use touchline::domain::id::AttemptId;
use touchline::domain::{Clock, SystemClock};

use crate::support::PATIENCE;

/// One attack at a time: they share this process's file descriptors.
pub static TURN: Mutex<()> = Mutex::const_new(());
/// How often somebody who needs the service asks before it counts as gone.
const TRIES: usize = 20;
/// Where attackers sit, and those who need the service: at the same address, and at one of their own.
pub const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

/// The address of an attacker of that number; many share one if `addresses` are few.
pub fn attacker(number: usize, addresses: usize) -> IpAddr {
    let last = u8::try_from(number % addresses).expect("few addresses") + 1;
    IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 1, last))
}

/// The service.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// An API token that may read.
    pub token: String,
    /// What signs callbacks of the account `fax-sandbox`.
    pub webhook_secret: String,
}

impl Target {
    /// A connection from that address.
    pub async fn connect(&self, from: IpAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        timeout(PATIENCE, socket.connect(self.address)).await?
    }

    /// A connection on which that was written.
    pub async fn begin(&self, from: IpAddr, words: &str) -> io::Result<TcpStream> {
        let mut stream = self.connect(from).await?;
        timeout(PATIENCE, stream.write_all(words.as_bytes())).await??;
        Ok(stream)
    }

    /// The status of the answer to a whole request, and the answer.
    pub async fn ask(&self, from: IpAddr, request: &str) -> io::Result<(u16, String)> {
        let mut stream = self.begin(from, request).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = status_of(&answer).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok((status, answer))
    }

    /// Asks until that status is answered, a bounded number of times.
    async fn must(&self, from: IpAddr, status: u16, request: impl Fn() -> String) {
        let mut answers = Vec::new();
        for _ in 0..TRIES {
            match self.ask(from, &request()).await {
                Ok((answered, _)) if answered == status => return,
                Ok((_, answer)) => answers.push(answer.lines().next().unwrap_or_default().to_owned()),
                Err(error) => answers.push(error.to_string()),
            }
        }
        let request = request();
        panic!("{} from {from} is answered {answers:?}", request.lines().next().unwrap_or_default());
    }

    /// That those who need the service get it, at the attackers' own address and at another: health, a provider's signed
    /// callback, and the API.
    pub async fn goes_on(&self) {
        for from in [HERE, ELSEWHERE, attacker(0, 1)] {
            self.must(from, 200, || get("/healthz", "")).await;
            self.must(from, 200, || self.callback()).await;
            self.must(from, 200, || get("/api/v1/failures", &format!("Authorization: Bearer {}\r\n", self.token)))
                .await;
        }
    }

    /// A callback that the provider signed.
    fn callback(&self) -> String {
        let (id, reference) = (AttemptId::new().to_string(), AttemptId::new().to_string());
        let fax = json!({ "id": "fax_1", "reference": reference, "status": "delivered", "pages": 1, "pages_confirmed": 1,
            "fault": null });
        let now = SystemClock.now().0;
        let (seconds, body) = (now / 1000, json!({ "id": id, "fax": fax, "at_ms": now }).to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.webhook_secret.as_bytes());
        let signature = hex::encode(hmac::sign(&key, format!("{seconds}.{body}").as_bytes()));
        let headers = format!("x-sandbox-timestamp: {seconds}\r\nx-sandbox-signature: {signature}\r\n");
        post("/hooks/fax-sandbox", &headers, body.len(), &body)
    }
}

/// A request without a body, on a connection of its own.
pub fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: touchline.example\r\nConnection: close\r\n{headers}\r\n")
}

/// A request with a body, of which as much as given is sent.
pub fn post(path: &str, headers: &str, announced: usize, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: touchline.example\r\nConnection: close\r\n{headers}\
         Content-Length: {announced}\r\n\r\n{body}"
    )
}

/// The first line's status.
pub fn status_of(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// The status that comes on a connection, `None` if it ends without one.
pub async fn heard(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    loop {
        let read = timeout(PATIENCE, stream.read(&mut part)).await.expect("an answer or an end, in time");
        match read {
            Ok(octets) if octets > 0 => answer.extend_from_slice(&part[..octets]),
            _ => return None,
        }
        if let Some(status) = status_of(&String::from_utf8_lossy(&answer)) {
            return Some(status);
        }
    }
}

/// Waits until a connection ends, whatever comes before.
pub async fn ended(stream: &mut TcpStream) {
    let mut part = [0; 1024];
    while let Ok(1..) = timeout(PATIENCE, stream.read(&mut part)).await.expect("its end, in time") {}
}
