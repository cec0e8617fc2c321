//! The configuration files that ship with the program load, and a mistake is reported with file, key and what to do.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use touchline::accounts::routes::Route;
use touchline::cli::init::config_file::{AccountAnswers, Answers, render_config};
use touchline::config::{AdvertisingPolicy, CONFIG_BYTES_MAX, Config, LogFormat, SmtpDoubt};
use touchline::provider::find_spec;

const EXAMPLE: &str = include_str!("../../config/touchline.example.toml");
const DEMO: &str = include_str!("../../config/demo.toml");
/// Stands for every secret; must never be seen.
const CANARY: &str = "canary-secret";

fn parse(text: &str) -> Result<Config, touchline::config::ConfigError> {
    Config::parse_with_env(text, "touchline.toml", Path::new("/srv/house"), &|_| Some(CANARY.to_owned()))
}

fn complaint(text: &str) -> String {
    parse(text).expect_err("should be refused").to_string()
}

#[test]
fn the_example_loads_and_shows_the_defaults() {
    let config = parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.store.url.expose_secret(), "sqlite:/srv/house/touchline.db");
    assert_eq!(
        (config.routes.fax, config.routes.email),
        (vec![Route::to("fax-telnyx")], vec![Route::to("mail-relay")])
    );
    assert_eq!(config.sending, touchline::config::Sending::default());
    assert_eq!(config.sending.smtp_doubt, SmtpDoubt::Hold);
    assert_eq!(config.sending.email_presume_delivered().as_secs(), 72 * 3_600);
    assert_eq!(config.retention, touchline::config::RetentionConfig::default());
    assert_eq!(config.policy.advertising, AdvertisingPolicy::PermissionOrEbr);
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Text, "info"));
    assert_eq!(config.providers["fax-telnyx"].secrets["api_key"].expose_secret(), CANARY);
    assert!(config.providers["fax-telnyx"].baa.as_ref().is_some_and(|baa| baa.signed));
}

#[test]
fn the_example_shows_every_setting_of_the_kinds_it_uses() {
    let section = |account: &str| {
        let start = EXAMPLE.find(account).expect("the account is there");
        let section = &EXAMPLE[start + 1..];
        &section[..section.find("\n[").unwrap_or(section.len())]
    };
    for (kind, accounts) in [
        ("telnyx", vec!["[providers.fax-telnyx]"]),
        ("smtp", vec!["[providers.mail-relay]", "[providers.mail-office]"]),
    ] {
        let sections: Vec<&str> = accounts.iter().copied().map(section).collect();
        for setting in find_spec(kind).expect("a kind").settings {
            let mut lines = sections.iter().flat_map(|section| section.lines());
            let shown = lines.any(|line| line.trim_start_matches("# ").starts_with(setting.key));
            assert!(shown, "{accounts:?} do not show {}", setting.key);
        }
    }
}

#[test]
fn the_demo_loads_and_sends_to_this_machine_only() {
    let config = parse(DEMO).unwrap_or_else(|error| panic!("{error}"));
    assert!(config.practice.phone.is_fictional() && config.practice.fax.is_fictional());
    assert!(config.server.listen.ip().is_loopback());
    assert_eq!(config.providers["fax-sandbox"].kind, "sandbox");
    assert_eq!(config.providers["mail-sandbox"].settings["host"].as_str(), Some("127.0.0.1"));
    assert_eq!(config.sending.email_presume_delivered().as_secs(), 2);
    assert!(config.sending.office_hours.is_always(), "it is shown at any hour");
}

#[test]
fn a_missing_variable_is_named_and_what_to_do() {
    let error = Config::parse_with_env(EXAMPLE, "touchline.toml", Path::new("."), &|_| None).expect_err("refused");
    let text = error.to_string();
    assert_eq!(error.problems.len(), 3, "all are listed: {text}");
    assert!(
        text.contains("providers.fax-telnyx.api_key: the environment variable TELNYX_API_KEY is not set"),
        "{text}"
    );
    assert!(text.contains("touchline.toml:"), "{text}");
    assert!(error.problems.iter().all(|problem| problem.line.is_some()));
}

#[test]
fn each_kind_of_mistake_names_its_key_and_the_remedy() {
    for (right, wrong, expected) in [
        ("slots  ", "slosh", "sending.slosh: unknown key: remove it, or use one of: slots,"),
        ("listen     =", "listen = 8025 #", "server.listen: write a text in quotes; found a whole number"),
        (
            "kind            = \"telnyx\"",
            "kind = \"telenyx\"",
            "providers.fax-telnyx.kind: no such provider: write one of:",
        ),
        ("connection_id  ", "conection_id", "providers.fax-telnyx.connection_id: is missing: add it."),
        (
            "{ env = \"TELNYX_API_KEY\" }",
            "\"canary-secret\"",
            "write api_key = { env = \"TELNYX_API_KEY\" } or { file = \"PATH\" }",
        ),
        ("[\"mail-relay\"]", "[\"fax-telnyx\"]", "routes.email: fax-telnyx does not carry email: remove it here"),
        ("time_zone     = \"America/Chicago\"", "time_zone = \"Chicago\"", "practice.time_zone"),
        (
            "fax           = \"(847) 555-0141\"",
            "fax = \"(847) 555-01\"",
            "practice.fax: a US or Canadian number has ten digits",
        ),
        ("\"Mon-Fri 08:00-17:00\"", "\"Mon-Fri 8-5\"", "sending.office_hours: a range ends after it begins"),
        ("\"Mon-Fri 08:00-17:00\"", "\"noon\"", "sending.office_hours: write days and times such as"),
        ("\"permission_or_ebr\"", "\"all\"", "policy.advertising: write one of: permission_only, permission_or_ebr"),
        ("[log]", "[logs]", "logs: unknown section: remove it, or use one of: practice,"),
        ("street ", "# street ", "practice.street: is missing: add it"),
        (
            "signed = true, date = \"2026-02-03\"",
            "signed = true, date = \"soon\"",
            "providers.fax-telnyx.baa.date: write the day",
        ),
    ] {
        assert!(EXAMPLE.contains(right), "{right}");
        let error = complaint(&EXAMPLE.replacen(right, wrong, 1));
        assert!(error.contains(expected), "expected {expected:?} in: {error}");
        assert!(error.starts_with("touchline.toml: ") && !error.contains(CANARY), "{error}");
    }
}

#[test]
fn printing_a_configuration_shows_no_secret_and_no_number() {
    let text = EXAMPLE.replace("\"sqlite:touchline.db\"", "\"postgres://touchline:canary-secret@db/touchline\"");
    let printed = format!("{:?}", parse(&text).expect("a configuration"));
    assert!(printed.contains("fax-telnyx"), "{printed}");
    assert!(!printed.contains("canary") && !printed.contains("5550140"), "{printed}");
}

#[test]
fn a_file_is_read_with_its_secrets_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let text = EXAMPLE
        .replace("{ env = \"TELNYX_API_KEY\" }", "{ file = \"telnyx.key\" }")
        .replace("{ env = \"RETURNS_PASSWORD\" }", "{ file = \"telnyx.key\" }")
        .replace("{ env = \"SMTP_PASSWORD\" }", "{ file = \"no-such.key\" }");
    write("telnyx.key", "from-a-file\n");
    let path = write("touchline.toml", &text);
    let error = Config::load(&path).expect_err("one secret is missing").to_string();
    assert!(error.contains("providers.mail-relay.password: the file") && error.contains("no-such.key"), "{error}");
    assert!(!error.contains("telnyx.key"), "{error}");
    write("no-such.key", "another\r\n");
    let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.providers["fax-telnyx"].secrets["api_key"].expose_secret(), "from-a-file");
    assert_eq!(config.providers["mail-relay"].secrets["password"].expose_secret(), "another");
    let expected: PathBuf = folder.path().join("touchline.db");
    assert_eq!(config.store.url.expose_secret(), format!("sqlite:{}", expected.display()));
}

#[test]
fn a_file_that_is_absent_or_absurd_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("touchline.toml");
    assert!(Config::load(&path).expect_err("absent").to_string().contains("touchline init"));
    std::fs::write(&path, vec![b'#'; CONFIG_BYTES_MAX as usize + 1]).expect("written");
    assert!(Config::load(&path).expect_err("too large").to_string().contains("1 MB"));
    std::fs::write(&path, b"name = \"\xFF\"").expect("written");
    assert!(Config::load(&path).expect_err("not text").to_string().contains("UTF-8"));
}

#[test]
fn what_is_installed_by_a_package_keeps_its_database_apart_from_its_configuration() {
    let practice = parse(DEMO).expect("the demo").practice;
    let answers = Answers { data_folder: Some("/var/lib/touchline".into()), ..Answers::of_practice(practice) };
    let config = parse(&render_config(&answers)).expect("a configuration");
    assert_eq!(config.store.url.expose_secret(), "sqlite:/var/lib/touchline/touchline.db");
}

#[test]
fn what_init_writes_is_a_configuration() {
    let practice = parse(DEMO).expect("the demo").practice;
    let account = |name: &str, kind, settings: &[(&str, &str)]| AccountAnswers {
        name: name.to_owned(),
        kind,
        stem: String::from(kind),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    let answers = Answers {
        accounts: vec![
            account("fax-telnyx", "telnyx", &[("connection_id", "1293384261075731499")]),
            account("email-smtp", "smtp", &[("host", "smtp.relay.example"), ("port", "587")]),
        ],
        public_url: Some("https://touchline.lakeside.example".parse().expect("an address")),
        ..Answers::of_practice(practice.clone())
    };
    let text = render_config(&answers);
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(config.practice, practice);
    assert_eq!(config.routes.fax, [Route::to("fax-telnyx")]);
    assert_eq!(config.providers["email-smtp"].settings["port"].as_integer(), Some(587));
    assert_eq!(config.providers["fax-telnyx"].settings["connection_id"].as_str(), Some("1293384261075731499"));
    assert!(answers.variables_to_set().iter().any(|(name, _)| name == "TELNYX_API_KEY"));
}
