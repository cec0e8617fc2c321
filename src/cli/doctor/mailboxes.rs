//! The mailboxes to which returns come: whether each can be reached now, and whether anybody reads it.

use super::{Findings, State};
use crate::app::Gateway;
use crate::cli::mailbox::check_mailboxes;
use crate::cli::rehearsal::sends_nothing;
use crate::domain::Channel;
use crate::store::records::mailboxes::MailboxState;
use crate::wording::mailboxes::{advice, stepped_over};

/// Reaches every mailbox; reads and changes nothing.
pub(super) async fn check(gateway: &Gateway, findings: &mut Findings) {
    if gateway.config.mailboxes.is_empty()
        && gateway.accounts.carries(Channel::Email)
        && !sends_nothing(&gateway.config)
    {
        let words =
            "no mailbox is configured ([mailboxes]): bounces are not read, and mail counts as delivered after a while";
        findings.add("returns", State::Warn, words);
    }
    for checked in check_mailboxes(gateway, None).await {
        let state = if checked.ok { State::Ok } else { State::Fail };
        findings.add(&format!("mailbox {}", checked.mailbox), state, checked.words);
    }
    let states = match gateway.store.read().await {
        Ok(mut tx) => tx.mailbox_states().await.unwrap_or_default(),
        Err(_) => return,
    };
    let now = gateway.clock.now();
    for state in states.iter().filter(|state| gateway.mailboxes.contains_key(&state.name) && state.to_look_at > 0) {
        findings.add(&format!("returns {}", state.name), State::Warn, stepped_over(state.to_look_at, &state.name));
    }
    for state in states.iter().filter(|state| gateway.mailboxes.contains_key(&state.name) && state.needs_person(now)) {
        findings.add(&format!("returns {}", state.name), State::Warn, words(gateway, state));
    }
}

/// Since when nobody read a mailbox. While the service is stopped, that is so.
fn words(gateway: &Gateway, state: &MailboxState) -> String {
    let zone = gateway.config.practice.time_zone;
    let since =
        state.read_ms.map_or_else(|| "it was never read".to_owned(), |at| format!("last read {}", at.in_zone(zone)));
    let why = state
        .failure
        .as_deref()
        .map(|why| format!(": {}. {}", why.trim_end_matches('.'), advice(state.failure_remedy, &state.name)));
    format!("{since}{}", why.unwrap_or_else(|| ". Is `touchline serve` running?".to_owned()))
}
