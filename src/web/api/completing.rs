//! What the derived description leaves out, added in one place so that no operation can forget it: every error that can
//! come before a handler runs, errors as problem+json, the words that may stand where a word is expected, and bounds.

use serde_json::{Map, Value, json};

use super::messages::ACTS;
use crate::domain::conflict::Choice;
use crate::domain::mail_reply::Phase;
use crate::domain::referrer::ReferrerState;
use crate::domain::returned::{ReturnAct, ReturnState};
use crate::domain::{Channel, Fault, Reason};

/// Errors of every operation: status, and when.
const ALWAYS: [(&str, &str); 7] = [
    ("400", "The request cannot be read: its Host header, or a path that is not valid text"),
    ("401", "The token is missing or unknown"),
    ("403", "The token lacks the scope"),
    ("422", "The request cannot be carried out: a value is not valid, or cannot be stored"),
    ("500", "Internal error; it has been logged"),
    ("503", "Temporarily unavailable; try again after Retry-After"),
    ("404", "What the path names does not exist"),
];
/// Errors of operations with a body.
const WITH_BODY: [(&str, &str); 3] = [
    ("400", "The request cannot be read, such as a body that is not JSON"),
    ("408", "The body did not arrive in time"),
    ("413", "The body is too large"),
];
const JSON_ONLY: (&str, &str) = ("415", "The body is not `application/json`");

/// Completes the description.
pub(super) fn complete(mut description: Value) -> Value {
    for path in members(&mut description["paths"]) {
        for operation in members(path) {
            complete_operation(operation);
        }
    }
    for (pointer, words) in [
        ("/NewMessage/properties/via/items", words(Channel::ALL, |one| one.as_str())),
        ("/RevivalWanted/properties/channel", words(Channel::ALL, |one| one.as_str())),
        ("/RevivalWanted/properties/fault", words(Fault::ALL, |one| one.as_str())),
        ("/ReturnWork/properties/act", words(ReturnAct::ALL, |one| one.as_str())),
        ("/ReplyGiven/properties/phase", words(Phase::ALL, |one| one.as_str())),
        ("/ReferrerFields/properties/state", words(ReferrerState::ALL, |one| one.as_str())),
    ] {
        if let Some(schema) = description["components"]["schemas"].pointer_mut(pointer) {
            restrict(schema, words);
        }
    }
    description
}

fn members(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().into_iter().flat_map(Map::values_mut)
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

/// Only these words; nothing at all stays allowed where it was.
fn restrict(schema: &mut Value, words: Vec<&'static str>) {
    let may_be_null = schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
    let mut words: Vec<Value> = words.into_iter().map(Value::from).collect();
    if may_be_null {
        words.push(Value::Null);
    }
    schema["enum"] = Value::Array(words);
}

fn complete_operation(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_parameter(parameter);
    }
    let in_path = |parameter: &Value| parameter["in"] == "path";
    let names_something = operation["parameters"].as_array().is_some_and(|all| all.iter().any(in_path));
    let body = &operation["requestBody"]["content"];
    let (has_body, takes_json) = (body.is_object(), body["application/json"].is_object());
    let responses = &mut operation["responses"];
    if has_body {
        WITH_BODY.into_iter().chain(takes_json.then_some(JSON_ONLY)).for_each(|error| add(responses, error));
    }
    ALWAYS
        .into_iter()
        .filter(|(status, _)| *status != "404" || names_something)
        .for_each(|error| add(responses, error));
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        if status.starts_with(['4', '5']) {
            complete_error(status, response);
        }
    }
}

/// An error that the operation does not describe in its own words.
fn add(responses: &mut Value, (status, description): (&str, &str)) {
    if responses[status].is_null() {
        responses[status] = json!({ "description": description });
    }
}

fn complete_error(status: &str, response: &mut Value) {
    response["content"] =
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let header = match status {
        "401" => ("WWW-Authenticate", json!({ "description": "RFC 6750 §3", "schema": { "type": "string" } })),
        "429" | "503" => {
            let schema = json!({ "type": "integer", "minimum": 1 });
            ("Retry-After", json!({ "description": "Seconds", "schema": schema }))
        }
        _ => return,
    };
    response["headers"][header.0] = header.1;
}

fn complete_parameter(parameter: &mut Value) {
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    let schema = &mut parameter["schema"];
    // A parameter is there or it is not: no text in an address stands for nothing.
    if let Some(types) = schema["type"].as_array() {
        let one = types.iter().find(|one| *one != "null").cloned();
        schema["type"] = one.unwrap_or_default();
    }
    match name.as_str() {
        "act" => restrict(schema, ACTS.to_vec()),
        "state" => restrict(schema, words(ReturnState::ALL, |one| one.as_str())),
        "choice" => restrict(schema, words(Choice::ALL, |one| one.as_str())),
        "reason" => restrict(schema, Reason::all().map(Reason::as_str).collect()),
        "Idempotency-Key" => {
            schema["minLength"] = json!(1);
            schema["maxLength"] = json!(255);
            schema["pattern"] = json!("^[\\x20-\\x7e]+$");
        }
        _ => {}
    }
}
