//! One fax as the line stores it, and what can go wrong when asking about it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use ring::digest;
use tokio_util::sync::CancellationToken;

use super::behaviour::Behaviour;
use super::journal::Entry;
use crate::domain::words::words;
use crate::domain::{Fault, FaxNumber, Timestamp};

words! {
    /// The status of a fax.
    FaxStatus {
        /// Accepted, not yet called.
        Queued = "queued",
        /// The call is under way.
        Dialing = "dialing",
        /// Every page was confirmed.
        Delivered = "delivered",
        /// The call ended without all pages confirmed.
        Failed = "failed",
        /// Withdrawn before the call ended.
        Cancelled = "cancelled",
    }
}

impl FaxStatus {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Cancelled)
    }
}

/// One fax.
#[derive(Debug, Clone)]
pub struct Fax {
    /// The line's id for it.
    pub id: String,
    /// The sender's reference.
    pub reference: String,
    /// The number, unless it was accepted before the line restarted: the journal does not hold it.
    pub to: Option<FaxNumber>,
    /// The number's last four digits.
    pub to_tail: String,
    /// SHA-256 of the number in E.164, lower-case hex.
    pub to_hash: String,
    /// Its status.
    pub status: FaxStatus,
    /// Pages of the document.
    pub pages: u32,
    /// Pages the far end confirmed, once the call ended.
    pub pages_confirmed: Option<u32>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// Whether the document was deleted on request.
    pub purged: bool,
    /// When it was accepted.
    pub received_ms: Timestamp,
    /// When it ended.
    pub ended_ms: Option<Timestamp>,
    /// The caller's number, unless it was accepted before the line restarted or none was given.
    pub(super) from: Option<FaxNumber>,
    /// What else the request said, in the words of the provider that the line imitates.
    pub(super) said: BTreeMap<String, String>,
    pub(super) behaviour: Behaviour,
    pub(super) document: Option<Bytes>,
    pub(super) callback_url: Option<String>,
    pub(super) withdrawn: CancellationToken,
}

impl Fax {
    /// A newly accepted fax.
    pub(super) fn taken(id: String, order: Order, now: Timestamp) -> Self {
        let (to_tail, to_hash) = tail_and_hash(&order.to);
        Self {
            id,
            reference: order.reference,
            to: Some(order.to),
            to_tail,
            to_hash,
            status: FaxStatus::Queued,
            pages: order.pages,
            pages_confirmed: None,
            fault: None,
            purged: false,
            received_ms: now,
            ended_ms: None,
            from: order.from,
            said: order.said,
            behaviour: order.behaviour,
            document: Some(order.document),
            callback_url: order.callback_url,
            withdrawn: CancellationToken::new(),
        }
    }

    /// A fax rebuilt from the journal; its number, document and callback URL are gone.
    pub(super) fn replayed(entry: Entry, behaviour: Behaviour) -> Self {
        Self {
            id: entry.id,
            reference: entry.reference,
            to: None,
            to_tail: entry.to_tail,
            to_hash: entry.to_hash,
            status: FaxStatus::Queued,
            pages: entry.pages,
            pages_confirmed: None,
            fault: None,
            purged: false,
            received_ms: Timestamp(entry.at_ms),
            ended_ms: None,
            from: None,
            said: BTreeMap::new(),
            behaviour,
            document: None,
            callback_url: None,
            withdrawn: CancellationToken::new(),
        }
    }

    /// The number as the API shows it: in full while it is known, else only its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to.as_ref().map_or_else(|| format!("…{}", self.to_tail), |number| number.as_str().to_owned())
    }

    pub(super) fn end(&mut self, status: FaxStatus, fault: Option<Fault>, pages_confirmed: u32, now: Timestamp) {
        self.status = status;
        self.fault = fault;
        self.pages_confirmed = Some(pages_confirmed);
        self.ended_ms = Some(now);
    }
}

/// A request to send, already checked.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) to: FaxNumber,
    pub(super) from: Option<FaxNumber>,
    pub(super) reference: String,
    pub(super) document: Bytes,
    pub(super) pages: u32,
    pub(super) callback_url: Option<String>,
    pub(super) said: BTreeMap<String, String>,
    pub(super) behaviour: Behaviour,
}

/// Why the line did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    /// There is no such fax.
    #[error("there is no such fax")]
    NotFound,
    /// It has ended already.
    #[error("the fax has ended already")]
    TooLate,
    /// It must end first.
    #[error("the fax has not ended yet")]
    NotEnded,
    /// Every fax kept is still under way.
    #[error("every line is in use")]
    Full,
    /// The journal could not be written, so nothing was done.
    #[error("the journal could not be written")]
    Journal,
}

/// How a line assigns ids to faxes. Ids sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `fx_` and hexadecimal digits.
    Own,
    /// A UUID.
    Uuid,
    /// A number of nine digits.
    Number,
}

impl Naming {
    /// A new id; numbers count up from `last`, which a restart without a journal must not repeat.
    pub(super) fn next(self, last: &mut u32, now: Timestamp) -> String {
        match self {
            Self::Own => format!("fx_{}", uuid::Uuid::now_v7().simple()),
            Self::Uuid => uuid::Uuid::now_v7().to_string(),
            Self::Number => {
                let seconds = u32::try_from(now.0.div_euclid(1_000).rem_euclid(800_000_000)).unwrap_or(0);
                *last = if *last == 0 { 100_000_000 + seconds } else { *last + 1 };
                last.to_string()
            }
        }
    }
}

/// The last four digits and the SHA-256 of a number.
pub(super) fn tail_and_hash(number: &FaxNumber) -> (String, String) {
    let e164 = number.as_str();
    let tail = e164[e164.len().saturating_sub(4)..].to_owned();
    (tail, hex::encode(digest::digest(&digest::SHA256, e164.as_bytes())))
}
