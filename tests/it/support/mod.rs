//! What the tests share: a clock that is advanced by hand, ports, and (further down the files) the test gateway.

pub mod clock;
#[allow(dead_code, reason = "the suite of the store uses the rest")]
pub mod databases;
pub mod openapi_mock;
pub mod postgres;
pub mod require;
pub mod scripted_smtp;
