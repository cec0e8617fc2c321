//! Refusals that lists of other tools hold come in as refusals, and what nobody understands stops the import.

use std::sync::Arc;
use std::time::Duration;

use touchline::consent;
use touchline::domain::health::Health;
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel};
use touchline::referrers::import::{ImportOptions, ImportReport, import};
use touchline::referrers::sheet::{Instructions, RefusalEvidence, Sheet, SheetError, SheetRow};
use touchline::referrers::{Parts, sheet};
use touchline::store::Store;
use touchline::store::records::referrers::Members;

use crate::support::clock::FakeClock;
use crate::support::databases::each_db;

fn named(text: &str, file: &str) -> Result<Sheet, SheetError> {
    sheet::read_as_told(text.as_bytes(), &Instructions { file: Some(file), ..Instructions::default() })
}

pub(super) fn read(text: &str) -> Sheet {
    named(text, "list.csv").expect("a list")
}

/// What a row says about refusals: `email opt_out`, `fax opt_out`, `do_not_contact`.
fn refused(row: &SheetRow) -> Vec<String> {
    let standing = row.standing.map(|state| state.to_string());
    row.refusals.iter().map(|one| format!("{} {}", one.channel, one.reason)).chain(standing).collect()
}

/// One list for each way in which a known tool says that somebody refused, with what it says of its second row. The third
/// row refuses nothing.
const TOOLS: [(&str, &str, &[&str]); 20] = [
    ("Unsubscribed from all email", "true,false", &["email opt_out"]),
    ("Opted out of email: Newsletter", "Yes,No", &["email opt_out"]),
    ("Email hard bounce reason", "UNKNOWN_USER,", &["email bounced"]),
    ("UNSUB_TIME", "2026-02-02 10:00:00,", &["email opt_out"]),
    ("CLEAN_TIME", "2026-02-02 10:00:00,", &["email bounced"]),
    ("Status", "blocklisted,enabled", &["email opt_out"]),
    ("Status", "Unsubscribed,Active", &["email opt_out"]),
    ("Status", "cleaned,subscribed", &["email bounced"]),
    ("Email status", "Bounced,Active", &["email bounced"]),
    ("Email Opt Out", "1,0", &["email opt_out"]),
    ("Fax Opt Out", "TRUE,FALSE", &["fax opt_out"]),
    ("Do Not Call", "x,", &["fax opt_out"]),
    ("Email Bounced Reason", "550 no such user,", &["email bounced"]),
    ("BLOCKLISTED", "1,0", &["email opt_out"]),
    ("Opted out", "y,n", &["email opt_out", "fax opt_out"]),
    ("Do not contact", "yes,no", &["do_not_contact"]),
    ("No Fax", "x,", &["fax opt_out"]),
    ("Marked as spam", "true,false", &["email complaint"]),
    ("Accepts Email Marketing", "no,yes", &["email opt_out"]),
    ("Labels", "Lake;Do not contact,Lake", &["do_not_contact"]),
];

#[test]
fn the_refusals_of_every_known_tool_come_in_as_refusals() {
    for (column, values, expected) in TOOLS {
        let (refusing, other) = values.split_once(',').expect("two values");
        let sheet = read(&format!(
            "Email,Fax,{column}\nivo@elm.example,(312) 555-0150,{refusing}\njo@elm.example,(312) 555-0151,{other}\n"
        ));
        assert_eq!((sheet.rows.len(), sheet.refused_count), (2, 0), "{column}: {:?}", sheet.problems);
        assert_eq!(refused(&sheet.rows[0]), expected, "{column}: {refusing}");
        assert!(refused(&sheet.rows[1]).is_empty(), "{column}: {other}");
        let counted: usize = sheet.refused_rows().iter().map(|one| one.rows).sum();
        assert_eq!(counted, expected.len(), "{column}");
        assert!(
            sheet.refused_rows().iter().all(|one| one.said_in == RefusalEvidence::Column(column.to_owned())),
            "{column}"
        );
    }
}

#[test]
fn an_answer_that_nobody_knows_refuses_its_row() {
    for (column, value) in
        [("Email Opt Out", "maybe"), ("Do not contact", "ask"), ("UNSUB_TIME", "Spring"), ("Email status", "NEW")]
    {
        let sheet = read(&format!("Email,{column}\nivo@elm.example,{value}\njo@elm.example,\n"));
        assert_eq!((sheet.rows.len(), sheet.refused_count), (1, 1), "{column}");
        assert_eq!(sheet.problems[0].column.as_deref(), Some(column));
    }
}

#[test]
fn a_column_that_may_say_who_refused_stops_the_import_until_a_person_says_what_it_is() {
    let text = "Email,Email Opt-In,Patient Status\nivo@elm.example,no,new\n";
    let error = named(text, "list.csv").expect_err("refused");
    assert_eq!(error, SheetError::Unexplained(vec!["Email Opt-In".to_owned(), "Patient Status".to_owned()]));
    let said = error.to_string();
    assert!(said.contains("--map") && said.contains("--ignore-column") && said.contains("Patient Status"), "{said}");

    let mapping = [sheet::parse_mapping("opted_in=Email Opt-In").expect("a mapping")];
    let ignored = ["patient status".to_owned()];
    let told = Instructions { mapping: &mapping, ignored: &ignored, file: None };
    let sheet = sheet::read_as_told(text.as_bytes(), &told).expect("a list");
    assert_eq!(refused(&sheet.rows[0]), ["email opt_out"]);
}

#[test]
fn a_cell_that_is_a_refusal_stops_the_import_in_whatever_column_it_stands() {
    for (column, cell) in [
        ("Stage", "Do Not Contact"),
        ("Communication", "Opted out"),
        ("Mailing List", "Unsubscribed"),
        ("Cohort", "opted out 3/2025"),
        ("Type", "do not fax"),
        ("Fax OK?", "no"),
        ("Receive newsletter", "no"),
        ("Email validity", "risky"),
        ("D\u{e9}sinscrit", "oui"),
        ("Abgemeldet", "ja"),
        ("Deceased", "yes"),
    ] {
        let text = format!("Email,{column}\numa@elm.example,{cell}\njo@elm.example,\n");
        assert_eq!(named(&text, "list.csv").err(), Some(SheetError::Unexplained(vec![column.to_owned()])), "{column}");
        let ignored = [column.to_owned()];
        let told = Instructions { ignored: &ignored, ..Instructions::default() };
        assert_eq!(sheet::read_as_told(text.as_bytes(), &told).map(|sheet| sheet.rows.len()), Ok(2), "{column}");
        let empty = format!("Email,{column}\numa@elm.example,\n");
        assert!(named(&empty, "list.csv").is_ok(), "{column}");
    }
    for (column, cell) in [
        ("Notes", "Do not contact before noon"),
        ("Stage", "Customer"),
        ("Cohort", "Never unsubscribed from anything"),
        ("SMS Consent", "Opted out"),
        ("License Verified", "yes"),
    ] {
        let text = format!("Email,{column}\numa@elm.example,{cell}\n");
        assert!(named(&text, "list.csv").is_ok(), "{column}");
    }
}

#[test]
fn a_refusal_with_a_date_of_any_kind_comes_in() {
    for (column, cell, day) in [
        ("Opt-Out", "9-Feb-25", Some("2025-02-09")),
        ("Opt-Out", "45000", Some("2023-03-15")),
        ("Opt-Out", "27/02/2025", Some("2025-02-27")),
        ("unsubscribed_at", "1600000000", Some("2020-09-13")),
        ("unsubscribed_at", "1600000000000", Some("2020-09-13")),
        ("Unsubscribed", "Feb 2025", None),
        ("Bounced", "3", None),
    ] {
        let sheet = read(&format!("Email,{column}\numa@elm.example,{cell}\n"));
        assert_eq!((sheet.rows.len(), sheet.refused_count), (1, 0), "{column}: {cell}: {:?}", sheet.problems);
        let found = sheet.rows[0].refusals.first().expect("a refusal");
        assert_eq!(found.day.map(|day| day.to_string()).as_deref(), day, "{column}: {cell}");
    }
}

#[test]
fn a_refusal_among_the_words_of_a_label_counts() {
    for (label, expected) in [
        ("unsubscribed 2024", &["email opt_out"][..]),
        ("please do not contact", &["do_not_contact"][..]),
        ("she asked in the spring that we please do not contact her again", &["do_not_contact"][..]),
        ("never unsubscribed", &[][..]),
    ] {
        let sheet = read(&format!("Email,Tags\numa@elm.example,Lake;{label}\n"));
        assert_eq!(refused(&sheet.rows[0]), expected, "{label}");
    }
}

#[test]
fn columns_that_only_sound_like_refusals_and_empty_ones_stop_nothing() {
    let text =
        "Email,Optometry,Adoption,Lead Status,State,SMS Opt Out,Opt In,Status\nivo@elm.example,x,x,NEW,IL,yes,,\n";
    assert!(refused(&read(text).rows[0]).is_empty());
    let unknown = named("Email,Status\nivo@elm.example,Lapsed\n", "list.csv");
    assert_eq!(unknown.err(), Some(SheetError::Unexplained(vec!["Status".to_owned()])));
    let attributes = "email,attributes\nivo@elm.example,\"{\"\"consent\"\": \"\"partly\"\"}\"\n";
    assert!(matches!(named(attributes, "list.csv"), Err(SheetError::Unexplained(_))));
}

#[test]
fn a_file_named_after_those_who_refused_holds_only_such_people() {
    let text = "Email Address,First Name,Last Name,MEMBER_RATING\npat@elm.example,Pat,Kent,2\n";
    for (file, expected) in [
        ("unsubscribed_members_export_1a.csv", &["email opt_out"][..]),
        ("cleaned_members_export_1a.csv", &["email bounced"]),
        ("Do Not Contact.csv", &["do_not_contact"]),
        ("subscribed_members_export_1a.csv", &[]),
        ("nonsubscribed_members_export_1a.csv", &[]),
    ] {
        let sheet = named(text, file).expect("a list");
        assert_eq!(refused(&sheet.rows[0]), expected, "{file}");
        assert_eq!(sheet.problems.is_empty(), expected.is_empty(), "it is said: {file}");
    }
}

/// Importing into one database.
pub(super) struct Desk {
    pub parts: Parts,
    clock: Arc<FakeClock>,
}

impl Desk {
    pub fn at(store: Store) -> Self {
        let clock = FakeClock::new();
        Self { parts: Parts { store, clock: clock.clone() }, clock }
    }

    pub async fn import(&self, text: &str) -> ImportReport {
        let options = ImportOptions { list: "hubspot.csv".to_owned(), ..ImportOptions::default() };
        import(&self.parts, &read(text), &Actor::operator("dana"), &options).await.expect("imported")
    }

    pub async fn everyone(&self) -> Vec<Referrer> {
        let mut tx = self.parts.store.read().await.expect("tx");
        tx.referrers_of(Members::All).await.expect("read")
    }

    async fn lift(&self, address: &str) {
        let consent = consent::Parts { store: self.parts.store.clone(), clock: self.parts.clock.clone() };
        for one in self.standing_of(address).await {
            consent::lift(&consent, one.id, &Actor::operator("dana"), "asked again in writing").await.expect("lifted");
        }
    }

    pub async fn standing_of(&self, address: &str) -> Vec<Suppression> {
        let mut tx = self.parts.store.read().await.expect("tx");
        tx.suppressions_of(&Address::guess(address).expect("an address")).await.expect("read")
    }
}

const HUBSPOT: &str = "First Name,Last Name,Email,Fax Number,Unsubscribed from all email,Email hard bounce reason,Do not contact\n\
     Ivo,Dent,ivo@elm.example,(312) 555-0150,2026-02-02,,\n\
     Jo,Earl,jo@elm.example,,,UNKNOWN_USER,\n\
     Kay,Ford,kay@elm.example,,,,yes\n\
     Lou,Gray,lou@elm.example,,,,\n";

#[tokio::test]
async fn a_refusal_in_a_list_is_recorded_once_with_where_it_stood() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let report = desk.import(HUBSPOT).await;
        assert_eq!((report.added, report.suppressions), (4, 2));
        let found = desk.standing_of("IVO@elm.example").await;
        let [one] = found.as_slice() else { panic!("one suppression, not {}", found.len()) };
        assert_eq!((one.scope, one.reason), (Scope::Advertisement, SuppressionReason::OptOut));
        assert_eq!((one.source, one.who.name()), (SuppressionSource::Import, "dana"));
        let evidence = one.evidence.as_deref().unwrap_or_default();
        for part in ["2026-02-02", "Unsubscribed from all email", "hubspot.csv", "2026-11-23"] {
            assert!(evidence.contains(part), "{evidence}");
        }
        assert!(desk.standing_of("(312) 555-0150").await.is_empty(), "the fax number has not refused");
        assert_eq!(desk.standing_of("jo@elm.example").await[0].reason, SuppressionReason::Bounced);
        assert!(desk.standing_of("lou@elm.example").await.is_empty());
        let states: Vec<ReferrerState> = desk.everyone().await.iter().map(|one| one.state).collect();
        assert_eq!(states.iter().filter(|state| **state == ReferrerState::DoNotContact).count(), 1);

        let again = desk.import(HUBSPOT).await;
        assert_eq!((again.added, again.updated, again.unchanged, again.suppressions), (0, 0, 4, 0));
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_left_out_still_refuses() {
    const HEADER: &str = "First Name,Last Name,Email,Fax,Unsubscribed,Do not contact,Basis,NPI\n";
    // What makes the row useless, what it says, and whether the mailbox and the known fax number refuse afterwards.
    let rows = [
        ("Ivo,Dent,ivo@elm.example,847-555-O1O2,yes,,,", true, false),
        ("Ivo,Dent,ivo@elm.example,8.47555E9,,yes,,", true, true),
        ("Ivo,Dent,ivo@elm.example,,yes,,handshake,", true, false),
        ("Ivo,Dent,ivo at elm,(312) 555-0150,,yes,,", true, true),
        ("Ivo,Dent,ivo at elm,(312) 555-0150,yes,,,", true, false),
        ("Ivo,Dent,ivo@elm.example,847-555-O1O2,,,,", false, false),
    ];
    each_db(async |store| {
        let desk = Desk::at(store.clone());
        for (row, mailbox, fax) in rows {
            let who = desk.import("First Name,Last Name,Email,Fax\nIvo,Dent,ivo@elm.example,(312) 555-0150\n").await;
            assert!(who.added + who.unchanged == 1, "{row}");
            let sheet = read(&format!("{HEADER}{row}\nMay,Hill,may@elm.example,,,,,\n"));
            assert_eq!((sheet.rows.len(), sheet.refused_count), (1, 1), "{row}: {:?}", sheet.problems);
            let options = ImportOptions { list: "old.csv".to_owned(), ..ImportOptions::default() };
            let refused = import(&desk.parts, &sheet, &Actor::operator("dana"), &options).await;
            assert!(refused.is_err() && desk.standing_of("ivo@elm.example").await.is_empty(), "{row}");
            let options = ImportOptions { skip_bad_rows: true, ..options };
            let report = import(&desk.parts, &sheet, &Actor::operator("dana"), &options).await.expect("imported");
            assert_eq!(report.suppressions, usize::from(mailbox) + usize::from(fax), "{row}");
            assert_eq!(!desk.standing_of("ivo@elm.example").await.is_empty(), mailbox, "{row}");
            assert_eq!(!desk.standing_of("(312) 555-0150").await.is_empty(), fax, "{row}");
            for address in ["ivo@elm.example", "(312) 555-0150"] {
                desk.lift(address).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_never_lifts_a_refusal_and_what_a_person_lifted_later_stays_lifted() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(HUBSPOT).await;
        let harmless = HUBSPOT.replace("2026-02-02", "").replace("UNKNOWN_USER", "").replace("yes", "no");
        desk.clock.advance(Duration::from_secs(86_400));
        desk.import(&harmless).await;
        assert_eq!(desk.standing_of("ivo@elm.example").await.len(), 1);
        assert_eq!(desk.everyone().await.iter().filter(|one| one.state == ReferrerState::DoNotContact).count(), 1);

        desk.lift("ivo@elm.example").await;
        assert_eq!(desk.import(HUBSPOT).await.suppressions, 0, "they asked again after the day in the list");
        let later = HUBSPOT.replace("2026-02-02", "2026-12-24");
        assert_eq!(desk.import(&later).await.suppressions, 1, "a later refusal counts");
        let undated = HUBSPOT.replace("2026-02-02", "true");
        assert_eq!(desk.import(&undated).await.suppressions, 0, "it is in effect");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_counts_even_where_it_is_not_clear_who_is_meant() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Email\nIvo,Dent,desk@elm.example\nJo,Earl,desk@elm.example\n").await;
        let report = desk.import("Email,Do not contact\ndesk@elm.example,yes\n").await;
        assert_eq!((report.added, report.suppressions), (0, 1), "{report:?}");
        assert_eq!(desk.standing_of("desk@elm.example").await[0].reason, SuppressionReason::DoNotContact);

        // The list names a person and not the mailbox that is on record for them.
        desk.import("NPI,First Name,Last Name,Email\n1234567893,Kay,Ford,kay@elm.example\n").await;
        let report =
            desk.import("NPI,First Name,Last Name,Phone,Unsubscribed\n1234567893,Kay,Ford,312 555 0160,yes\n").await;
        assert_eq!(report.suppressions, 1, "{report:?}");
        assert_eq!(desk.standing_of("kay@elm.example").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_dead_mark_moves_to_a_new_installation_and_never_over_what_is_known_there() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let health = async |address: &str| {
            let mut tx = desk.parts.store.read().await.expect("tx");
            let address = Address::guess(address).expect("an address");
            tx.address_health(&address).await.expect("read").map(|known| (known.health, known.channel))
        };
        let mut tx = desk.parts.store.write().await.expect("tx");
        let known = Address::guess("jo@elm.example").expect("an address").key();
        tx.addresses_ensure(&[known], desk.parts.clock.now()).await.expect("kept");
        tx.commit().await.expect("kept");
        desk.import(
            "last_name,email,standing,email_refusals,fax_refusals,email_health,fax_health\n\
             Dent,ivo@elm.example,active,,,dead mailbox_unknown,\n\
             Earl,jo@elm.example,active,,,dead mailbox_unknown,\n",
        )
        .await;
        assert_eq!(health("ivo@elm.example").await, Some((Health::Dead, Channel::Email)));
        assert_eq!(health("jo@elm.example").await, Some((Health::Unverified, Channel::Email)));
    })
    .await;
}
