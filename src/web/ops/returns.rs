//! `/returns`: what came back for emails, what needs a look first, and a button for each thing that can be done about it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::form::nowhere;
use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::query::Query;
use super::view::returns::{ReturnLine, lines};
use crate::domain::Timestamp;
use crate::domain::id::ReturnId;
use crate::domain::returned::{ReturnKind, ReturnState};
use crate::store::Tx;
use crate::store::records::returns::ReturnsOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Returns on a page.
const PER_PAGE: i64 = 50;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    show: Option<String>,
    before: Option<String>,
}

/// Some of the returns, as people ask for them.
struct Choice {
    /// The word in addresses; the first of them is not written.
    word: &'static str,
    label: &'static str,
    state: Option<ReturnState>,
    kinds: &'static [ReturnKind],
    /// What the page says where there is none.
    none: &'static str,
}

const CHOICES: [Choice; 7] = [
    Choice {
        word: "open",
        label: "Needs a look",
        state: Some(ReturnState::Open),
        kinds: &[],
        none: "Nothing needs a look.",
    },
    Choice {
        word: "bounces",
        label: "Bounces",
        state: None,
        kinds: &[ReturnKind::Bounce, ReturnKind::Delay],
        none: "No letter has bounced.",
    },
    Choice {
        word: "auto-replies",
        label: "Auto-replies",
        state: None,
        kinds: &[ReturnKind::AutoReply],
        none: "There are no automatic replies.",
    },
    Choice {
        word: "replies",
        label: "Replies",
        state: None,
        kinds: &[ReturnKind::Reply],
        none: "Nobody has answered.",
    },
    Choice {
        word: "complaints",
        label: "Complaints",
        state: None,
        kinds: &[ReturnKind::Complaint],
        none: "Nobody has complained.",
    },
    Choice {
        word: "opt-outs",
        label: "Opt-outs",
        state: None,
        kinds: &[ReturnKind::OptOut],
        none: "Nobody has asked by email to be left out.",
    },
    Choice { word: "all", label: "All", state: None, kinds: &[], none: "Nothing has come back." },
];

impl Choice {
    fn named(word: Option<&str>) -> Option<&'static Self> {
        match word {
            None | Some("") => CHOICES.first(),
            Some(word) => CHOICES.iter().find(|choice| choice.word == word),
        }
    }

    fn link(&self) -> String {
        list_link(self.word)
    }

    fn of(&self) -> ReturnsOf {
        ReturnsOf { state: self.state, kinds: self.kinds.to_vec(), ..ReturnsOf::default() }
    }
}

/// The list of that filter; of any other word, what needs a look.
#[must_use]
pub(super) fn list_link(word: &str) -> String {
    match CHOICES.iter().skip(1).find(|choice| choice.word == word) {
        Some(choice) => format!("/returns?show={}", choice.word),
        None => "/returns".to_owned(),
    }
}

/// A choice of the filter.
struct Filter {
    label: String,
    link: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "returns.html")]
struct Page {
    frame: Frame,
    title: String,
    filters: Vec<Filter>,
    /// The filter's word, which leads back to this list.
    list: &'static str,
    rows: Vec<ReturnLine>,
    none: &'static str,
    /// Whether nothing has come back at all, ever.
    is_new: bool,
    older: Option<String>,
    is_first_page: bool,
}

/// `GET /returns`, and `GET /returns?show=bounces`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let choice = Choice::named(wanted.show.as_deref()).ok_or_else(nowhere)?;
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let after = place(&mut tx, wanted.before.as_deref()).await?;
    let mut rows = tx.returns_page(&choice.of(), after, PER_PAGE + 1).await?;
    let has_older = rows.len() > usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    if has_older {
        rows.pop();
    }
    let is_new = rows.is_empty() && tx.returns_page(&ReturnsOf::default(), None, 1).await?.is_empty();
    let title = format!("Returns: {}", choice.label.to_lowercase());
    let older = rows.last().filter(|_| has_older).map(|last| {
        let link = choice.link();
        let mark = if link.contains('?') { '&' } else { '?' };
        format!("{link}{mark}before={}", last.id)
    });
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Returns, title.as_str(), &asked),
        title,
        filters: filters(choice, tx.returns_open().await?),
        list: choice.word,
        rows: lines(&mut tx, &rows, &state.gateway.renderer, &calendar).await?,
        none: choice.none,
        is_new,
        older,
        is_first_page: after.is_none(),
    };
    Ok(frame::show(&page))
}

/// Where the page begins: behind that return.
async fn place(tx: &mut Tx, before: Option<&str>) -> Result<Option<(Timestamp, ReturnId)>, PageProblem> {
    let Some(before) = before.filter(|before| !before.is_empty()) else { return Ok(None) };
    let id: ReturnId = before.parse().map_err(|_| nowhere())?;
    let last = tx.return_row(id, false).await?.ok_or_else(nowhere)?;
    Ok(Some((last.received_ms, last.id)))
}

/// The filters; the first says how many need a look.
fn filters(here: &Choice, open: i64) -> Vec<Filter> {
    let label = |choice: &Choice| match choice.state {
        Some(_) if open > 0 => format!("{} ({})", choice.label, wording::grouped(open)),
        _ => choice.label.to_owned(),
    };
    let filter =
        |choice: &Choice| Filter { label: label(choice), link: choice.link(), is_here: choice.word == here.word };
    CHOICES.iter().map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_ours_are_taken_from_the_address_and_lead_back() {
        assert_eq!(Choice::named(None).map(|choice| choice.word), Some("open"));
        assert_eq!(Choice::named(Some("replies")).map(|choice| choice.word), Some("replies"));
        assert!(Choice::named(Some("<b>")).is_none());
        assert_eq!(list_link("replies"), "/returns?show=replies");
        assert_eq!(list_link("//elsewhere.example"), "/returns");
    }

    #[test]
    fn every_kind_that_people_ask_for_has_its_filter_and_one_is_here() {
        let filters = filters(&CHOICES[0], 1_204);
        assert_eq!(filters[0].label, "Needs a look (1,204)");
        assert_eq!(filters.iter().filter(|filter| filter.is_here).count(), 1);
        let shown: Vec<ReturnKind> = CHOICES.iter().flat_map(|choice| choice.kinds.iter().copied()).collect();
        for kind in [ReturnKind::Bounce, ReturnKind::AutoReply, ReturnKind::Reply, ReturnKind::Complaint] {
            assert!(shown.contains(&kind), "{kind}");
        }
    }
}
