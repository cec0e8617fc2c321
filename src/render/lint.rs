//! Checks the finished page, not the template: is what the law requires really there, and can a fax machine print it?

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use touchline_typeset::{Bitmap, Document};

use super::identifiers;
use super::notices::{FaxNotice, Words};
use super::printable;
use super::variables::{Kind, Variable};
use crate::domain::channel::Purpose;

/// Nothing on the page may be smaller, in points.
const TEXT_PT_MIN: f64 = 9.0;
/// The largest share of black dots of a page.
const INK_SHARE_MAX: f64 = 0.25;
/// Below this share a page is empty.
const INK_SHARE_MIN: f64 = 0.0005;
/// The largest share of dots that were gray before thresholding.
const GREY_SHARE_MAX: f64 = 0.002;
/// The band left free at the top, where machines and providers print a header line, in inches.
const FREE_BAND_INCHES: f64 = 0.35;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth checking.
    Warning,
    /// It must not be sent like this.
    Error,
}

/// One thing the lint found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintFinding {
    /// The rule, such as `notice` or `type_size`.
    pub rule: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// The page, from 1; none if it concerns the whole document.
    pub page: Option<u32>,
    /// In plain English, without any filled-in value.
    pub message: String,
}

impl LintFinding {
    fn new(rule: &'static str, severity: Severity, page: Option<usize>, message: impl Into<String>) -> Self {
        let page = page.and_then(|index| u32::try_from(index + 1).ok());
        Self { rule, severity, page, message: message.into() }
    }
}

/// What must be on the pages.
#[derive(Debug)]
pub struct Expected<'a> {
    /// When it is sent, as printed in the header.
    pub sent_at: &'a str,
    /// The sender.
    pub sender: &'a str,
    /// The sender's number.
    pub number: &'a str,
    /// The opt-out notice, for advertisements.
    pub notice: Option<&'a FaxNotice>,
}

/// What the text of the pages shows.
#[must_use]
pub fn pages(document: &Document, expected: &Expected<'_>) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    for page in 0..document.page_count() {
        let first_line = document.text(page).lines().next().unwrap_or_default().to_owned();
        findings.extend(header(&first_line, page, expected));
    }
    if let Some(notice) = expected.notice {
        findings.extend(notice_findings(&document.text(0), notice));
    }
    let smallest = document.smallest_text_pt();
    if smallest < TEXT_PT_MIN - 0.05 {
        let message = format!("the smallest type is {smallest:.1} pt; under {TEXT_PT_MIN} pt a fax cannot be read");
        findings.push(LintFinding::new("type_size", Severity::Error, None, message));
    }
    for page in document.overprinted() {
        let message = "text is printed over other text or beyond the edge of the page: a table or a word is too wide";
        findings.push(LintFinding::new("overprint", Severity::Error, Some(page), message));
    }
    let unprintable: BTreeSet<char> = document.unprintable().into_iter().collect();
    if !unprintable.is_empty() {
        let named = printable::named(&unprintable);
        let message = format!("the fax fonts do not have {named}, which print as boxes: write it in Latin letters");
        findings.push(LintFinding::new("unprintable", Severity::Error, None, message));
    }
    findings
}

/// The identification line of 47 CFR § 68.318(d): when, who, which number, at the top of each page.
fn header(first_line: &str, page: usize, expected: &Expected<'_>) -> Option<LintFinding> {
    let missing: Vec<&str> = [("time", expected.sent_at), ("sender", expected.sender), ("number", expected.number)]
        .into_iter()
        .filter(|(_, text)| !squeezed(first_line).contains(&squeezed(text)))
        .map(|(what, _)| what)
        .collect();
    (!missing.is_empty()).then(|| {
        let message = format!("the line at the top of the page lacks: {}", missing.join(", "));
        LintFinding::new("header", Severity::Error, Some(page), message)
    })
}

fn notice_findings(first_page: &str, notice: &FaxNotice) -> Vec<LintFinding> {
    let page = squeezed(first_page);
    let wanted = std::iter::once(("heading", &notice.heading))
        .chain(notice.elements.iter().map(|(name, text)| (name.as_str(), text)));
    wanted
        .filter(|(_, text)| !page.contains(&squeezed(text)))
        .map(|(name, _)| {
            let message = format!("the opt-out notice on the first page lacks its element `{name}`");
            LintFinding::new("notice", Severity::Error, Some(0), message)
        })
        .collect()
}

/// Without white space and break marks: lines break where they must.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{2060}' | '\u{ad}')).collect()
}

/// What only the dots show.
#[must_use]
pub fn dots(bitmaps: &[Bitmap]) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    for (page, bitmap) in bitmaps.iter().enumerate() {
        let ink = bitmap.ink_share();
        if ink > INK_SHARE_MAX {
            let message = format!(
                "{:.0}% of the page is black; above {:.0}% machines jam or take minutes",
                ink * 100.0,
                INK_SHARE_MAX * 100.0
            );
            findings.push(LintFinding::new("ink", Severity::Error, Some(page), message));
        }
        if ink < INK_SHARE_MIN {
            findings.push(LintFinding::new("empty_page", Severity::Warning, Some(page), "the page is empty"));
        }
        if bitmap.grey_share > GREY_SHARE_MAX {
            let message = "the page has gray areas, which a fax cannot show: use black-and-white artwork";
            findings.push(LintFinding::new("grey", Severity::Error, Some(page), message));
        }
        if !top_is_free(bitmap) {
            let message =
                format!("there is content in the top {FREE_BAND_INCHES} in, where machines print their header line");
            findings.push(LintFinding::new("header_band", Severity::Error, Some(page), message));
        }
    }
    findings
}

fn top_is_free(bitmap: &Bitmap) -> bool {
    let lines = (f64::from(bitmap.resolution.dots_per_inch().1) * FREE_BAND_INCHES) as usize;
    bitmap.rows.iter().take(lines * bitmap.row_bytes()).all(|byte| *byte == 0)
}

/// What the words of a letter suggest about its purpose. `own` are the practice's name and services.
#[must_use]
pub fn wording(purpose: Purpose, body: &str, words: &Words, own: &[&str]) -> Vec<LintFinding> {
    let text = spaced(body);
    let hits = |list: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        list.filter(|word| !word.trim().is_empty() && text.contains(&spaced(word)))
            .map(|word| format!("“{word}”"))
            .collect()
    };
    match purpose {
        Purpose::Informational => {
            let found = hits(&mut words.own_service.iter().map(String::as_str).chain(own.iter().copied()));
            let message = format!(
                "an informational letter speaks of the practice's own service ({}): declare it an advertisement",
                found.join(", ")
            );
            (!found.is_empty())
                .then(|| LintFinding::new("own_service", Severity::Error, None, message))
                .into_iter()
                .collect()
        }
        Purpose::Advertisement => {
            let found = hits(&mut words.inducement.iter().map(String::as_str));
            let message = format!("{} may read as an inducement to refer (42 U.S.C. 1320a-7b(b))", found.join(", "));
            (!found.is_empty())
                .then(|| LintFinding::new("inducement", Severity::Warning, None, message))
                .into_iter()
                .collect()
        }
        Purpose::Treatment | Purpose::Operational => Vec::new(),
    }
}

/// What was typed into a de-identified letter that could still identify someone.
#[must_use]
pub fn identifying(declared: &[Variable], given: &Map<String, Value>, places: &[&str]) -> Vec<LintFinding> {
    let texts = declared.iter().filter(|variable| variable.kind == Kind::Text).filter_map(|variable| {
        let found = identifiers::find(given.get(&variable.name)?.as_str()?, places);
        let message = format!("`{}` seems to hold {}: a de-identified letter may not", variable.name, found.join(", "));
        (!found.is_empty()).then(|| LintFinding::new("identifying", Severity::Warning, None, message))
    });
    texts.collect()
}

/// Lower-case words with one space around each, so that a search finds whole words only.
fn spaced(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |line, word| line + &word.to_lowercase() + " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchline_typeset::Resolution;

    fn rules(findings: &[LintFinding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.rule).collect()
    }

    fn page(black_rows: impl Fn(usize) -> bool) -> Bitmap {
        let rows = (0..2156).flat_map(|row| vec![if black_rows(row) { 0xff } else { 0 }; 216]).collect();
        Bitmap::new(Resolution::Fine, 1728, 2156, rows).expect("the rows fit")
    }

    #[test]
    fn dots_show_ink_emptiness_and_a_used_band() {
        assert_eq!(rules(&dots(&[page(|row| row > 100 && row % 10 == 0)])), Vec::<&str>::new());
        assert_eq!(rules(&dots(&[page(|row| row > 100 && row % 3 == 0)])), ["ink"]);
        assert_eq!(rules(&dots(&[page(|_| false)])), ["empty_page"]);
        assert_eq!(rules(&dots(&[page(|row| row == 60 || row % 100 == 99)])), ["header_band"]);
        let grey = Bitmap { grey_share: 0.1, ..page(|row| row % 100 == 99) };
        assert_eq!(rules(&dots(&[grey])), ["grey"]);
    }

    #[test]
    fn a_notice_is_found_across_line_breaks_and_missed_where_a_part_is_gone() {
        let notice = FaxNotice {
            heading: "To stop".to_owned(),
            elements: vec![
                ("request".to_owned(), "You may ask us.".to_owned()),
                ("hours".to_owned(), "At all hours.".to_owned()),
            ],
        };
        assert_eq!(notice_findings("To stop\nYou may\nask us. At all\nhours.", &notice), Vec::new());
        let found = notice_findings("To stop\nYou may ask us.", &notice);
        assert!(found.len() == 1 && found[0].message.contains("`hours`") && found[0].page == Some(1));
    }

    #[test]
    fn words_are_found_whole_and_in_any_case() {
        let words = Words { own_service: vec!["refer".to_owned()], inducement: vec!["gift card".to_owned()] };
        let informational = |body| rules(&wording(Purpose::Informational, body, &words, &["TMS"])).len();
        assert_eq!((informational("Please Refer."), informational("reference"), informational("about tms")), (1, 0, 1));
        assert_eq!(rules(&wording(Purpose::Advertisement, "A gift\ncard!", &words, &[])), ["inducement"]);
        assert_eq!(wording(Purpose::Treatment, "refer gift card", &words, &[]), Vec::new());
    }
}
