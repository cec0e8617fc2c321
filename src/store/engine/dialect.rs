//! The few places where the two engines differ, as named fragments.

/// Which engine a statement is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.35 or later.
    Sqlite,
    /// PostgreSQL 13 or later.
    Postgres,
}

impl Dialect {
    /// Takes the row locks of a claim and skips rows that another node holds. SQLite needs none: it has one writer.
    #[must_use]
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Asks for the time by the server's clock, in milliseconds since 1970. SQLite has no server: one machine, one clock.
    #[must_use]
    pub const fn server_time(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint"),
        }
    }

    /// Names the tables that are not the engine's own.
    #[must_use]
    pub const fn table_names(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
            }
            Self::Postgres => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
            }
        }
    }

    /// Names the columns of those tables, with the table of each.
    #[must_use]
    pub const fn column_names(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
                WHERE t.type = 'table' AND t.name NOT GLOB 'sqlite_*'"
            }
            Self::Postgres => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns
                WHERE table_schema = current_schema()"
            }
        }
    }

    /// The last eight hexadecimal digits of a row's id, in capitals: what [`crate::domain::id::short`] prints.
    #[must_use]
    pub const fn short_id(self) -> &'static str {
        match self {
            Self::Sqlite => "SUBSTR(HEX(id), 25)",
            Self::Postgres => "UPPER(RIGHT(id::text, 8))",
        }
    }

    /// Takes row locks that others may share, but nobody who changes the rows.
    #[must_use]
    pub const fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR SHARE",
        }
    }

    /// Takes the lock that a text names, until the end of the transaction, and waits for it. SQLite needs none: it has one
    /// writer.
    #[must_use]
    pub const fn lock_named(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"),
        }
    }

    /// Takes the row locks and waits for them.
    #[must_use]
    pub const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }
}
