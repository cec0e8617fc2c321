//! Variables: every recipient's letter can be written, or the names of those for whom it cannot. Pure work over the whole
//! list, on all cores, a portion in memory at a time.

use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::request::Request;
use super::unfold::PORTION;
use super::{IntakeError, Parts};
use crate::domain::Channel;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::store::StoreError;

/// Recipients with missing variables that are named one by one.
const NAMES_SHOWN_MAX: usize = 20;

/// Recipients whose letters lack variables.
#[derive(Debug, Default)]
struct Lacking {
    count: usize,
    named: Vec<String>,
}

impl Lacking {
    fn look(parts: &Parts, request: &Request, recipients: &[Referrer]) -> Self {
        let mut lacking = Self::default();
        for referrer in recipients {
            let (letter, variables) = request.content_for(referrer.id);
            let missing = if request.via.contains(&Channel::Fax) && referrer.fax.is_some() {
                parts.renderer.missing_on_fax(letter, referrer, variables)
            } else {
                parts.renderer.missing(letter, referrer, variables)
            };
            if !missing.is_empty() {
                lacking.count += 1;
                if lacking.named.len() < NAMES_SHOWN_MAX {
                    lacking.named.push(format!("  {}: {}", referrer.display_name(), missing.join("; ")));
                }
            }
        }
        lacking
    }

    fn and(mut self, more: Self) -> Self {
        self.count += more.count;
        let room = NAMES_SHOWN_MAX.saturating_sub(self.named.len());
        self.named.extend(more.named.into_iter().take(room));
        self
    }

    fn verdict(mut self) -> Result<(), IntakeError> {
        if self.count == 0 {
            return Ok(());
        }
        if self.count > self.named.len() {
            self.named.push(format!("  … and {} more", self.count - self.named.len()));
        }
        Err(IntakeError::MissingVariables(self.named))
    }
}

/// Checks a few recipients on the caller's thread.
pub(super) fn check(parts: &Parts, request: &Request, recipients: &[Referrer]) -> Result<(), IntakeError> {
    Lacking::look(parts, request, recipients).verdict()
}

/// Checks a whole list.
pub(super) async fn check_all(parts: &Parts, request: &Request, recipients: &[ReferrerId]) -> Result<(), IntakeError> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let shared = Arc::new((parts.clone(), request.clone()));
    let portions: Vec<Vec<ReferrerId>> = recipients.chunks(PORTION).map(<[ReferrerId]>::to_vec).collect();
    let looks = stream::iter(portions).map(move |portion| look(shared.clone(), portion)).buffered(cores);
    let mut looks = pin!(looks);
    let mut lacking = Lacking::default();
    while let Some(more) = looks.next().await {
        lacking = lacking.and(more?);
    }
    lacking.verdict()
}

async fn look(shared: Arc<(Parts, Request)>, portion: Vec<ReferrerId>) -> Result<Lacking, IntakeError> {
    let mut tx = shared.0.store.read().await?;
    let referrers = tx.referrers_in_order(&portion).await?;
    drop(tx);
    let looked = tokio::task::spawn_blocking(move || Lacking::look(&shared.0, &shared.1, &referrers));
    Ok(looked.await.map_err(|_| StoreError::Unavailable("the check stopped unexpectedly".to_owned()))?)
}
