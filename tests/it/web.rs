//! The outside faces over real HTTP on loopback, in front of a real database. The services are not started: what the
//! faces take in stays where they put it.

mod acting;
mod fetching;
mod house;
mod opting_out;
mod receiving;
mod submitting;
mod telling;
mod watching;
