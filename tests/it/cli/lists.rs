//! Referrers are imported, looked up, corrected and exported, and gather touches.

use super::house::{House, sample_list};

#[test]
fn importing_the_same_list_twice_changes_nothing_the_second_time() {
    let house = House::new();
    let dry = house.ask(&["referrers", "import", &sample_list(), "--dry-run"]);
    assert_eq!(dry["stored"], false);
    assert_eq!(house.ask(&["referrers", "list"])["total"], 0);

    let first = house.ask(&["referrers", "import", &sample_list()]);
    assert!(first["added"].as_u64() > Some(10) && first["bases"].as_u64() > Some(0), "{first}");
    assert_eq!(first["added"], dry["added"]);
    let second = house.ask(&["referrers", "import", &sample_list()]);
    assert_eq!((&second["added"], &second["updated"], &second["bases"]), (&0.into(), &0.into(), &0.into()), "{second}");
    assert_eq!(second["unchanged"], first["added"]);
    assert_eq!(house.ask(&["referrers", "list"])["total"], first["added"]);
}

#[test]
fn a_list_with_bad_rows_is_refused_whole_with_their_lines() {
    let house = House::new();
    house.write(
        "list.csv",
        "first_name,last_name,fax\nAna,Good,(312) 555-0150\nBo,Bad,12\nCy,Good,(312) 555-0151\nDi,Bad,\n",
    );
    let answer = house.run(&["referrers", "import", "list.csv"]);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert!(answer.err.contains("line 3") && answer.err.contains("line 5"), "{answer:?}");
    assert!(answer.err.contains("nothing was imported"), "{answer:?}");
    assert_eq!(house.ask(&["referrers", "list"])["total"], 0);

    let rest = house.ask(&["referrers", "import", "list.csv", "--skip-bad-rows"]);
    assert_eq!((&rest["added"], &rest["refused"]), (&2.into(), &2.into()), "{rest}");
}

#[test]
fn a_file_that_is_no_list_is_refused_and_a_missing_one_is_not_found() {
    let house = House::new();
    house.write("empty.csv", "");
    assert_eq!(house.run(&["referrers", "import", "empty.csv"]).code, 5);
    assert_eq!(house.run(&["referrers", "import", "nowhere.csv"]).code, 4);
    assert_eq!(house.run(&["referrers", "import", "empty.csv", "--map", "shoe=Size"]).code, 2);
}

#[test]
fn a_column_of_any_name_is_read_when_it_is_mapped() {
    let house = House::new();
    house.write("list.csv", "Who,Machine,NPI\nAna Good MD,(312) 555-0150,\n");
    let done = house.ask(&["referrers", "import", "list.csv", "--map", "fax=Machine", "--map", "name=Who"]);
    assert_eq!(done["added"], 1, "{done}");
    let shown = house.ask(&["referrers", "show", "Ana Good"]);
    assert_eq!(shown["referrer"]["fax"], "+13125550150", "{shown}");
}

#[test]
fn an_exported_list_imports_without_a_change() {
    let house = House::with_referrers();
    house.run(&["referrers", "export", "--out", "all.csv"]).good();
    let again = house.ask(&["referrers", "import", "all.csv"]);
    assert_eq!((&again["added"], &again["updated"], &again["bases"]), (&0.into(), &0.into(), &0.into()), "{again}");

    let other = House::new();
    std::fs::copy(house.path("all.csv"), other.path("all.csv")).expect("copied");
    assert_eq!(other.ask(&["referrers", "import", "all.csv"])["added"], again["unchanged"]);
}

#[test]
fn a_refusal_comes_in_with_a_foreign_list_and_moves_on_with_an_export() {
    let house = House::new();
    house.write(
        "hubspot.csv",
        "First Name,Last Name,Email,Fax Number,Phone,Unsubscribed from all email,Do not contact\n\
         Ivo,Dent,ivo@dent.example,+44 20 7946 0958,(312) 555-0150 x12,true,\n\
         Jo,Earl,jo@earl.example,(312) 555-0151,,false,yes\n",
    );
    let dry = house.run(&["referrers", "import", "hubspot.csv", "--dry-run"]).good().out;
    assert!(dry.contains("1 row comes in as opted out of email"), "{dry}");
    assert!(dry.contains("1 row comes in as not to be contacted"), "{dry}");
    let done = house.ask(&["referrers", "import", "hubspot.csv"]);
    assert_eq!((&done["added"], &done["suppressions"]), (&2.into(), &1.into()), "{done}");
    house.run(&["referrers", "export", "--out", "all.csv"]).good();

    let other = House::new();
    std::fs::copy(house.path("all.csv"), other.path("all.csv")).expect("copied");
    let moved = other.ask(&["referrers", "import", "all.csv"]);
    assert_eq!((&moved["added"], &moved["suppressions"]), (&2.into(), &1.into()), "{moved}");
    let known = |name: &str| other.ask(&["referrers", "show", name])["referrer"].clone();
    assert_eq!(known("Earl")["state"], "do_not_contact");
    assert_eq!(
        (&known("Dent")["fax"], &known("Dent")["phone"]),
        (&"+442079460958".into(), &"+13125550150;ext=12".into())
    );
    assert_eq!(other.ask(&["suppress", "list"])["suppressions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_column_that_may_say_who_refused_stops_the_import_until_it_is_explained() {
    let house = House::new();
    house.write("list.csv", "Last Name,Fax,Opt In,Patient Status\nDent,(312) 555-0150,yes,new\n");
    let stopped = house.run(&["referrers", "import", "list.csv"]);
    assert_eq!(stopped.code, 5, "{stopped:?}");
    assert!(stopped.err.contains("Opt In") && stopped.err.contains("--ignore-column"), "{stopped:?}");
    assert_eq!(house.ask(&["referrers", "list"])["total"], 0);
    let told = ["referrers", "import", "list.csv", "--map", "opted_in=Opt In", "--ignore-column", "Patient Status"];
    assert_eq!(house.ask(&told)["added"], 1);
}

#[test]
fn lists_show_no_address_and_a_single_referrer_shows_them() {
    let house = House::with_referrers();
    let list = house.run(&["referrers", "list"]).good().out;
    assert!(list.contains("Amara Whitfield") && !list.contains(") 555-") && !list.contains("@"), "{list}");
    let tagged = house.ask(&["referrers", "list", "--tag", "north-shore"]);
    let tagged = tagged["referrers"].as_array().expect("a list");
    assert!(!tagged.is_empty() && tagged.iter().all(|one| one["tags"].to_string().contains("north-shore")));
    let shown = house.run(&["referrers", "show", "Whitfield"]).good().out;
    assert!(shown.contains("(847) 555-0101") || shown.contains("(847) 555-0102"), "{shown}");
    assert!(shown.contains("touches: 0 of 7"), "{shown}");
}

#[test]
fn an_edit_corrects_addresses_state_and_tags_or_nothing_at_all() {
    let house = House::with_referrers();
    house
        .run(&[
            "referrers",
            "edit",
            "Whitfield",
            "--fax=(312) 555-0177",
            "--state=paused",
            "--tag=+vip",
            "--tag=-priority",
        ])
        .good();
    let shown = house.ask(&["referrers", "show", "Whitfield"]);
    let referrer = &shown["referrer"];
    assert_eq!((&referrer["fax"], &referrer["state"]), (&"+13125550177".into(), &"paused".into()));
    let tags = referrer["tags"].to_string();
    assert!(tags.contains("vip") && !tags.contains("priority"), "{tags}");

    let wrong = house.run(&["referrers", "edit", "Whitfield", "--state=active", "--fax=911"]);
    assert_eq!(wrong.code, 5, "{wrong:?}");
    assert_eq!(house.ask(&["referrers", "show", "Whitfield"])["referrer"]["state"], "paused");
    assert_eq!(house.run(&["referrers", "edit", "Whitfield", "--state=asleep"]).code, 2);
}

#[test]
fn a_referrer_that_is_not_there_is_not_found() {
    let house = House::with_referrers();
    for arguments in [
        &["referrers", "show", "Nobody Atall"][..],
        &["touches", "Nobody Atall"],
        &["preview", "introduction", "--for", "Nobody Atall"],
        &["send", "introduction", "--to", "Nobody Atall"],
        &["send", "introduction", "--to", "tag:nobody"],
        &["send", "no-such-letter", "--to", "Whitfield"],
    ] {
        let answer = house.run(arguments);
        assert_eq!(answer.code, 4, "{arguments:?}: {answer:?}");
        assert!(!answer.err.is_empty());
    }
    let vague = house.run(&["touches", "Dempster"]);
    assert_eq!((vague.code, vague.err.contains("several")), (5, true), "{vague:?}");
}

#[test]
fn a_call_that_was_logged_counts_and_a_referral_that_came_in_does_not() {
    let house = House::with_referrers();
    let log = |kind: &str| {
        house.ask(&["touches", "log", "Whitfield", "--kind", kind, "--title", "About two patients", "--as", "Dana Lee"])
    };
    assert_eq!((&log("call")["delivered"], &log("lunch-and-learn")["delivered"]), (&1.into(), &2.into()));
    assert_eq!(log("referral_received")["delivered"], 2);
    let history = house.ask(&["touches", "Whitfield"]);
    assert_eq!((&history["delivered"], &history["goal"]), (&2.into(), &7.into()));
    assert_eq!(history["touches"].as_array().map(Vec::len), Some(3));
    assert_eq!(history["touches"][0]["actor"], "operator:Dana Lee");
    let said = house.run(&["touches", "Whitfield"]).good().out;
    assert!(said.contains("2 of 7 touches delivered") && said.contains("lunch and learn"), "{said}");
    assert_eq!(house.run(&["touches", "log", "Whitfield", "--kind=letter", "--title=x"]).code, 2);
}

#[test]
fn a_further_location_is_found_and_a_double_is_refused_with_the_way_out() {
    let house = House::new();
    house.write(
        "list.csv",
        "NPI,First Name,Last Name,Organization,Fax\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101\n\
         1234567893,Ana,Ruiz,Hill Clinic,847-555-0102\n",
    );
    house.run(&["referrers", "import", "list.csv"]).good();
    let found = house.ask(&["referrers", "list", "--search", "8475550102"]);
    assert_eq!(found["referrers"].as_array().map(Vec::len), Some(1), "{found}");
    assert!(house.run(&["referrers", "show", "8475550102"]).good().out.contains("Ruiz"));

    let add = ["referrers", "add", "--first-name", "Ana", "--last-name", "Ruiz", "--fax", "847-555-0102"];
    let refused = house.run(&add);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("--another") && refused.err.contains("Lake Clinic"), "{refused:?}");
    house.run(&[&add[..], &["--another"]].concat()).good();
}

#[test]
fn a_decision_about_a_line_that_is_not_there_is_an_error() {
    let house = House::new();
    house.write("list.csv", "First Name,Last Name,Fax\nAna,Ruiz,847-555-0101\n");
    let same = format!("99={}", touchline::domain::id::ReferrerId::new());
    for wrong in [["--new", "99"], ["--new", "1"], ["--same", &same]] {
        let refused = house.run(&[&["referrers", "import", "list.csv"][..], &wrong].concat());
        assert_eq!(refused.code, 5, "{wrong:?}: {refused:?}");
        assert!(refused.err.contains("line") && refused.err.contains("nothing was imported"), "{refused:?}");
    }
    assert_eq!(house.ask(&["referrers", "list"])["total"], 0);
}

#[test]
fn an_edit_promises_only_what_later_lists_keep() {
    let house = House::new();
    house.write("list.csv", "First Name,Last Name,Fax,standing\nAna,Ruiz,847-555-0101,do_not_contact\n");
    house.run(&["referrers", "import", "list.csv"]).good();
    let active = house.run(&["referrers", "edit", "Ana Ruiz", "--state", "active"]).good().out;
    assert!(!active.contains("do not overwrite") && active.contains("do_not_contact"), "{active}");
    house.run(&["referrers", "import", "list.csv"]).good();
    assert_eq!(house.ask(&["referrers", "show", "Ana Ruiz"])["referrer"]["state"], "do_not_contact");
    let npi = house.run(&["referrers", "edit", "Ana Ruiz", "--npi", "123-456-7893"]).good().out;
    assert!(npi.contains("Later lists do not overwrite it"), "{npi}");
    assert_eq!(house.ask(&["referrers", "show", "123-456-7893"])["referrer"]["npi"], "1234567893");
}

#[test]
fn candidates_who_read_the_same_are_told_apart() {
    let house = House::new();
    let row = "Ana,Ruiz,Lake Clinic,847-555-0101\n";
    house.write("two.csv", &format!("NPI,First Name,Last Name,Organization,Fax\n1234567893,{row}1000000004,{row}"));
    house.run(&["referrers", "import", "two.csv"]).good();
    house.write("list.csv", &format!("First Name,Last Name,Organization,Fax\n{row}"));
    let dry = house.run(&["referrers", "import", "list.csv", "--dry-run"]).good().out;
    assert!(dry.contains("NPI 1234567893") && dry.contains("NPI 1000000004"), "{dry}");
    let several = house.run(&["referrers", "show", "Ana Ruiz"]);
    assert!(several.err.contains("NPI 1234567893") && several.err.contains("NPI 1000000004"), "{several:?}");
}
