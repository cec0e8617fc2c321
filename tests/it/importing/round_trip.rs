//! What is exported is imported again as it was, whatever a spreadsheet would make of it.

use chrono::NaiveDate;
use proptest::prelude::*;
use touchline::domain::basis::{Basis, BasisKind, NumberSource};
use touchline::domain::fault::Fault;
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::id::{BasisId, SuppressionId};
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, EmailAddress, FaxNumber, PhoneNumber, Timestamp};
use touchline::referrers::import::{ImportOptions, import};
use touchline::referrers::sheet::write::{EXPORT_HEADER, Exported, sheet as written};
use touchline::referrers::sheet::{OnRecord, RefusalEvidence, Sheet, SheetRow};
use touchline::referrers::{Parts, sheet};
use touchline::store::records::referrers::Members;

use crate::support::clock::FakeClock;
use crate::support::databases::each_db;

/// 2026-11-23.
const NOW: Timestamp = Timestamp(1_795_446_000_000);

fn person() -> Referrer {
    let mut one = Referrer::new(ReferrerType::Psychiatrist, NOW);
    one.first_name = Some("Fay".into());
    one.last_name = Some("Gone".into());
    one
}

fn refusal(address: &Address, scope: Scope, reason: SuppressionReason, evidence: Option<&str>) -> Suppression {
    Suppression {
        id: SuppressionId::new(),
        channel: address.channel(),
        address: address.key(),
        scope,
        reason,
        source: SuppressionSource::Web,
        evidence: evidence.map(str::to_owned),
        who: Actor::Recipient,
        created_ms: NOW,
        lifted_ms: None,
        lifted_by: None,
        lifted_reason: None,
        return_id: None,
        expires_ms: None,
    }
}

fn alone(referrer: &Referrer) -> Exported<'_> {
    Exported { referrer, on_record: OnRecord::Yes, basis: None, refusals: Vec::new(), health: Vec::new() }
}

fn read(text: &str) -> Sheet {
    sheet::read(text.as_bytes(), &[]).expect("a list")
}

fn back(exported: &Exported<'_>) -> SheetRow {
    let mut sheet = read(&written(std::slice::from_ref(exported)));
    assert!(sheet.problems.iter().all(|problem| !problem.refuses), "{:?}", sheet.problems);
    assert_eq!(sheet.rows.len(), 1);
    sheet.rows.remove(0)
}

#[test]
fn state_refusals_basis_and_dead_marks_survive() {
    let mut one = person();
    one.fax = Some(FaxNumber::parse("(312) 555-0160").expect("a number"));
    one.email = Some(EmailAddress::parse("fay@gone.example").expect("a mailbox"));
    one.state = ReferrerState::DoNotContact;
    one.notes = Some("Two lines,\nand \"quotes\"; = none".into());
    one.place.city = Some("Chicago".into());
    let (fax, email) = (one.address(Channel::Fax).expect("a fax"), one.address(Channel::Email).expect("a mailbox"));
    let refusals = [
        refusal(&fax, Scope::All, SuppressionReason::OptOut, Some("refused on 2026-02-02: form in file 7; signed")),
        refusal(&email, Scope::Advertisement, SuppressionReason::OptOut, Some("link 9")),
        refusal(&email, Scope::All, SuppressionReason::Bounced, None),
    ];
    let health = AddressHealth {
        channel: Channel::Email,
        value: email.key(),
        health: Health::Dead,
        strikes: 1,
        fault: Some(Fault::MailboxUnknown),
    };
    let basis = Basis {
        id: BasisId::new(),
        fax: one.fax.clone().expect("a fax"),
        kind: BasisKind::Permission,
        number_source: Some(NumberSource::GivenByRecipient),
        obtained_on: "2026-01-31".into(),
        how: "-asked, on the telephone".into(),
        by_whom: "Dana".into(),
        note: None,
        created_ms: NOW,
        ended_ms: None,
        ended_reason: None,
    };
    let row = back(&Exported {
        basis: Some(&basis),
        refusals: refusals.iter().collect(),
        health: vec![&health],
        ..alone(&one)
    });
    assert_eq!(row.standing, Some(ReferrerState::DoNotContact));
    assert_eq!((row.notes, row.city), (one.notes.clone(), Some("Chicago".to_owned())));
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let found: Vec<_> =
        row.refusals.iter().map(|one| (one.channel, one.scope, one.reason, one.day, one.evidence.clone())).collect();
    let kept = |text: &str| RefusalEvidence::Kept(text.to_owned());
    assert_eq!(
        found,
        [
            (Channel::Email, Scope::Advertisement, SuppressionReason::OptOut, day("2026-11-23"), kept("link 9")),
            (
                Channel::Email,
                Scope::All,
                SuppressionReason::Bounced,
                day("2026-11-23"),
                RefusalEvidence::Column("email_refusals".to_owned())
            ),
            (Channel::Fax, Scope::All, SuppressionReason::OptOut, day("2026-02-02"), kept("form in file 7; signed")),
        ]
    );
    assert_eq!(row.dead, [(Channel::Email, Some(Fault::MailboxUnknown))]);
    let said = row.basis.expect("a basis");
    assert_eq!((said.kind, said.number_source), (basis.kind, basis.number_source));
    assert_eq!((said.date.to_string(), said.note), (basis.obtained_on.clone(), Some(basis.how.clone())));
}

#[test]
fn numbers_survive_a_spreadsheet_and_come_back_exactly() {
    for stored in ["+13125550160", "+13125550160;ext=12", "+442079460958", "+442079460959;ext=7", "+4930901820"] {
        let mut one = person();
        one.phone = Some(stored.to_owned());
        one.fax = PhoneNumber::parse(stored).ok().and_then(|_| FaxNumber::parse(stored).ok());
        let text = written(&[alone(&one)]);
        let cells: Vec<&str> = text.lines().nth(1).expect("a row").split(',').collect();
        for cell in &cells[7..9] {
            let is_bare = cell.len() > 6 && cell.bytes().all(|b| b.is_ascii_digit() || b == b'+');
            assert!(!is_bare && !cell.starts_with(['+', '=', '-', '@']), "a spreadsheet would round {cell}");
        }
        let row = back(&alone(&one));
        assert_eq!((row.phone.as_deref(), row.fax), (Some(stored), one.fax.clone()), "{text}");
    }
}

#[test]
fn no_cell_is_a_formula_and_names_stay_as_they_are() {
    for name in
        ["=HYPERLINK(\"http://203.0.113.9/\")", "+1", "-2+3", "@SUM(1)", "'t Hart", "'=x", "NG", "Null", "Dr. MD"]
    {
        let mut one = person();
        one.last_name = Some(name.to_owned());
        one.email = Some(EmailAddress::parse("=x+y@elm.example").expect("a mailbox"));
        let text = written(&[alone(&one)]);
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        for record in reader.records() {
            for cell in &record.expect("a record") {
                assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{cell}");
            }
        }
        let row = back(&alone(&one));
        assert_eq!((row.last_name.as_deref(), &row.email), (Some(name), &one.email));
    }
    assert_eq!(EXPORT_HEADER.split(',').count(), written(&[]).trim_end().split(',').count());
}

/// A text as a record holds it: one line, no blanks at its ends, nothing that nobody sees.
fn text() -> impl Strategy<Value = Option<String>> {
    let any = "['\"=+@,;|-]{0,3}[\\PC'\"=+@,;|-]{0,16}";
    prop::option::of(any).prop_map(|text| {
        let text = text?;
        let seen: String = text.chars().filter(|c| c.is_ascii() || c.is_alphabetic()).collect();
        let words: Vec<&str> = seen.split_whitespace().collect();
        // A list is read in composed letters; those that are composed already stay as they are.
        let composed = words.join(" ").chars().filter(|c| ('\u{0}'..='\u{24f}').contains(c)).collect::<String>();
        Some(composed.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_text_comes_back_as_it_was(
        texts in prop::collection::vec(text(), 8),
        state in prop::sample::select(ReferrerState::ALL.to_vec()),
        kind in prop::sample::select(ReferrerType::ALL.to_vec()),
    ) {
        let mut one = Referrer::new(kind, NOW);
        let mut texts = texts.into_iter();
        for field in [
            &mut one.first_name, &mut one.last_name, &mut one.credentials, &mut one.organization, &mut one.source,
            &mut one.notes, &mut one.place.street, &mut one.place.region,
        ] {
            *field = texts.next().flatten();
        }
        one.fax = FaxNumber::parse("(312) 555-0160").ok();
        one.state = state;
        let row = back(&alone(&one));
        prop_assert_eq!(row.first_name, one.first_name);
        prop_assert_eq!(row.last_name, one.last_name);
        prop_assert_eq!(row.credentials, one.credentials);
        prop_assert_eq!(row.organization, one.organization);
        prop_assert_eq!(row.source, one.source);
        prop_assert_eq!(row.notes, one.notes);
        prop_assert_eq!(row.street, one.place.street);
        prop_assert_eq!(row.state, one.place.region);
        prop_assert_eq!((row.standing, row.kind), (Some(state), kind));
        prop_assert_eq!(row.fax, one.fax);
    }
}

#[tokio::test]
async fn a_list_moves_to_another_installation_with_everything_that_was_refused() {
    each_db(async |store| {
        let clock = FakeClock::new();
        let parts = Parts { store: store.clone(), clock };
        let mut one = person();
        one.fax = FaxNumber::parse("(312) 555-0160").ok();
        one.phone = Some("+442079460959;ext=12".into());
        one.state = ReferrerState::DoNotContact;
        let fax = one.address(Channel::Fax).expect("a fax");
        let refused = refusal(&fax, Scope::Advertisement, SuppressionReason::OptOut, Some("form in file 7"));
        let text = written(&[Exported { refusals: vec![&refused], ..alone(&one) }]);
        let options = ImportOptions { list: "export.csv".to_owned(), ..ImportOptions::default() };
        let report = import(&parts, &read(&text), &Actor::operator("dana"), &options).await.expect("imported");
        assert_eq!((report.added, report.suppressions), (1, 1));
        let mut tx = store.read().await.expect("tx");
        let found = tx.referrers_of(Members::All).await.expect("read");
        let stored = tx.suppressions_of(&fax).await.expect("read");
        drop(tx);
        assert_eq!((found[0].state, &found[0].phone, &found[0].fax), (one.state, &one.phone, &one.fax));
        let again = written(&[Exported { refusals: stored.iter().collect(), ..alone(&found[0]) }]);
        assert_eq!(again, text, "exported again, it is the same list");
        let repeated = import(&parts, &read(&text), &Actor::operator("dana"), &options).await.expect("imported");
        assert_eq!((repeated.unchanged, repeated.suppressions), (1, 0));
    })
    .await;
}
