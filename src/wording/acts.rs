//! What people did, as the audit trail tells it.

use crate::domain::AuditAct;

/// An act of the audit trail as people say it, after the name of who did it: `logged in`.
#[must_use]
pub const fn audit_act(act: AuditAct) -> &'static str {
    match act {
        AuditAct::Login => "logged in",
        AuditAct::Logout => "logged out",
        AuditAct::Retry => "sent again",
        AuditAct::Hold => "put on hold",
        AuditAct::Release => "released",
        AuditAct::Cancel => "cancelled",
        AuditAct::MarkSent => "marked as sent",
        AuditAct::MarkNotSent => "marked as not sent",
        AuditAct::ViewDocument => "viewed a patient's letter",
        AuditAct::EditReferrer => "changed a referrer",
        AuditAct::ImportReferrers => "imported referrers",
        AuditAct::LogTouch => "logged a touch",
        AuditAct::AddBasis => "recorded permission to fax",
        AuditAct::EndBasis => "ended permission to fax",
        AuditAct::Suppress => "recorded an opt-out",
        AuditAct::LiftSuppression => "lifted a suppression",
        AuditAct::PauseProvider => "paused a provider",
        AuditAct::ResumeProvider => "resumed a provider",
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
        AuditAct::TryProvider => "sent a test page",
        AuditAct::Restore => "restored a backup",
        AuditAct::ReplayCallbacks => "replayed provider callbacks",
        AuditAct::Check => "checked the database",
    }
}
