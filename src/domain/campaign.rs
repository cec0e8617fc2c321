//! What a campaign is doing.

use super::words::words;

words! {
    /// Whether a campaign sends when it is due.
    CampaignState {
        /// It does.
        Active = "active",
        /// Not until someone resumes it.
        Paused = "paused",
        /// It has no further run.
        Done = "done",
    }
}
