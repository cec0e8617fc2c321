//! A proposal: what a broadcast would be, for a person to look at before it is accepted. How many letters, by which
//! channel, at what cost, who is left out and why, and the first letter to draw. Nothing is stored.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};

use super::answer::{Accepted, SkipReason};
use super::list;
use super::look_ahead::{AccountAhead, Demand};
use super::plan::Draft;
use super::request::Request;
use super::{IntakeError, Parts};
use crate::accounts::ConfiguredAccount;
use crate::accounts::routes::Parcel;
use crate::domain::cost::Cost;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{Channel, MessageStatus, PhiClass, PolicyReason, Reason, Timestamp};
use crate::render::Job;

/// Names shown of those left out for one reason.
const NAMES_SHOWN_MAX: usize = 5;
/// Printed on a page that is shown before it is sent, in the place of a message's reference.
const REFERENCE: &str = "PREVIEW";

/// What a broadcast would be.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The answer of a dry run.
    pub planned: Accepted,
    /// Letters to be sent: one by fax and email to the same person is one.
    pub letters: usize,
    /// The messages to be sent, by channel; a channel without any is left out.
    pub shares: Vec<Share>,
    /// What each account has to carry, and what its limits allow: what is beyond them today goes out by itself tomorrow or later.
    pub accounts: Vec<AccountAhead>,
    /// Who gets nothing by some channel, by reason, the most frequent first.
    pub left_out: Vec<LeftOut>,
    /// The first letter to be sent, by fax if one is faxed.
    pub first: Option<Sample>,
    /// Why the first letter cannot be drawn, if it cannot.
    pub problem: Option<String>,
    /// How long all of it can be withdrawn before it leaves, if at all.
    pub undo_window: Option<Duration>,
    /// Stands for exactly this proposal: another list, letter, verdict or address has another mark.
    pub mark: String,
}

/// The messages of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub channel: Channel,
    /// How many messages are to be sent.
    pub messages: usize,
    /// Pages of each, as counted on the first; mail has none.
    pub pages: Option<u32>,
    /// What they cost at the prices of the accounts that come first on their routes; those without a price cost nothing
    /// here.
    pub cost: Cost,
    /// How many of them go by an account whose price is not known.
    pub unpriced: usize,
}

/// Those who are left out, or held, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// By which channel they get nothing; `None`: by none.
    pub channel: Option<Channel>,
    /// Suppressed or held; `None` if they never became a message.
    pub status: Option<MessageStatus>,
    /// The reason of a message that is suppressed or held.
    pub reason: Option<Reason>,
    /// Why there is no message, in words; empty if there is one with a reason.
    pub why: String,
    /// How many.
    pub count: usize,
    /// The first of them by name, five at most.
    pub names: Vec<String>,
}

/// One recipient's letter.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Who gets it.
    pub referrer: Referrer,
    /// By which channel.
    pub channel: Channel,
    /// The letter's name.
    pub letter: String,
    /// The letter's variables.
    pub variables: Map<String, Value>,
    /// Whether it identifies a patient: then it is not shown unasked.
    pub phi: PhiClass,
}

impl Sample {
    /// What is to be rendered, with a reference that says that it is no message.
    #[must_use]
    pub fn job(&self, now: Timestamp) -> Job<'_> {
        Job {
            letter: &self.letter,
            referrer: &self.referrer,
            variables: &self.variables,
            now,
            reference: REFERENCE,
            unsubscribe: None,
            automatic: true,
        }
    }
}

impl Proposal {
    /// What it costs altogether, and how many messages have no known price.
    #[must_use]
    pub fn cost(&self) -> (Cost, usize) {
        let sum = |(cost, unpriced): (Cost, usize), share: &Share| (cost.plus(share.cost), unpriced + share.unpriced);
        self.shares.iter().fold((Cost::ZERO, 0), sum)
    }

    /// The accounts whose quota or budget of today does not cover the broadcast.
    pub fn over_limit(&self) -> impl Iterator<Item = &AccountAhead> {
        self.accounts.iter().filter(|account| account.later > 0)
    }

    /// Faxes that are left out because no permission or relationship is recorded.
    #[must_use]
    pub fn without_basis(&self) -> usize {
        let lacks = |left: &&LeftOut| left.reason == Some(Reason::from(PolicyReason::NoBasis));
        self.left_out.iter().filter(lacks).map(|left| left.count).sum()
    }
}

/// Looks at everything a broadcast would do.
///
/// # Errors
/// Those of a submission: see [`IntakeError`].
pub async fn propose(parts: &Parts, request: &Request) -> Result<Proposal, IntakeError> {
    let states = parts.store.read().await?.provider_states(false).await?;
    let mut tally = Tally::new(parts, request);
    let planned = list::dry_run_watched(parts, request, |recipients, draft| tally.add(recipients, draft)).await?;
    let Tally { letters, prices, demand, left_out, first, mark, .. } = tally;
    let (pages, problem) = match &first {
        Some(sample) => measured(parts, sample.clone()).await,
        None => (None, None),
    };
    let mut left_out: Vec<LeftOut> = left_out.into_values().collect();
    left_out.sort_by_key(|left| std::cmp::Reverse(left.count));
    let shares = shares(&prices, pages);
    let undo_window = request.undo_window(parts);
    let accounts = demand.met_by(&parts.accounts, &states, pages, parts.clock.now());
    Ok(Proposal {
        undo_window,
        planned,
        letters,
        shares,
        accounts,
        left_out,
        first,
        problem,
        mark: hex::encode(mark.finish()),
    })
}

/// The pages of the letter's fax, or why it cannot be rendered.
async fn measured(parts: &Parts, sample: Sample) -> (Option<u32>, Option<String>) {
    let (renderer, now) = (Arc::clone(&parts.renderer), parts.clock.now());
    let set = move || match sample.channel {
        Channel::Fax => renderer.fax(&sample.job(now)).map(|fax| Some(fax.pages)),
        Channel::Email => renderer.mail(&sample.job(now)).map(|_| None),
    };
    match tokio::task::spawn_blocking(set).await {
        Ok(Ok(pages)) => (pages, None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, Some("the renderer stopped unexpectedly".to_owned())),
    }
}

/// How many messages of a channel cost how much a page.
type Prices = BTreeMap<(Channel, Option<Cost>), usize>;

fn shares(prices: &Prices, pages: Option<u32>) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for ((channel, price), messages) in prices {
        let pages = pages.filter(|_| *channel == Channel::Fax);
        let all_pages = u32::try_from(*messages).unwrap_or(u32::MAX).saturating_mul(pages.unwrap_or(1));
        let cost = price.unwrap_or_default().times(all_pages);
        let unpriced = if price.is_none() { *messages } else { 0 };
        match shares.iter_mut().find(|share| share.channel == *channel) {
            Some(share) => {
                share.messages += messages;
                share.cost = share.cost.plus(cost);
                share.unpriced += unpriced;
            }
            None => shares.push(Share { channel: *channel, messages: *messages, pages, cost, unpriced }),
        }
    }
    shares
}

/// What is counted while the list is walked.
struct Tally<'a> {
    parts: &'a Parts,
    request: &'a Request,
    letters: usize,
    prices: Prices,
    demand: Demand,
    left_out: BTreeMap<(Option<Channel>, String), LeftOut>,
    first: Option<Sample>,
    mark: Context,
}

impl<'a> Tally<'a> {
    fn new(parts: &'a Parts, request: &'a Request) -> Self {
        let mut mark = Context::new(&SHA256);
        mark.update(request.hash().as_bytes());
        let (prices, left_out) = (BTreeMap::new(), BTreeMap::new());
        Self { parts, request, letters: 0, prices, demand: Demand::default(), left_out, first: None, mark }
    }

    fn add(&mut self, recipients: &[Referrer], draft: &Draft) {
        let mut touches = HashSet::new();
        for message in &draft.messages {
            self.mark_message(message);
            if message.status == MessageStatus::Queued {
                touches.insert(message.touch_id);
                self.count(message);
                self.keep_first(recipients, message);
            }
        }
        self.letters += touches.len();
        for said in draft.said.iter().filter(|said| said.status != MessageStatus::Queued) {
            let key = said.reason.map_or_else(|| said.status.to_string(), |reason| reason.to_string());
            self.leave_out(Some(said.channel), Some(said.status), said.reason, key, &said.name);
        }
        for skipped in &draft.skipped {
            let why = match skipped.reason {
                Some(SkipReason::Repeat) => {
                    "they got the letter before, within its repeat window; `--again` sends it all the same".to_owned()
                }
                Some(SkipReason::UnprintableName) => {
                    "a fax cannot print their name or organization; write it in Latin letters to fax it".to_owned()
                }
                _ => skipped.why.clone(),
            };
            self.mark.update(format!("{} {:?} {why}\n", skipped.referrer, skipped.channel).as_bytes());
            self.leave_out(skipped.channel, None, None, why, &skipped.name);
        }
    }

    fn mark_message(&mut self, message: &Message) {
        // Whether an office is open may change while a person reads; who gets the letter does not.
        let reason = message.reason.filter(|_| message.status != MessageStatus::Queued);
        let reason = reason.map(|reason| reason.to_string()).unwrap_or_default();
        let (to, address) = (message.referrer_id, message.address.key());
        let line = format!("{to} {} {} {} {reason}\n", message.channel(), address.as_str(), message.status);
        self.mark.update(line.as_bytes());
    }

    fn count(&mut self, message: &Message) {
        let parcel = Parcel { key: self.parts.accounts.key_of(message), pages: None };
        let route: Vec<&ConfiguredAccount> = self.parts.accounts.route(&parcel).collect();
        self.demand.count(message, &route);
        let price = route.first().and_then(|account| account.cost_per_page);
        *self.prices.entry((message.channel(), price)).or_default() += 1;
    }

    /// The first letter by fax, or else the first.
    fn keep_first(&mut self, recipients: &[Referrer], message: &Message) {
        let is_better = match &self.first {
            None => true,
            Some(first) => first.channel != Channel::Fax && message.channel() == Channel::Fax,
        };
        if !is_better {
            return;
        }
        let Some(referrer) = recipients.iter().find(|referrer| referrer.id == message.referrer_id) else { return };
        let (letter, variables) = self.request.content_for(referrer.id);
        self.first = Some(Sample {
            referrer: referrer.clone(),
            channel: message.channel(),
            letter: letter.to_owned(),
            variables: variables.clone(),
            phi: message.phi,
        });
    }

    fn leave_out(
        &mut self,
        channel: Option<Channel>,
        status: Option<MessageStatus>,
        reason: Option<Reason>,
        key: String,
        name: &str,
    ) {
        let why = if status.is_none() { key.clone() } else { String::new() };
        let left = self.left_out.entry((channel, key)).or_insert_with(|| LeftOut {
            channel,
            status,
            reason,
            why,
            count: 0,
            names: Vec::new(),
        });
        left.count += 1;
        if left.names.len() < NAMES_SHOWN_MAX {
            left.names.push(name.to_owned());
        }
    }
}
