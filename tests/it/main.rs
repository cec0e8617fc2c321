//! One integration binary: a module per feature, named after what a user does or what goes wrong.

mod rendering;
mod support;
