//! Of which letters a provider is asked to delete its copy.

use serde::{Deserialize, Serialize};

use super::channel::PhiClass;

/// Of which letters an account's provider is asked to delete its copy, once they have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purging {
    /// Of letters about patients.
    #[default]
    Patients,
    /// Of all letters.
    Always,
    /// Of none, unless a person asks for it.
    Never,
}

impl Purging {
    /// Whether that is so of letters that hold such information.
    #[must_use]
    pub fn covers(self, phi: PhiClass) -> bool {
        match self {
            Self::Patients => phi == PhiClass::Identified,
            Self::Always => true,
            Self::Never => false,
        }
    }
}
