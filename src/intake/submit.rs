//! Submit: one letter to one referrer, or to a list. The top function reads as the list of its steps.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::expand::{self, Frame};
use super::{IntakeError, Parts, check, counter, unfold};
use crate::domain::id::{BroadcastId, CampaignId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::{Channel, MessageStatus, Purpose, Timestamp};
use crate::referrers::audience;
use crate::referrers::audience::Audience;
use crate::store::records::submissions::SubmissionRow;
use crate::store::{StoreError, Tx};

/// Messages of a long list that an answer shows, of those that are queued and of those that are not; and recipients left
/// out. All are counted.
pub const SHOWN_MAX: usize = 500;
/// Recipients of one submission.
const RECIPIENTS_MAX: usize = 200_000;
/// Octets of all variables together.
const VARIABLES_OCTETS_MAX: usize = 64 * 1024;
/// How often and how soon the answer of another caller with the same key is looked for while its list is unfolded.
const LOOKS_AT_ANOTHER_MAX: u32 = 300;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
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

impl Request {
    /// Whether it makes a broadcast: a list does, and every run of a campaign.
    #[must_use]
    pub const fn makes_a_broadcast(&self) -> bool {
        self.to.is_list() || self.run.is_some()
    }
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
    /// How many of each, all counted.
    pub counts: Counts,
    /// The messages, those that policy forbids too; of a long list the first [`SHOWN_MAX`] that are queued, and as many
    /// that are not.
    pub messages: Vec<AcceptedMessage>,
    /// Who gets nothing by some channel, and why; the first [`SHOWN_MAX`].
    pub skipped: Vec<Skipped>,
}

/// Numbers of messages by where they stand when accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// To be sent.
    pub queued: usize,
    /// Waiting for a person.
    pub held: usize,
    /// Suppressed: the rules do not allow sending them.
    pub suppressed: usize,
    /// Left out before they became messages.
    pub skipped: usize,
}

impl Counts {
    /// All messages.
    #[must_use]
    pub const fn messages(self) -> usize {
        self.queued + self.held + self.suppressed
    }
}

impl Accepted {
    pub(super) fn begin(frame: &Frame) -> Self {
        Self {
            submission: frame.submission,
            broadcast: frame.broadcast,
            counts: Counts::default(),
            messages: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Adds what a portion of the list became.
    pub(super) fn add(&mut self, said: Vec<AcceptedMessage>, skipped: Vec<Skipped>) {
        self.counts.skipped += skipped.len();
        let room = SHOWN_MAX.saturating_sub(self.skipped.len());
        self.skipped.extend(skipped.into_iter().take(room));
        for message in said {
            let before = match message.status {
                MessageStatus::Queued => self.counts.queued,
                _ => self.counts.held + self.counts.suppressed,
            };
            match message.status {
                MessageStatus::Queued => self.counts.queued += 1,
                MessageStatus::Held => self.counts.held += 1,
                _ => self.counts.suppressed += 1,
            }
            if before < SHOWN_MAX {
                self.messages.push(message);
            }
        }
    }
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

/// Accepts a submission: afterwards it is durable and will be carried out. A list is recorded first, then unfolded into
/// messages portion by portion ([`unfold`]); this returns when all of it is on the queue.
///
/// # Errors
/// See [`IntakeError`]; then nothing of it was accepted, except that a list whose unfolding was cut off by the store is
/// accepted and goes on by itself.
pub async fn accept(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    match begin(parts, request).await? {
        Begun::Done(accepted) => Ok(accepted),
        Begun::List(list) => list.finish(parts).await,
    }
}

/// What a request has become by the time it is durable.
#[derive(Debug)]
pub enum Begun {
    /// All of it is on the queue.
    Done(Accepted),
    /// A list is recorded: it is accepted, and still to be unfolded, by [`Ready::finish`] or else by itself.
    List(Ready),
}

/// Accepts a submission as [`accept`] does, but returns as soon as a list is recorded.
///
/// # Errors
/// See [`IntakeError`]; then nothing of it was accepted.
pub async fn begin(parts: &Parts, request: &Request) -> Result<Begun, IntakeError> {
    if !request.makes_a_broadcast() {
        return counter::accept_one(parts, request).await.map(Begun::Done);
    }
    for _ in 0..LOOKS_AT_ANOTHER_MAX {
        match begin_list(parts, request).await {
            Err(IntakeError::Unfolding) => tokio::time::sleep(LOOK_AGAIN).await,
            other => return other,
        }
    }
    Err(IntakeError::Unfolding)
}

/// [`IntakeError::Unfolding`] if another caller with the same key was faster and is not ready yet.
async fn begin_list(parts: &Parts, request: &Request) -> Result<Begun, IntakeError> {
    let ready = match prepare(parts, request).await? {
        Prepared::Answered(answer) => return Ok(Begun::Done(answer)),
        Prepared::New(ready) => ready,
    };
    let mut tx = parts.store.write().await?;
    match record(&mut tx, parts, request, &ready).await {
        Err(IntakeError::Store(StoreError::Conflict(_))) if request.idempotency_key.is_some() => {
            // Another caller with the same key was faster: its answer is ours.
            drop(tx);
            let mut tx = parts.store.read().await?;
            return answered_before(&mut tx, request).await?.map(Begun::Done).ok_or(IntakeError::KeyReused);
        }
        recorded => recorded?,
    }
    tx.commit().await?;
    Ok(Begun::List(ready))
}

/// A list that was looked at and found good.
#[derive(Debug)]
pub struct Ready {
    frame: Frame,
    recipients: Vec<ReferrerId>,
}

impl Ready {
    /// The answer before anything is unfolded: its ids, and no message yet.
    #[must_use]
    pub fn so_far(&self) -> Accepted {
        Accepted::begin(&self.frame)
    }

    /// Unfolds the recorded list into messages, and returns when all of it is on the queue, whoever put it there.
    ///
    /// # Errors
    /// As every store function; then it goes on by itself. [`IntakeError::Unfolding`] if another node is still at it after
    /// half a minute.
    pub async fn finish(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        match self.unfold(parts).await {
            Err(IntakeError::Unfolding) => self.wait(parts).await,
            other => other,
        }
    }

    /// Unfolds the recorded list into messages.
    ///
    /// # Errors
    /// As every store function; then it goes on by itself. [`IntakeError::Unfolding`] if another node does it, or has done
    /// it.
    pub async fn unfold(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        unfold::unfold(parts, self.broadcast()?).await?.ok_or(IntakeError::Unfolding)
    }

    /// Waits for the node that unfolds the list, and answers what it became.
    async fn wait(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        let broadcast = self.broadcast()?;
        for _ in 0..LOOKS_AT_ANOTHER_MAX {
            let mut tx = parts.store.read().await?;
            if !tx.broadcast_is_unfolding(broadcast).await? {
                let row = tx.submission(self.frame.submission).await?;
                let answer = row.and_then(|row| serde_json::from_str(&row.answer).ok());
                return Ok(answer.ok_or_else(|| StoreError::Corrupt("a stored answer".to_owned()))?);
            }
            drop(tx);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(IntakeError::Unfolding)
    }

    fn broadcast(&self) -> Result<BroadcastId, StoreError> {
        self.frame.broadcast.ok_or_else(|| StoreError::Corrupt("a list".to_owned()))
    }
}

/// What a look at a request found.
#[derive(Debug)]
pub enum Prepared {
    /// The same was accepted before, and this is the answer.
    Answered(Accepted),
    /// It is new, and nothing is wrong with it.
    New(Ready),
}

/// Looks at everything that can be wrong with a request to a list, for the whole list. Stores nothing, and holds no lock
/// while it looks.
///
/// # Errors
/// See [`IntakeError`].
pub async fn prepare(parts: &Parts, request: &Request) -> Result<Prepared, IntakeError> {
    let mut tx = parts.store.read().await?;
    if let Some(answer) = answered_before(&mut tx, request).await? {
        return Ok(Prepared::Answered(answer));
    }
    check_request(parts, request)?;
    check_depth(&mut tx, parts).await?;
    let recipients = recipients(&mut tx, request).await?;
    drop(tx);
    check::variables_of_all(parts, request, &recipients).await?;
    Ok(Prepared::New(Ready { frame: Frame::of(parts, request)?, recipients }))
}

/// Records a list that was found good, within the caller's transaction: once that is committed, the list is accepted, and
/// [`Ready::unfold`] makes its messages.
///
/// # Errors
/// [`StoreError::Conflict`] if another caller was faster: the same key, or the same run of a campaign.
pub async fn record(tx: &mut Tx, parts: &Parts, request: &Request, ready: &Ready) -> Result<(), IntakeError> {
    let now = parts.clock.now();
    let answer = said(&Accepted::begin(&ready.frame))?;
    tx.submissions_insert(&[row(request, ready.frame.submission, answer, now)]).await?;
    unfold::record(tx, request, &ready.frame, &ready.recipients, now).await
}

/// Who would get it, who would not and why; nothing is stored.
///
/// # Errors
/// As [`accept`].
pub async fn dry_run(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    let mut tx = parts.store.read().await?;
    check_request(parts, request)?;
    let recipients = recipients(&mut tx, request).await?;
    check::variables_of_all(parts, request, &recipients).await?;
    let frame = Frame::of(parts, request)?;
    let (mut accepted, mut taken) = (Accepted::begin(&frame), HashSet::new());
    for portion in recipients.chunks(unfold::PORTION) {
        let referrers = tx.referrers_in_order(portion).await?;
        let known = expand::read_known(&mut tx, &referrers).await?;
        let draft = expand::expand(parts, &frame, &known, &mut taken, &referrers)?;
        accepted.add(draft.said, draft.skipped);
    }
    Ok(accepted)
}

pub(super) fn said(accepted: &Accepted) -> Result<String, StoreError> {
    serde_json::to_string(accepted).map_err(|_| StoreError::Corrupt("the answer".to_owned()))
}

pub(super) fn row(request: &Request, id: SubmissionId, answer: String, now: Timestamp) -> SubmissionRow {
    SubmissionRow {
        id,
        idempotency_key: request.idempotency_key.clone(),
        request_hash: request_hash(request),
        answer,
        who: request.who.clone(),
        created_ms: now,
    }
}

/// The earlier answer under the same idempotency key.
async fn answered_before(tx: &mut Tx, request: &Request) -> Result<Option<Accepted>, IntakeError> {
    let Some(key) = &request.idempotency_key else { return Ok(None) };
    check_key(key)?;
    let Some(earlier) = tx.submissions_by_keys(&[key]).await?.pop() else { return Ok(None) };
    let answer = answer_of(&earlier, request)?;
    match answer.broadcast {
        Some(broadcast) if tx.broadcast_is_unfolding(broadcast).await? => Err(IntakeError::Unfolding),
        _ => Ok(Some(answer)),
    }
}

/// The answer of an earlier submission with the request's key, if it was the same request.
pub(super) fn answer_of(earlier: &SubmissionRow, request: &Request) -> Result<Accepted, IntakeError> {
    if earlier.request_hash != request_hash(request) {
        return Err(IntakeError::KeyReused);
    }
    let answer = serde_json::from_str(&earlier.answer);
    Ok(answer.map_err(|_| StoreError::Corrupt("a stored answer".to_owned()))?)
}

pub(super) fn check_key(key: &str) -> Result<(), IntakeError> {
    if key.is_empty() || key.len() > 255 {
        return Err(IntakeError::Invalid("an idempotency key has 1 to 255 characters".to_owned()));
    }
    Ok(())
}

/// What makes two requests the same.
pub(super) fn request_hash(request: &Request) -> String {
    let channels: BTreeSet<&str> = request.via.iter().map(|channel| channel.as_str()).collect();
    let variables: std::collections::BTreeMap<&String, &Value> = request.variables.iter().collect();
    let text = serde_json::json!([request.letter, request.to.to_string(), channels, variables, request.at]).to_string();
    hex::encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
}

pub(super) fn check_request(parts: &Parts, request: &Request) -> Result<(), IntakeError> {
    let letter = expand::letter(parts, &request.letter)?;
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
        if !parts.accounts.carries(*channel) {
            return Err(IntakeError::Invalid(format!(
                "no provider carries {channel}: name one in [routes] of the configuration, or leave {channel} out"
            )));
        }
    }
    Ok(())
}

pub(super) async fn check_depth(tx: &mut Tx, parts: &Parts) -> Result<(), IntakeError> {
    let depth = tx.queue_depth().await?;
    if depth >= parts.queue_depth_max {
        return Err(IntakeError::QueueFull { depth, retry_after_seconds: QUEUE_FULL_SECONDS });
    }
    Ok(())
}

async fn recipients(tx: &mut Tx, request: &Request) -> Result<Vec<ReferrerId>, IntakeError> {
    let members = audience::members(tx, &request.to).await?;
    if members.is_empty() {
        return Err(IntakeError::NotFound(format!("nobody is in `{}`", request.to)));
    }
    if members.len() > RECIPIENTS_MAX {
        return Err(IntakeError::Invalid(format!("{} recipients are more than {RECIPIENTS_MAX}", members.len())));
    }
    Ok(members)
}
