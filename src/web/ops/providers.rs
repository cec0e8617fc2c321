//! `/providers`: the accounts that carry the letters, what they can do, and whether they do it now.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::form::{Posted, nowhere, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::view::moment::{Calendar, Moment};
use super::view::pieces::Chip;
use super::view::words::{self, Tone};
use crate::domain::{Channel, Fault, PhiClass};
use crate::provider::accounts::{Accounts, ConfiguredAccount};
use crate::provider::{Capabilities, Reconciliation, WebhookAuthenticity};
use crate::store::provider_state::ProviderState;
use crate::web::WebState;
use crate::web::auth::Operator;
use crate::web::problem::PageProblem;

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
    state: Chip,
    paused: Option<(Moment, String)>,
    resting: Option<(Moment, &'static str)>,
    has_baa: bool,
    rate: Option<u32>,
    abilities: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "providers.html")]
struct Page {
    frame: Frame,
    accounts: Vec<AccountRow>,
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
    let states = state.gateway.store.read().await?.provider_states(false).await?;
    let accounts = &state.gateway.accounts;
    let fault = wanted.why.and_then(|word| word.parse::<Fault>().ok());
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Providers, "Providers", &asked),
        accounts: accounts.iter().map(|(name, one)| row(accounts, name, one, &states, &calendar)).collect(),
        why: fault.map(|fault| (fault.explain(), fault.advice())),
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
    let paused = states.iter().find(|state| state.provider == name).and_then(|state| {
        let why = state.paused_reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
        state.paused_ms.map(|since| (calendar.moment(since), why))
    });
    let breaker = account.layered.breaker();
    let resting = (breaker.open_until_ms > calendar.now).then(|| {
        let why = breaker.fault.map_or("It does not answer as it should.", Fault::explain);
        (calendar.moment(breaker.open_until_ms), why)
    });
    let state = match (&paused, &resting) {
        (Some(_), _) => (Tone::Bad, "paused"),
        (None, Some(_)) => (Tone::Warn, "resting"),
        _ => (Tone::Good, "ready"),
    };
    AccountRow {
        name: name.to_owned(),
        title: spec.title,
        channel: words::channel(spec.channel),
        place: place(accounts, spec.channel, name),
        state: state.into(),
        paused,
        resting,
        has_baa: account.baa,
        rate: account.rate_per_minute,
        abilities: abilities(spec.channel, &spec.capabilities),
    }
}

/// Its place in the route of its channel, from 1.
fn place(accounts: &Accounts, channel: Channel, name: &str) -> Option<usize> {
    accounts.route(channel, PhiClass::None).position(|one| one.layered.name() == name).map(|place| place + 1)
}

/// What the account can do, as pairs of question and answer.
fn abilities(channel: Channel, can: &Capabilities) -> Vec<(&'static str, &'static str)> {
    let yes = |able: bool| if able { "yes" } else { "no" };
    vec![
        (
            "Finds a lost hand-over again",
            match can.reconciliation {
                Reconciliation::Exact => "yes, by our reference",
                Reconciliation::Scan => "yes, by looking through its list",
                Reconciliation::Heuristic => "only by number and time",
                Reconciliation::None => "no: a person decides",
            },
        ),
        (
            "Tells us what became of it",
            match (can.webhook, can.status) {
                (WebhookAuthenticity::NoWebhook, false) if channel == Channel::Email => "only when it bounces",
                (WebhookAuthenticity::NoWebhook, false) => "no",
                (WebhookAuthenticity::NoWebhook, true) => "when asked",
                (_, true) => "by itself and when asked",
                (_, false) => "by itself",
            },
        ),
        ("Can be asked to stop", yes(can.cancel)),
        ("Redials a busy line by itself", yes(can.redials)),
        ("Deletes documents on request", yes(can.purge)),
    ]
}

/// `POST /providers`: pauses, resumes or checks the account named in the form.
pub async fn act(State(state): State<WebState>, posted: Posted) -> Result<Response, PageProblem> {
    let name = posted.fields.text("name");
    let account = state.gateway.accounts.get(name).ok_or_else(nowhere)?;
    let who = &posted.operator.name;
    match posted.fields.text("act") {
        "pause" => {
            let why = posted.fields.optional_line("why", "the reason", 200)?;
            let why = why.unwrap_or_else(|| format!("{who} paused it"));
            set(&state, name, Some(&why), who).await?;
            Ok(then_show(&Done::ProviderPaused.at("/providers")))
        }
        "resume" => {
            set(&state, name, None, who).await?;
            Ok(then_show(&Done::ProviderResumed.at("/providers")))
        }
        "check" => Ok(match account.layered.check().await {
            Ok(_) => then_show(&Done::CheckedWell.at("/providers")),
            Err(failure) => then_show(&format!("{}&why={}", Done::CheckedBadly.at("/providers"), failure.fault)),
        }),
        _ => Err(refused("Please use the buttons of the page.")),
    }
}

async fn set(state: &WebState, name: &str, why: Option<&str>, who: &str) -> Result<(), PageProblem> {
    let now = state.gateway.clock.now();
    let mut tx = state.gateway.store.write().await?;
    tx.provider_ensure(name, now).await?;
    tx.provider_pause(name, why, now).await?;
    let action = if why.is_some() { "pause_provider" } else { "resume_provider" };
    tx.audit(who, action, Some(name), why, now).await?;
    tx.commit().await?;
    Ok(())
}
