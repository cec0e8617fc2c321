//! `touchline mailbox`: what is configured, and whether it can be reached.

use super::house::House;

#[test]
fn mailboxes_are_listed_checked_and_told_of_by_the_doctor_and_no_secret_is_said() {
    let mut house = House::new();
    let none = house.run(&["mailbox", "list"]).good();
    assert!(none.out.contains("No mailbox is configured"), "{none:?}");
    for folder in ["box", "box/new", "box/cur", "box/tmp"] {
        std::fs::create_dir(house.path(folder)).expect("made");
    }
    house.write("box/new/1.mail", "From: a@b.example\r\n\r\nHello\r\n");
    house.set("RETURNS_PASSWORD", "canary-mailbox-password");
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("written");
    let sections = "\n[mailboxes.here]\nkind = \"maildir\"\npath = \"box\"\n\n[mailboxes.far]\nkind = \"imap\"\nhost = \"127.0.0.1\"\n\
        port = 9\ntls = \"off\"\nusername = \"office\"\npassword = { env = \"RETURNS_PASSWORD\" }\n";
    house.write("touchline.toml", &format!("{text}{sections}"));

    let listed = house.ask(&["mailbox", "list"]);
    assert_eq!(listed["mailboxes"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(
        (&listed["mailboxes"][1]["mailbox"], &listed["mailboxes"][1]["state"]),
        (&"here".into(), &"not_read_yet".into())
    );
    let here = house.run(&["mailbox", "check", "here"]).good();
    assert!(here.out.contains("1 mail"), "{here:?}");
    let all = house.run(&["mailbox", "check", "--json"]);
    assert_eq!((all.code, &all.json()["checks"][0]["ok"]), (1, &false.into()), "{all:?}");
    assert_eq!(house.run(&["mailbox", "check", "nobody"]).code, 4);
    let doctor = house.run(&["doctor", "--json"]);
    assert!(doctor.out.contains("mailbox here") && doctor.out.contains("mailbox far"), "{doctor:?}");
    for said in [&all, &doctor] {
        assert!(!format!("{}{}", said.out, said.err).contains("canary"), "{said:?}");
    }
    assert_eq!(
        std::fs::read(house.path("box/new/1.mail")).expect("still there"),
        b"From: a@b.example\r\n\r\nHello\r\n"
    );

    house.set("RETURNS_PASSWORD", "");
    let listed = house.ask(&["mailbox", "list"]);
    assert_eq!(listed["mailboxes"][0]["state"], "secret_missing", "{listed}");
    let refused = house.run(&["mail", "login", "here"]);
    assert!(refused.code != 0 && refused.err.contains("mailboxes"), "{refused:?}");
}
