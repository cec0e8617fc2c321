//! Before a broadcast: a person is shown what it is and asked, a script says `--yes`; and a campaign carries no stale fact.

use std::io::Write;
use std::process::{Command, Stdio};

use super::house::House;
use crate::support::require;

const TO_ALL: [&str; 4] = ["send", "introduction", "--to=all", "--via=email"];

fn touches(house: &House) -> usize {
    house.ask(&["touches", "Whitfield"])["touches"].as_array().map_or(0, Vec::len)
}

/// Runs the program on a terminal that somebody types into; `None` where this machine has no `script` to make one.
fn on_a_terminal(house: &House, arguments: &[&str], typed: &str) -> Option<(i32, String)> {
    let Some(script) = require::program(&["script"]) else {
        require::skip("script (util-linux)");
        return None;
    };
    let program = house.command();
    let words: Vec<String> = std::iter::once(program.get_program().to_string_lossy().into_owned())
        .chain(arguments.iter().map(|word| (*word).to_owned()))
        .map(|word| format!("'{word}'"))
        .collect();
    let mut terminal = Command::new(script);
    terminal.args(["-qec", &words.join(" "), "/dev/null"]).current_dir(program.get_current_dir()?);
    for (name, value) in program.get_envs() {
        terminal.env(name, value.unwrap_or_default());
    }
    let child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("it starts");
    child.stdin.take().expect("a line").write_all(typed.as_bytes()).expect("typed");
    let ended = child.wait_with_output().expect("it ends");
    Some((ended.status.code().unwrap_or(-1), String::from_utf8_lossy(&ended.stdout).into_owned()))
}

#[test]
fn a_script_sends_a_broadcast_only_with_yes_and_one_letter_without() {
    let house = House::with_referrers();
    let refused = house.run(&TO_ALL);
    assert_eq!((refused.code, refused.err.contains("--yes")), (2, true), "{refused:?}");
    assert!(refused.err.contains("letters would be sent") && refused.err.contains("by email"), "{refused:?}");
    let json = house.run(&[&TO_ALL[..], &["--json"]].concat());
    assert_eq!((json.code, json.err.contains("--yes")), (2, true), "{json:?}");
    assert_eq!(house.run(&["send", "introduction", "--to=tag:nobody"]).code, 4, "what is wrong is said first");
    assert_eq!(touches(&house), 0, "nothing was stored");

    let sent = house.ask(&[&TO_ALL[..], &["--yes"]].concat());
    assert!(sent["counts"]["queued"].as_u64().is_some_and(|queued| queued > 1), "{sent}");
    assert_eq!(touches(&house), 1);
    house
        .run(&[
            "send",
            "meeting-request",
            "--to=Whitfield",
            "--via=email",
            "--set=offered_time_1=noon",
            "--set=offered_time_2=six",
        ])
        .good();
}

#[test]
fn a_person_is_shown_the_plan_and_asked() {
    let house = House::with_referrers();
    let Some((code, said)) = on_a_terminal(&house, &["send", "introduction", "--to=all"], "n\n") else { return };
    for part in [
        "letters to send",
        "by email:",
        "cost:",
        "Left out:",
        "permission",
        "fax.png",
        "letters? [y/N]",
        "nothing was sent",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert_eq!((code, touches(&house)), (5, 0), "no is no");
    let (code, said) = on_a_terminal(&house, &["send", "introduction", "--to=all"], "\n").expect("a terminal");
    assert_eq!((code, touches(&house)), (5, 0), "so is anything else: {said}");
    let (code, said) = on_a_terminal(&house, &["send", "introduction", "--to=all"], "yes\n").expect("a terminal");
    assert_eq!((code, touches(&house)), (0, 1), "{said}");
}

#[test]
fn a_campaign_that_names_a_date_is_renewed_for_every_run() {
    let house = House::with_referrers();
    let every = ["--to=tag:north-shore", "--via=email", "--every=every month on the 1st at 9am"];
    let set = ["--set=treatment=TMS", "--set=openings=four places", "--set=as_of=2026-11-23"];
    let add = [&["campaign", "add", "update", "--letter=capacity-update"][..], &every, &set].concat();
    let made = house.ask(&add);
    assert_eq!(
        (&made["when"], &made["renew"]),
        (&"day 1 of each month at 9:00 AM, America/Chicago".into(), &serde_json::json!([]))
    );
    assert_eq!(made["perishable"].as_array().map(Vec::len), Some(2), "{made}");

    let asked = house.run(&["campaign", "run", "update"]);
    assert_eq!((asked.code, asked.err.contains("--yes")), (2, true), "{asked:?}");
    house.run(&["campaign", "run", "update", "--yes"]).good();
    let refused = house.run(&["campaign", "run", "update", "--yes"]);
    assert_eq!((refused.code, refused.err.contains("renew openings, as_of")), (5, true), "{refused:?}");
    assert!(refused.err.contains("--keep openings"), "{refused:?}");
    let listed = house.run(&["campaign", "list"]).good().out;
    assert!(listed.contains("renew openings, as_of"), "{listed}");
    let shown = house.run(&["campaign", "show", "update"]).good().out;
    assert!(shown.contains("as_of: set or confirmed") && shown.contains("used by a run since"), "{shown}");

    let half = house.ask(&["campaign", "edit", "update", "--set=as_of=2026-12-20"]);
    assert_eq!(half["renew"], serde_json::json!(["openings"]), "{half}");
    let whole = house.ask(&["campaign", "edit", "update", "--keep=openings"]);
    assert_eq!(whole["renew"], serde_json::json!([]), "{whole}");
    house.run(&["campaign", "run", "update", "--yes"]).good();
}

#[test]
fn a_campaign_is_edited_renamed_removed_and_its_name_used_again() {
    let house = House::with_referrers();
    let add =
        ["campaign", "add", "north", "--letter=introduction", "--to=tag:north-shore", "--every=first tuesday 09:00"];
    house.run(&add).good();
    let dry = house.ask(&["campaign", "edit", "north", "--to=all", "--dry-run"]);
    assert_eq!(dry["dry_run"], true, "{dry}");
    let edited =
        house.ask(&["campaign", "edit", "north", "--to=all", "--every=weekdays at 8", "--zone=America/New_York"]);
    assert_eq!(
        (&edited["audience"], &edited["when"]),
        (&"all".into(), &"every weekday, Monday to Friday, at 8:00 AM, America/New_York".into())
    );
    for (arguments, code) in [
        (vec!["campaign", "edit", "north"], 5),
        (vec!["campaign", "edit", "north", "--every=every 15 minutes"], 5),
        (vec!["campaign", "edit", "south", "--to=all"], 4),
        (vec!["campaign", "rename", "south", "west"], 4),
        (vec!["campaign", "remove", "south"], 4),
    ] {
        assert_eq!(house.run(&arguments).code, code, "{arguments:?}");
    }
    house.run(&["campaign", "rename", "north", "all of them"]).good();
    house.run(&add).good();
    house.run(&["campaign", "remove", "north"]).good();
    house.run(&add).good();
    let names = |arguments: &[&str]| house.ask(arguments)["campaigns"].as_array().map_or(0, Vec::len);
    assert_eq!((names(&["campaign", "list"]), names(&["campaign", "list", "--all"])), (2, 3));
    assert!(house.run(&["campaign", "list", "--all"]).good().out.contains("removed"));
}

#[test]
fn a_perishable_variable_is_shown_by_the_templates() {
    let house = House::empty();
    let listed = house.ask(&["template", "list"]);
    let letter = |name: &str| {
        let letters = listed["letters"].as_array().expect("letters");
        letters.iter().find(|one| one["name"] == name).expect("there")["variables"].clone()
    };
    let marked = |name: &str| {
        letter("capacity-update")
            .as_array()
            .expect("variables")
            .iter()
            .any(|one| one["name"] == name && one["perishable"] == true)
    };
    assert!(marked("openings") && !marked("treatment"));
    let checked = house.ask(&["template", "check"]);
    let one = checked["letters"].as_array().expect("letters").iter().find(|one| one["letter"] == "capacity-update");
    assert_eq!(one.expect("there")["perishable"], serde_json::json!(["openings"]));
    assert!(house.run(&["template", "show", "capacity-update"]).good().out.contains("renewed for every run"));
}
