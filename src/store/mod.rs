//! The only SQL. One text serves SQLite and PostgreSQL; a statement's body is written once and checked by the compiler
//! once for each engine ([`db`]). Functions are named after what the domain does. `now` is always passed in.
//!
//! Every change happens inside a [`Tx`]; whoever needs several changes to stand or fall together makes them in one.

pub mod engine;
pub mod records;
pub mod views;

pub use engine::db::{Store, Tx};
pub use engine::deadline::in_time;
pub use engine::error::StoreError;
