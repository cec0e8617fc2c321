//! What the tests share: a clock that is advanced by hand, ports, databases, and (further down the files) the test
//! gateway.

use std::time::Duration;

pub mod clock;
pub mod databases;
pub mod dkim_verifier;
pub mod gateway;
pub mod invariants;
pub mod moody_smtp;
pub mod openapi_mock;
pub mod place;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod reckoning;
pub mod require;
pub mod returned;
pub mod scripted_smtp;
pub mod small_disk;
pub mod stage;
pub mod stub_dns;
pub mod terminal;
pub mod token_server;
pub mod token_smtp;

/// No wait of a test lasts longer unless something is broken. It is long because a slow machine with much else to do is not
/// broken; nothing waits for its end.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Waits until a future ends, within [`PATIENCE`].
pub async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// What reading returns goes by, with a key of the tests.
pub fn return_rules() -> touchline::feedback::returns::ReturnRules {
    touchline::feedback::returns::ReturnRules {
        paths: touchline::domain::return_path::ReturnPaths::new(b"a key of the tests"),
        keeps_first_lines: true,
        keeps_replies: false,
        key: touchline::sealing::KeyPlace::Nowhere,
        zone: chrono_tz::America::Chicago,
        opt_out_mailbox: None,
    }
}
