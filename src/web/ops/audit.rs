//! `/audit`: who did what, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::view::moment::{Calendar, Moment};
use crate::domain::AuditAct;
use crate::domain::id::short;
use crate::store::records::events::AuditLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;

/// Lines shown.
const SHOWN: i64 = 300;

/// One act.
struct Row {
    at: Moment,
    who: String,
    did: String,
    subject: String,
    link: Option<String>,
    detail: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    is_cut: bool,
}

/// `GET /audit`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let lines = state.gateway.store.read().await?.audit_list(SHOWN).await?;
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Audit, "Audit", &asked),
        is_cut: i64::try_from(lines.len()).unwrap_or(i64::MAX) == SHOWN,
        rows: lines.iter().map(|line| row(line, &calendar)).collect(),
    };
    Ok(frame::show(&page))
}

fn row(line: &AuditLine, calendar: &Calendar) -> Row {
    let subject = line.subject.clone().unwrap_or_default();
    let id = subject.parse::<uuid::Uuid>().ok();
    Row {
        at: calendar.moment(line.at_ms),
        who: line.who.name().to_owned(),
        did: did(line.action).to_owned(),
        link: id.and_then(|id| place_of(line.action).map(|place| format!("/{place}/{id}"))),
        subject: id.map_or(subject, |id| short(&id)),
        detail: line.detail.as_deref().map(|detail| detail.replace('_', " ")),
    }
}

/// Where the subject of such an act is shown.
fn place_of(act: AuditAct) -> Option<&'static str> {
    match act {
        AuditAct::Retry
        | AuditAct::Hold
        | AuditAct::Release
        | AuditAct::Cancel
        | AuditAct::MarkSent
        | AuditAct::MarkNotSent
        | AuditAct::ViewDocument => Some("messages"),
        AuditAct::EditReferrer | AuditAct::LogTouch | AuditAct::EndBasis => Some("referrers"),
        _ => None,
    }
}

/// An act as people say it.
const fn did(act: AuditAct) -> &'static str {
    match act {
        AuditAct::Login => "logged in",
        AuditAct::Logout => "logged out",
        AuditAct::Retry => "sent again",
        AuditAct::Hold => "put on hold",
        AuditAct::Release => "released",
        AuditAct::Cancel => "cancelled",
        AuditAct::MarkSent => "said it was sent",
        AuditAct::MarkNotSent => "said it was not sent",
        AuditAct::ViewDocument => "looked at a patient's letter",
        AuditAct::EditReferrer => "changed a referrer",
        AuditAct::ImportReferrers => "imported referrers",
        AuditAct::LogTouch => "logged a touch",
        AuditAct::AddBasis => "recorded permission to fax",
        AuditAct::EndBasis => "ended a permission to fax",
        AuditAct::Suppress => "recorded a refusal",
        AuditAct::LiftSuppression => "ended a refusal",
        AuditAct::PauseProvider => "paused a provider",
        AuditAct::ResumeProvider => "resumed a provider",
        AuditAct::AddCampaign => "made a campaign",
        AuditAct::PauseCampaign => "paused a campaign",
        AuditAct::ResumeCampaign => "resumed a campaign",
        AuditAct::RunCampaign => "ran a campaign",
        AuditAct::SkipCampaignRun => "skipped a run of a campaign",
        AuditAct::CreateToken => "made an API token",
        AuditAct::RevokeToken => "revoked an API token",
        AuditAct::SetOperator => "set up an operator",
        AuditAct::TryProvider => "tried a provider with one test page",
        AuditAct::Restore => "restored the records",
        AuditAct::ReplayCallbacks => "read callbacks of providers again",
        AuditAct::Check => "checked the database",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::id::MessageId;

    #[test]
    fn an_act_on_a_message_leads_to_the_message() {
        let calendar = Calendar { zone: chrono_tz::UTC, now: Timestamp(0) };
        let id = MessageId::new();
        let line = |action: AuditAct, subject: &str| AuditLine {
            id: crate::domain::id::EventId::new(),
            who: crate::domain::Actor::operator("dana"),
            action,
            subject: Some(subject.into()),
            detail: None,
            at_ms: Timestamp(0),
        };
        let row_of = |action: AuditAct, subject: &str| row(&line(action, subject), &calendar);
        assert_eq!(row_of(AuditAct::Retry, &id.to_string()).link, Some(format!("/messages/{id}")));
        assert_eq!(row_of(AuditAct::Suppress, "fax …42").link, None);
        assert_eq!(row_of(AuditAct::Suppress, "fax …42").subject, "fax …42");
    }
}
