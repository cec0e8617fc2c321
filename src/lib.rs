//! Touchline: an outbound fax and email gateway for practices that live on referrals.
//!
//! The modules in the order in which a letter passes through them:
//!
//! - [`config`] and [`app`]: the configuration, and how the parts are put together
//! - [`intake`]: a request becomes messages; [`campaign`]: a recurring plan becomes requests
//! - [`queue`]: leased work in fair order; knows nothing about messages
//! - [`dispatch`]: claim, render, gate, submit, record
//! - [`render`]: one letter as fax pages, mail and text; [`policy`]: may it be sent, and if not, why
//! - [`mail_check`]: whether receivers will believe the practice's mail, by what its domains publish
//! - [`provider`]: what sends it; [`feedback`]: what happened to it; [`settle`]: what follows from that
//! - [`store`]: the only SQL; [`domain`]: what things are; [`files`]: files that are nobody else's business;
//!   [`sealing`]: what nobody may read in the database
//! - [`upkeep`]: housekeeping of a long-running installation
//! - [`wording`]: the sentences people read; [`access`]: who may log in
//! - [`web`], [`cli`]: who asks; [`telemetry`]: logs and metrics
//! - [`sandbox`]: a far end that can misbehave on purpose
//!
//! Invariants: no accepted submission is lost; no provider is called without a committed record of it; a message has at
//! most one open attempt; nothing of unknown outcome is repeated blindly. Arrows between modules point down only, which
//! `tests/it/layering.rs` checks.

pub mod access;
pub mod accounts;
pub mod app;
pub mod campaign;
pub mod cli;
pub mod config;
pub mod consent;
pub mod dispatch;
pub mod domain;
pub mod feedback;
pub mod files;
pub mod http;
pub mod intake;
pub mod mail_check;
pub mod operator;
pub mod policy;
pub mod provider;
pub mod public;
pub mod queue;
pub mod referrers;
pub mod render;
pub mod sandbox;
pub mod sealing;
pub mod settle;
pub mod store;
pub mod telemetry;
pub mod upkeep;
pub mod web;
pub mod wording;
