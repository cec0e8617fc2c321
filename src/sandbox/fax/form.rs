//! Reading the request that creates a fax: a multipart form, within limits.

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};

use super::api::Refusal;
use super::record::Order;
use crate::domain::FaxNumber;

/// The largest document taken.
pub const DOCUMENT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// The largest request: the document and the fields around it.
pub(super) const REQUEST_BYTES_MAX: usize = DOCUMENT_BYTES_MAX + 64 * 1024;
const FIELDS_MAX: usize = 16;
const TEXT_BYTES_MAX: usize = 2_000;
const REFERENCE_CHARS_MAX: usize = 200;
const PAGES_MAX: u32 = 10_000;

#[derive(Debug, Default)]
struct Form {
    to: String,
    from: String,
    reference: String,
    pages: String,
    callback_url: String,
    document: Vec<u8>,
}

/// Reads and checks the form.
pub(super) async fn read(multipart: Multipart) -> Result<Order, Refusal> {
    let form = collect(multipart).await?;
    let to = FaxNumber::parse(&form.to).map_err(|error| Refusal::new(422, "invalid_number", error.0))?;
    FaxNumber::parse(&form.from).map_err(|_| Refusal::new(422, "invalid_request", "`from` is not a fax number"))?;
    Ok(Order {
        to,
        reference: reference(form.reference)?,
        pages: pages(&form.pages, &form.document)?,
        document: document(form.document)?,
        callback_url: callback_url(form.callback_url)?,
    })
}

async fn collect(mut multipart: Multipart) -> Result<Form, Refusal> {
    let mut form = Form::default();
    for _ in 0..FIELDS_MAX {
        let Some(field) = multipart.next_field().await.map_err(unreadable)? else {
            return Ok(form);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "document" => form.document = bytes(field, DOCUMENT_BYTES_MAX).await?,
            "to" => form.to = text(field).await?,
            "from" => form.from = text(field).await?,
            "reference" => form.reference = text(field).await?,
            "pages" => form.pages = text(field).await?,
            "callback_url" => form.callback_url = text(field).await?,
            _ => return Err(Refusal::new(422, "invalid_request", "a field has a name that is not known here")),
        }
    }
    Err(Refusal::new(422, "invalid_request", "too many fields"))
}

/// Reads a field to its end even if it is too large, because an answer before the end of a request may get lost; the
/// whole request is bounded by [`REQUEST_BYTES_MAX`].
async fn bytes(mut field: Field<'_>, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        fits &= bytes.len() + chunk.len() <= bytes_max;
        if fits {
            bytes.extend_from_slice(&chunk);
        }
    }
    if fits { Ok(bytes) } else { Err(Refusal::new(413, "too_large", "a field is larger than it may be")) }
}

async fn text(field: Field<'_>) -> Result<String, Refusal> {
    let bytes = bytes(field, TEXT_BYTES_MAX).await?;
    String::from_utf8(bytes).map_err(|_| Refusal::new(422, "invalid_request", "a field is not UTF-8"))
}

fn unreadable(error: MultipartError) -> Refusal {
    match error.status().as_u16() {
        413 => Refusal::new(413, "too_large", "the request is larger than it may be"),
        _ => Refusal::new(400, "invalid_request", "the form cannot be read"),
    }
}

fn reference(text: String) -> Result<String, Refusal> {
    let fits = !text.is_empty() && text.chars().count() <= REFERENCE_CHARS_MAX && !text.chars().any(char::is_control);
    if fits {
        Ok(text)
    } else {
        Err(Refusal::new(422, "invalid_request", "`reference` has 1 to 200 characters, none of them a control"))
    }
}

fn document(bytes: Vec<u8>) -> Result<Bytes, Refusal> {
    if bytes.starts_with(b"%PDF-") {
        Ok(bytes.into())
    } else {
        Err(Refusal::new(422, "document_error", "`document` is not a PDF"))
    }
}

/// What the sender counted, or what can be counted in the file.
fn pages(text: &str, document: &[u8]) -> Result<u32, Refusal> {
    if text.is_empty() {
        return Ok(count_pages(document));
    }
    match text.parse() {
        Ok(pages @ 1..=PAGES_MAX) => Ok(pages),
        _ => Err(Refusal::new(422, "invalid_request", "`pages` is a number from 1 to 10000")),
    }
}

/// Counts page objects that stand uncompressed in a PDF (ISO 32000-1 §7.7.3.3); 1 where they are compressed.
fn count_pages(document: &[u8]) -> u32 {
    const KEY: &[u8] = b"/Type";
    let is_page = |at: usize| {
        let rest = &document[at + KEY.len()..];
        let rest = rest.trim_ascii_start();
        rest.strip_prefix(b"/Page").is_some_and(|after| !after.first().is_some_and(u8::is_ascii_alphanumeric))
    };
    let found = (0..document.len().saturating_sub(KEY.len()))
        .filter(|at| document[*at..].starts_with(KEY) && is_page(*at))
        .take(PAGES_MAX as usize)
        .count();
    u32::try_from(found).unwrap_or(PAGES_MAX).max(1)
}

fn callback_url(text: String) -> Result<Option<String>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    match url::Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(text)),
        _ => Err(Refusal::new(422, "invalid_request", "`callback_url` is not an http or https address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_in_a_plain_pdf_and_the_page_tree_is_not_one() {
        let pdf =
            b"%PDF-1.7 1 0 obj <</Type /Pages /Count 2>> 2 0 obj <</Type /Page>> 3 0 obj <</Type/Page/Parent 1 0 R>>";
        assert_eq!(count_pages(pdf), 2);
        assert_eq!(count_pages(b"%PDF-1.7 /Type"), 1);
    }

    #[test]
    fn a_callback_goes_to_a_web_address_or_nowhere() {
        assert!(callback_url("ftp://127.0.0.1/x".into()).is_err());
        assert!(callback_url("/hooks/fax".into()).is_err());
        assert!(matches!(callback_url(String::new()), Ok(None)));
        assert!(matches!(callback_url("http://127.0.0.1:1/hooks/fax".into()), Ok(Some(_))));
    }
}
