//! A message's life as sentences: attempts and events in one line of time.

use super::moment::{Calendar, Moment};
use super::words::{self, Tone};
use crate::domain::Timestamp;
use crate::domain::attempt::Attempt;
use crate::domain::event::EventSource;
use crate::domain::message::Message;
use crate::policy::{self, Reason};
use crate::store::records::events::Event;

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
    let told = events.iter().filter(|event| event.kind != "queued");
    dated.extend(told.map(|event| (event.recorded_ms, line(message, attempts, event, calendar))));
    // Stable: what was recorded at the same moment stays in the order attempt, event.
    dated.sort_by_key(|(at, _)| *at);
    dated.into_iter().map(|(_, line)| line).collect()
}

fn asked(message: &Message, asked_by: &str, calendar: &Calendar) -> Line {
    Line {
        at: calendar.moment(message.created_ms),
        tone: Tone::Quiet,
        sentence: format!("{asked_by} asked for it."),
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
    let is_reason = event.detail.as_deref().is_some_and(|detail| detail.parse::<Reason>().is_ok());
    // Some providers only repeat the class of the fault.
    let repeats = event.fault.is_some_and(|fault| event.detail.as_deref() == Some(fault.as_str()));
    let shows_words = (event.fault.is_some() && !repeats) || event.kind == "contradicted";
    Line {
        at: calendar.moment(event.recorded_ms),
        tone,
        sentence,
        words: event.detail.clone().filter(|_| shows_words && !is_reason),
    }
}

/// What an event says, by its word.
fn told(message: &Message, attempts: &[Attempt], event: &Event) -> (Tone, String) {
    let who = &event.who;
    let because = event.fault.map_or_else(|| reason_of(event), |fault| fault.explain().to_owned());
    match event.kind.as_str() {
        "accepted" => (Tone::Busy, format!("{who} accepted it.")),
        "progress" => (Tone::Busy, format!("{who} reports: {}.", stage(event))),
        "delivered" => (Tone::Good, delivered(attempts, event)),
        "charged" => (Tone::Quiet, format!("{who} charged {} for it.", event.detail.as_deref().unwrap_or("something"))),
        "presumed_delivered" => (Tone::Good, "No bounce came back in time: it counts as delivered.".to_owned()),
        "refused" => (Tone::Bad, format!("{who} refused it. {because}")),
        "not_sent" => (Tone::Bad, format!("It could not be handed to {who}. {because}")),
        "failed" if event.attempt_id.is_some() => (Tone::Bad, format!("The attempt failed. {because}")),
        "failed" => (Tone::Bad, format!("It ended without arriving. {because}")),
        "in_doubt" => (Tone::Warn, format!("{who} gave no clear answer: it may or may not have been sent.")),
        "orphaned" => {
            (Tone::Warn, "The program was interrupted during the call: it may or may not have been sent.".to_owned())
        }
        "no_final_report" => (Tone::Warn, "The provider never reported how it ended.".to_owned()),
        "found_absent" => (Tone::Warn, format!("{who} was asked twice and does not have it: it was never sent.")),
        "contradicted" => (Tone::Warn, format!("{who} knows of an attempt that was given up here.")),
        "said_sent" => (Tone::Good, format!("{} said that it was sent.", decider(event))),
        "said_not_sent" => (Tone::Warn, format!("{} said that it was not sent.", decider(event))),
        "retried" => (Tone::Busy, format!("{who} sent it once more.")),
        "released" => (Tone::Busy, format!("{who} released it.")),
        "cancel_asked" => (Tone::Quiet, format!("{who} asked the provider to stop it.")),
        "cancelled" if event.source == EventSource::Operator => (Tone::Quiet, format!("{who} cancelled it.")),
        "held" if event.detail.is_none() => (Tone::Warn, format!("{who} put it on hold.")),
        "held" => (Tone::Warn, format!("Held. {because}")),
        "suppressed" => (Tone::Quiet, format!("Not allowed. {because}")),
        "expired" => (Tone::Bad, format!("Given up. {because}")),
        other => (Tone::Quiet, format!("{}: {}.", words::channel(message.channel), other.replace('_', " "))),
    }
}

fn reason_of(event: &Event) -> String {
    event.detail.as_deref().map(policy::explain).unwrap_or_default()
}

fn stage(event: &Event) -> String {
    event.detail.as_deref().unwrap_or("in progress").replace(['_', '.'], " ")
}

fn decider(event: &Event) -> String {
    if event.source == EventSource::Operator { event.who.clone() } else { format!("The {}", event.who) }
}

fn delivered(attempts: &[Attempt], event: &Event) -> String {
    let attempt = attempts.iter().find(|attempt| Some(attempt.id) == event.attempt_id);
    let charge = attempt.and_then(Attempt::billed).map(|charge| format!(", for {charge}")).unwrap_or_default();
    match attempt.and_then(|attempt| attempt.pages_confirmed) {
        Some(pages) => format!("Delivered: {} confirmed{charge}.", words::count(pages, "page", "pages")),
        None => format!("Delivered{charge}."),
    }
}
