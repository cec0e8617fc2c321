//! What a mail relay says, from the greeting to the end, in one go. The input is the relay's side of the dialogue; then the
//! connection ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use touchline::domain::mail_reply::{Phase, QuotedReply};
use touchline::domain::{Channel, Outcome};
use touchline::provider::find_spec;

use crate::account::{Ready, envelope};
use crate::answers::bounded;

static FAR_SIDE: OnceLock<(Ready, Arc<Mutex<Vec<u8>>>)> = OnceLock::new();

fn far_side() -> &'static (Ready, Arc<Mutex<Vec<u8>>>) {
    FAR_SIDE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("bound").port();
        let script = Arc::new(Mutex::new(Vec::new()));
        let given = script.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = given.lock().expect("whole").clone();
                let _ = talk(stream, &script);
            }
        });
        (Ready::build(find_spec("smtp").expect("registered"), port), script)
    })
}

fn talk(mut stream: TcpStream, script: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(script)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = [0; 64 * 1024];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

/// Tries one relay.
pub fn run(input: &[u8]) {
    let (ready, script) = far_side();
    *script.lock().expect("whole") = ready.with_canaries(input);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(async {
        let envelope = envelope(Channel::Email);
        let outcome = ready.provider.submit(&envelope).await;
        if let Err(failure) = ready.provider.check().await {
            ready.no_leak(&format!("{failure:?}"));
        }
        outcome
    });
    match &outcome {
        Outcome::Accepted { .. } => {
            assert!(input.windows(3).any(|window| window[0] == b'2'), "accepted without a single good answer");
        }
        Outcome::Refused(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure) => bounded(failure),
    }
    if let Some(failure) = outcome.failure() {
        ready.no_leak(&format!("{failure:?}"));
    }
    if let Some(quoted) = std::str::from_utf8(input).ok().and_then(QuotedReply::parse) {
        for phase in Phase::ALL {
            let wait = quoted.judge(*phase).verdict.wait_seconds.unwrap_or_default();
            assert!(wait <= 24 * 3600, "a reply makes the account wait {wait} s");
        }
    }
}
