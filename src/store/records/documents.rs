//! Rendered documents by content hash. The mails of a broadcast are much alike: one is stored whole, and of the others
//! only what differs from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::packing::{base_of, pack, pack_against, unpack, unpack_against};
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
    base: Option<Arc<Base>>,
}

/// A stored document that others are much like: of those only what differs is stored.
#[derive(Debug)]
pub struct Base {
    document: Document,
    name: [u8; 32],
    whole: Vec<u8>,
}

impl Base {
    /// A document that may serve others, and what it is before it is packed. `None` if its hash is none.
    #[must_use]
    pub fn new(document: Document, whole: Vec<u8>) -> Option<Self> {
        let name = hex::decode(&document.hash).ok()?.try_into().ok()?;
        Some(Self { document, name, whole })
    }
}

impl Document {
    /// A document, its body packed (LZ4) if that makes it smaller.
    #[must_use]
    pub fn new(hash: String, kind: &'static str, body: Vec<u8>) -> Self {
        Self { hash, kind, body: pack(body), base: None }
    }

    /// A document of which only what differs from the base is stored, the base itself with it. `None` if the two are not
    /// much alike.
    #[must_use]
    pub fn like(base: &Arc<Base>, hash: &str, body: &[u8]) -> Option<Self> {
        let kind = base.document.kind;
        if base.document.hash == hash {
            return Some(base.document.clone());
        }
        let packed = pack_against(body, &base.whole, base.name);
        let is_worth_it = packed.len() <= base.document.body.len() / 2;
        is_worth_it.then(|| Self { hash: hash.to_owned(), kind, body: packed, base: Some(base.clone()) })
    }
}

impl Tx {
    /// Stores documents with their bases, in the order of their hashes, so that two nodes never deadlock; those already
    /// stored stay.
    pub async fn documents_put(&mut self, documents: &[Document], now: Timestamp) -> Result<(), StoreError> {
        let bases = documents.iter().filter_map(|document| document.base.as_ref()).map(|base| &base.document);
        let by_hash: BTreeMap<&str, &Document> =
            documents.iter().chain(bases).map(|document| (document.hash.as_str(), document)).collect();
        let documents: Vec<&Document> = by_hash.into_values().collect();
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
    /// [`StoreError::Corrupt`] if it cannot be unpacked, or what it was packed against is missing.
    pub async fn document(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let corrupt = || StoreError::Corrupt("a kept document".to_owned());
        let Some((kind, body)) = self.document_kept(hash).await? else { return Ok(None) };
        let Some(name) = base_of(&body) else {
            return Ok(Some((kind, unpack(body, OCTETS_MAX).ok_or_else(corrupt)?)));
        };
        let (_, base) = self.document_kept(&hex::encode(name)).await?.ok_or_else(corrupt)?;
        // A base is always stored whole.
        let base = Some(base).filter(|base| base_of(base).is_none()).and_then(|base| unpack(base, OCTETS_MAX));
        let whole = unpack_against(&body, &base.ok_or_else(corrupt)?, OCTETS_MAX).ok_or_else(corrupt)?;
        Ok(Some((kind, whole)))
    }

    /// Kind and body of a document as they are stored.
    async fn document_kept(&mut self, hash: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(GET).bind(hash).fetch_optional(&mut *c).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(name: &str) -> Vec<u8> {
        let body: String = (0..400).map(|word| format!("word{} ", word * 7919 % 1009)).collect();
        format!("Dear {name}, {body}").into_bytes()
    }

    #[test]
    fn of_a_mail_like_its_base_little_is_stored_and_one_unlike_it_is_stored_whole() {
        let document = |hash: String| Document::new(hash, "mail", letter("Dr. Ruiz"));
        let base = Arc::new(Base::new(document("0a".repeat(32)), letter("Dr. Ruiz")).expect("a base"));
        let alike = Document::like(&base, &"0b".repeat(32), &letter("Dr. Okafor")).expect("much alike");
        assert!(alike.body.len() < 100, "{} octets", alike.body.len());
        let same = Document::like(&base, &"0a".repeat(32), &letter("Dr. Ruiz")).expect("the base itself");
        assert!(same.base.is_none() && base_of(&same.body).is_none(), "a base is stored whole");
        let other: Vec<u8> =
            (0..4000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert!(Document::like(&base, &"0c".repeat(32), &other).is_none());
        assert!(Base::new(document("no hash".to_owned()), Vec::new()).is_none());
    }
}
