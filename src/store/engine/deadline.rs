//! How long a caller waits for a database that has gone silent.

use std::future::Future;
use std::time::Duration;

use super::error::StoreError;

/// A network that drops what is sent breaks no connection: without a limit, a caller would wait for the answer
/// forever. Well above what any short transaction takes, its waiting for locks and for a connection included.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// Work with the database that is given up when it takes too long. Whether its commit took effect is then unknown, as when
/// a connection breaks.
///
/// # Errors
/// Those of the work; [`StoreError::Unavailable`] if there was no answer within 40 seconds.
pub async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let silent = |_| Err(StoreError::Unavailable(StoreError::NO_ANSWER.to_owned()));
    tokio::time::timeout(ANSWER_MAX, work).await.unwrap_or_else(silent)
}
