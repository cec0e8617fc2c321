//! `/audit`: who did what, newest first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::query::Query;
use super::view::moment::{Calendar, Moment};
use crate::domain::AuditAct;
use crate::domain::id::short;
use crate::store::records::events::AuditLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

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
        did: wording::audit_act(line.action).to_owned(),
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
        | AuditAct::Purge
        | AuditAct::MarkSent
        | AuditAct::MarkNotSent
        | AuditAct::ViewDocument => Some("messages"),
        AuditAct::EditReferrer | AuditAct::LogTouch | AuditAct::EndBasis | AuditAct::PreviewLetter => Some("referrers"),
        _ => None,
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
