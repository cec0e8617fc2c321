//! News about an attempt: an answer, a fact from outside, a rule of ours, a person's word.

use super::Rules;
use crate::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use crate::domain::event::{Billed, EventSource, Fact};
use crate::domain::fault::Failure;
use crate::domain::id::AttemptId;
use crate::domain::lifecycle;
use crate::domain::{Channel, Fault, Outcome, Timestamp};

/// What is learnt about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The provider's answer to the call.
    Answer(Outcome),
    /// A fact from outside; the reference too if it was not known.
    Fact(Fact, Option<ProviderReference>),
    /// An open attempt was found whose call nobody is making any more.
    Orphaned,
    /// Looked for twice where it would have to be: it was never sent.
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

/// Who brings the news.
#[derive(Debug, Clone)]
pub struct Told {
    /// What kind of bringer.
    pub source: EventSource,
    /// The account's, rule's or operator's name.
    pub who: String,
    /// When it happened, if that is known to differ from now.
    pub occurred: Option<Timestamp>,
    /// What the hand-over costs, where the provider said so.
    pub billed: Option<Billed>,
}

impl Told {
    /// Brought by a rule of ours.
    #[must_use]
    pub fn by_policy(rule: &str) -> Self {
        Self { source: EventSource::Policy, who: rule.to_owned(), occurred: None, billed: None }
    }

    /// Brought by a provider account.
    #[must_use]
    pub fn by_provider(source: EventSource, account: &str) -> Self {
        Self { source, who: account.to_owned(), occurred: None, billed: None }
    }

    /// Brought by a person.
    #[must_use]
    pub fn by_operator(name: &str) -> Self {
        Self { source: EventSource::Operator, who: name.to_owned(), occurred: None, billed: None }
    }
}

/// News about one attempt, and who brings it.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// About which attempt.
    pub attempt: AttemptId,
    /// What.
    pub news: News,
    /// By whom.
    pub told: Told,
}

/// The news as its pages have it: a fax that is called delivered, of which some pages but not all are confirmed, arrived
/// in part, whatever the provider calls it. One that confirms no page at all does not count them.
pub(super) fn as_counted(standing: &Attempt, news: News) -> News {
    match (&news, standing.pages) {
        (News::Fact(Fact::Delivered { pages: Some(confirmed @ 1..) }, reference), Some(sent))
            if i64::from(*confirmed) < sent =>
        {
            let failure = Failure::new(Fault::PartialSend).pages(Some(*confirmed));
            News::Fact(Fact::Failed(failure), reference.clone())
        }
        _ => news,
    }
}

/// The attempt after the news: a pure function.
pub(super) fn change(
    channel: Channel,
    standing: &Attempt,
    news: &News,
    told: &Told,
    rules: &Rules,
    now: Timestamp,
) -> Attempt {
    let mut changed = standing.clone();
    if let Some(charge) = &told.billed {
        changed.bill(charge);
    }
    changed.status = status(channel, standing.status, news);
    if let Some(failure) = failure_of(news)
        && (changed.status != standing.status || standing.fault.is_none())
        && changed.status != AttemptStatus::Delivered
    {
        changed.fault = Some(failure.fault);
        changed.raw_code.clone_from(&failure.raw_code);
        changed.raw_text.clone_from(&failure.raw_text);
        changed.pages_confirmed = failure.pages_confirmed.map(i64::from).or(standing.pages_confirmed);
    }
    match news {
        News::Answer(outcome) => {
            changed.answered_ms = standing.answered_ms.or(Some(now));
            if let Outcome::Accepted { reference } = outcome {
                changed.provider_reference = Some(reference.0.clone());
            }
        }
        News::Fact(fact, reference) => {
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

fn status(channel: Channel, standing: AttemptStatus, news: &News) -> AttemptStatus {
    use AttemptStatus::{Accepted, Calling, Delivered, InDoubt, NotSent};
    match (news, standing) {
        (News::Answer(outcome), _) => lifecycle::after_answer(channel, standing, outcome),
        (News::Fact(fact, _), _) => lifecycle::after_fact(channel, standing, fact),
        (News::Orphaned, Calling) | (News::Silent, Accepted) => InDoubt,
        (News::Absent | News::SaidNotSent, InDoubt) => NotSent,
        (News::Presumed, Accepted) => Delivered,
        (News::SaidSent, InDoubt) => Delivered,
        (_, other) => other,
    }
}

pub(super) const fn failure_of(news: &News) -> Option<&Failure> {
    match news {
        News::Answer(outcome) => outcome.failure(),
        News::Fact(Fact::Failed(failure), _) => Some(failure),
        _ => None,
    }
}

/// The word for what happened. Where nothing but the charge is new, that is all that happened.
pub(super) fn word(news: &News, standing: &Attempt, changed: &Attempt) -> &'static str {
    let only_charged = Attempt { billed_amount: standing.billed_amount.clone(), ..changed.clone() };
    let only_charged = Attempt { billed_unit: standing.billed_unit.clone(), ..only_charged } == *standing;
    if only_charged && changed != standing {
        return CHARGED;
    }
    match news {
        News::Fact(Fact::Progress { .. }, _) => "progress",
        News::Presumed => "presumed_delivered",
        News::SaidSent => "said_sent",
        News::SaidNotSent => "said_not_sent",
        News::Absent => "found_absent",
        News::Silent => "no_final_report",
        News::Orphaned => "orphaned",
        _ => changed.status.as_str(),
    }
}

/// The word for a charge that comes alone.
const CHARGED: &str = "charged";

pub(super) fn detail(news: &News, word: &str, changed: &Attempt) -> Option<String> {
    if word == CHARGED {
        return changed.billed().map(|charge| charge.to_string());
    }
    let words = |failure: &Failure| {
        let parts: Vec<&str> =
            [failure.raw_code.as_deref(), failure.raw_text.as_deref()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    match news {
        News::Fact(Fact::Progress { stage }, _) => Some(crate::domain::fault::clean(stage, 80)),
        News::Fact(Fact::Delivered { pages: Some(pages) }, _) => Some(format!("{pages} pages confirmed")),
        _ => failure_of(news).and_then(words),
    }
}
