//! What a person does about a return: says which letter it is about, that the address is good after all, that a request to stop was
//! one, or that nothing is to be done. Each act is recorded with who did it.

use std::time::Duration;

use super::asked;
use super::follow::{self, Evidence, Finding};
use super::matching::{Letter, Letters};
use super::taking;
use crate::consent;
use crate::domain::health::AddressHealth;
use crate::domain::id::{InboxId, MessageId, ReturnId};
use crate::domain::message::Message;
pub use crate::domain::returned::ReturnAct as Act;
use crate::domain::returned::{Automatic, MatchedBy, ReturnClass, ReturnKind, ReturnState, Returned};
use crate::domain::suppression::SuppressionReason;
use crate::domain::{Actor, Address, AuditAct, Channel, EmailAddress, PolicyReason, Timestamp};
use crate::feedback::Parts;
use crate::settle::{self, Origin};
use crate::store::records::returns::ReturnRow;
use crate::store::{StoreError, Tx};

/// Why an act was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// There is no such return.
    #[error("there is no return {0}")]
    NotFound(ReturnId),
    /// It does not fit this return: why, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn invalid(why: &str) -> WorkError {
    WorkError::Invalid(why.to_owned())
}

/// Does what a person decided about a return. `message`: the letter it is about, for [`Act::Match`], where another one than the proposed
/// is meant. Released letters are tried for `give_up`. Returns the return as it is afterwards.
///
/// # Errors
/// [`WorkError`].
pub async fn work(
    parts: &Parts,
    id: ReturnId,
    act: Act,
    message: Option<MessageId>,
    who: &Actor,
    give_up: Duration,
) -> Result<ReturnRow, WorkError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let row = tx.return_row(id, true).await?.ok_or(WorkError::NotFound(id))?;
    if !may(&row, act, message) {
        return Err(invalid(refusal_of(&row)));
    }
    match act {
        Act::Match => matched(&mut tx, parts, &row, message, who, now).await?,
        Act::NotABounce => not_a_bounce(&mut tx, &row, who, now).await?,
        Act::Suppress | Act::SuppressFax | Act::SuppressAll => {
            asked::suppress(&mut tx, &row, channels(act), who, now).await?;
            asked::release_what_was_held(&mut tx, parts, &row, who, now.after(give_up), now).await?;
        }
        Act::Dismiss if row.automatic == Some(Automatic::Absence) => they_are_here(&mut tx, &row, now).await?,
        Act::Dismiss => asked::release_what_was_held(&mut tx, parts, &row, who, now.after(give_up), now).await?,
        Act::Done => is_back(&mut tx, &row, now).await?,
    }
    let outcome = outcome(act);
    if !tx.return_finish(id, outcome, who, now).await? {
        tx.return_reconsider(id, outcome, who, now).await?;
    }
    tx.audit(who, AuditAct::WorkReturn, Some(&id.to_string()), Some(outcome), now).await?;
    let row = tx.return_row(id, false).await?.ok_or(WorkError::NotFound(id))?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(row)
}

/// Whether an act makes sense: one that is offered, or naming the letter of a failure that proposes none.
fn may(row: &ReturnRow, act: Act, message: Option<MessageId>) -> bool {
    let names_a_letter = act == Act::Match && message.is_some();
    let is_an_open_failure =
        row.state == ReturnState::Open && matches!(row.kind, ReturnKind::Bounce | ReturnKind::Complaint);
    acts_for(row).contains(&act) || (names_a_letter && is_an_open_failure)
}

fn refusal_of(row: &ReturnRow) -> &'static str {
    match row.state {
        ReturnState::Done => "it was dealt with before",
        ReturnState::Open | ReturnState::Applied => "that cannot be done about this return: see what is offered for it",
    }
}

/// Somebody who was away is back. That a person has seen what may be an absence says nothing of it.
async fn is_back(tx: &mut Tx, row: &ReturnRow, now: Timestamp) -> Result<(), WorkError> {
    match (row.automatic, row.state) {
        (Some(Automatic::Absence), ReturnState::Applied) => they_are_here(tx, row, now).await,
        _ => Ok(()),
    }
}

/// Somebody is not away, or no longer: what waits for them goes now.
async fn they_are_here(tx: &mut Tx, row: &ReturnRow, now: Timestamp) -> Result<(), WorkError> {
    let Some(referrer) = row.referrer_id else { return Ok(()) };
    // Messages before absences, as where an answer is taken.
    let waits = |message: &Message| message.reason == Some(PolicyReason::ReferrerAway.into());
    let waiting = follow::waiting_for(tx, referrer, true).await?;
    for record in tx.records_of_person(referrer).await? {
        tx.away_set(record, Timestamp(0), now, None).await?;
    }
    let waiting: Vec<uuid::Uuid> =
        waiting.iter().filter(|message| waits(message)).map(|message| message.id.0).collect();
    Ok(tx.queue_hasten_all(settle::SUBMIT, &waiting, now).await?)
}

/// The word that is kept.
const fn outcome(act: Act) -> &'static str {
    match act {
        Act::Match => "matched",
        Act::NotABounce => "not_a_bounce",
        Act::Suppress => "suppressed",
        Act::SuppressFax => "fax_suppressed",
        Act::SuppressAll => "all_suppressed",
        Act::Dismiss => "dismissed",
        Act::Done => "done",
    }
}

/// What a person says that somebody wants no more letters by.
const fn channels(act: Act) -> &'static [Channel] {
    match act {
        Act::SuppressFax => &[Channel::Fax],
        Act::SuppressAll => &[Channel::Email, Channel::Fax],
        Act::Suppress | Act::Match | Act::NotABounce | Act::Dismiss | Act::Done => &[Channel::Email],
    }
}

/// The acts that make sense for a return.
#[must_use]
pub fn acts_for(row: &ReturnRow) -> Vec<Act> {
    let is_open = row.state == ReturnState::Open;
    let is_sure = row.matched_by.is_some_and(MatchedBy::is_sure);
    let is_a_failure = matches!(row.kind, ReturnKind::Bounce | ReturnKind::Complaint);
    let mut acts = Vec::new();
    if is_open && is_a_failure && !is_sure {
        acts.extend(row.message_id.map(|_| Act::Match));
        acts.push(Act::Dismiss);
    }
    if is_open && row.kind == ReturnKind::OptOut {
        acts.push(Act::Suppress);
        // Whose number it is must be known.
        acts.extend(row.referrer_id.into_iter().flat_map(|_| [Act::SuppressFax, Act::SuppressAll]));
        acts.push(Act::Dismiss);
    }
    if is_open && matches!(row.kind, ReturnKind::Reply | ReturnKind::AutoReply | ReturnKind::None) {
        acts.push(Act::Done);
    }
    if row.automatic == Some(Automatic::Absence) {
        // What no header marks may be no absence at all; letters wait for them all the same until somebody says so.
        acts.extend(match row.state {
            ReturnState::Open => Some(Act::Dismiss),
            ReturnState::Applied => Some(Act::Done),
            ReturnState::Done => None,
        });
    }
    if is_open && acts.is_empty() {
        acts.push(Act::Done);
    }
    if is_a_failure && is_sure && row.address_key.is_some() && row.outcome.as_deref() != Some("not_a_bounce") {
        acts.push(Act::NotABounce);
    }
    acts
}

/// A person says which letter it is about: it counts as if it had said so itself.
async fn matched(
    tx: &mut Tx,
    parts: &Parts,
    row: &ReturnRow,
    message: Option<MessageId>,
    who: &Actor,
    now: Timestamp,
) -> Result<(), WorkError> {
    if row.matched_by.is_some_and(MatchedBy::is_sure) {
        return Err(invalid("it names its letter itself"));
    }
    let letter = match message {
        Some(message) => latest_of(tx, message).await?,
        None => {
            let attempt = row.attempt_id.ok_or_else(|| invalid("no letter is proposed: name the message"))?;
            Letters::read(tx, &[attempt]).await?.get(attempt).cloned()
        }
    };
    let letter = letter.ok_or_else(|| invalid("that is not an email that was handed over"))?;
    let referrer = letter.message.referrer_id;
    let about = (letter.attempt, letter.message.id, letter.message.broadcast_id, referrer);
    tx.return_match(row.id, about, &letter.address).await?;
    let attempt = letter.attempt;
    let mut finding = finding(row, letter);
    if finding.returned.class == Some(ReturnClass::Hard) && !is_hard_for(tx, &finding).await? {
        finding.returned.class = Some(ReturnClass::Soft);
        tx.return_soften(row.id).await?;
    }
    if let Some(fact) = taking::fact(&finding) {
        let evidence = settle::Evidence::Fact(fact, None);
        settle::apply(tx, &parts.rules, attempt, &evidence, &Origin::person(who), now).await?;
    }
    Ok(follow::follow(tx, &parts.returns, row.id, &finding, now).await?)
}

/// Whether what was read proves something against the address of the letter: the report names its mailbox, and nobody has said that
/// these words are misread there.
async fn is_hard_for(tx: &mut Tx, finding: &Finding) -> Result<bool, StoreError> {
    let Some(letter) = &finding.letter else { return Ok(false) };
    let is_own = finding.returned.recipient.as_deref().is_none_or(|named| taking::names_the_mailbox_of(letter, named));
    let domain = taking::domain(letter);
    Ok(is_own && !taking::was_corrected(tx, finding.returned.row.as_deref(), domain.as_deref()).await?)
}

async fn latest_of(tx: &mut Tx, message: MessageId) -> Result<Option<Letter>, StoreError> {
    let attempts = tx.attempts_of(message).await?;
    let Some(last) = attempts.last().map(|attempt| attempt.id) else { return Ok(None) };
    Ok(Letters::read(tx, &[last]).await?.get(last).cloned())
}

fn finding(row: &ReturnRow, letter: Letter) -> Finding {
    Finding {
        evidence: row
            .arrival_id
            .map_or_else(|| Evidence::Callback(row.inbox_id.unwrap_or(InboxId(uuid::Uuid::nil()))), Evidence::Mail),
        source: row.source.clone(),
        returned: Returned {
            kind: row.kind,
            class: row.class,
            recipient: row.recipient.clone(),
            status: row.status.clone(),
            diagnostic: row.diagnostic.clone().unwrap_or_default(),
            row: row.verdict_row.clone(),
        },
        reason: row.reason,
        answer: row.automatic.map(|what| (what, row.back_on.as_deref().and_then(|day| day.parse().ok()))),
        sender: row.sender.clone(),
        first_line: None,
        reply: None,
        may_be_a_persons: false,
        asks_to_stop: false,
        matched_by: Some(MatchedBy::Person),
        letter: Some(letter),
        referrer: row.referrer_id,
        received_ms: row.received_ms,
    }
}

/// The address is good: nothing is held against it any more, and the words are not taken for its end again from this mailer.
async fn not_a_bounce(tx: &mut Tx, row: &ReturnRow, who: &Actor, now: Timestamp) -> Result<(), WorkError> {
    let address = row.address_key.as_deref().map(EmailAddress::parse);
    let Some(Ok(address)) = address.filter(|_| matches!(row.kind, ReturnKind::Bounce | ReturnKind::Complaint)) else {
        return Err(invalid("only a bounce or a complaint about a letter can be called wrong"));
    };
    let address = Address::Email(address);
    tx.addresses_lock(&[address.key()]).await?;
    let reason = match row.kind {
        ReturnKind::Complaint => SuppressionReason::Complaint,
        _ => SuppressionReason::Bounced,
    };
    for suppression in tx.suppressions_of(&address).await?.into_iter().filter(|known| known.reason == reason) {
        consent::lift_in(tx, suppression.id, who, "not a bounce", now).await?;
    }
    tx.addresses_learn(&[AddressHealth::fresh(address.key())], now).await?;
    tx.audit(who, AuditAct::ReviveAddress, Some(&address.masked()), Some("not a bounce"), now).await?;
    Ok(())
}
