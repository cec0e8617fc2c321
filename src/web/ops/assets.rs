//! The style sheet, embedded and named by its content, so that a browser may keep it for a year; and the icon.

use std::sync::LazyLock;

use axum::extract::RawQuery;
use axum::http::header;
use axum::response::{IntoResponse, Response};

const CSS: &str = include_str!("../assets/touchline.css");
const ICON: &str = include_str!("../assets/touchline.svg");

static CSS_LINK: LazyLock<String> =
    LazyLock::new(|| format!("/assets/touchline.css?v={}", &crate::render::fax::sha256(CSS.as_bytes())[..12]));

/// The address of the style sheet as it is now.
#[must_use]
pub fn css_link() -> &'static str {
    &CSS_LINK
}

/// `GET /assets/touchline.css`, for everybody: the login page needs it too. Kept for a year under the name that tells
/// its content, for five minutes under any other.
pub async fn css(RawQuery(query): RawQuery) -> Response {
    let is_named = query.is_some_and(|query| CSS_LINK.ends_with(&format!("?{query}")));
    let keep = if is_named { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, keep)], CSS).into_response()
}

/// `GET /assets/touchline.svg`, for everybody: the icon that a browser shows beside the title.
pub async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")], ICON).into_response()
}
