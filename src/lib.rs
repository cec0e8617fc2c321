//! Touchline: an outbound fax and email gateway for practices that live on referrals.

pub mod config;
pub mod domain;
pub mod intake;
pub mod policy;
pub mod provider;
pub mod queue;
pub mod store;
