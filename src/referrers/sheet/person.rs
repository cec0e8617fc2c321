//! Who a row describes.

use super::casing::Part;
use super::cell::{Cells, is_name_too, says_nothing};
use super::field::Field;
use super::{name, name_cell};

/// A person's name in its parts, and where they work.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) credentials: Option<String>,
    pub(super) organization: Option<String>,
}

/// Reads the name, from one cell or several.
pub(super) fn read(cells: &mut Cells<'_>) -> Person {
    let (first, last) = (cells.name(Field::FirstName), cells.name(Field::LastName));
    if cells.columns.is_ours {
        let (credentials, organization) = (cells.text(Field::Credentials), cells.text(Field::Organization));
        return Person { first_name: first, last_name: last, credentials, organization };
    }
    let (first, last) = without_placeholders(first, last);
    let mut organization = cells.text(Field::Organization);
    let mut whole = cells.text(Field::Name);
    if whole.as_deref().is_some_and(name::is_organization) {
        organization = organization.or(whole.take());
    }
    let apart = whole.as_deref().map(name::take_apart).unwrap_or_default();
    let credentials = cells.text(Field::Credentials).map(|text| name::tidy_credentials(&text));
    // A column for one name may hold more: `Whitfield Jr., MD`.
    let first = first.map(|text| name_cell::read(&text, Part::Given)).unwrap_or_default();
    let last = last.map(|text| name_cell::read(&text, Part::Family)).unwrap_or_default();
    let (suffix, more_letters) = suffix(cells);
    let suffix = suffix.or(last.suffix);
    Person {
        first_name: first.name.or(apart.first),
        last_name: last.name.or(apart.last).map(|last| with_suffix(last, suffix)),
        credentials: credentials
            .filter(|text| !text.is_empty())
            .or(apart.credentials)
            .or(last.credentials)
            .or(first.credentials)
            .or(more_letters),
        organization,
    }
}

/// Null, None and Unknown are names, but not in both cells at once, and not as given names: there a program wrote that it
/// knows nothing.
fn without_placeholders(first: Option<String>, last: Option<String>) -> (Option<String>, Option<String>) {
    let is_placeholder = |text: &Option<String>| text.as_deref().is_some_and(says_nothing);
    if is_placeholder(&first) && is_placeholder(&last) {
        return (None, None);
    }
    let is_given_name = |text: &String| {
        // Na and Nil are given names too, and programs write those words in capitals.
        !is_name_too(text) || matches!(text.as_str(), "Na" | "Nil")
    };
    (first.filter(is_given_name), last)
}

/// What belongs behind the family name, or letters after the name that stand in the column for it.
fn suffix(cells: &mut Cells<'_>) -> (Option<String>, Option<String>) {
    let Some(text) = cells.remark(Field::Suffix) else { return (None, None) };
    if name::is_suffix(&text) {
        return (Some(name::suffix_as_written(&text)), None);
    }
    let letters = name::tidy_credentials(&text);
    (None, Some(letters).filter(|text| text.split([',', ' ']).any(|part| name::is_credential(part.trim()))))
}

fn with_suffix(last: String, suffix: Option<String>) -> String {
    match suffix {
        Some(suffix) if !last.split_whitespace().any(name::is_suffix) => format!("{last} {suffix}"),
        _ => last,
    }
}
