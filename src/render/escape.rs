//! Turns values into Markdown that prints exactly what was typed.

/// Preserved inside a value, so that numbers and names are not broken.
const NO_BREAK_SPACE: char = '\u{a0}';

/// The value on one line: every run of white space becomes one space, ends are trimmed, control characters and
/// bidirectional controls are dropped. This is what a value looks like on the page.
#[must_use]
pub fn one_line(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for c in value.chars() {
        if c == NO_BREAK_SPACE {
            if !line.is_empty() {
                line.push(c);
            }
        } else if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') {
            line.push(c);
        }
    }
    line.truncate(line.trim_end_matches([' ', NO_BREAK_SPACE]).len());
    line
}

/// A value as Markdown that prints as [`one_line`] of it and can start neither emphasis nor a link, a heading, a
/// list, a table cell or HTML: all ASCII punctuation is escaped. A value of digits alone gets its first digit as a
/// character reference, because `1` before a template's period would otherwise begin a list.
#[must_use]
pub fn escape(value: &str) -> String {
    let line = one_line(value);
    if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) {
        return format!("&#{};{}", line.as_bytes()[0], &line[1..]);
    }
    let mut escaped = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::super::node::{Node, plain, plain_blocks};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_value_prints_as_typed_and_never_changes_the_structure(value in "\\PC{0,60}|[\\x00-\\x7f\u{a0}\u{202e}]{0,60}") {
            let shown = one_line(&value);
            for (before, after) in [("", ""), ("", ". Next"), ("- ", ""), ("# ", ""), ("**", "**x"), ("a ", " b\n> ")] {
                let inside = parse(&format!("{before}{}x{after}", escape(&value))).expect("a value breaks nothing");
                let usual = parse(&format!("{before}QQx{after}")).expect("sound");
                prop_assert_eq!(plain_blocks(&inside), plain_blocks(&usual).replace("QQ", &shown));
            }
            let cell = parse(&format!("| a |\n|---|\n| {} |\n", escape(&value))).expect("a value breaks nothing");
            let [Node::Table { rows, .. }] = &cell[..] else { panic!("no longer one table") };
            prop_assert_eq!(rows.iter().map(|row| plain(&row[0])).collect::<Vec<_>>(), [shown.trim().to_owned()]);
        }

        #[test]
        fn a_value_alone_on_its_line_is_one_paragraph(value in "[-#>*+=_~`|0-9.)\\[\\]<&a ]{1,12}") {
            let shown = one_line(&value);
            prop_assume!(!shown.is_empty());
            for after in ["", ". Next", ") Next", "\n===\n"] {
                let nodes = parse(&format!("{}{after}", escape(&value))).expect("a value breaks nothing");
                prop_assert_eq!(nodes.len(), 1);
                prop_assert!(plain_blocks(&nodes).starts_with(&shown));
            }
        }
    }
}
