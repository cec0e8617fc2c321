//! What every command shares: where the configuration is, who is asking, and how answers are printed.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono_tz::Tz;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::exit::{CliError, Ending};
pub use super::table::table;
use crate::access;
use crate::app::Gateway;
use crate::config::{Config, LogFormat, Secrets};
use crate::domain::Actor;
use crate::domain::{EmailAddress, SystemClock};
use crate::store::Store;
use crate::telemetry;

/// Whether the one object of `--json` is printed.
static ANSWERED: AtomicBool = AtomicBool::new(false);
/// The log level of short-lived commands, unless the environment says otherwise.
const COMMAND_LEVEL: &str = "warn";

/// Where the configuration is, who is asking, and whether a person or a program reads the answer.
#[derive(Debug, Clone)]
pub struct Console {
    /// The configuration file.
    pub config_path: PathBuf,
    /// Whether answers are JSON.
    pub json: bool,
    /// Who is asking, for the records.
    pub who: Actor,
}

/// A database with the settings that are needed to show what is in it.
pub struct Records {
    /// The database, its schema up to date.
    pub store: Store,
    /// The practice's time zone.
    pub zone: Tz,
    /// The goal for delivered touches.
    pub touch_goal: u32,
    /// The practice's mailbox, which is part of every Message-ID.
    pub from: EmailAddress,
}

impl Records {
    /// What granting and checking access needs.
    #[must_use]
    pub fn access(&self) -> access::Parts {
        access::Parts::new(self.store.clone(), Arc::new(SystemClock))
    }
}

impl Console {
    /// The configuration, with every secret.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn config(&self) -> Result<Config, CliError> {
        telemetry::install_logging(LogFormat::Text, COMMAND_LEVEL)?;
        Ok(Config::load(&self.config_path)?)
    }

    /// The configuration for a command that hands nothing to a provider: accounts may lack their secrets.
    ///
    /// # Errors
    /// Every other problem in it.
    pub fn settings(&self) -> Result<Config, CliError> {
        telemetry::install_logging(LogFormat::Text, COMMAND_LEVEL)?;
        Ok(Config::load_with(&self.config_path, Secrets::Optional)?)
    }

    /// The whole gateway, its services not started.
    ///
    /// # Errors
    /// Configuration, letters, accounts or database cannot be used.
    pub async fn gateway(&self) -> Result<Gateway, CliError> {
        let config = self.config()?;
        Ok(Gateway::join(config, Arc::new(SystemClock)).await?)
    }

    /// The gateway for a command that hands nothing to a provider: without the accounts that lack a secret.
    ///
    /// # Errors
    /// As [`Console::gateway`].
    pub async fn gateway_to_read(&self) -> Result<Gateway, CliError> {
        let config = self.settings()?;
        Ok(Gateway::join(config, Arc::new(SystemClock)).await?)
    }

    /// The database alone: a broken letter does not keep anyone from looking at what failed.
    ///
    /// # Errors
    /// Configuration or database cannot be used.
    pub async fn records(&self) -> Result<Records, CliError> {
        let config = self.settings()?;
        let store = Store::open(config.store.url.expose_secret(), config.store.connections_max).await?;
        store.migrate().await?;
        let (zone, touch_goal) = (config.practice.time_zone, config.sending.touch_goal);
        Ok(Records { store, zone, touch_goal, from: config.practice.email })
    }

    /// Prints the answer: one JSON object for a program, the text of `human` for a person.
    ///
    /// # Errors
    /// The object cannot be written as JSON.
    pub fn answer(&self, object: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), CliError> {
        self.answer_as(|| serde_json::to_string_pretty(object), human)
    }

    /// Prints one of several answers: an object in one line for a program, the text of `human` for a person.
    ///
    /// # Errors
    /// The object cannot be written as JSON.
    pub fn answer_line(&self, object: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), CliError> {
        self.answer_as(|| serde_json::to_string(object), human)
    }

    fn answer_as(
        &self,
        object: impl FnOnce() -> serde_json::Result<String>,
        human: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json {
            print(&object().map_err(|_| CliError::new(Ending::Failed, "the answer cannot be written as JSON"))?);
            ANSWERED.store(true, Ordering::Relaxed);
        } else {
            print(human().trim_end());
        }
        Ok(())
    }

    /// Prints a note beside the answer, for people only.
    pub fn note(&self, words: &str) {
        if !self.json {
            warn(words);
        }
    }

    /// A progress bar for a known amount of work, or a spinner; hidden where there is no terminal.
    #[must_use]
    pub fn progress(&self, total: Option<u64>, words: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let (bar, style) = match total {
            Some(total) => (ProgressBar::new(total), "{msg} {bar:30} {pos}/{len} {elapsed}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
        };
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(words.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        bar
    }
}

/// Whether the one object of `--json` is printed already.
pub(super) fn is_answered() -> bool {
    ANSWERED.load(Ordering::Relaxed)
}

/// Prints a line to standard output. A closed pipe, as in `| head`, is not an error.
pub fn print(words: &str) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Prints a line to standard error.
pub fn warn(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// The text without control characters.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
