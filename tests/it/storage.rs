//! The conformance suite of the store: every function, every word of every vocabulary, every conflict, on both databases.

mod abandoned;
mod access;
mod accounts;
mod addresses;
mod attempts;
mod backup;
mod batching;
mod broadcasts;
mod events;
mod foreign;
mod forward;
mod inbox;
mod lists;
mod locks;
mod messages;
mod overview;
mod people;
mod power;
mod purges;
mod queue;
mod referrers;
mod refusals;
mod restored;
pub mod samples;
mod schema;
mod sent;
mod server_time;
mod soundness;
mod sources;
mod statements;
mod touches;
mod undo;
mod words;

pub use forward::execute;
