//! Touchline: an outbound fax and email gateway for practices that live on referrals.

pub mod config;
pub mod dispatch;
pub mod domain;
pub mod feedback;
pub mod intake;
pub mod policy;
pub mod provider;
pub mod queue;
pub mod render;
pub mod sandbox;
pub mod settle;
pub mod store;
