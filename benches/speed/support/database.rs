//! A fresh, migrated database for each measurement, removed afterwards.

use anyhow::Context;
use tempfile::TempDir;
use touchline::store::Store;

use super::arguments::Engine;
use super::desk::Desk;
use super::house::{House, Setup};
use super::postgres;

/// Connections of a store that the bench itself opens.
const CONNECTIONS_MAX: u32 = 8;

/// One database.
pub struct Database {
    /// As in the configuration.
    pub url: String,
    /// The SQLite file's folder.
    folder: Option<TempDir>,
}

impl Database {
    /// A new one with the schema of the program that is measured. `None`, said aloud, where this machine has no server.
    pub async fn fresh(engine: Engine) -> anyhow::Result<Option<Self>> {
        let database = match engine {
            Engine::Sqlite => {
                let folder = tempfile::Builder::new().prefix("touchline-speed").tempdir()?;
                let url = format!("sqlite:{}", folder.path().join("touchline.db").display());
                Self { url, folder: Some(folder) }
            }
            Engine::Postgres => {
                let Some(url) = postgres::fresh_database().await else { return Ok(None) };
                Self { url, folder: None }
            }
        };
        House::new(&database, &Setup::default())?.run(&["migrate"]).await.context("the schema is made")?;
        Ok(Some(database))
    }

    /// An open store over it.
    pub async fn store(&self) -> anyhow::Result<Store> {
        Store::open(&self.url, CONNECTIONS_MAX).await.context("the store opens")
    }

    /// A connection for preparing and counting.
    pub async fn desk(&self) -> anyhow::Result<Desk> {
        Desk::open(&self.url).await
    }

    /// Octets that it takes on disk: file and write-ahead log, or database and all that the server has ever logged.
    pub async fn octets(&self, desk: &mut Desk) -> anyhow::Result<(u64, u64)> {
        let Some(folder) = &self.folder else {
            let size = desk.number("SELECT pg_database_size(current_database())").await?;
            let logged = desk.number("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").await?;
            return Ok((u64::try_from(size)?, u64::try_from(logged)?));
        };
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
        Ok((size("touchline.db"), size("touchline.db-wal")))
    }

    /// Removes it.
    pub async fn remove(self) {
        if self.folder.is_none() {
            postgres::drop_database(&self.url).await;
        }
    }
}
