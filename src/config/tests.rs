//! Reading configurations, with kinds of providers of our own, so that these tests depend on no adapter.

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::accounts::AccountReader;
use super::load::{Secrets, assemble};
use super::problem::Problems;
use super::{AdvertisingPolicy, Config, ConfigError, Environment, SmtpDoubt};
use crate::accounts::routes::Route;
use crate::domain::Channel;
use crate::provider::fax::declared;
use crate::provider::{Account, Capabilities, Provider, Setting, SettingsError, Spec};

const CAPABILITIES: Capabilities = Capabilities::NONE;

static CARRIER: Spec = Spec {
    kind: "carrier",
    title: "Carrier",
    channel: Channel::Fax,
    capabilities: CAPABILITIES,
    settings: &[
        Setting::secret("api_key", "The key.", true),
        Setting::plain("line", "The line to use.", true),
        Setting::plain("base_url", "Address of the API.", false),
    ],
    sources: &[],
    setup: &[],
    gaps: &[],
    build,
};

static RELAY: Spec = Spec {
    kind: "relay",
    title: "Relay",
    channel: Channel::Email,
    capabilities: CAPABILITIES,
    settings: &[Setting::plain("port", "Port.", false)],
    sources: &[],
    setup: &[],
    gaps: &[],
    build,
};

fn build(_: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    Err(SettingsError("this kind exists for tests of the configuration only".to_owned()))
}

const PRACTICE: &str = r#"
[practice]
name = "Lakeside"
legal_name = "Lakeside PLLC"
street = "1 Shore Street"
city = "Evanston"
state = "IL"
zip = "60201"
phone = "847-555-0140"
fax = "847-555-0141"
email = "office@lakeside.example"
time_zone = "America/Chicago"
medical_director = { name = "Elena Marsh", credentials = "MD" }
opt_out = { phone = "800-555-0144", fax = "800-555-0145", toll_free = true }
"#;

const ACCOUNTS: &str = r#"
[providers.main]
kind = "carrier"
api_key = { env = "CARRIER_API_KEY" }
line = "L-1"

[providers.mail]
kind = "relay"
port = 2525
"#;

fn read_with(text: &str, overrides: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let lookup = |name: &str| (name == "CARRIER_API_KEY").then(|| "canary-key".to_owned());
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut problems = Problems::default();
    let environment = Environment { lookup: &lookup, overrides };
    let specs: &[&'static Spec] = &[&CARRIER, &RELAY];
    let folder = Path::new("/srv/house");
    let accounts = AccountReader { specs, folder, lookup: &lookup, secrets: Secrets::Required };
    let config = assemble(text, &environment, &accounts, &mut problems);
    match problems.into_error("touchline.toml", text) {
        Some(error) => Err(error),
        None => Ok(config.expect("no problem, so a configuration")),
    }
}

fn read(text: &str) -> Result<Config, ConfigError> {
    read_with(text, &[])
}

fn complaint(text: &str) -> String {
    read(text).expect_err("should be refused").to_string()
}

#[test]
fn a_small_file_is_enough_and_the_rest_has_defaults() {
    let config = read(&format!("{PRACTICE}{ACCOUNTS}")).expect("a configuration");
    assert_eq!(config.store.url.expose_secret(), "sqlite:/srv/house/touchline.db");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8025");
    assert_eq!((config.routes.fax, config.routes.email), (vec![Route::to("main")], vec![Route::to("mail")]));
    assert_eq!((config.sending.slots, config.sending.smtp_doubt), (32, SmtpDoubt::Hold));
    assert_eq!((config.sending.undo_one_seconds, config.sending.undo_list_seconds), (60, 600));
    assert_eq!(config.policy.advertising, AdvertisingPolicy::PermissionOrEbr);
    assert_eq!(config.providers["mail"].settings["port"], toml::Value::Integer(2525));
    assert_eq!(config.providers["main"].secrets["api_key"].expose_secret(), "canary-key");
    assert!(config.providers["main"].settings.get("api_key").is_none());
}

#[test]
fn whoever_only_reads_needs_no_secret_but_an_honest_configuration() {
    let read = |text: &str, secrets| {
        let environment = Environment { lookup: &|_| None, overrides: Vec::new() };
        let mut problems = Problems::default();
        let specs: &[&'static Spec] = &[&CARRIER, &RELAY];
        let accounts = AccountReader { specs, folder: Path::new("/srv"), lookup: environment.lookup, secrets };
        let config = assemble(text, &environment, &accounts, &mut problems);
        problems.into_error("touchline.toml", text).map_or(Ok(config), Err)
    };
    let text = format!("{PRACTICE}{ACCOUNTS}");
    let refused = read(&text, Secrets::Required).expect_err("a secret is missing").to_string();
    assert!(refused.contains("CARRIER_API_KEY is not set"), "{refused}");
    let config = read(&text, Secrets::Optional).expect("read").expect("a configuration");
    let missing = &config.providers["main"].missing;
    assert!(
        missing.len() == 1 && missing[0].contains("api_key: the environment variable CARRIER_API_KEY"),
        "{missing:?}"
    );
    assert!(config.providers["mail"].missing.is_empty());
    let written = text.replace("{ env = \"CARRIER_API_KEY\" }", "\"canary-key\"");
    let refused = read(&written, Secrets::Optional).expect_err("no secret belongs into the file").to_string();
    assert!(refused.contains("does not belong") && !refused.contains("canary-key"), "{refused}");
}

#[test]
fn the_environment_overrides_keys_and_texts_stay_texts() {
    let config = read_with(
        &format!("{PRACTICE}{ACCOUNTS}"),
        &[
            ("TOUCHLINE_STORE__URL", "postgres://touchline@db/touchline"),
            ("TOUCHLINE_SENDING__SLOTS", "3"),
            ("TOUCHLINE_PRACTICE__ZIP", "02134"),
            ("TOUCHLINE_PRACTICE__RESPONSE_TIME", "12"),
            ("TOUCHLINE_PRACTICE__PHONE", "+18475550148"),
            ("TOUCHLINE_PROVIDERS__MAIN__LINE", "77"),
            ("TOUCHLINE_ROUTES__FAX", "[main]"),
            ("TOUCHLINE_TEST_REQUIRE", "all"),
        ],
    )
    .expect("a configuration");
    assert_eq!(config.store.url.expose_secret(), "postgres://touchline@db/touchline");
    assert_eq!(config.sending.slots, 3);
    assert_eq!((config.practice.zip.as_str(), config.practice.response_time.as_str()), ("02134", "12"));
    assert_eq!(config.practice.phone.as_str(), "+18475550148");
    assert_eq!(config.providers["main"].settings["line"].as_str(), Some("77"));
}

#[test]
fn a_misspelt_override_is_refused_like_a_misspelt_key() {
    let text = format!("{PRACTICE}{ACCOUNTS}");
    for (name, key) in [("TOUCHLINE_STOR__URL", "stor: unknown section"), ("TOUCHLINE_SENDING__SLOT", "sending.slot:")]
    {
        let error = read_with(&text, &[(name, "1")]).expect_err("refused").to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn every_mistake_is_listed_with_its_line() {
    let text = format!(
        "{}{ACCOUNTS}\n[sending]\nslots = 0\npoll_ms = \"often\"\nspeed = 3\n[log]\nlevel = \"\\u0000\"\nformat = \"xml\"\n",
        PRACTICE.replace("street = \"1 Shore Street\"\n", "").replace("847-555-0141", "911")
    );
    let error = read(&text).expect_err("refused");
    let keys: Vec<&str> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
    for key in ["practice.street", "practice.fax", "sending.poll_ms", "sending.speed", "log.format"] {
        assert!(keys.contains(&key), "{key} is not in {keys:?}");
    }
    let speed = error.problems.iter().find(|problem| problem.key == "sending.speed").expect("listed");
    let line = text.lines().position(|line| line.starts_with("speed")).expect("there") + 1;
    assert_eq!(speed.line, Some(line));
    assert!(error.to_string().contains(&format!("touchline.toml:{line}: sending.speed: unknown key")), "{error}");
}

#[test]
fn a_missing_table_is_listed_with_the_keys_it_needs() {
    let error = complaint("[practice]\nname = \"x\"\n");
    for key in ["practice.medical_director.name", "practice.opt_out.phone", "practice.zip", "practice.email"] {
        assert!(error.contains(&format!("{key}: is missing")), "{key}: {error}");
    }
    assert!(!error.contains("practice.name:"), "{error}");
}

#[test]
fn each_mistake_is_explained_with_what_to_do() {
    let good = format!("{PRACTICE}{ACCOUNTS}");
    for (text, expected) in [
        (
            good.replace("kind = \"relay\"", "kind = \"pigeon\""),
            "providers.mail.kind: no such provider: write one of: carrier, relay",
        ),
        (
            good.replace("port = 2525", "prot = 2525"),
            "providers.mail.prot: unknown key for kind relay: remove it, or use one of: kind, baa, concurrency, timeout_seconds, rate_per_minute, rate_per_domain_per_minute, concurrency_per_domain, cost_per_page, daily_budget, quota, preset, purge, port",
        ),
        (good.replace("line = \"L-1\"", ""), "providers.main.line: is missing: add it. The line to use."),
        (
            good.replace("{ env = \"CARRIER_API_KEY\" }", "\"canary\""),
            "providers.main.api_key: a secret does not belong into this file: write api_key = { env = \"CARRIER_API_KEY\" } or { file = \"PATH\" }",
        ),
        (
            good.replace("CARRIER_API_KEY", "NO_SUCH"),
            "providers.main.api_key: the environment variable NO_SUCH is not set",
        ),
        (
            good.replace("{ env = \"CARRIER_API_KEY\" }", "{ file = \"no/such\" }"),
            "the file /srv/house/no/such cannot be read",
        ),
        (
            good.replace("{ env = \"CARRIER_API_KEY\" }", "{ env = \"A\", file = \"B\" }"),
            "api_key: write api_key = { env",
        ),
        (format!("{good}[routes]\nfax = [\"mail\"]\n"), "routes.fax: mail does not carry fax"),
        (format!("{good}[routes]\nemail = [\"post\"]\n"), "routes.email: there is no [providers.post]"),
        (format!("{good}[routes]\nemail = [\"mail\", \"mail\"]\n"), "mail is listed twice"),
        (format!("{good}[store]\nurl = \"mysql://u:canary@h/d\"\n"), "store.url: write sqlite:PATH"),
        (format!("{good}[server]\nlisten = \"here\"\n"), "server.listen: write an IP address and a port"),
        (
            format!("{good}[server]\npublic_url = \"https://u:canary@h\"\n"),
            "server.public_url: write an address such as",
        ),
        (
            format!("{good}[policy]\nadvertising = \"anything\"\n"),
            "policy.advertising: write one of: permission_only, permission_or_ebr",
        ),
        (format!("{good}[retention]\ncallback_days = 0\n"), "retention.callback_days: write a number from 1 to 3650"),
        (format!("{good}[sending]\nslots = 5000\n"), "sending.slots: write a number from 1 to 1024"),
        (
            format!("{good}[sending]\nundo_one_seconds = 86401\n"),
            "sending.undo_one_seconds: write a number from 0 to 86400",
        ),
        (format!("{good}[sending]\nundo_list_seconds = -1\n"), "sending.undo_list_seconds: "),
        (good.replace("toll_free = true", "toll_free = false"), "practice.opt_out"),
        (
            good.replace(
                "kind = \"relay\"",
                "kind = \"relay\"\nbaa = { signed = true, date = \"May\", reference = \"x\" }",
            ),
            "providers.mail.baa.date: write the day",
        ),
        (format!("{good}[providers.Second]\nkind = \"relay\"\n"), "providers.Second: name the account with"),
        (good.replace("zip = \"60201\"", "zip = 60201"), "practice.zip: write a text in quotes; found a whole number"),
        (format!("{good}\nkey = \n"), "this is not TOML"),
    ] {
        let error = complaint(&text);
        assert!(error.contains(expected), "expected {expected:?} in: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn several_accounts_of_a_channel_need_an_order() {
    let text = format!("{PRACTICE}{ACCOUNTS}[providers.mail2]\nkind = \"relay\"\n");
    assert!(complaint(&text).contains("routes.email: say in which order to use: mail, mail2"));
    let config = read(&format!("{text}[routes]\nemail = [\"mail2\", \"mail\"]\nfax = []\n")).expect("a configuration");
    assert_eq!(config.routes.email, [Route::to("mail2"), Route::to("mail")]);
    assert!(config.routes.fax.is_empty(), "an empty list switches the channel off");
}

#[test]
fn nothing_secret_is_printed() {
    let text = format!("{PRACTICE}{ACCOUNTS}[store]\nurl = \"postgres://u:canary-password@h/d\"\n");
    let printed = format!("{:?}", read(&text).expect("a configuration"));
    assert!(printed.contains("carrier") && !printed.contains("canary"), "{printed}");
    assert!(!printed.contains("5550140"), "{printed}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,200}", bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = read(&text);
        let _ = read(&format!("{PRACTICE}{ACCOUNTS}{text}"));
        let _ = read(&String::from_utf8_lossy(&bytes));
    }
}

/// An installation with one description, and an account that names `file`.
fn described(description: &str, file: &str, account: &str) -> Result<Config, String> {
    let house = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(house.path().join("providers")).expect("made");
    std::fs::write(house.path().join("providers/acme.toml"), description).expect("written");
    std::fs::write(house.path().join("outside.toml"), description).expect("written");
    let text = format!(
        "{PRACTICE}{ACCOUNTS}\n[routes]\nfax = [\"acme\"]\n[providers.acme]\nkind = \"http\"\ndescription = \"{file}\"\n{account}"
    );
    let lookup = |name: &str| name.ends_with("_API_KEY").then(|| "canary-key".to_owned());
    let environment = Environment { lookup: &lookup, overrides: Vec::new() };
    let mut problems = Problems::default();
    let specs: [&'static Spec; 3] = [&CARRIER, &RELAY, &declared::SPEC];
    let accounts = AccountReader { specs: &specs, folder: house.path(), lookup: &lookup, secrets: Secrets::Required };
    let config = assemble(&text, &environment, &accounts, &mut problems);
    match problems.into_error("touchline.toml", &text) {
        Some(error) => Err(error.to_string()),
        None => Ok(config.expect("no problem, so a configuration")),
    }
}

const ACME_ACCOUNT: &str = "api_key = { env = \"ACME_API_KEY\" }\n";

#[test]
fn a_described_provider_takes_the_settings_and_secrets_that_its_description_declares() {
    let acme = declared::examples::BEGINNING.text;
    let config = described(acme, "acme.toml", ACME_ACCOUNT).expect("a configuration");
    let account = &config.providers["acme"];
    assert_eq!(account.secrets["api_key"].expose_secret(), "canary-key");
    assert!(account.settings["description"].as_str().is_some_and(|path| path.ends_with("providers/acme.toml")));
    let missing = described(acme, "acme.toml", "").expect_err("refused");
    assert!(missing.contains("providers.acme.api_key: is missing"), "{missing}");
    let unknown = described(acme, "acme.toml", &format!("{ACME_ACCOUNT}colour = \"blue\"\n")).expect_err("refused");
    assert!(unknown.contains("providers.acme.colour: unknown key"), "{unknown}");
    let inline = described(acme, "acme.toml", "api_key = \"canary-key\"\n").expect_err("refused");
    assert!(inline.contains("does not belong into this file") && !inline.contains("canary-key"), "{inline}");
}

#[test]
fn a_mistake_in_a_description_is_named_with_file_line_and_column() {
    let acme = declared::examples::BEGINNING.text.replace("{{secrets.api_key}}", "{{secrets.api_kee}}");
    let line = 1 + acme.lines().position(|line| line.contains("api_kee")).expect("there");
    let said = described(&acme, "acme.toml", ACME_ACCOUNT).expect_err("refused");
    assert!(said.contains(&format!("acme.toml:{line}:")), "{said}");
    assert!(said.contains("no `secrets.api_kee`") && said.contains("providers.acme.description"), "{said}");
}

#[test]
fn a_descriptions_name_leads_nowhere_but_into_its_folder() {
    let acme = declared::examples::BEGINNING.text;
    for name in ["../outside.toml", "nobody.toml", "", "/etc/passwd", "a/../acme.toml"] {
        let said = described(acme, name, ACME_ACCOUNT).expect_err(name);
        assert!(said.contains("providers.acme.description"), "{name}: {said}");
    }
}

#[test]
fn an_entry_of_a_route_says_for_which_messages_it_is_meant() {
    let text = format!(
        "{PRACTICE}{ACCOUNTS}cost_per_page = 0.001\n[routes]\nemail = [{{ account = \"mail\", purposes = [\"treatment\"], pages_max = 3 }}]\n\
         fax = [{{ account = \"main\", countries = [\"US\", \"ca\"], phi = false }}]\ncheapest_first = true\n"
    );
    let config = read(&text).expect("good");
    assert!(config.routes.cheapest_first);
    assert_eq!(config.routes.email[0].only.words(), ["treatment", "3 pages at most"]);
    assert_eq!(config.routes.fax[0].only.words(), ["to US, CA", "no health information"]);
    assert_eq!(config.providers["mail"].cost_per_page.map(|cost| cost.to_string()).as_deref(), Some("0.001"));
}

#[test]
fn a_mistake_in_a_route_or_a_budget_is_named_by_its_key() {
    let with = |accounts: &str, routes: &str| complaint(&format!("{PRACTICE}{ACCOUNTS}{accounts}[routes]\n{routes}\n"));
    for (accounts, routes, words) in [
        (
            "",
            "fax = [{ account = \"main\", countries = [\"USA\"] }]",
            "routes.fax.0.countries.0: write countries by two letters",
        ),
        ("", "fax = [{ account = \"main\", countries = [] }]", "routes.fax.0.countries: leaves out everything"),
        (
            "",
            "fax = [{ account = \"main\", purposes = [\"fun\"] }]",
            "routes.fax.0.purposes.0: write one of: advertisement",
        ),
        ("", "fax = [{ account = \"main\", country = \"US\" }]", "routes.fax.0.country: unknown key"),
        ("", "fax = [{ phi = true }]", "routes.fax.0.account: is missing"),
        ("", "fax = [7]", "routes.fax.0: write an account's name, or a table"),
        ("", "fax = [{ account = \"main\", phi = true }]", "routes.fax: main must not carry health information"),
        ("", "fax = [{ account = \"main\", pages_max = 0 }]", "routes.fax.0.pages_max: write a number from 1"),
        (
            "",
            "email = [{ account = \"mail\", countries = [\"US\"] }]",
            "routes.email.0.countries: a mailbox has no country",
        ),
        ("daily_budget = { cost = 20.0 }\n", "", "providers.mail.daily_budget.cost: needs a price"),
        (
            "cost_per_page = 0.07\ndaily_budget = { cost = 0.05 }\n",
            "",
            "providers.mail.daily_budget.cost: does not cover one page, which costs 0.07: raise it",
        ),
        ("concurrency_per_domain = 0\n", "", "providers.mail.concurrency_per_domain: write a number from 1 to 256"),
        ("concurrency_per_domain = 257\n", "", "providers.mail.concurrency_per_domain: write a number from 1 to 256"),
        (
            "[providers.other]\nkind = \"carrier\"\nconcurrency_per_domain = 4\nrate_per_domain_per_minute = 4\n",
            "",
            "providers.other.concurrency_per_domain: a number has no mail domain: remove it here",
        ),
        ("purge = \"always\"\n", "", "providers.mail.purge: a provider of kind relay cannot"),
        ("daily_budget = {}\n", "", "providers.mail.daily_budget: say how much"),
        ("daily_budget = { hand_overs = 0 }\n", "", "providers.mail.daily_budget: leaves nothing to send"),
        ("cost_per_page = -1\n", "", "providers.mail.cost_per_page: write an amount"),
    ] {
        let complaint = with(accounts, routes);
        assert!(complaint.contains(words), "{words} is not in: {complaint}");
    }
}
