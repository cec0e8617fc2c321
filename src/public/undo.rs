//! A submission that was withdrawn.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::domain::id::SubmissionId;

/// A submission that was withdrawn before its undo window ended. Nothing of it was or will be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndoneView {
    /// The submission.
    pub submission: Uuid,
    /// How many messages were cancelled. Of a list that was not all on the queue yet, the rest never becomes messages.
    pub messages: usize,
    /// When it was withdrawn.
    #[schema(value_type = String, format = DateTime)]
    pub undone_at: Timestamp,
}

impl UndoneView {
    /// A submission that was withdrawn, with how many messages.
    #[must_use]
    pub fn of(submission: SubmissionId, messages: usize, at: Timestamp) -> Self {
        Self { submission: submission.0, messages, undone_at: at }
    }
}
