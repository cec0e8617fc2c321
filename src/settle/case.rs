//! A case: one message with everything that evidence about it can change. Read under lock, changed in memory by pure
//! rules, written back once with all other cases of the transaction ([`super::batch`]).

use std::collections::BTreeSet;

use crate::domain::attempt::Attempt;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::domain::provider_state::Pause;
use crate::domain::{MessageStatus, Reason, Timestamp};
use crate::store::records::events::Event;

/// The message's next step on the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// None: it ended, or a person must decide.
    None,
    /// This, then.
    Step { kind: &'static str, due: Timestamp },
}

/// A message and its attempts.
#[derive(Debug)]
pub(super) struct Case {
    pub message: Message,
    /// First to last.
    pub attempts: Vec<Attempt>,
    /// What is to be written on the queue; `None` leaves it as it is.
    pub next: Option<Next>,
    /// The accounts to be paused, and how.
    pub pauses: Vec<(String, Pause)>,
    /// Events beside those of the evidence itself.
    pub notes: Vec<Event>,
    /// Whether the message is to be written back and its touch projected again.
    pub message_changed: bool,
    /// The attempts to be written back.
    pub attempts_changed: BTreeSet<AttemptId>,
}

impl Case {
    pub(super) fn new(message: Message, attempts: Vec<Attempt>) -> Self {
        Self {
            message,
            attempts,
            next: None,
            pauses: Vec::new(),
            notes: Vec::new(),
            message_changed: false,
            attempts_changed: BTreeSet::new(),
        }
    }

    pub(super) fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|one| one.id == id)
    }

    /// Replaces an attempt with its new version.
    pub(super) fn replace(&mut self, attempt: &Attempt) {
        if let Some(place) = self.attempts.iter_mut().find(|one| one.id == attempt.id) {
            place.clone_from(attempt);
            self.attempts_changed.insert(attempt.id);
        }
    }

    /// Whether another attempt than this one is open.
    pub(super) fn others_open(&self, id: AttemptId) -> bool {
        self.attempts.iter().any(|one| one.id != id && one.status.is_open())
    }

    /// Ends the message and takes it off the queue.
    pub(super) fn end(&mut self, status: MessageStatus, reason: Option<Reason>, now: Timestamp) {
        super::set_ended(&mut self.message, status, reason, now);
        self.next = Some(Next::None);
    }

    pub(super) const fn step(&mut self, kind: &'static str, due: Timestamp) {
        self.next = Some(Next::Step { kind, due });
    }
}
