//! The bench's command-line arguments.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::far_side::Kind;
use crate::rows::Row;

/// Which database a row runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A file, fully synchronous.
    Sqlite,
    /// A server of our own, fully synchronous.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Sqlite { "SQLite" } else { "PostgreSQL" })
    }
}

/// Measures what Touchline promises of its speed and size, on this machine, over loopback only.
#[derive(Debug, Parser)]
#[command(name = "speed")]
pub struct Arguments {
    /// The rows to measure; all of them if none is named
    #[arg(value_enum)]
    rows: Vec<Row>,
    /// Only on this database
    #[arg(long, value_enum)]
    database: Option<Engine>,
    /// Every row once and small: shows that it works, measures nothing
    #[arg(long)]
    miniature: bool,
    /// How often a row that is measured in rounds is repeated
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Keep the figures in this file; those of other rows already in it stay
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measure nothing; write the figures of this file as a table
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Put the table between the marks in this document instead of printing it
    #[arg(long, value_name = "FILE", requires = "markdown")]
    pub into: Option<PathBuf>,
    /// Measure this build of Touchline instead of the one that was built with the bench
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
    /// We are the far side of another one of us
    #[arg(long, hide = true, value_enum)]
    pub far_side: Option<Kind>,
    /// The far side's journal
    #[arg(long, hide = true)]
    pub journal: Option<PathBuf>,
    /// How long the far side takes
    #[arg(long, hide = true, default_value_t = 0)]
    pub takes_ms: u64,
}

/// One run of a row.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// On which database.
    pub engine: Engine,
    /// Whether only to show that it works.
    pub miniature: bool,
    /// How often what is repeated is repeated.
    pub rounds: u32,
}

impl Run {
    /// A number at full size, or in miniature.
    pub const fn size<T: Copy>(&self, full: T, miniature: T) -> T {
        if self.miniature { miniature } else { full }
    }
}

impl Arguments {
    /// Only a run under `cargo bench` measures.
    pub const fn is_miniature(&self) -> bool {
        self.miniature || !self.bench
    }

    /// The rows that were asked for, on the databases that were asked for.
    pub fn chosen(&self) -> Vec<(Row, Run)> {
        let rows = if self.rows.is_empty() { Row::value_variants() } else { &self.rows };
        let engines = self.database.as_ref().map_or_else(Engine::value_variants, std::slice::from_ref);
        let miniature = self.is_miniature();
        let rounds = if miniature { 1 } else { self.rounds };
        rows.iter()
            .flat_map(|row| engines.iter().map(|engine| (*row, Run { engine: *engine, miniature, rounds })))
            .collect()
    }
}
