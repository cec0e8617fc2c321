//! One file for each row.

mod accept;
mod beside;
mod email;
mod fax;
mod history;
mod idle;
mod import;
mod memory;
mod million;
mod nodes;
mod one_off;
mod peer;
mod restart;
mod returns;
mod submit;
mod webhooks;

use std::time::Duration;

use clap::ValueEnum;

use crate::support::arguments::Run;
use crate::support::report::Figure;

/// What is promised of speed and size, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// A broadcast by email, against Postfix's own load generator
    Email,
    /// The same beside faxes to an API that never answers
    Beside,
    /// The same from its submission, against a queue and a mailer in Node
    Peer,
    /// Single letters submitted over the API
    Submit,
    /// Callbacks taken in
    Webhooks,
    /// Mails that came back, read
    Returns,
    /// A broadcast by fax
    Fax,
    /// A broadcast accepted, checked and queued
    Accept,
    /// A list of referrers imported
    Import,
    /// A broadcast to a million
    Million,
    /// A broadcast by several nodes
    Nodes,
    /// A single letter while a large broadcast drains
    OneOff,
    /// Claims with a long history
    History,
    /// A restart with a full queue
    Restart,
    /// Memory while a full queue drains
    Memory,
    /// Nothing to do
    Idle,
}

impl Row {
    /// As on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// No row goes on longer, whatever happens.
    pub const fn time_max(self) -> Duration {
        match self {
            Self::History | Self::Million => Duration::from_secs(3600),
            _ => Duration::from_secs(1200),
        }
    }

    /// Measures it. No figure: the machine lacks what it needs, which was said.
    pub async fn measure(self, run: &Run) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Email => email::measure(run).await,
            Self::Peer => peer::measure(run).await,
            Self::Beside => beside::measure(run).await,
            Self::Submit => submit::measure(run).await,
            Self::Webhooks => webhooks::measure(run).await,
            Self::Returns => returns::measure(run).await,
            Self::Fax => fax::measure(run).await,
            Self::Accept => accept::measure(run).await,
            Self::Import => import::measure(run).await,
            Self::Million => million::measure(run).await,
            Self::Nodes => nodes::measure(run).await,
            Self::OneOff => one_off::measure(run).await,
            Self::History => history::measure(run).await,
            Self::Restart => restart::measure(run).await,
            Self::Memory => memory::measure(run).await,
            Self::Idle => idle::measure(run).await,
        }
    }
}
