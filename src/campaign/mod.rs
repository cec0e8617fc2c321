//! Campaigns: standing plans that become broadcasts.

pub mod runner;
