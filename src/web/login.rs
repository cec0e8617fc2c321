//! The login page. A wrong name and a wrong password look and take the same.

use std::time::Duration;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::ops::again::{Left, Pages};
use super::peer::Peer;
use super::problem::{Kind, PageProblem, Problem};
use super::session::{self, Operator};
use super::{WebState, html};
use crate::access::{self, Attempt, Verified};
use crate::domain::storable::is_storable;

/// Longest path that a login leads back to.
const NEXT_CHARS_MAX: usize = 500;

pub(super) fn routes(pages: Pages) -> Router<WebState> {
    Router::new().route("/login", get(show).post(log_in)).route("/logout", post(log_out)).layer(Extension(pages))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    practice: &'a str,
    name: &'a str,
    left: &'a Left,
    /// What is to be known before logging in.
    notice: Option<&'a str>,
    problem: Option<&'a str>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
    #[serde(default)]
    ended: String,
}

async fn show(
    State(state): State<WebState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, PageProblem> {
    let (next, has_ended) = wanted.map(|Query(wanted)| (wanted.next, !wanted.ended.is_empty())).unwrap_or_default();
    let nobody = !access::has_operators(&state.gateway.access()).await?;
    let problem = nobody.then_some("No one can log in yet: no operator has been set up.");
    let left = Left { page: next, ..Left::default() };
    let notice = has_ended.then_some("Your session has ended. Log in to go on where you were.");
    Ok(page(&state, StatusCode::OK, "", &left, notice, problem))
}

/// The login page for a form that came after its session had ended: what was filled in goes back to the browser with it.
pub(super) fn after_end(state: &WebState, left: &Left) -> Response {
    let notice = if left.kept.is_empty() {
        "Your session has ended, and nothing was saved. Log in, then enter it again."
    } else {
        "Your session has ended, and nothing was saved yet. Log in, and what you entered is shown again."
    };
    page(state, StatusCode::UNAUTHORIZED, "", left, Some(notice), None)
}

#[derive(Deserialize)]
struct LoginForm {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
    /// Where a form went that came after its session had ended, and its fields.
    #[serde(default)]
    action: String,
    #[serde(default)]
    kept: String,
}

impl LoginForm {
    fn left(&self) -> Left {
        Left { page: self.next.clone(), action: self.action.clone(), kept: self.kept.clone() }
    }
}

async fn log_in(
    State(state): State<WebState>,
    Extension(pages): Extension<Pages>,
    Peer(peer): Peer,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<LoginForm>, FormRejection>,
) -> Result<Response, PageProblem> {
    refuse_other_sites(&headers)?;
    let Form(form) = form.map_err(|_| Problem::new(Kind::Malformed, "the form cannot be read"))?;
    if !is_storable(&form.name) {
        return Err(Problem::new(Kind::Invalid, "the name contains a character that cannot be stored (U+0000)").into());
    }
    let attempt = Attempt { name: &form.name, peer, device: session::device(&state, &jar, &form.name) };
    if let Err(wait) = state.throttle.count(&attempt, state.gateway.clock.now()) {
        state.gateway.access().note_lockout(&attempt);
        return Ok(too_many(&state, &form, wait));
    }
    let Some(operator) = who(&state, &attempt, &form.password).await? else { return Ok(incorrect(&state, &form)) };
    let Some(cookie) = session::open(&state, &operator).await? else { return Ok(incorrect(&state, &form)) };
    state.throttle.forget(&attempt);
    let device = session::device_cookie(&state, &jar, operator.name())?;
    let session = format!("{}={}", cookie.name(), cookie.value());
    let redirect = (jar.add(cookie).add(device), Redirect::to(local(&form.next))).into_response();
    let left = form.left();
    if left.kept.is_empty() || local(&left.page) != left.page {
        return Ok(redirect);
    }
    Ok(pages.after_login(&left, &session, redirect).await)
}

async fn log_out(
    State(state): State<WebState>,
    operator: Operator,
    jar: CookieJar,
    form: Result<Form<LogoutForm>, FormRejection>,
) -> Result<Response, PageProblem> {
    let Form(form) = form.map_err(|_| Problem::new(Kind::Malformed, "the form cannot be read"))?;
    operator.check_form(&form.form_key)?;
    let cookie = session::close(&state, &jar, &operator.name).await?;
    Ok((jar.add(cookie), Redirect::to("/login")).into_response())
}

#[derive(Deserialize)]
struct LogoutForm {
    form_key: String,
}

/// The operator, if the password is theirs; a few passwords are checked at a time.
async fn who(state: &WebState, attempt: &Attempt<'_>, password: &str) -> Result<Option<Verified>, Problem> {
    let _turn = state.throttle.checks().acquire().await;
    Ok(access::verify_operator(&state.gateway.access(), attempt, password).await?)
}

/// A browser says where a form came from (Fetch Metadata); another site must not log anybody in here. There is no
/// session yet whose form key could be asked for.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Problem::new(Kind::Forbidden, "log in from this site's own page")),
    }
}

fn incorrect(state: &WebState, form: &LoginForm) -> Response {
    metrics::counter!("touchline_login_failures_total").increment(1);
    page(state, StatusCode::UNAUTHORIZED, &form.name, &form.left(), None, Some("Incorrect name or password."))
}

fn too_many(state: &WebState, form: &LoginForm, wait: Duration) -> Response {
    metrics::counter!("touchline_login_lockouts_total").increment(1);
    let problem = Some("Too many attempts. Wait a few minutes, then try again.");
    let mut response = page(state, StatusCode::TOO_MANY_REQUESTS, &form.name, &form.left(), None, problem);
    response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
    response
}

fn page(
    state: &WebState,
    status: StatusCode,
    name: &str,
    left: &Left,
    notice: Option<&str>,
    problem: Option<&str>,
) -> Response {
    let practice = state.gateway.config.practice.name.as_str();
    let left = Left { page: local(&left.page).to_owned(), ..left.clone() };
    html(status, &LoginPage { practice, name, left: &left, notice, problem })
}

/// A path on this site, or the overview: a login never leads elsewhere.
pub(super) fn local(next: &str) -> &str {
    let stays = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= NEXT_CHARS_MAX
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if stays { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_login_leads_to_a_path_of_this_site_only() {
        assert_eq!(local("/failures?cause=busy"), "/failures?cause=busy");
        for elsewhere in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/a b", "/\u{7f}x"] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
