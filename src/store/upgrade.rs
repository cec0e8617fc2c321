//! Bringing a database to this version: its schema, then what only the program can compute. An opt-out must hold under every
//! spelling of its address, whenever it was recorded, so keys of mailboxes from earlier versions are brought to the present
//! form; those in plain ASCII without quotation marks have had it all along.

use uuid::Uuid;

use super::engine::db::{Store, Tx, on};
use super::engine::error::StoreError;
use crate::domain::{Address, AddressKey};

/// Referrers whose keys are filled in within one transaction.
const FILLED_AT_ONCE: i64 = 500;
/// Which form the keys of this database have.
const SETTING: &str = "address_keys";
const PRESENT: &str = "3";

const KNOWN: &str = "SELECT value FROM setting WHERE name = $1";
const NOTE: &str =
    "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const REFUSALS: &str = "SELECT id, address FROM suppression WHERE channel = 'email'";
const REFUSAL: &str =
    "UPDATE suppression SET address = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM suppression AS other
    WHERE other.channel = 'email' AND other.address = $2 AND other.scope = suppression.scope AND other.lifted_ms IS NULL
    AND suppression.lifted_ms IS NULL)";
const WAITING: &str = "SELECT id, address_key FROM message WHERE channel = 'email' AND settled_ms IS NULL";
const WAIT: &str = "UPDATE message SET address_key = $2 WHERE id = $1";
const KNOWN_ADDRESSES: &str = "SELECT value FROM address WHERE channel = 'email'";
const ADDRESS: &str = "UPDATE address SET value = $2 WHERE channel = 'email' AND value = $1
    AND NOT EXISTS (SELECT 1 FROM address AS other WHERE other.channel = 'email' AND other.value = $2)";
const LOCATIONS: &str = "SELECT id, email_key FROM referrer_location WHERE email_key IS NOT NULL";
const LOCATION: &str = "UPDATE referrer_location SET email_key = $2 WHERE id = $1";
const FORGET_NAME_KEYS: &str = "UPDATE referrer SET name_key = ''";

/// The present key for one of an earlier version, if it differs.
fn renewed(key: &str) -> Option<AddressKey> {
    if key.is_ascii() && !key.starts_with('"') {
        return None;
    }
    let address: Address = key.parse().ok()?;
    Some(address.key()).filter(|renewed| renewed.as_str() != key)
}

impl Store {
    /// Brings the database to this binary's version. Safe to run on every start and on several nodes at the same time.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the database was written by a later version or is not Touchline's.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_schema().await?;
        self.renew_address_keys().await?;
        self.fill_in_name_keys().await
    }

    /// Renews the keys that earlier versions stored, once.
    async fn renew_address_keys(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        if tx.address_key_form().await?.as_deref() == Some(PRESENT) {
            return Ok(());
        }
        tx.renew_keys_of_refusals().await?;
        tx.renew_keys_of_waiting_messages().await?;
        tx.renew_keys_of_addresses().await?;
        tx.renew_keys_of_referrers().await?;
        on!(tx, |c, d| {
            sqlx::query(NOTE).bind(SETTING).bind(PRESENT).execute(&mut *c).await?;
        });
        tx.commit().await
    }

    /// Referrers of earlier versions have no keys to be looked up by, or have forgotten them: they are computed here, a
    /// portion at a time. Doing it twice changes nothing.
    async fn fill_in_name_keys(&self) -> Result<(), StoreError> {
        loop {
            let mut tx = self.write().await?;
            let portion = tx.referrers_without_keys(FILLED_AT_ONCE).await?;
            if portion.is_empty() {
                return Ok(());
            }
            for referrer in &portion {
                tx.referrer_put(referrer).await?;
            }
            tx.commit().await?;
        }
    }
}

impl Tx {
    async fn address_key_form(&mut self) -> Result<Option<String>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(KNOWN).bind(SETTING).fetch_optional(&mut *c).await?))
    }

    async fn renew_keys_of_refusals(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, String)> = on!(self, |c, d| sqlx::query_as(REFUSALS).fetch_all(&mut *c).await?);
        for (id, key) in rows {
            let Some(key) = renewed(&key) else { continue };
            on!(self, |c, d| {
                sqlx::query(REFUSAL).bind(id).bind(&key).execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    async fn renew_keys_of_waiting_messages(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, String)> = on!(self, |c, d| sqlx::query_as(WAITING).fetch_all(&mut *c).await?);
        for (id, key) in rows {
            let Some(key) = renewed(&key) else { continue };
            on!(self, |c, d| {
                sqlx::query(WAIT).bind(id).bind(&key).execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    async fn renew_keys_of_addresses(&mut self) -> Result<(), StoreError> {
        let rows: Vec<String> = on!(self, |c, d| sqlx::query_scalar(KNOWN_ADDRESSES).fetch_all(&mut *c).await?);
        for old in rows {
            let Some(key) = renewed(&old) else { continue };
            on!(self, |c, d| {
                sqlx::query(ADDRESS).bind(&old).bind(&key).execute(&mut *c).await?;
            });
        }
        Ok(())
    }
    /// Renews the keys of further locations; those of the referrers are filled in anew, with the texts that searches read.
    async fn renew_keys_of_referrers(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, String)> = on!(self, |c, d| sqlx::query_as(LOCATIONS).fetch_all(&mut *c).await?);
        for (id, key) in rows {
            let Some(key) = renewed(&key) else { continue };
            on!(self, |c, d| {
                sqlx::query(LOCATION).bind(id).bind(&key).execute(&mut *c).await?;
            });
        }
        on!(self, |c, d| {
            sqlx::query(FORGET_NAME_KEYS).execute(&mut *c).await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_renewed_where_its_form_has_changed() {
        for (old, present) in [
            ("\"al\"@clinic.example", Some("al@clinic.example")),
            ("dana@b\u{fc}cher.example", Some("dana@xn--bcher-kva.example")),
            ("\"a@b\"@clinic.example", None),
            ("al@clinic.example", None),
            ("+13125550142", None),
        ] {
            assert_eq!(renewed(old).as_ref().map(AddressKey::as_str), present, "{old}");
        }
    }
}
