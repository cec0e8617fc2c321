//! What can still be withdrawn, as the overview and the page of a message show it, and the button's act.

use axum::extract::{Path, State};
use axum::response::Response;

use super::form::{Posted, nowhere, then_show};
use super::notice::Done;
use super::view::moment::{Calendar, Moment};
use super::view::titles;
use crate::domain::Timestamp;
use crate::domain::id::SubmissionId;
use crate::operator::{self, OperatorError};
use crate::render::Renderer;
use crate::store::views::undo::Undoable;
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::wording;

/// Submissions shown.
const SHOWN: i64 = 20;

/// A submission within its undo window.
pub(super) struct UndoRow {
    /// What is sent: the broadcast's name, or the letter.
    pub what: String,
    /// How many messages.
    pub messages: String,
    /// Who sent it.
    pub who: String,
    /// When.
    pub sent: Moment,
    /// How long it can still be withdrawn: `4 min 10 s`.
    pub left: String,
    /// Where the button posts.
    pub action: String,
}

/// The submissions that can be withdrawn now, newest first.
pub(super) async fn rows(tx: &mut Tx, calendar: &Calendar, renderer: &Renderer) -> Result<Vec<UndoRow>, StoreError> {
    let undoable = tx.undoable(calendar.now, SHOWN).await?;
    Ok(undoable.into_iter().map(|one| row(one, calendar, renderer)).collect())
}

/// Of one submission, if it can be withdrawn now.
pub(super) async fn of(tx: &mut Tx, id: SubmissionId, calendar: &Calendar) -> Result<Option<UndoButton>, StoreError> {
    let undoable = tx.undoable_submission(id, calendar.now).await?;
    Ok(undoable.map(|one| UndoButton { action: action(id), left: left(calendar.now, one.undo_until_ms) }))
}

/// The button on the page of a message.
pub(super) struct UndoButton {
    /// Where it posts.
    pub action: String,
    /// How long it is there.
    pub left: String,
}

fn row(one: Undoable, calendar: &Calendar, renderer: &Renderer) -> UndoRow {
    let letter = || one.letter.as_deref().map_or_else(|| "A letter".to_owned(), |name| titles::letter(renderer, name));
    let broadcast = |name: &String| titles::named(renderer, name, one.letter.as_deref().unwrap_or_default());
    UndoRow {
        what: one.broadcast.as_ref().map_or_else(letter, broadcast),
        messages: wording::count(one.messages, "message", "messages"),
        who: one.who.name().to_owned(),
        sent: calendar.moment(one.created_ms),
        left: left(calendar.now, one.undo_until_ms),
        action: action(one.id),
    }
}

fn action(id: SubmissionId) -> String {
    format!("/submissions/{id}/undo")
}

fn left(now: Timestamp, until: Timestamp) -> String {
    let seconds = until.since(now).as_millis().div_ceil(1_000);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// `POST /submissions/{id}/undo`: withdraws it. Leads back to the overview.
pub async fn act(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: SubmissionId = id.parse().map_err(|_| nowhere())?;
    let done = match operator::undo(&state.gateway.operator(), id, &posted.operator.actor).await {
        Ok(_) => Done::Withdrawn,
        Err(OperatorError::WrongState(_)) => Done::TooLate,
        Err(error) => return Err(error.into()),
    };
    Ok(then_show(&done.at("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_said_in_minutes_and_seconds_and_never_as_zero() {
        for (ms, said) in [(1, "1 s"), (59_001, "1 min"), (600_000, "10 min"), (250_000, "4 min 10 s")] {
            assert_eq!(left(Timestamp(0), Timestamp(ms)), said, "{ms}");
        }
    }
}
