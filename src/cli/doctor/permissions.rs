//! Whether others on this machine may read what is nobody else's business: the database and what lies beside it, a
//! configuration with a password in it, files with secrets. What Touchline writes is its owner's alone; what an earlier
//! version wrote, or somebody copied, may not be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use url::Url;

use super::{Findings, State};
use crate::config::{Config, VARIABLES_FILE};
use crate::files::{folder_of, is_open_to_others, is_writable_by_others};
use crate::store::engine::db::sqlite_file;

/// How many files are named.
const FILES_SHOWN_MAX: usize = 20;

/// Checks them, and says how to close those that are open to others. Says nothing where the system has no permissions.
pub(super) fn check(config: &Config, config_path: &Path, findings: &mut Findings) {
    let url = config.store.url.expose_secret();
    let mut private = sqlite_file(url).map(of_database).unwrap_or_default();
    let text = std::fs::read_to_string(config_path).unwrap_or_default();
    if holds_password(&text, url) {
        private.push(config_path.to_owned());
    }
    let folder = config_path.parent().unwrap_or(Path::new(""));
    private.push(folder.join(VARIABLES_FILE));
    private.extend(secret_files(&text, folder));
    check_folders(&private, findings);
    let states: Vec<(PathBuf, bool)> =
        private.into_iter().filter_map(|path| is_open_to_others(&path).map(|is_open| (path, is_open))).collect();
    let open: Vec<String> =
        states.iter().filter(|(_, is_open)| *is_open).map(|(path, _)| quoted(path)).take(FILES_SHOWN_MAX).collect();
    if !open.is_empty() {
        let words = format!(
            "others on this machine may read what holds health data or secrets. Close it to them with:\n  chmod go= {}",
            open.join(" ")
        );
        findings.add("permissions", State::Warn, words);
    } else if !states.is_empty() {
        findings.add("permissions", State::Ok, "database and secrets are open to nobody else");
    }
}

/// Checks the folders in which those files lie: who may write there can replace a file that they may not read.
fn check_folders(private: &[PathBuf], findings: &mut Findings) {
    let folders: BTreeSet<&Path> = private.iter().map(|path| folder_of(path)).collect();
    let open: Vec<String> = folders
        .into_iter()
        .filter(|folder| is_writable_by_others(folder) == Some(true))
        .map(quoted)
        .take(FILES_SHOWN_MAX)
        .collect();
    if !open.is_empty() {
        let words = format!(
            "others on this machine may replace or delete the files in these folders. Close them to them with:\n  chmod go-w {}",
            open.join(" ")
        );
        findings.add("folders", State::Warn, words);
    }
}

/// The file of a database, its log, and what `touchline restore` keeps of earlier ones: all that begins with its name.
fn of_database(file: &Path) -> Vec<PathBuf> {
    let folder = folder_of(file);
    let Some(name) = file.file_name().map(|name| name.to_string_lossy().into_owned()) else { return Vec::new() };
    let is_ours = |other: &str| {
        let rest = other.strip_prefix(&name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_ours(name));
    let mut paths: Vec<PathBuf> = names.map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// Whether the password of the database stands in the file itself. Other secrets are refused there.
fn holds_password(text: &str, url: &str) -> bool {
    let has_password = Url::parse(url).is_ok_and(|url| url.password().is_some());
    has_password && text.contains(url)
}

/// The files that hold secrets: every `{ file = "PATH" }` of a configuration.
fn secret_files(text: &str, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut tables: Vec<toml::Table> = toml::from_str::<toml::Table>(text).into_iter().collect();
    while let Some(table) = tables.pop() {
        if table.len() == 1
            && let Some(path) = table.get("file").and_then(toml::Value::as_str)
        {
            found.push(folder.join(path));
        }
        tables.extend(table.into_iter().filter_map(|(_, value)| match value {
            toml::Value::Table(table) => Some(table),
            _ => None,
        }));
    }
    found.sort();
    found
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_wherever_a_configuration_names_their_files() {
        let text = "[store]\nurl = { file = 'db.url' }\n[providers.fax]\nkind = 'sandbox'\napi_key = { file = '/k/key' }\n\
                    [providers.other]\napi_key = { env = 'KEY' }\n";
        let found = secret_files(text, Path::new("/etc/touchline"));
        assert_eq!(found, [PathBuf::from("/etc/touchline/db.url"), PathBuf::from("/k/key")]);
        assert!(secret_files("no = = toml", Path::new("/")).is_empty());
        let url = "postgres://clinic:pw@localhost/touchline";
        assert!(holds_password(&format!("[store]\nurl = \"{url}\"\n"), url));
        assert!(!holds_password("[store]\nurl = { env = 'URL' }\n", url));
        assert!(!holds_password(
            "[store]\nurl = \"postgres://localhost/touchline\"\n",
            "postgres://localhost/touchline"
        ));
    }

    #[test]
    fn a_path_is_one_word_to_a_shell() {
        assert_eq!(quoted(Path::new("/var/lib/touchline.db-wal")), "/var/lib/touchline.db-wal");
        assert_eq!(quoted(Path::new("/my records/it's.db")), r"'/my records/it'\''s.db'");
    }
}
