//! Under which names the content of a letter was sent: a copy of a letter, or one whose folder was renamed, is the same
//! letter to its recipient.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, push_list};

const KEY: &str = "letter_names ";
const NAMES: &str = "SELECT name, value FROM setting WHERE name IN (";
const NOTE: &str = "INSERT INTO setting (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = setting.value || ' ' || excluded.value";

impl Tx {
    /// The names under which each of these contents was sent.
    pub async fn letter_names(&mut self, contents: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
        let keys: Vec<String> = contents.iter().map(|content| format!("{KEY}{content}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut found = BTreeMap::new();
        for list in lists(&keys) {
            let rows: Vec<(String, String)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(NAMES);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().filter_map(|(key, names)| {
                let content = key.strip_prefix(KEY)?.to_owned();
                Some((content, names.split(' ').map(str::to_owned).collect()))
            }));
        }
        Ok(found)
    }

    /// Notes that a content is sent under one more name. The caller holds the lock of the content
    /// ([`Tx::letters_lock`]), and knows that the name is new.
    pub async fn letter_name_note(&mut self, content: &str, name: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(NOTE).bind(format!("{KEY}{content}")).bind(name).execute(&mut *c).await?;
            Ok(())
        })
    }
}
