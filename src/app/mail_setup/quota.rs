//! The quotas of the relays against the next planned broadcast: what is beyond them goes out on later days, by itself.

use crate::config::Config;
use crate::domain::campaign::CampaignState;
use crate::domain::{Channel, Timestamp};
use crate::policy::mail_setup::Finding;
use crate::referrers::audience::{self, Audience};
use crate::store::records::campaigns::CampaignRow;
use crate::store::{Store, StoreError, Tx};

/// Referrers that are read at once.
const PORTION: usize = 500;

/// What the quotas of 24 hours mean for the next run of a campaign by email; nothing where there is no such run or no quota, or
/// where the database cannot be read, which `touchline doctor` says.
pub(super) async fn finding(store: &Store, config: &Config, now: Timestamp) -> Option<Finding> {
    let mut tx = store.read().await.ok()?;
    let next = next_run(tx.campaigns_list().await.ok()?)?;
    let left = left_today(&mut tx, config, now).await.ok()??;
    let recipients = recipients(&mut tx, &next.audience).await.ok()?;
    Some(told(&next.name, recipients, left))
}

fn told(campaign: &str, recipients: u64, left: Left) -> Finding {
    let (check, about) = ("quota", campaign);
    let planned = format!("the next run of {campaign} has at most {recipients} recipients of email");
    if recipients <= left.now {
        return Finding::ok(check, about, format!("{planned}; the relays take {} more today", left.now));
    }
    let days = recipients.div_ceil(left.a_day.max(1));
    let words = format!(
        "{planned}, and the relays take {} more today, {} a day: it takes about {days} days",
        left.now, left.a_day
    );
    Finding::advice(
        check,
        about,
        words,
        "nothing, if that is soon enough: the rest goes out by itself; else add a relay",
    )
}

/// The run by email that comes first.
fn next_run(campaigns: Vec<CampaignRow>) -> Option<CampaignRow> {
    let by_mail = |row: &CampaignRow| row.channels.split(',').any(|channel| channel.trim() == Channel::Email.as_str());
    let planned = campaigns.into_iter().filter(|row| row.state == CampaignState::Active && by_mail(row));
    planned.filter(|row| row.next_ms.is_some()).min_by_key(|row| row.next_ms)
}

/// What the accounts in the routes of email may still hand over.
struct Left {
    now: u64,
    a_day: u64,
}

/// `None` if one of them has no limit.
async fn left_today(tx: &mut Tx, config: &Config, now: Timestamp) -> Result<Option<Left>, StoreError> {
    let states = tx.provider_states(false).await?;
    let mut left = Left { now: 0, a_day: 0 };
    let mut names: Vec<&str> = config.routes.email.iter().map(|route| route.account.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(account) = config.providers.get(name) else { continue };
        let meter = states.iter().find(|state| state.provider == name).map(|state| state.meter).unwrap_or_default();
        let (Some(today), Some(a_day)) = (account.quota.left_today(&meter, now), account.quota.per_day) else {
            return Ok(None);
        };
        left = Left { now: left.now + today, a_day: left.a_day + u64::from(a_day) };
    }
    Ok((left.a_day > 0).then_some(left))
}

/// How many of an audience have an email address.
async fn recipients(tx: &mut Tx, audience: &str) -> Result<u64, StoreError> {
    let Ok(audience) = audience.parse::<Audience>() else { return Ok(0) };
    let Ok(members) = audience::members(tx, &audience).await else { return Ok(0) };
    let mut found = 0;
    for portion in members.chunks(PORTION) {
        found +=
            tx.referrers_in_order(portion).await?.iter().filter(|referrer| referrer.email.is_some()).count() as u64;
    }
    Ok(found)
}
