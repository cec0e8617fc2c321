//! Typesetting alone: the letters of the fax row set by as many threads as there are cores, in this process, with the
//! daemon's own code and allocator. Nothing is claimed, stored, sent or recorded.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};
use touchline::domain::id::{ReferrerId, short};
use touchline::domain::referrer::Referrer;
use touchline::domain::{Clock, SystemClock};
use touchline::render::{Job, Renderer, Severity};
use touchline::store::records::documents::Document;

use crate::support::arguments::Engine;
use crate::support::crowd::{self, Crowd};
use crate::support::daemon::own_cpu_seconds;
use crate::support::database::Database;
use crate::support::letter::{LETTER, renderer, variables};
use crate::support::spread::rate;

/// What is typeset, for whom, and on how many threads.
pub struct Typesetting {
    letters: Arc<Letters>,
    threads: usize,
}

struct Letters {
    renderer: Renderer,
    variables: Map<String, Value>,
    referrers: Vec<Referrer>,
}

impl Typesetting {
    /// Loads the letters, and reads the recipients as the daemon reads them.
    pub async fn prepare(crowd: &Crowd) -> anyhow::Result<Self> {
        let database = Database::fresh(Engine::Sqlite).await?.context("a file is always to be had")?;
        crowd::know(&mut database.desk().await?, crowd).await?;
        let ids: Vec<ReferrerId> =
            (crowd.first..=crowd.last).map(|number| ReferrerId(crowd::referrer_id(number))).collect();
        let store = database.store().await?;
        let referrers = store.read().await?.referrers(&ids).await?;
        store.close().await;
        database.remove().await;
        ensure!(referrers.len() == ids.len(), "{} of {} recipients", referrers.len(), ids.len());
        let letters = Arc::new(Letters { renderer: renderer()?, variables: variables(), referrers });
        Ok(Self { letters, threads: std::thread::available_parallelism()?.get() })
    }

    /// As many as there are cores.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// One round: letters per second, and milliseconds of processor for each.
    pub async fn once(&self) -> anyhow::Result<(f64, f64)> {
        let (letters, threads) = (self.letters.clone(), self.threads);
        tokio::task::spawn_blocking(move || letters.set_all(threads)).await?
    }
}

impl Letters {
    fn set_all(&self, threads: usize) -> anyhow::Result<(f64, f64)> {
        let next = AtomicUsize::new(0);
        let (started, cpu) = (Instant::now(), own_cpu_seconds()?);
        let set: anyhow::Result<usize> = std::thread::scope(|scope| {
            let working: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work(&next))).collect();
            working.into_iter().map(|worker| worker.join().expect("a typesetting thread does not panic")).sum()
        });
        let (set, took, cpu) = (set?, started.elapsed(), own_cpu_seconds()? - cpu);
        ensure!(set == self.referrers.len(), "{set} of {} letters were typeset", self.referrers.len());
        Ok((rate(set, took), cpu * 1e3 / set as f64))
    }

    /// What one thread does: as long as there are letters, the next one. How many they were.
    fn work(&self, next: &AtomicUsize) -> anyhow::Result<usize> {
        let mut set = 0;
        while let Some(referrer) = self.referrers.get(next.fetch_add(1, Ordering::Relaxed)) {
            black_box(self.set(referrer)?);
            set += 1;
        }
        Ok(set)
    }

    /// A letter as the daemon sets it before it hands it over: pages, lint, and the document that it would store.
    fn set(&self, referrer: &Referrer) -> anyhow::Result<Document> {
        let reference = short(&referrer.id.0);
        let job = Job {
            letter: LETTER,
            referrer,
            variables: &self.variables,
            now: SystemClock.now(),
            reference: &reference,
            unsubscribe: None,
            automatic: true,
        };
        let fax = self.renderer.fax(&job)?;
        if let Some(finding) = fax.lint.iter().find(|finding| finding.severity == Severity::Error) {
            bail!("the lint objects: {}", finding.message);
        }
        ensure!(fax.pages == 1, "{} pages instead of one", fax.pages);
        Ok(Document::new(fax.hash.clone(), "pdf", fax.pdf.clone()))
    }
}
