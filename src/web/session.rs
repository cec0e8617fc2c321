//! The session cookie of the dashboard, and the operator behind it: everybody else is sent to the login page.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::WebState;
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
    session: Session,
}

impl Operator {
    fn of(session: Session) -> Self {
        Self { name: session.operator.clone(), actor: Actor::operator(&session.operator), session }
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
            "this form does not belong to your session; reload the page and try again",
        )))
    }
}

impl FromRequestParts<WebState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let jar = CookieJar::from_headers(&parts.headers);
        match find(state, &jar).await {
            Ok(Some(operator)) => Ok(operator),
            Ok(None) => Err(Redirect::to(&login_url(&parts.method, &parts.uri)).into_response()),
            Err(problem) => Err(PageProblem(problem).into_response()),
        }
    }
}

async fn find(state: &WebState, jar: &CookieJar) -> Result<Option<Operator>, Problem> {
    let Some(cookie) = jar.get(SESSION_COOKIE) else { return Ok(None) };
    Ok(access::find_session(&state.gateway.access(), cookie.value()).await?.map(Operator::of))
}

/// The login page, which leads back to the page that was asked for.
fn login_url(method: &Method, uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    if *method != Method::GET || wanted == "/" {
        return "/login".to_owned();
    }
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
    format!("/login?{query}")
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
