//! What a POST to an opt-out link asks for.

use axum::http::HeaderMap;

use crate::domain::suppression::{Scope, SuppressionSource};

/// The field that a mail receiver posts (RFC 8058 §3.1).
const ONE_CLICK_FIELD: &str = "List-Unsubscribe";
/// Its value.
const ONE_CLICK_VALUE: &str = "One-Click";
/// The button of the page, whatever its value.
const BUTTON: &str = "stop";
/// The checkbox of the page that also stops letters about patients.
const EVERYTHING: &str = "everything";
/// Headers by which a browser or proxy says that nobody asked for the page yet.
const PURPOSE: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
/// Words in them that say so.
const SPECULATIVE: [&str; 3] = ["prefetch", "prerender", "preview"];
/// Fields that are looked at; the page has two.
const FIELDS_MAX: usize = 16;

/// What is refused, and how that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What goes to the address no more.
    pub scope: Scope,
    /// A mail receiver's button or the page's.
    pub source: SuppressionSource,
}

impl Wanted {
    /// What a body asks for: RFC 8058's field, in either kind of form, or the page's button, perhaps with its checkbox. `None` for
    /// any other body, an empty one among them, and for a request that says that it only looks ahead.
    pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if is_speculative(headers) {
            return None;
        }
        if is_one_click(body) {
            return Some(Self { scope: Scope::Advertisement, source: SuppressionSource::OneClick });
        }
        let has = |field: &str| url::form_urlencoded::parse(body).take(FIELDS_MAX).any(|(name, _)| name == field);
        let scope = if has(EVERYTHING) { Scope::All } else { Scope::Advertisement };
        has(BUTTON).then_some(Self { scope, source: SuppressionSource::Web })
    }
}

/// Whether the body holds the standard's field: urlencoded, or as a part of a form (RFC 7578). The type that the request gives is
/// not asked for: what a receiver forgets there must not cost an opt-out.
fn is_one_click(body: &[u8]) -> bool {
    let mut fields = url::form_urlencoded::parse(body).take(FIELDS_MAX);
    if fields.any(|(name, value)| name == ONE_CLICK_FIELD && value.trim() == ONE_CLICK_VALUE) {
        return true;
    }
    let body = String::from_utf8_lossy(body);
    let names_it = [format!("name=\"{ONE_CLICK_FIELD}\""), format!("name={ONE_CLICK_FIELD}")];
    names_it.iter().any(|name| body.contains(name.as_str())) && body.contains(ONE_CLICK_VALUE)
}

fn is_speculative(headers: &HeaderMap) -> bool {
    let values = PURPOSE.iter().flat_map(|name| headers.get_all(*name)).filter_map(|value| value.to_str().ok());
    values.map(str::to_ascii_lowercase).any(|value| SPECULATIVE.iter().any(|word| value.contains(word)))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn wanted(headers: &[(&'static str, &'static str)], body: &str) -> Option<Wanted> {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Wanted::of(&pairs.collect(), body.as_bytes())
    }

    #[test]
    fn only_a_body_that_asks_for_it_acts_and_letters_about_patients_need_the_checkbox() {
        let one_click = Some(Wanted { scope: Scope::Advertisement, source: SuppressionSource::OneClick });
        let page = |scope| Some(Wanted { scope, source: SuppressionSource::Web });
        let part = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let unquoted = "--b\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n--b--\r\n";
        for (body, expected) in [
            ("List-Unsubscribe=One-Click", one_click),
            ("List-Unsubscribe=One-Click\r\n", one_click),
            ("List%2DUnsubscribe=One%2DClick&everything=yes", one_click),
            (part, one_click),
            (unquoted, one_click),
            ("stop=yes", page(Scope::Advertisement)),
            ("stop=", page(Scope::Advertisement)),
            ("stop=yes&everything=yes", page(Scope::All)),
            ("everything=yes", None),
            ("", None),
            ("{}", None),
            ("a=b", None),
            ("List-Unsubscribe=", None),
            ("List-Unsubscribe=No", None),
            ("One-Click", None),
        ] {
            assert_eq!(wanted(&[], body), expected, "{body:?}");
            for header in [("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("x-moz", "prefetch")] {
                assert_eq!(wanted(&[header], body), None, "{header:?} {body:?}");
            }
        }
    }
}
