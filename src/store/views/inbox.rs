//! Read models of the inbox: when callbacks came, their size, their state. Never their content.

use serde::Serialize;

use crate::domain::Timestamp;
use crate::domain::callback::{CallbackForm, CallbackState};
use crate::domain::id::InboxId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};

const LINES: &str =
    "SELECT id, provider, form, octets, facts, state, looks, received_ms, settled_ms FROM inbox WHERE 1 = 1";
const LINE: &str = "SELECT id, provider, form, octets, facts, state, looks, received_ms, settled_ms FROM inbox
    WHERE id = $1";
const PLACES: &str = "SELECT received_ms, id FROM inbox WHERE form = 'raw' AND state <> 'waiting'";
const UNREADABLE: &str = "SELECT provider, COUNT(*) AS callbacks, MIN(received_ms) AS oldest_ms FROM inbox
    WHERE state = 'unreadable' GROUP BY provider ORDER BY provider";

/// Adds the conditions of a [`CallbacksOf`], on whichever engine the statement is built for.
macro_rules! narrow {
    ($statement:ident, $of:ident) => {
        if let Some(provider) = &$of.provider {
            $statement.push(" AND provider = ").push_bind(provider);
        }
        if let Some(state) = $of.state {
            $statement.push(" AND state = ").push_bind(state);
        }
        if let Some(since) = $of.since {
            $statement.push(" AND received_ms >= ").push_bind(since);
        }
    };
}

/// Which callbacks to list.
#[derive(Debug, Clone, Default)]
pub struct CallbacksOf {
    /// Only those of one account.
    pub provider: Option<String>,
    /// Only those in one state.
    pub state: Option<CallbackState>,
    /// Only those received then or later.
    pub since: Option<Timestamp>,
}

/// A callback, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallbackLine {
    /// Identifier.
    pub id: InboxId,
    /// The account it came to.
    #[serde(rename = "account")]
    pub provider: String,
    /// How it is stored.
    pub form: CallbackForm,
    /// Size of the body as received, in octets.
    #[serde(rename = "size")]
    pub octets: i64,
    /// How many facts were read from it.
    pub facts: i64,
    /// Its state.
    pub state: CallbackState,
    /// How often its attempt was looked up.
    pub looks: i64,
    /// When it came.
    #[serde(rename = "received_at")]
    pub received_ms: Timestamp,
    /// When it was settled.
    #[serde(rename = "settled_at")]
    pub settled_ms: Option<Timestamp>,
}

record!(CallbackLine: "inbox" by id as InboxId {
    id, provider, form, octets, facts, state, looks, received_ms, settled_ms
});

/// A callback's place in order of arrival.
pub type Place = (Timestamp, InboxId);

/// Callbacks of one account that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The account.
    pub provider: String,
    /// How many.
    pub callbacks: i64,
    /// When the first of them came.
    pub oldest_ms: Timestamp,
}

row!(Unreadable { provider, callbacks, oldest_ms });

impl Tx {
    /// Callbacks, the newest first, at most `limit`.
    pub async fn callback_lines(&mut self, of: &CallbacksOf, limit: i64) -> Result<Vec<CallbackLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(LINES);
            narrow!(statement, of);
            statement.push(" ORDER BY received_ms DESC, id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// One callback.
    pub async fn callback_line(&mut self, id: InboxId) -> Result<Option<CallbackLine>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(LINE).bind(id).fetch_optional(&mut *c).await?))
    }

    /// The places of callbacks that can be read again, in order of arrival, after a place; at most `limit`.
    pub async fn callback_places(
        &mut self,
        of: &CallbacksOf,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Place>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(PLACES);
            narrow!(statement, of);
            if let Some((received, id)) = after {
                statement.push(" AND (received_ms > ").push_bind(received);
                statement.push(" OR (received_ms = ").push_bind(received).push(" AND id > ").push_bind(id).push("))");
            }
            statement.push(" ORDER BY received_ms, id LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// How many callbacks could not be read, for each account that has any.
    pub async fn callbacks_unreadable(&mut self) -> Result<Vec<Unreadable>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(UNREADABLE).fetch_all(&mut *c).await?))
    }
}
