//! Where a value is in an answer: a JSON pointer (RFC 6901), the last part of `Location`, or the whole body.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use crate::http::Answer;
use crate::provider::kit::reading::words;

/// Longest pointer.
const CHARS_MAX: usize = 200;

/// Where one value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Pointer {
    /// In the JSON.
    Json(String),
    /// The last part of the `Location` header's path.
    Location,
    /// The whole body, as text.
    Body,
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "location" => Ok(Self::Location),
            "body" => Ok(Self::Body),
            "" => Ok(Self::Json(text)),
            pointer if pointer.starts_with('/') && pointer.len() <= CHARS_MAX => {
                escapes(pointer).map(|()| Self::Json(text))
            }
            _ => Err("write a JSON pointer such as \"/data/id\", or \"location\", or \"body\"".to_owned()),
        }
    }
}

/// A tilde is followed by 0 or 1 (RFC 6901 §3).
fn escapes(pointer: &str) -> Result<(), String> {
    let sound = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if sound { Ok(()) } else { Err("in a JSON pointer ~ is written ~0, and / within a name ~1".to_owned()) }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(text) => text,
            Self::Location => "location",
            Self::Body => "body",
        })
    }
}

impl Pointer {
    /// The value in a JSON text; `location` and `body` are not in one.
    #[must_use]
    pub fn value<'v>(&self, json: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Json(pointer) => json.pointer(pointer).filter(|value| !value.is_null()),
            Self::Location | Self::Body => None,
        }
    }

    /// The word in a JSON text.
    #[must_use]
    pub fn word(&self, json: &Value) -> Option<String> {
        self.value(json).and_then(words)
    }

    /// The word in an answer.
    fn word_of(&self, answer: &Answer, json: &Value) -> Option<String> {
        match self {
            Self::Json(_) => self.word(json),
            Self::Location => last_part(answer.location.as_deref()?),
            Self::Body => {
                let text = std::str::from_utf8(&answer.body).ok()?.trim();
                (!text.is_empty()).then(|| text.to_owned())
            }
        }
    }
}

fn last_part(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().filter(|part| !part.is_empty()).map(str::to_owned)
}

/// One pointer or several; the first that leads to a value counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers(pub Vec<Pointer>);

impl Pointers {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value; the whole if there is no pointer at all.
    #[must_use]
    pub fn part<'v>(&self, json: &'v Value) -> Option<&'v Value> {
        if self.is_empty() { Some(json) } else { self.0.iter().find_map(|pointer| pointer.value(json)) }
    }

    /// The first value, and where it was found.
    #[must_use]
    pub fn value<'v>(&self, json: &'v Value) -> Option<&'v Value> {
        self.0.iter().find_map(|pointer| pointer.value(json))
    }

    /// The first word.
    #[must_use]
    pub fn word(&self, json: &Value) -> Option<String> {
        self.0.iter().find_map(|pointer| pointer.word(json))
    }

    /// The first word in an answer.
    #[must_use]
    pub fn word_of(&self, answer: &Answer, json: &Value) -> Option<String> {
        self.0.iter().find_map(|pointer| pointer.word_of(answer, json))
    }

    /// Every word that is there.
    #[must_use]
    pub fn words(&self, json: &Value) -> Vec<String> {
        self.0.iter().filter_map(|pointer| pointer.word(json)).collect()
    }
}

impl fmt::Display for Pointers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Pointers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Pointers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON pointer or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pointers, E> {
        Pointer::try_from(text.to_owned()).map(|pointer| Pointers(vec![pointer])).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pointers, A::Error> {
        let mut pointers = Vec::new();
        while let Some(pointer) = list.next_element()? {
            pointers.push(pointer);
        }
        Ok(Pointers(pointers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(body: &str, location: Option<&str>) -> Answer {
        let location = location.map(str::to_owned);
        Answer { status: 201, retry_after_seconds: None, location, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_reference_is_found_in_json_in_location_or_as_the_whole_body() {
        let found = |pointer: &str, body: &str, location: Option<&str>| {
            let pointers = Pointers(vec![Pointer::try_from(pointer.to_owned()).expect("a pointer")]);
            let answer = answer(body, location);
            pointers.word_of(&answer, &answer.json().unwrap_or_default())
        };
        assert_eq!(found("/data/id", r#"{"data":{"id":7}}"#, None).as_deref(), Some("7"));
        assert_eq!(found("/a~1b", r#"{"a/b":"x"}"#, None).as_deref(), Some("x"));
        let location = Some("https://api.example/outbound/faxes/854759652?x=/1");
        assert_eq!(found("location", "", location).as_deref(), Some("854759652"));
        assert_eq!(found("body", " 4711\r\n", None).as_deref(), Some("4711"));
        assert_eq!(found("body", "", None), None);
        assert_eq!(found("location", "{}", None), None);
        assert_eq!(found("/data/id", r#"{"data":{"id":null}}"#, None), None);
    }

    #[test]
    fn the_first_pointer_that_leads_somewhere_counts() {
        let pointers = Pointers(vec![Pointer::Json("/fax_id".to_owned()), Pointer::Json("/id".to_owned())]);
        assert_eq!(pointers.word(&json!({"id": "b"})).as_deref(), Some("b"));
        assert_eq!(pointers.word(&json!({"id": "b", "fax_id": "a"})).as_deref(), Some("a"));
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["data/id", "/a~2b", "/a~", "Location"] {
            assert!(Pointer::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
