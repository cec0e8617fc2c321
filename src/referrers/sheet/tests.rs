//! Reading whole lists.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::domain::FaxNumber;
use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::referrer::ReferrerType;

fn sheet(text: &str) -> Sheet {
    read(text.as_bytes(), &[]).expect("a list")
}

/// The only problem of a list with one row, after its column.
fn complaint(header: &str, row: &str) -> (Option<String>, String) {
    let mut sheet = sheet(&format!("{header}\n{row}\n"));
    assert_eq!((sheet.rows.len(), sheet.refused_count), (0, 1), "{row}: {:?}", sheet.problems);
    let problem = sheet.problems.pop().expect("a problem");
    assert_eq!((problem.line, problem.refuses), (2, true));
    (problem.column, problem.message)
}

#[test]
fn a_list_made_for_us_is_read_whole() {
    let text = format!(
        "{TEMPLATE_HEADER}\n1234567893,Amara,Whitfield,M.D.,Ridgeline,psychiatrist,a@ridgeline.example,(847) 555-0101,(847) 555-0102,America/Chicago,North;priority;north,met,ebr,given_by_recipient,2026-09-14,\"Gave it\nby phone\"\n"
    );
    let sheet = sheet(&text);
    assert!(sheet.problems.is_empty() && sheet.unused_columns.is_empty(), "{:?}", sheet.problems);
    assert_eq!(sheet.mapping.len(), TEMPLATE_HEADER.split(',').count());
    let row = &sheet.rows[0];
    assert_eq!(row.npi.as_deref(), Some("1234567893"));
    assert_eq!(row.credentials.as_deref(), Some("MD"));
    assert_eq!(row.kind, ReferrerType::Psychiatrist);
    assert_eq!(row.fax.as_ref().map(FaxNumber::as_str), Some("+18475550101"));
    assert_eq!(row.phone.as_deref(), Some("+18475550102"));
    assert_eq!(row.time_zone, Some(Tz::America__Chicago));
    assert_eq!(row.tags, ["north", "priority"]);
    let basis = row.basis.as_ref().expect("a basis");
    assert_eq!((basis.kind, basis.number_source), (BasisKind::Ebr, Some(NumberSource::GivenByRecipient)));
    assert_eq!((basis.date.to_string(), basis.note.as_deref()), ("2026-09-14".to_owned(), Some("Gave it by phone")));
}

#[test]
fn every_separator_is_found_by_itself() {
    for separator in [",", ";", "\t", "|"] {
        let text = format!("Last{separator}Fax{separator}Notes\nReyes{separator}847 555 0101{separator}\"a, b; c\"\n");
        let sheet = sheet(&text);
        assert_eq!((sheet.rows.len(), sheet.delimiter.to_string().as_str()), (1, separator));
        assert_eq!(sheet.rows[0].notes.as_deref(), Some("a, b; c"));
    }
}

#[test]
fn a_refused_row_says_which_cell_and_why_without_the_value() {
    for (header, row, column, reason) in [
        ("name,fax", "Reyes,", None, "neither fax number"),
        ("name,fax", "Reyes,847 555 0101 x77", Some("fax"), "extension"),
        ("name,fax", "Reyes,55501", Some("fax"), "ten digits"),
        ("name,fax", "Reyes,900-555-0101", Some("fax"), "premium"),
        ("name,fax,e-mail", "Reyes,847 555 0101,canary", Some("e-mail"), "not an email"),
        ("fax,basis,basis_date", "847 555 0101,consented,2026-01-31", Some("basis"), "permission, ebr"),
        ("fax,basis,basis_date", "847 555 0101,permission,soon", Some("basis_date"), "2026-01-31"),
        ("email,basis,basis_date", "a@b.example,permission,2026-01-31", Some("basis"), "belongs to a fax number"),
        ("name,fax", "Reyes, MD,847 555 0101", None, "more cells than the header"),
    ] {
        let (found, message) = complaint(header, row);
        assert_eq!(found.as_deref(), column, "{row}: {message}");
        assert!(message.contains(reason), "{row}: {message}");
        assert!(!message.contains("0101") && !message.contains("canary"), "{message}");
    }
}

#[test]
fn what_can_be_left_out_is_left_out_with_a_note() {
    let sheet = sheet(
        "fax,phone,tz,type,basis,basis_source,basis_date,npi,ext\n\
         847-555-0101 / 847-555-0102,call us,Moon,chiropractor,ebr,third_party_list,01/31/2026,1234567890,\n\
         847-555-0103,847-555-0103,,,,,,12345,front desk\n",
    );
    assert_eq!((sheet.rows.len(), sheet.refused_count), (2, 0));
    assert_eq!(sheet.rows[0].fax.as_ref().map(FaxNumber::as_str), Some("+18475550101"));
    assert_eq!((sheet.rows[0].phone.clone(), sheet.rows[0].time_zone), (None, None));
    let columns: Vec<&str> = sheet.problems.iter().filter_map(|problem| problem.column.as_deref()).collect();
    assert_eq!(columns, ["fax", "npi", "phone", "type", "tz", "basis", "npi", "ext", "fax"]);
    assert!(sheet.problems.iter().all(|problem| !problem.refuses));
}

#[test]
fn a_phone_keeps_its_number_and_its_extension() {
    let sheet = sheet("phone\n(847) 555-0102 ext. 12\n847.555.0103x4\n847 555 0105 #3\n8475550104.0\n");
    let phones: Vec<&str> = sheet.rows.iter().filter_map(|row| row.phone.as_deref()).collect();
    assert_eq!(phones, ["+18475550102;ext=12", "+18475550103;ext=4", "+18475550105;ext=3", "+18475550104"]);
}

#[test]
fn an_open_quotation_mark_is_reported_not_swallowed() {
    for rest in ["847 555 0103,ok\n".to_owned(), "x,y\n".repeat(2_000), String::new()] {
        let text = format!("fax,notes\n847 555 0101,ok\n847 555 0102,\"open\n{rest}");
        assert_eq!(read(text.as_bytes(), &[]).err(), Some(SheetError::OpenQuote(3)));
    }
    let sheet = sheet(&format!("fax,notes\n847 555 0102,\"{}\"\n", "x ".repeat(4_000)));
    assert_eq!((sheet.rows.len(), sheet.refused_count), (0, 1));
}

#[test]
fn a_file_that_is_no_list_says_what_to_do() {
    assert_eq!(read(b"", &[]).err(), Some(SheetError::Empty));
    assert_eq!(read(b"\xEF\xBB\xBF \r\n", &[]).err(), Some(SheetError::Empty));
    assert_eq!(read(b"one,two\n1,2\n", &[]).err(), Some(SheetError::NoHeader));
    assert_eq!(read(&vec![b'a'; BYTES_MAX + 1], &[]).err(), Some(SheetError::TooLarge));
    let rows = "-\n".repeat(ROWS_MAX + 1);
    assert_eq!(read(format!("fax\n{rows}").as_bytes(), &[]).err(), Some(SheetError::TooManyRows));
    let told = [(Field::Fax, "Nowhere".to_owned())];
    let error = read(b"fax,email\n", &told).expect_err("refused").to_string();
    assert!(error.contains("mapping"), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &[]);
        let _ = read(&[TEMPLATE_HEADER.as_bytes(), b"\n", &bytes].concat(), &[]);
    }

    #[test]
    fn no_text_makes_reading_panic_and_no_problem_repeats_an_address(
        cells in prop::collection::vec("[\\PC]{0,24}|[0-9 ()x.-]{0,16}|[a-z@.]{0,12}", 16),
    ) {
        let row = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(",");
        let sheet = read(format!("{TEMPLATE_HEADER}\n{row}\n").as_bytes(), &[]);
        let Ok(sheet) = sheet else { return Ok(()) };
        prop_assert!(sheet.rows.len() + sheet.refused_count <= 1);
        for address in [&cells[6], &cells[7], &cells[8]].into_iter().filter(|text| text.trim().len() > 6) {
            for problem in &sheet.problems {
                prop_assert!(!problem.message.contains(address.trim()), "{}", problem.message);
            }
        }
    }
}

/// The text in one of the encodings that spreadsheets write.
fn encoded(text: &str, encoding: usize) -> Vec<u8> {
    match encoding {
        0 => text.as_bytes().to_vec(),
        1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        2 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        _ => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
    }
}

proptest! {
    #[test]
    fn a_list_written_by_any_spreadsheet_is_read_back_row_by_row(
        people in prop::collection::vec(("Q[a-zéñü]{1,10}", "Qu[a-z]{1,8}(-[A-Z][a-z]{1,6})?", 100u32..200), 1..12),
        separator in prop::sample::select(vec![',', ';', '\t', '|']),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        encoding in 0usize..4,
        quoted in any::<bool>(),
    ) {
        let cell = |text: &str| if quoted { format!("\"{text}\"") } else { text.to_owned() };
        let line = |cells: &[&str]| cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(&separator.to_string()) + end;
        let mut text = line(&["First name", "Last name", "Fax"]);
        for (first, last, tail) in &people {
            text.push_str(&line(&[first, last, &format!("(312) 555-0{tail}")]));
        }
        let sheet = read(&encoded(&text, encoding), &[]).expect("a list");
        prop_assert!(sheet.problems.is_empty(), "{:?}", sheet.problems);
        let found: Vec<_> = sheet.rows.iter().map(|row| (
            row.first_name.clone().unwrap_or_default(),
            row.last_name.clone().unwrap_or_default(),
            row.fax.as_ref().map(|fax| fax.as_str().to_owned()).unwrap_or_default(),
        )).collect();
        let written: Vec<_> = people.iter().map(|(first, last, tail)| (first.clone(), last.clone(), format!("+13125550{tail}"))).collect();
        prop_assert_eq!(found, written);
    }
}

#[test]
fn a_refusal_written_beside_an_address_is_a_refusal_of_that_address() {
    for (header, cell, refused) in [
        ("fax", "847-555-0131 DO NOT FAX", Some("fax opt_out")),
        ("fax", "Opted out: (847) 555-0131", Some("fax opt_out")),
        ("fax", "847-555-0131 (unsubscribed)", Some("fax opt_out")),
        ("email", "uma@elm.example do not email", Some("email opt_out")),
        ("email", "uma@elm.example (opted out)", Some("email opt_out")),
        ("email", "uma@elm.example - bounced", Some("email bounced")),
        ("email", "unsubscribed@elm.example", None),
        ("fax", "847-555-0131", None),
    ] {
        let sheet = sheet(&format!("name,{header}\nOrr,{cell}\n"));
        assert_eq!((sheet.rows.len(), sheet.refused_count), (1, 0), "{cell}: {:?}", sheet.problems);
        let found: Vec<String> =
            sheet.rows[0].refusals.iter().map(|one| format!("{} {}", one.channel, one.reason)).collect();
        assert_eq!(found, refused.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{cell}");
        let evidence = RefusalEvidence::Column(header.to_owned());
        assert!(sheet.rows[0].refusals.iter().all(|one| one.evidence == evidence), "{cell}");
    }
    for (header, cell) in [
        ("fax,phone", "opted out,847-555-0132"),
        ("fax,phone", "847-555-0131 / 847-555-0133 do not fax,847-555-0132"),
        ("email,phone", "unsubscribed,847-555-0132"),
        ("email,phone", "uma@elm.example; ivo@elm.example opted out,847-555-0132"),
    ] {
        let (column, message) = complaint(header, cell);
        assert_eq!(column.as_deref(), header.split(',').next(), "{cell}");
        assert!(message.contains("letters are refused") && !message.contains("555"), "{cell}: {message}");
    }
}

#[test]
fn a_voice_number_that_was_left_out_says_why_and_zeros_are_no_number() {
    let marked = sheet("name,email,phone\nOrr,uma@elm.example,847-555-0131 (fax)\n");
    assert_eq!(marked.rows[0].phone, None);
    let message = &marked.problems[0].message;
    assert!(message.contains("left out") && message.contains("fax number"), "{message}");
    for number in ["000-000-0000", "0000000000", "(000) 000-0000", "999-999-9999"] {
        let list = sheet(&format!("email,phone,fax\numa@elm.example,{number},{number}\n"));
        assert_eq!((list.rows.len(), list.problems.len()), (1, 0), "{number}: {:?}", list.problems);
        assert_eq!((list.rows[0].phone.clone(), list.rows[0].fax.is_none()), (None, true), "{number}");
    }
}

#[test]
fn a_list_of_twenty_thousand_columns_is_refused_before_any_name_is_compared() {
    let wide = |columns: usize, delimiter: &str| {
        let names: Vec<String> = (0..columns).map(|number| format!("opted out {number}")).collect();
        read(format!("email{delimiter}{}\n", names.join(delimiter)).as_bytes(), &[])
    };
    for delimiter in [",", ";", "\t", "|"] {
        assert_eq!(wide(20_000, delimiter).expect_err("too wide"), SheetError::TooManyColumns, "{delimiter:?}");
    }
    assert!(wide(COLUMNS_MAX - 1, ",").is_ok(), "the widest list that is read");
    assert_eq!(wide(COLUMNS_MAX, ",").expect_err("too wide"), SheetError::TooManyColumns);
}

#[test]
fn a_header_of_megabytes_is_refused_and_an_open_quotation_mark_is_named() {
    let long = format!("email,{}\numa@elm.example,\n", "x".repeat(2 << 20));
    assert_eq!(read(long.as_bytes(), &[]).expect_err("too long"), SheetError::HeaderTooLong);
    let open = format!("email,\"fax\n{}", "uma@elm.example,847-555-0131\n".repeat(20_000));
    let error = read(open.as_bytes(), &[]).expect_err("too long").to_string();
    assert!(error.contains("quotation mark"), "{error}");
}

#[test]
fn what_is_wide_only_under_a_delimiter_that_is_not_the_lists_own_is_read() {
    let note = "a, b, ".repeat(600);
    let list = format!("email;notes\numa@elm.example;{note}\n");
    let sheet = read(list.as_bytes(), &[]).expect("a list");
    assert_eq!((sheet.delimiter, sheet.rows.len() + sheet.refused_count), (';', 1));
}
