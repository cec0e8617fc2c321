//! The letters of the simulation: three short ones, one for each law that may apply.

use std::sync::{Arc, LazyLock};

use touchline::domain::practice::Practice;
use touchline::render::Renderer;

pub const ADVERTISEMENT: &str = "sim-offer";
pub const INFORMATIONAL: &str = "sim-news";
pub const TREATMENT: &str = "sim-report";
pub const ALL: &[&str] = &[ADVERTISEMENT, INFORMATIONAL, TREATMENT];

/// A letterhead with all that law and lint ask for and nothing else, so that a history does not spend its time on
/// typesetting.
const LETTERHEAD: &str = r#"
#let letter = json("/letter.json")
#let header = letter.header
#let words(node) = if "v" in node { node.v } else { for one in node.at("c", default: ()) { words(one) } }
#set page(paper: "us-letter", margin: 0.5in)
#set text(font: ("Atkinson Hyperlegible Next", "DejaVu Sans"), size: 11pt, hyphenate: false, ligatures: false)
#text(size: 9pt, [#header.sent_at | #header.sender | #header.number | #header.reference])

#if letter.notice != none [#letter.notice.heading #letter.notice.text]

#letter.at("confidentiality", default: none)

#for node in letter.body { words(node) }
"#;

/// The loaded letters, shared by all histories.
pub fn renderer() -> Arc<Renderer> {
    static LOADED: LazyLock<Arc<Renderer>> = LazyLock::new(load);
    LOADED.clone()
}

fn load() -> Arc<Renderer> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, purpose, phi) in [
        (ADVERTISEMENT, "advertisement", "none"),
        (INFORMATIONAL, "informational", "none"),
        (TREATMENT, "treatment", "identified"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(path.join("letter.md"), letter(purpose, phi)).expect("written");
    }
    let letterhead = folder.path().join("letterhead");
    std::fs::create_dir_all(&letterhead).expect("a folder");
    std::fs::write(letterhead.join("fax.typ"), LETTERHEAD).expect("written");
    let loaded = Renderer::load(practice(), Some(folder.path()));
    Arc::new(loaded.unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }))
}

fn letter(purpose: &str, phi: &str) -> String {
    format!(
        "+++\ntitle = \"T\"\nabout = \"A\"\nsubject = \"S\"\npurpose = \"{purpose}\"\nphi = \"{phi}\"\ncategory = \"ask\"\n\
         [variables.word]\nabout = \"any word\"\n+++\nDear {{{{referrer.salutation}}}}, {{{{word}}}}.\n"
    )
}

fn practice() -> Practice {
    #[derive(serde::Deserialize)]
    struct File {
        practice: Practice,
    }
    let text = include_str!("../../../config/sample-practice.toml");
    toml::from_str::<File>(text).expect("the sample practice").practice
}
