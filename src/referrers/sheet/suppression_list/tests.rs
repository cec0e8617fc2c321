//! The exports of each service, as they come.

use proptest::prelude::*;

use super::*;

/// What each row says: `ana@clinic.example: opt_out 2026-03-04`, with `do_not_contact` for a status.
fn read_as(origin: Origin, file: &str, text: &str) -> Vec<String> {
    let sheet = read(text.as_bytes(), origin, Some(file)).unwrap_or_else(|error| panic!("{origin}: {error}\n{text}"));
    let said = |row: &SheetRow| {
        let address = row.email.as_ref().map(|mailbox| mailbox.as_str().to_owned());
        let address = address.or_else(|| row.fax.as_ref().map(|number| number.as_str().to_owned()));
        let refusals = row.refusals.iter().map(|one| {
            let day = one.day.map(|day| format!(" {day}")).unwrap_or_default();
            format!("{}{day}", one.reason)
        });
        let standing = row.standing.map(|state| state.to_string());
        format!("{}: {}", address.unwrap_or_default(), refusals.chain(standing).collect::<Vec<_>>().join(", "))
    };
    sheet.rows.iter().map(said).collect()
}

/// A service, the name of a file, what is in it, and what it says.
const LISTS: &[(Origin, &str, &str, &[&str])] = &[
    (
        Origin::Mailgun,
        "bounces.csv",
        "address,code,error,created_at\nana@clinic.example,550,\"550 5.1.1 <ana@clinic.example>: user unknown\",\"Fri, 21 Nov 2025 11:02:55 UTC\"\nbo@clinic.example,605,Not delivering to previously bounced address,2026-01-02T03:04:05Z\n",
        &["ana@clinic.example: bounced 2025-11-21", "bo@clinic.example: bounced 2026-01-02"],
    ),
    (
        Origin::Mailgun,
        "export.csv",
        "address,tags,created_at\nana@clinic.example,*,\"Fri, 21 Nov 2025 11:02:55 UTC\"\n",
        &["ana@clinic.example: opt_out 2025-11-21"],
    ),
    (
        Origin::Mailgun,
        "export.csv",
        "address,created_at\nana@clinic.example,2026-01-02\n",
        &["ana@clinic.example: complaint 2026-01-02"],
    ),
    (
        Origin::Mailgun,
        "unsubscribes.json",
        r#"{"items": [{"address": "Ana@Clinic.example", "tags": ["*"], "created_at": "Fri, 21 Nov 2025 11:02:55 GMT"}], "paging": {"next": "https://api.example"}}"#,
        &["Ana@clinic.example: opt_out 2025-11-21"],
    ),
    (
        Origin::SendGrid,
        "suppression_bounces.csv",
        "status,reason,email,created\n5.1.1,550 5.1.1 The email account that you tried to reach does not exist.,ana@clinic.example,1764547200\n4.2.2,452 4.2.2 <bo@clinic.example> The email account that you tried to reach is over quota,bo@clinic.example,1764547200\n5.7.1,\"550 5.7.1 Our system has detected that this message is likely unsolicited mail\",cy@clinic.example,1764547200\n",
        &["ana@clinic.example: bounced 2025-12-01"],
    ),
    (
        Origin::SendGrid,
        "bounces.json",
        r#"[{"created": 1764547200, "email": "ana@clinic.example", "reason": "550 5.1.1 No such user", "status": "5.1.1"}]"#,
        &["ana@clinic.example: bounced 2025-12-01"],
    ),
    (
        Origin::SendGrid,
        "suppression_blocks.csv",
        "status,reason,email,created\n5.7.1,550 IP blocked,ana@clinic.example,1764547200\n",
        &[],
    ),
    (
        Origin::SendGrid,
        "spam_reports.csv",
        "ip,email,created\n192.0.2.7,ana@clinic.example,1764547200\n",
        &["ana@clinic.example: complaint 2025-12-01"],
    ),
    (
        Origin::SendGrid,
        "invalid_emails.csv",
        "reason,email,created\nMail domain mentioned in email address is unknown,ana@clinik.example,1764547200\n",
        &["ana@clinik.example: bounced 2025-12-01"],
    ),
    (
        Origin::SendGrid,
        "unsubscribes.csv",
        "email,created\nana@clinic.example,1764547200\n",
        &["ana@clinic.example: opt_out 2025-12-01"],
    ),
    (
        Origin::Ses,
        "list.json",
        r#"{"SuppressedDestinationSummaries": [
            {"EmailAddress": "ana@clinic.example", "Reason": "BOUNCE", "LastUpdateTime": "2026-04-10T21:03:05+00:00"},
            {"EmailAddress": "bo@clinic.example", "Reason": "COMPLAINT", "LastUpdateTime": 1764547200.5}], "NextToken": null}"#,
        &["ana@clinic.example: bounced 2026-04-10", "bo@clinic.example: complaint 2025-12-01"],
    ),
    (
        Origin::Ses,
        "list.csv",
        "Email address,Suppression reason,Last update time\nana@clinic.example,Bounce,2026-04-10\n",
        &["ana@clinic.example: bounced 2026-04-10"],
    ),
    (
        Origin::Ses,
        "export.jsonl",
        "{\"emailAddress\":\"ana@clinic.example\",\"reason\":\"BOUNCE\"}\n\n{\"emailAddress\":\"bo@clinic.example\",\"reason\":\"COMPLAINT\"}\n",
        &["ana@clinic.example: bounced", "bo@clinic.example: complaint"],
    ),
    (
        Origin::Postmark,
        "dump.json",
        r#"{"Suppressions": [
            {"EmailAddress": "ana@clinic.example", "SuppressionReason": "ManualSuppression", "Origin": "Recipient", "CreatedAt": "2026-02-10T08:58:33-05:00"},
            {"EmailAddress": "bo@clinic.example", "SuppressionReason": "HardBounce", "Origin": "Recipient", "CreatedAt": "2026-02-10T08:58:33-05:00"},
            {"EmailAddress": "cy@clinic.example", "SuppressionReason": "SpamComplaint", "Origin": "Recipient", "CreatedAt": "2026-02-10T08:58:33-05:00"},
            {"EmailAddress": "di@clinic.example", "SuppressionReason": "ManualSuppression", "Origin": "Customer", "CreatedAt": "2026-02-10T08:58:33-05:00"}]}"#,
        &[
            "ana@clinic.example: opt_out 2026-02-10",
            "bo@clinic.example: bounced 2026-02-10",
            "cy@clinic.example: complaint 2026-02-10",
            "di@clinic.example: do_not_contact 2026-02-10",
        ],
    ),
    (
        Origin::Postmark,
        "dump.json",
        r#"{"Errors": [], "TotalCount": 1, "Suppressions": [{"EmailAddress": "", "Email": "ana@clinic.example", "SuppressionReason": "HardBounce"}]}"#,
        &["ana@clinic.example: bounced"],
    ),
    (
        Origin::SendGrid,
        "our_blocklist.csv",
        "email,created\nana@clinic.example,1764547200\n",
        &["ana@clinic.example: opt_out 2025-12-01"],
    ),
    // A remark of one row says nothing of the others.
    (
        Origin::Csv,
        "list.csv",
        "email,notes\nana@clinic.example,\nbo@clinic.example,Left. Do not contact.\ncy@clinic.example,met in May\n",
        &["ana@clinic.example: opt_out", "bo@clinic.example: opt_out, do_not_contact", "cy@clinic.example: opt_out"],
    ),
    // What is refused in words of mail holds for the fax number that the row has.
    (Origin::Csv, "list.csv", "fax,unsubscribed\n8475550105,yes\n8475550106,no\n", &["+18475550105: opt_out"]),
    (Origin::Csv, "list.csv", "email,reason\nana@clinic.example,gone\n", &["ana@clinic.example: opt_out"]),
    (
        Origin::Csv,
        "list.csv",
        "email,Unsubscribed\nana@clinic.example,yes\nbo@clinic.example,no\n",
        &["ana@clinic.example: opt_out"],
    ),
    (
        Origin::Csv,
        "list.txt",
        "ana@clinic.example\n\n(847) 555-0105\n",
        &["ana@clinic.example: opt_out", "+18475550105: opt_out"],
    ),
];

#[test]
fn the_exports_of_every_service_are_understood() {
    for (origin, file, text, wanted) in LISTS {
        assert_eq!(read_as(*origin, file, text), *wanted, "{origin} {file}");
    }
}

/// The same table, written otherwise.
fn rewritten(text: &str, change: impl Fn(Vec<String>) -> Vec<String>, style: csv::QuoteStyle) -> String {
    let mut records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let end = csv::Terminator::CRLF;
    let mut writer =
        csv::WriterBuilder::new().quote_style(style).terminator(end).flexible(true).from_writer(Vec::new());
    for record in records.records() {
        let cells = record.expect("a record").iter().map(str::to_owned).collect();
        writer.write_record(change(cells)).expect("written");
    }
    String::from_utf8(writer.into_inner().expect("whole")).expect("UTF-8")
}

#[test]
fn an_export_means_the_same_with_a_mark_at_its_start_other_line_ends_quotes_and_columns_in_another_order() {
    let tables = LISTS.iter().filter(|(origin, _, text, _)| *origin != Origin::Csv && !text.starts_with(['{', '[']));
    for (origin, file, text, wanted) in tables {
        let backwards = |mut cells: Vec<String>| {
            cells.reverse();
            cells
        };
        for other in [
            format!("\u{feff}{}", text.replace('\n', "\r\n")),
            format!("\u{feff}{}", rewritten(text, |cells| cells, csv::QuoteStyle::Always)),
            rewritten(text, backwards, csv::QuoteStyle::Necessary),
            format!("\n\n{text}\n\n"),
        ] {
            assert_eq!(read_as(*origin, file, &other), *wanted, "{origin} {file}: {other}");
        }
    }
}

#[test]
fn a_column_that_is_missing_makes_a_list_stricter_or_is_asked_for() {
    for (origin, text, wanted) in [
        (Origin::Mailgun, "address\nana@clinic.example\n", &["ana@clinic.example: complaint"][..]),
        (Origin::Mailgun, "address,error\nana@clinic.example,\n", &["ana@clinic.example: bounced"]),
        (Origin::SendGrid, "email\nana@clinic.example\n", &["ana@clinic.example: opt_out"]),
        (Origin::SendGrid, "email,reason\nana@clinic.example,\n", &["ana@clinic.example: bounced"]),
        (
            Origin::Postmark,
            "EmailAddress,SuppressionReason\nana@clinic.example,ManualSuppression\n",
            &["ana@clinic.example: opt_out"],
        ),
        (Origin::Ses, "EmailAddress\nana@clinic.example\n", &[]),
        (Origin::Postmark, "EmailAddress,Origin\nana@clinic.example,Recipient\n", &[]),
    ] {
        assert_eq!(read_as(origin, "list.csv", text), wanted, "{origin}: {text}");
        let refused = read(text.as_bytes(), origin, None).expect("a list").refused_count;
        assert_eq!(
            refused,
            usize::from(wanted.is_empty()),
            "{origin}: an entry that does not say why is not left out unsaid"
        );
    }
}

#[test]
fn of_two_entries_of_one_address_the_stricter_stands_whatever_their_order() {
    let head = "EmailAddress,SuppressionReason,Origin\n";
    let (complaint, by_them) =
        ("ana@clinic.example,SpamComplaint,Recipient\n", "ana@clinic.example,ManualSuppression,Recipient\n");
    let by_us = "ana@clinic.example,ManualSuppression,Customer\n";
    for (rows, wanted) in [
        ([complaint, by_them], "ana@clinic.example: opt_out"),
        ([by_them, complaint], "ana@clinic.example: opt_out"),
        ([by_us, by_them], "ana@clinic.example: do_not_contact"),
        ([by_them, by_us], "ana@clinic.example: do_not_contact"),
    ] {
        assert_eq!(read_as(Origin::Postmark, "dump.csv", &format!("{head}{}", rows.concat())), [wanted]);
    }
}

#[test]
fn what_the_server_said_of_the_sender_or_what_passes_is_left_out_and_said() {
    let (origin, file, text, _) = LISTS[4];
    let sheet = read(text.as_bytes(), origin, Some(file)).expect("a list");
    let told: Vec<(u64, bool)> = sheet.problems.iter().map(|one| (one.line, one.refuses)).collect();
    assert_eq!(told, [(3, false), (4, false)], "{:?}", sheet.problems);
    assert!(sheet.problems.iter().all(|one| one.message.contains("left out") && !one.message.contains('@')));
}

#[test]
fn an_address_twice_in_a_list_is_one_row_that_refuses_all_of_it() {
    let text = "Email,Reason\nana@clinic.example,BOUNCE\nANA@clinic.example,COMPLAINT\nana@clinic.example,BOUNCE\n";
    assert_eq!(read_as(Origin::Ses, "list.csv", text), ["ana@clinic.example: bounced, complaint"]);
}

#[test]
fn what_is_no_list_of_the_service_is_refused_with_what_to_do() {
    for (origin, text) in [
        (Origin::Mailgun, "name,phone\nAna,1\n"),
        (Origin::Ses, "{\"SuppressedDestinationSummaries\": ["),
        (Origin::Postmark, "{\"Message\": \"not found\"}"),
        (Origin::SendGrid, "[{\"id\": 1}]"),
        (
            Origin::Ses,
            "{\"SuppressedDestinationSummaries\": [{\"EmailAddress\": \"a@b.example\", \"Reason\": \"BOUNCE\"}], \"NextToken\": \"x\"}",
        ),
        (
            Origin::Postmark,
            "{\"TotalCount\": 2, \"Bounces\": [{\"Email\": \"a@b.example\", \"Type\": \"HardBounce\"}]}",
        ),
    ] {
        let error = read(text.as_bytes(), origin, None).expect_err("no list").to_string();
        assert!(error.contains(origin.title()) && error.contains("--from csv"), "{error}");
    }
    let sheet = read(b"Email,Reason\nana@clinic.example,WHIM\nnobody,BOUNCE\n", Origin::Ses, None).expect("a list");
    let told: Vec<(u64, bool)> = sheet.problems.iter().map(|one| (one.line, one.refuses)).collect();
    assert_eq!((told, sheet.refused_count, sheet.rows.len()), (vec![(2, true), (3, true)], 2, 0));
    let text = b"Email,SuppressionReason\nana@clinic.example,Whim\n";
    assert_eq!(
        read(text, Origin::Postmark, None).expect("a list").refused_count,
        1,
        "an unknown reason may be a refusal"
    );
    let text = b"name,phone,do not contact\nAna Good,(847) 555-0142,yes\n";
    assert_eq!(read(text, Origin::Csv, None).expect("a list").refused_count, 1, "nothing to hold the refusal to");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_octets_give_a_list_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..300), which in 0..5usize) {
        let _ = read(&octets, Origin::ALL[which], None);
    }

    #[test]
    fn a_damaged_export_gives_a_list_or_an_error(list in 0..LISTS.len(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let (origin, file, text, _) = LISTS[list];
        let mut octets = text.as_bytes().to_vec();
        let place = at.index(octets.len());
        octets[place] = octet;
        let _ = read(&octets, origin, Some(file));
    }
}
