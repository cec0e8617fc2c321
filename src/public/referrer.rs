//! A referrer, and what is on record about addresses: refusals and bases.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::basis::Basis;
use crate::domain::referrer::{Location, Place, Referrer};
use crate::domain::suppression::Suppression;
use crate::domain::{Actor, Timestamp};

/// A referrer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferrerView {
    /// Identifier.
    pub id: Uuid,
    /// As lists show it.
    pub name: String,
    /// National Provider Identifier.
    pub npi: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Letters after the name.
    pub credentials: Option<String>,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// What kind of referrer: a word.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Mailbox; masked unless the caller may operate.
    pub email: Option<String>,
    /// Fax number in E.164; masked unless the caller may operate.
    pub fax: Option<String>,
    /// Voice number in E.164, with `;ext=12` behind it where there is an extension; left out unless the caller may operate.
    pub phone: Option<String>,
    /// Where the office is; left out unless the caller may operate.
    pub place: Option<PlaceView>,
    /// Further places where they work, where the answer has them; without addresses unless the caller may operate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<LocationView>,
    /// IANA zone name.
    pub time_zone: Option<String>,
    /// Contact status: a word.
    pub state: &'static str,
    /// Labels.
    pub tags: Vec<String>,
    /// Where the row came from.
    pub source: Option<String>,
    /// Notes for people.
    pub notes: Option<String>,
    /// First seen.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl ReferrerView {
    /// `whole`: with addresses.
    #[must_use]
    pub fn of(referrer: &Referrer, whole: bool) -> Self {
        let email = referrer.email.as_ref().map(|one| if whole { one.as_str().to_owned() } else { one.masked() });
        let fax = referrer.fax.as_ref().map(|one| if whole { one.as_str().to_owned() } else { one.masked() });
        Self {
            id: referrer.id.0,
            name: referrer.display_name(),
            npi: referrer.npi.clone(),
            first_name: referrer.first_name.clone(),
            last_name: referrer.last_name.clone(),
            credentials: referrer.credentials.clone(),
            organization: referrer.organization.clone(),
            kind: referrer.kind.as_str(),
            email,
            fax,
            phone: referrer.phone.clone().filter(|_| whole),
            place: Some(PlaceView::of(&referrer.place)).filter(|_| whole && !referrer.place.is_unknown()),
            locations: Vec::new(),
            time_zone: referrer.time_zone.clone(),
            state: referrer.state.as_str(),
            tags: referrer.tags.clone(),
            source: referrer.source.clone(),
            notes: referrer.notes.clone(),
            created_at: referrer.created_ms,
            updated_at: referrer.updated_ms,
        }
    }
}

impl ReferrerView {
    /// The same with the further places, whole.
    #[must_use]
    pub fn with_locations(mut self, locations: &[Location]) -> Self {
        self.locations = locations.iter().map(LocationView::of).collect();
        self
    }
}

/// Where an office is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceView {
    /// Street and house number.
    pub street: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// ZIP or postal code.
    pub postal_code: Option<String>,
}

impl PlaceView {
    fn of(place: &Place) -> Self {
        let Place { street, city, region, postal_code } = place.clone();
        Self { street, city, region, postal_code }
    }
}

/// A further place where a referrer works. Letters go to the preferred one, on the referrer itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct LocationView {
    /// Identifier.
    pub id: Uuid,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// Where it is.
    pub place: PlaceView,
    /// Mailbox.
    pub email: Option<String>,
    /// Fax number in E.164.
    pub fax: Option<String>,
    /// Voice number.
    pub phone: Option<String>,
}

impl LocationView {
    fn of(location: &Location) -> Self {
        Self {
            id: location.id.0,
            organization: location.organization.clone(),
            place: PlaceView::of(&location.place),
            email: location.email.as_ref().map(|email| email.as_str().to_owned()),
            fax: location.fax.as_ref().map(|fax| fax.as_str().to_owned()),
            phone: location.phone.clone(),
        }
    }
}

/// A standing or lifted refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionView {
    /// Identifier.
    pub id: Uuid,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// The address as it is compared; masked unless the caller may operate.
    pub address: String,
    /// `advertisement` or `all`.
    pub scope: &'static str,
    /// Why: a word.
    pub reason: &'static str,
    /// Where it came in: a word.
    pub source: &'static str,
    /// What proves it.
    pub evidence: Option<String>,
    /// Who recorded it.
    #[schema(value_type = String)]
    pub who: Actor,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends by itself, where its reason only passes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The return that it follows from.
    #[serde(rename = "return")]
    pub return_id: Option<Uuid>,
    /// When it was lifted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<Timestamp>,
    /// Who lifted it.
    #[schema(value_type = Option<String>)]
    pub lifted_by: Option<Actor>,
    /// Why it was lifted.
    pub lifted_reason: Option<String>,
}

impl SuppressionView {
    /// `whole`: with its address.
    #[must_use]
    pub fn of(suppression: &Suppression, whole: bool) -> Self {
        let address = &suppression.address;
        Self {
            id: suppression.id.0,
            channel: suppression.channel.as_str(),
            address: if whole { address.as_str().to_owned() } else { address.masked() },
            scope: suppression.scope.as_str(),
            reason: suppression.reason.as_str(),
            source: suppression.source.as_str(),
            evidence: suppression.evidence.clone(),
            who: suppression.who.clone(),
            created_at: suppression.created_ms,
            expires_at: suppression.expires_ms,
            return_id: suppression.return_id.map(|id| id.0),
            lifted_at: suppression.lifted_ms,
            lifted_by: suppression.lifted_by.clone(),
            lifted_reason: suppression.lifted_reason.clone(),
        }
    }
}

/// A recorded permission or relationship for faxing advertisements to a number.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasisView {
    /// Identifier.
    pub id: Uuid,
    /// The number in E.164; masked unless the caller may operate.
    pub fax: String,
    /// `permission` or `ebr`.
    pub kind: &'static str,
    /// Where the number came from: a word.
    pub number_source: Option<&'static str>,
    /// The day it was obtained, `YYYY-MM-DD`.
    pub obtained_on: String,
    /// How, in words.
    pub how: String,
    /// The person who obtained or recorded it.
    pub by_whom: String,
    /// Evidence.
    pub note: Option<String>,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ended_reason: Option<String>,
}

impl BasisView {
    /// `whole`: with its number.
    #[must_use]
    pub fn of(basis: &Basis, whole: bool) -> Self {
        Self {
            id: basis.id.0,
            fax: if whole { basis.fax.as_str().to_owned() } else { basis.fax.masked() },
            kind: basis.kind.as_str(),
            number_source: basis.number_source.map(|source| source.as_str()),
            obtained_on: basis.obtained_on.clone(),
            how: basis.how.clone(),
            by_whom: basis.by_whom.clone(),
            note: basis.note.clone(),
            created_at: basis.created_ms,
            ended_at: basis.ended_ms,
            ended_reason: basis.ended_reason.clone(),
        }
    }
}
