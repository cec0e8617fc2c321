//! Searches what was typed into a de-identified letter for details that could identify someone (45 CFR
//! § 164.514(b)(2); `compliance.md` R5.2). It finds patterns, not people: a person still attests.

use crate::domain::dated_text::MONTHS;

/// The kinds of identifying details a text seems to contain, in words; never the details themselves. `places` are names
/// of towns that would narrow down the person.
#[must_use]
pub fn find(text: &str, places: &[&str]) -> Vec<&'static str> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@').to_lowercase())
        .collect();
    let lower = format!(" {} ", words.join(" "));
    let mut found = Vec::new();
    let mut note = |holds: bool, what: &'static str| {
        if holds {
            found.push(what);
        }
    };
    note(
        words.windows(2).any(|pair| is_day(&pair[0], &pair[1])) || words.iter().any(|word| is_date(word)),
        "a date finer than a year",
    );
    note(
        words.iter().any(|word| digits(word) >= 7 && !is_date(word)) || has_phone(text),
        "a telephone number or a long code",
    );
    note(words.iter().any(|word| word.contains('@')), "an email address");
    note(words.iter().any(|word| word.contains("://") || word.starts_with("www.")), "a web address");
    note(words.iter().any(|word| is_zip(word)), "a ZIP code");
    note(has_age_over_89(&words), "an age over 89");
    note(words.iter().any(|word| is_record_code(word)), "a record number");
    note(
        [" this month ", " this week ", " last week ", " last month "].iter().any(|near| lower.contains(near)),
        "how recent it is",
    );
    note(
        places.iter().any(|place| lower.contains(&format!(" {} ", place.to_lowercase()))),
        "a place near the practice",
    );
    found
}

fn digits(word: &str) -> usize {
    word.bytes().filter(u8::is_ascii_digit).count()
}

/// `March 3`, `3 March`, `mar 3rd`.
fn is_day(first: &str, second: &str) -> bool {
    let month = |word: &str| word.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(word));
    let day = |word: &str| {
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        number.len() <= 2 && number.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
    };
    (month(first) && day(second)) || (day(first) && month(second))
}

/// `2026-03-03`, `3/3/2026`, `3/26`.
fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let numbers = parts.iter().all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    numbers && parts.len() == 3
}

/// Groups of three and four digits next to one another.
fn has_phone(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    groups.windows(3).any(|three| three.iter().map(|group| group.len()).eq([3, 3, 4]))
}

fn is_zip(word: &str) -> bool {
    let (five, four) = word.split_once('-').unwrap_or((word, "0000"));
    five.len() == 5 && four.len() == 4 && [five, four].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

fn has_age_over_89(words: &[String]) -> bool {
    let old = |word: &str| word.parse::<u32>().is_ok_and(|age| (90..=120).contains(&age));
    words.windows(2).any(|pair| old(&pair[0]) && pair[1].starts_with("year"))
        || words.windows(2).any(|pair| matches!(pair[0].as_str(), "age" | "aged") && old(&pair[1]))
        || words.iter().any(|word| word.split_once('-').is_some_and(|(age, rest)| old(age) && rest.starts_with("year")))
}

/// Letters followed by four digits or more, such as `mrn00123`.
fn is_record_code(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = word[letters..].trim_start_matches(['-', '#']);
    letters >= 1 && rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_that_could_identify_somebody_are_found() {
        for (text, what) in [
            ("It began on March 3.", "date"),
            ("It began on 3rd March", "date"),
            ("seen 2026-03-03", "date"),
            ("seen 3/3/2026", "date"),
            ("call (312) 555-0142", "telephone"),
            ("write to a@b.example", "email"),
            ("see https://a.example", "web address"),
            ("lives in 60201", "ZIP"),
            ("a 93-year-old", "over 89"),
            ("aged 91", "over 89"),
            ("chart MRN-00123", "record number"),
            ("our third patient this month", "recent"),
            ("a teacher from Evanston, married", "place"),
        ] {
            assert!(
                find(text, &["Evanston"]).iter().any(|found| found.contains(what)),
                "{text}: {:?}",
                find(text, &["Evanston"])
            );
        }
    }

    #[test]
    fn ordinary_stories_are_left_alone() {
        for text in [
            "An adult in midlife had been depressed for well over a year; several antidepressants were stopped.",
            "22 of 38 met it; 16 did not, PHQ-9, 20 to 30 sessions in 2026, 120 % of threshold, age 45",
            "July to September 2026, story-014",
        ] {
            assert_eq!(find(text, &["Evanston"]), Vec::<&str>::new(), "{text}");
        }
    }
}
