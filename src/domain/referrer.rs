//! A referrer: a clinician, clinic or facility that may send patients.

use serde::{Deserialize, Serialize};

use super::address::{Address, EmailAddress, FaxNumber};
use super::channel::Channel;
use super::clock::Timestamp;
use super::id::{LocationId, ReferrerId};
use super::provenance::Provenance;
use super::words::words;

words! {
    /// What kind of referrer, in the outreach practice's order of priority.
    ReferrerType {
        /// Psychiatrist.
        Psychiatrist = "psychiatrist",
        /// Psychiatric nurse practitioner.
        PsychiatricNp = "psychiatric_np",
        /// Psychologist, LCSW, LPC or MFT.
        Therapist = "therapist",
        /// Intensive outpatient or partial hospital program.
        IopPhp = "iop_php",
        /// Addiction center.
        AddictionCenter = "addiction_center",
        /// Family or internal medicine.
        PrimaryCare = "primary_care",
        /// Obstetrics, gynecology, women's health.
        WomensHealth = "womens_health",
        /// Pediatrics.
        Pediatrics = "pediatrics",
        /// Oncology, cardiology and other specialties.
        Specialty = "specialty",
        /// Community health center.
        CommunityHealth = "community_health",
        /// Hospital system: its own list and cadence.
        Hospital = "hospital",
        /// Not known yet.
        Other = "other",
    }
}

impl ReferrerType {
    /// 1 is contacted first. Types that share a rank are equally important (referral-domain §1.1).
    #[must_use]
    pub const fn priority(self) -> u8 {
        match self {
            Self::Psychiatrist | Self::PsychiatricNp => 1,
            Self::Therapist => 2,
            Self::IopPhp | Self::AddictionCenter => 3,
            Self::PrimaryCare | Self::WomensHealth | Self::Pediatrics => 4,
            Self::Specialty | Self::CommunityHealth => 5,
            Self::Hospital => 6,
            Self::Other => 7,
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Psychiatrist => "psychiatrist",
            Self::PsychiatricNp => "psychiatric nurse practitioner",
            Self::Therapist => "therapist",
            Self::IopPhp => "intensive outpatient program",
            Self::AddictionCenter => "addiction center",
            Self::PrimaryCare => "primary care practice",
            Self::WomensHealth => "women's health practice",
            Self::Pediatrics => "pediatric practice",
            Self::Specialty => "specialty practice",
            Self::CommunityHealth => "community health center",
            Self::Hospital => "hospital",
            Self::Other => "practice",
        }
    }
}

words! {
    /// Contact status.
    ReferrerState {
        /// Yes.
        Active = "active",
        /// They answered: a person is in conversation with them, automatic letters wait.
        ConversationOpen = "conversation_open",
        /// Not for now.
        Paused = "paused",
        /// Never, except about their own patients.
        DoNotContact = "do_not_contact",
    }
}

impl ReferrerState {
    /// The one of two that allows less.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Where an office is. Optional texts are `None`, never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Street and house number.
    pub street: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// ZIP or postal code.
    pub postal_code: Option<String>,
}

impl Place {
    /// Whether nothing is known of it.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.street.is_none() && self.city.is_none() && self.region.is_none() && self.postal_code.is_none()
    }

    /// On one line: `1 Main St, Evanston, IL 60201`.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let last: Vec<&str> = [self.region.as_deref(), self.postal_code.as_deref()].into_iter().flatten().collect();
        let last = Some(last.join(" ")).filter(|text| !text.is_empty());
        let parts: Vec<&str> =
            [self.street.as_deref(), self.city.as_deref(), last.as_deref()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// A further place where a referrer works, beside the preferred one on the record itself. Letters go to the preferred one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Identifier.
    pub id: LocationId,
    /// Whose.
    pub referrer_id: ReferrerId,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// Where it is.
    pub place: Place,
    /// Mailbox.
    pub email: Option<EmailAddress>,
    /// Fax number.
    pub fax: Option<FaxNumber>,
    /// Voice number, as [`Referrer::phone`].
    pub phone: Option<String>,
    /// The list that named it.
    pub source: Option<String>,
    /// When it was first seen.
    pub created_ms: Timestamp,
    /// When it was last changed.
    pub updated_ms: Timestamp,
}

/// The label of somebody who refused letters by a channel before any address of theirs was known for it. It holds for every
/// address that becomes known, until a person removes it.
#[must_use]
pub const fn refusal_label(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "opted out of email",
        Channel::Fax => "opted out of fax",
    }
}

impl Location {
    /// Its addresses, at most one for each channel.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        let fax = self.fax.clone().map(Address::Fax);
        fax.into_iter().chain(self.email.clone().map(Address::Email))
    }
}

/// A referrer's record. Optional texts are `None`, never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referrer {
    /// Identifier.
    pub id: ReferrerId,
    /// National Provider Identifier, ten digits with a valid check digit.
    pub npi: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Letters after the name, such as `MD`.
    pub credentials: Option<String>,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: ReferrerType,
    /// Mailbox.
    pub email: Option<EmailAddress>,
    /// Fax number.
    pub fax: Option<FaxNumber>,
    /// Voice number in E.164, with `;ext=12` behind it where there is an extension.
    pub phone: Option<String>,
    /// Where the office is.
    #[serde(default)]
    pub place: Place,
    /// IANA zone name, such as `America/Chicago`.
    pub time_zone: Option<String>,
    /// Contact status.
    pub state: ReferrerState,
    /// Free labels, lower case, sorted, without repeats.
    pub tags: Vec<String>,
    /// Where the row came from.
    pub source: Option<String>,
    /// Notes for people; nothing about patients.
    pub notes: Option<String>,
    /// When it was first seen.
    pub created_ms: Timestamp,
    /// When it was last changed.
    pub updated_ms: Timestamp,
    /// Where its fields came from.
    #[serde(default)]
    pub provenance: Provenance,
    /// When it was taken off all lists: deleted, or merged into another. Its history stays.
    #[serde(default)]
    pub removed_ms: Option<Timestamp>,
}

impl Referrer {
    /// Whether they refused letters by that channel, at whatever address ([`refusal_label`]).
    #[must_use]
    pub fn refuses(&self, channel: Channel) -> bool {
        self.tags.iter().any(|tag| tag == refusal_label(channel))
    }

    /// A record of which only its kind is known.
    #[must_use]
    pub fn new(kind: ReferrerType, now: Timestamp) -> Self {
        Self {
            id: ReferrerId::new(),
            npi: None,
            first_name: None,
            last_name: None,
            credentials: None,
            organization: None,
            kind,
            email: None,
            fax: None,
            phone: None,
            place: Place::default(),
            time_zone: None,
            state: ReferrerState::Active,
            tags: Vec::new(),
            source: None,
            notes: None,
            created_ms: now,
            updated_ms: now,
            provenance: Provenance::default(),
            removed_ms: None,
        }
    }

    /// Name, organization and place: what tells people of one name apart.
    #[must_use]
    pub fn full_description(&self) -> String {
        let name = self.display_name();
        let organization = self.organization.clone().filter(|organization| *organization != name);
        let town = self.place.city.clone().map(|city| match &self.place.region {
            Some(region) => format!("{city}, {region}"),
            None => city,
        });
        let more: Vec<String> = [organization, town].into_iter().flatten().collect();
        if more.is_empty() { name } else { format!("{name}, {}", more.join(", ")) }
    }

    /// The person's name with credentials, else the organization, else "unnamed referrer".
    #[must_use]
    pub fn display_name(&self) -> String {
        let person = self.person_name();
        match (person, &self.credentials, &self.organization) {
            (Some(name), Some(letters), _) => format!("{name}, {letters}"),
            (Some(name), None, _) => name,
            (None, _, Some(organization)) => organization.clone(),
            (None, _, None) => "unnamed referrer".to_owned(),
        }
    }

    /// Given and family name.
    #[must_use]
    pub fn person_name(&self) -> Option<String> {
        let parts: Vec<&str> = [self.first_name.as_deref(), self.last_name.as_deref()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// How a letter greets them: `Dr. Whitfield` for doctors, the full name for others, `colleagues` for an office.
    #[must_use]
    pub fn salutation(&self) -> String {
        let doctor = self.credentials.as_deref().is_some_and(|text| {
            text.split([',', ' ', '/']).any(|part| {
                let letters: String = part.chars().filter(char::is_ascii_alphabetic).collect();
                matches!(
                    letters.to_ascii_uppercase().as_str(),
                    "MD" | "DO" | "PHD" | "PSYD" | "DNP" | "DMD" | "DDS" | "PHARMD" | "EDD" | "MBBS"
                )
            })
        });
        match (&self.last_name, self.person_name()) {
            (Some(last), _) if doctor => format!("Dr. {last}"),
            (_, Some(name)) => name,
            _ => "colleagues".to_owned(),
        }
    }

    /// The preferred addresses, one for each channel.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        Channel::ALL.iter().filter_map(|channel| self.address(*channel))
    }

    /// The address for a channel, if known.
    #[must_use]
    pub fn address(&self, channel: Channel) -> Option<Address> {
        match channel {
            Channel::Fax => self.fax.clone().map(Address::Fax),
            Channel::Email => self.email.clone().map(Address::Email),
        }
    }
}

/// The digits of an NPI as people and spreadsheets write it: `123-456-7893`, `1234 567 893`, `1234567893.0`.
#[must_use]
pub fn npi_digits(text: &str) -> String {
    text.trim().trim_end_matches(".0").replace([' ', '-'], "")
}

/// The NPI that a text is, if it is one with a valid check digit.
#[must_use]
pub fn read_npi(text: &str) -> Option<String> {
    Some(npi_digits(text)).filter(|digits| npi_is_valid(digits))
}

/// Whether ten digits have a valid NPI check digit: Luhn over `80840` and the number (45 CFR § 162.406).
#[must_use]
pub fn npi_is_valid(npi: &str) -> bool {
    if npi.len() != 10 || !npi.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = npi
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    (sum + 24).is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npi_check_digits_follow_the_published_example() {
        assert!(npi_is_valid("1234567893"));
        assert!(!npi_is_valid("1234567890"));
        assert!(!npi_is_valid("123456789"));
        for text in ["123-456-7893", " 1234 567 893 ", "1234567893.0"] {
            assert_eq!(read_npi(text).as_deref(), Some("1234567893"), "{text}");
        }
        assert_eq!(read_npi("123-456-7890"), None);
    }
}
