//! Touchline: an outbound fax and email gateway for practices that live on referrals.

pub mod domain;
pub mod provider;
pub mod render;
