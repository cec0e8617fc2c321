//! `/providers`: the accounts that carry the letters, what they can do, and whether they do it now.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused, then_show};
use super::frame::{self, Frame, Section};
use super::mailboxes::{self, MailboxRow};
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use crate::accounts::{Accounts, ConfiguredAccount, Ready, acts};
use crate::domain::{Channel, Fault, Remedy};
use crate::provider::{Capabilities, Reconciliation, WebhookAuthenticity};
use crate::store::records::provider_state::ProviderState;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::{self, Tone};

/// What may stand in the query, after a check.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    why: Option<String>,
}

/// One account.
struct AccountRow {
    name: String,
    title: &'static str,
    channel: &'static str,
    place: Option<usize>,
    only: String,
    state: Chip,
    paused: Option<(Moment, String)>,
    refused_in_a_row: bool,
    resting: Option<(Moment, String)>,
    has_baa: bool,
    rate: Option<u32>,
    slowed: Option<Moment>,
    quota: String,
    budget: Option<String>,
    abilities: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "providers.html")]
struct Page {
    frame: Frame,
    accounts: Vec<AccountRow>,
    mailboxes: Vec<MailboxRow>,
    why: Option<(&'static str, &'static str)>,
}

/// `GET /providers`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let states = tx.provider_states(false).await?;
    let mailboxes = mailboxes::rows(&state.gateway, &tx.mailbox_states().await?, &calendar);
    drop(tx);
    let accounts = &state.gateway.accounts;
    let fault = wanted.why.and_then(|word| word.parse::<Fault>().ok());
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Providers, "Providers", &asked),
        accounts: accounts.iter().map(|(name, one)| row(accounts, name, one, &states, &calendar)).collect(),
        mailboxes,
        why: fault.map(|fault| (wording::fault(fault), wording::fault_advice(fault))),
    };
    Ok(frame::show(&page))
}

fn row(
    accounts: &Accounts,
    name: &str,
    account: &ConfiguredAccount,
    states: &[ProviderState],
    calendar: &Calendar,
) -> AccountRow {
    let spec = account.spec();
    let known = states.iter().find(|state| state.provider == name).cloned().unwrap_or_default();
    let why = known.paused_reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let remedy = known
        .paused_remedy
        .map(|remedy| format!(". {}", wording::refusals::remedy_for(remedy, name)))
        .unwrap_or_default();
    let until = known.resumes_ms.map(|at| format!(" (until {})", calendar.moment(at).said)).unwrap_or_default();
    let why = format!("{}{until}{remedy}", why.trim_end_matches('.'));
    let paused = known.paused_ms.filter(|_| known.is_paused(calendar.now)).map(|since| (calendar.moment(since), why));
    let resting =
        account.rests_until(&known, calendar.now).map(|until| (calendar.moment(until), why_resting(account, &known)));
    let state = match account.ready(&known, 1, calendar.now) {
        Ready::Paused => (Tone::Bad, "paused"),
        Ready::Resting(_) => (Tone::Warn, "resting"),
        Ready::Spent(_) => (Tone::Warn, "budget spent"),
        Ready::OverQuota(_) => (Tone::Warn, "quota spent"),
        Ready::Now(_) | Ready::TooFast(_) => (Tone::Good, "ready"),
    };
    AccountRow {
        name: name.to_owned(),
        title: spec.title,
        channel: wording::channel(spec.channel),
        place: place(accounts, spec.channel, name),
        only: only(accounts, spec.channel, name),
        state: state.into(),
        paused,
        refused_in_a_row: known.paused_remedy == Some(Remedy::SameForAll),
        resting,
        has_baa: account.baa,
        rate: account.rate(&known, calendar.now),
        slowed: known.slowing.over(calendar.now).map(|until| calendar.moment(until)),
        quota: wording::quotas::used(account.quota.parts(&known.meter, calendar.now)),
        budget: budget(account, &known, calendar),
        abilities: abilities(spec.channel, &spec.capabilities),
    }
}

/// Why an account is paused briefly after errors: by what this node saw last, or else by what is on record.
fn why_resting(account: &ConfiguredAccount, known: &ProviderState) -> String {
    let here = account.layered.breaker();
    let (fault, words) =
        if here.fault.is_some() { (here.fault, here.words) } else { (known.fault, known.fault_text.clone()) };
    let explained = fault.map_or(wording::NO_FAULT_KNOWN, wording::fault);
    words.map_or_else(|| explained.to_owned(), |words| format!("{explained} ({words})"))
}

/// What is used of today's budget, in words.
fn budget(account: &ConfiguredAccount, known: &ProviderState, calendar: &Calendar) -> Option<String> {
    let budget = account.budget?;
    let (hand_overs, cost) = known.meter.today(calendar.now);
    let number = budget.hand_overs.map(|most| format!("{hand_overs} of {most} hand-overs"));
    let money = budget.cost.map(|most| format!("{cost} of {most}"));
    Some(number.into_iter().chain(money).collect::<Vec<_>>().join(", "))
}

/// For which messages it is meant there; empty if for all.
fn only(accounts: &Accounts, channel: Channel, name: &str) -> String {
    accounts.place(channel, name).map(|(_, route)| route.only.words().join("; ")).unwrap_or_default()
}

/// Its place in the route of its channel, from 1.
fn place(accounts: &Accounts, channel: Channel, name: &str) -> Option<usize> {
    accounts.place(channel, name).map(|(place, _)| place)
}

/// What the account can do, as pairs of question and answer.
fn abilities(channel: Channel, can: &Capabilities) -> Vec<(&'static str, &'static str)> {
    let yes = |able: bool| if able { "yes" } else { "no" };
    vec![
        (
            "Finds a lost submission",
            match can.reconciliation {
                Reconciliation::Exact => "yes, by our reference",
                Reconciliation::Scan => "yes, by searching its list",
                Reconciliation::Heuristic => "only by number and time",
                Reconciliation::None => "no: a person decides",
            },
        ),
        (
            "Reports the outcome",
            match (can.webhook, can.status) {
                (WebhookAuthenticity::NoWebhook, false) if channel == Channel::Email => "only when it bounces",
                (WebhookAuthenticity::NoWebhook, false) => "no",
                (WebhookAuthenticity::NoWebhook, true) => "when asked",
                (_, true) => "automatically and when asked",
                (_, false) => "automatically",
            },
        ),
        ("Can cancel a message", yes(can.cancel)),
        ("Redials busy lines automatically", yes(can.redials)),
        ("Deletes documents on request", yes(can.purge)),
    ]
}

/// `POST /providers`: pauses, resumes or checks the account named in the form.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let name = posted.fields.text("name");
    let account = state.gateway.accounts.get(name).ok_or_else(nowhere)?;
    let who = &posted.operator.actor;
    let (store, now) = (&state.gateway.store, state.gateway.clock.now());
    match posted.fields.text("act") {
        "pause" => {
            let why = posted.fields.optional_line("why", "the reason", 200)?;
            let why = why.unwrap_or_else(|| format!("{who} paused it"));
            acts::pause(store, name, &why, who, now).await?;
            Ok(then_show(&Done::ProviderPaused.at("/providers")))
        }
        "resume" => {
            if posted.fields.text("refusals") == "stand" {
                acts::resume_and_let_refusals_stand(store, name, who, now).await?;
            } else {
                acts::resume(store, name, who, now).await?;
            }
            Ok(then_show(&Done::ProviderResumed.at("/providers")))
        }
        "check" => Ok(match account.layered.check().await {
            Ok(_) => then_show(&Done::CheckedWell.at("/providers")),
            Err(failure) => then_show(&format!("{}&why={}", Done::CheckedBadly.at("/providers"), failure.fault)),
        }),
        _ => Err(refused("Please use the buttons on the page.")),
    }
}
