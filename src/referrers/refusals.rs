//! Refusals that a list brings: stored with the row they came in, in the same transaction. A list can refuse more than is
//! on record and never less: nothing here lifts a refusal, revives an address or makes a contact of somebody who is none.

use std::collections::HashSet;

use super::ReferrersError;
use super::sheet::write::evidence_with_day;
use super::sheet::{RefusalEvidence, Sheet, SheetRefusal, SheetRow};
use crate::consent::{self, Refusal};
use crate::domain::health::{AddressHealth, Health};
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::suppression::SuppressionSource;
use crate::domain::{Actor, Address, AddressKey, AuditAct, Channel, Timestamp};
use crate::store::Tx;

/// Longest evidence kept, in characters.
const EVIDENCE_CHARS_MAX: usize = 1_000;

/// What holds for all rows of one list.
#[derive(Debug)]
pub(super) struct Refusals {
    /// How evidence names the list.
    list: String,
    /// Addresses that the list calls dead and that are new here: what this installation has learned itself counts more.
    news_of: HashSet<AddressKey>,
}

impl Refusals {
    /// Locks the addresses that the list says refused, all at once and in the order in which every other transaction
    /// locks them, so that no call to them starts between this and the commit.
    pub(super) async fn of(tx: &mut Tx, sheet: &Sheet, now: Timestamp) -> Result<Self, ReferrersError> {
        let (mut refusing, mut dead) = (Vec::new(), Vec::new());
        for row in &sheet.rows {
            let key = |channel: Channel| address_of(row, channel).map(|address| address.key());
            refusing.extend(row.refusals.iter().filter_map(|refusal| key(refusal.channel)));
            dead.extend(row.dead.iter().filter_map(|(channel, _)| key(*channel)));
        }
        let known: HashSet<AddressKey> = tx.addresses_known(&dead).await?.into_iter().map(|one| one.value).collect();
        let news_of = dead.iter().filter(|key| !known.contains(*key)).cloned().collect();
        refusing.extend(dead);
        if !refusing.is_empty() {
            tx.addresses_ensure(&refusing, now).await?;
            tx.addresses_lock(&refusing).await?;
        }
        let file = sheet.file.as_deref().unwrap_or("without a name");
        let list = format!("list {file}, imported on {}", now.to_utc().date_naive());
        Ok(Self { list, news_of })
    }

    /// Stores what a row says about refusals. `referrer` is the record as it was stored for the row, `is_new` whether this
    /// import added it. Returns how many suppressions are new. A repeat changes nothing.
    ///
    /// Call it before the row's basis is recorded: an opt-out ends what allowed faxing until then, and a basis that the
    /// list has beside it was obtained in spite of it.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        row: &SheetRow,
        referrer: &Referrer,
        is_new: bool,
        who: &Actor,
        now: Timestamp,
    ) -> Result<usize, ReferrersError> {
        self.record_standing(tx, row, referrer, is_new, who, now).await?;
        for (channel, fault) in &row.dead {
            let Some(address) = address_of(row, *channel) else { continue };
            if self.news_of.contains(&address.key()) {
                let known = AddressHealth {
                    channel: *channel,
                    value: address.key(),
                    health: Health::Dead,
                    strikes: 1,
                    fault: *fault,
                };
                tx.addresses_learn(&[known], now).await?;
            }
        }
        let mut count = 0;
        for refusal in &row.refusals {
            // A list may say that a person refused without giving their address: then it is the one on record.
            let address = address_of(row, refusal.channel).or_else(|| referrer.address(refusal.channel));
            if let Some(address) = address {
                count += usize::from(self.suppress(tx, address, refusal, who, now).await?);
            }
        }
        Ok(count)
    }

    /// A new referrer gets the list's contact status; of a known one it is only made stricter, and only for good.
    async fn record_standing(
        &self,
        tx: &mut Tx,
        row: &SheetRow,
        referrer: &Referrer,
        is_new: bool,
        who: &Actor,
        now: Timestamp,
    ) -> Result<(), ReferrersError> {
        let Some(standing) = row.standing else { return Ok(()) };
        let applies = standing == ReferrerState::DoNotContact || is_new;
        if !applies || standing == referrer.state || referrer.state == ReferrerState::DoNotContact {
            return Ok(());
        }
        tx.referrer_put(&Referrer { state: standing, updated_ms: now, ..referrer.clone() }).await?;
        let place = row.standing_evidence.as_ref().map(place).unwrap_or_default();
        let detail = format!("{standing}: {place}{}", self.list);
        tx.audit(who, AuditAct::EditReferrer, Some(&referrer.id.to_string()), Some(&detail), now).await?;
        Ok(())
    }

    /// Whether the suppression is new. One that is in effect stays as it is, and one that a person lifted after the day of
    /// the refusal stays lifted.
    async fn suppress(
        &self,
        tx: &mut Tx,
        address: Address,
        said: &SheetRefusal,
        who: &Actor,
        now: Timestamp,
    ) -> Result<bool, ReferrersError> {
        let ever = tx.suppressions_ever_of(&address).await?;
        let mut same = ever.iter().filter(|known| known.scope == said.scope);
        let is_answered = |lifted: Timestamp| said.day.is_some_and(|day| day < lifted.to_utc().date_naive());
        if same.any(|known| known.lifted_ms.is_none_or(is_answered)) {
            return Ok(false);
        }
        let words = match &said.evidence {
            RefusalEvidence::Kept(words) => words.clone(),
            other => format!("{}{}", place(other), self.list),
        };
        let evidence: String = evidence_with_day(said.day, &words).chars().take(EVIDENCE_CHARS_MAX).collect();
        let refusal = Refusal {
            address,
            scope: said.scope,
            reason: said.reason,
            source: SuppressionSource::Import,
            evidence: Some(evidence),
            who: who.clone(),
        };
        consent::suppress_in(tx, &refusal, now).await?;
        Ok(true)
    }
}

fn address_of(row: &SheetRow, channel: Channel) -> Option<Address> {
    match channel {
        Channel::Fax => row.fax.clone().map(Address::Fax),
        Channel::Email => row.email.clone().map(Address::Email),
    }
}

/// Where in the list it stands, for the evidence.
fn place(evidence: &RefusalEvidence) -> String {
    match evidence {
        RefusalEvidence::Column(name) => format!("column \u{201c}{name}\u{201d}, "),
        RefusalEvidence::FileName => "by the name of the file, ".to_owned(),
        RefusalEvidence::Kept(_) => String::new(),
    }
}
