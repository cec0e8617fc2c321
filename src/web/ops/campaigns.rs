//! `/campaigns`: standing plans, when each runs next, and the newest broadcasts.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::form::{Posted, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::view::lines::BroadcastRow;
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use crate::campaign;
use crate::campaign::CampaignError;
use crate::domain::campaign::CampaignState;
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
    name: String,
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
        broadcasts.push(BroadcastRow::of(&broadcast, &ledger, &calendar));
    }
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Campaigns, "Campaigns", &asked),
        campaigns: campaigns.iter().map(|campaign| plan_row(campaign, &calendar)).collect(),
        broadcasts,
    };
    Ok(frame::show(&page))
}

fn plan_row(campaign: &CampaignRow, calendar: &Calendar) -> PlanRow {
    let (state, act) = match campaign.state {
        CampaignState::Active => ((Tone::Good, "active"), Some(("pause", "Pause"))),
        CampaignState::Paused => ((Tone::Warn, "paused"), Some(("resume", "Resume"))),
        CampaignState::Done => ((Tone::Quiet, "done"), None),
    };
    PlanRow {
        name: campaign.name.clone(),
        letter: wording::letter(&campaign.letter),
        audience: audience(&campaign.audience),
        channels: campaign.channels.replace(',', " and "),
        when: campaign::when(campaign),
        state: state.into(),
        next: campaign.next_ms.map(|next| calendar.moment(next)),
        made_by: campaign.who.name().to_owned(),
        act,
    }
}

/// An audience as people say it.
fn audience(written: &str) -> String {
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
