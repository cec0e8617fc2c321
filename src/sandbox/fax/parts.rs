//! Parsing a request: a multipart form within limits, and the fields that all guises share.

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};

use super::trouble::Trouble;
use crate::domain::{Fault, FaxNumber};

/// The largest document accepted.
pub const DOCUMENT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// The largest request: the document and the fields around it.
pub(super) const REQUEST_BYTES_MAX: usize = DOCUMENT_BYTES_MAX + 64 * 1024;
/// The most pages that a document may have.
pub(super) const PAGES_MAX: u32 = 10_000;
const FIELDS_MAX: usize = 40;
const TEXT_BYTES_MAX: usize = 2_000;
const REFERENCE_CHARS_MAX: usize = 200;

/// A form: its texts in order, and the one file among its parts.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) texts: Vec<(String, String)>,
    pub(super) file: Option<Bytes>,
}

impl Parts {
    /// Reads a form whose document is in a part with one of those names; all others are texts.
    pub(super) async fn read(mut form: Multipart, file_names: &[&str]) -> Result<Self, Trouble> {
        let mut parts = Self::default();
        for _ in 0..FIELDS_MAX {
            let Some(field) = form.next_field().await.map_err(unreadable)? else {
                return Ok(parts);
            };
            let name = field.name().unwrap_or_default().to_owned();
            if file_names.contains(&name.as_str()) {
                parts.file = Some(bytes(field, DOCUMENT_BYTES_MAX).await?.into());
            } else {
                let text = String::from_utf8(bytes(field, TEXT_BYTES_MAX).await?);
                parts.texts.push((name, text.map_err(|_| Trouble::Unreadable)?));
            }
        }
        Err(Trouble::field("", "too many fields"))
    }

    /// The first text of that name, empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts.iter().find(|(own, _)| own == name).map_or("", |(_, text)| text)
    }
}

/// Reads a field to its end even if it is too large, because an answer sent before the end of a request may get lost;
/// the whole request is bounded by [`REQUEST_BYTES_MAX`].
async fn bytes(mut field: Field<'_>, bytes_max: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        fits &= bytes.len() + chunk.len() <= bytes_max;
        if fits {
            bytes.extend_from_slice(&chunk);
        }
    }
    if fits { Ok(bytes) } else { Err(Trouble::TooLarge) }
}

fn unreadable(error: MultipartError) -> Trouble {
    if error.status().as_u16() == 413 { Trouble::TooLarge } else { Trouble::Unreadable }
}

/// Where the fax goes, in the field of that name.
pub(super) fn destination(name: &'static str, text: &str) -> Result<FaxNumber, Trouble> {
    let fault = Some(Fault::InvalidNumber);
    FaxNumber::parse(text).map_err(|error| Trouble::Field { name, fault, why: error.0 })
}

/// The document in the field of that name: a PDF, nothing else.
pub(super) fn pdf(name: &'static str, file: Option<Bytes>) -> Result<Bytes, Trouble> {
    let fault = Some(Fault::DocumentError);
    let file = file.filter(|bytes| bytes.starts_with(b"%PDF-"));
    file.ok_or(Trouble::Field { name, fault, why: "the document is missing or not a PDF" })
}

/// The sender's reference for the fax.
pub(super) fn reference(name: &'static str, text: &str) -> Result<String, Trouble> {
    let fits = text.chars().count() <= REFERENCE_CHARS_MAX && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Trouble::field(name, "at most 200 characters, no control characters")) }
}

/// Where callbacks about the fax go, if it names a URL.
pub(super) fn callback_url(name: &'static str, text: &str) -> Result<Option<String>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(text.to_owned())),
        _ => Err(Trouble::field(name, "not an http or https address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_goes_to_a_web_address_or_nowhere() {
        assert!(callback_url("u", "ftp://127.0.0.1/x").is_err());
        assert!(callback_url("u", "/hooks/fax").is_err());
        assert!(matches!(callback_url("u", ""), Ok(None)));
        assert!(matches!(callback_url("u", "http://127.0.0.1:1/hooks/fax"), Ok(Some(_))));
    }

    #[test]
    fn only_a_pdf_is_a_document() {
        assert!(pdf("file", None).is_err() && pdf("file", Some(Bytes::from_static(b"hello"))).is_err());
        assert!(pdf("file", Some(Bytes::from_static(b"%PDF-1.7"))).is_ok());
    }
}
