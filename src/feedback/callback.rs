//! A callback as it is stored: address, relevant headers, body. What is left out is gone for good: the secret in its
//! address, credentials, and anything else that a proxy or the provider's client adds.

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::provider::WebhookParts;

/// Headers that say how the body is written.
const OF_THE_BODY: [&str; 2] = ["content-type", "content-encoding"];
/// Words in the names of headers that say what the callback is about.
const OF_THE_EVENT: [&str; 1] = ["event"];
/// Words in the names of headers that prove where and when it came from.
const OF_THE_PROOF: [&str; 3] = ["signature", "timestamp", "webhook-id"];
/// Words in the names of headers that are never kept, whatever else they say.
const OF_SECRETS: [&str; 6] = ["auth", "cookie", "token", "secret", "password", "key"];
/// Most headers kept, and the longest value, in bytes; the longest published one is a signature of some 350.
const HEADERS_MAX: usize = 32;
const VALUE_OCTETS_MAX: usize = 4096;
/// Hexadecimal digits of a fingerprint: 128 bits.
const FINGERPRINT_DIGITS: usize = 32;

/// What precedes the body.
#[derive(Serialize, Deserialize)]
struct Head {
    url: String,
    headers: Vec<(String, String)>,
}

/// The callback as bytes: one line of JSON with address and headers, then the body. `secret_header` is the header in
/// which the account's callbacks carry a shared secret, if they do.
pub(super) fn encode(parts: &WebhookParts, secret_header: Option<&str>) -> Vec<u8> {
    let is_secret = |name: &str| secret_header.is_some_and(|secret| secret.eq_ignore_ascii_case(name));
    let kept = |(name, value): &&(String, String)| is_kept(name) && !is_secret(name) && value.len() <= VALUE_OCTETS_MAX;
    let head = Head {
        url: without_secret(parts),
        headers: parts.headers.iter().filter(kept).take(HEADERS_MAX).cloned().collect(),
    };
    let mut octets = serde_json::to_vec(&head).expect("texts can be written as JSON");
    octets.reserve_exact(parts.body.len() + 1);
    octets.push(b'\n');
    octets.extend_from_slice(&parts.body);
    octets
}

/// The callback again, without the secret of its address; `None` if these bytes are not from [`encode`].
pub(super) fn decode(mut octets: Vec<u8>) -> Option<WebhookParts> {
    let end = octets.iter().position(|octet| *octet == b'\n')?;
    let body = octets.split_off(end + 1);
    let Head { url, headers } = serde_json::from_slice(&octets[..end]).ok()?;
    Some(WebhookParts { url, headers, body, secret: None })
}

/// What tells a callback from others: its query, the headers that affect its meaning, and its body. A callback that is
/// delivered again with a new signature has the same.
pub(super) fn fingerprint(parts: &WebhookParts) -> String {
    let query = parts.url.split_once('?').map_or("", |(_, query)| query);
    let bears_on_meaning = |name: &str| OF_THE_BODY.contains(&name) || (has(name, &OF_THE_EVENT) && is_kept(name));
    let mut context = Context::new(&SHA256);
    let mut add = |part: &[u8]| {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    };
    add(query.as_bytes());
    for (name, value) in parts.headers.iter().filter(|(name, _)| bears_on_meaning(name)) {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(&parts.body);
    let mut digits = hex::encode(context.finish());
    digits.truncate(FINGERPRINT_DIGITS);
    digits
}

fn has(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

fn is_kept(name: &str) -> bool {
    let matters = OF_THE_BODY.contains(&name) || has(name, &OF_THE_EVENT) || has(name, &OF_THE_PROOF);
    matters && !has(name, &OF_SECRETS)
}

/// The address without its last part, if that is a secret.
fn without_secret(parts: &WebhookParts) -> String {
    if parts.secret.is_none() {
        return parts.url.clone();
    }
    let (path, query) = parts.url.split_at(parts.url.find('?').unwrap_or(parts.url.len()));
    let path = path.trim_end_matches('/');
    let open = path.rsplit_once('/').map_or("", |(open, _)| open);
    format!("{open}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts() -> WebhookParts {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        WebhookParts {
            url: "https://us.example/hooks/fax/a-long-word-of-ours?id=7".to_owned(),
            headers: vec![
                header("host", "us.example"),
                header("content-type", "application/json"),
                header("authorization", "Basic c2VjcmV0"),
                header("cookie", "secret"),
                header("x-event-token", "secret"),
                header("x-hook-signature", "a-shared-secret"),
                header("telnyx-timestamp", "1795000000"),
                header("x-webhook-event", "v1.outbound.fax.complete"),
                header("user-agent", "them/1.0"),
                header("x-forwarded-for", "192.0.2.7"),
            ],
            body: b"{\n\"id\":7}".to_vec(),
            secret: Some("a-long-word-of-ours".to_owned()),
        }
    }

    #[test]
    fn what_matters_is_kept_and_no_secret_is() {
        let octets = encode(&parts(), Some("X-Hook-Signature"));
        let text = String::from_utf8(octets.clone()).expect("text");
        assert!(!text.contains("secret") && !text.contains("c2VjcmV0") && !text.contains("a-long-word"), "{text}");
        let again = decode(octets).expect("its own");
        assert_eq!(again.url, "https://us.example/hooks/fax?id=7");
        assert_eq!((again.body, again.secret), (parts().body, None));
        let names: Vec<&str> = again.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "telnyx-timestamp", "x-webhook-event"]);
        let signed = decode(encode(&parts(), None)).expect("its own");
        assert_eq!(signed.header("x-hook-signature"), Some("a-shared-secret"), "a signature is no secret");
    }

    #[test]
    fn the_same_content_signed_anew_has_the_same_fingerprint_and_another_has_another() {
        let mut other = parts();
        for (name, value) in &mut other.headers {
            if name.contains("timestamp") || name.contains("signature") {
                value.push('1');
            }
        }
        assert_eq!(fingerprint(&parts()), fingerprint(&other));
        assert_eq!(fingerprint(&parts()).len(), FINGERPRINT_DIGITS);
        let query = WebhookParts { url: parts().url.replace("id=7", "id=8"), ..parts() };
        let body = WebhookParts { body: b"{}".to_vec(), ..parts() };
        let mut event = parts();
        event.headers.retain(|(name, _)| name != "x-webhook-event");
        for other in [query, body, event] {
            assert_ne!(fingerprint(&parts()), fingerprint(&other));
        }
    }

    proptest! {
        #[test]
        fn any_body_comes_back_and_any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let given = WebhookParts { body: octets.clone(), ..parts() };
            prop_assert_eq!(decode(encode(&given, None)).map(|again| again.body), Some(octets.clone()));
            let _ = decode(octets);
        }
    }
}
