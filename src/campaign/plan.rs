//! A campaign with its texts parsed: what it sends, to whom, by which channels, and when it runs next.

use std::time::Duration;

use serde_json::{Map, Value};

use chrono_tz::Tz;

use super::Decisions;
use super::schedule::{Misread, Schedule};
use crate::domain::Actor;
use crate::domain::id::CampaignId;
use crate::domain::{Channel, Purpose, Timestamp};
use crate::intake;
use crate::intake::answer::Accepted;
use crate::intake::list::{Prepared, Ready};
use crate::intake::proposal::Proposal;
use crate::intake::request::{CampaignRun, Request};
use crate::intake::{IntakeError, Parts};
use crate::policy::repeat::Period;
use crate::referrers::audience::Audience;
use crate::store::Tx;
use crate::store::records::campaigns::CampaignRow;

/// How far back the last planned time is looked for, in days: a day, a week, a month, a year, each and a little.
const LOOK_BACK_DAYS: [u64; 4] = [1, 8, 40, 400];

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
            schedule: row
                .schedule
                .parse()
                .map_err(|problem: Misread| format!("schedule: `{}`: {}", row.schedule, problem.in_short()))?,
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
    pub fn request(&self, who: &Actor, decisions: Decisions, run: CampaignRun) -> Request {
        Request {
            letter: self.letter.clone(),
            to: self.to.clone(),
            via: self.via.clone(),
            variables: self.variables.clone(),
            at: None,
            individually: std::collections::BTreeMap::new(),
            again: decisions.again,
            now: decisions.now,
            undo_seconds: None,
            who: who.clone(),
            idempotency_key: None,
            run: Some(run),
        }
    }

    /// The run that is planned for a moment, or takes place now.
    fn campaign_run(&self, parts: &Parts, row: &CampaignRow, planned: Option<Timestamp>) -> CampaignRun {
        let at = planned.unwrap_or_else(|| parts.clock.now());
        CampaignRun { campaign: row.id, name: row.name.clone(), planned, period: self.period(row, at) }
    }

    /// The part of the schedule that a moment lies in, from the last planned time up to it until the next one after it;
    /// `None` if one of the two does not exist, as for a campaign that runs once.
    fn period(&self, row: &CampaignRow, at: Timestamp) -> Option<Period> {
        let next = self.next_after(at, row.created_ms)?;
        let start = LOOK_BACK_DAYS.iter().find_map(|days| {
            let from = at.before(Duration::from_secs(days * 24 * 3600));
            let first = self.next_after(from, row.created_ms);
            std::iter::successors(first, |moment| self.next_after(*moment, row.created_ms))
                .take_while(|moment| *moment <= at)
                .last()
        })?;
        Some(Period { campaign: row.id, start, next })
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
    pub async fn preview(
        &self,
        parts: &Parts,
        row: &CampaignRow,
        who: &Actor,
        decisions: Decisions,
    ) -> Result<Accepted, IntakeError> {
        self.refuse_treatment(parts)?;
        let run = self.campaign_run(parts, row, None);
        intake::list::dry_run(parts, &self.request(who, decisions, run)).await
    }

    /// What a run by hand would send now, for a person to confirm; nothing is stored.
    pub async fn propose(
        &self,
        parts: &Parts,
        row: &CampaignRow,
        who: &Actor,
        decisions: Decisions,
    ) -> Result<Proposal, IntakeError> {
        self.refuse_treatment(parts)?;
        let run = self.campaign_run(parts, row, None);
        intake::proposal::propose(parts, &self.request(who, decisions, run)).await
    }

    /// One run, checked and found valid; nothing is stored yet.
    pub async fn run(
        &self,
        parts: &Parts,
        row: &CampaignRow,
        planned: Option<Timestamp>,
        who: &Actor,
        decisions: Decisions,
    ) -> Result<Run, IntakeError> {
        self.refuse_treatment(parts)?;
        let request = self.request(who, decisions, self.campaign_run(parts, row, planned));
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
