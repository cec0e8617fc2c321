//! The promise, tried on the real program: it is killed with SIGKILL, its database is stopped, cut off and filled up, its
//! provider and relay go silent in the middle of an answer. At the end the ledger adds up, nothing is lost, and the far
//! side's own journals show no message that reached a recipient twice.
//!
//! The long form kills a hundred times and more: `cargo test --test it crash -- --ignored`. A run prints its seed;
//! `TOUCHLINE_TEST_SEED` sets it.

mod answering;
mod bouncing;
mod cutting;
mod filling;
mod killing;
mod stopping;
mod undoing;
