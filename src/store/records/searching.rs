//! What a search for a referrer reads, and what it asks for. A person is found by any of their locations.

use unicode_normalization::UnicodeNormalization;

use crate::domain::id::ReferrerId;
use crate::domain::names::folded;
use crate::domain::referrer::{Location, Referrer};
use crate::domain::{AddressKey, EmailAddress, FaxNumber, PhoneNumber};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const NOTE: &str = "UPDATE referrer SET search_text = $2 WHERE id = $1";
/// Words of one search.
const WORDS_MAX: usize = 8;
/// Fewest digits that are taken for a number.
const DIGITS_MIN: usize = 4;
/// From how many digits on a prefix for calls abroad can be told from the end of a number.
const DIGITS_ABROAD_MIN: usize = 9;

/// Everything by which a person searches for a referrer, in comparable form: names, NPI, and of every location the
/// organization, town, mailbox and digits of the numbers.
pub(super) fn search_text(referrer: &Referrer, locations: &[Location]) -> String {
    let names = [&referrer.first_name, &referrer.last_name, &referrer.credentials];
    let mut words: Vec<String> = names.into_iter().flatten().map(|text| folded(text)).collect();
    words.extend(referrer.npi.clone());
    let mut add = |text: Option<String>| words.extend(text.filter(|text| !text.is_empty()));
    let mut place = |organization: &Option<String>, city: &Option<String>, email: &Option<EmailAddress>| {
        add(organization.as_deref().map(folded));
        add(city.as_deref().map(folded));
        add(email.as_ref().map(spellings));
    };
    place(&referrer.organization, &referrer.place.city, &referrer.email);
    locations.iter().for_each(|one| place(&one.organization, &one.place.city, &one.email));
    let numbers =
        std::iter::once((&referrer.fax, &referrer.phone)).chain(locations.iter().map(|one| (&one.fax, &one.phone)));
    for (fax, phone) in numbers {
        add(fax.as_ref().map(FaxNumber::as_str).map(digits_of));
        add(phone.as_deref().map(main_digits));
    }
    words.join(" ")
}

/// A mailbox in every form in which somebody may look for it or for its domain: as it is, as a key, and in plain words.
fn spellings(email: &EmailAddress) -> String {
    let (domain, _) = idna::domain_to_unicode(email.domain());
    let written = format!("{}@{domain}", email.local()).to_lowercase();
    let mut forms =
        vec![email.as_str().to_lowercase(), AddressKey::from(email).as_str().to_owned(), folded(&written), written];
    forms.sort_unstable();
    forms.dedup();
    forms.join(" ")
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The digits of a stored telephone number without its extension.
fn main_digits(stored: &str) -> String {
    digits_of(stored.split(';').next().unwrap_or(stored))
}

/// The patterns that all must fit for a text to be found. A number is searched for by its digits, in whatever form; a
/// mailbox by its key; everything else by its words, without accents. PostgreSQL would take a backslash for an escape and
/// SQLite would not, so the statement names the escape character for both.
pub(super) fn patterns_of(text: &str) -> Vec<String> {
    let text = text.trim();
    let folded = folded(text);
    let words: Vec<String> = if let Some(digits) = number(text) {
        vec![digits]
    } else if let Ok(email) = EmailAddress::parse(text) {
        vec![AddressKey::from(&email).as_str().to_owned()]
    } else if text.contains('@') || folded.is_empty() {
        vec![text.nfc().collect::<String>().to_lowercase()]
    } else {
        folded.split_whitespace().take(WORDS_MAX).map(str::to_owned).collect()
    };
    let escaped = |word: String| word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    words.into_iter().map(|word| format!("%{}%", escaped(word))).collect()
}

/// The digits to look for if the text is a number, or a part of one: without extension, the country code of the United
/// States, and what is dialed before a call abroad.
fn number(text: &str) -> Option<String> {
    if text.contains('@') {
        return None;
    }
    let whole = PhoneNumber::parse(text).map(|number| main_digits(number.as_str()));
    let digits = whole.ok().or_else(|| {
        let plain = without_extension(text);
        let is_number = plain.chars().all(|c| c.is_ascii_digit() || " ()-.+/".contains(c));
        Some(digits_of(plain)).filter(|digits| is_number && digits.len() >= DIGITS_MIN)
    })?;
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10);
    let abroad = digits.strip_prefix("011").unwrap_or(&digits).trim_start_matches('0');
    let is_abroad = digits.len() >= DIGITS_ABROAD_MIN && !abroad.is_empty();
    Some(national.unwrap_or(if is_abroad { abroad } else { &digits }).to_owned())
}

/// A part of a number without the extension behind it: `555-0109 x12`.
fn without_extension(text: &str) -> &str {
    let marks = ["ext", "x", "#"];
    let behind = |mark: &&str| text.to_ascii_lowercase().find(*mark).map(|at| (at, at + mark.len()));
    let Some((at, end)) = marks.iter().find_map(behind) else { return text };
    let extension = text[end..].trim_matches(|c: char| c == '.' || c == ':' || c == '=' || c.is_whitespace());
    let is_extension = !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_digit());
    if is_extension { text[..at].trim_end_matches([' ', ';', ',']) } else { text }
}

impl Tx {
    /// Brings what searches read up to date after a change of a referrer's locations.
    pub(super) async fn note_search_text(&mut self, id: ReferrerId) -> Result<(), StoreError> {
        let Some(referrer) = self.referrer(id).await? else { return Ok(()) };
        let text = search_text(&referrer, &self.locations_of(&[id]).await?);
        on!(self, |c, d| {
            sqlx::query(NOTE).bind(id).bind(&text).execute(&mut *c).await?;
            Ok(())
        })
    }
}
