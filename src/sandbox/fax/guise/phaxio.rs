//! The line as Phaxio, version 2.1: the envelope and objects of its recorded exchanges, tags, and callbacks as forms
//! signed with HMAC-SHA1 over the address, the texts and the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Multipart, Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::FixedOffset;
use ring::hmac;
use serde_json::{Value, json};

use super::super::cut::Cut;
use super::super::desk::{Desk, Shared};
use super::super::hooks::{Delivery, Message};
use super::super::notice::Notice;
use super::super::parts::{self, Parts};
use super::super::picture;
use super::super::record::{Fax, FaxStatus, Order};
use super::super::trouble::Trouble;
use crate::domain::{Fault, FaxNumber, Timestamp};

/// Tags on one fax.
const TAGS_MAX: usize = 10;
/// Faxes on a page of a listing: at most, and unless asked for.
const PAGE_MAX: usize = 1_000;
const PAGE: usize = 25;
/// Its times are those of Chicago in winter, as in its recorded answers.
const HOURS_BEHIND_UTC: i32 = 6;
const BOUNDARY: &str = "the-sandbox-passes-for-phaxio";

pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v2.1/faxes", post(create).get(list))
        .route("/v2.1/faxes/{id}", get(show))
        .route("/v2.1/faxes/{id}/cancel", post(cancel))
        .route("/v2.1/faxes/{id}/file", get(file).delete(delete_file))
        .route("/v2.1/account/status", get(account))
}

fn success(message: &str, data: &Value) -> Response {
    Json(json!({ "success": true, "message": message, "data": data })).into_response()
}

async fn create(State(desk): Shared, ConnectInfo(cut): ConnectInfo<Cut>, form: Multipart) -> Result<Response, Trouble> {
    let order = order(&desk, Parts::read(form, &["file", "file[]"]).await?).await?;
    desk.take(order, &cut, |fax| success("Fax queued for sending", &json!({ "id": number(fax) })))
}

async fn order(desk: &Desk, form: Parts) -> Result<Order, Trouble> {
    let first =
        |names: [&str; 2]| names.map(|name| form.text(name).to_owned()).into_iter().find(|text| !text.is_empty());
    let to = parts::destination("to", &first(["to", "to[]"]).unwrap_or_default())?;
    let tags: BTreeMap<String, String> = form.texts.iter().filter_map(|(name, text)| tag(name, text)).collect();
    if tags.len() > TAGS_MAX {
        return Err(Trouble::field("tag", "ten tags at most"));
    }
    let reference = parts::reference("tag", tags.values().next().map_or("", String::as_str))?;
    let document = parts::pdf("file", form.file.clone())?;
    let callback_url = parts::callback_url("callback_url", form.text("callback_url"))?;
    let pages = picture::pages_of(document.clone()).await;
    let behaviour = desk.calls.plan.next(&to);
    let from = FaxNumber::parse(form.text("caller_id")).ok();
    Ok(Order { to, from, reference, document, pages, callback_url, said: tags, behaviour })
}

/// `tag[name]`, of a field or a query.
fn tag(name: &str, text: &str) -> Option<(String, String)> {
    let name = name.strip_prefix("tag[")?.strip_suffix(']')?;
    Some((name.to_owned(), text.to_owned()))
}

async fn show(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    Ok(success("Metadata for fax", &object(&desk.calls.line.get(&id)?)))
}

async fn list(State(desk): Shared, Query(query): Query<BTreeMap<String, String>>) -> Result<Response, Trouble> {
    let tags: Vec<(String, String)> = query.iter().filter_map(|(name, text)| tag(name, text)).collect();
    let time = |name: &'static str| match query.get(name) {
        None => Ok(None),
        Some(text) => chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Some(time.timestamp_millis()))
            .map_err(|_| Trouble::field(name, "not a time")),
    };
    let (after, before) = (time("created_after")?, time("created_before")?);
    let number = |name: &str, otherwise: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (page, size) = (number("page", 1).max(1), number("per_page", PAGE).clamp(1, PAGE_MAX));
    let fits = |fax: &Fax| {
        tags.iter().all(|(name, text)| fax.said.get(name) == Some(text))
            && query.get("status").is_none_or(|own| own == status(fax))
            && query.get("direction").is_none_or(|own| own == "sent")
            && query.get("phone_number").is_none_or(|own| *own == fax.to_text())
            && after.is_none_or(|after| fax.received_ms.0 >= after)
            && before.is_none_or(|before| fax.received_ms.0 <= before)
    };
    let mut faxes = desk.calls.line.faxes();
    faxes.retain(fits);
    let data: Vec<Value> = faxes.iter().rev().skip((page - 1).saturating_mul(size)).take(size).map(object).collect();
    let paging = json!({ "total": faxes.len(), "per_page": size, "page": page });
    let body = json!({ "success": true, "message": "Retrieved faxes successfully", "data": data, "paging": paging });
    Ok(Json(body).into_response())
}

async fn cancel(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    let fax = desk.calls.line.cancel(&id)?;
    Ok(success("Fax cancellation scheduled successfully.", &json!({ "id": number(&fax) })))
}

async fn file(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    let document = desk.calls.line.get(&id)?.document.ok_or(Trouble::NoDocument)?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], document).into_response())
}

async fn delete_file(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    desk.calls.line.purge(&id)?;
    Ok(Json(json!({ "success": true, "message": "Deleted files successfully!" })).into_response())
}

async fn account(State(desk): Shared) -> Response {
    let today = json!({ "sent": desk.calls.line.count(), "received": 0 });
    let data = json!({ "balance": 5050, "faxes_today": today, "faxes_this_month": today });
    success("Account status retrieved successfully", &data)
}

fn number(fax: &Fax) -> u64 {
    fax.id.parse().unwrap_or(0)
}

fn time(at: Timestamp) -> Option<String> {
    let zone = FixedOffset::west_opt(HOURS_BEHIND_UTC * 3_600)?;
    Some(at.to_utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
}

fn status(fax: &Fax) -> &'static str {
    match (fax.status, fax.fault) {
        (FaxStatus::Queued, _) => "queued",
        (FaxStatus::Dialing, _) => "inprogress",
        (FaxStatus::Delivered, _) => "success",
        (FaxStatus::Failed, Some(Fault::PartialSend)) => "partialsuccess",
        (FaxStatus::Failed | FaxStatus::Cancelled, _) => "failure",
    }
}

/// The type, number and words of a fault in its list of errors. Numbers that cover many faults are not used.
fn error(fax: &Fax) -> Option<(&'static str, Option<u32>, &'static str)> {
    Some(match fax.fault? {
        Fault::Busy => ("lineError", Some(17), "Busy"),
        Fault::NoAnswer => ("lineError", Some(16), "No answer"),
        Fault::LineError => ("lineError", Some(43), "Call dropped"),
        Fault::NegotiationError => ("faxError", Some(6), "Fax protocol error"),
        Fault::NotAFax => ("faxError", Some(14), "No fax tone"),
        Fault::InvalidNumber => ("lineError", Some(34), "Phone number not operational"),
        Fault::RejectedByRemote => ("lineError", Some(50), "Call rejected"),
        Fault::Blocked => ("faxError", Some(133), "Not permitted"),
        Fault::PartialSend => ("faxError", Some(131), "Not all pages were sent"),
        Fault::DocumentError => ("documentConversionError", Some(4), "Document could not be converted"),
        Fault::AccountError => ("faxError", Some(46), "Insufficient funds"),
        Fault::Cancelled => ("faxError", Some(75), "Fax cancelled"),
        Fault::Expired => ("faxError", Some(76), "Fax expired"),
        Fault::ProviderError | Fault::RateLimited => ("fatalError", None, "Internal error"),
        _ => ("faxError", Some(999), "Nobody documented this"),
    })
}

/// A fax as its answers have it: sent to one recipient, in a test.
fn object(fax: &Fax) -> Value {
    let (kind, id, words) = match error(fax) {
        Some((kind, id, words)) => (json!(kind), json!(id), json!(words)),
        None => (Value::Null, Value::Null, Value::Null),
    };
    let (status, completed) = (status(fax), fax.ended_ms.and_then(time));
    let from = fax.from.as_ref().map(FaxNumber::as_str);
    let recipient = json!({
        "phone_number": fax.to_text(), "status": (status != "queued").then_some(status), "retry_count": 0,
        "completed_at": completed, "bitrate": null, "resolution": null, "error_type": kind, "error_id": id,
        "error_message": words,
    });
    let mut object = json!({
        "id": number(fax), "direction": "sent", "num_pages": fax.pages, "status": status,
        "is_test": true, "created_at": time(fax.received_ms), "caller_id": from, "from_number": null,
        "completed_at": completed, "caller_name": null, "cost": 0, "tags": fax.said, "recipients": [recipient],
        "to_number": null, "barcodes": [],
    });
    for (name, value) in [("error_type", kind), ("error_id", id), ("error_message", words)] {
        object[name] = value;
    }
    object
}

/// What is wrong, in its envelope, which has no codes: the words alone give the cause.
pub fn words_for(trouble: Trouble) -> Response {
    let status = match trouble {
        Trouble::TooLate | Trouble::NotEnded | Trouble::Refused(_) => 422,
        other => other.status(),
    };
    let words = match trouble.fault() {
        Some(Fault::InvalidNumber) => "Phone number is not formatted correctly",
        Some(Fault::DocumentError) => "Mimetype not supported",
        Some(Fault::AccountError) => "Insufficient funds to send fax",
        _ => trouble.words(),
    };
    trouble.answer(status, "application/json", json!({ "success": false, "message": words }).to_string())
}

/// A callback: a form of texts, of which the fax is one as JSON.
pub fn message(notice: &Notice, delivery: &Delivery<'_>) -> Message {
    let is_success = (notice.fax.status == FaxStatus::Delivered).to_string();
    // By name, as they are signed.
    let fields = BTreeMap::from([
        ("direction", "sent".to_owned()),
        ("event_type", notice.stage.to_owned()),
        ("fax", object(&notice.fax).to_string()),
        ("is_test", "true".to_owned()),
        ("success", is_success),
    ]);
    let mut body = String::new();
    for (name, text) in &fields {
        let _ = write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    let mut headers = vec![("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))];
    if let Some(token) = delivery.secret {
        headers.push(("x-phaxio-signature", sign(token, delivery.url, &fields)));
    }
    Message { headers, body: body.into_bytes() }
}

/// HMAC-SHA1 in hex over the address and each name with its text, by name.
fn sign(token: &[u8], url: &str, fields: &BTreeMap<&str, String>) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token));
    context.update(url.as_bytes());
    for (name, text) in fields {
        context.update(name.as_bytes());
        context.update(text.as_bytes());
    }
    hex::encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector in the provider's own Ruby library (spec/resources/webhook_spec.rb).
    #[test]
    fn the_signature_is_the_providers() {
        let fields = BTreeMap::from([("test", "true".to_owned())]);
        let signature = sign(b"test-webhook-token", "example.com", &fields);
        assert_eq!(signature, "64a735ef0c47a0ae671e381c046648f0966deb29");
    }
}
