//! What a reader of a mail can tap in running text: telephone numbers and mailboxes.

use std::ops::Range;

use super::dialable::number_at;
use super::mailbox::mailbox_at;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// A telephone number as it stands there, and the target of a link that dials it: `tel:+13125550142`.
    Number(&'a str, String),
    /// A mailbox as it stands there, and the target of a link that writes to it: `mailto:hello@clinic.example`.
    Mailbox(&'a str, String),
}

/// A part of a text in pieces, which together are that part; the rest of the text says what its numbers are for. `faxes` are
/// numbers of fax machines, E.164: like others that the text calls so, they are words.
///
/// # Panics
/// If the range does not lie in the text, at the boundaries of characters.
#[must_use]
pub fn pieces<'a>(text: &'a str, within: Range<usize>, faxes: &[String]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (within.start, within.start);
    while at < within.end {
        let rest = at..within.end;
        let found = match mailbox_at(text, rest.clone()) {
            Some((end, link)) => Some((end, Piece::Mailbox(&text[at..end], link))),
            None => number_at(text, rest, faxes).map(|(end, link)| (end, Piece::Number(&text[at..end], link))),
        };
        match found {
            Some((end, piece)) => {
                if from < at {
                    pieces.push(Piece::Words(&text[from..at]));
                }
                pieces.push(piece);
                (from, at) = (end, end);
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if from < within.end {
        pieces.push(Piece::Words(&text[from..within.end]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_stands_around_a_part_says_what_its_number_is_for() {
        let text = "Fax: (847) 555-0141";
        assert_eq!(pieces(text, 5..text.len(), &[]), [Piece::Words("(847) 555-0141")]);
        assert_eq!(pieces(text, 5..text.len() - 1, &[]), [Piece::Words("(847) 555-014")]);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "\\PC{0,40}|[(0-9) +.\u{a0}ext@fax-]{0,40}|[a-c@.%' -]{0,40}") {
            let whole: String = pieces(&text, 0..text.len(), &[]).iter().map(|piece| match piece {
                Piece::Words(words) => *words,
                Piece::Number(shown, _) | Piece::Mailbox(shown, _) => *shown,
            }).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
