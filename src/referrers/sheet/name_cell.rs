//! A cell that holds one name of a person, the given or the family name, and perhaps what belongs beside it: titles before
//! it, `Jr.` and letters behind it.

use super::casing::{Part, as_written};
use super::name::{
    NAMES_TOO, drop_titles, follows_a_name, is_credential, is_suffix, suffix_as_written, tidy_credentials,
};

/// What the cell holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NameCell {
    pub(super) name: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) credentials: Option<String>,
}

/// Reads it. Whatever stands there, something of it stays the name: `Do` and `Jr` are names where nothing else is.
pub(super) fn read(text: &str, part: Part) -> NameCell {
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let Some(name) = parts.next() else { return NameCell::default() };
    let mut beside = Beside::default();
    let mut tokens: Vec<&str> = name.split_whitespace().collect();
    drop_titles(&mut tokens);
    let mut behind = Vec::new();
    while tokens.len() > 1 && tokens.last().is_some_and(|token| stands_behind(token, part)) {
        behind.splice(0..0, tokens.pop());
    }
    beside.add_all(&behind);
    for more in parts {
        let words: Vec<&str> = more.split_whitespace().collect();
        if words.iter().all(|word| is_suffix(word) || is_credential(word)) {
            beside.add_all(&words);
        } else if follows_a_name(name, more, true, !beside.letters.is_empty()) {
            beside.letters.push(tidy_credentials(more));
        }
    }
    NameCell {
        name: Some(as_written(&tokens.join(" "), part)).filter(|name| !name.is_empty()),
        suffix: beside.suffix,
        credentials: (!beside.letters.is_empty()).then(|| beside.letters.join(", ")),
    }
}

/// Whether a word behind another one is no part of the name. `Pa` and `Do` may be one.
fn stands_behind(token: &str, part: Part) -> bool {
    let is_letters = is_credential(token) && !NAMES_TOO.contains(&token);
    is_letters || (part == Part::Family && is_suffix(token))
}

#[derive(Debug, Default)]
struct Beside {
    suffix: Option<String>,
    letters: Vec<String>,
}

impl Beside {
    fn add_all(&mut self, words: &[&str]) {
        for word in words {
            if is_suffix(word) {
                self.suffix = Some(suffix_as_written(word));
            } else {
                self.letters.push(tidy_credentials(word));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str, part: Part) -> (String, String, String) {
        let cell = read(text, part);
        (cell.name.unwrap_or_default(), cell.suffix.unwrap_or_default(), cell.credentials.unwrap_or_default())
    }

    #[test]
    fn a_family_name_stays_whatever_stands_beside_it() {
        for (text, name, suffix, letters) in [
            ("Smith", "Smith", "", ""),
            ("Smith Jr., MD", "Smith", "Jr.", "MD"),
            ("Smith, Jr., MD", "Smith", "Jr.", "MD"),
            ("Smith, Jr. MD", "Smith", "Jr.", "MD"),
            ("Smith MD, PhD", "Smith", "", "MD, PhD"),
            ("SMITH MD", "Smith", "", "MD"),
            ("Picard M.D., F.A.P.A.", "Picard", "", "MD, FAPA"),
            ("van der Berg MD, MPH", "van der Berg", "", "MD, MPH"),
            ("Smith PMHNP-BC, LCSW", "Smith", "", "PMHNP-BC, LCSW"),
            ("STONE III", "Stone", "III", ""),
            ("Dr. Whitfield, XQZP", "Whitfield", "", "XQZP"),
            ("Whitfield, Amara", "Whitfield", "", ""),
            ("LE DO", "Le Do", "", ""),
            ("Do", "Do", "", ""),
            ("MD", "Md", "", ""),
            ("Jr.", "Jr.", "", ""),
            (" , ", "", "", ""),
        ] {
            assert_eq!(parts(text, Part::Family), (name.into(), suffix.into(), letters.into()), "{text}");
        }
    }

    #[test]
    fn letters_and_titles_are_no_part_of_a_given_name() {
        for (text, name, letters) in [
            ("JOHN, MD", "John", "MD"),
            ("Dr. Mary Ann", "Mary Ann", ""),
            ("Robert V", "Robert V", ""),
            ("Ma", "Ma", ""),
        ] {
            assert_eq!(parts(text, Part::Given), (name.into(), String::new(), letters.into()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_never_replaced_by_what_stands_behind_it(
            name in "[A-Z][a-z]{2,8}( [A-Z][a-z]{3,8})?",
            behind in proptest::sample::subsequence(vec![" Jr.", " MD", ", PhD", ", LCSW", ", Jr.", ", F.A.P.A."], 0..4),
        ) {
            prop_assume!(!name.split(' ').any(|word| is_credential(word) || is_suffix(word)));
            let cell = read(&format!("{name}{}", behind.concat()), Part::Family);
            prop_assert!(cell.name.as_deref().is_some_and(|read| read.eq_ignore_ascii_case(&name)), "{cell:?}");
        }
    }
}
