//! A fax as Fax.Plus describes it: an entry of the outbox until it ends, a record afterwards, and both in callbacks.

use chrono::NaiveDateTime;
use serde_json::Value;

use super::faults;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, Fact, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::provider::kit::numbers;
use crate::provider::kit::reading::{count, progress, reference, text, words};

/// How the service writes times: always UTC, without a zone.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// What we read of a fax. Only the id must be there. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    comment: Option<String>,
    description: Option<String>,
    pages: Option<u32>,
    cost: Option<String>,
    to: Value,
    begun_ms: Option<Timestamp>,
}

impl Fax {
    /// Reads an entry of the outbox or a record. The comment is an object in the one and a text in the other.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: reference(&value["id"])?,
            status: text(value, "status").unwrap_or_default(),
            comment: text(value, "comment").or_else(|| text(&value["comment"], "text")),
            description: text(value, "description"),
            pages: count(&value["pages"]),
            cost: words(&value["cost"]),
            to: value["to"].clone(),
            begun_ms: ["submit_time", "start_time"].iter().find_map(|key| time(&text(value, key)?)),
        })
    }

    /// Whether it carries the reference of that attempt and nothing else.
    pub fn is_of(&self, attempt: AttemptId) -> bool {
        self.comment.as_deref().is_some_and(|comment| comment.trim() == attempt.to_string())
    }

    /// Whether it carries no reference at all, and number and time fit.
    pub fn may_be_of(&self, number: &str, from: Timestamp) -> bool {
        let to = self.to.as_array().map_or(std::slice::from_ref(&self.to), Vec::as_slice);
        self.comment.is_none()
            && self.begun_ms.is_none_or(|at| at >= from)
            && to.iter().any(|to| numbers::is_same(to, number))
    }

    /// What its status says; anything unknown is progress.
    pub fn fact(&self) -> Fact {
        if self.status == "success" {
            return Fact::Delivered { pages: self.pages };
        }
        match faults::of_status(&self.status) {
            // The page count is that of the fax, so it tells of arrived pages only where some did arrive.
            Some(fault @ Fault::PartialSend) => Fact::Failed(self.failure(fault).pages(self.pages)),
            Some(fault) => Fact::Failed(self.failure(fault)),
            None => progress(&self.status),
        }
    }

    fn failure(&self, fault: Fault) -> Failure {
        let failure = Failure::new(fault).code(&self.status);
        self.description.iter().fold(failure, Failure::text)
    }

    /// Its state under the id it is known by here, and what it costs once it has ended.
    pub fn report(&self, reference: ProviderReference) -> Report {
        let billed = self.cost.as_deref().and_then(|cost| Billed::new(cost, "pages"));
        Report { reference, fact: self.fact(), billed }
    }
}

/// A time as the service writes it.
pub fn time(text: &str) -> Option<Timestamp> {
    NaiveDateTime::parse_from_str(text, TIME).ok().and_then(|time| Timestamp::written(time.and_utc()))
}

/// A time as the service reads it, to the second.
pub fn written(time: Timestamp) -> String {
    time.to_utc().format(TIME).to_string()
}
