//! The file as a tree, with the environment's overrides applied.

use std::collections::BTreeMap;

use figment::providers::Serialized;
use figment::value::{Dict, Value};
use figment::{Figment, Profile};

use super::problem::{Problems, line_at};
use super::section::KeyPath;

/// Start of the variables that override keys.
const OVERRIDE_PREFIX: &str = "TOUCHLINE_";
/// What replaces a dot in their names.
const OVERRIDE_DOT: &str = "__";
/// The file as a table. An error of syntax names line and column, and does not quote the line.
pub(super) fn parse_toml(text: &str, problems: &mut Problems) -> Option<toml::Table> {
    match text.trim_start_matches('\u{feff}').parse::<toml::Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let line = error.span().map(|span| line_at(text, span.start));
            problems.add_at(line, format!("this is not TOML: {}", error.message().replace('\n', " ")));
            None
        }
    }
}

/// The variables in our form, by the key each sets. An account's name is matched without regard to `-` and `_`.
pub(super) fn find_overrides(
    variables: &[(String, String)],
    file: &toml::Table,
    problems: &mut Problems,
) -> BTreeMap<KeyPath, String> {
    let accounts = file.get("providers").and_then(toml::Value::as_table);
    let mut overrides = BTreeMap::new();
    for (name, value) in variables {
        let Some(rest) = name.strip_prefix(OVERRIDE_PREFIX).filter(|rest| rest.contains(OVERRIDE_DOT)) else {
            continue;
        };
        let mut path: KeyPath = rest.to_ascii_lowercase().split(OVERRIDE_DOT).map(str::to_owned).collect();
        if path.len() > 4 || path.iter().any(String::is_empty) {
            problems.add("", format!("the environment variable {name} names no key: write TOUCHLINE_SECTION__KEY"));
            continue;
        }
        if path[0] == "providers"
            && let Some(account) =
                accounts.and_then(|table| table.keys().find(|key| key.replace('-', "_") == path[1].replace('-', "_")))
        {
            path[1].clone_from(account);
        }
        overrides.insert(path, value.clone());
    }
    overrides
}

/// File and overrides in one tree. An override is a string if the file's value is one.
pub(super) fn merge(
    file: &toml::Table,
    overrides: &BTreeMap<KeyPath, String>,
    problems: &mut Problems,
) -> Option<Dict> {
    let mut figment = Figment::new().merge(Serialized::from(file, Profile::Default));
    for (path, text) in overrides {
        let standing = path.iter().try_fold(None, |at: Option<&toml::Value>, part| {
            let next = at.map_or_else(|| file.get(part), |value| value.get(part));
            next.map(Some)
        });
        let is_text = standing.flatten().is_some_and(toml::Value::is_str);
        let parsed: Value = text.parse().unwrap_or_else(|never| match never {});
        let value = if is_text && !matches!(parsed, Value::Dict(..)) { Value::from(text.clone()) } else { parsed };
        figment = figment.merge(Serialized::default(&path.join("."), value));
    }
    match figment.extract::<Dict>() {
        Ok(root) => Some(root),
        Err(_) => {
            problems.add("", "file and environment do not fit together: unset the TOUCHLINE_…__… variables");
            None
        }
    }
}
