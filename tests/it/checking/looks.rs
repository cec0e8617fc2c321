//! What mail programs make of every built-in letter: valid HTML, nothing that one of them does not show, and no more octets
//! than they take.

use touchline::domain::id::AttemptId;
use touchline::provider::mail::compose;

use super::verifiers;
use crate::rendering::{NOW, built_in, job, referrer};

/// Gmail cuts a mail's HTML off here and hides the rest, the opt-out link with it (102 KB).
const GMAIL_CLIP_OCTETS: usize = 102 * 1024;
/// Outlook for Windows breaks a paragraph or cell that is taller than a page of Word, 1,800 pixels: that many characters of
/// our type make less than half of it.
const OUTLOOK_PARAGRAPH_CHARS: usize = 4_000;
/// Exchange keeps so many characters of a subject (learn.microsoft.com: Exchange Online limits, message limits).
const SUBJECT_CHARS: usize = 255;
/// Exchange Online takes lines of a mail up to this length (RFC 5321 §4.5.3.1.6), with CRLF.
const LINE_OCTETS: usize = 1_000;
/// Gmail leaves out a whole <style> that is longer than this.
const GMAIL_STYLE_OCTETS: usize = 8_192;

/// What stands in a style attribute or sheet and is not shown by Gmail or by Outlook for Windows (caniemail.com, by
/// property), or that would load something from elsewhere.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("position:", "neither Gmail nor Outlook"),
    ("float:", "not Outlook"),
    ("display:flex", "not Outlook"),
    ("display:grid", "neither"),
    ("display:inline-flex", "not Outlook"),
    ("transform:", "neither"),
    ("animation", "neither"),
    ("box-shadow", "not Outlook"),
    ("calc(", "not Outlook"),
    ("var(", "neither"),
    ("@import", "neither"),
    ("@font-face", "neither"),
    ("url(", "loads from elsewhere"),
    ("expression(", "a script"),
    ("visibility:", "not Outlook"),
    ("clip-path", "neither"),
    ("object-fit", "not Outlook"),
];
/// Elements that mail programs remove, or that load something from elsewhere.
const REFUSED_ELEMENTS: &[&str] = &[
    "<script", "<iframe", "<object", "<embed", "<form", "<input", "<button", "<video", "<audio", "<svg", "<canvas",
    "<link", "<img", "<base", "<picture",
];

/// Every letter's HTML by name.
fn all() -> Vec<(String, String)> {
    let (renderer, referrer) = (built_in(), referrer());
    let html = |name: &str, sample| renderer.mail(&job(name, &referrer, sample)).expect("renders").0.html;
    renderer.letters().map(|letter| (letter.name.clone(), html(&letter.name, &letter.sample))).collect()
}

/// Every style attribute of an element, in lower case and without spaces.
fn styles(html: &str) -> Vec<String> {
    let attributes = html.split("style=\"").skip(1).filter_map(|rest| rest.split('"').next());
    attributes.map(|style| style.to_ascii_lowercase().replace(' ', "")).collect()
}

/// The content of every `<style>`, and the HTML without them and without what only Outlook reads.
fn sheets(html: &str) -> (Vec<&str>, String) {
    let sheets = html.split("<style").skip(1).filter_map(|rest| rest.split("</style>").next()?.split_once('>'));
    let sheets = sheets.map(|(_, sheet)| sheet).collect();
    let mut rest = html.to_owned();
    for (start, end) in [("<style", "</style>"), ("<!--[if", "<![endif]-->")] {
        while let Some((before, behind)) = rest.split_once(start) {
            let behind = behind.split_once(end).map_or("", |(_, behind)| behind);
            rest = format!("{before}{behind}");
        }
    }
    (sheets, rest)
}

#[test]
fn every_letter_is_valid_html_to_a_reader_that_goes_by_the_standard() {
    let all = all();
    let pages: Vec<&str> = all.iter().map(|(_, html)| html.as_str()).collect();
    let Some(errors) = verifiers::html_errors(&pages) else { return };
    assert!(
        verifiers::html_errors(&["<!doctype html><title>x</title><p><table><b>"])
            .is_some_and(|errors| !errors.is_empty())
    );
    let names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(errors, "", "the pages are {names:?}");
}

#[test]
fn no_letter_needs_what_gmail_or_outlook_does_not_show() {
    for (name, html) in all() {
        let lower = html.to_ascii_lowercase();
        for element in REFUSED_ELEMENTS {
            assert!(!lower.contains(element), "{name}: {element}");
        }
        for style in styles(&html) {
            for (property, who) in NOT_SHOWN {
                assert!(!style.contains(property), "{name}: {property} in `{style}`: {who}");
            }
        }
        assert!(!lower.contains("src=\"http") && !lower.contains("background=\"http"), "{name} loads from elsewhere");
    }
}

/// Gmail drops a sheet for many of its users, so a sheet may only make a letter fit small screens.
#[test]
fn a_letter_without_its_style_sheets_has_its_colors_sizes_and_widths_all_the_same() {
    for (name, html) in all() {
        let (sheets, rest) = sheets(&html);
        for sheet in sheets {
            assert!(sheet.len() <= GMAIL_STYLE_OCTETS, "{name}: a sheet of {} octets", sheet.len());
        }
        assert!(rest.contains("max-width:620px") || rest.contains("width=\"620\""), "{name}: its width");
        for property in ["font-size", "color:", "line-height", "padding"] {
            assert!(styles(&rest).iter().any(|style| style.contains(property)), "{name}: {property}");
        }
    }
}

#[test]
fn no_letter_is_cut_off_by_gmail_or_broken_by_outlook() {
    let (renderer, referrer) = (built_in(), referrer());
    for letter in renderer.letters() {
        let name = &letter.name;
        let (mail, _) = renderer.mail(&job(name, &referrer, &letter.sample)).expect("renders");
        assert!(
            mail.html.len() < GMAIL_CLIP_OCTETS / 2,
            "{name}: {} octets: half of it is for a practice's own words",
            mail.html.len()
        );
        let longest = mail.text.split("\n\n").map(|paragraph| paragraph.chars().count()).max().unwrap_or_default();
        assert!(longest < OUTLOOK_PARAGRAPH_CHARS, "{name}: a paragraph of {longest} characters");
        let to = referrer.email.clone().expect("an address");
        let eml = compose(&mail, &to, AttemptId::new(), NOW, None).expect("composed");
        let line = eml.split(|octet| *octet == b'\n').map(<[u8]>::len).max().unwrap_or_default();
        assert!(line < LINE_OCTETS, "{name}: a line of {line} octets");
        assert!(mail.subject.chars().count() <= SUBJECT_CHARS, "{name}: its subject");
    }
}
