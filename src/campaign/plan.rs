//! A campaign with its texts parsed: what it sends, to whom, by which channels, and when it runs next.

use serde_json::{Map, Value};

use chrono_tz::Tz;

use super::schedule::Schedule;
use crate::domain::Actor;
use crate::domain::id::CampaignId;
use crate::domain::{Channel, Purpose, Timestamp};
use crate::intake;
use crate::intake::answer::Accepted;
use crate::intake::list::{Prepared, Ready};
use crate::intake::proposal::Proposal;
use crate::intake::request::{CampaignRun, Request};
use crate::intake::{IntakeError, Parts};
use crate::referrers::audience::Audience;
use crate::store::Tx;
use crate::store::records::campaigns::CampaignRow;

/// The parts of a campaign that say what a run is.
#[derive(Debug)]
pub(super) struct Plan {
    pub letter: String,
    pub to: Audience,
    pub via: Vec<Channel>,
    pub variables: Map<String, Value>,
    pub schedule: Schedule,
    pub zone: Tz,
}

impl Plan {
    /// Parses a stored campaign. The error names the part that cannot be read; only a manual change to the database or
    /// an older version can cause one.
    pub fn read(row: &CampaignRow) -> Result<Self, String> {
        let channel = |word: &str| word.parse().map_err(|problem| format!("channels: {problem}"));
        Ok(Self {
            letter: row.letter.clone(),
            to: row.audience.parse().map_err(|problem| format!("audience: {problem}"))?,
            via: row.channels.split(',').map(channel).collect::<Result<_, _>>()?,
            variables: serde_json::from_str(&row.variables).map_err(|_| "variables: not a JSON object".to_owned())?,
            schedule: row.schedule.parse().map_err(|problem| format!("schedule: {problem}"))?,
            zone: row.zone.parse().map_err(|_| "zone: not a time zone".to_owned())?,
        })
    }

    /// The first run after `now`.
    pub fn next_after(&self, now: Timestamp, created: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(now, self.zone, created)
    }

    /// The channels as they are stored.
    pub fn channels(&self) -> String {
        self.via.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(",")
    }

    /// What a run submits.
    pub fn request(&self, who: &Actor, run: Option<CampaignRun>) -> Request {
        Request {
            letter: self.letter.clone(),
            to: self.to.clone(),
            via: self.via.clone(),
            variables: self.variables.clone(),
            at: None,
            individually: std::collections::BTreeMap::new(),
            who: who.clone(),
            idempotency_key: None,
            run,
        }
    }

    /// A treatment letter is about one patient; no campaign sends it, not even to one referrer.
    pub fn refuse_treatment(&self, parts: &Parts) -> Result<(), IntakeError> {
        match parts.renderer.letter(&self.letter) {
            Some(letter) if letter.purpose == Purpose::Treatment => Err(IntakeError::Invalid(format!(
                "`{}` is a treatment letter: it is written for one patient and never sent by a campaign",
                letter.name
            ))),
            _ => Ok(()),
        }
    }

    /// Who would get it now, who would not and why; nothing is stored.
    pub async fn preview(&self, parts: &Parts, who: &Actor) -> Result<Accepted, IntakeError> {
        self.refuse_treatment(parts)?;
        intake::list::dry_run(parts, &self.request(who, None)).await
    }

    /// What a run by hand would send now, for a person to confirm; nothing is stored.
    pub async fn propose(&self, parts: &Parts, who: &Actor) -> Result<Proposal, IntakeError> {
        self.refuse_treatment(parts)?;
        intake::proposal::propose(parts, &self.request(who, None)).await
    }

    /// One run, checked and found valid; nothing is stored yet.
    pub async fn run(
        &self,
        parts: &Parts,
        row: &CampaignRow,
        planned: Option<Timestamp>,
        who: &Actor,
    ) -> Result<Run, IntakeError> {
        self.refuse_treatment(parts)?;
        let run = CampaignRun { campaign: row.id, name: row.name.clone(), planned };
        let request = self.request(who, Some(run));
        match intake::list::prepare(parts, &request).await? {
            Prepared::New(ready) => Ok(Run { campaign: row.id, request, ready }),
            Prepared::Answered(_) => Err(IntakeError::KeyReused),
        }
    }
}

/// A run that can be created.
#[derive(Debug)]
pub(super) struct Run {
    campaign: CampaignId,
    request: Request,
    ready: Ready,
}

impl Run {
    /// Records it within the caller's transaction, and that the campaign ran.
    pub async fn record(&self, tx: &mut Tx, parts: &Parts) -> Result<(), IntakeError> {
        intake::list::record(tx, parts, &self.request, &self.ready).await?;
        Ok(tx.campaign_ran(self.campaign, parts.clock.now()).await?)
    }

    /// Creates its messages, once that transaction is committed.
    pub async fn unfold(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        self.ready.unfold(parts).await
    }
}
