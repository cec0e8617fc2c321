//! Walk: one message's path from its claim to its end, as a list of named steps.
//!
//! claimed -(prepare)-> prepared -(gate; COMMIT)-> opened -(submit)-> answered -(record; COMMIT)-> done
//!
//! The dispatcher takes the steps one after the other; a test can take them one by one and look in between. A walk
//! that is dropped at any point leaves an entry that is finished, snoozed, or leased until it is found again.

use std::mem;
use std::sync::Arc;

use super::gate::Call;
use super::record::Answer;
use super::render::Prepared;
use super::turn::{self, Turn};
use super::waiting::Wait;
use super::{Dispatcher, Job, render, resolve, start_max};
use crate::accounts::layers;
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::{AttemptId, MessageId};
use crate::domain::{Channel, Lane, Outcome};
use crate::queue::Lease;
use crate::store::StoreError;

/// The state of a walk: what the next step begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The entry is leased. Next: resolve an open attempt, or wait for a turn and render.
    Claimed,
    /// Rendered, with a slot of its account. Next: the gate, which opens the attempt and commits.
    Prepared,
    /// The attempt is on record. Next: the one remote call.
    Opened,
    /// The provider has answered. Next: record what it said.
    Answered,
    /// Nothing is left to do.
    Done,
}

/// What a walk carries from step to step.
#[derive(Debug)]
enum At {
    Claimed(Box<Job>),
    Prepared(Box<Prepared>, Slot),
    Opened(Box<Call>, Slot),
    Answered(Box<Answered>),
    Done,
}

/// A slot of the account that will probably take the message; kept until the call has ended.
type Slot = Option<layers::Slot>;

/// An answer that is not on record yet. The lease is kept until it is.
#[derive(Debug)]
struct Answered {
    answer: Answer,
    _lease: Lease,
}

/// One message's walk.
#[derive(Debug)]
pub struct Walk {
    dispatcher: Arc<Dispatcher>,
    message: MessageId,
    channel: Channel,
    lane: Lane,
    pool: String,
    at: At,
}

impl Walk {
    pub(super) fn new(dispatcher: Arc<Dispatcher>, job: Job) -> Self {
        let (id, channel, lane) = (job.message.id, job.message.channel(), job.message.lane);
        let pool = job.claimed.pool.clone();
        Self { dispatcher, message: id, channel, lane, pool, at: At::Claimed(Box::new(job)) }
    }

    /// Its message.
    #[must_use]
    pub const fn message(&self) -> MessageId {
        self.message
    }

    /// Its channel.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// Its class of work.
    pub(super) const fn lane(&self) -> Lane {
        self.lane
    }

    /// The pool of its entry in the queue.
    pub(super) fn pool(&self) -> &str {
        &self.pool
    }

    /// Its state.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self.at {
            At::Claimed(_) => Stage::Claimed,
            At::Prepared(..) => Stage::Prepared,
            At::Opened(..) => Stage::Opened,
            At::Answered(_) => Stage::Answered,
            At::Done => Stage::Done,
        }
    }

    /// The attempt on record, from the gate to the end of the record step.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        match &self.at {
            At::Opened(call, _) => Some(call.attempt),
            At::Answered(answered) => Some(answered.answer.attempt),
            At::Claimed(_) | At::Prepared(..) | At::Done => None,
        }
    }

    /// Takes one step and returns the walk's new state. A walk that is done stays done.
    ///
    /// # Errors
    /// The database cannot be used; the walk is then done, and its message is found again when the lease ends.
    pub async fn step(&mut self) -> Result<Stage, StoreError> {
        self.at = match mem::replace(&mut self.at, At::Done) {
            At::Claimed(job) => self.prepare(*job).await?,
            At::Prepared(prepared, slot) => self.pass_gate(*prepared, slot).await?,
            At::Opened(call, slot) => self.submit(*call, slot).await,
            At::Answered(answered) => self.record(*answered).await?,
            At::Done => At::Done,
        };
        Ok(self.stage())
    }

    /// Gives back a message that has not reached the gate. Otherwise does nothing: a call on record is never taken
    /// back.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn release(self) -> Result<(), StoreError> {
        match self.at {
            At::Claimed(job) => self.dispatcher.release(&job.claimed).await,
            At::Prepared(prepared, _) => self.dispatcher.release(&prepared.claimed).await,
            At::Opened(..) | At::Answered(_) | At::Done => Ok(()),
        }
    }

    /// Everything slow: looking up an open attempt, or else waiting for the letter to be corrected, for office hours, or for a
    /// turn, and rendering.
    async fn prepare(&self, job: Job) -> Result<At, StoreError> {
        let parts = &self.dispatcher.parts;
        if job.has_open_attempt {
            resolve::resolve(parts, &job).await?;
            return Ok(At::Done);
        }
        if let Some(wait) = Wait::of(parts, &job) {
            self.dispatcher.waiting.ask(wait).await?;
            return Ok(At::Done);
        }
        let slot = match turn::turn(parts, &job.message, &job.states).await {
            Turn::Now(slot) => slot,
            Turn::Later(wait) => {
                self.dispatcher.put_off(&job.claimed, wait).await?;
                return Ok(At::Done);
            }
        };
        let prepared = render::render(parts, &self.dispatcher.cores, &self.dispatcher.bases, job).await?;
        Ok(prepared.map_or(At::Done, |prepared| At::Prepared(Box::new(prepared), slot)))
    }

    /// The gate: after its commit the attempt is on record, and only then may the call be made.
    async fn pass_gate(&self, prepared: Prepared, slot: Slot) -> Result<At, StoreError> {
        let call = self.dispatcher.gate.pass(prepared).await?;
        Ok(call.map_or(At::Done, |call| At::Opened(Box::new(call), slot)))
    }

    /// The one remote call, unless its turn is over before it could begin: then it certainly did not happen.
    async fn submit(&self, call: Call, slot: Slot) -> At {
        let Call { attempt, opened: (opened, since), account, layered, envelope, lease } = call;
        let parts = &self.dispatcher.parts;
        let (line, note) = (layered.line().await, envelope.transport.clone());
        let waited = since.elapsed().max(parts.clock.now().since(opened));
        let outcome = if waited < start_max(parts) {
            layered.submit(envelope).await
        } else {
            tracing::warn!(%attempt, "not called: its turn was over before it could begin");
            Outcome::NotSent(Failure::new(Fault::ProviderError).text("not called: its turn was over"))
        };
        drop((line, slot));
        let answer = Answer { attempt, outcome, account, transport: note.get() };
        At::Answered(Box::new(Answered { answer, _lease: lease }))
    }

    /// Records the answer with all that follows from it.
    async fn record(&self, answered: Answered) -> Result<At, StoreError> {
        let Answered { answer, _lease } = answered;
        self.dispatcher.recorder.record(answer).await?;
        Ok(At::Done)
    }
}
