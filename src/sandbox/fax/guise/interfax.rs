//! The line as InterFAX' REST service: the document is the body of the request and everything else its query, the answer
//! is an address, states are numbers, and callbacks are unsigned forms to the address that the account has set.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::super::cut::Cut;
use super::super::desk::{Desk, Shared};
use super::super::hooks::Message;
use super::super::notice::Notice;
use super::super::parts::{self, REQUEST_BYTES_MAX};
use super::super::picture;
use super::super::record::{Fax, FaxStatus, Order};
use super::super::trouble::Trouble;
use crate::domain::{Fault, Timestamp};

/// Answers are JSON under this name.
const JSON: &str = "text/json";
/// The longest reference.
const REFERENCE_CHARS_MAX: usize = 60;
/// Records in one listing: at most, and unless asked for.
const LIST_MAX: usize = 1_000;
const LIST: usize = 25;

pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/outbound/faxes", post(create))
        .route("/outbound/faxes/completed", get(completed))
        .route("/outbound/faxes/{id}", get(show))
        .route("/outbound/faxes/{id}/cancel", post(cancel))
        .route("/outbound/faxes/{id}/image", get(image))
        .route("/outbound/search", get(search))
        .route("/accounts/self/ppcards/balance", get(balance))
}

fn answer(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

/// `POST /outbound/faxes?faxNumber=…`: 201, an empty body, and where the fax is.
async fn create(
    State(desk): Shared,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Result<Response, Trouble> {
    let host = host(request.headers());
    let body = axum::body::to_bytes(request.into_body(), REQUEST_BYTES_MAX).await.map_err(|_| Trouble::TooLarge)?;
    let order = order(&desk, query, body).await?;
    desk.take(order, &cut, |fax| {
        let location = format!("http://{host}/outbound/faxes/{}", fax.id);
        (StatusCode::CREATED, [(header::CONTENT_TYPE, JSON.to_owned()), (header::LOCATION, location)]).into_response()
    })
}

/// The address by which the customer reached the line.
fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1").to_owned()
}

async fn order(desk: &Desk, query: BTreeMap<String, String>, body: Bytes) -> Result<Order, Trouble> {
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let to = parts::destination("faxNumber", text("faxNumber"))?;
    let reference = parts::reference("reference", text("reference"))?;
    if reference.chars().count() > REFERENCE_CHARS_MAX {
        return Err(Trouble::field("reference", "60 characters at most"));
    }
    let document = parts::pdf("body", Some(body))?;
    let pages = picture::pages_of(document.clone()).await;
    let behaviour = desk.calls.plan.next(&to);
    Ok(Order { to, from: None, reference, document, pages, callback_url: None, said: query, behaviour })
}

async fn show(State(desk): Shared, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Trouble> {
    Ok(answer(&record(&desk.calls.line.get(&id)?, &desk.account, &host(&headers))))
}

/// `GET /outbound/search` by reference and the other filters; records do not repeat the reference.
async fn search(
    State(desk): Shared,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let number = |name: &str, otherwise: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (limit, offset) = (number("limit", LIST).min(LIST_MAX), number("offset", 0));
    let ids = query.get("ids").map(|ids| ids.split(',').map(str::trim).collect::<Vec<_>>());
    let fits = |fax: &Fax| {
        query.get("reference").is_none_or(|own| *own == fax.reference)
            && query.get("faxNumber").is_none_or(|own| *own == fax.to_text())
            && ids.as_ref().is_none_or(|ids| ids.contains(&fax.id.as_str()))
    };
    let faxes = desk.calls.line.faxes();
    let found = faxes.iter().rev().filter(|fax| fits(fax)).skip(offset).take(limit);
    Ok(answer(&found.map(|fax| record(fax, &desk.account, &host(&headers))).collect()))
}

/// `GET /outbound/faxes/completed?ids=…`: those of the ids whose calls have ended.
async fn completed(
    State(desk): Shared,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let ids = query.get("ids").ok_or(Trouble::field("ids", "`ids` is missing"))?;
    let faxes = ids.split(',').take(LIST_MAX).filter_map(|id| desk.calls.line.get(id.trim()).ok());
    let ended = faxes.filter(|fax| fax.status.is_final());
    Ok(answer(&ended.map(|fax| record(&fax, &desk.account, &host(&headers))).collect()))
}

async fn cancel(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    desk.calls.line.cancel(&id)?;
    Ok(([(header::CONTENT_TYPE, JSON)], "").into_response())
}

async fn image(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    let document = desk.calls.line.get(&id)?.document.ok_or(Trouble::NoDocument)?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], document).into_response())
}

async fn balance() -> Response {
    answer(&json!(50.0))
}

/// The state as a number: below zero under way, zero sent, above zero failed.
fn status(fax: &Fax) -> i64 {
    match fax.status {
        FaxStatus::Queued => -2,
        FaxStatus::Dialing => -3,
        FaxStatus::Delivered => 0,
        FaxStatus::Failed | FaxStatus::Cancelled => fax.fault.map_or(1, code),
    }
}

/// A number of its table of fax status codes for a fault; where that has none, a number that is not in it.
const fn code(fault: Fault) -> i64 {
    match fault {
        Fault::Busy => 3931,
        Fault::NoAnswer => 3935,
        Fault::LineError => 2,
        Fault::NegotiationError | Fault::PartialSend => 3224,
        Fault::NotAFax => 3936,
        Fault::InvalidNumber => 3912,
        Fault::RejectedByRemote => 6021,
        Fault::DocumentError => 204_000,
        Fault::AccountError => 205_000,
        Fault::ProviderError => 256,
        Fault::Cancelled => 403,
        _ => 999_999,
    }
}

fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A fax as its listings have it: international numbers begin with 00, times name no zone.
fn record(fax: &Fax, user: &str, host: &str) -> Value {
    json!({
        "id": fax.id.parse::<u64>().unwrap_or(0), "uri": format!("http://{host}/outbound/faxes/{}", fax.id),
        "status": status(fax), "userId": user, "destinationFax": fax.to_text().replace('+', "00"),
        "pagesSubmitted": fax.pages, "pagesSent": fax.pages_confirmed.unwrap_or(0),
        "submitTime": time(fax.received_ms), "completionTime": time(fax.ended_ms.unwrap_or(fax.received_ms)),
        "contact": fax.said.get("contact"), "subject": null, "replyEmail": "", "senderCSID": "sandbox",
        "remoteCSID": "", "duration": 0, "priority": 2, "attemptsToPerform": 1,
        "attemptsMade": u32::from(fax.ended_ms.is_some()), "units": f64::from(fax.pages_confirmed.unwrap_or(0)),
        "costPerUnit": 0.15, "pageSize": "Letter", "pageOrientation": "Portrait", "resolution": "Fine",
        "pageResolution": "Fine", "rendering": "Standard", "pageHeader": "N",
    })
}

/// What is wrong, in its error object.
pub fn words_for(trouble: Trouble) -> Response {
    let (status, code) = match trouble {
        Trouble::Key => (401, -1003),
        Trouble::Refused(Fault::AccountError) => (403, -22),
        Trouble::Refused(Fault::Blocked) => (403, -111),
        Trouble::NoSuchFax | Trouble::NoSuchPlace | Trouble::NoDocument => (404, -1005),
        Trouble::TooLate | Trouble::NotEnded => (409, -1),
        Trouble::SlowDown(_) => (429, -1),
        Trouble::Broken(status) => (status, -150),
        other => match other.fault() {
            Some(Fault::InvalidNumber) => (400, -112),
            Some(Fault::DocumentError) => (400, -123),
            _ => (400, -1),
        },
    };
    let body = json!({ "code": code, "message": trouble.words(), "moreInfo": null });
    trouble.answer(status, JSON, body.to_string())
}

/// A callback: a form, unsigned; its times are written day first.
pub fn message(notice: &Notice) -> Message {
    let fax = &notice.fax;
    let time = |at: Timestamp| at.to_utc().format("%d/%m/%Y %H:%M:%S").to_string();
    let pages = fax.pages_confirmed.unwrap_or(0).to_string();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("TransactionIDType", "Outbound")
        .append_pair("TransactionID", &fax.id)
        .append_pair("Status", &status(fax).to_string())
        .append_pair("CompletionTime", &time(fax.ended_ms.unwrap_or(notice.at)))
        .append_pair("SubmitTime", &time(fax.received_ms))
        .append_pair("DestinationFax", &fax.to_text().replace('+', "00"))
        .append_pair("PagesSubmitted", &fax.pages.to_string())
        .append_pair("PagesSent", &pages)
        .append_pair("Units", &pages)
        .append_pair("CostPerUnit", "0.15")
        .append_pair("Duration", "0")
        .append_pair("RemoteCSID", "")
        .finish();
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    Message { headers, body: body.into_bytes() }
}
