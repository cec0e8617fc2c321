//! Callbacks with any body: well signed, none makes reading panic or break a limit; badly signed, none is accepted.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use ring::hmac;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use touchline::domain::Clock;
use touchline::domain::event::Fact;
use touchline::provider::{Provider, Rejection, WebhookAuthenticity, WebhookParts};

use super::subject::{self, Subject};
use super::{build, fixture, sample};
use crate::support::clock::FakeClock;

/// Everything that is needed to call back as one provider does.
struct Caller {
    spec: Subject,
    provider: Arc<dyn Provider>,
    secret: Option<String>,
    bodies: Vec<Value>,
}

static CALLERS: LazyLock<Vec<Caller>> = LazyLock::new(callers);

/// The providers whose signatures are known here (`fixtures/providers/README.md`); others have exchanges of their own.
fn callers() -> Vec<Caller> {
    let calling = subject::all().into_iter().filter(|spec| spec.capabilities.webhook != WebhookAuthenticity::NoWebhook);
    calling
        .filter(|spec| ["telnyx", "sandbox", "http/telnyx"].contains(&spec.name.as_str()))
        .map(|spec| {
            let exchanges = fixture::all(&spec).expect("its exchanges");
            let deliveries = exchanges.iter().flat_map(|exchange| &exchange.deliveries);
            Caller {
                provider: build(&spec, 9, None).expect("its account"),
                secret: fixture::account(&spec, "127.0.0.1", 9)
                    .expect("its account")
                    .secrets
                    .get("webhook_secret")
                    .cloned(),
                bodies: deliveries.filter_map(|delivery| serde_json::from_str(&delivery.body).ok()).collect(),
                spec,
            }
        })
        .collect()
}

impl Caller {
    fn signed(&self, body: Vec<u8>) -> WebhookParts {
        let seconds = (FakeClock::at(sample::NOW).now().0 / 1000).to_string();
        let over = |separator: &[u8]| [seconds.as_bytes(), separator, &body].concat();
        let headers = if let Some(secret) = &self.secret {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let signature = hex::encode(hmac::sign(&key, &over(b".")).as_ref());
            [("x-sandbox-timestamp".to_owned(), seconds.clone()), ("x-sandbox-signature".to_owned(), signature)]
        } else {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
            let signature = BASE64.encode(pair.sign(&over(b"|")).as_ref());
            [("telnyx-timestamp".to_owned(), seconds.clone()), ("telnyx-signature-ed25519".to_owned(), signature)]
        };
        WebhookParts {
            url: "https://touchline.example/hooks/office".to_owned(),
            headers: headers.into(),
            body,
            secret: None,
        }
    }

    fn hears(&self, parts: &WebhookParts) -> Result<(), TestCaseError> {
        let now = FakeClock::at(sample::NOW).now();
        let heard = self.provider.receive(parts, now);
        prop_assert_ne!(heard.as_ref().err(), Some(&Rejection::Forged), "{} does not know its own", self.spec.name);
        prop_assert_eq!(&heard, &self.provider.receive(parts, now), "the same callback means the same");
        for event in heard.iter().flatten() {
            prop_assert!((1..=200).contains(&event.dedupe.chars().count()), "{}", event.dedupe);
            if let Fact::Progress { stage } = &event.fact {
                prop_assert!(stage.chars().count() <= 200, "{stage}");
            }
            if let Fact::Failed(failure) = &event.fact {
                let words = [&failure.raw_code, &failure.raw_text];
                prop_assert!(words.into_iter().flatten().all(|text| !text.chars().any(char::is_control)));
            }
        }
        let other = WebhookParts { body: [&parts.body[..], b" "].concat(), ..parts.clone() };
        prop_assert_eq!(self.provider.receive(&other, now), Err(Rejection::Forged));
        Ok(())
    }
}

/// One of the body's values, however deep, becomes another.
fn with_one_changed(body: &mut Value, mut place: usize, new: &Value) {
    let mut here = body;
    loop {
        let count = match here {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if count == 0 || place % (count + 1) == count {
            *here = new.clone();
            return;
        }
        let (next, at) = (place / (count + 1), place % (count + 1));
        place = next;
        here = match here {
            Value::Object(map) => map.values_mut().nth(at).expect("there"),
            Value::Array(list) => &mut list[at],
            _ => unreachable!("it has values"),
        };
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,20}".prop_map(Value::from),
        "[a-z_.]{0,400}".prop_map(Value::from),
        Just(json!("a\u{0}b\r\nc")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_callback_with_any_octets_is_read_or_turned_away(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        for caller in CALLERS.iter() {
            caller.hears(&caller.signed(octets.clone()))?;
        }
    }

    #[test]
    fn a_callback_with_odd_values_is_read_or_turned_away(
        changes in prop::collection::vec((any::<usize>(), odd_value()), 1..4),
        which in any::<prop::sample::Index>(),
    ) {
        for caller in CALLERS.iter() {
            let mut body = which.get(&caller.bodies).clone();
            for (place, value) in &changes {
                with_one_changed(&mut body, *place, value);
            }
            caller.hears(&caller.signed(body.to_string().into_bytes()))?;
        }
    }

    #[test]
    fn a_callback_with_any_headers_is_not_believed(
        headers in prop::collection::vec(("(telnyx|x-sandbox)-(timestamp|signature|signature-ed25519)", "\\PC{0,90}|[0-9a-f]{64}|1795446000"), 0..4),
        which in any::<prop::sample::Index>(),
    ) {
        for caller in CALLERS.iter() {
            let body = which.get(&caller.bodies).to_string().into_bytes();
            let parts = WebhookParts { headers: headers.clone(), ..caller.signed(body) };
            let now = FakeClock::at(sample::NOW).now();
            prop_assert!(caller.provider.receive(&parts, now).is_err());
        }
    }
}
