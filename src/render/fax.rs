//! Puts a letter on fax pages: the letterhead's data, the typesetter, the finished document.

use std::fmt;
use std::path::Path;

use ring::digest;
use serde_json::{Value, json};
use touchline_typeset::{Bitmap, Document, Images, Resolution, TypesetError, Typesetter};

use super::binding;
use super::context::bare_address;
use super::error::TemplateError;
use super::lint::{self, Expected, LintFinding, Severity};
use super::node::{Inline, Node};
use super::notices::{FaxNotice, Notices};
use super::reply_form::ReplyForm;
use super::shared::Piece;
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
    /// What the practice does, under its name on an advertisement.
    pub does: Option<&'a str>,
    /// What the recipient may fax back, where the letter asks for it.
    pub reply_form: Option<&'a ReplyForm>,
    /// The opt-out notice of an advertisement.
    pub notice: Option<&'a FaxNotice>,
    /// For letters about patients: the text on the page, and on the cover page that goes before it.
    pub confidentiality: Option<(&'a str, &'a str)>,
}

const LETTER: &str = "letterhead/fax.typ";
const COVER: &str = "letterhead/cover.typ";

/// How loosely a letter is set, from the closest way on; the letterhead defines what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Density {
    Compact,
    Middle,
    Open,
    Large,
    Largest,
    Display,
}

impl Density {
    const ALL: [Self; 6] = [Self::Compact, Self::Middle, Self::Open, Self::Large, Self::Largest, Self::Display];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Middle => "middle",
            Self::Open => "open",
            Self::Large => "large",
            Self::Largest => "largest",
            Self::Display => "display",
        }
    }

    /// How high the same text is, by its size and the space between its lines, as a multiple of [`Density::Open`].
    const fn height(self) -> f64 {
        match self {
            Self::Compact => 0.82,
            Self::Middle => 0.88,
            Self::Open => 1.0,
            Self::Large => 1.26,
            Self::Largest => 1.56,
            Self::Display => 2.08,
        }
    }
}

/// How a letter is set.
#[derive(Debug, Clone, Copy)]
struct Way {
    density: Density,
    reply_form: bool,
}

/// The ways in which a letter may fit one page, in the order in which they are tried. One that fits in none of them is set as
/// [`CLOSEST`], on as many pages as it needs.
const WAYS: [Way; 4] = [
    Way { density: Density::Open, reply_form: true },
    Way { density: Density::Middle, reply_form: true },
    Way { density: Density::Open, reply_form: false },
    Way { density: Density::Middle, reply_form: false },
];
/// The way that takes the least room.
const CLOSEST: Way = Way { density: Density::Compact, reply_form: false };

/// A page whose lines of text are farther apart somewhere, in points, has room for larger type.
const GAP_PT_MAX: f64 = 100.0;
/// What letterhead, address and notice leave of a page for the text, in points, roughly: only the size that is tried first
/// depends on it.
const TEXT_PT: f64 = 560.0;

/// The letterhead, ready to set pages with.
#[derive(Debug)]
pub struct Press {
    letter: Typesetter,
    /// The letter behind its cover page; a mistake in the cover page concerns letters about patients only.
    pub(super) covered: Piece<Typesetter>,
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
    /// A letterhead that does not parse, pictures that are missing, over 2 MiB, or not PNG, JPEG or SVG.
    pub fn load(sources: &Sources, practice: &Practice) -> Result<Self, Vec<TemplateError>> {
        let director = &practice.medical_director;
        let images = Images {
            logo: image("practice.logo", practice.logo.as_deref()).map_err(|error| vec![error])?,
            signature: image("practice.medical_director.signature", director.signature.as_deref())
                .map_err(|error| vec![error])?,
        };
        let letter_source = sources.text(LETTER).map_err(|error| vec![error])?;
        let cover_source = sources.text(COVER).map_err(|error| vec![error]);
        Ok(Self {
            letter: typesetter(LETTER, letter_source)?,
            // One document, so that pages are numbered throughout: changing the page setup begins a new one.
            covered: cover_source.and_then(|cover| typesetter(COVER, &format!("{cover}\n{letter_source}"))),
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

    /// The same after a trial page with cover page, notice and reply form was set, so that a broken letterhead or a picture no
    /// fax can show is found now and not with the first letter.
    ///
    /// # Errors
    /// The typesetter's errors with the letterhead, and the lint's findings in the dots of a page with pictures.
    pub(super) fn tried(mut self, notices: &Notices) -> Piece<Self> {
        let whole = |file: &str, error: TypesetError| vec![TemplateError::whole(file, error.to_string())];
        let covered = self.covered.is_ok().then(|| self.trial(notices, true));
        let fax = match covered {
            Some(Ok(fax)) => fax,
            failed => {
                let fax = self.trial(notices, false).map_err(|error| whole(LETTER, error))?;
                if let Some(Err(error)) = failed {
                    self.covered = Err(whole(COVER, error));
                }
                fax
            }
        };
        self.try_pictures(&fax)?;
        Ok(self)
    }

    fn trial(&self, notices: &Notices, is_covered: bool) -> Result<FaxDocument, TypesetError> {
        let words = vec![Inline::Text { v: "Trial page".to_owned() }];
        let page = Page {
            sent_at: "Nov 23, 2026 9:05 AM CST",
            reference: "00000000",
            date: "November 23, 2026",
            recipient: vec!["A colleague".to_owned()],
            subject: "Trial page",
            headline: Some("Trial page"),
            body: &[Node::Paragraph { c: words }],
            does: Some("Trial page"),
            reply_form: notices.reply_form.as_ref().ok(),
            notice: notices.fax.as_ref().ok(),
            confidentiality: is_covered.then_some(("Trial page.", "Trial page.")),
        };
        self.set(&page).map(|(fax, _)| fax)
    }

    fn try_pictures(&self, fax: &FaxDocument) -> Result<(), Vec<TemplateError>> {
        if self.images.logo.is_none() && self.images.signature.is_none() {
            return Ok(());
        }
        let whole = |error: TypesetError| vec![TemplateError::whole(LETTER, error.to_string())];
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
        let reply_form = json!(page.reply_form.map(ReplyForm::bound));
        let mut sheet = Sheet { press: self, letter: self.letter(page), reply_form };
        let (way, mut document) = sheet.fit(covered.then_some(2))?;
        let pages = document.page_count();
        if covered && pages != 2 {
            document = sheet.typeset(way, Some(pages))?;
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

    fn covered(&self) -> Result<&Typesetter, TypesetError> {
        let words = |found: &Vec<TemplateError>| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        self.covered.as_ref().map_err(|found| TypesetError::Diagnostics(words(found)))
    }

    /// What the letterhead reads, but for what depends on the way in which the letter is set.
    fn letter(&self, page: &Page<'_>) -> Value {
        let recipient: Vec<String> = page.recipient.iter().map(|line| binding::text(line)).collect();
        json!({
            "practice": self.practice,
            "does": page.does,
            "header": {
                "sent_at": page.sent_at, "sender": self.sender, "number": self.number, "reference": page.reference,
            },
            "date": page.date,
            "recipient": { "lines": recipient },
            "headline": page.headline.map(binding::text),
            "body": binding::body(page.body),
            "signature": self.signer,
            "notice": page.notice.map(|notice| json!({
                "heading": binding::text(&notice.heading), "text": binding::text(&notice.text()),
            })),
            "confidentiality": page.confidentiality.map(|(on_page, _)| binding::text(on_page)),
            "subject": binding::text(page.subject),
            "misdirected": page.confidentiality.map(|(_, on_cover)| binding::text(on_cover)),
        })
    }
}

/// A letter that is set in several ways until one fits.
struct Sheet<'a> {
    press: &'a Press,
    letter: Value,
    /// Null if it asks for none.
    reply_form: Value,
}

impl Sheet<'_> {
    /// The letter on one page, with the reply form if it asks for one and has room, in the largest type that leaves little
    /// of the page blank; or, where it needs more pages, on as few as it can.
    fn fit(&mut self, pages_said: Option<usize>) -> Result<(Way, Document), TypesetError> {
        let room = if pages_said.is_some() { 2 } else { 1 };
        let has_form = !self.reply_form.is_null();
        for way in WAYS.into_iter().filter(|way| has_form || !way.reply_form) {
            let document = self.typeset(way, pages_said)?;
            let pages = document.page_count();
            if pages <= room {
                return self.filled(way, document, pages_said);
            }
            if pages > room + 1 && !way.reply_form {
                break;
            }
        }
        let document = self.typeset(CLOSEST, pages_said)?;
        self.filled(CLOSEST, document, pages_said)
    }

    /// The same letter in larger type, as long as its last page stays rather empty and it needs no more pages. The size that
    /// is likely to fill the page is tried first, so that most letters are set twice at most.
    fn filled(
        &mut self,
        way: Way,
        document: Document,
        pages_said: Option<usize>,
    ) -> Result<(Way, Document), TypesetError> {
        let pages = document.page_count();
        let last_gap = |document: &Document| document.widest_gap_pt(pages.saturating_sub(1));
        let is_one_page = pages == if pages_said.is_some() { 2 } else { 1 };
        let mut largest = if is_one_page { Density::Display } else { Density::Largest };
        let mut best = (way, document);
        loop {
            let gap = last_gap(&best.1);
            let Some(density) = larger(best.0.density, largest, gap) else { return Ok(best) };
            let way = Way { density, ..way };
            let document = self.typeset(way, pages_said)?;
            // A letterhead of one's own may know no larger way.
            if document.page_count() > pages || last_gap(&document) >= gap {
                let Some(smaller) = Density::ALL.into_iter().rev().find(|one| *one < density) else { return Ok(best) };
                largest = smaller;
            } else {
                best = (way, document);
            }
        }
    }

    /// `pages_said` is the count printed on the cover page; if given, there is one.
    fn typeset(&mut self, way: Way, pages_said: Option<usize>) -> Result<Document, TypesetError> {
        self.letter["reply_form"] = if way.reply_form { self.reply_form.clone() } else { Value::Null };
        self.letter["density"] = way.density.as_str().into();
        self.letter["pages"] = json!(pages_said);
        let typesetter = if pages_said.is_some() { self.press.covered() } else { Ok(&self.press.letter) };
        typesetter?.typeset(self.letter.to_string().as_bytes(), &self.press.images)
    }
}

/// The density to try next for a letter whose lines leave such a gap, up to `largest`: the first that is likely to leave
/// little, or the largest. `None` if the page is full enough or there is no larger one.
fn larger(now: Density, largest: Density, gap_pt: f64) -> Option<Density> {
    if gap_pt < GAP_PT_MAX {
        return None;
    }
    let text_pt = (TEXT_PT - gap_pt).max(0.0) / now.height();
    let mut larger = Density::ALL.into_iter().filter(|one| *one > now && *one <= largest);
    let last = larger.clone().next_back();
    larger.find(|one| TEXT_PT - text_pt * one.height() < GAP_PT_MAX).or(last)
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
