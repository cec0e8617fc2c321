//! The messages of one transaction, each with its attempts: read under lock, changed in memory by each piece of evidence in
//! turn, written back in a handful of statements however many there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::case::{Case, Next};
use super::streak::{self, Streaks};
use super::{Evidence, Origin, Rules, Update, anew, conclude, evidence, pausing, purging};
use crate::domain::Timestamp;
use crate::domain::attempt::{Attempt, ProviderReference};
use crate::domain::event::{EventKind, EventSource};
use crate::domain::fault::{Failure, Fault};
use crate::domain::health::AddressHealth;
use crate::domain::id::{AttemptId, BroadcastId, MessageId, ReferrerId, TouchId};
use crate::domain::message::Message;
use crate::domain::provider_state::Pause;
use crate::domain::{Actor, AddressKey, AuditAct, Channel, MessageStatus, Outcome, Rule};
use crate::queue;
use crate::store::records::events::Event;
use crate::store::records::purges::Purge;
use crate::store::records::refusals::RefusalRow;
use crate::store::{StoreError, Tx};

/// The cases, and what is written with them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    cases: BTreeMap<MessageId, Case>,
    case_of: HashMap<AttemptId, MessageId>,
    /// What is known about the cases' addresses; several messages may go to one.
    addresses: HashMap<AddressKey, AddressHealth>,
    learnt: BTreeSet<AddressKey>,
    /// Which attempt has which provider reference, among those in the evidence.
    bearers: HashMap<(String, String), AttemptId>,
    events: Vec<Event>,
    /// The broadcasts that are reopened: a message in doubt, with which they count as finished, has become work again.
    going_on: BTreeSet<BroadcastId>,
    /// The refusals of the accounts that the evidence is about.
    streaks: Streaks,
    /// The addresses from which a mark was taken.
    cleared: BTreeSet<AddressKey>,
    /// The fax numbers to which a call has ended.
    free_numbers: BTreeSet<AddressKey>,
    /// The letters that were sent to the same referrer anew, where refusals may be taken back: they do not wait again.
    sent_anew: BTreeSet<MessageId>,
    /// The copies that providers are to delete.
    purges: Vec<Purge>,
    /// How many hand-overs of each account certainly never took effect: its quotas do not count them.
    never_sent: BTreeMap<String, u32>,
    /// The accounts whose provider asked for less.
    slowed: BTreeSet<String>,
    /// The touches that wait again, by referrer and letter: of two that failed alike, only the one refused last does.
    waiting_again: BTreeMap<(ReferrerId, String), TouchId>,
}

impl Batch {
    /// Reads everything that the updates are about, under the locks of addresses and messages, in that order.
    pub(super) async fn read(tx: &mut Tx, updates: &[Update], now: Timestamp) -> Result<Self, StoreError> {
        let streaks = Streaks::read(tx, updates, now).await?;
        let mut ids: Vec<AttemptId> = updates.iter().map(|update| update.attempt).collect();
        ids.extend(streaks.attempts());
        let batch = Self::of(tx, &ids, streaks.may_take_back()).await?;
        let mut batch = Self { streaks, ..batch };
        batch.read_bearers(tx, updates).await?;
        Ok(batch)
    }

    /// Reads the messages of attempts, under the locks of addresses and messages, in that order. `may_take_back`: whether letters of
    /// theirs may wait again.
    pub(super) async fn of(tx: &mut Tx, ids: &[AttemptId], may_take_back: bool) -> Result<Self, StoreError> {
        let (known, messages) = tx.attempts_lock(ids).await?;
        let mut attempts: HashMap<MessageId, Vec<Attempt>> = HashMap::new();
        let message_ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
        for attempt in tx.attempts_of_messages(&message_ids).await? {
            attempts.entry(attempt.message_id).or_default().push(attempt);
        }
        let mut batch = Self::default();
        batch.addresses.extend(known.into_iter().map(|one| (one.value.clone(), one)));
        if may_take_back {
            batch.sent_anew = anew::sent_anew(tx, &messages).await?;
        }
        for message in messages {
            let own = attempts.remove(&message.id).unwrap_or_default();
            batch.case_of.extend(own.iter().map(|attempt| (attempt.id, message.id)));
            batch.cases.insert(message.id, Case::new(message, own));
        }
        Ok(batch)
    }

    /// Which of the references in the evidence are already taken.
    async fn read_bearers(&mut self, tx: &mut Tx, updates: &[Update]) -> Result<(), StoreError> {
        let mut brought: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for update in updates {
            let attempt = self.case_of.get(&update.attempt).and_then(|id| self.cases.get(id)?.attempt(update.attempt));
            if let (Some(attempt), Some(reference)) = (attempt, reference_of(&update.evidence))
                && attempt.provider_reference.as_ref() != Some(&reference.0)
            {
                brought.entry(attempt.provider.clone()).or_default().push(&reference.0);
            }
        }
        for (provider, references) in brought {
            for (reference, bearer) in tx.references_claimed(&provider, &references).await? {
                self.bearers.insert((provider.clone(), reference), bearer);
            }
        }
        Ok(())
    }

    /// Applies one piece of evidence. What changes nothing (a repeat, or something weaker than what is known) is
    /// dropped.
    pub(super) fn apply(&mut self, rules: &Rules, update: &Update, now: Timestamp) {
        let Update { attempt, origin, .. } = update;
        let Some(case) = self.case_of.get(attempt).and_then(|id| self.cases.get_mut(id)) else { return };
        let Some(standing) = case.attempt(*attempt).cloned() else { return };
        let evidence = without_a_borrowed_name(&self.bearers, &standing, &update.evidence);
        let evidence = evidence::as_counted(&standing, evidence);
        let changed = evidence::change(case.message.channel(), &standing, &evidence, origin, rules, now);
        if changed.status.is_open() && !standing.status.is_open() && case.others_open(*attempt) {
            let words = "the provider knows an attempt that was given up".to_owned();
            let event = event(&case.message, &standing, EventKind::Contradicted, origin, now);
            return self.events.push(Event { detail: Some(words), ..event });
        }
        if changed == standing {
            return;
        }
        case.replace(&changed);
        if let Some(reference) = &changed.provider_reference {
            self.bearers.insert((changed.provider.clone(), reference.clone()), changed.id);
        }
        let kind = evidence::kind(&evidence, &standing, &changed);
        let event = event(&case.message, &changed, kind, origin, now);
        let detail = evidence::detail(&evidence, kind, &changed);
        let detail = evidence::miscounted(&standing, &update.evidence).or(detail);
        self.events.push(Event { detail, ..event });
        if changed.status != standing.status {
            let called = changed.dialled.as_ref().unwrap_or(&case.message.address);
            let called = called.key();
            if standing.status.is_open() && !changed.status.is_open() && case.message.channel() == Channel::Fax {
                self.free_numbers.insert(called.clone());
            }
            let before = self.addresses.get(&called).cloned();
            let address = self.addresses.get_mut(&called);
            let was_in_doubt = case.message.status == MessageStatus::InDoubt;
            let failure = evidence::failure_of(&evidence);
            let is_marked = conclude::conclude(case, address, rules, &changed, failure, origin, now);
            if is_marked {
                self.learnt.insert(called.clone());
            }
            self.events.append(&mut case.notes);
            self.purges.extend(purging::of_ended(case, rules, now));
            let goes_on =
                matches!(case.message.status, MessageStatus::Queued | MessageStatus::Accepted | MessageStatus::Held);
            if was_in_doubt && goes_on {
                self.going_on.extend(case.message.broadcast_id);
            }
            let before = before.filter(|_| is_marked);
            self.note_streak(rules, &evidence, origin, streak::Refused { attempt: &changed, called, before }, now);
        }
    }

    /// An acceptance ends the account's row of refusals. A refusal may be the one too many: then what followed from all
    /// of the same words is taken back.
    fn note_streak(
        &mut self,
        rules: &Rules,
        evidence: &Evidence,
        origin: &Origin,
        refused: streak::Refused<'_>,
        now: Timestamp,
    ) {
        if origin.source != EventSource::Answer {
            return;
        }
        match evidence {
            Evidence::Answer(Outcome::Accepted { .. }) => self.streaks.end(&refused.attempt.provider),
            Evidence::Answer(outcome @ (Outcome::Refused(failure) | Outcome::NotSent(failure))) => {
                if matches!(outcome, Outcome::NotSent(_)) {
                    *self.never_sent.entry(refused.attempt.provider.clone()).or_default() += 1;
                }
                if failure.fault == Fault::RateLimited {
                    self.slowed.insert(refused.attempt.provider.clone());
                }
                let account = refused.attempt.provider.clone();
                let Some(about_us) = self.streaks.note(refused, failure, now) else { return };
                for row in about_us.rows.iter().rev() {
                    self.take_back(rules, row, now);
                }
                if let Some(case) = about_us.rows.first().and_then(|row| self.case_of.get(&row.attempt_id)) {
                    let case = self.cases.get_mut(case);
                    case.into_iter().for_each(|case| case.pauses.push((account.clone(), about_us.pause.clone())));
                }
            }
            Evidence::Answer(Outcome::Unknown(_)) | Evidence::Fact(..) | Evidence::Orphaned | Evidence::Absent => {}
            Evidence::Presumed | Evidence::Silent | Evidence::SaidSent | Evidence::SaidNotSent => {}
        }
    }

    /// Takes back what followed from one refusal: the letter waits again, and the mark on the address goes.
    fn take_back(&mut self, rules: &Rules, row: &RefusalRow, now: Timestamp) {
        self.wait_again(rules, row.attempt_id, now);
        let case = self.case_of.get(&row.attempt_id).and_then(|id| self.cases.get(id));
        let fault = case.and_then(|case| case.attempt(row.attempt_id)).and_then(|attempt| attempt.fault);
        if let Some((known, fault)) = self.addresses.get_mut(&row.address_key).zip(fault)
            && let Some(before) = streak::unmarked(known, row, fault)
        {
            *known = before;
            self.learnt.insert(row.address_key.clone());
            self.cleared.insert(row.address_key.clone());
        }
    }

    /// Lets the letter of an attempt that did not succeed wait again, unless the referrer would get two copies.
    fn wait_again(&mut self, rules: &Rules, attempt: AttemptId, now: Timestamp) {
        let Some(case) = self.case_of.get(&attempt).and_then(|id| self.cases.get_mut(id)) else { return };
        let copy = (case.message.referrer_id, case.message.letter.clone());
        let touch = case.message.touch_id;
        let is_second_copy =
            case.message.purpose.is_outreach() && self.waiting_again.get(&copy).is_some_and(|other| *other != touch);
        if !is_second_copy && !self.sent_anew.contains(&case.message.id) && streak::let_wait(case, attempt, rules, now)
        {
            self.waiting_again.insert(copy, touch);
            self.going_on.extend(case.message.broadcast_id);
            self.events.append(&mut case.notes);
        }
    }

    /// Takes back what followed from failures that came back later and were about us: the letters wait again, the last one first, the
    /// marks on their addresses go, and the account is paused.
    pub(super) fn take_back_failed(
        &mut self,
        rules: &Rules,
        attempts: &[AttemptId],
        (account, pause): (&str, &Pause),
        now: Timestamp,
    ) {
        for attempt in attempts.iter().rev() {
            self.wait_again(rules, *attempt, now);
            let Some((called, fault)) = self.failed(*attempt) else { continue };
            if let Some(known) = self.addresses.get_mut(&called).filter(|known| known.fault == Some(fault)) {
                *known = AddressHealth::fresh(called.clone());
                self.learnt.insert(called.clone());
                self.cleared.insert(called);
            }
        }
        if let Some(case) = self.cases.values_mut().next() {
            case.pauses.push((account.to_owned(), pause.clone()));
        }
    }

    /// The address that an attempt called, and why that failed.
    fn failed(&self, attempt: AttemptId) -> Option<(AddressKey, Fault)> {
        let case = self.case_of.get(&attempt).and_then(|id| self.cases.get(id))?;
        let attempt = case.attempt(attempt)?;
        Some((attempt.dialled.as_ref().unwrap_or(&case.message.address).key(), attempt.fault?))
    }

    /// Writes everything back. Locks touches, then accounts, then queue entries.
    pub(super) async fn write(&self, tx: &mut Tx, rules: &Rules, now: Timestamp) -> Result<(), StoreError> {
        let changed = |case: &&Case| case.message_changed;
        let attempts: Vec<Attempt> = self
            .cases
            .values()
            .flat_map(|case| case.attempts.iter().filter(|one| case.attempts_changed.contains(&one.id)).cloned())
            .collect();
        let messages: Vec<Message> = self.cases.values().filter(changed).map(|case| case.message.clone()).collect();
        let touches: Vec<_> = messages.iter().map(|message| message.touch_id).collect();
        let learnt: Vec<AddressHealth> =
            self.learnt.iter().filter_map(|place| self.addresses.get(place).cloned()).collect();
        tx.addresses_learn(&learnt, now).await?;
        tx.attempts_update(&attempts).await?;
        tx.events_insert(&self.events).await?;
        tx.messages_update(&messages).await?;
        tx.touches_project(&touches, now).await?;
        tx.purges_insert(&self.purges).await?;
        for broadcast in &self.going_on {
            tx.broadcast_reopen(*broadcast).await?;
        }
        self.streaks.write(tx, now).await?;
        self.write_cleared(tx, now).await?;
        self.lock_accounts(tx).await?;
        self.write_pauses(tx, now).await?;
        self.write_speed(tx, now).await?;
        self.write_next(tx, rules, now).await?;
        tx.queue_hasten_numbers(&self.free_numbers.iter().cloned().collect::<Vec<_>>(), now).await
    }

    /// Pauses the accounts that cannot continue until someone fixes them, each once.
    async fn write_pauses(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        let mut pauses: Vec<&(String, Pause)> = self.cases.values().flat_map(|case| &case.pauses).collect();
        // Of an account's pauses, first those that a person must end.
        pauses.sort_unstable();
        for (provider, pause) in pauses {
            pausing::pause_account(tx, provider, pause, now).await?;
        }
        Ok(())
    }

    /// Where rows of several accounts change, they are locked in the order in which the gate locks them.
    async fn lock_accounts(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let paused = self.cases.values().flat_map(|case| &case.pauses).map(|(account, _)| account);
        let changed: BTreeSet<&String> = paused.chain(self.never_sent.keys()).chain(&self.slowed).collect();
        if changed.len() > 1 {
            tx.provider_states(true).await?;
        }
        Ok(())
    }

    /// Gives back what quotas need not count, and slows down the accounts whose provider asked for less.
    async fn write_speed(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        for (account, count) in &self.never_sent {
            tx.provider_give_back(account, *count, now).await?;
        }
        for account in &self.slowed {
            if tx.provider_slow(account, now).await? {
                tracing::warn!(
                    provider = account,
                    "the provider asks for less: the account is slowed down for a while"
                );
            }
        }
        Ok(())
    }

    /// Records from which addresses a mark was taken.
    async fn write_cleared(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        let (rule, why) = (Actor::Rule(Rule::SameRefusal), "the refusal was about our account");
        for address in &self.cleared {
            tx.audit(&rule, AuditAct::ReviveAddress, Some(&address.masked()), Some(why), now).await?;
        }
        Ok(())
    }

    /// The next steps: entries are deferred or removed; a message without an entry gets one.
    async fn write_next(&self, tx: &mut Tx, rules: &Rules, now: Timestamp) -> Result<(), StoreError> {
        let (mut ended, mut steps) = (Vec::new(), Vec::new());
        for case in self.cases.values() {
            match case.next {
                Some(Next::None) => ended.push(case.message.id.0),
                Some(Next::Step { kind, due }) => steps.push((case, kind, due)),
                None => {}
            }
        }
        tx.queue_remove_all(&ended).await?;
        let put_off: Vec<_> = steps.iter().map(|(case, kind, due)| (case.message.id.0, *kind, *due)).collect();
        let found = tx.queue_next_steps(&put_off).await?;
        let fresh: Vec<queue::Work> = steps
            .into_iter()
            .filter(|(case, ..)| !found.contains(&case.message.id.0))
            .map(|(case, kind, due)| super::work(&case.message, &rules.domains, kind, due))
            .collect();
        queue::put(tx, &fresh, now).await
    }

    /// The message that an attempt belongs to, in its present state.
    pub(super) fn message_of(&self, attempt: AttemptId) -> Option<&Message> {
        self.case_of.get(&attempt).and_then(|id| self.cases.get(id)).map(|case| &case.message)
    }
}

const fn reference_of(evidence: &Evidence) -> Option<&ProviderReference> {
    match evidence {
        Evidence::Answer(Outcome::Accepted { reference }) | Evidence::Fact(_, Some(reference)) => Some(reference),
        _ => None,
    }
}

/// Evidence without a provider reference that another attempt already has. An acceptance with such a reference proves
/// nothing, so the outcome of the call is unknown; a fact keeps its weight.
fn without_a_borrowed_name(
    bearers: &HashMap<(String, String), AttemptId>,
    standing: &Attempt,
    evidence: &Evidence,
) -> Evidence {
    let Some(reference) = reference_of(evidence) else { return evidence.clone() };
    let bearer = bearers.get(&(standing.provider.clone(), reference.0.clone()));
    let ours = standing.provider_reference.as_ref() == Some(&reference.0);
    if ours || bearer.is_none_or(|bearer| *bearer == standing.id) {
        return evidence.clone();
    }
    match evidence {
        Evidence::Fact(fact, _) => Evidence::Fact(fact.clone(), None),
        _ => {
            let failure = Failure::new(Fault::ProtocolError).text("the provider reused an earlier reference");
            Evidence::Answer(Outcome::Unknown(failure))
        }
    }
}

fn event(message: &Message, attempt: &Attempt, kind: EventKind, origin: &Origin, now: Timestamp) -> Event {
    Event {
        attempt_id: Some(attempt.id),
        fault: attempt.fault,
        occurred_ms: origin.occurred.unwrap_or(now),
        ..Event::new(message.id, kind, origin.source, &origin.actor, now)
    }
}
