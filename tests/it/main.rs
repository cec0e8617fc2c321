//! One integration binary: a module per feature, named after what a user does or what goes wrong.

mod configuring;
mod importing;
mod postfix;
mod providers;
mod rendering;
mod sandbox;
mod smtp;
mod storage;
mod support;
mod telnyx;
