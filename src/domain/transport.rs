//! How a letter travelled to the mail relay: the evidence that it was encrypted, and towards whom.

use std::sync::{Arc, Mutex, PoisonError};

/// How a letter travelled to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The protocol, such as `TLS 1.3`; [`Transport::PLAIN`] where it was not encrypted.
    pub version: String,
    /// The cipher suite by its name in the IANA registry of TLS parameters.
    pub cipher: Option<String>,
    /// The name that the relay's certificate was checked for. None: nobody checked it, or there was none.
    pub peer: Option<String>,
}

impl Transport {
    /// The protocol of a connection that is not encrypted.
    pub const PLAIN: &'static str = "none";

    /// A connection that is not encrypted.
    #[must_use]
    pub fn plain() -> Self {
        Self { version: Self::PLAIN.to_owned(), cipher: None, peer: None }
    }

    /// Whether it was encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.version != Self::PLAIN
    }
}

/// Where a provider notes, while it hands a letter over, how that travels. Copies share the note, and two are always equal:
/// it is no part of what is handed over.
#[derive(Debug, Clone, Default)]
pub struct TransportNote(Arc<Mutex<Option<Transport>>>);

impl TransportNote {
    /// Notes it; what was noted before is replaced.
    pub fn set(&self, transport: Transport) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(transport);
    }

    /// What was noted. None: no connection came about, or the provider notes nothing.
    #[must_use]
    pub fn get(&self) -> Option<Transport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PartialEq for TransportNote {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for TransportNote {}
