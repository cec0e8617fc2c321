//! A fax as Notifyre describes it: the same members in lists (`status`) and in callbacks (`Status`).

use serde_json::Value;

use super::Notifyre;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Fact;
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, reference};

/// What we read of a fax.
pub struct Fax {
    pub id: ProviderReference,
    pub reference: Option<String>,
    pub status: String,
    pub failed_message: Option<String>,
    pub pages: Option<u32>,
    pub modified_ms: Option<Timestamp>,
}

impl Fax {
    pub fn read(value: &Value) -> Option<Self> {
        let member =
            |lower: &str, upper: &str| if value[lower].is_null() { value[upper].clone() } else { value[lower].clone() };
        let words = |lower: &str, upper: &str| reading::words(&member(lower, upper));
        let seconds = member("lastModifiedDateUtc", "LastModifiedDateUtc").as_i64();
        Some(Self {
            id: reference(&member("id", "ID"))?,
            reference: words("reference", "Reference"),
            status: words("status", "Status").unwrap_or_default(),
            failed_message: words("failedMessage", "FailedMessage"),
            pages: count(&member("pages", "Pages")),
            modified_ms: seconds.map(|seconds| Timestamp(seconds.saturating_mul(1000))),
        })
    }

    /// Our attempt, if the fax carries one.
    pub fn attempt(&self) -> Option<AttemptId> {
        self.reference.as_deref()?.parse().ok()
    }
}

/// The reasons of the published table of statuses, which are words for people: `Failed - Busy`.
fn fault_of(message: &str) -> Fault {
    let message = message.to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    match () {
        () if says("busy") => Fault::Busy,
        () if says("no answer") => Fault::NoAnswer,
        () if says("not a fax") => Fault::NotAFax,
        // Wrong, unavailable or absent: their one word for three things.
        () if says("check number") => Fault::LineError,
        () => Fault::Unknown,
    }
}

impl Notifyre {
    /// What the status says. `completed` stands for `successful` in callbacks and in the older library's filter, beside
    /// `failed`; everything unknown is progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        match fax.status.to_ascii_lowercase().as_str() {
            "successful" | "completed" => Fact::Delivered { pages: fax.pages },
            "failed" => self.failed(fax),
            "cancelled" | "canceled" => Fact::Failed(Failure::new(Fault::Cancelled).code(&fax.status)),
            _ => reading::progress(&fax.status),
        }
    }

    /// A plain failure is one that Notifyre charges for, so a call was made and pages may have arrived. The known reasons
    /// exclude that: their page count can only be that of the document.
    fn failed(&self, fax: &Fax) -> Fact {
        let message = fax.failed_message.as_deref().unwrap_or_default();
        let fault = fault_of(message);
        let failure = self.client.failed(fault, Some(message), None);
        match fault {
            Fault::Unknown => reading::failed_after(failure, fax.pages),
            _ => Fact::Failed(failure.pages(Some(0))),
        }
    }
}
