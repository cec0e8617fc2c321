//! What became of a request to send, or in a dry run would: who gets it, who does not and why.

use chrono_tz::Tz;

use super::confirm::limits;
use crate::cli::console::{count, table};
use crate::cli::ids;
use crate::domain::MessageStatus;
use crate::intake::answer::{Accepted, AcceptedMessage, Counts};
use crate::intake::proposal::Proposal;
use crate::wording::{self, advice, explain};

/// Messages shown one by one to a person; JSON has more.
const LINES_MAX: usize = 50;

/// A dry run as text for people: also what goes out on a later day, and how long the rates make it take. Moments are said in
/// the zone.
#[must_use]
pub fn told_dry(proposal: &Proposal, zone: Tz) -> String {
    told("Would be:", &proposal.planned, &limits(proposal), true, zone)
}

/// Either as text for people; `verb` begins the sentence.
fn told(verb: &str, accepted: &Accepted, limits: &[String], dry: bool, zone: Tz) -> String {
    let Counts { queued, held, suppressed, skipped, .. } = accepted.counts;
    let mut text = format!(
        "{verb} {} to send, {held} held for review, {suppressed} suppressed, {skipped} left out.\n",
        count(queued, "message"),
    );
    for line in limits {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(&waiting(accepted, dry, zone));
    text.push_str(&message_lines(accepted, dry, zone));
    for skipped in accepted.skipped.iter().take(LINES_MAX) {
        text.push_str(&format!("{}: {}\n", skipped.name, skipped.why));
    }
    if dry {
        text.push_str("Nothing was stored or sent.")
    } else {
        text.push_str(&next(accepted))
    }
    text
}

/// An accepted submission as text for people, with until when it can be withdrawn and how.
#[must_use]
pub fn told_accepted(accepted: &Accepted, zone: Tz) -> String {
    let text = told("Accepted:", accepted, &[], false, zone);
    let waits = accepted.counts.queued + accepted.counts.held > 0;
    match accepted.undo_until.filter(|_| waits) {
        None => text,
        Some(until) => format!(
            "{text}\nNothing leaves before {}: until then, `touchline undo {}` withdraws all of it.",
            until.in_zone_to_the_second(zone),
            ids::shown(accepted.submission.0)
        ),
    }
}

/// How many wait for office hours, if any do, and what to do without waiting.
fn waiting(accepted: &Accepted, dry: bool, zone: Tz) -> String {
    let first = accepted.messages.iter().filter_map(|message| message.waits_until).min();
    let first = first.map(|first| first.in_zone(zone));
    let remedy = if dry { "`--now` sends" } else { "`touchline send-now` sends" };
    wording::some_wait(accepted.counts.waiting, first.as_deref())
        .map_or_else(String::new, |words| format!("{words} {remedy} outside them.\n"))
}

/// Those that are not sent come first: they need a person.
fn message_lines(accepted: &Accepted, dry: bool, zone: Tz) -> String {
    let mut messages: Vec<&AcceptedMessage> = accepted.messages.iter().collect();
    messages.sort_by_key(|message| message.status == MessageStatus::Queued);
    let rows = messages.iter().take(LINES_MAX).map(|message| {
        let why = match message.waits_until {
            Some(until) => wording::waits_until(&until.in_zone(zone)),
            None => message.reason.map(|why| format!("{} {}", explain(why), advice(why))).unwrap_or_default(),
        };
        let id = if dry { String::new() } else { ids::shown(message.id.0) };
        vec![message.name.clone(), message.channel.to_string(), wording::status(message.status).1.to_owned(), why, id]
    });
    if messages.is_empty() {
        return String::new();
    }
    let more = accepted.counts.messages().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!("… and {more} more\n") } else { String::new() };
    let last = if dry { "" } else { "message" };
    format!("{}\n{more}", table(&["referrer", "channel", "status", "why", last], rows))
}

fn next(accepted: &Accepted) -> String {
    let hint = if accepted.counts.queued > 0 {
        "A running `touchline serve` sends it; `--wait` sends it from here."
    } else {
        "Nothing is sent."
    };
    format!("Submission {}. {hint}", ids::shown(accepted.submission.0))
}
