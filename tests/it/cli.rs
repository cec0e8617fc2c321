//! The real program, run as an operator runs it: what it says, what it does, and the exit code it ends with.

mod addresses;
mod asking;
mod beginning;
mod broadcasts;
mod describing;
mod events;
mod flooding;
pub mod house;
mod inbox;
mod letters;
mod lists;
mod logging;
mod mailboxes;
mod operating;
mod privacy;
mod restoring;
mod returning;
mod returns;
mod running;
mod sending;
mod served;
mod setting_up;
mod signing_in;
mod starting;
mod terminal;
mod undoing;
