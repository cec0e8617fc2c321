//! Looking for a fax whose creation got no answer, page by page.

use serde_json::{Value, json};
use touchline::domain::{Channel, Clock, Fault};
use touchline::provider::{FindQuery, FindResult};

use super::{FAX, mock, reference, telnyx};
use crate::providers::sample;
use crate::support::clock::FakeClock;

/// The search for the sample attempt.
pub fn search() -> FindQuery {
    let opened_ms = FakeClock::at(sample::NOW).now();
    FindQuery { attempt: sample::attempt(), to: sample::to(Channel::Fax), opened_ms }
}

fn page(faxes: &[Value], number: u64, total: u64) -> Value {
    json!({ "data": faxes, "meta": { "page_number": number, "page_size": 2, "total_pages": total } })
}

fn another(number: u64) -> Value {
    json!({
        "id": format!("11111111-1111-4111-8111-{number:012}"),
        "direction": "outbound",
        "status": "sending",
        "to": sample::FAX_TO,
        "client_state": "c29tZWJvZHkgZWxzZQ==",
        "created_at": "2026-11-23T15:00:02Z",
    })
}

fn ours() -> Value {
    let mut fax = another(0);
    fax["id"] = json!(FAX);
    fax["client_state"] = json!("MDE5OWMwZGUtN2ExMS03MDAwLTgwMDAtMDAwMDAwMDBjMGRl");
    fax
}

#[tokio::test]
async fn a_window_of_several_pages_is_read_until_ours_is_found() {
    let Some(mock) = mock().await else { return };
    mock.answer_next(page(&[another(1), another(2)], 1, 3));
    mock.answer_next(page(&[another(3), another(4)], 2, 3));
    mock.answer_next(page(&[another(5), ours()], 3, 3));
    let lookup = telnyx(&mock.base_url, "").find(&search()).await.expect("a whole listing");
    mock.assert_valid();
    assert!(matches!(lookup, FindResult::Found(report) if report.reference == reference()));
    let pages: Vec<_> = mock.requests().iter().filter_map(|request| value(&request.query, "page[number]")).collect();
    assert_eq!(pages, ["1", "2", "3"]);
}

fn value(query: &[(String, String)], name: &str) -> Option<String> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

#[tokio::test]
async fn the_window_begins_before_the_attempt_and_names_the_number() {
    let Some(mock) = mock().await else { return };
    mock.answer_next(page(&[], 1, 0));
    assert_eq!(telnyx(&mock.base_url, "").find(&search()).await, Ok(FindResult::Absent));
    mock.assert_valid();
    let query = &mock.requests()[0].query;
    assert_eq!(value(query, "filter[to][eq]").as_deref(), Some(sample::FAX_TO));
    assert_eq!(value(query, "filter[direction][eq]").as_deref(), Some("outbound"));
    assert_eq!(value(query, "filter[created_at][gte]").as_deref(), Some("2026-11-23T14:55:00.000Z"));
}

#[tokio::test]
async fn all_that_carry_no_reference_are_candidates_once_each() {
    let Some(mock) = mock().await else { return };
    let mut silent = another(7);
    silent.as_object_mut().expect("an object").remove("client_state");
    mock.answer_next(page(&[silent.clone(), another(8)], 1, 2));
    mock.answer_next(page(&[silent], 2, 2));
    let lookup = telnyx(&mock.base_url, "").find(&search()).await.expect("a whole listing");
    mock.assert_valid();
    assert!(matches!(lookup, FindResult::Candidates(reports) if reports.len() == 1));
}

#[tokio::test]
async fn a_listing_without_end_proves_nothing() {
    let Some(mock) = mock().await else { return };
    for number in 1..=25 {
        mock.answer_next(page(&[another(number)], number, 1000));
    }
    let failure = telnyx(&mock.base_url, "").find(&search()).await.expect_err("not absent");
    mock.assert_valid();
    assert_eq!(failure.fault, Fault::ProtocolError);
    assert_eq!(mock.requests().len(), 20, "the number of pages is bounded");
}
