//! How a command ends: every error in plain words, and exit codes that scripts can distinguish.

use std::fmt;

use serde_json::{Value, json};

use super::filling;
use crate::access::AccessError;
use crate::app::OpenError;
use crate::campaign::CampaignError;
use crate::config::ConfigError;
use crate::consent::ConsentError;
use crate::feedback::returns::replies::ReplyError;
use crate::feedback::returns::working::WorkError;
use crate::intake::IntakeError;
use crate::operator::OperatorError;
use crate::referrers::ReferrersError;
use crate::render::RenderError;
use crate::store::StoreError;

/// The exit codes, as `touchline help exit-codes` shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: a send, a check or a provider did not succeed
  2  the command line was not understood
  3  the configuration or a letter cannot be used
  4  what was named does not exist
  5  refused: the request is not valid, or the message is in a state that does not allow it
  6  the database is unavailable or cannot be used
130  stopped with Ctrl-C, before the command was done

With --json, a command that fails prints one object on standard output too: its own answer where it has one, else
{\"error\": {\"code\", \"exit_code\", \"message\", \"advice\"}}, where code is one of failed, usage, configuration,
not_found, refused and database. The message is on standard error as well.";

/// The exit code after Ctrl-C (128 + SIGINT), as a shell shows it for any program that a signal ended.
pub const STOPPED_CODE: i32 = 130;

/// The same for a program: each code, its word and what it means.
#[must_use]
pub(super) fn exit_codes() -> Value {
    let lines = EXIT_CODES.lines().skip(1).take_while(|line| !line.is_empty());
    let codes = lines.filter_map(|line| {
        let (code, means) = line.trim_start().split_once("  ")?;
        let code: i32 = code.parse().ok()?;
        let ending = Ending::ALL.into_iter().find(|ending| i32::from(ending.code()) == code);
        let word = ending.map_or(if code == STOPPED_CODE { "stopped" } else { "done" }, Ending::as_str);
        Some(json!({ "exit_code": code, "code": word, "means": means }))
    });
    json!({ "exit_codes": codes.collect::<Vec<_>>() })
}

/// Why a command did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was tried and did not succeed.
    Failed,
    /// The command line says too little or contradicts itself.
    Usage,
    /// The configuration or a letter cannot be used.
    Configuration,
    /// It does not exist.
    NotFound,
    /// It is not valid, or its state does not allow it.
    Refused,
    /// The database.
    Database,
}

impl Ending {
    /// Each of them.
    const ALL: [Self; 6] =
        [Self::Failed, Self::Usage, Self::Configuration, Self::NotFound, Self::Refused, Self::Database];

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::NotFound => 4,
            Self::Refused => 5,
            Self::Database => 6,
        }
    }

    /// The word for programs, which stays the same.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Configuration => "configuration",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Database => "database",
        }
    }

    /// What to do, beyond what the message says.
    #[must_use]
    const fn advice(self) -> &'static str {
        match self {
            Self::Failed => "Correct what the message names, then run the command again.",
            Self::Usage => "Correct the command line; --help shows what the command takes.",
            Self::Configuration => "Correct the configuration or the letter; `touchline doctor` lists what is wrong.",
            Self::NotFound => "Name something that exists; the list command of its kind shows what does.",
            Self::Refused => "Correct the request; nothing was changed by it.",
            Self::Database => "See that the database at store.url can be reached; `touchline doctor` checks it.",
        }
    }
}

/// How a command that did not succeed ends.
#[derive(Debug)]
pub struct CliError {
    /// Which exit code.
    pub ending: Ending,
    /// What happened and what to do; empty if the command has already printed it.
    pub words: String,
}

impl CliError {
    /// An error with a message for the operator.
    #[must_use]
    pub fn new(ending: Ending, words: impl Into<String>) -> Self {
        Self { ending, words: words.into() }
    }

    /// An error whose reason the command's own output gives.
    #[must_use]
    pub const fn said(ending: Ending) -> Self {
        Self { ending, words: String::new() }
    }

    /// The command line says too little or contradicts itself.
    #[must_use]
    pub fn usage(words: impl Into<String>) -> Self {
        Self::new(Ending::Usage, words)
    }

    /// It does not exist.
    #[must_use]
    pub fn not_found(words: impl Into<String>) -> Self {
        Self::new(Ending::NotFound, words)
    }

    /// Not valid, or not in this state.
    #[must_use]
    pub fn refused(words: impl Into<String>) -> Self {
        Self::new(Ending::Refused, words)
    }
}

impl CliError {
    /// The error as an object for a program.
    #[must_use]
    pub(super) fn object(&self) -> Value {
        json!({ "error": {
            "code": self.ending.as_str(),
            "exit_code": self.ending.code(),
            "message": self.words,
            "advice": self.ending.advice(),
        }})
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for CliError {}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::new(Ending::Configuration, error.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let ending = match error {
            StoreError::Conflict(_) | StoreError::InUse(_) | StoreError::Refused(_) => Ending::Refused,
            StoreError::Unavailable(_) | StoreError::Unusable(_) | StoreError::Corrupt(_) => Ending::Database,
        };
        Self::new(ending, error.to_string())
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        let ending = match error {
            OpenError::Store(_) => Ending::Database,
            OpenError::Templates(_) | OpenError::Settings(_) => Ending::Configuration,
            OpenError::Http => Ending::Failed,
        };
        Self::new(ending, error.to_string())
    }
}

impl From<CampaignError> for CliError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::NotFound(words) => Self::not_found(words),
            CampaignError::Invalid(words) | CampaignError::WrongState(words) => Self::refused(words),
            CampaignError::Renew { .. } | CampaignError::Schedule(_) => Self::refused(error.to_string()),
            CampaignError::Intake(error) => error.into(),
            CampaignError::Store(error) => error.into(),
        }
    }
}

impl From<ReferrersError> for CliError {
    fn from(error: ReferrersError) -> Self {
        let ending = match error {
            ReferrersError::NotFound(_) => Ending::NotFound,
            ReferrersError::Known(_) | ReferrersError::Invalid(_) => Ending::Refused,
            ReferrersError::Store(error) => return error.into(),
        };
        Self::new(ending, error.to_string())
    }
}

impl From<ConsentError> for CliError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::NotFound(words) => Self::not_found(words),
            ConsentError::Store(error) => error.into(),
        }
    }
}

impl From<OperatorError> for CliError {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::NotFound(words) => Self::not_found(words),
            OperatorError::Invalid(words) | OperatorError::WrongState(words) | OperatorError::NotStopped(words) => {
                Self::refused(words)
            }
            OperatorError::Store(error) => error.into(),
        }
    }
}

impl From<WorkError> for CliError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::NotFound(_) => Self::not_found(error.to_string()),
            WorkError::Invalid(words) => Self::refused(words),
            WorkError::Store(error) => error.into(),
        }
    }
}

impl From<ReplyError> for CliError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NotFound(_) | ReplyError::NotKept(_) => Self::not_found(error.to_string()),
            ReplyError::Locked(words) => Self::new(Ending::Configuration, words),
            ReplyError::Store(error) => error.into(),
        }
    }
}

impl From<IntakeError> for CliError {
    fn from(error: IntakeError) -> Self {
        let ending = match error {
            IntakeError::NotFound(_) => Ending::NotFound,
            IntakeError::Store(error) => return error.into(),
            IntakeError::MissingVariables(gaps) => return Self::refused(filling::gaps(&gaps)),
            _ => Ending::Refused,
        };
        Self::new(ending, error.to_string())
    }
}

impl From<RenderError> for CliError {
    fn from(error: RenderError) -> Self {
        let ending = match error {
            RenderError::UnknownLetter(_) => Ending::NotFound,
            RenderError::Variables { .. } | RenderError::TooLong { .. } => Ending::Refused,
            RenderError::Template(_) | RenderError::OutOfService { .. } => Ending::Configuration,
            RenderError::Typeset { .. } | RenderError::Preview { .. } => Ending::Failed,
        };
        Self::new(ending, error.to_string())
    }
}

impl From<AccessError> for CliError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Invalid(words) | AccessError::Taken(words) | AccessError::Password(words) => {
                Self::refused(words)
            }
            AccessError::NotFound(words) => Self::not_found(words),
            AccessError::Machine => Self::new(Ending::Failed, error.to_string()),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(other) => Self::new(Ending::Failed, format!("{other:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_among_the_exit_codes() {
        let told = exit_codes();
        let told: Vec<(i64, &str)> = told["exit_codes"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (one["exit_code"].as_i64().expect("a number"), one["code"].as_str().expect("a word")))
            .collect();
        let endings = Ending::ALL.map(|ending| (i64::from(ending.code()), ending.as_str()));
        assert_eq!(told, [&[(0, "done")], endings.as_slice(), &[(130, "stopped")]].concat());
    }
}
