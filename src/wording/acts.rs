//! What people did, as the audit trail tells it.

use crate::domain::AuditAct;

/// An act of the audit trail as people say it, after the name of who did it: `logged in`.
#[must_use]
pub const fn audit_act(act: AuditAct) -> &'static str {
    match act {
        AuditAct::Login => "logged in",
        AuditAct::Logout => "logged out",
        AuditAct::FailedLogin => "turned away log-ins with a wrong name or password",
        AuditAct::RefusedLogin => "turned away log-ins after too many tries",
        AuditAct::OpenConversation => "answered, which opened a conversation",
        AuditAct::WorkReturn => "dealt with a return",
        AuditAct::ReadReply => "read an answer",
        AuditAct::PauseBroadcast => "paused a broadcast",
        AuditAct::ResumeBroadcast => "resumed a broadcast",
        AuditAct::CancelBroadcast => "cancelled the rest of a broadcast",
        AuditAct::Retry => "sent again",
        AuditAct::Hold => "put on hold",
        AuditAct::Release => "released",
        AuditAct::Cancel => "cancelled",
        AuditAct::Purge => "had the provider's copy deleted",
        AuditAct::Submit => "submitted a letter",
        AuditAct::SendAgain => "sent a letter again within its repeat window",
        AuditAct::SendNow => "sent a letter at once, without waiting",
        AuditAct::Undo => "withdrew a submission",
        AuditAct::MarkSent => "marked as sent",
        AuditAct::MarkNotSent => "marked as not sent",
        AuditAct::ViewDocument => "viewed a patient's letter",
        AuditAct::PreviewLetter => "previewed a patient's letter",
        AuditAct::Export => "exported records",
        AuditAct::ReviveAddress => "marked an address to be tried again",
        AuditAct::EditReferrer => "changed a referrer",
        AuditAct::ImportReferrers => "imported referrers",
        AuditAct::ImportSuppressions => "imported a suppression list",
        AuditAct::AddReferrer => "added a referrer",
        AuditAct::DeleteReferrer => "deleted a referrer",
        AuditAct::MergeReferrers => "merged two referrers",
        AuditAct::UndoMerge => "undid a merge of referrers",
        AuditAct::UndoImport => "undid an import",
        AuditAct::SettleConflict => "settled a difference between a correction and a list",
        AuditAct::PreferLocation => "changed a referrer's preferred location",
        AuditAct::LogTouch => "logged a touch",
        AuditAct::AddBasis => "recorded permission to fax",
        AuditAct::EndBasis => "ended permission to fax",
        AuditAct::Suppress => "recorded an opt-out",
        AuditAct::LiftSuppression => "lifted a suppression",
        AuditAct::AddProvider => "added a provider",
        AuditAct::PauseProvider => "paused a provider",
        AuditAct::ResumeProvider => "resumed a provider",
        AuditAct::MailLogin => "signed in to a mailbox",
        AuditAct::MailLogout => "signed out of a mailbox",
        AuditAct::AddCampaign => "created a campaign",
        AuditAct::PauseCampaign => "paused a campaign",
        AuditAct::ResumeCampaign => "resumed a campaign",
        AuditAct::RunCampaign => "ran a campaign",
        AuditAct::EditCampaign => "changed a campaign",
        AuditAct::RenameCampaign => "renamed a campaign",
        AuditAct::RemoveCampaign => "removed a campaign",
        AuditAct::HoldCampaignRun => "made a campaign's run wait",
        AuditAct::SkipCampaignRun => "skipped a campaign run",
        AuditAct::CreateToken => "created an API token",
        AuditAct::RevokeToken => "revoked an API token",
        AuditAct::SetOperator => "set up an operator",
        AuditAct::SetPassword => "set an operator's password",
        AuditAct::DisableOperator => "disabled an operator",
        AuditAct::EnableOperator => "enabled an operator",
        AuditAct::RemoveOperator => "removed an operator",
        AuditAct::TryProvider => "sent a test page",
        AuditAct::Restore => "restored a backup",
        AuditAct::ReplayCallbacks => "replayed provider callbacks",
        AuditAct::Check => "checked the database",
    }
}

/// What acts are about, to look at some of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActField {
    /// Letters that are sent, stopped, decided or looked at.
    Letters,
    /// Referrers and lists of them.
    Referrers,
    /// Permission and refusal.
    Consent,
    /// Campaigns and provider accounts.
    Plans,
    /// Who logs in, operators, tokens, and the machine.
    Access,
}

impl ActField {
    /// Every field.
    pub const ALL: [Self; 5] = [Self::Letters, Self::Referrers, Self::Consent, Self::Plans, Self::Access];

    /// Its word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Letters => "letters",
            Self::Referrers => "referrers",
            Self::Consent => "consent",
            Self::Plans => "plans",
            Self::Access => "access",
        }
    }

    /// As people say it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Letters => "Letters",
            Self::Referrers => "Referrers and lists",
            Self::Consent => "Permission and opt-outs",
            Self::Plans => "Campaigns and providers",
            Self::Access => "Log-ins and operators",
        }
    }

    /// What an act is about.
    #[must_use]
    pub const fn of(act: AuditAct) -> Self {
        match act {
            AuditAct::Retry
            | AuditAct::WorkReturn
            | AuditAct::ReadReply
            | AuditAct::PauseBroadcast
            | AuditAct::ResumeBroadcast
            | AuditAct::CancelBroadcast
            | AuditAct::Hold
            | AuditAct::Release
            | AuditAct::Cancel
            | AuditAct::Purge
            | AuditAct::Submit
            | AuditAct::SendAgain
            | AuditAct::SendNow
            | AuditAct::Undo
            | AuditAct::MarkSent
            | AuditAct::MarkNotSent
            | AuditAct::ViewDocument
            | AuditAct::PreviewLetter => Self::Letters,
            AuditAct::Export
            | AuditAct::OpenConversation
            | AuditAct::ReviveAddress
            | AuditAct::EditReferrer
            | AuditAct::ImportReferrers
            | AuditAct::ImportSuppressions
            | AuditAct::AddReferrer
            | AuditAct::DeleteReferrer
            | AuditAct::MergeReferrers
            | AuditAct::UndoMerge
            | AuditAct::UndoImport
            | AuditAct::SettleConflict
            | AuditAct::PreferLocation
            | AuditAct::LogTouch => Self::Referrers,
            AuditAct::AddBasis | AuditAct::EndBasis | AuditAct::Suppress | AuditAct::LiftSuppression => Self::Consent,
            AuditAct::AddProvider
            | AuditAct::PauseProvider
            | AuditAct::ResumeProvider
            | AuditAct::TryProvider
            | AuditAct::MailLogin
            | AuditAct::MailLogout
            | AuditAct::AddCampaign
            | AuditAct::PauseCampaign
            | AuditAct::ResumeCampaign
            | AuditAct::RunCampaign
            | AuditAct::EditCampaign
            | AuditAct::RenameCampaign
            | AuditAct::RemoveCampaign
            | AuditAct::HoldCampaignRun
            | AuditAct::SkipCampaignRun => Self::Plans,
            AuditAct::Login
            | AuditAct::Logout
            | AuditAct::FailedLogin
            | AuditAct::RefusedLogin
            | AuditAct::CreateToken
            | AuditAct::RevokeToken
            | AuditAct::SetOperator
            | AuditAct::SetPassword
            | AuditAct::DisableOperator
            | AuditAct::EnableOperator
            | AuditAct::RemoveOperator
            | AuditAct::Restore
            | AuditAct::ReplayCallbacks
            | AuditAct::Check => Self::Access,
        }
    }
}
