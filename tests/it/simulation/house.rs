//! The shared setup: one real database that many histories use one after the other.

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use touchline::store::Store;

use super::canaries::Listener;
use super::spy::Spy;
use crate::support::{place, postgres};

/// A runtime for whoever only looks.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A runtime of a node: its own thread, so that what the node leaves behind (such as a transaction that is given up) is
/// cleared away while others go on. Whoever drops it ends everything that ran there, as a crash does.
pub fn runtime_of_node(seed: u64, listener: Option<Listener>) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(move || {
            fastrand::seed(seed);
            if let Some(listener) = &listener {
                listener.listen();
            }
        })
        .enable_all()
        .build()
        .expect("a runtime")
}

/// See the module's comment.
pub struct House {
    pub url: String,
    pub spy: Spy,
    _folder: Option<TempDir>,
}

impl House {
    pub fn sqlite() -> Self {
        let folder = place::folder("touchline-sim");
        let url = format!("sqlite:{}", folder.path().join("touchline.db").display());
        Self::open(url, Some(folder))
    }

    /// `None`, said aloud, where there is no server.
    pub fn postgres() -> Option<Self> {
        let url = runtime().block_on(postgres::fresh_database())?;
        let mut spy = Spy::new(&url);
        let name = url.rsplit('/').next().expect("a name");
        spy.tamper(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
        drop(spy);
        Some(Self::open(url, None))
    }

    pub const fn is_sqlite(&self) -> bool {
        self._folder.is_some()
    }

    pub const fn engine(&self) -> &'static str {
        if self.is_sqlite() { "SQLite" } else { "PostgreSQL" }
    }

    fn open(url: String, folder: Option<TempDir>) -> Self {
        let builder = runtime();
        builder.block_on(async {
            let store = Store::open(&url, 2).await.expect("the store opens");
            store.migrate().await.expect("the schema is made");
            store.close().await;
        });
        let spy = Spy::new(&url);
        Self { url, spy, _folder: folder }
    }
}
