//! The letterheads against the typesetter: what prints, what fits, and that nothing hostile gets through.

use serde_json::{Value, json};
use touchline_typeset::{Document, Images, Resolution, TypesetError, Typesetter};

const FAX: &str = include_str!("../../../templates/letterhead/fax.typ");
const COVER: &str = include_str!("../../../templates/letterhead/cover.typ");

/// Strings that mean something to Typst, Markdown, JSON or a fax, and must print as they are.
const HOSTILE: [&str; 19] = [
    "#NTC",
    "$5 and $6",
    "<x>",
    r"a\b\\c",
    "@home",
    "one -- two --- three...",
    "_under_ *star* `tick`",
    "]] [[ }} {{ )) ((",
    "= heading",
    "- item",
    "+ item",
    "/ term: x",
    "\"straight\" 'quotes'",
    "#panic(\"x\") #import \"/etc/passwd\"",
    "~ // not a comment /* nor this */",
    "https://example.com/a?b=c&d=e#f",
    "Zoë Šćepanović, Łódź, naïve café, Αθήνα, Київ",
    "\u{2713} 50 % \u{2192} 25 % \u{00bd} \u{2265} 3 \u{00b5}g",
    "fi ffi fl AVAWA 0O 1lI",
];

fn paragraph(text: &str) -> Value {
    json!({"t": "p", "c": [{"t": "s", "v": text}]})
}

fn letter(body: Value) -> Value {
    json!({
        "practice": {
            "name": "Lakeside TMS & Psychiatry", "legal_name": "Lakeside Psychiatric Associates PLLC",
            "street": "1420 Lakeshore Drive, Suite 310", "city": "Chicago", "state": "IL", "zip": "60611",
            "phone": "(312) 555-0140", "fax": "(312) 555-0142", "referral_line": "(312) 555-0177",
            "website": "lakesidetms.example", "email": "referrals@lakesidetms.example", "logo": false
        },
        "header": {
            "sent_at": "Nov 23, 2026 9:05 AM CST", "sender": "Lakeside Psychiatric Associates PLLC",
            "number": "(312) 555-0142", "reference": "T-8F3K2"
        },
        "date": "November 23, 2026",
        "recipient": {"lines": ["Dana Whitfield, MD", "Northshore Family Medicine", "Fax (847) 555-0133"]},
        "headline": null,
        "body": body,
        "signature": {"name": "Miriam Adler", "credentials": "MD", "title": "Medical Director", "image": false},
        "notice": {"heading": "To stop fax advertisements", "text": NOTICE},
        "confidentiality": null
    })
}

const NOTICE: &str = "You may ask us not to send any more fax advertisements to your fax machine or machines. Call \
    (800) 555-0119, fax (312) 555-0142, or visit lakesidetms.example/o/8F3K2, at any hour and free of charge. Your \
    request must identify the fax number or numbers it covers. We must comply within 30 days; failing to comply \
    within 30 days of a valid request is unlawful.";

fn try_set(letter: &Value, images: &Images) -> Result<Document, TypesetError> {
    let typesetter = Typesetter::new(FAX).expect("the letterhead parses");
    typesetter.typeset(letter.to_string().as_bytes(), images)
}

fn set(letter: &Value) -> Document {
    try_set(letter, &Images::default()).expect("the letter is sound")
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn assert_prints(document: &Document, page: usize, expected: &str) {
    let printed = without_space(&document.text(page));
    assert!(printed.contains(&without_space(expected)), "{expected:?} does not stand in:\n{}", document.text(page));
}

#[test]
fn hostile_strings_print_as_they_are_wherever_they_stand() {
    for hostile in HOSTILE {
        let inline = json!([{"t": "s", "v": hostile}]);
        let mut letter = letter(json!([
            paragraph(hostile),
            {"t": "h", "level": 2, "c": inline},
            {"t": "ul", "items": [[paragraph(hostile)]]},
            {"t": "table", "align": ["left"], "head": [inline], "rows": [[inline]]},
            {"t": "quote", "c": [{"t": "p", "c": [{"t": "em", "c": inline}, {"t": "strong", "c": inline}]}]},
            {"t": "p", "c": [{"t": "code", "v": hostile}]},
        ]));
        letter["headline"] = hostile.into();
        letter["recipient"]["lines"] = json!([hostile]);
        letter["practice"]["name"] = hostile.into();
        letter["signature"]["name"] = hostile.into();
        letter["notice"]["text"] = hostile.into();
        letter["header"]["sender"] = hostile.into();
        let document = set(&letter);
        let printed = without_space(&document.text(0));
        assert_eq!(printed.matches(&without_space(hostile)).count(), 14, "{hostile:?} in:\n{}", document.text(0));
        assert!(document.unprintable().is_empty(), "{hostile:?}");
    }
}

#[test]
fn a_word_longer_than_a_line_breaks_instead_of_leaving_the_page() {
    let word = "Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(6);
    let document = set(&letter(json!([paragraph(&word)])));
    assert_prints(&document, 0, &word);
    let page = document.raster(0, Resolution::Fine).expect("the page exists");
    let margin = (page.width - 140)..page.width;
    assert!(!margin.into_iter().any(|x| (0..page.height).any(|y| page.is_black(x, y))), "ink in the right margin");
}

#[test]
fn characters_no_font_has_are_told() {
    assert_eq!(set(&letter(json!([paragraph("Dr. \u{9648}\u{5065}, OK")]))).unprintable(), ['\u{5065}', '\u{9648}']);
}

#[test]
fn every_page_carries_the_identification_line_and_its_number() {
    let body: Vec<Value> =
        (0..60).map(|i| paragraph(&format!("Paragraph {i}. {}", "Some words here. ".repeat(12)))).collect();
    let document = set(&letter(body.into()));
    let pages = document.page_count();
    assert!(pages > 2);
    for page in 0..pages {
        let text = document.text(page);
        let band = text.lines().next().expect("a first line");
        for part in ["Nov 23, 2026 9:05 AM CST", "Lakeside Psychiatric Associates PLLC", "(312) 555-0142", "T-8F3K2"] {
            assert!(band.contains(part), "{part} in {band}");
        }
        assert!(band.ends_with(&format!("Page {} of {pages}", page + 1)), "{band}");
    }
}

#[test]
fn pages_sent_before_the_letter_are_counted() {
    let mut letter = letter(json!([paragraph("Short.")]));
    letter["header"]["pages_before"] = 1.into();
    assert_prints(&set(&letter), 0, "Page 2 of 2");
}

#[test]
fn the_notice_stands_on_the_first_page_however_long_the_letter() {
    let body: Vec<Value> = (0..40).map(|_| paragraph(&"Some words here. ".repeat(20))).collect();
    let document = set(&letter(body.into()));
    assert!(document.page_count() > 1);
    assert_prints(&document, 0, NOTICE);
    assert!(!document.text(1).contains("fax advertisements"));
}

#[test]
fn an_introduction_of_330_words_with_its_notice_fits_one_page() {
    let sentence = "We treat depression that medicine alone has not relieved, and return patients to you. ";
    let item = |text: &str| json!([paragraph(text)]);
    let mut body: Vec<Value> = vec![paragraph("Dear Dr. Whitfield,")];
    body.extend((0..2).map(|_| paragraph(&sentence.repeat(3))));
    body.push(json!({"t": "h", "level": 2, "c": [{"t": "s", "v": "What we offer"}]}));
    body.push(json!({"t": "ul", "items": [item(sentence), item(sentence), item(sentence)]}));
    body.extend((0..5).map(|_| paragraph(&sentence.repeat(3))));
    body.push(paragraph("With thanks for the care you give,"));
    let body: Value = body.into();
    assert!(body.to_string().split(' ').count() >= 330);
    let mut letter = letter(body);
    let pages = |letter: &mut Value, density: &str| {
        letter["density"] = density.into();
        set(letter).page_count()
    };
    assert_eq!(pages(&mut letter, "open"), 2);
    assert_eq!(pages(&mut letter, "compact"), 1);
    assert_eq!(pages(&mut letter, "no such way"), pages(&mut letter, "middle"), "an unknown way is the middle one");
}

#[test]
fn nothing_is_smaller_than_nine_points_nor_grey_nor_in_the_free_band() {
    let mut letter = letter(json!([paragraph("A letter."), {"t": "rule"}]));
    letter["confidentiality"] = "Confidential health information.".into();
    let document = set(&letter);
    assert!(document.smallest_text_pt() >= 9.0);
    let page = document.raster(0, Resolution::Fine).expect("the page exists");
    assert!(page.grey_share < 0.0001, "{}", page.grey_share);
    let band = (0.35 * 196.0) as u32;
    assert!(!(0..band).any(|y| (0..page.width).any(|x| page.is_black(x, y))), "ink in the topmost 0.35 in");
}

#[test]
fn a_link_shows_its_address_unless_the_text_is_the_address() {
    let link =
        |href: &str, text: &str| json!({"t": "p", "c": [{"t": "link", "href": href, "c": [{"t": "s", "v": text}]}]});
    let document = set(&letter(json!([
        link("https://example.com/refer", "our form"),
        link("https://www.example.org/", "example.org"),
        link("tel:+13125550177", "(312) 555-0177"),
        link("mailto:office@example.net", "write to us"),
    ])));
    let text = document.text(0);
    assert!(text.contains("our form (example.com/refer)"), "{text}");
    assert!(text.contains("\nexample.org\n") && text.contains("\n(312) 555-0177\n"), "{text}");
    assert!(text.contains("write to us (office@example.net)"), "{text}");
}

#[test]
fn pictures_print_where_the_letter_says_so() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10"/></svg>"#;
    let mut letter = letter(json!([paragraph("A letter.")]));
    let ink = |document: &Document| document.raster(0, Resolution::Fine).expect("the page exists").ink_share();
    let plain = ink(&set(&letter));
    letter["practice"]["logo"] = true.into();
    letter["signature"]["image"] = true.into();
    let images = Images { signature: Some(svg.to_vec()), logo: Some(svg.to_vec()) };
    assert!(ink(&try_set(&letter, &images).expect("both pictures are there")) > plain + 0.005);
    let missing = try_set(&letter, &Images::default()).expect_err("no pictures given");
    assert!(missing.to_string().contains("logo"), "{missing}");
}

#[test]
fn what_the_contract_leaves_out_is_left_out() {
    let bare = json!({
        "practice": {"name": "Lakeside"}, "header": null, "date": "", "recipient": {"lines": []}, "headline": null,
        "body": [{"t": "table", "align": [], "head": [], "rows": []}, {"t": "ul", "items": []}], "signature": null,
        "notice": null, "confidentiality": null
    });
    assert_eq!(set(&bare).text(0), "Page 1 of 1\nLakeside");
}

#[test]
fn a_table_with_ragged_rows_prints_every_cell() {
    let cell = |text: &str| json!([{"t": "s", "v": text}]);
    let table = json!({"t": "table", "align": ["left", "right"], "head": [cell("Instrument")],
        "rows": [[cell("PHQ-9"), cell("21"), cell("extra")], [cell("GAD-7")]]});
    let document = set(&letter(json!([table])));
    for text in ["Instrument", "PHQ-9 21 extra", "GAD-7"] {
        assert_prints(&document, 0, text);
    }
}

#[test]
fn the_cover_names_both_sides_the_pages_and_what_to_do_when_misdirected() {
    let mut cover = letter(Value::Null);
    cover["pages"] = 3.into();
    cover["subject"] = "Report on a patient you referred".into();
    cover["misdirected"] = "Do not read, copy or pass it on.".into();
    let typesetter = Typesetter::new(COVER).expect("the cover parses");
    let document = typesetter.typeset(cover.to_string().as_bytes(), &Images::default()).expect("the cover is sound");
    assert_eq!(document.page_count(), 1);
    assert!(document.smallest_text_pt() >= 9.0);
    for text in [
        "Page 1 of 3",
        "Dana Whitfield, MD",
        "Lakeside TMS & Psychiatry",
        "(312) 555-0140",
        "3 including this \
        cover page",
        "Report on a patient you referred",
        "Do not read, copy or pass it on.",
        "T-8F3K2",
    ] {
        assert_prints(&document, 0, text);
    }
}
