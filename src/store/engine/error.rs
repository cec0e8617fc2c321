//! Storage errors, as fine as the caller's choices and no finer.

use super::record::Unreadable;

/// Why a store function failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Something with the same key exists: the name of what clashed, where the database reports it.
    #[error("it already exists ({0})")]
    Conflict(String),
    /// The database does not take what it was given: a text or number that it cannot hold, or one that breaks a rule of the
    /// schema. Nothing was changed, and the same call fails again.
    #[error("the database does not take this: {0}")]
    Refused(String),
    /// The database is locked, full, read-only or gone. Nothing was changed, unless it went away while
    /// a commit was on its way: then the outcome is unknown. The same call may work later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Another program has it open, and what was asked for needs it alone.
    #[error("the database is in use: {0}")]
    InUse(String),
    /// The database is not Touchline's, is damaged, or was written by a later version.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// What [`StoreError::Unavailable`] says when work was given up because it took too long.
    pub(super) const NO_ANSWER: &'static str = "no answer in time";

    /// Whether work was given up because it took too long: less of it may be done in time.
    #[must_use]
    pub fn is_late(&self) -> bool {
        matches!(self, Self::Unavailable(why) if why == Self::NO_ANSWER)
    }

    /// Whether the same call may work later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict(database.constraint().unwrap_or("unique key").to_owned())
            }
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::Io(io) => Self::Unavailable(format!("connection lost ({})", io.kind())),
            sqlx::Error::PoolTimedOut => Self::Unavailable("no free connection in time".to_owned()),
            sqlx::Error::PoolClosed => Self::Unavailable("the store is closed".to_owned()),
            sqlx::Error::ColumnDecode { index, .. } => Self::Corrupt(format!("column {index}")),
            sqlx::Error::Decode(source) if source.is::<Unreadable>() => Self::Corrupt(source.to_string()),
            sqlx::Error::Decode(_) => Self::Corrupt("a column has an unexpected type".to_owned()),
            sqlx::Error::Tls(_) => Self::Unavailable("TLS to the database failed".to_owned()),
            sqlx::Error::Configuration(_) => Self::Unusable("store.url cannot be understood".to_owned()),
            _ => Self::Unavailable("unexpected database error".to_owned()),
        }
    }
}

/// The engine's own errors: most of them pass; a file that is not its own does not.
fn of_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    match error.code().unwrap_or_default().as_ref() {
        "26" => StoreError::Unusable("the file is not a SQLite database".to_owned()),
        "11" => StoreError::Unusable("the database file is damaged: restore it from a backup".to_owned()),
        code => refusal(code).map_or_else(|| StoreError::Unavailable(database_words(error)), refused),
    }
}

fn refused(words: &str) -> StoreError {
    StoreError::Refused(words.to_owned())
}

/// What is wrong with the data, by the code of SQLite (numbers) or the class of PostgreSQL (two signs of five). The engines'
/// own words are not repeated: PostgreSQL quotes values in them.
fn refusal(code: &str) -> Option<&'static str> {
    let class = if code.len() == 5 { code.get(..2).unwrap_or(code) } else { code };
    match class {
        "20" if code.len() == 2 => Some("a value of the wrong type"),
        "25" if code.len() == 2 => Some("a value outside the range"),
        "22" if code.len() == 5 => Some("a text or number that it cannot hold"),
        "23" if code.len() == 5 => Some("it breaks a rule of the schema"),
        "18" | "54" => Some("it is larger than the database can hold"),
        "19" | "275" | "787" | "1299" | "3091" => Some("it breaks a rule of the schema"),
        _ => None,
    }
}

/// The engine's own words, which name tables and columns but never values; PostgreSQL's detail line does, and is left
/// out.
fn database_words(error: &dyn sqlx::error::DatabaseError) -> String {
    let code = error.code().unwrap_or_default();
    let words: String = error.message().chars().take(160).collect();
    match code.as_ref() {
        "13" => "the disk is full; free some space, nothing was lost".to_owned(),
        "5" | "517" | "261" => "the database is locked by another program".to_owned(),
        "8" | "1032" | "776" => "the database is read-only".to_owned(),
        "14" => "the database file cannot be opened: check that its folder exists and may be written to".to_owned(),
        _ => format!("{words} ({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_data_is_refused_for_is_told_from_what_passes() {
        for code in [
            "22021", "22001", "22P02", "23502", "23503", "23514", "54000", "18", "20", "25", "19", "275", "787", "1299",
        ] {
            assert!(refusal(code).is_some(), "{code}");
        }
        // Locks, disks, connections, transactions that clash, and statements that the schema does not know.
        for code in
            ["5", "13", "517", "2067", "22", "23", "25P02", "40001", "40P01", "53100", "57P01", "08006", "42P01", ""]
        {
            assert!(refusal(code).is_none(), "{code}");
        }
        assert!(!refused("x").is_passing());
    }
}
