//! A backup is made and restored, and what may have been sent since waits for a person.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::house::House;
use crate::support::PATIENCE;

fn statuses(house: &House) -> Vec<(String, i64)> {
    let failures = house.ask(&["failures"]);
    let causes = failures["causes"].as_array().expect("causes").clone();
    causes
        .iter()
        .map(|cause| {
            (cause["reason"].as_str().expect("a word").to_owned(), cause["messages"].as_i64().expect("a count"))
        })
        .collect()
}

#[test]
fn a_restored_database_holds_what_waited_until_a_person_releases_it() {
    let house = House::with_referrers();
    let sent = house.ask(&["send", "introduction", "--to=all", "--via=email", "--yes"]);
    let count = i64::try_from(sent["messages"].as_array().expect("messages").len()).expect("few");
    let copied = house.ask(&["backup", "copy.db"]);
    assert_eq!((&copied["checked"], &copied["contents"]["messages"]), (&true.into(), &count.into()), "{copied}");
    let clash = house.run(&["backup", "copy.db"]);
    assert_eq!((clash.code, clash.err.contains("not overwritten")), (5, true), "{clash:?}");

    // What happens after the backup is forgotten by the restore.
    let id = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    house.run(&["cancel", &id]).good();
    let refused = house.run(&["restore", "copy.db"]);
    assert_eq!((refused.code, refused.err.contains("--replace")), (5, true), "{refused:?}");
    assert_eq!(house.run(&["restore", "nowhere.db", "--replace"]).code, 4);
    house.write("letter.db", &"Dear colleague\n".repeat(400));
    let refused = house.run(&["restore", "letter.db", "--replace"]);
    assert_eq!((refused.code, refused.err.contains("not a SQLite database")), (6, true), "{refused:?}");
    assert_eq!(house.ask(&["status", &id])["status"], "cancelled", "untouched so far");

    let restored = house.ask(&["restore", "copy.db", "--replace"]);
    assert_eq!(restored["parked"]["held"], count, "{restored}");
    let kept = restored["replaced"].as_str().expect("the old one");
    assert!(std::path::Path::new(kept).exists() || house.path(kept).exists(), "{restored}");
    assert_eq!(statuses(&house), [("restored".to_owned(), count)]);
    let shown = house.run(&["failures"]).good().out;
    assert!(shown.contains("restored from a backup") && shown.contains("release or cancel"), "{shown}");

    let none = house.run(&["release", "--cause", "no_baa"]);
    assert_eq!((none.code, none.err.contains("no_baa")), (4, true), "{none:?}");
    let released = house.ask(&["release", "--cause", "restored"]);
    assert_eq!(released["messages"].as_array().map(Vec::len), usize::try_from(count).ok(), "{released}");
    assert_eq!(statuses(&house), []);
}

#[test]
fn the_first_copy_on_a_new_machine_needs_no_permission_to_replace() {
    let house = House::with_referrers();
    let nothing = house.run(&["restore"]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
    let before = house.ask(&["referrers", "list"])["total"].clone();
    house.run(&["backup", "copy.db"]).good();
    for name in std::fs::read_dir(house.path("")).expect("a folder").flatten() {
        if name.file_name().to_string_lossy().starts_with("touchline.db") {
            std::fs::remove_file(name.path()).expect("removed");
        }
    }
    let missing = house.run(&["backup", "other.db"]);
    assert_eq!((missing.code, missing.err.contains("no database")), (4, true), "{missing:?}");
    let said = house.run(&["restore", "copy.db"]).good().out;
    assert!(said.contains("is in place") && said.contains("not in it"), "{said}");
    assert_eq!(house.ask(&["referrers", "list"])["total"], before);
}

#[tokio::test]
async fn nothing_is_put_back_under_a_running_daemon_but_copied_at_any_time() {
    let house = House::with_referrers();
    let mut command = tokio::process::Command::from(house.command());
    command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut daemon = command.spawn().expect("it starts");
    let mut lines = BufReader::new(daemon.stdout.take().expect("its output")).lines();
    timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable").expect("it listens");

    house.run(&["backup", "copy.db"]).good();
    for arguments in [&["restore", "copy.db", "--replace"][..], &["restore", "--only-hold"]] {
        let refused = house.run(arguments);
        assert_eq!((refused.code, refused.err.contains("touchline serve")), (5, true), "{refused:?}");
    }
    daemon.kill().await.expect("killed");
    house.run(&["restore", "--only-hold"]).good();
    house.run(&["restore", "copy.db", "--replace"]).good();
}

#[test]
fn the_doctor_looks_the_records_over() {
    let house = House::with_referrers();
    house.run(&["send", "introduction", "--to=all", "--via=email", "--yes"]).good();
    let answer = house.run(&["doctor", "--json"]).json();
    let checks = answer["checks"].as_array().expect("checks").clone();
    let of = |name: &str| {
        let found = checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name}: {answer}"));
        (found["state"].as_str().expect("a state").to_owned(), found["words"].as_str().expect("words").to_owned())
    };
    let (state, words) = of("records");
    assert!(state == "ok" && words.contains("SQLite 3.") && words.contains("no damage"), "{words}");
    assert_eq!(of("durability").0, "ok");
    assert!(of("disk").1.contains("MB free"));
    assert_eq!(of("queue").0, "ok", "just sent, so nothing is late");
}
