//! The only SQL. One text serves SQLite and PostgreSQL; a statement's body is written once and checked by the compiler
//! once for each engine ([`engine::db`]). Functions are named after what the domain does. `now` is always passed in.
//!
//! Every change happens inside a [`Tx`]; changes that must succeed or fail together share one.
//!
//! # Errors
//!
//! Store functions return [`StoreError`]. After any error nothing of the transaction stands (a broken commit is the one
//! exception: see [`Tx::commit`]). [`StoreError::Unavailable`] may pass: the same call may work later.
//! [`StoreError::Corrupt`] names the row or column that cannot be read. A function documents only the errors that mean
//! more than that.

pub mod engine;
pub mod records;
mod upgrade;
pub mod views;

pub use engine::db::{Store, Tx};
pub use engine::deadline::in_time;
pub use engine::error::StoreError;
