//! `/`: what needs a person now, how everything stands, what is running, what happened last.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::frame::{self, Frame, Section};
use super::notice::Asked;
use super::view::attention::{self, Need, Signs};
use super::view::lines::{self, BroadcastRow, LineRow, Tile};
use super::view::moment::{Calendar, Moment};
use super::view::words;
use crate::access::Operator;
use crate::accounts::breaker_records;
use crate::accounts::layers::BreakerState;
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::store::records::provider_state::ProviderState;
use crate::store::views::ledger::{Ledger, LedgerOf};
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;

/// Broadcasts shown with their bars.
const BROADCASTS_SHOWN: i64 = 10;
/// Messages in the list of the latest.
const LATEST_SHOWN: i64 = 15;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    needs: Vec<Need>,
    tiles: Vec<Tile>,
    total: String,
    referrers: i64,
    broadcasts: Vec<BroadcastRow>,
    latest: Vec<LineRow>,
    now: Moment,
}

/// `GET /`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let mut tx = state.gateway.store.read().await?;
    let ledger = tx.ledger(LedgerOf::Everything).await?;
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Overview, "Overview", &asked),
        needs: needs(&mut tx, &state, &ledger, &calendar).await?,
        tiles: lines::tiles(&ledger),
        total: words::count(ledger.total, "message", "messages"),
        referrers: tx.referrer_count().await?,
        broadcasts: running(&mut tx, &calendar).await?,
        latest: tx.messages_recent(LATEST_SHOWN).await?.iter().map(|line| LineRow::of(line, &calendar)).collect(),
        now: calendar.moment(calendar.now),
    };
    Ok(frame::show(&page))
}

async fn needs(tx: &mut Tx, state: &WebState, ledger: &Ledger, calendar: &Calendar) -> Result<Vec<Need>, StoreError> {
    let accounts = &state.gateway.accounts;
    let mut providers = tx.provider_states(false).await?;
    // A row of an account that the configuration no longer names pauses nothing.
    providers.retain(|state| accounts.get(&state.provider).is_some());
    let resting = resting(accounts, &providers, calendar);
    let dead_addresses = tx.addresses_dead_count().await?;
    let signs = Signs { ledger, providers: &providers, resting: &resting, dead_addresses };
    Ok(attention::needs(&signs))
}

/// The accounts that rest now, by what this node saw or another one wrote down.
fn resting(accounts: &Accounts, states: &[ProviderState], calendar: &Calendar) -> Vec<(String, BreakerState)> {
    let nothing_known = ProviderState::default();
    let rests = |(name, account): (&str, &ConfiguredAccount)| {
        let state = states.iter().find(|state| state.provider == name).unwrap_or(&nothing_known);
        account.rests_until(state, calendar.now)?;
        let here = account.layered.breaker();
        let seen = if here.open_until_ms > calendar.now { here } else { breaker_records::as_breaker(state.clone()) };
        Some((name.to_owned(), seen))
    };
    accounts.iter().filter_map(rests).collect()
}

async fn running(tx: &mut Tx, calendar: &Calendar) -> Result<Vec<BroadcastRow>, StoreError> {
    let mut rows = Vec::new();
    for broadcast in tx.broadcasts_running(BROADCASTS_SHOWN).await? {
        let ledger = tx.ledger(LedgerOf::Broadcast(broadcast.id)).await?;
        rows.push(BroadcastRow::of(&broadcast, &ledger, calendar));
    }
    Ok(rows)
}
