//! Callbacks are stored as received, read when they are applied, and read again once they can be read better.

mod keeping;
mod replaying;
mod scene;
