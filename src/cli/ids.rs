//! Ids as people type them: whole, or the last eight characters, which tables show.

use std::str::FromStr;

use uuid::Uuid;

use super::exit::CliError;
use crate::domain::id::{self, short};
use crate::store::Tx;
use crate::store::records::short_ids::Kept;

/// An id on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedId {
    /// All of it.
    Whole(Uuid),
    /// Its last eight characters, in capitals.
    Short(String),
}

impl FromStr for TypedId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let whole = Uuid::from_str(text).map(Self::Whole).ok();
        whole
            .or_else(|| id::reference(text).map(Self::Short))
            .ok_or_else(|| "give the id as it is listed: its last eight characters, or all of it".to_owned())
    }
}

impl TypedId {
    /// The whole ids of several, before anything is done with one.
    ///
    /// # Errors
    /// As [`TypedId::find`], for the first of which it is true.
    pub async fn find_all(typed: &[Self], tx: &mut Tx, kept: Kept) -> Result<Vec<Uuid>, CliError> {
        let mut found = Vec::with_capacity(typed.len());
        for one in typed {
            found.push(one.find(tx, kept).await?);
        }
        Ok(found)
    }

    /// The whole id of what is meant.
    ///
    /// # Errors
    /// Nothing has that short id, or several have it, which are then named.
    pub async fn find(&self, tx: &mut Tx, kept: Kept) -> Result<Uuid, CliError> {
        let reference = match self {
            Self::Whole(id) => return Ok(*id),
            Self::Short(reference) => reference,
        };
        let found = tx.ids_ending(kept, reference).await?;
        match found[..] {
            [only] => Ok(only),
            [] => Err(CliError::not_found(format!("there is no {} {reference}", kept.as_str()))),
            _ => {
                let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
                let what = kept.as_str();
                Err(CliError::refused(format!(
                    "{reference} is the short id of more than one {what}; name one by its whole id: {}",
                    ids.join(", ")
                )))
            }
        }
    }
}

/// The short id, for a table.
#[must_use]
pub fn shown(id: impl Into<Uuid>) -> String {
    short(&id.into())
}
