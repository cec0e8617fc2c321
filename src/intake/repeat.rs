//! No letter twice: what the recipients were sent before, read under the letters' locks in the transaction that accepts the
//! next one, and whether that one would be a repeat. The rule itself is [`crate::policy::repeat`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::{Draft, Frame};
use super::request::{self, Request};
use super::{IntakeError, Parts};
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::{AddressKey, MessageStatus, Timestamp};
use crate::policy::repeat::{self, Earlier, Period, Window};
use crate::render::{Category, Letter};
use crate::store::records::sent::Sent;
use crate::store::{StoreError, Tx};

/// Under which names each content was sent.
type Names = BTreeMap<String, BTreeSet<String>>;

/// How a submission is guarded against repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guard {
    /// Whether a person, or a program, said that a repeat is to go out all the same.
    pub again: bool,
    /// The period of the campaign whose run it is.
    pub period: Option<Period>,
}

impl Guard {
    /// The guard of a request.
    pub fn of(request: &Request) -> Self {
        Self { again: request.again, period: request.run.as_ref().and_then(|run| run.period) }
    }

    /// The window of a letter that goes out at `at`.
    fn window(self, letter: &Letter, at: Timestamp) -> Option<Window> {
        let introduces = letter.category == Category::Introduction;
        let known = repeat::Letter { purpose: letter.purpose, introduces, repeat_days: letter.repeat_days };
        repeat::window(known, self.period, at)
    }
}

/// Which letters are looked up, for whom, and since when, by their names.
#[derive(Debug, Default)]
pub(super) struct Wanted(BTreeMap<String, Wish>);

/// One of them.
#[derive(Debug)]
struct Wish {
    /// What stands for its content.
    content: String,
    /// The other letters of the catalog with that content.
    copies: BTreeSet<String>,
    referrers: Vec<ReferrerId>,
    since: Timestamp,
}

impl Wanted {
    /// Everything that is needed for a portion of a list.
    pub fn of(parts: &Parts, frame: &Frame, recipients: &[ReferrerId]) -> Result<Self, IntakeError> {
        let mut wanted = Self::default();
        for id in recipients {
            let name = frame.individually.get(id).map_or(&*frame.letter, |own| own.letter.as_str());
            wanted.add(parts, request::letter(parts, name)?, frame.guard, frame.due, *id);
        }
        Ok(wanted)
    }

    /// Adds one letter to one referrer.
    pub fn add(&mut self, parts: &Parts, letter: &Letter, guard: Option<Guard>, at: Timestamp, referrer: ReferrerId) {
        let Some(window) = guard.and_then(|guard| guard.window(letter, at)) else { return };
        let wish = self.0.entry(letter.name.clone()).or_insert_with(|| Wish {
            content: letter.content.clone(),
            copies: parts.renderer.copies(letter).map(|copy| copy.name.clone()).collect(),
            referrers: Vec::new(),
            since: window.opens(),
        });
        wish.referrers.push(referrer);
        wish.since = wish.since.min(window.opens());
    }

    fn contents(&self) -> Vec<&str> {
        self.0.values().map(|wish| wish.content.as_str()).collect()
    }
}

/// What the recipients were sent before.
#[derive(Debug, Default)]
pub(super) struct History {
    sent: HashMap<ReferrerId, Vec<Known>>,
}

/// One of the letters they were sent.
#[derive(Debug)]
struct Known {
    sent: Sent,
    /// The content that it has, by what it was looked up for.
    content: String,
}

impl Known {
    /// Whether it is this letter: by its name, or by its content under another name. Then the variables are content too.
    fn is(&self, letter: &Letter, variables: &str) -> bool {
        let says_the_same = || self.sent.variables.as_deref().is_some_and(|other| same(other, variables));
        self.sent.letter == letter.name || (self.content == letter.content && says_the_same())
    }
}

/// A letter that would be a repeat.
#[derive(Debug)]
pub(super) struct Repeat<'h> {
    /// What it repeats; of several, the latest.
    pub earlier: &'h Sent,
    /// From when on it would be none.
    ends: Timestamp,
    exact: bool,
    /// Whether that one is planned for later than the letter that would repeat it.
    is_later: bool,
    /// Where the earlier ones went: one copy is sent to each address, and these have it.
    pub addresses: Vec<AddressKey>,
}

impl History {
    /// Reads it without a lock, for a preview.
    pub async fn look(tx: &mut Tx, wanted: &Wanted) -> Result<Self, StoreError> {
        let names = tx.letter_names(&wanted.contents()).await?;
        Self::read(tx, wanted, &names).await
    }

    /// Reads it under the letters' locks, those of their names and of their contents: nobody else sends one of them until
    /// the caller's transaction ends. Notes the names, so that a letter is known again when its folder is renamed.
    pub async fn lock(tx: &mut Tx, wanted: &Wanted) -> Result<Self, StoreError> {
        let letters: Vec<&str> = wanted.0.keys().map(String::as_str).chain(wanted.contents()).collect();
        tx.letters_lock(&letters).await?;
        let names = tx.letter_names(&wanted.contents()).await?;
        for (letter, wish) in &wanted.0 {
            if !names.get(&wish.content).is_some_and(|names| names.contains(letter)) {
                tx.letter_name_note(&wish.content, letter).await?;
            }
        }
        Self::read(tx, wanted, &names).await
    }

    async fn read(tx: &mut Tx, wanted: &Wanted, names: &Names) -> Result<Self, StoreError> {
        let mut history = Self::default();
        for (letter, wish) in &wanted.0 {
            let noted = names.get(&wish.content).into_iter().flatten();
            let copies: BTreeSet<&str> = wish.copies.iter().chain(noted).map(String::as_str).collect();
            let copies: Vec<&str> = copies.into_iter().filter(|copy| copy != letter).collect();
            for sent in tx.letters_sent(letter, &copies, &wish.referrers, wish.since).await? {
                let known = Known { content: wish.content.clone(), sent };
                history.sent.entry(known.sent.referrer_id).or_default().push(known);
            }
        }
        Ok(history)
    }

    /// What a letter to a referrer would repeat. `variables` are the letter's, JSON.
    pub fn repeat_of(
        &self,
        frame: &Frame,
        letter: &Letter,
        referrer: ReferrerId,
        variables: &str,
    ) -> Option<Repeat<'_>> {
        let window = frame.guard?.window(letter, frame.due)?;
        let known = self.sent.get(&referrer)?;
        let repeated: Vec<&Sent> = known
            .iter()
            .filter(|known| known.sent.submission_id != frame.submission && known.is(letter, variables))
            .map(|known| &known.sent)
            .filter(|sent| window.is_repeat_of(&earlier(sent, &window, variables)))
            .collect();
        let latest = repeated.iter().max_by_key(|sent| (sent.occurred_ms, sent.touch_id))?;
        Some(Repeat {
            earlier: latest,
            ends: window.ends(&earlier(latest, &window, variables)),
            exact: window.is_exact(),
            is_later: latest.occurred_ms > frame.due,
            addresses: repeated.iter().map(|sent| sent.address.key()).collect(),
        })
    }

    /// Adds what was just planned, for the requests that share the transaction.
    pub fn note(&mut self, parts: &Parts, draft: &Draft) {
        let times: HashMap<TouchId, Timestamp> =
            draft.touches.iter().map(|touch| (touch.id, touch.occurred_ms)).collect();
        for message in draft.messages.iter().filter(|message| counts(message.status)) {
            let Some(occurred_ms) = times.get(&message.touch_id).copied() else { continue };
            let Some(letter) = parts.renderer.letter(&message.letter) else { continue };
            let sent = Sent {
                referrer_id: message.referrer_id,
                touch_id: message.touch_id,
                submission_id: message.submission_id,
                letter: message.letter.clone(),
                status: message.status,
                address: message.address.clone(),
                occurred_ms,
                campaign_id: None,
                variables: Some(message.variables.clone()),
                created_ms: message.created_ms,
            };
            let known = Known { content: letter.content.clone(), sent };
            self.sent.entry(message.referrer_id).or_default().push(known);
        }
    }
}

impl Repeat<'_> {
    /// Why it is left out, and how to send it all the same.
    pub fn why(&self, letter: &Letter, zone: Tz) -> String {
        let same = match &self.earlier.letter {
            name if *name != letter.name => format!(" says the same as `{name}`, which"),
            _ if self.exact => ", with the same content,".to_owned(),
            _ => String::new(),
        };
        let how = match self.earlier.status {
            MessageStatus::Delivered => "was sent to them on",
            MessageStatus::InDoubt => "may have been sent to them on",
            _ if self.is_later => "is planned for them on",
            _ => "is already on its way to them, since",
        };
        let (sent, ends) = (self.earlier.occurred_ms.in_zone(zone), self.ends.in_zone(zone));
        format!(
            "`{}`{same} {how} {sent}, and is not repeated before {ends}; to send it all the same, add --again \
             (\"again\": true in the API)",
            letter.name
        )
    }
}

/// The addresses that got a letter which is not sent again, among recipients of a list that were dealt with earlier.
pub(super) async fn addresses_left_out(
    tx: &mut Tx,
    parts: &Parts,
    frame: &Frame,
    recipients: &[ReferrerId],
) -> Result<HashSet<AddressKey>, IntakeError> {
    let mut found = HashSet::new();
    if frame.guard.is_none_or(|guard| guard.again) {
        return Ok(found);
    }
    for portion in recipients.chunks(super::unfold::PORTION) {
        let history = History::look(tx, &Wanted::of(parts, frame, portion)?).await?;
        for id in portion {
            let (letter, variables) = frame.written_for(*id);
            let letter = request::letter(parts, letter)?;
            if let Some(repeat) = history.repeat_of(frame, letter, *id, &variables) {
                found.extend(repeat.addresses);
            }
        }
    }
    Ok(found)
}

/// The statuses of messages that count as sent.
const fn counts(status: MessageStatus) -> bool {
    matches!(
        status,
        MessageStatus::Queued
            | MessageStatus::Held
            | MessageStatus::Accepted
            | MessageStatus::InDoubt
            | MessageStatus::Delivered
    )
}

fn earlier(sent: &Sent, window: &Window, variables: &str) -> Earlier {
    // Only where the content decides is it compared.
    let same_content = !window.is_exact() || sent.variables.as_deref().is_some_and(|other| same(other, variables));
    Earlier { sent: sent.occurred_ms, accepted: sent.created_ms, campaign: sent.campaign_id, same_content }
}

/// Whether two JSON texts say the same, whatever the order of their names.
fn same(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    a == b || read(a).is_some_and(|a| Some(a) == read(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_compared_by_what_they_say() {
        assert!(same(r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2], "a": 1 }"#));
        for other in [r#"{"a":1}"#, r#"{"a":1,"b":[2,1]}"#, r#"{"a":"1","b":[1,2]}"#, "no JSON", ""] {
            assert!(!same(r#"{"a":1,"b":[1,2]}"#, other), "{other}");
        }
        assert!(!same("no JSON", "neither"));
    }

    #[test]
    fn what_was_forbidden_failed_or_was_withdrawn_does_not_count_as_sent() {
        for status in MessageStatus::ALL {
            let sent = !status.is_terminal() || *status == MessageStatus::Delivered;
            assert_eq!(counts(*status), sent, "{status}");
        }
    }
}
