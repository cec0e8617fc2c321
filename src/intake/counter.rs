//! The counter: single letters, many callers at once, each durable before its answer. What comes in while one transaction
//! runs goes together into the next one, so that a hundred callers share one fsync and a handful of statements.

use std::collections::{HashMap, HashSet};

use super::expand::{self, Draft, Frame, Known};
use super::submit::{self, Accepted, Begun, Request, answer_of, said};
use super::{IntakeError, Parts, check};
use crate::domain::Timestamp;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::referrers::{ReferrersError, audience};
use crate::store::engine::batch::Batcher;
use crate::store::records::submissions::SubmissionRow;
use crate::store::{StoreError, Tx};

type Answer = Result<Accepted, IntakeError>;

/// Where single letters are handed in.
#[derive(Debug)]
pub struct Counter {
    parts: Parts,
    batcher: Batcher<Request, Answer>,
}

impl Counter {
    /// Opens it; must be called within a runtime.
    #[must_use]
    pub fn open(parts: Parts) -> Self {
        let own = parts.clone();
        Self { parts, batcher: Batcher::start(move |requests| accept_all(own.clone(), requests)) }
    }

    /// Accepts a submission as [`submit::begin`] does; single letters that come in at the same time share a transaction.
    ///
    /// # Errors
    /// As [`submit::begin`].
    pub async fn begin(&self, request: Request) -> Result<Begun, IntakeError> {
        if request.makes_a_broadcast() {
            return submit::begin(&self.parts, &request).await;
        }
        match self.batcher.ask(request.clone()).await {
            Ok(answer) => answer.map(Begun::Done),
            // A transaction stands or falls as a whole: what fell with others is tried alone.
            Err(_) => submit::begin(&self.parts, &request).await,
        }
    }
}

/// Accepts one letter in a transaction of its own.
pub(super) async fn accept_one(parts: &Parts, request: &Request) -> Answer {
    let answers = match accept_all(parts.clone(), vec![request.clone()]).await {
        // Another caller with the same key was faster: the second look finds its answer.
        Err(StoreError::Conflict(_)) => accept_all(parts.clone(), vec![request.clone()]).await?,
        other => other?,
    };
    answers.into_iter().next().unwrap_or(Err(IntakeError::KeyReused))
}

async fn accept_all(parts: Parts, requests: Vec<Request>) -> Result<Vec<Answer>, StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let table = Table::lay(&mut tx, &parts, &requests).await?;
    let mut answers = Vec::with_capacity(requests.len());
    let (mut rows, mut whole): (Vec<SubmissionRow>, Draft) = (Vec::new(), Draft::default());
    for request in &requests {
        let answer = table.answer(&parts, request, &rows, now);
        answers.push(answer.map(|(accepted, new)| {
            if let Some((row, draft)) = new {
                rows.push(row);
                whole.append(draft);
            }
            accepted
        }));
    }
    tx.submissions_insert(&rows).await?;
    expand::keep(&mut tx, &whole, now).await?;
    tx.commit().await?;
    if !whole.work.is_empty() {
        parts.queue.wake();
    }
    Ok(answers)
}

/// Everything that the requests of one transaction are looked at with.
struct Table {
    full: Option<IntakeError>,
    earlier: HashMap<String, SubmissionRow>,
    referrers: HashMap<String, Result<Referrer, IntakeError>>,
    known: Known,
}

impl Table {
    async fn lay(tx: &mut Tx, parts: &Parts, requests: &[Request]) -> Result<Self, StoreError> {
        let full = match submit::check_depth(tx, parts).await {
            Err(IntakeError::Store(error)) => return Err(error),
            other => other.err(),
        };
        let keys: Vec<&str> = requests.iter().filter_map(|request| request.idempotency_key.as_deref()).collect();
        let earlier = tx.submissions_by_keys(&keys).await?;
        let earlier = earlier.into_iter().filter_map(|row| Some((row.idempotency_key.clone()?, row))).collect();
        let referrers = read_referrers(tx, requests).await?;
        let found: Vec<Referrer> = referrers.values().filter_map(|found| found.as_ref().ok().cloned()).collect();
        let known = expand::read_known(tx, &found).await?;
        Ok(Self { full, earlier, referrers, known })
    }

    /// What one request becomes: an earlier answer, or what is to be stored.
    fn answer(
        &self,
        parts: &Parts,
        request: &Request,
        rows: &[SubmissionRow],
        now: Timestamp,
    ) -> Result<(Accepted, Option<(SubmissionRow, Draft)>), IntakeError> {
        if let Some(key) = &request.idempotency_key {
            submit::check_key(key)?;
            let beside = || rows.iter().find(|row| row.idempotency_key.as_ref() == Some(key));
            if let Some(earlier) = self.earlier.get(key).or_else(beside) {
                return Ok((answer_of(earlier, request)?, None));
            }
        }
        submit::check_request(parts, request)?;
        if let Some(full) = &self.full {
            return Err(full.again());
        }
        let referrer = match self.referrers.get(&request.to.to_string()) {
            Some(Ok(referrer)) => std::slice::from_ref(referrer),
            Some(Err(error)) => return Err(error.again()),
            None => return Err(IntakeError::NotFound("nobody is named".to_owned())),
        };
        check::variables(parts, request, referrer)?;
        let frame = Frame::of(parts, request)?;
        let mut draft = expand::expand(parts, &frame, &self.known, &mut HashSet::new(), referrer)?;
        let mut accepted = Accepted::begin(&frame);
        accepted.add(std::mem::take(&mut draft.said), std::mem::take(&mut draft.skipped));
        let row = submit::row(request, frame.submission, said(&accepted)?, now);
        Ok((accepted, Some((row, draft))))
    }
}

/// The referrer that each request names; those named by id are read at once.
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
                Err(ReferrersError::Store(error)) => return Err(error),
                other => other.map_err(IntakeError::from),
            },
        };
        found.insert(name, referrer);
    }
    Ok(found)
}
