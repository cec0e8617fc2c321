//! Names that a list writes in capitals, as people write them: `NG` is Ng, `STONE III` stays the third, `VAN DER BERG` is
//! van der Berg.

/// Which part of a name it is: particles are small in family names alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Given names.
    Given,
    /// Family names.
    Family,
}

/// Words that stay small before a family name.
const SMALL: &[&str] =
    &["van", "von", "der", "den", "de", "del", "della", "dos", "das", "da", "ter", "zu", "zum", "vom"];
/// Articles that stay small after `de`: `de la Cruz`, but `La Rosa`.
const SMALL_AFTER_DE: &[&str] = &["la", "las", "los", "el"];
/// Numerals of those who have their father's name.
const NUMERALS: &[&str] = &["ii", "iii", "iv", "vi", "vii", "viii", "ix"];

/// The name in mixed case if it is in capitals, else unchanged: `O'BRIEN-MCKAY` as `O'Brien-McKay`.
pub(super) fn as_written(name: &str, part: Part) -> String {
    if !is_shouted(name, part) {
        return name.to_owned();
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    let mut mixed: Vec<String> = Vec::with_capacity(words.len());
    for (place, word) in words.iter().enumerate() {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
        let is_last = place + 1 == words.len();
        let after_de = mixed.last().is_some_and(|before| before == "de");
        let is_small = SMALL.contains(&bare) || (after_de && SMALL_AFTER_DE.contains(&bare));
        mixed.push(if part == Part::Family && !is_last && is_small {
            lower
        } else if place > 0 && NUMERALS.contains(&bare) {
            (*word).to_owned()
        } else {
            word_in_mixed_case(word)
        });
    }
    mixed.join(" ")
}

/// Whether a name is written in capitals because the whole list is. Two capitals without a vowel in a given name are
/// initials, `TJ`; as a family name they are a name, `NG`.
fn is_shouted(name: &str, part: Part) -> bool {
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let has_vowel = name.to_lowercase().contains(['a', 'e', 'i', 'o', 'u', 'y']) || !name.is_ascii();
    let is_initials = part == Part::Given && letters == 2 && !has_vowel;
    letters >= 2 && !is_initials && !name.chars().any(char::is_lowercase)
}

/// One word: a capital at its beginning, after a hyphen, an apostrophe or a period, and after `Mc`. A mark over a letter
/// belongs to the letter.
fn word_in_mixed_case(word: &str) -> String {
    // The Dutch 't and 's are small.
    if let Some(rest) = ["'T", "'S", "\u{2019}T", "\u{2019}S"].iter().find_map(|article| word.strip_prefix(article))
        && !rest.chars().next().is_some_and(char::is_alphanumeric)
    {
        let article = word.strip_suffix(rest).unwrap_or_default().to_lowercase();
        return article + &word_in_mixed_case_from(rest);
    }
    word_in_mixed_case_from(word)
}

fn word_in_mixed_case_from(word: &str) -> String {
    let mut mixed = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars() {
        let is_mark = ('\u{300}'..='\u{36f}').contains(&c);
        let is_letter = c.is_alphanumeric() || is_mark;
        let is_upper = run.is_empty() || run == "mc";
        if is_letter {
            run.extend(c.to_lowercase());
        } else {
            run.clear();
        }
        if is_upper && !is_mark { mixed.push(c) } else { mixed.extend(c.to_lowercase()) }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_become_names() {
        for (shouted, name) in [
            ("NG", "Ng"),
            ("LI", "Li"),
            ("WU", "Wu"),
            ("STONE III", "Stone III"),
            ("STONE IV", "Stone IV"),
            ("KING JR", "King Jr"),
            ("KING JR.", "King Jr."),
            ("VAN DER BERG", "van der Berg"),
            ("VAN", "Van"),
            ("DE LA CRUZ", "de la Cruz"),
            ("LA ROSA", "La Rosa"),
            ("ST. JOHN", "St. John"),
            ("O'BRIEN", "O'Brien"),
            ("O\u{2019}BRIEN", "O\u{2019}Brien"),
            ("D'ANGELO", "D'Angelo"),
            ("O'BRIEN-MCKAY", "O'Brien-McKay"),
            ("MCKAY", "McKay"),
            ("MACDONALD", "Macdonald"),
            ("AL-SAYED", "Al-Sayed"),
            ("'T HART", "'t Hart"),
            ("NÚÑEZ", "Núñez"),
            ("NU\u{301}N\u{303}EZ", "Nu\u{301}n\u{303}ez"),
            ("ÉLISE", "Élise"),
            ("E\u{301}LISE", "E\u{301}lise"),
            ("NULL", "Null"),
            ("X", "X"),
            ("van der Berg", "van der Berg"),
            ("McKay", "McKay"),
            ("", ""),
        ] {
            assert_eq!(as_written(shouted, Part::Family), name);
        }
        for (shouted, name) in [
            ("MARY-ANN", "Mary-Ann"),
            ("MARY ANN", "Mary Ann"),
            ("JO", "Jo"),
            ("XI", "Xi"),
            ("TJ", "TJ"),
            ("DE SHAWN", "De Shawn"),
            ("J.P.", "J.P."),
            ("MIN-JUN", "Min-Jun"),
        ] {
            assert_eq!(as_written(shouted, Part::Given), name);
        }
    }

    #[test]
    fn a_name_keeps_its_letters() {
        use proptest::prelude::*;
        proptest!(|(name in "[A-ZÀ-Þ' .-]{0,20}")| {
            let mixed = as_written(&name, Part::Family);
            let letters = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
            prop_assert_eq!(letters(&mixed), letters(&name));
        });
    }
}
