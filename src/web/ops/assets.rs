//! The style sheet: embedded, and named by its content, so that a browser may keep it for a year.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};

const CSS: &str = include_str!("../assets/touchline.css");

static CSS_LINK: LazyLock<String> =
    LazyLock::new(|| format!("/assets/touchline.css?v={}", &crate::render::fax::sha256(CSS.as_bytes())[..12]));

/// The address of the style sheet as it is now.
#[must_use]
pub fn css_link() -> &'static str {
    &CSS_LINK
}

/// `GET /assets/touchline.css`, for everybody: the login page needs it too.
pub async fn css() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, CSS).into_response()
}
