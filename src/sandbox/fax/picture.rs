//! What the receiving machine printed, as a picture: the first page of a document, and how many pages it has. The PDF
//! is a stranger's: it is read beside the server, within bounds, and a reader that fails costs only the picture.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{RenderCache, RenderSettings, render};
use tokio::sync::Semaphore;

use super::parts::PAGES_MAX;

/// The width and the greatest height of a picture, in pixels.
const WIDTH: f32 = 440.0;
const HEIGHT_MAX: f32 = 1_200.0;
/// Most pictures kept.
const KEPT_MAX: usize = 200;

/// Pictures of first pages, made on demand.
#[derive(Debug)]
pub(super) struct Pictures {
    kept: Mutex<BTreeMap<String, Bytes>>,
    one_at_a_time: Semaphore,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { kept: Mutex::default(), one_at_a_time: Semaphore::new(1) }
    }
}

impl Pictures {
    /// The first page of the fax's document as PNG; none where it cannot be read.
    pub(super) async fn of(&self, id: &str, document: Bytes) -> Option<Bytes> {
        if let Some(picture) = self.kept().get(id) {
            return Some(picture.clone());
        }
        let _turn = self.one_at_a_time.acquire().await.ok()?;
        let picture = tokio::task::spawn_blocking(move || first_page(&document)).await.ok().flatten()?;
        let picture = Bytes::from(picture);
        let mut kept = self.kept();
        while kept.len() >= KEPT_MAX {
            kept.pop_first();
        }
        kept.insert(id.to_owned(), picture.clone());
        Some(picture)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn first_page(document: &[u8]) -> Option<Vec<u8>> {
    let pdf = Pdf::new(document.to_vec()).ok()?;
    let page = pdf.pages().first()?;
    let (width, height) = page.render_dimensions();
    if !(width > 1.0 && height > 1.0) {
        return None;
    }
    let scale = (WIDTH / width).min(HEIGHT_MAX / height);
    let settings = RenderSettings { x_scale: scale, y_scale: scale, bg_color: WHITE, ..RenderSettings::default() };
    render(page, &RenderCache::new(), &InterpreterSettings::default(), &settings).into_png().ok()
}

/// How many pages the document has; 1 where it cannot be read.
pub(super) async fn pages_of(document: Bytes) -> u32 {
    let count = move || Pdf::new(document.to_vec()).map_or(1, |pdf| pdf.pages().len());
    let counted = tokio::task::spawn_blocking(count).await.unwrap_or(1);
    u32::try_from(counted).unwrap_or(PAGES_MAX).clamp(1, PAGES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three empty pages, as short as a PDF can be.
    const PAGES: &[u8] = b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
        2 0 obj <</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]/MediaBox[0 0 612 792]>> endobj\n\
        3 0 obj <</Type/Page/Parent 2 0 R>> endobj\n4 0 obj <</Type/Page/Parent 2 0 R>> endobj\n\
        5 0 obj <</Type/Page/Parent 2 0 R>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n";

    #[tokio::test]
    async fn the_first_page_is_a_picture_and_pages_are_counted() {
        let document = Bytes::from_static(PAGES);
        assert_eq!(pages_of(document.clone()).await, 3);
        let picture = Pictures::default().of("a", document).await.expect("a picture");
        assert!(picture.starts_with(b"\x89PNG"));
    }

    #[tokio::test]
    async fn what_is_no_pdf_has_no_picture_and_counts_as_a_page() {
        let scrap = Bytes::from_static(b"%PDF-1.7 scrap");
        assert!(Pictures::default().of("a", scrap.clone()).await.is_none());
        assert_eq!(pages_of(scrap).await, 1);
    }
}
