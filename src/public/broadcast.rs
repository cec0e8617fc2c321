//! Broadcasts, and the campaigns whose runs they are.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::campaign::CampaignWait;
use crate::domain::{Actor, Timestamp};
use crate::store::records::broadcasts::Broadcast;
use crate::store::records::campaigns::CampaignRow;
use crate::wording;

/// One run of a campaign, or one send to a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroadcastView {
    /// Identifier.
    pub id: Uuid,
    /// The submission that made it.
    pub submission: Uuid,
    /// The campaign it is a run of.
    pub campaign: Option<Uuid>,
    /// Name for people.
    pub name: String,
    /// The letter's name.
    pub letter: String,
    /// How many messages it has.
    pub total: i64,
    /// The moment the run was planned for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub planned_at: Option<Timestamp>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the last of its messages settled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// That it has paused itself and waits for a person; null if it has not.
    pub paused: Option<BroadcastPauseView>,
    /// When a person let it go on after that.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resumed_at: Option<Timestamp>,
    /// Who.
    #[schema(value_type = Option<String>)]
    pub resumed_by: Option<Actor>,
}

/// Broadcasts, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroadcastList {
    /// They.
    pub broadcasts: Vec<BroadcastView>,
}

/// How far cancelling the rest of a broadcast has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroadcastCancelledView {
    /// Messages that this request cancelled.
    pub cancelled: u64,
    /// Whether some are left: the same request goes on with them.
    pub has_more: bool,
}

/// A broadcast that paused itself: the letters that were not handed over yet are held until a person decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroadcastPauseView {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Why, with the figures: how many of how many letters came back.
    pub reason: String,
    /// What to do about it, in a sentence.
    pub advice: &'static str,
}

impl BroadcastPauseView {
    /// That of a broadcast, if it is paused now.
    #[must_use]
    pub fn of(broadcast: &Broadcast) -> Option<Self> {
        let reason = broadcast.pause.paused_reason.clone().unwrap_or_default();
        broadcast.paused_since().map(|since| Self { since, reason, advice: wording::broadcasts::PAUSED_ADVICE })
    }
}

impl From<&Broadcast> for BroadcastView {
    fn from(broadcast: &Broadcast) -> Self {
        Self {
            id: broadcast.id.0,
            submission: broadcast.submission_id.0,
            campaign: broadcast.campaign_id.map(|id| id.0),
            name: broadcast.name.clone(),
            letter: broadcast.letter.clone(),
            total: broadcast.total,
            planned_at: broadcast.planned_ms,
            created_at: broadcast.created_ms,
            finished_at: broadcast.finished_ms,
            paused: BroadcastPauseView::of(broadcast),
            resumed_at: broadcast.pause.resumed_ms,
            resumed_by: broadcast.pause.resumed_by.clone(),
        }
    }
}

/// A standing plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignView {
    /// Identifier.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The letter's name.
    pub letter: String,
    /// The letter's variables.
    #[schema(value_type = Object)]
    pub variables: Map<String, Value>,
    /// To whom, as written: `tag:north-shore`.
    pub audience: String,
    /// `fax`, `email` or both.
    pub channels: Vec<String>,
    /// When, as written: `first tuesday 09:00`.
    pub schedule: String,
    /// IANA zone in which the schedule is meant.
    pub zone: String,
    /// `active`, `paused` or `done`.
    pub state: &'static str,
    /// Who made it.
    #[schema(value_type = String)]
    pub who: Actor,
    /// The next planned run.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// How many runs it has made, by plan or by hand.
    pub runs_made: i64,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it was removed, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub removed_at: Option<Timestamp>,
}

/// Why a campaign's due run is not made.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitView {
    /// `renew_variables`: variables that hold a date, or are marked as perishable, were set for an earlier run.
    /// `letter_out_of_service`: its letter has a mistake.
    pub reason: &'static str,
    /// The variables to renew.
    pub variables: Vec<String>,
    /// The run that waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub run_at: Option<Timestamp>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

impl WaitView {
    /// A campaign's wait.
    #[must_use]
    pub fn of(campaign: &CampaignRow, reason: CampaignWait, variables: &[String]) -> Self {
        Self {
            reason: reason.as_str(),
            variables: variables.to_vec(),
            run_at: campaign.next_ms,
            since: match reason {
                CampaignWait::RenewVariables => campaign.waiting_ms,
                CampaignWait::LetterOutOfService => campaign.next_ms,
            },
        }
    }
}

impl From<&CampaignRow> for CampaignView {
    fn from(campaign: &CampaignRow) -> Self {
        Self {
            id: campaign.id.0,
            name: campaign.name.clone(),
            letter: campaign.letter.clone(),
            variables: serde_json::from_str(&campaign.variables).unwrap_or_default(),
            audience: campaign.audience.clone(),
            channels: campaign.channels.split(',').map(str::to_owned).collect(),
            schedule: campaign.schedule.clone(),
            zone: campaign.zone.clone(),
            state: campaign.state.as_str(),
            who: campaign.who.clone(),
            next_at: campaign.next_ms,
            created_at: campaign.created_ms,
            runs_made: campaign.runs,
            updated_at: campaign.updated_ms,
            removed_at: campaign.removed_ms,
        }
    }
}
