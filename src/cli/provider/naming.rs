//! What a new account is called, and the variables that hold its secrets.

use crate::cli::exit::CliError;
use crate::cli::rehearsal::is_named;
use crate::provider::{Spec, secret_variable};

/// The longest name of an account, as the configuration takes it.
const NAME_CHARS_MAX: usize = 40;

/// Refuses a name that the configuration does not take, or that is kept for rehearsals.
///
/// # Errors
/// It is such a name.
pub(super) fn check_name(name: &str) -> Result<(), CliError> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(is_allowed) {
        return Err(CliError::usage(format!(
            "--name takes 1 to {NAME_CHARS_MAX} of: a-z, 0-9, hyphen, underscore; such as fax-second"
        )));
    }
    if is_named(name) {
        return Err(CliError::refused(format!("`{name}` is a name of an account at the sandbox: give another --name")));
    }
    Ok(())
}

/// What the account's variables begin with: its kind, unless an account in the file has its secrets in those variables; then
/// the kind and the account's name. Two accounts never share a secret that nobody meant to share.
pub(super) fn stem(spec: &Spec, name: &str, file: &str) -> String {
    let file: toml::Table = file.trim_start_matches('\u{feff}').parse().unwrap_or_default();
    let accounts = file.get("providers").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let values = accounts.filter_map(toml::Value::as_table).flat_map(toml::Table::values);
    let taken: Vec<&str> = values.filter_map(|value| value.get("env")?.as_str()).collect();
    let secrets: Vec<&str> = spec.settings.iter().filter(|setting| setting.secret).map(|setting| setting.key).collect();
    let is_free = |stem: &String| !secrets.iter().any(|key| taken.contains(&secret_variable(stem, key).as_str()));
    let own = name.strip_prefix(spec.channel.as_str()).unwrap_or(name).trim_start_matches(['-', '_']);
    let own = own.strip_prefix(spec.kind).unwrap_or(own).trim_start_matches(['-', '_']);
    let own = if own.is_empty() { spec.kind.to_owned() } else { format!("{}-{own}", spec.kind) };
    let numbered = (2..=100).map(|number| format!("{own}-{number}"));
    let mut stems = [spec.kind.to_owned(), own.clone()].into_iter().chain(numbered);
    stems.find(is_free).unwrap_or_else(|| own.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::find_spec;

    #[test]
    fn a_name_is_refused_before_anything_is_asked() {
        for name in ["a b", "", "Fax", "fax.telnyx", "naïve", "rehearsal", "rehearsal_mail", &"x".repeat(41)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in ["fax-telnyx", "second_line", "2", "rehearsals", &"x".repeat(40)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_second_account_of_a_kind_has_variables_of_its_own() {
        let telnyx = find_spec("telnyx").expect("a kind");
        let first = "[providers.fax-telnyx]\nkind = \"telnyx\"\napi_key = { env = \"TELNYX_API_KEY\" }\n";
        let with_ours = first.replace("TELNYX_API_KEY", "OUR_KEY");
        for (file, name, expected) in [
            ("", "fax-telnyx", "telnyx"),
            ("# api_key = { env = \"TELNYX_API_KEY\" }\n", "main", "telnyx"),
            (first, "second", "telnyx-second"),
            (first, "fax-telnyx-2", "telnyx-2"),
            (first, "fax-telnyx", "telnyx-2"),
            (with_ours.as_str(), "second", "telnyx"),
        ] {
            assert_eq!(stem(telnyx, name, file), expected, "{name}: {file}");
        }
        let two = format!("{first}[providers.other]\napi_key = {{ env = \"TELNYX_SECOND_API_KEY\" }}\n");
        assert_eq!(stem(telnyx, "second", &two), "telnyx-second-2");
        assert_eq!(secret_variable("telnyx-second", "api_key"), "TELNYX_SECOND_API_KEY");
    }
}
