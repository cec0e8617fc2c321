//! Both databases: whatever concerns the store runs on SQLite, and on PostgreSQL where the machine has it.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::sync::OnceCell;
use touchline::store::Store;

use super::{place, postgres};

/// Connections of each store under test.
const CONNECTIONS_MAX: u32 = 8;
/// The SQLite file's name.
const FILE: &str = "touchline.db";

/// A SQLite file with the present schema and nothing in it. Making the schema anew for every test would take a quarter of
/// the suite's time.
static WITH_SCHEMA: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The same on the PostgreSQL server, if there is one.
static WITH_SCHEMA_ON_POSTGRES: OnceCell<Option<String>> = OnceCell::const_new();

/// One database.
pub struct Database {
    /// As in the configuration.
    pub url: String,
    /// The SQLite file's folder.
    folder: Option<TempDir>,
}

impl Database {
    /// A new SQLite file with the present schema.
    pub async fn sqlite() -> Self {
        let database = Self::empty_sqlite();
        let file = WITH_SCHEMA.get_or_init(|| apart(sqlite_with_schema())).await;
        std::fs::write(database.file(), file).expect("the file is written");
        database
    }

    /// A new PostgreSQL database with the present schema. `None`, said aloud, where there is no server.
    pub async fn postgres() -> Option<Self> {
        let original = WITH_SCHEMA_ON_POSTGRES.get_or_init(|| apart(postgres_with_schema())).await.as_deref()?;
        Some(Self { url: postgres::copy_of(original).await, folder: None })
    }

    /// A new SQLite file without a schema.
    pub fn empty_sqlite() -> Self {
        let folder = place::folder("touchline-db");
        let url = format!("sqlite:{}", folder.path().join(FILE).display());
        Self { url, folder: Some(folder) }
    }

    /// A new PostgreSQL database without a schema. `None`, said aloud, where there is no server.
    pub async fn empty_postgres() -> Option<Self> {
        Some(Self { url: postgres::fresh_database().await?, folder: None })
    }

    /// An open store over it.
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

    async fn make_schema(&self) {
        let store = self.open().await;
        store.migrate().await.expect("the schema is made");
        store.close().await;
    }

    fn file(&self) -> PathBuf {
        self.folder.as_ref().expect("a SQLite file").path().join(FILE)
    }

    /// Removes it.
    pub async fn remove(self) {
        if self.folder.is_none() {
            postgres::drop_database(&self.url).await;
        }
    }
}

/// Runs a test on a database with the present schema of each engine.
pub async fn each_database(test: impl AsyncFn(&Database)) {
    each_of([Some(Database::sqlite().await), Database::postgres().await], test).await;
}

/// Runs a test on a database without a schema of each engine.
pub async fn each_empty_database(test: impl AsyncFn(&Database)) {
    each_of([Some(Database::empty_sqlite()), Database::empty_postgres().await], test).await;
}

/// Runs a test on a store with the present schema of each engine.
pub async fn each_db(test: impl AsyncFn(Store)) {
    each_database(async |database| {
        let store = database.open().await;
        test(store.clone()).await;
        store.close().await;
    })
    .await;
}

async fn each_of(databases: [Option<Database>; 2], test: impl AsyncFn(&Database)) {
    for database in databases.into_iter().flatten() {
        eprintln!("on {}:", database.engine());
        test(&database).await;
        database.remove().await;
    }
}

/// Runs as a task of its own, so that whichever test comes first needs no deeper stack than the others.
async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(work).await.expect("it ends")
}

async fn sqlite_with_schema() -> Vec<u8> {
    let database = Database::empty_sqlite();
    database.make_schema().await;
    std::fs::read(database.file()).expect("the file is read")
}

async fn postgres_with_schema() -> Option<String> {
    let database = Database::empty_postgres().await?;
    database.make_schema().await;
    Some(database.url)
}
