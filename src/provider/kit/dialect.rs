//! How an adapter describes the wording of its provider's answers, so that everything else about them is the same for
//! all: see [`Client`](super::client::Client).

use serde_json::Value;

use crate::domain::fault::Fault;
use crate::http::Answer;

/// How a provider words its answers. Both the answer and its JSON are given; the JSON is null where there is none.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// What an answer that is not a success says.
    pub complaint: fn(&Answer, &Value) -> Complaint,
    /// Whether the body of a 2xx says that it was not a success; none for providers that use the status.
    pub denies: Option<fn(&Value) -> bool>,
    /// The status given in the body of a 2xx, if any; it counts instead of HTTP's.
    pub status: Option<fn(&Value) -> Option<u16>>,
}

impl Dialect {
    /// Only the status counts: the starting point for an adapter.
    pub const PLAIN: Self = Self { complaint: |_, _| Complaint::NONE, denies: None, status: None };
}

/// What an answer that is not a success says in its body. Secrets in it are removed later.
#[derive(Debug, Clone, Default)]
pub struct Complaint {
    /// The fault, whatever the status.
    pub certain: Option<Fault>,
    /// The fault, where the status leaves it open (400, 404, 409, 422, and a 2xx that was not a success).
    pub fault: Option<Fault>,
    /// The provider's code; the status unless given.
    pub code: Option<String>,
    /// The provider's words.
    pub text: Option<String>,
    /// How long to wait after a 429 that does not say, in seconds.
    pub wait_seconds: Option<u64>,
}

impl Complaint {
    /// No details.
    pub const NONE: Self = Self { certain: None, fault: None, code: None, text: None, wait_seconds: None };

    /// Only these words.
    pub fn words(text: Option<String>) -> Self {
        Self { text, ..Self::NONE }
    }
}
