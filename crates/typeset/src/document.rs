//! A typeset document: its PDF, its rasters, and facts read off its pages.

use std::collections::BTreeSet;
use std::fmt;

use typst::foundations::Smart;
use typst::layout::{Frame, FrameItem, Point, Transform};
use typst::text::TextItem;
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::TypesetError;
use crate::raster::{self, Bitmap, Resolution};

/// Baselines closer than this are one line of text, in points.
const LINE_TOLERANCE_PT: f64 = 2.0;
/// A gap wider than this share of the type size is a space between words.
const SPACE_SHARE: f64 = 0.12;
/// Less than this is kerning, not overprinting, in points.
const OVERLAP_PT: f64 = 1.5;
/// Mark where a word may break, and where it may not (zero width space, word joiner).
const PRINTS_NOTHING: [char; 2] = ['\u{200b}', '\u{2060}'];

/// Pages of one letter.
#[derive(Clone)]
pub struct Document {
    pages: PagedDocument,
}

impl fmt::Debug for Document {
    /// Prints the number of pages and nothing of their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("pages", &self.page_count()).finish_non_exhaustive()
    }
}

impl Document {
    pub(crate) fn new(pages: PagedDocument) -> Self {
        Self { pages }
    }

    /// How many pages there are, at least 1.
    pub fn page_count(&self) -> usize {
        self.pages.pages().len()
    }

    /// The document as PDF 1.7, tagged for assistive technology, with neither time nor producer in it: the same
    /// document gives the same bytes.
    ///
    /// # Errors
    /// [`TypesetError::Diagnostics`] where a picture cannot be embedded.
    pub fn pdf(&self) -> Result<Vec<u8>, TypesetError> {
        let options =
            PdfOptions { creator: Smart::Custom(None), timestamp: None, tagged: true, ..PdfOptions::default() };
        typst_pdf::pdf(&self.pages, &options).map_err(|diagnostics| {
            let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
            TypesetError::Diagnostics(messages.join("; "))
        })
    }

    /// One page as a fax machine receives it: exactly the dots of `resolution`, rendered directly onto its
    /// non-square grid, then thresholded. `page` counts from 0.
    ///
    /// # Errors
    /// [`TypesetError::NoSuchPage`].
    pub fn raster(&self, page: usize, resolution: Resolution) -> Result<Bitmap, TypesetError> {
        let found = self.pages.pages().get(page);
        let found = found.ok_or(TypesetError::NoSuchPage { page, pages: self.page_count() })?;
        raster::rasterise(found, resolution)
    }

    /// The smallest type on any page, in points as printed (scaling included); infinite where there is no text.
    pub fn smallest_text_pt(&self) -> f64 {
        let mut smallest = f64::INFINITY;
        self.each_text(|text, place| {
            if !text.text.trim().is_empty() {
                let scale = (place.sx.get() * place.sy.get() - place.kx.get() * place.ky.get()).abs().sqrt();
                smallest = smallest.min(text.size.to_pt() * scale);
            }
        });
        smallest
    }

    /// The characters that none of the fonts can print; they show as empty boxes. In order, each once.
    pub fn unprintable(&self) -> Vec<char> {
        let mut missing = BTreeSet::new();
        self.each_text(|text, _| {
            for glyph in text.glyphs.iter().filter(|glyph| glyph.id == 0) {
                missing.extend(text.text.get(glyph.range()).unwrap_or_default().chars());
            }
        });
        missing.into_iter().collect()
    }

    /// The text of one page in reading order, a line per printed line, as a reader of the paper sees it (header and
    /// footer included). `page` counts from 0; a page that does not exist has no text.
    pub fn text(&self, page: usize) -> String {
        let mut runs = Vec::new();
        if let Some(page) = self.pages.pages().get(page) {
            walk(&page.frame, Transform::identity(), &mut |text, place| runs.push(Run::new(text, place)));
        }
        lines_of(runs)
    }

    /// The widest band of a page without text, in points: between the baselines of two lines, or of the last line and the
    /// edge of the paper. `page` counts from 0; a page that does not exist has none.
    pub fn widest_gap_pt(&self, page: usize) -> f64 {
        let Some(page) = self.pages.pages().get(page) else { return 0.0 };
        let mut baselines = Vec::new();
        walk(&page.frame, Transform::identity(), &mut |text, place| baselines.push(Run::new(text, place).baseline));
        baselines.extend([0.0, page.frame.height().to_pt()]);
        baselines.sort_by(f64::total_cmp);
        baselines.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
    }

    /// Pages, counted from 0, on which a text is printed over another one of the same line, or beyond the edge of the paper:
    /// what becomes of a table that is too wide.
    pub fn overprinted(&self) -> Vec<usize> {
        let is_overprinted = |page: &typst_layout::Page| {
            let mut runs = Vec::new();
            walk(&page.frame, Transform::identity(), &mut |text, place| runs.push(Run::new(text, place)));
            runs.retain(|run| !run.text.trim().is_empty());
            let edge = page.frame.width().to_pt();
            let beyond = runs.iter().any(|run| run.left < 0.0 || run.right > edge);
            beyond || in_lines(runs).into_iter().any(has_overlap)
        };
        let pages = self.pages.pages().iter().enumerate();
        pages.filter(|(_, page)| is_overprinted(page)).map(|(place, _)| place).collect()
    }

    fn each_text(&self, mut visit: impl FnMut(&TextItem, Transform)) {
        for page in self.pages.pages() {
            walk(&page.frame, Transform::identity(), &mut visit);
        }
    }
}

/// Visits every text run of a frame with the transformation from the run's origin to the page.
fn walk(frame: &Frame, outer: Transform, visit: &mut impl FnMut(&TextItem, Transform)) {
    for (at, item) in frame.items() {
        let here = outer.pre_concat(Transform::translate(at.x, at.y));
        match item {
            FrameItem::Group(group) => walk(&group.frame, here.pre_concat(group.transform), visit),
            FrameItem::Text(text) => visit(text, here),
            _ => {}
        }
    }
}

/// A text run placed on the page; distances in points.
struct Run {
    baseline: f64,
    left: f64,
    right: f64,
    size: f64,
    text: String,
}

impl Run {
    fn new(text: &TextItem, place: Transform) -> Self {
        let origin = Point::zero().transform(place);
        let left = origin.x.to_pt();
        Self {
            baseline: origin.y.to_pt(),
            left,
            right: left + text.width().to_pt() * place.sx.get(),
            size: text.size.to_pt(),
            text: text.text.chars().filter(|c| !PRINTS_NOTHING.contains(c)).map(plain_space).collect(),
        }
    }
}

/// A space at which no line ends looks like any other.
fn plain_space(c: char) -> char {
    if c == '\u{a0}' { ' ' } else { c }
}

/// Puts runs into lines by baseline, from top to bottom and left to right.
fn lines_of(runs: Vec<Run>) -> String {
    let texts: Vec<String> = in_lines(runs).into_iter().map(one_line).collect();
    texts.join("\n")
}

/// Runs by line, from top to bottom.
fn in_lines(mut runs: Vec<Run>) -> Vec<Vec<Run>> {
    runs.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut lines: Vec<Vec<Run>> = Vec::new();
    for run in runs {
        match lines.last_mut() {
            Some(line) if run.baseline - line[0].baseline < LINE_TOLERANCE_PT => line.push(run),
            _ => lines.push(vec![run]),
        }
    }
    lines
}

/// Whether a run of a line begins before the one to its left has ended.
fn has_overlap(mut line: Vec<Run>) -> bool {
    line.sort_by(|a, b| a.left.total_cmp(&b.left));
    line.windows(2).any(|pair| pair[1].left < pair[0].right - OVERLAP_PT)
}

fn one_line(mut runs: Vec<Run>) -> String {
    runs.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut line = String::new();
    let mut reached = f64::INFINITY;
    for run in &runs {
        let apart = run.left - reached > run.size * SPACE_SHARE;
        if apart && !line.ends_with(char::is_whitespace) && !run.text.starts_with(char::is_whitespace) {
            line.push(' ');
        }
        line.push_str(&run.text);
        reached = run.right;
    }
    line.trim_end().to_owned()
}
