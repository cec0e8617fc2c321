//! `/messages`: every message, newest first, by where it stands or by broadcast.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::lines::{BroadcastRow, LineRow, STANDS, Stand};
use crate::domain::id::{BroadcastId, MessageId};
use crate::operator::{self, OperatorError};
use crate::store::views::ledger::LedgerOf;
use crate::store::views::lists::LinesOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Messages on a page.
const PER_PAGE: i64 = 50;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    status: Option<String>,
    broadcast: Option<String>,
    before: Option<String>,
}

/// A choice of the filter.
struct Filter {
    label: &'static str,
    link: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct Page {
    frame: Frame,
    /// What is listed: all messages or those of a broadcast, and by which status.
    title: String,
    broadcast: Option<BroadcastRow>,
    /// What letting a paused broadcast go on does.
    going_on: &'static str,
    filters: Vec<Filter>,
    rows: Vec<LineRow>,
    older: Option<String>,
    is_first_page: bool,
}

/// `GET /messages`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let choice = Choice::read(&wanted).ok_or_else(nowhere)?;
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let mut lines = tx.message_lines(choice.lines(), PER_PAGE + 1).await?;
    let broadcast = match choice.broadcast {
        Some(id) => {
            let broadcast = tx.broadcast(id).await?.ok_or_else(nowhere)?;
            let ledger = tx.ledger(LedgerOf::Broadcast(id)).await?;
            Some(BroadcastRow::of(&broadcast, &ledger, &calendar, &state.gateway.renderer))
        }
        None => None,
    };
    let has_older = lines.len() > usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    if has_older {
        lines.pop();
    }
    let last = lines.last().map(|line| line.id).filter(|_| has_older);
    let title = choice.title(broadcast.as_ref().map(|broadcast| broadcast.name.as_str()));
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Messages, title.as_str(), &asked),
        title,
        broadcast,
        going_on: wording::broadcasts::GOING_ON,
        filters: choice.filters(),
        rows: lines.iter().map(|line| LineRow::of(line, &calendar, &state.gateway.renderer)).collect(),
        older: last.map(|last| Choice { before: Some(last), ..choice }.link()),
        is_first_page: choice.before.is_none(),
    };
    Ok(frame::show(&page))
}

/// `POST /broadcasts/{id}/resume`: lets a broadcast go on that has paused itself.
pub async fn resume_broadcast(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: BroadcastId = id.parse().map_err(|_| nowhere())?;
    let page = format!("/messages?broadcast={id}");
    match operator::broadcasts::resume(&state.gateway.operator(), id, &posted.operator.actor).await {
        Ok(_) => Ok(then_show(&Done::BroadcastResumed.at(&page))),
        Err(OperatorError::WrongState(_)) => Ok(then_show(&Done::BroadcastNotPaused.at(&page))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /broadcasts/{id}/cancel`: cancels what was not handed over of a broadcast, as far as one request gets.
pub async fn cancel_broadcast(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: BroadcastId = id.parse().map_err(|_| nowhere())?;
    if posted.fields.text("sure") != "yes" {
        return Err(refused_field("sure", "Please check the box to cancel the rest of the broadcast."));
    }
    let (parts, who) = (state.gateway.operator(), &posted.operator.actor);
    let done = operator::broadcasts::cancel_rest(&parts, id, who, state.bulk_within).await?;
    let notice = if done.has_more { Done::BroadcastCancelledInPart } else { Done::BroadcastCancelled };
    Ok(then_show(&notice.at(&format!("/messages?broadcast={id}"))))
}

/// What was asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Choice {
    stand: Option<&'static Stand>,
    broadcast: Option<BroadcastId>,
    before: Option<MessageId>,
}

impl Choice {
    /// Reads the query; `None` if it has anything other than known words and ids.
    fn read(wanted: &Wanted) -> Option<Self> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut choice = Self::default();
        if let Some(word) = given(&wanted.status) {
            choice.stand = Some(STANDS.iter().find(|stand| stand.word == word)?);
        }
        if let Some(id) = given(&wanted.broadcast) {
            choice.broadcast = Some(id.parse().ok()?);
        }
        if let Some(id) = given(&wanted.before) {
            choice.before = Some(id.parse().ok()?);
        }
        Some(choice)
    }

    fn title(self, broadcast: Option<&str>) -> String {
        let of = broadcast.unwrap_or("Messages");
        self.stand.map_or_else(|| of.to_owned(), |stand| format!("{of}: {}", stand.label.to_lowercase()))
    }

    fn lines(self) -> LinesOf {
        LinesOf {
            statuses: self.stand.map_or(&[], |stand| stand.statuses),
            broadcast: self.broadcast,
            before: self.before,
        }
    }

    fn link(self) -> String {
        let parts = [
            self.stand.map(|stand| format!("status={}", stand.word)),
            self.broadcast.map(|broadcast| format!("broadcast={broadcast}")),
            self.before.map(|before| format!("before={before}")),
        ];
        let query: Vec<String> = parts.into_iter().flatten().collect();
        if query.is_empty() { "/messages".to_owned() } else { format!("/messages?{}", query.join("&")) }
    }

    /// The filters beside this choice: each keeps the broadcast and begins at the newest.
    fn filters(self) -> Vec<Filter> {
        let filter = |stand: Option<&'static Stand>| Filter {
            label: stand.map_or("All", |stand| stand.label),
            link: Self { stand, before: None, ..self }.link(),
            is_here: stand.map(|one| one.word) == self.stand.map(|one| one.word),
        };
        std::iter::once(None).chain(STANDS.iter().map(Some)).map(filter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_and_ids_of_ours_are_taken_from_the_address() {
        let wanted = |status: &str| Wanted { status: Some(status.to_owned()), ..Wanted::default() };
        assert_eq!(Choice::read(&wanted("in_doubt")).and_then(|one| one.stand).map(|one| one.label), Some("In doubt"));
        assert!(Choice::read(&wanted("")).is_some_and(|choice| choice.stand.is_none()));
        assert!(Choice::read(&wanted("<b>")).is_none());
    }

    #[test]
    fn the_title_says_what_is_listed() {
        let wanted = Wanted { status: Some("in_doubt".to_owned()), ..Wanted::default() };
        let choice = Choice::read(&wanted).expect("known");
        assert_eq!(choice.title(None), "Messages: in doubt");
        assert_eq!(choice.title(Some("November update")), "November update: in doubt");
        assert_eq!(Choice::default().title(None), "Messages");
    }

    #[test]
    fn a_filter_keeps_the_broadcast_and_forgets_the_page() {
        let broadcast = BroadcastId::new();
        let choice = Choice { broadcast: Some(broadcast), before: Some(MessageId::new()), stand: None };
        let filters = choice.filters();
        assert!(filters.iter().all(|filter| filter.link.contains(&broadcast.to_string())));
        assert!(filters.iter().all(|filter| !filter.link.contains("before")));
        assert_eq!(filters.iter().filter(|filter| filter.is_here).count(), 1);
    }
}
