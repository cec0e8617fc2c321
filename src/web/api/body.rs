//! Reading requests: JSON bodies and query strings, with refusals that name the field but repeat no value.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Query, Request};
use axum::http::header;
use chrono::DateTime;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::domain::Timestamp;
use crate::domain::storable::unstorable_in;
use crate::web::WebState;
use crate::web::problem::{Kind, Problem};

/// Longest field name that is repeated.
const NAME_CHARS_MAX: usize = 80;

/// A JSON body of that form.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<WebState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Kind::UnsupportedMediaType, "send Content-Type: application/json"));
        }
        let cut_off = |_| Problem::new(Kind::Malformed, "the request body was cut off");
        let bytes = Bytes::from_request(request, state).await.map_err(cut_off)?;
        check_object(&bytes)?;
        check_storable(&bytes)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| refusal(&error))
    }
}

/// That the body is an object. serde would also fill a form from an array, by the order of its fields.
fn check_object(body: &[u8]) -> Result<(), Problem> {
    let begins_one = body.trim_ascii_start().starts_with(b"{");
    // What is no JSON is refused by whoever reads the form.
    if begins_one || serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return Ok(());
    }
    Err(Problem::new(Kind::Invalid, "the body must be a JSON object, as /api/openapi.json describes it"))
}

/// That no text of a body is one that a database cannot hold. JSON has such a character only as an escape, and only a
/// body with one is looked at closer.
fn check_storable(body: &[u8]) -> Result<(), Problem> {
    const ESCAPE: &[u8] = br"\u0000";
    if !body.windows(ESCAPE.len()).any(|octets| octets == ESCAPE) {
        return Ok(());
    }
    // What is no JSON is refused by whoever reads the form.
    let place = serde_json::from_slice(body).ok().as_ref().and_then(unstorable_in);
    let Some(place) = place else { return Ok(()) };
    let detail = "the text contains a character that cannot be stored (U+0000)";
    Err(if place.is_empty() {
        Problem::new(Kind::Invalid, detail)
    } else {
        Problem::field(Kind::Invalid, &place, detail)
    })
}

/// How many are asked for: 1 to `max`, `default` unless said.
pub(super) fn limit(asked: Option<i64>, default: i64, max: i64) -> Result<i64, Problem> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::field(Kind::Invalid, "limit", format!("limit is 1 to {max}"))),
    }
}

/// Cuts what was read, one more than was asked for, to a page. Whether there is a next one.
pub(super) fn cut_to_page<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    has_more
}

/// The problem of a cursor that is none.
pub(super) fn unreadable_cursor() -> Problem {
    Problem::field(Kind::Invalid, "after", "give `next` of the page before, as it was")
}

/// Why a body was refused. serde's own words may quote values, so only names and expectations are taken from them.
fn refusal(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    if error.classify() != Category::Data {
        return Problem::new(Kind::Malformed, format!("this is not JSON: {place}"));
    }
    let words = error.to_string();
    let expected = expected(&words);
    if let Some(name) = named(&words, "unknown field `") {
        let known = expected.map(|known| format!("; {known}")).unwrap_or_default();
        return Problem::field(Kind::Invalid, &name, format!("there is no field `{name}`{known}"));
    }
    if let Some(name) = named(&words, "missing field `") {
        return Problem::field(Kind::Invalid, &name, format!("the field `{name}` is missing"));
    }
    if let Some(name) = named(&words, "duplicate field `") {
        return Problem::field(Kind::Invalid, &name, format!("the field `{name}` stands there twice"));
    }
    let expected = expected.unwrap_or_else(|| "not what /api/openapi.json describes".to_owned());
    Problem::new(Kind::Invalid, format!("{place}: {expected}"))
}

fn named(words: &str, before: &str) -> Option<String> {
    let (name, _) = words.strip_prefix(before)?.split_once('`')?;
    Some(name.chars().take(NAME_CHARS_MAX).collect())
}

/// "expected …", which serde says last, before the place.
fn expected(words: &str) -> Option<String> {
    let (_, expected) = words.rsplit_once(", expected ")?;
    let expected = expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected);
    Some(format!("expected {expected}"))
}

/// The query string, or what it may hold.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>, holds: &str) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|_| Problem::new(Kind::Invalid, format!("the query may hold {holds}")))
}

/// The time that a field holds.
pub(super) fn moment(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let refused = |words: &str| Problem::field(Kind::Invalid, field, words);
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| refused("write the time in RFC 3339 format, such as 2026-12-01T09:00:00-06:00"))?;
    Timestamp::written(time.to_utc()).ok_or_else(|| refused("the year lies between 0000 and 9999, in UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only refusals are looked at")]
    struct Form {
        to: String,
        via: Vec<crate::domain::Channel>,
    }

    async fn told(body: &str) -> String {
        let error = serde_json::from_str::<Form>(body).expect_err("refused");
        let body = refusal(&error).into_response().into_body();
        String::from_utf8(axum::body::to_bytes(body, 10_000).await.expect("a body").to_vec()).expect("text")
    }

    #[test]
    fn only_an_object_is_a_form() {
        for (body, is_passed_on) in [
            (" \n{}", true),
            ("[null]", false),
            ("\"x\"", false),
            ("null", false),
            ("7", false),
            ("not JSON", true),
            ("", true),
        ] {
            assert_eq!(check_object(body.as_bytes()).is_ok(), is_passed_on, "{body}");
        }
    }

    #[tokio::test]
    async fn a_refusal_names_the_field_and_never_the_value() {
        for (body, says) in [
            (r#"{"too":"x"}"#, "there is no field `too`; expected `to` or `via`"),
            (r#"{"to":"+13125550142"}"#, "the field `via` is missing"),
            (r#"{"to":["+13125550142"],"via":[]}"#, "line 1, column 6: expected a string"),
            (r#"{"to":"x","via":["+13125550142"]}"#, "expected `fax` or `email`"),
            (r#"{"to":"x","via":"see +13125550142, expected "}"#, "expected a sequence"),
            (r#"{"to":"+13125550142""#, "this is not JSON: line 1"),
            (r#"{"to":"x","to":"+13125550142"}"#, "the field `to` stands there twice"),
        ] {
            let told = told(body).await;
            assert!(told.contains(says) && !told.contains("5550142"), "{body}: {told}");
        }
    }
}
