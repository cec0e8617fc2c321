//! A real fax provider in miniature: it takes faxes over HTTP, calls, confirms pages, sends signed callbacks, and keeps
//! a journal. Certain numbers make it misbehave on purpose ([`MAGIC`]). Nothing leaves the machine.

mod api;
mod call;
mod cut;
mod form;
mod hooks;
mod journal;
mod line;
mod magic;
mod memory;
mod page;
mod record;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{Clock, SystemClock};

pub use form::DOCUMENT_BYTES_MAX;
pub use hooks::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
pub use journal::{Entry, Happened};
pub use magic::{MAGIC, Magic};
pub use memory::{DOCUMENTS_BYTES_MAX, FAXES_MAX};
pub use record::{Fax, FaxStatus};

/// The longest that a shutdown waits for requests and callbacks under way.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// How a line behaves.
#[derive(Debug, Clone)]
pub struct FaxLineOptions {
    /// The bearer key that customers must give.
    pub api_key: SecretString,
    /// Where callbacks go when a fax does not name its own place.
    pub callback_url: Option<String>,
    /// The secret with which callbacks are signed; without one they are sent unsigned.
    pub callback_secret: Option<SecretString>,
    /// How long a call takes.
    pub call_takes: Duration,
    /// How long a call to the slow number takes.
    pub slow_after: Duration,
    /// How often a callback is tried.
    pub callback_tries_max: u32,
    /// The wait before a callback is tried again; each further wait is three times as long.
    pub callback_wait: Duration,
    /// The journal from which the line is rebuilt when it starts again; none keeps everything in memory.
    pub journal: Option<PathBuf>,
    /// Whether the page of received faxes and their documents are shown without the key. Only for loopback.
    pub open_pages: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl FaxLineOptions {
    /// A line that behaves as in the demo: calls of 300 ms, slow ones of 3 s, callbacks tried five times.
    #[must_use]
    pub fn new(api_key: SecretString) -> Self {
        Self {
            api_key,
            callback_url: None,
            callback_secret: None,
            call_takes: Duration::from_millis(300),
            slow_after: Duration::from_secs(3),
            callback_tries_max: 5,
            callback_wait: Duration::from_millis(200),
            journal: None,
            open_pages: false,
            clock: Arc::new(SystemClock),
        }
    }
}

/// A running line. Dropping it stops it at once; [`FaxLine::shutdown`] stops it in order.
#[derive(Debug)]
pub struct FaxLine {
    address: SocketAddr,
    calls: Arc<call::Calls>,
    server: JoinHandle<io::Result<()>>,
}

impl FaxLine {
    /// Starts a line on a bound listener, and goes on with the calls that its journal says are not finished. Must be
    /// called inside a Tokio runtime.
    ///
    /// # Errors
    /// The journal cannot be opened, the listener has no address, or no HTTP client can be made for the callbacks.
    pub fn start(listener: TcpListener, options: FaxLineOptions) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (journal, entries) = journal::Journal::open(options.journal.as_deref())?;
        let memory = memory::Memory::rebuild(journal, entries);
        let calls = Arc::new(call::Calls {
            line: Arc::new(line::Line::new(memory, Arc::clone(&options.clock))),
            hooks: hooks_of(&options)?,
            clock: options.clock,
            call_takes: options.call_takes,
            slow_after: options.slow_after,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        for fax in calls.line.faxes().iter().filter(|fax| !fax.status.is_final()) {
            calls.place(fax);
        }
        let desk = api::Desk { calls: Arc::clone(&calls), api_key: options.api_key, open_pages: options.open_pages };
        let router = api::router(Arc::new(desk)).into_make_service_with_connect_info::<cut::Cut>();
        let server = axum::serve(cut::CuttingListener(listener), router);
        let server = server.with_graceful_shutdown(calls.stop.clone().cancelled_owned());
        Ok(Self { address, calls, server: tokio::spawn(async move { server.await }) })
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every fax kept, oldest first, as it stands now.
    #[must_use]
    pub fn faxes(&self) -> Vec<Fax> {
        self.calls.line.faxes()
    }

    /// A counter that moves with every change of any fax: wait on it, then look at [`FaxLine::faxes`].
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.calls.line.changes()
    }

    /// Sends callbacks there from now on, signed with that secret, unless a fax names its own place.
    pub fn set_callback(&self, url: impl Into<String>, secret: SecretString) {
        self.calls.hooks.aim(url.into(), secret);
    }

    /// Stops taking requests, ends those under way, and leaves unfinished calls to the next start. Waits at most 5 s.
    pub async fn shutdown(mut self) {
        self.calls.stop.cancel();
        self.calls.tasks.close();
        let ended = async {
            let served = (&mut self.server).await;
            self.calls.tasks.wait().await;
            served
        };
        if !matches!(tokio::time::timeout(SHUTDOWN_MAX, ended).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the sandbox fax line did not stop in order");
        }
    }
}

impl Drop for FaxLine {
    fn drop(&mut self) {
        self.calls.stop.cancel();
        self.server.abort();
    }
}

fn hooks_of(options: &FaxLineOptions) -> io::Result<hooks::Hooks> {
    // Whoever comes second gets an error that says only that there is a provider of cryptography already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let target = hooks::Target { url: options.callback_url.clone(), secret: options.callback_secret.clone() };
    let patience = hooks::Patience { tries_max: options.callback_tries_max, first_wait: options.callback_wait };
    Ok(hooks::Hooks::new(http.map_err(io::Error::other)?, target, patience, Arc::clone(&options.clock)))
}
