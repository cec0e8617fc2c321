//! `/referrers`: the list, page by page, and the search. What was searched for is kept in a cookie of this browser, not
//! in the address, where names and addresses of people do not belong.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::form::{Posted, nowhere, then_show};
use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::query::Query;
use super::view::people::PersonRow;
use crate::domain::AddressKey;
use crate::domain::id::{self, ReferrerId};
use crate::domain::referrer::Referrer;
use crate::store::records::referrers::sort_name;
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// Referrers on a page.
const PER_PAGE: i64 = 50;
/// Longest text searched for.
const SEARCH_CHARS_MAX: usize = 100;
/// Keeps what was searched for while the browser is open.
const SEARCH_COOKIE: &str = "touchline_search";

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    found: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "referrers.html")]
struct Page {
    frame: Frame,
    title: &'static str,
    total: String,
    search: String,
    rows: Vec<PersonRow>,
    next: Option<String>,
    is_first_page: bool,
    /// Where lists differ from corrections by hand.
    differences: Option<String>,
}

/// `GET /referrers`, and `GET /referrers?found=1` for those that the last search found.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    jar: CookieJar,
    Query(wanted): Query<Wanted>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let search = if wanted.found.is_some() { searched_for(&jar) } else { String::new() };
    let mut tx = state.gateway.store.read().await?;
    let after = match wanted.after.as_deref() {
        Some(id) => {
            let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
            Some(tx.referrer(id).await?.ok_or_else(nowhere)?)
        }
        None => None,
    };
    let (referrers, has_more) = find(&mut tx, &search, after.as_ref()).await?;
    let next = referrers.last().filter(|_| has_more).map(|last| {
        let found = if search.is_empty() { "" } else { "found=1&" };
        format!("/referrers?{found}after={}", last.id)
    });
    let title = if search.is_empty() { "Referrers" } else { "Referrers: search results" };
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Referrers, title, &asked),
        title,
        total: total(&mut tx, &search).await?,
        rows: rows(&mut tx, &referrers).await?,
        search,
        next,
        is_first_page: after.is_none(),
        differences: match tx.conflicts_count().await? {
            0 => None,
            some => Some(wording::count(some, "list differs from a correction", "lists differ from corrections")),
        },
    };
    Ok(frame::show(&page))
}

/// How many there are, and of them how many a search finds: `85 of 2,200 referrers`.
async fn total(tx: &mut Tx, search: &str) -> Result<String, StoreError> {
    let all = wording::count(tx.referrer_count().await?, "referrer", "referrers");
    if search.is_empty() {
        return Ok(all);
    }
    Ok(format!("{} of {all}", wording::grouped(tx.referrers_found_count(search).await?)))
}

/// A page of those whom the search finds, and whether more follow.
async fn find(tx: &mut Tx, search: &str, after: Option<&Referrer>) -> Result<(Vec<Referrer>, bool), StoreError> {
    let name = after.map(sort_name);
    let cursor = name.as_deref().zip(after.map(|referrer| referrer.id));
    let wanted = Some(search).filter(|search| !search.is_empty());
    let mut found = tx.referrers_page(wanted, cursor, PER_PAGE + 1).await?;
    let has_more = found.len() > usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    if has_more {
        found.pop();
    }
    Ok((found, has_more))
}

async fn rows(tx: &mut Tx, referrers: &[Referrer]) -> Result<Vec<PersonRow>, StoreError> {
    let addresses = |referrer: &Referrer| {
        let both = crate::domain::Channel::ALL.iter().filter_map(|channel| referrer.address(*channel));
        both.map(|address| address.key()).collect::<Vec<_>>()
    };
    let keys: Vec<AddressKey> = referrers.iter().flat_map(addresses).collect();
    let known = tx.addresses_known(&keys).await?;
    let mut rows = Vec::with_capacity(referrers.len());
    for referrer in referrers {
        let delivered = tx.touches_delivered(referrer.id).await?;
        rows.push(PersonRow::of(referrer, delivered, &known));
    }
    Ok(rows)
}

/// `POST /referrers`: keeps what is searched for in this browser and leads to the list; the reference printed on a page
/// leads to its message.
pub async fn search(State(state): State<WebState>, jar: CookieJar, posted: Posted) -> Result<Response, PageProblem> {
    let text: String =
        posted.fields.text("search").chars().filter(|c| !c.is_control()).take(SEARCH_CHARS_MAX).collect();
    if let Some(reference) = id::reference(&text)
        && let Some(message) = state.gateway.store.read().await?.messages_by_reference(&reference).await?.first()
    {
        return Ok(then_show(&format!("/messages/{}", message.id)));
    }
    let public_url = state.gateway.config.server.public_url.as_ref();
    let cookie = Cookie::build((SEARCH_COOKIE, URL_SAFE_NO_PAD.encode(&text)))
        .path("/referrers")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(public_url.is_some_and(|url| url.scheme() == "https"))
        .build();
    let page = if text.is_empty() { "/referrers" } else { "/referrers?found=1" };
    Ok((jar.add(cookie), then_show(page)).into_response())
}

fn searched_for(jar: &CookieJar) -> String {
    let kept = jar.get(SEARCH_COOKIE).and_then(|cookie| URL_SAFE_NO_PAD.decode(cookie.value()).ok());
    let text = kept.and_then(|octets| String::from_utf8(octets).ok()).unwrap_or_default();
    text.chars().take(SEARCH_CHARS_MAX).collect()
}
