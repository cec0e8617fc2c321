//! Who may log in, and what of their acts and others' on the command line is on record.

use touchline::store::Store;

use super::house::House;

/// The acts in the audit trail, oldest first: who, what, about what, details.
async fn audited(house: &House) -> Vec<[String; 4]> {
    let url = format!("sqlite:{}", house.path("touchline.db").display());
    let store = Store::open(&url, 2).await.expect("a database");
    let lines = store.read().await.expect("a transaction").audit_page(&[], 0, 100).await.expect("read");
    store.close().await;
    let told = lines.into_iter().rev().map(|line| {
        let (subject, detail) = (line.subject.unwrap_or_default(), line.detail.unwrap_or_default());
        [line.who.to_string(), line.action.to_string(), subject, detail]
    });
    told.collect()
}

#[test]
fn operators_are_added_once_listed_disabled_enabled_and_removed() {
    let house = House::new();
    house.write("one", "correct horse battery\n");
    house.write("two", "correct horse accumulator\n");
    house.write("short", "geheim\n");
    let listed = |name: &str| {
        let all = house.ask(&["operator", "list"]);
        let operators = all["operators"].as_array().expect("a list").clone();
        operators.into_iter().find(|one| one["name"] == name)
    };
    house.run(&["operator", "add", "dana", "--password-file", "one"]).good();
    let twice = house.run(&["operator", "add", "dana", "--password-file", "two"]);
    assert_eq!((twice.code, twice.err.contains("already")), (5, true), "{twice:?}");
    let dana = listed("dana").expect("listed");
    assert!(dana["created_at"].is_string() && dana["disabled_at"].is_null() && dana["password_hash"].is_null());

    let changed = house.ask(&["operator", "password", "dana", "--password-file", "two"]);
    assert_eq!((&changed["operator"], &changed["sessions_ended"]), (&"dana".into(), &0.into()));
    assert_eq!(house.run(&["operator", "password", "dana", "--password-file", "short"]).code, 5);

    let disabled = house.run(&["operator", "disable", "dana"]).good();
    assert!(disabled.err.contains("No one can log in"), "{disabled:?}");
    assert!(listed("dana").expect("listed")["disabled_at"].is_string());
    let said = house.run(&["operator", "list"]).good().out;
    assert!(said.contains("dana") && said.contains("disabled ") && !said.contains("argon2"), "{said}");
    let enabled = house.run(&["operator", "enable", "dana"]).good();
    assert!(enabled.err.is_empty(), "{enabled:?}");

    house.run(&["operator", "remove", "dana"]).good();
    assert!(listed("dana").is_none());
    for command in ["disable", "enable", "remove"] {
        assert_eq!(house.run(&["operator", command, "dana"]).code, 4, "{command}");
    }
    assert_eq!(house.run(&["operator", "password", "dana", "--password-file", "one"]).code, 4);
}

#[tokio::test]
async fn tokens_and_operators_are_on_record_with_who_made_and_ended_them() {
    let house = House::new();
    house.write("password", "correct horse battery\n");
    for arguments in [
        &["operator", "add", "dana", "--password-file", "password"][..],
        &["operator", "disable", "dana"],
        &["operator", "disable", "dana"],
        &["operator", "enable", "dana"],
        &["operator", "password", "dana", "--password-file", "password"],
        &["operator", "remove", "dana"],
        &["token", "create", "ehr", "--scopes", "read"],
        &["token", "revoke", "ehr"],
    ] {
        house.run(&[arguments, &["--as", "maria"]].concat()).good();
    }
    let lines = audited(&house).await;
    assert!(lines.iter().all(|[who, ..]| who == "operator:maria"), "{lines:?}");
    let acts: Vec<_> = lines.iter().map(|[_, act, subject, _]| format!("{act} {subject}")).collect();
    let expected = [
        "set_operator dana",
        "disable_operator dana",
        "enable_operator dana",
        "set_password dana",
        "remove_operator dana",
        "create_token ehr",
        "revoke_token ehr",
    ];
    assert_eq!(acts, expected);
}

#[tokio::test]
async fn an_export_is_on_record_with_who_made_it() {
    let house = House::with_referrers();
    house.run(&["referrers", "export", "--out", "list.csv", "--as", "maria"]).good();
    house.run(&["referrers", "export"]).good();
    house.ask(&["referrers", "export"]);
    let exports: Vec<_> = audited(&house).await.into_iter().filter(|[_, act, ..]| act == "export").collect();
    let who: Vec<_> = exports.iter().map(|[who, ..]| who.as_str()).collect();
    assert_eq!(who, ["operator:maria", "operator:dana", "operator:dana"]);
    assert!(exports.iter().all(|[_, _, what, many]| what == "referrers" && many.ends_with("referrers")), "{exports:?}");
}

#[tokio::test]
async fn a_preview_of_a_letter_about_a_patient_is_on_record_and_of_no_other() {
    let house = House::with_referrers();
    house.run(&["preview", "introduction", "--for", "Whitfield"]).good();
    house.run(&["preview", "end-of-treatment-report", "--sample"]).good();
    let previews = async || {
        let lines = audited(&house).await;
        lines.into_iter().filter(|[_, act, ..]| act == "preview_letter").collect::<Vec<_>>()
    };
    assert_eq!(previews().await, [] as [[String; 4]; 0], "neither is about a patient");

    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/end-of-treatment-report/sample.json");
    let arguments =
        ["preview", "end-of-treatment-report", "--for", "Whitfield", "--as", "maria", "--variables", sample];
    house.run(&arguments).good();
    let found = previews().await;
    let [[who, _, referrer, letter]] = &found[..] else { panic!("one preview is on record") };
    assert_eq!((who.as_str(), letter.as_str()), ("operator:maria", "end-of-treatment-report"));
    assert!(uuid::Uuid::parse_str(referrer).is_ok(), "whose letter it is, by their id: {referrer}");
}

#[tokio::test]
async fn a_provider_that_was_added_is_on_record_by_its_name_and_kind() {
    let mut house = House::new();
    house.set("TELNYX_API_KEY", "KEY0123");
    let settings = ["connection_id=1293384261075731499", "document=media", "base_url=http://127.0.0.1:9/v2"];
    let mut arguments = vec!["provider", "add", "telnyx", "--unchecked", "--no-test-page", "--as", "maria"];
    arguments.extend(settings.iter().flat_map(|setting| ["--setting", setting]));
    house.run(&arguments).good();
    let expected = ["operator:maria", "add_provider", "fax-telnyx", "telnyx"].map(str::to_owned);
    assert_eq!(audited(&house).await, [expected]);
}

#[test]
fn a_name_is_what_it_looks_like_and_none_that_the_records_use_for_somebody_else() {
    let house = House::new();
    house.write("password", "correct horse battery\n");
    for name in ["unknown", "Unknown", "system", "mar\u{200b}ia", "ma\u{202e}ria", " maria", "ma\tria"] {
        let added = house.run(&["operator", "add", name, "--password-file", "password"]);
        assert_eq!(added.code, 5, "{name:?}: {added:?}");
        assert_eq!(house.run(&["token", "create", name, "--scopes", "read"]).code, 5, "{name:?}");
    }
    house.run(&["operator", "add", "Søren O'Neil-Łuk", "--password-file", "password"]).good();
    for name in ["evil\nname", "mar\u{200b}ia", "", "unknown", &"x".repeat(81)] {
        let refused = house.run(&["--as", name, "operator", "list"]);
        assert_eq!((refused.code, refused.err.contains("--as takes your name")), (2, true), "{name:?}: {refused:?}");
    }
    house.run(&["--as", "maria", "operator", "list"]).good();
}
