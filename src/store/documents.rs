//! Rendered documents by content hash.

use super::db::{Tx, on};
use super::error::StoreError;
use crate::domain::Timestamp;

const PUT: &str =
    "INSERT INTO document (hash, kind, body, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING";
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
        on!(self, |c, d| {
            for document in documents {
                sqlx::query(PUT)
                    .bind(&document.hash)
                    .bind(document.kind)
                    .bind(&document.body)
                    .bind(now)
                    .execute(&mut *c)
                    .await?;
            }
            Ok(())
        })
    }

    /// Kind and bytes of a document.
    ///
    /// # Errors
    /// As every store function.
    pub async fn document(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(GET).bind(hash).fetch_optional(&mut *c).await?))
    }
}
