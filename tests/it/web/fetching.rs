//! Documents by a link: a provider that fetches them gets the one it was given a link to, for as long as its fax is in
//! progress, and nobody else gets anything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::extract::{RawForm, State};
use axum::routing::post;
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::envelope::Envelope;
use touchline::domain::fault::Fault;
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::{Channel, Clock, Outcome, PhiClass};
use touchline::store::records::documents::Document;

use super::house::{House, assert_no_canary};
use crate::providers::sample;

const PDF: &[u8] = b"%PDF-1.7 a letter about nobody %%EOF";
const HOUR: Duration = Duration::from_secs(3600);
const PUBLIC_URL: &str = "public_url = \"http://127.0.0.1:8025\"";
const WITH_LINKS: &str = r#"public_url = "https://touchline.example"

[providers.linked]
kind        = "signalwire"
space       = "lakeside"
project_id  = "0a059168-ead0-45af-9d1f-343dae832527"
api_token   = { env = "SIGNALWIRE_API_TOKEN" }
public_link = true
link_secret = { file = "link-secret" }
base_url    = "http://127.0.0.1:9/api/laml/2010-04-01""#;

/// A house with an account whose provider fetches documents, and a letter whose attempts may be made up.
async fn house() -> (House, MessageId) {
    house_calling(9).await
}

/// The same, with the provider at that port of this machine.
async fn house_calling(port: u16) -> (House, MessageId) {
    let account = WITH_LINKS.replace("127.0.0.1:9/", &format!("127.0.0.1:{port}/"));
    let house = House::open_with_file(PUBLIC_URL, &account, "link-secret", &"k7".repeat(20)).await;
    let message = house.introduction(house.referrer("Amara", None).await).await;
    (house, message)
}

/// An attempt of the letter on record, with its document.
async fn attempt(house: &House, message: MessageId, provider: &str, kind: &'static str) -> Attempt {
    let now = house.clock.now();
    let earlier = house.gateway.store.read().await.expect("a transaction").attempts_of(message).await.expect("read");
    let attempt = Attempt {
        id: AttemptId::new(),
        message_id: message,
        number: i64::try_from(earlier.len()).expect("few") + 1,
        provider: provider.to_owned(),
        status: AttemptStatus::Calling,
        provider_reference: None,
        fault: None,
        raw_code: None,
        raw_text: None,
        pages_confirmed: None,
        document_hash: format!("hash-{kind}"),
        pages: Some(1),
        opened_ms: now,
        answered_ms: None,
        settled_ms: None,
        looks: 0,
        doubt_deadline_ms: None,
        dialled: None,
        billed_amount: None,
        billed_unit: None,
        tls_version: None,
        tls_cipher: None,
        tls_peer: None,
    };
    let document = Document::new(attempt.document_hash.clone(), kind, PDF.to_vec());
    let mut tx = house.gateway.store.write().await.expect("a transaction");
    tx.documents_put(&[document], now).await.expect("kept");
    tx.attempts_insert(std::slice::from_ref(&attempt)).await.expect("kept");
    tx.commit().await.expect("committed");
    attempt
}

/// The path of the link that the account would give to its provider.
fn path(house: &House, attempt: AttemptId) -> String {
    let account = house.gateway.accounts.get("linked").expect("the account");
    let links = account.layered.provider().document_links().expect("it has links");
    let link = links.link(attempt, house.clock.now(), HOUR);
    link.expose_secret().strip_prefix("https://touchline.example").expect("below the public address").to_owned()
}

async fn fetch(house: &House, path: &str) -> Response {
    house.request(Method::GET, path).send().await.expect("an answer")
}

async fn assert_nothing(house: &House, path: &str) {
    let answer = fetch(house, path).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let text = answer.text().await.expect("text");
    assert!(text.contains("there is nothing at this address") && !text.contains("%PDF"), "{text}");
    assert_no_canary(&text);
}

async fn settle(house: &House, attempt: &Attempt, status: AttemptStatus) {
    let now = house.clock.now();
    let settled = Attempt { status, settled_ms: (!status.is_open()).then_some(now), ..attempt.clone() };
    let mut tx = house.gateway.store.write().await.expect("a transaction");
    tx.attempts_update(&[settled]).await.expect("kept");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn the_right_link_serves_the_document_while_the_fax_is_under_way() {
    let (house, message) = house().await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let path = path(&house, attempt.id);
    for status in [AttemptStatus::Calling, AttemptStatus::InDoubt, AttemptStatus::Accepted] {
        settle(&house, &attempt, status).await;
        let answer = fetch(&house, &path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{status:?}");
        assert_eq!(answer.headers()["content-type"], "application/pdf");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.bytes().await.expect("a body"), PDF);
    }
    let post = house.request(Method::POST, &path).send().await.expect("an answer");
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_settled_fax_is_served_no_more() {
    let (house, message) = house().await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let path = path(&house, attempt.id);
    let ended = [AttemptStatus::Delivered, AttemptStatus::Failed, AttemptStatus::Refused, AttemptStatus::NotSent];
    for status in ended {
        settle(&house, &attempt, status).await;
        assert_nothing(&house, &path).await;
    }
}

#[tokio::test]
async fn a_link_ends_with_its_hour() {
    let (house, message) = house().await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let path = path(&house, attempt.id);
    house.clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!(fetch(&house, &path).await.status(), StatusCode::OK);
    house.clock.advance(Duration::from_secs(1));
    assert_nothing(&house, &path).await;
}

#[tokio::test]
async fn no_other_address_serves_anything() {
    let (house, message) = house().await;
    let ours = attempt(&house, message, "linked", "pdf").await;
    let right = path(&house, ours.id);
    let changed = format!("{}{}", &right[..right.len() - 1], if right.ends_with('A') { "E" } else { "A" });
    let bare_id = format!("/documents/{}", ours.id);
    for wrong in [changed.as_str(), bare_id.as_str(), "/documents/nonsense", "/documents/"] {
        let answer = fetch(&house, wrong).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_nothing(&house, &changed).await;
    assert_nothing(&house, &path(&house, AttemptId::new())).await;
    settle(&house, &ours, AttemptStatus::Failed).await;
    let others = attempt(&house, message, "fax-sandbox", "pdf").await;
    assert_nothing(&house, &path(&house, others.id)).await;
    settle(&house, &others, AttemptStatus::Failed).await;
    let mail = attempt(&house, message, "linked", "mail").await;
    assert_nothing(&house, &path(&house, mail.id)).await;
}

#[tokio::test]
async fn without_such_an_account_there_is_no_document_at_any_address() {
    let (house, message) = house().await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let path = path(&house, attempt.id);
    let other = House::open().await;
    assert_nothing(&other, &path).await;
}

/// The orders that a provider got, as it saw them.
type Orders = Arc<Mutex<Vec<String>>>;

/// A provider that takes every order; its port.
async fn provider(orders: Orders) -> u16 {
    async fn take(State(orders): State<Orders>, RawForm(form): RawForm) -> Json<Value> {
        orders.lock().expect("not poisoned").push(String::from_utf8(form.to_vec()).expect("text"));
        Json(json!({ "sid": "b3877c40-da60-4998-90ad-b792e98472fa", "status": "queued" }))
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let router = axum::Router::new().fallback(post(take)).with_state(orders);
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

fn envelope(attempt: AttemptId, phi: PhiClass) -> Envelope {
    Envelope { attempt, phi, ..sample::envelope(Channel::Fax) }
}

#[tokio::test]
async fn the_link_in_the_order_is_the_one_that_serves_the_document() {
    let orders = Orders::default();
    let (house, message) = house_calling(provider(orders.clone()).await).await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let account = house.gateway.accounts.get("linked").expect("the account").layered.provider();
    let outcome = account.submit(&envelope(attempt.id, PhiClass::None)).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let order = orders.lock().expect("not poisoned").pop().expect("one order");
    let media = url::form_urlencoded::parse(order.as_bytes()).find(|(key, _)| key == "MediaUrl").expect("a link").1;
    let path = media.strip_prefix("https://touchline.example").expect("below the public address");
    assert_eq!(fetch(&house, path).await.bytes().await.expect("a body"), PDF);
}

#[tokio::test]
async fn a_letter_about_a_patient_is_not_offered_without_an_agreement() {
    let orders = Orders::default();
    let (house, message) = house_calling(provider(orders.clone()).await).await;
    let attempt = attempt(&house, message, "linked", "pdf").await;
    let account = house.gateway.accounts.get("linked").expect("the account").layered.provider();
    let outcome = account.submit(&envelope(attempt.id, PhiClass::Identified)).await;
    assert_eq!(outcome.failure().map(|failure| failure.fault), Some(Fault::Blocked));
    assert!(orders.lock().expect("not poisoned").is_empty(), "nothing was said to the provider");
}
