//! Resolve: an open attempt found at a claim is doubt. It is looked up by the provider's declared reconciliation, never
//! repeated blindly.

use std::time::Duration;

use super::{Job, Parts};
use crate::accounts::ConfiguredAccount;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::event::{EventKind, EventSource, Report};
use crate::domain::fault::Failure;
use crate::domain::{Channel, MessageStatus, PolicyReason, Rule, Timestamp};
use crate::provider::{FindQuery, FindResult, Reconciliation};
use crate::settle::{self, Evidence, Origin, POLL, SUBMIT, SmtpDoubt};
use crate::store::StoreError;
use crate::store::records::events::Event;

/// Look-ups that must find nothing before an attempt counts as never sent: lists lag behind creations.
const LOOKS_BEFORE_ABSENT: i64 = 2;

/// What a look-up means.
enum Finding {
    /// Found by our reference.
    Known(Report),
    /// It would have to be there, and is not.
    Absent,
    /// The one fax that matches and that no other attempt claims.
    Adopt(Report),
    LookAgain,
    /// Not found, but the call may still be under way until then.
    TooEarly(Timestamp),
    /// The look-up failed, which proves nothing.
    NotAnswered,
    /// The provider refuses our credentials: it was not looked at all.
    Refused(Failure),
    AskAPerson,
}

/// Finds out what became of a message's open attempt.
pub(super) async fn resolve(parts: &Parts, job: &Job) -> Result<(), StoreError> {
    let open = parts.store.read().await?.attempts_open(&[job.message.id]).await?.pop();
    let Some(attempt) = open else { return Ok(()) };
    match attempt.status {
        AttemptStatus::Calling => {
            decide(parts, job, &attempt, Evidence::Orphaned, Origin::rule(Rule::FoundUnfinished)).await
        }
        AttemptStatus::InDoubt => doubt(parts, job, attempt).await,
        _ => snooze(parts, job, POLL, parts.clock.now()).await,
    }
}

async fn doubt(parts: &Parts, job: &Job, mut attempt: Attempt) -> Result<(), StoreError> {
    let asked = parts.clock.now();
    let finding = match parts.accounts.get(&attempt.provider) {
        Some(account) if account.capabilities().reconciliation != Reconciliation::None => {
            let to = job.message.address.clone();
            let query = FindQuery { attempt: attempt.id, to, opened_ms: attempt.opened_ms };
            let over = call_over(parts, &attempt);
            let found = account.layered.find(query).await;
            let refuses_us = account.layered.refuses_us(attempt.id, found.as_ref().err());
            match found {
                Ok(found) => read(parts, &attempt, found, over, proves_absence(account)).await?,
                Err(failure) if refuses_us => Finding::Refused(failure),
                Err(_) => Finding::NotAnswered,
            }
        }
        _ => return by_setting(parts, job, &attempt).await,
    };
    match finding {
        Finding::Known(report) => learn(parts, &attempt, report).await,
        Finding::Absent => absent(parts, job, &attempt).await,
        Finding::Adopt(report) => adopt(parts, job, &attempt, report).await,
        Finding::Refused(failure) => {
            let pause = settle::refused_question(&failure, asked);
            settle::pause_accounts(&parts.store, &[(attempt.provider.clone(), pause)], parts.clock.now()).await?;
            look_again(parts, job, &attempt, parts.clock.now()).await
        }
        Finding::AskAPerson => person(parts, job).await,
        Finding::TooEarly(over) => {
            let due = over.max(parts.clock.now().after(parts.rules.doubt_settle));
            snooze(parts, job, SUBMIT, due).await
        }
        Finding::LookAgain | Finding::NotAnswered => {
            let now = parts.clock.now();
            if attempt.doubt_deadline_ms.is_some_and(|deadline| now >= deadline) {
                return person(parts, job).await;
            }
            if matches!(finding, Finding::LookAgain) {
                attempt.looks += 1;
            }
            look_again(parts, job, &attempt, now).await
        }
    }
}

/// Until when the call of an attempt may be under way, if it may be so still. An answer, even one that origin nothing, has
/// ended it; else a node that is cut off from the database may be making it, until its own limits end it.
fn call_over(parts: &Parts, attempt: &Attempt) -> Option<Timestamp> {
    if attempt.answered_ms.is_some() {
        return None;
    }
    let call_max = parts.accounts.get(&attempt.provider).map_or(Duration::ZERO, |account| account.layered.call_max());
    let over = attempt.opened_ms.after(super::start_max(parts)).after(call_max);
    (over > parts.clock.now()).then_some(over)
}

/// Whether finding nothing proves anything: not where only number and time can be compared.
fn proves_absence(account: &ConfiguredAccount) -> bool {
    matches!(account.capabilities().reconciliation, Reconciliation::Exact | Reconciliation::Scan)
}

/// Reads a look-up: ours, certainly absent, or perhaps ours. Where finding nothing proves no absence, a person decides.
async fn read(
    parts: &Parts,
    attempt: &Attempt,
    found: FindResult,
    call_over: Option<Timestamp>,
    proves_absence: bool,
) -> Result<Finding, StoreError> {
    let absent = || match call_over {
        Some(over) => Finding::TooEarly(over),
        None if attempt.looks + 1 < LOOKS_BEFORE_ABSENT => Finding::LookAgain,
        None if proves_absence => Finding::Absent,
        None => Finding::AskAPerson,
    };
    Ok(match found {
        FindResult::Found(report) => Finding::Known(report),
        FindResult::Absent => absent(),
        FindResult::Candidates(candidates) => {
            let none_at_all = candidates.is_empty();
            let mut unclaimed = Vec::new();
            let mut tx = parts.store.read().await?;
            for candidate in candidates {
                if !tx.reference_is_claimed(&attempt.provider, &candidate.reference).await? {
                    unclaimed.push(candidate);
                }
            }
            match (unclaimed.pop(), unclaimed.is_empty()) {
                (None, _) if none_at_all => absent(),
                (None, _) => Finding::AskAPerson,
                (Some(only), true) => Finding::Adopt(only),
                (Some(_), false) => Finding::AskAPerson,
            }
        }
    })
}

/// If there is no look-up, the setting decides for mail; a fax always needs a person.
async fn by_setting(parts: &Parts, job: &Job, attempt: &Attempt) -> Result<(), StoreError> {
    if job.message.channel() == Channel::Fax {
        return person(parts, job).await;
    }
    let (evidence, rule) = match parts.rules.smtp_doubt {
        SmtpDoubt::Hold => return person(parts, job).await,
        SmtpDoubt::AssumeSent => (Evidence::SaidSent, Rule::AssumeSent),
        SmtpDoubt::Resend => (Evidence::SaidNotSent, Rule::Resend),
    };
    decide(parts, job, attempt, evidence, Origin::rule(rule)).await
}

/// Adopts a fax that matches by number and time, unless another attempt has claimed it since the look-up.
async fn adopt(parts: &Parts, job: &Job, attempt: &Attempt, report: Report) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.attempts_lock(&[attempt.id]).await?;
    if tx.reference_is_claimed(&attempt.provider, &report.reference).await? {
        drop(tx);
        return look_again(parts, job, attempt, parts.clock.now()).await;
    }
    let (evidence, origin) = reported(attempt, report);
    settle::apply(&mut tx, &parts.rules, attempt.id, &evidence, &origin, parts.clock.now()).await?;
    tx.commit().await
}

/// What a report says about an attempt, with its charge.
fn reported(attempt: &Attempt, report: Report) -> (Evidence, Origin) {
    let origin = Origin::provider(EventSource::Poll, &attempt.provider);
    (Evidence::Fact(report.fact, Some(report.reference)), Origin { billed: report.billed, ..origin })
}

/// It is not where it would have to be: it was never sent, and goes out again. Once: a provider that takes what it lists
/// nowhere would get it without end. The second time a person decides.
async fn absent(parts: &Parts, job: &Job, attempt: &Attempt) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let (_, mut messages) = tx.attempts_lock(&[attempt.id]).await?;
    let Some(message) = messages.first_mut().filter(|one| one.status == MessageStatus::InDoubt) else { return Ok(()) };
    if !tx.queue_holds(job.claimed.id, job.claimed.fence).await? {
        return Ok(());
    }
    if went_again_before(&tx.events_of(message.id).await?) {
        let origin = Origin::rule(Rule::OneResend);
        settle::leave_in_doubt(&mut tx, message, PolicyReason::NotFoundAgain, &origin, now).await?;
    } else {
        let origin = Origin::provider(EventSource::Poll, &attempt.provider);
        settle::apply(&mut tx, &parts.rules, attempt.id, &Evidence::Absent, &origin, now).await?;
    }
    tx.commit().await
}

/// Whether a message went out again because it was not found, and no person has decided about it since.
fn went_again_before(events: &[Event]) -> bool {
    let absent = events.iter().rposition(|event| event.kind == EventKind::FoundAbsent);
    let person = events.iter().rposition(|event| event.source == EventSource::Operator);
    absent.is_some_and(|absent| person.is_none_or(|person| person < absent))
}

/// Decides without evidence: that the call is no longer being made, that it never happened, or that a setting decides.
/// Only the holder of the claim may, since another worker may already be making the next call.
async fn decide(
    parts: &Parts,
    job: &Job,
    attempt: &Attempt,
    evidence: Evidence,
    origin: Origin,
) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.attempts_lock(&[attempt.id]).await?;
    if !tx.queue_holds(job.claimed.id, job.claimed.fence).await? {
        return Ok(());
    }
    settle::apply(&mut tx, &parts.rules, attempt.id, &evidence, &origin, parts.clock.now()).await?;
    tx.commit().await
}

/// Records what the provider reports, whoever holds the claim by now.
async fn learn(parts: &Parts, attempt: &Attempt, report: Report) -> Result<(), StoreError> {
    let (evidence, origin) = reported(attempt, report);
    let mut tx = parts.store.write().await?;
    settle::apply(&mut tx, &parts.rules, attempt.id, &evidence, &origin, parts.clock.now()).await?;
    tx.commit().await
}

async fn look_again(parts: &Parts, job: &Job, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    let due = now.after(parts.rules.doubt_settle);
    if tx.queue_snooze(job.claimed.id, job.claimed.fence, SUBMIT, due).await? {
        tx.attempt_update_looks(attempt.id, attempt.looks).await?;
    }
    tx.commit().await
}

/// The message stays in doubt, off the queue, until a person decides.
async fn person(parts: &Parts, job: &Job) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.queue_finish(job.claimed.id, job.claimed.fence).await?;
    tx.commit().await
}

async fn snooze(parts: &Parts, job: &Job, kind: &'static str, due: Timestamp) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.queue_snooze(job.claimed.id, job.claimed.fence, kind, due).await?;
    tx.commit().await
}
