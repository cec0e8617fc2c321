//! What a reader of a finished letter stumbles over because something was left empty or never filled in: a heading with
//! nothing under it, a period with no words before it, a bracket that asks for a name.

use super::node::{Inline, Node, plain};

/// Words that stand for something that was to be written later.
const PLACEHOLDERS: [&str; 6] = ["todo", "tbd", "tba", "xxx", "lorem", "undefined"];
/// Punctuation that closes something, and so has words before it.
const CLOSING: [char; 4] = ['.', ',', ';', ':'];
/// How much of a text is repeated.
const SHOWN_CHARS_MAX: usize = 40;

/// Everything found in a letter's body, each as a phrase that can follow "it has".
#[must_use]
pub fn find(body: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    look_at(body, &mut found);
    found
}

fn look_at(nodes: &[Node], found: &mut Vec<String>) {
    for (place, node) in nodes.iter().enumerate() {
        if let Some((level, title)) = heading(node)
            && nodes.get(place + 1).is_none_or(|next| begins_anew(next, level))
        {
            found.push(format!("a heading with nothing under it ({})", shown(&title)));
        }
        match node {
            Node::Paragraph { c } | Node::Heading { c, .. } => look_at_text(&plain(c), found),
            Node::Bullets { items } | Node::Numbers { items, .. } => {
                for item in items {
                    if item.is_empty() {
                        found.push("a list with an empty entry".to_owned());
                    }
                    look_at(item, found);
                }
            }
            Node::Quote { c } => look_at(c, found),
            Node::Table { head, rows, .. } => {
                std::iter::once(head).chain(rows).flatten().for_each(|cell| look_at_words(&plain(cell), found));
            }
            Node::Rule => {}
        }
    }
}

/// Whether a block begins something of its own instead of standing under a heading of that level. After a bold line, a
/// paragraph that begins in bold does.
fn begins_anew(node: &Node, level: u8) -> bool {
    match node {
        Node::Rule => true,
        Node::Paragraph { c } => level == u8::MAX && matches!(c.first(), Some(Inline::Strong { .. })),
        other => heading(other).is_some_and(|(below, _)| below <= level),
    }
}

/// The level and the words of a heading: one written as such, or a paragraph that is bold as a whole, the lowest level.
fn heading(node: &Node) -> Option<(u8, String)> {
    match node {
        Node::Heading { level, c } => Some((*level, plain(c))),
        Node::Paragraph { c } => {
            let mut words = c.iter().filter(|inline| !plain(std::slice::from_ref(inline)).trim().is_empty());
            match (words.next(), words.next()) {
                // A whole sentence in bold is no heading.
                (Some(Inline::Strong { c }), None) if !plain(c).trim().ends_with(['.', '!', '?']) => {
                    Some((u8::MAX, plain(c)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn look_at_text(text: &str, found: &mut Vec<String>) {
    if !text.chars().any(char::is_alphanumeric) {
        found.push(format!("a paragraph without words ({})", shown(text)));
    }
    look_at_words(text, found);
}

fn look_at_words(text: &str, found: &mut Vec<String>) {
    let chars: Vec<char> = text.trim().chars().collect();
    let lone = chars.windows(2).enumerate().any(|(at, two)| {
        let begins_number = chars.get(at + 2).is_some_and(|next| next.is_alphanumeric());
        two[0].is_whitespace() && CLOSING.contains(&two[1]) && !begins_number
    });
    if lone {
        found.push(format!("no words before a period or comma ({})", shown(text)));
    }
    let doubled = (0..chars.len().saturating_sub(1)).any(|at| is_doubled(&chars, at));
    if doubled {
        found.push(format!("two periods or commas in a row ({})", shown(text)));
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let is_placeholder = words.map(str::to_lowercase).any(|word| PLACEHOLDERS.contains(&word.as_str()));
    let has_bracket = text.split_once('[').is_some_and(|(_, rest)| {
        rest.split_once(']').is_some_and(|(inside, _)| inside.chars().any(char::is_alphabetic))
    });
    if is_placeholder || has_bracket || text.contains("{{") || text.contains("}}") {
        found.push(format!("something left to fill in ({})", shown(text)));
    }
}

/// Whether two closing signs stand in a row from here that mean one; three periods are an ellipsis.
fn is_doubled(chars: &[char], at: usize) -> bool {
    let is = |at: usize, sign: char| chars.get(at) == Some(&sign);
    let (first, second) = (chars[at], chars[at + 1]);
    let is_ellipsis = is(at + 2, '.') || (at > 0 && is(at - 1, '.'));
    match (first, second) {
        ('.', '.') => !is_ellipsis,
        (',', ',' | '.') | (';', ';' | '.' | ',') => true,
        _ => false,
    }
}

fn shown(text: &str) -> String {
    let text = text.trim();
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.chars().count() < text.chars().count() {
        shown.push('…');
    }
    format!("“{shown}”")
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::*;

    fn found(markdown: &str) -> String {
        find(&parse(markdown).expect("Markdown")).join("\n")
    }

    #[test]
    fn what_was_left_empty_is_found() {
        for (markdown, says) in [
            ("**We offer**\n\n**We treat** depression.", "heading with nothing under it (“We offer”)"),
            ("Hello.\n\n## In network with", "heading with nothing under it"),
            ("## One\n\n## Two\n\nWords.", "heading with nothing under it (“One”)"),
            ("**We treat** .", "no words before a period or comma (“We treat .”)"),
            (".", "paragraph without words"),
            ("I trained there.. And here.", "two periods"),
            ("Dr. Marsh, MD,, signs.", "two periods or commas"),
            ("Call [number].", "left to fill in"),
            ("Hours: TBD.", "left to fill in"),
        ] {
            assert!(found(markdown).contains(says), "{markdown}: {}", found(markdown));
        }
    }

    #[test]
    fn ordinary_letters_are_left_alone() {
        for markdown in [
            "**We offer**\n\n- TMS\n- ECT\n\n**We treat** depression, anxiety and OCD.",
            "# Title\n\n## Part\n\nCall (847) 555-0142 … or write to a.b@c.org. It takes 1.5 hours, e.g., Mondays.",
            "**Notice:** this is one.\n\n**A whole sentence in bold.**",
            "Smith Jr., MD, signs. Wait...",
        ] {
            assert_eq!(found(markdown), "", "{markdown}");
        }
    }
}
