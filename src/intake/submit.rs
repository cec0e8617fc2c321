//! Submit: one letter to one referrer, or to a list. The top function reads as the list of its steps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audience::{self, Audience};
use super::expand::{self, Draft};
use super::{IntakeError, Parts};
use crate::domain::id::{BroadcastId, CampaignId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::referrer::Referrer;
use crate::domain::{Channel, MessageStatus, Purpose, Timestamp};
use crate::store::broadcasts::Broadcast;
use crate::store::submissions::SubmissionRow;
use crate::store::{StoreError, Tx};

/// Recipients with missing variables that are named one by one.
const NAMES_SHOWN_MAX: usize = 20;
/// Recipients of one submission.
const RECIPIENTS_MAX: usize = 200_000;
/// Octets of all variables together.
const VARIABLES_OCTETS_MAX: usize = 64 * 1024;
/// How long to wait when the queue is full.
const QUEUE_FULL_SECONDS: u64 = 60;

/// A request to send.
#[derive(Debug, Clone)]
pub struct Request {
    /// The letter's name.
    pub letter: String,
    /// To whom.
    pub to: Audience,
    /// By which channels; all that the referrer has an address for are tried.
    pub via: Vec<Channel>,
    /// The letter's own variables.
    pub variables: Map<String, Value>,
    /// Not before.
    pub at: Option<Timestamp>,
    /// Who asks.
    pub who: String,
    /// Same key, same answer.
    pub idempotency_key: Option<String>,
    /// The campaign run it is, if any.
    pub run: Option<CampaignRun>,
}

/// Which run of which campaign.
#[derive(Debug, Clone)]
pub struct CampaignRun {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its name.
    pub name: String,
    /// The moment the run was planned for; `None` for a run that a person started.
    pub planned: Option<Timestamp>,
}

/// What was accepted, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The submission.
    pub submission: SubmissionId,
    /// The broadcast, for a list.
    pub broadcast: Option<BroadcastId>,
    /// Every message, those that policy forbids too.
    pub messages: Vec<AcceptedMessage>,
    /// Who gets nothing by some channel, and why.
    pub skipped: Vec<Skipped>,
}

/// One message of an accepted submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedMessage {
    /// Identifier.
    pub id: MessageId,
    /// The touch it belongs to.
    pub touch: TouchId,
    /// For whom.
    pub referrer: ReferrerId,
    /// The referrer's name.
    pub name: String,
    /// How.
    pub channel: Channel,
    /// Where it stands: queued, held or suppressed.
    pub status: MessageStatus,
    /// Why, if not queued.
    pub reason: Option<String>,
}

/// A recipient or channel left out before it became a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The referrer.
    pub referrer: ReferrerId,
    /// The referrer's name.
    pub name: String,
    /// The channel, if only one is left out.
    pub channel: Option<Channel>,
    /// Why, in words.
    pub why: String,
}

/// Accepts a submission: afterwards it is durable and will be carried out.
///
/// # Errors
/// See [`IntakeError`]; then nothing of it was accepted.
pub async fn accept(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    let mut tx = parts.store.write().await?;
    let accepted = match accept_in(&mut tx, parts, request).await {
        Err(IntakeError::Store(StoreError::Conflict(_))) if request.idempotency_key.is_some() => {
            // Another caller with the same key was faster: its answer is ours.
            drop(tx);
            let mut tx = parts.store.read().await?;
            return answered_before(&mut tx, request).await?.ok_or(IntakeError::KeyReused);
        }
        other => other?,
    };
    tx.commit().await?;
    parts.queue.wake();
    Ok(accepted)
}

/// The same within the caller's transaction, which must be committed for it to count.
///
/// # Errors
/// See [`IntakeError`]; then the transaction must be dropped.
pub async fn accept_in(tx: &mut Tx, parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    if let Some(answer) = answered_before(tx, request).await? {
        return Ok(answer);
    }
    check_request(parts, request)?;
    check_depth(tx, parts).await?;
    let recipients = recipients(tx, request).await?;
    check_variables(parts, request, &recipients)?;
    let draft = expand::expand(tx, parts, request, &recipients).await?;
    keep(tx, parts, request, draft).await
}

/// Who would get it, who would not and why; nothing is stored.
///
/// # Errors
/// As [`accept`].
pub async fn dry_run(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    let mut tx = parts.store.read().await?;
    check_request(parts, request)?;
    let recipients = recipients(&mut tx, request).await?;
    check_variables(parts, request, &recipients)?;
    Ok(expand::expand(&mut tx, parts, request, &recipients).await?.accepted)
}

/// The earlier answer under the same idempotency key.
async fn answered_before(tx: &mut Tx, request: &Request) -> Result<Option<Accepted>, IntakeError> {
    let Some(key) = &request.idempotency_key else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(IntakeError::Invalid("an idempotency key has 1 to 255 characters".to_owned()));
    }
    let Some((_, hash, answer)) = tx.submission_by_key(key).await? else { return Ok(None) };
    if hash != request_hash(request) {
        return Err(IntakeError::KeyReused);
    }
    let answer = serde_json::from_str(&answer).map_err(|_| StoreError::Corrupt("a stored answer".to_owned()))?;
    Ok(Some(answer))
}

/// What makes two requests the same.
fn request_hash(request: &Request) -> String {
    let channels: BTreeSet<&str> = request.via.iter().map(|channel| channel.as_str()).collect();
    let variables: std::collections::BTreeMap<&String, &Value> = request.variables.iter().collect();
    let text = serde_json::json!([request.letter, request.to.to_string(), channels, variables, request.at]).to_string();
    hex::encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
}

fn check_request(parts: &Parts, request: &Request) -> Result<(), IntakeError> {
    let Some(letter) = parts.renderer.letter(&request.letter) else {
        return Err(IntakeError::NotFound(format!(
            "there is no letter `{}`; `touchline template list` shows them all",
            request.letter.chars().take(80).collect::<String>()
        )));
    };
    if request.via.is_empty() {
        return Err(IntakeError::Invalid("say how: --via fax,email".to_owned()));
    }
    if serde_json::to_string(&request.variables).map_or(usize::MAX, |text| text.len()) > VARIABLES_OCTETS_MAX {
        return Err(IntakeError::Invalid("the variables are larger than 64 KiB together".to_owned()));
    }
    if letter.purpose == Purpose::Treatment {
        if request.to.is_list() {
            return Err(IntakeError::Invalid("a treatment letter goes to one referrer, never to a list".to_owned()));
        }
        if request.variables.get("part2").and_then(Value::as_str) == Some("unknown") {
            return Err(IntakeError::Invalid(
                "part2 is unknown: find out whether 42 CFR Part 2 applies before this report is sent".to_owned(),
            ));
        }
    }
    for channel in &request.via {
        if parts.accounts.route(*channel, crate::domain::PhiClass::None).next().is_none() {
            return Err(IntakeError::Invalid(format!(
                "no provider carries {channel}: name one in [routes] of the configuration, or leave {channel} out"
            )));
        }
    }
    Ok(())
}

async fn check_depth(tx: &mut Tx, parts: &Parts) -> Result<(), IntakeError> {
    let depth = tx.queue_depth().await?;
    if depth >= parts.queue_depth_max {
        return Err(IntakeError::QueueFull { depth, retry_after_seconds: QUEUE_FULL_SECONDS });
    }
    Ok(())
}

async fn recipients(tx: &mut Tx, request: &Request) -> Result<Vec<Referrer>, IntakeError> {
    let members = audience::members(tx, &request.to).await?;
    if members.is_empty() {
        return Err(IntakeError::NotFound(format!("nobody is in `{}`", request.to)));
    }
    if members.len() > RECIPIENTS_MAX {
        return Err(IntakeError::Invalid(format!("{} recipients are more than {RECIPIENTS_MAX}", members.len())));
    }
    Ok(members)
}

/// Every recipient's letter can be written, or the names of those for whom it cannot.
fn check_variables(parts: &Parts, request: &Request, recipients: &[Referrer]) -> Result<(), IntakeError> {
    let mut problems = Vec::new();
    let mut lacking = 0;
    for referrer in recipients {
        let missing = parts.renderer.missing(&request.letter, referrer, &request.variables);
        if !missing.is_empty() {
            lacking += 1;
            if problems.len() < NAMES_SHOWN_MAX {
                problems.push(format!("  {}: {}", referrer.display_name(), missing.join("; ")));
            }
        }
    }
    if lacking == 0 {
        return Ok(());
    }
    if lacking > problems.len() {
        problems.push(format!("  … and {} more", lacking - problems.len()));
    }
    Err(IntakeError::MissingVariables(problems))
}

/// Stores the submission with all its parts, and puts what is to be sent on the queue.
async fn keep(tx: &mut Tx, parts: &Parts, request: &Request, draft: Draft) -> Result<Accepted, IntakeError> {
    let now = parts.clock.now();
    let answer = serde_json::to_string(&draft.accepted).map_err(|_| StoreError::Corrupt("the answer".to_owned()))?;
    tx.submission_insert(&SubmissionRow {
        id: draft.accepted.submission,
        idempotency_key: request.idempotency_key.clone(),
        request_hash: request_hash(request),
        answer,
        who: request.who.clone(),
        created_ms: now,
    })
    .await?;
    if let Some(id) = draft.accepted.broadcast {
        tx.broadcast_insert(&broadcast(id, request, &draft, now)).await?;
    }
    tx.addresses_ensure(&draft.addresses, now).await?;
    tx.touches_insert(&draft.touches).await?;
    tx.messages_insert(&draft.messages).await?;
    tx.events_insert(&draft.events).await?;
    crate::queue::put(tx, &draft.work, now).await?;
    Ok(draft.accepted)
}

fn broadcast(id: BroadcastId, request: &Request, draft: &Draft, now: Timestamp) -> Broadcast {
    let name =
        request.run.as_ref().map_or_else(|| format!("{} to {}", request.letter, request.to), |run| run.name.clone());
    Broadcast {
        id,
        submission_id: draft.accepted.submission,
        campaign_id: request.run.as_ref().map(|run| run.campaign),
        planned_ms: request.run.as_ref().and_then(|run| run.planned),
        name,
        letter: request.letter.clone(),
        total: i64::try_from(draft.messages.len()).unwrap_or(i64::MAX),
        created_ms: now,
        finished_ms: None,
    }
}
