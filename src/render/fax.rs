//! Puts a letter on fax pages: the letterhead's data, the typesetter, the finished document.

use std::fmt;
use std::path::Path;

use ring::digest;
use serde_json::{Value, json};
use touchline_typeset::{Bitmap, Document, Images, Resolution, TypesetError, Typesetter};

use super::context::bare_address;
use super::error::TemplateError;
use super::lint::{self, Expected, LintFinding, Severity};
use super::node::{Inline, Node};
use super::notices::FaxNotice;
use super::sources::Sources;
use crate::domain::practice::Practice;
use crate::files::{ReadError, read_regular};

/// The largest logo or signature file, in bytes.
const IMAGE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// A finished fax.
pub struct FaxDocument {
    /// The PDF. The same letter gives the same bytes.
    pub pdf: Vec<u8>,
    /// All pages, a cover page included.
    pub pages: u32,
    /// SHA-256 of `pdf`, lower-case hex.
    pub hash: String,
    /// What the lint found in the text of the pages; [`FaxDocument::inspect`] looks at the dots as well.
    pub lint: Vec<LintFinding>,
    document: Document,
    cover_pages: u32,
}

impl fmt::Debug for FaxDocument {
    /// Hash and pages, not what is on them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaxDocument").field("hash", &self.hash).field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl FaxDocument {
    /// Every page as the receiving machine prints it.
    ///
    /// # Errors
    /// [`TypesetError`] if a page cannot be rendered, which does not happen for a finished document.
    pub fn bitmaps(&self, resolution: Resolution) -> Result<Vec<Bitmap>, TypesetError> {
        (0..self.document.page_count()).map(|page| self.document.raster(page, resolution)).collect()
    }

    /// The text of a page, from 0, as its reader sees it.
    #[must_use]
    pub fn text(&self, page: usize) -> String {
        self.document.text(page)
    }

    /// How many of the pages are cover pages.
    #[must_use]
    pub fn cover_pages(&self) -> u32 {
        self.cover_pages
    }

    /// The whole lint: [`FaxDocument::lint`] and what only the dots show (ink, gray, the free band at the top, empty
    /// pages). Renders every page, about 25 ms each, which is why sending skips it.
    ///
    /// # Errors
    /// As [`FaxDocument::bitmaps`].
    pub fn inspect(&self) -> Result<Vec<LintFinding>, TypesetError> {
        let mut findings = self.lint.clone();
        findings.extend(lint::dots(&self.bitmaps(Resolution::Fine)?));
        Ok(findings)
    }
}

/// The content of one letter's pages.
pub struct Page<'a> {
    /// When it is sent, as printed in the header line.
    pub sent_at: &'a str,
    /// The short reference.
    pub reference: &'a str,
    /// The day.
    pub date: &'a str,
    /// The recipient's address block.
    pub recipient: Vec<String>,
    /// The subject, for the cover page.
    pub subject: &'a str,
    /// Large line above the text.
    pub headline: Option<&'a str>,
    /// The body.
    pub body: &'a [Node],
    /// The opt-out notice of an advertisement.
    pub notice: Option<&'a FaxNotice>,
    /// For letters about patients: the text on the page, and on the cover page that goes before it.
    pub confidentiality: Option<(&'a str, &'a str)>,
}

/// How loosely a letter is set; the letterhead defines what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Density {
    Open,
    Middle,
    Compact,
}

impl Density {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Middle => "middle",
            Self::Compact => "compact",
        }
    }
}

/// The letterhead, ready to set pages with.
#[derive(Debug)]
pub struct Press {
    letter: Typesetter,
    covered: Typesetter,
    images: Images,
    practice: Value,
    signer: Value,
    sender: String,
    number: String,
}

impl Press {
    /// Reads the letterhead and the practice's pictures.
    ///
    /// # Errors
    /// Typst sources that do not parse, pictures that are missing, over 2 MiB, or not PNG, JPEG or SVG.
    pub fn load(sources: &Sources, practice: &Practice) -> Result<Self, Vec<TemplateError>> {
        let director = &practice.medical_director;
        let images = Images {
            logo: image("practice.logo", practice.logo.as_deref()).map_err(|error| vec![error])?,
            signature: image("practice.medical_director.signature", director.signature.as_deref())
                .map_err(|error| vec![error])?,
        };
        let (letter, cover) = ("letterhead/fax.typ", "letterhead/cover.typ");
        let letter_source = sources.text(letter).map_err(|error| vec![error])?;
        let cover_source = sources.text(cover).map_err(|error| vec![error])?;
        Ok(Self {
            letter: typesetter(letter, letter_source)?,
            // One document, so that pages are numbered throughout: changing the page setup begins a new one.
            covered: typesetter(cover, &format!("{cover_source}\n{letter_source}"))?,
            practice: json!({
                "name": practice.name, "legal_name": practice.legal_name, "street": practice.street,
                "city": practice.city, "state": practice.state, "zip": practice.zip,
                "phone": practice.phone.pretty(), "fax": practice.fax.pretty(),
                "referral_line": practice.referral_number().pretty(),
                "website": practice.website.as_deref().map(bare_address), "email": practice.email.as_str(),
                "logo": images.logo.is_some(),
            }),
            signer: json!({
                "name": director.name, "credentials": director.credentials, "title": director.title,
                "image": images.signature.is_some(),
            }),
            images,
            sender: practice.legal_name.clone(),
            number: practice.phone.pretty(),
        })
    }

    /// Sets a trial page with cover page and notice, so that a broken letterhead or a picture no fax can show is
    /// found now and not with the first letter.
    ///
    /// # Errors
    /// The typesetter's errors, and the lint's findings in the dots of a page with pictures.
    pub fn check(&self, notice: &FaxNotice) -> Result<(), Vec<TemplateError>> {
        let words = vec![Inline::Text { v: "Trial page".to_owned() }];
        let page = Page {
            sent_at: "Nov 23, 2026 9:05 AM CST",
            reference: "00000000",
            date: "November 23, 2026",
            recipient: vec!["A colleague".to_owned()],
            subject: "Trial page",
            headline: Some("Trial page"),
            body: &[Node::Paragraph { c: words }],
            notice: Some(notice),
            confidentiality: Some(("Trial page.", "Trial page.")),
        };
        let whole = |error: TypesetError| vec![TemplateError::whole("letterhead/fax.typ", error.to_string())];
        let (fax, _) = self.set(&page).map_err(whole)?;
        if self.images.logo.is_none() && self.images.signature.is_none() {
            return Ok(());
        }
        let findings = lint::dots(&fax.bitmaps(Resolution::Fine).map_err(whole)?);
        let errors = findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| TemplateError::whole("practice.logo or signature", finding.message));
        let errors: Vec<TemplateError> = errors.collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Sets the pages. A letter about a patient gets a cover page (`compliance.md` R4.15). Returns the document
    /// and the page count of the letter itself.
    ///
    /// # Errors
    /// [`TypesetError`] from the typesetter.
    pub fn set(&self, page: &Page<'_>) -> Result<(FaxDocument, u32), TypesetError> {
        let covered = page.confidentiality.is_some();
        let (density, mut document) = self.fit(page, covered.then_some(2))?;
        let pages = document.page_count();
        if covered && pages != 2 {
            document = self.typeset(page, density, Some(pages))?;
        }
        let pages = count(document.page_count());
        let cover_pages = u32::from(covered);
        let pdf = document.pdf()?;
        let expected =
            Expected { sent_at: page.sent_at, sender: &self.sender, number: &self.number, notice: page.notice };
        let fax = FaxDocument {
            hash: sha256(&pdf),
            lint: lint::pages(&document, &expected),
            pdf,
            pages,
            document,
            cover_pages,
        };
        Ok((fax, pages.saturating_sub(cover_pages)))
    }

    /// The letter set as loosely as still fits one page; one that needs more, at the middle setting.
    fn fit(&self, page: &Page<'_>, pages_said: Option<usize>) -> Result<(Density, Document), TypesetError> {
        let room = if pages_said.is_some() { 2 } else { 1 };
        for density in [Density::Open, Density::Middle, Density::Compact] {
            let document = self.typeset(page, density, pages_said)?;
            if document.page_count() <= room {
                return Ok((density, document));
            }
            if document.page_count() > room + 1 {
                break;
            }
        }
        self.typeset(page, Density::Middle, pages_said).map(|document| (Density::Middle, document))
    }

    /// `pages_said` is the count printed on the cover page; if given, there is one.
    fn typeset(&self, page: &Page<'_>, density: Density, pages_said: Option<usize>) -> Result<Document, TypesetError> {
        let letter = json!({
            "practice": self.practice,
            "header": {
                "sent_at": page.sent_at, "sender": self.sender, "number": self.number, "reference": page.reference,
            },
            "date": page.date,
            "recipient": { "lines": page.recipient },
            "headline": page.headline,
            "body": page.body,
            "signature": self.signer,
            "notice": page.notice.map(|notice| json!({ "heading": notice.heading, "text": notice.text() })),
            "confidentiality": page.confidentiality.map(|(on_page, _)| on_page),
            "pages": pages_said,
            "density": density.as_str(),
            "subject": page.subject,
            "misdirected": page.confidentiality.map(|(_, on_cover)| on_cover),
        });
        let typesetter = if pages_said.is_some() { &self.covered } else { &self.letter };
        typesetter.typeset(letter.to_string().as_bytes(), &self.images)
    }
}

fn typesetter(file: &str, source: &str) -> Result<Typesetter, Vec<TemplateError>> {
    Typesetter::new(source).map_err(|error| vec![TemplateError::whole(file, error.to_string())])
}

fn image(key: &str, path: Option<&Path>) -> Result<Option<Vec<u8>>, TemplateError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = read_regular(path, IMAGE_BYTES_MAX).map_err(|error| match error {
        ReadError::TooLarge(_) => TemplateError::whole(key, "the file is larger than 2 MiB; use one-bit artwork"),
        other => TemplateError::whole(key, format!("the file {other}")),
    })?;
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).into_owned();
    let known = bytes.starts_with(b"\x89PNG\r\n") || bytes.starts_with(b"\xff\xd8\xff") || start.contains("<svg");
    if known { Ok(Some(bytes)) } else { Err(TemplateError::whole(key, "the file is neither PNG, JPEG nor SVG")) }
}

fn count(pages: usize) -> u32 {
    u32::try_from(pages).unwrap_or(u32::MAX)
}

/// SHA-256 as lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
