//! `/providers`: the accounts that carry the letters, what they can do, and whether they do it now.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::email_setup;
use super::form::{Posted, nowhere, refused, then_show};
use super::frame::{self, Frame, Section};
use super::mailboxes::{self, MailboxRow};
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::accounts::HealthRow;
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use crate::accounts::health::{Health, Records};
use crate::accounts::{Accounts, ConfiguredAccount, acts};
use crate::domain::{Channel, Fault, Remedy};
use crate::provider::{Capabilities, Reconciliation, WebhookAuthenticity};
use crate::settle::SUBMIT;
use crate::store::records::provider_state::ProviderState;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

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
    health: HealthRow,
    paused: Option<(Moment, String)>,
    refused_in_a_row: bool,
    resting: Option<(Moment, String)>,
    has_baa: bool,
    budget: Option<String>,
    abilities: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "providers.html")]
struct Page {
    frame: Frame,
    accounts: Vec<AccountRow>,
    /// How the email setup was found, and when; none if nobody has looked.
    setup: Option<(Chip, String)>,
    looked: Option<Moment>,
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
    let records = Records::read(&mut tx, SUBMIT, calendar.now).await?;
    let mailboxes = mailboxes::rows(&state.gateway, &tx.mailbox_states().await?, &calendar);
    drop(tx);
    let accounts = &state.gateway.accounts;
    let look = state.gateway.last_mail_setup();
    let fault = wanted.why.and_then(|word| word.parse::<Fault>().ok());
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Providers, "Providers", &asked),
        accounts: rows(accounts, &records, &calendar),
        setup: look.as_ref().map(|look| email_setup::summary(look)),
        looked: look.map(|look| calendar.moment(look.at)),
        mailboxes,
        why: fault.map(|fault| (wording::fault(fault), wording::fault_advice(fault))),
    };
    Ok(frame::show(&page))
}

fn rows(accounts: &Accounts, records: &Records, calendar: &Calendar) -> Vec<AccountRow> {
    let healths = accounts.health(records, calendar.now);
    let rows = accounts.iter().zip(&healths);
    rows.map(|((name, account), health)| row(accounts, (name, account), records, health, calendar)).collect()
}

fn row(
    accounts: &Accounts,
    (name, account): (&str, &ConfiguredAccount),
    records: &Records,
    health: &Health,
    calendar: &Calendar,
) -> AccountRow {
    let spec = account.spec();
    let known = records.states.iter().find(|state| state.provider == name).cloned().unwrap_or_default();
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
    AccountRow {
        name: name.to_owned(),
        title: spec.title,
        channel: wording::channel(spec.channel),
        place: place(accounts, spec.channel, name),
        only: only(accounts, spec.channel, name),
        health: HealthRow::of(health, calendar),
        paused,
        refused_in_a_row: known.paused_remedy == Some(Remedy::SameForAll),
        resting,
        has_baa: account.baa,
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
