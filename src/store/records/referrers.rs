//! Referrers.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::domain::id::ReferrerId;
use crate::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use crate::domain::{AddressKey, EmailAddress, FaxNumber, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str = "SELECT id, npi, first_name, last_name, credentials, organization, kind, email, fax, phone,
    time_zone, state, tags, source, notes, created_ms, updated_ms FROM referrer";
const UPSERT: &str = "INSERT INTO referrer (id, npi, first_name, last_name, credentials, organization, kind, email,
        email_key, fax, phone, time_zone, state, tags, source, notes, sort_name, created_ms, updated_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
    ON CONFLICT (id) DO UPDATE SET npi = excluded.npi, first_name = excluded.first_name,
        last_name = excluded.last_name, credentials = excluded.credentials, organization = excluded.organization,
        kind = excluded.kind, email = excluded.email, email_key = excluded.email_key, fax = excluded.fax, phone = excluded.phone,
        time_zone = excluded.time_zone, state = excluded.state, tags = excluded.tags, source = excluded.source,
        notes = excluded.notes, sort_name = excluded.sort_name, updated_ms = excluded.updated_ms";
const IDS: &str = "SELECT id, kind, sort_name FROM referrer";
const TAGGED: &str = " WHERE id IN (SELECT referrer_id FROM referrer_tag WHERE tag = ";
const FORGET_TAGS: &str = "DELETE FROM referrer_tag WHERE referrer_id = $1";
const ADD_TAG: &str = "INSERT INTO referrer_tag (tag, referrer_id) VALUES ($1, $2)";
const TAGS: &str = "SELECT tag, COUNT(*) FROM referrer_tag GROUP BY tag ORDER BY tag";
const COUNT: &str = "SELECT COUNT(*) FROM referrer";
/// Follows a `LIKE`.
const ESCAPE: &str = " ESCAPE '!'";

/// Which referrers belong to an audience.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// Everyone with that tag.
    Tagged(&'a str),
    /// Everyone of that type.
    OfType(ReferrerType),
    /// Everyone.
    All,
}

struct Row {
    id: ReferrerId,
    npi: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    credentials: Option<String>,
    organization: Option<String>,
    kind: ReferrerType,
    email: Option<EmailAddress>,
    fax: Option<FaxNumber>,
    phone: Option<String>,
    time_zone: Option<String>,
    state: ReferrerState,
    tags: String,
    source: Option<String>,
    notes: Option<String>,
    created_ms: Timestamp,
    updated_ms: Timestamp,
}

record!(Row: "referrer" by id as ReferrerId { id, npi, first_name, last_name, credentials, organization, kind, email, fax, phone, time_zone, state, tags, source, notes, created_ms, updated_ms });

impl From<Row> for Referrer {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            npi: row.npi,
            first_name: row.first_name,
            last_name: row.last_name,
            credentials: row.credentials,
            organization: row.organization,
            kind: row.kind,
            email: row.email,
            fax: row.fax,
            phone: row.phone,
            time_zone: row.time_zone,
            state: row.state,
            tags: serde_json::from_str(&row.tags).unwrap_or_default(),
            source: row.source,
            notes: row.notes,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

/// What lists are sorted by: family name, given name, organization, in lower case. With the id it is the cursor of
/// [`Tx::referrers_page`].
#[must_use]
pub fn sort_name(referrer: &Referrer) -> String {
    [&referrer.last_name, &referrer.first_name, &referrer.organization]
        .into_iter()
        .flatten()
        .map(|text| text.to_lowercase())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a text must be like to contain another, with every character literal. PostgreSQL would take a backslash for
/// an escape and SQLite would not, so the statement names the escape character for both.
fn pattern_of(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

impl Tx {
    /// Stores a referrer, new or changed, with its tags.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another referrer has the same NPI.
    pub async fn referrer_put(&mut self, referrer: &Referrer) -> Result<(), StoreError> {
        let tags = serde_json::to_string(&referrer.tags).unwrap_or_else(|_| "[]".to_owned());
        on!(self, |c, d| {
            sqlx::query(UPSERT)
                .bind(referrer.id)
                .bind(&referrer.npi)
                .bind(&referrer.first_name)
                .bind(&referrer.last_name)
                .bind(&referrer.credentials)
                .bind(&referrer.organization)
                .bind(referrer.kind)
                .bind(&referrer.email)
                .bind(referrer.email.as_ref().map(AddressKey::from))
                .bind(&referrer.fax)
                .bind(&referrer.phone)
                .bind(&referrer.time_zone)
                .bind(referrer.state)
                .bind(&tags)
                .bind(&referrer.source)
                .bind(&referrer.notes)
                .bind(sort_name(referrer))
                .bind(referrer.created_ms)
                .bind(referrer.updated_ms)
                .execute(&mut *c)
                .await?;
            sqlx::query(FORGET_TAGS).bind(referrer.id).execute(&mut *c).await?;
            for tag in &referrer.tags {
                sqlx::query(ADD_TAG).bind(tag).bind(referrer.id).execute(&mut *c).await?;
            }
            Ok(())
        })
    }

    /// Those referrers of the list that exist, in no particular order.
    pub async fn referrers(&mut self, ids: &[ReferrerId]) -> Result<Vec<Referrer>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for list in lists(ids) {
            let rows: Vec<Row> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().map(Referrer::from));
        }
        Ok(found)
    }

    /// One referrer.
    pub async fn referrer(&mut self, id: ReferrerId) -> Result<Option<Referrer>, StoreError> {
        Ok(self.referrers(&[id]).await?.pop())
    }

    /// Referrers by name after a cursor (the [`sort_name`] and id of the last one of the page before), optionally only
    /// those whose name, organization, email or NPI contains a text. At most `limit`.
    pub async fn referrers_page(
        &mut self,
        contains: Option<&str>,
        after: Option<(&str, ReferrerId)>,
        limit: i64,
    ) -> Result<Vec<Referrer>, StoreError> {
        let pattern = contains.map(pattern_of);
        let rows: Vec<Row> = on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE 1 = 1");
            if let Some(pattern) = &pattern {
                statement.push(" AND (sort_name LIKE ").push_bind(pattern.clone()).push(ESCAPE);
                statement.push(" OR COALESCE(email_key, '') LIKE ").push_bind(pattern.clone()).push(ESCAPE);
                statement.push(" OR COALESCE(npi, '') LIKE ").push_bind(pattern.clone()).push(ESCAPE).push(")");
            }
            if let Some((name, id)) = after {
                statement.push(" AND (sort_name, id) > (").push_bind(name.to_owned());
                statement.push(", ").push_bind(id).push(")");
            }
            statement.push(" ORDER BY sort_name, id LIMIT ").push_bind(limit);
            statement.build_query_as().fetch_all(&mut *c).await?
        });
        Ok(rows.into_iter().map(Referrer::from).collect())
    }

    /// Referrers with that NPI, or else that email, or else that fax: candidates for "the same referrer".
    pub async fn referrers_like(
        &mut self,
        npi: Option<&str>,
        email: Option<&EmailAddress>,
        fax: Option<&FaxNumber>,
    ) -> Result<Vec<Referrer>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE npi = $1 OR email_key = $2 OR fax = $3 ORDER BY id LIMIT 100");
            sqlx::query_as(AssertSqlSafe(text))
                .bind(npi)
                .bind(email.map(AddressKey::from))
                .bind(fax)
                .fetch_all(&mut *c)
                .await?
        });
        Ok(rows.into_iter().map(Referrer::from).collect())
    }

    /// The ids of everyone in an audience, by priority of type, then name.
    pub async fn referrer_ids(&mut self, members: Members<'_>) -> Result<Vec<ReferrerId>, StoreError> {
        let mut rows: Vec<(ReferrerId, ReferrerType, String)> = on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(IDS);
            match members {
                Members::Tagged(tag) => {
                    statement.push(TAGGED).push_bind(tag).push(")");
                }
                Members::OfType(kind) => {
                    statement.push(" WHERE kind = ").push_bind(kind);
                }
                Members::All => {}
            }
            statement.build_query_as().fetch_all(&mut *c).await?
        });
        rows.sort_unstable_by(|(a, kind_a, name_a), (b, kind_b, name_b)| {
            (kind_a.priority(), name_a, a).cmp(&(kind_b.priority(), name_b, b))
        });
        Ok(rows.into_iter().map(|(id, ..)| id).collect())
    }

    /// Everyone in an audience, by priority of type, then name.
    pub async fn referrers_of(&mut self, members: Members<'_>) -> Result<Vec<Referrer>, StoreError> {
        let ids = self.referrer_ids(members).await?;
        self.referrers_in_order(&ids).await
    }

    /// These referrers, in this order; those that are gone are skipped.
    pub async fn referrers_in_order(&mut self, ids: &[ReferrerId]) -> Result<Vec<Referrer>, StoreError> {
        let mut found: HashMap<ReferrerId, Referrer> =
            self.referrers(ids).await?.into_iter().map(|referrer| (referrer.id, referrer)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Every tag and how many referrers have it.
    pub async fn referrer_tags(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(TAGS).fetch_all(&mut *c).await?))
    }

    /// How many referrers there are.
    pub async fn referrer_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(COUNT).fetch_one(&mut *c).await?))
    }
}
