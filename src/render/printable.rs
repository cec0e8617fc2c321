//! What a fax cannot print: characters that none of the embedded fonts has, which would show as empty boxes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use touchline_typeset::is_printable;
use unicode_normalization::UnicodeNormalization;

/// Characters that are named of those that a fax cannot print.
const CHARACTERS_SHOWN_MAX: usize = 8;

/// The characters of a text that a fax cannot print, in order, each once. A letter and an accent of its own are one.
#[must_use]
pub fn unprintable(text: &str) -> BTreeSet<char> {
    if text.is_ascii() { BTreeSet::new() } else { text.nfc().filter(|c| !is_printable(*c)).collect() }
}

/// Where the texts of a page come from, so that the message can say what to change.
pub struct Page<'a> {
    /// The recipient's address block.
    pub recipient: &'a [String],
    /// The practice's own lines.
    pub practice: &'a [&'a str],
    /// The letter as filled in.
    pub letter: &'a str,
    /// What it was filled in with.
    pub variables: &'a Map<String, Value>,
}

/// The characters of a recipient's address block that a fax cannot print, as a person can find them: `` `李`, `龍` ``. `None`:
/// all of it prints.
#[must_use]
pub fn in_recipient(lines: &[String]) -> Option<String> {
    let characters = unprintable(&lines.join(" "));
    (!characters.is_empty()).then(|| named(&characters))
}

/// One sentence for each place with characters that a fax cannot print, naming them.
#[must_use]
pub fn problems(page: &Page<'_>) -> Vec<String> {
    let recipient = unprintable(&page.recipient.join(" "));
    let practice = unprintable(&page.practice.join(" "));
    let mut rest: BTreeSet<char> = &(&unprintable(page.letter) - &recipient) - &practice;
    let mut found = vec![
        ("the recipient's name or organization".to_owned(), recipient),
        ("the practice's own details, in the configuration".to_owned(), practice),
    ];
    for (name, value) in page.variables {
        if rest.is_empty() {
            break;
        }
        let of_value: BTreeSet<char> = &rest & &unprintable(&value.to_string());
        rest = &rest - &of_value;
        found.push((format!("`{name}`"), of_value));
    }
    found.push(("the letter's own text".to_owned(), rest));
    let named = found.into_iter().filter(|(_, characters)| !characters.is_empty());
    named.map(|(place, characters)| sentence(&place, &characters)).collect()
}

fn sentence(place: &str, characters: &BTreeSet<char>) -> String {
    format!("a fax cannot print {} in {place}: write it in Latin letters, or send by email only", named(characters))
}

/// Some characters, as a person can find them: `` `李`, `龍` and others ``.
#[must_use]
pub fn named(characters: &BTreeSet<char>) -> String {
    let shown: Vec<String> = characters.iter().take(CHARACTERS_SHOWN_MAX).map(|c| format!("`{c}`")).collect();
    let others = if characters.len() > CHARACTERS_SHOWN_MAX { " and others" } else { "" };
    shown.join(", ") + others
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_is_told_with_its_characters_and_a_letter_that_prints_has_none() {
        let variables = json!({ "news": "龍 here", "list": ["a", "ひ"], "unused": "말" });
        let said = |recipient: &str, practice: &str, letter: &str| {
            let recipient = [recipient.to_owned()];
            let variables = variables.as_object().expect("an object");
            problems(&Page { recipient: &recipient, practice: &[practice], letter, variables })
        };
        assert_eq!(said("Dr. Nu\u{301}n\u{303}ez", "Łódź", "“Zoë” – 5 €"), Vec::<String>::new());
        let all = said("李", "診", "Dear 李, 龍 here, a and ひ, ⚕").join("\n");
        for part in ["`李` in the recipient's name", "`診` in the practice", "`龍` in `news`", "`ひ` in `list`"] {
            assert!(all.contains(part), "{all}");
        }
        assert!(!all.contains('말') && !all.contains("in `unused`"), "what is not printed does not matter: {all}");
        assert!(said("a", "b", "李診所健康東한글자음").join("").contains("and others"));
        let named = |name: &str| in_recipient(&[name.to_owned(), "Fax (847) 555-0102".to_owned()]);
        assert_eq!((named("Zoë Núñez, MD"), named("小龍 李")), (None, Some("`小`, `李`, `龍`".to_owned())));
    }
}
