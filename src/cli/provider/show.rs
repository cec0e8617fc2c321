//! `touchline provider show`: one account, what it can and cannot do, its state, and what last went wrong.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::list::kind_object;
use super::{check_known, health};
use crate::accounts::health::{Health, Records};
use crate::accounts::{ConfiguredAccount, Ready};
use crate::app::Gateway;
use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::domain::Timestamp;
use crate::domain::provider_state::ProviderState;
use crate::provider::{Reconciliation, WebhookAuthenticity};
use crate::public::AccountView;
use crate::settle::SUBMIT;
use crate::store::records::provider_state::Trouble;
use crate::wording;

/// How many failed hand-overs are shown, and how many of the newest of all accounts are searched for them.
const TROUBLES_SHOWN: i64 = 5;
const TROUBLES_AMONG: i64 = 2_000;

/// An account and what is known about it at one moment.
pub(super) struct Known<'a> {
    pub name: &'a str,
    pub account: &'a ConfiguredAccount,
    pub state: ProviderState,
    pub health: Health,
    pub now: Timestamp,
    pub zone: Tz,
}

impl<'a> Known<'a> {
    /// Every account, by name.
    pub(super) fn all(gateway: &'a Gateway, records: &Records) -> Vec<Self> {
        let (now, zone) = (gateway.clock.now(), gateway.config.practice.time_zone);
        let healths = gateway.accounts.health(records, now);
        let known = gateway.accounts.iter().zip(healths).map(|((name, account), health)| {
            let state = records.states.iter().find(|state| state.provider == name).cloned().unwrap_or_default();
            Self { name, account, state, health, now, zone }
        });
        known.collect()
    }

    /// Its state, in a word.
    fn word(&self) -> &'static str {
        match self.account.ready(&self.state, 1, self.now) {
            Ready::Now(_) | Ready::TooFast(_) => "ready",
            Ready::Paused => "paused",
            Ready::Resting(_) => "resting",
            Ready::Spent(_) => "budget spent",
            Ready::OverQuota(_) => "quota spent",
        }
    }

    /// The same with the reason and the end, if there is one.
    pub(super) fn words(&self) -> String {
        let when = |at: Timestamp| at.in_zone(self.zone);
        match self.account.ready(&self.state, 1, self.now) {
            Ready::Now(_) | Ready::TooFast(_) => "ready".to_owned(),
            Ready::Paused => {
                let until = self.state.resumes_ms.map(|at| format!(" until {}", when(at))).unwrap_or_default();
                let why = self.state.paused_reason.as_deref().unwrap_or("no reason was given");
                let remedy = self.state.paused_remedy;
                let remedy = remedy.map(|remedy| format!(". {}", wording::refusals::remedy_for(remedy, self.name)));
                format!("paused{until}: {}{}", why.trim_end_matches('.'), remedy.unwrap_or_default())
            }
            Ready::Resting(until) => {
                format!("paused briefly after errors, until {}: {}", when(until), self.fault_words())
            }
            Ready::Spent(until) => format!("its budget is used up until {}", when(until)),
            Ready::OverQuota(until) => format!("its quota is used up until {}", when(until)),
        }
    }

    fn fault_words(&self) -> String {
        let explained = self.state.fault.map_or(wording::NO_FAULT_KNOWN, wording::fault);
        let words = self.state.fault_text.as_deref().map(|words| format!(" ({words})")).unwrap_or_default();
        format!("{explained}{words}")
    }

    /// What is used of today's budget; empty without one.
    pub(super) fn budget_words(&self) -> String {
        let Some(budget) = self.account.budget else { return String::new() };
        let (hand_overs, cost) = self.state.meter.today(self.now);
        let number = budget.hand_overs.map(|most| format!("{hand_overs} of {most}"));
        let money = budget.cost.map(|most| format!("{cost} of {most}"));
        number.into_iter().chain(money).collect::<Vec<_>>().join(", ")
    }

    /// What is used of its quotas; empty without any.
    pub(super) fn quota_words(&self) -> String {
        wording::quotas::used(self.account.quota.parts(&self.state.meter, self.now))
    }

    /// Its rate now, in words; empty without one.
    fn rate_words(&self) -> Option<String> {
        let rate = self.account.rate(&self.state, self.now)?;
        let slowed = self.state.slowing.over(self.now).map(|until| {
            let own = self.account.rate_per_minute.map_or_else(|| "no limit".to_owned(), |own| own.to_string());
            format!(", because the provider asked for less; {own} again by {}", until.in_zone(self.zone))
        });
        Some(format!("{rate} hand-overs a minute, all nodes together{}", slowed.unwrap_or_default()))
    }

    /// Everything about it for machines; `provider list` shows the same.
    pub(super) fn object(&self) -> Value {
        let Self { account, state, now, .. } = self;
        let resting = account.rests_until(state, *now);
        let (hand_overs, cost) = state.meter.today(*now);
        json!({
            "name": self.name,
            "kind": account.spec().kind,
            "channel": account.spec().channel,
            "baa": account.baa,
            "rate_per_minute": account.rate_per_minute,
            "rate_per_minute_now": account.rate(state, *now),
            "rate_per_domain_per_minute": account.rate_per_domain,
            "concurrency_per_domain": account.concurrency_per_domain,
            "slowed_until": state.slowing.over(*now),
            "quota": quota_object(account, state, *now),
            "health": AccountView::from(&self.health),
            "cost_per_page": account.cost_per_page,
            "state": self.word().replace(' ', "_"),
            "paused_at": state.paused_ms,
            "paused_reason": state.paused_reason,
            "paused_remedy": state.paused_remedy,
            "paused_remedy_words": state.paused_remedy.map(|remedy| wording::refusals::remedy_for(remedy, self.name)),
            "resumes_at": state.resumes_ms,
            "breaker": {
                "paused_until": resting,
                "faults": state.faults,
                "fault": state.fault,
                "words": state.fault_text,
                "faulted_at": state.faulted_ms,
            },
            "budget": account.budget.map(|budget| json!({
                "hand_overs_max": budget.hand_overs,
                "hand_overs_today": hand_overs,
                "cost_max": budget.cost,
                "cost_today": cost,
                "ends_at": state.meter.day_ends_ms.filter(|ends| now < ends),
            })),
        })
    }
}

/// Shows one account.
///
/// # Errors
/// There is no such account.
pub(super) async fn run(console: &Console, name: &str) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    check_known(&gateway, name)?;
    let mut tx = gateway.store.read().await?;
    let records = Records::read(&mut tx, SUBMIT, gateway.clock.now()).await?;
    let troubles = tx.provider_troubles(name, TROUBLES_AMONG, TROUBLES_SHOWN).await?;
    drop(tx);
    let Some(known) = Known::all(&gateway, &records).into_iter().find(|known| known.name == name) else {
        return Ok(());
    };
    let in_flight = [known.health.calling, known.health.accepted, known.health.in_doubt];
    let callback = callback(&gateway, &known);
    let place = gateway.accounts.place(known.account.spec().channel, name);
    let conditions = place.map(|(_, route)| route.only.words()).unwrap_or_default();

    let mut object = known.object();
    object["provider"] = kind_object(known.account.spec());
    object["route"] = json!(place.map(|(place, _)| json!({ "place": place, "only": conditions })));
    object["callback"] = json!(callback);
    object["in_flight"] = json!({ "calling": in_flight[0], "accepted": in_flight[1], "in_doubt": in_flight[2] });
    object["troubles"] = json!(troubles.iter().map(trouble).collect::<Vec<_>>());
    console.answer(&object, || {
        let route = match place {
            None => "not in any route".to_owned(),
            Some((place, _)) if conditions.is_empty() => format!("number {place}"),
            Some((place, _)) => format!("number {place}, only: {}", conditions.join("; ")),
        };
        let [calling, accepted, in_doubt] = in_flight;
        let in_flight = format!(
            "{} waiting, {calling} being handed over, {accepted} awaiting a report, {in_doubt} in doubt",
            known.health.waiting
        );
        let callback = callback.unwrap_or_else(|| "none: the provider is asked".to_owned());
        let mut rows =
            vec![("state", known.words()), ("route", route), ("in flight", in_flight), ("callbacks", callback)];
        rows.extend(health::rows(&known.health, known.zone));
        rows.extend(facts(&known));
        let rows = rows.into_iter().map(|(what, words)| vec![what.to_owned(), words]);
        let gaps = known.account.spec().gaps.iter().map(|gap| format!("\n  - {gap}")).collect::<String>();
        let gaps = if gaps.is_empty() { gaps } else { format!("\n\nLimitations:{gaps}") };
        let head = format!("{name}: {}", known.account.spec().title);
        format!("{head}\n{}{gaps}\n\n{}", table(&["", ""], rows), troubles_words(&troubles, known.zone))
    })
}

/// Its quotas for machines; null without any.
fn quota_object(account: &ConfiguredAccount, state: &ProviderState, now: Timestamp) -> Option<Value> {
    let (hour, day) = account.quota.used(&state.meter, now);
    (!account.quota.is_none()).then(|| {
        json!({
            "per_hour": account.quota.per_hour,
            "used_this_hour": hour,
            "per_day": account.quota.per_day,
            "used_today": day,
        })
    })
}

/// The address of its callbacks; a secret at its end is not shown.
fn callback(gateway: &Gateway, known: &Known<'_>) -> Option<String> {
    let base = gateway.config.server.public_url.as_ref()?.as_str().trim_end_matches('/');
    match known.account.capabilities().webhook {
        WebhookAuthenticity::NoWebhook => None,
        WebhookAuthenticity::SecretPath => Some(format!("{base}/hooks/{}/… (the end is secret)", known.name)),
        _ => Some(format!("{base}/hooks/{}", known.name)),
    }
}

/// What it can do and its limits.
fn facts(known: &Known<'_>) -> Vec<(&'static str, String)> {
    let (account, can) = (known.account, known.account.capabilities());
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    let yes = |able: bool| if able { "yes" } else { "no" }.to_owned();
    let budget = Some(known.budget_words()).filter(|words| !words.is_empty());
    let last = known.state.faulted_ms.map(|at| format!("{}: {}", at.in_zone(known.zone), known.fault_words()));
    vec![
        ("agreement", if account.baa { "signed" } else { "none: no health information" }.to_owned()),
        ("rate", or_none(known.rate_words())),
        (
            "rate for one mail domain",
            or_none(account.rate_per_domain.map(|rate| format!("{rate} hand-overs a minute, all nodes together"))),
        ),
        (
            "letters at once to one mail domain",
            or_none(account.concurrency_per_domain.map(|most| format!("{most}, all nodes together"))),
        ),
        ("questions", or_none(can.questions_per_minute.map(|most| format!("{most} a minute, each node")))),
        ("budget today", or_none(budget)),
        ("cost of a page", account.cost_per_page.map_or_else(|| "not set".to_owned(), |cost| cost.to_string())),
        ("pages at most", or_none(can.pages_max.map(|most| most.to_string()))),
        (
            "after a lost answer",
            match can.reconciliation {
                Reconciliation::Exact => "looked up by reference",
                Reconciliation::Scan => "looked up by listing a window of time",
                Reconciliation::Heuristic => "looked up by number and time; a person decides where that is not clear",
                Reconciliation::None => "cannot be looked up: a person decides",
            }
            .to_owned(),
        ),
        ("reports status when asked", yes(can.status)),
        ("can cancel", yes(can.cancel)),
        ("deletes documents", yes(can.purge)),
        ("redials by itself", yes(can.redials)),
        ("faults in a row", known.state.faults.to_string()),
        ("last pause after errors", last.unwrap_or_else(|| "never".to_owned())),
    ]
}

fn troubles_words(troubles: &[Trouble], zone: Tz) -> String {
    if troubles.is_empty() {
        return "Nothing has gone wrong recently.".to_owned();
    }
    let rows = troubles.iter().map(|trouble| {
        let words = [trouble.raw_code.as_deref(), trouble.raw_text.as_deref()];
        vec![
            trouble.opened_ms.in_zone(zone),
            wording::attempt_status(trouble.status).1.to_owned(),
            wording::fault(trouble.fault).to_owned(),
            words.into_iter().flatten().collect::<Vec<_>>().join(" "),
        ]
    });
    format!("Last faults:\n{}", table(&["at", "status", "why", "provider's words"], rows))
}

/// A hand-over that did not go well, for machines.
fn trouble(trouble: &Trouble) -> Value {
    json!({
        "opened_at": trouble.opened_ms,
        "status": trouble.status,
        "fault": trouble.fault,
        "raw_code": trouble.raw_code,
        "raw_text": trouble.raw_text,
    })
}
