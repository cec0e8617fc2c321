//! A cell that holds a mailbox, as people and programs write it: alone, with a name, as a link, with a remark, or several
//! in one cell.

use crate::domain::EmailAddress;
use crate::domain::address::AddressError;

/// Words that may stand beside a mailbox and are no part of it.
const REMARKS: &[&str] = &[
    "email",
    "e-mail",
    "mail",
    "work",
    "home",
    "office",
    "personal",
    "private",
    "other",
    "or",
    "and",
    "und",
    "&",
    "to",
    "primary",
    "preferred",
    "direct",
    "alt",
    "alternate",
    "secondary",
    "e",
    "m",
    "-",
    "–",
    "—",
    "main",
    "internet",
];

/// The first mailbox of a cell, and how many further ones it holds.
///
/// # Errors
/// The cell holds no mailbox, or one that could be misread: what is wrong, without repeating it.
pub(super) fn read(cell: &str) -> Result<(EmailAddress, usize), AddressError> {
    let whole = strip_link(cell.trim());
    if let Ok(one) = EmailAddress::parse(whole) {
        return Ok((one, 0));
    }
    let found = if cell.contains('<') && cell.contains('@') { in_brackets(cell) } else { in_text(cell)? };
    let Some((first, others)) = found.split_first() else { return EmailAddress::parse(whole).map(|one| (one, 0)) };
    let first = EmailAddress::parse(first)?;
    let others = others.iter().filter_map(|text| EmailAddress::parse(text).ok());
    let others = others.filter(|other| !other.as_str().eq_ignore_ascii_case(first.as_str())).count();
    Ok((first, others))
}

/// `mailto:dana@clinic.example?subject=Hello` without what surrounds the mailbox.
fn strip_link(text: &str) -> &str {
    let is_link = text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    if !is_link {
        return text;
    }
    let inner = text.get(7..).unwrap_or_default().trim();
    inner.split(['?', ';', ',']).next().unwrap_or_default().trim()
}

/// What stands in angle brackets: `"Weiss, Dana" <dana@clinic.example>`.
fn in_brackets(cell: &str) -> Vec<&str> {
    let parts = cell.split('<').skip(1);
    parts.filter_map(|part| part.split_once('>')).map(|(inner, _)| strip_link(inner.trim())).collect()
}

/// Mailboxes among words that are known to be no part of one. Any other word makes the cell unreadable: in
/// `dana lee@clinic.example` the mailbox may be either.
fn in_text(cell: &str) -> Result<Vec<&str>, AddressError> {
    let unclear = AddressError("the cell holds more than an email address: write the address alone");
    let mut found = Vec::new();
    let mut depth = 0usize;
    for token in cell.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '/')) {
        let is_aside = depth > 0 || token.starts_with(['(', '[']);
        depth += token.matches(['(', '[']).count();
        depth = depth.saturating_sub(token.matches([')', ']']).count());
        if token.is_empty() || token.bytes().all(|b| b == b':') || (is_aside && !token.contains('@')) {
            continue;
        }
        let plain = token.trim_matches(['(', ')', '[', ']', '"', '\'', ':', '.']);
        // A label may be joined to it: `Email:dana@clinic.example`.
        let plain = plain.split_once(':').filter(|(word, _)| is_remark(word)).map_or(plain, |(_, rest)| rest);
        if plain.contains('@') {
            found.push(strip_link(plain));
        } else if !is_remark(plain) {
            return Err(if cell.contains('@') { unclear } else { AddressError("this is not an email address") });
        }
    }
    Ok(found)
}

fn is_remark(word: &str) -> bool {
    word.is_empty() || REMARKS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mailbox_is_read_as_people_and_programs_write_it() {
        for (cell, mailbox, others) in [
            ("dana@clinic.example", "dana@clinic.example", 0),
            (" Dana.Weiss@Clinic.example ", "Dana.Weiss@clinic.example", 0),
            ("mailto:dana@clinic.example", "dana@clinic.example", 0),
            ("MAILTO:dana@clinic.example?subject=Hello%20there&cc=x@y.example", "dana@clinic.example", 0),
            ("Dana Weiss <dana@clinic.example>", "dana@clinic.example", 0),
            ("\"Weiss, Dana\" <dana@clinic.example>", "dana@clinic.example", 0),
            ("<dana@clinic.example>", "dana@clinic.example", 0),
            ("dana@clinic.example (work)", "dana@clinic.example", 0),
            ("dana@clinic.example (her own, not the desk)", "dana@clinic.example", 0),
            ("(work) dana@clinic.example", "dana@clinic.example", 0),
            ("Email: dana@clinic.example", "dana@clinic.example", 0),
            ("E-mail:dana@clinic.example", "dana@clinic.example", 0),
            ("dana@clinic.example;front@clinic.example", "dana@clinic.example", 1),
            ("dana@clinic.example, front@clinic.example, desk@clinic.example", "dana@clinic.example", 2),
            ("dana@clinic.example ::: front@clinic.example", "dana@clinic.example", 1),
            ("dana@clinic.example / front@clinic.example", "dana@clinic.example", 1),
            ("dana@clinic.example\nfront@clinic.example", "dana@clinic.example", 1),
            ("dana@clinic.example or front@clinic.example", "dana@clinic.example", 1),
            ("Dana <dana@clinic.example>, Front <front@clinic.example>", "dana@clinic.example", 1),
            ("dana@clinic.example; DANA@clinic.example", "dana@clinic.example", 0),
            ("dana@clinic.example.", "dana@clinic.example", 0),
            ("o'brien@clinic.example", "o'brien@clinic.example", 0),
        ] {
            let read = read(cell).map(|(mailbox, others)| (mailbox.as_str().to_owned(), others));
            assert_eq!(read, Ok((mailbox.to_owned(), others)), "{cell}");
        }
    }

    #[test]
    fn a_cell_that_could_be_misread_is_refused() {
        for cell in [
            "",
            "none given",
            "dana weiss@clinic.example",
            "dana@clinic. example",
            "dana @clinic.example",
            "two@at@signs.example",
            "dana at clinic.example",
            "see dana@clinic.example",
            "dana@@clinic.example; front@clinic.example",
            "<>@",
        ] {
            assert!(read(cell).is_err(), "{cell}");
        }
    }

    proptest! {
        #[test]
        fn no_cell_gives_a_mailbox_that_does_not_stand_in_it(cell in "[a-c@.<>(),;: ]{0,24}|\\PC{0,30}") {
            if let Ok((mailbox, _)) = read(&cell) {
                prop_assert!(cell.to_lowercase().contains(&mailbox.as_str().to_lowercase()), "{}", cell);
            }
        }
    }
}
