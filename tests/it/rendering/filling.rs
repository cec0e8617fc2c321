//! Letters fill the page they have: measured on the dots of every built-in letter, filled with its sample and with the
//! shortest and longest sensible values, by a practice and to a recipient with as short and as long names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use touchline::domain::practice::Practice;
use touchline::domain::referrer::Referrer;
use touchline::render::bitmap::{Bitmap, Resolution};
use touchline::render::{FaxDocument, Renderer, Severity};

use super::{job, practice, referrer, squeezed};

/// The largest share of a page that may be blank.
const BLANK_SHARE_MAX: f64 = 1.0 / 3.0;
/// A band of white rows higher than this is blank rather than the space between two paragraphs, in inches.
const BLANK_INCHES: f64 = 0.35;
/// White dots between two words, as a share of the height of a line in rows; digits stand a little closer.
const SPACE_SHARE: f64 = 0.21;
/// A row with so many black dots inside is a rule.
const RULE_DOTS: usize = 1320;
/// Where letters stand on the page, in dots: within the margins and the frame of the opt-out notice.
const INSIDE: std::ops::Range<u32> = 172..1562;
/// From the top of a line to the top of the next within a paragraph, as a share of what is usual on the page; paragraphs are
/// at least a quarter farther apart.
const TIGHT_SHARE: f64 = 1.15;

#[derive(serde::Deserialize)]
struct Extremes {
    shortest: Map<String, Value>,
    longest: Map<String, Value>,
}

/// One letter for one recipient, and the practice whose it is.
struct Case {
    what: String,
    letter: String,
    fax: FaxDocument,
    text: Vec<Vec<String>>,
    html: String,
    practice: Practice,
    variables: Map<String, Value>,
}

fn short_practice() -> Practice {
    let mut short = practice();
    short.name = "Li Psychiatry".to_owned();
    short.legal_name = "Li PC".to_owned();
    short.street = "1 Oak St".to_owned();
    short.city = "Ely".to_owned();
    (short.referral_line, short.website, short.hours, short.description) = (None, None, None, None);
    (short.services, short.conditions, short.insurers) = (Vec::new(), Vec::new(), Vec::new());
    short.response_time = "a day".to_owned();
    short.medical_director.name = "A. Li".to_owned();
    (short.medical_director.title, short.medical_director.background) = (String::new(), String::new());
    (short.opt_out.web, short.opt_out.email) = (None, None);
    short
}

fn long_practice() -> Practice {
    let mut long = practice();
    let texts = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    long.name = "Featherstonehaugh-Okonkwo Center for Interventional Psychiatry".to_owned();
    long.legal_name = "Featherstonehaugh-Okonkwo Interventional Psychiatry, PLLC".to_owned();
    long.street = "12140 North Harborline Avenue, Medical Pavilion B, Suite 3300".to_owned();
    long.city = "Rancho Santa Margarita".to_owned();
    long.website = Some("https://www.featherstonehaugh-psychiatry.example".to_owned());
    let address = |text: &str| touchline::domain::address::EmailAddress::parse(text).expect("an address");
    long.email = address("referrals@featherstonehaugh-psychiatry.example");
    long.opt_out.web = Some("https://www.featherstonehaugh-psychiatry.example/opt-out".to_owned());
    long.opt_out.email = Some(address("no-more-letters@featherstonehaugh-psychiatry.example"));
    long.services.extend(texts(&["electroconvulsive therapy together with Harborline Hospital", "medication reviews"]));
    long.conditions.extend(texts(&[
        "depression after delivery",
        "bipolar depression",
        "post-traumatic stress disorder",
    ]));
    long.insurers.extend(texts(&[
        "Prairie State Health Choice Plus",
        "Harborline Employees Fund",
        "TRICARE",
        "Medicaid",
    ]));
    long.medical_director.name = "Maximiliana Featherstonehaugh-Okonkwo".to_owned();
    long.medical_director.credentials = "MD, PhD, DFAPA".to_owned();
    long.medical_director.title = "Medical Director and Clinical Associate Professor of Psychiatry".to_owned();
    long
}

/// The ways in which a new practice may take opt-outs: whether a number is toll-free, by a web page, by email.
const NEW_PRACTICES: [(bool, bool, bool); 5] =
    [(false, false, true), (false, true, false), (false, true, true), (true, false, false), (true, false, true)];

/// A practice that has filled in what it must and little else.
fn new_practice((toll_free, web, email): (bool, bool, bool)) -> Practice {
    let mut new = short_practice();
    (new.name, new.legal_name) = ("Birch Clinic".to_owned(), "Birch Clinic".to_owned());
    (new.city, new.state, new.zip) = ("Dayton".to_owned(), "OH".to_owned(), "45402".to_owned());
    new.conditions = vec!["depression".to_owned()];
    new.medical_director.name = "Ana Birch".to_owned();
    new.opt_out.toll_free = toll_free;
    new.opt_out.web = web.then(|| "https://birch.example/stop".to_owned());
    let mailbox = || touchline::domain::address::EmailAddress::parse("office@birch.example").expect("an address");
    new.opt_out.email = email.then(mailbox);
    new
}

fn named(first: &str, last: &str, organization: Option<&str>) -> Referrer {
    let owned = |text: &str| Some(text.to_owned());
    Referrer {
        first_name: owned(first),
        last_name: owned(last),
        organization: organization.map(str::to_owned),
        ..referrer()
    }
}

fn case(renderer: &Renderer, name: &str, values: &str, referrer: &Referrer, variables: &Map<String, Value>) -> Case {
    let what = format!("{name}, {values}");
    let fax = renderer.fax(&job(name, referrer, variables)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (mail, _) = renderer.mail(&job(name, referrer, variables)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let lines = |page: usize| fax.text(page).lines().map(str::to_owned).collect();
    Case {
        text: (0..fax.pages as usize).map(lines).collect(),
        html: mail.html,
        letter: name.to_owned(),
        practice: renderer.practice().clone(),
        variables: variables.clone(),
        what,
        fax,
    }
}

/// Every built-in letter, three times and by a new practice, rendered once for all tests.
fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(rendered);
    &CASES
}

fn rendered() -> Vec<Case> {
    let extremes: BTreeMap<String, Extremes> =
        serde_json::from_str(include_str!("../fixtures/letter-extremes.json")).expect("values for each letter");
    let load = |practice| Renderer::load(practice, None).unwrap_or_else(|errors| panic!("{errors:?}"));
    let (usual, short, long) = (load(practice()), load(short_practice()), load(long_practice()));
    let brief = named("Bo", "Li", None);
    let lengthy = named(
        "Bartholomew-Alexander",
        "Vandersteen-Whitfield",
        Some("Ridgeline Psychiatry and Counseling Associates of the Northern Suburbs"),
    );
    let letters = usual.letters().map(|letter| {
        let name = letter.name.as_str();
        let of_letter = extremes.get(name).unwrap_or_else(|| panic!("{name} has no shortest and longest values"));
        [
            case(&usual, name, "sample", &referrer(), &letter.sample),
            case(&short, name, "shortest", &brief, &of_letter.shortest),
            case(&long, name, "longest", &lengthy, &of_letter.longest),
        ]
    });
    let mut cases: Vec<Case> = letters.flatten().collect();
    for (place, ways) in NEW_PRACTICES.into_iter().enumerate() {
        let new = load(new_practice(ways));
        let (toll_free, web, email) = ways;
        let values = format!("sample of a new practice, toll-free {toll_free}, web {web}, email {email}");
        // All of them once, and the notice in every wording, with and without a reply form above.
        let letters = new.letters().filter(|letter| place == 0 || ["article", "introduction"].contains(&&*letter.name));
        cases.extend(letters.map(|letter| case(&new, &letter.name, &values, &referrer(), &letter.sample)));
    }
    cases
}

/// A line as it shows in the dots.
#[derive(Debug, Clone, Copy)]
struct Line {
    top: usize,
    left: u32,
    words: usize,
}

fn has_ink(page: &Bitmap, row: usize) -> bool {
    page.rows[row * page.row_bytes()..(row + 1) * page.row_bytes()].iter().any(|byte| *byte != 0)
}

/// The share of the page that lies in blank bands, margins included.
fn blank_share(page: &Bitmap) -> f64 {
    let blank_rows = (BLANK_INCHES * f64::from(page.resolution.dots_per_inch().1)) as usize;
    let rows: Vec<bool> = (0..page.height as usize).map(|row| has_ink(page, row)).collect();
    let bands = rows.split(|ink| *ink).map(<[bool]>::len).filter(|rows| *rows > blank_rows);
    bands.sum::<usize>() as f64 / rows.len() as f64
}

/// The lines of text of a page, from its dots alone; rules and the frame of the notice are none.
fn lines(page: &Bitmap) -> Vec<Line> {
    let black = |row: usize| INSIDE.filter(|x| page.is_black(*x, row as u32)).count();
    let is_text = |row: &usize| (1..RULE_DOTS).contains(&black(*row));
    let mut bands = Vec::new();
    let mut from = None;
    for row in 0..=page.height as usize {
        let inked = row < page.height as usize && is_text(&row);
        match (from, inked) {
            (None, true) => from = Some(row),
            (Some(top), false) => {
                // Lower ones are specks.
                bands.extend((row - top > 6).then_some((top, row)));
                from = None;
            }
            _ => {}
        }
    }
    let mut heights: Vec<usize> = bands.iter().map(|(top, bottom)| bottom - top).collect();
    heights.sort_unstable();
    let usual = heights.get(heights.len() / 2).copied().unwrap_or_default();
    let space = (usual as f64 * SPACE_SHARE).round() as usize;
    bands.into_iter().filter_map(|(top, bottom)| line(page, top, bottom, space)).collect()
}

/// The line of these rows, with as many dots between two words.
fn line(page: &Bitmap, top: usize, bottom: usize, space: usize) -> Option<Line> {
    let columns: Vec<bool> = INSIDE.map(|x| (top..bottom).any(|row| page.is_black(x, row as u32))).collect();
    let first = columns.iter().position(|ink| *ink)?;
    let last = columns.iter().rposition(|ink| *ink)?;
    let spaces = columns[first..=last].split(|ink| *ink).filter(|gap| gap.len() >= space).count();
    Some(Line { top, left: INSIDE.start + first as u32, words: spaces + 1 })
}

/// Where the letter's own words begin: at its salutation, or below the header line of a further page.
fn start_of_words(text: &[String]) -> usize {
    text.iter().position(|line| line.starts_with("Dear ")).unwrap_or(1)
}

/// Lines with one word that go on a paragraph, read off the dots.
fn lonely_words(page: &Bitmap, text: &[String]) -> Vec<String> {
    let words = &text[start_of_words(text)..];
    let all = lines(page);
    assert!(all.len() >= words.len(), "{} lines in the dots, {} in the text", all.len(), words.len());
    let shown = &all[all.len() - words.len()..];
    // Whether measuring works: digits and boxes to check stand apart like words, so it is told by the other lines.
    let signed = words.iter().position(|line| line == "Sincerely,").unwrap_or(words.len());
    let told = || shown.iter().zip(words).take(signed).filter(|(_, text)| !text.contains(|c: char| c.is_ascii_digit()));
    let misread: Vec<String> = told()
        .filter(|(line, text)| line.words != text.split_whitespace().count())
        .map(|(line, text)| format!("{} words in the dots of “{text}”", line.words))
        .collect();
    assert!(misread.len() * 3 <= told().count(), "the dots are misread: {misread:#?}");
    let is_signature = |at: usize| (signed..signed + 4).contains(&at);
    let mut pitches: Vec<usize> = shown[..signed].windows(2).map(|pair| pair[1].top - pair[0].top).collect();
    pitches.sort_unstable();
    let tight = pitches.get(pitches.len() / 4).map_or(0.0, |usual| *usual as f64 * TIGHT_SHARE);
    let lonely = (1..shown.len()).filter(|&at| {
        let (before, here) = (shown[at - 1], shown[at]);
        let goes_on = ((here.top - before.top) as f64) < tight && here.left >= before.left;
        let is_alone = here.words == 1 || words[at].split_whitespace().count() == 1;
        // An address is not broken, and may be too long for the line on which it begins.
        is_alone && goes_on && !is_signature(at) && !words[at].contains('@') && !words[at].contains("://")
    });
    lonely.map(|at| format!("“{}” after “{}”", words[at], words[at - 1])).collect()
}

/// What a reader dials, types or writes on an envelope.
fn addresses(case: &Case) -> Vec<String> {
    let practice = &case.practice;
    let bare = |address: &Option<String>| address.as_deref().map(|a| a.trim_start_matches("https://").to_owned());
    let numbers =
        [&practice.phone, &practice.fax, practice.referral_number(), &practice.opt_out.phone, &practice.opt_out.fax];
    let mut all: Vec<String> = numbers.into_iter().map(touchline::domain::address::FaxNumber::pretty).collect();
    all.extend([bare(&practice.website), bare(&practice.opt_out.web)].into_iter().flatten());
    all.extend(practice.opt_out.email.iter().chain([&practice.email]).map(|email| email.as_str().to_owned()));
    all.extend([format!("{} {}", practice.state, practice.zip), "(847) 555-0102".to_owned()]);
    let given = case.variables.values().filter_map(Value::as_str).flat_map(|text| text.split(' '));
    all.extend(given.filter(|word| word.contains('@') || word.contains("://")).map(str::to_owned));
    all.extend(["(847) 555-0148", "(847) 555-0166"].map(str::to_owned));
    all
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn no_built_in_letter_ends_a_paragraph_with_a_word_alone_or_leaves_a_third_of_a_page_blank() {
    let mut found = Vec::new();
    for case in cases() {
        let covers = case.fax.cover_pages() as usize;
        for (number, page) in case.fax.bitmaps(Resolution::Fine).expect("pages render").iter().enumerate() {
            let (what, blank) = (&case.what, blank_share(page));
            if blank > BLANK_SHARE_MAX {
                found.push(format!("{what}: {:.0} % of page {} is blank", blank * 100.0, number + 1));
            }
            if number >= covers {
                let lonely = lonely_words(page, &case.text[number]);
                found.extend(lonely.into_iter().map(|word| format!("{what}: alone on its line: {word}")));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_advertisement_ends_with_the_notice_that_is_measured() {
    for case in cases().iter().filter(|case| case.what.contains("new practice") && case.letter == "introduction") {
        let first_page = &case.text[case.fax.cover_pages() as usize];
        let last = first_page.last().expect("a line");
        assert!(last.ends_with("week.") && last.split_whitespace().count() > 1, "{}: {last}", case.what);
    }
}

#[test]
fn no_built_in_letter_breaks_an_address_or_a_number() {
    let mut found = Vec::new();
    for case in cases() {
        let pages: Vec<String> = case.text.iter().map(|lines| lines.join("\n")).collect();
        for (address, page) in addresses(case).iter().flat_map(|address| pages.iter().map(move |page| (address, page)))
        {
            let (whole, all) = (count(page, address), count(&squeezed(page), &squeezed(address)));
            if whole != all {
                found.push(format!("{}: {address} stands {whole} times in one piece, {all} times in all", case.what));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_built_in_letter_prints_a_heading_with_nothing_below_or_a_sentence_with_nothing_in_it() {
    for case in cases() {
        let text = case.text.concat().join(" ");
        for torn in [" .", " ,", " ;", "..", ":.", ": .", ":;", ": ;", ",.", ";.", "()", "( ", "and .", "  "] {
            assert!(!text.contains(torn), "{}: “{torn}” in {text}", case.what);
        }
        for (line, next) in case.text.iter().flat_map(|page| page.iter().zip(page.iter().skip(1))) {
            let is_heading = ["We offer", "Worth a call if your patient has", "Consider it when", "Recommendations"]
                .contains(&line.as_str());
            assert!(!is_heading || next.starts_with('•'), "{}: nothing below “{line}”", case.what);
        }
        let headings = count(&case.html, "</strong></p>");
        let filled = count(&case.html, "</strong></p><ul") + count(&case.html, "</strong></p></div>");
        assert!(headings == filled || case.letter == "end-of-treatment-report", "{}: {}", case.what, case.html);
        assert!(!case.html.contains("px\"></p>") && !case.html.contains("px\"></li>"), "{}: {}", case.what, case.html);
    }
}

#[test]
fn every_letter_lints_clean_with_the_shortest_and_the_longest_values() {
    for case in cases() {
        let findings = case.fax.inspect().expect("pages render");
        let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", case.what);
    }
}
