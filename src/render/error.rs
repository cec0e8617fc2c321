//! What can be wrong with a template, and why a letter could not be rendered. No text here quotes a variable's value.

use std::fmt;

use super::variables::{Flaw, joined};
use crate::domain::channel::Channel;

/// A mistake in a template, with its place as far as known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The file inside the template folder, such as `introduction/letter.md`.
    pub template: String,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
    /// What is wrong, and where possible what to write instead.
    pub message: String,
}

impl TemplateError {
    /// A mistake in the file as a whole.
    #[must_use]
    pub fn whole(template: impl Into<String>, message: impl Into<String>) -> Self {
        Self { template: template.into(), line: None, column: None, message: message.into() }
    }

    /// A mistake at a place, both counted from 1.
    #[must_use]
    pub fn at(template: impl Into<String>, (line, column): (usize, usize), message: impl Into<String>) -> Self {
        Self { template: template.into(), line: Some(line), column: Some(column), message: message.into() }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)?;
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Why one letter could not be rendered for one recipient.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// No letter of that name.
    #[error("there is no letter `{0}`")]
    UnknownLetter(String),
    /// The letter, or what it shares with others, has a mistake.
    #[error(
        "letter `{letter}` is out of service{} because of a mistake: {mistake}. `touchline template check` shows them all; \
             correct them, then restart `touchline serve`",
        by_channel(*by)
    )]
    OutOfService {
        /// The letter.
        letter: String,
        /// The channel that it is out of service by; none: by every channel.
        by: Option<Channel>,
        /// Its first mistake.
        mistake: String,
    },
    /// Variables are missing, of the wrong kind, or not declared. Names only, never values.
    #[error("letter `{letter}`: {}", joined(problems))]
    Variables {
        /// The letter.
        letter: String,
        /// One for each variable.
        problems: Vec<Flaw>,
    },
    /// The fax has more pages than the letter allows.
    #[error("letter `{letter}` fills {pages} pages; it may fill {max}. Shorten what was filled in, or the letter")]
    TooLong {
        /// The letter.
        letter: String,
        /// Pages it fills, a cover page not counted.
        pages: u32,
        /// The letter's `fax.pages_max`.
        max: u32,
    },
    /// The template does not render with these values.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The typesetter refused the page or its pictures.
    #[error("letter `{letter}`: {source}")]
    Typeset {
        /// The letter.
        letter: String,
        /// The typesetter's message.
        source: touchline_typeset::TypesetError,
    },
    /// A preview file could not be written.
    #[error("the preview file `{file}` could not be written: {reason}")]
    Preview {
        /// File name without its folder.
        file: &'static str,
        /// Why.
        reason: String,
    },
}

fn by_channel(by: Option<Channel>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}

/// Line and column, both from 1, of a byte offset. Columns count characters.
pub(crate) fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The known name closest to what was written, if it is close enough to be a typo.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match written.chars().count() {
        0..4 => 1,
        4..8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|name| (edits(written, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance, for the short names of variables.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let kept = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_names_its_file_line_and_column() {
        let error = TemplateError::at("introduction/letter.md", (12, 3), "unknown variable `practise.name`");
        assert_eq!(error.to_string(), "introduction/letter.md:12:3: unknown variable `practise.name`");
        assert_eq!(TemplateError::whole("a/letter.md", "is empty").to_string(), "a/letter.md: is empty");
    }

    #[test]
    fn a_slip_is_answered_with_the_name_that_was_meant() {
        let known = ["practice", "referrer", "date"];
        assert_eq!(did_you_mean("practise", known), Some("practice"));
        assert_eq!(did_you_mean("referer", known), Some("referrer"));
        assert_eq!(did_you_mean("elephant", known), None);
    }

    #[test]
    fn places_count_from_one() {
        assert_eq!(place("ab\ncd", 0), (1, 1));
        assert_eq!(place("ab\ncd", 4), (2, 2));
        assert_eq!(place("é\né", 5), (2, 2));
    }
}
