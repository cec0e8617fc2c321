//! The session cookie of the dashboard, and the operator behind it: everybody else is sent to the login page.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::WebState;
use super::ops::again::Kept;
use super::problem::{Kind, PageProblem, Problem};
use crate::access::{self, Device, Session, Verified};
use crate::domain::Actor;

/// The session cookie's name.
pub const SESSION_COOKIE: &str = "touchline_session";
/// The name of the cookie of a browser in which an operator has logged in before.
pub const DEVICE_COOKIE: &str = "touchline_device";
/// How long a browser keeps it after the last login.
const DEVICE_LASTS: Duration = Duration::from_secs(180 * 24 * 3600);

/// An operator who is logged in. As an extractor it sends everybody else to the login page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Login name.
    pub name: String,
    /// Under whom the person's acts are recorded.
    pub actor: Actor,
    /// The page that was asked for, without what it says of the act before.
    pub page: String,
    /// What was filled in, where the page is shown again.
    pub kept: Option<Kept>,
    session: Session,
}

/// Part of the answer to somebody whose session has ended. It is not sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionEnded;

impl Operator {
    fn of(session: Session, parts: &Parts) -> Self {
        let actor = Actor::operator(&session.operator);
        let kept = parts.extensions.get::<Kept>().cloned();
        Self { name: session.operator.clone(), actor, page: page_of(&parts.uri), kept, session }
    }

    /// What every form of this session brings back in its field `form_key`.
    #[must_use]
    pub fn form_key(&self) -> &str {
        &self.session.form_key
    }

    /// That a form came from a page of this session, not from another site.
    ///
    /// # Errors
    /// 403.
    pub fn check_form(&self, form_key: &str) -> Result<(), PageProblem> {
        if self.session.is_form_key(form_key) {
            return Ok(());
        }
        Err(PageProblem(Problem::new(
            Kind::Forbidden,
            "nothing was saved: this form is from an earlier session. Check what you entered, then press the button again",
        )))
    }
}

impl FromRequestParts<WebState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let jar = CookieJar::from_headers(&parts.headers);
        match find(state, &jar).await {
            Ok(Some(session)) => Ok(Self::of(session, parts)),
            Ok(None) => {
                let had_one = jar.get(SESSION_COOKIE).is_some_and(|cookie| !cookie.value().is_empty());
                let mut response = Redirect::to(&login_url(&parts.method, &parts.uri, had_one)).into_response();
                response.extensions_mut().insert(SessionEnded);
                Err(response)
            }
            Err(problem) => Err(PageProblem(problem).into_response()),
        }
    }
}

async fn find(state: &WebState, jar: &CookieJar) -> Result<Option<Session>, Problem> {
    let Some(cookie) = jar.get(SESSION_COOKIE) else { return Ok(None) };
    Ok(access::find_session(&state.gateway.access(), cookie.value()).await?)
}

/// The login page, which leads back to the page that was asked for, and says if a session has ended.
fn login_url(method: &Method, uri: &Uri, had_one: bool) -> String {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if *method == Method::GET && wanted != "/" {
        query.append_pair("next", wanted);
    }
    if had_one {
        query.append_pair("ended", "yes");
    }
    let query = query.finish();
    if query.is_empty() { "/login".to_owned() } else { format!("/login?{query}") }
}

/// The page's address, without the notice of an act.
fn page_of(uri: &Uri) -> String {
    let kept = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(name, _)| !matches!(name.as_ref(), "done" | "n" | "left"));
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) }
}

/// Opens a session and answers its cookie. `None` if the operator may not log in any more, or not with that password.
///
/// # Errors
/// 500 or 503, if it cannot be opened.
pub(super) async fn open(state: &WebState, operator: &Verified) -> Result<Option<Cookie<'static>>, Problem> {
    let opened = access::open_session(&state.gateway.access(), operator).await?;
    Ok(opened.map(|opened| cookie(state, opened.secret, access::SESSION_LASTS)))
}

/// The browser, if somebody of that name has logged in with it before.
pub(super) fn device(state: &WebState, jar: &CookieJar, name: &str) -> Option<Device> {
    state.gateway.devices.known(name, jar.get(DEVICE_COOKIE)?.value())
}

/// The cookie by which the browser is known from now on; the same as before if it is known already. No other site's form
/// brings it along, and it goes to the login only.
///
/// # Errors
/// 500 without randomness.
pub(super) fn device_cookie(state: &WebState, jar: &CookieJar, name: &str) -> Result<Cookie<'static>, Problem> {
    let kept = jar.get(DEVICE_COOKIE).map(Cookie::value);
    let kept = kept.filter(|cookie| state.gateway.devices.known(name, cookie).is_some()).map(str::to_owned);
    let value = kept.map_or_else(|| state.gateway.devices.issue(name), Ok)?;
    let mut cookie = cookie(state, value, DEVICE_LASTS);
    cookie.set_name(DEVICE_COOKIE);
    cookie.set_path("/login");
    cookie.set_same_site(SameSite::Strict);
    Ok(cookie)
}

/// Ends the session of that cookie and answers the cookie that replaces it.
///
/// # Errors
/// 503, if the database cannot do it now.
pub(super) async fn close(state: &WebState, jar: &CookieJar, name: &str) -> Result<Cookie<'static>, Problem> {
    let secret = jar.get(SESSION_COOKIE).map_or("", Cookie::value);
    access::close_session(&state.gateway.access(), secret, name).await?;
    Ok(cookie(state, String::new(), Duration::ZERO))
}

/// `Lax`, so that a link in an alert mail opens the page and not the login; a form of another site does not get the
/// cookie with it, and lacks the form key besides.
fn cookie(state: &WebState, value: String, lasts: Duration) -> Cookie<'static> {
    let public_url = state.gateway.config.server.public_url.as_ref();
    Cookie::build((SESSION_COOKIE, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(public_url.is_some_and(|url| url.scheme() == "https"))
        .max_age(lasts.try_into().unwrap_or_default())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_forgets_what_it_said_of_the_act_before() {
        let page = |uri: &str| page_of(&uri.parse().expect("an address"));
        assert_eq!(page("/failures?reason=busy&done=retried&n=2&left=0"), "/failures?reason=busy");
        assert_eq!(page("/?done=withdrawn"), "/");
    }

    #[test]
    fn the_login_says_that_a_session_ended_only_if_there_was_one() {
        let uri: Uri = "/failures".parse().expect("an address");
        assert_eq!(login_url(&Method::GET, &uri, true), "/login?next=%2Ffailures&ended=yes");
        assert_eq!(login_url(&Method::POST, &uri, false), "/login");
    }
}
