//! `/campaigns/{id}/run`: what a run would send now, who is left out and why, the first page, and a button. The button sends
//! exactly what was shown, or nothing.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::campaign::{id_of, in_words, page_of, row_of};
use super::campaigns;
use super::form::{Posted, nowhere, then_show};
use super::frame::{self, Frame, Section};
use super::message::sentence;
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::titles;
use crate::campaign::{self, CampaignError, Decisions, by_hand};
use crate::domain::id::ReferrerId;
use crate::domain::{Channel, MessageStatus, PhiClass};
use crate::intake::IntakeError;
use crate::intake::look_ahead::AccountAhead;
use crate::intake::proposal::{LeftOut, Proposal, Sample, Share};
use crate::referrers::audience::{self, Audience};
use crate::render::bitmap::{self, Resolution};
use crate::store::records::campaigns::CampaignRow;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// A channel's share in words.
struct ShareRow {
    channel: &'static str,
    messages: String,
    pages: Option<u32>,
    cost: String,
}

/// Who is left out for one reason.
struct LeftOutRow {
    count: String,
    by: &'static str,
    is_held: bool,
    why: String,
    names: String,
}

/// The first letter, as far as it is shown.
enum First {
    /// Nothing would be sent.
    Nobody,
    /// It identifies a patient.
    Covered,
    /// The first page of a fax: where its picture is, and to whom it goes.
    Page { picture: String, to: String },
    /// A mail.
    Mail { subject: String, text: String, to: String },
    /// Why it cannot be rendered.
    Problem(String),
}

#[derive(Template)]
#[template(path = "campaign_run.html")]
struct Page {
    frame: Frame,
    link: String,
    name: String,
    letter: String,
    audience: String,
    referrers: String,
    messages: String,
    can_send: bool,
    shares: Vec<ShareRow>,
    cost: String,
    /// Whether any message has a known price.
    is_priced: bool,
    unpriced: String,
    over_quota: Vec<String>,
    left_out: Vec<LeftOutRow>,
    missing_basis: Option<String>,
    first: First,
    mark: String,
}

/// A run that cannot be.
#[derive(Template)]
#[template(path = "campaign_refused.html")]
struct RefusedPage {
    frame: Frame,
    link: String,
    name: String,
    why: String,
    /// Whether what the domain publishes is to blame.
    is_setup: bool,
}

/// `GET /campaigns/{id}/run`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    let proposal = match campaign::propose(&state.intake, &row.name, &operator.actor, Decisions::default()).await {
        Ok(proposal) => proposal,
        Err(CampaignError::Renew { .. }) => return Ok(then_show(&Done::CampaignStale.at(&page_of(row.id)))),
        Err(CampaignError::Intake(IntakeError::Invalid(why))) => {
            return Ok(show_refused(&state, &operator, &row, &why, &asked).await);
        }
        Err(error) => return Err(in_words(error)),
    };
    let (cost, unpriced) = proposal.cost();
    let messages = proposal.shares.iter().map(|share| share.messages).sum();
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Campaigns, format!("Run {}", row.name), &asked),
        link: page_of(row.id),
        name: row.name.clone(),
        letter: titles::letter(&state.gateway.renderer, &row.letter),
        audience: campaigns::audience(&row.audience),
        referrers: count(proposal.letters, "referrer", "referrers"),
        messages: count(messages, "message", "messages"),
        can_send: proposal.letters > 0,
        shares: proposal.shares.iter().map(share_row).collect(),
        cost: cost.to_string(),
        is_priced: proposal.shares.iter().any(|share| share.unpriced < share.messages),
        unpriced: if unpriced == 0 {
            String::new()
        } else {
            count(unpriced, "message uses an account", "messages use accounts")
        },
        over_quota: proposal.over_limit().map(over_limit).collect(),
        left_out: proposal.left_out.iter().map(left_out_row).collect(),
        missing_basis: wording::missing_basis(proposal.without_basis()),
        first: first(&state, &page_of(row.id), &proposal),
        mark: proposal.mark,
    };
    Ok(frame::show(&page))
}

/// The page of a run that cannot be: why, and where it is put right if the email setup is to blame.
async fn show_refused(state: &WebState, operator: &Operator, row: &CampaignRow, why: &str, asked: &Asked) -> Response {
    let is_setup = state.intake.mail_standing.breach(state.gateway.clock.now()).await.is_some();
    frame::show(&RefusedPage {
        frame: Frame::new(state, operator, Section::Campaigns, format!("Run {}", row.name), asked),
        link: page_of(row.id),
        name: row.name.clone(),
        why: sentence(why),
        is_setup,
    })
}

fn over_limit(over: &AccountAhead) -> String {
    wording::quotas::too_large(&over.account, over.waits_for, over.left.unwrap_or_default(), over.later)
}

fn count(number: usize, one: &str, many: &str) -> String {
    wording::count(i64::try_from(number).unwrap_or(i64::MAX), one, many)
}

fn share_row(share: &Share) -> ShareRow {
    let is_unknown = share.unpriced == share.messages;
    ShareRow {
        channel: wording::channel(share.channel),
        messages: count(share.messages, "message", "messages"),
        pages: share.pages,
        cost: if is_unknown { "not known".to_owned() } else { share.cost.to_string() },
    }
}

fn left_out_row(left: &LeftOut) -> LeftOutRow {
    let why = match left.reason {
        Some(reason) => wording::explain(reason),
        None => left.why.as_str(),
    };
    // What a terminal offers besides is not offered here.
    let why = why.split_once("; `--again`").map_or(why, |(why, _)| why);
    let more = left.count.saturating_sub(left.names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    LeftOutRow {
        count: wording::grouped(i64::try_from(left.count).unwrap_or(i64::MAX)),
        by: left.channel.map_or("all channels", wording::channel),
        is_held: left.status == Some(MessageStatus::Held),
        why: sentence(why),
        names: format!("{}{more}", left.names.join("; ")),
    }
}

fn first(state: &WebState, link: &str, proposal: &Proposal) -> First {
    if let Some(problem) = &proposal.problem {
        return First::Problem(problem.clone());
    }
    let Some(sample) = &proposal.first else { return First::Nobody };
    let to = sample.referrer.display_name();
    match sample.channel {
        _ if sample.phi == PhiClass::Identified => First::Covered,
        Channel::Fax => First::Page { picture: format!("{link}/first-page/{}.png", sample.referrer.id), to },
        Channel::Email => match state.gateway.renderer.mail(&sample.job(state.gateway.clock.now())) {
            Ok((mail, _)) => First::Mail { subject: mail.subject, text: mail.text, to },
            Err(error) => First::Problem(error.to_string()),
        },
    }
}

/// `POST /campaigns/{id}/run`: runs it if it is still what was shown.
pub async fn run(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    let mark = posted.fields.line("mark", "what was shown", 64)?;
    let page = page_of(row.id);
    match by_hand::run_as_proposed(&state.intake, &row.name, &mark, &posted.operator.actor, Decisions::default()).await
    {
        Ok(_) => Ok(then_show(&Done::CampaignRun.at(&page))),
        Err(CampaignError::WrongState(_)) => Ok(then_show(&Done::CampaignChanged.at(&format!("{page}/run")))),
        Err(CampaignError::Renew { .. }) => Ok(then_show(&Done::CampaignStale.at(&page))),
        Err(error) => Err(in_words(error)),
    }
}

/// `GET /campaigns/{id}/first-page/{referrer}.png`: the first page that this referrer would get by fax, dot for dot. A letter
/// that identifies a patient is not drawn.
pub async fn first_page(
    State(state): State<WebState>,
    _operator: Operator,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, PageProblem> {
    let referrer: ReferrerId = file.strip_suffix(".png").and_then(|id| id.parse().ok()).ok_or_else(nowhere)?;
    let mut tx = state.gateway.store.read().await?;
    let row = tx.campaign(id_of(&id)?).await?.filter(|row| row.removed_ms.is_none()).ok_or_else(nowhere)?;
    let audience: Audience = row.audience.parse().map_err(|_| nowhere())?;
    let members = audience::members(&mut tx, &audience).await?;
    let referrer = members.contains(&referrer).then_some(referrer).ok_or_else(nowhere)?;
    let referrer = tx.referrer(referrer).await?.ok_or_else(nowhere)?;
    drop(tx);
    let renderer = state.gateway.renderer.clone();
    let phi = renderer.letter(&row.letter).map(|letter| letter.phi).filter(|phi| *phi != PhiClass::Identified);
    let sample = Sample {
        referrer,
        channel: Channel::Fax,
        letter: row.letter.clone(),
        variables: serde_json::from_str(&row.variables).unwrap_or_default(),
        phi: phi.ok_or_else(nowhere)?,
    };
    let now = state.gateway.clock.now();
    let draw = move || renderer.fax(&sample.job(now)).ok()?.bitmaps(Resolution::Fine).ok()?.into_iter().next();
    let page = tokio::task::spawn_blocking(draw).await.ok().flatten().ok_or_else(nowhere)?;
    let png = bitmap::png(&page).map_err(|_| nowhere())?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, png).into_response())
}
