//! The migrations that the program carries: each number once for SQLite and once for PostgreSQL. Listed by name instead of by
//! `sqlx::migrate!`, whose macros compile both drivers, and SQLite itself, a second time for the compiler's own use.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The name of each file without `.sql`, with what it holds for SQLite and for PostgreSQL.
type Listed = (&'static str, &'static str, &'static str);

macro_rules! listed {
    ($($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, ".sql")),
        ),)+]
    };
}

const MIGRATIONS: &[Listed] = listed![
    "0001_the_house",
    "0002_the_house_in_batches",
    "0003_accounts_that_remember",
    "0004_typed_words",
    "0005_raw_inbox",
    "0006_people",
    "0007_no_letter_twice",
    "0008_office_hours",
    "0009_campaigns_renewed",
    "0010_whose_fault",
    "0011_hardened",
    "0012_signing_in",
    "0013_returns",
    "0014_relays",
    "0015_mailboxes",
    "0016_used_once",
    "0017_sealed_replies",
    "0018_mailboxes_begun",
];

/// Those for SQLite.
pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(|(name, sqlite, _)| (name, sqlite)));
/// Those for PostgreSQL.
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(|(name, _, postgres)| (name, postgres)));

fn migrator(of: fn(Listed) -> (&'static str, &'static str)) -> Migrator {
    Migrator::with_migrations(MIGRATIONS.iter().copied().map(of).map(migration).collect())
}

/// The number before the first underscore, and what it does in the words behind it.
fn migration((name, text): (&'static str, &'static str)) -> Migration {
    let (number, words) = name.split_once('_').unwrap_or((name, ""));
    let version = number.parse().unwrap_or(0);
    Migration::new(
        version,
        Cow::Owned(words.replace('_', " ")),
        MigrationType::Simple,
        SqlStr::from_static(text),
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order_and_numbered_without_a_gap() {
        for engine in ["sqlite", "postgres"] {
            let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .expect("the folder")
                .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".sql", ""))
                .collect();
            files.sort();
            let listed: Vec<&str> = MIGRATIONS.iter().map(|(name, ..)| *name).collect();
            assert_eq!(listed, files, "{engine}");
        }
        // Such a file would have to say so to the migrator, which takes each as one transaction.
        assert!(
            MIGRATIONS.iter().all(|(_, a, b)| !a.contains("-- no-transaction") && !b.contains("-- no-transaction"))
        );
        for migrator in [&SQLITE, &POSTGRES] {
            let numbers: Vec<i64> = migrator.iter().map(|one| one.version).collect();
            assert!(numbers.iter().copied().eq(1..=MIGRATIONS.len() as i64), "{numbers:?}");
        }
    }
}
