//! The first day: a configuration is written and checked, and what is wrong with it is reported.

use super::house::{CANARY, House};

#[test]
fn a_first_configuration_is_written_once_and_names_the_variables_to_set() {
    let house = House::empty();
    let arguments = ["init", "--defaults", "--provider=telnyx", "--setting=telnyx.connection_id=1234"];
    let said = house.run(&arguments).good().out;
    assert!(said.contains("TELNYX_API_KEY") && said.contains("fictional"), "{said}");
    let before = std::fs::read(house.path("touchline.toml")).expect("a file");

    let again = house.run(&arguments);
    assert_eq!((again.code, again.err.contains("--force")), (5, true), "{again:?}");
    assert_eq!(std::fs::read(house.path("touchline.toml")).expect("a file"), before);
    house.run(&[&arguments[..], &["--force", "--name=Other Practice"]].concat()).good();
    let after = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    assert!(after.contains("Other Practice"), "{after}");
}

#[test]
fn a_real_practice_is_written_from_flags_and_nothing_fictional_slips_in() {
    let house = House::empty();
    let half = house.run(&["init", "--name=Birch Clinic", "--city=Dayton"]);
    assert_eq!(half.code, 2, "{half:?}");
    assert!(half.err.contains("--fax") && half.err.contains("--director-credentials"), "{half:?}");
    house
        .run(&[
            "init",
            "--name=Birch Clinic",
            "--street=1 Main Street",
            "--city=Dayton",
            "--state=OH",
            "--zip=45402",
            "--phone=(937) 222-1000",
            "--fax=(937) 222-1001",
            "--email=office@birch.example",
            "--time-zone=America/New_York",
            "--director=Ana Roth",
            "--director-credentials=MD",
            "--service=TMS",
        ])
        .good();
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    assert!(!text.contains("Lakeside") && !text.contains("lakeside") && !text.contains("847555"), "{text}");
    house.run(&["migrate"]).good();
}

#[test]
fn without_a_terminal_init_asks_nothing_and_says_what_to_do() {
    let answer = House::empty().run(&["init"]);
    assert_eq!((answer.code, answer.err.contains("--defaults")), (2, true), "{answer:?}");
}

#[test]
fn a_wrong_configuration_is_named_by_file_and_key() {
    let house = House::new();
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    house.write("touchline.toml", &text.replace("listen = \"127.0.0.1:8025\"", "listne = \"127.0.0.1:8025\""));
    for arguments in [&["failures"][..], &["serve"], &["send", "introduction", "--to=all"]] {
        let answer = house.run(arguments);
        assert_eq!(answer.code, 3, "{answer:?}");
        assert!(answer.err.contains("touchline.toml:") && answer.err.contains("server.listne"), "{answer:?}");
    }
    let elsewhere = house.run(&["failures", "--config", "nowhere.toml"]);
    assert_eq!((elsewhere.code, elsewhere.err.contains("touchline init")), (3, true), "{elsewhere:?}");
}

#[test]
fn secrets_may_stand_in_a_file_beside_the_configuration_which_init_prepares() {
    let mut house = House::new();
    let offered = std::fs::read_to_string(house.path("touchline.env")).expect("a file");
    assert!(offered.contains("\n# SANDBOX_API_KEY=\n") && !offered.contains(CANARY), "{offered}");
    house.set("SANDBOX_API_KEY", "");
    let without = house.run(&["send", "introduction", "--to=all"]);
    assert_eq!((without.code, without.err.contains("touchline.env")), (3, true), "{without:?}");

    let secrets = format!("# ours\nSANDBOX_API_KEY='{CANARY}'\nTOUCHLINE_STORE__URL=sqlite:other.db\n");
    house.write("touchline.env", &secrets);
    house.run(&["failures"]).good();
    assert!(house.path("other.db").exists(), "it overrides keys as the environment does");
    house.run(&["init", "--defaults", "--force", "--provider=telnyx", "--setting=telnyx.connection_id=1"]).good();
    let after = std::fs::read_to_string(house.path("touchline.env")).expect("a file");
    assert!(after.starts_with(&secrets), "secrets are kept: {after}");
    assert!(after.ends_with("\n# TELNYX_API_KEY=\n"), "what is missing is offered below: {after}");

    house.write("touchline.env", &format!("A=1\n{CANARY}\n"));
    let refused = house.run(&["failures"]);
    assert_eq!((refused.code, refused.err.contains("touchline.env:2")), (3, true), "{refused:?}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let house = House::empty();
    house.run(&["manual", "pages"]).good();
    for page in ["touchline.1", "touchline-send.1", "touchline-referrers-import.1"] {
        let text = std::fs::read_to_string(house.path("pages").join(page)).expect("a page");
        assert!(text.starts_with(".ie") || text.contains(".TH "), "{page}: {text}");
    }
}

#[test]
fn a_missing_secret_is_named_and_a_given_one_is_never_said() {
    let mut house = House::new();
    house.set("SANDBOX_API_KEY", "");
    let answer = house.run(&["send", "introduction", "--to=all"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("SANDBOX_API_KEY") && answer.err.contains("api_key"), "{answer:?}");

    // A secret in the wrong place is refused without being repeated; the house looks for the canary in every answer.
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    house.write("touchline.toml", &text.replace("{ env = \"SANDBOX_API_KEY\" }", &format!("\"{CANARY}\"")));
    assert_eq!(house.run(&["doctor"]).code, 1);
}

#[test]
fn the_doctor_tells_what_works_from_what_does_not() {
    let house = House::new();
    let answer = house.run(&["doctor", "--json"]);
    assert_eq!(answer.code, 1, "nobody answers at the providers' addresses: {answer:?}");
    let found = answer.json();
    let state = |check: &str| {
        let checks = found["checks"].as_array().expect("a list");
        checks.iter().find(|one| one["check"] == check).map(|one| one["state"].as_str().expect("a word").to_owned())
    };
    for (check, expected) in [
        ("configuration", "ok"),
        // Invented, and the relay is not the sandbox though it is on this machine.
        ("practice", "fail"),
        ("public address", "warn"),
        ("letters", "ok"),
        ("database", "ok"),
        ("operators", "warn"),
        ("provider fax-sandbox", "fail"),
        ("provider email-smtp", "fail"),
    ] {
        assert_eq!(state(check).as_deref(), Some(expected), "{check}: {found}");
    }
}

#[test]
fn the_doctor_fails_on_what_would_embarrass_and_says_how_to_correct_it() {
    let mut house = House::new();
    house.set("TELNYX_API_KEY", "a-key");
    house.set("TOUCHLINE_ROUTES__EMAIL", "[]");
    // Without a database no account is asked whether it works.
    house.set("TOUCHLINE_STORE__URL", "sqlite:no/such/folder/touchline.db");
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    let checked = |text: &str| {
        house.write("touchline.toml", text);
        let found = house.run(&["doctor", "--json"]).json();
        let checks = found["checks"].as_array().expect("a list").clone();
        move |check: &str| {
            let one = checks.iter().find(|one| one["check"] == check).expect("a check");
            (one["state"].as_str().expect("a word").to_owned(), one["words"].as_str().expect("words").to_owned())
        }
    };
    assert_eq!(checked(&text)("introduction").0, "ok");
    let doubled = text.replace("name = \"Elena Marsh\"", "name = \"Dr. Elena Marsh, MD\"");
    let (state, words) = checked(&doubled)("practice");
    assert_eq!(state, "fail", "{words}");
    assert!(words.contains("\"Dr. Elena Marsh, MD, MD\"") && words.contains("name = \"Elena Marsh\""), "{words}");

    // A house letter of the same name is read as well.
    house.write(
        "letters/introduction/letter.md",
        "+++\ntitle = \"t\"\nabout = \"a\"\nsubject = \"s\"\npurpose = \"advertisement\"\nphi = \"none\"\n\
         category = \"introduction\"\nfax = { pages_max = 1 }\n+++\nDear {{referrer.salutation}},\n\nWe treat .\n\n**We offer**\n",
    );
    let (state, words) = checked(&format!("{text}\n[templates]\nfolder = \"letters\"\n"))("introduction");
    assert_eq!(state, "fail", "{words}");
    assert!(words.contains("no words before a period") && words.contains("nothing under it"), "{words}");

    // What a fax cannot print is named with its entry.
    let boxes = text.replace("name = \"Elena Marsh\"", "name = \"Elena 李 Marsh\"");
    let (state, words) = checked(&boxes)("practice");
    assert_eq!(state, "fail", "{words}");
    assert!(words.contains("`李` in practice.medical_director.name"), "{words}");

    // The sample practice is good enough while everything goes to the sandbox, and no longer.
    assert_eq!(checked(&text)("practice").0, "warn");
    let real =
        "\n[providers.fax-telnyx]\nkind = \"telnyx\"\nconnection_id = \"1\"\napi_key = { env = \"TELNYX_API_KEY\" }\n";
    let routed = text.replace("fax = [\"fax-sandbox\"]", "fax = [\"fax-telnyx\"]");
    let (state, words) = checked(&format!("{routed}{real}"))("practice");
    assert_eq!(state, "fail", "{words}");
    assert!(words.contains("sample practice") && words.contains("555-01xx"), "{words}");
}

#[test]
fn a_new_account_has_a_name_and_secrets_of_its_own() {
    let mut house = House::new();
    let before = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    let add = |house: &House, name: &str| {
        let name = format!("--name={name}");
        house.run(&["provider", "add", "smtp", &name, "--setting=host=127.0.0.1", "--unchecked", "--json"])
    };
    for (name, code) in [("a b", 2), ("", 2), ("Relay", 2), ("rehearsal_mail", 5)] {
        let refused = add(&house, name);
        assert_eq!((refused.code, refused.err.contains("--name"), refused.err.contains("TOML")), (code, true, false));
    }
    assert_eq!(std::fs::read_to_string(house.path("touchline.toml")).expect("a file"), before);

    // The relay at this machine's port 9 is no sandbox, and keeps its place.
    let added = add(&house, "second").good().json();
    assert_eq!((&added["replaces"], &added["overridden_by"]), (&serde_json::json!([]), &serde_json::Value::Null));
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    assert!(text.contains("email = [\"email-smtp\", \"second\"]"), "{text}");

    // With a variable in place of the route, that is said.
    house.set("TOUCHLINE_ROUTES__EMAIL", "[\"email-smtp\"]");
    let added = add(&house, "third").good();
    assert_eq!(added.json()["overridden_by"], "TOUCHLINE_ROUTES__EMAIL");
    house.set("TOUCHLINE_ROUTES__EMAIL", "");

    // A second account does not take the first one's secret.
    house.set("SMTP_PASSWORD", "of-the-first");
    let login = |name: &str| {
        let name = format!("--name={name}");
        let settings = ["--setting=host=127.0.0.1", "--setting=username=u", "--unchecked", "--json"];
        house.run(&[&["provider", "add", "smtp", &name][..], &settings].concat())
    };
    login("fourth").good();
    let asked = login("fifth");
    assert_eq!((asked.code, asked.err.contains("set SMTP_FIFTH_PASSWORD")), (2, true), "{asked:?}");
}

#[test]
fn what_providers_there_are_is_shown_before_anything_is_configured() {
    let house = House::empty();
    let kinds = house.ask(&["provider", "list"]);
    let known: Vec<&str> = touchline::provider::REGISTRY.iter().map(|spec| spec.kind).collect();
    let shown: Vec<&str> =
        kinds["kinds"].as_array().expect("a list").iter().filter_map(|kind| kind["kind"].as_str()).collect();
    assert_eq!(shown, known);
    assert!(kinds["accounts"].is_null());
    assert!(house.run(&["provider", "list"]).good().out.contains("telnyx"));
}

#[test]
fn the_program_explains_its_exit_codes_and_completes_itself() {
    let house = House::empty();
    let help = house.run(&["help", "exit-codes"]).good().out;
    for code in ["0  done", "3  the configuration", "6  the database", "130  stopped"] {
        assert!(help.contains(code), "{help}");
    }
    let object = house.ask(&["exit-codes"]);
    assert_eq!(
        (&object["exit_codes"][4]["exit_code"], &object["exit_codes"][4]["code"]),
        (&4.into(), &"not_found".into())
    );
    assert_eq!(house.run(&["frobnicate"]).code, 2);
    for shell in ["bash", "zsh", "fish"] {
        assert!(house.run(&["completions", shell]).good().out.contains("referrers"), "{shell}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_has_its_own_exit_code() {
    let mut house = House::new();
    house.set("TOUCHLINE_STORE__URL", "sqlite:no/such/folder/touchline.db");
    let answer = house.run(&["failures"]);
    assert_eq!((answer.code, answer.err.contains("database")), (6, true), "{answer:?}");
}

#[test]
fn a_token_is_shown_once_and_an_operator_needs_a_long_password() {
    let house = House::new();
    let made = house.ask(&["token", "create", "ehr", "--scopes", "send,read"]);
    let token = made["token"].as_str().expect("a token").to_owned();
    let listed = house.run(&["token", "list", "--json"]).good();
    assert!(!listed.out.contains(&token));
    assert_eq!(listed.json()["tokens"][0]["scopes"], serde_json::json!(["send", "read"]));
    house.run(&["token", "revoke", "ehr"]).good();
    assert_eq!(house.run(&["token", "revoke", "ehr"]).code, 4);

    house.write("short", "geheim\n");
    house.write("long", "correct horse battery\n");
    let short = house.run(&["operator", "add", "dana", "--password-file", "short"]);
    assert_eq!((short.code, short.err.contains("geheim")), (5, false), "{short:?}");
    let long = house.run(&["operator", "add", "dana", "--password-file", "long"]).good();
    assert!(!long.out.contains("horse"));
}

#[test]
fn the_doctor_says_what_the_domain_must_publish_for_a_key() {
    let house = House::new();
    let (pem, value) = touchline::provider::mail::new_dkim_key().expect("a key");
    house.write("dkim.pem", secrecy::ExposeSecret::expose_secret(&pem));

    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    let practice = text.parse::<toml::Table>().expect("TOML");
    let email = practice["practice"]["email"].as_str().expect("an address");
    let domain = email.split_once('@').expect("an address").1.to_owned();
    let signing = |domain: &str| {
        let keys = format!(
            "dkim_domain = {domain:?}\ndkim_ed25519_selector = \"ed\"\ndkim_ed25519_key = {{ file = \"dkim.pem\" }}"
        );
        house.write("touchline.toml", &text.replace("kind = \"smtp\"", &format!("kind = \"smtp\"\n{keys}")));
    };
    signing(&domain);
    let found = house.run(&["doctor", "--json"]).json();
    let dns = found["checks"].as_array().expect("a list").iter().find(|one| one["check"] == "dns email-smtp");
    let words = dns.and_then(|dns| dns["words"].as_str()).unwrap_or_else(|| panic!("{found}"));
    assert!(words.contains(&format!("ed._domainkey.{domain} TXT \"{value}\"")), "{words}");
    let checked = house.run(&["provider", "check"]).out;
    assert!(checked.contains(&format!("ed._domainkey.{domain} TXT")) && checked.contains(&value), "{checked}");

    signing("elsewhere.example");
    let refused = house.run(&["doctor"]);
    assert!(refused.code == 1 && refused.out.contains("providers.email-smtp: dkim_domain"), "{refused:?}");
}
