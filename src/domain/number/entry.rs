//! One number of a text, as it is put together from its pieces.

use super::words::{Meaning, Token};
use super::{EXTENSION_DIGITS_MAX, Line, Number, plan};
use crate::domain::address_error::AddressError;

const UNREADABLE: AddressError = AddressError("this is not a telephone number: type the digits of one number");

/// A number under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What answers, where a word says so.
    pub line: Option<Line>,
    /// Whether it stands behind another number and a separator.
    pub follows: bool,
    /// Whether the next digits are its extension.
    pub awaits_extension: bool,
    is_for_both: bool,
    has_plus: bool,
    groups: Vec<Group>,
    extension: Option<String>,
    country: Option<&'static str>,
    joined_by: Option<char>,
    in_parentheses: bool,
}

/// Digits that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    digits: String,
    /// A slash or comma before it.
    joined_by: Option<char>,
    in_parentheses: bool,
}

impl Entry {
    /// Takes the next piece of the text.
    ///
    /// # Errors
    /// It has no place there.
    pub(super) fn take(&mut self, token: &Token) -> Result<(), AddressError> {
        match &token.meaning {
            Meaning::Digits(digits) => return self.take_digits(digits),
            Meaning::Plus if self.groups.is_empty() && !self.has_plus => self.has_plus = true,
            Meaning::Plus => return Err(UNREADABLE),
            Meaning::Label(_) | Meaning::Country(_) if self.has_digits() && !self.is_complete() => {
                return Err(UNREADABLE);
            }
            // One number for both (`Fax/Phone …`) is marked for neither.
            Meaning::Label(Some(line)) if self.is_for_both || self.line.is_some_and(|known| known != *line) => {
                (self.is_for_both, self.line) = (true, None);
            }
            Meaning::Label(line) => self.line = self.line.or(*line),
            Meaning::Country(code) => self.country = Some(code),
            Meaning::Extension if self.has_digits() && !self.is_complete() => return Err(UNREADABLE),
            Meaning::Extension => {
                self.awaits_extension = self.has_digits();
                self.joined_by = None;
            }
            // Before the digits `#` stands for "number", behind them for the extension.
            Meaning::Hash => self.awaits_extension = self.has_digits() && self.is_complete(),
            Meaning::Separator(sign) if self.has_digits() => self.joined_by = Some(*sign),
            Meaning::Open => self.in_parentheses = true,
            Meaning::Close => self.in_parentheses = false,
            Meaning::Separator(_) | Meaning::Gap | Meaning::Blank | Meaning::Punctuation => {}
        }
        Ok(())
    }

    fn take_digits(&mut self, digits: &str) -> Result<(), AddressError> {
        if std::mem::take(&mut self.awaits_extension) {
            if digits.len() > EXTENSION_DIGITS_MAX || self.extension.is_some() {
                return Err(UNREADABLE);
            }
            self.extension = Some(digits.to_owned());
            return Ok(());
        }
        if self.extension.is_some() || self.groups.len() >= 16 {
            return Err(UNREADABLE);
        }
        let joined_by = self.joined_by.take();
        self.groups.push(Group { digits: digits.to_owned(), joined_by, in_parentheses: self.in_parentheses });
        Ok(())
    }

    /// Whether it has any digits.
    pub(super) const fn has_digits(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether it could end here.
    pub(super) fn is_complete(&self) -> bool {
        self.has_digits() && self.number().is_ok()
    }

    /// Whether it is written in international form, where the number of digits does not tell the end.
    pub(super) fn is_abroad(&self) -> bool {
        self.has_plus || self.groups.first().is_some_and(|first| first.digits.starts_with('0'))
    }

    /// Whether it only says how another line ends: two to seven digits behind a separator.
    pub(super) fn is_short_for_another(&self) -> bool {
        let [only] = self.groups.as_slice() else { return false };
        self.follows && !self.has_plus && (2..=7).contains(&only.digits.len())
    }

    /// The number.
    ///
    /// # Errors
    /// Its digits are not those of one number that can exist.
    pub(super) fn number(&self) -> Result<Number, AddressError> {
        let groups = self.dialed_groups()?;
        let e164 = match groups.iter().position(|group| group.in_parentheses && group.digits == "0") {
            // `+44 (0)20 …`: the zero is dialed only within the country, except where it is part of the number.
            Some(zero) if self.has_plus => {
                let without: Vec<&str> =
                    texts(groups.iter().enumerate().filter(|(place, _)| *place != zero).map(|(_, group)| group));
                plan::e164(&without, true).or_else(|_| plan::e164(&texts(groups.iter()), true))?
            }
            _ => plan::e164(&texts(groups.iter()), self.has_plus)?,
        };
        if self.country.is_some_and(|code| !e164.starts_with(code)) {
            return Err(AddressError("the country that is named is not the country of the number"));
        }
        Ok(Number { e164, extension: self.extension.clone() })
    }

    /// The groups without a digit for an outside line (`9, 1-847-…`).
    ///
    /// # Errors
    /// A slash or comma stands where it cannot belong to one number.
    fn dialed_groups(&self) -> Result<&[Group], AddressError> {
        let groups = match self.groups.as_slice() {
            [first, second, rest @ ..] if first.digits == "9" && !self.has_plus => {
                let digits = second.digits.len() + rest.iter().map(|group| group.digits.len()).sum::<usize>();
                let long_distance = digits == 11 && second.digits.starts_with('1');
                if long_distance || (digits == 10 && second.joined_by == Some(',')) {
                    &self.groups[1..]
                } else {
                    &self.groups[..]
                }
            }
            groups => groups,
        };
        let lengths: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
        let signs: Vec<char> = groups.iter().skip(1).filter_map(|group| group.joined_by).collect();
        let is_area_code_and_slash =
            signs.as_slice() == ['/'] && matches!(lengths.as_slice(), [3, 3, 4] | [3, 7] | [1, 3, 3, 4] | [1, 3, 7]);
        let is_thousands = signs.len() + 1 == lengths.len()
            && signs.iter().all(|sign| *sign == ',')
            && matches!(lengths.as_slice(), [1 | 2, 3, 3, 3]);
        if signs.is_empty() || is_area_code_and_slash || is_thousands { Ok(groups) } else { Err(UNREADABLE) }
    }
}

fn texts<'g>(groups: impl Iterator<Item = &'g Group>) -> Vec<&'g str> {
    groups.map(|group| group.digits.as_str()).collect()
}
