//! The variables that a configuration reads: the process's environment, and below it the file `touchline.env` beside the
//! configuration. A service and a person at a terminal then read the same secrets.
//!
//! The file has one `NAME=value` on each line, with or without quotation marks around the value; blank lines and lines that
//! begin with `#` say nothing. Nothing is substituted: a secret may hold any sign, `$` included, which is why no library for
//! shell-like files reads it.

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::{ConfigError, Problem};
use crate::files::{ReadError, folder_of, read_regular};

/// The file's name.
pub const VARIABLES_FILE: &str = "touchline.env";
/// Largest file, in bytes.
pub const VARIABLES_BYTES_MAX: u64 = 64 * 1024;

/// The value of a variable, in the environment or in the file beside a configuration.
///
/// # Errors
/// The file cannot be read; see [`ConfigError`].
pub fn variable(config: &Path, name: &str) -> Result<Option<String>, ConfigError> {
    let value = Variables::read(folder_of(config))?.lookup(name);
    Ok(value.filter(|value| !value.trim().is_empty()))
}

/// Every variable that is set, in the environment or in the file.
#[derive(Default)]
pub(super) struct Variables {
    of_file: BTreeMap<String, String>,
}

impl Variables {
    /// Reads the file in the folder, if there is one.
    ///
    /// # Errors
    /// Names the file and the lines that cannot be read; never what stands in them.
    pub(super) fn read(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(VARIABLES_FILE);
        if path.symlink_metadata().is_err() {
            return Ok(Self::default());
        }
        let file = path.display().to_string();
        let failed = |problems| ConfigError { file: file.clone(), problems };
        let whole = |message: String| failed(vec![Problem { key: String::new(), line: None, message }]);
        let bytes = read_regular(&path, VARIABLES_BYTES_MAX).map_err(|error| match error {
            ReadError::TooLarge(_) => whole("it is larger than 64 KB: it takes one NAME=value on each line".to_owned()),
            other => whole(format!("it {other}: correct it, or remove it")),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| whole("it is not UTF-8 text: save it as UTF-8".to_owned()))?;
        parse(&text).map(|of_file| Self { of_file }).map_err(failed)
    }

    /// The value of a variable. The environment's counts more than the file's.
    pub(super) fn lookup(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().or_else(|| self.of_file.get(name).cloned())
    }

    /// All of them, each once.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let mut all = self.of_file.clone();
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        all.extend(std::env::vars_os().filter_map(text));
        all.into_iter().collect()
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut variables = BTreeMap::new();
    let mut problems = Vec::new();
    for (line, written) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let written = written.trim();
        if written.is_empty() || written.starts_with('#') {
            continue;
        }
        let message = match written.split_once('=').map(|(name, value)| (name.trim(), unquoted(value.trim()))) {
            Some((name, value)) if is_name(name) => match variables.insert(name.to_owned(), value.to_owned()) {
                None => continue,
                Some(_) => "the variable stands here a second time: remove one of them",
            },
            _ => "write NAME=value, with letters, digits and underscores in the name; # begins a comment",
        };
        problems.push(Problem { key: String::new(), line: Some(line), message: message.to_owned() });
    }
    if problems.is_empty() { Ok(variables) } else { Err(problems) }
}

fn is_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unquoted(value: &str) -> &str {
    let within = |mark| value.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_as_it_stands() {
        let text = "\u{feff}# secrets\n\nKEY=a$b#c=d\n  QUOTED = \" x \"\nSINGLE='it''s'\r\nEMPTY=\n";
        let read = parse(text).expect("read");
        let value = |name: &str| read.get(name).map(String::as_str);
        assert_eq!((value("KEY"), value("QUOTED"), value("SINGLE")), (Some("a$b#c=d"), Some(" x "), Some("it''s")));
        assert_eq!((value("EMPTY"), read.len()), (Some(""), 4));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_never_quoted() {
        let problems = parse("A=1\nexport B=sesame\nsesame\nA=2\n9=x\n").expect_err("refused");
        assert_eq!(problems.iter().map(|one| one.line).collect::<Vec<_>>(), [Some(2), Some(3), Some(4), Some(5)]);
        assert!(problems.iter().all(|one| !one.message.contains("sesame")));
    }

    #[test]
    fn the_file_lies_beside_the_configuration_and_the_environment_counts_more() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Variables::read(folder.path()).expect("nothing there").lookup("TOUCHLINE_NOBODY_SETS_THIS"), None);
        std::fs::write(folder.path().join(VARIABLES_FILE), "TOUCHLINE_NOBODY_SETS_THIS=x\nPATH=y\n").expect("written");
        let variables = Variables::read(folder.path()).expect("read");
        assert_eq!(variables.lookup("TOUCHLINE_NOBODY_SETS_THIS").as_deref(), Some("x"));
        assert_eq!(variables.lookup("PATH"), std::env::var("PATH").ok());
        assert_eq!(variables.all().iter().filter(|(name, _)| name == "PATH").count(), 1);
        std::fs::remove_file(folder.path().join(VARIABLES_FILE)).expect("removed");
        std::fs::create_dir(folder.path().join(VARIABLES_FILE)).expect("a folder in its place");
        let refused = Variables::read(folder.path()).err().expect("refused").to_string();
        assert!(refused.contains("touchline.env: it is not a regular file"), "{refused}");
    }
}
