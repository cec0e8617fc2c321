//! One letter, three renderings: what the recipient reads is what was written, and what must not be written is refused.

mod claims;
mod filling;
mod partials;
mod read_back;
mod shared;
mod tapping;
mod wide;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use touchline::domain::address::{EmailAddress, FaxNumber};
use touchline::domain::channel::Purpose;
use touchline::domain::clock::Timestamp;
use touchline::domain::id::ReferrerId;
use touchline::domain::practice::Practice;
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::render::bitmap::{Bitmap, Resolution};
use touchline::render::drawn::DrawnFax;
use touchline::render::{FaxDocument, Job, RenderError, Renderer, write_preview};

/// 2026-11-23 09:05 in Chicago.
pub const NOW: Timestamp = Timestamp(1_795_446_300_000);
const UNSUBSCRIBE: &str = "https://lakeside-psychiatry.example/o/abc";

fn practice() -> Practice {
    #[derive(serde::Deserialize)]
    struct File {
        practice: Practice,
    }
    let text = include_str!("../../config/sample-practice.toml");
    toml::from_str::<File>(text).expect("the sample practice").practice
}

pub fn referrer() -> Referrer {
    Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: Some("Amara".to_owned()),
        last_name: Some("Whitfield".to_owned()),
        credentials: Some("MD".to_owned()),
        organization: Some("Ridgeline Psychiatry Associates".to_owned()),
        kind: ReferrerType::Psychiatrist,
        email: EmailAddress::parse("a.whitfield@ridgeline-psychiatry.example").ok(),
        fax: FaxNumber::parse("(847) 555-0102").ok(),
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: Vec::new(),
        source: None,
        notes: None,
        created_ms: NOW,
        updated_ms: NOW,
        ..Referrer::new(ReferrerType::Other, NOW)
    }
}

/// The built-in letters, loaded once: a renderer serves all threads.
pub fn built_in() -> &'static Renderer {
    static BUILT_IN: LazyLock<Renderer> =
        LazyLock::new(|| Renderer::load(practice(), None).unwrap_or_else(|errors| panic!("{}", lines(&errors))));
    &BUILT_IN
}

fn lines(errors: &[impl ToString]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub fn job<'a>(letter: &'a str, referrer: &'a Referrer, variables: &'a Map<String, Value>) -> Job<'a> {
    let unsubscribe = Some(UNSUBSCRIBE);
    Job { letter, referrer, variables, now: NOW, reference: "3F9A01C2", unsubscribe, automatic: false }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// A template folder with these files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    folder
}

/// A `letter.md` with this purpose, further front matter, and body.
fn letter_md(purpose: &str, more: &str, body: &str) -> String {
    let phi = if purpose == "treatment" { "identified" } else { "none" };
    format!(
        "+++\ntitle = \"T\"\nabout = \"A\"\nsubject = \"S\"\npurpose = \"{purpose}\"\nphi = \"{phi}\"\ncategory = \"ask\"\n{more}\n+++\n{body}\n"
    )
}

fn refused(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    match Renderer::load(practice(), Some(folder.path())) {
        Ok(_) => panic!("these templates are wrong: {files:?}"),
        Err(errors) => lines(&errors),
    }
}

fn text_of(fax: &FaxDocument) -> String {
    (0..fax.pages as usize).map(|page| fax.text(page)).collect::<Vec<_>>().join("\n")
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
}

#[test]
fn every_built_in_letter_renders_its_sample_within_its_pages_and_lints_clean() {
    let (renderer, referrer) = (built_in(), referrer());
    assert!(renderer.letters().count() >= 14);
    for letter in renderer.letters() {
        let name = letter.name.as_str();
        assert_eq!(renderer.missing(name, &referrer, &letter.sample), Vec::<String>::new(), "{name}");
        let job = job(name, &referrer, &letter.sample);
        let fax = renderer.fax(&job).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(fax.pages - fax.cover_pages() <= letter.pages_max, "{name}");
        let findings = fax.inspect().expect("pages render");
        assert!(findings.is_empty(), "{name}: {findings:?}");
        let (mail, _) = renderer.mail(&job).unwrap_or_else(|error| panic!("{name}: {error}"));
        for text in [&mail.html, &mail.text, &mail.subject, &text_of(&fax)] {
            assert!(!text.contains("{{") && !text.contains("}}") && !text.contains("\\"), "{name}: {text}");
        }
        assert!(mail.subject.chars().count() <= 120, "{name}: {}", mail.subject);
    }
}

#[test]
fn a_page_drawn_from_the_stored_document_is_the_page_that_was_set() {
    let (renderer, referrer) = (built_in(), referrer());
    for letter in renderer.letters() {
        let name = letter.name.as_str();
        let fax = renderer.fax(&job(name, &referrer, &letter.sample)).expect("renders");
        let set = fax.bitmaps(Resolution::Fine).expect("pages render");
        let drawn = DrawnFax::read(fax.pdf).expect("a PDF");
        assert_eq!(drawn.page_count(), set.len(), "{name}");
        assert!(drawn.bitmap(set.len(), Resolution::Fine).is_none(), "{name}");
        for (number, set) in set.iter().enumerate() {
            let drawn = drawn.bitmap(number, Resolution::Fine).expect("a page");
            assert_eq!((drawn.width, drawn.height), (set.width, set.height), "{name}");
            let differing = differing(set, &drawn);
            let ink = set.rows.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
            assert!(differing.len() * 20 < ink, "{name}: {} of {ink} black dots", differing.len());
            assert!(differing.iter().all(|&dot| is_at_an_edge(set, dot)), "{name}");
        }
    }
    assert!(DrawnFax::read(b"%PDF-1.7 scrap".to_vec()).is_none());
}

/// The dots, across and down, that are black on one page only.
fn differing(one: &Bitmap, other: &Bitmap) -> Vec<(u32, u32)> {
    let bytes = one.rows.iter().zip(&other.rows).enumerate().filter(|(_, (one, other))| one != other);
    let row_bytes = one.row_bytes();
    let dots = bytes.flat_map(|(at, (one, other))| {
        let (x, y) = ((at % row_bytes * 8) as u32, (at / row_bytes) as u32);
        (0..8).filter(move |bit| (one ^ other) & (0x80 >> bit) != 0).map(move |bit| (x + bit, y))
    });
    dots.collect()
}

/// Whether black and white meet here.
fn is_at_an_edge(page: &Bitmap, (x, y): (u32, u32)) -> bool {
    let around = (x.saturating_sub(1)..x + 2).flat_map(|x| (y.saturating_sub(1)..y + 2).map(move |y| (x, y)));
    let black = around.filter(|&(x, y)| page.is_black(x, y)).count();
    (1..9).contains(&black)
}

#[test]
fn a_name_full_of_markup_prints_as_typed_in_every_format() {
    let typed = "*Dr_ [x](y)*";
    let referrer = Referrer { first_name: None, last_name: Some(typed.to_owned()), ..referrer() };
    let renderer = built_in();
    let sample = &renderer.letter("introduction").expect("built in").sample;
    let job = job("introduction", &referrer, sample);
    let fax = renderer.fax(&job).expect("renders");
    assert!(fax.text(0).contains(&format!("Dear Dr. {typed},")), "{}", fax.text(0));
    let (mail, _) = renderer.mail(&job).expect("renders");
    assert!(mail.text.contains(&format!("Dear Dr. {typed},")), "{}", mail.text);
    assert!(mail.html.contains(&format!("Dear Dr. {typed},")), "{}", mail.html);
}

#[test]
fn a_name_nobody_knows_is_refused_with_file_line_and_name_wherever_it_stands() {
    for (body, place, name) in [
        (
            "Dear {{practise.name}}",
            "ours/letter.md:10:6: ",
            "unknown variable `practise.name` — did you mean `practice.name`?",
        ),
        ("a\n\n{{#if practice.servces}}x{{/if}}", "ours/letter.md:12:1: ", "did you mean `practice.services`?"),
        ("{{#unless hours}}x{{/unless}}", "ours/letter.md:10:1: ", "`hours`"),
        ("{{#if date}}x{{else}}\n{{nobody}}{{/if}}", "ours/letter.md:11:1: ", "`nobody`"),
        ("{{#if date}}x{{else if nobody}}y{{/if}}", "ours/letter.md:10:", "`nobody`"),
        ("{{#each practice.services}}\n{{practice.name}}\n{{/each}}", "ours/letter.md:11:1: ", "practice.name"),
        ("{{#each practice.name}}x{{/each}}", "ours/letter.md:10:1: ", "cannot be used with #each"),
        ("{{#if (eq referrer.kind \"x\")}}y{{/if}}", "ours/letter.md:10:1: ", "`referrer.kind`"),
        ("{{phone practice.fone}}", "ours/letter.md:10:1: ", "did you mean `practice.phone`?"),
        ("{{fone practice.phone}}", "ours/letter.md:10:1: ", "unknown function `fone` — did you mean `phone`?"),
        ("{{list practice.name}}", "ours/letter.md:10:1: ", "is not a list"),
        ("{{practice.services}}", "ours/letter.md:10:1: ", "is a list"),
        ("{{{practice.name}}}", "ours/letter.md:10:1: ", "always escaped"),
        ("{{> how-to-reffer}}", "ours/letter.md:10:1: ", "did you mean `how-to-refer`?"),
        ("text <br> more", "ours/letter.md:10:6: ", "raw HTML"),
        ("{{#if date}}never closed", "ours/letter.md:", ""),
    ] {
        let said = refused(&[("ours/letter.md", &letter_md("advertisement", "", body))]);
        assert!(said.contains(place) && said.contains(name), "{body}\n{said}");
    }
}

#[test]
fn names_are_checked_in_mail_wording_subjects_and_partials_too() {
    let letter = letter_md("advertisement", "", "{{> ours}}");
    let said = refused(&[("ours/letter.md", &letter), ("partials/ours.md", "one\n{{treatment}}\n")]);
    assert!(said.contains("partials/ours.md:2:1: unknown variable `treatment`"), "{said}");
    let letter = letter_md("advertisement", "", "x");
    let said = refused(&[("ours/letter.md", &letter), ("ours/email.md", "Dear\n{{#if nobody}}x{{/if}}\n")]);
    assert!(said.contains("ours/email.md:2:1: unknown variable `nobody`"), "{said}");
    let letter = letter.replace("\"S\"", "\"For {{nobody}}\"");
    let said = refused(&[("ours/letter.md", &letter)]);
    assert!(said.contains("ours/letter.md:4:") && said.contains("`nobody`"), "{said}");
    let said = refused(&[
        ("partials/loop.md", "{{> loop}}"),
        ("ours/letter.md", &letter_md("advertisement", "", "{{> loop}}")),
    ]);
    assert!(said.contains("cycle"), "{said}");
}

#[test]
fn only_an_advertisement_includes_promotional_blocks() {
    let partial = ("partials/offer.md", "<!-- promotional -->\nWe have openings.\n");
    let through = ("partials/through.md", "{{> offer}}\n");
    let treatment = |body: &str| letter_md("treatment", "", body);
    for body in ["{{> offer}}", "{{> through}}", "{{#if date}}{{> offer}}{{/if}}"] {
        let said = refused(&[("ours/letter.md", &treatment(body)), partial, through]);
        assert!(said.contains("mixed purpose") && said.contains("`offer`"), "{body}\n{said}");
    }
    let said = refused(&[("ours/letter.md", &treatment("x")), ("ours/email.md", "{{> offer}}"), partial]);
    assert!(said.contains("ours/email.md:1:1: mixed purpose"), "{said}");
    let advertisement = letter_md("advertisement", "", "{{> offer}}");
    let folder = folder(&[("ours/letter.md", &advertisement), partial]);
    let renderer = Renderer::load(practice(), Some(folder.path())).expect("an advertisement may");
    let (mail, _) = renderer.mail(&job("ours", &referrer(), &Map::new())).expect("renders");
    assert!(mail.text.contains("We have openings.") && !mail.text.contains("promotional"), "{}", mail.text);
}

#[test]
fn an_advertisement_takes_no_patient_variables() {
    let more = "[variables.patient_name]\nabout = \"Who\"";
    let said = refused(&[("ours/letter.md", &letter_md("advertisement", more, "{{patient_name}}"))]);
    assert!(said.contains("`patient_name`") && said.contains("only a treatment letter"), "{said}");
}

#[test]
fn what_is_missing_is_named_for_each_recipient_and_never_quoted() {
    let (renderer, referrer) = (built_in(), referrer());
    let said =
        renderer.missing("capacity-update", &referrer, &object(json!({"treatmnt": "TMS", "as_of": "soon-secret"})));
    let all = said.join("\n");
    assert!(all.contains("`treatmnt` is not a variable of this letter — did you mean `treatment`?"), "{all}");
    assert!(all.contains("`treatment` is missing") && all.contains("`openings` is missing"), "{all}");
    assert!(all.contains("`as_of` must be a day") && !all.contains("secret"), "{all}");
    assert_eq!(renderer.missing("nothing", &referrer, &Map::new()), ["there is no letter `nothing`"]);
    let error = renderer.fax(&job("capacity-update", &referrer, &Map::new())).expect_err("variables are missing");
    assert!(matches!(error, RenderError::Variables { .. }));
}

#[test]
fn an_advertisement_says_how_to_stop_it_and_a_report_does_not() {
    let (renderer, referrer) = (built_in(), referrer());
    for letter in renderer.letters() {
        let job = job(&letter.name, &referrer, &letter.sample);
        let commercial = matches!(letter.purpose, Purpose::Advertisement | Purpose::Informational);
        let (mail, _) = renderer.mail(&job).expect("renders");
        assert_eq!(mail.unsubscribe.as_deref(), commercial.then_some(UNSUBSCRIBE), "{}", letter.name);
        assert_eq!(mail.html.contains(UNSUBSCRIBE), commercial, "{}", letter.name);
        assert_eq!(mail.text.contains(UNSUBSCRIBE), commercial, "{}", letter.name);
        let says_so = mail.text.contains("This is an advertisement from Lakeside Interventional Psychiatry, PLLC.");
        assert_eq!(says_so, letter.purpose == Purpose::Advertisement, "{}", letter.name);
        for part in [&mail.text, &mail.html] {
            assert!(part.contains("2140 Harborline Avenue") && part.contains("Evanston, IL 60201"), "{}", letter.name);
            assert!(!part.contains("<img") && !part.contains("googleapis"), "{}", letter.name);
        }
        let first_page = squeezed(&renderer.fax(&job).expect("renders").text(0));
        let notice = first_page.contains("within30days") && first_page.contains("(800)555-0145");
        assert_eq!(notice, letter.purpose == Purpose::Advertisement, "{}", letter.name);
    }
}

#[test]
fn mail_without_a_link_says_how_to_answer() {
    let (renderer, referrer) = (built_in(), referrer());
    let letter = renderer.letter("article").expect("built in");
    let (mail, _) =
        renderer.mail(&Job { unsubscribe: None, ..job("article", &referrer, &letter.sample) }).expect("renders");
    assert!(mail.text.contains("reply with the word") && mail.html.contains("reply with the word"));
    assert_eq!(mail.unsubscribe, None);
}

#[test]
fn a_letter_about_a_patient_has_a_cover_page_that_does_not_name_the_patient() {
    let (renderer, referrer) = (built_in(), referrer());
    let letter = renderer.letter("end-of-treatment-report").expect("built in");
    let job = job(&letter.name, &referrer, &letter.sample);
    let fax = renderer.fax(&job).expect("renders");
    assert_eq!(fax.cover_pages(), 1);
    let cover = fax.text(0);
    assert!(!cover.contains("Jordan") && !cover.contains("1979"), "{cover}");
    assert!(cover.contains("Amara Whitfield, MD") && cover.contains("(847) 555-0140"), "{cover}");
    assert!(cover.contains(&format!("Page 1 of {}", fax.pages)), "{cover}");
    assert!(fax.text(1).contains(&format!("Page 2 of {}", fax.pages)), "{}", fax.text(1));
    assert!(fax.text(1).contains("Jordan Sample") && fax.text(1).contains("63% lower"), "{}", fax.text(1));
    let (mail, _) = renderer.mail(&job).expect("renders");
    assert!(!mail.subject.contains("Jordan"));
    let call = "If it reached you in error, please call (847) 555-0140 at once";
    assert!(mail.text.contains(call) && squeezed(&fax.text(1)).contains(&squeezed(call)), "{}", mail.text);
}

#[test]
fn every_page_says_when_and_by_whom_it_was_sent() {
    let (renderer, referrer) = (built_in(), referrer());
    let letter = renderer.letter("introduction").expect("built in");
    let fax = renderer.fax(&job(&letter.name, &referrer, &letter.sample)).expect("renders");
    let first = fax.text(0).lines().next().expect("a line").to_owned();
    for part in
        ["Nov 23, 2026", "9:05 AM CST", "Lakeside Interventional Psychiatry, PLLC", "(847) 555-0140", "3F9A01C2"]
    {
        assert!(first.contains(part), "{first}");
    }
}

#[test]
fn the_same_letter_gives_the_same_bytes() {
    let (renderer, referrer) = (built_in(), referrer());
    let letter = renderer.letter("article").expect("built in");
    let job = job(&letter.name, &referrer, &letter.sample);
    let (one, two) = (renderer.fax(&job).expect("renders"), renderer.fax(&job).expect("renders"));
    assert_eq!((&one.hash, &one.pdf), (&two.hash, &two.pdf));
    assert_eq!(renderer.mail(&job).expect("renders").1, renderer.mail(&job).expect("renders").1);
    let later = renderer.fax(&Job { now: Timestamp(NOW.0 + 60_000), ..job }).expect("renders");
    assert_ne!(one.hash, later.hash, "the header bears another minute");
}

#[test]
fn a_letter_that_grew_too_long_is_refused_with_its_pages() {
    let (renderer, referrer) = (built_in(), referrer());
    let mut variables = renderer.letter("article").expect("built in").sample.clone();
    variables.insert("summary".to_owned(), json!("A long sentence about it. ".repeat(150)));
    let error = renderer.fax(&job("article", &referrer, &variables)).expect_err("two pages or more");
    assert!(matches!(error, RenderError::TooLong { pages, max: 1, .. } if pages > 1), "{error}");
    assert!(error.to_string().contains("`article`") && !error.to_string().contains("sentence"));
}

#[test]
fn a_picture_no_fax_can_show_is_refused_at_start() {
    let folder = folder(&[
        (
            "x/grey.svg",
            "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='80'><rect width='80' height='80' fill='#888'/></svg>",
        ),
        (
            "x/line.svg",
            "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='80'><rect width='80' height='9'/></svg>",
        ),
        ("x/broken.png", "\u{89}PNG"),
        ("x/torn.svg", "<svg"),
    ]);
    let with =
        |name: &str| Renderer::load(Practice { logo: Some(folder.path().join("x").join(name)), ..practice() }, None);
    for (name, said) in [
        ("grey.svg", "gray areas"),
        ("broken.png", "neither PNG"),
        ("torn.svg", "letterhead"),
        ("nowhere.png", "cannot be read"),
    ] {
        let errors = lines(&with(name).expect_err("no such logo"));
        assert!(errors.contains(said), "{name}: {errors}");
    }
    assert!(with("line.svg").is_ok());
}

#[test]
fn what_could_identify_somebody_in_a_story_is_pointed_at_without_quoting_it() {
    let (renderer, referrer) = (built_in(), referrer());
    let mut variables = renderer.letter("success-story").expect("built in").sample.clone();
    variables.insert("story".to_owned(), json!("A 93-year-old from Evanston came on March 3."));
    let lint = renderer.fax(&job("success-story", &referrer, &variables)).expect("renders").lint;
    let said = lint.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("\n");
    assert!(said.contains("`story` seems to hold a date finer than a year, an age over 89, a place"), "{said}");
    assert!(!said.contains("93") && !said.contains("Evanston"), "{said}");
}

#[test]
fn an_own_letter_extends_the_built_in_ones() {
    let more = "[variables.rooms]\nabout = \"Rooms\"\nkind = \"list\"";
    let body = "Dear {{referrer.salutation}},\n\n{{#each rooms}}\n- {{this}} in {{@root.practice.city}}\n{{/each}}\n";
    let folder = folder(&[("rooms/letter.md", &letter_md("operational", more, body))]);
    let renderer = Renderer::load(practice(), Some(folder.path())).expect("sound");
    assert!(!renderer.letter("rooms").expect("ours").built_in && renderer.letter("article").expect("theirs").built_in);
    let variables = object(json!({"rooms": ["One", "# Two"]}));
    let (mail, _) = renderer.mail(&job("rooms", &referrer(), &variables)).expect("renders");
    assert!(mail.text.contains("- One in Evanston\n- # Two in Evanston"), "{}", mail.text);
}

#[test]
fn a_preview_is_every_file_a_person_may_want_to_see() {
    let (renderer, referrer) = (built_in(), referrer());
    let letter = renderer.letter("introduction").expect("built in");
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("introduction");
    let job = job(&letter.name, &referrer, &letter.sample);
    let preview = write_preview(renderer, &job, &dir, Some(b"From: a\r\n\r\n")).expect("written");
    let names: Vec<_> = preview.files.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["fax.pdf", "fax.tiff", "fax.png", "email.html", "email.txt", "email.eml"]);
    let starts = |name: &str, magic: &[u8]| std::fs::read(dir.join(name)).expect("there").starts_with(magic);
    assert!(starts("fax.pdf", b"%PDF") && starts("fax.tiff", b"II*\0") && starts("fax.png", b"\x89PNG"));
    assert_eq!(preview.lint, Vec::new());
}

/// What the text part shows of a value: as typed, with plain spaces, because numbers are copied from there into telephones.
fn in_plain_text(value: &str) -> String {
    touchline::render::escape::one_line(value).replace('\u{a0}', " ")
}

/// A value in HTML, as a reader's program shows it.
fn in_html(value: &str) -> String {
    let shown = touchline::render::escape::one_line(value);
    shown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        .replace('{', "&#123;")
}

/// HTML without its links, of which a value may become one: `me@clinic.example`.
fn without_links(html: &str) -> String {
    let mut parts = html.split("<a ");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('>').map_or(part, |(_, shown)| shown));
    rest.fold(first, |text, shown| text + shown).replace("</a>", "")
}

/// A letter with this name and this sentence is a letter, and says both as they were typed.
fn prints_as_typed(name: &str, lesson: &str) -> Result<(), TestCaseError> {
    let renderer = built_in();
    let referrer = Referrer { last_name: Some(name.to_owned()), first_name: None, credentials: None, ..referrer() };
    let mut variables = renderer.letter("success-story").expect("built in").sample.clone();
    variables.insert("lesson".to_owned(), json!(lesson));
    let job = job("success-story", &referrer, &variables);
    let (mail, _) = renderer.mail(&job).expect("renders");
    prop_assert!(mail.text.contains(&format!("Dear {},", in_plain_text(name))), "{}", mail.text);
    prop_assert!(mail.text.contains(&in_plain_text(lesson)), "{}", mail.text);
    let html = without_links(&mail.html);
    prop_assert!(html.contains(&format!("Dear {},", in_html(name))), "{}", mail.html);
    prop_assert!(!mail.html.contains("<script") && !mail.subject.contains('\n'));
    let fax = renderer.fax(&job).expect("renders");
    let shown = touchline::render::escape::one_line(lesson);
    prop_assert!(squeezed(&fax.text(0)).contains(&squeezed(&shown)), "{}", fax.text(0));
    Ok(())
}

#[test]
fn a_name_held_together_by_a_no_break_space_is_written_with_a_plain_one_in_the_text_part() {
    // Found at random.
    for name in ["®\u{a0}𐆐", "Mary\u{a0}Ann\u{a0}", "\u{a0}O'Neil"] {
        prints_as_typed(name, "Ask early.").unwrap_or_else(|error| panic!("{name:?}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_breaks_a_letter_or_becomes_markup(
        name in "[\\PC]{1,30}|[*_`#>\\[\\]()!<&|~\\\\\n\r\t .\"'{}$@\u{a0}-]{1,30}|[0-9]{1,9}",
        lesson in "[ -~]{1,200}",
    ) {
        prop_assume!(!touchline::render::escape::one_line(&name).is_empty() && !lesson.trim().is_empty());
        prints_as_typed(&name, &lesson)?;
    }
}
