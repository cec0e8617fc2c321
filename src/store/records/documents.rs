//! Rendered documents by content hash.

use crate::domain::Timestamp;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::packing::{pack, unpack};
use crate::store::engine::rows::portions;

const PUT: &str = "INSERT INTO document (hash, kind, body, created_ms) ";
const GET: &str = "SELECT kind, body FROM document WHERE hash = $1";

/// The largest document that is unpacked, in octets.
const OCTETS_MAX: usize = 64 * 1024 * 1024;

/// A rendered document, ready to be stored.
#[derive(Debug, Clone)]
pub struct Document {
    /// SHA-256, hex.
    pub hash: String,
    /// `pdf` or `mail` (the finished mail as JSON).
    pub kind: &'static str,
    body: Vec<u8>,
}

impl Document {
    /// A document, its body packed (LZ4) if that makes it smaller: the letters of a broadcast are text and much alike.
    #[must_use]
    pub fn new(hash: String, kind: &'static str, body: Vec<u8>) -> Self {
        Self { hash, kind, body: pack(body) }
    }
}

impl Tx {
    /// Stores documents, in the order of their hashes, so that two nodes never deadlock; those already stored stay.
    pub async fn documents_put(&mut self, documents: &[Document], now: Timestamp) -> Result<(), StoreError> {
        let mut documents: Vec<&Document> = documents.iter().collect();
        documents.sort_unstable_by(|a, b| a.hash.cmp(&b.hash));
        for portion in portions(&documents) {
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
    /// [`StoreError::Corrupt`] if it cannot be unpacked.
    pub async fn document(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let found: Option<(String, Vec<u8>)> =
            on!(self, |c, d| sqlx::query_as(GET).bind(hash).fetch_optional(&mut *c).await?);
        let corrupt = || StoreError::Corrupt("a kept document".to_owned());
        found.map(|(kind, body)| Ok((kind, unpack(body, OCTETS_MAX).ok_or_else(corrupt)?))).transpose()
    }
}
