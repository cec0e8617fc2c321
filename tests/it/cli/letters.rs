//! Letters: listed, checked, created, and previewed before anything is sent.

use std::sync::Arc;

use tokio::net::TcpListener;
use touchline::sandbox::mail::{MailCatcher, Options};

use super::house::{Answer, House, sample_list};

#[test]
fn a_preview_writes_a_real_page_a_real_bitmap_and_a_real_mail() {
    let house = House::with_referrers();
    let done = house.ask(&["preview", "introduction", "--for", "Whitfield", "--out", "look"]);
    assert_eq!(done["pages"], 1, "{done}");
    let file =
        |name: &str| std::fs::read(house.path("look").join(name)).unwrap_or_else(|_| panic!("{name} is missing"));
    assert!(file("fax.pdf").starts_with(b"%PDF-"));
    assert!(file("fax.tiff").starts_with(b"II*\0") || file("fax.tiff").starts_with(b"MM\0*"));
    assert!(file("fax.png").starts_with(b"\x89PNG\r\n\x1a\n"));
    let eml = String::from_utf8(file("email.eml")).expect("ASCII");
    assert!(eml.contains("Message-ID: <") && eml.contains("multipart/alternative"), "{eml}");
    assert!(String::from_utf8(file("email.html")).expect("UTF-8").contains("Whitfield"));
    assert!(String::from_utf8(file("email.txt")).expect("UTF-8").contains("Dr. Whitfield"));
    assert_eq!(done["files"].as_array().map(Vec::len), Some(6));
    assert!(done["lint"].is_array());
    assert_eq!(house.ask(&["touches", "Whitfield"])["touches"].as_array().map(Vec::len), Some(0), "nothing is stored");
}

#[test]
fn a_preview_without_its_variables_names_them() {
    let house = House::with_referrers();
    let answer = house.run(&["preview", "lunch-and-learn", "--for", "Whitfield"]);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert!(!house.path("preview").exists());
    house.run(&["preview", "lunch-and-learn", "--sample"]).good();
    let wrong = house.run(&["preview", "introduction", "--for", "Whitfield", "--set", "shoe_size=44"]);
    assert_eq!((wrong.code, wrong.err.contains("shoe_size"), wrong.err.contains("44")), (5, true, false), "{wrong:?}");
}

#[test]
fn a_letter_with_a_mistake_is_named_with_its_line() {
    let house = House::new();
    house.run(&["template", "new", "evening-clinic", "--folder", "letters"]).good();
    house.run(&["template", "check", "letters"]).good();
    let path = house.path("letters/evening-clinic/letter.md");
    let text = std::fs::read_to_string(&path).expect("a letter");
    let line = 1 + text.lines().position(|line| line == "{{news}}").expect("the placeholder");
    house.write("letters/evening-clinic/letter.md", &text.replace("{{news}}", "{{newz}}"));
    let answer = house.run(&["template", "check", "letters"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains(&format!("evening-clinic/letter.md:{line}:")), "line {line}: {answer:?}");
    let found = house.run(&["template", "check", "letters", "--json"]);
    assert_eq!((found.code, &found.json()["errors"][0]["line"]), (3, &line.into()));
}

#[test]
fn a_letter_that_was_begun_can_be_sent_and_is_not_begun_twice() {
    let mut house = House::with_referrers();
    house.set("TOUCHLINE_TEMPLATES__FOLDER", "letters");
    std::fs::create_dir(house.path("letters")).expect("made");
    house.run(&["template", "new", "evening-clinic"]).good();
    let again = house.run(&["template", "new", "evening-clinic"]);
    assert_eq!((again.code, again.err.contains("already")), (5, true), "{again:?}");
    assert_eq!(house.run(&["template", "new", "../escape"]).code, 5);
    let dry = house.ask(&[
        "send",
        "evening-clinic",
        "--to=Whitfield",
        "--dry-run",
        "--set=news=Open late",
        "--set-json",
        r#"points=["one","two"]"#,
    ]);
    assert!(dry["messages"].as_array().is_some_and(|list| !list.is_empty()), "{dry}");
}

#[test]
fn the_built_in_letters_are_listed_and_sound_even_without_a_configuration() {
    let house = House::empty();
    let listed = house.ask(&["template", "list"]);
    let names: Vec<&str> =
        listed["letters"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"introduction") && names.contains(&"end-of-treatment-report"), "{names:?}");
    let shown = house.run(&["template", "show", "lunch-and-learn"]).good().out;
    assert!(shown.contains("must be filled in"), "{shown}");
    assert_eq!(house.run(&["template", "show", "no-such-letter"]).code, 4);
    let checked = house.ask(&["template", "check"]);
    assert_eq!(checked["ok"], true, "{checked}");
}

/// A practice with a folder for letters of its own, the sample list, and a relay that catches its mail.
async fn with_letters_and_relay() -> (Arc<House>, MailCatcher) {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let catcher = MailCatcher::start(port, Options::default()).expect("a catcher");
    let mut house = House::with_providers("http://127.0.0.1:9", &catcher.address().port().to_string());
    house.set("TOUCHLINE_TEMPLATES__FOLDER", "letters");
    std::fs::create_dir(house.path("letters")).expect("made");
    let house = Arc::new(house);
    run(&house, &["referrers", "import", &sample_list()]).await.good();
    (house, catcher)
}

/// Runs the program without holding up the relay, which lives in this process.
async fn run(house: &Arc<House>, arguments: &[&str]) -> Answer {
    let house = house.clone();
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = move || house.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_with_a_mistake_takes_itself_out_of_service_and_what_is_queued_goes_once_it_is_corrected() {
    let (house, catcher) = with_letters_and_relay().await;
    run(&house, &["template", "new", "evening-clinic"]).await.good();
    let own = ["send", "evening-clinic", "--to=Whitfield", "--via=email", "--set=news=Open late", "--json"];
    let queued = run(&house, &own).await.good().json();
    let id = queued["messages"][0]["id"].as_str().expect("an id").to_owned();

    let file = "letters/evening-clinic/letter.md";
    let sound = std::fs::read_to_string(house.path(file)).expect("a letter");
    house.write(file, &sound.replace("{{news}}", "{{newz}}"));
    let refused = run(&house, &own).await;
    assert!(refused.code == 5 && refused.err.contains("evening-clinic/letter.md"), "{refused:?}");
    let other = ["send", "introduction", "--to=Bielak", "--via=email", "--wait", "--timeout=300", "--json"];
    let sent = run(&house, &other).await.good().json();
    assert_eq!(sent["messages"][0]["status"], "accepted", "another letter goes: {sent}");
    let status = run(&house, &["status", &id, "--json"]).await.good().json();
    assert_eq!((&status["status"], &status["reason"]), (&"queued".into(), &"letter_out_of_service".into()), "{status}");
    let told = run(&house, &["status", &id]).await.good().out;
    assert!(told.contains("has a mistake") && told.contains("touchline template check"), "{told}");

    let doctor = run(&house, &["doctor", "--json"]).await.json();
    let letters = doctor["checks"].as_array().and_then(|checks| checks.iter().find(|one| one["check"] == "letters"));
    let letters = letters.expect("a check of the letters");
    assert!(letters["state"] == "warn" && letters["words"].to_string().contains("evening-clinic"), "{letters}");
    let listed = run(&house, &["template", "list", "--json"]).await.good().json();
    assert_eq!(listed["out_of_service"][0]["name"], "evening-clinic", "{listed}");
    assert_eq!(run(&house, &["template", "show", "evening-clinic"]).await.code, 3);
    assert_eq!(run(&house, &["template", "check"]).await.code, 3);
    run(&house, &["preview", "introduction", "--sample"]).await.good();

    house.write(file, &sound);
    run(&house, &["send", "introduction", "--to=Okonkwo", "--via=email", "--wait", "--timeout=300"]).await.good();
    let status = run(&house, &["status", &id, "--json"]).await.good().json();
    assert_eq!((&status["status"], catcher.messages().len()), (&"accepted".into(), 3), "nothing is lost: {status}");
    catcher.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_letterhead_with_a_mistake_stops_faxes_and_no_mail_and_what_was_queued_waits() {
    let (house, catcher) = with_letters_and_relay().await;
    let both = ["send", "introduction", "--to=Whitfield", "--via=fax,email", "--json"];
    let queued = run(&house, &both).await.good().json();
    house.write("letters/letterhead/fax.typ", "#let broken = (");

    let refused = run(&house, &["send", "introduction", "--to=Okonkwo", "--via=fax,email"]).await;
    assert!(refused.code == 5, "{refused:?}");
    for part in ["by fax", "letterhead/fax.typ", "Leave fax out"] {
        assert!(refused.err.contains(part), "{part} is not in {refused:?}");
    }
    let mail = ["send", "introduction", "--to=Bielak", "--via=email", "--wait", "--timeout=300", "--json"];
    let sent = run(&house, &mail).await.good().json();
    assert_eq!(sent["messages"][0]["status"], "accepted", "mail goes: {sent}");
    let fax = queued["messages"].as_array().and_then(|all| all.iter().find(|one| one["channel"] == "fax"));
    let id = fax.and_then(|fax| fax["id"].as_str()).expect("a fax");
    let status = run(&house, &["status", id, "--json"]).await.good().json();
    assert_eq!((&status["status"], &status["reason"]), (&"queued".into(), &"letter_out_of_service".into()), "{status}");
    let doctor = run(&house, &["doctor", "--json"]).await.json();
    let letters = doctor["checks"].as_array().and_then(|checks| checks.iter().find(|one| one["check"] == "letters"));
    let letters = letters.expect("a check of the letters");
    assert!(letters["state"] == "fail" && letters["words"].to_string().contains("cannot be faxed"), "{letters}");
    let listed = run(&house, &["template", "list", "--json"]).await.good().json();
    assert_eq!(listed["out_of_service"][0]["channels"], serde_json::json!(["fax"]), "{listed}");
    let checked = run(&house, &["template", "check"]).await;
    assert!(checked.code == 3 && checked.err.contains("letterhead/fax.typ"), "{checked:?}");
    catcher.shutdown().await;
}

#[test]
fn a_letter_of_the_practice_that_cannot_be_read_is_not_replaced_by_the_built_in_one() {
    let mut house = House::with_referrers();
    house.set("TOUCHLINE_TEMPLATES__FOLDER", "letters");
    house.write("letters/introduction/letter.md", "no front matter");
    house.write("letters/partials/ours.md", "{{#if referrer.salutation}}");
    let broken = house.run(&["send", "introduction", "--to=Whitfield", "--via=email"]);
    assert!(broken.code == 5 && broken.err.contains("out of service"), "{broken:?}");
    house.run(&["preview", "meeting-request", "--sample"]).good();
    let checked = house.run(&["template", "check"]);
    assert!(checked.code == 3 && checked.err.contains("partials/ours.md"), "{checked:?}");
}

#[test]
fn a_name_that_a_fax_cannot_print_leaves_out_that_fax_of_a_list_and_a_word_stops_the_letter() {
    let house = House::with_referrers();
    house.write(
        "list.csv",
        "First Name,Last Name,Credentials,Fax,Email,basis,basis_source,basis_date\n\
         小龍,李,MD,(847) 555-0163,li@clinic.example,permission,given_by_recipient,2026-10-01\n",
    );
    house.run(&["referrers", "import", "list.csv"]).good();
    let to = |to: &str, extra: &[&'static str]| {
        let to = format!("--to={to}");
        let arguments = [&["send", "introduction", to.as_str(), "--via=fax,email"][..], extra].concat();
        house.run(&arguments)
    };
    let alone = to("li@clinic.example", &["--dry-run"]);
    assert_eq!(alone.code, 5, "{alone:?}");
    for part in ["小龍 李", "a fax cannot print", "in the recipient's name"] {
        assert!(alone.err.contains(part), "{part}: {alone:?}");
    }
    let shown = to("all", &["--dry-run"]).good();
    let line = shown.out.lines().find(|line| line.contains("a fax cannot print")).expect("a line for who is left out");
    assert!(line.contains("小龍 李") && line.contains("`龍`") && line.contains("Latin letters"), "{line}");
    for extra in [&["--dry-run", "--json"][..], &["--yes", "--json"][..]] {
        let said = to("all", extra).good().json();
        let of_li = |one: &&serde_json::Value| one["name"].as_str().is_some_and(|name| name.contains('李'));
        let list = |key: &str| said[key].as_array().expect("a list").clone();
        let (skipped, messages) = (list("skipped"), list("messages"));
        let left_out: Vec<_> = skipped.iter().filter(of_li).collect();
        assert_eq!(left_out.len(), 1, "{said}");
        assert_eq!((&left_out[0]["reason"], &left_out[0]["channel"]), (&"unprintable_name".into(), &"fax".into()));
        let sent: Vec<_> = messages.iter().filter(of_li).collect();
        assert_eq!(sent.len(), 1, "the mail goes: {said}");
        assert_eq!((&sent[0]["channel"], &sent[0]["status"]), (&"email".into(), &"queued".into()));
        let faxed = |one: &serde_json::Value| one["channel"] == "fax" && one["status"] == "queued";
        assert!(messages.iter().any(faxed), "the others are faxed: {said}");
    }
    house.run(&["send", "introduction", "--to=li@clinic.example", "--via=email", "--dry-run"]).good();
    let word = [
        "send",
        "capacity-update",
        "--to=Whitfield",
        "--via=fax",
        "--dry-run",
        "--set=treatment=TMS",
        "--set=as_of=2026-11-23",
    ];
    let refused = house.run(&[&word[..], &["--set=openings=four places 龍"]].concat());
    assert!(refused.code == 5 && refused.err.contains("`龍` in `openings`"), "{refused:?}");
    house.run(&[&word[..], &["--set=openings=four places"]].concat()).good();
}
