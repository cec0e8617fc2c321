//! The only SQL. One text serves SQLite and PostgreSQL; a statement's body is written once and checked by the compiler
//! once for each engine ([`db`]). Functions are named after what the domain does. `now` is always passed in.
//!
//! Every change happens inside a [`Tx`]; whoever needs several changes to stand or fall together makes them in one.

pub mod access;
pub mod attempts;
pub mod backup;
pub mod basis;
pub mod batch;
pub mod broadcasts;
pub mod campaigns;
pub mod company;
pub mod db;
pub mod dialect;
pub mod documents;
pub mod error;
pub mod events;
pub mod facts;
pub mod inbox;
pub mod ledger;
pub mod lists;
pub mod messages;
pub mod migrate;
pub mod overview;
pub mod patience;
pub mod provider_state;
pub mod queue_entries;
pub mod referrers;
pub mod restored;
pub mod rows;
pub mod server_time;
pub mod settings;
pub mod soundness;
pub mod submissions;
pub mod suppressions;
pub mod touches;
pub mod unfolding;

pub use db::{Store, Tx};
pub use error::StoreError;
pub use patience::in_time;
