//! `touchline serve`: the gateway itself. SIGTERM and Ctrl-C let running calls end; a second one ends at once.

use std::net::SocketAddr;
use std::sync::Arc;

use super::console::{Console, warn};
use super::exit::CliError;
use crate::app::Gateway;
use crate::config::Config;
use crate::domain::SystemClock;
use crate::telemetry;

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port, instead of the configured ones
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Runs until told to stop.
///
/// # Errors
/// Configuration, letters or database cannot be used; the address is taken.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let mut config = Config::load(&console.config_path)?;
    telemetry::install_logging(config.log.format, &config.log.level)?;
    config.server.listen = args.listen.unwrap_or(config.server.listen);
    let gateway = Gateway::open(config, Arc::new(SystemClock)).await?;
    let running = gateway.start();
    tracing::info!(database = gateway.store.describe(), "the gateway runs");
    stop_signal().await;
    warn("Stopping: calls under way may end. Again to stop at once.");
    tokio::spawn(async {
        stop_signal().await;
        std::process::exit(130);
    });
    running.drain().await;
    gateway.store.close().await;
    Ok(())
}

/// Waits for Ctrl-C, or for the signal with which a service manager stops programs.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
