//! Rendered documents by content hash.

use super::db::{Tx, on};
use super::error::StoreError;
use super::rows::portions;
use crate::domain::Timestamp;

const PUT: &str = "INSERT INTO document (hash, kind, body, created_ms) ";
const GET: &str = "SELECT kind, body FROM document WHERE hash = $1";

/// A rendered document, ready to be kept.
#[derive(Debug, Clone)]
pub struct Document {
    /// SHA-256, hex.
    pub hash: String,
    /// `pdf` or `mail` (the finished mail as JSON).
    pub kind: &'static str,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Tx {
    /// Keeps documents; those already kept stay.
    ///
    /// # Errors
    /// As every store function.
    pub async fn documents_put(&mut self, documents: &[Document], now: Timestamp) -> Result<(), StoreError> {
        for portion in portions(documents) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(PUT);
                statement.push_values(portion, |mut row, document| {
                    row.push_bind(&document.hash).push_bind(document.kind).push_bind(&document.body).push_bind(now);
                });
                statement.push(" ON CONFLICT DO NOTHING");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Kind and bytes of a document.
    ///
    /// # Errors
    /// As every store function.
    pub async fn document(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(GET).bind(hash).fetch_optional(&mut *c).await?))
    }
}
