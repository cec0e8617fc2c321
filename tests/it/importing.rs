//! Lists of referrers of several origins are read as their makers meant them, and a bad row is reported by line.

mod formats;
mod holding;
mod moving;
mod refusing;
mod round_trip;
mod suppressions;

use std::path::Path;

use touchline::domain::FaxNumber;
use touchline::domain::referrer::ReferrerType;
use touchline::referrers::sheet;
use touchline::referrers::sheet::{Field, Sheet, SheetRow};

fn list(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/csv").join(name);
    std::fs::read(path).expect("a fixture")
}

fn read(name: &str) -> Sheet {
    sheet::read(&list(name), &[]).expect("a list")
}

fn fax(row: &SheetRow) -> Option<&str> {
    row.fax.as_ref().map(FaxNumber::as_str)
}

fn person(row: &SheetRow) -> (Option<&str>, Option<&str>, Option<&str>) {
    (row.first_name.as_deref(), row.last_name.as_deref(), row.credentials.as_deref())
}

#[test]
fn a_spreadsheet_export_with_mark_and_semicolons_is_read() {
    let sheet = read("utf8-bom-semicolon.csv");
    assert_eq!((sheet.encoding, sheet.delimiter), ("UTF-8", ';'));
    assert!(sheet.problems.is_empty(), "{:?}", sheet.problems);
    assert_eq!(sheet.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(person(&sheet.rows[0]), (Some("Amara"), Some("Whitfield"), Some("MD")));
    assert_eq!(fax(&sheet.rows[0]), Some("+18475550101"));
    assert_eq!(person(&sheet.rows[1]), (Some("Zoë"), Some("Núñez"), Some("PsyD")));
    assert_eq!(sheet.rows[1].organization.as_deref(), Some("Therapy; together"));
    assert_eq!(
        (sheet.rows[1].kind, sheet.rows[1].phone.as_deref()),
        (ReferrerType::Therapist, Some("+17735550106;ext=3"))
    );
}

#[test]
fn an_old_export_with_tabs_keeps_its_accents() {
    let sheet = read("windows-1252-tab.txt");
    assert_eq!((sheet.encoding, sheet.delimiter), ("windows-1252", '\t'));
    assert_eq!(person(&sheet.rows[0]), (Some("Renée"), Some("Çelik"), Some("DO")));
    assert_eq!(sheet.rows[0].kind, ReferrerType::PrimaryCare);
    assert_eq!(sheet.rows[0].time_zone, Some(chrono_tz::Tz::America__Chicago));
    assert_eq!(sheet.rows[0].tags, ["downtown", "pcp"]);
    assert_eq!((sheet.rows[1].kind, sheet.rows[1].time_zone), (ReferrerType::Therapist, None), "Indiana has two zones");
}

#[test]
fn a_printed_directory_loses_its_title_and_its_repeated_header() {
    let sheet = read("title-rows.csv");
    assert!(sheet.problems.is_empty(), "{:?}", sheet.problems);
    let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [5, 7, 9]);
    assert_eq!(person(&sheet.rows[0]), (Some("Keisha"), Some("Fielding"), Some("PMHNP-BC")));
    assert_eq!(sheet.rows[0].kind, ReferrerType::PsychiatricNp);
    assert_eq!(sheet.rows[1].organization.as_deref(), Some("Prairie Path Intensive Outpatient Program"));
    assert_eq!(person(&sheet.rows[1]), (None, None, None));
    assert_eq!(sheet.unused_columns, ["Address", "Accepting New Patients"]);
}

#[test]
fn the_national_registry_is_read_by_its_long_names() {
    let sheet = read("nppes.csv");
    assert!(sheet.mapping.contains(&(Field::Fax, "Provider Business Practice Location Address Fax Number".to_owned())));
    let person_row = &sheet.rows[0];
    assert_eq!(person(person_row), (Some("Ana"), Some("Ruiz"), Some("MD")));
    assert_eq!(fax(person_row), Some("+13125550112"), "the practice's own number, not the mailing address's");
    assert_eq!(person_row.kind, ReferrerType::Psychiatrist, "the taxonomy switched primary decides");
    let office = &sheet.rows[1];
    assert_eq!(office.organization.as_deref(), Some("MCHENRY COUNSELING LLC"));
    assert_eq!((office.kind, office.time_zone), (ReferrerType::Therapist, Some(chrono_tz::Tz::America__New_York)));
    assert_eq!(sheet.refused_count, 1, "a deactivated number has no address");
    assert!(sheet.rows.iter().all(|row| row.basis.is_none()), "a directory gives no right to fax an advertisement");
}

#[test]
fn bad_rows_are_refused_by_line_and_good_ones_taken() {
    let sheet = read("bad-rows.csv");
    assert_eq!(sheet.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 7, 11]);
    let found: Vec<(u64, Option<&str>)> =
        sheet.problems.iter().map(|problem| (problem.line, problem.column.as_deref())).collect();
    assert_eq!(
        found,
        [(3, None), (4, Some("fax")), (5, Some("fax")), (7, Some("npi")), (9, None), (10, Some("email"))]
    );
    assert_eq!(sheet.refused_count, 5);
    assert_eq!(sheet.rows[1].npi, None, "a wrong NPI costs the NPI");
    assert!(sheet.problems.iter().all(|problem| !problem.message.contains("555")));
}

#[test]
fn a_column_can_be_named_where_its_header_says_nothing() {
    let text = "who,line one,line two\nWhitfield,847 555 0102,847 555 0101\n";
    assert!(sheet::read(text.as_bytes(), &[]).is_err());
    let told: Vec<_> = ["fax=Line Two", "phone=line one", "last_name=who"]
        .iter()
        .map(|text| sheet::parse_mapping(text).expect("a mapping"))
        .collect();
    let sheet = sheet::read(text.as_bytes(), &told).expect("a list");
    assert_eq!((fax(&sheet.rows[0]), sheet.rows[0].last_name.as_deref()), (Some("+18475550101"), Some("Whitfield")));
}
