//! What the tests share: a clock that is advanced by hand, ports, databases, and (further down the files) the test
//! gateway.

pub mod clock;
pub mod databases;
pub mod dkim_verifier;
pub mod gateway;
pub mod invariants;
pub mod moody_smtp;
pub mod openapi_mock;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod reckoning;
pub mod require;
pub mod scripted_smtp;
pub mod small_disk;
pub mod stage;
pub mod terminal;
