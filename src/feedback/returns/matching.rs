//! Which letter a mail that came back is about: by the signed address it was returned to, the envelope's identifier, the letter's
//! `Message-ID`, and at last by the address and the time alone, which is only a proposal.

use std::collections::HashMap;
use std::time::Duration;

use super::{Kind, Particulars, Return};
use crate::domain::id::{AttemptId, MessageId, ReferrerId};
use crate::domain::message::Message;
use crate::domain::return_path::{ReturnPaths, Way};
use crate::domain::returned::MatchedBy;
use crate::domain::{AddressKey, EmailAddress, Timestamp};
use crate::provider::mail::attempt_of;
use crate::store::{StoreError, Tx};

/// How long after a hand-over a return that names no letter is proposed for it. Relays try for five days at most.
const PROPOSED_WITHIN: Duration = Duration::from_secs(10 * 24 * 3600);

/// What a mail names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub attempt: AttemptId,
    pub by: MatchedBy,
    /// Whether it was sent to the address for opting out.
    pub opts_out: bool,
}

/// The attempt that a mail names by itself.
pub(super) fn named(paths: &ReturnPaths, read: &Return, particulars: &Particulars) -> Option<Named> {
    let to_ours = particulars.addressees.iter().find_map(|address| paths.read(address));
    if let Some((way, attempt)) = to_ours {
        return Some(Named { attempt, by: MatchedBy::ReturnPath, opts_out: way == Way::OptOut });
    }
    let attempt = read.attempt?;
    let is_an_answer = matches!(read.kind, Kind::Reply | Kind::AutoReply | Kind::None);
    let by_message_id = read.message_id.as_deref().and_then(attempt_of) == Some(attempt);
    let by = if by_message_id || is_an_answer { MatchedBy::MessageId } else { MatchedBy::EnvelopeId };
    Some(Named { attempt, by, opts_out: false })
}

/// An attempt that exists, and its message.
#[derive(Debug, Clone)]
pub(in crate::feedback) struct Letter {
    pub attempt: AttemptId,
    pub message: Message,
    /// The address that the attempt wrote to.
    pub address: AddressKey,
}

/// The attempts that mails name, as far as there are such.
#[derive(Debug, Default)]
pub(super) struct Letters(HashMap<AttemptId, Letter>);

impl Letters {
    /// Looks all of them up together. Attempts of the other channel are none.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn read(tx: &mut Tx, ids: &[AttemptId]) -> Result<Self, StoreError> {
        let homes = tx.attempt_homes(ids).await?;
        let messages: Vec<MessageId> = homes.iter().map(|(.., message)| *message).collect();
        let messages: HashMap<MessageId, Message> =
            tx.messages(&messages, false).await?.into_iter().map(|message| (message.id, message)).collect();
        let attempts = tx.attempts_of_messages(&messages.keys().copied().collect::<Vec<_>>()).await?;
        let mut letters = HashMap::new();
        for attempt in attempts.into_iter().filter(|attempt| ids.contains(&attempt.id)) {
            let Some(message) = messages.get(&attempt.message_id) else { continue };
            let address = attempt.dialled.as_ref().unwrap_or(&message.address);
            if matches!(address, crate::domain::Address::Email(_)) {
                let letter = Letter { attempt: attempt.id, message: message.clone(), address: address.key() };
                letters.insert(attempt.id, letter);
            }
        }
        Ok(Self(letters))
    }

    pub fn get(&self, attempt: AttemptId) -> Option<&Letter> {
        self.0.get(&attempt)
    }
}

/// The latest letter to the address that a return names, where nothing surer is known.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn proposed(tx: &mut Tx, read: &Return, now: Timestamp) -> Result<Option<Letter>, StoreError> {
    if !matches!(read.kind, Kind::Bounce | Kind::Complaint) {
        return Ok(None);
    }
    for recipient in read.recipients.iter().filter(|one| one.kind == read.kind).take(5) {
        let Ok(address) = EmailAddress::parse(&recipient.recipient) else { continue };
        let since = now.before(PROPOSED_WITHIN);
        if let Some((attempt, _)) = tx.attempt_recent_to(&AddressKey::from(&address), since, now).await? {
            return Ok(Letters::read(tx, &[attempt]).await?.0.remove(&attempt));
        }
    }
    Ok(None)
}

/// How long after a letter a mail that does not name it is taken for an answer to it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60 * 24 * 3600);

/// The referrer who wrote, where exactly one has that mailbox and a letter went there before. Of a mailbox that several share,
/// nobody knows who wrote; and mail between people who know each other is no answer to a letter.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn sender(
    tx: &mut Tx,
    particulars: &Particulars,
    received: Timestamp,
) -> Result<Option<ReferrerId>, StoreError> {
    let Some(Ok(sender)) = particulars.sender.as_deref().map(EmailAddress::parse) else { return Ok(None) };
    let since = received.before(ANSWERED_WITHIN);
    if tx.attempt_recent_to(&AddressKey::from(&sender), since, received).await?.is_none() {
        return Ok(None);
    }
    Ok(match tx.referrers_like(None, Some(&sender), None).await?.as_slice() {
        [only] => Some(only.id),
        _ => None,
    })
}
