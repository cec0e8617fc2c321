//! Single letters: many concurrent callers, each letter durable before its answer. What arrives while one transaction
//! runs goes into the next one together, so that a hundred callers share one fsync and a handful of statements.

use std::collections::{HashMap, HashSet};

use super::answer::Accepted;
use super::plan::{self, Draft, Frame};
use super::recorded::Submitted;
use super::repeat::{Guard, History, Wanted};
use super::request::{self, Request};
use super::{IntakeError, Parts, variables};
use crate::consent::facts::AddressFacts;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::domain::{Actor, Timestamp};
use crate::referrers::audience;
use crate::store::engine::batch::Batcher;
use crate::store::records::events::AuditLine;
use crate::store::records::submissions::SubmissionRow;
use crate::store::{StoreError, Tx};

type Answer = Result<Accepted, IntakeError>;

/// The worker that accepts single letters in batches.
pub type SingleBatcher = Batcher<Request, Answer>;

/// Starts the worker; must be called within a runtime. It ends when its last handle is dropped.
pub(super) fn start(parts: &Parts) -> SingleBatcher {
    // Without the worker itself, which would otherwise keep itself alive forever.
    let own = Parts { singles: std::sync::Arc::default(), ..parts.clone() };
    Batcher::start(move |requests| accept_all(own.clone(), requests))
}

/// Accepts one letter; those that come in at the same time share a transaction.
pub(super) async fn submit(parts: &Parts, request: &Request) -> Answer {
    match parts.singles.get_or_init(|| start(parts)).ask(request.clone()).await {
        Ok(answer) => answer,
        // A transaction succeeds or fails as a whole: what failed with others is tried alone.
        Err(_) => submit_alone(parts, request).await,
    }
}

/// Accepts one letter in its own transaction.
async fn submit_alone(parts: &Parts, request: &Request) -> Answer {
    let answers = match accept_all(parts.clone(), vec![request.clone()]).await {
        // Another caller with the same key was faster: the second check finds its answer.
        Err(StoreError::Conflict(_)) => accept_all(parts.clone(), vec![request.clone()]).await?,
        other => other?,
    };
    answers.into_iter().next().unwrap_or(Err(IntakeError::KeyReused))
}

async fn accept_all(parts: Parts, requests: Vec<Request>) -> Result<Vec<Answer>, StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut table = Table::lay(&mut tx, &parts, &requests, now).await?;
    let mut answers = Vec::with_capacity(requests.len());
    let (mut rows, mut whole, mut entries): (Vec<SubmissionRow>, Draft, Vec<AuditLine>) = Default::default();
    for request in &requests {
        let answer = table.answer(&parts, request, &rows, now);
        answers.push(answer.map(|(accepted, new)| {
            if let Some((row, draft)) = new {
                let one = table.referrer(request).map(|referrer| referrer.id);
                entries.extend(Submitted::of(request, one).entries(&accepted, &request.who, now));
                rows.push(row);
                table.history.note(&parts, &draft);
                whole.append(draft);
            }
            accepted
        }));
    }
    tx.submissions_insert(&rows).await?;
    plan::keep(&mut tx, &whole, now).await?;
    tx.audit_insert(&entries).await?;
    tx.commit().await?;
    if !whole.work.is_empty() {
        parts.queue.wake();
    }
    Ok(answers)
}

/// Everything needed to check the requests of one transaction.
struct Table {
    full: Option<IntakeError>,
    earlier: HashMap<(Actor, String), SubmissionRow>,
    referrers: HashMap<String, Result<Referrer, IntakeError>>,
    facts: AddressFacts,
    history: History,
}

impl Table {
    async fn lay(tx: &mut Tx, parts: &Parts, requests: &[Request], now: Timestamp) -> Result<Self, StoreError> {
        let full = match request::check_depth(tx, parts).await {
            Err(IntakeError::Store(error)) => return Err(error),
            other => other.err(),
        };
        let keyed = requests.iter().filter_map(|request| Some((&request.who, request.idempotency_key.as_deref()?)));
        let keys: Vec<(&Actor, &str)> = keyed.collect();
        let earlier = tx.submissions_by_keys(&keys).await?;
        let earlier = earlier
            .into_iter()
            .filter_map(|row| Some(((row.who.clone(), row.idempotency_key.clone()?), row)))
            .collect();
        let referrers = read_referrers(tx, requests).await?;
        let found: Vec<Referrer> = referrers.values().filter_map(|found| found.as_ref().ok().cloned()).collect();
        let facts = AddressFacts::look(tx, &plan::keys(&found)).await?;
        let history = History::lock(tx, &wanted(parts, requests, &referrers, now)).await?;
        Ok(Self { full, earlier, referrers, facts, history })
    }

    /// Whom a request names, if there is somebody.
    fn referrer(&self, request: &Request) -> Option<&Referrer> {
        self.referrers.get(&request.to.to_string())?.as_ref().ok()
    }

    /// The result of one request: an earlier answer, or what is to be stored.
    fn answer(
        &self,
        parts: &Parts,
        request: &Request,
        rows: &[SubmissionRow],
        now: Timestamp,
    ) -> Result<(Accepted, Option<(SubmissionRow, Draft)>), IntakeError> {
        if let Some(key) = &request.idempotency_key {
            request::check_key(key)?;
            let is_same = |row: &&SubmissionRow| row.who == request.who && row.idempotency_key.as_ref() == Some(key);
            let beside = || rows.iter().find(is_same);
            if let Some(earlier) = self.earlier.get(&(request.who.clone(), key.clone())).or_else(beside) {
                return Ok((request::answer_of(earlier, request)?, None));
            }
        }
        request::check(parts, request)?;
        if let Some(full) = &self.full {
            return Err(full.again());
        }
        let referrer = match self.referrers.get(&request.to.to_string()) {
            Some(Ok(referrer)) => std::slice::from_ref(referrer),
            Some(Err(error)) => return Err(error.again()),
            None => return Err(IntakeError::NotFound("no one is named".to_owned())),
        };
        variables::check(parts, request, referrer)?;
        let frame = Frame::of(parts, request)?;
        let mut draft = plan::plan(parts, &frame, &self.facts, &self.history, &mut HashSet::new(), referrer)?;
        let mut accepted = Accepted::begin(frame.submission, frame.broadcast, frame.undo_until);
        accepted.add(std::mem::take(&mut draft.said), std::mem::take(&mut draft.skipped));
        accepted.close_idle_window();
        let row = request::row(request, frame.submission, &accepted, now)?;
        Ok((accepted, Some((row, draft))))
    }
}

/// What has to be known of earlier letters. What cannot be found is refused later, request by request.
fn wanted(
    parts: &Parts,
    requests: &[Request],
    referrers: &HashMap<String, Result<Referrer, IntakeError>>,
    now: Timestamp,
) -> Wanted {
    let mut wanted = Wanted::default();
    for request in requests {
        let Some(Ok(referrer)) = referrers.get(&request.to.to_string()) else { continue };
        if let Some(letter) = parts.renderer.letter(request.content_for(referrer.id).0) {
            wanted.add(parts, letter, Some(Guard::of(request)), request.due(now), referrer.id);
        }
    }
    wanted
}

/// The referrer that each request names; those named by id are read together.
async fn read_referrers(
    tx: &mut Tx,
    requests: &[Request],
) -> Result<HashMap<String, Result<Referrer, IntakeError>>, StoreError> {
    let names: HashMap<String, Option<ReferrerId>> = requests
        .iter()
        .map(|request| request.to.to_string())
        .map(|name| {
            let id = name.trim().parse().ok();
            (name, id)
        })
        .collect();
    let ids: Vec<ReferrerId> = names.values().filter_map(|id| *id).collect();
    let mut by_id: HashMap<ReferrerId, Referrer> =
        tx.referrers(&ids).await?.into_iter().map(|one| (one.id, one)).collect();
    let mut found = HashMap::with_capacity(names.len());
    for (name, id) in names {
        let referrer = match id.and_then(|id| by_id.remove(&id)) {
            Some(referrer) => Ok(referrer),
            None => match audience::one(tx, &name).await {
                Err(crate::referrers::ReferrersError::Store(error)) => return Err(error),
                other => other.map_err(IntakeError::from),
            },
        };
        found.insert(name, referrer);
    }
    Ok(found)
}
