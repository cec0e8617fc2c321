//! `/campaigns`: standing plans, when each runs next, and the newest broadcasts.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::form::{Posted, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::lines::BroadcastRow;
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use super::view::titles;
use crate::campaign;
use crate::campaign::CampaignError;
use crate::domain::campaign::{CampaignState, CampaignWait};
use crate::store::records::campaigns::CampaignRow;
use crate::store::views::ledger::LedgerOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::{self, Tone};

/// Broadcasts in the list.
const BROADCASTS_SHOWN: i64 = 25;

/// One campaign.
struct PlanRow {
    link: String,
    name: String,
    /// What it waits for, or what must be renewed before the next run, in words.
    waits: Option<String>,
    letter: String,
    audience: String,
    channels: String,
    when: String,
    state: Chip,
    next: Option<Moment>,
    made_by: String,
    act: Option<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "campaigns.html")]
struct Page {
    frame: Frame,
    campaigns: Vec<PlanRow>,
    broadcasts: Vec<BroadcastRow>,
}

/// `GET /campaigns`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let campaigns = tx.campaigns_list().await?;
    let mut broadcasts = Vec::new();
    for broadcast in tx.broadcasts_list(None, BROADCASTS_SHOWN).await? {
        let ledger = tx.ledger(LedgerOf::Broadcast(broadcast.id)).await?;
        broadcasts.push(BroadcastRow::of(&broadcast, &ledger, &calendar, &state.gateway.renderer));
    }
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Campaigns, "Campaigns", &asked),
        campaigns: campaigns.iter().map(|campaign| plan_row(&state, campaign, &calendar)).collect(),
        broadcasts,
    };
    Ok(frame::show(&page))
}

fn plan_row(web: &WebState, campaign: &CampaignRow, calendar: &Calendar) -> PlanRow {
    let variables = campaign::renewals(&web.intake, campaign);
    let wait = campaign::waits(&web.intake, campaign, &variables);
    let act = match campaign.state {
        CampaignState::Active => Some(("pause", "Pause")),
        CampaignState::Paused => Some(("resume", "Resume")),
        CampaignState::Done => None,
    };
    PlanRow {
        link: format!("/campaigns/{}", campaign.id),
        waits: wait_words(wait, &variables),
        name: campaign.name.clone(),
        letter: titles::letter(&web.gateway.renderer, &campaign.letter),
        audience: audience(&campaign.audience),
        channels: campaign.channels.replace(',', " and "),
        when: campaign::when(campaign),
        state: standing(campaign, wait).into(),
        next: campaign.next_ms.map(|next| calendar.moment(next)),
        made_by: campaign.who.name().to_owned(),
        act,
    }
}

/// What a campaign is doing, as a word.
pub(super) fn standing(campaign: &CampaignRow, wait: Option<CampaignWait>) -> wording::Label {
    match campaign.state {
        _ if campaign.removed_ms.is_some() => (Tone::Quiet, "removed"),
        _ if wait.is_some() => (Tone::Bad, "waits"),
        CampaignState::Active => (Tone::Busy, "active"),
        CampaignState::Paused => (Tone::Warn, "paused"),
        CampaignState::Done => (Tone::Quiet, "done"),
    }
}

/// What its due run waits for, or what must be renewed before the next one, as people say it; `None` if there is nothing.
pub(super) fn wait_words(wait: Option<CampaignWait>, renew: &[String]) -> Option<String> {
    let words = match wait {
        Some(CampaignWait::LetterOutOfService) => wording::WAITS_FOR_LETTER.to_owned(),
        _ if renew.is_empty() => return None,
        Some(CampaignWait::RenewVariables) => wording::waits_for(&wording::variables(renew)),
        None => wording::will_wait_for(&wording::variables(renew)),
    };
    Some(wording::capitalized(&words))
}

/// An audience as people say it.
pub(super) fn audience(written: &str) -> String {
    match written.split_once(':') {
        Some(("tag", tag)) => format!("everyone tagged {tag}"),
        Some(("type", kind)) => format!("every {}", kind.replace('_', " ")),
        _ if written == "all" => "everyone".to_owned(),
        _ => written.to_owned(),
    }
}

/// `POST /campaigns`: pauses or resumes the campaign named in the form.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let name = posted.fields.line("name", "the campaign", 200)?;
    let who = &posted.operator.actor;
    let (changed, done) = match posted.fields.text("act") {
        "pause" => (campaign::pause(&state.intake, &name, who).await, Done::CampaignPaused),
        "resume" => (campaign::resume(&state.intake, &name, who).await, Done::CampaignResumed),
        _ => return Err(refused("Please use the buttons on the page.")),
    };
    match changed {
        Ok(_) => Ok(then_show(&done.at("/campaigns"))),
        Err(CampaignError::WrongState(_)) => Ok(then_show(&Done::NotPossible.at("/campaigns"))),
        Err(error) => Err(error.into()),
    }
}
