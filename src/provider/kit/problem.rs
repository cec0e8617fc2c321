//! What is wrong with a description: file, line, column, and what to do. Never a value of a secret: there are none in it.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line and column, from 1; none if the file as a whole is meant.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong with one description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptionError {
    /// The file's name.
    pub file: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl DescriptionError {
    /// The file as a whole.
    #[must_use]
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), problems: vec![Problem { place: None, message: message.into() }] }
    }
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.file)?;
            if let Some((line, column)) = problem.place {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for DescriptionError {}

/// Line and column, from 1, of a byte.
#[must_use]
pub fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}

/// Line and column of a place within a TOML string: `inner` counts from 1 in the string's own text, `byte` is where
/// the string begins in the file. Exact for strings without escapes.
#[must_use]
pub fn place_within(text: &str, byte: usize, inner: Option<(usize, usize)>) -> (usize, usize) {
    let (line, column) = place(text, byte);
    let Some((inner_line, inner_column)) = inner else { return (line, column) };
    let rest = text.get(byte..).unwrap_or_default();
    let is_long = rest.starts_with("'''") || rest.starts_with("\"\"\"");
    let quotes = if is_long { 3 } else { 1 };
    // A newline right after the opening quotes is not part of the string.
    let begins_below = is_long && rest[quotes..].trim_start_matches('\r').starts_with('\n');
    match (begins_below, inner_line) {
        (true, _) => (line + inner_line, inner_column),
        (false, 1) => (line, column + quotes + inner_column - 1),
        (false, _) => (line + inner_line - 1, inner_column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\nü = \"xyz\"\n";
        let byte = text.find("\"xyz").expect("there");
        assert_eq!(place(text, byte), (2, 5));
        assert_eq!(place_within(text, byte, Some((1, 2))), (2, 7));
        let long = "j = '''\n{\n \"a\": 1}'''";
        assert_eq!(place_within(long, long.find("'''").expect("there"), Some((2, 2))), (3, 2));
    }
}
