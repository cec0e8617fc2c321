//! Where the browser lands after a sign-in: a port of this machine alone, open for that one answer (RFC 8252 §7.3).

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::http::oauth::code::{NoCode, Pending};

/// The most that is read of a request, in octets.
const HEAD_OCTETS_MAX: usize = 16 * 1024;
/// How long a request may take to arrive, and its answer to be taken.
const HEAD_TIME_MAX: Duration = Duration::from_secs(3);
/// How long the rest of a request is waited for once it is answered: closing before it came would take the answer away again.
const REST_TIME_MAX: Duration = Duration::from_secs(1);
/// How many connections are served at once, so that a silent one keeps nobody waiting.
const SERVED_MAX: usize = 16;
/// The wait after a connection that could not be accepted, as when no file descriptor is free.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// A port that waits for the browser.
pub(super) struct Landing {
    listener: TcpListener,
    redirect: String,
}

impl Landing {
    /// Opens one, named by `host`: `localhost` or `127.0.0.1`.
    ///
    /// # Errors
    /// No port can be opened.
    pub(super) async fn open(host: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let redirect = format!("http://{host}:{}", listener.local_addr()?.port());
        Ok(Self { listener, redirect })
    }

    /// The address to send the browser to.
    pub(super) fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the answer to that sign-in. Whatever else comes, such as a request for an icon, is sent away.
    ///
    /// # Errors
    /// The service refused.
    pub(super) async fn code(&self, pending: &Pending) -> Result<SecretString, NoCode> {
        let mut served = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if served.len() < SERVED_MAX => match accepted {
                    Ok((stream, _)) => served.push(serve(stream, pending)),
                    Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
                },
                Some(answer) = served.next() => {
                    if !matches!(answer, Err(NoCode::NotOurs)) {
                        return answer;
                    }
                }
            }
        }
    }
}

/// Reads one request and answers it.
async fn serve(mut stream: TcpStream, pending: &Pending) -> Result<SecretString, NoCode> {
    let target = timeout(HEAD_TIME_MAX, target_of(&mut stream)).await.ok().flatten();
    let answer = target.map_or(Err(NoCode::NotOurs), |target| pending.read(&target));
    let (status, words) = match &answer {
        Ok(_) => ("200 OK", "You are signed in. You can close this window; the terminal has the rest."),
        Err(NoCode::Refused(_)) => ("200 OK", "The sign-in was refused. The terminal says what to do."),
        Err(NoCode::NotOurs) => ("404 Not Found", "This address only ends a sign-in of Touchline."),
    };
    if matches!(timeout(HEAD_TIME_MAX, show(&mut stream, status, words)).await, Ok(Ok(()))) {
        let _ = timeout(REST_TIME_MAX, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    }
    answer
}

/// The path and query that a GET asks for, in its first line.
async fn target_of(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    while !head.contains(&b'\n') {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&piece[..read]);
        if head.len() > HEAD_OCTETS_MAX {
            return None;
        }
    }
    let line = std::str::from_utf8(head.split(|octet| *octet == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    let (verb, target) = (words.next()?, words.next()?);
    (verb == "GET" && target.starts_with('/')).then(|| target.to_owned())
}

async fn show(stream: &mut TcpStream, status: &str, words: &str) -> io::Result<()> {
    let page = format!("<!doctype html><meta charset=utf-8><title>Touchline</title><p>{words}</p>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use url::Url;

    use super::*;

    async fn ask(port: &str, request: &str) -> String {
        let mut stream = TcpStream::connect(port).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer
    }

    #[tokio::test]
    async fn the_answer_to_this_sign_in_is_waited_for_among_whatever_else_comes() {
        let landing = Landing::open("127.0.0.1").await.expect("a port");
        let port = landing.redirect().trim_start_matches("http://").to_owned();
        let authorize = Url::parse("https://id.example/auth").expect("an address");
        let pending = Pending::begin(&authorize, "client", "mail", landing.redirect(), &[]).expect("random");
        let state = pending.address.query_pairs().find(|(key, _)| key == "state").expect("a state").1.into_owned();
        let browser = tokio::spawn(async move {
            let mut silent = Vec::new();
            for _ in 0..SERVED_MAX - 1 {
                silent.push(TcpStream::connect(&port).await.expect("connected"));
            }
            for request in [
                "GET /favicon.ico HTTP/1.1\r\n\r\n".to_owned(),
                "POST /?code=x HTTP/1.1\r\n\r\n".to_owned(),
                "GET /?code=stolen&state=guessed HTTP/1.1\r\n\r\n".to_owned(),
                format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000)),
            ] {
                let answer = ask(&port, &request).await;
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 404 "), "{answer}");
            }
            ask(&port, &format!("GET /?code=c1&state={state} HTTP/1.1\r\nHost: x\r\n\r\n")).await
        });
        assert_eq!(landing.code(&pending).await.expect("a code").expose_secret(), "c1");
        let shown = browser.await.expect("no panic");
        assert!(shown.starts_with("HTTP/1.1 200 OK") && shown.contains("You are signed in") && !shown.contains("c1"));
    }
}
