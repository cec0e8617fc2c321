//! What is made of what comes back, and how long what is kept of it stays.

use super::Gateway;
use crate::config::RepliesKept;
use crate::domain::returned::PauseRules;
use crate::feedback::returns::ReturnRules;
use crate::provider::SettingsError;
use crate::sealing::Purpose;
use crate::upkeep::retention::Retention;

impl Gateway {
    /// How long things are kept.
    pub(super) fn retention(&self) -> Retention {
        Retention { callback_days: self.config.retention.callback_days, reply_days: self.config.retention.reply_days }
    }

    /// When a broadcast pauses itself.
    pub(super) fn pause_rules(&self) -> PauseRules {
        let returns = &self.config.returns;
        PauseRules {
            bounce_percent: returns.pause_bounce_percent,
            bounces_min: returns.pause_bounces_min,
            after: returns.pause_after,
            complaint_percent: returns.pause_complaint_percent,
            complaints_min: returns.pause_complaints_min,
        }
    }

    /// What reading returns goes by.
    pub(super) fn return_rules(&self) -> ReturnRules {
        ReturnRules {
            paths: self.return_paths.clone(),
            keeps_first_lines: self.config.returns.first_lines,
            keeps_replies: self.keeps_replies(),
            key: self.key.clone(),
            zone: self.config.practice.time_zone,
            opt_out_mailbox: self.config.practice.opt_out.email.clone(),
        }
    }

    fn keeps_replies(&self) -> bool {
        self.config.returns.replies == RepliesKept::Whole
    }

    /// Where all of people's answers is to be kept: that they can be sealed. Makes the key beside a SQLite file where there is none.
    ///
    /// # Errors
    /// There is no key, or none that can be used: which, and what to do.
    pub(super) fn check_reply_key(&self) -> Result<(), SettingsError> {
        if !self.keeps_replies() {
            return Ok(());
        }
        let unusable = |error| SettingsError(format!("returns.replies = \"whole\": {error}"));
        self.key.sealer_or_new(Purpose::Replies).map(drop).map_err(unusable)
    }
}
