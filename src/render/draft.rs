//! Reads a template's Markdown before anything is filled in, with every placeholder as one opaque character. What no
//! format supports, and placeholders where escaping would not protect, are reported here, with line and column.

use pulldown_cmark::{Event, Parser, Tag};

use super::error::{TemplateError, place};
use super::markdown::{DEPTH_MAX, options};

/// Stands for a placeholder that prints a value.
const VALUE: char = '\u{e000}';
/// Stands for `{{url …}}`.
const ADDRESS: char = '\u{e001}';

/// What is wrong with the Markdown of `source`, the text of `file` from its first byte.
#[must_use]
pub fn check(file: &str, source: &str) -> Vec<TemplateError> {
    let flat = Flat::of(source);
    let mut errors = Vec::new();
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(&flat.text, options()).into_offset_iter() {
        match &event {
            Event::Start(tag) if is_container(tag) => depth += 1,
            Event::End(end) if is_container_end(*end) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let problem = if depth > DEPTH_MAX {
            Some("lists, quotations or emphasis are nested too deeply")
        } else {
            problem(&event)
        };
        if let Some(problem) = problem {
            errors.push(TemplateError::at(file, place(source, flat.origin(range.start)), problem));
        }
    }
    errors.extend(fragile_emphasis(file, source, &flat));
    errors.dedup();
    errors
}

/// Whether emphasis opens and closes for a value of punctuation just as for one of letters: in `**{{name}}**s` it
/// does not, and the asterisks would print.
fn fragile_emphasis(file: &str, source: &str, flat: &Flat) -> Option<TemplateError> {
    let spans = |text: &str| {
        let events = Parser::new_ext(text, options()).into_offset_iter();
        let starts = events.filter(|(event, _)| matches!(event, Event::Start(Tag::Emphasis | Tag::Strong)));
        starts.map(|(_, range)| range).collect::<Vec<_>>()
    };
    // Of the same length in bytes, so that offsets stay the same.
    let (letters, punctuation) = (spans(&flat.text), spans(&flat.text.replace(VALUE, "%%%")));
    let differs = letters.iter().find(|range| !punctuation.contains(range))?;
    let message = "a value that begins or ends with punctuation breaks this emphasis: put a space or a period outside the asterisks";
    Some(TemplateError::at(file, place(source, flat.origin(differs.start)), message))
}

fn problem(event: &Event<'_>) -> Option<&'static str> {
    match event {
        Event::Html(_) | Event::InlineHtml(_) => {
            Some("raw HTML is not allowed in a letter; write \\< for a plain <, and {{!-- … --}} for a comment")
        }
        Event::Start(Tag::CodeBlock(_)) => Some("a letter has no code blocks; a line may not begin with four spaces"),
        Event::Start(Tag::Image { .. }) => Some("a letter has no pictures other than the logo and the signature"),
        Event::Code(text) if text.contains([VALUE, ADDRESS]) => {
            Some("a placeholder cannot be inside backticks: its escapes would print")
        }
        Event::Start(Tag::Link { dest_url, .. }) => link_problem(dest_url),
        _ => None,
    }
}

fn link_problem(target: &str) -> Option<&'static str> {
    let lower = target.to_ascii_lowercase();
    if target.contains(VALUE) {
        Some("write {{url …}} for a value in the target of a link")
    } else if target.starts_with(ADDRESS)
        || ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme))
    {
        None
    } else {
        Some("a link must begin with https://, http://, mailto: or tel:")
    }
}

fn is_container(tag: &Tag<'_>) -> bool {
    is_container_end(tag.to_end())
}

fn is_container_end(end: pulldown_cmark::TagEnd) -> bool {
    use pulldown_cmark::TagEnd as End;
    matches!(end, End::BlockQuote(_) | End::List(_) | End::Emphasis | End::Strong | End::Link)
}

/// A template without its tags, and where each piece came from.
struct Flat {
    text: String,
    /// (offset in `text`, offset in the source), ascending.
    pieces: Vec<(usize, usize)>,
}

impl Flat {
    fn of(source: &str) -> Self {
        let mut flat = Self { text: String::with_capacity(source.len()), pieces: Vec::new() };
        let mut at = 0;
        while let Some(open) = source[at..].find("{{").map(|found| at + found) {
            flat.keep(source, at, open);
            let comment = source[open..].starts_with("{{!--");
            let close = if comment { "--}}" } else { "}}" };
            let Some(end) = source[open..].find(close).map(|found| open + found + close.len()) else {
                at = source.len();
                break;
            };
            // The third brace of {{{x}}}.
            let end = end + usize::from(source[open..].starts_with("{{{") && source[end..].starts_with('}'));
            if let Some(stand_in) = stand_in(&source[open + 2..end]) {
                flat.pieces.push((flat.text.len(), open));
                flat.text.push(stand_in);
            }
            at = end;
        }
        flat.keep(source, at, source.len());
        flat
    }

    fn keep(&mut self, source: &str, from: usize, to: usize) {
        self.pieces.push((self.text.len(), from));
        self.text.push_str(&source[from..to]);
    }

    /// The offset in the source of an offset in the flat text.
    fn origin(&self, offset: usize) -> usize {
        let next = self.pieces.partition_point(|(flat, _)| *flat <= offset);
        self.pieces.get(next.saturating_sub(1)).map_or(0, |(flat, source)| source + (offset - flat))
    }
}

/// What a tag prints, given the text behind its opening braces; blocks, partials and comments print nothing.
fn stand_in(tag: &str) -> Option<char> {
    let inner = tag.trim_start_matches(['~', '{', ' ']);
    if inner.starts_with(['#', '/', '!', '>', '^', '*']) || inner.starts_with("else") {
        None
    } else if inner.starts_with("url ") {
        Some(ADDRESS)
    } else {
        Some(VALUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str) -> Vec<String> {
        check("x/letter.md", source).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sound_templates_pass() {
        let source = "Dear {{name}},\n\n{{#if a}}\n- {{a}}\n{{else}}\n- none\n{{/if}}\n\n{{!-- a <b> comment --}}\n\
                      | A |\n|---|\n{{#each rows}}\n| {{this}} |\n{{/each}}\n\n[paper]({{url address}})\n";
        assert_eq!(said(source), Vec::<String>::new());
    }

    #[test]
    fn raw_html_is_refused_with_its_place() {
        let found = said("Dear {{some_long_name}},\n\nplease {{a}} <b>call</b>\n");
        assert!(found[0].starts_with("x/letter.md:3:14: raw HTML"), "{found:?}");
        assert!(said("{{#if a}}\n<!-- hidden -->\n{{/if}}")[0].starts_with("x/letter.md:2:1: raw HTML"));
    }

    #[test]
    fn placeholders_may_not_stand_where_escapes_would_print() {
        assert!(said("a\n\nthe **{{name}}**s")[0].starts_with("x/letter.md:3:5: a value that begins or ends with"));
        assert!(said("the **{{name}}**, and *{{name}}*").is_empty());
        assert!(said("see `{{code}}`")[0].contains("backticks"));
        assert!(said("[x]({{address}})")[0].contains("{{url …}}"));
        assert!(said("[x](ftp://a)")[0].contains("https://"));
        assert!(said("para\n\n    {{a}}")[0].contains("code blocks"));
        assert!(said(&format!("{}x", "> ".repeat(13)))[0].contains("nested"));
    }
}
