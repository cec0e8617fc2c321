//! The poller: the safety net under the callbacks. It asks about every accepted message until there is a final report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::Parts;
use crate::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use crate::domain::event::{EventSource, Fact};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::{AttemptId, MessageId};
use crate::domain::provider_state::Pause;
use crate::domain::{Channel, Rule};
use crate::queue::{Lanes, Lease};
use crate::settle::{self, Evidence, Origin, POLL, SUBMIT, Update};
use crate::store::engine::rows::ROWS_MAX;
use crate::store::{StoreError, in_time};

/// Concurrent questions; the account's own concurrency limit bounds them further.
const QUESTIONS_MAX: usize = 16;
/// Messages handled in one round.
const ROUND_MAX: usize = ROWS_MAX;
/// However long a provider asks us to wait, we ask again after this.
const LATER_MAX: Duration = Duration::from_secs(1800);
/// When what is due is looked at again whose account has a round under way.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// The shortest wait before an account that refuses us is asked again.
const REFUSED_WAIT: Duration = Duration::from_secs(300);
/// The shortest wait after a round that found nothing, however often the queue is signaled.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until shut down; running questions finish first. Each account has a round of its own, so that one that answers
/// slowly holds up no other.
pub(super) async fn run(parts: Parts, stop: CancellationToken) {
    let (rounds, busy) = (TaskTracker::new(), Busy::default());
    while !stop.is_cancelled() {
        let begun = in_time(begin_rounds(&parts, &rounds, &busy)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the queue could not be read; trying again");
            0
        });
        if begun == 0 {
            tokio::select! {
                () = rest(&parts) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    rounds.close();
    rounds.wait().await;
}

/// Claims what is due and begins a round for each account that has none under way; what belongs to one that has is put
/// off. Returns how many rounds began.
async fn begin_rounds(parts: &Parts, rounds: &TaskTracker, busy: &Busy) -> Result<usize, StoreError> {
    let now = parts.clock.now();
    let claimed = parts.queue.claim(POLL, Lanes::All, ROUND_MAX, now).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let mut by_account: BTreeMap<String, Vec<Due>> = BTreeMap::new();
    for due in read(parts, claimed).await? {
        let account = due.subject.as_ref().map(|(_, attempt)| attempt.provider.clone()).unwrap_or_default();
        by_account.entry(account).or_default().push(due);
    }
    let (mut begun, mut later) = (0, Vec::new());
    for (account, dues) in by_account {
        match busy.begin(account) {
            Some(turn) => {
                let parts = parts.clone();
                rounds.spawn(async move {
                    ask_about(&parts, dues).await;
                    drop(turn);
                    parts.queue.wake();
                });
                begun += 1;
            }
            None => later.extend(dues.iter().map(|due| (due.claimed.id, due.claimed.fence, now.after(BUSY_WAIT)))),
        }
    }
    if !later.is_empty() {
        let mut tx = parts.store.write().await?;
        tx.queue_snooze_all(POLL, &later).await?;
        tx.commit().await?;
    }
    Ok(begun)
}

/// The accounts that have a round under way.
#[derive(Debug, Clone, Default)]
struct Busy(Arc<Mutex<BTreeSet<String>>>);

/// An account's round, until it is dropped.
#[derive(Debug)]
struct Turn {
    busy: Busy,
    account: String,
}

impl Busy {
    /// Begins a round, unless the account has one.
    fn begin(&self, account: String) -> Option<Turn> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone());
        is_new.then(|| Turn { busy: self.clone(), account })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
    }
}

async fn rest(parts: &Parts) {
    tokio::time::sleep(PAUSE).await;
    parts.queue.wait(parts.poll).await;
}

/// Asks about up to `limit` accepted messages that are due and records the answers as they arrive. Returns how many
/// there were; one that could not be recorded is asked about again when its lease ends.
///
/// # Errors
/// The database cannot be used; then nothing was asked.
pub async fn poll_some(parts: &Parts, limit: usize) -> Result<usize, StoreError> {
    let claimed = parts.queue.claim(POLL, Lanes::All, limit, parts.clock.now()).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let found = claimed.len();
    ask_about(parts, in_time(read(parts, claimed)).await?).await;
    Ok(found)
}

/// A claimed message with its open attempt, if it has one.
struct Due {
    claimed: Lease,
    subject: Option<(Channel, Attempt)>,
}

async fn read(parts: &Parts, claimed: Vec<Lease>) -> Result<Vec<Due>, StoreError> {
    let mut subjects = Subjects::read(parts, &claimed).await?;
    let due = |claimed: Lease| Due { subject: subjects.take(&claimed), claimed };
    Ok(claimed.into_iter().map(due).collect())
}

/// Asks about these, some at a time, and records the answers as they arrive.
async fn ask_about(parts: &Parts, dues: Vec<Due>) {
    let looks = dues.into_iter().map(|Due { claimed, subject }| look(parts, claimed, subject));
    let mut answers = pin!(stream::iter(looks).buffer_unordered(QUESTIONS_MAX).ready_chunks(ROUND_MAX));
    while let Some(looked) = answers.next().await {
        if let Err(error) = in_time(write(parts, &looked)).await {
            tracing::warn!(%error, "reports could not be recorded; they are requested again");
        }
    }
}

/// The claimed messages that have an open attempt.
struct Subjects(HashMap<Uuid, (Channel, Attempt)>);

impl Subjects {
    async fn read(parts: &Parts, claimed: &[Lease]) -> Result<Self, StoreError> {
        let ids: Vec<MessageId> = claimed.iter().map(|entry| MessageId(entry.subject)).collect();
        let mut tx = parts.store.read().await?;
        let channels: HashMap<MessageId, Channel> =
            tx.messages(&ids, false).await?.into_iter().map(|message| (message.id, message.channel())).collect();
        let open = tx.attempts_open(&ids).await?;
        let of = |attempt: Attempt| Some((attempt.message_id.0, (*channels.get(&attempt.message_id)?, attempt)));
        Ok(Self(open.into_iter().filter_map(of).collect()))
    }

    fn take(&mut self, claimed: &Lease) -> Option<(Channel, Attempt)> {
        self.0.remove(&claimed.subject)
    }
}

/// The result of one look-up.
struct Looked {
    claimed: Lease,
    found: Found,
}

enum Found {
    Evidence(Update),
    /// Nothing new; the number of look-ups so far, and the time of the next.
    Nothing {
        attempt: AttemptId,
        looks: i64,
        again: Duration,
    },
    /// The provider refuses the account: it was no look, and the account is paused.
    Refused {
        provider: String,
        pause: Pause,
        again: Duration,
    },
    /// The entry no longer matches its message: the dispatcher finds out what does.
    Misfit,
}

/// Handles one accepted message.
async fn look(parts: &Parts, claimed: Lease, subject: Option<(Channel, Attempt)>) -> Looked {
    let Some((channel, attempt)) = subject.filter(|(_, attempt)| attempt.status == AttemptStatus::Accepted) else {
        return Looked { claimed, found: Found::Misfit };
    };
    let found = match ask(parts, channel, &attempt).await {
        Said::Known(evidence, origin) => Found::Evidence(Update { attempt: attempt.id, evidence, origin }),
        Said::NotNow(again) => Found::Nothing { attempt: attempt.id, looks: attempt.looks, again },
        Said::Refused(pause) => Found::Refused {
            pause,
            again: parts.rules.next_look(channel, &attempt.provider, attempt.looks).max(REFUSED_WAIT),
            provider: attempt.provider,
        },
        Said::Nothing => {
            let looks = attempt.looks + 1;
            Found::Nothing {
                attempt: attempt.id,
                looks,
                again: parts.rules.next_look(channel, &attempt.provider, looks),
            }
        }
    };
    Looked { claimed, found }
}

/// The result of a question.
enum Said {
    Known(Evidence, Origin),
    Nothing,
    /// It was not answered because there were too many: it does not count, and is asked again after this.
    NotNow(Duration),
    /// The account itself is refused: it does not count either, and the account is paused.
    Refused(Pause),
}

/// What the provider says now. If the provider cannot be asked, mail without a bounce counts
/// as delivered; a fax never does without a word from its provider.
async fn ask(parts: &Parts, channel: Channel, attempt: &Attempt) -> Said {
    let presumed = || Said::Known(Evidence::Presumed, Origin::rule(Rule::NoBounceInTime));
    let silent = || Said::Known(Evidence::Silent, Origin::rule(Rule::NoReportInTime));
    let age = parts.clock.now().since(attempt.opened_ms);
    let late = age > parts.rules.report_deadline;
    let nothing = || if late { silent() } else { Said::Nothing };
    let account = parts.accounts.get(&attempt.provider).filter(|account| account.capabilities().status);
    let reference = attempt.provider_reference.as_deref().and_then(ProviderReference::new);
    let (account, reference) = match (account, reference) {
        (Some(account), Some(reference)) => (account, reference),
        (None, _) if channel == Channel::Email => return presumed(),
        _ => return nothing(),
    };
    let asked = parts.clock.now();
    let answer = account.layered.status(&reference).await;
    let refuses_us = account.layered.refuses_us(attempt.id, answer.as_ref().err());
    match answer {
        Err(failure) if refuses_us => Said::Refused(settle::refused_question(&failure, asked)),
        Ok(report) if !matches!(report.fact, Fact::Progress { .. }) => {
            let origin = Origin::provider(EventSource::Poll, &attempt.provider);
            Said::Known(Evidence::Fact(report.fact, None), Origin { billed: report.billed, ..origin })
        }
        // A provider that was never asked is not called silent, unless there was no room for the question for very
        // long.
        Err(Failure { fault: Fault::RateLimited, retry_after_seconds: Some(seconds), .. })
            if age < parts.rules.report_deadline * 2 =>
        {
            Said::NotNow(Duration::from_secs(seconds).min(LATER_MAX))
        }
        Ok(_) | Err(_) => nothing(),
    }
}

/// Records the results of a few look-ups, all in one transaction; pauses before, in one of their own, since accounts are
/// locked before queue entries.
async fn write(parts: &Parts, looked: &[Looked]) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let (mut updates, mut later, mut misfits, mut pauses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Looked { claimed, found } in looked {
        match found {
            Found::Evidence(update) => updates.push(update.clone()),
            Found::Nothing { again, .. } => later.push((claimed.id, claimed.fence, now.after(*again))),
            Found::Refused { provider, pause, again } => {
                later.push((claimed.id, claimed.fence, now.after(*again)));
                pauses.push((provider.clone(), pause.clone()));
            }
            Found::Misfit => misfits.push((claimed.id, claimed.fence, now)),
        }
    }
    settle::pause_accounts(&parts.store, &pauses, now).await?;
    let mut tx = parts.store.write().await?;
    settle::apply_all(&mut tx, &parts.rules, &updates, now).await?;
    let ours = tx.queue_snooze_all(POLL, &later).await?;
    for Looked { claimed, found } in looked {
        if let Found::Nothing { attempt, looks, .. } = found
            && ours.contains(&claimed.id)
        {
            tx.attempt_update_looks(*attempt, *looks).await?;
        }
    }
    tx.queue_snooze_all(SUBMIT, &misfits).await?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(())
}
