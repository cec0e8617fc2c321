//! Whether a request can be read at all, looked at before anything else of it is: a head of reasonable size, one host,
//! and a path and a query that are text which both databases can hold. What is refused here is answered like every
//! other error.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use url::form_urlencoded;

use super::problem::{Kind, Problem};
use crate::domain::storable::is_storable;

/// Size limit of a request's head, in octets.
const HEAD_OCTETS_MAX: usize = 64 * 1024;
/// What stands between the name and the value of a field, and after it: `: ` and the end of the line.
const BETWEEN_OCTETS: usize = 4;
/// Longest name of a query's field that is repeated, in characters.
const NAME_CHARS_MAX: usize = 80;

/// Refuses what cannot be read.
pub(super) async fn readable(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let found = check_size(uri, request.headers())
        .and_then(|()| check_host(request.version(), request.headers()))
        .and_then(|()| check_path(uri.path()))
        .and_then(|()| check_query(uri.query().unwrap_or_default()));
    match found {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.answer(uri.path()),
    }
}

/// The server reads a little more than this ahead, so that what is too large is answered and not cut off.
fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + BETWEEN_OCTETS).sum::<usize>();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if fields + target > HEAD_OCTETS_MAX {
        return Err(Problem::new(Kind::HeadTooLarge, "the head of a request has at most 64 KiB"));
    }
    Ok(())
}

/// A request of HTTP/1.1 names one host, an older one at most one (RFC 9112 §3.2).
fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let refuse = |words: &str| Err(Problem::new(Kind::Malformed, words));
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => refuse("the request has more than one Host header"),
        (None, _) if version >= Version::HTTP_11 => refuse("the request has no Host header"),
        (Some(host), None) if !is_host(host.as_bytes()) => refuse("the Host header names no host"),
        _ => Ok(()),
    }
}

/// A host with or without a port, and nothing else.
fn is_host(text: &[u8]) -> bool {
    !text.contains(&b'@') && Authority::try_from(text).is_ok()
}

fn check_path(path: &str) -> Result<(), Problem> {
    match String::from_utf8(decoded(path)) {
        Ok(text) if is_storable(&text) => Ok(()),
        _ => Err(Problem::new(Kind::Malformed, "the path of the address is not valid text")),
    }
}

/// What is not UTF-8 becomes a replacement character there, as the form encoding has it, and is found to be no valid value
/// by whoever reads it.
fn check_query(query: &str) -> Result<(), Problem> {
    let detail = "the query contains a character that cannot be stored (U+0000)";
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !is_storable(&name) {
            return Err(Problem::new(Kind::Invalid, detail));
        }
        if !is_storable(&value) {
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            return Err(Problem::field(Kind::Invalid, &name, detail));
        }
    }
    Ok(())
}

/// The octets that a path stands for (RFC 3986 §2.1). A percent sign that begins no octet stands for itself.
fn decoded(path: &str) -> Vec<u8> {
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let (octets, mut at) = (path.as_bytes(), 0);
    let mut decoded = Vec::with_capacity(octets.len());
    while let Some(octet) = octets.get(at) {
        let pair = (*octet == b'%').then(|| digit(octets.get(at + 1)).zip(digit(octets.get(at + 2)))).flatten();
        match pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(*octet);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn hosts(hosts: &[&'static str]) -> HeaderMap {
        hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host))).collect()
    }

    #[test]
    fn a_request_names_one_host() {
        for (version, named, is_good) in [
            (Version::HTTP_11, vec!["touchline.example"], true),
            (Version::HTTP_11, vec!["127.0.0.1:8025"], true),
            (Version::HTTP_11, vec!["[::1]:8025"], true),
            (Version::HTTP_11, vec![], false),
            (Version::HTTP_11, vec![""], false),
            (Version::HTTP_11, vec!["a.example", "a.example"], false),
            (Version::HTTP_11, vec!["a.example, b.example"], false),
            (Version::HTTP_11, vec!["user@a.example"], false),
            (Version::HTTP_11, vec!["a.example/path"], false),
            (Version::HTTP_10, vec![], true),
            (Version::HTTP_10, vec!["a.example", "b.example"], false),
        ] {
            assert_eq!(check_host(version, &hosts(&named)).is_ok(), is_good, "{version:?} {named:?}");
        }
    }

    #[test]
    fn a_path_is_text_without_nul() {
        for (path, is_good) in [
            ("/", true),
            ("/referrers/%C3%A9", true),
            ("/100%", true),
            ("/%zz%4", true),
            ("/%ff", false),
            ("/a%C3", false),
            ("/a%00b", false),
            ("/a%2500b", true),
        ] {
            assert_eq!(check_path(path).is_ok(), is_good, "{path}");
        }
    }

    #[test]
    fn a_query_holds_no_nul() {
        for (query, is_good) in
            [("", true), ("a=b&c=%41", true), ("a=%ff", true), ("a=%2500", true), ("a=x%00", false), ("%00=a", false)]
        {
            assert_eq!(check_query(query).is_ok(), is_good, "{query}");
        }
    }
}
