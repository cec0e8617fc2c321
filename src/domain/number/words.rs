//! The text in pieces, and what its words mean.

use super::Line;
use crate::domain::address_error::AddressError;

/// Words that mark a fax line.
const FAX: &[&str] = &["fax", "faxes", "facsimile", "telefax", "f", "fx", "efax", "faxno", "faxnumber"];
/// Words that mark a line on which a person answers.
const VOICE: &[&str] = &[
    "telephone",
    "telephones",
    "phone",
    "phones",
    "ph",
    "p",
    "t",
    "voice",
    "v",
    "mobile",
    "mob",
    "cell",
    "cellular",
    "c",
    "m",
    "phoneno",
];
/// Words that say nothing about what answers.
const NEUTRAL: &[&str] = &[
    "tel",
    "tele",
    "telno",
    "callto",
    "sms",
    "office",
    "ofc",
    "work",
    "wk",
    "w",
    "home",
    "h",
    "main",
    "business",
    "bus",
    "direct",
    "preferred",
    "pref",
    "primary",
    "secondary",
    "alt",
    "alternate",
    "other",
    "new",
    "number",
    "numbers",
    "num",
    "nbr",
    "nr",
    "line",
    "lines",
    "dept",
    "department",
    "only",
    "toll",
    "free",
    "tollfree",
    "local",
    "clinic",
    "front",
    "back",
    "desk",
    "referrals",
    "referral",
    "records",
    "scheduling",
    "intake",
    "secure",
];
/// Words for "number", where the number follows. Elsewhere they say that there is none.
const NUMBER: &[&str] = &["no", "nos"];
/// Words before an extension.
const EXTENSION: &[&str] = &["x", "xt", "ext", "extn", "exten", "extension"];
/// Words between two numbers.
const BETWEEN: &[&str] = &["or", "and"];
/// Countries that people write before a number, with the code that the number must have.
const COUNTRIES: &[(&str, &str)] =
    &[("us", "+1"), ("usa", "+1"), ("ca", "+1"), ("can", "+1"), ("canada", "+1"), ("uk", "+44"), ("gb", "+44")];

/// What one piece of the text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Digits(String),
    Plus,
    /// What answers, where the word says so.
    Label(Option<Line>),
    Extension,
    /// The country code that the number must have.
    Country(&'static str),
    /// Something that stands between two numbers, or (a slash, a comma) inside one.
    Separator(char),
    Open,
    Close,
    /// A wide gap.
    Gap,
    Blank,
    Punctuation,
    Hash,
}

/// One piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub meaning: Meaning,
    /// Whether a colon follows, as after a label.
    pub has_colon: bool,
    /// Whether an opening parenthesis stands right before it.
    pub in_parentheses: bool,
}

const LETTER_AMONG_DIGITS: AddressError =
    AddressError("a letter stands among the digits: type the number in digits only, with 0 for O and 1 for l");
const LETTERS: AddressError =
    AddressError("the number holds letters or words that are no part of one: type it in digits only");
const NO_NUMBER: AddressError = AddressError("this is not a telephone number");

/// Takes a text apart.
///
/// # Errors
/// It holds a letter or sign that has no place in a telephone number.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, AddressError> {
    let characters: Vec<char> = text.chars().collect();
    let has_digits = characters.iter().any(char::is_ascii_digit);
    let (mut tokens, mut place) = (Vec::<Token>::new(), 0);
    while let Some(first) = characters.get(place) {
        let run = |is_part: fn(char) -> bool| characters[place..].iter().take_while(|c| is_part(**c)).count();
        let (meaning, taken) = match first {
            '0'..='9' => {
                let taken = run(|c| c.is_ascii_digit());
                (Meaning::Digits(characters[place..place + taken].iter().collect()), taken)
            }
            c if c.is_alphabetic() => {
                let taken = run(char::is_alphabetic);
                let word: String = characters[place..place + taken].iter().collect();
                let beside = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit);
                if NUMBER.contains(&word.as_str()) && says_number(&characters[place + taken..]) {
                    tokens.push(Token { meaning: Meaning::Punctuation, has_colon: false, in_parentheses: false });
                    place += taken;
                    continue;
                }
                let touches = beside(place.checked_sub(1)) || beside(Some(place + taken));
                (meaning_of(&word, touches, has_digits)?, taken)
            }
            ' ' => (if run(|c| c == ' ') > 2 { Meaning::Gap } else { Meaning::Blank }, run(|c| c == ' ')),
            '\t' => (Meaning::Gap, 1),
            '\n' | ';' | '|' | '/' | ',' | '&' => (Meaning::Separator(*first), 1),
            '+' => (Meaning::Plus, 1),
            '(' | '[' => (Meaning::Open, 1),
            ')' | ']' => (Meaning::Close, 1),
            '#' => (Meaning::Hash, 1),
            '-' | '.' | ':' | '\'' | '"' | '_' => (Meaning::Punctuation, 1),
            _ => return Err(if has_digits { LETTERS } else { NO_NUMBER }),
        };
        let next = characters[place + taken..].iter().find(|c| **c != ' ');
        let in_parentheses = tokens.last().is_some_and(|last| last.meaning == Meaning::Open);
        tokens.push(Token { meaning, has_colon: next == Some(&':'), in_parentheses });
        place += taken;
    }
    Ok(tokens)
}

/// Whether the number follows right behind `no`: `Fax no. 847 …`, but not `no fax, call 847 …`.
fn says_number(rest: &[char]) -> bool {
    let next = rest.iter().find(|c| !matches!(c, ' ' | '.' | ':' | '#'));
    next.is_some_and(|c| c.is_ascii_digit() || matches!(c, '(' | '+'))
}

fn meaning_of(word: &str, touches_a_digit: bool, has_digits: bool) -> Result<Meaning, AddressError> {
    let unknown = if touches_a_digit { LETTER_AMONG_DIGITS } else { LETTERS };
    if EXTENSION.contains(&word) {
        return Ok(Meaning::Extension);
    }
    if !has_digits {
        return Err(NO_NUMBER);
    }
    // One letter beside a digit may be a digit that was misread.
    if touches_a_digit && word.chars().count() == 1 {
        return Err(unknown);
    }
    if let Some((_, code)) = COUNTRIES.iter().find(|(name, _)| *name == word) {
        return Ok(Meaning::Country(code));
    }
    if BETWEEN.contains(&word) {
        return Ok(Meaning::Separator('|'));
    }
    let label = [(FAX, Some(Line::Fax)), (VOICE, Some(Line::Voice)), (NEUTRAL, None)];
    label.iter().find(|(words, _)| words.contains(&word)).map(|(_, line)| Meaning::Label(*line)).ok_or(unknown)
}

/// Whether the piece at this place only leads to an extension: `(847) 555-0161, ext. 12`.
pub(super) fn extension_follows(tokens: &[Token], place: usize) -> bool {
    let next = tokens[place + 1..].iter().find(|token| token.meaning != Meaning::Blank);
    next.is_some_and(|next| next.meaning == Meaning::Extension)
}

/// Whether a label behind a complete number belongs to the number that follows: `F: … P: …`, not `… (fax)`. `is_marked`: the
/// number before it has a label already.
///
/// # Errors
/// It stands between two numbers and could belong to either.
pub(super) fn label_begins_a_number(tokens: &[Token], place: usize, is_marked: bool) -> Result<bool, AddressError> {
    let is_label = |token: &&Token| {
        matches!(
            token.meaning,
            Meaning::Label(_) | Meaning::Blank | Meaning::Punctuation | Meaning::Hash | Meaning::Gap
        )
    };
    let run = tokens[place..].iter().take_while(is_label);
    let has_colon = run.clone().any(|token| token.has_colon);
    let next = tokens.get(place + run.count());
    let number_follows =
        next.is_some_and(|next| matches!(next.meaning, Meaning::Digits(_) | Meaning::Plus | Meaning::Open));
    if !number_follows || tokens[place].in_parentheses {
        return Ok(false);
    }
    if has_colon || is_marked || tokens[place].meaning == Meaning::Label(None) {
        return Ok(true);
    }
    Err(AddressError("a word stands between two numbers and could mean either: give one number"))
}
