//! Rendered documents by content hash.

use crate::domain::Timestamp;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::portions;

const PUT: &str = "INSERT INTO document (hash, kind, body, created_ms) ";
const GET: &str = "SELECT kind, body FROM document WHERE hash = $1";

/// What a packed body begins with. No document does: a PDF begins with a per cent sign, a mail with a brace.
const PACKED: u8 = 1;
/// The largest document that is unpacked, in octets.
const OCTETS_MAX: usize = 64 * 1024 * 1024;

/// A rendered document, ready to be kept.
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
        let mut packed = vec![PACKED];
        packed.extend(lz4_flex::compress_prepend_size(&body));
        let smaller = packed.len() < body.len() || body.first() == Some(&PACKED);
        Self { hash, kind, body: if smaller { packed } else { body } }
    }
}

/// The body as it was given.
fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let Some((&PACKED, packed)) = body.split_first() else { return Ok(body) };
    let corrupt = || StoreError::Corrupt("a kept document".to_owned());
    let (octets, rest) = lz4_flex::block::uncompressed_size(packed).map_err(|_| corrupt())?;
    if octets > OCTETS_MAX {
        return Err(corrupt());
    }
    lz4_flex::decompress(rest, octets).map_err(|_| corrupt())
}

impl Tx {
    /// Keeps documents, in the order of their hashes, so that two nodes never wait for each other; those already kept stay.
    ///
    /// # Errors
    /// As every store function.
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
    /// [`StoreError::Corrupt`] if it cannot be unpacked; otherwise as every store function.
    pub async fn document(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let found: Option<(String, Vec<u8>)> =
            on!(self, |c, d| sqlx::query_as(GET).bind(hash).fetch_optional(&mut *c).await?);
        found.map(|(kind, body)| Ok((kind, unpacked(body)?))).transpose()
    }
}
