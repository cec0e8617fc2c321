//! A far side that can misbehave on purpose, for the demo, the tests and staff training. It shares no code with what
//! it tests: of this crate it knows only the domain's words, and it is reached over the network.

pub mod fax;
pub mod mail;
