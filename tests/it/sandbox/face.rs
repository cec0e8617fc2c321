//! The line's own interface: how it answers wrong requests, its page, and the settings the adapter refuses.

use reqwest::multipart::{Form, Part};
use serde_json::Value;
use touchline::http;
use touchline::sandbox::fax::DOCUMENT_BYTES_MAX;

use super::bench::{API_KEY, Bench, PDF, accepted, build, envelope, text_of};
use crate::support::PATIENCE;

fn form(to: &str, document: Vec<u8>) -> Form {
    let document = Part::bytes(document).file_name("fax.pdf").mime_str("application/pdf").expect("a type");
    let form = Form::new().text("to", to.to_owned()).text("from", "+13125550100").text("reference", "a reference");
    form.part("document", document)
}

async fn create(bench: &Bench, form: Form) -> (u16, Value) {
    let request = http::client().expect("a client").post(format!("{}/faxes", bench.line.base_url()));
    let (status, text) = text_of(request.bearer_auth(API_KEY).multipart(form)).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_so_and_nothing_is_recorded() {
    let bench = Bench::start();
    for (form, status, code) in [
        (form("12", PDF.to_vec()), 422, "invalid_number"),
        (form("+13125550142", b"hello".to_vec()), 422, "document_error"),
        (form("+13125550142", PDF.to_vec()).text("callback_url", "ftp://127.0.0.1/"), 422, "invalid_request"),
        (form("+13125550142", PDF.to_vec()).text("pages", "0"), 422, "invalid_request"),
        (form("+13125550142", PDF.to_vec()).text("colour", "red"), 422, "invalid_request"),
        (Form::new().text("to", "+13125550142"), 422, "invalid_request"),
        (form("+13125550142", vec![b'%'; DOCUMENT_BYTES_MAX + 1]), 413, "too_large"),
    ] {
        let (answered, body) = create(&bench, form).await;
        assert_eq!((answered, body["error"]["code"].as_str()), (status, Some(code)), "{body}");
        assert!(body["error"]["message"].is_string(), "{body}");
        assert!(!body.to_string().contains("5550142"), "an error does not hold the number: {body}");
    }
    assert!(bench.line.faxes().is_empty());
}

#[tokio::test]
async fn a_fax_is_shown_as_the_interface_promises() {
    let bench = Bench::start();
    let (status, receipt) = create(&bench, form("(312) 555-0142", PDF.to_vec())).await;
    assert_eq!((status, &receipt["status"], &receipt["reference"]), (202, &"queued".into(), &"a reference".into()));
    let id = receipt["id"].as_str().expect("an id").to_owned();
    let reference = touchline::domain::attempt::ProviderReference::new(&id).expect("a reference");
    bench.ended(&reference).await;

    let (status, text) = bench.get(&format!("/faxes/{id}")).await;
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    let expected = serde_json::json!({
        "id": id, "status": "delivered", "pages": 1, "pages_confirmed": 1, "fault": null,
        "reference": "a reference", "to": "+13125550142", "purged": false,
    });
    assert_eq!((status, &shown), (200, &expected), "its pages were counted in the file");
    let (_, text) = bench.get("/faxes?reference=a%20reference").await;
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), serde_json::json!({ "data": [expected] }));
    let (_, text) = bench.get("/faxes?reference=another").await;
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), serde_json::json!({ "data": [] }));
    for path in ["/faxes/fx_nobody", "/nowhere"] {
        let (status, text) = bench.get(path).await;
        assert_eq!(status, 404);
        assert!(text.contains("\"code\":\"not_found\""), "{text}");
    }
}

#[tokio::test]
async fn nothing_is_shown_without_the_key() {
    let bench = Bench::start();
    let reference = accepted(bench.provider.submit(&envelope("0142")).await);
    let document = format!("/faxes/{}/document", reference.0);
    let client = http::client().expect("a client");
    for path in ["/", "/account", "/faxes", "/faxes?reference=x", document.as_str()] {
        let (status, text) = text_of(client.get(format!("{}{path}", bench.line.base_url()))).await;
        assert_eq!(status, 401, "{path}");
        assert!(text.contains("\"code\":\"unauthorized\""), "{text}");
    }
}

#[tokio::test]
async fn the_open_page_shows_what_came_in_without_the_number() {
    let bench = Bench::with(|options| options.open_pages = true);
    let client = http::client().expect("a client");
    let page = || text_of(client.get(bench.line.base_url()));
    assert!(page().await.1.contains("No faxes received yet."));

    let delivered = accepted(bench.provider.submit(&envelope("0142")).await);
    let failed = accepted(bench.provider.submit(&envelope("0119")).await);
    bench.ended(&delivered).await;
    bench.ended(&failed).await;
    let (status, html) = page().await;
    assert_eq!(status, 200);
    for expected in ["•••-0142", "Delivered", "3 of 3", "•••-0119", "Failed", "no fax tone was heard", "0132"]
    {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!html.contains("555-0142") && !html.contains("5550142") && !html.contains("<script"), "{html}");
    assert!(html.contains(&format!("href=\"/faxes/{}/document\"", delivered.0)));
    assert!(html.contains("<h2>•••-0142</h2>") && !html.contains("<h3"), "no heading is skipped: {html}");

    let document = client.get(format!("{}/faxes/{}/document", bench.line.base_url(), delivered.0));
    let answer = document.send().await.expect("the line answers");
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.bytes().await.expect("a body"), PDF);
    let (status, _) = text_of(client.get(format!("{}/account", bench.line.base_url()))).await;
    assert_eq!(status, 401, "only the page is open");
}

#[test]
fn settings_that_cannot_work_are_refused_without_their_values() {
    for (url, secrets, expected) in [
        ("ftp://127.0.0.1", &[("api_key", "k")][..], "providers.practice_fax.base_url"),
        ("127.0.0.1:8026", &[("api_key", "k")][..], "providers.practice_fax.base_url"),
        ("http://127.0.0.1:8026", &[][..], "providers.practice_fax.api_key is missing"),
    ] {
        let error = build(url, secrets, None, PATIENCE).expect_err(url).to_string();
        assert!(error.contains(expected) && !error.contains(url), "{error}");
    }
}
