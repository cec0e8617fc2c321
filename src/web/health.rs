//! Is it alive, can it work, and how much: for the machines that watch over it.

use std::fmt::Write;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use url::{Host, Url};

use super::WebState;
use super::bearer::Bearer;
use super::problem::Problem;
use crate::access::Scope;
use crate::accounts::ConfiguredAccount;
use crate::config::ServerConfig;
use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::records::mailboxes::MailboxState;
use crate::store::records::provider_state::ProviderState;
use crate::store::views::ledger::{Ledger, LedgerOf};

/// A reverse proxy on this machine adds one of these: then the peer is not on this machine, whatever its address.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(show_metrics))
}

async fn ready(State(state): State<WebState>) -> Response {
    let gateway = &state.gateway;
    match state.readiness.ask(&gateway.store, gateway.clock.now()).await {
        Ok(()) => "ready".into_response(),
        Err(unready) => {
            let (word, words) = unready.told();
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {word}: {words}")).into_response()
        }
    }
}

/// A caller who may see the counts: on this machine where no proxy stands before the service, or with a token that may
/// read.
struct Watcher;

impl FromRequestParts<WebState> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if !is_behind_proxy(&state.gateway.config.server) && is_local(parts) {
            return Ok(Self);
        }
        Bearer::from_request_parts(parts, state).await?.require(Scope::Read).map(|()| Self)
    }
}

/// Whether a proxy is known to stand before the service. Then every caller may come from this machine's own address,
/// and a proxy that adds no header of its own cannot be told from a caller on this machine.
fn is_behind_proxy(server: &ServerConfig) -> bool {
    let is_here = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    !server.trusted_proxies.is_empty() || server.public_url.as_ref().is_some_and(|url| !is_here(url))
}

fn is_local(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback()) && !came_by_proxy(&parts.headers)
}

fn came_by_proxy(headers: &HeaderMap) -> bool {
    PROXY_HEADERS.iter().any(|name| headers.contains_key(*name))
}

async fn show_metrics(_: Watcher, State(state): State<WebState>) -> Response {
    let mut text = state.metrics.as_ref().map(|handle| handle.render()).unwrap_or_default();
    let standing = read_standing(&state).await;
    write_gauge(
        &mut text,
        "touchline_store_up",
        "Whether the database can be read.",
        &[(String::new(), i64::from(standing.is_ok()))],
    );
    match standing {
        Ok(standing) => {
            write_standing(&mut text, &standing, state.gateway.clock.now());
            write_mailboxes(&mut text, &state, &standing.mailboxes);
            write_accounts(&mut text, &state, &standing.providers);
        }
        Err(error) => {
            tracing::warn!(%error, "the counts could not be read");
            write_accounts(&mut text, &state, &[]);
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// What only the database knows.
struct Standing {
    ledger: Ledger,
    depth: i64,
    providers: Vec<ProviderState>,
    mailboxes: Vec<MailboxState>,
}

async fn read_standing(state: &WebState) -> Result<Standing, StoreError> {
    let mut tx = state.gateway.store.read().await?;
    Ok(Standing {
        ledger: tx.ledger(LedgerOf::Everything).await?,
        depth: tx.queue_depth().await?,
        providers: tx.provider_states(false).await?,
        mailboxes: tx.mailbox_states().await?,
    })
}

fn write_standing(text: &mut String, standing: &Standing, now: Timestamp) {
    let ledger = &standing.ledger;
    let by_status = [
        ("delivered", ledger.delivered),
        ("failed", ledger.failed),
        ("suppressed", ledger.suppressed),
        ("cancelled", ledger.cancelled),
        ("expired", ledger.expired),
        ("in_doubt", ledger.in_doubt),
        ("held", ledger.held),
        ("queued", ledger.queued),
    ]
    .map(|(status, count)| (format!("{{status=\"{status}\"}}"), count));
    write_gauge(text, "touchline_messages", "Messages by where they stand.", &by_status);
    let depth = [(String::new(), standing.depth)];
    write_gauge(text, "touchline_queue_entries", "Entries in the queue.", &depth);
    let paused: Vec<(String, i64)> = standing
        .providers
        .iter()
        .map(|provider| (of_provider(&provider.provider), i64::from(provider.is_paused(now))))
        .collect();
    write_gauge(
        text,
        "touchline_provider_paused",
        "Whether the account is paused, by a person or an account fault.",
        &paused,
    );
}

/// How the accounts stand: by what this node sees, and by what all have written down where that can be read.
fn write_accounts(text: &mut String, state: &WebState, known: &[ProviderState]) {
    let now = state.gateway.clock.now();
    let nothing_known = ProviderState::default();
    let state_of = |name: &str| known.iter().find(|state| state.provider == name).unwrap_or(&nothing_known);
    let all = || state.gateway.accounts.iter().map(|(name, account)| (name, account, state_of(name)));
    let gauge = |value: fn(&ConfiguredAccount, &ProviderState, Timestamp) -> Option<i64>| -> Vec<(String, i64)> {
        all().filter_map(|(name, account, known)| Some((of_provider(name), value(account, known, now)?))).collect()
    };
    let open = gauge(|account, known, now| Some(i64::from(account.rests_until(known, now).is_some())));
    write_gauge(
        text,
        "touchline_provider_breaker_open",
        "Whether the account is paused briefly after faults in a row.",
        &open,
    );
    let faults = gauge(|account, known, _| Some(known.faults.max(i64::from(account.layered.breaker().faults))));
    write_gauge(text, "touchline_provider_faults_in_a_row", "Faults of the provider in a row.", &faults);
    let spent = gauge(|account, known, now| account.budget.map(|_| known.meter.today(now).0));
    write_gauge(text, "touchline_provider_hand_overs_today", "Hand-overs that count against the daily budget.", &spent);
    let budget = gauge(|account, _, _| account.budget.and_then(|budget| budget.hand_overs).map(i64::from));
    write_gauge(text, "touchline_provider_hand_overs_budget", "Hand-overs that the daily budget allows.", &budget);
}

/// How the reading of each configured mailbox stands, whichever node reads it.
fn write_mailboxes(text: &mut String, state: &WebState, known: &[MailboxState]) {
    let now = state.gateway.clock.now();
    let gauge = |value: fn(&MailboxState, Timestamp) -> Option<i64>| -> Vec<(String, i64)> {
        let configured = |known: &MailboxState| {
            let mailbox = state.gateway.config.mailboxes.get(&known.name)?;
            let labels = format!("{{mailbox=\"{}\",protocol=\"{}\"}}", known.name, mailbox.settings.kind);
            Some((labels, value(known, now)?))
        };
        known.iter().filter_map(configured).collect()
    };
    let read = gauge(|known, _| known.read_ms.map(|at| at.0.div_euclid(1_000)));
    let name = "touchline_mailbox_last_read_timestamp_seconds";
    write_gauge(text, name, "When the mailbox was last read to its end, in seconds since 1970.", &read);
    let unread = gauge(|known, now| Some(i64::from(known.needs_person(now))));
    let words = "Whether nobody could read the mailbox for an hour, or its login is refused.";
    write_gauge(text, "touchline_mailbox_unread", words, &unread);
    let to_look_at = gauge(|known, _| Some(known.to_look_at));
    let words = "Mails that could not be read and that nobody has looked at.";
    write_gauge(text, "touchline_mailbox_mails_to_look_at", words, &to_look_at);
}

/// Account names are of a-z, 0-9, hyphen and underscore, so that nothing needs escaping.
fn of_provider(name: &str) -> String {
    format!("{{provider=\"{name}\"}}")
}

/// One gauge in the Prometheus text format, version 0.0.4.
fn write_gauge(text: &mut String, name: &str, help: &str, samples: &[(String, i64)]) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
