//! What a person reads at a terminal, and a program instead: dates to check, tables that fit, short ids, what is missing and
//! what fills it in, errors as objects; and reading without any secret.

use super::house::House;

/// A campaign of a letter that needs nothing filled in.
const NEW: [&str; 7] =
    ["campaign", "add", "monthly", "--letter=introduction", "--to=tag:north-shore", "--via=email", "--zone=UTC"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn a_schedule_is_echoed_with_its_next_three_dates() {
    let house = House::with_referrers();
    for (every, when) in [
        ("first tuesday of every month at 9am", "the first Tuesday of each month at 9:00 AM, UTC"),
        ("every other monday", "every 2 weeks on Monday at 9:00 AM, UTC"),
        ("1st and 15th", "day 1 and 15 of each month at 9:00 AM, UTC"),
        ("noon", "every day at 12:00 PM, UTC"),
        ("9 a.m.", "every day at 9:00 AM, UTC"),
    ] {
        let dry = house.ask(&with(&NEW, &["--every", every, "--dry-run"]));
        assert_eq!((&dry["when"], dry["next_runs"].as_array().map(Vec::len)), (&when.into(), Some(3)), "{dry}");
        let told = house.run(&with(&NEW, &["--every", every, "--dry-run"])).good().out;
        let dates: Vec<&str> = told.lines().skip_while(|line| *line != "Next dates:").skip(1).collect();
        assert!(told.contains(&format!("Runs {when}.")) && dates.len() == 3, "{told}");
    }
    let refused = house.run(&with(&NEW, &["--every", "now and then"]));
    assert_eq!((refused.code, refused.err.contains("first tuesday 09:00")), (5, true), "{refused:?}");

    let made = house.run(&with(&NEW, &["--every", "every other monday"])).good().out;
    assert_eq!(
        made.lines().filter(|line| line.contains("Monday, ") && line.contains("9:00 AM UTC")).count(),
        3,
        "{made}"
    );
    let changed = house.ask(&["campaign", "edit", "monthly", "--every", "1st and 15th at noon"]);
    assert_eq!(changed["next_runs"].as_array().map(Vec::len), Some(3), "{changed}");
    let paused = house.run(&["campaign", "pause", "monthly"]).good().out;
    assert!(!paused.contains("Next dates"), "{paused}");
    assert!(house.run(&["campaign", "resume", "monthly"]).good().out.contains("Next dates:\n  "));
}

#[test]
fn reading_needs_no_secret_of_a_provider() {
    let mut house = House::with_referrers();
    let sent = house.ask(&["send", "introduction", "--to=Whitfield", "--via=email", "--at=2099-12-01 09:00"]);
    let id = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    house.run(&with(&NEW, &["--every", "1st and 15th"])).good();
    house.set("SANDBOX_API_KEY", "");
    for read in [
        &["preview", "introduction", "--for=Whitfield"][..],
        &["template", "list"],
        &["template", "show", "introduction"],
        &["template", "check"],
        &["referrers", "list"],
        &["referrers", "show", "Whitfield"],
        &["status", &id],
        &["touches", "Whitfield"],
        &["failures"],
        &["campaign", "list"],
        &["campaign", "show", "monthly"],
        &["suppress", "list"],
        &["inbox", "list"],
        &["token", "list"],
        &["operator", "list"],
    ] {
        house.run(read).good();
    }
    let listed = house.run(&["provider", "list"]).good();
    assert!(listed.out.contains("SANDBOX_API_KEY") && listed.err.is_empty(), "{listed:?}");
    let sending = house.run(&["send", "introduction", "--to=Bielak", "--via=email"]);
    assert_eq!((sending.code, sending.err.contains("SANDBOX_API_KEY is not set")), (3, true), "{sending:?}");
    let doctor = house.run(&["doctor", "--json"]);
    let checks = doctor.json()["checks"].as_array().expect("a list").clone();
    let state = |check: &str| checks.iter().find(|one| one["check"] == check).map(|one| one["state"].clone());
    assert_eq!((doctor.code, state("configuration")), (1, Some("fail".into())), "{checks:?}");
    assert_eq!((state("letters"), state("database")), (Some("ok".into()), Some("ok".into())), "the rest is checked");
}

#[test]
fn a_missing_variable_is_said_once_with_its_recipients_and_what_fills_it_in() {
    let house = House::with_referrers();
    let refused =
        house.run(&["send", "capacity-update", "--to=all", "--via=email", "--dry-run", "--set=treatment=TMS"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert_eq!(refused.err.matches("`openings` is missing").count(), 1, "{refused:?}");
    assert!(refused.err.contains("recipients, such as "), "{refused:?}");
    assert!(refused.err.contains("fill it in with --set openings="), "{refused:?}");
    let one = house.run(&["preview", "capacity-update", "--for=Whitfield"]);
    assert!(one.code == 5 && one.err.contains("fill it in with --set openings="), "{one:?}");
    let patient = house.run(&["preview", "end-of-treatment-report", "--for=Whitfield"]);
    assert!(patient.err.contains("--set-file ") && !patient.err.contains("--set "), "{patient:?}");
}

#[test]
fn at_eighty_columns_no_table_is_wider_or_breaks_inside_a_word() {
    let mut house = House::with_referrers();
    house.set("COLUMNS", "80");
    house.run(&["send", "introduction", "--to=all", "--via=fax", "--yes", "--at=2099-12-01 09:00"]);
    house.run(&["suppress", "office@bielakpsychiatry.example", "--reason=asked us to stop"]).good();
    house.run(&with(&NEW, &["--every", "first tuesday of every month at 9am"])).good();
    house.run(&["token", "create", "scheduling-system", "--scopes=send,status"]);
    for (command, whole) in [
        (&["failures"][..], "introduction"),
        (&["failures", "--reason=no_basis"], "introduction"),
        (&["suppress", "list"], "office@bielakpsychiatry.example"),
        (&["campaign", "list"], "tag:north-shore"),
        (&["template", "list"], "end-of-treatment-report"),
        (&["template", "show", "capacity-update"], "openings"),
        (&["provider", "list"], "hylafax"),
        (&["referrers", "imports"], "sample-referrers.csv"),
        (&["touches", "Whitfield"], "Introduction"),
        (&["doctor"], "configuration"),
    ] {
        let told = house.run(command).out;
        let wide: Vec<&str> = told.lines().filter(|line| line.chars().count() > 80 && is_of_a_table(line)).collect();
        assert!(wide.is_empty(), "{command:?}: {wide:#?}\n{told}");
        assert!(
            told.split_whitespace().any(|word| word.trim_matches(',') == whole),
            "{command:?}: `{whole}` in\n{told}"
        );
    }
}

/// Whether a line has more than one column: a paragraph may be as long as it is, and a path or address as well.
fn is_of_a_table(line: &str) -> bool {
    line.trim().contains("  ") && line.split_whitespace().all(|word| word.chars().count() < 60)
}

#[test]
fn a_person_types_the_short_id_that_a_table_shows() {
    let house = House::with_referrers();
    let sent =
        house.run(&["send", "introduction", "--to=Whitfield", "--via=email", "--at=2099-12-01 09:00"]).good().out;
    let words: Vec<&str> = sent.split_whitespace().collect();
    let short = words.iter().find(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let short = (*short.expect("the id of the message")).to_owned();
    assert!(words.iter().all(|word| word.len() != 36 || !word.contains('-')), "no whole id: {sent}");
    let status = house.ask(&["status", &short]);
    assert!(status["id"].as_str().is_some_and(|id| id.to_uppercase().ends_with(&short)), "{status}");
    house.run(&["hold", &short.to_lowercase()]).good();
    assert_eq!(house.ask(&["status", &short])["status"], "held");
    let whole = status["id"].as_str().expect("an id");
    house.run(&["release", whole]).good();
    let nobody = house.run(&["hold", "00000000"]);
    assert_eq!((nobody.code, nobody.err.contains("there is no message 00000000")), (4, true), "{nobody:?}");
    assert_eq!(house.run(&["hold", "nonsense"]).code, 2);

    house.run(&["suppress", "office@bielakpsychiatry.example"]).good();
    let list = house.run(&["suppress", "list"]).good().out;
    let id = list.lines().last().and_then(|line| line.split_whitespace().next()).expect("an id").to_owned();
    house.run(&["suppress", "lift", &id, "--reason=asked again in writing"]).good();
    let imports = house.run(&["referrers", "imports"]).good().out;
    let id = imports.split_whitespace().last().expect("an id").to_owned();
    house.run(&["referrers", "undo-import", &id]).good();
}

#[test]
fn an_error_is_an_object_too() {
    let house = House::with_referrers();
    for (arguments, code, exit_code) in [
        (&["status", "00000000"][..], "not_found", 4),
        (&["send", "no-such-letter", "--to=Whitfield"], "not_found", 4),
        (&["send", "capacity-update", "--to=Whitfield"], "refused", 5),
        (&["send", "introduction", "--to=all"], "usage", 2),
        (&["send", "introduction"], "usage", 2),
        (&["no-such-command"], "usage", 2),
        (&["--config=nowhere.toml", "failures"], "configuration", 3),
    ] {
        let answer = house.run(&with(arguments, &["--json"]));
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.code, &error["code"], &error["exit_code"]),
            (exit_code, &code.into(), &exit_code.into()),
            "{answer:?}"
        );
        for part in ["message", "advice"] {
            assert!(
                error[part].as_str().is_some_and(|words| !words.is_empty() && !words.contains("error:")),
                "{answer:?}"
            );
        }
        assert!(!answer.err.is_empty(), "a person who looks at the log reads it as well");
    }
    let help = house.run(&["send", "--help", "--json"]);
    assert!(help.code == 0 && help.out.contains("Usage:"), "{help:?}");
    let checked = house.run(&["release", "00000000-0000-7000-8000-000000000000", "--json"]);
    assert!(
        checked.json()["messages"][0]["error"].is_string(),
        "an answer of its own stays the only object: {checked:?}"
    );
}
