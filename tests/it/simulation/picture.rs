//! A picture: everything that is committed at one moment and that an invariant speaks of.

use std::collections::BTreeMap;

use sqlx::Row;
use touchline::domain::attempt::Attempt;
use touchline::domain::id::{AttemptId, BroadcastId, MessageId, SubmissionId, TouchId};
use touchline::domain::message::Message;
use touchline::domain::touch::Touch;
use touchline::domain::{MessageStatus, Timestamp};
use touchline::store::records::broadcasts::Broadcast;
use touchline::store::records::submissions::UndoWindow;

use super::spy::Spy;

/// A queue entry as it lies in its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub kind: String,
    pub subject: uuid::Uuid,
    pub state: String,
    pub due_ms: Timestamp,
    pub rank: i64,
    pub fence: i64,
    pub owner: Option<String>,
    pub lease_until_ms: Option<Timestamp>,
}

macro_rules! entry_of {
    ($row:ty) => {
        impl sqlx::FromRow<'_, $row> for Entry {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    id: row.try_get("id")?,
                    kind: row.try_get("kind")?,
                    subject: row.try_get("subject")?,
                    state: row.try_get("state")?,
                    due_ms: row.try_get("due_ms")?,
                    rank: row.try_get("rank")?,
                    fence: row.try_get("fence")?,
                    owner: row.try_get("owner")?,
                    lease_until_ms: row.try_get("lease_until_ms")?,
                })
            }
        }
    };
}
entry_of!(sqlx::sqlite::SqliteRow);
entry_of!(sqlx::postgres::PgRow);

/// See the module's comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    pub messages: BTreeMap<MessageId, Message>,
    pub attempts: BTreeMap<AttemptId, Attempt>,
    /// By subject: a message has one entry at most, which the schema sees to.
    pub entries: BTreeMap<MessageId, Entry>,
    pub touches: BTreeMap<TouchId, Touch>,
    pub broadcasts: BTreeMap<BroadcastId, Broadcast>,
    pub windows: BTreeMap<SubmissionId, UndoWindow>,
}

impl Picture {
    /// Everything as it is now.
    pub fn take(spy: &mut Spy) -> Self {
        let mut picture = Self::take_messages(spy);
        let touches: Vec<Touch> = spy.rows("SELECT * FROM touch");
        let broadcasts: Vec<Broadcast> = spy.rows("SELECT * FROM broadcast");
        let windows: Vec<UndoWindow> = spy.rows("SELECT id, undo_until_ms, undone_ms FROM submission");
        picture.windows = windows.into_iter().map(|one| (one.id, one)).collect();
        picture.touches = touches.into_iter().map(|one| (one.id, one)).collect();
        picture.broadcasts = broadcasts.into_iter().map(|one| (one.id, one)).collect();
        picture
    }

    /// The same, where nothing but a message's change can have changed a touch or a broadcast.
    pub fn take_after(spy: &mut Spy, before: &Self) -> Self {
        let picture = Self::take_messages(spy);
        if picture.messages != before.messages {
            return Self::take(spy);
        }
        let (touches, broadcasts) = (before.touches.clone(), before.broadcasts.clone());
        Self { touches, broadcasts, windows: before.windows.clone(), ..picture }
    }

    fn take_messages(spy: &mut Spy) -> Self {
        let messages: Vec<Message> = spy.rows("SELECT * FROM message");
        let attempts: Vec<Attempt> = spy.rows("SELECT * FROM attempt");
        let entries: Vec<Entry> = spy.rows("SELECT * FROM queue_entry");
        Self {
            messages: messages.into_iter().map(|one| (one.id, one)).collect(),
            attempts: attempts.into_iter().map(|one| (one.id, one)).collect(),
            entries: entries.into_iter().map(|one| (MessageId(one.subject), one)).collect(),
            ..Self::default()
        }
    }

    /// The attempts of a message, first to last.
    pub fn attempts_of(&self, message: MessageId) -> Vec<&Attempt> {
        let mut attempts: Vec<&Attempt> =
            self.attempts.values().filter(|attempt| attempt.message_id == message).collect();
        attempts.sort_by_key(|attempt| attempt.number);
        attempts
    }

    /// The messages of a touch.
    pub fn statuses_of(&self, touch: TouchId) -> Vec<MessageStatus> {
        self.messages.values().filter(|one| one.touch_id == touch).map(|one| one.status).collect()
    }
}
