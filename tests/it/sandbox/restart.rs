//! The journal: what it says, when it says it, and how a line that was stopped goes on from it.

use std::time::Duration;

use touchline::domain::Fault;
use touchline::sandbox::fax::{FaxStatus, Happened};

use super::bench::{Bench, PAGES, accepted, envelope, printed};

#[tokio::test]
async fn the_journal_speaks_before_the_answer_and_holds_no_number() {
    let bench = Bench::with(|options| options.call_takes = Duration::from_secs(3_600));
    let envelope = envelope("0142");
    let reference = accepted(bench.provider.submit(&envelope).await);
    let journal = bench.journal();
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0].event, Happened::Accepted);
    assert_eq!((journal[0].channel.as_str(), journal[0].id.as_str()), ("fax", reference.0.as_str()));
    assert_eq!(journal[0].reference, envelope.attempt.to_string());
    let expected = ring::digest::digest(&ring::digest::SHA256, b"+13125550142");
    assert_eq!(journal[0].to_hash, hex::encode(expected));
    let text = std::fs::read_to_string(bench.journal_path()).expect("there is a journal");
    assert!(text.contains("\"event\":\"accepted\"") && !text.contains("3125550142"), "{text}");
}

#[tokio::test]
async fn a_fax_is_printed_once_if_any_page_arrived_and_never_if_none_did() {
    let bench = Bench::start();
    let mut reached = Vec::new();
    for (digits, arrives) in [("0142", true), ("0118", false), ("0122", true), ("0125", true), ("0126", true)] {
        let envelope = envelope(digits);
        let reference = accepted(bench.provider.submit(&envelope).await);
        bench.ended(&reference).await;
        if arrives {
            reached.push(envelope.attempt.to_string());
        }
    }
    let journal = bench.journal();
    assert_eq!(printed(&journal), reached);
    let confirmed: Vec<u32> =
        journal.iter().filter(|entry| entry.event == Happened::Printed).map(|entry| entry.pages_confirmed).collect();
    assert_eq!(confirmed, [PAGES, PAGES - 1, PAGES, PAGES]);
}

#[tokio::test]
async fn a_line_that_starts_again_knows_what_it_took_and_what_became_of_it() {
    let bench = Bench::start();
    let mut before = Vec::new();
    for digits in ["0142", "0118", "0122"] {
        let reference = accepted(bench.provider.submit(&envelope(digits)).await);
        before.push((bench.ended(&reference).await, bench.provider.status(&reference).await.expect("it answers")));
    }
    bench.provider.purge(&before[0].1.reference).await.expect("it has ended");

    let bench = bench.restart(|_| {}).await;
    for (fax, report) in &before {
        assert_eq!(&bench.provider.status(&report.reference).await.expect("it answers"), report);
        let after = bench.ended(&report.reference).await;
        assert_eq!(after.reference, fax.reference);
        assert_eq!((after.to_tail.as_str(), after.to.is_none()), (fax.to_tail.as_str(), true));
        assert_eq!((after.received_ms, after.ended_ms), (fax.received_ms, fax.ended_ms));
    }
    let purged: Vec<bool> = bench.line.faxes().iter().map(|fax| fax.purged).collect();
    assert_eq!(purged, [true, false, false]);
    assert_eq!(printed(&bench.journal()).len(), 2, "starting again prints nothing again");
}

#[tokio::test]
async fn a_call_cut_short_by_a_stop_is_made_by_the_next_start_and_printed_once() {
    let bench = Bench::with(|options| options.call_takes = Duration::from_secs(3_600));
    let envelope = envelope("0142");
    let reference = accepted(bench.provider.submit(&envelope).await);
    bench.until(&reference, |fax| fax.status == FaxStatus::Dialing).await;
    let bench = bench.restart(|options| options.call_takes = Duration::ZERO).await;
    assert_eq!(bench.ended(&reference).await.status, FaxStatus::Delivered);
    assert_eq!(printed(&bench.journal()), [envelope.attempt.to_string()]);
}

#[tokio::test]
async fn a_busy_line_remembers_its_calls_over_a_restart() {
    let mut bench = Bench::start();
    for expected in [Some(Fault::Busy), Some(Fault::Busy), None] {
        let reference = accepted(bench.provider.submit(&envelope("0117")).await);
        assert_eq!(bench.ended(&reference).await.fault, expected);
        bench = bench.restart(|_| {}).await;
    }
}
