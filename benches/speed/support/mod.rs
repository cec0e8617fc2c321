//! What the rows share: databases, the daemon under test, the far side, people to write to, load, and reporting.

pub mod arguments;
pub mod client;
pub mod crowd;
pub mod daemon;
pub mod database;
pub mod desk;
pub mod far_side;
pub mod house;
pub mod letter;
pub mod machine;
pub mod markdown;
pub mod place;
pub mod report;
pub mod spread;
pub mod statements;

// The tests know how to find programs and how to start a PostgreSQL of their own.
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../../tests/it/support/ports.rs"]
pub mod ports;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../../tests/it/support/postgres.rs"]
pub mod postgres;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../../tests/it/support/require.rs"]
pub mod require;

use std::time::Duration;

/// The words in which a wait in vain is told.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    wait: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::time::timeout(limit, wait).await.map_err(|_| anyhow::anyhow!("waited {limit:?} in vain: {what}"))?
}
