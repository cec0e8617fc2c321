//! `/`: what needs a person now, how everything stands, what is running, what happened last.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{self, Frame, Section};
use super::mailboxes;
use super::notice::Asked;
use super::query::Query;
use super::undo::{self, UndoRow};
use super::view::lines::{self, BroadcastRow, LineRow, Tile};
use super::view::moment::{Calendar, Moment};
use super::view::titles;
use crate::accounts::unavailable::{Cause, Unavailable};
use crate::campaign;
use crate::domain::Channel;
use crate::domain::campaign::CampaignWait;
use crate::render::Renderer;
use crate::store::records::broadcasts::Broadcast;
use crate::store::records::campaigns::CampaignRow;
use crate::store::views::ledger::{Ledger, LedgerOf};
use crate::store::{StoreError, Tx};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;
use crate::wording::attention::{
    self, BrokenLetters, Need, PausedAccount, PausedBroadcast, RestingAccount, Signs, StaleCampaign, Subject,
};

/// Broadcasts shown with their bars.
const BROADCASTS_SHOWN: i64 = 10;
/// How long before a run its variables are asked for.
const RENEWED_AHEAD: Duration = Duration::from_secs(7 * 24 * 3600);
/// Messages in the list of the latest.
const LATEST_SHOWN: i64 = 15;

/// A matter that needs a person, with the page where it is dealt with.
struct Matter {
    need: Need,
    link: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    needs: Vec<Matter>,
    undoable: Vec<UndoRow>,
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
    let latest = tx.messages_recent(LATEST_SHOWN).await?;
    let renderer = &state.gateway.renderer;
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Overview, "Overview", &asked),
        needs: needs(&mut tx, &state, &ledger, &calendar).await?,
        undoable: undo::rows(&mut tx, &calendar, renderer).await?,
        tiles: lines::tiles(&ledger),
        total: wording::count(ledger.total, "message", "messages"),
        referrers: tx.referrer_count().await?,
        broadcasts: running(&mut tx, &calendar, renderer).await?,
        latest: latest.iter().map(|line| LineRow::of(line, &calendar, renderer)).collect(),
        now: calendar.moment(calendar.now),
    };
    Ok(frame::show(&page))
}

async fn needs(tx: &mut Tx, state: &WebState, ledger: &Ledger, calendar: &Calendar) -> Result<Vec<Matter>, StoreError> {
    let states = tx.provider_states(false).await?;
    let read = tx.mailbox_states().await?;
    let mut signs = Signs {
        not_delivered: ledger.failed + ledger.expired,
        in_doubt: ledger.in_doubt,
        held: ledger.held,
        not_deleted: tx.purges_given_up().await?,
        returns: tx.returns_open().await?,
        permissions: tx.calls_for_permission_count(state.intake.permission_only).await?,
        wrong_numbers: tx.calls_for_number_count().await?,
        dead_mailboxes: tx.mailboxes_dead_count().await?,
        clock_set_back: state.gateway.clock_set_back(),
        unread_mailboxes: mailboxes::unread(&state.gateway, &read, calendar),
        mails_to_look_at: mailboxes::to_look_at(&state.gateway, &read),
        letters: broken_letters(tx, state).await?,
        broadcasts: paused_broadcasts(tx, state, calendar).await?,
        campaigns: stale_campaigns(&tx.campaigns_list().await?, state, calendar),
        ..Signs::default()
    };
    for Unavailable { account, cause } in state.gateway.accounts.unavailable(&states, calendar.now) {
        match cause {
            Cause::Paused { reason, remedy, resumes } => {
                let until = resumes.map(|at| calendar.moment(at).said);
                signs.paused.push(PausedAccount { account, reason, remedy, until });
            }
            Cause::Resting { faults, fault } => signs.resting.push(RestingAccount { account, faults, fault }),
        }
    }
    Ok(attention::needs(&signs).into_iter().map(Matter::of).collect())
}

/// The broadcasts that have paused themselves and wait for a person.
async fn paused_broadcasts(
    tx: &mut Tx,
    state: &WebState,
    calendar: &Calendar,
) -> Result<Vec<PausedBroadcast>, StoreError> {
    let paused = tx.broadcasts_paused_now(BROADCASTS_SHOWN).await?;
    let one = |broadcast: &Broadcast| {
        Some(PausedBroadcast {
            id: broadcast.id,
            name: titles::broadcast(&state.gateway.renderer, broadcast),
            reason: broadcast.pause.paused_reason.clone(),
            since: calendar.moment(broadcast.paused_since()?).said,
        })
    };
    Ok(paused.iter().filter_map(one).collect())
}

/// The letters that are out of service, with the messages that wait for them.
async fn broken_letters(tx: &mut Tx, state: &WebState) -> Result<Vec<BrokenLetters>, StoreError> {
    let out_of_service = state.gateway.renderer.out_of_service();
    if out_of_service.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = tx.letters_waited_for().await?;
    let letters = out_of_service.into_iter().map(|out| {
        let concerns = |letter: &str, by: Channel| out.letters.contains(&letter) && out.by.is_none_or(|one| one == by);
        let messages = waiting.iter().filter(|(letter, by, _)| concerns(letter, *by)).map(|(_, _, messages)| messages);
        BrokenLetters {
            names: out.letters.iter().map(|name| (*name).to_owned()).collect(),
            by: out.by,
            mistake: out.mistake.to_string(),
            waiting: messages.sum(),
        }
    });
    Ok(letters.collect())
}

/// The campaigns whose run waits for renewed variables, or would within a week.
fn stale_campaigns(rows: &[CampaignRow], state: &WebState, calendar: &Calendar) -> Vec<StaleCampaign> {
    let soon = calendar.now.after(RENEWED_AHEAD);
    let is_near = |row: &&CampaignRow| row.next_ms.is_some_and(|next| next <= soon);
    let stale = rows.iter().filter(is_near).filter_map(|row| {
        let variables = campaign::renewals(&state.intake, row);
        let is_due = campaign::waits(&state.intake, row, &variables) == Some(CampaignWait::RenewVariables);
        (!variables.is_empty()).then(|| StaleCampaign { name: row.name.clone(), variables, is_due })
    });
    stale.collect()
}

impl Matter {
    fn of(need: Need) -> Self {
        let link = match need.subject {
            Subject::Providers | Subject::Mailboxes => "/providers",
            Subject::Failures => "/failures",
            Subject::InDoubt => "/failures#in_doubt",
            Subject::Held => "/failures#held",
            Subject::Returns => "/returns",
            Subject::Permissions => "/calls/permission",
            Subject::Numbers => "/calls/number",
            Subject::Addresses => "/referrers/addresses",
            Subject::Campaigns => "/campaigns",
            // Nothing on any page sets a machine's clock or corrects a file.
            Subject::Clock | Subject::Letters => "/",
            Subject::Broadcast(id) => return Self { need, link: format!("/messages?broadcast={id}") },
        };
        Self { need, link: link.to_owned() }
    }
}

async fn running(tx: &mut Tx, calendar: &Calendar, renderer: &Renderer) -> Result<Vec<BroadcastRow>, StoreError> {
    let mut rows = Vec::new();
    for broadcast in tx.broadcasts_running(BROADCASTS_SHOWN).await? {
        let ledger = tx.ledger(LedgerOf::Broadcast(broadcast.id)).await?;
        rows.push(BroadcastRow::of(&broadcast, &ledger, calendar, renderer));
    }
    Ok(rows)
}
