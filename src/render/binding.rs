//! What a line of a printed page or a mail may not tear apart: a telephone number, an amount and its unit, and the last two words of
//! a paragraph or notice, so that no word stands alone on the last line. The letterhead keeps mailboxes and web addresses
//! whole.

use super::node::{Inline, Node, plain};

/// A space that is no place for a line to end.
const NO_BREAK_SPACE: char = '\u{a0}';
/// Prints nothing, and no line ends there.
const WORD_JOINER: char = '\u{2060}';
/// A hyphen that is no place for a line to end.
const NO_BREAK_HYPHEN: char = '\u{2011}';
/// A shorter paragraph stands on one line anyway.
const ONE_LINE_CHARS: usize = 36;
/// Stand behind an amount.
const UNITS: [&str; 12] = ["%", "mg", "mg/kg", "mcg", "mL", "Hz", "pm", "am", "p.m.", "a.m.", "kg", "ext."];

/// How words are held together where they are read.
struct Binding {
    /// Two last words longer than this may be apart: together they could be wider than a line of large type.
    last_words_chars_max: usize,
    /// The same in a heading, whose type is larger.
    last_of_heading_chars_max: usize,
    /// The same in a cell of a table, whose column would become too wide.
    last_of_cell_chars_max: usize,
    /// How the last word is held together behind its hyphens and slashes too.
    hyphens: Hyphens,
}

/// How a word does not break behind a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hyphens {
    /// By a joiner behind it, and behind a slash.
    Joined,
    /// By another character in its place, which fonts of mail programs have.
    Replaced,
}

const PAPER: Binding = Binding {
    last_words_chars_max: 40,
    last_of_heading_chars_max: 40,
    last_of_cell_chars_max: 22,
    hyphens: Hyphens::Joined,
};
/// A line of a telephone of 320 points holds some thirty characters, some twenty of a heading, and a column of a table on it
/// hardly a long word. Mail programs have fonts without the joiner.
const MAIL: Binding = Binding {
    last_words_chars_max: 26,
    last_of_heading_chars_max: 18,
    last_of_cell_chars_max: 0,
    hyphens: Hyphens::Replaced,
};

/// The body as it is printed on paper.
#[must_use]
pub fn body(nodes: &[Node]) -> Vec<Node> {
    PAPER.body(nodes)
}

/// A text beside the body, such as a notice or a headline, as it is printed on paper.
#[must_use]
pub fn text(text: &str) -> String {
    PAPER.text(text)
}

/// The body as it is shown in a mail, on a telephone too.
#[must_use]
pub fn mail_body(nodes: &[Node]) -> Vec<Node> {
    MAIL.body(nodes)
}

/// A text beside the body as it is shown in a mail.
#[must_use]
pub fn mail_text(text: &str) -> String {
    MAIL.text(text)
}

/// The headline of a mail.
#[must_use]
pub fn mail_headline(text: &str) -> String {
    plain(&MAIL.heading(&[Inline::Text { v: text.to_owned() }]))
}

impl Binding {
    fn body(&self, nodes: &[Node]) -> Vec<Node> {
        nodes.iter().map(|node| self.block(node)).collect()
    }

    fn text(&self, text: &str) -> String {
        plain(&self.paragraph(&[Inline::Text { v: text.to_owned() }]))
    }

    fn block(&self, node: &Node) -> Node {
        let items = |items: &[Vec<Node>]| items.iter().map(|item| self.body(item)).collect();
        match node {
            Node::Paragraph { c } => Node::Paragraph { c: self.paragraph(c) },
            Node::Heading { level, c } => Node::Heading { level: *level, c: self.heading(c) },
            Node::Bullets { items: all } => Node::Bullets { items: items(all) },
            Node::Numbers { start, items: all } => Node::Numbers { start: *start, items: items(all) },
            Node::Quote { c } => Node::Quote { c: self.body(c) },
            Node::Table { align, head, rows } => Node::Table {
                align: align.clone(),
                head: head.iter().map(|c| self.cell(c)).collect(),
                rows: rows.iter().map(|row| row.iter().map(|c| self.cell(c)).collect()).collect(),
            },
            Node::Rule => Node::Rule,
        }
    }

    fn paragraph(&self, inlines: &[Inline]) -> Vec<Inline> {
        self.lines(inlines, self.last_words_chars_max)
    }

    fn heading(&self, inlines: &[Inline]) -> Vec<Inline> {
        self.lines(inlines, self.last_of_heading_chars_max)
    }

    fn lines(&self, inlines: &[Inline], chars_max: usize) -> Vec<Inline> {
        let mut bound = with_numbers(inlines);
        if plain(&bound).chars().count() > ONE_LINE_CHARS {
            self.tie_last_words(&mut bound, chars_max);
        }
        bound
    }

    fn cell(&self, inlines: &[Inline]) -> Vec<Inline> {
        let mut bound = with_numbers(inlines);
        self.tie_last_words(&mut bound, self.last_of_cell_chars_max);
        bound
    }

    /// Ties the last word to the one before it, wherever the space between them stands, unless both are longer than
    /// `chars_max`.
    fn tie_last_words(&self, inlines: &mut [Inline], chars_max: usize) {
        let text = plain(inlines);
        let mut from_last = text.trim_end().rsplit(' ');
        let (Some(last), Some(before)) = (from_last.next(), from_last.next()) else { return };
        if last.chars().count() + before.chars().count() < chars_max {
            let mut tail = Tail { is_in_last_word: false, hyphens: self.hyphens };
            tail.tie(inlines);
        }
    }
}

fn with_numbers(inlines: &[Inline]) -> Vec<Inline> {
    let bound = inlines.iter().map(|inline| match inline {
        Inline::Text { v } => Inline::Text { v: numbers(v) },
        Inline::Code { v } => Inline::Code { v: numbers(v) },
        Inline::Emphasis { c } => Inline::Emphasis { c: with_numbers(c) },
        Inline::Strong { c } => Inline::Strong { c: with_numbers(c) },
        Inline::Link { href, c } => Inline::Link { href: href.clone(), c: with_numbers(c) },
        Inline::Break => Inline::Break,
    });
    bound.collect()
}

/// The text with its numbers held together: `(312) 555-0142`, `150 mg`, `7:30 pm`.
#[must_use]
pub fn numbers(text: &str) -> String {
    let mut bound = String::with_capacity(text.len() + 8);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            bound.push(if belong_together(last_word(&bound), word) { NO_BREAK_SPACE } else { ' ' });
        }
        bound.push_str(word);
    }
    bound
}

fn last_word(text: &str) -> &str {
    text.rsplit([' ', NO_BREAK_SPACE]).next().unwrap_or_default()
}

/// Whether two neighbors are parts of one number or amount.
fn belong_together(word: &str, next: &str) -> bool {
    let ends_in_digit = word.ends_with(|c: char| c.is_ascii_digit());
    let next_is_digit = next.starts_with(|c: char| c.is_ascii_digit());
    let area_code = word.trim_start_matches(['(', '+', '“', '"']);
    let is_area_code = area_code.len() == 4 && area_code.ends_with(')') && area_code[..3].parse::<u16>().is_ok();
    let unit = next.trim_end_matches([',', ';', ':', ')', '!', '?']);
    let is_unit = UNITS.contains(&unit) || UNITS.contains(&unit.trim_end_matches('.'));
    (next_is_digit && (ends_in_digit || is_area_code || word == "ext.")) || (ends_in_digit && is_unit)
}

/// A walk from the end of a paragraph to the space before its last word.
struct Tail {
    is_in_last_word: bool,
    hyphens: Hyphens,
}

impl Tail {
    /// Whether the space was found, or a line ends where the writer wants it to.
    fn tie(&mut self, inlines: &mut [Inline]) -> bool {
        inlines.iter_mut().rev().any(|inline| match inline {
            Inline::Text { v } | Inline::Code { v } => self.tie_text(v),
            Inline::Emphasis { c } | Inline::Strong { c } | Inline::Link { c, .. } => self.tie(c),
            Inline::Break => true,
        })
    }

    fn tie_text(&mut self, text: &mut String) -> bool {
        let ends_at = if self.is_in_last_word { text.len() } else { text.trim_end().len() };
        self.is_in_last_word |= ends_at > 0;
        let space = text[..ends_at].rfind(' ');
        let word_at = space.map_or(0, |at| at + 1);
        let word = unbroken(&text[word_at..ends_at], self.hyphens);
        text.replace_range(word_at..ends_at, &word);
        if let Some(at) = space {
            text.replace_range(at..=at, &NO_BREAK_SPACE.to_string());
        }
        space.is_some()
    }
}

/// A word that would otherwise break behind its hyphens and slashes. No line ends between a hyphen and a digit, so that a
/// telephone number stays as it is.
fn unbroken(word: &str, hyphens: Hyphens) -> String {
    let goes_on_behind_a_period = || word.split('.').skip(1).any(|part| part.starts_with(|c: char| c.is_alphabetic()));
    let is_address = word.contains('@') || word.contains("://") || goes_on_behind_a_period();
    let mut joined = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        joined.push(letter);
        let may_break = match (letter, letters.peek()) {
            (_, None) => false,
            ('-', Some(next)) => !next.is_ascii_digit(),
            ('–' | '—' | '/', Some(_)) => true,
            _ => false,
        };
        match hyphens {
            Hyphens::Joined if may_break && !is_address => joined.push(WORD_JOINER),
            Hyphens::Replaced if may_break && !is_address && letter == '-' => {
                joined.pop();
                joined.push(NO_BREAK_HYPHEN);
            }
            _ => {}
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::super::node::plain_blocks;
    use super::*;

    fn printed(markdown: &str) -> String {
        plain_blocks(&body(&parse(markdown).expect("sound"))).replace(NO_BREAK_SPACE, "_").replace(WORD_JOINER, "+")
    }

    #[test]
    fn numbers_are_held_together() {
        for (typed, bound) in [
            ("call (312) 555-0142 now", "call (312)_555-0142 now"),
            ("at 847 555 0142", "at 847_555_0142"),
            ("(312) 555-0142 ext. 12", "(312)_555-0142_ext._12"),
            ("a fall of 50 % or 150 mg.", "a fall of 50_% or 150_mg."),
            ("until 7:30 pm, or 5 p.m.", "until 7:30_pm, or 5_p.m."),
            ("22 of 38 met it", "22 of 38 met it"),
            ("  two  spaces ", "  two  spaces "),
        ] {
            assert_eq!(numbers(typed).replace(NO_BREAK_SPACE, "_"), bound);
        }
    }

    #[test]
    fn a_mail_holds_together_what_a_telephone_has_room_for_and_nothing_in_tables() {
        let shown = |markdown: &str| {
            let nodes = mail_body(&parse(markdown).expect("sound"));
            plain_blocks(&nodes).replace(NO_BREAK_SPACE, "_").replace(NO_BREAK_HYPHEN, "~").replace(WORD_JOINER, "+")
        };
        let start = "A sentence that is long enough for two lines";
        assert_eq!(shown(&format!("{start} and ask for me.")), format!("{start} and ask for_me."));
        assert_eq!(shown(&format!("{start} with follow-up.")), format!("{start} with_follow~up."));
        assert_eq!(shown(&format!("{start} to 555-0142.")), format!("{start} to_555-0142."));
        assert_eq!(shown(&format!("{start} at opt-out.a-b.example")), format!("{start} at_opt-out.a-b.example"));
        let long = format!("{start} electroencephalographic neurofeedback.");
        assert_eq!(shown(&long), long, "together they would be wider than the screen");
        let headline = "When to consider interventional treatment";
        assert_eq!(mail_headline(headline), headline, "wider than the screen in its type");
        let headline = "A thirty-minute talk for you and your staff";
        assert_eq!(mail_headline(headline).replace(NO_BREAK_SPACE, "_"), "A thirty-minute talk for you and your_staff");
        let table = shown("| a | b |\n|---|---|\n| 150 mg | a partial response (mild) |");
        assert!(table.contains("150_mg") && table.contains("response (mild)"), "{table}");
    }

    #[test]
    fn the_last_two_words_of_a_paragraph_stay_together_wherever_they_stand() {
        let start = "A sentence that is long enough for two lines";
        for (end, bound) in [
            ("of text.", "of_text."),
            ("of **text**.", "of_text."),
            ("**of text.**", "of_text."),
            ("after follow-up.", "after_follow-+up."),
            ("[of it](https://a.example/x)", "of_it"),
        ] {
            assert_eq!(printed(&format!("{start} {end}")), format!("{start} {bound}"));
            assert_eq!(printed(&format!("- {start} {end}")), format!("{start} {bound}"), "in a list");
        }
        assert_eq!(printed(&format!("{start}\\\nalone")), format!("{start} alone"), "the writer ends the line");
        let long = format!("{start} {}", "long".repeat(12));
        assert_eq!(printed(&long), long, "too wide for one line");
        assert_eq!(printed("Dear Dr. Whitfield,"), "Dear Dr. Whitfield,");
    }

    #[test]
    fn a_notice_is_bound_like_a_paragraph_and_a_number_at_its_end_stays_a_number() {
        let printed = |typed: &str| text(typed).replace(NO_BREAK_SPACE, "_").replace(WORD_JOINER, "+");
        assert_eq!(
            printed("All of these work 24 hours a day, 7 days a week."),
            "All of these work 24 hours a day, 7 days a_week."
        );
        assert_eq!(
            printed("Check what applies and fax this page to (847) 555-0141"),
            "Check what applies and fax this page to_(847)_555-0141"
        );
        assert_eq!(
            printed("Or go to our page, which is www.long-name.example/opt-out."),
            "Or go to our page, which is_www.long-name.example/opt-out."
        );
        assert_eq!(printed("One name, one number"), "One name, one number");
    }

    #[test]
    fn short_cells_of_a_table_do_not_break_before_their_last_word() {
        assert_eq!(printed("| a |\n|---|\n| not recorded |"), "a\nnot_recorded");
        assert_eq!(
            printed("| a |\n|---|\n| only after a conversation beforehand |"),
            "a\nonly after a conversation beforehand"
        );
    }
}
