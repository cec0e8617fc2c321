//! Turns due campaigns into broadcasts.

use tokio_util::sync::CancellationToken;

use crate::intake;

/// Looks for due campaigns until told to stop.
pub async fn run(_parts: intake::Parts, stop: CancellationToken) {
    stop.cancelled().await;
}
