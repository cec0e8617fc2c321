//! The conformance suite of the store: every function, every word of every vocabulary, every conflict, on both databases.

mod access;
mod addresses;
mod attempts;
mod batching;
mod broadcasts;
mod events;
mod foreign;
mod lists;
mod locks;
mod messages;
mod overview;
mod queue;
mod referrers;
pub mod samples;
mod schema;
mod sources;
mod statements;
mod touches;
