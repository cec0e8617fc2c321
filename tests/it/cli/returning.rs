//! `touchline bounce explain`: mails that came back, explained without configuration or database.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::house::House;

fn sample(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/bounces/eml");
    folder.join(name).to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn mails_are_explained_one_object_a_line_and_an_unreadable_file_stops_none() {
    let house = House::empty();
    let (two, full) = (sample("lhost-exim-02.eml"), sample("lhost-gmail-06.eml"));
    let answer = house.run(&["--json", "bounce", "explain", &two, "no-such-file.eml", &full]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(answer.err.contains("no-such-file.eml"), "{answer:?}");
    let lines: Vec<Value> = answer.out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 3, "{answer:?}");
    assert_eq!((lines[0]["file"].as_str(), lines[0]["kind"].as_str()), (Some(two.as_str()), Some("bounce")));
    let first = &lines[0]["recipients"][0];
    assert_eq!(first["recipient"], "kijitora@example.jp");
    assert_eq!(
        (&first["class"], &first["reason"], &first["status"]),
        (&"hard".into(), &"mailbox_unknown".into(), &"5.1.1".into())
    );
    assert!(first["row"].is_string() && first["diagnostic"].is_string(), "{first}");
    assert!(first["attempt"].is_null(), "{first}");
    assert!(lines[1]["error"].is_string(), "{}", lines[1]);
    assert_eq!((lines[2]["kind"].as_str(), &lines[2]["recipients"][0]["class"]), (Some("delay"), &"soft".into()));
}

#[test]
fn a_person_reads_words_and_an_mbox_is_read_mail_by_mail() {
    let house = House::empty();
    let away = "From d@clinic.example Tue Dec 22 09:00:00 2026\nFrom: d@clinic.example\nDate: Tue, 22 Dec 2026 09:00:00 +0000\n\
                Subject: Automatic reply: Letter\n\nI am out of the office until January 5, 2027.\n";
    let returned = std::fs::read_to_string(sample("lhost-exim-02.eml")).expect("a sample");
    let mails = format!("{away}\nFrom MAILER-DAEMON Tue Dec 22 10:00:00 2026\n{returned}");
    std::fs::write(house.path("returns.mbox"), mails).expect("written");
    let told = house.run(&["bounce", "explain", "returns.mbox"]).good().out;
    assert!(told.contains("somebody is away until 2027-01-05"), "{told}");
    assert!(told.contains("hard: the address is bad") && told.contains("kijitora@example.jp"), "{told}");
}

#[test]
fn it_is_shown_whether_the_writer_asks_to_be_sent_no_more_and_what_is_a_guess() {
    let house = House::empty();
    let mail = |head: &str, text: &str| format!("From: d@clinic.example\n{head}\n\n{text}\n");
    for (name, text) in [
        ("asks.eml", mail("Subject: Re: Letter\nIn-Reply-To: <1@x.example>", "I have retired. Please remove me.")),
        ("thanks.eml", mail("Subject: Re: Letter\nIn-Reply-To: <1@x.example>", "Thanks.\n\n> Unsubscribe here")),
        ("away.eml", mail("Subject: Out of office", "Back on Monday.")),
    ] {
        std::fs::write(house.path(name), text).expect("written");
    }
    let answer = house.run(&["--json", "bounce", "explain", "asks.eml", "thanks.eml", "away.eml"]).good().out;
    let lines: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let asks: Vec<_> = lines.iter().map(|line| (&line["kind"], &line["asks_to_stop"])).collect();
    assert_eq!(
        asks,
        [(&"reply".into(), &true.into()), (&"reply".into(), &false.into()), (&"auto_reply".into(), &false.into())]
    );
    assert_eq!(lines[2]["answer"]["is_marked"], false, "only its subject says so");
    let told = house.run(&["bounce", "explain", "asks.eml"]).good().out;
    assert!(told.contains("asks to be sent no more"), "{told}");
}

#[test]
fn a_file_that_is_too_large_is_said_to_be_read_only_in_part() {
    let house = House::empty();
    let mail = std::fs::read(sample("lhost-exim-02.eml")).expect("a sample");
    std::fs::write(house.path("large.eml"), mail).expect("written");
    let file = std::fs::File::options().write(true).open(house.path("large.eml")).expect("opened");
    file.set_len(64 * 1024 * 1024 + 1).expect("made longer, as a hole");
    let answer = house.run(&["--json", "bounce", "explain", "large.eml"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.err.contains("large.eml is read only in part"), "{answer:?}");
    let lines: Vec<Value> = answer.out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 2, "{answer:?}");
    assert_eq!(lines[0]["recipients"][0]["recipient"], "kijitora@example.jp");
    assert!(lines[1]["error"].is_string(), "{}", lines[1]);
}
