//! The inbox: verified callbacks as received, stored before they are answered, read and applied later.

use std::collections::{HashMap, HashSet};

use sqlx::AssertSqlSafe;

use super::inbox_facts::NewFact;
use crate::domain::Timestamp;
use crate::domain::callback::{CallbackForm, CallbackState};
use crate::domain::id::InboxId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::packing::{pack, unpack};
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list, weighed};

const INSERT: &str = "INSERT INTO inbox (id, provider, form, dedupe, used_once, body, octets, facts, state, looks,
    received_ms, settled_ms) ";
const INSERTED: &str = " ON CONFLICT DO NOTHING RETURNING id";
const REPEATED: &str = "UPDATE inbox SET state = 'repeated', settled_ms = received_ms WHERE id IN (";
const USED: &str = "SELECT used_once, dedupe FROM inbox WHERE used_once IN (";
const WAITING: &str = "SELECT id, octets FROM inbox WHERE state = 'waiting' ORDER BY looks, received_ms, id LIMIT $1";
const HAS_WAITING: &str = "SELECT id FROM inbox WHERE state = 'waiting' LIMIT 1";
const CALLBACKS: &str = "SELECT id, provider, form, dedupe, body, facts, state, looks, received_ms FROM inbox
    WHERE id IN (";
const SIZES: &str = "SELECT id, octets FROM inbox WHERE id IN (";
const SETTLE: &str = "UPDATE inbox SET looks = looks + 1, state = ";
const SETTLED: &str = ", settled_ms = ";
const LOOK: &str = "UPDATE inbox SET looks = looks + 1 WHERE id IN (";
const COUNT_FACTS: &str = "UPDATE inbox SET facts = $1 WHERE id = $2";
// What a person called no bounce stays as the evidence for that.
const OLD: &str = "SELECT id FROM inbox WHERE received_ms < $1 AND state <> 'waiting' AND id NOT IN
    (SELECT inbox_id FROM mail_return WHERE outcome = 'not_a_bounce' AND inbox_id IS NOT NULL)
    ORDER BY received_ms, id LIMIT $2";
const HAS_OLDER: &str = "SELECT id FROM inbox WHERE received_ms < $1 AND state <> 'waiting' AND id NOT IN
    (SELECT inbox_id FROM mail_return WHERE outcome = 'not_a_bounce' AND inbox_id IS NOT NULL) LIMIT 1";
const NOTE_PURGED: &str = "UPDATE mail_return SET callback_purged_ms = ";
const REMOVE: &str = "DELETE FROM inbox WHERE id IN (";

/// Octets of bodies that are read or written together, unless one alone has more.
const OCTETS_AT_ONCE: usize = 16 * 1024 * 1024;
/// The largest content that is unpacked, in octets: a body of 4 MiB, with its address and headers.
const OCTETS_MAX: usize = 5 * 1024 * 1024;

/// A callback to be stored.
#[derive(Debug, Clone)]
pub struct NewCallback {
    /// Identifier.
    pub id: InboxId,
    /// The account it came to.
    pub provider: String,
    /// The same content has the same fingerprint: it is stored once for each account.
    pub fingerprint: String,
    /// A digest of what its sender uses for one callback only, where its proof does not cover the content.
    pub used_once: Option<String>,
    /// Its initial state.
    pub state: CallbackState,
    /// The facts that were read in it.
    pub facts: Vec<NewFact>,
    /// When it came.
    pub received_ms: Timestamp,
    content: Vec<u8>,
    octets: i64,
}

impl NewCallback {
    /// A callback that waits, without any fact. Its content is packed here; `octets` is the size of the body as it came.
    #[must_use]
    pub fn new(provider: &str, fingerprint: String, content: Vec<u8>, octets: usize, received_ms: Timestamp) -> Self {
        Self {
            id: InboxId::new(),
            provider: provider.to_owned(),
            fingerprint,
            used_once: None,
            state: CallbackState::Waiting,
            facts: Vec::new(),
            received_ms,
            content: pack(content),
            octets: i64::try_from(octets).unwrap_or(i64::MAX),
        }
    }
}

/// One callback in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Identifier.
    pub id: InboxId,
    /// The account it came to.
    pub provider: String,
    /// How it is stored.
    pub form: CallbackForm,
    /// The fact's key, or the content's fingerprint.
    pub dedupe: String,
    /// The fact as JSON, or the content as it was given; `None` if it cannot be unpacked.
    pub content: Option<Vec<u8>>,
    /// How many facts were read in it.
    pub facts: i64,
    /// Its state.
    pub state: CallbackState,
    /// How often its attempt was looked up and not found.
    pub looks: i64,
    /// When it came.
    pub received_ms: Timestamp,
}

struct Row {
    id: InboxId,
    provider: String,
    form: CallbackForm,
    dedupe: String,
    body: Vec<u8>,
    facts: i64,
    state: CallbackState,
    looks: i64,
    received_ms: Timestamp,
}

record!(Row: "inbox" by id as InboxId { id, provider, form, dedupe, body, facts, state, looks, received_ms });

impl From<Row> for Callback {
    fn from(row: Row) -> Self {
        let content = match row.form {
            CallbackForm::Event => Some(row.body),
            CallbackForm::Raw => unpack(row.body, OCTETS_MAX),
        };
        let Row { id, provider, form, dedupe, facts, state, looks, received_ms, .. } = row;
        Self { id, provider, form, dedupe, content, facts, state, looks, received_ms }
    }
}

/// The first callbacks that together are no larger than what is read at a time.
fn within(sizes: &[(InboxId, i64)]) -> Vec<InboxId> {
    let weight = |(_, octets): &(InboxId, i64)| usize::try_from(*octets).unwrap_or(usize::MAX);
    let first = weighed(sizes, OCTETS_AT_ONCE, weight).next().unwrap_or_default();
    first.iter().map(|(id, _)| *id).collect()
}

impl Tx {
    /// Stores callbacks and claims their facts. Returns for each how many of its facts were new. One whose content is
    /// already stored is not stored again; one that says nothing new is stored as a repetition.
    pub async fn inbox_insert(&mut self, callbacks: &[NewCallback]) -> Result<Vec<usize>, StoreError> {
        let kept = self.inbox_insert_new(callbacks).await?;
        let of_new = callbacks.iter().filter(|callback| kept.contains(&callback.id));
        let facts: Vec<NewFact> = of_new.flat_map(|callback| callback.facts.iter().cloned()).collect();
        let mut fresh: HashMap<InboxId, usize> = HashMap::new();
        for (id, _) in self.inbox_facts_claim(&facts).await? {
            *fresh.entry(id).or_default() += 1;
        }
        let says_nothing_new = |callback: &&NewCallback| {
            callback.state == CallbackState::Waiting
                && kept.contains(&callback.id)
                && !callback.facts.is_empty()
                && !fresh.contains_key(&callback.id)
        };
        let repeated: Vec<InboxId> = callbacks.iter().filter(says_nothing_new).map(|callback| callback.id).collect();
        for list in lists(&repeated) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(REPEATED);
                push_list(&mut statement, list);
                statement.push(")").build().execute(&mut *c).await?;
            });
        }
        Ok(callbacks.iter().map(|callback| fresh.remove(&callback.id).unwrap_or(0)).collect())
    }

    /// Those of these callbacks that are replays: what their sender uses once came before with other content, to whatever
    /// account, or comes so with one before them. They are not to be stored.
    pub async fn inbox_replayed(&mut self, callbacks: &[NewCallback]) -> Result<HashSet<InboxId>, StoreError> {
        let used: Vec<&str> = callbacks.iter().filter_map(|callback| callback.used_once.as_deref()).collect();
        let mut content_of: HashMap<String, String> = HashMap::with_capacity(used.len());
        for list in lists(&used) {
            let rows: Vec<(String, String)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(USED);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            content_of.extend(rows);
        }
        let mut replayed = HashSet::new();
        for callback in callbacks {
            let Some(once) = callback.used_once.clone() else { continue };
            let first = content_of.entry(once).or_insert_with(|| callback.fingerprint.clone());
            if *first != callback.fingerprint {
                replayed.insert(callback.id);
            }
        }
        Ok(replayed)
    }

    async fn inbox_insert_new(&mut self, callbacks: &[NewCallback]) -> Result<HashSet<InboxId>, StoreError> {
        let mut kept = HashSet::with_capacity(callbacks.len());
        let weight = |callback: &NewCallback| callback.content.len();
        for portion in weighed(callbacks, OCTETS_AT_ONCE, weight).flat_map(portions) {
            let rows: Vec<InboxId> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, callback| {
                    let settled = (callback.state != CallbackState::Waiting).then_some(callback.received_ms);
                    let facts = i64::try_from(callback.facts.len()).unwrap_or(i64::MAX);
                    row.push_bind(callback.id).push_bind(&callback.provider).push_bind(CallbackForm::Raw);
                    row.push_bind(&callback.fingerprint).push_bind(callback.used_once.as_deref());
                    row.push_bind(&callback.content).push_bind(callback.octets);
                    row.push_bind(facts).push_bind(callback.state).push_bind(0_i64);
                    row.push_bind(callback.received_ms).push_bind(settled);
                });
                statement.push(INSERTED);
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            kept.extend(rows);
        }
        Ok(kept)
    }

    /// Whether any callback waits. Takes no lock: a check must not hide what it finds from its caller.
    pub async fn inbox_has_waiting(&mut self) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<InboxId> = sqlx::query_scalar(HAS_WAITING).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// The waiting callbacks, those least often tried first, so that many that match nothing never block one that does;
    /// locked, and those another node is working on are skipped. At most `limit`, and no more than about 16 MiB at a
    /// time.
    pub async fn inbox_waiting(&mut self, limit: i64) -> Result<Vec<Callback>, StoreError> {
        let waiting: Vec<(InboxId, i64)> = on!(self, |c, d| {
            let text = format!("{WAITING}{}", d.skip_locked());
            sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?
        });
        self.inbox_callbacks(&within(&waiting)).await
    }

    /// The first of these callbacks, no more than about 16 MiB at a time, and how many of the identifiers they account
    /// for: those that are gone are left out. Locked, on PostgreSQL.
    pub async fn inbox_callbacks_within(&mut self, ids: &[InboxId]) -> Result<(Vec<Callback>, usize), StoreError> {
        let mut known: HashMap<InboxId, i64> = HashMap::with_capacity(ids.len());
        for list in lists(ids) {
            let rows: Vec<(InboxId, i64)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(SIZES);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            known.extend(rows);
        }
        let sizes: Vec<(InboxId, i64)> = ids.iter().map(|id| (*id, known.get(id).copied().unwrap_or(0))).collect();
        let first = within(&sizes);
        Ok((self.inbox_callbacks(&first).await?, first.len()))
    }

    /// Callbacks by their identifiers, in that order; those that are gone are left out. Locked, on PostgreSQL.
    pub async fn inbox_callbacks(&mut self, ids: &[InboxId]) -> Result<Vec<Callback>, StoreError> {
        self.callbacks_of(ids, true).await
    }

    /// A callback, for somebody who only looks: it is not locked.
    pub async fn inbox_callback(&mut self, id: InboxId) -> Result<Option<Callback>, StoreError> {
        Ok(self.callbacks_of(&[id], false).await?.pop())
    }

    async fn callbacks_of(&mut self, ids: &[InboxId], lock: bool) -> Result<Vec<Callback>, StoreError> {
        let mut found: HashMap<InboxId, Callback> = HashMap::with_capacity(ids.len());
        for list in lists(ids) {
            let rows: Vec<Row> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CALLBACKS);
                push_list(&mut statement, list);
                statement.push(")").push(if lock { d.for_update() } else { "" });
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().map(|row| (row.id, Callback::from(row))));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Sets the state of callbacks; `Waiting` has them applied again.
    pub async fn inbox_settle(
        &mut self,
        ids: &[InboxId],
        state: CallbackState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let settled = (state != CallbackState::Waiting).then_some(now);
        for list in lists(ids) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(SETTLE);
                statement.push_bind(state).push(SETTLED).push_bind(settled).push(" WHERE id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Counts a lookup for callbacks that found nothing; they stay waiting.
    pub async fn inbox_looked(&mut self, ids: &[InboxId]) -> Result<(), StoreError> {
        for list in lists(ids) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(LOOK);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Notes how many facts a callback was read as, where that has changed.
    pub async fn inbox_count_facts(&mut self, id: InboxId, facts: i64) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(COUNT_FACTS).bind(facts).bind(id).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Whether a settled callback came before a moment, apart from those that a person called no bounce.
    pub async fn inbox_has_older(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<InboxId> = sqlx::query_scalar(HAS_OLDER).bind(before).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Removes settled callbacks that came before a moment, with their facts, the oldest first, at most `limit`, apart from those
    /// that a person called no bounce; returns that were read in them note when. Returns how many. Those that another node is
    /// removing are skipped.
    pub async fn inbox_remove_old(
        &mut self,
        before: Timestamp,
        limit: i64,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let old: Vec<InboxId> = on!(self, |c, d| {
            let text = format!("{OLD}{}", d.skip_locked());
            sqlx::query_scalar(AssertSqlSafe(text)).bind(before).bind(limit).fetch_all(&mut *c).await?
        });
        self.inbox_facts_remove(&old).await?;
        for list in lists(&old) {
            on!(self, |c, d| {
                let mut noting = sqlx::QueryBuilder::<Engine>::new(NOTE_PURGED);
                noting.push_bind(now).push(" WHERE inbox_id IN (");
                push_list(&mut noting, list);
                noting.push(")").build().execute(&mut *c).await?;
                let mut statement = sqlx::QueryBuilder::<Engine>::new(REMOVE);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(old.len())
    }
}
