//! A referrer's history: touches newest first, each with its messages; and the addresses with what is known of them.

use super::moment::{Calendar, Moment};
use super::pieces::Chip;
use crate::domain::channel::Channel;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::Suppression;
use crate::domain::touch::Touch;
use crate::wording;

/// One message below its touch.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Where it is shown.
    pub link: String,
    /// Fax or Email.
    pub channel: &'static str,
    /// Where it stands.
    pub status: Chip,
    /// Why, if it is not simply on its way or there.
    pub why: Option<String>,
    /// Since when.
    pub since: Moment,
}

/// One touch.
#[derive(Debug, Clone)]
pub struct TouchRow {
    /// What kind.
    pub kind: &'static str,
    /// The letter's title, or the words of the person who logged it.
    pub title: String,
    /// How it stands.
    pub standing: Chip,
    /// When it was made.
    pub at: Moment,
    /// Who asked for it or logged it.
    pub actor: String,
    /// Notes.
    pub notes: Option<String>,
    /// Its messages.
    pub messages: Vec<MessageRow>,
}

/// Makes the history's rows.
#[must_use]
pub fn touches(touches: &[(Touch, Vec<Message>)], calendar: &Calendar) -> Vec<TouchRow> {
    touches
        .iter()
        .map(|(touch, messages)| TouchRow {
            kind: wording::touch_kind(touch.kind),
            title: if touch.repeat_of.is_some() { format!("{} (repeat)", touch.title) } else { touch.title.clone() },
            standing: wording::touch_standing(touch.kind, touch.disposition).into(),
            at: calendar.moment(touch.occurred_ms),
            actor: touch.actor.name().to_owned(),
            notes: touch.notes.clone(),
            messages: messages.iter().map(|message| message_row(message, calendar)).collect(),
        })
        .collect()
}

fn message_row(message: &Message, calendar: &Calendar) -> MessageRow {
    MessageRow {
        link: format!("/messages/{}", message.id),
        channel: wording::channel(message.channel()),
        status: wording::status(message.status).into(),
        why: message.reason.map(|reason| wording::explain(reason).to_owned()),
        since: calendar.moment(message.updated_ms),
    }
}

/// One address of a referrer, whole: this is the page where it may be seen.
#[derive(Debug, Clone)]
pub struct AddressRow {
    /// Fax or Email.
    pub channel: &'static str,
    /// The channel's word in forms.
    pub channel_word: &'static str,
    /// Whether something is held against it, so that it can be given another chance.
    pub is_unwell: bool,
    /// The address.
    pub address: String,
    /// Trust in it.
    pub health: Chip,
    /// The last evidence against it.
    pub why: Option<&'static str>,
    /// Who refused what.
    pub refusals: Vec<RefusalRow>,
}

/// A standing refusal of an address.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    /// Its id.
    pub id: String,
    /// What is refused.
    pub scope: &'static str,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Moment,
    /// Who recorded it.
    pub who: String,
    /// What proves it.
    pub evidence: Option<String>,
    /// When it ends by itself.
    pub ends: Option<Moment>,
    /// The return that it follows from.
    pub return_link: Option<String>,
}

/// The referrer's addresses.
#[must_use]
pub fn addresses(
    referrer: &Referrer,
    known: &[AddressHealth],
    refusals: &[Suppression],
    calendar: &Calendar,
) -> Vec<AddressRow> {
    [Channel::Fax, Channel::Email]
        .into_iter()
        .filter_map(|channel| referrer.address(channel))
        .map(|address| {
            let (channel, key) = (address.channel(), address.key());
            let health = known.iter().find(|one| one.channel == channel && one.value == key);
            let of_it = refusals.iter().filter(|one| one.channel == channel && one.address == key);
            AddressRow {
                channel: wording::channel(channel),
                channel_word: channel.as_str(),
                is_unwell: health.is_some_and(|one| matches!(one.health, Health::Dead | Health::Doubtful)),
                address: address.pretty(),
                health: wording::address_health(health.map_or(Health::Unverified, |one| one.health)).into(),
                why: health.and_then(|one| one.fault).map(wording::fault),
                refusals: of_it.map(|refusal| refusal_row(refusal, calendar)).collect(),
            }
        })
        .collect()
}

/// A refusal as a row.
#[must_use]
pub fn refusal_row(refusal: &Suppression, calendar: &Calendar) -> RefusalRow {
    RefusalRow {
        id: refusal.id.to_string(),
        scope: wording::suppression_scope(refusal.scope),
        reason: refusal.reason.as_str().replace('_', " "),
        since: calendar.moment(refusal.created_ms),
        who: refusal.who.name().to_owned(),
        evidence: refusal.evidence.clone(),
        ends: refusal.expires_ms.map(|at| calendar.moment(at)),
        return_link: refusal.return_id.map(|id| format!("/returns/{id}")),
    }
}
