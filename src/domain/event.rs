//! Facts from outside: what a webhook, a poll or a bounce says about an attempt.

use serde::{Deserialize, Serialize};

use super::attempt::ProviderReference;
use super::channel::words;
use super::clock::Timestamp;
use super::fault::Failure;
use super::id::AttemptId;

words! {
    /// Who brought the fact.
    EventSource {
        /// The provider's answer to the call itself.
        Answer = "answer",
        /// A callback.
        Webhook = "webhook",
        /// We asked.
        Poll = "poll",
        /// A bounce or complaint message.
        Bounce = "bounce",
        /// A person.
        Operator = "operator",
        /// A rule of ours, such as the end of a waiting time.
        Policy = "policy",
    }
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Fact {
    /// The provider has it and works on it.
    Progress {
        /// The provider's own word for the stage.
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

/// One fact about one hand-over, named by our reference, the provider's, or both.
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
}

/// What a provider says when asked about one hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's reference.
    pub reference: ProviderReference,
    /// Its state.
    pub fact: Fact,
}
