//! Facts from outside: what a webhook, a poll or a bounce says about an attempt.

use serde::{Deserialize, Serialize};

use super::attempt::{AttemptStatus, ProviderReference};
use super::clock::Timestamp;
use super::fault::Failure;
use super::id::AttemptId;
use super::message::MessageStatus;
use super::returned::Returned;
use super::words::words;

words! {
    /// Where the fact came from.
    EventSource {
        /// The provider's answer to the call itself.
        Answer = "answer",
        /// A callback.
        Webhook = "webhook",
        /// A status query.
        Poll = "poll",
        /// A bounce or complaint message.
        Bounce = "bounce",
        /// A person.
        Operator = "operator",
        /// A built-in rule, such as the end of a waiting time.
        Policy = "policy",
    }
}

words! {
    /// What happened to a message or one of its attempts.
    EventKind {
        /// It was put on the queue.
        Queued = "queued",
        /// It was put on hold until a person decides.
        Held = "held",
        /// A person released it.
        Released = "released",
        /// A person had it sent again.
        Retried = "retried",
        /// A person let it go at any hour.
        AnyHour = "any_hour",
        /// A person asked the provider to stop it; what comes of that is another event.
        CancelAsked = "cancel_asked",
        /// A provider accepted it.
        Accepted = "accepted",
        /// The provider refused it.
        Refused = "refused",
        /// It certainly was not sent.
        NotSent = "not_sent",
        /// It may or may not have been sent.
        InDoubt = "in_doubt",
        /// The provider is working on it.
        Progress = "progress",
        /// It arrived.
        Delivered = "delivered",
        /// It did not arrive.
        Failed = "failed",
        /// Policy forbids it.
        Suppressed = "suppressed",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// Its deadline passed.
        Expired = "expired",
        /// No bounce came in time.
        PresumedDelivered = "presumed_delivered",
        /// A person confirms that it was sent.
        SaidSent = "said_sent",
        /// A person confirms that it was not sent.
        SaidNotSent = "said_not_sent",
        /// It was looked up and not found.
        FoundAbsent = "found_absent",
        /// No final report came in time.
        NoFinalReport = "no_final_report",
        /// An open attempt was found that no node is working on.
        Orphaned = "orphaned",
        /// Its refusal was about our account: it counts for nothing, and the letter waits.
        TakenBack = "taken_back",
        /// The provider reported its charge.
        Charged = "charged",
        /// The provider deleted its copy.
        Purged = "purged",
        /// The provider did not delete its copy, and is not asked any more.
        PurgeFailed = "purge_failed",
        /// The provider knows an attempt that was given up.
        Contradicted = "contradicted",
    }
}

impl From<MessageStatus> for EventKind {
    /// The event of a message that is created in a status or changes to it.
    fn from(status: MessageStatus) -> Self {
        match status {
            MessageStatus::Queued => Self::Queued,
            MessageStatus::Held => Self::Held,
            MessageStatus::Accepted => Self::Accepted,
            MessageStatus::InDoubt => Self::InDoubt,
            MessageStatus::Delivered => Self::Delivered,
            MessageStatus::Failed => Self::Failed,
            MessageStatus::Suppressed => Self::Suppressed,
            MessageStatus::Cancelled => Self::Cancelled,
            MessageStatus::Expired => Self::Expired,
        }
    }
}

impl From<AttemptStatus> for EventKind {
    /// The event of an attempt that changes to a status.
    fn from(status: AttemptStatus) -> Self {
        match status {
            AttemptStatus::Calling | AttemptStatus::InDoubt => Self::InDoubt,
            AttemptStatus::Accepted => Self::Accepted,
            AttemptStatus::NotSent => Self::NotSent,
            AttemptStatus::Refused => Self::Refused,
            AttemptStatus::Delivered => Self::Delivered,
            AttemptStatus::Failed => Self::Failed,
        }
    }
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Fact {
    /// The provider has it and is working on it.
    Progress {
        /// The provider's word for the stage.
        stage: String,
    },
    /// All of it arrived.
    Delivered {
        /// Pages confirmed by the far machine.
        pages: Option<u32>,
    },
    /// It did not arrive.
    Failed(Failure),
}

impl Fact {
    /// The word for the schema and the screens.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Progress { .. } => "progress",
            Self::Delivered { .. } => "delivered",
            Self::Failed(_) => "failed",
        }
    }
}

/// What the provider charges for one hand-over, in its own unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    /// A decimal number, as the provider writes it; at most 20 characters.
    pub amount: String,
    /// A currency (ISO 4217) or the provider's word for its unit, such as `units` or `pages`; at most 12 characters.
    pub unit: String,
}

impl Billed {
    /// A charge, if the amount is a plain decimal number and the unit a short word.
    #[must_use]
    pub fn new(amount: &str, unit: &str) -> Option<Self> {
        let (amount, unit) = (amount.trim(), unit.trim());
        let number = !amount.is_empty()
            && amount.len() <= 20
            && amount.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && amount.parse::<f64>().is_ok();
        let word = !unit.is_empty() && unit.len() <= 12 && unit.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        (number && word).then(|| Self { amount: amount.to_owned(), unit: unit.to_owned() })
    }

    /// Whether this is the larger of the two charges. A total order, so that it does not matter which one is reported
    /// first.
    #[must_use]
    pub fn outweighs(&self, other: &Self) -> bool {
        let number = |charge: &Self| charge.amount.parse::<f64>().unwrap_or(0.0);
        let by_text = (&self.unit, &self.amount).cmp(&(&other.unit, &other.amount));
        number(self).total_cmp(&number(other)).then(by_text).is_gt()
    }
}

/// One fact about one hand-over, identified by our reference, the provider's, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryEvent {
    /// Our reference, if the provider echoes it.
    pub attempt: Option<AttemptId>,
    /// The provider's reference, if given.
    pub reference: Option<ProviderReference>,
    /// What is said.
    pub fact: Fact,
    /// When it happened, by the provider's clock.
    pub occurred_ms: Option<Timestamp>,
    /// Same fact, same key: repeats are dropped by (provider, key). At most 200 characters.
    pub dedupe: String,
    /// What it costs, where the provider says so.
    #[serde(default)]
    pub billed: Option<Billed>,
    /// What more is said about an email that came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
}

/// What a provider says when asked about one hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's reference.
    pub reference: ProviderReference,
    /// Its state.
    pub fact: Fact,
    /// What it costs, where the provider says so.
    pub billed: Option<Billed>,
}

impl std::fmt::Display for Billed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.unit)
    }
}

impl Report {
    /// A report without a charge.
    #[must_use]
    pub const fn new(reference: ProviderReference, fact: Fact) -> Self {
        Self { reference, fact, billed: None }
    }
}
