//! Telephone numbers in running text, so that a reader can tap them on a phone; those of fax machines are not among them.

use std::ops::Range;

/// The digits of a number of North America.
const NATIONAL_DIGITS: usize = 10;
/// The fewest and the most digits behind a plus sign (ITU-T E.164).
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// How far around a number its sentence is searched, in bytes.
const SENTENCE_OCTETS_MAX: usize = 400;

/// Say that a number is a fax machine's.
const FAX_WORDS: [&str; 5] = ["fax", "faxes", "faxed", "faxing", "facsimile"];
/// Say that somebody answers.
const VOICE_WORDS: [&str; 12] =
    ["call", "calls", "calling", "phone", "phoning", "telephone", "tel", "ph", "dial", "ring", "voice", "mobile"];
/// Before a voice word they make it a thing to be faxed: "fax us a phone number at".
const VAGUE: [&str; 8] = ["a", "an", "your", "any", "each", "every", "no", "not"];
/// Before a voice word they make it a label only if one of [`LABELS`] follows: "our phone is", not "the call log to".
const DEFINITE: [&str; 12] =
    ["the", "our", "my", "her", "his", "their", "its", "this", "new", "main", "direct", "office"];
/// Stand between a label and its number.
const LABELS: [&str; 8] = ["is", "at", "number", "line", "remains", "stays", "will", "now"];
/// End with a period that ends no sentence.
const SHORTENED: [&str; 14] =
    ["no", "nr", "dr", "mr", "mrs", "ms", "st", "ave", "ext", "tel", "ph", "fax", "prof", "inc"];

/// The link that dials a number as letters print it; none if it is not one.
#[must_use]
pub fn link(number: &str) -> Option<String> {
    number_at(number, 0..number.len(), &[]).filter(|(end, _)| *end == number.len()).map(|(_, link)| link)
}

/// The number that begins where `within` does, if one does and it is no fax machine's: where it ends, and the link that dials
/// it, `tel:+13125550142`. It lies in `within`; the rest of the text says whose it is. `faxes` are numbers of fax machines,
/// E.164.
#[must_use]
pub fn number_at(text: &str, within: Range<usize>, faxes: &[String]) -> Option<(usize, String)> {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | '+' | '@' | '#' | '=' | '_');
    let before = &text[..within.start];
    if before.ends_with(goes_on) {
        return None;
    }
    let rest = &text[within.clone()];
    let (length, digits) = national(rest).or_else(|| international(rest))?;
    let behind = &rest[length..];
    if behind.starts_with(|c: char| c.is_alphanumeric()) || behind.starts_with(['@', '-', '/']) {
        return None;
    }
    let extension = extension(behind);
    let end = within.start + length + extension.map_or(0, |(length, _)| length);
    if faxes.contains(&digits) || is_of_a_fax(before, &text[end..]) {
        return None;
    }
    let link = extension.map_or_else(|| format!("tel:{digits}"), |(_, said)| format!("tel:{digits};ext={said}"));
    Some((end, link))
}

/// Whether the number between these texts is a fax machine's, which nobody wants to talk to: by the nearest word of its
/// sentence that says so, or says the contrary. In doubt it is one.
fn is_of_a_fax(before: &str, behind: &str) -> bool {
    if is_called_fax(behind) {
        return true;
    }
    let (before, behind) = (sentence_before(before), sentence_behind(behind));
    let words: Vec<String> = words(before).collect();
    for (at, word) in words.iter().enumerate().rev() {
        if FAX_WORDS.contains(&word.as_str()) {
            return true;
        }
        let earlier = at.checked_sub(1).map(|at| words[at].as_str());
        if is_voice(earlier, word, words.get(at + 1).map(String::as_str)) {
            return false;
        }
    }
    // "(847) 555-0199 is our new fax number", but not if the word belongs to a number that follows.
    let goes_on_to_a_number = behind.chars().filter(char::is_ascii_digit).count() >= NATIONAL_DIGITS;
    !goes_on_to_a_number && words_of_a_fax(behind)
}

/// Whether a word directly behind a number names it: ` (fax)`, ` fax`, but not `, fax (847) 555-0141`.
fn is_called_fax(behind: &str) -> bool {
    let Some(rest) = behind.strip_prefix([' ', '\u{a0}']) else { return false };
    let (is_enclosed, rest) = rest.strip_prefix(['(', '[']).map_or((false, rest), |inside| (true, inside));
    let mut said = words(rest);
    let is_fax = said.next().is_some_and(|word| FAX_WORDS.contains(&word.as_str()));
    is_fax && (is_enclosed || !said.next().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit())))
}

fn words_of_a_fax(text: &str) -> bool {
    words(text).any(|word| FAX_WORDS.contains(&word.as_str()))
}

/// Whether a word between these two says that somebody answers at the number to come.
fn is_voice(earlier: Option<&str>, word: &str, next: Option<&str>) -> bool {
    VOICE_WORDS.contains(&word)
        && match earlier {
            Some(earlier) if VAGUE.contains(&earlier) => false,
            Some(earlier) if DEFINITE.contains(&earlier) => next.is_none_or(|next| LABELS.contains(&next)),
            _ => true,
        }
}

/// Words and figures, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// What stands before a number in its sentence.
fn sentence_before(text: &str) -> &str {
    let mut from = text.len().saturating_sub(SENTENCE_OCTETS_MAX);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let text = &text[from..];
    let mut ends = text.char_indices().filter(|(at, c)| ends_sentence(&text[..*at], *c, &text[at + c.len_utf8()..]));
    ends.next_back().map_or(text, |(at, c)| &text[at + c.len_utf8()..])
}

/// What stands behind a number in its sentence.
fn sentence_behind(text: &str) -> &str {
    let mut until = text.len().min(SENTENCE_OCTETS_MAX);
    while !text.is_char_boundary(until) {
        until -= 1;
    }
    let text = &text[..until];
    let mut ends = text.char_indices().filter(|(at, c)| ends_sentence(&text[..*at], *c, &text[at + c.len_utf8()..]));
    ends.next().map_or(text, |(at, _)| &text[..at])
}

/// Whether a sentence ends with this character.
fn ends_sentence(before: &str, c: char, behind: &str) -> bool {
    let is_at_an_end = || behind.chars().next().is_none_or(char::is_whitespace);
    match c {
        '\n' | ';' => true,
        '!' | '?' => is_at_an_end(),
        '.' => {
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
            is_at_an_end() && word.chars().count() > 1 && !SHORTENED.contains(&word.as_str())
        }
        _ => false,
    }
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
    use super::super::tappable::{Piece, pieces};

    fn found(text: &str) -> Vec<(String, String)> {
        let numbers =
            pieces(text, 0..text.len(), &["+18475550143".to_owned()]).into_iter().filter_map(|piece| match piece {
                Piece::Number(shown, link) => Some((shown.to_owned(), link)),
                Piece::Words(_) | Piece::Mailbox(..) => None,
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
            "me-847-555-0142@clinic.example",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn nobody_is_sent_to_talk_to_a_fax_machine() {
        for text in [
            "or fax (847) 555-0141",
            "Fax: 847-555-0141",
            "Fax\u{a0}(847)\u{a0}555-0141",
            "Our new fax number is (847) 555-0199",
            "Fax us at (847) 555-0199.",
            "We moved. From May 1, our fax number will be (847) 555-0199.",
            "fax a short note to (847) 555-0199",
            "Please fax Dr. Li at (847) 555-0199",
            "Fax no. (847) 555-0199",
            "Faxes reach us at (847) 555-0199, day and night.",
            "Facsimile (847) 555-0199",
            "Fax the call log to (847) 555-0199.",
            "Fax us a phone number at (847) 555-0199.",
            "fax (847) 555-0141 or (847) 555-0145",
            "(847) 555-0199 (fax)",
            "(847) 555-0199 fax",
            "Call Jo Li or use (847) 555-0199 (fax)",
            "(847) 555-0199 is our new fax number.",
            "Reach the office at (847) 555-0143",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_number_that_somebody_answers_can_be_tapped_however_near_a_fax_is_mentioned() {
        for text in [
            "Call (847) 555-0142 or fax (847) 555-0141",
            "Call (847) 555-0142 or fax us.",
            "(847) 555-0142 or fax (847) 555-0141",
            "Phone (847) 555-0142 Fax (847) 555-0141",
            "Telephone (847) 555-0142, fax (847) 555-0141",
            "Fax (847) 555-0141, phone (847) 555-0142",
            "Fax (847) 555-0141 or call (847) 555-0142",
            "Our fax is (847) 555-0141 and our phone is (847) 555-0142.",
            "Our fax number is (847) 555-0141 and our phone number is (847) 555-0142.",
            "If the fax did not arrive, call Priya Raman at (847) 555-0142.",
            "Instead of faxing, call (847) 555-0142",
            "We have a new fax machine. Any questions: (847) 555-0142",
            "The fax is out of order; please use (847) 555-0142",
            "Tel. (847) 555-0142",
            "Dial (847) 555-0142 before you fax anything.",
        ] {
            assert_eq!(found(text), [("(847) 555-0142".to_owned(), "tel:+18475550142".to_owned())], "{text}");
        }
    }

    #[test]
    fn an_endless_sentence_is_searched_near_the_number_only() {
        let far = format!("Fax {} (847) 555-0142 {}", "ö ".repeat(600), "é ".repeat(600));
        assert_eq!(found(&far).len(), 1);
    }
}
