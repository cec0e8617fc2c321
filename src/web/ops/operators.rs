//! `/operators`: who may log in to the dashboard. Nobody disables or removes themselves here, so that somebody can always log
//! in. Passwords are never sent back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::form::{Fields, Posted, nowhere, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::message::sentence;
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::moment::Moment;
use super::view::pieces::Chip;
use crate::access::{self, AccessError, LOGINS_WITHIN, NAME_CHARS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use crate::store::records::operators::OperatorRow;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::Tone;

const PAGE: &str = "/operators";

/// One operator.
struct Row {
    id: String,
    name: String,
    /// Whether it is who looks at the page.
    is_me: bool,
    state: Chip,
    /// Since when they may not log in.
    disabled: Option<Moment>,
    added: Moment,
    last_login: Option<Moment>,
}

#[derive(Template)]
#[template(path = "operators.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    name_max: usize,
    password_min: usize,
    password_max: usize,
    days: u64,
}

/// `GET /operators`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let (calendar, parts) = (frame::calendar(&state), state.gateway.access());
    let logins = access::last_logins(&parts).await?;
    let row = |one: OperatorRow| Row {
        id: one.id.to_string(),
        is_me: one.name == operator.name,
        state: Chip::from(if one.disabled_ms.is_some() {
            (Tone::Quiet, "disabled")
        } else {
            (Tone::Good, "may log in")
        }),
        disabled: one.disabled_ms.map(|at| calendar.moment(at)),
        added: calendar.moment(one.created_ms),
        // A log-in before that was by somebody else of that name.
        last_login: logins.get(&one.name).filter(|at| **at >= one.created_ms).map(|at| calendar.moment(*at)),
        name: one.name,
    };
    let rows = access::operators(&parts).await?.into_iter().map(row).collect();
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Operators, "Operators", &asked),
        rows,
        name_max: NAME_CHARS_MAX,
        password_min: PASSWORD_CHARS_MIN,
        password_max: PASSWORD_CHARS_MAX,
        days: LOGINS_WITHIN.as_secs() / (24 * 3600),
    };
    Ok(frame::show(&page))
}

/// `POST /operators`: lets a person log in.
pub async fn add(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let name = posted.fields.line("name", "the name", NAME_CHARS_MAX)?;
    let password = password_of(&posted.fields)?;
    let _turn = state.throttle.checks().acquire().await;
    let added = access::add_operator(&state.gateway.access(), &name, password, &posted.operator.actor).await;
    added.map_err(beside_its_field)?;
    Ok(then_show(&Done::OperatorAdded.at(PAGE)))
}

/// `POST /operators/{id}/password`: sets another password, and logs the operator out everywhere.
pub async fn set_password(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    let password = password_of(&posted.fields)?;
    let _turn = state.throttle.checks().acquire().await;
    let set = access::set_password(&state.gateway.access(), &row.name, password, &posted.operator.actor).await;
    set.map_err(beside_its_field)?;
    Ok(then_show(&Done::OperatorPassword.at(PAGE)))
}

/// `POST /operators/{id}/disable`: another operator may not log in any more.
pub async fn disable(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    access::disable_other(&state.gateway.access(), row.id, &posted.operator.name).await?;
    Ok(then_show(&Done::OperatorDisabled.at(PAGE)))
}

/// `POST /operators/{id}/enable`: a disabled operator may log in again.
pub async fn enable(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    access::set_disabled(&state.gateway.access(), &row.name, false, &posted.operator.actor).await?;
    Ok(then_show(&Done::OperatorEnabled.at(PAGE)))
}

/// `POST /operators/{id}/remove`: removes another operator, once the box is checked.
pub async fn remove(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    if posted.fields.text("sure") != "yes" {
        return Err(refused_field("sure", "Please check the box to remove the operator."));
    }
    access::remove_other(&state.gateway.access(), row.id, &posted.operator.name).await?;
    Ok(then_show(&Done::OperatorRemoved.at(PAGE)))
}

async fn row_of(state: &WebState, id: &str) -> Result<OperatorRow, PageProblem> {
    let id = id.parse().map_err(|_| nowhere())?;
    match access::operator(&state.gateway.access(), id).await {
        Err(AccessError::NotFound(_)) => Err(nowhere()),
        other => Ok(other?),
    }
}

/// A password that was typed twice.
fn password_of(fields: &Fields) -> Result<&str, PageProblem> {
    let password = fields.as_typed("password");
    if password.is_empty() {
        return Err(refused_field("password", "Please fill in: the password."));
    }
    if password != fields.as_typed("password_again") {
        return Err(refused_field("password_again", "The two passwords are not the same. Please type both again."));
    }
    Ok(password)
}

fn beside_its_field(error: AccessError) -> PageProblem {
    match error {
        AccessError::Taken(_) => refused_field("name", "There is an operator of that name already."),
        AccessError::Password(words) => refused_field("password", sentence(&words)),
        AccessError::Invalid(words) => refused_field("name", sentence(&words)),
        other => other.into(),
    }
}
