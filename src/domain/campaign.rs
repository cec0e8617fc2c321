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

words! {
    /// Why a run that is due is not made yet.
    CampaignWait {
        /// Variables that hold a date, or are marked as perishable in the letter, must be renewed or confirmed.
        RenewVariables = "renew_variables",
        /// Its letter has a mistake; the run is made once that is corrected, unless it is too late by then.
        LetterOutOfService = "letter_out_of_service",
    }
}
