//! The checks after every act: two pictures, what was done between them, and what the observer remembers.
//! Each check is named after its invariant; `mod.rs` has the table.

use std::collections::BTreeSet;
use std::fmt;

use touchline::dispatch::walk::Stage;
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::message::Message;
use touchline::domain::touch::disposition;
use touchline::domain::{Channel, MessageStatus};
use touchline::intake::IntakeError;
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;
use touchline::operator::Act;
use touchline::queue::retry;

use super::doing::Step;
use super::picture::Picture;
use super::world::World;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number in the design's list; 0 for an error that nothing explains.
    pub invariant: u8,
    pub words: String,
}

impl Broken {
    pub fn new(invariant: u8, words: impl Into<String>) -> Self {
        Self { invariant, words: words.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.invariant, self.words)
    }
}

/// Everything that can be seen after one act.
pub fn after_step(before: &Picture, after: &Picture, step: &Step, world: &World<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    if let Some(error) = &step.failed {
        broken.push(Broken::new(0, format!("an error that nothing explains: {error}")));
    }
    one_open_attempt(after, &mut broken);
    one_next_step(after, &mut broken);
    statuses_fit_attempts(after, &mut broken);
    broadcasts_add_up(after, &mut broken);
    terminal_stays(before, after, step, &mut broken);
    fences_grow(after, world, &mut broken);
    stale_changes_nothing(before, after, step, &mut broken);
    touches_are_projections(after, &mut broken);
    retries_in_their_band(before, after, step, world, &mut broken);
    super::undoing::nothing_leaves_its_undo_window(after, world, &mut broken);
    super::calls::check(before, after, step, world, &mut broken);
    broken
}

/// Invariant 1: At most one open attempt per message.
fn one_open_attempt(after: &Picture, broken: &mut Vec<Broken>) {
    let mut open = BTreeSet::new();
    for attempt in after.attempts.values().filter(|attempt| attempt.status.is_open()) {
        if !open.insert(attempt.message_id) {
            broken.push(Broken::new(1, format!("two open attempts of message {}", attempt.message_id)));
        }
    }
}

/// Invariant 7: Every message that has not ended has exactly one next step: a queue entry, a hold, or a doubt with a deadline.
fn one_next_step(after: &Picture, broken: &mut Vec<Broken>) {
    for message in after.messages.values() {
        let has_entry = after.entries.contains_key(&message.id);
        let fits = match message.status {
            MessageStatus::Queued | MessageStatus::Accepted => has_entry,
            MessageStatus::InDoubt => after
                .attempts_of(message.id)
                .iter()
                .any(|one| one.status == AttemptStatus::InDoubt && one.doubt_deadline_ms.is_some()),
            MessageStatus::Held => !has_entry,
            _ => !has_entry && message.settled_ms.is_some(),
        };
        if !fits {
            broken.push(Broken::new(7, format!("{} {} with entry: {has_entry}", message.id, message.status)));
        }
    }
    for subject in after.entries.keys().filter(|subject| !after.messages.contains_key(*subject)) {
        broken.push(Broken::new(7, format!("an entry for no message: {subject}")));
    }
}

/// Invariant 7, the other half: each status has the attempt that it speaks of.
fn statuses_fit_attempts(after: &Picture, broken: &mut Vec<Broken>) {
    for message in after.messages.values() {
        let attempts = after.attempts_of(message.id);
        let has = |status: AttemptStatus| attempts.iter().any(|one| one.status == status);
        let fits = match message.status {
            MessageStatus::Accepted => has(AttemptStatus::Accepted),
            MessageStatus::Delivered => has(AttemptStatus::Delivered),
            MessageStatus::Held | MessageStatus::Cancelled | MessageStatus::Suppressed | MessageStatus::Expired => {
                !has(AttemptStatus::Calling) && !has(AttemptStatus::InDoubt)
            }
            _ => true,
        };
        let numbered = attempts.iter().zip(1..).all(|(one, number)| one.number == number);
        if !fits || !numbered {
            let shown: Vec<_> = attempts.iter().map(|one| (one.number, one.status.as_str())).collect();
            broken.push(Broken::new(7, format!("{} is {} and its attempts {shown:?}", message.id, message.status)));
        }
    }
}

/// Invariant 8: One message for each recipient and channel of a broadcast, as many as it says; finished only when nothing of it
/// is still to be sent.
fn broadcasts_add_up(after: &Picture, broken: &mut Vec<Broken>) {
    for broadcast in after.broadcasts.values() {
        let messages: Vec<&Message> =
            after.messages.values().filter(|one| one.broadcast_id == Some(broadcast.id)).collect();
        let distinct: BTreeSet<_> = messages.iter().map(|one| (one.referrer_id, one.channel())).collect();
        if distinct.len() != messages.len() || i64::try_from(messages.len()) != Ok(broadcast.total) {
            let words = format!("a broadcast of {} has {} messages", broadcast.total, messages.len());
            broken.push(Broken::new(8, words));
        }
        let done = |one: &&Message| one.status.is_terminal() || one.status == MessageStatus::InDoubt;
        let undone = after.windows.get(&broadcast.submission_id).is_some_and(|window| window.undone_ms.is_some());
        let too_early = messages.is_empty() && !undone;
        if broadcast.finished_ms.is_some() && (too_early || !messages.iter().all(done)) {
            broken.push(Broken::new(8, "a finished broadcast has messages that are under way"));
        }
    }
}

/// Invariant 9: Terminal stays terminal, save a person's retry and the corrections that evidence makes: a late bounce, or the
/// proof that it arrived after all.
fn terminal_stays(before: &Picture, after: &Picture, step: &Step, broken: &mut Vec<Broken>) {
    for (id, was) in before.messages.iter().filter(|(_, was)| was.status.is_terminal()) {
        let Some(is) = after.messages.get(id) else {
            broken.push(Broken::new(9, format!("message {id} is gone")));
            continue;
        };
        let retried = step.operator_act == Some((*id, Act::Retry));
        let corrected = match (was.status, is.status) {
            (MessageStatus::Delivered, MessageStatus::Failed) => is.channel() == Channel::Email,
            (_, MessageStatus::Delivered) => true,
            _ => false,
        };
        if is.status != was.status && !retried && !corrected {
            broken.push(Broken::new(9, format!("{id} went from {} to {}", was.status, is.status)));
        }
    }
}

/// Invariant 10: Fences only grow, and no number of an entry is used twice.
fn fences_grow(after: &Picture, world: &World<'_>, broken: &mut Vec<Broken>) {
    let highest = world.log.fences.keys().next_back().copied().unwrap_or(0);
    for entry in after.entries.values() {
        match world.log.fences.get(&entry.id) {
            Some(fence) if entry.fence < *fence => {
                broken.push(Broken::new(10, format!("the fence of entry {} went back", entry.id)));
            }
            None if entry.id <= highest => {
                broken.push(Broken::new(10, format!("the number {} is used again", entry.id)));
            }
            _ => {}
        }
    }
}

/// Invariant 10, the other half: a walk whose claim was taken over changes nothing in the queue. What it learnt from its call is
/// evidence and not meant here.
fn stale_changes_nothing(before: &Picture, after: &Picture, step: &Step, broken: &mut Vec<Broken>) {
    let Some(walked) = step.walk else { return };
    let Some(claim) = walked.claim else { return };
    let entry = before.entries.get(&walked.message);
    let stale = entry.is_none_or(|entry| (entry.id, entry.fence) != claim);
    if !stale || !matches!(walked.from, Some(Stage::Claimed | Stage::Prepared)) {
        return;
    }
    let changed = |one: &&Attempt| before.attempts.get(&one.id) != Some(one);
    let evidence = |one: &Attempt| {
        matches!(one.status, AttemptStatus::Accepted | AttemptStatus::Delivered | AttemptStatus::Failed)
    };
    let changed: Vec<&Attempt> = after.attempts.values().filter(changed).collect();
    if changed.iter().any(|one| !evidence(one)) {
        broken.push(Broken::new(10, format!("a stale walk of {} decided about an attempt", walked.message)));
    }
    if changed.is_empty() && entry != after.entries.get(&walked.message) {
        broken.push(Broken::new(10, format!("a stale walk of {} changed the queue", walked.message)));
    }
}

/// Invariant 12: Every attempt belongs to a touch, whose disposition is a projection of its messages.
fn touches_are_projections(after: &Picture, broken: &mut Vec<Broken>) {
    for attempt in after.attempts.values() {
        let touch = after.messages.get(&attempt.message_id).and_then(|one| after.touches.get(&one.touch_id));
        if touch.is_none() {
            broken.push(Broken::new(12, format!("attempt {} belongs to no touch", attempt.id)));
        }
    }
    for touch in after.touches.values() {
        let projected = disposition(&after.statuses_of(touch.id));
        let delivered = projected.as_str() == "delivered";
        if touch.disposition != projected || touch.delivered_ms.is_some() != delivered {
            let words = format!("touch {} is {} and its messages say {projected}", touch.id, touch.disposition);
            broken.push(Broken::new(12, words));
        }
    }
}

/// Invariant 14: A failure is tried again only as the retry table says, and when it says; a wish of the provider may make it
/// later.
fn retries_in_their_band(before: &Picture, after: &Picture, step: &Step, world: &World<'_>, broken: &mut Vec<Broken>) {
    for (id, message) in &after.messages {
        let failed: Vec<&Attempt> = after
            .attempts_of(*id)
            .into_iter()
            .filter(|one| has_just_failed(one, before) && before.attempts.contains_key(&one.id))
            .collect();
        let [attempt] = failed.as_slice() else { continue };
        let was_open = before.attempts.get(&attempt.id).is_some_and(|one| one.status.is_open());
        let by_a_person = step.operator_act.is_some_and(|(one, _)| one == *id);
        if message.status != MessageStatus::Queued || by_a_person || !was_open {
            continue;
        }
        let fault = attempt.fault.unwrap_or(touchline::domain::Fault::ProviderError);
        let pages = attempt.pages_confirmed.is_some_and(|pages| pages > 0);
        let next = retry::after(fault, message.tries, attempt.number, pages, None, world.shared.rules.retry);
        let wait = message.due_ms.since(world.now());
        match next {
            retry::Next::GiveUp => {
                broken.push(Broken::new(14, format!("{id} is tried again after {fault}, try {}", message.tries)));
            }
            retry::Next::Retry { wait: least, .. } => {
                let most = least.max(std::time::Duration::from_secs(3600)).mul_f64(1.5);
                let most = if world.wished(attempt.id) { most } else { least.mul_f64(1.5) };
                if wait < least || wait > most {
                    broken
                        .push(Broken::new(14, format!("{id} waits {wait:?} after {fault}, not {least:?} to {most:?}")));
                }
            }
        }
    }
}

fn has_just_failed(attempt: &Attempt, before: &Picture) -> bool {
    let bad = |status| matches!(status, AttemptStatus::Refused | AttemptStatus::NotSent | AttemptStatus::Failed);
    bad(attempt.status) && before.attempts.get(&attempt.id).is_none_or(|was| was.status != attempt.status)
}

/// Invariant 16: Same key: same body, same answer; another body is refused.
pub fn same_key_same_answer(
    known: Option<&(Request, Accepted)>,
    request: &Request,
    answer: &Result<Accepted, IntakeError>,
) -> Vec<Broken> {
    let same = |one: &Request| {
        let via: BTreeSet<_> = one.via.iter().collect();
        (one.letter.clone(), one.to.to_string(), via.len(), one.via.first().copied(), one.undo_seconds)
    };
    let fits = match (known, answer) {
        (None, Ok(_)) => true,
        (Some((before, accepted)), Ok(again)) => same(before) == same(request) && accepted == again,
        (Some((before, _)), Err(IntakeError::KeyReused)) => same(before) != same(request),
        _ => false,
    };
    if fits {
        return Vec::new();
    }
    let was = known.map(|(before, _)| (before.letter.clone(), before.via.clone()));
    let words = format!("key asked before: {was:?}, now {} {:?}: {:?}", request.letter, request.via, answer.is_ok());
    vec![Broken::new(16, words)]
}
