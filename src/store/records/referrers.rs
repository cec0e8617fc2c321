//! Referrers.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::domain::id::ReferrerId;
use crate::domain::names::{PersonKey, organization_key};
use crate::domain::referrer::{Location, Place, Referrer, ReferrerState, ReferrerType};
use crate::domain::{AddressKey, EmailAddress, FaxNumber, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};
use crate::store::records::searching::{patterns_of, search_text};

const OPEN_CONVERSATION: &str = "UPDATE referrer SET state = 'conversation_open', updated_ms = $2
    WHERE id = $1 AND state = 'active' AND removed_ms IS NULL";
const COLUMNS: &str = "SELECT id, npi, first_name, last_name, credentials, organization, kind, email, fax, phone,
    street, city, region, postal_code, time_zone, state, tags, source, notes, created_ms, updated_ms, provenance,
    removed_ms FROM referrer";
const UPSERT: &str = "INSERT INTO referrer (id, npi, first_name, last_name, credentials, organization, kind, email,
        email_key, fax, phone, street, city, region, postal_code, time_zone, state, tags, source, notes, sort_name, name_key,
        search_text, created_ms, updated_ms, provenance, removed_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
        $25, $26, $27)
    ON CONFLICT (id) DO UPDATE SET npi = excluded.npi, first_name = excluded.first_name,
        last_name = excluded.last_name, credentials = excluded.credentials, organization = excluded.organization,
        kind = excluded.kind, email = excluded.email, email_key = excluded.email_key, fax = excluded.fax,
        phone = excluded.phone, street = excluded.street, city = excluded.city, region = excluded.region,
        postal_code = excluded.postal_code, time_zone = excluded.time_zone, state = excluded.state, tags = excluded.tags,
        source = excluded.source, notes = excluded.notes, sort_name = excluded.sort_name, name_key = excluded.name_key,
        search_text = excluded.search_text, updated_ms = excluded.updated_ms, provenance = excluded.provenance,
        removed_ms = excluded.removed_ms";
const IDS: &str = "SELECT id, kind, sort_name FROM referrer WHERE removed_ms IS NULL";
const TAGGED: &str = " AND id IN (SELECT referrer_id FROM referrer_tag WHERE tag = ";
const FORGET_TAGS: &str = "DELETE FROM referrer_tag WHERE referrer_id = $1";
const ADD_TAG: &str = "INSERT INTO referrer_tag (tag, referrer_id) VALUES ($1, $2)";
const TAGS: &str = "SELECT tag, COUNT(*) FROM referrer_tag JOIN referrer ON id = referrer_id WHERE removed_ms IS NULL
    GROUP BY tag ORDER BY tag";
const COUNT: &str = "SELECT COUNT(*) FROM referrer WHERE removed_ms IS NULL";
const DELETE: &str = "DELETE FROM referrer WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM touch WHERE referrer_id = $1)
    AND NOT EXISTS (SELECT 1 FROM message WHERE referrer_id = $1)
    AND NOT EXISTS (SELECT 1 FROM referrer_merge WHERE kept_id = $1 OR merged_id = $1)";
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

/// By what candidates for one person are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// National Provider Identifiers.
    Npi,
    /// [`name_key`]s.
    Name,
    /// Fax numbers.
    Fax,
    /// Keys of mailboxes.
    Email,
    /// Voice numbers.
    Phone,
}

impl Alike {
    const fn column(self) -> &'static str {
        match self {
            Self::Npi => "npi",
            Self::Name => "name_key",
            Self::Fax => "fax",
            Self::Email => "email_key",
            Self::Phone => "phone",
        }
    }
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
    street: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    time_zone: Option<String>,
    state: ReferrerState,
    tags: String,
    source: Option<String>,
    notes: Option<String>,
    created_ms: Timestamp,
    updated_ms: Timestamp,
    provenance: String,
    removed_ms: Option<Timestamp>,
}

record!(Row: "referrer" by id as ReferrerId { id, npi, first_name, last_name, credentials, organization, kind, email, fax, phone, street, city, region, postal_code, time_zone, state, tags, source, notes, created_ms, updated_ms, provenance, removed_ms });

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
            place: Place { street: row.street, city: row.city, region: row.region, postal_code: row.postal_code },
            time_zone: row.time_zone,
            state: row.state,
            tags: serde_json::from_str(&row.tags).unwrap_or_default(),
            source: row.source,
            notes: row.notes,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            provenance: serde_json::from_str(&row.provenance).unwrap_or_default(),
            removed_ms: row.removed_ms,
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

/// By what referrers are looked up who could be the same person: the family name, else the organization, else the fact
/// that there is neither. Never empty.
#[must_use]
pub fn name_key(first_name: Option<&str>, last_name: Option<&str>, organization: Option<&str>) -> String {
    let person = PersonKey::of(first_name, last_name);
    if !person.is_empty() {
        return person.last().to_owned();
    }
    format!("@{}", organization.map(organization_key).unwrap_or_default())
}

impl Tx {
    /// Stores a referrer, new or changed, with its tags.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another referrer has the same NPI.
    pub async fn referrer_put(&mut self, referrer: &Referrer) -> Result<(), StoreError> {
        let locations = self.locations_of(&[referrer.id]).await?;
        self.referrer_store(referrer, &locations).await
    }

    /// Stores somebody who was not on record and so has no further locations: nothing is looked up.
    pub async fn referrer_add(&mut self, referrer: &Referrer) -> Result<(), StoreError> {
        self.referrer_store(referrer, &[]).await
    }

    async fn referrer_store(&mut self, referrer: &Referrer, locations: &[Location]) -> Result<(), StoreError> {
        let tags = serde_json::to_string(&referrer.tags).unwrap_or_else(|_| "[]".to_owned());
        let provenance = serde_json::to_string(&referrer.provenance).unwrap_or_else(|_| "{}".to_owned());
        let name_key =
            name_key(referrer.first_name.as_deref(), referrer.last_name.as_deref(), referrer.organization.as_deref());
        let search_text = search_text(referrer, locations);
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
                .bind(&referrer.place.street)
                .bind(&referrer.place.city)
                .bind(&referrer.place.region)
                .bind(&referrer.place.postal_code)
                .bind(&referrer.time_zone)
                .bind(referrer.state)
                .bind(&tags)
                .bind(&referrer.source)
                .bind(&referrer.notes)
                .bind(sort_name(referrer))
                .bind(&name_key)
                .bind(&search_text)
                .bind(referrer.created_ms)
                .bind(referrer.updated_ms)
                .bind(&provenance)
                .bind(referrer.removed_ms)
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

    /// Everyone who was taken off all lists, deleted or merged into another, the latest first.
    pub async fn referrers_removed(&mut self) -> Result<Vec<Referrer>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE removed_ms IS NOT NULL ORDER BY removed_ms DESC, id");
            sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?
        });
        Ok(rows.into_iter().map(Referrer::from).collect())
    }

    /// Takes a referrer without any history off the records. False: there is a history, and nothing was changed.
    pub async fn referrer_delete(&mut self, id: ReferrerId) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(DELETE).bind(id).execute(&mut *c).await?.rows_affected() == 1))
    }

    /// Referrers by name after a cursor (the [`sort_name`] and id of the last one of the page before), optionally only
    /// those that a search finds: all its words in name, NPI, or organization, town or email of any location, without regard
    /// to case and accents, or the digits of a number in any form. At most `limit`; nobody who was removed.
    pub async fn referrers_page(
        &mut self,
        contains: Option<&str>,
        after: Option<(&str, ReferrerId)>,
        limit: i64,
    ) -> Result<Vec<Referrer>, StoreError> {
        let patterns = contains.map(patterns_of).unwrap_or_default();
        let rows: Vec<Row> = on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE removed_ms IS NULL");
            for pattern in &patterns {
                statement.push(" AND search_text LIKE ").push_bind(pattern.clone()).push(ESCAPE);
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

    /// How many referrers a search finds, as [`Tx::referrers_page`] does.
    pub async fn referrers_found_count(&mut self, contains: &str) -> Result<i64, StoreError> {
        let patterns = patterns_of(contains);
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COUNT);
            for pattern in &patterns {
                statement.push(" AND search_text LIKE ").push_bind(pattern.clone()).push(ESCAPE);
            }
            Ok(statement.build_query_scalar().fetch_one(&mut *c).await?)
        })
    }

    /// An active referrer is in conversation with a person from now on; nothing else of the record changes. False: they are not active.
    pub async fn referrer_open_conversation(&mut self, id: ReferrerId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(OPEN_CONVERSATION).bind(id).bind(now).execute(&mut *c).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// Referrers with that NPI, email or fax, or a location with that email or fax; at most 100.
    pub async fn referrers_like(
        &mut self,
        npi: Option<&str>,
        email: Option<&EmailAddress>,
        fax: Option<&FaxNumber>,
    ) -> Result<Vec<Referrer>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text = format!(
                "{COLUMNS} WHERE removed_ms IS NULL AND (npi = $1 OR email_key = $2 OR fax = $3 OR id IN
                    (SELECT referrer_id FROM referrer_location WHERE email_key = $2 OR fax = $3)) ORDER BY id LIMIT 100"
            );
            sqlx::query_as(AssertSqlSafe(text))
                .bind(npi)
                .bind(email.map(AddressKey::from))
                .bind(fax)
                .fetch_all(&mut *c)
                .await?
        });
        Ok(rows.into_iter().map(Referrer::from).collect())
    }

    /// Everyone who could be meant by rows of a list: all with one of these NPIs, [`name_key`]s or addresses, however
    /// many share one, and those who were removed.
    pub async fn referrers_alike(&mut self, by: Alike, keys: &[&str]) -> Result<Vec<Referrer>, StoreError> {
        let mut found = Vec::new();
        for list in lists(keys) {
            let rows: Vec<Row> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE ").push(by.column()).push(" IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().map(Referrer::from));
        }
        Ok(found)
    }

    /// Everyone of whose record a person has corrected something that a list had said: lists may still mean them by it.
    pub async fn referrers_corrected(&mut self) -> Result<Vec<Referrer>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE provenance LIKE '%former%'");
            sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?
        });
        Ok(rows.into_iter().map(Referrer::from).collect())
    }

    /// Referrers written by a version that knew no [`name_key`], at most `limit`: storing them again fills it in.
    pub async fn referrers_without_keys(&mut self, limit: i64) -> Result<Vec<Referrer>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE name_key = '' ORDER BY id LIMIT $1");
            sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?
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
                    statement.push(" AND kind = ").push_bind(kind);
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
