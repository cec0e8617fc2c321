//! Callbacks. The body carries a good signature, so that what stands behind the check is reached; then the same body with
//! a bad one must be turned away. First octet: which provider. Second: where the signature is spoilt.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::signature::Ed25519KeyPair;
use touchline::domain::event::Fact;
use touchline::provider::{REGISTRY, Rejection, WebhookAuthenticity, WebhookParts};

use crate::account::{NOW, Ready};

/// More events than one callback of any provider holds.
const EVENTS_MAX: usize = 1000;

static ACCOUNTS: OnceLock<Vec<Ready>> = OnceLock::new();

fn accounts() -> &'static [Ready] {
    ACCOUNTS.get_or_init(|| {
        let calling = REGISTRY.iter().filter(|spec| spec.capabilities.webhook != WebhookAuthenticity::NoWebhook);
        calling.map(|spec| Ready::build(spec, 9)).collect()
    })
}

/// Tries one callback.
pub fn run(input: &[u8]) {
    let [which, spoil, body @ ..] = input else { return };
    let ready = &accounts()[usize::from(*which) % accounts().len()];
    let headers = sign(ready, body);
    let parts = WebhookParts {
        url: "https://touchline.example/hooks/office".to_owned(),
        headers,
        body: body.to_vec(),
        secret: None,
    };
    let first = ready.provider.receive(&parts, NOW);
    assert_eq!(first, ready.provider.receive(&parts, NOW), "the same callback means the same");
    if let Ok(events) = &first {
        assert!(events.len() <= EVENTS_MAX);
        for event in events {
            let length = event.dedupe.chars().count();
            assert!((1..=200).contains(&length), "a key of {length} characters");
            if let Fact::Progress { stage } = &event.fact {
                assert!(stage.chars().count() <= 200, "a stage of {} characters", stage.len());
            }
        }
    }
    spoilt(ready, &parts, usize::from(*spoil));
}

/// A callback whose signature, or whose signed text, was changed is never believed.
fn spoilt(ready: &Ready, parts: &WebhookParts, place: usize) {
    let Some((_, signature)) = parts.headers.last() else { return };
    let mut changed = parts.clone();
    let place = place % signature.len();
    let other = if signature.as_bytes()[place] == b'0' { "1" } else { "0" };
    changed.headers.last_mut().expect("there").1.replace_range(place..=place, other);
    // The last character of base64 holds spare bits: the signature may be the same.
    if place < signature.len() - 3 {
        assert_eq!(ready.provider.receive(&changed, NOW), Err(Rejection::Forged));
    }
    let longer = WebhookParts { body: [&parts.body[..], b" "].concat(), ..parts.clone() };
    assert_eq!(ready.provider.receive(&longer, NOW), Err(Rejection::Forged));
}

/// As `tests/it/fixtures/providers/README.md` says under "Signatures". A kind that is not here is tried unsigned.
fn sign(ready: &Ready, body: &[u8]) -> Vec<(String, String)> {
    let seconds = (NOW.0 / 1000).to_string();
    let signed = |separator: &[u8]| [seconds.as_bytes(), separator, body].concat();
    match ready.provider.spec().kind {
        "telnyx" => {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
            let signature = BASE64.encode(pair.sign(&signed(b"|")).as_ref());
            vec![("telnyx-timestamp".into(), seconds), ("telnyx-signature-ed25519".into(), signature)]
        }
        "sandbox" => {
            let secret = ready.secrets.get("webhook_secret").expect("a secret");
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let signature = hex::encode(hmac::sign(&key, &signed(b".")).as_ref());
            vec![("x-sandbox-timestamp".into(), seconds), ("x-sandbox-signature".into(), signature)]
        }
        _ => Vec::new(),
    }
}
