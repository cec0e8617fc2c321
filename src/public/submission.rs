//! A submission as it was accepted, or in a dry run would be.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::look_ahead::AccountAheadView;
use crate::domain::{Channel, Reason, Timestamp};
use crate::intake::answer::{Accepted, Counts, SkipReason};
use crate::intake::proposal::Proposal;
use crate::wording;

/// An accepted submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    /// False: it was accepted.
    pub dry_run: bool,
    /// The submission.
    pub submission: Uuid,
    /// The broadcast, for a list.
    pub broadcast: Option<Uuid>,
    /// Whether the list is accepted but not all of it is on the queue yet. It goes on by itself; `counts`, `messages` and
    /// `skipped` say nothing of it then. The same request with the same `Idempotency-Key` is answered with all of it once
    /// it is done.
    pub unfolding: bool,
    /// Until when it can be withdrawn: no provider is called before. Null if it cannot.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub undo_until: Option<Timestamp>,
    /// Where to post to withdraw it.
    pub undo_path: Option<String>,
    /// How many of each, all counted.
    pub counts: CountsView,
    /// The messages, those that policy forbids too; of a long list the first 500 that are queued, and as many that are
    /// not.
    pub messages: Vec<SubmittedMessage>,
    /// Who gets nothing by some channel, and why; the first 500.
    pub skipped: Vec<SkippedView>,
}

/// Numbers of messages by where they stand when accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountsView {
    /// To be sent.
    pub queued: usize,
    /// Of those, waiting for the recipients' office hours.
    pub waiting: usize,
    /// Waiting for a person.
    pub held: usize,
    /// Not allowed.
    pub suppressed: usize,
    /// Left out before they became messages.
    pub skipped: usize,
}

/// One message of an accepted submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmittedMessage {
    /// Identifier.
    pub id: Uuid,
    /// The touch it belongs to.
    pub touch: Uuid,
    /// What was planned for it.
    #[serde(flatten)]
    pub planned: PlannedMessage,
}

/// A recipient or channel left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedView {
    /// The referrer.
    pub referrer: Uuid,
    /// The referrer's name.
    pub name: String,
    /// The channel, if only one is left out.
    pub channel: Option<&'static str>,
    /// Why: `no_address`, `shared_address`, `repeat` or `unprintable_name`; null in answers of earlier versions.
    pub reason: Option<&'static str>,
    /// Why, in words.
    pub why: String,
}

impl From<Accepted> for SubmissionView {
    fn from(accepted: Accepted) -> Self {
        let Counts { queued, waiting, held, suppressed, skipped: left_out } = accepted.counts;
        let messages = accepted.messages.into_iter().map(|message| SubmittedMessage {
            id: message.id.0,
            touch: message.touch.0,
            planned: PlannedMessage {
                referrer: message.referrer.0,
                name: message.name,
                channel: message.channel.as_str(),
                status: message.status.as_str(),
                reason: message.reason.map(Reason::as_str),
                explanation: message.reason.map(wording::explain),
                advice: message.reason.map(wording::advice),
                waits_until: message.waits_until,
            },
        });
        let skipped = accepted.skipped.into_iter().map(|skipped| SkippedView {
            referrer: skipped.referrer.0,
            name: skipped.name,
            channel: skipped.channel.map(Channel::as_str),
            reason: skipped.reason.map(SkipReason::as_str),
            why: skipped.why,
        });
        Self {
            dry_run: false,
            submission: accepted.submission.0,
            broadcast: accepted.broadcast.map(|broadcast| broadcast.0),
            unfolding: false,
            undo_until: accepted.undo_until,
            undo_path: accepted.undo_until.map(|_| format!("/api/v1/submissions/{}/undo", accepted.submission)),
            counts: CountsView { queued, waiting, held, suppressed, skipped: left_out },
            messages: messages.collect(),
            skipped: skipped.collect(),
        }
    }
}

impl SubmissionView {
    /// A list that is accepted and not all on the queue yet.
    #[must_use]
    pub fn unfolding(so_far: Accepted) -> Self {
        Self { unfolding: true, ..so_far.into() }
    }
}

/// What a submission would become. Nothing was stored, so there are no ids to give.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRunView {
    /// True: nothing was accepted.
    pub dry_run: bool,
    /// How many of each, all counted.
    pub counts: CountsView,
    /// The messages, those that policy forbids too; of a long list the first 500 that would be queued, and as many that would
    /// not.
    pub messages: Vec<PlannedMessage>,
    /// Who gets nothing by some channel, and why; the first 500.
    pub skipped: Vec<SkippedView>,
    /// What the accounts would have to carry, and what their quotas, budgets and rates allow today; those that would carry none
    /// of it are left out. What is beyond them today goes out by itself tomorrow or later.
    pub accounts: Vec<AccountAheadView>,
}

/// One message as it is, or in a dry run would be, made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedMessage {
    /// For whom.
    pub referrer: Uuid,
    /// The referrer's name.
    pub name: String,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// `queued`, `held` or `suppressed`.
    pub status: &'static str,
    /// Why, if not queued, or if it waits: a word.
    pub reason: Option<&'static str>,
    /// What the reason means, in a sentence.
    pub explanation: Option<&'static str>,
    /// What can be done about it, in a sentence.
    pub advice: Option<&'static str>,
    /// Until when it waits for the recipient's office hours.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waits_until: Option<Timestamp>,
}

impl From<&Proposal> for DryRunView {
    fn from(proposal: &Proposal) -> Self {
        let SubmissionView { counts, messages, skipped, .. } = proposal.planned.clone().into();
        let messages = messages.into_iter().map(|message| message.planned).collect();
        let accounts = proposal.accounts.iter().map(AccountAheadView::from).collect();
        Self { dry_run: true, counts, messages, skipped, accounts }
    }
}
