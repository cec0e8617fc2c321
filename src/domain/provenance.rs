//! Where each field of a referrer's record came from: a person's correction stands against later lists, a list's value
//! does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::clock::Timestamp;
use super::words::words;

words! {
    /// A field that a list or a person can set.
    RecordField {
        /// National Provider Identifier.
        Npi = "npi",
        /// Given name.
        FirstName = "first_name",
        /// Family name.
        LastName = "last_name",
        /// Letters after the name.
        Credentials = "credentials",
        /// Clinic, group or facility.
        Organization = "organization",
        /// Kind of referrer.
        Kind = "type",
        /// Email address.
        Email = "email",
        /// Fax number.
        Fax = "fax",
        /// Voice number.
        Phone = "phone",
        /// Time zone.
        TimeZone = "time_zone",
        /// Street and house number.
        Street = "street",
        /// Town.
        City = "city",
        /// State or province.
        Region = "region",
        /// ZIP or postal code.
        PostalCode = "postal_code",
        /// Notes for people.
        Notes = "notes",
    }
}

impl RecordField {
    /// For people, in a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Npi => "NPI",
            Self::FirstName => "first name",
            Self::LastName => "last name",
            Self::Credentials => "credentials",
            Self::Organization => "organization",
            Self::Kind => "type",
            Self::Email => "email",
            Self::Fax => "fax",
            Self::Phone => "phone",
            Self::TimeZone => "time zone",
            Self::Street => "street",
            Self::City => "city",
            Self::Region => "state",
            Self::PostalCode => "ZIP code",
            Self::Notes => "notes",
        }
    }
}

/// Who set a field, when, and from which file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who.
    pub who: Actor,
    /// When.
    #[serde(rename = "at")]
    pub at_ms: Timestamp,
    /// The list's name; none for a correction by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// What the field held before a person corrected it: a list that still says so means the same person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
}

impl Origin {
    /// Whether a person set it: a list does not overwrite it.
    #[must_use]
    pub const fn is_by_hand(&self) -> bool {
        self.list.is_none()
    }
}

/// The origins of a record's fields, and the tags that a person took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Fields of which the origin is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<RecordField, Origin>,
    /// Tags that a person took away: a list does not bring them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags_removed: Vec<String>,
}

impl Provenance {
    /// Whether a person set the field.
    #[must_use]
    pub fn is_by_hand(&self, field: RecordField) -> bool {
        self.fields.get(&field).is_some_and(Origin::is_by_hand)
    }

    /// Notes who set a field.
    pub fn note(&mut self, field: RecordField, origin: &Origin) {
        self.fields.insert(field, origin.clone());
    }
}
