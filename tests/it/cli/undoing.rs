//! At the command line: no letter twice, and none by mistake.

use super::house::House;

fn house() -> House {
    let mut house = House::with_referrers();
    house.set("TOUCHLINE_SENDING__UNDO_ONE_SECONDS", "");
    house.set("TOUCHLINE_SENDING__UNDO_LIST_SECONDS", "");
    house
}

#[test]
fn what_was_sent_says_until_when_it_can_be_withdrawn_and_is_withdrawn_by_one_command() {
    let house = house();
    let said = house.run(&["send", "introduction", "--to=Whitfield", "--via=email"]).good().out;
    assert!(said.contains("Nothing leaves before") && said.contains("touchline undo"), "{said}");
    let withdrawn = house.run(&["undo"]).good().out;
    assert_eq!(withdrawn.trim(), "Withdrawn: 1 message. Nothing was sent.");
    let message = house.ask(&["touches", "Whitfield"])["touches"][0]["messages"][0]["id"].as_str().map(str::to_owned);
    let message = message.expect("its message");
    let status = house.run(&["status", &message]).good().out;
    assert!(status.contains("never leaves") && !status.contains("touchline retry"), "{status}");
    assert_eq!(house.run(&["retry", &message]).code, 5);
    let nothing = house.run(&["undo", "latest"]);
    assert_eq!((nothing.code, nothing.err.contains("touchline cancel")), (4, true), "{nothing:?}");

    let list = house.ask(&["send", "introduction", "--to=all", "--via=email", "--yes"]);
    let id = list["submission"].as_str().expect("an id").to_owned();
    assert_eq!(list["undo_path"], format!("/api/v1/submissions/{id}/undo"));
    let until = list["undo_until"].as_str().expect("a time");
    assert!(chrono::DateTime::parse_from_rfc3339(until).is_ok(), "{until}");
    let skipped = list["skipped"].as_array().expect("a list");
    assert!(skipped.iter().all(|one| one["reason"] != "repeat"), "what was withdrawn is no repeat: {list}");
    let undone = house.ask(&["undo", &id]);
    assert_eq!((&undone["submission"], &undone["messages"]), (&list["submission"], &list["counts"]["queued"]));
    let twice = house.run(&["undo", &id]);
    assert_eq!((twice.code, twice.err.contains("withdrawn already")), (5, true), "{twice:?}");
    assert_eq!(house.run(&["undo", "no-such-thing"]).code, 4);
    let delivered = house.ask(&["touches", "Whitfield"]);
    assert_eq!((&delivered["delivered"], &delivered["touches"][0]["disposition"]), (&0.into(), &"cancelled".into()));
}

#[test]
fn undo_withdraws_the_broadcast_and_not_the_repeat_of_it_that_sent_nothing() {
    let house = house();
    let send = ["send", "introduction", "--to=all", "--via=email", "--yes", "--json"];
    let first = house.run(&send).good().json();
    let second = house.run(&send);
    let said = second.json();
    assert_eq!((second.code, &said["counts"]["queued"]), (5, &0.into()), "{second:?}");
    assert_eq!((&said["undo_until"], &said["undo_path"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let undone = house.ask(&["undo"]);
    assert_eq!((&undone["submission"], &undone["messages"]), (&first["submission"], &first["counts"]["queued"]));
    assert_eq!(house.run(&["undo"]).code, 4);
}

#[test]
fn now_and_wait_do_without_the_window() {
    let house = house();
    let now = house.ask(&["send", "introduction", "--to=Whitfield", "--via=email", "--now"]);
    assert_eq!((&now["undo_until"], &now["undo_path"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let id = now["submission"].as_str().expect("an id");
    let refused = house.run(&["undo", id]);
    assert_eq!((refused.code, refused.err.contains("without an undo window")), (5, true), "{refused:?}");
    let help = house.run(&["send", "--help"]).good().out;
    assert!(help.contains("implies no undo window") && help.contains("--again") && help.contains("--now"), "{help}");
}

#[test]
fn a_letter_that_went_before_is_left_out_and_said_so_and_again_sends_it() {
    let house = house();
    house.run(&["send", "introduction", "--to=Whitfield", "--via=email"]).good();
    let second = house.run(&["send", "introduction", "--to=Whitfield", "--via=email"]);
    assert_eq!(second.code, 5, "{second:?}");
    assert!(second.out.contains("1 left out") && second.out.contains("--again"), "{}", second.out);
    assert!(!second.out.contains("Nothing leaves before"), "there is nothing to withdraw: {}", second.out);
    let dry = house.ask(&["send", "introduction", "--to=all", "--via=email", "--dry-run"]);
    let repeats: Vec<_> =
        dry["skipped"].as_array().expect("a list").iter().filter(|one| one["reason"] == "repeat").collect();
    assert_eq!(repeats.len(), 1, "{dry}");
    let again = house.ask(&["send", "introduction", "--to=Whitfield", "--via=email", "--again"]);
    assert_eq!(again["counts"]["queued"], 1);
    let touches = house.ask(&["touches", "Whitfield"]);
    assert_eq!(touches["touches"][0]["repeat_of"], touches["touches"][1]["id"]);
    let said = house.run(&["touches", "Whitfield"]).good().out;
    assert!(said.contains("(repeat)"), "{said}");
}
