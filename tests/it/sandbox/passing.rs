//! The line imitating providers that practices use: Telnyx with the real adapter, and the others as their own
//! documentation has it, byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::Content;
use touchline::domain::event::{DeliveryEvent, Fact};
use touchline::domain::fault::Fault;
use touchline::domain::id::AttemptId;
use touchline::domain::{Clock, Outcome, SystemClock};
use touchline::http;
use touchline::provider::{Account, FindQuery, FindResult, Provider, Rejection, WebhookParts, find_spec};
use touchline::sandbox::fax::{Fax, FaxLine, FaxLineOptions, FaxStatus, Guise, telnyx_public_key};

use super::bench::{API_KEY, PDF, SECRET, accepted, envelope};
use super::callbacks::Receiver;
use super::failure_of;
use crate::support::{PATIENCE, soon};

/// The name of the account: an application, a key or a user.
pub const ACCOUNT: &str = "rehearsal";

/// Three empty pages, as short as a PDF can be.
const THREE_PAGES: &[u8] = b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
    2 0 obj <</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]/MediaBox[0 0 612 792]>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R>> endobj\n4 0 obj <</Type/Page/Parent 2 0 R>> endobj\n\
    5 0 obj <</Type/Page/Parent 2 0 R>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n";

/// A line in a guise whose calls take no time.
pub async fn line(guise: Guise, change: impl FnOnce(&mut FaxLineOptions)) -> FaxLine {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut options = FaxLineOptions::new(API_KEY.into());
    options.guise = guise;
    options.account = ACCOUNT.to_owned();
    options.call_takes = Duration::ZERO;
    options.slow_after = Duration::from_millis(5);
    options.callback_wait = Duration::from_millis(1);
    options.callback_secret = Some(SECRET.into());
    change(&mut options);
    FaxLine::start(TcpListener::bind("127.0.0.1:0").await.expect("a port"), options).expect("it starts")
}

async fn until(line: &FaxLine, id: &str, is_so: impl Fn(&Fax) -> bool) -> Fax {
    let mut changed = line.changed();
    soon("the fax changes", async {
        loop {
            if let Some(fax) = line.faxes().into_iter().find(|fax| fax.id == id && is_so(fax)) {
                return fax;
            }
            changed.changed().await.expect("the line runs");
        }
    })
    .await
}

pub async fn ended(line: &FaxLine, id: &str) -> Fax {
    until(line, id, |fax| fax.status.is_final()).await
}

/// The real adapter for Telnyx, speaking to the line.
fn telnyx(line: &FaxLine, key: &str, document: &str, callback_url: Option<&str>) -> Arc<dyn Provider> {
    let settings = toml::Table::from_iter([
        ("base_url".to_owned(), format!("{}/v2", line.base_url()).into()),
        ("connection_id".to_owned(), ACCOUNT.into()),
        ("public_key".to_owned(), telnyx_public_key(SECRET).into()),
        ("document".to_owned(), document.into()),
    ]);
    let account = Account {
        name: "rehearsal".into(),
        settings,
        secrets: BTreeMap::from([("api_key".to_owned(), key.into())]),
        http: http::client().expect("a client"),
        timeout: PATIENCE,
        concurrency: 4,
        sender: None,
        callback_url: callback_url.map(str::to_owned),
        documents_url: None,
        tokens: Arc::new(touchline::provider::sign_in::Unkept),
        returns: touchline::domain::return_path::ReturnPaths::new(b"key"),
        baa: false,
        clock: Arc::new(SystemClock),
    };
    (find_spec("telnyx").expect("it is registered").build)(account).expect("it can be built")
}

pub fn search(attempt: AttemptId, digits: &str) -> FindQuery {
    FindQuery { opened_ms: SystemClock.now(), ..super::search(attempt, digits) }
}

fn read(provider: &dyn Provider, parts: &WebhookParts) -> Result<DeliveryEvent, Rejection> {
    provider.receive(parts, SystemClock.now()).map(|mut events| events.remove(0))
}

#[tokio::test]
async fn a_letter_goes_through_telnyx_and_is_told_found_and_deleted() {
    let mut receiver = Receiver::start(&[]).await;
    let line = line(Guise::Telnyx, |_| {}).await;
    let provider = telnyx(&line, API_KEY, "media", Some(&receiver.url));
    assert!(provider.check().await.expect("the key is right").contains("knows the Fax Application"));
    let envelope = envelope("0142");
    let reference = accepted(provider.submit(&envelope).await);
    let fax = ended(&line, &reference.0).await;
    assert_eq!((fax.status, fax.reference.clone()), (FaxStatus::Delivered, envelope.attempt.to_string()));

    let mut stages = Vec::new();
    for _ in 0..4 {
        let event = read(provider.as_ref(), &receiver.next().await).expect("authentic");
        assert_eq!((event.attempt, event.reference), (Some(envelope.attempt), Some(reference.clone())));
        stages.push(match event.fact {
            Fact::Progress { stage } => stage,
            Fact::Delivered { pages } => format!("delivered {pages:?}"),
            Fact::Failed(failure) => panic!("{failure:?}"),
        });
    }
    let confirmed = format!("delivered {:?}", fax.pages_confirmed);
    assert_eq!(stages, ["queued", "media.processed", "sending.started", confirmed.as_str()]);

    let report = provider.status(&reference).await.expect("it answers");
    assert_eq!(report.fact, Fact::Delivered { pages: None }, "the published object knows no pages");
    assert_eq!(provider.find(&search(envelope.attempt, "0142")).await, Ok(FindResult::Found(report)));
    assert_eq!(provider.find(&search(AttemptId::new(), "0142")).await, Ok(FindResult::Absent));
    provider.purge(&reference).await.expect("it has ended");
    provider.purge(&reference).await.expect("what is gone counts as deleted");
    assert!(line.faxes()[0].purged);
    let failure = provider.status(&reference).await.expect_err("it is gone");
    assert_eq!(failure.raw_code.as_deref(), Some("10005"));
}

#[tokio::test]
async fn an_upload_to_telnyx_carries_no_reference_and_is_only_a_candidate() {
    let line = line(Guise::Telnyx, |_| {}).await;
    let provider = telnyx(&line, API_KEY, "upload", None);
    let envelope = envelope("0124");
    assert!(matches!(provider.submit(&envelope).await, Outcome::Unknown(_)), "the answer never came");
    match provider.find(&search(envelope.attempt, "0124")).await.expect("it answers") {
        FindResult::Candidates(reports) => assert_eq!(reports.len(), 1),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn telnyx_tells_every_fault_in_its_own_word() {
    let line = line(Guise::Telnyx, |_| {}).await;
    let provider = telnyx(&line, API_KEY, "media", None);
    for (digits, fault, word) in [
        ("0260", Fault::Busy, "user_busy"),
        ("0118", Fault::NoAnswer, "receiver_no_answer"),
        ("0261", Fault::LineError, "receiver_call_dropped"),
        ("0262", Fault::NegotiationError, "receiver_communication_error"),
        ("0119", Fault::NotAFax, "fax_initial_communication_timeout"),
        ("0263", Fault::InvalidNumber, "receiver_unallocated_number"),
        ("0264", Fault::RejectedByRemote, "receiver_decline"),
        ("0121", Fault::Blocked, "destination_not_in_countries_whitelist"),
        ("0130", Fault::DocumentError, "media_processing_exception"),
        ("0266", Fault::AccountError, "no_outbound_profile"),
        ("0267", Fault::RateLimited, "outbound_profile_channel_limit_exceeded"),
        ("0269", Fault::Cancelled, "sender_canceled"),
        ("0271", Fault::Unknown, "a_reason_that_nobody_documented"),
    ] {
        let reference = accepted(provider.submit(&envelope(digits)).await);
        ended(&line, &reference.0).await;
        let failure = failure_of(provider.status(&reference).await.expect("it answers").fact);
        assert_eq!((failure.fault, failure.raw_code.as_deref()), (fault, Some(word)), "{digits}");
    }
}

#[tokio::test]
async fn telnyx_refuses_slows_down_and_breaks_in_its_own_envelope() {
    let line = line(Guise::Telnyx, |_| {}).await;
    let provider = telnyx(&line, API_KEY, "media", None);
    for (digits, is, fault, code, wait) in [
        ("0120", "refused", Fault::InvalidNumber, "10016", None),
        ("0274", "refused", Fault::DocumentError, "10015", None),
        ("0131", "refused", Fault::AccountError, "10010", None),
        ("0275", "refused", Fault::RateLimited, "10011", Some(1)),
        ("0127", "unknown", Fault::ProviderError, "10007", None),
        ("0278", "unknown", Fault::ProviderError, "10007", None),
        ("0279", "unknown", Fault::ProtocolError, "200", None),
    ] {
        let outcome = provider.submit(&envelope(digits)).await;
        let failure = outcome.failure().unwrap_or_else(|| panic!("{digits}: {outcome:?}"));
        assert_eq!((outcome.as_str(), failure.fault, failure.raw_code.as_deref()), (is, fault, Some(code)), "{digits}");
        assert_eq!(failure.retry_after_seconds, wait, "{digits}");
    }
    let stranger = telnyx(&line, "another key", "upload", None);
    assert_eq!(stranger.submit(&envelope("0142")).await.failure().map(|one| one.fault), Some(Fault::AccountError));
    assert_eq!(stranger.check().await.expect_err("a wrong key").raw_code.as_deref(), Some("10009"));
}

#[tokio::test]
async fn a_telnyx_callback_that_is_forged_stale_or_partial_is_known_for_it() {
    let mut receiver = Receiver::start(&[]).await;
    let line = line(Guise::Telnyx, |_| {}).await;
    let provider = telnyx(&line, API_KEY, "media", Some(&receiver.url));
    for (digits, expected) in [("0126", Err(Rejection::Forged)), ("0282", Err(Rejection::Stale))] {
        accepted(provider.submit(&envelope(digits)).await);
        for _ in 0..3 {
            read(provider.as_ref(), &receiver.next().await).expect("the beginning");
        }
        assert_eq!(read(provider.as_ref(), &receiver.next().await).map(|_| ()), expected, "{digits}");
        let last = read(provider.as_ref(), &receiver.next().await).expect("the truth");
        assert!(matches!(last.fact, Fact::Delivered { .. }), "{digits}: {last:?}");
    }
    let mut partial = envelope("0122");
    if let Content::Fax { pdf, .. } = &mut partial.content {
        *pdf = THREE_PAGES.to_vec();
    }
    accepted(provider.submit(&partial).await);
    for _ in 0..3 {
        receiver.next().await;
    }
    let failure = failure_of(read(provider.as_ref(), &receiver.next().await).expect("the truth").fact);
    assert_eq!((failure.fault, failure.pages_confirmed), (Fault::PartialSend, Some(2)));
    assert_eq!(failure.raw_code.as_deref(), Some("receiver_call_dropped"));
}

#[tokio::test]
async fn a_fax_is_withdrawn_at_telnyx_until_its_call_ends() {
    let line = line(Guise::Telnyx, |options| options.call_takes = Duration::from_secs(3_600)).await;
    let provider = telnyx(&line, API_KEY, "media", None);
    let reference = accepted(provider.submit(&envelope("0142")).await);
    provider.cancel(&reference).await.expect("its call has not ended");
    let failure = failure_of(provider.status(&reference).await.expect("it answers").fact);
    assert_eq!(failure.fault, Fault::Cancelled);
    assert!(provider.cancel(&reference).await.is_err(), "it is too late");
}

/// A request with the account's name and key, as Basic has it.
fn basic(line: &FaxLine, method: Method, path: &str) -> RequestBuilder {
    let client = http::client().expect("a client");
    client.request(method, format!("{}{path}", line.base_url())).basic_auth(ACCOUNT, Some(API_KEY))
}

async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("the line answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

fn phaxio_form(to: &str, reference: &str, callback_url: &str) -> Form {
    let file = Part::bytes(PDF).file_name("letter.pdf").mime_str("application/pdf").expect("a type");
    let form = Form::new().text("to", to.to_owned()).text("tag[touchline]", reference.to_owned());
    form.text("callback_url", callback_url.to_owned()).part("file", file)
}

#[tokio::test]
async fn phaxio_is_spoken_as_its_recordings_have_it() {
    let mut receiver = Receiver::start(&[]).await;
    let line = line(Guise::Phaxio, |_| {}).await;
    let create = |to: &str| {
        let form = phaxio_form(to, "our reference", &receiver.url);
        basic(&line, Method::POST, "/v2.1/faxes").multipart(form)
    };
    let (status, body) = json_of(create("+13125550119")).await;
    assert_eq!((status, &body["success"], &body["message"]), (200, &json!(true), &json!("Fax queued for sending")));
    let id = body["data"]["id"].as_u64().expect("a number").to_string();
    ended(&line, &id).await;
    let (_, body) = json_of(basic(&line, Method::GET, &format!("/v2.1/faxes/{id}"))).await;
    assert_eq!(body["message"], "Metadata for fax");
    let fax = &body["data"];
    assert_eq!((&fax["status"], &fax["tags"]), (&json!("failure"), &json!({ "touchline": "our reference" })));
    let recipient = &fax["recipients"][0];
    assert_eq!((&recipient["error_type"], &recipient["error_id"]), (&json!("faxError"), &json!(14)));
    assert_eq!(recipient["phone_number"], "+13125550119");

    for (query, count) in [("tag%5Btouchline%5D=our%20reference", 1), ("tag%5Btouchline%5D=another", 0), ("page=2", 0)]
    {
        let (status, body) = json_of(basic(&line, Method::GET, &format!("/v2.1/faxes?{query}"))).await;
        assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(count)), "{query}: {body}");
    }
    let (status, body) = json_of(basic(&line, Method::DELETE, &format!("/v2.1/faxes/{id}/file"))).await;
    assert_eq!((status, body), (200, json!({ "success": true, "message": "Deleted files successfully!" })));
    let (status, body) = json_of(create("12")).await;
    assert_eq!((status, &body["success"]), (422, &json!(false)));
    let stranger = http::client().expect("a client").get(format!("{}/v2.1/account/status", line.base_url()));
    let (status, body) = json_of(stranger.basic_auth(ACCOUNT, Some("another"))).await;
    assert_eq!((status, &body["success"]), (401, &json!(false)));

    let told = receiver.next().await;
    assert!(told.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data; boundary=")));
    let text = String::from_utf8(told.body.clone()).expect("text");
    assert_eq!(told.header("x-phaxio-signature"), Some(phaxio_signature(&receiver.url, &text).as_str()));
}

/// The documented signature over the texts of a form, taken apart by hand.
fn phaxio_signature(url: &str, body: &str) -> String {
    let boundary = body.lines().next().expect("a boundary");
    let part = |part: &str| {
        let (head, text) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_owned(), text.strip_suffix("\r\n")?.to_owned()))
    };
    let fields: BTreeMap<String, String> = body.split(boundary).filter_map(part).collect();
    assert_eq!(fields["event_type"], "fax_completed");
    let signed = fields.iter().fold(url.to_owned(), |signed, (name, text)| signed + name + text);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    hex::encode(hmac::sign(&key, signed.as_bytes()))
}

#[tokio::test]
async fn interfax_is_spoken_as_its_recordings_have_it() {
    let mut receiver = Receiver::start(&[]).await;
    let url = receiver.url.clone();
    let line = line(Guise::InterFax, |options| options.callback_url = Some(url)).await;
    let create = |digits: &str| {
        let query = [("faxNumber", format!("+1312555{digits}")), ("reference", "our-reference".to_owned())];
        let request = basic(&line, Method::POST, "/outbound/faxes").query(&query);
        request.header("content-type", "application/pdf").body(PDF)
    };
    let answer = create("0260").send().await.expect("it answers");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (201, &"text/json".parse().expect("text"))
    );
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    assert_eq!(answer.bytes().await.expect("a body").len(), 0);
    let id = location.rsplit('/').next().expect("an id").to_owned();
    ended(&line, &id).await;

    let (_, record) = json_of(basic(&line, Method::GET, &format!("/outbound/faxes/{id}"))).await;
    assert_eq!((&record["status"], &record["destinationFax"]), (&json!(3931), &json!("0013125550260")));
    assert!(!record.to_string().contains("our-reference"), "records do not repeat the reference");
    for (path, count) in [
        ("/outbound/search?reference=our-reference", 1),
        ("/outbound/search?reference=another", 0),
        (&format!("/outbound/faxes/completed?ids={id},1"), 1),
    ] {
        let (status, body) = json_of(basic(&line, Method::GET, path)).await;
        assert_eq!((status, body.as_array().map(Vec::len)), (200, Some(count)), "{path}: {body}");
    }
    for (digits, status, code) in [("0120", 400, -112), ("0121", 403, -111), ("0274", 400, -123)] {
        let (answered, body) = json_of(create(digits)).await;
        assert_eq!((answered, &body["code"]), (status, &json!(code)), "{digits}");
    }
    let (status, body) = json_of(basic(&line, Method::POST, "/outbound/faxes/1/cancel")).await;
    assert_eq!((status, &body["code"]), (404, &json!(-1005)));
    let stranger = http::client().expect("a client").get(format!("{}/accounts/self/ppcards/balance", line.base_url()));
    assert_eq!(json_of(stranger.basic_auth("another", Some(API_KEY))).await.0, 401);

    let told = receiver.next().await;
    let text = String::from_utf8(told.body).expect("text");
    assert!(text.contains(&format!("TransactionID={id}")) && text.contains("Status=3931"), "{text}");
}

#[tokio::test]
async fn the_page_says_in_whose_guise_the_line_is() {
    let line = line(Guise::Telnyx, |options| options.open_pages = true).await;
    let provider = telnyx(&line, API_KEY, "media", None);
    let reference: ProviderReference = accepted(provider.submit(&envelope("0119")).await);
    ended(&line, &reference.0).await;
    let page = http::client().expect("a client").get(line.base_url()).send().await.expect("it answers");
    let html = page.text().await.expect("a page");
    for expected in ["in the guise of Telnyx", "•••-0119", "not_a_fax", &format!("/faxes/{}/page.png", reference.0)]
    {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!html.contains("5550119") && !html.contains("555-0119"));
}
