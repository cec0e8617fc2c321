//! A row of equal failures is about us, whatever they say: a relay whose way out is broken, or a server that checks our address and does
//! not get an answer, reports one good address after the other as unknown. `settle::streak` sees that in the answers of a dialogue; here
//! it is seen in what comes back later. The account is paused, what was held against the addresses is taken back, and the letters
//! wait for the account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::consent;
use crate::domain::fault::clean;
use crate::domain::id::{AttemptId, ReturnId};
use crate::domain::mail_reply::sameness;
use crate::domain::provider_state::Pause;
use crate::domain::returned::ReturnClass;
use crate::domain::{Actor, Address, AddressKey, Clock, EmailAddress, Fault, Remedy, Rule, Timestamp};
use crate::settle::{self, Rules};
use crate::store::records::equal_returns::FailedReturn;
use crate::store::{Store, StoreError, Tx};

/// How long a failure is compared with others, and how many are, the newest.
const COMPARED_FOR: Duration = Duration::from_secs(48 * 3600);
const COMPARED_MAX: i64 = 500;
/// What is kept of the words in the reason of a pause, in characters.
const WORDS_CHARS_MAX: usize = 160;

/// How many equal failures are about us: of how many recipients, at how many domains, and which part of all that the account was handed
/// in the meantime, as one in so many. Large hosts tell every dead mailbox in the same words, also at the domains of their customers: on a
/// list that has some of those, most letters do not come back.
struct Limit {
    recipients: usize,
    domains: usize,
    one_in: i64,
}

/// Where the words speak of the address.
const OF_ADDRESSES: Limit = Limit { recipients: 5, domains: 3, one_in: 3 };
/// Where they speak of us already.
const OF_US: Limit = Limit { recipients: 3, domains: 2, one_in: 10 };

/// Pauses the accounts of which a row of equal failures came back, and takes back what followed from them. Returns how many rows there
/// were. Reads before it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn stop_accounts(store: &Store, clock: &dyn Clock, rules: &Rules) -> Result<usize, StoreError> {
    let now = clock.now();
    let mut tx = store.read().await?;
    let failed = tx.returns_failed_since(now.before(COMPARED_FOR), COMPARED_MAX).await?;
    let mut about_us = Vec::new();
    for row in Row::all(failed) {
        about_us.extend(row.if_about_us(&mut tx).await?);
    }
    drop(tx);
    let mut stopped = 0;
    for row in about_us {
        stopped += usize::from(row.take_back(store, rules, now).await?);
    }
    Ok(stopped)
}

/// Equal failures of one account, the newest first.
#[derive(Debug)]
struct Row(Vec<FailedReturn>);

impl Row {
    /// The failures, as far as they count, sorted by account and by what they say.
    fn all(failed: Vec<FailedReturn>) -> Vec<Self> {
        let mut rows: BTreeMap<(String, String), Vec<FailedReturn>> = BTreeMap::new();
        for one in failed {
            if let Some(said) = said(&one) {
                rows.entry((one.account.clone(), said)).or_default().push(one);
            }
        }
        rows.into_values().map(Self).collect()
    }

    /// The row, without those who were taken for bad by mistake before, if the rest of it is about us. What is said of somebody a second
    /// time stands: otherwise letters would go there for ever.
    async fn if_about_us(mut self, tx: &mut Tx) -> Result<Option<Self>, StoreError> {
        if !self.is_long() {
            return Ok(None);
        }
        let keys: Vec<AddressKey> = self.0.iter().map(|one| one.address.clone()).collect();
        let before = tx.addresses_taken_back(&keys).await?;
        self.0.retain(|one| !before.contains(&one.address));
        let attempts = || self.0.iter().map(|one| one.attempt);
        let (Some(first), Some(last), true) = (attempts().min(), attempts().max(), self.is_long()) else {
            return Ok(None);
        };
        let account = self.account();
        let handed_over = tx.attempts_handed_over(account, (first, last)).await?;
        let count = i64::try_from(self.addresses().len()).unwrap_or(i64::MAX);
        let is_a_large_part = count.saturating_mul(self.limit().one_in) >= handed_over;
        let is_in_a_row = is_a_large_part && !tx.attempts_any_arrived(account, first).await?;
        Ok(is_in_a_row.then_some(self))
    }

    /// Whether enough different recipients at enough different domains are in it.
    fn is_long(&self) -> bool {
        let addresses = self.addresses();
        let domains: BTreeSet<&str> =
            addresses.iter().filter_map(|key| key.mailbox()).map(|(_, domain)| domain).collect();
        addresses.len() >= self.limit().recipients && domains.len() >= self.limit().domains
    }

    fn addresses(&self) -> BTreeSet<&AddressKey> {
        self.0.iter().map(|one| &one.address).collect()
    }

    fn limit(&self) -> &'static Limit {
        if self.0.iter().any(|one| one.class == ReturnClass::Hard) { &OF_ADDRESSES } else { &OF_US }
    }

    fn account(&self) -> &str {
        self.0.first().map_or("", |one| one.account.as_str())
    }

    /// The account waits for a person: they see the words, and decide whether they are about us.
    fn pause(&self) -> Pause {
        let words = self.0.iter().find_map(|one| one.diagnostic.as_deref()).unwrap_or_default();
        let words = clean(words, WORDS_CHARS_MAX);
        let reason = format!("letters to {} recipients came back for the same reason: {words}", self.addresses().len());
        let called_ms = self.0.iter().map(|one| one.opened_ms).max().unwrap_or(Timestamp(0));
        Pause { resumes_ms: None, reason, remedy: Some(Remedy::SameForAll), called_ms }
    }

    /// Pauses the account, lets the letters wait for it, and ends what was held against the addresses. Whether anything was done: not if
    /// a person, or another node, was first.
    async fn take_back(&self, store: &Store, rules: &Rules, now: Timestamp) -> Result<bool, StoreError> {
        let who = Actor::Rule(Rule::SameRefusal);
        let mut ids: Vec<ReturnId> = self.0.iter().map(|one| one.id).collect();
        ids.sort_unstable();
        let mut attempts: Vec<AttemptId> = self.0.iter().map(|one| one.attempt).collect();
        attempts.sort_unstable();
        attempts.dedup();
        let mut tx = store.write().await?;
        // The returns first, as whoever works one of them locks them.
        if !tx.returns_are_about_us(&ids, &who, now).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        settle::take_back_failed(&mut tx, rules, &attempts, (self.account(), &self.pause()), now).await?;
        self.lift(&mut tx, &ids, &who, now).await?;
        tx.commit().await?;
        let recipients = self.addresses().len();
        tracing::error!(
            account = self.account(),
            recipients,
            "the same failure came back for all: the account is paused"
        );
        Ok(true)
    }

    /// Ends the suppressions that followed from the returns.
    async fn lift(&self, tx: &mut Tx, ids: &[ReturnId], who: &Actor, now: Timestamp) -> Result<(), StoreError> {
        for key in self.addresses() {
            let Ok(address) = EmailAddress::parse(key.as_str()) else { continue };
            for known in tx.suppressions_of(&Address::Email(address)).await? {
                if known.return_id.is_some_and(|id| ids.contains(&id)) {
                    consent::lift_in(tx, known.id, who, "the failure was about us, not about the address", now).await?;
                }
            }
        }
        Ok(())
    }
}

/// What a failure says, to be compared; none of one that does not count. Whatever the words, servers that refuse our account or our
/// domain say the same.
fn said(one: &FailedReturn) -> Option<String> {
    let is_of_us = one.class == ReturnClass::Ours;
    if is_of_us && one.reason == Some(Fault::AccountError) {
        return Some("account".to_owned());
    }
    // What is wrong with one letter is no row, whoever gets it.
    let of_us = [Fault::PolicyRefusal, Fault::QuotaReached, Fault::RateLimited, Fault::ProtocolError];
    if is_of_us && !one.reason.is_some_and(|reason| of_us.contains(&reason)) {
        return None;
    }
    let words = sameness(one.status.as_deref(), Some(one.diagnostic.as_deref()?));
    (!words.is_empty()).then(|| format!("{} {words}", one.class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(address: &str, class: ReturnClass, reason: Fault, words: &str) -> FailedReturn {
        FailedReturn {
            id: ReturnId::new(),
            attempt: AttemptId::new(),
            address: AddressKey::from(&EmailAddress::parse(address).expect("an address")),
            class,
            reason: Some(reason),
            status: Some("5.1.1".to_owned()),
            diagnostic: Some(words.to_owned()),
            account: "office".to_owned(),
            opened_ms: Timestamp(1),
        }
    }

    fn is_long(failed: &[FailedReturn]) -> bool {
        Row::all(failed.to_vec()).iter().any(Row::is_long)
    }

    #[test]
    fn equal_failures_of_several_recipients_at_several_domains_are_a_row() {
        use ReturnClass::{Hard, Ours};
        let hard = |at: &str| {
            failed(at, Hard, Fault::DomainUnknown, &format!("Host or domain not found for {at} (id 77{})", at.len()))
        };
        let five = ["a@one.example", "b@two.example", "c@three.example", "d@one.example", "e@two.example"];
        let all: Vec<FailedReturn> = five.iter().map(|at| hard(at)).collect();
        assert!(is_long(&all));
        assert!(!is_long(&all[..4]), "too few");
        let at_one: Vec<FailedReturn> = (0..9).map(|n| hard(&format!("{n}@one.example"))).collect();
        assert!(!is_long(&at_one), "one server may have lost its directory: that is not about us");
        let twice: Vec<FailedReturn> = [&all[..4], &all[..4]].concat();
        assert!(!is_long(&twice), "nobody counts twice");
        let other = |one: &FailedReturn| FailedReturn { account: "other".to_owned(), ..one.clone() };
        assert!(!is_long(&[all[..3].to_vec(), all[3..].iter().map(other).collect()].concat()), "another account");
        let unread = |one: &FailedReturn| FailedReturn { diagnostic: None, ..one.clone() };
        assert!(!is_long(&all.iter().map(unread).collect::<Vec<_>>()), "nothing is known of what was said");
        let ours = |at: &str, reason, words: &str| failed(at, Ours, reason, words);
        let domain = [
            ours("a@one.example", Fault::AccountError, "unauthenticated mail"),
            ours("b@two.example", Fault::AccountError, "DMARC says no"),
            ours("c@two.example", Fault::AccountError, "your SPF fails"),
        ];
        assert!(is_long(&domain), "in whatever words");
        let blocked = five.map(|at| ours(at, Fault::PolicyRefusal, &format!("{at} banned sending IP 192.0.2.1")));
        assert!(is_long(&blocked[..3]));
        let large = five.map(|at| ours(at, Fault::TooLarge, "too large"));
        assert!(!is_long(&large), "that is the letter");
    }
}
