//! `/returns/{id}`: what came back beside the letter it is about: what was read and what decided, what followed, the mail as it came,
//! and what can be done about it.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::query::Query;
use super::returns::list_link;
use super::returns_kept::{self as kept, Answer, Came};
use super::sheet::{self, Sheet};
use super::view::moment::Moment;
use super::view::pieces::Chip;
use super::view::returned::{self, Followed};
use super::view::returns::{ReturnLine, lines};
use super::view::titles;
use crate::domain::id::{self, MessageId, ReturnId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::returned::{MatchedBy, ReturnAct, ReturnKind, ReturnState};
use crate::feedback::returns::working::work;
use crate::referrers::conversation::who_stay;
use crate::store::Tx;
use crate::store::records::returns::ReturnRow;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::{self, Tone};

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    mail: Option<String>,
    reply: Option<String>,
}

/// The letter it is about.
struct Letter {
    title: String,
    link: String,
    status: Chip,
    made: Moment,
    /// Where its text is, if it may be shown unasked and is still there.
    mail: Option<String>,
    is_about_patient: bool,
}

#[derive(Template)]
#[template(path = "returns_show.html")]
struct Page {
    frame: Frame,
    id: String,
    title: String,
    tone: &'static str,
    line: ReturnLine,
    /// Whether a person must say which letter it is about.
    asks_for_letter: bool,
    facts: Vec<(&'static str, String)>,
    matched: &'static str,
    followed: Vec<Followed>,
    letter: Option<Letter>,
    answer: Answer,
    came: Came,
    /// The mailbox or the account it came to.
    source: String,
    /// Whether a mail provider reported it.
    is_report: bool,
}

impl Page {
    /// Whether all of the mail is kept as it came, rather than its first line alone.
    const fn keeps_mail(&self) -> bool {
        matches!(self.came, Came::Kept { .. } | Came::Shown { .. })
    }

    /// Whether there is something to say of what they wrote.
    fn has_answer(&self) -> bool {
        self.line.first_line.is_some() || !matches!(self.answer, Answer::NotKept)
    }
}

/// `GET /returns/{id}`, and `GET /returns/{id}?mail=show` with the mail as it came.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let id: ReturnId = id.parse().map_err(|_| nowhere())?;
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let row = tx.return_row(id, false).await?.ok_or_else(nowhere)?;
    let (message, referrer) = about(&mut tx, &row).await?;
    let line = lines(&mut tx, std::slice::from_ref(&row), &state.gateway.renderer, &calendar).await?.pop();
    let line = line.ok_or_else(nowhere)?;
    let followed = returned::followed(&mut tx, &row, referrer.as_ref(), &calendar).await?;
    drop(tx);
    let is_asked = |word: &Option<String>| word.as_deref() == Some("show");
    let came = kept::came(&state, &operator, &row, message.as_ref(), is_asked(&wanted.mail)).await?;
    let answer = kept::answer(&state, &operator, &row, is_asked(&wanted.reply)).await?;
    let letter = match (&message, &referrer) {
        (Some(message), Some(referrer)) => Some(letter(&state, &operator, message, referrer).await?),
        _ => None,
    };
    let title = format!("{}: {}", wording::returns::kind(row.kind).1, line.who);
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Returns, title.as_str(), &asked),
        id: id.to_string(),
        title,
        tone: tone(&row),
        asks_for_letter: asks_for_letter(&row),
        facts: returned::facts(&row),
        matched: row.matched_by.map_or("Nothing in it names a letter of ours", wording::returns::matched_by),
        followed,
        letter,
        answer,
        came,
        source: row.source.clone(),
        is_report: row.inbox_id.is_some(),
        line,
    };
    Ok(frame::show(&page))
}

/// The message and the referrer it is about, as far as they are known.
async fn about(tx: &mut Tx, row: &ReturnRow) -> Result<(Option<Message>, Option<Referrer>), PageProblem> {
    let message = match row.message_id {
        Some(id) => tx.message(id, false).await?,
        None => None,
    };
    let referrer = match row.referrer_id.or(message.as_ref().map(|message| message.referrer_id)) {
        Some(id) => who_stay(tx, &[id]).await?.remove(&id),
        None => None,
    };
    Ok((message, referrer))
}

fn tone(row: &ReturnRow) -> &'static str {
    match row.state {
        ReturnState::Open => Tone::Warn.as_str(),
        ReturnState::Applied => wording::returns::kind(row.kind).0.as_str(),
        ReturnState::Done => Tone::Quiet.as_str(),
    }
}

/// Whether it is a failure of which nobody knows for sure which letter it is about.
fn asks_for_letter(row: &ReturnRow) -> bool {
    let is_failure = matches!(row.kind, ReturnKind::Bounce | ReturnKind::Complaint);
    row.state == ReturnState::Open && is_failure && !row.matched_by.is_some_and(MatchedBy::is_sure)
}

/// The letter as it was sent. One that identifies a patient is shown on its own page only.
async fn letter(
    state: &WebState,
    operator: &Operator,
    message: &Message,
    referrer: &Referrer,
) -> Result<Letter, PageProblem> {
    let calendar = frame::calendar(state);
    let sheet = sheet::of(state, operator, message, referrer, false).await?;
    let link = format!("/messages/{}", message.id);
    Ok(Letter {
        title: titles::letter(&state.gateway.renderer, &message.letter),
        status: wording::status(message.status).into(),
        made: calendar.moment(message.created_ms),
        mail: matches!(sheet, Sheet::Mail { .. }).then(|| format!("{link}/mail.html")),
        is_about_patient: matches!(sheet, Sheet::Covered),
        link,
    })
}

/// `POST /returns/{id}`: one act. Leads back to the list it was done from, or else to the return.
pub async fn act(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReturnId = id.parse().map_err(|_| nowhere())?;
    let act: ReturnAct =
        posted.fields.text("act").parse().map_err(|_| refused("Please use the buttons on the page."))?;
    let back = posted.fields.optional("list").map_or_else(|| format!("/returns/{id}"), list_link);
    carry_out(&state, id, act, None, &posted).await.map(|done| then_show(&done.at(&back)))
}

/// `POST /returns/{id}/letter`: which letter it is about, by its reference or id.
pub async fn name_letter(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id: ReturnId = id.parse().map_err(|_| nowhere())?;
    let named = posted.fields.line("letter", "the letter's reference", 40)?;
    let message = message_named(&state, &named).await?;
    let done = carry_out(&state, id, ReturnAct::Match, Some(message), &posted).await?;
    Ok(then_show(&done.at(&format!("/returns/{id}"))))
}

async fn carry_out(
    state: &WebState,
    id: ReturnId,
    act: ReturnAct,
    message: Option<MessageId>,
    posted: &Posted,
) -> Result<Done, PageProblem> {
    let give_up = Duration::from_secs(state.gateway.config.sending.give_up_hours * 3600);
    work(&state.gateway.feedback(), id, act, message, &posted.operator.actor, give_up).await?;
    Ok(match act {
        ReturnAct::Match => Done::ReturnMatched,
        ReturnAct::NotABounce => Done::ReturnGood,
        ReturnAct::Suppress | ReturnAct::SuppressFax | ReturnAct::SuppressAll => Done::Suppressed,
        ReturnAct::Dismiss => Done::ReturnDismissed,
        ReturnAct::Done => Done::ReturnWorked,
    })
}

/// The message with that reference or id.
async fn message_named(state: &WebState, named: &str) -> Result<MessageId, PageProblem> {
    let nothing = || {
        let words = "There is no letter with this reference. It stands on the letter's page under Details.";
        refused_field("letter", words)
    };
    let Some(reference) = id::reference(named) else { return named.parse().map_err(|_| nothing()) };
    let found = state.gateway.store.read().await?.messages_by_reference(&reference).await?;
    match found.as_slice() {
        [message] => Ok(message.id),
        [] => Err(nothing()),
        _ => Err(refused_field(
            "letter",
            "Several letters have this reference: use the ID on the letter's page instead.",
        )),
    }
}
