//! Texts that both databases can hold. PostgreSQL holds no U+0000 in a text, and what one engine refuses, neither takes.

use serde_json::{Map, Value};

/// Longest name in a place that is told, in characters.
const NAME_CHARS_MAX: usize = 80;

/// Whether a text can be stored.
#[must_use]
pub fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Where in a JSON value a text stands that cannot be stored: the names on the way to it, with dots between. `None` if
/// everything can be.
#[must_use]
pub fn unstorable_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!is_storable(text)).then(String::new),
        Value::Array(values) => values.iter().find_map(unstorable_in),
        Value::Object(members) => unstorable_in_object(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The same for the members of an object.
#[must_use]
pub fn unstorable_in_object(members: &Map<String, Value>) -> Option<String> {
    members.iter().find_map(|(name, value)| {
        if !is_storable(name) {
            return Some(String::new());
        }
        let place = unstorable_in(value)?;
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        Some(if place.is_empty() { name } else { format!("{name}.{place}") })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_that_cannot_be_stored_is_found_wherever_it_stands() {
        for (value, place) in [
            (json!({ "a": "b\0" }), Some("a")),
            (json!({ "a": { "b": [1, "c", { "d": "\0" }] } }), Some("a.b.d")),
            (json!({ "a": { "\0": 1 } }), Some("a")),
            (json!({ "\0": 1 }), Some("")),
            (json!("\0"), Some("")),
            (json!({ "a": "\\u0000", "b": null, "c": [true, 1.5] }), None),
        ] {
            assert_eq!(unstorable_in(&value).as_deref(), place, "{value}");
        }
    }
}
