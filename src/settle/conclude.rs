//! From an attempt's new status to the message's, its address's and the queue's next step: pure, on a [`Case`].

use std::time::Duration;

use super::acts::TIME_AFTER_PAUSE;
use super::case::{Case, Next};
use super::{Origin, POLL, Rules, SUBMIT, SmtpDoubt, pausing};
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::event::{EventKind, EventSource};
use crate::domain::fault::Failure;
use crate::domain::health::AddressHealth;
use crate::domain::message::Confidence;
use crate::domain::provider_state::Pause;
use crate::domain::{About, Channel, Fault, MessageStatus, PolicyReason, Rule, Timestamp};
use crate::provider::Reconciliation;
use crate::queue::retry;
use crate::store::records::events::Event;

/// Draws what follows from an attempt's changed status, which is already in the case. Returns whether something was
/// learned about the address.
pub(super) fn conclude(
    case: &mut Case,
    address: Option<&mut AddressHealth>,
    rules: &Rules,
    attempt: &Attempt,
    failure: Option<&Failure>,
    origin: &Origin,
    now: Timestamp,
) -> bool {
    let experience = follow(case, rules, attempt, failure, origin, now);
    hold_after_restore(case, rules, attempt, origin, now);
    let (Some(known), Some(experience)) = (address, experience) else { return false };
    let learnt = match experience {
        Experience::ItWorks => known.after_success(),
        Experience::ItFailed(fault) => known.after_fault(fault),
    };
    let is_new = learnt != *known;
    *known = learnt;
    is_new
}

/// An attempt from before a restore that ends without success: the tries that followed may be forgotten, and only a person
/// can know whether one of them reached the recipient.
fn hold_after_restore(case: &mut Case, rules: &Rules, attempt: &Attempt, origin: &Origin, now: Timestamp) {
    let goes_again =
        case.message.status == MessageStatus::Queued && !attempt.status.is_open() && !case.others_open(attempt.id);
    let forgotten = rules.restored.is_some_and(|at| attempt.opened_ms < at);
    if !goes_again || !forgotten || origin.source == EventSource::Operator {
        return;
    }
    super::acts::set_held(&mut case.message, PolicyReason::Restored.into(), now);
    case.next = Some(Next::None);
    let origin = Origin::rule(Rule::AfterRestore);
    let event = Event::new(case.message.id, EventKind::Held, origin.source, &origin.actor, now);
    case.notes.push(Event { reason: case.message.reason, ..event });
}

/// What is learned about an address.
enum Experience {
    ItWorks,
    ItFailed(Fault),
}

fn follow(
    case: &mut Case,
    rules: &Rules,
    attempt: &Attempt,
    failure: Option<&Failure>,
    origin: &Origin,
    now: Timestamp,
) -> Option<Experience> {
    case.message_changed = true;
    case.message.updated_ms = now;
    note_document(case, attempt);
    let others_open = case.others_open(attempt.id);
    match attempt.status {
        AttemptStatus::Calling => None,
        AttemptStatus::Accepted | AttemptStatus::InDoubt if case.message.status.is_terminal() => None,
        AttemptStatus::Accepted => {
            accepted(case, rules, attempt, now);
            None
        }
        AttemptStatus::InDoubt => {
            in_doubt(case, rules, attempt, now);
            None
        }
        AttemptStatus::Delivered => delivered(case, origin, others_open, now),
        AttemptStatus::NotSent | AttemptStatus::Refused | AttemptStatus::Failed => {
            failed(case, rules, attempt, failure, others_open, origin, now)
        }
    }
}

/// The message has the document that was handed over last.
fn note_document(case: &mut Case, attempt: &Attempt) {
    if case.attempts.last().is_some_and(|last| last.id == attempt.id) {
        case.message.document_hash = Some(attempt.document_hash.clone());
        case.message.pages = attempt.pages.or(case.message.pages);
    }
}

fn accepted(case: &mut Case, rules: &Rules, attempt: &Attempt, now: Timestamp) {
    case.message.status = MessageStatus::Accepted;
    case.message.reason = None;
    let wait = rules.next_look(case.message.channel(), &attempt.provider, attempt.looks);
    case.step(POLL, now.after(wait));
}

/// Doubt is looked up where the provider can be asked; else a person decides, or for mail a setting.
fn in_doubt(case: &mut Case, rules: &Rules, attempt: &Attempt, now: Timestamp) {
    case.message.status = MessageStatus::InDoubt;
    let silent = attempt.provider_reference.is_some();
    let reason = if silent { PolicyReason::NoFinalReport } else { PolicyReason::OutcomeUnknown };
    case.message.reason = Some(reason.into());
    let can_ask = rules.reconciliation(&attempt.provider) != Reconciliation::None && !silent;
    let by_setting = case.message.channel() == Channel::Email && rules.smtp_doubt != SmtpDoubt::Hold;
    if can_ask || by_setting {
        case.step(SUBMIT, now.after(rules.doubt_settle));
    } else {
        case.next = Some(Next::None);
    }
}

fn delivered(case: &mut Case, origin: &Origin, others_open: bool, now: Timestamp) -> Option<Experience> {
    if others_open && case.message.status != MessageStatus::Delivered {
        // A later attempt is under way although an earlier one arrived: when it ends, this one decides.
        return None;
    }
    let sure = !matches!(origin.source, EventSource::Answer | EventSource::Policy);
    case.message.confidence = Some(if sure { Confidence::Confirmed } else { Confidence::Presumed });
    case.end(MessageStatus::Delivered, None, now);
    Some(Experience::ItWorks)
}

fn failed(
    case: &mut Case,
    rules: &Rules,
    attempt: &Attempt,
    failure: Option<&Failure>,
    others_open: bool,
    origin: &Origin,
    now: Timestamp,
) -> Option<Experience> {
    let unexplained = if attempt.status == AttemptStatus::NotSent { Fault::ProviderError } else { Fault::Unknown };
    let fault = failure.map_or(attempt.fault.unwrap_or(unexplained), |failure| failure.fault);
    let about = failure.and_then(|failure| failure.about);
    let is_about_them = about.is_none_or(|about| about == About::Recipient);
    let experience = (attempt.status != AttemptStatus::NotSent && is_about_them).then_some(Experience::ItFailed(fault));
    if attempt.status == AttemptStatus::Failed {
        case.message.dials += 1;
    }
    let correction = case.message.status == MessageStatus::Delivered && attempt.status == AttemptStatus::Failed;
    if others_open || (case.message.status.is_terminal() && !correction) {
        return experience;
    }
    if case.attempts.iter().any(|one| one.status == AttemptStatus::Delivered) {
        case.message.confidence = Some(Confidence::Confirmed);
        case.end(MessageStatus::Delivered, None, now);
        return Some(Experience::ItWorks);
    }
    // What comes back for a mail was tried by the relay for days: it ends there, whether or not it counted as delivered by then.
    let is_final = case.message.channel() == Channel::Email && attempt.status == AttemptStatus::Failed;
    if correction || is_final {
        case.end(MessageStatus::Failed, Some(fault.into()), now);
        return experience;
    }
    if origin.source == EventSource::Operator {
        // A person says that it was not sent: it goes out again, whatever was tried before and however long that took.
        case.message.tries = 0;
        case.message.give_up_ms = case.message.give_up_ms.max(now.after(rules.give_up));
    }
    let waits_for_us = attempt.status == AttemptStatus::NotSent && about.is_some_and(About::is_about_us);
    if retry::costs_try(fault) && !waits_for_us {
        case.message.tries += 1;
    }
    pause_account(case, attempt, failure, fault, now);
    let class = if waits_for_us && retry::costs_try(fault) { Fault::ProviderError } else { fault };
    again_or_never(case, rules, attempt, failure, fault, class, now);
    experience
}

/// How long an account sends nothing whose provider does not say when its quota returns.
const QUOTA_WAIT: Duration = Duration::from_secs(3600);

/// A fault of the account itself stops it: until someone has mended it, or until the quota returns.
fn pause_account(case: &mut Case, attempt: &Attempt, failure: Option<&Failure>, fault: Fault, now: Timestamp) {
    let resumes_ms = match fault {
        Fault::AccountError => None,
        Fault::QuotaReached => {
            let asked = failure.and_then(|failure| failure.retry_after_seconds).map(Duration::from_secs);
            Some(now.after(asked.unwrap_or(QUOTA_WAIT)))
        }
        _ => return,
    };
    let reason = pausing::words(failure);
    let remedy = failure.and_then(|failure| failure.remedy);
    let pause = Pause { resumes_ms, reason, remedy, called_ms: attempt.opened_ms };
    case.pauses.push((attempt.provider.clone(), pause));
    case.message.give_up_ms = case.message.give_up_ms.max(now.after(TIME_AFTER_PAUSE));
}

/// The retry table decides; the give-up age bounds it. `class` is the row of that table: a letter that only hears what
/// every other one would hear waits as for trouble of the provider, whose row does not end after some tries.
fn again_or_never(
    case: &mut Case,
    rules: &Rules,
    attempt: &Attempt,
    failure: Option<&Failure>,
    fault: Fault,
    class: Fault,
    now: Timestamp,
) {
    // What a quota takes is the account's pause; the letter goes out as soon as that ends.
    let asked = failure.filter(|_| fault != Fault::QuotaReached).and_then(|failure| failure.retry_after_seconds);
    let asked = asked.map(Duration::from_secs);
    let pages = attempt.pages_confirmed.is_some_and(|pages| pages > 0);
    if fault == Fault::Cancelled {
        return case.end(MessageStatus::Cancelled, Some(fault.into()), now);
    }
    match retry::after(class, case.message.tries, attempt.number, pages, asked, rules.retry) {
        retry::Next::Retry { wait, .. } => {
            let due = now.after(retry::jitter(wait, fastrand::f64()));
            case.message.reason = Some(fault.into());
            if due >= case.message.give_up_ms {
                return case.end(MessageStatus::Expired, Some(PolicyReason::GaveUp.into()), now);
            }
            case.message.status = MessageStatus::Queued;
            case.message.due_ms = due;
            case.step(SUBMIT, due);
        }
        retry::Next::GiveUp => case.end(MessageStatus::Failed, Some(fault.into()), now),
    }
}
