//! Further places where a referrer works, beside the preferred one on the referrer's own record.

use crate::domain::id::{LocationId, ReferrerId};
use crate::domain::referrer::{Location, Place};
use crate::domain::{AddressKey, EmailAddress, FaxNumber, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str =
    "SELECT id, referrer_id, organization, street, city, region, postal_code, email, fax, phone, source,
    created_ms, updated_ms FROM referrer_location WHERE referrer_id IN (";
const UPSERT: &str = "INSERT INTO referrer_location (id, referrer_id, organization, street, city, region, postal_code,
        email, email_key, fax, phone, source, created_ms, updated_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, street = excluded.street, city = excluded.city,
        region = excluded.region, postal_code = excluded.postal_code, email = excluded.email,
        email_key = excluded.email_key, fax = excluded.fax, phone = excluded.phone, source = excluded.source,
        updated_ms = excluded.updated_ms";
const DELETE_ALL: &str = "DELETE FROM referrer_location WHERE referrer_id = $1";

struct Row {
    id: LocationId,
    referrer_id: ReferrerId,
    organization: Option<String>,
    street: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    email: Option<EmailAddress>,
    fax: Option<FaxNumber>,
    phone: Option<String>,
    source: Option<String>,
    created_ms: Timestamp,
    updated_ms: Timestamp,
}

record!(Row: "referrer_location" by id as LocationId { id, referrer_id, organization, street, city, region, postal_code, email, fax, phone, source, created_ms, updated_ms });

impl From<Row> for Location {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            referrer_id: row.referrer_id,
            organization: row.organization,
            place: Place { street: row.street, city: row.city, region: row.region, postal_code: row.postal_code },
            email: row.email,
            fax: row.fax,
            phone: row.phone,
            source: row.source,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        }
    }
}

impl Tx {
    /// Stores a location, new or changed.
    pub async fn location_put(&mut self, location: &Location) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(UPSERT)
                .bind(location.id)
                .bind(location.referrer_id)
                .bind(&location.organization)
                .bind(&location.place.street)
                .bind(&location.place.city)
                .bind(&location.place.region)
                .bind(&location.place.postal_code)
                .bind(&location.email)
                .bind(location.email.as_ref().map(AddressKey::from))
                .bind(&location.fax)
                .bind(&location.phone)
                .bind(&location.source)
                .bind(location.created_ms)
                .bind(location.updated_ms)
                .execute(&mut *c)
                .await?;
        });
        self.note_search_text(location.referrer_id).await
    }

    /// The further locations of these referrers, the oldest first.
    pub async fn locations_of(&mut self, referrers: &[ReferrerId]) -> Result<Vec<Location>, StoreError> {
        let mut found = Vec::new();
        for list in lists(referrers) {
            let rows: Vec<Row> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                push_list(&mut statement, list);
                statement.push(") ORDER BY created_ms, id");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().map(Location::from));
        }
        Ok(found)
    }

    /// Forgets all further locations of a referrer.
    pub async fn locations_delete(&mut self, referrer: ReferrerId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(DELETE_ALL).bind(referrer).execute(&mut *c).await?;
        });
        self.note_search_text(referrer).await
    }
}
