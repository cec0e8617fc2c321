//! The web interfaces over real HTTP on loopback, in front of a real database. The services are not started: what comes
//! in stays as it was recorded.

mod acting;
mod fetching;
mod house;
mod logging_in;
mod opting_out;
mod receiving;
mod submitting;
mod telling;
mod undoing;
mod watching;
