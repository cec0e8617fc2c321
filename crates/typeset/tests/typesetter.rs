//! The typesetter's promises: limits, errors instead of panics, reproducible output, exact rasters.

use std::thread;

use touchline_typeset::{Images, Resolution, TypesetError, Typesetter};

const FAX: &str = include_str!("../../../templates/letterhead/fax.typ");
const PLAIN: &str = "#set page(paper: \"us-letter\")\n#json(\"/letter.json\").text";

fn letter_with(body: &str) -> String {
    format!(
        r#"{{"practice":{{"name":"Lakeside"}},"header":null,"date":"","recipient":{{"lines":[]}},"body":[{body}]}}"#
    )
}

fn set(source: &str, json: &str) -> Result<touchline_typeset::Document, TypesetError> {
    Typesetter::new(source)?.typeset(json.as_bytes(), &Images::default())
}

#[test]
fn the_same_letter_gives_the_same_pdf() {
    let typesetter = Typesetter::new(PLAIN).expect("it parses");
    let pdf = |text: &str| {
        let json = format!(r#"{{"text":"{text}"}}"#);
        typesetter.typeset(json.as_bytes(), &Images::default()).expect("a sound letter").pdf().expect("a PDF")
    };
    let first = pdf("one");
    assert!(first.starts_with(b"%PDF-1.7"));
    assert_ne!(first, pdf("two"));
    assert_eq!(first, pdf("one"));
    assert!(!first.windows(12).any(|w| w == b"CreationDate"), "a time would make every PDF differ");
}

#[test]
fn hundreds_of_letters_from_several_threads_come_out_right() {
    let typesetter = Typesetter::new(PLAIN).expect("it parses");
    thread::scope(|scope| {
        for worker in 0..2 {
            let typesetter = typesetter.clone();
            scope.spawn(move || {
                for i in 0..100 {
                    let json = format!(r#"{{"text":"letter {worker}/{i}"}}"#);
                    let document = typesetter.typeset(json.as_bytes(), &Images::default()).expect("a sound letter");
                    assert_eq!(document.text(0), format!("letter {worker}/{i}"));
                }
            });
        }
    });
}

#[test]
fn rasters_have_exactly_the_dots_of_a_fax_page() {
    let document = set("#set page(paper: \"us-letter\")\nText", "{}").expect("a sound letter");
    for (resolution, height) in [(Resolution::Fine, 2156), (Resolution::Standard, 1078)] {
        let page = document.raster(0, resolution).expect("the page exists");
        assert_eq!((page.width, page.height, page.rows.len()), (1728, height, 216 * height as usize));
    }
    let error = document.raster(1, Resolution::Fine).expect_err("there is one page");
    assert!(matches!(error, TypesetError::NoSuchPage { page: 1, pages: 1 }));
}

#[test]
fn dots_stand_where_the_paper_says() {
    let square = "#set page(paper: \"us-letter\", margin: 0pt)\n#place(dx: 2in, dy: 3in, rect(width: 1in, height: 1in, fill: black))";
    let document = set(square, "{}").expect("a sound letter");
    for resolution in [Resolution::Fine, Resolution::Standard] {
        let (dpi_x, dpi_y) = resolution.dots_per_inch();
        let page = document.raster(0, resolution).expect("the page exists");
        let at = |x: f64, y: f64| page.is_black((x * 1728.0 / 8.5) as u32, (y * f64::from(dpi_y)) as u32);
        assert!(at(2.02, 3.02) && at(2.98, 3.98), "{dpi_x}x{dpi_y}");
        assert!(!at(1.98, 3.5) && !at(3.02, 3.5) && !at(2.5, 2.98) && !at(2.5, 4.02), "{dpi_x}x{dpi_y}");
        assert!((page.ink_share() - 1.0 / 93.5).abs() < 0.0002, "{}", page.ink_share());
    }
}

#[test]
fn grey_is_told_and_black_type_is_not_grey() {
    let page = |fill: &str| {
        let source = format!("#set page(paper: \"us-letter\")\n#set text(fill: {fill})\n#lorem(300)");
        set(&source, "{}").expect("a sound letter").raster(0, Resolution::Fine).expect("the page exists")
    };
    assert!(page("black").grey_share < 0.0001);
    assert!(page("luma(110)").grey_share > 0.01);
}

#[test]
fn the_smallest_type_counts_scaling_and_ignores_blanks() {
    let smallest = |body: &str| {
        set(&format!("#set page(paper: \"us-letter\")\n{body}"), "{}").expect("a sound letter").smallest_text_pt()
    };
    assert_eq!(smallest("#text(12pt)[a] #text(10pt)[b]"), 10.0);
    assert!((smallest("#text(12pt)[a] #scale(50%)[#text(12pt)[b]]") - 6.0).abs() < 1e-9);
    assert_eq!(smallest(""), f64::INFINITY);
}

#[test]
fn text_reads_in_lines_from_left_to_right() {
    let source = "#set page(paper: \"us-letter\")\n#grid(columns: (1fr, auto), [Left *bold*], [Right])\n\nBelow";
    assert_eq!(set(source, "{}").expect("a sound letter").text(0), "Left bold Right\nBelow");
    assert_eq!(set(source, "{}").expect("a sound letter").text(7), "");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let told = |source: &str, json: &str| set(source, json).expect_err("it is wrong").to_string();
    assert!(told("\n\n#let = 3", "{}").contains("line 3"));
    assert!(told("\n#undefined-name", "{}").contains("line 2: unknown variable"));
    assert!(told("\n\n#json(\"/letter.json\").name", "{}").contains("line 3: dictionary does not contain key"));
    assert!(told(PLAIN, "{not json").contains("letter.json"));
    assert!(told("#read(\"/etc/passwd\")", "{}").contains("not found"));
    assert!(told("#import \"@preview/cmarker:0.1.0\": *", "{}").contains("line 1"));
}

#[test]
fn any_json_gives_a_page_or_an_error() {
    let odd = [
        "",
        "null",
        "[]",
        "{}",
        "3",
        "\"\"",
        r#"{"practice":null}"#,
        r#"{"practice":{},"recipient":{},"body":{}}"#,
        "\u{0}",
        "{\"a\":1e999}",
    ];
    for json in odd {
        assert!(matches!(set(FAX, json), Err(TypesetError::Diagnostics(_))), "{json:?}");
    }
    for body in [
        r#"{"t":"unknown"}"#,
        r#"{"t":"p"}"#,
        r#"{"t":"p","c":[{"t":"s"}]}"#,
        r#"{"t":"h","level":"x","c":[]}"#,
        r#"{"t":"table","align":3,"head":[],"rows":[]}"#,
        "7",
        "null",
        r#"{"t":"p","c":[{"t":"link","href":1,"c":[]}]}"#,
    ] {
        assert!(matches!(set(FAX, &letter_with(body)), Err(TypesetError::Diagnostics(_))), "{body}");
    }
    assert!(set(FAX, &letter_with(r#"{"t":"h","level":99,"c":[]}"#)).is_ok());
    let invalid_utf8 = Typesetter::new(PLAIN).expect("it parses").typeset(b"{\"text\":\"\xff\"}", &Images::default());
    assert!(matches!(invalid_utf8, Err(TypesetError::Diagnostics(_))));
}

/// `levels` of one kind of nesting around a paragraph.
fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    letter_with(&format!("{}{inner}{}", open.repeat(levels), close.repeat(levels)))
}

#[test]
fn twelve_levels_of_anything_can_be_set() {
    let paragraph = r#"{"t":"p","c":[{"t":"s","v":"deep"}]}"#;
    let list = nested(r#"{"t":"ul","items":[["#, paragraph, "]]}", 12);
    let quote = nested(r#"{"t":"quote","c":["#, paragraph, "]}", 12);
    let emphasis = format!(
        r#"{{"t":"p","c":[{}{}{}]}}"#,
        r#"{"t":"em","c":["#.repeat(12),
        r#"{"t":"s","v":"deep"}"#,
        "]}".repeat(12)
    );
    for json in [list, quote, letter_with(&emphasis)] {
        assert!(set(FAX, &json).expect("twelve levels are allowed").text(0).contains("deep"));
    }
}

#[test]
fn deeper_nesting_is_an_error_and_never_a_crash() {
    let paragraph = r#"{"t":"p","c":[{"t":"s","v":"deep"}]}"#;
    for levels in [13, 16, 19, 20, 21, 25, 30, 31, 40, 1000, 10_000] {
        for (open, close) in [(r#"{"t":"ul","items":[["#, "]]}"), (r#"{"t":"quote","c":["#, "]}")] {
            match set(FAX, &nested(open, paragraph, close, levels)) {
                Ok(document) => assert!(document.text(0).contains("deep")),
                Err(error) => assert!(
                    matches!(error, TypesetError::TooDeep { .. } | TypesetError::Diagnostics(_)),
                    "{levels}: {error}"
                ),
            }
        }
    }
    let brackets_in_text = format!(r#"{{"text":"{}"}}"#, r#"[{\"["#.repeat(500));
    assert!(set(PLAIN, &brackets_in_text).is_ok(), "brackets inside a string are not nesting");
}

#[test]
fn a_source_that_recurses_without_end_is_an_error() {
    let error = set("#let f(x) = f(x + 1)\n#f(0)", "{}").expect_err("it has no end");
    assert!(error.to_string().contains("depth exceeded"), "{error}");
}

#[test]
fn what_is_too_large_is_refused_before_work_begins() {
    let typesetter = Typesetter::new(PLAIN).expect("it parses");
    let huge = format!(r#"{{"text":"{}"}}"#, "x".repeat(256 << 10));
    let error = typesetter.typeset(huge.as_bytes(), &Images::default()).expect_err("more than 256 KiB");
    assert!(matches!(error, TypesetError::TooLarge { what: "letter", .. }));
    let images = Images { logo: Some(vec![0; (4 << 20) + 1]), signature: None };
    let error = typesetter.typeset(b"{\"text\":\"\"}", &images).expect_err("more than 4 MiB");
    assert!(matches!(error, TypesetError::TooLarge { what: "logo", .. }));
    let error = set("#for _ in range(250) { pagebreak() }", "{}").expect_err("251 pages");
    assert!(matches!(error, TypesetError::TooManyPages { pages: 251, max: 200 }), "{error}");
}

#[test]
fn what_was_left_out_of_typst_is_refused_in_words_and_never_a_crash() {
    for source in [
        "#plugin(bytes((0, 97, 115, 109, 1, 0, 0, 0)))",
        "#bibliography(bytes(\"@book{a, title = {B}}\"))",
        "#bibliography(bytes(\"a: {type: Book, title: B}\"))",
        "#set bibliography(style: \"ieee\")\nText",
        "#cite(<nobody>)",
        "#raw(\"a\", theme: bytes(\"<plist/>\"), lang: \"rust\")",
        "#raw(\"a\", syntaxes: bytes(\"%YAML 1.2\"), lang: \"x\")",
    ] {
        assert!(set(source, "{}").is_err(), "{source}");
    }
    let document = set("#raw(\"fn main() {}\", lang: \"rust\", block: true)\n#raw(\"#let x\", lang: \"typ\")", "{}");
    assert_eq!(document.expect("raw text is set as it stands").text(0), "fn main() {}\n#let x");
    let asked = set("#context bibliography.style", "{}").map(|document| document.text(0));
    assert_eq!(asked.expect("a default has a name"), "ieee");
}
