//! `touchline serve`: the gateway itself. SIGTERM and Ctrl-C let running calls finish; a second one exits immediately.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::console::{Console, warn};
use super::exit::{CliError, Ending, STOPPED_CODE};
use crate::app::{Gateway, mail_setup};
use crate::config::Config;
use crate::domain::SystemClock;
use crate::telemetry;
use crate::upkeep;
use crate::web::{self, WebState};
use crate::wording::attention;

/// How often recorded metrics are folded together.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port, instead of the configured ones
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Runs until shut down.
///
/// # Errors
/// Configuration, letters or database cannot be used; the address is taken.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let config = Config::load(&console.config_path)?;
    telemetry::install_logging(config.log.format, &config.log.level)?;
    let metrics = telemetry::install_metrics()?;
    // A database that cannot be used is noticed before anybody can connect.
    let address = args.listen.unwrap_or(config.server.listen);
    let gateway = Arc::new(Gateway::join(config, Arc::new(SystemClock)).await?);
    let listener = match listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            gateway.store.close().await;
            return Err(error);
        }
    };

    warn_of_clock(&gateway).await?;
    warn_of_letters(&gateway);
    warn_of_events(&gateway);
    let running = gateway.start();
    let stop = CancellationToken::new();
    tell_address(console, &listener, &gateway)?;
    let state = WebState::new(gateway.clone(), running.inbox(), Some(metrics.clone()));
    let mut faces = tokio::spawn(web::serve(listener, state, stop.clone()));
    let keeping = tokio::spawn(keep(metrics, stop.clone()));

    let ended = tokio::select! {
        () = stop_signal() => None,
        ended = &mut faces => Some(ended),
    };
    warn("Stopping: calls in progress may finish. Press Ctrl-C again to stop immediately.");
    tokio::spawn(stop_at_once());
    stop.cancel();
    let unexpected = ended.is_some();
    if ended.is_none() {
        // Requests first, so that nothing new arrives; then the services, in the order of the flow.
        drop(faces.await);
    }
    running.drain().await;
    drop(keeping.await);
    gateway.store.close().await;
    if unexpected { Err(CliError::new(Ending::Failed, "the web server stopped unexpectedly")) } else { Ok(()) }
}

/// A clock that was set back while nothing ran keeps what is due waiting: a person must know.
async fn warn_of_clock(gateway: &Gateway) -> Result<(), CliError> {
    if let Some(behind) = upkeep::time::behind(&gateway.store, gateway.clock.now()).await? {
        let seconds = behind.as_secs();
        tracing::error!(
            seconds,
            "this machine's clock is behind the newest record: what is due waits; set the clock right"
        );
        warn(&format!(
            "This machine's clock is {seconds} seconds behind the newest record. What is due waits that long: set the clock \
             right and start again."
        ));
    }
    Ok(())
}

/// A provider that cannot reach this installation reports nothing, and nothing says so.
fn warn_of_events(gateway: &Gateway) {
    for (account, words) in mail_setup::unreachable_events(&gateway.config) {
        tracing::warn!(account, "a provider's callbacks are configured, but it cannot reach this installation");
        warn(&format!("{words}."));
    }
}

/// A mistake in a letter, a letterhead or a notice stops nothing but what is made with it.
fn warn_of_letters(gateway: &Gateway) {
    for out in gateway.renderer.out_of_service() {
        let (letters, mistake) = (out.letters.join(", "), out.mistake);
        let channel = out.by.map(|by| by.as_str());
        tracing::error!(letters, channel, %mistake, "letters are out of service because of a mistake");
        warn(&format!("{} because of a mistake: {mistake}", attention::out_of_service(&out.letters, out.by)));
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program is listening there: stop it, or give --listen".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied: choose a port above 1023".to_owned(),
            kind => kind.to_string(),
        };
        CliError::new(Ending::Failed, format!("cannot listen on {address}: {why}"))
    })
}

fn tell_address(console: &Console, listener: &TcpListener, gateway: &Gateway) -> Result<(), CliError> {
    let address = listener.local_addr().unwrap_or(gateway.config.server.listen);
    let database = gateway.store.describe();
    tracing::info!(%address, database, "the gateway is running");
    let url = format!("http://{address}");
    let object = json!({ "listening": url, "database": database, "public_url": gateway.config.server.public_url });
    console.answer(&object, || format!("Touchline is listening on {url} ({database}). Ctrl-C stops it."))
}

/// Folds recorded metrics together periodically, so that histograms do not grow.
async fn keep(metrics: PrometheusHandle, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(METRICS_UPKEEP) => metrics.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

async fn stop_at_once() {
    stop_signal().await;
    std::process::exit(STOPPED_CODE);
}

/// Waits for Ctrl-C, or for the signal with which a service manager stops programs.
pub(super) async fn stop_signal() {
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
    drop(tokio::signal::ctrl_c().await);
}
