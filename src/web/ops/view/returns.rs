//! What came back for emails, in one line each: who, what it means, which letter, and what can be done.

use std::collections::HashMap;

use super::moment::{Calendar, Moment};
use super::pieces::Chip;
use super::titles;
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::referrer::Referrer;
use crate::domain::returned::{MatchedBy, ReturnAct, ReturnState};
use crate::feedback::returns::working::acts_for;
use crate::public::returns::{explanation, masked};
use crate::referrers::conversation::who_stay;
use crate::render::Renderer;
use crate::store::records::returns::ReturnRow;
use crate::store::{StoreError, Tx};
use crate::wording;

/// What a person may do about a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActButton {
    /// Its word in forms.
    pub word: &'static str,
    /// What the button says.
    pub label: &'static str,
    /// What follows, in a sentence.
    pub means: &'static str,
    /// Whether it is the likely one.
    pub is_first: bool,
}

/// One return.
#[derive(Debug, Clone)]
pub struct ReturnLine {
    /// Its id.
    pub id: String,
    /// Where it is shown.
    pub link: String,
    /// What it is.
    pub kind: Chip,
    /// Where it stands, unless what follows from it was simply done.
    pub state: Option<Chip>,
    /// The referrer's name, else the address it names, masked.
    pub who: String,
    /// Where the referrer is shown.
    pub who_link: Option<String>,
    /// What it means and what to do, in sentences.
    pub says: String,
    /// The first line of an answer.
    pub first_line: Option<String>,
    /// The letter it is about, as title and link.
    pub letter: Option<(String, String)>,
    /// Whether the letter is only a proposal.
    pub is_proposal: bool,
    /// When it was received.
    pub at: Moment,
    /// What can be done.
    pub acts: Vec<ActButton>,
    /// What a person decided, who and when.
    pub decided: Option<(String, String, Moment)>,
}

/// Returns as lines, in their order.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn lines(
    tx: &mut Tx,
    rows: &[ReturnRow],
    renderer: &Renderer,
    calendar: &Calendar,
) -> Result<Vec<ReturnLine>, StoreError> {
    let known = Known::of(tx, rows, renderer).await?;
    Ok(rows.iter().map(|row| ReturnLine::of(row, &known, calendar)).collect())
}

/// The people and letters that returns are about.
struct Known {
    people: HashMap<ReferrerId, Referrer>,
    letters: HashMap<MessageId, String>,
}

impl Known {
    async fn of(tx: &mut Tx, rows: &[ReturnRow], renderer: &Renderer) -> Result<Self, StoreError> {
        let mut people: Vec<ReferrerId> = rows.iter().filter_map(|row| row.referrer_id).collect();
        let mut messages: Vec<MessageId> = rows.iter().filter_map(|row| row.message_id).collect();
        people.sort_unstable();
        people.dedup();
        messages.sort_unstable();
        messages.dedup();
        let people = who_stay(tx, &people).await?;
        let letters = tx.messages(&messages, false).await?.into_iter();
        Ok(Self { people, letters: letters.map(|one| (one.id, titles::letter(renderer, &one.letter))).collect() })
    }
}

impl ReturnLine {
    fn of(row: &ReturnRow, known: &Known, calendar: &Calendar) -> Self {
        let person = row.referrer_id.and_then(|id| known.people.get(&id));
        let letter = row.message_id.and_then(|id| Some((known.letters.get(&id)?.clone(), format!("/messages/{id}"))));
        let decided = row.outcome.as_deref().zip(row.done_ms).map(|(outcome, at)| {
            let who = row.done_by.as_ref().map_or("somebody", |who| who.name());
            (wording::returns::outcome(outcome).to_owned(), who.to_owned(), calendar.moment(at))
        });
        Self {
            id: row.id.to_string(),
            link: format!("/returns/{}", row.id),
            kind: wording::returns::kind(row.kind).into(),
            state: (row.state != ReturnState::Applied).then(|| wording::returns::state(row.state).into()),
            who: person.map_or_else(|| stranger(row), Referrer::display_name),
            who_link: person.filter(|one| one.removed_ms.is_none()).map(|one| format!("/referrers/{}", one.id)),
            says: explanation(row),
            first_line: row.first_line.clone(),
            is_proposal: letter.is_some() && !row.matched_by.is_some_and(MatchedBy::is_sure),
            letter,
            at: calendar.moment(row.received_ms),
            acts: buttons(row),
            decided,
        }
    }
}

/// Whom a return names that no referrer is known for.
fn stranger(row: &ReturnRow) -> String {
    row.recipient.as_deref().or(row.sender.as_deref()).map_or_else(|| "Not known".to_owned(), masked)
}

/// A button for each thing that can be done. That an address is good is never the likely one.
fn buttons(row: &ReturnRow) -> Vec<ActButton> {
    let acts = acts_for(row).into_iter().enumerate();
    acts.map(|(place, act)| ActButton {
        word: act.as_str(),
        label: wording::returns::act(act),
        means: wording::returns::act_means(act, row.kind),
        is_first: place == 0 && !matches!(act, ReturnAct::NotABounce | ReturnAct::Dismiss),
    })
    .collect()
}
