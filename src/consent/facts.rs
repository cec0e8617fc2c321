//! What is on record about addresses, read once for a whole batch: the same for the preview at intake, which only
//! reads, and for the gate, which keeps the addresses locked until its commit.

use std::collections::HashMap;

use crate::domain::basis::Basis;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::message::Message;
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::suppression::{Scope, SuppressionReason};
use crate::domain::{Address, AddressKey, Lane, PhiClass, Purpose, Timestamp};
use crate::policy::Facts;
use crate::store::{StoreError, Tx};

/// Health, suppressions and bases of a batch of addresses.
#[derive(Debug, Default)]
pub struct AddressFacts {
    health: HashMap<AddressKey, Health>,
    refusals: HashMap<AddressKey, Vec<(Scope, SuppressionReason)>>,
    bases: HashMap<AddressKey, Vec<Basis>>,
}

/// What is to be decided: a message, or one that would be created.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Where to.
    pub address: &'a Address,
    /// What the letter is for.
    pub purpose: Purpose,
    /// Whether it contains health information.
    pub phi: PhiClass,
    /// Class of work.
    pub lane: Lane,
    /// Whether a person released it.
    pub released: bool,
    /// Whether a person decided that it may go at any hour.
    pub any_hour: bool,
    /// Whether the referrer is contacted.
    pub referrer: ReferrerState,
    /// Whether the referrer refuses letters by this channel, at whatever address.
    pub refuses_channel: bool,
}

impl<'a> Subject<'a> {
    /// A message that exists, to this referrer. Of one who is unknown nothing is known.
    #[must_use]
    pub fn of(message: &'a Message, referrer: Option<&Referrer>) -> Self {
        Self {
            address: &message.address,
            purpose: message.purpose,
            phi: message.phi,
            lane: message.lane,
            released: message.released_ms.is_some(),
            any_hour: message.any_hour_ms.is_some(),
            referrer: referrer.map_or(ReferrerState::Active, |referrer| referrer.state),
            refuses_channel: referrer.is_some_and(|referrer| referrer.refuses(message.channel())),
        }
    }
}

/// What the present state and the configuration add.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Whether only permission counts as a basis.
    pub permission_only: bool,
    /// Whether the routes name an account for it.
    pub routed: bool,
    /// Whether one of those has a business associate agreement.
    pub baa: bool,
    /// Whether the number is being called for another message now.
    pub number_busy: bool,
    /// The moment it would be handed over.
    pub now: Timestamp,
    /// Until when the recipient's office is closed then.
    pub closed_until: Option<Timestamp>,
}

impl AddressFacts {
    /// Reads what is on record without locking anything, for a preview.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look(tx: &mut Tx, keys: &[AddressKey]) -> Result<Self, StoreError> {
        let known = tx.addresses_known(keys).await?;
        Self::with(tx, keys, known).await
    }

    /// Locks the addresses first, so that what is read stays true until the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock(tx: &mut Tx, keys: &[AddressKey]) -> Result<Self, StoreError> {
        let known = tx.addresses_lock(keys).await?;
        Self::with(tx, keys, known).await
    }

    async fn with(tx: &mut Tx, keys: &[AddressKey], known: Vec<AddressHealth>) -> Result<Self, StoreError> {
        let health = known.into_iter().map(|one| (one.value, one.health)).collect();
        let mut facts = Self { health, ..Self::default() };
        for refusal in tx.suppressions_among(keys).await? {
            facts.refusals.entry(refusal.address).or_default().push((refusal.scope, refusal.reason));
        }
        for basis in tx.basis_among(keys).await? {
            facts.bases.entry(AddressKey::from(&basis.fax)).or_default().push(basis);
        }
        Ok(facts)
    }

    /// The facts for policy about one message.
    #[must_use]
    pub fn of(&self, subject: &Subject<'_>, circumstances: Circumstances) -> Facts<'_> {
        let key = subject.address.key();
        Facts {
            purpose: subject.purpose,
            phi: subject.phi,
            channel: subject.address.channel(),
            lane: subject.lane,
            released: subject.released,
            referrer: subject.referrer,
            refuses_channel: subject.refuses_channel,
            health: self.health.get(&key).copied().unwrap_or(Health::Unverified),
            refusals: self.refusals.get(&key).map_or(&[], Vec::as_slice),
            bases: self.bases.get(&key).map_or(&[], Vec::as_slice),
            permission_only: circumstances.permission_only,
            routed: circumstances.routed,
            baa: circumstances.baa,
            number_busy: circumstances.number_busy,
            now: circumstances.now,
            closed_until: circumstances.closed_until,
            any_hour: subject.any_hour,
        }
    }
}
