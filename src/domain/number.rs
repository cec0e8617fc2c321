//! Telephone numbers as people, directories and spreadsheets write them. A number is what its digits say: nothing is
//! dialed that a person would not read in the text. A letter that is not a known word of a telephone number makes the
//! text unreadable; it is never a key of the keypad (ITU-T E.161), and a spreadsheet's exponent is never a digit.

mod entry;
mod plan;
mod words;

use unicode_normalization::UnicodeNormalization;

use super::address_error::AddressError;
use entry::Entry;
use words::Meaning;

/// Longest text examined, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// Longest extension, in digits.
const EXTENSION_DIGITS_MAX: usize = 7;
/// Most numbers read from one text.
const ENTRIES_MAX: usize = 12;

/// What a text was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// The number that was chosen.
    pub value: T,
    /// How many further numbers the text holds.
    pub others: usize,
}

/// What the number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A fax machine.
    Fax,
    /// A person.
    Voice,
}

/// A number that can exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// In E.164.
    pub e164: String,
    /// Digits dialed after the call is answered.
    pub extension: Option<String>,
}

/// Reads the number for one kind of line. Of several, the first that is marked for it, else the first that is not marked.
pub(super) fn read(text: &str, line: Line) -> Result<Reading<Number>, AddressError> {
    // A footnote mark or a digit of another script is no digit that somebody dials.
    let is_odd = |c: char| c.is_numeric() && !c.is_ascii_digit() && !('\u{ff10}'..='\u{ff19}').contains(&c);
    if text.chars().any(is_odd) {
        return Err(AddressError("a sign stands among the digits: type the number in plain digits only"));
    }
    let text = plain(text);
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '='));
    if text.is_empty() {
        return Err(AddressError("the number is empty"));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(AddressError("the number is longer than 200 characters"));
    }
    if let Some(digits) = spreadsheet_number(text)? {
        return Ok(Reading { value: Number { e164: plan::e164(&[&digits], false)?, extension: None }, others: 0 });
    }
    choose(&entries(text)?, line)
}

/// Full-width digits, typographic dashes and blanks as the plain ones, without characters that nobody sees.
fn plain(text: &str) -> String {
    let text = text.replace("&amp;", "&").replace("&nbsp;", " ").replace("&#43;", "+").replace(":::", "\n");
    let shown = text.nfkc().filter(|c| !is_invisible(*c)).map(|c| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' => '.',
        c if c.is_whitespace() && c != '\n' && c != '\t' => ' ',
        c => c,
    });
    let lower: String = shown.flat_map(char::to_lowercase).collect();
    // RFC 3966 §3: the extension of a telephone URI, which is also the stored form.
    lower.replace(";ext=", " ext ")
}

/// Characters that take no room: soft hyphen, zero-width blanks, direction marks, byte-order mark.
#[must_use]
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The digits of a number that a spreadsheet wrote: `8475550163.0`, `8.475550163E+09`. None: the text is of another form.
/// An exponent is accepted only where every digit is written out; otherwise some of them are lost.
fn spreadsheet_number(text: &str) -> Result<Option<String>, AddressError> {
    const ROUNDED: AddressError = AddressError(
        "this looks like a spreadsheet's rounded number, which has lost digits: format the column as text and type the number again",
    );
    let number = text.replace(',', ".");
    let (mantissa, exponent) = match number.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number.as_str(), None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !(fraction.is_empty() || is_number(fraction)) {
        return Ok(None);
    }
    let Some(exponent) = exponent else {
        let is_whole_number = whole.len() >= 7 && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        return Ok(is_whole_number.then(|| whole.to_owned()));
    };
    let exponent = exponent.trim_start_matches('+');
    if !is_number(exponent) || exponent.len() > 3 {
        return if exponent.starts_with('-') { Err(ROUNDED) } else { Ok(None) };
    }
    let exponent: usize = exponent.parse().map_err(|_| ROUNDED)?;
    let (shown, padding) = fraction.split_at(fraction.len().min(exponent));
    if whole.len() != 1 || shown.len() != exponent || padding.bytes().any(|byte| byte != b'0') {
        return Err(ROUNDED);
    }
    Ok(Some(format!("{whole}{shown}")))
}

/// All numbers of the text, each with how it is marked.
fn entries(text: &str) -> Result<Vec<Entry>, AddressError> {
    let tokens = words::tokens(text)?;
    let mut found: Vec<Entry> = Vec::new();
    let mut current = Entry::default();
    for (place, token) in tokens.iter().enumerate() {
        let ends_before = match &token.meaning {
            Meaning::Separator(_) if words::extension_follows(&tokens, place) => false,
            Meaning::Separator(_) | Meaning::Plus | Meaning::Open | Meaning::Gap => current.is_complete(),
            Meaning::Digits(_) => current.is_complete() && !current.is_abroad() && !current.awaits_extension,
            Meaning::Label(_) => {
                current.is_complete() && words::label_begins_a_number(&tokens, place, current.line.is_some())?
            }
            _ => false,
        };
        if ends_before && !opens_a_remark(&tokens, place) {
            found.push(std::mem::take(&mut current));
            current.follows = matches!(token.meaning, Meaning::Separator(_));
        }
        current.take(token)?;
    }
    if current.has_digits() {
        found.push(current);
    } else if found.is_empty() {
        return Err(AddressError("this is not a telephone number"));
    }
    if found.len() > ENTRIES_MAX {
        return Err(AddressError("the text holds more than twelve numbers: give one"));
    }
    Ok(found)
}

/// Whether a parenthesis or a wide gap is followed by words, such as `(fax)`, and not by the next number.
fn opens_a_remark(tokens: &[words::Token], place: usize) -> bool {
    if !matches!(tokens[place].meaning, Meaning::Open | Meaning::Gap) {
        return false;
    }
    let next = tokens[place + 1..].iter().find(|token| !matches!(token.meaning, Meaning::Blank | Meaning::Punctuation));
    !next.is_some_and(|next| matches!(next.meaning, Meaning::Digits(_) | Meaning::Plus | Meaning::Open))
}

fn choose(entries: &[Entry], line: Line) -> Result<Reading<Number>, AddressError> {
    let mut numbers = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        match entry.number() {
            Ok(number) => numbers.push((entry.line, number)),
            // `(847) 555-0104 / 0105`: a second line, written short.
            Err(_) if place > 0 && entry.is_short_for_another() => {}
            Err(error) => return Err(error),
        }
    }
    let marked = numbers.iter().find(|(mark, _)| *mark == Some(line));
    let Some((_, number)) = marked.or_else(|| numbers.iter().find(|(mark, _)| mark.is_none())) else {
        return Err(match line {
            Line::Fax => AddressError("this number is marked as a telephone number, not as a fax number"),
            Line::Voice => AddressError("this number is marked as a fax number, not as a telephone number"),
        });
    };
    if line == Line::Fax && number.extension.is_some() {
        return Err(AddressError(
            "the fax number has an extension, which a fax cannot dial: give the number of the fax line itself, and put one with an extension into the telephone column",
        ));
    }
    Ok(Reading { value: number.clone(), others: entries.len() - 1 })
}

#[cfg(test)]
mod tests;
