//! `/audit`: who did what, newest first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::form::nowhere;
use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::pager::{PER_PAGE, Pager};
use super::query::Query;
use super::view::moment::{Calendar, Moment};
use crate::domain::AuditAct;
use crate::domain::id::short;
use crate::store::records::events::AuditLine;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::{self, ActField};

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    about: Option<String>,
    page: Option<String>,
}

/// A choice of the filter.
struct Filter {
    label: &'static str,
    link: String,
    is_here: bool,
}

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
    title: String,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /audit`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let about = match wanted.about.as_deref() {
        Some(word) => Some(ActField::ALL.into_iter().find(|field| field.as_str() == word).ok_or_else(nowhere)?),
        None => None,
    };
    let acts = acts(about);
    let mut tx = state.gateway.store.read().await?;
    let (pager, before) = Pager::over(tx.audit_count(&acts).await?, wanted.page.as_deref(), &link(about))?;
    let lines = tx.audit_page(&acts, before, PER_PAGE).await?;
    let title = about.map_or_else(|| "Audit".to_owned(), |about| format!("Audit: {}", about.label().to_lowercase()));
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Audit, title.as_str(), &asked),
        title,
        filters: filters(about),
        pager,
        rows: lines.iter().map(|line| row(line, &calendar)).collect(),
    };
    Ok(frame::show(&page))
}

/// The acts of a field; none for all of them.
fn acts(about: Option<ActField>) -> Vec<AuditAct> {
    about.map_or_else(Vec::new, |about| {
        AuditAct::ALL.iter().copied().filter(|act| ActField::of(*act) == about).collect()
    })
}

fn link(about: Option<ActField>) -> String {
    about.map_or_else(|| "/audit".to_owned(), |about| format!("/audit?about={}", about.as_str()))
}

fn filters(here: Option<ActField>) -> Vec<Filter> {
    let filter = |about: Option<ActField>| Filter {
        label: about.map_or("All", ActField::label),
        link: link(about),
        is_here: about == here,
    };
    std::iter::once(None).chain(ActField::ALL.into_iter().map(Some)).map(filter).collect()
}

fn row(line: &AuditLine, calendar: &Calendar) -> Row {
    let subject = line.subject.clone().unwrap_or_default();
    let id = subject.parse::<uuid::Uuid>().ok();
    Row {
        at: calendar.moment(line.at_ms),
        who: line.who.name().to_owned(),
        did: wording::audit_act(line.action).to_owned(),
        link: match line.action {
            AuditAct::ImportReferrers | AuditAct::UndoImport => Some("/referrers/imports".to_owned()),
            act => id.and_then(|id| place_of(act).map(|place| format!("/{place}/{id}"))),
        },
        subject: id.map_or(subject, |id| short(&id)),
        detail: line.detail.as_deref().map(|detail| match line.action {
            // Names of files, letters and accounts stay as they are.
            AuditAct::ImportReferrers | AuditAct::ImportSuppressions | AuditAct::Submit | AuditAct::AddProvider => {
                detail.to_owned()
            }
            _ => detail.replace('_', " "),
        }),
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
        AuditAct::EditReferrer
        | AuditAct::LogTouch
        | AuditAct::EndBasis
        | AuditAct::PreviewLetter
        | AuditAct::OpenConversation => Some("referrers"),
        AuditAct::WorkReturn | AuditAct::ReadReply => Some("returns"),
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
