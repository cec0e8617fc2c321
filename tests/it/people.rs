//! Who is who: lists, corrections by hand, merges, and a year of imports compared with a model.

mod correcting;
mod finding;
mod knowing;
mod merging;
mod year;

use std::sync::Arc;
use std::time::Duration;

use touchline::domain::Actor;
use touchline::domain::referrer::Referrer;
use touchline::referrers::import::{ImportOptions, ImportReport, import};
use touchline::referrers::{Parts, sheet};
use touchline::store::Store;
use touchline::store::records::referrers::Members;

use crate::support::clock::FakeClock;

/// A practice's referrers over one database, with a clock that a test sets.
struct Desk {
    parts: Parts,
    clock: Arc<FakeClock>,
}

impl Desk {
    fn at(store: Store) -> Self {
        let clock = FakeClock::new();
        Self { parts: Parts { store, clock: clock.clone() }, clock }
    }

    async fn import(&self, csv: &str) -> ImportReport {
        self.import_with(csv, ImportOptions { list: "list.csv".to_owned(), ..ImportOptions::default() }).await
    }

    async fn import_with(&self, csv: &str, options: ImportOptions) -> ImportReport {
        self.clock.advance(Duration::from_secs(60));
        let sheet = sheet::read(csv.as_bytes(), &[]).expect("a list");
        import(&self.parts, &sheet, &dana(), &options).await.expect("imported")
    }

    async fn everyone(&self) -> Vec<Referrer> {
        let mut tx = self.parts.store.read().await.expect("tx");
        tx.referrers_of(Members::All).await.expect("read")
    }

    async fn named(&self, last_name: &str) -> Referrer {
        let found: Vec<Referrer> =
            self.everyone().await.into_iter().filter(|one| one.last_name.as_deref() == Some(last_name)).collect();
        assert_eq!(found.len(), 1, "one {last_name}");
        found.into_iter().next().expect("one")
    }
}

fn dana() -> Actor {
    Actor::operator("dana")
}

/// New, updated, unchanged rows, and rows that added a location.
fn counts(report: &ImportReport) -> (usize, usize, usize, usize) {
    (report.added, report.updated, report.unchanged, report.locations)
}
