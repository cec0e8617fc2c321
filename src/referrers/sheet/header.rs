//! Names of columns in comparable form: their words in lower case, however they were joined.

use unicode_normalization::UnicodeNormalization;

/// Short forms of "number", where they end a name or stand before a count.
const NUMBER: &[&str] = &["no", "nos", "nbr", "nr", "num", "numbr", "nmbr"];
/// Longest name looked at, in characters.
const HEADER_CHARS_MAX: usize = 200;
/// Longest name shown, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// A column's name, taken apart once.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    /// The name as it is in the file, shortened.
    pub(super) text: String,
    /// Its words.
    pub(super) words: Vec<String>,
    /// Its words in one text.
    pub(super) key: String,
    /// The same without "number" at the end.
    pub(super) bare: String,
}

impl Heading {
    /// Takes a name apart.
    pub(super) fn of(header: &str) -> Self {
        let words = words_of(header);
        Self {
            text: header.trim().chars().take(SHOWN_CHARS_MAX).collect(),
            key: words.join(" "),
            bare: without_number(&words).join(" "),
            words,
        }
    }

    /// What columns that count one kind have in common: `fax` of `Fax`, `Fax #` and `Fax Number 2`.
    pub(super) fn kin(&self) -> String {
        let words: Vec<&str> = self.bare.split(' ').filter(|word| !is_count(word)).collect();
        words.join(" ")
    }
}

/// The words of a header: `FAX #`, `faxNumber`, `Fax_No.` and `Fax Nbr` are all `fax number`. Words are apart where
/// the writing shows it: at anything but letters and digits, at a capital after a small letter, and between letters
/// and digits.
pub(super) fn words_of(header: &str) -> Vec<String> {
    // Letters of full width are letters.
    let text: Vec<char> = header.nfkc().take(HEADER_CHARS_MAX).collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (place, &c) in text.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| text.get(before)).copied();
        if before.is_some_and(|before| is_seam(before, c, text.get(place + 1).copied())) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if c == '#' {
            words.push("number".to_owned());
        } else if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    for place in 1..words.len() {
        let ends = words.get(place + 1).is_none_or(|next| is_count(next));
        if ends && NUMBER.contains(&words[place].as_str()) {
            "number".clone_into(&mut words[place]);
        }
    }
    words
}

/// Whether a new word begins at `c`.
fn is_seam(before: char, c: char, after: Option<char>) -> bool {
    if !before.is_alphanumeric() || !c.is_alphanumeric() {
        return true;
    }
    before.is_numeric() != c.is_numeric()
        || (before.is_lowercase() && c.is_uppercase())
        // The end of an abbreviation: `NPINumber`.
        || (before.is_uppercase() && c.is_uppercase() && after.is_some_and(char::is_lowercase))
}

/// The words in one text, one space apart.
pub(super) fn normalised(header: &str) -> String {
    words_of(header).join(" ")
}

/// Whether a word only counts columns of one kind: the `2` of `Phone 2`.
pub(super) fn is_count(word: &str) -> bool {
    word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit())
}

/// The words without "number" at the end, before a count or not: what `Fax`, `Fax #` and `Fax Number` have in common.
pub(super) fn without_number(words: &[String]) -> Vec<&str> {
    let last = words.iter().rposition(|word| !is_count(word));
    let kept = words
        .iter()
        .enumerate()
        .filter(|(place, word)| words.len() == 1 || !(Some(*place) == last && *place > 0 && word.as_str() == "number"));
    kept.map(|(_, word)| word.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_its_words_are_joined() {
        for header in ["Fax Number", "FAX #", "fax_no", "Fax No.", "FaxNumber", "faxNumber", "Fax-Nbr", " fax  num. "] {
            assert_eq!(normalised(header), "fax number", "{header}");
        }
        for (header, words) in [
            ("NPINumber", "npi number"),
            ("HasOptedOutOfEmail", "has opted out of email"),
            ("Healthcare Provider Taxonomy Code_1", "healthcare provider taxonomy code 1"),
            ("Phone1", "phone 1"),
            ("UNSUB_TIME", "unsub time"),
            ("Tel. No. 2", "tel number 2"),
            ("No Fax", "no fax"),
            ("", ""),
        ] {
            assert_eq!(normalised(header), words, "{header}");
        }
    }

    #[test]
    fn number_is_left_out_only_where_it_says_nothing() {
        let bare = |header: &str| {
            let words = words_of(header);
            without_number(&words).join(" ")
        };
        assert_eq!(bare("Fax #"), "fax");
        assert_eq!(bare("Phone Number 2"), "phone 2");
        assert_eq!(bare("Number source"), "number source");
        assert_eq!(bare("Number"), "number");
    }
}
