//! The line as Telnyx Programmable Fax, API version 2: its published schema of faxes and callbacks, media storage, and
//! the error envelope. The secret that signs callbacks is the seed of an Ed25519 key pair.

mod object;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::super::cut::Cut;
use super::super::desk::{Desk, Shared};
use super::super::parts::{self, Parts};
use super::super::picture;
use super::super::record::{Fax, Order, tail_and_hash};
use super::super::trouble::Trouble;
use crate::domain::FaxNumber;

use self::object::object;
pub use self::object::{message, public_key, words_for};

/// Files in media storage, and their octets.
const MEDIA_MAX: usize = 1_000;
const MEDIA_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Faxes on one page of a listing, unless fewer are asked for.
const PAGE_MAX: usize = 250;
const PAGE: usize = 20;

pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v2/media", post(upload))
        .route("/v2/media/{name}", get(media).delete(delete_media))
        .route("/v2/faxes", post(create).get(list))
        .route("/v2/faxes/{id}", get(show).delete(purge))
        .route("/v2/faxes/{id}/actions/cancel", post(cancel))
        .route("/v2/fax_applications/{id}", get(application))
}

/// `POST /v2/media`: stores a file for later.
async fn upload(State(desk): Shared, form: Multipart) -> Result<Response, Trouble> {
    let form = Parts::read(form, &["media"]).await?;
    let file = parts::pdf("media", form.file.clone())?;
    let name = match form.text("media_name") {
        "" => uuid::Uuid::new_v4().to_string(),
        name => name.to_owned(),
    };
    let mut media = desk.media.lock().unwrap_or_else(PoisonError::into_inner);
    media.insert(name.clone(), file);
    while media.len() > MEDIA_MAX || media.values().map(Bytes::len).sum::<usize>() > MEDIA_BYTES_MAX {
        media.pop_first();
    }
    Ok((StatusCode::CREATED, Json(json!({ "data": { "media_name": name, "content_type": "application/pdf" } })))
        .into_response())
}

async fn media(State(desk): Shared, Path(name): Path<String>) -> Result<Response, Trouble> {
    let media = desk.media.lock().unwrap_or_else(PoisonError::into_inner);
    if !media.contains_key(&name) {
        return Err(Trouble::NoSuchPlace);
    }
    Ok(Json(json!({ "data": { "media_name": name, "content_type": "application/pdf" } })).into_response())
}

async fn delete_media(State(desk): Shared, Path(name): Path<String>) -> Result<StatusCode, Trouble> {
    let gone = desk.media.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
    gone.map(|_| StatusCode::NO_CONTENT).ok_or(Trouble::NoSuchPlace)
}

/// `POST /v2/faxes`, JSON with a file in media storage, or a form with the file itself.
async fn create(
    State(desk): Shared,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Result<Response, Trouble> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let wish = if media_type.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        Wish::of_form(request).await?
    } else {
        Wish::of_json(&desk, request).await?
    };
    let order = wish.order(&desk).await?;
    desk.take(order, &cut, |fax| (StatusCode::ACCEPTED, Json(json!({ "data": object(fax) }))).into_response())
}

/// What a request to create a fax asks for, in the names of the published schema.
struct Wish {
    said: BTreeMap<String, String>,
    document: Bytes,
}

impl Wish {
    async fn of_form(request: Request) -> Result<Self, Trouble> {
        let form = Multipart::from_request(request, &()).await.map_err(|_| Trouble::Unreadable)?;
        let form = Parts::read(form, &["contents"]).await?;
        let known =
            ["connection_id", "from", "to", "monochrome", "quality", "store_media", "store_preview", "t38_enabled"];
        let said = form.texts.iter().filter(|(name, _)| known.contains(&name.as_str())).cloned().collect();
        Ok(Self { said, document: parts::pdf("contents", form.file)? })
    }

    async fn of_json(desk: &Desk, request: Request) -> Result<Self, Trouble> {
        let Json(body) = Json::<Value>::from_request(request, &()).await.map_err(|_| Trouble::Unreadable)?;
        let fields = body.as_object().ok_or(Trouble::Unreadable)?;
        let texts = fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let said: BTreeMap<String, String> = texts.collect();
        let Some(name) = said.get("media_name") else {
            return Err(Trouble::field("media_url", "nothing is fetched here: put the file into media storage"));
        };
        let media = desk.media.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        Ok(Self { document: parts::pdf("media_name", media)?, said })
    }

    async fn order(self, desk: &Desk) -> Result<Order, Trouble> {
        let text = |name: &str| self.said.get(name).map_or("", String::as_str);
        if text("connection_id") != desk.account {
            return Err(Trouble::field("connection_id", "there is no Fax Application with that id"));
        }
        let to = parts::destination("to", text("to"))?;
        let from = FaxNumber::parse(text("from")).map_err(|_| Trouble::field("from", "not a number of the account"))?;
        let client_state = parts::reference("client_state", text("client_state"))?;
        let reference = BASE64.decode(&client_state).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let reference = parts::reference("client_state", &reference.unwrap_or_default())?;
        let callback_url = parts::callback_url("webhook_url", text("webhook_url"))?;
        let pages = picture::pages_of(self.document.clone()).await;
        let behaviour = desk.calls.plan.next(&to);
        let (said, document) = (self.said, self.document);
        Ok(Order { to, from: Some(from), reference, document, pages, callback_url, said, behaviour })
    }
}

async fn show(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Value>, Trouble> {
    Ok(Json(json!({ "data": object(&known(&desk, &id)?) })))
}

/// A fax that was not deleted: deleted ones are gone.
fn known(desk: &Desk, id: &str) -> Result<Fax, Trouble> {
    let fax = desk.calls.line.get(id)?;
    if fax.purged { Err(Trouble::NoSuchFax) } else { Ok(fax) }
}

async fn cancel(State(desk): Shared, Path(id): Path<String>) -> Result<Response, Trouble> {
    known(&desk, &id)?;
    desk.calls.line.cancel(&id)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "data": { "result": "ok" } }))).into_response())
}

async fn purge(State(desk): Shared, Path(id): Path<String>) -> Result<StatusCode, Trouble> {
    known(&desk, &id)?;
    desk.calls.line.purge(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v2/faxes` with the published filters, newest first.
async fn list(State(desk): Shared, Query(query): Query<BTreeMap<String, String>>) -> Result<Json<Value>, Trouble> {
    let filters = Filters::of(&query)?;
    let number = |name: &str, otherwise: usize| query.get(name).map_or(Ok(otherwise), |text| text.parse());
    let wrong = |_| Trouble::field("page", "not a number");
    let page = number("page[number]", 1).map_err(wrong)?.max(1);
    let size = number("page[size]", PAGE).map_err(wrong)?.clamp(1, PAGE_MAX);
    let mut faxes = desk.calls.line.faxes();
    faxes.retain(|fax| !fax.purged && filters.fit(fax));
    let data: Vec<Value> = faxes.iter().rev().skip((page - 1).saturating_mul(size)).take(size).map(object).collect();
    let meta = json!({
        "page_number": page, "page_size": data.len(), "total_pages": faxes.len().div_ceil(size),
        "total_results": faxes.len(),
    });
    Ok(Json(json!({ "data": data, "meta": meta })))
}

#[derive(Default)]
struct Filters {
    /// SHA-256 of the number, which is all that is known of a fax taken before a restart.
    to_hash: Option<String>,
    from: Option<String>,
    direction: Option<String>,
    /// Milliseconds since 1970, both included.
    created: (Option<i64>, Option<i64>),
}

impl Filters {
    fn of(query: &BTreeMap<String, String>) -> Result<Self, Trouble> {
        let text = |name: &str| query.get(name).cloned();
        let time = |name: &str, shift: i64| match query.get(name) {
            None => Ok(None),
            Some(text) => chrono::DateTime::parse_from_rfc3339(text)
                .map(|time| Some(time.timestamp_millis() + shift))
                .map_err(|_| Trouble::field("created_at", "not a time")),
        };
        let after = time("filter[created_at][gte]", 0)?.max(time("filter[created_at][gt]", 1)?);
        let before = [time("filter[created_at][lte]", 0)?, time("filter[created_at][lt]", -1)?];
        Ok(Self {
            to_hash: text("filter[to][eq]").map(|to| FaxNumber::parse(&to).map_or(to, |to| tail_and_hash(&to).1)),
            from: text("filter[from][eq]"),
            direction: text("filter[direction][eq]"),
            created: (after, before.into_iter().flatten().min()),
        })
    }

    fn fit(&self, fax: &Fax) -> bool {
        let from = fax.from.as_ref().map_or("", FaxNumber::as_str);
        let at = fax.received_ms.0;
        self.to_hash.as_ref().is_none_or(|hash| *hash == fax.to_hash)
            && self.from.as_ref().is_none_or(|own| own == from)
            && self.direction.as_ref().is_none_or(|direction| direction == "outbound")
            && self.created.0.is_none_or(|after| at >= after)
            && self.created.1.is_none_or(|before| at <= before)
    }
}

async fn application(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Value>, Trouble> {
    if id != desk.account {
        return Err(Trouble::NoSuchPlace);
    }
    let outbound = json!({ "channel_limit": 10, "outbound_voice_profile_id": "1" });
    Ok(Json(json!({ "data": {
        "record_type": "fax_application", "id": id, "application_name": "rehearsal", "active": true,
        "outbound": outbound,
    } })))
}
