//! Email to many that large receivers would refuse is refused before it begins, with the reason.

use super::published::Practice;

const TO_ALL: [&str; 5] = ["send", "introduction", "--to=all", "--via=email", "--yes"];

/// A list of so many referrers, each with an email address.
fn import(practice: &Practice, name: &str, numbers: std::ops::Range<usize>) {
    let mut list = "first_name,last_name,credentials,type,email\n".to_owned();
    for number in numbers {
        list.push_str(&format!("Dana,Referrer{number},MD,psychiatrist,dana{number}@referrers{number}.example\n"));
    }
    practice.house.write(name, &list);
    practice.house.run(&["referrers", "import", name]).good();
}

#[test]
fn email_to_many_waits_until_the_domain_is_in_order_and_says_why() {
    let mut practice = Practice::new();
    import(&practice, "few.csv", 0..49);
    let few = practice.house.run(&TO_ALL);
    assert_eq!((few.code, practice.dns.asked()), (0, 0), "to a few it goes, and DNS is not asked: {few:?}");

    import(&practice, "one_more.csv", 49..50);
    let again = [&TO_ALL[..], &["--again"]].concat();
    let without_link = practice.house.run(&again);
    assert!(without_link.code == 5 && without_link.err.contains("server.public_url"), "{without_link:?}");

    practice.house.set("TOUCHLINE_SERVER__PUBLIC_URL", "https://touchline.clinic.example");
    practice.publish(&["_dmarc.DOMAIN"], &[]);
    for arguments in [again.clone(), [&again[..], &["--dry-run"]].concat()] {
        let refused = practice.house.run(&arguments);
        assert!(refused.code == 5 && refused.err.contains("no DMARC record"), "{refused:?}");
        assert!(refused.err.contains("touchline doctor mail"), "{refused:?}");
    }
    practice.publish(&["_dmarc.DOMAIN"], &[("_dmarc.DOMAIN", "SERVFAIL")]);
    let dry_run = [&again[..], &["--dry-run"]].concat();
    practice.house.run(&dry_run).good();
    practice.publish(&[], &[]);
    practice.house.run(&dry_run).good();
    practice.publish(&["_dmarc.DOMAIN"], &[]);
    practice.house.set("TOUCHLINE_POLICY__MAIL_SETUP", "send");
    practice.house.run(&again).good();
}

#[test]
fn a_fax_to_many_and_a_letter_to_one_ask_nothing_of_the_domain() {
    let practice = Practice::new();
    import(&practice, "many.csv", 0..60);
    practice.publish(&["_dmarc.DOMAIN"], &[]);
    practice.house.run(&["send", "introduction", "--to=Referrer7", "--via=email"]).good();
    let by_fax = practice.house.run(&["send", "introduction", "--to=all", "--via=fax", "--dry-run"]);
    assert!(!by_fax.err.contains("large receivers"), "{by_fax:?}");
    assert_eq!(practice.dns.asked(), 0);
}

#[test]
fn the_next_run_of_a_campaign_is_held_against_what_the_relays_take_in_a_day() {
    let practice = Practice::new();
    import(&practice, "list.csv", 0..30);
    let finding = || {
        let told = practice.house.run(&["doctor", "mail", "--json"]).json();
        told["findings"].as_array().expect("a list").iter().find(|one| one["check"] == "quota").cloned()
    };
    practice
        .house
        .run(&[
            "campaign",
            "add",
            "update",
            "--letter=introduction",
            "--to=all",
            "--via=email",
            "--every=tomorrow at 9",
        ])
        .good();
    assert_eq!(finding(), None, "no quota, nothing to say");
    let config = std::fs::read_to_string(practice.house.path("touchline.toml")).expect("a configuration");
    for (quota, grade, words) in [(100, "ok", "100 more today"), (20, "advice", "about 2 days")] {
        let limited = config.replace("kind = \"smtp\"", &format!("kind = \"smtp\"\nquota = {{ per_day = {quota} }}"));
        practice.house.write("touchline.toml", &limited);
        let found = finding().expect("a quota and a run");
        assert!(found["grade"] == grade && found["words"].as_str().is_some_and(|said| said.contains(words)), "{found}");
    }
}
