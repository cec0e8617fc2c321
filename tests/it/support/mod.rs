//! What the tests share: a clock that is advanced by hand, ports, and (further down the files) the test gateway.

pub mod clock;
pub mod openapi_mock;
pub mod require;
pub mod scripted_smtp;
