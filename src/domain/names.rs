//! Names of people and organizations in comparable form: without regard to case, accents, punctuation, titles and the
//! ways in which Unicode writes one letter. Only for comparing and finding, never for printing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::number::is_invisible;

/// Titles before a name.
const TITLES: &[&str] = &["dr", "doctor", "mr", "mrs", "ms", "miss", "mx", "prof", "professor", "rev"];
/// What distinguishes members of a family who share a name.
const SUFFIXES: &[(&str, &str)] = &[
    ("jr", "jr"),
    ("junior", "jr"),
    ("sr", "sr"),
    ("senior", "sr"),
    ("ii", "2"),
    ("2nd", "2"),
    ("iii", "3"),
    ("3rd", "3"),
    ("iv", "4"),
    ("4th", "4"),
];
/// Words that say nothing about which organization it is.
const LEGAL_FORMS: &[&str] = &[
    "llc",
    "inc",
    "incorporated",
    "pc",
    "pllc",
    "llp",
    "lp",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "the",
    "and",
    "of",
    "sc",
    "apc",
    "pa",
];

/// A text in comparable form: lower case, without accents, apostrophes and invisible characters, words apart by one space.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ł' => plain.push('l'),
            'ħ' => plain.push('h'),
            'ı' => plain.push('i'),
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' => {}
            c if c.is_alphanumeric() => plain.push(c),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An organization's name in comparable form, without its legal form: `The Lake Clinic, LLC` is `Lake Clinic`. Empty if
/// nothing else is in it.
#[must_use]
pub fn organization_key(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in folded(text).split_whitespace() {
        let is_letter = word.chars().count() == 1;
        // `L.L.C.` and `P C` are one word each.
        match words.last_mut().filter(|_| is_letter && is_open) {
            Some(last) => last.push_str(word),
            None => words.push(word.to_owned()),
        }
        is_open = is_letter;
    }
    words.retain(|word| !LEGAL_FORMS.contains(&word.as_str()));
    words.join(" ")
}

/// How alike two people's names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// They cannot be the same person's.
    Different,
    /// They can: one says less than the other (an initial, no second given name, no `Jr.`).
    Compatible,
    /// They are the same.
    Same,
}

/// A person's name in comparable form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PersonKey {
    /// Given names, without middle initials.
    first: Vec<String>,
    /// Middle initials: they come and go between lists, but two different ones are two people's.
    initials: String,
    /// Family name, its words together.
    last: String,
    suffix: Option<&'static str>,
}

impl PersonKey {
    /// Of a given and a family name. A name in one part counts as the family name.
    #[must_use]
    pub fn of(first: Option<&str>, last: Option<&str>) -> Self {
        let words = |text: Option<&str>| -> Vec<String> {
            folded(text.unwrap_or_default()).split_whitespace().map(str::to_owned).collect()
        };
        let (mut first, mut last) = (words(first), words(last));
        drop_titles(&mut first);
        drop_titles(&mut last);
        let mut suffix = take_suffix(&mut last);
        if suffix.is_none() && first.len() > 1 {
            suffix = take_suffix(&mut first);
        }
        let mut initials = String::new();
        let is_initial = |place: usize, word: &str| place > 0 && word.chars().count() == 1;
        let mut place = 0;
        first.retain(|word| {
            place += 1;
            let drops = is_initial(place - 1, word);
            if drops {
                initials.push_str(word);
            }
            !drops
        });
        if last.is_empty() {
            std::mem::swap(&mut first, &mut last);
        }
        Self { first, initials, last: last.concat(), suffix }
    }

    /// Whether there is any name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The family name: who is compared with whom is looked up by it.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }

    /// How alike two names are.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        if self.is_empty() || self.last != other.last {
            return Likeness::Different;
        }
        let suffix = match (self.suffix, other.suffix) {
            (Some(one), Some(two)) if one != two => Likeness::Different,
            (Some(_), Some(_)) | (None, None) => Likeness::Same,
            _ => Likeness::Compatible,
        };
        let are_two = !self.initials.is_empty() && !other.initials.is_empty() && self.initials != other.initials;
        if are_two {
            return Likeness::Different;
        }
        suffix.min(likeness_of_given(&self.first, &other.first))
    }

    /// The name without `Jr.`, `III` and their like.
    #[must_use]
    pub fn without_suffix(&self) -> Self {
        Self { suffix: None, ..self.clone() }
    }

    /// Whether two names have the same `Jr.`, `III` or none.
    #[must_use]
    pub fn has_suffix_of(&self, other: &Self) -> bool {
        self.suffix == other.suffix
    }

    /// Whether the given name is missing or an initial, which many names begin with.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        !self.is_empty() && self.first.first().is_none_or(|first| first.chars().count() == 1)
    }
}

fn likeness_of_given(one: &[String], other: &[String]) -> Likeness {
    if one.concat() == other.concat() {
        return Likeness::Same;
    }
    let (Some(first), Some(second)) = (one.first(), other.first()) else { return Likeness::Compatible };
    let is_initial_of = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    let first_fits = first == second || is_initial_of(first, second) || is_initial_of(second, first);
    let rest_fits = one.iter().zip(other).skip(1).all(|(one, other)| one == other);
    if first_fits && rest_fits { Likeness::Compatible } else { Likeness::Different }
}

fn drop_titles(words: &mut Vec<String>) {
    while words.len() > 1 && TITLES.contains(&words[0].as_str()) {
        words.remove(0);
    }
}

fn take_suffix(words: &mut Vec<String>) -> Option<&'static str> {
    let last = words.last().filter(|_| words.len() > 1)?;
    let (_, suffix) = SUFFIXES.iter().find(|(word, _)| word == last)?;
    words.pop();
    Some(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn likeness(one: (&str, &str), other: (&str, &str)) -> Likeness {
        let key = |(first, last): (&str, &str)| PersonKey::of(Some(first), Some(last));
        key(one).likeness(&key(other))
    }

    #[test]
    fn spellings_of_one_name_are_the_same() {
        for (one, other) in [
            (("José", "Núñez"), ("Jose\u{301}", "Nun\u{303}ez")),
            (("JOSE", "NUNEZ"), ("José", "Núñez")),
            (("Søren", "Ångström"), ("Soren", "Angstrom")),
            (("Siobhan", "O'Brien"), ("SIOBHAN", "O’BRIEN")),
            (("Siobhan", "O'Brien"), ("Siobhan", "OBrien")),
            (("Jan", "van der Berg"), ("JAN", "VANDERBERG")),
            (("Mary-Ann", "Lee"), ("Mary Ann", "Lee")),
            (("Maryann", "Lee"), ("Mary Ann", "Lee")),
            (("Delphine R.", "Marston"), ("Delphine", "Marston")),
            (("Dr. Delphine", "Marston"), ("Delphine", "Marston")),
            (("Robert", "Stone III"), ("Robert", "Stone 3rd")),
            (("Robert", "Stone, Jr."), ("Robert Jr", "Stone")),
            (("Zo\u{200b}ë", "Lee"), ("Zoë", "Lee")),
            (("", "Cher"), ("Cher", "")),
            (("Hans", "Groß"), ("HANS", "GROSS")),
        ] {
            assert_eq!(likeness(one, other), Likeness::Same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn names_of_which_one_says_less_are_compatible_and_others_are_different() {
        for (one, other) in [
            (("J.", "Smith"), ("John", "Smith")),
            (("", "Smith"), ("John", "Smith")),
            (("Mary", "Lee"), ("Mary Ann", "Lee")),
            (("Robert", "Stone"), ("Robert", "Stone III")),
        ] {
            assert_eq!(likeness(one, other), Likeness::Compatible, "{one:?} {other:?}");
            assert_eq!(likeness(other, one), Likeness::Compatible, "{other:?} {one:?}");
        }
        for (one, other) in [
            (("Anders", "Holm"), ("Beatriz", "Holm")),
            (("John", "Smith"), ("John", "Smyth")),
            (("Robert", "Stone Jr"), ("Robert", "Stone III")),
            (("J", "Smith"), ("Karl", "Smith")),
            (("Mary Ann", "Lee"), ("Mary Beth", "Lee")),
            (("Michael J", "Lee"), ("Michael K.", "Lee")),
            (("", ""), ("", "")),
        ] {
            assert_eq!(likeness(one, other), Likeness::Different, "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_organization_is_the_same_without_its_legal_form() {
        assert_eq!(organization_key("The Lake Clinic, L.L.C."), "lake clinic");
        assert_eq!(organization_key("Lake Clinic, LLC"), organization_key("LAKE CLINIC"));
        assert_eq!(organization_key("Smith & Weston Psychiatry, P.C."), "smith weston psychiatry");
        assert_ne!(organization_key("Lake Clinic"), organization_key("Hill Clinic"));
    }

    proptest! {
        #[test]
        fn every_name_is_the_same_as_itself_in_capitals_or_taken_apart_by_unicode(first in "\\PC{0,12}", last in "\\pL{1,12}") {
            let plain = PersonKey::of(Some(&first), Some(&last));
            let decomposed: String = last.nfd().collect();
            prop_assert_eq!(&PersonKey::of(Some(&first), Some(&decomposed)), &plain);
            if !plain.is_empty() {
                prop_assert_eq!(plain.likeness(&plain), Likeness::Same);
            }
        }

        #[test]
        fn likeness_does_not_depend_on_the_order(a in "[A-Ca-c. ]{0,6}", b in "[A-Ca-c. ]{0,6}", c in "[A-Ca-c. ]{1,4}") {
            let (one, other) = (PersonKey::of(Some(&a), Some(&c)), PersonKey::of(Some(&b), Some(&c)));
            prop_assert_eq!(one.likeness(&other), other.likeness(&one));
        }
    }
}
