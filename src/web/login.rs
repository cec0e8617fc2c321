//! The login page. A wrong name and a wrong password look and take the same.

use std::time::Duration;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::peer::Peer;
use super::problem::{Kind, PageProblem, Problem};
use super::session::{self, Operator};
use super::{WebState, html};
use crate::access::{self, Attempt, Verified};
use crate::domain::storable::is_storable;

/// Longest path that a login leads back to.
const NEXT_CHARS_MAX: usize = 500;

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/login", get(show).post(log_in)).route("/logout", post(log_out))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    practice: &'a str,
    next: &'a str,
    problem: Option<&'a str>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

async fn show(
    State(state): State<WebState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, PageProblem> {
    let next = wanted.map(|Query(wanted)| wanted.next).unwrap_or_default();
    let nobody = !access::has_operators(&state.gateway.access()).await?;
    let problem = nobody.then_some("No one can log in yet: no operator has been set up.");
    Ok(page(&state, StatusCode::OK, &next, problem))
}

#[derive(Deserialize)]
struct LoginForm {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn log_in(
    State(state): State<WebState>,
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
        return Ok(too_many(&state, &form.next, wait));
    }
    let Some(operator) = who(&state, &attempt, &form.password).await? else { return Ok(incorrect(&state, &form.next)) };
    let Some(cookie) = session::open(&state, &operator).await? else { return Ok(incorrect(&state, &form.next)) };
    state.throttle.forget(&attempt);
    let device = session::device_cookie(&state, &jar, operator.name())?;
    Ok((jar.add(cookie).add(device), Redirect::to(local(&form.next))).into_response())
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
fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Problem::new(Kind::Forbidden, "log in from this site's own page")),
    }
}

fn incorrect(state: &WebState, next: &str) -> Response {
    metrics::counter!("touchline_login_failures_total").increment(1);
    page(state, StatusCode::UNAUTHORIZED, next, Some("Incorrect name or password."))
}

fn too_many(state: &WebState, next: &str, wait: Duration) -> Response {
    metrics::counter!("touchline_login_lockouts_total").increment(1);
    let problem = Some("Too many attempts. Wait a few minutes, then try again.");
    let mut response = page(state, StatusCode::TOO_MANY_REQUESTS, next, problem);
    response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
    response
}

fn page(state: &WebState, status: StatusCode, next: &str, problem: Option<&str>) -> Response {
    let practice = state.gateway.config.practice.name.as_str();
    html(status, &LoginPage { practice, next: local(next), problem })
}

/// A path on this site, or the overview: a login never leads elsewhere.
fn local(next: &str) -> &str {
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
