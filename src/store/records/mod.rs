//! One file per record: the statements that insert, lock, read and change it.

pub mod access;
pub mod addresses;
pub mod attempts;
pub mod basis;
pub mod broadcasts;
pub mod campaigns;
pub mod conflicts;
pub mod documents;
pub mod events;
pub mod imports;
pub mod inbox;
pub mod inbox_facts;
pub mod locations;
pub mod merges;
pub mod messages;
pub mod provider_state;
pub mod queue_entries;
mod queue_waits;
pub mod referrers;
pub mod refusals;
pub mod restored;
pub mod sent;
pub mod settings;
pub mod submissions;
pub mod suppressions;
pub mod touches;
pub mod unfolding;
