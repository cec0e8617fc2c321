//! Answers of fax providers over HTTP, read by the real client from a server on loopback. First octet: which provider.
//! Second: which call. Third: which status. Fourth: whether the connection breaks off. The rest is the body.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use touchline::domain::attempt::ProviderReference;
use touchline::domain::fault::Failure;
use touchline::domain::{Address, Channel, Outcome};
use touchline::provider::{FindQuery, REGISTRY};

use crate::account::{ATTEMPT, FAX_TO, NOW, Ready, envelope};

/// Kinds that answer otherwise than over HTTP, or that are nothing without a description.
const SPOKEN_OTHERWISE: [&str; 2] = ["hylafax", "http"];

const STATUSES: [u16; 20] =
    [200, 201, 202, 204, 299, 301, 307, 400, 401, 402, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503];

static FAR_SIDE: OnceLock<(Vec<Ready>, Arc<Mutex<Vec<u8>>>)> = OnceLock::new();

fn far_side() -> &'static (Vec<Ready>, Arc<Mutex<Vec<u8>>>) {
    FAR_SIDE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("bound").port();
        let answer = Arc::new(Mutex::new(Vec::new()));
        let given = answer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = given.lock().expect("whole").clone();
                let _ = serve(stream, &answer);
            }
        });
        let faxing =
            REGISTRY.iter().filter(|spec| spec.channel == Channel::Fax && !SPOKEN_OTHERWISE.contains(&spec.kind));
        (faxing.map(|spec| Ready::build(spec, port)).collect(), answer)
    })
}

/// Answers whatever is asked, then reads the rest of the question so that nothing is reset under the answer.
fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut rest = [0; 64 * 1024];
    let _ = stream.read(&mut rest)?;
    stream.write_all(answer)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

/// Tries one answer.
pub fn run(input: &[u8]) {
    let [which, call, status, breaks, body @ ..] = input else { return };
    let (accounts, answer) = far_side();
    let ready = &accounts[usize::from(*which) % accounts.len()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let body = ready.with_canaries(body);
    let promised = body.len() + usize::from(breaks % 4 == 3);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {promised}\r\nRetry-After: {breaks}\r\nConnection: close\r\n\r\n"
    );
    *answer.lock().expect("whole") = [head.as_bytes(), &body].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ask(ready, *call, status, promised == body.len()));
}

async fn ask(ready: &Ready, call: u8, status: u16, whole: bool) {
    let provider = &ready.provider;
    let reference = ProviderReference::new(&ready.reference).expect("a reference");
    let failure = match call % 6 {
        0 | 1 => {
            let outcome = provider.submit(&envelope(Channel::Fax)).await;
            promised(ready.provider.spec().kind, &outcome, status, whole);
            outcome.failure().cloned()
        }
        2 => provider.status(&reference).await.err(),
        3 => {
            let to = Address::parse(Channel::Fax, FAX_TO).expect("a number");
            let search = FindQuery { attempt: ATTEMPT.parse().expect("an attempt"), to, opened_ms: NOW };
            provider.find(&search).await.err()
        }
        4 => provider.cancel(&reference).await.err(),
        _ => provider.check().await.err(),
    };
    if let Some(failure) = failure {
        bounded(&failure);
        ready.no_leak(&format!("{failure:?}"));
    }
}

/// Kinds with one call for each fax, whose status alone says whether it was refused. Others prepare first, and what fails
/// then was certainly not sent; or they say no inside a success.
const PLAIN: [&str; 2] = ["sandbox", "telnyx"];

/// Nothing is called certain that is not: an answer cut off, a server's trouble and an unreadable success are doubt.
fn promised(kind: &str, outcome: &Outcome, status: u16, whole: bool) {
    let is_plain = PLAIN.contains(&kind);
    match outcome {
        Outcome::Accepted { reference } => {
            assert!(whole && (200..300).contains(&status), "{kind}: accepted by {status}");
            assert!(!reference.0.is_empty() && reference.0.chars().count() <= 200);
        }
        Outcome::Refused(failure) => {
            assert!(!is_plain || whole && (300..500).contains(&status), "{kind}: refused by {status}");
            bounded(failure);
        }
        Outcome::NotSent(failure) => {
            assert!(!is_plain || whole && (300..500).contains(&status), "{kind}: certainly not sent, by {status}");
            bounded(failure);
        }
        Outcome::Unknown(failure) => bounded(failure),
    }
}

/// What others say is kept short and on one line.
pub fn bounded(failure: &Failure) {
    for words in [&failure.raw_code, &failure.raw_text].into_iter().flatten() {
        assert!(words.chars().count() <= 500, "{} characters", words.chars().count());
        assert!(!words.chars().any(char::is_control), "control characters");
    }
}
