//! Mailboxes in running text, so that a reader can write to them with one tap.

use std::ops::Range;

use crate::domain::address::EmailAddress;

/// What a mailbox may have before its @, besides letters and digits of ASCII. Others are allowed and hardly used.
const LOCAL: [char; 6] = ['.', '_', '%', '+', '-', '\''];
/// Directly before a mailbox they make it a part of something longer: an address of the web, or a mailbox that is not read here.
const GOES_ON: [char; 16] = ['!', '#', '$', '&', '*', '/', '=', '?', '^', '`', '{', '|', '}', '~', '@', ':'];

/// The mailbox that begins where `within` does, if one does: where it ends, and the link that writes to it,
/// `mailto:hello@clinic.example`. It lies in `within`.
#[must_use]
pub fn mailbox_at(text: &str, within: Range<usize>) -> Option<(usize, String)> {
    let goes_on = |c: char| c.is_alphanumeric() || LOCAL.contains(&c) || GOES_ON.contains(&c);
    let rest = &text[within.clone()];
    if !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) || text[..within.start].ends_with(goes_on) {
        return None;
    }
    let at = rest.find(|c: char| !c.is_ascii_alphanumeric() && !LOCAL.contains(&c))?;
    let behind_at = rest[at..].strip_prefix('@')?;
    let is_of_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let domain = behind_at.find(|c: char| !is_of_domain(c)).map_or(behind_at, |end| &behind_at[..end]);
    let domain = domain.trim_end_matches(['.', '-']);
    let top = domain.rsplit('.').next().filter(|top| top.len() < domain.len())?;
    if top.len() < 2 || !top.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    if behind_at[domain.len()..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '/' | '_')) {
        return None;
    }
    let end = at + 1 + domain.len();
    let shown = &rest[..end];
    EmailAddress::parse(shown).ok()?;
    Some((within.start + end, format!("mailto:{}", shown.replace('%', "%25"))))
}

#[cfg(test)]
mod tests {
    use super::super::tappable::{Piece, pieces};

    fn found(text: &str) -> Vec<(String, String)> {
        let mailboxes = pieces(text, 0..text.len(), &[]).into_iter().filter_map(|piece| match piece {
            Piece::Mailbox(shown, link) => Some((shown.to_owned(), link)),
            Piece::Words(_) | Piece::Number(..) => None,
        });
        mailboxes.collect()
    }

    #[test]
    fn a_mailbox_is_found_without_the_punctuation_around_it() {
        for (text, shown) in [
            ("write to hello@lakeshorepeers.example", "hello@lakeshorepeers.example"),
            ("(hello@lakeshorepeers.example), or call", "hello@lakeshorepeers.example"),
            ("Write to a.b-c+new_1@mail.clinic.example.", "a.b-c+new_1@mail.clinic.example"),
            ("“O'Neil@clinic.example”; <x@y.example>?", "O'Neil@clinic.example"),
            ("847-555-0142@fax.example", "847-555-0142@fax.example"),
        ] {
            assert_eq!(found(text).first(), Some(&(shown.to_owned(), format!("mailto:{shown}"))), "{text}");
        }
        assert_eq!(found("100%@a.example")[0].1, "mailto:100%25@a.example");
        assert_eq!(found("a@x.example or b@y.example").len(), 2);
    }

    #[test]
    fn what_only_looks_like_a_mailbox_is_left_alone() {
        for text in [
            "@clinic.example",
            "a@b",
            "a@localhost",
            "a@@b.example",
            "two@ten.5",
            "a.@b.example",
            "https://user:secret@host.example",
            "https://host.example/?to=a@b.example",
            "a@b.example/path",
            "ä@b.example",
            "a@b.examplé",
            "3 @ 5.example",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
