//! The only writer of a message's state. It has two inputs: evidence about an attempt ([`apply`]), from which attempt,
//! message, touch, address, events and the queue's next step follow by one set of rules, whatever the order; and acts of
//! policy or of a person ([`hold`], [`defer`], [`wait_for_office_hours`], [`any_hour`], [`send_again`], [`go_on`],
//! [`leave_in_doubt`], [`end`], [`withdraw_some`]). Accounts are paused here too, by what a call or a question brought back. All of it happens in the caller's transaction.

mod acts;
mod anew;
mod batch;
mod case;
mod conclude;
mod evidence;
mod pausing;
mod purging;
mod streak;
mod withdraw;

use std::collections::BTreeMap;
use std::time::Duration;

pub use acts::{Claim, any_hour, defer, end, go_on, hold, leave_in_doubt, send_again, wait_for_office_hours};
pub use anew::sent_anew;
use batch::Batch;
pub use evidence::{Evidence, Origin, Update};
pub use pausing::{pause_accounts, refused_question};
pub use purging::copies;
pub use withdraw::withdraw_some;

use crate::domain::id::{AttemptId, BroadcastId};
use crate::domain::mail_domains::MailDomains;
use crate::domain::message::Message;
use crate::domain::provider_state::Pause;
use crate::domain::{Channel, Lane, MessageStatus, Purging, Reason, RouteKey, Timestamp};
use crate::provider::{Capabilities, Reconciliation};
use crate::queue::Work;
use crate::queue::retry::RetryRules;
use crate::store::{StoreError, Tx};

/// The queue's word for "hand it over, or find out whether it was".
pub const SUBMIT: &str = "submit";
/// The queue's word for "ask what became of it".
pub const POLL: &str = "poll";

/// What to do about mail whose hand-over may or may not have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpDoubt {
    /// A person decides.
    #[default]
    Hold,
    /// It counts as sent: at most one copy, perhaps none.
    AssumeSent,
    /// It is sent again: at least one copy, perhaps two.
    Resend,
}

/// The rules' settings.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Retry scale.
    pub retry: RetryRules,
    /// First look-up after an acceptance.
    pub status_poll: Duration,
    /// How long mail that was accepted waits for a bounce before it counts as delivered.
    pub presume_delivered: Duration,
    /// How long to let a provider's lists settle before looking up an unknown outcome.
    pub doubt_settle: Duration,
    /// How long an unknown outcome is investigated before a person must decide.
    pub doubt_deadline: Duration,
    /// How long a provider may take for its final report.
    pub report_deadline: Duration,
    /// What to do about mail in doubt.
    pub smtp_doubt: SmtpDoubt,
    /// How long a message is tried, from its submission, or from a person's decision to send it again.
    pub give_up: Duration,
    /// When the records were last restored to an earlier state. What happened after that state was saved is lost, so
    /// another try that follows from an attempt opened before needs a person.
    pub restored: Option<Timestamp>,
    /// The mail domains that the routes tell apart.
    pub domains: MailDomains,
    /// What each account can do, by its name.
    pub capabilities: BTreeMap<String, Capabilities>,
    /// Of which letters each account deletes its provider's copy, by its name; of none where it is missing.
    pub purging: BTreeMap<String, Purging>,
}

impl Rules {
    fn reconciliation(&self, provider: &str) -> Reconciliation {
        self.capabilities.get(provider).map_or(Reconciliation::None, |known| known.reconciliation)
    }

    fn has_status(&self, provider: &str) -> bool {
        self.capabilities.get(provider).is_some_and(|known| known.status)
    }

    /// When to look at an accepted attempt for the `looks`-th time after the first: doubling waits up to half an hour.
    #[must_use]
    pub fn next_look(&self, channel: Channel, provider: &str, looks: i64) -> Duration {
        if channel == Channel::Email && !self.has_status(provider) {
            return self.presume_delivered;
        }
        let doublings = u32::try_from(looks.clamp(0, 10)).unwrap_or(0);
        (self.status_poll * 2_u32.pow(doublings)).min(Duration::from_secs(1800).max(self.status_poll))
    }
}

/// Applies evidence about any number of attempts and writes all that follows, as if the pieces had arrived in turn.
/// Evidence about an attempt that is not known is dropped, and so is evidence that changes nothing.
///
/// Takes its locks in the order refusals of an account, address, message, touch, account, queue entry, as the gate does, so that the two never wait
/// for each other in a circle.
///
/// # Errors
/// [`StoreError`]; then nothing is changed.
pub async fn apply_all(tx: &mut Tx, rules: &Rules, updates: &[Update], now: Timestamp) -> Result<(), StoreError> {
    apply_batch(tx, rules, updates, now).await.map(drop)
}

/// Applies evidence about one attempt. Returns the message as it is afterwards, or `None` if the attempt is unknown.
///
/// # Errors
/// [`StoreError`]; then nothing is changed.
pub async fn apply(
    tx: &mut Tx,
    rules: &Rules,
    attempt: AttemptId,
    evidence: &Evidence,
    origin: &Origin,
    now: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let update = Update { attempt, evidence: evidence.clone(), origin: origin.clone() };
    let batch = apply_batch(tx, rules, &[update], now).await?;
    Ok(batch.message_of(attempt).cloned())
}

async fn apply_batch(tx: &mut Tx, rules: &Rules, updates: &[Update], now: Timestamp) -> Result<Batch, StoreError> {
    let mut batch = Batch::read(tx, updates, now).await?;
    for update in updates {
        batch.apply(rules, update, now);
    }
    batch.write(tx, rules, now).await?;
    Ok(batch)
}

/// Takes back what followed from failures that, as it turned out, were about us: the account is paused, each letter that is not sent
/// otherwise by now waits for it, and nothing is held against the addresses. Takes its locks as [`apply_all`] does.
///
/// # Errors
/// [`StoreError`]; then nothing is changed.
pub async fn take_back_failed(
    tx: &mut Tx,
    rules: &Rules,
    attempts: &[AttemptId],
    account: (&str, &Pause),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut batch = Batch::of(tx, attempts, true).await?;
    batch.take_back_failed(rules, attempts, account, now);
    batch.write(tx, rules, now).await
}

/// The message at its end; how sure a delivery is stays.
fn set_ended(message: &mut Message, status: MessageStatus, reason: Option<Reason>, now: Timestamp) {
    message.status = status;
    message.reason = reason;
    message.released_ms = None;
    message.any_hour_ms = None;
    message.settled_ms = Some(now);
    if status != MessageStatus::Delivered {
        message.confidence = None;
    }
}

/// The queue entry that is a message's next step. `domains`: those that the routes tell apart.
#[must_use]
pub fn work(message: &Message, domains: &MailDomains, kind: &'static str, due: Timestamp) -> Work {
    Work {
        kind,
        subject: message.id.0,
        lane: message.lane,
        pool: RouteKey::of(message, domains).to_string(),
        flow: flow(message.lane, message.broadcast_id),
        cost: message.pages.unwrap_or(1),
        due,
    }
}

/// Whose turn a message uses up: its broadcast's, or for one-off letters the lane's.
fn flow(lane: Lane, broadcast: Option<BroadcastId>) -> uuid::Uuid {
    broadcast.map_or_else(|| uuid::Uuid::from_u128(lane as u128 + 1), |id| id.0)
}
