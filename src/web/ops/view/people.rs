//! Referrers in one line each, and their addresses that do not work.

use super::moment::{Calendar, Moment};
use super::pieces::{Chip, Steps};
use crate::domain::Channel;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::store::views::lists::UnwellAddress;
use crate::wording;

/// One referrer.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// Where the referrer is shown.
    pub link: String,
    /// Name.
    pub name: String,
    /// Organization, if the name is a person's.
    pub organization: Option<String>,
    /// Type.
    pub kind: String,
    /// State, unless it is the usual one.
    pub state: Option<Chip>,
    /// Progress.
    pub steps: Steps,
    /// What is wrong with the addresses: `fax does not work`, `no address`.
    pub troubles: Vec<String>,
}

impl PersonRow {
    /// A referrer as a line; `known` is what is known of the addresses.
    #[must_use]
    pub fn of(referrer: &Referrer, delivered: i64, known: &[AddressHealth]) -> Self {
        let name = referrer.display_name();
        Self {
            link: format!("/referrers/{}", referrer.id),
            organization: referrer.organization.clone().filter(|organization| *organization != name),
            name,
            kind: wording::referrer_type(referrer.kind),
            state: Some(referrer.state)
                .filter(|state| *state != ReferrerState::Active)
                .map(|s| wording::referrer_state(s).into()),
            steps: Steps::new(delivered),
            troubles: troubles(referrer, known),
        }
    }
}

fn troubles(referrer: &Referrer, known: &[AddressHealth]) -> Vec<String> {
    let addresses: Vec<_> = Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).collect();
    if addresses.is_empty() {
        return vec!["no fax number, no email address".to_owned()];
    }
    addresses
        .iter()
        .filter_map(|address| {
            let key = address.key();
            let health = known.iter().find(|one| one.channel == address.channel() && one.value == key)?.health;
            let bad = matches!(health, Health::Dead | Health::Doubtful);
            bad.then(|| format!("{} {}", address.channel(), wording::address_health(health).1))
        })
        .collect()
}

/// An address that does not work, or looks so.
#[derive(Debug, Clone)]
pub struct UnwellRow {
    /// Where the referrer is shown.
    pub link: String,
    /// The referrer's name.
    pub name: String,
    /// Where its referrer is acted on: `/referrers/{id}`.
    pub page: String,
    /// The channel's word in forms.
    pub channel_word: &'static str,
    /// Fax or Email.
    pub channel: &'static str,
    /// How bad it is.
    pub health: Chip,
    /// The last evidence.
    pub why: &'static str,
    /// Since when.
    pub since: Moment,
}

impl UnwellRow {
    /// An address as a line; `None` if its referrer is not among these.
    #[must_use]
    pub fn of(unwell: &UnwellAddress, referrers: &[Referrer], calendar: &Calendar) -> Option<Self> {
        let referrer = referrers.iter().find(|referrer| referrer.id == unwell.referrer_id)?;
        Some(Self {
            link: format!("/referrers/{}#details", referrer.id),
            name: referrer.display_name(),
            page: format!("/referrers/{}", referrer.id),
            channel_word: unwell.channel.as_str(),
            channel: wording::channel(unwell.channel),
            health: wording::address_health(unwell.health).into(),
            why: unwell.fault.map_or("", wording::fault),
            since: calendar.moment(unwell.updated_ms),
        })
    }
}
