//! What comes in: lists of referrers now; submissions and broadcasts stand beside them.

pub mod sheet;
