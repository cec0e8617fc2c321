//! What was typed, read the way people write it: one name with its letters, one line with town, state and ZIP code, a list
//! with commas or semicolons.

use super::states::{State, find_state};
use crate::domain::FaxNumber;
use crate::referrers::sheet::is_credential;

/// Toll-free area codes.
const TOLL_FREE_CODES: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// Longest answer on one line, and longest entry of a list.
const ANSWER_CHARS_MAX: usize = 200;
/// Longest background of the medical director.
const BACKGROUND_CHARS_MAX: usize = 400;
/// Titles that letters do not print before a name.
const TITLES: [&str; 8] = ["dr", "doctor", "prof", "professor", "mr", "mrs", "ms", "miss"];
/// What belongs to a name though it stands behind a comma.
const SUFFIXES: [&str; 5] = ["jr", "sr", "ii", "iii", "iv"];
/// Words with which family names of several words begin.
const PARTICLES: [&str; 16] =
    ["bin", "da", "de", "del", "della", "der", "di", "du", "la", "le", "mac", "saint", "st", "ten", "van", "von"];

/// Whether the number is toll-free.
#[must_use]
pub fn is_toll_free(number: &FaxNumber) -> bool {
    number.as_str().strip_prefix("+1").is_some_and(|digits| TOLL_FREE_CODES.iter().any(|code| digits.starts_with(code)))
}

/// One line with something on it.
///
/// # Errors
/// It is empty, too long, or more than a line.
pub fn one_line(text: &str) -> Result<String, String> {
    within(text, ANSWER_CHARS_MAX)
}

fn within(text: &str, chars_max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("this cannot be empty".to_owned());
    }
    if text.chars().count() > chars_max || text.chars().any(char::is_control) {
        return Err(format!("write one line of at most {chars_max} characters"));
    }
    Ok(text.to_owned())
}

/// Sentences about the director, the last one ended.
///
/// # Errors
/// As [`one_line`], with 400 characters.
pub fn background(text: &str) -> Result<String, String> {
    let mut text = within(text, BACKGROUND_CHARS_MAX)?;
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    Ok(text)
}

/// Town, state and ZIP code from one line: `Evanston, IL 60201`, `Phoenix, Arizona 85004-1234`.
///
/// # Errors
/// Says which of the three is missing or cannot be.
pub fn place(text: &str) -> Result<(String, &'static State, String), String> {
    let text = one_line(text)?;
    let example = "write all three, such as Evanston, IL 60201";
    let (rest, zip) = text.rsplit_once([' ', ',']).ok_or_else(|| example.to_owned())?;
    let zip = self::zip(zip)?;
    let rest = rest.trim_end_matches([' ', ',']);
    let (city, state) = split_state(rest).ok_or_else(|| format!("there is no such state: {example}"))?;
    if city.is_empty() {
        return Err(format!("the city is missing: {example}"));
    }
    Ok((as_printed(city), state, zip))
}

/// A name that was typed in small letters or in capitals alone, as a letter prints it: `fond du lac` is Fond du Lac. Any other
/// stays as it is.
#[must_use]
pub fn as_printed(name: &str) -> String {
    let has = |test: fn(char) -> bool| name.chars().any(test);
    if has(char::is_uppercase) && (has(char::is_lowercase) || name.chars().count() < 4) {
        return name.to_owned();
    }
    let words = name.to_lowercase();
    let words = words.split(' ').enumerate().map(|(place, word)| match word {
        "of" | "the" | "du" | "de" | "la" | "van" | "von" | "der" if place > 0 => word.to_owned(),
        _ => match word.strip_prefix("d'") {
            Some(rest) if place > 0 => format!("d'{}", capitalized(rest)),
            _ => capitalized(word),
        },
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A capital at the beginning, behind a hyphen, an apostrophe or a period, and behind `Mc`.
fn capitalized(word: &str) -> String {
    let mut before = String::new();
    for letter in word.chars() {
        let begins = before.is_empty() || before.ends_with(['-', '\'', '’', '.']) || before == "Mc";
        match begins {
            true => before.extend(letter.to_uppercase()),
            false => before.push(letter),
        }
    }
    before
}

/// The longest end of the text that is a state, and what is before it.
fn split_state(text: &str) -> Option<(&str, &'static State)> {
    let starts = text.char_indices().filter(|(at, c)| *at == 0 || matches!(c, ' ' | ',')).map(|(at, _)| at);
    starts
        .filter_map(|at| {
            let (city, state) = text.split_at(at);
            let state = find_state(state.trim_matches([' ', ',']))?;
            Some((city.trim_end_matches([' ', ',']), state))
        })
        .next()
}

/// A ZIP code of five or nine digits.
///
/// # Errors
/// It is none.
pub fn zip(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (five, four) = text.split_once('-').unwrap_or((text, "0000"));
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    if digits(five, 5) && digits(four, 4) {
        Ok(text.to_owned())
    } else {
        Err("the ZIP code is missing: it has five digits, such as 60201".to_owned())
    }
}

/// A list: entries between commas or semicolons, save within parentheses; each once, without what ends a sentence.
#[must_use]
pub fn list(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let entries = text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        matches!(c, ';' | '\n') || (c == ',' && depth == 0)
    });
    let mut list: Vec<String> = Vec::new();
    for entry in entries.map(|entry| entry.trim().trim_end_matches('.').trim()) {
        if !entry.is_empty() && !list.iter().any(|known| known.eq_ignore_ascii_case(entry)) {
            list.push(entry.to_owned());
        }
    }
    list
}

/// Whether an entry of a list says another one too: the same in any case, or as an abbreviation in parentheses, such as `PTSD`.
#[must_use]
pub fn says(entry: &str, other: &str) -> bool {
    let in_parts = entry.strip_suffix(')').and_then(|entry| entry.rsplit_once('('));
    let parts = in_parts.into_iter().flat_map(|(name, short)| [name.trim(), short.trim()]);
    std::iter::once(entry).chain(parts).any(|part| part.eq_ignore_ascii_case(other.trim()))
}

/// A name and the letters after it, apart: `Dr. Elena Marsh MD, PhD` is `Elena Marsh` and `MD, PhD`, and so is
/// `Marsh, Elena, MD, PhD`. Titles go, because the letters print name and letters; letters that stand there twice are kept once.
#[must_use]
pub fn person(name: &str, letters: &str) -> (String, String) {
    let mut parts: Vec<&str> = name.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let first = if parts.is_empty() { "" } else { parts.remove(0) };
    let mut tokens = untitled(first);
    let given = given_name(&tokens, &parts);
    let is_turned = given.is_some();
    if let Some(given) = given {
        tokens.splice(0..0, given);
        parts.remove(0);
    }
    let mut behind: Vec<&str> = Vec::new();
    while !is_turned && tokens.len() > 2 && tokens.last().is_some_and(|token| is_credential(token)) {
        behind.splice(0..0, tokens.pop());
    }
    let mut name = tokens.join(" ");
    for part in parts {
        if SUFFIXES.contains(&bare(part).as_str()) {
            name = format!("{name} {part}");
        } else {
            behind.extend(apart(part));
        }
    }
    behind.extend(letters.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).flat_map(apart));
    let mut kept: Vec<&str> = Vec::new();
    for token in behind {
        if !kept.iter().any(|known| bare(known) == bare(token)) {
            kept.push(token);
        }
    }
    (name, kept.join(", "))
}

/// The words without the titles before them.
fn untitled(text: &str) -> Vec<&str> {
    let mut tokens: Vec<&str> = text.split_whitespace().collect();
    while tokens.len() > 1 && TITLES.contains(&bare(tokens[0]).as_str()) {
        tokens.remove(0);
    }
    tokens
}

/// The words of the given name behind a family name, where a person is written as in lists: `Smith, John A., MD`. In capitals
/// it could be letters as well, and is a name only before letters that are known.
fn given_name<'t>(family: &[&str], behind: &[&'t str]) -> Option<Vec<&'t str>> {
    let is_suffix = |word: &&str| SUFFIXES.contains(&bare(word).as_str());
    let is_family = match family {
        [_] => true,
        [_, last] if is_suffix(last) => true,
        [particle, ..] => PARTICLES.contains(&bare(particle).as_str()),
        [] => false,
    };
    let given = untitled(behind.first().copied()?);
    let is_word = |word: &&str| word.starts_with(char::is_alphabetic) && !is_credential(word) && !is_suffix(word);
    let letters_follow = behind.len() > 1 && apart(behind[behind.len() - 1]).iter().all(|word| is_credential(word));
    let is_name = given.iter().all(is_word) && (behind[0].contains(char::is_lowercase) || letters_follow);
    (is_family && is_name).then_some(given)
}

/// `MD PhD` as two, where each word is letters after a name; anything else as it is: `FRCP (Edin)`.
fn apart(part: &str) -> Vec<&str> {
    let words: Vec<&str> = part.split_whitespace().collect();
    if words.iter().all(|word| is_credential(word)) { words } else { vec![part] }
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_says_already_is_not_said_twice() {
        let listed = "post-traumatic stress disorder (PTSD)";
        for other in [listed, "PTSD", "ptsd ", "Post-Traumatic Stress Disorder"] {
            assert!(says(listed, other), "{other}");
        }
        assert!(!says(listed, "stress") && !says("accelerated TMS", "TMS"));
    }

    #[test]
    fn what_was_typed_in_one_case_is_printed_as_a_name() {
        for (typed, printed) in [
            ("madison", "Madison"),
            ("FOND DU LAC", "Fond du Lac"),
            ("la crosse", "La Crosse"),
            ("winston-salem", "Winston-Salem"),
            ("coeur d'alene", "Coeur d'Alene"),
            ("mcallen", "McAllen"),
            ("St. Paul", "St. Paul"),
            ("LaGrange", "LaGrange"),
            ("TJ", "TJ"),
        ] {
            assert_eq!(as_printed(typed), printed);
        }
    }

    #[test]
    fn town_state_and_zip_code_are_read_from_one_line() {
        for (text, city, state, zip) in [
            ("Evanston, IL 60201", "Evanston", "IL", "60201"),
            ("phoenix  arizona 85004-1234", "Phoenix", "AZ", "85004-1234"),
            ("Kansas City, Missouri, 64105", "Kansas City", "MO", "64105"),
            ("Charleston, West Virginia 25301", "Charleston", "WV", "25301"),
            ("Washington, D.C. 20001", "Washington", "DC", "20001"),
            ("New York, New York 10001", "New York", "NY", "10001"),
        ] {
            let read = place(text).map(|(city, state, zip)| (city, state.code, zip));
            let expected = (city.to_owned(), state, zip.to_owned());
            assert_eq!(read, Ok(expected), "{text}");
        }
        for (text, says) in [
            ("Evanston", "all three"),
            ("Evanston IL", "five digits"),
            ("Evanston, Ontario 60201", "no such state"),
            ("IL 60201", "city is missing"),
        ] {
            assert!(place(text).is_err_and(|why| why.contains(says)), "{text}: {:?}", place(text).map(|_| ()));
        }
    }

    #[test]
    fn a_name_and_its_letters_are_told_apart_and_nothing_is_said_twice() {
        for (name, letters, read, apart) in [
            ("Elena Marsh", "MD", "Elena Marsh", "MD"),
            ("Dr. Elena Marsh, MD", "MD", "Elena Marsh", "MD"),
            ("Dr. Elena Marsh MD", "", "Elena Marsh", "MD"),
            ("Elena J. Marsh, M.D., Ph.D.", "", "Elena J. Marsh", "M.D., Ph.D."),
            ("Elena Marsh, MD PhD", "M.D.", "Elena Marsh", "MD, PhD"),
            ("John Smith, Jr., DO", "", "John Smith Jr.", "DO"),
            ("Jack Ma", "", "Jack Ma", ""),
            ("Dr. Ana Roth", "MD, DFAPA", "Ana Roth", "MD, DFAPA"),
            ("Smith, John, MD", "", "John Smith", "MD"),
            ("Smith, John", "MD", "John Smith", "MD"),
            ("Dr. Smith, John A., M.D., PhD", "", "John A. Smith", "M.D., PhD"),
            ("SMITH, JOHN, MD", "", "JOHN SMITH", "MD"),
            ("Smith, John, Jr., DO", "", "John Smith Jr.", "DO"),
            ("Smith Jr., John, MD", "", "John Smith Jr.", "MD"),
            ("De La Cruz, Maria, MD", "", "Maria De La Cruz", "MD"),
            ("Ma, Jack, DO", "", "Jack Ma", "DO"),
            ("Elena Marsh, Medical Director", "", "Elena Marsh", "Medical Director"),
            ("Elena Marsh, FRCP (Edin)", "", "Elena Marsh", "FRCP (Edin)"),
            ("Marsh, MD", "", "Marsh", "MD"),
        ] {
            assert_eq!(person(name, letters), (read.to_owned(), apart.to_owned()), "{name} / {letters}");
        }
    }

    #[test]
    fn a_list_has_commas_or_semicolons_and_no_entry_twice() {
        assert_eq!(list("Aetna, Cigna; aetna;; Humana."), ["Aetna", "Cigna", "Humana"]);
        assert_eq!(list("TMS (H1, figure-eight), ECT"), ["TMS (H1, figure-eight)", "ECT"]);
        assert_eq!(list(" ; ,"), Vec::<String>::new());
    }

    #[test]
    fn a_background_ends_like_a_sentence() {
        assert_eq!(background(" I trained in Chicago "), Ok("I trained in Chicago.".to_owned()));
        assert_eq!(background("I did!"), Ok("I did!".to_owned()));
        assert!(background("two\nlines").is_err());
    }

    #[test]
    fn toll_free_numbers_are_told_by_their_code() {
        let number = |text| FaxNumber::parse(text).expect("a number");
        assert!(is_toll_free(&number("800-555-0199")));
        assert!(!is_toll_free(&number("847-555-0199")));
    }
}
