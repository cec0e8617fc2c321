//! Letters: front matter, Markdown and placeholders. The whole input is a `letter.md`, a `email.md`, a partial, and a value
//! that is filled in.

use serde_json::json;
use touchline::render::{draft, escape, front_matter, html, markdown, node, registry::Registries, text};

/// Tries one letter.
pub fn run(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else { return };
    if let Err(errors) = front_matter::read("x/letter.md", source) {
        assert!(!errors.is_empty(), "refused without a reason");
        assert!(errors.iter().all(|error| error.line.is_some() == error.column.is_some()), "half a place");
    }
    let _ = draft::check("x/letter.md", source);
    let mut registries = Registries::default();
    if registries.add_body("x", "x/letter.md", source).is_ok() {
        let context =
            json!({ "practice": { "name": source }, "referrer": { "salutation": "Dr. *X*" }, "items": [1, "a"] });
        if let Ok(filled) = registries.body("x", &context) {
            set(&filled);
        }
    }
    let _ = registries.add_line("y", "x/letter.md", source);
    set(source);
    as_typed(source);
}

/// The tree in every form: no markup of the source's own comes through.
fn set(source: &str) {
    let Ok(nodes) = markdown::parse(source) else { return };
    let page = html::blocks(&nodes, &[]);
    let lower = page.to_lowercase();
    for dangerous in ["<script", "<iframe", "<img", "href=\"javascript:", "href=\"data:", " onerror=\""] {
        assert!(!lower.contains(dangerous), "{dangerous} came through");
    }
    let _ = (text::blocks(&nodes), node::plain_blocks(&nodes));
}

/// A value prints as it was typed.
fn as_typed(value: &str) {
    let shown = escape::one_line(value);
    let nodes = markdown::parse(&format!("a {} b", escape::escape(value))).expect("a value breaks nothing");
    assert_eq!(node::plain_blocks(&nodes), format!("a {shown} b"));
}
