//! What an adapter says about the wording of its provider's answers, so that everything else about them is the same for
//! all: see [`Client`](super::client::Client).

use serde_json::Value;

use crate::domain::fault::Fault;
use crate::http::Answer;

/// How a provider words its answers. Both the answer and its JSON are given; the JSON is null where there is none.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// What an answer that is not a success says.
    pub complaint: fn(&Answer, &Value) -> Complaint,
    /// Whether the body of a 2xx says that it was not a success.
    pub denies: fn(&Value) -> bool,
    /// The status that such a body names itself; it counts in place of HTTP's.
    pub status: fn(&Value) -> Option<u16>,
}

impl Dialect {
    /// The status alone speaks: what an adapter starts from.
    pub const PLAIN: Self = Self { complaint: |_, _| Complaint::NONE, denies: |_| false, status: |_| None };
}

/// What an answer that is not a success says in its body. Secrets in it are taken out later.
#[derive(Debug, Clone, Default)]
pub struct Complaint {
    /// The fault, whatever the status says.
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
    /// It says nothing.
    pub const NONE: Self = Self { certain: None, fault: None, code: None, text: None, wait_seconds: None };

    /// Only these words.
    pub fn words(text: Option<String>) -> Self {
        Self { text, ..Self::NONE }
    }
}
