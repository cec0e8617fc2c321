//! One integration binary: a module per feature, named after what a user does or what goes wrong.

mod configuring;
mod importing;
mod layering;
mod postfix;
mod providers;
mod rendering;
mod sandbox;
mod settling;
mod smtp;
mod storage;
mod support;
mod telnyx;
