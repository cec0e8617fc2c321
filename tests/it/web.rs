//! The web interfaces over real HTTP on loopback, in front of a real database. The services are not started: what comes
//! in stays as it was recorded.

mod acting;
mod attacking;
mod describing;
mod fetching;
pub mod house;
mod keying;
mod logging_in;
mod naming;
mod opting_out;
mod reading;
mod readying;
mod receiving;
mod returns;
mod submitting;
pub mod target;
mod telling;
mod undoing;
mod watching;
