//! A new account in the text of a configuration: its section before `[routes]`, its name in the route of its channel. What
//! else stands in the file, comments included, stays.

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::domain::Channel;

/// Why a text cannot be added to.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlacingError {
    /// It is no TOML.
    #[error("it is not TOML: correct it first")]
    NotToml,
    /// The routes are in a form that is not expected.
    #[error("[routes] is not a section with a list for {0}: add the account by hand")]
    Routes(Channel),
}

/// The text with the section, and with the account at the end of its route. Accounts in `away` leave the route. `standing` is
/// the route as it is used now, for a file that does not write it down.
pub(super) fn place(
    text: &str,
    section: &str,
    channel: Channel,
    name: &str,
    away: &[String],
    standing: &[String],
) -> Result<String, PlacingError> {
    let mut document: DocumentMut = with_section(text, section).parse().map_err(|_| PlacingError::NotToml)?;
    let unexpected = || PlacingError::Routes(channel);
    let routes = document.entry("routes").or_insert_with(|| Item::Table(Table::new()));
    let routes = routes.as_table_like_mut().ok_or_else(unexpected)?;
    let known = standing.iter().map(String::as_str).collect::<Array>();
    let route = routes.entry(channel.as_str()).or_insert_with(|| Item::Value(Value::Array(known)));
    let route = route.as_array_mut().ok_or_else(unexpected)?;
    route.retain(|entry| !away.iter().any(|away| Some(away.as_str()) == account_of(entry)));
    if !route.iter().any(|entry| account_of(entry) == Some(name)) {
        route.push(name);
    }
    if let Some(first) = route.get_mut(0) {
        first.decor_mut().set_prefix("");
    }
    Ok(document.to_string())
}

/// The account of an entry, which is a name or a table with conditions.
fn account_of(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.as_inline_table()?.get("account")?.as_str())
}

/// The section before the heading of the routes and the comments above that; at the end where there is none.
fn with_section(text: &str, section: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let heading = lines.iter().position(|line| line.split('#').next().unwrap_or_default().trim() == "[routes]");
    let mut at = heading.unwrap_or(lines.len());
    while at > 0 && heading.is_some() && lines[at - 1].trim_start().starts_with('#') {
        at -= 1;
    }
    let (before, after) = lines.split_at(at);
    let mut text = before.join("\n").trim_end().to_owned();
    text.push_str("\n\n");
    text.push_str(section.trim_end());
    text.push('\n');
    if !after.is_empty() {
        text.push('\n');
        text.push_str(&after.join("\n"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "# Telnyx (fax)\n[providers.fax-telnyx]\nkind = \"telnyx\"\n# from = \"\"\n";

    fn placed(text: &str, away: &[&str], standing: &[&str]) -> String {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        place(text, SECTION, Channel::Fax, "fax-telnyx", &own(away), &own(standing)).expect("placed")
    }

    #[test]
    fn an_account_takes_the_place_of_the_rehearsal_and_comments_stay() {
        let before = "# Ours.\n[store]\nurl = \"sqlite:t.db\"   # here\n\n[providers.rehearsal]\nkind = \"sandbox\"\n\n\
                      # In order.\n[routes]\nfax = [\"rehearsal\"]   # first\nemail = []\n\n[log]\nlevel = \"info\"\n";
        let after = "# Ours.\n[store]\nurl = \"sqlite:t.db\"   # here\n\n[providers.rehearsal]\nkind = \"sandbox\"\n\n\
                     # Telnyx (fax)\n[providers.fax-telnyx]\nkind = \"telnyx\"\n# from = \"\"\n\n\
                     # In order.\n[routes]\nfax = [\"fax-telnyx\"]   # first\nemail = []\n\n[log]\nlevel = \"info\"\n";
        assert_eq!(placed(before, &["rehearsal"], &[]), after);
    }

    #[test]
    fn a_second_account_comes_after_the_first_and_entries_with_conditions_stay() {
        let before = "[routes]\nfax = [\"a\", { account = \"b\", phi = true }]\n";
        let after = placed(before, &["a"], &[]);
        assert!(after.ends_with("[routes]\nfax = [{ account = \"b\", phi = true }, \"fax-telnyx\"]\n"), "{after}");
    }

    #[test]
    fn a_route_that_was_not_written_down_is_written_as_it_is_used() {
        let after = placed("[providers.old]\nkind = \"phaxio\"\n", &[], &["old"]);
        let table: toml::Table = after.parse().expect("TOML");
        assert_eq!(table["routes"]["fax"].to_string(), "[\"old\", \"fax-telnyx\"]");
    }

    #[test]
    fn routes_in_another_form_are_left_to_a_person() {
        let refused = |text: &str| place(text, SECTION, Channel::Fax, "fax-telnyx", &[], &[]).is_err();
        assert!(refused("routes = 1\n") && refused("[routes]\nfax = 1\n") && refused("no = = toml\n"));
    }
}
