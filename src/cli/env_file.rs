//! Writes secrets into `touchline.env`, the file beside the configuration that only its owner can read. Whatever else stands
//! there stays.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::exit::{CliError, Ending};
use crate::config::{VARIABLES_BYTES_MAX, VARIABLES_FILE};
use crate::files::{ReadError, read_regular, replace_secret};

/// What stands above the variables that are offered.
const OFFER: &str = "# Secrets that touchline.toml names. Remove the # before a name and write the value after it.\n";

/// A variable to set.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is, as a comment above it.
    pub about: String,
    /// Its value.
    pub value: SecretString,
}

/// Sets variables in the file beside a configuration: in place of the line that sets or offers one, else at the end.
///
/// # Errors
/// The file cannot be read or written; a value has a line break. No value is repeated.
pub fn set(config: &Path, entries: &[Entry]) -> Result<(), CliError> {
    let path = config.with_file_name(VARIABLES_FILE);
    let mut text = read(&path)?;
    for entry in entries {
        text = with(&text, entry)
            .ok_or_else(|| CliError::refused(format!("the value for {} has a line break", entry.name)))?;
    }
    write(&path, &text)
}

/// Offers variables in the file beside a configuration, each with what it must contain: a commented line at the end for each
/// that no line sets or offers yet. A file that needs none is left as it is.
///
/// # Errors
/// The file cannot be read or written.
pub fn offer(config: &Path, offers: &[(String, &str)]) -> Result<(), CliError> {
    let path = config.with_file_name(VARIABLES_FILE);
    if offers.is_empty() {
        return Ok(());
    }
    let before = read(&path)?;
    let after = with_offers(&before, offers);
    if after == before { Ok(()) } else { write(&path, &after) }
}

fn failed(path: &Path, why: &str) -> CliError {
    CliError::new(Ending::Failed, format!("{} {why}", path.display()))
}

/// The file's text; empty where there is none.
fn read(path: &Path) -> Result<String, CliError> {
    if path.symlink_metadata().is_err() {
        return Ok(String::new());
    }
    let octets =
        read_regular(path, VARIABLES_BYTES_MAX).map_err(|error: ReadError| failed(path, &error.to_string()))?;
    String::from_utf8(octets).map_err(|_| failed(path, "is not UTF-8 text"))
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    replace_secret(path, text.as_bytes())
        .map_err(|error: std::io::Error| failed(path, &format!("cannot be written ({})", error.kind())))
}

/// Whether a line sets a variable, or offers it as a comment.
fn names(line: &str, name: &str) -> bool {
    let line = line.trim().trim_start_matches('#').trim_start();
    line.split_once('=').is_some_and(|(named, _)| named.trim() == name)
}

/// The text with what it does not name yet, offered at its end.
fn with_offers(text: &str, offers: &[(String, &str)]) -> String {
    let is_new = |name: &str| !text.lines().any(|line| names(line, name));
    let new = offers.iter().filter(|(name, _)| is_new(name));
    let lines: String =
        new.map(|(name, about)| format!("# {}\n# {name}=\n", about.replace(['\n', '\r'], " "))).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let beginning = if text.contains(OFFER) { "" } else { OFFER };
    format!("{text}{gap}{beginning}{lines}")
}

/// The text with the variable set; `None` if its value does not fit on a line.
fn with(text: &str, entry: &Entry) -> Option<String> {
    let value = entry.value.expose_secret();
    if value.contains(['\n', '\r']) {
        return None;
    }
    // One pair of quotation marks around a value is taken off when it is read.
    let needs_quotes = value.trim() != value || value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']);
    let value = if needs_quotes { format!("\"{value}\"") } else { value.to_owned() };
    let line = format!("{}={value}", entry.name);
    let sets = |line: &str| names(line, &entry.name);
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().position(|line| sets(line)) {
        Some(place) => {
            lines[place] = &line;
            let mut seen = 0;
            lines.retain(|line| {
                seen += usize::from(sets(line));
                !sets(line) || seen == 1
            });
            Some(lines.join("\n") + "\n")
        }
        None => {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Some(format!("{text}{gap}# {}\n{line}\n", entry.about.replace(['\n', '\r'], " ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> Entry {
        Entry { name: "KEY".to_owned(), about: "The key.".to_owned(), value: SecretString::from(value.to_owned()) }
    }

    #[test]
    fn a_value_takes_the_place_that_was_offered_and_the_rest_stays() {
        for (before, after) in [
            ("", "# The key.\nKEY=new\n"),
            ("A=1", "A=1\n# The key.\nKEY=new\n"),
            ("# The key.\n# KEY=\nB=2\n", "# The key.\nKEY=new\nB=2\n"),
            ("KEY=old\nB=2\n", "KEY=new\nB=2\n"),
            ("# KEY=\nKEY=old\n", "KEY=new\n"),
            ("# MY KEY=\n", "# MY KEY=\n# The key.\nKEY=new\n"),
        ] {
            assert_eq!(with(before, &entry("new")).as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn what_is_missing_is_offered_as_a_comment_and_nothing_else_changes() {
        let offers = [("KEY".to_owned(), "The key."), ("PASSWORD".to_owned(), "Its\npassword.")];
        let key = "# The key.\n# KEY=\n";
        let password = "# Its password.\n# PASSWORD=\n";
        for (before, after) in [
            ("", format!("{OFFER}{key}{password}")),
            ("KEY=1", format!("KEY=1\n{OFFER}{password}")),
            ("# KEY=\nA=1\n", format!("# KEY=\nA=1\n{OFFER}{password}")),
            ("KEY=1\nPASSWORD=2", "KEY=1\nPASSWORD=2".to_owned()),
        ] {
            assert_eq!(with_offers(before, &offers), after, "{before:?}");
            assert_eq!(with_offers(&after, &offers), after, "offered once");
        }
    }

    #[test]
    fn a_value_is_read_back_as_it_was_typed() {
        assert!(with("", &entry(" x ")).is_some_and(|text| text.ends_with("KEY=\" x \"\n")));
        assert!(with("", &entry("\"x\"")).is_some_and(|text| text.ends_with("KEY=\"\"x\"\"\n")));
        assert!(with("", &entry("a$b#c=d")).is_some_and(|text| text.ends_with("KEY=a$b#c=d\n")));
        assert!(with("", &entry("a\nB=2")).is_none());
    }
}
