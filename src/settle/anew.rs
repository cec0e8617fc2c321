//! A letter to win a referrer that was sent to them anew, as another touch, is not sent again in the old one: nobody gets two
//! copies because the first had failed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Timestamp;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::store::{StoreError, Tx};

/// Of these messages, those whose letter was sent to the same referrer since, or is on its way to them, as another touch.
/// Only letters to win a referrer: a report or a receipt is about something, and each has its own.
///
/// # Errors
/// [`StoreError`].
pub async fn sent_anew(tx: &mut Tx, messages: &[Message]) -> Result<BTreeSet<MessageId>, StoreError> {
    let mut by_letter: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.purpose.is_outreach()) {
        by_letter.entry(&message.letter).or_default().push(message);
    }
    let mut found = BTreeSet::new();
    for (letter, messages) in by_letter {
        let referrers: Vec<_> = messages.iter().map(|message| message.referrer_id).collect();
        let since = messages.iter().map(|message| message.created_ms).min().unwrap_or(Timestamp(0));
        let sent = tx.letters_sent(letter, &[], &referrers, since).await?;
        found.extend(messages.into_iter().filter_map(|message| {
            let is_anew = sent.iter().any(|sent| {
                sent.referrer_id == message.referrer_id
                    && sent.touch_id != message.touch_id
                    && sent.occurred_ms >= message.created_ms
            });
            is_anew.then_some(message.id)
        }));
    }
    Ok(found)
}
