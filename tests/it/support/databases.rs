//! Both databases: whatever concerns the store runs on SQLite, and on PostgreSQL where the machine has it.

use tempfile::TempDir;
use touchline::store::Store;

use super::postgres;

/// Connections of each store under test.
const CONNECTIONS_MAX: u32 = 8;

/// One empty database.
pub struct Database {
    /// As in the configuration.
    pub url: String,
    /// The SQLite file's folder.
    folder: Option<TempDir>,
}

impl Database {
    /// A new SQLite file.
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("touchline-db").tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("touchline.db").display());
        Self { url, folder: Some(folder) }
    }

    /// A new PostgreSQL database. `None`, said aloud, where there is no server.
    pub async fn postgres() -> Option<Self> {
        Some(Self { url: postgres::fresh_database().await?, folder: None })
    }

    /// An open store over it, not migrated.
    pub async fn open(&self) -> Store {
        Store::open(&self.url, CONNECTIONS_MAX).await.expect("the store opens")
    }

    /// The engine's name, for messages of tests.
    pub fn engine(&self) -> &'static str {
        if self.is_sqlite() { "SQLite" } else { "PostgreSQL" }
    }

    pub const fn is_sqlite(&self) -> bool {
        self.folder.is_some()
    }

    /// Removes it.
    pub async fn remove(self) {
        if self.folder.is_none() {
            postgres::drop_database(&self.url).await;
        }
    }
}

/// Runs a test on an empty database of each engine.
pub async fn each_database(test: impl AsyncFn(&Database)) {
    let databases = [Some(Database::sqlite()), Database::postgres().await];
    for database in databases.into_iter().flatten() {
        eprintln!("on {}:", database.engine());
        test(&database).await;
        database.remove().await;
    }
}

/// Runs a test on a migrated store of each engine.
pub async fn each_db(test: impl AsyncFn(Store)) {
    each_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("the schema is made");
        test(store.clone()).await;
        store.close().await;
    })
    .await;
}
