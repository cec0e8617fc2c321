//! Operators' sessions: a random cookie, of which the hash is kept, and a key that every form must bring back.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use subtle::ConstantTimeEq;

use super::{hash_of, new_secret};
use crate::domain::id::OperatorId;
use crate::web::WebState;
use crate::web::problem::{Kind, PageProblem, Problem};

/// The session cookie's name.
pub const SESSION_COOKIE: &str = "touchline_session";
/// How long a session lasts.
const SESSION_LASTS: Duration = Duration::from_secs(12 * 3600);

/// An operator who is logged in. As an extractor it sends everybody else to the login page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Login name.
    pub name: String,
    /// What every form of this session brings back in its field `form_key`.
    pub form_key: String,
}

impl Operator {
    /// That a form came from a page of this session, not from another site.
    ///
    /// # Errors
    /// 403.
    pub fn check_form(&self, form_key: &str) -> Result<(), PageProblem> {
        let same: bool = self.form_key.as_bytes().ct_eq(form_key.as_bytes()).into();
        if same {
            return Ok(());
        }
        Err(PageProblem(Problem::new(
            Kind::Forbidden,
            "this form is not of your session; reload the page and try again",
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
    let mut tx = state.gateway.store.read().await?;
    let found = tx.session(&hash_of(cookie.value()), state.gateway.clock.now()).await?;
    Ok(found.map(|(name, form_key)| Operator { name, form_key }))
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

/// Opens a session and answers its cookie. Sessions that have run out are swept away.
///
/// # Errors
/// As every store function.
pub async fn open_session(state: &WebState, operator: OperatorId, name: &str) -> Result<Cookie<'static>, Problem> {
    let (secret, form_key) = (new_secret()?, new_secret()?);
    let now = state.gateway.clock.now();
    let mut tx = state.gateway.store.write().await?;
    tx.session_end("", now).await?;
    tx.session_insert(&hash_of(&secret), operator, &form_key, now.after(SESSION_LASTS)).await?;
    tx.audit(name, "login", None, None, now).await?;
    tx.commit().await?;
    Ok(cookie(state, secret, SESSION_LASTS))
}

/// Ends a session and answers the cookie that takes its place.
///
/// # Errors
/// As every store function.
pub async fn close_session(state: &WebState, jar: &CookieJar, name: &str) -> Result<Cookie<'static>, Problem> {
    let now = state.gateway.clock.now();
    let mut tx = state.gateway.store.write().await?;
    tx.session_end(&hash_of(jar.get(SESSION_COOKIE).map_or("", Cookie::value)), now).await?;
    tx.audit(name, "logout", None, None, now).await?;
    tx.commit().await?;
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
