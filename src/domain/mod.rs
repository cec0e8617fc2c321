//! What things are: identifiers, addresses, people, messages, attempts, faults, facts from outside, and the pure
//! rules by which one state follows another. Nothing here reads a clock, a file, a socket or a database.

pub mod actor;
pub mod address;
pub mod address_key;
pub mod attempt;
pub mod audit;
pub mod basis;
pub mod callback;
pub mod campaign;
pub mod channel;
pub mod clock;
pub mod cost;
pub mod country;
pub mod dated_text;
pub mod envelope;
pub mod event;
pub mod fault;
pub mod health;
pub mod id;
pub mod lifecycle;
pub mod message;
pub mod opt_out;
pub mod practice;
pub mod provider_state;
pub mod reason;
pub mod referrer;
pub mod suppression;
pub mod touch;
pub(crate) mod words;

pub use actor::{Actor, Rule};
pub use address::{Address, EmailAddress, FaxNumber};
pub use address_key::AddressKey;
pub use attempt::{AttemptStatus, Outcome};
pub use audit::AuditAct;
pub use channel::{Channel, Lane, PhiClass, Purpose};
pub use clock::{Clock, SharedClock, SystemClock, Timestamp};
pub use fault::Fault;
pub use message::MessageStatus;
pub use reason::{OperatorReason, PolicyReason, Reason};
