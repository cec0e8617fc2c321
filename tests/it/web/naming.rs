//! Names and reasons that a program gives: whole names are not erased, nothing in them is invisible, a deletion has a
//! reason.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use touchline::access::Scope;

use super::house::{House, problem};

#[tokio::test]
async fn a_whole_name_is_not_erased_and_nothing_in_one_is_invisible() {
    let house = House::open().await;
    let amara = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Operate, Scope::Read]).await;
    let path = format!("/api/v1/referrers/{amara}");
    let patch = async |body: Value| {
        let request = house.request(Method::PATCH, &path).bearer_auth(&token).json(&body);
        request.send().await.expect("an answer")
    };
    let before: Value = house.get(&path, &token).await.json().await.expect("JSON");
    let told = problem(patch(json!({ "first_name": "", "last_name": "", "organization": "" })).await, 422).await;
    assert!(told["detail"].as_str().expect("words").contains("give a name or an organization"), "{told}");
    for name in ["Ama\u{202e}ra", "Ama\u{200b}ra", "\u{feff}Amara"] {
        let told = problem(patch(json!({ "first_name": name })).await, 422).await;
        assert_eq!(told["field"], "first_name");
        let new = json!({ "organization": name, "phone": "(312) 555-0143" });
        problem(house.post("/api/v1/referrers", &token, &new).await, 422).await;
    }
    let after: Value = house.get(&path, &token).await.json().await.expect("JSON");
    assert_eq!(after, before, "nothing was changed");
    let office = patch(json!({ "first_name": "", "last_name": "", "organization": "Clínica Niño" })).await;
    assert_eq!(office.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_referrer_is_deleted_only_with_a_reason() {
    let house = House::open().await;
    let amara = house.referrer("Amara", None).await;
    let token = house.token(&[Scope::Operate, Scope::Read]).await;
    let path = format!("/api/v1/referrers/{amara}");
    let delete = async |query: &str| {
        let request = house.request(Method::DELETE, &format!("{path}{query}")).bearer_auth(&token);
        request.send().await.expect("an answer")
    };
    for query in ["", "?why=", "?why=%20%09", "?why=a%0Ab", &format!("?why={}", "x".repeat(201))] {
        problem(delete(query).await, 422).await;
    }
    assert_eq!(house.get(&path, &token).await.status(), StatusCode::OK);
    assert_eq!(delete("?why=retired").await.status(), StatusCode::OK);
    problem(house.get(&path, &token).await, 404).await;
}
