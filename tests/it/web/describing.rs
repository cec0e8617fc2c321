//! The API's description says what the API does: statuses, error bodies, words, bounds.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::house::House;

async fn description() -> Value {
    let house = House::open().await;
    let answer = house.request(Method::GET, "/api/openapi.json").send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

/// Every operation: its method and path, and what is said of it.
fn operations(description: &Value) -> Vec<(String, &Value)> {
    let paths = description["paths"].as_object().expect("paths").iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("an item").iter();
            methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

#[tokio::test]
async fn every_error_is_described_and_is_problem_json() {
    let description = description().await;
    let mut seen = 0;
    for (name, operation) in operations(&description) {
        let responses = operation["responses"].as_object().expect("responses");
        let mut expected = vec!["400", "401", "403", "422", "500", "503"];
        if name.contains('{') {
            expected.push("404");
        }
        let body = &operation["requestBody"]["content"];
        if body.is_object() {
            expected.extend(["408", "413"]);
        }
        if body["application/json"].is_object() {
            expected.push("415");
        }
        for status in expected {
            assert!(responses.contains_key(status), "{name} says nothing of {status}");
        }
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap_or_default().is_empty(), "{name} {status}");
            let types: Vec<&String> = response["content"].as_object().expect("content").keys().collect();
            let expected = if status.starts_with('2') { "application/json" } else { "application/problem+json" };
            assert_eq!(types, [expected], "{name} {status}");
            if !status.starts_with('2') {
                let schema = &response["content"][expected]["schema"];
                assert_eq!(schema, &json!({ "$ref": "#/components/schemas/Problem" }), "{name} {status}");
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} errors");
}

#[tokio::test]
async fn words_and_bounds_of_parameters_are_described() {
    let description = description().await;
    let parameter = |operation: &str, name: &str| -> Value {
        let all = operations(&description);
        let (_, operation) = all.iter().find(|(known, _)| known == operation).expect("an operation");
        let parameters = operation["parameters"].as_array().expect("parameters");
        parameters.iter().find(|one| one["name"] == name).expect("a parameter")["schema"].clone()
    };
    let acts = parameter("post /api/v1/messages/{id}/{act}", "act");
    assert_eq!(acts["enum"], json!(["retry", "hold", "release", "send_now", "cancel", "purge"]));
    assert_eq!(parameter("post /api/v1/conflicts/{id}/{choice}", "choice")["enum"], json!(["keep", "accept"]));
    let reasons = parameter("get /api/v1/failures", "reason");
    assert!(reasons["enum"].as_array().expect("words").contains(&json!("held_by_operator")), "{reasons}");
    for (operation, most) in [
        ("get /api/v1/failures", 500),
        ("get /api/v1/referrers", 200),
        ("get /api/v1/referrers/{id}/touches", 200),
        ("get /api/v1/returns", 200),
    ] {
        let limit = parameter(operation, "limit");
        assert_eq!((&limit["minimum"], &limit["maximum"]), (&json!(1), &json!(most)), "{operation}: {limit}");
        assert_eq!(limit["type"], "integer", "nothing in an address stands for nothing");
    }
    let key = parameter("post /api/v1/messages", "Idempotency-Key");
    assert_eq!((&key["minLength"], &key["maxLength"]), (&json!(1), &json!(255)), "{key}");
    let schemas = &description["components"]["schemas"];
    assert_eq!(schemas["NewMessage"]["properties"]["via"]["items"]["enum"], json!(["fax", "email"]));
    assert_eq!(schemas["NewMessage"]["properties"]["undo_seconds"]["maximum"], 86_400);
    let channel = &schemas["RevivalWanted"]["properties"]["channel"]["enum"];
    assert_eq!(channel, &json!(["fax", "email", null]));
    let acts = &schemas["ReturnWork"]["properties"]["act"]["enum"];
    assert_eq!(acts, &json!(["match", "not_a_bounce", "suppress", "suppress_fax", "suppress_all", "dismiss", "done"]));
    assert!(schemas["ReplyGiven"]["properties"]["phase"]["enum"].as_array().expect("words").contains(&json!("rcpt")));
}

/// Two of one name, or a list that is none, are what an outside validator finds.
#[tokio::test]
async fn operations_have_names_of_their_own_and_lists_where_lists_are_expected() {
    let description = description().await;
    let mut names = BTreeSet::new();
    for (operation, said) in operations(&description) {
        let name = said["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{operation}: another operation is called {name} too");
        assert!(said.get("parameters").is_none_or(Value::is_array), "{operation}");
    }
    assert_eq!(names.len(), 35, "{names:?}");
}

/// A reference that leads nowhere makes the whole description useless to a program.
#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let description = description().await;
    let mut open = vec![&description];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("within the document");
                    assert!(description.pointer(pointer).is_some(), "{reference}");
                    references += 1;
                }
                open.extend(members.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    assert!(references > 50, "only {references} references");
}
