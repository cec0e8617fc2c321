//! What is wrong with a configuration: file, line, key, and what to do. Never a value.

use std::fmt;

use toml::de::DeTable;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path, such as `sending.slots`; empty if the file as a whole is meant.
    pub key: String,
    /// Line of the file, if the key is there.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong with one configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file's name.
    pub file: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{}: {count} problem{}", self.file, if count == 1 { "" } else { "s" })?;
        for problem in &self.problems {
            write!(f, "\n  {}", self.file)?;
            if let Some(line) = problem.line {
                write!(f, ":{line}")?;
            }
            if !problem.key.is_empty() {
                write!(f, ": {}", problem.key)?;
            }
            write!(f, ": {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub(super) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { key: key.into(), line: None, message: message.into() });
    }

    /// Adds one that belongs to a line, not to a key.
    pub(super) fn add_at(&mut self, line: Option<usize>, message: impl Into<String>) {
        self.0.push(Problem { key: String::new(), line, message: message.into() });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The error, with the lines looked up in the text; none if nothing was noted.
    pub(super) fn into_error(mut self, file: &str, text: &str) -> Option<ConfigError> {
        if self.0.is_empty() {
            return None;
        }
        if let Ok(table) = DeTable::parse(text) {
            for problem in self.0.iter_mut().filter(|problem| problem.line.is_none()) {
                problem.line = line_of_key(table.get_ref(), &problem.key, text);
            }
        }
        Some(ConfigError { file: file.to_owned(), problems: self.0 })
    }
}

/// The line of the deepest part of the dotted key found in the text.
fn line_of_key(root: &DeTable<'_>, key: &str, text: &str) -> Option<usize> {
    let mut table = root;
    let mut line = None;
    for part in key.split('.') {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == part) else { break };
        line = Some(line_at(text, name.span().start));
        match value.get_ref().as_table() {
            Some(inner) => table = inner,
            None => break,
        }
    }
    line
}

/// The line, from 1, that contains the byte.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}
