//! Why a number or a mailbox cannot be read.

/// Why an address was refused, in words for the person who typed it. Never contains the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(pub &'static str);
