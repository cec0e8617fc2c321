//! Made-up people to try letters with: a recipient and a practice that cannot be reached. Numbers are from the range
//! reserved for fiction; the domains can never be registered (RFC 2606).

use serde::Deserialize;

use super::exit::{CliError, Ending};
use crate::domain::id::ReferrerId;
use crate::domain::practice::Practice;
use crate::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use crate::domain::{EmailAddress, FaxNumber, Timestamp};

const PRACTICE: &str = include_str!("../../config/sample-practice.toml");

#[derive(Deserialize)]
struct File {
    practice: Practice,
}

/// The practice of the demo.
///
/// # Errors
/// The embedded file is damaged.
pub fn practice() -> Result<Practice, CliError> {
    let damaged = |error: toml::de::Error| CliError::new(Ending::Failed, format!("the sample practice: {error}"));
    Ok(toml::from_str::<File>(PRACTICE).map_err(damaged)?.practice)
}

/// A recipient.
#[must_use]
pub fn referrer() -> Referrer {
    Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: Some("Amara".to_owned()),
        last_name: Some("Whitfield".to_owned()),
        credentials: Some("MD".to_owned()),
        organization: Some("Ridgeline Psychiatry Associates".to_owned()),
        kind: ReferrerType::Psychiatrist,
        email: EmailAddress::parse("a.whitfield@ridgeline-psychiatry.example").ok(),
        fax: FaxNumber::parse("847-555-0101").ok(),
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: Vec::new(),
        source: None,
        notes: None,
        created_ms: Timestamp::default(),
        updated_ms: Timestamp::default(),
        ..Referrer::new(ReferrerType::Other, Timestamp::default())
    }
}
