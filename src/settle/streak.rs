//! The same refusal for several recipients in a row is about us, whatever it says: a relay that has closed our account, or
//! does not like our address, may tell it in the words of an unknown mailbox. The refusals of an account since it last
//! accepted a letter are kept in the store, under a lock of their own that is taken before any other, so that the count
//! holds over restarts and over all nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::acts::TIME_AFTER_PAUSE;
use super::case::Case;
use super::{Evidence, Origin, Rules, SUBMIT, Update};
use crate::domain::attempt::Attempt;
use crate::domain::event::{EventKind, EventSource};
use crate::domain::fault::{AddressEvidence, Failure};
use crate::domain::health::AddressHealth;
use crate::domain::id::AttemptId;
use crate::domain::mail_reply::sameness;
use crate::domain::provider_state::Pause;
use crate::domain::{About, Actor, AddressKey, Fault, MessageStatus, Outcome, PolicyReason, Remedy, Rule, Timestamp};
use crate::queue::retry;
use crate::store::records::events::Event;
use crate::store::records::refusals::RefusalRow;
use crate::store::{StoreError, Tx};

/// Different recipients in a row after which the same refusal is about us, where it does not prove a bad mailbox.
const RECIPIENTS_WITHOUT_PROOF: usize = 3;
/// The same where it does, or speaks of the mailbox all the same: a list may hold some that have left together.
const RECIPIENTS_WITH_PROOF: usize = 10;
/// A refusal counts no longer than this.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// The longest text by which refusals are compared, in characters.
const WORDS_CHARS_MAX: usize = 300;

/// A refusal with what it did.
pub(super) struct Refused<'a> {
    pub attempt: &'a Attempt,
    /// The address that was called.
    pub called: AddressKey,
    /// What was known of it before, if the refusal was held against it.
    pub before: Option<AddressHealth>,
}

/// What is to be taken back, and how the account is paused.
pub(super) struct AboutUs {
    /// Every refusal of these words that is not taken back yet, oldest first.
    pub rows: Vec<RefusalRow>,
    pub pause: Pause,
}

/// The refusals of the accounts that a batch is about.
#[derive(Debug, Default)]
pub(super) struct Streaks {
    rows: BTreeMap<String, Vec<RefusalRow>>,
    fresh: Vec<RefusalRow>,
    taken_back: BTreeSet<AttemptId>,
    ended: BTreeSet<String>,
}

impl Streaks {
    /// Reads them under their locks, if the batch may add to them or end them.
    pub(super) async fn read(tx: &mut Tx, updates: &[Update], now: Timestamp) -> Result<Self, StoreError> {
        let mut concerned: BTreeSet<&str> =
            updates.iter().filter(|update| words_of(&update.evidence).is_some()).filter_map(account).collect();
        let is_acceptance = |update: &&Update| matches!(update.evidence, Evidence::Answer(Outcome::Accepted { .. }));
        let accepting: BTreeSet<&str> = updates.iter().filter(is_acceptance).filter_map(account).collect();
        let refusing = if accepting.is_empty() { Vec::new() } else { tx.refusing_providers().await? };
        concerned.extend(accepting.into_iter().filter(|account| refusing.iter().any(|one| one == account)));
        let mut streaks = Self::default();
        for account in concerned {
            tx.refusals_lock(account, now).await?;
            streaks.rows.insert(account.to_owned(), tx.refusals_of(account).await?);
        }
        Ok(streaks)
    }

    /// Whether the batch may bring a refusal too many.
    pub(super) fn may_take_back(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The attempts whose messages and addresses may change with the batch.
    pub(super) fn attempts(&self) -> impl Iterator<Item = AttemptId> {
        let is_open = |row: &&RefusalRow| row.taken_back_ms.is_none() && row.stands_ms.is_none();
        self.rows.values().flatten().filter(is_open).map(|row| row.attempt_id)
    }

    /// The account has accepted a letter.
    pub(super) fn end(&mut self, account: &str) {
        if let Some(rows) = self.rows.get_mut(account) {
            rows.clear();
            self.fresh.retain(|row| row.provider != account);
            self.ended.insert(account.to_owned());
        }
    }

    /// Notes a refusal. Returns what is to be taken back if it is the one too many.
    pub(super) fn note(&mut self, refused: Refused<'_>, failure: &Failure, now: Timestamp) -> Option<AboutUs> {
        let words = counted_words(failure)?;
        let Refused { attempt, called, before } = refused;
        let rows = self.rows.get_mut(&attempt.provider)?;
        let stands = rows.iter().any(|row| row.stands_ms.is_some() && row.words == words && row.address_key == called);
        if stands || rows.iter().any(|row| row.attempt_id == attempt.id) {
            return None;
        }
        let row = RefusalRow {
            attempt_id: attempt.id,
            provider: attempt.provider.clone(),
            address_key: called,
            words,
            health: before.as_ref().map(|before| before.health),
            strikes: before.as_ref().map_or(0, |before| before.strikes),
            fault: before.as_ref().and_then(|before| before.fault),
            at_ms: now,
            taken_back_ms: None,
            stands_ms: None,
        };
        rows.push(row.clone());
        self.fresh.push(row.clone());
        let same = |other: &&mut RefusalRow| other.words == row.words && other.stands_ms.is_none();
        let recipients: BTreeSet<AddressKey> =
            rows.iter_mut().filter(same).map(|other| other.address_key.clone()).collect();
        if recipients.len() < recipients_max(failure.fault) {
            return None;
        }
        let mut about_us = AboutUs { rows: Vec::new(), pause: pause(recipients.len(), failure, attempt.opened_ms) };
        for other in rows.iter_mut().filter(same).filter(|other| other.taken_back_ms.is_none()) {
            about_us.rows.push(other.clone());
            other.taken_back_ms = Some(now);
            self.taken_back.insert(other.attempt_id);
        }
        Some(about_us)
    }

    /// Writes what changed.
    pub(super) async fn write(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        for account in &self.ended {
            tx.refusals_end(account).await?;
        }
        if self.fresh.is_empty() {
            return Ok(());
        }
        for account in self.fresh.iter().map(|row| row.provider.as_str()).collect::<BTreeSet<_>>() {
            tx.refusals_forget(account, now.before(KEPT)).await?;
        }
        tx.refusals_insert(&self.fresh).await?;
        tx.refusals_take_back(&self.taken_back.iter().copied().collect::<Vec<_>>(), now).await
    }
}

/// The account that an answer comes from.
fn account(update: &Update) -> Option<&str> {
    match &update.origin.actor {
        Actor::Provider(name) if update.origin.source == EventSource::Answer => Some(name),
        _ => None,
    }
}

fn words_of(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence::Answer(Outcome::Refused(failure) | Outcome::NotSent(failure)) => counted_words(failure),
        _ => None,
    }
}

/// The words by which a refusal is compared, if it counts: a lasting one (5yz) of which is said that it is about the
/// recipient or the letter. Too large is a letter whoever gets it.
fn counted_words(failure: &Failure) -> Option<String> {
    let about = failure.about.filter(|about| !about.is_about_us())?;
    let is_lasting = failure.raw_code.as_deref().is_some_and(|code| code.starts_with('5'));
    let is_certain = about == About::Letter && matches!(failure.fault, Fault::TooLarge | Fault::TlsRequired);
    (is_lasting && !is_certain).then(|| {
        let words = sameness(failure.raw_code.as_deref(), failure.raw_text.as_deref());
        words.chars().take(WORDS_CHARS_MAX).collect()
    })
}

/// How many different recipients hear it in a row before it is about us.
fn recipients_max(fault: Fault) -> usize {
    let speaks_of_the_mailbox = fault.evidence() != AddressEvidence::Neutral || fault == Fault::MailboxFull;
    if speaks_of_the_mailbox { RECIPIENTS_WITH_PROOF } else { RECIPIENTS_WITHOUT_PROOF }
}

fn pause(recipients: usize, failure: &Failure, called_ms: Timestamp) -> Pause {
    let words = failure.raw_text.as_deref().or(failure.raw_code.as_deref()).unwrap_or_default();
    let reason = format!("the relay refused {recipients} recipients in a row with the same words: {words}");
    Pause { resumes_ms: None, reason, remedy: Some(Remedy::SameForAll), called_ms }
}

/// Lets a letter wait again that failed, or lost a try, by a refusal that was about us. Whether it did.
pub(super) fn let_wait(case: &mut Case, refused: AttemptId, rules: &Rules, now: Timestamp) -> bool {
    let is_last = case.attempts.last().is_some_and(|last| last.id == refused);
    let fault = case.attempt(refused).and_then(|attempt| attempt.fault);
    let follows = matches!(case.message.status, MessageStatus::Failed | MessageStatus::Queued)
        && fault.is_some_and(|fault| case.message.reason == Some(fault.into()));
    let Some(fault) = fault.filter(|_| is_last && follows) else { return false };
    let message = &mut case.message;
    message.status = MessageStatus::Queued;
    message.reason = Some(PolicyReason::ProviderPaused.into());
    message.settled_ms = None;
    message.confidence = None;
    message.due_ms = now;
    message.updated_ms = now;
    message.give_up_ms = message.give_up_ms.max(now.after(rules.give_up)).max(now.after(TIME_AFTER_PAUSE));
    message.tries = (message.tries - i64::from(retry::costs_try(fault))).max(0);
    let origin = Origin::rule(Rule::SameRefusal);
    let event = Event::new(message.id, EventKind::TakenBack, origin.source, &origin.actor, now);
    let event = Event { attempt_id: Some(refused), reason: message.reason, ..event };
    case.notes.push(event);
    case.message_changed = true;
    case.step(SUBMIT, now);
    true
}

/// What is known of an address without the mark that a refusal left, if that is still the last that happened to it.
pub(super) fn unmarked(known: &AddressHealth, row: &RefusalRow, fault: Fault) -> Option<AddressHealth> {
    let before = AddressHealth { health: row.health?, strikes: row.strikes, fault: row.fault, ..known.clone() };
    (before.after_fault(fault) == *known).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Health;
    use crate::domain::{Address, Channel};

    fn refusal(fault: Fault, about: About, code: &str, text: &str) -> Failure {
        Failure::new(fault).about(about).code(code).text(text)
    }

    #[test]
    fn only_lasting_refusals_of_a_recipient_or_a_letter_count() {
        for (failure, counts) in [
            (refusal(Fault::Unknown, About::Recipient, "550", "no"), true),
            (refusal(Fault::PolicyRefusal, About::Letter, "554 5.7.1", "no"), true),
            (refusal(Fault::MailboxUnknown, About::Recipient, "550 5.1.1", "no"), true),
            (refusal(Fault::Deferred, About::Recipient, "450 4.2.0", "greylisted"), false),
            (refusal(Fault::TooLarge, About::Letter, "552 5.3.4", "big"), false),
            (refusal(Fault::AccountError, About::Account, "550 5.7.60", "no"), false),
            (Failure::new(Fault::InvalidNumber).code("550").text("no such number"), false),
        ] {
            assert_eq!(counted_words(&failure).is_some(), counts, "{failure:?}");
        }
    }

    #[test]
    fn a_mark_is_taken_back_only_while_it_is_the_last_that_is_known() {
        let key = Address::guess("dana@clinic.example").expect("an address").key();
        let before = AddressHealth {
            channel: Channel::Email,
            value: key.clone(),
            health: Health::Confirmed,
            strikes: 0,
            fault: None,
        };
        let marked = before.after_fault(Fault::MailboxUnknown);
        let row = RefusalRow {
            attempt_id: AttemptId::new(),
            provider: "office".into(),
            address_key: key,
            words: "no".into(),
            health: Some(before.health),
            strikes: before.strikes,
            fault: before.fault,
            at_ms: Timestamp(1),
            taken_back_ms: None,
            stands_ms: None,
        };
        assert_eq!(unmarked(&marked, &row, Fault::MailboxUnknown), Some(before.clone()));
        assert_eq!(unmarked(&marked.after_success(), &row, Fault::MailboxUnknown), None, "it has worked since");
        assert_eq!(
            unmarked(&marked, &RefusalRow { health: None, ..row }, Fault::MailboxUnknown),
            None,
            "it left no mark"
        );
    }
}
