//! News about an attempt: an answer, a fact from outside, a rule of ours, a person's word.

use super::{Rules, conclude};
use crate::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use crate::domain::event::{EventSource, Fact};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::lifecycle;
use crate::domain::message::Message;
use crate::domain::{Channel, Outcome, Timestamp};
use crate::store::events::Event;
use crate::store::{StoreError, Tx};

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
}

impl Told {
    /// Brought by a rule of ours.
    #[must_use]
    pub fn by_policy(rule: &str) -> Self {
        Self { source: EventSource::Policy, who: rule.to_owned(), occurred: None }
    }

    /// Brought by a provider account.
    #[must_use]
    pub fn by_provider(source: EventSource, account: &str) -> Self {
        Self { source, who: account.to_owned(), occurred: None }
    }

    /// Brought by a person.
    #[must_use]
    pub fn by_operator(name: &str) -> Self {
        Self { source: EventSource::Operator, who: name.to_owned(), occurred: None }
    }
}

/// Takes news about one attempt and writes all that follows from it. News that changes nothing (a repeat, or something
/// lighter than what is known) is dropped. Returns the message as it stands afterwards, or `None` if the attempt is
/// unknown.
///
/// Locks in the order address, message, touch, so that it never waits in a circle with the gate. Whoever brings news of
/// several attempts in one transaction takes all their locks first ([`Tx::attempts_lock`]).
///
/// # Errors
/// As every store function; then nothing of it stands.
pub async fn learn(
    tx: &mut Tx,
    rules: &Rules,
    attempt: AttemptId,
    news: &News,
    told: &Told,
    now: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let Some(known) = tx.attempt(attempt).await? else { return Ok(None) };
    let Some(peek) = tx.message(known.message_id, false).await? else { return Ok(None) };
    tx.addresses_lock(&[peek.address.to_lowercase()]).await?;
    let Some(message) = tx.message(known.message_id, true).await? else { return Ok(None) };
    tx.touches_lock(&[message.touch_id]).await?;
    let attempts = tx.attempts_of(message.id).await?;
    let Some(standing) = attempts.iter().find(|one| one.id == attempt).cloned() else { return Ok(None) };

    let news = &without_a_borrowed_name(tx, &standing, news).await?;
    let changed = change(message.channel, &standing, news, rules, now);
    let others_open = attempts.iter().any(|one| one.id != attempt && one.status.is_open());
    if changed.status.is_open() && !standing.status.is_open() && others_open {
        let event = event(&message, &standing, "contradicted", told, now);
        tx.events_insert(&[Event {
            detail: Some("the provider knows an attempt that was given up".to_owned()),
            ..event
        }])
        .await?;
        return Ok(Some(message));
    }
    if changed == standing {
        return Ok(Some(message));
    }
    tx.attempt_update(&changed).await?;
    let event = event(&message, &changed, word(news, &changed), told, now);
    tx.events_insert(&[Event { detail: detail(news), ..event }]).await?;
    if changed.status == standing.status {
        return Ok(Some(message));
    }
    let failure = failure_of(news);
    conclude::conclude(tx, rules, message, &changed, failure, told, others_open, now).await.map(Some)
}

/// News without a provider reference that another attempt bears already. An acceptance under such a name proves nothing,
/// so what became of the call is unknown; a fact keeps its weight.
async fn without_a_borrowed_name(tx: &mut Tx, standing: &Attempt, news: &News) -> Result<News, StoreError> {
    let (News::Answer(Outcome::Accepted { reference }) | News::Fact(_, Some(reference))) = news else {
        return Ok(news.clone());
    };
    let ours = standing.provider_reference.as_ref() == Some(&reference.0);
    if ours || !tx.reference_is_claimed(&standing.provider, reference).await? {
        return Ok(news.clone());
    }
    Ok(match news {
        News::Fact(fact, _) => News::Fact(fact.clone(), None),
        _ => {
            let failure = Failure::new(Fault::ProtocolError).text("the provider named it like an earlier hand-over");
            News::Answer(Outcome::Unknown(failure))
        }
    })
}

/// The attempt after the news: a pure function.
fn change(channel: Channel, standing: &Attempt, news: &News, rules: &Rules, now: Timestamp) -> Attempt {
    let mut changed = standing.clone();
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

const fn failure_of(news: &News) -> Option<&Failure> {
    match news {
        News::Answer(outcome) => outcome.failure(),
        News::Fact(Fact::Failed(failure), _) => Some(failure),
        _ => None,
    }
}

fn event(message: &Message, attempt: &Attempt, kind: &str, told: &Told, now: Timestamp) -> Event {
    Event {
        attempt_id: Some(attempt.id),
        fault: attempt.fault,
        occurred_ms: told.occurred.unwrap_or(now),
        ..Event::new(message.id, kind, told.source, &told.who, now)
    }
}

const fn word(news: &News, changed: &Attempt) -> &'static str {
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

fn detail(news: &News) -> Option<String> {
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
