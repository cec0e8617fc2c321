//! A real fax provider in miniature: it accepts faxes over HTTP, calls, confirms pages, sends signed callbacks, and
//! keeps a journal. It misbehaves on purpose: at certain numbers ([`MAGIC`]), by script ([`Script`]), or by chance
//! ([`Chances`]). It has its own interface, or imitates a provider that practices use ([`Guise`]). Nothing leaves the
//! machine.

mod behaviour;
mod call;
mod chance;
mod cut;
mod desk;
mod guise;
mod hooks;
mod journal;
mod line;
mod magic;
mod memory;
mod notice;
mod page;
mod parts;
mod picture;
mod plan;
mod record;
mod script;
mod told;
mod trouble;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{Clock, SystemClock};

pub use chance::Chances;
pub use guise::{Guise, SIGNATURE_HEADER, TIMESTAMP_HEADER, telnyx_public_key};
pub use journal::{Entry, Happened};
pub use magic::{MAGIC, Magic};
pub use memory::{DOCUMENTS_BYTES_MAX, FAXES_MAX};
pub use notice::Truth;
pub use parts::DOCUMENT_BYTES_MAX;
pub use record::{Fax, FaxStatus};
pub use script::Script;
pub use told::Callback;

/// The longest that a shutdown waits for requests and callbacks under way.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// How a line behaves.
#[derive(Debug, Clone)]
pub struct FaxLineOptions {
    /// What the line imitates.
    pub guise: Guise,
    /// The account's name: the user or key before the colon where the guise needs two, the Fax Application's id for
    /// Telnyx; the line itself has none.
    pub account: String,
    /// The key, or the second of two, that customers must give.
    pub api_key: SecretString,
    /// What the line does to certain faxes, before their numbers decide.
    pub script: Script,
    /// What happens to faxes that neither the script nor their number decides; the script's own chances unless given.
    pub chances: Option<Chances>,
    /// How all callbacks are treated: words such as `late`, `twice`, `forged`; an unknown word is refused at start.
    pub callbacks: Vec<String>,
    /// Where callbacks go when a fax does not name its own URL.
    pub callback_url: Option<String>,
    /// The secret with which callbacks are signed; without one they are sent unsigned.
    pub callback_secret: Option<SecretString>,
    /// How long a call takes.
    pub call_takes: Duration,
    /// How long a call to the slow number takes, and how late a late callback comes.
    pub slow_after: Duration,
    /// How often a callback is tried.
    pub callback_tries_max: u32,
    /// The wait before a callback is tried again; each further wait is three times as long.
    pub callback_wait: Duration,
    /// The journal from which the line is rebuilt when it starts again; none keeps everything in memory.
    pub journal: Option<PathBuf>,
    /// Whether the page of received faxes and their documents are shown without the key. Only for loopback.
    pub open_pages: bool,
    /// Further pages, served beside that of received faxes under the same condition: what else the sandbox stands in for.
    /// With any, that page links to `/mail`.
    pub further_pages: Option<axum::Router>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl FaxLineOptions {
    /// A line that behaves as in the demo: calls of 300 ms, slow ones of 3 s, callbacks tried five times.
    #[must_use]
    pub fn new(api_key: SecretString) -> Self {
        Self {
            guise: Guise::Own,
            account: "sandbox".to_owned(),
            api_key,
            script: Script::default(),
            chances: None,
            callbacks: Vec::new(),
            callback_url: None,
            callback_secret: None,
            call_takes: Duration::from_millis(300),
            slow_after: Duration::from_secs(3),
            callback_tries_max: 5,
            callback_wait: Duration::from_millis(200),
            journal: None,
            open_pages: false,
            further_pages: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// A running line. Dropping it stops it immediately; [`FaxLine::shutdown`] stops it cleanly.
#[derive(Debug)]
pub struct FaxLine {
    address: SocketAddr,
    calls: Arc<call::Calls>,
    server: JoinHandle<io::Result<()>>,
}

impl FaxLine {
    /// Starts a line on a bound listener, and continues the calls that its journal shows as unfinished. Must be
    /// called inside a Tokio runtime.
    ///
    /// # Errors
    /// The journal cannot be opened, the listener has no address, no HTTP client can be made for the callbacks, or one of
    /// [`FaxLineOptions::callbacks`] is unknown.
    pub fn start(listener: TcpListener, options: FaxLineOptions) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (journal, entries) = journal::Journal::open(options.journal.as_deref())?;
        let plan = plan_of(&options)?;
        let memory = memory::Memory::rebuild(journal, entries, |tail| plan.again(tail));
        let naming = options.guise.naming();
        let calls = Arc::new(call::Calls {
            line: Arc::new(line::Line::new(memory, Arc::clone(&options.clock), naming)),
            hooks: hooks_of(&options)?,
            plan,
            clock: options.clock,
            call_takes: options.call_takes,
            slow_after: options.slow_after,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        for fax in calls.line.faxes().iter().filter(|fax| !fax.status.is_final()) {
            calls.place(fax);
        }
        let desk = desk::Desk {
            calls: Arc::clone(&calls),
            guise: options.guise,
            account: options.account,
            api_key: options.api_key,
            open_pages: options.open_pages,
            has_mail: options.further_pages.is_some(),
            pictures: picture::Pictures::default(),
            media: Mutex::default(),
        };
        let router =
            desk::router(Arc::new(desk), options.further_pages).into_make_service_with_connect_info::<cut::Cut>();
        let server = axum::serve(cut::CuttingListener(listener), router);
        let server = server.with_graceful_shutdown(calls.stop.clone().cancelled_owned());
        Ok(Self { address, calls, server: tokio::spawn(async move { server.await }) })
    }

    /// Its base URL, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every fax kept, oldest first, in its current state.
    #[must_use]
    pub fn faxes(&self) -> Vec<Fax> {
        self.calls.line.faxes()
    }

    /// What was reported about a fax, and how the customer answered.
    #[must_use]
    pub fn callbacks(&self, id: &str) -> Vec<Callback> {
        self.calls.hooks.told(id)
    }

    /// A counter that moves with every change of any fax: wait on it, then look at [`FaxLine::faxes`].
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.calls.line.changes()
    }

    /// Sends callbacks there from now on, signed with that secret, unless a fax names its own URL.
    pub fn set_callback(&self, url: impl Into<String>, secret: SecretString) {
        self.calls.hooks.aim(url.into(), secret);
    }

    /// Stops taking requests, ends those under way, and leaves unfinished calls for the next start. Waits at most 5 s.
    pub async fn shutdown(mut self) {
        self.calls.stop.cancel();
        self.calls.tasks.close();
        let ended = async {
            let served = (&mut self.server).await;
            self.calls.tasks.wait().await;
            served
        };
        if !matches!(tokio::time::timeout(SHUTDOWN_MAX, ended).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the sandbox fax line did not shut down cleanly");
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
    // A second caller gets an error that says only that there is already a cryptography provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let target = hooks::Target { url: options.callback_url.clone(), secret: options.callback_secret.clone() };
    let patience = hooks::Patience { tries_max: options.callback_tries_max, first_wait: options.callback_wait };
    Ok(hooks::Hooks::new(http.map_err(io::Error::other)?, options.guise, target, patience, Arc::clone(&options.clock)))
}

fn plan_of(options: &FaxLineOptions) -> io::Result<plan::Plan> {
    let manners = options.callbacks.iter().try_fold(behaviour::Manners::GOOD, |all, word| {
        let manners = word.parse().map_err(|why: String| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        Ok::<_, io::Error>(all.and(manners))
    })?;
    Ok(plan::Plan::new(options.script.clone(), options.chances.clone(), manners))
}
