//! Read models: what screens, lists and counts show. Nothing here changes anything.

pub mod audit;
pub mod calls;
pub mod inbox;
pub mod ledger;
pub mod lists;
pub mod overview;
pub mod relays;
pub mod returns;
pub mod undo;
