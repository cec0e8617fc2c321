//! Telephone numbers in running text, so that a reader can tap them on a phone.

/// The digits of a number of North America.
const NATIONAL_DIGITS: usize = 10;
/// The fewest and the most digits behind a plus sign (ITU-T E.164).
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// A telephone number as it stands there, and the target of a link that dials it: `tel:+13125550142`.
    Number(&'a str, String),
}

/// The text in pieces; together they are the text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        match number_at(text, at) {
            Some((end, link)) => {
                if from < at {
                    pieces.push(Piece::Words(&text[from..at]));
                }
                pieces.push(Piece::Number(&text[at..end], link));
                (from, at) = (end, end);
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if from < text.len() {
        pieces.push(Piece::Words(&text[from..]));
    }
    pieces
}

/// The link that dials a number as letters print it; none if it is not one.
#[must_use]
pub fn link(number: &str) -> Option<String> {
    number_at(number, 0).filter(|(end, _)| *end == number.len()).map(|(_, link)| link)
}

/// Where the number that begins here ends, and its link.
fn number_at(text: &str, at: usize) -> Option<(usize, String)> {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | '+' | '@' | '#' | '=' | '_');
    let before = &text[..at];
    if before.ends_with(goes_on) || is_of_a_fax(before) {
        return None;
    }
    let rest = &text[at..];
    let (length, digits) = national(rest).or_else(|| international(rest))?;
    let behind = &rest[length..];
    if behind.starts_with(|c: char| c.is_alphanumeric()) || behind.starts_with(['@', '-', '/']) {
        return None;
    }
    let extension = extension(behind);
    let link = extension.map_or_else(|| format!("tel:{digits}"), |(_, said)| format!("tel:{digits};ext={said}"));
    Some((at + length + extension.map_or(0, |(length, _)| length), link))
}

/// Whether the next number is a fax machine's, which nobody wants to talk to.
fn is_of_a_fax(before: &str) -> bool {
    let said = before.trim_end_matches([' ', '\u{a0}', ':']);
    let word = said.get(said.len().saturating_sub(3)..).unwrap_or_default();
    word.eq_ignore_ascii_case("fax") && said.len() < before.len()
}

/// `(312) 555-0142`, `312-555-0142`, `312.555.0142`, with `1-` or `+1 ` before it: its length and E.164.
fn national(text: &str) -> Option<(usize, String)> {
    let start = ["+1 ", "+1-", "1-", "+1\u{a0}", "+1"].iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text);
    let rest = match start.strip_prefix('(') {
        Some(inside) => {
            let (_, rest) = digits(inside, 3)?;
            let rest = rest.strip_prefix(')')?;
            rest.strip_prefix([' ', '\u{a0}', '-']).unwrap_or(rest)
        }
        None => digits(start, 3)?.1.strip_prefix(['-', '.', ' ', '\u{a0}'])?,
    };
    let rest = digits(rest, 3)?.1.strip_prefix(['-', '.', ' ', '\u{a0}'])?;
    let rest = digits(rest, 4)?.1;
    let length = text.len() - rest.len();
    let all: String = start[..start.len() - rest.len()].chars().filter(char::is_ascii_digit).collect();
    (all.len() == NATIONAL_DIGITS && !all.starts_with(['0', '1'])).then(|| (length, format!("+1{all}")))
}

/// `+442071838750`: its length and itself.
fn international(text: &str) -> Option<(usize, String)> {
    let said = text.strip_prefix('+')?;
    let count = said.bytes().take_while(u8::is_ascii_digit).count();
    INTERNATIONAL_DIGITS.contains(&count).then(|| (count + 1, text[..=count].to_owned()))
}

/// ` ext. 12`: its length and digits.
fn extension(text: &str) -> Option<(usize, &str)> {
    let said = text.strip_prefix([' ', '\u{a0}'])?.strip_prefix("ext.")?.strip_prefix([' ', '\u{a0}'])?;
    let count = said.bytes().take_while(u8::is_ascii_digit).count();
    (1..=7).contains(&count).then(|| (text.len() - said.len() + count, &said[..count]))
}

/// So many digits, and what stands behind them.
fn digits(text: &str, count: usize) -> Option<(&str, &str)> {
    let (said, rest) = text.split_at_checked(count)?;
    said.bytes().all(|byte| byte.is_ascii_digit()).then_some((said, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let numbers = pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Number(shown, link) => Some((shown.to_owned(), link)),
            Piece::Words(_) => None,
        });
        numbers.collect()
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        for (text, shown, dialed) in [
            ("Call (847)\u{a0}555-0142.", "(847)\u{a0}555-0142", "tel:+18475550142"),
            ("(847) 555-0142, or write", "(847) 555-0142", "tel:+18475550142"),
            ("at 847-555-0142 or", "847-555-0142", "tel:+18475550142"),
            ("1-800-555-0144", "1-800-555-0144", "tel:+18005550144"),
            ("+1 847 555 0142", "+1 847 555 0142", "tel:+18475550142"),
            ("(847) 555-0142 ext. 12", "(847) 555-0142 ext. 12", "tel:+18475550142;ext=12"),
            ("in London +442071838750", "+442071838750", "tel:+442071838750"),
        ] {
            assert_eq!(found(text), [(shown.to_owned(), dialed.to_owned())], "{text}");
        }
    }

    #[test]
    fn other_figures_are_left_alone() {
        for text in [
            "2026-11-23",
            "journal.example/2026/847-555-0142",
            "22 of 38",
            "3,000 pulses",
            "MRN 8475550142",
            "847-555-01421",
            "x847-555-0142",
            "60201-1234",
            "(84) 555-0142",
            "120 100 1234",
            "or fax (847) 555-0141",
            "Fax: 847-555-0141",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "\\PC{0,40}|[(0-9) +.\u{a0}ext-]{0,40}") {
            let whole: String = pieces(&text).iter().map(|piece| match piece {
                Piece::Words(words) => *words,
                Piece::Number(shown, _) => *shown,
            }).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
