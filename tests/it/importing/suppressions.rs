//! Suppression lists of other mail services.

use touchline::domain::suppression::{Scope, SuppressionReason};
use touchline::domain::{Actor, Address};
use touchline::referrers::export::Records;
use touchline::referrers::import::{ImportOptions, SuppressionsReport, import_suppressions};
use touchline::referrers::sheet::suppression_list::{self, Origin};
use touchline::referrers::sheet::write::sheet;
use touchline::referrers::{Parts, ReferrersError};
use touchline::store::Store;

use crate::support::clock::FakeClock;
use crate::support::databases::each_db;

const LIST: &str = "Email,Reason,Date\nana@clinic.example,COMPLAINT,2026-01-02\nbo@clinic.example,BOUNCE,2026-01-02\n";

async fn imported(
    parts: &Parts,
    text: &str,
    from: Origin,
    options: &ImportOptions,
) -> Result<SuppressionsReport, ReferrersError> {
    let list = suppression_list::read(text.as_bytes(), from, None).expect("a list");
    import_suppressions(parts, &list, &Actor::Operator("dana".into()), options).await
}

fn parts(store: Store) -> Parts {
    Parts { store, clock: FakeClock::new() }
}

fn named(dry_run: bool) -> ImportOptions {
    ImportOptions { list: "ses.csv".to_owned(), dry_run, ..ImportOptions::default() }
}

/// What is suppressed, as `address scope reason`.
async fn suppressed(store: &Store) -> Vec<String> {
    let found = store.read().await.expect("reads").suppressions_list(false, 100).await.expect("lists");
    let mut told: Vec<String> =
        found.iter().map(|one| format!("{} {} {}", one.address.as_str(), one.scope, one.reason)).collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_suppression_list_is_kept_once_and_adds_nobody() {
    each_db(async |store| {
        let parts = parts(store.clone());
        let dry = imported(&parts, LIST, Origin::Ses, &named(true)).await.expect("a dry run");
        assert_eq!((dry.addresses, dry.suppressions, dry.stored), (2, 2, false));
        assert!(suppressed(&store).await.is_empty());

        let done = imported(&parts, LIST, Origin::Ses, &named(false)).await.expect("imported");
        assert_eq!((done.suppressions, done.stored), (2, true));
        let wanted = [
            format!("ana@clinic.example {} {}", Scope::Advertisement, SuppressionReason::Complaint),
            format!("bo@clinic.example {} {}", Scope::All, SuppressionReason::Bounced),
        ];
        assert_eq!(suppressed(&store).await, wanted);
        let ana = Address::guess("ana@clinic.example").expect("an address");
        let mut tx = store.read().await.expect("reads");
        let kept = tx.suppressions_of(&ana).await.expect("reads");
        let evidence = kept[0].evidence.clone().unwrap_or_default();
        assert!(evidence.contains("refused on 2026-01-02") && evidence.contains("Amazon SES"), "{evidence}");
        assert!(tx.referrers_of(touchline::store::records::referrers::Members::All).await.expect("reads").is_empty());
        drop(tx);

        let again = imported(&parts, LIST, Origin::Ses, &named(false)).await.expect("imported again");
        assert_eq!((again.addresses, again.suppressions), (2, 0));
        assert_eq!(suppressed(&store).await, wanted);
    })
    .await;
}

#[tokio::test]
async fn a_list_with_an_entry_that_cannot_be_read_is_refused_whole() {
    each_db(async |store| {
        let parts = parts(store.clone());
        let text = format!("{LIST}nobody,BOUNCE,2026-01-02\n");
        let error = imported(&parts, &text, Origin::Ses, &named(false)).await.expect_err("refused").to_string();
        assert!(error.contains("line 4") && error.contains("--skip-bad-rows") && !error.contains("ana@"), "{error}");
        assert!(suppressed(&store).await.is_empty());
        let options = ImportOptions { skip_bad_rows: true, ..named(false) };
        let done = imported(&parts, &text, Origin::Ses, &options).await.expect("imported");
        assert_eq!((done.suppressions, done.refused), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn what_is_exported_is_suppressed_where_it_is_imported() {
    each_db(async |store| {
        let here = parts(store.clone());
        imported(&here, LIST, Origin::Ses, &named(false)).await.expect("imported");
        imported(&here, "(847) 555-0105\n", Origin::Csv, &named(false)).await.expect("imported");
        let records = Records::of_suppressions(&mut store.read().await.expect("reads")).await.expect("reads");
        let text = sheet(&records.rows());
        assert_eq!(text.lines().filter(|line| line.contains(",nobody,")).count(), 3, "{text}");
        let read =
            suppression_list::read(text.as_bytes(), Origin::Csv, Some("suppressions.csv")).expect("our own list");
        let refusals: usize = read.rows.iter().map(|row| row.refusals.len()).sum();
        assert_eq!((read.rows.len(), refusals), (3, 3), "{:?}", read.problems);
    })
    .await;
}
