//! What stands in for the outside world in the demo, in staff training and in tests: it can misbehave on purpose.

pub mod mail;
