//! The acts of people and rules that are recorded in the audit log.

use super::words::words;

words! {
    /// An act that is audited.
    AuditAct {
        /// A campaign was added.
        AddCampaign = "add_campaign",
        /// A campaign was paused.
        PauseCampaign = "pause_campaign",
        /// A campaign was resumed.
        ResumeCampaign = "resume_campaign",
        /// A campaign was edited, or its variables were renewed or confirmed.
        EditCampaign = "edit_campaign",
        /// A campaign was given another name.
        RenameCampaign = "rename_campaign",
        /// A campaign was removed.
        RemoveCampaign = "remove_campaign",
        /// A due run of a campaign waits for its variables to be renewed.
        HoldCampaignRun = "hold_campaign_run",
        /// A campaign was run manually.
        RunCampaign = "run_campaign",
        /// A due run of a campaign was skipped.
        SkipCampaignRun = "skip_campaign_run",
        /// A referrer's answer opened a conversation.
        OpenConversation = "open_conversation",
        /// A return was matched, dealt with or dismissed.
        WorkReturn = "work_return",
        /// A broadcast was paused, because too much of it came back.
        PauseBroadcast = "pause_broadcast",
        /// A paused broadcast was resumed.
        ResumeBroadcast = "resume_broadcast",
        /// What was not handed over of a broadcast was cancelled while its list was still being made into messages.
        CancelBroadcast = "cancel_broadcast",
        /// A message was retried.
        Retry = "retry",
        /// A message was put on hold.
        Hold = "hold",
        /// A held message was released.
        Release = "release",
        /// A submission was accepted: a letter to one referrer, a list, or a run of a campaign.
        Submit = "submit",
        /// A letter was sent again within its repeat window.
        SendAgain = "send_again",
        /// A letter was sent without an undo window and outside office hours.
        SendNow = "send_now",
        /// A submission was withdrawn before its undo window ended.
        Undo = "undo",
        /// A message was cancelled, or its provider asked to stop it.
        Cancel = "cancel",
        /// The provider of a message was asked to delete its copy.
        Purge = "purge",
        /// A message in doubt was marked as sent.
        MarkSent = "mark_sent",
        /// A message in doubt was marked as not sent.
        MarkNotSent = "mark_not_sent",
        /// A provider account was written into the configuration.
        AddProvider = "add_provider",
        /// A provider account was paused.
        PauseProvider = "pause_provider",
        /// A provider account was resumed.
        ResumeProvider = "resume_provider",
        /// A person signed in to the mailbox of an account.
        MailLogin = "mail_login",
        /// The tokens of an account's mailbox were forgotten.
        MailLogout = "mail_logout",
        /// A provider description was tried with one test page.
        TryProvider = "try_provider",
        /// A basis for faxing was recorded.
        AddBasis = "add_basis",
        /// A basis was ended.
        EndBasis = "end_basis",
        /// An address was suppressed.
        Suppress = "suppress",
        /// A suppression was lifted.
        LiftSuppression = "lift_suppression",
        /// What was held against an address was taken back.
        ReviveAddress = "revive_address",
        /// A referrer was edited.
        EditReferrer = "edit_referrer",
        /// Referrers were imported.
        ImportReferrers = "import_referrers",
        /// A suppression list was imported.
        ImportSuppressions = "import_suppressions",
        /// A referrer was added by hand.
        AddReferrer = "add_referrer",
        /// A referrer was deleted.
        DeleteReferrer = "delete_referrer",
        /// Two referrers were merged.
        MergeReferrers = "merge_referrers",
        /// A merge was undone.
        UndoMerge = "undo_merge",
        /// An import was undone.
        UndoImport = "undo_import",
        /// A difference between a correction and a list was settled.
        SettleConflict = "settle_conflict",
        /// Another of a referrer's locations became the preferred one.
        PreferLocation = "prefer_location",
        /// A touch was logged.
        LogTouch = "log_touch",
        /// Provider callbacks were read again.
        ReplayCallbacks = "replay_callbacks",
        /// A rendered document was viewed.
        ViewDocument = "view_document",
        /// The text of a person's answer was read.
        ReadReply = "read_reply",
        /// A letter that identifies a patient was previewed on the command line.
        PreviewLetter = "preview_letter",
        /// Records were exported.
        Export = "export",
        /// An operator was added (by earlier versions also: was given a new password).
        SetOperator = "set_operator",
        /// An operator was given a new password.
        SetPassword = "set_password",
        /// An operator may not log in any more.
        DisableOperator = "disable_operator",
        /// A disabled operator may log in again.
        EnableOperator = "enable_operator",
        /// An operator was removed.
        RemoveOperator = "remove_operator",
        /// An API token was created.
        CreateToken = "create_token",
        /// API tokens were revoked.
        RevokeToken = "revoke_token",
        /// An operator logged in.
        Login = "login",
        /// An operator logged out.
        Logout = "logout",
        /// Log-ins with a wrong name or password.
        FailedLogin = "failed_login",
        /// Log-ins that were refused because there were too many.
        RefusedLogin = "refused_login",
        /// The records were restored from a backup.
        Restore = "restore",
        /// Written to check that the database is writable; never committed.
        Check = "check",
    }
}
