//! The mailboxes to which returns come: which of them need a person, and how each stands.

use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use crate::app::Gateway;
use crate::store::records::mailboxes::MailboxState;
use crate::wording::Tone;
use crate::wording::attention::UnreadMailbox;
use crate::wording::mailboxes::{advice, stepped_over};

/// The configured mailboxes that nobody could read for an hour, or whose login is refused.
pub(super) fn unread(gateway: &Gateway, states: &[MailboxState], calendar: &Calendar) -> Vec<UnreadMailbox> {
    let configured = states.iter().filter(|state| gateway.config.mailboxes.contains_key(&state.name));
    let unread = configured.filter(|state| state.needs_person(calendar.now)).map(|state| UnreadMailbox {
        name: state.name.clone(),
        is_refused: state.is_refused(),
        since: state.read_ms.map(|at| calendar.moment(at).said),
        why: state.failure.clone(),
        remedy: state.failure_remedy,
    });
    unread.collect()
}

/// The configured mailboxes with mails that could not be read and that nobody has looked at, with their number.
pub(super) fn to_look_at(gateway: &Gateway, states: &[MailboxState]) -> Vec<(String, i64)> {
    let configured = states.iter().filter(|state| gateway.config.mailboxes.contains_key(&state.name));
    configured.filter(|state| state.to_look_at > 0).map(|state| (state.name.clone(), state.to_look_at)).collect()
}

/// One mailbox in a list.
pub(super) struct MailboxRow {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub kind: &'static str,
    /// How it stands.
    pub state: Chip,
    /// When it was last read.
    pub read: Option<Moment>,
    /// Returns of ours that were found.
    pub taken: i64,
    /// Since when it cannot be read, and why.
    pub failing: Option<(Moment, String)>,
    /// That mails could not be read, and what to do.
    pub unreadable: Option<String>,
}

/// All configured mailboxes.
pub(super) fn rows(gateway: &Gateway, states: &[MailboxState], calendar: &Calendar) -> Vec<MailboxRow> {
    let row = |name: &String, kind: &'static str| {
        let known = states.iter().find(|state| state.name == *name);
        let state = match known {
            None => (Tone::Warn, "not read yet"),
            Some(known) if known.needs_person(calendar.now) => (Tone::Bad, "not read"),
            Some(known) if known.failed_ms.is_some() => (Tone::Warn, "failing"),
            Some(known) if known.to_look_at > 0 => (Tone::Warn, "read in part"),
            Some(_) => (Tone::Good, "read"),
        };
        let failing = known.and_then(|known| {
            let why = known.failure.as_deref().unwrap_or_default().trim_end_matches('.');
            Some((calendar.moment(known.failed_ms?), format!("{why}. {}", advice(known.failure_remedy, name))))
        });
        MailboxRow {
            name: name.clone(),
            kind,
            state: state.into(),
            read: known.and_then(|known| known.read_ms).map(|at| calendar.moment(at)),
            taken: known.map_or(0, |known| known.taken),
            failing,
            unreadable: known.filter(|known| known.to_look_at > 0).map(|known| stepped_over(known.to_look_at, name)),
        }
    };
    gateway.config.mailboxes.iter().map(|(name, mailbox)| row(name, mailbox.settings.kind.as_str())).collect()
}
