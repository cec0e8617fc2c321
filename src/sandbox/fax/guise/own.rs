//! The line as itself: JSON, a bearer key, and `{"error":{"code","message"}}` where something is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Multipart, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::cut::Cut;
use super::super::desk::{Desk, Shared};
use super::super::hooks::{Delivery, Message};
use super::super::notice::Notice;
use super::super::parts::{self, PAGES_MAX, Parts};
use super::super::picture;
use super::super::record::{Fax, FaxStatus, Order};
use super::super::trouble::Trouble;
use crate::domain::{Fault, FaxNumber};

/// Header with the signature: HMAC-SHA256 in hex over `{timestamp}.{raw body}`.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";
/// Header with the time of the signature in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-sandbox-timestamp";
/// The most faxes in one listing.
const LIST_MAX: usize = 100;
const FIELDS: [&str; 5] = ["to", "from", "reference", "pages", "callback_url"];

pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/faxes", post(create).get(list))
        .route("/faxes/{id}", get(show).delete(purge))
        .route("/faxes/{id}/cancel", post(cancel))
        .route("/account", get(account))
}

async fn create(State(desk): Shared, ConnectInfo(cut): ConnectInfo<Cut>, form: Multipart) -> Result<Response, Trouble> {
    let order = order(&desk, Parts::read(form, &["document"]).await?).await?;
    desk.take(order, &cut, |fax| {
        let receipt = json!({ "id": fax.id, "status": fax.status, "reference": fax.reference });
        (StatusCode::ACCEPTED, Json(receipt)).into_response()
    })
}

async fn order(desk: &Desk, form: Parts) -> Result<Order, Trouble> {
    if form.texts.iter().any(|(name, _)| !FIELDS.contains(&name.as_str())) {
        return Err(Trouble::field("", "a field has an unknown name"));
    }
    let to = parts::destination("to", form.text("to"))?;
    let from = FaxNumber::parse(form.text("from"));
    let from = from.map_err(|_| Trouble::field("from", "`from` is not a fax number"))?;
    let reference = parts::reference("reference", form.text("reference"))?;
    if reference.is_empty() {
        return Err(Trouble::field("reference", "`reference` is missing"));
    }
    let document = parts::pdf("document", form.file.clone())?;
    let callback_url = parts::callback_url("callback_url", form.text("callback_url"))?;
    let pages = match (form.text("pages"), form.text("pages").parse()) {
        ("", _) => picture::pages_of(document.clone()).await,
        (_, Ok(pages @ 1..=PAGES_MAX)) => pages,
        _ => return Err(Trouble::field("pages", "`pages` is a number from 1 to 10000")),
    };
    let behaviour = desk.calls.plan.next(&to);
    Ok(Order { to, from: Some(from), reference, document, pages, callback_url, said: BTreeMap::new(), behaviour })
}

async fn show(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Trouble> {
    Ok(Json(Object::of(&desk.calls.line.get(&id)?)))
}

#[derive(Deserialize)]
struct ListQuery {
    reference: Option<String>,
}

async fn list(State(desk): Shared, Query(query): Query<ListQuery>) -> Json<List> {
    let line = &desk.calls.line;
    let faxes = query.reference.map_or_else(|| line.newest(LIST_MAX), |reference| line.with_reference(&reference));
    Json(List { data: faxes.iter().take(LIST_MAX).map(Object::of).collect() })
}

async fn cancel(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Trouble> {
    Ok(Json(Object::of(&desk.calls.line.cancel(&id)?)))
}

async fn purge(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Trouble> {
    Ok(Json(Object::of(&desk.calls.line.purge(&id)?)))
}

async fn account(State(desk): Shared) -> Json<serde_json::Value> {
    Json(json!({ "account": "sandbox", "faxes": desk.calls.line.count() }))
}

#[derive(Serialize)]
struct List {
    data: Vec<Object>,
}

/// A fax as the API shows it.
#[derive(Serialize)]
struct Object {
    id: String,
    status: FaxStatus,
    pages: u32,
    pages_confirmed: Option<u32>,
    fault: Option<Fault>,
    reference: String,
    to: String,
    purged: bool,
}

impl Object {
    fn of(fax: &Fax) -> Self {
        Self {
            id: fax.id.clone(),
            status: fax.status,
            pages: fax.pages,
            pages_confirmed: fax.pages_confirmed,
            fault: fax.fault,
            reference: fax.reference.clone(),
            to: fax.to_text(),
            purged: fax.purged,
        }
    }
}

/// What is wrong, in the line's own words.
pub fn words_for(trouble: Trouble) -> Response {
    let code = match trouble {
        Trouble::Key => "unauthorized",
        Trouble::NoSuchFax | Trouble::NoSuchPlace | Trouble::NoDocument => "not_found",
        Trouble::WrongMethod => "method_not_allowed",
        Trouble::TooLate => "too_late",
        Trouble::NotEnded => "not_ended",
        Trouble::TooLarge => "too_large",
        Trouble::Field { .. } | Trouble::Refused(_) => trouble.fault().map_or("invalid_request", Fault::as_str),
        Trouble::Unreadable => "invalid_request",
        Trouble::SlowDown(_) => "rate_limited",
        Trouble::Broken(_) => "provider_error",
    };
    let body = json!({ "error": { "code": code, "message": trouble.words() } });
    trouble.answer(trouble.status(), "application/json", body.to_string())
}

/// A callback: the event's id, the fax at that moment, and when.
pub fn message(notice: &Notice, delivery: &Delivery<'_>) -> Message {
    let fax = &notice.fax;
    let told = json!({
        "id": fax.id, "reference": fax.reference, "status": fax.status, "pages": fax.pages,
        "pages_confirmed": fax.pages_confirmed, "fault": fax.fault,
    });
    let id = format!("evt_{}", notice.id.replace('-', ""));
    let body = json!({ "id": id, "event": notice.stage, "fax": told, "at_ms": notice.at.0 }).to_string().into_bytes();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if let Some(secret) = delivery.secret {
        headers.push((TIMESTAMP_HEADER, delivery.seconds.to_string()));
        headers.push((SIGNATURE_HEADER, sign(secret, delivery.seconds, &body)));
    }
    Message { headers, body }
}

/// HMAC-SHA256 in hex over `{seconds}.{body}`.
fn sign(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    hex::encode(context.sign())
}
