//! A message's life as sentences: attempts and events in one line of time.

use super::moment::{Calendar, Moment};
use crate::domain::Actor;
use crate::domain::Reason;
use crate::domain::Rule;
use crate::domain::Timestamp;
use crate::domain::attempt::Attempt;
use crate::domain::event::EventKind;
use crate::domain::event::EventSource;
use crate::domain::message::Message;
use crate::store::records::events::Event;
use crate::wording::{self, Tone};

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: Moment,
    /// The style of its mark.
    pub tone: Tone,
    /// What happened, as a sentence.
    pub sentence: String,
    /// The provider's own words.
    pub words: Option<String>,
}

/// Merges attempts and events, first to last, after the line that says who asked for it.
#[must_use]
pub fn of(message: &Message, asked_by: &str, attempts: &[Attempt], events: &[Event], calendar: &Calendar) -> Vec<Line> {
    let mut dated: Vec<(Timestamp, Line)> = Vec::with_capacity(1 + attempts.len() + events.len());
    dated.push((message.created_ms, asked(message, asked_by, calendar)));
    dated.extend(attempts.iter().map(|attempt| (attempt.opened_ms, opened(attempt, calendar))));
    let told = events.iter().filter(|event| event.kind != EventKind::Queued);
    dated.extend(told.map(|event| (event.recorded_ms, line(message, attempts, event, calendar))));
    // Stable: what was recorded at the same moment stays in the order attempt, event.
    dated.sort_by_key(|(at, _)| *at);
    dated.into_iter().map(|(_, line)| line).collect()
}

fn asked(message: &Message, asked_by: &str, calendar: &Calendar) -> Line {
    Line {
        at: calendar.moment(message.created_ms),
        tone: Tone::Quiet,
        sentence: format!("{asked_by} requested it."),
        words: None,
    }
}

fn opened(attempt: &Attempt, calendar: &Calendar) -> Line {
    Line {
        at: calendar.moment(attempt.opened_ms),
        tone: Tone::Busy,
        sentence: format!("Attempt {}: handed to {}.", attempt.number, attempt.provider),
        words: None,
    }
}

fn line(message: &Message, attempts: &[Attempt], event: &Event, calendar: &Calendar) -> Line {
    let (tone, sentence) = told(message, attempts, event);
    // Some providers only repeat the class of the fault.
    let repeats = event.fault.is_some_and(|fault| event.detail.as_deref() == Some(fault.as_str()));
    let shows_words = (event.fault.is_some() && !repeats) || event.kind == EventKind::Contradicted;
    Line { at: calendar.moment(event.recorded_ms), tone, sentence, words: event.detail.clone().filter(|_| shows_words) }
}

/// What an event says, by its word.
fn told(message: &Message, attempts: &[Attempt], event: &Event) -> (Tone, String) {
    let who = event.who.name();
    let because = event.fault.map_or_else(|| reason_of(event), wording::fault);
    let by_a_person = event.source == EventSource::Operator;
    match event.kind {
        EventKind::Queued => (Tone::Quiet, format!("{}: queued.", wording::channel(message.channel()))),
        EventKind::Accepted => (Tone::Busy, format!("{who} accepted it.")),
        EventKind::Progress => (Tone::Busy, format!("{who} reports: {}.", stage(event))),
        EventKind::Delivered => (Tone::Good, delivered(attempts, event)),
        EventKind::Charged => {
            (Tone::Quiet, format!("{who} charged {} for it.", event.detail.as_deref().unwrap_or("something")))
        }
        EventKind::PresumedDelivered => (Tone::Good, "No bounce came back in time: it counts as delivered.".to_owned()),
        EventKind::Refused => (Tone::Bad, format!("{who} refused it. {because}")),
        EventKind::NotSent => (Tone::Bad, format!("It could not be handed to {who}. {because}")),
        EventKind::Failed if event.attempt_id.is_some() => (Tone::Bad, format!("The attempt failed. {because}")),
        EventKind::Failed => (Tone::Bad, format!("It ended without arriving. {because}")),
        EventKind::InDoubt if event.source == EventSource::Policy => {
            (Tone::Warn, format!("It is not sent again by itself. {because}"))
        }
        EventKind::InDoubt => (Tone::Warn, format!("{who} gave no clear response: it may or may not have been sent.")),
        EventKind::Orphaned => {
            (Tone::Warn, "The program was interrupted during the call: it may or may not have been sent.".to_owned())
        }
        EventKind::NoFinalReport => (Tone::Warn, "The provider never reported the outcome.".to_owned()),
        EventKind::FoundAbsent => {
            (Tone::Warn, format!("{who} was asked twice and does not have it: it was never sent."))
        }
        EventKind::Purged => (Tone::Quiet, format!("{who} deleted its copy.")),
        EventKind::PurgeFailed => {
            (Tone::Bad, format!("{who} did not delete its copy, and is not asked any more. {because}"))
        }
        EventKind::Contradicted => (Tone::Warn, format!("{who} reports an attempt that Touchline had given up on.")),
        EventKind::SaidSent => (Tone::Good, format!("{} marked it as sent.", decider(event))),
        EventKind::SaidNotSent => (Tone::Warn, format!("{} marked it as not sent.", decider(event))),
        EventKind::TakenBack => (
            Tone::Warn,
            "Several recipients in a row were refused with the same words, so it is about our account: the refusal \
             is disregarded, and the letter waits."
                .to_owned(),
        ),
        EventKind::Retried => (Tone::Busy, format!("{who} sent it again.")),
        EventKind::AnyHour => (Tone::Busy, format!("{who} sent it outside office hours.")),
        EventKind::Released => (Tone::Busy, format!("{who} released it.")),
        EventKind::CancelAsked => (Tone::Quiet, format!("{who} asked the provider to stop it.")),
        EventKind::Cancelled if by_a_person => (Tone::Quiet, format!("{who} cancelled it.")),
        EventKind::Cancelled => (Tone::Quiet, format!("Cancelled. {because}")),
        EventKind::Held if by_a_person && is_a_persons(event) => (Tone::Warn, format!("{who} put it on hold.")),
        EventKind::Held => (Tone::Warn, format!("Held. {because}")),
        EventKind::Suppressed => (Tone::Quiet, format!("Suppressed. {because}")),
        EventKind::Expired => (Tone::Bad, format!("Expired. {because}")),
    }
}

/// Whether a person's own act is the reason.
const fn is_a_persons(event: &Event) -> bool {
    matches!(event.reason, None | Some(Reason::Operator(_)))
}

fn reason_of(event: &Event) -> &'static str {
    event.reason.map_or("", wording::explain)
}

fn stage(event: &Event) -> String {
    event.detail.as_deref().unwrap_or("in progress").replace(['_', '.'], " ")
}

fn decider(event: &Event) -> String {
    match &event.who {
        Actor::Rule(Rule::AssumeSent | Rule::Resend) => "The setting smtp_doubt".to_owned(),
        actor => actor.name().to_owned(),
    }
}

fn delivered(attempts: &[Attempt], event: &Event) -> String {
    let attempt = attempts.iter().find(|attempt| Some(attempt.id) == event.attempt_id);
    let charge = attempt.and_then(Attempt::billed).map(|charge| format!(", for {charge}")).unwrap_or_default();
    match attempt.and_then(|attempt| attempt.pages_confirmed) {
        Some(pages) => format!("Delivered: {} confirmed{charge}.", wording::count(pages, "page", "pages")),
        None => format!("Delivered{charge}."),
    }
}
