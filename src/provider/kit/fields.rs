//! The fields of a callback that comes as a form, in the URL, or as one flat JSON object. Samples of the same
//! provider differ in case and in where the fields are, so neither matters here.

use serde_json::Value;
use url::form_urlencoded;

use super::form_body::FormBody;
use super::reading::words;
use crate::provider::WebhookParts;

/// Most fields read; the longest published callback has some twenty.
const FIELDS_MAX: usize = 100;
/// Most characters of a value; none that is read is longer.
const VALUE_CHARS_MAX: usize = 500;

/// Names and values as received. It may hold a number, so it never prints itself.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a callback: those of the body first, then those of the URL.
    pub fn of(parts: &WebhookParts) -> Self {
        let body = match serde_json::from_slice::<Value>(&parts.body) {
            Ok(Value::Object(members)) => {
                members.into_iter().filter_map(|(name, value)| Some((name, words(&value)?))).collect()
            }
            _ => form(parts),
        };
        let query = parts.url.split_once('?').map(|(_, query)| pairs(query.as_bytes())).unwrap_or_default();
        let fields = body.into_iter().chain(query).take(FIELDS_MAX);
        Self(fields.map(|(name, value)| (name, value.chars().take(VALUE_CHARS_MAX).collect())).collect())
    }

    /// The first value of one of these names that is not empty.
    pub fn get(&self, names: &[&str]) -> Option<&str> {
        let named = self.0.iter().filter(|(name, _)| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)));
        named.map(|(_, value)| value.trim()).find(|value| !value.is_empty())
    }

    /// A count, if the first of these names holds one.
    pub fn count(&self, names: &[&str]) -> Option<u32> {
        self.get(names)?.parse().ok()
    }
}

/// A form by its type; without a type, callbacks are read as a URL-encoded form.
fn form(parts: &WebhookParts) -> Vec<(String, String)> {
    if parts.header("content-type").is_none() {
        return pairs(&parts.body);
    }
    let values = FormBody::read(parts).unwrap_or_default().values;
    values.into_iter().filter_map(|(name, value)| Some((name, String::from_utf8(value).ok()?))).collect()
}

fn pairs(octets: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(octets).take(FIELDS_MAX).map(|(name, value)| (name.into(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_octets_and_any_address_are_read(octets in prop::collection::vec(any::<u8>(), 0..200), url in "\\PC{0,80}") {
            let parts = WebhookParts { url, body: octets, ..WebhookParts::default() };
            let fields = Fields::of(&parts);
            prop_assert!(fields.0.len() <= FIELDS_MAX);
            prop_assert!(fields.0.iter().all(|(_, value)| value.chars().count() <= VALUE_CHARS_MAX));
        }
    }

    fn fields(url: &str, body: &str) -> Fields {
        Fields::of(&WebhookParts { url: url.to_owned(), body: body.into(), ..WebhookParts::default() })
    }

    #[test]
    fn a_form_an_address_and_an_object_are_read_alike() {
        for (url, body) in [
            ("https://us.example/hooks/a/s", "JobId=7&dir=Outbound"),
            ("https://us.example/hooks/a/s?jobid=7&dir=Outbound", ""),
            ("https://us.example/hooks/a/s", r#"{"JobID":7,"Dir":"Outbound"}"#),
        ] {
            let fields = fields(url, body);
            assert_eq!(fields.count(&["jobid"]), Some(7));
            assert_eq!(fields.get(&["direction", "dir"]), Some("Outbound"));
        }
    }

    #[test]
    fn what_is_empty_is_not_there_and_what_is_long_is_cut() {
        let fields = fields("https://us.example/hooks/a/s", &format!("id=&ID=+&id=7&long={}", "9".repeat(9_000)));
        assert_eq!(fields.get(&["id"]), Some("7"));
        assert_eq!(fields.get(&["long"]).map(str::len), Some(VALUE_CHARS_MAX));
        assert_eq!(fields.get(&["none"]), None);
    }
}
