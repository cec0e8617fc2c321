//! A referrer's history.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::message::MessageView;
use crate::domain::touch::Touch;
use crate::domain::{Actor, Timestamp};

/// One communication in a referrer's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct TouchView {
    /// Identifier.
    pub id: Uuid,
    /// `letter`, `call`, `visit`, `meeting`, `lunch_and_learn`, `note`, `referral_received` or `reply`.
    pub kind: &'static str,
    /// The letter's name.
    pub letter: Option<String>,
    /// The letter's title at that time, or the words of the person who logged it.
    pub title: String,
    /// Content category.
    pub category: Option<String>,
    /// `pending`, `delivered`, `failed`, `suppressed`, `cancelled` or `expired`.
    pub disposition: &'static str,
    /// The touch it repeats: the same letter within its repeat window. While that one counts, this one does not.
    pub repeat_of: Option<Uuid>,
    /// The broadcast it is part of.
    pub broadcast: Option<Uuid>,
    /// Who asked for it or logged it.
    #[schema(value_type = String)]
    pub actor: Actor,
    /// When it was made, or took place.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// When the first of its messages arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// Its messages; none for what a person logged.
    pub messages: Vec<MessageView>,
}

impl TouchView {
    /// A touch with its messages.
    #[must_use]
    pub fn of(touch: Touch, messages: Vec<MessageView>) -> Self {
        Self {
            id: touch.id.0,
            kind: touch.kind.as_str(),
            letter: touch.letter,
            title: touch.title,
            category: touch.category,
            disposition: touch.disposition.as_str(),
            repeat_of: touch.repeat_of.map(|id| id.0),
            broadcast: touch.broadcast_id.map(|id| id.0),
            actor: touch.actor,
            occurred_at: touch.occurred_ms,
            delivered_at: touch.delivered_ms,
            messages,
        }
    }
}

/// A page of a referrer's history, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TouchPage {
    /// The referrer.
    pub referrer: Uuid,
    /// Touches delivered, or that took place, over the whole history.
    pub delivered: i64,
    /// How many are aimed at.
    pub goal: u32,
    /// This page.
    pub touches: Vec<TouchView>,
    /// What to give as `after` for the next page; null at the end.
    pub next: Option<String>,
}
