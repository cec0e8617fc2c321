//! A referrer's history: touches with their messages, newest first, in pages.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::body::{cut_to_page, limit, query, unreadable_cursor};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::Timestamp;
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::touch::Touch;
use crate::public::{MessageView, TouchPage, TouchView};
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Touches on a page unless asked otherwise, and at most.
const PAGE_DEFAULT: i64 = 50;
const PAGE_MAX: i64 = 200;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageWanted {
    /// Touches on the page, 1 to 200; 50 by default.
    limit: Option<i64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A referrer's touches, newest first, with their messages.
#[utoipa::path(
    get,
    path = "/api/v1/referrers/{id}/touches",
    tag = "referrers",
    params(
        ("id" = String, Path, description = "The referrer's id", format = Uuid),
        ("limit" = Option<i64>, Query, description = "Touches on the page, 1 to 200; 50 by default",
            minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = TouchPage),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such referrer", body = ProblemView),
        (status = 422, description = "The query cannot be read", body = ProblemView),
    )
)]
pub(super) async fn touches(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    wanted: Result<Query<PageWanted>, QueryRejection>,
) -> Result<Json<TouchPage>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted = query(wanted, "limit (1 to 200) and after (`next` of the page before)")?;
    let limit = limit(wanted.limit, PAGE_DEFAULT, PAGE_MAX)?;
    let after = wanted.after.as_deref().map(read_cursor).transpose()?;
    let missing = || Problem::new(Kind::NotFound, "there is no such referrer");
    let referrer: ReferrerId = id.parse().map_err(|_| missing())?;
    let mut tx = state.gateway.store.read().await?;
    tx.referrer(referrer).await?.ok_or_else(missing)?;
    let mut touches = tx.touches_page(referrer, after, limit + 1).await?;
    let more = cut_to_page(&mut touches, limit);
    let next = touches.last().filter(|_| more).map(write_cursor);
    Ok(Json(TouchPage {
        referrer: referrer.0,
        delivered: tx.touches_delivered(referrer).await?,
        goal: state.gateway.config.sending.touch_goal,
        touches: with_messages(&mut tx, touches, bearer.may(Scope::Operate)).await?,
        next,
    }))
}

async fn with_messages(tx: &mut Tx, touches: Vec<Touch>, whole: bool) -> Result<Vec<TouchView>, StoreError> {
    let ids: Vec<TouchId> = touches.iter().map(|touch| touch.id).collect();
    let mut by_touch: HashMap<TouchId, Vec<MessageView>> = HashMap::new();
    for message in tx.messages_of_touches(&ids).await? {
        by_touch.entry(message.touch_id).or_default().push(MessageView::of(&message, whole));
    }
    let view = |touch: Touch| {
        let messages = by_touch.remove(&touch.id).unwrap_or_default();
        TouchView::of(touch, messages)
    };
    Ok(touches.into_iter().map(view).collect())
}

/// The place of a touch in the order of the list; opaque to callers.
fn write_cursor(touch: &Touch) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", touch.occurred_ms.0, touch.id))
}

fn read_cursor(text: &str) -> Result<(Timestamp, TouchId), Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (ms, id) = text.split_once('.')?;
        Some((Timestamp(ms.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(unreadable_cursor)
}
