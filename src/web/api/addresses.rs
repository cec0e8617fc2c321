//! Addresses that count as dead get another chance; and what a mail server's reply means.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{JsonBody, moment};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::mail_reply::{Phase, QuotedReply};
use crate::domain::{Address, Channel, Fault};
use crate::operator::addresses;
use crate::public::{ReplyView, RevivalView};
use crate::store::records::addresses::DeadOf;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// One address, or every dead one of a kind.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevivalWanted {
    /// One fax number or email address. Not together with the other conditions.
    address: Option<String>,
    /// Only fax numbers, or only email addresses.
    #[schema(value_type = Option<String>, example = "email")]
    channel: Option<Channel>,
    /// Only those that died of this, such as `mailbox_unknown`.
    #[schema(value_type = Option<String>, example = "mailbox_unknown")]
    fault: Option<Fault>,
    /// Only those that died then or later: RFC 3339 with an offset.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Only those that died before then: RFC 3339 with an offset.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Whether they are only counted. Many by cause and time are, unless this is `false`.
    #[serde(default = "only_counted")]
    dry_run: bool,
}

const fn only_counted() -> bool {
    true
}

/// Gives addresses that count as dead another chance: one, or all by cause and time (10,000 at once).
#[utoipa::path(
    post,
    path = "/api/v1/addresses/revive",
    tag = "addresses",
    request_body = RevivalWanted,
    responses(
        (status = 200, description = "Done, or counted", body = RevivalView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 409, description = "Nothing is held against the address", body = ProblemView),
        (status = 422, description = "The request cannot be read", body = ProblemView),
    )
)]
pub(super) async fn revive(
    State(state): State<WebState>,
    bearer: Bearer,
    JsonBody(wanted): JsonBody<RevivalWanted>,
) -> Result<Json<RevivalView>, Problem> {
    bearer.require(Scope::Operate)?;
    let (parts, who) = (state.gateway.operator(), bearer.actor());
    let which = DeadOf {
        channel: wanted.channel,
        fault: wanted.fault,
        since: wanted.since.as_deref().map(|text| moment("since", text)).transpose()?,
        until: wanted.until.as_deref().map(|text| moment("until", text)).transpose()?,
    };
    let Some(address) = wanted.address else {
        let all = if wanted.dry_run {
            addresses::count(&parts, which).await?
        } else {
            addresses::revive_all(&parts, which, &who).await?
        };
        return Ok(Json(RevivalView::new(wanted.dry_run, all.addresses, &all.causes, all.is_cut)));
    };
    if which != DeadOf::default() {
        return Err(Problem::field(Kind::Invalid, "address", "give one address, or conditions for many, not both"));
    }
    let unreadable = || Problem::field(Kind::Invalid, "address", "this is neither a fax number nor an email address");
    let address = Address::guess(&address).map_err(|_| unreadable())?;
    addresses::revive(&parts, &address, &who).await?;
    Ok(Json(RevivalView::new(false, 1, &[], false)))
}

/// A reply to explain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyGiven {
    /// The reply as the server gave it, its code first; its lines separated by line feeds.
    #[schema(example = "550 5.1.1 no such user")]
    reply: String,
    /// Where it came: `greeting`, `hello`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `dot` or `bounce`.
    #[schema(value_type = String, example = "rcpt")]
    phase: Phase,
}

/// Explains a mail server's refusal: whose fault it is, what is done about it, and by which row of the table.
#[utoipa::path(
    post,
    path = "/api/v1/explain-reply",
    tag = "addresses",
    request_body = ReplyGiven,
    responses(
        (status = 200, description = "What it means", body = ReplyView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 422, description = "It is no refusal of a mail server", body = ProblemView),
    )
)]
pub(super) async fn explain_reply(
    bearer: Bearer,
    JsonBody(given): JsonBody<ReplyGiven>,
) -> Result<Json<ReplyView>, Problem> {
    bearer.require(Scope::Read)?;
    let reply = QuotedReply::parse(&given.reply).filter(QuotedReply::is_refusal);
    let reply = reply.ok_or_else(|| {
        Problem::field(Kind::Invalid, "reply", "give a refusal with its code first, such as 550 5.1.1 no such user")
    })?;
    Ok(Json(ReplyView::of(given.phase, &reply.judge(given.phase))))
}
