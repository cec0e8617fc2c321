//! The figures, as they are printed and stored.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::arguments::Run;
use super::machine::Machine;

/// Columns of a terminal.
const TABLE_WIDTH: u16 = 150;

/// One figure beside its target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// The row's name.
    pub row: String,
    /// Which database.
    pub database: String,
    /// What was done.
    pub what: String,
    /// What was promised.
    pub target: String,
    /// What came of it.
    pub figure: String,
    /// Whether the promise is kept; nothing in miniature, or where nothing was promised.
    pub met: Option<bool>,
    /// What differs from an installation as it comes, and how often it was measured.
    pub settings: String,
    /// What the figure covers.
    pub measures: String,
    /// What it does not.
    pub leaves_out: String,
    /// Every number behind the words.
    pub values: BTreeMap<String, f64>,
}

impl Figure {
    /// An empty one for a row.
    pub fn new(row: &str, run: &Run, what: impl Into<String>, target: &str) -> Self {
        Self {
            row: row.to_owned(),
            database: run.engine.to_string(),
            what: what.into(),
            target: target.to_owned(),
            figure: String::new(),
            met: None,
            settings: String::new(),
            measures: String::new(),
            leaves_out: String::new(),
            values: BTreeMap::new(),
        }
    }

    /// What came of it, and whether that keeps the promise, which a run in miniature cannot say.
    pub fn came_to(mut self, run: &Run, figure: impl Into<String>, met: bool) -> Self {
        self.figure = figure.into();
        self.met = (!run.miniature).then_some(met);
        self
    }

    /// How it was measured.
    pub fn explained(mut self, settings: impl Into<String>, measures: &str, leaves_out: &str) -> Self {
        self.settings = settings.into();
        self.measures = measures.to_owned();
        self.leaves_out = leaves_out.to_owned();
        self
    }

    /// A number behind the words.
    pub fn value(mut self, name: &str, value: f64) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// In one word.
    pub const fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "-",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.what, self.database)?;
        writeln!(f, "  figure:   {}", self.figure)?;
        writeln!(f, "  target:   {} -> {}", self.target, self.verdict())?;
        writeln!(f, "  settings: {}", self.settings)?;
        writeln!(f, "  measures: {}", self.measures)?;
        write!(f, "  not:      {}", self.leaves_out)
    }
}

/// All figures of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Where they were measured.
    pub machine: Machine,
    /// When.
    pub at: String,
    /// Whether they are of a run that only shows that it works.
    pub miniature: bool,
    /// The figures.
    pub figures: Vec<Figure>,
}

impl Report {
    /// An empty one about this machine.
    pub fn new(miniature: bool, program: Option<&Path>) -> anyhow::Result<Self> {
        let at = chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string();
        Ok(Self { machine: Machine::look(program)?, at, miniature, figures: Vec::new() })
    }

    /// Adds figures; they replace earlier ones of the same thing.
    pub fn add(&mut self, figures: Vec<Figure>) {
        for figure in figures {
            let same =
                |old: &Figure| old.row == figure.row && old.what == figure.what && old.database == figure.database;
            match self.figures.iter_mut().find(|old| same(old)) {
                Some(old) => *old = figure,
                None => self.figures.push(figure),
            }
        }
    }

    /// Keeps them in a file, among the figures that it holds already.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut kept = if path.exists() { Self::load(path)?.figures } else { Vec::new() };
        let mut all = Self { figures: std::mem::take(&mut kept), ..self.clone() };
        all.add(self.figures.clone());
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
        Ok(())
    }

    /// Reads them from a file.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    /// The figures beside their targets.
    pub fn table(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_width(TABLE_WIDTH);
        table.set_header(["row", "database", "target", "figure", ""]);
        for figure in &self.figures {
            table.add_row([&figure.row, &figure.database, &figure.target, &figure.figure, figure.verdict()]);
        }
        table.to_string()
    }
}
