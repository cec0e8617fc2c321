//! Variables: every recipient's letter can be written, or why it cannot, each reason once with how many recipients it
//! concerns. Pure work over the whole list, on all cores, a portion in memory at a time.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::request::Request;
use super::unfold::PORTION;
use super::{IntakeError, Parts};
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::domain::{Channel, PhiClass};
use crate::render::{Flaw, Missing};
use crate::store::StoreError;

/// Reasons that are told apart; further ones are only counted.
const GAPS_SHOWN_MAX: usize = 20;
/// Recipients that are named for each reason.
const NAMES_SHOWN_MAX: usize = 3;

/// One reason for which letters cannot be written, with how many recipients it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The reason, in one sentence.
    pub words: String,
    /// The variable, if it only has to be filled in.
    pub missing: Option<Missing>,
    /// Whether the letter is about a patient.
    pub of_a_patient: bool,
    /// How many recipients it concerns.
    pub recipients: usize,
    /// The first few of them.
    pub names: Vec<String>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, names) = (&self.words, self.names.join("; "));
        match self.recipients {
            0 => f.write_str(words),
            1 => write!(f, "{words} (1 recipient: {names})"),
            many if many <= self.names.len() => write!(f, "{words} ({many} recipients: {names})"),
            many => write!(f, "{words} ({many} recipients, such as {names})"),
        }
    }
}

/// Recipients whose letters lack variables.
#[derive(Debug, Default)]
struct Lacking {
    gaps: Vec<Gap>,
    /// Recipients with reasons that are not told apart any more.
    others: usize,
}

impl Lacking {
    fn look(parts: &Parts, request: &Request, recipients: &[Referrer]) -> Self {
        let mut lacking = Self::default();
        for referrer in recipients {
            let (letter, variables) = request.content_for(referrer.id);
            let flaws = if is_faxed(parts, request, referrer) {
                parts.renderer.flaws_on_fax(letter, referrer, variables)
            } else {
                parts.renderer.flaws(letter, referrer, variables)
            };
            let of_a_patient = parts.renderer.letter(letter).is_some_and(|letter| letter.phi == PhiClass::Identified);
            for Flaw { words, missing } in flaws {
                let names = vec![referrer.display_name()];
                lacking.add(Gap { words, missing, of_a_patient, recipients: 1, names });
            }
        }
        lacking
    }

    fn add(&mut self, gap: Gap) {
        if let Some(known) = self.gaps.iter_mut().find(|known| known.words == gap.words) {
            known.recipients += gap.recipients;
            let room = NAMES_SHOWN_MAX.saturating_sub(known.names.len());
            known.names.extend(gap.names.into_iter().take(room));
        } else if self.gaps.len() < GAPS_SHOWN_MAX {
            self.gaps.push(gap);
        } else {
            self.others += gap.recipients;
        }
    }

    fn and(mut self, more: Self) -> Self {
        self.others += more.others;
        more.gaps.into_iter().for_each(|gap| self.add(gap));
        self
    }

    fn verdict(mut self) -> Result<(), IntakeError> {
        if self.gaps.is_empty() {
            return Ok(());
        }
        if self.others > 0 {
            let words = format!("… and {} more with other reasons", self.others);
            self.gaps.push(Gap { words, missing: None, of_a_patient: false, recipients: 0, names: Vec::new() });
        }
        Err(IntakeError::MissingVariables(self.gaps))
    }
}

/// Whether the recipient's letter has to print on a fax. One recipient of a list whose name does not is left out of its faxes
/// later, so that nobody else waits for it.
fn is_faxed(parts: &Parts, request: &Request, referrer: &Referrer) -> bool {
    let is_asked_for = request.via.contains(&Channel::Fax) && referrer.fax.is_some();
    let is_left_out = || request.makes_a_broadcast() && parts.renderer.unprintable_in_name(referrer).is_some();
    is_asked_for && !is_left_out()
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
