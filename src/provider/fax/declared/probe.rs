//! Tries a JSON text with values that would break out of it, so that a value that stands outside quotes is found
//! before a letter is sent.

use serde_json::{Map, Value, json};

use super::description::Description;
use super::fill::Filler;

/// What no quotes would hold.
const ROUGH: &str = "x\"y z";

/// What is wrong with a JSON text, if anything: filled in with rough values and with empty ones, it must be JSON.
#[must_use]
pub fn json(description: &Description, text: &str) -> Option<&'static str> {
    let filler = Filler::default();
    let sound = [ROUGH, ""].into_iter().all(|value| {
        let context = handlebars::Context::wraps(Value::Object(values(description, value)));
        context.is_ok_and(|context| filler.json(text, &context).is_ok())
    });
    if sound {
        None
    } else {
        Some("this does not come out as JSON: put every value into quotes, numbers and {{digits …}} aside")
    }
}

/// Numbers have the form that they always have; everything else is `text`.
fn values(description: &Description, text: &str) -> Map<String, Value> {
    let all = |keys: Vec<&str>| keys.into_iter().map(|key| (key.to_owned(), Value::from(text))).collect::<Map<_, _>>();
    let mut values = Map::new();
    let settings = description.settings.keys().map(|key| key.get_ref().as_str()).collect();
    let secrets = description.secrets.keys().map(|key| key.get_ref().as_str()).collect();
    values.insert("settings".to_owned(), Value::Object(all(settings)));
    values.insert("secrets".to_owned(), Value::Object(all(secrets)));
    for step in &description.prepare {
        let taken = step.take.keys().map(|key| key.get_ref().as_str()).collect();
        values.insert(step.name.get_ref().clone(), Value::Object(all(taken)));
    }
    for number in ["pages", "page", "offset", "page_size"] {
        values.insert(number.to_owned(), json!(2));
    }
    for (name, value) in [("to", "+13125550142"), ("from", "+13125550100"), ("document_base64", "JVBERi0=")] {
        values.insert(name.to_owned(), Value::from(value));
    }
    for name in ["attempt", "attempt_hex", "sender", "callback", "reference"] {
        values.insert(name.to_owned(), Value::from(text));
    }
    for end in ["window_start", "window_end"] {
        for (form, value) in [("", text), ("_seconds", text), ("_unix", "1795446000"), ("_day", "20261123")] {
            values.insert(format!("{end}{form}"), Value::from(value));
        }
    }
    values
}
