//! Evidence about an attempt: an answer, a fact from outside, one of our rules, a person's statement.

use super::Rules;
use crate::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use crate::domain::event::{Billed, EventKind, EventSource, Fact};
use crate::domain::fault::Failure;
use crate::domain::id::AttemptId;
use crate::domain::lifecycle;
use crate::domain::transport::Transport;
use crate::domain::{Actor, Channel, Fault, Outcome, Rule, Timestamp};

/// What is learned about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The provider's answer to the call.
    Answer(Outcome),
    /// A fact from outside; the reference too if it was not known.
    Fact(Fact, Option<ProviderReference>),
    /// An open attempt was found whose call is no longer being made.
    Orphaned,
    /// Two look-ups did not find it where it would have to be: it was never sent.
    Absent,
    /// No bounce came in time.
    Presumed,
    /// No final report came in time.
    Silent,
    /// A person says that it was sent.
    SaidSent,
    /// A person says that it was not sent.
    SaidNotSent,
}

/// Where the evidence, or the decision, comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// How it arrived.
    pub source: EventSource,
    /// Who says or decides it.
    pub actor: Actor,
    /// When it happened, if that is known to differ from now.
    pub occurred: Option<Timestamp>,
    /// What the hand-over costs, where the provider said so.
    pub billed: Option<Billed>,
    /// How the letter travelled, where the provider noted that.
    pub transport: Option<Box<Transport>>,
}

impl Origin {
    /// One of our rules.
    #[must_use]
    pub const fn rule(rule: Rule) -> Self {
        Self { source: EventSource::Policy, actor: Actor::Rule(rule), occurred: None, billed: None, transport: None }
    }

    /// A provider account.
    #[must_use]
    pub fn provider(source: EventSource, account: &str) -> Self {
        Self { source, actor: Actor::provider(account), occurred: None, billed: None, transport: None }
    }

    /// A person, or a program that acts for one.
    #[must_use]
    pub fn person(actor: &Actor) -> Self {
        Self { source: EventSource::Operator, actor: actor.clone(), occurred: None, billed: None, transport: None }
    }
}

/// Evidence about one attempt, with its origin.
#[derive(Debug, Clone)]
pub struct Update {
    /// About which attempt.
    pub attempt: AttemptId,
    /// What.
    pub evidence: Evidence,
    /// Where it comes from.
    pub origin: Origin,
}

/// The evidence corrected by its pages: a fax reported as delivered, of which some pages but not all are confirmed,
/// arrived in part, whatever the provider calls it. A report that confirms no page at all does not count them. More pages
/// than the document has are not believed: of a delivery the number is not known, and a failure confirms all there are.
pub(super) fn as_counted(standing: &Attempt, evidence: Evidence) -> Evidence {
    match (&evidence, standing.pages) {
        (Evidence::Fact(Fact::Delivered { pages: Some(confirmed) }, reference), Some(sent))
            if i64::from(*confirmed) > sent =>
        {
            Evidence::Fact(Fact::Delivered { pages: None }, reference.clone())
        }
        (Evidence::Fact(Fact::Failed(failure), reference), Some(sent))
            if failure.pages_confirmed.is_some_and(|confirmed| i64::from(confirmed) > sent) =>
        {
            let pages = u32::try_from(sent).ok();
            Evidence::Fact(Fact::Failed(failure.clone().pages(pages)), reference.clone())
        }
        (Evidence::Fact(Fact::Delivered { pages: Some(confirmed @ 1..) }, reference), Some(sent))
            if i64::from(*confirmed) < sent =>
        {
            let failure = Failure::new(Fault::PartialSend).pages(Some(*confirmed));
            Evidence::Fact(Fact::Failed(failure), reference.clone())
        }
        _ => evidence,
    }
}

/// What is said about a count of pages that is not believed.
pub(super) fn miscounted(standing: &Attempt, evidence: &Evidence) -> Option<String> {
    let confirmed = match evidence {
        Evidence::Fact(Fact::Delivered { pages }, _) => *pages,
        Evidence::Fact(Fact::Failed(failure), _) => failure.pages_confirmed,
        _ => None,
    };
    let (confirmed, sent) = confirmed.zip(standing.pages)?;
    (i64::from(confirmed) > sent).then(|| format!("the provider counts {confirmed} pages of {sent}"))
}

/// The attempt after the evidence: a pure function.
pub(super) fn change(
    channel: Channel,
    standing: &Attempt,
    evidence: &Evidence,
    origin: &Origin,
    rules: &Rules,
    now: Timestamp,
) -> Attempt {
    let mut changed = standing.clone();
    if let Some(charge) = &origin.billed {
        changed.bill(charge);
    }
    if let Some(transport) = &origin.transport {
        changed.travelled(transport);
    }
    changed.status = status(channel, standing.status, evidence);
    if let Some(failure) = failure_of(evidence)
        && (changed.status != standing.status || standing.fault.is_none())
        && changed.status != AttemptStatus::Delivered
    {
        changed.fault = Some(failure.fault);
        changed.raw_code.clone_from(&failure.raw_code);
        changed.raw_text.clone_from(&failure.raw_text);
        changed.pages_confirmed = failure.pages_confirmed.map(i64::from).or(standing.pages_confirmed);
    }
    match evidence {
        Evidence::Answer(outcome) => {
            changed.answered_ms = standing.answered_ms.or(Some(now));
            if let Outcome::Accepted { reference } = outcome {
                changed.provider_reference = Some(reference.0.clone());
            }
        }
        Evidence::Fact(fact, reference) => {
            if let (None, Some(reference)) = (&standing.provider_reference, reference) {
                changed.provider_reference = Some(reference.0.clone());
            }
            if let Fact::Delivered { pages: Some(pages) } = fact {
                changed.pages_confirmed = Some(i64::from(*pages));
            }
        }
        _ => {}
    }
    if changed.status == AttemptStatus::Delivered {
        changed.fault = None;
    }
    if changed.status == AttemptStatus::InDoubt && standing.status != AttemptStatus::InDoubt {
        changed.doubt_deadline_ms = Some(now.after(rules.doubt_deadline));
        changed.looks = 0;
    }
    changed.settled_ms = if changed.status.is_open() { None } else { standing.settled_ms.or(Some(now)) };
    changed
}

fn status(channel: Channel, standing: AttemptStatus, evidence: &Evidence) -> AttemptStatus {
    use AttemptStatus::{Accepted, Calling, Delivered, InDoubt, NotSent};
    match (evidence, standing) {
        (Evidence::Answer(outcome), _) => lifecycle::after_answer(channel, standing, outcome),
        (Evidence::Fact(fact, _), _) => lifecycle::after_fact(channel, standing, fact),
        (Evidence::Orphaned, Calling) | (Evidence::Silent, Accepted) => InDoubt,
        (Evidence::Absent | Evidence::SaidNotSent, InDoubt) => NotSent,
        (Evidence::Presumed, Accepted) => Delivered,
        (Evidence::SaidSent, InDoubt) => Delivered,
        (_, other) => other,
    }
}

pub(super) const fn failure_of(evidence: &Evidence) -> Option<&Failure> {
    match evidence {
        Evidence::Answer(outcome) => outcome.failure(),
        Evidence::Fact(Fact::Failed(failure), _) => Some(failure),
        _ => None,
    }
}

/// What happened, for the record. Where nothing but the charge is new, that is all that happened.
pub(super) fn kind(evidence: &Evidence, standing: &Attempt, changed: &Attempt) -> EventKind {
    let only_charged = Attempt { billed_amount: standing.billed_amount.clone(), ..changed.clone() };
    let only_charged = Attempt { billed_unit: standing.billed_unit.clone(), ..only_charged } == *standing;
    if only_charged && changed != standing {
        return EventKind::Charged;
    }
    match evidence {
        Evidence::Fact(Fact::Progress { .. }, _) => EventKind::Progress,
        Evidence::Presumed => EventKind::PresumedDelivered,
        Evidence::SaidSent => EventKind::SaidSent,
        Evidence::SaidNotSent => EventKind::SaidNotSent,
        Evidence::Absent => EventKind::FoundAbsent,
        Evidence::Silent => EventKind::NoFinalReport,
        Evidence::Orphaned => EventKind::Orphaned,
        Evidence::Answer(_) | Evidence::Fact(..) => changed.status.into(),
    }
}

/// More text for people.
pub(super) fn detail(evidence: &Evidence, kind: EventKind, changed: &Attempt) -> Option<String> {
    if kind == EventKind::Charged {
        return changed.billed().map(|charge| charge.to_string());
    }
    let words = |failure: &Failure| {
        let parts: Vec<&str> =
            [failure.raw_code.as_deref(), failure.raw_text.as_deref()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    match evidence {
        Evidence::Fact(Fact::Progress { stage }, _) => Some(crate::domain::fault::clean(stage, 80)),
        Evidence::Fact(Fact::Delivered { pages: Some(pages) }, _) => Some(format!("{pages} pages confirmed")),
        _ => failure_of(evidence).and_then(words),
    }
}
