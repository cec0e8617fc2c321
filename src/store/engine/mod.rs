//! The database engines: pools and transactions, what differs between SQLite and PostgreSQL, many rows in one statement,
//! group commit, migration, backup and integrity checks. Knows no record.

pub mod backup;
pub mod batch;
mod damage;
pub mod db;
pub mod deadline;
pub mod dialect;
mod empty;
pub mod error;
pub mod migrate;
mod migrations;
pub(in crate::store) mod packing;
pub mod peers;
pub mod record;
pub mod rows;
pub mod server_time;
pub mod soundness;
mod start;
