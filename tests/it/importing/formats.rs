//! The lists of the tools that practices use, each with the columns that its maker gives it.

use proptest::prelude::*;
use touchline::domain::referrer::ReferrerType;
use touchline::referrers::sheet;
use touchline::referrers::sheet::{Field, Instructions, Sheet, SheetError};

use super::{fax, person};

fn read(text: &str) -> Sheet {
    sheet::read(text.as_bytes(), &[]).expect("a list")
}

/// What a list gives for its first row: email, fax, telephone, organization, labels.
fn reached(sheet: &Sheet) -> [String; 5] {
    let row = &sheet.rows[0];
    [
        row.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
        fax(row).unwrap_or_default().to_owned(),
        row.phone.clone().unwrap_or_default(),
        row.organization.clone().unwrap_or_default(),
        row.tags.join(";"),
    ]
}

#[test]
fn every_tool_is_read_by_its_own_columns() {
    let cases = [
        (
            "Google Contacts",
            "First Name,Last Name,Organization Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n\
             Rosa,Kim,Elm Family Practice,* myContacts ::: Pediatric,* Work,rosa@elm.example ::: desk@elm.example,Mobile,(312) 555-0120,Work Fax,(312) 555-0121 ::: (312) 555-0122\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", "pediatric"],
        ),
        (
            "Google Contacts before 2024",
            "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Phone 3 - Type,Phone 3 - Value,Organization 1 - Name\n\
             Rosa Kim,Rosa,Kim,* myContacts ::: Lake,* Home,rosa@elm.example,Home Fax,(312) 555-0123,Work,(312) 555-0120,workFax,(312) 555-0121,Elm Family Practice\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", "lake"],
        ),
        (
            "Outlook",
            "Title,First Name,Middle Name,Last Name,Suffix,Company,Business Fax,Business Phone,Home Fax,Mobile Phone,E-mail Address,E-mail Type,E-mail Display Name,Categories,Notes\n\
             Dr.,Rosa,B,Kim,MD,Elm Family Practice,(312) 555-0121,(312) 555-0120,(312) 555-0129,,rosa@elm.example,SMTP,Rosa Kim,Lake;Pediatric,Met in May\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", "lake;pediatric"],
        ),
        (
            "HubSpot",
            "Record ID,First Name,Last Name,Email,Phone Number,Fax Number,Associated Company,Contact owner,Lead Status,Marketing contact status,Create Date\n\
             7,Rosa,Kim,rosa@elm.example,(312) 555-0120,(312) 555-0121,Elm Family Practice,Dana,NEW,Marketing contact,2026-01-01\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", ""],
        ),
        (
            "Mailchimp",
            "Email Address,First Name,Last Name,Phone Number,Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID,NOTES,TAGS\n\
             rosa@elm.example,Rosa,Kim,(312) 555-0120,Elm Family Practice,2,2020-01-01,203.0.113.9,2020-01-01,203.0.113.9,1,a1,,\"\"\"Lake\"\",\"\"pediatric\"\"\"\n",
            ["rosa@elm.example", "", "+13125550120", "Elm Family Practice", "lake;pediatric"],
        ),
        (
            "listmonk",
            "uuid,email,name,attributes,status,created_at,updated_at\n\
             u-1,rosa@elm.example,Rosa Kim,\"{\"\"fax\"\": \"\"(312) 555-0121\"\", \"\"phone\"\": \"\"312 555 0120\"\", \"\"company\"\": \"\"Elm Family Practice\"\", \"\"visits\"\": 3}\",enabled,2024-01-01,2024-01-01\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", ""],
        ),
        (
            "Constant Contact",
            "First name,Last name,Email address,Email status,Email permission status,Company,Phone - work,Street address line 1 - Work,City - Work,State/Province - Work,Zip/Postal code - Work,Email Lists\n\
             Rosa,Kim,rosa@elm.example,Active,Implied,Elm Family Practice,(312) 555-0120,1 Elm St,Chicago,IL,60601,Lake\n",
            ["rosa@elm.example", "", "+13125550120", "Elm Family Practice", "lake"],
        ),
        (
            "Brevo",
            "CONTACT ID,EMAIL,FIRSTNAME,LASTNAME,SMS,DOUBLE_OPT-IN,FAX_NUMBER\n\
             1,rosa@elm.example,Rosa,Kim,,1,(312) 555-0121\n",
            ["rosa@elm.example", "+13125550121", "", "", ""],
        ),
        (
            "ActiveCampaign",
            "ID,First Name,Last Name,Email,Phone,Organization,Tags,Status\n\
             1,Rosa,Kim,rosa@elm.example,(312) 555-0120,Elm Family Practice,Lake,Active\n",
            ["rosa@elm.example", "", "+13125550120", "Elm Family Practice", "lake"],
        ),
        (
            "a Salesforce report",
            "Salutation,First Name,Last Name,Account Name,Mailing Street,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Phone,Fax,Email,Email Opt Out,Fax Opt Out,Do Not Call\n\
             Dr.,Rosa,Kim,Elm Family Practice,1 Elm St,Chicago,IL,60601,(312) 555-0120,(312) 555-0121,rosa@elm.example,0,0,0\n\n\
             \"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\"\nConfidential Information - Do Not Distribute\n",
            ["rosa@elm.example", "+13125550121", "+13125550120", "Elm Family Practice", ""],
        ),
    ];
    for (tool, text, expected) in cases {
        let sheet = read(text);
        assert_eq!((sheet.rows.len(), sheet.refused_count), (1, 0), "{tool}: {:?}", sheet.problems);
        assert_eq!(reached(&sheet), expected.map(str::to_owned), "{tool}: {:?}", sheet.mapping);
        let (first, last, _) = person(&sheet.rows[0]);
        assert_eq!((first, last), (Some("Rosa"), Some("Kim")), "{tool}");
        assert!(sheet.rows[0].refusals.is_empty() && sheet.rows[0].standing.is_none(), "{tool}");
    }
}

#[test]
fn the_first_of_several_in_a_cell_is_taken_with_a_note() {
    let sheet = read(
        "Name,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n\
         Rosa Kim,rosa@elm.example ::: desk@elm.example,Work Fax,(312) 555-0121 ::: (312) 555-0122\n\
         Ana Roe,\"mailto:ana@elm.example?subject=Hi\",Home Fax,\n\
         Bo Lund,Bo Lund <bo@elm.example>,,\n\
         Cy Moss,cy@elm.example (work),,\n",
    );
    let mailboxes: Vec<_> = sheet.rows.iter().filter_map(|row| row.email.as_ref()).map(|one| one.as_str()).collect();
    assert_eq!(mailboxes, ["rosa@elm.example", "ana@elm.example", "bo@elm.example", "cy@elm.example"]);
    let notes: Vec<_> = sheet.problems.iter().map(|one| (one.line, one.column.as_deref(), one.refuses)).collect();
    assert_eq!(notes, [(2, Some("Phone 1 - Value"), false), (2, Some("E-mail 1 - Value"), false)]);
    let told = [sheet::parse_mapping("fax=Phone 1 - Value").expect("a mapping")];
    let text = "Name,Phone 1 - Label,Phone 1 - Value\nRosa Kim,Mobile,(312) 555-0121 ::: (312) 555-0122\n";
    let mapped = sheet::read(text.as_bytes(), &told).expect("a list");
    assert_eq!(fax(&mapped.rows[0]), Some("+13125550121"), "what a person says goes before the label");
}

#[test]
fn clinicians_of_medicare_are_read_with_each_of_their_places() {
    let sheet = read(
        "NPI,Ind_PAC_ID,Provider Last Name,Provider First Name,suff,gndr,Cred,Grd_yr,pri_spec,sec_spec_1,Facility Name,adr_ln_1,City/Town,State,ZIP Code,Telephone Number,ind_assgn\n\
         1234567893,1,STONE,ADA,III,F,NP,1998,NURSE PRACTITIONER,,OAK GROUP PC,2 OAK ST,WAUKEGAN,IL,60085,8475550120,Y\n\
         1234567893,1,STONE,ADA,III,F,NP,1998,NURSE PRACTITIONER,,PINE GROUP PC,9 PINE AVE,ZION,IL,60099,8475550121,Y\n\
         1987654328,2,OBI,UCHE,,M,MD,2001,GERIATRIC PSYCHIATRY,,OAK GROUP PC,2 OAK ST,WAUKEGAN,IL,60085,8475550120,Y\n",
    );
    assert!(sheet.problems.is_empty(), "{:?}", sheet.problems);
    let first = &sheet.rows[0];
    assert_eq!(person(first), (Some("Ada"), Some("Stone III"), Some("NP")));
    assert_eq!((first.street.as_deref(), first.city.as_deref()), (Some("2 OAK ST"), Some("WAUKEGAN")));
    assert_eq!((first.state.as_deref(), first.postal_code.as_deref()), (Some("IL"), Some("60085")));
    assert_eq!(sheet.rows[1].organization.as_deref(), Some("PINE GROUP PC"));
    assert_eq!(sheet.rows[2].kind, ReferrerType::Psychiatrist);
    assert_eq!(first.time_zone, Some(chrono_tz::Tz::America__Chicago));
}

#[test]
fn names_in_capitals_and_names_that_mean_nothing_elsewhere_are_names() {
    let sheet = read(
        "Provider First Name,Provider Last Name (Legal Name),Provider Name Suffix Text,Provider Credential Text,Email\n\
         WEI,WU,,MD,a@elm.example\n\
         RUTH,VON TRAPP,,DO,b@elm.example\n\
         SEAN,O'NEILL,JR.,MD,c@elm.example\n\
         ANA,DE LA ROSA,,,d@elm.example\n\
         JEAN-LUC,MCADAMS,II,,e@elm.example\n\
         Jo,Null,,,f@elm.example\n\
         Min,Na,,,g@elm.example\n\
         Grace,None,,,h@elm.example\n\
         Ola,Unknown,,,i@elm.example\n\
         NULL,NULL,NULL,NULL,j@elm.example\n\
         n/a,Roe,,,k@elm.example\n",
    );
    let names: Vec<(Option<&str>, Option<&str>)> =
        sheet.rows.iter().map(|row| (row.first_name.as_deref(), row.last_name.as_deref())).collect();
    assert_eq!(
        names,
        [
            (Some("Wei"), Some("Wu")),
            (Some("Ruth"), Some("von Trapp")),
            (Some("Sean"), Some("O'Neill Jr.")),
            (Some("Ana"), Some("de la Rosa")),
            (Some("Jean-Luc"), Some("McAdams II")),
            (Some("Jo"), Some("Null")),
            (Some("Min"), Some("Na")),
            (Some("Grace"), Some("None")),
            (Some("Ola"), Some("Unknown")),
            (None, None),
            (None, Some("Roe")),
        ]
    );
}

#[test]
fn of_columns_with_one_name_the_first_that_is_filled_counts_and_it_is_said() {
    let sheet = read(
        "First Name,Last Name,Fax,Email,Fax,Fax\nVic,Yoder,,vic@elm.example,(312) 555-0131,\nWanda,Zeller,(312) 555-0132,,,(312) 555-0133\n",
    );
    assert_eq!((fax(&sheet.rows[0]), fax(&sheet.rows[1])), (Some("+13125550131"), Some("+13125550132")));
    let notes: Vec<(u64, bool)> = sheet.problems.iter().map(|one| (one.line, one.refuses)).collect();
    assert_eq!(notes, [(1, false), (3, false)], "{:?}", sheet.problems);
    assert!(sheet.problems[0].message.contains("3 columns have this name"));
}

#[test]
fn what_nobody_sees_in_a_cell_is_not_there_and_what_is_no_text_is_refused() {
    let sheet = read(
        "\u{feff}First Name\0,Last\u{a0}Name,Fax,Email\nSam,Ro\u{200b}urke,\u{202d}(312) 555-0141\0\u{202c},\u{feff}sam@elm.example\u{a0}\n\
         Rene\u{301}e,Zo\u{ad}bel,,r@elm.example\n",
    );
    assert!(sheet.problems.is_empty(), "{:?}", sheet.problems);
    assert_eq!(person(&sheet.rows[0]), (Some("Sam"), Some("Rourke"), None));
    assert_eq!(fax(&sheet.rows[0]), Some("+13125550141"));
    assert_eq!(person(&sheet.rows[1]), (Some("Ren\u{e9}e"), Some("Zobel"), None), "an accent belongs to its letter");
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0, 1, 2, 3].repeat(100)].concat();
    assert_eq!(sheet::read(&picture, &[]).err(), Some(SheetError::NotText));
}

#[test]
fn a_bad_cell_that_nothing_is_sent_to_costs_the_cell() {
    let sheet = read(
        "Name,NPI #,Fax,Tel.,Ext,Time zone,Type\nRosa Kim,12,(312) 555-0121,call the desk,front,Moon,wizard\nAna Roe,,(312) 555-0122,(312) 555-0123,12,,\n",
    );
    assert_eq!((sheet.rows.len(), sheet.refused_count), (2, 0), "{:?}", sheet.problems);
    let row = &sheet.rows[0];
    assert_eq!((&row.npi, &row.phone, row.time_zone, row.kind), (&None, &None, None, ReferrerType::Other));
    assert!(sheet.problems.iter().all(|problem| !problem.refuses && problem.line == 2));
    assert_eq!(sheet.rows[1].phone.as_deref(), Some("+13125550123;ext=12"));
}

#[test]
fn numbers_in_cells_are_what_a_person_reads_or_the_row_is_refused() {
    for (cell, number) in [
        ("Fax: 312.555.0121", Some("+13125550121")),
        ("312-555-0121 (main)", Some("+13125550121")),
        ("P: 312-555-0120 F: 312-555-0121", Some("+13125550121")),
        ("'+44 20 7946 0958", Some("+442079460958")),
        ("=\"3125550121\"", Some("+13125550121")),
        ("3125550121.0", Some("+13125550121")),
        ("312-555-FAXX", None),
        ("3.1255501E9", None),
        ("312-555-O121", None),
        ("312 555 0121 x7", None),
        ("555-0121", None),
    ] {
        let sheet = read(&format!("Name,Fax\nRosa Kim,\"{}\"\n", cell.replace('"', "\"\"")));
        assert_eq!(sheet.rows.first().and_then(fax), number, "{cell}: {:?}", sheet.problems);
        assert_eq!(sheet.refused_count, usize::from(number.is_none()), "{cell}");
    }
}

#[test]
fn a_column_told_to_be_left_alone_must_be_there() {
    let ignored = ["Nowhere".to_owned()];
    let told = Instructions { ignored: &ignored, ..Instructions::default() };
    let error = sheet::read_as_told(b"Name,Fax\nRosa Kim,312 555 0121\n", &told).expect_err("refused").to_string();
    assert!(error.contains("Nowhere"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_cell_shifts_another(
        cells in prop::collection::vec("[\\PC\n\"',;\t|=+@\u{0}\u{200b}]{0,20}", 8),
    ) {
        let header = "First Name,Notes,Company,Tags,Source,Street,City,Specialty,Fax,Last Name";
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut all: Vec<String> = cells.iter().map(|text| quoted(text)).collect();
        all.extend(["(312) 555-0121".to_owned(), "Last of All".to_owned()]);
        let sheet = sheet::read(format!("{header}\n{}\n", all.join(",")).as_bytes(), &[]);
        let Ok(sheet) = sheet else { return Ok(()) };
        prop_assert_eq!(sheet.rows.len(), 1, "{:?}", sheet.problems);
        prop_assert_eq!(fax(&sheet.rows[0]), Some("+13125550121"));
        prop_assert_eq!(sheet.rows[0].last_name.as_deref(), Some("Last of All"));
        prop_assert_eq!(sheet.mapping.iter().find(|(field, _)| *field == Field::Fax).map(|(_, name)| name.as_str()), Some("Fax"));
    }
}
