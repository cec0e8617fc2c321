//! What the gate checks, read for a whole batch in a handful of statements, under the locks that keep it true until
//! the commit. Locks are taken in one order everywhere: address, message, touch, provider account, mail domain, queue entry.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::domain_turns::DomainTurns;
use super::render::Prepared;
use super::{Parts, Settings, office};
use crate::accounts::Carriers;
use crate::consent::facts::{AddressFacts, Circumstances, Subject};
use crate::domain::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::message::Message;
use crate::domain::provider_state::{Meter, ProviderState};
use crate::domain::referrer::Referrer;
use crate::domain::{AddressKey, Channel, Lane, Timestamp};
use crate::policy::Facts;
use crate::store::records::submissions::UndoWindow;
use crate::store::{StoreError, Tx};

/// A call to a number counts as under way for this long at most; a provider that never reports must not block a number.
const CALL_MAX: Duration = Duration::from_secs(30 * 60);

/// More than the clocks of two nodes ever differ by.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(60);

/// The facts about one batch.
#[derive(Debug, Default)]
pub(super) struct GateFacts {
    /// The claims that are still ours.
    pub held: HashSet<i64>,
    pub messages: HashMap<MessageId, Message>,
    pub open: HashSet<MessageId>,
    pub numbers: HashMap<MessageId, i64>,
    /// The fax numbers with a call under way, or about to begin.
    pub busy: HashSet<AddressKey>,
    /// What all nodes know about the accounts, updated by this batch's use.
    pub states: HashMap<String, ProviderState>,
    /// The undo windows of the batch's submissions that are open, and the submissions that were withdrawn.
    pub windows: HashMap<SubmissionId, UndoWindow>,
    /// The referrers who are away, and until when, and the broadcasts that are paused; among automatic letters only.
    pub away: HashMap<ReferrerId, Timestamp>,
    pub paused: HashSet<BroadcastId>,
    /// Whose turn it is at the mail domains of the batch, and how many letters are under way there.
    pub turns: DomainTurns,
    addresses: AddressFacts,
    referrers: HashMap<ReferrerId, Referrer>,
    /// The accounts whose rate or budget was used.
    drawn: BTreeSet<String>,
}

impl GateFacts {
    pub(super) async fn read(
        tx: &mut Tx,
        parts: &Parts,
        items: &[Prepared],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let keys: Vec<AddressKey> = items.iter().map(|item| item.message.address.key()).collect();
        let ids: Vec<MessageId> = items.iter().map(|item| item.message.id).collect();
        let mut facts = Self { addresses: AddressFacts::lock(tx, &keys).await?, ..Self::default() };
        for message in tx.messages(&ids, true).await? {
            facts.messages.insert(message.id, message);
        }
        let touches: Vec<TouchId> = facts.messages.values().map(|message| message.touch_id).collect();
        tx.touches_lock(&touches).await?;
        facts.read_windows(tx, now).await?;
        facts.open = tx.attempts_open(&ids).await?.into_iter().map(|attempt| attempt.message_id).collect();
        facts.numbers = tx.attempt_numbers(&ids).await?.into_iter().collect();
        facts.busy = busy_numbers(tx, items, now).await?;
        let referrers: Vec<ReferrerId> = items.iter().map(|item| item.message.referrer_id).collect();
        facts.referrers = tx.referrers(&referrers).await?.into_iter().map(|one| (one.id, one)).collect();
        facts.read_who_stays(tx).await?;
        facts.read_waits(tx, items, now).await?;
        facts.read_accounts(tx, parts, now).await?;
        facts.turns = DomainTurns::read(tx, &parts.accounts, items).await?;
        let claims: Vec<(i64, i64)> = items.iter().map(|item| (item.claimed.id, item.claimed.fence)).collect();
        facts.held = tx.queue_held(&claims).await?;
        Ok(facts)
    }

    /// What stands for the one into whom somebody was merged, such as an open conversation, holds for the letters of both records.
    async fn read_who_stays(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let gone: Vec<ReferrerId> =
            self.referrers.values().filter(|one| one.removed_ms.is_some()).map(|one| one.id).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let people = tx.records_of_people(&gone).await?;
        let records: Vec<ReferrerId> = people.values().flatten().copied().collect();
        let in_use: Vec<Referrer> =
            tx.referrers(&records).await?.into_iter().filter(|one| one.removed_ms.is_none()).collect();
        for (id, records) in people {
            let stays = in_use.iter().find(|one| records.contains(&one.id));
            if let (Some(stays), Some(known)) = (stays, self.referrers.get_mut(&id)) {
                known.state = stays.state;
            }
        }
        Ok(())
    }

    /// Windows that ended a moment ago are read as well and stay locked: the clocks of two nodes differ by less than that,
    /// so that nobody withdraws what another node hands over.
    async fn read_windows(&mut self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        let submissions: Vec<SubmissionId> = self.messages.values().map(|message| message.submission_id).collect();
        let windows = tx.submissions_undo_windows(&submissions, now.before(CLOCKS_DIFFER_MAX)).await?;
        self.windows = windows.into_iter().map(|window| (window.id, window)).collect();
        Ok(())
    }

    async fn read_waits(&mut self, tx: &mut Tx, items: &[Prepared], now: Timestamp) -> Result<(), StoreError> {
        let automatic = || items.iter().map(|item| &item.message).filter(|message| message.lane == Lane::Broadcast);
        let referrers: Vec<ReferrerId> = automatic().map(|message| message.referrer_id).collect();
        self.away = tx.away_among(&referrers, now).await?.into_iter().collect();
        let broadcasts: BTreeSet<BroadcastId> = automatic().filter_map(|message| message.broadcast_id).collect();
        let broadcasts: Vec<BroadcastId> = broadcasts.into_iter().collect();
        self.paused = tx.broadcasts_paused(&broadcasts).await?.into_iter().collect();
        Ok(())
    }

    /// States of the accounts. Where a rate, a quota or a budget is to be kept, the rows stay locked until the commit; the row of an
    /// account that has none yet is made first, so that two nodes do not both begin with a full burst.
    async fn read_accounts(&mut self, tx: &mut Tx, parts: &Parts, now: Timestamp) -> Result<(), StoreError> {
        let metered: Vec<&str> = parts.accounts.metered().collect();
        let mut states = tx.provider_states(!metered.is_empty()).await?;
        if metered.is_empty() && states.iter().any(|state| state.slowing.now(now) > 0) {
            states = tx.provider_states(true).await?;
        }
        let missing = |name: &&&str| !states.iter().any(|state| state.provider == ***name);
        let missing: Vec<&str> = metered.iter().filter(missing).copied().collect();
        if !missing.is_empty() {
            for name in missing {
                tx.provider_ensure(name, now).await?;
            }
            states = tx.provider_states(true).await?;
        }
        self.states = states.into_iter().map(|state| (state.provider.clone(), state)).collect();
        Ok(())
    }

    /// Updates an account's rate, quotas and budget after a hand-over.
    pub(super) fn draw(&mut self, account: &str, meter: Meter) {
        if let Some(state) = self.states.get_mut(account)
            && state.meter != meter
        {
            state.meter = meter;
            self.drawn.insert(account.to_owned());
        }
    }

    /// Writes the rates, quotas and budgets that were used.
    pub(super) async fn write_meters(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        for account in &self.drawn {
            if let Some(state) = self.states.get(account) {
                tx.provider_meter(account, &state.meter, now).await?;
            }
        }
        self.turns.write(tx).await
    }

    /// The facts about one message, for policy.
    pub(super) fn of(
        &self,
        message: &Message,
        settings: &Settings,
        carriers: Carriers,
        number_busy: bool,
        now: Timestamp,
    ) -> Facts<'_> {
        let referrer = self.referrers.get(&message.referrer_id);
        let circumstances = Circumstances {
            permission_only: settings.permission_only,
            routed: carriers.routed,
            baa: carriers.baa,
            number_busy,
            now,
            closed_until: referrer.and_then(|referrer| office::closed_until(&settings.hours, message, referrer, now)),
        };
        self.addresses.of(&Subject::of(message, referrer), circumstances)
    }
}

/// The fax numbers of the batch that are being called for another message.
async fn busy_numbers(tx: &mut Tx, items: &[Prepared], now: Timestamp) -> Result<HashSet<AddressKey>, StoreError> {
    let faxes = items.iter().filter(|item| item.message.channel() == Channel::Fax);
    let numbers: Vec<AddressKey> = faxes.map(|item| item.message.address.key()).collect();
    Ok(tx.numbers_being_called(&numbers, now.before(CALL_MAX)).await?.into_iter().collect())
}
