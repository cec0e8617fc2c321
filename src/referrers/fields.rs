//! A referrer's fields by name: read, compare, set. What counts as the same value is said here once.

use crate::domain::names::{Likeness, PersonKey, folded, organization_key};
use crate::domain::number::is_invisible;
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Referrer, ReferrerType, read_npi};
use crate::domain::{Address, AddressKey, EmailAddress, FaxNumber, PhoneNumber};

/// The fields in which nobody looks for what cannot be seen: a mark of direction turns the letters of a name around.
const NAMES: [RecordField; 4] =
    [RecordField::FirstName, RecordField::LastName, RecordField::Credentials, RecordField::Organization];

/// The field's value as text.
#[must_use]
pub fn value(referrer: &Referrer, field: RecordField) -> Option<String> {
    match field {
        RecordField::Npi => referrer.npi.clone(),
        RecordField::FirstName => referrer.first_name.clone(),
        RecordField::LastName => referrer.last_name.clone(),
        RecordField::Credentials => referrer.credentials.clone(),
        RecordField::Organization => referrer.organization.clone(),
        RecordField::Kind => Some(referrer.kind.to_string()),
        RecordField::Email => referrer.email.as_ref().map(|email| email.as_str().to_owned()),
        RecordField::Fax => referrer.fax.as_ref().map(|fax| fax.as_str().to_owned()),
        RecordField::Phone => referrer.phone.clone(),
        RecordField::TimeZone => referrer.time_zone.clone(),
        RecordField::Street => referrer.place.street.clone(),
        RecordField::City => referrer.place.city.clone(),
        RecordField::Region => referrer.place.region.clone(),
        RecordField::PostalCode => referrer.place.postal_code.clone(),
        RecordField::Notes => referrer.notes.clone(),
    }
}

/// Sets the field; an empty text erases it.
///
/// # Errors
/// The text is not a value of the field, in words.
pub fn set(referrer: &mut Referrer, field: RecordField, text: &str) -> Result<(), String> {
    let text = Some(text.trim()).filter(|text| !text.is_empty());
    if NAMES.contains(&field) && text.is_some_and(|text| text.contains(is_invisible)) {
        return Err("write it without invisible characters and marks of direction".to_owned());
    }
    let owned = text.map(str::to_owned);
    match field {
        RecordField::Npi => {
            let read = text.map(|npi| read_npi(npi).ok_or("an NPI has ten digits with a valid check digit"));
            referrer.npi = read.transpose()?;
        }
        RecordField::FirstName => referrer.first_name = owned,
        RecordField::LastName => referrer.last_name = owned,
        RecordField::Credentials => referrer.credentials = owned,
        RecordField::Organization => referrer.organization = owned,
        RecordField::Kind => referrer.kind = text.map_or(Ok(ReferrerType::Other), str::parse)?,
        RecordField::Email => {
            referrer.email = text.map(EmailAddress::parse).transpose().map_err(|error| error.to_string())?;
        }
        RecordField::Fax => referrer.fax = text.map(FaxNumber::parse).transpose().map_err(|error| error.to_string())?,
        RecordField::Phone => {
            let phone = text.map(PhoneNumber::parse).transpose().map_err(|error| error.to_string())?;
            referrer.phone = phone.map(|phone| phone.as_str().to_owned());
        }
        RecordField::TimeZone => {
            if text.is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
                return Err("a time zone is an IANA name, such as America/Chicago".to_owned());
            }
            referrer.time_zone = owned;
        }
        RecordField::Street => referrer.place.street = owned,
        RecordField::City => referrer.place.city = owned,
        RecordField::Region => referrer.place.region = owned,
        RecordField::PostalCode => referrer.place.postal_code = owned,
        RecordField::Notes => referrer.notes = owned,
    }
    Ok(())
}

/// The record as lists described it before somebody corrected it; none if nothing was corrected.
#[must_use]
pub fn uncorrected(referrer: &Referrer) -> Option<Referrer> {
    let mut before = referrer.clone();
    for (field, origin) in &referrer.provenance.fields {
        if let Some(former) = origin.former.as_deref().filter(|_| origin.is_by_hand()) {
            // A value that is no longer valid says nothing.
            let _ = set(&mut before, *field, former);
        }
    }
    (before != *referrer).then_some(before)
}

/// Whether two texts of a field say the same.
#[must_use]
pub fn same(field: RecordField, one: &str, other: &str) -> bool {
    let key = |text: &str| text.parse::<Address>().ok().map(|address| address.key());
    match field {
        RecordField::Email | RecordField::Fax => match (key(one), key(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        RecordField::Npi | RecordField::Kind | RecordField::Phone | RecordField::TimeZone => one == other,
        RecordField::FirstName => {
            PersonKey::of(Some(one), Some("x")).likeness(&PersonKey::of(Some(other), Some("x"))) == Likeness::Same
        }
        RecordField::LastName => {
            PersonKey::of(None, Some(one)).likeness(&PersonKey::of(None, Some(other))) == Likeness::Same
        }
        RecordField::Organization => organization_key(one) == organization_key(other),
        RecordField::Credentials => folded(one).replace(' ', "") == folded(other).replace(' ', ""),
        RecordField::PostalCode => postal_key(one) == postal_key(other),
        RecordField::Street | RecordField::City | RecordField::Region | RecordField::Notes => {
            folded(one) == folded(other)
        }
    }
}

/// A ZIP code without its last four digits, which lists write or not; another country's code without blanks.
#[must_use]
pub fn postal_key(text: &str) -> String {
    let plain: String = folded(text).chars().filter(|c| *c != ' ').collect();
    let is_zip = matches!(plain.len(), 5 | 9) && plain.bytes().all(|byte| byte.is_ascii_digit());
    if is_zip { plain[..5].to_owned() } else { plain }
}

/// Words of a street address and their short forms (USPS Publication 28, appendices C1 and C2).
const STREET_WORDS: [(&str, &str); 26] = [
    ("street", "st"),
    ("str", "st"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("road", "rd"),
    ("boulevard", "blvd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("place", "pl"),
    ("square", "sq"),
    ("terrace", "ter"),
    ("circle", "cir"),
    ("highway", "hwy"),
    ("parkway", "pkwy"),
    ("plaza", "plz"),
    ("suite", "ste"),
    ("unit", "ste"),
    ("number", "ste"),
    ("floor", "fl"),
    ("building", "bldg"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("saint", "st"),
];

/// A street and house number in comparable form: `1 Main Street, Suite 5` is `1 Main St. #5`.
#[must_use]
pub fn street_key(text: &str) -> String {
    let text = folded(&text.replace('#', " suite "));
    let short = |word| STREET_WORDS.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| *short);
    let mut words: Vec<&str> = text.split(' ').map(short).collect();
    words.dedup_by(|one, other| *one == "ste" && one == other);
    words.join(" ")
}

/// The keys of a mailbox and a fax number.
pub(super) fn keys(email: Option<&EmailAddress>, fax: Option<&FaxNumber>) -> (Option<AddressKey>, Option<AddressKey>) {
    (email.map(AddressKey::from), fax.map(AddressKey::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn every_field_is_read_back_as_it_was_set() {
        let samples = |field: RecordField| match field {
            RecordField::Npi => "1234567893",
            RecordField::Kind => "psychiatrist",
            RecordField::Email => "dana@clinic.example",
            RecordField::Fax => "+18475550101",
            RecordField::Phone => "+18475550102;ext=7",
            RecordField::TimeZone => "America/Chicago",
            _ => "Some Text",
        };
        let mut referrer = Referrer::new(ReferrerType::Other, Timestamp(0));
        for field in RecordField::ALL {
            set(&mut referrer, *field, samples(*field)).expect("a value");
            assert_eq!(value(&referrer, *field).as_deref(), Some(samples(*field)), "{field}");
        }
        for field in RecordField::ALL {
            set(&mut referrer, *field, " ").expect("erased");
            let erased = value(&referrer, *field);
            assert!(erased.is_none() || *field == RecordField::Kind, "{field}");
        }
        assert!(set(&mut referrer, RecordField::Npi, "1234567890").is_err());
        set(&mut referrer, RecordField::Npi, "123-456-7893").expect("as lists write it");
        assert_eq!(referrer.npi.as_deref(), Some("1234567893"));
        assert!(set(&mut referrer, RecordField::Fax, "847-555-O1O2").is_err());
        assert!(set(&mut referrer, RecordField::TimeZone, "Chicago").is_err());
        for name in ["Ama\u{202e}ra", "Ama\u{200b}ra", "\u{2066}Amara"] {
            assert!(set(&mut referrer, RecordField::FirstName, name).is_err(), "{name:?}");
        }
        assert!(set(&mut referrer, RecordField::Organization, "Clínica Niño 北京").is_ok());
    }

    #[test]
    fn spellings_of_one_value_are_the_same() {
        for (field, one, other) in [
            (RecordField::LastName, "Núñez", "Nun\u{303}ez"),
            (RecordField::LastName, "O'Brien", "OBRIEN"),
            (RecordField::FirstName, "Delphine R", "DELPHINE"),
            (RecordField::Organization, "Lake Clinic, LLC", "LAKE CLINIC"),
            (RecordField::Credentials, "MD, PhD", "MD PhD"),
            (RecordField::PostalCode, "60201-1234", "60201"),
            (RecordField::Email, "Dana@Clinic.example", "dana@clinic.EXAMPLE"),
            (RecordField::City, "St. Louis", "ST LOUIS"),
        ] {
            assert!(same(field, one, other), "{field}: {one} {other}");
        }
        assert!(!same(RecordField::FirstName, "John", "Jane"));
        assert!(!same(RecordField::LastName, "Stone", "Stone III"));
    }
}
