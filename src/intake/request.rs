//! A request to send, and everything that can be wrong with it before any letter is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Accepted;
use super::{IntakeError, Parts};
use crate::domain::id::{CampaignId, ReferrerId, SubmissionId};
use crate::domain::storable::unstorable_in_object;
use crate::domain::{Actor, Channel, Purpose, Timestamp};
use crate::policy::repeat::Period;
use crate::policy::undo;
use crate::referrers::audience::Audience;
use crate::render::{Letter, RenderError};
use crate::store::records::submissions::SubmissionRow;
use crate::store::{StoreError, Tx};

/// Size limit of one letter's variables together, in bytes.
const VARIABLES_OCTETS_MAX: usize = 64 * 1024;
/// Size limit of all variables of a submission together, including those for single recipients, in bytes.
const VARIABLES_OCTETS_ALL_MAX: usize = 16 * 1024 * 1024;
/// Longest idempotency key, in characters.
const KEY_CHARS_MAX: usize = 255;
/// How long to wait when the queue is full.
const QUEUE_FULL_SECONDS: u64 = 60;

/// What a recipient gets: a letter, and its variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The letter's name.
    pub letter: String,
    /// The letter's own variables. May contain patient information: never logged.
    pub variables: Map<String, Value>,
}

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
    /// Recipients who get something different. Names that are not in the audience have no effect.
    pub individually: BTreeMap<ReferrerId, Content>,
    /// Not before.
    pub at: Option<Timestamp>,
    /// Who is asking.
    pub who: Actor,
    /// Whether it goes out again to those who got it within its repeat window; then it counts as no touch.
    pub again: bool,
    /// Whether a person decided that it is to go now: without undo window, and outside office hours.
    pub now: bool,
    /// The undo window asked for, in seconds, at most a day; 0 means none. `None`: by the settings for sends by a person,
    /// none for others.
    pub undo_seconds: Option<u64>,
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

    /// When it is to go out, its undo window aside.
    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        self.at.map_or(now, |at| at.max(now))
    }

    /// How long it can be withdrawn.
    pub(super) fn undo_window(&self, parts: &Parts) -> Option<Duration> {
        let treats = |(name, _): (&str, _)| {
            parts.renderer.letter(name).is_some_and(|letter| letter.purpose == Purpose::Treatment)
        };
        let send = undo::Send {
            who: &self.who,
            is_broadcast: self.makes_a_broadcast(),
            treats: self.contents().any(treats),
            now: self.now,
            asked: self.undo_seconds.map(Duration::from_secs),
        };
        undo::window(&send, parts.undo)
    }

    /// The letter and variables for one recipient.
    pub(super) fn content_for(&self, referrer: ReferrerId) -> (&str, &Map<String, Value>) {
        self.individually
            .get(&referrer)
            .map_or((&self.letter, &self.variables), |own| (own.letter.as_str(), &own.variables))
    }

    /// Every letter with its variables that the request names.
    fn contents(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let own = self.individually.values().map(|own| (own.letter.as_str(), &own.variables));
        std::iter::once((self.letter.as_str(), &self.variables)).chain(own)
    }

    /// The name of every letter in it.
    pub(super) fn letters(&self) -> impl Iterator<Item = &str> {
        self.contents().map(|(name, _)| name)
    }

    /// What makes two requests the same.
    pub(super) fn hash(&self) -> String {
        let channels: BTreeSet<&str> = self.via.iter().map(|channel| channel.as_str()).collect();
        let sorted = |variables: &Map<String, Value>| {
            let sorted: BTreeMap<String, Value> =
                variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            serde_json::json!(sorted)
        };
        let shared = serde_json::json!([self.letter, self.to.to_string(), channels, sorted(&self.variables), self.at]);
        let own: Vec<Value> = self
            .individually
            .iter()
            .map(|(id, own)| serde_json::json!([id, own.letter, sorted(&own.variables)]))
            .collect();
        // A request without them has the hash that it had before there were any.
        let text = if own.is_empty() { shared.to_string() } else { serde_json::json!([shared, own]).to_string() };
        // Likewise one without them. Waiting for a letter asks for no undo window, and is no other request.
        let undo = self.undo_seconds.filter(|seconds| *seconds > 0);
        let text = match (self.again, self.now, undo) {
            (false, false, None) => text,
            (again, now, undo) => serde_json::json!([text, again, now, undo]).to_string(),
        };
        hex::encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
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
    /// The part of the schedule in which it takes place; `None` if the campaign does not recur.
    pub period: Option<Period>,
}

/// The letter of that name.
pub(super) fn letter<'p>(parts: &'p Parts, name: &str) -> Result<&'p Letter, IntakeError> {
    parts.renderer.in_service(name).map_err(|error| unusable(parts, error, &[]))
}

/// Why a letter cannot be sent by these channels.
fn unusable(parts: &Parts, error: RenderError, via: &[Channel]) -> IntakeError {
    let goes = |letter: &str, by: Channel| parts.renderer.ready(letter, &[by]).is_ok();
    match error {
        RenderError::OutOfService { ref letter, by: Some(by), .. } if via.iter().any(|other| goes(letter, *other)) => {
            IntakeError::Invalid(format!("{error}. Leave {by} out to send the rest now"))
        }
        RenderError::UnknownLetter(name) => IntakeError::NotFound(format!(
            "there is no letter `{}`; `touchline template list` shows them all",
            name.chars().take(80).collect::<String>()
        )),
        other => IntakeError::Invalid(other.to_string()),
    }
}

/// Everything that can be wrong with a request regardless of its recipients.
pub(super) fn check(parts: &Parts, request: &Request) -> Result<(), IntakeError> {
    let mut octets = 0;
    for (name, variables) in request.contents() {
        let letter = parts.renderer.ready(name, &request.via).map_err(|error| unusable(parts, error, &request.via))?;
        check_letter(letter, variables, request.to.is_list())?;
        check_storable(variables)?;
        let length = serde_json::to_string(variables).map_or(usize::MAX, |text| text.len());
        if length > VARIABLES_OCTETS_MAX {
            return Err(IntakeError::Invalid("the variables together are larger than 64 KiB".to_owned()));
        }
        octets += length;
    }
    if octets > VARIABLES_OCTETS_ALL_MAX {
        return Err(IntakeError::Invalid("the variables of all recipients together are larger than 16 MiB".to_owned()));
    }
    if request.at.is_some_and(|at| !at.is_writable()) {
        return Err(IntakeError::Invalid("the time to send it lies between the years 0 and 9999".to_owned()));
    }
    check_undo(request)?;
    check_channels(parts, request)
}

/// That every database can hold them, whoever sent them: a program, a file or a campaign.
fn check_storable(variables: &Map<String, Value>) -> Result<(), IntakeError> {
    match unstorable_in_object(variables) {
        None => Ok(()),
        Some(place) => Err(IntakeError::Invalid(format!(
            "the variable `{place}` contains a character that cannot be stored (U+0000): leave it out"
        ))),
    }
}

fn check_undo(request: &Request) -> Result<(), IntakeError> {
    match request.undo_seconds {
        Some(seconds) if seconds > undo::SECONDS_MAX => {
            Err(IntakeError::Invalid(format!("an undo window has at most {} seconds", undo::SECONDS_MAX)))
        }
        Some(1..) if request.now => {
            Err(IntakeError::Invalid("`now` and an undo window exclude each other: leave one of them out".to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_letter(letter: &Letter, variables: &Map<String, Value>, is_list: bool) -> Result<(), IntakeError> {
    if letter.purpose != Purpose::Treatment {
        return Ok(());
    }
    if is_list {
        return Err(IntakeError::Invalid("a treatment letter goes to one referrer, never to a list".to_owned()));
    }
    if variables.get("part2").and_then(Value::as_str) == Some("unknown") {
        return Err(IntakeError::Invalid(
            "part2 is unknown: find out whether 42 CFR Part 2 applies before this report is sent".to_owned(),
        ));
    }
    Ok(())
}

fn check_channels(parts: &Parts, request: &Request) -> Result<(), IntakeError> {
    if request.via.is_empty() {
        return Err(IntakeError::Invalid("say how: --via fax,email".to_owned()));
    }
    match request.via.iter().find(|channel| !parts.accounts.carries(**channel)) {
        None => Ok(()),
        Some(channel) => Err(IntakeError::Invalid(format!(
            "no provider carries {channel}: name one in [routes] of the configuration, or leave {channel} out"
        ))),
    }
}

/// Whether there is room on the queue.
pub(super) async fn check_depth(tx: &mut Tx, parts: &Parts) -> Result<(), IntakeError> {
    let depth = tx.queue_depth().await?;
    if depth >= parts.queue_depth_max {
        return Err(IntakeError::QueueFull { depth, retry_after_seconds: QUEUE_FULL_SECONDS });
    }
    Ok(())
}

/// The one rule for idempotency keys, wherever they come from.
pub(super) fn check_key(key: &str) -> Result<(), IntakeError> {
    let is_printable = key.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    if !(1..=KEY_CHARS_MAX).contains(&key.len()) || !is_printable {
        let words = format!("an idempotency key has 1 to {KEY_CHARS_MAX} printable ASCII characters");
        return Err(IntakeError::Invalid(words));
    }
    Ok(())
}

/// The submission as it is recorded.
pub(super) fn row(
    request: &Request,
    id: SubmissionId,
    answer: &Accepted,
    now: Timestamp,
) -> Result<SubmissionRow, StoreError> {
    Ok(SubmissionRow {
        id,
        idempotency_key: request.idempotency_key.clone(),
        request_hash: request.hash(),
        answer: answer.kept()?,
        who: request.who.clone(),
        created_ms: now,
        at_ms: request.at,
        undo_until_ms: answer.undo_until,
        undone_ms: None,
        undone_by: None,
    })
}

/// The answer of an earlier submission with the request's key, if it was the same request.
pub(super) fn answer_of(earlier: &SubmissionRow, request: &Request) -> Result<Accepted, IntakeError> {
    if earlier.request_hash != request.hash() {
        return Err(IntakeError::KeyReused);
    }
    Ok(Accepted::read(&earlier.answer)?)
}
