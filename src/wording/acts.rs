//! What people did, as the audit trail tells it.

/// An act of the audit trail as people say it, after the name of who did it: `logged in`. One that is not known here is
/// said in its own word.
#[must_use]
pub fn audit_act(action: &str) -> &str {
    match action {
        "login" => "logged in",
        "logout" => "logged out",
        "retry" => "sent again",
        "hold" => "put on hold",
        "release" => "released",
        "cancel" => "cancelled",
        "mark_sent" => "said it was sent",
        "mark_not_sent" => "said it was not sent",
        "view_document" => "looked at a patient's letter",
        "edit_referrer" => "changed a referrer",
        "import_referrers" => "imported referrers",
        "log_touch" => "logged a touch",
        "add_basis" => "recorded permission to fax",
        "end_basis" => "ended a permission to fax",
        "suppress" => "recorded a refusal",
        "lift_suppression" => "ended a refusal",
        "pause_provider" => "paused a provider",
        "resume_provider" => "resumed a provider",
        "add_campaign" => "made a campaign",
        "pause_campaign" => "paused a campaign",
        "resume_campaign" => "resumed a campaign",
        "run_campaign" => "ran a campaign",
        "skip_campaign_run" => "skipped a run of a campaign",
        "create_token" => "made an API token",
        "revoke_token" => "revoked an API token",
        "set_operator" => "set up an operator",
        "try_provider" => "sent a test page",
        "restore" => "restored a backup",
        other => other,
    }
}
