//! Settings that would be dangerous or make no sense are refused by name when the program starts.

use super::Relay;

fn refusal(settings: &str, password: Option<&str>) -> String {
    let mut account = Relay::new(25, settings);
    account.password = password;
    account.build().map(|_| ()).expect_err("must be refused").to_string()
}

#[test]
fn a_password_never_travels_to_an_unproven_server() {
    for mode in ["off", "opportunistic"] {
        let settings = format!("host = \"mail.example.com\"\ntls = {mode:?}\nusername = \"frontdesk\"");
        let refusal = refusal(&settings, Some("open-sesame"));
        assert!(refusal.contains("providers.office") && refusal.contains("tls must be"), "{refusal}");
        assert!(!refusal.contains("sesame"), "{refusal}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    for (settings, password, word) in [
        ("host = \"mail relay\"", None, "host"),
        ("hello_name = \"a\\r\\nb\"", None, "hello_name"),
        ("connections_max = 0", None, "connections_max"),
        ("messages_per_connection_max = 0", None, "messages_per_connection_max"),
        ("final_dot_timeout_seconds = 0", None, "timeouts"),
        ("tls = \"maybe\"", None, "maybe"),
        ("user = \"x\"", None, "user"),
        ("username = \"x\"", None, "password is missing"),
        ("tls = \"off\"", Some("x"), "username"),
        ("accept_ca_file = \"/nowhere/at/all.pem\"", None, "accept_ca_file"),
    ] {
        let refusal = refusal(settings, password);
        assert!(refusal.contains(word), "{settings}: {refusal}");
    }
}

#[test]
fn an_account_prints_neither_password_nor_user() {
    let mut account = Relay::new(25, "username = \"frontdesk\"");
    account.password = Some("open-sesame");
    let printed = format!("{:?}", account.provider());
    assert!(!printed.contains("sesame") && !printed.contains("frontdesk"), "{printed}");
}

/// Settings of an account that signs in, and what is refused about them.
const MICROSOFT: &str =
    "oauth = \"microsoft\"\ntenant = \"harbor.example\"\nclient_id = \"c\"\nusername = \"office@harbor.example\"\n";

#[test]
fn an_account_that_signs_in_needs_the_values_of_its_service_and_says_which() {
    for (settings, secrets, word) in [
        ("tenant = \"x\"", vec![], "tenant: needs oauth"),
        ("oauth = \"yahoo\"", vec![], "yahoo"),
        (&MICROSOFT.replace("tenant = \"harbor.example\"\n", ""), vec![], "tenant: is missing"),
        (&MICROSOFT.replace("harbor.example\"\nclient", "a/b\"\nclient"), vec![], "tenant: is missing"),
        (&MICROSOFT.replace("client_id = \"c\"\n", ""), vec![], "client_id: is missing"),
        (&MICROSOFT.replace("office@harbor.example", "frontdesk"), vec![], "username: must be the mailbox"),
        (MICROSOFT, vec!["password"], "password: is not used with oauth"),
        (MICROSOFT, vec!["service_account"], "service_account: is Google's"),
        (&MICROSOFT.replace("microsoft", "google"), vec![], "client_secret: is missing"),
        (&MICROSOFT.replace("microsoft", "google"), vec!["service_account"], "service_account: is not the JSON key"),
        (&MICROSOFT.replace("microsoft", "other"), vec![], "token_url: is missing"),
        (&format!("{MICROSOFT}token_url = \"http://id.example/token\""), vec![], "token_url: must be an https address"),
        (&format!("{MICROSOFT}device_url = \"ftp://id.example\""), vec![], "device_url: must be an https address"),
        (
            &format!("{}token_url = \"https://id.example/token\"", MICROSOFT.replace("microsoft", "other")),
            vec!["client_secret"],
            "scope: is missing",
        ),
        (&format!("{MICROSOFT}tls = \"opportunistic\"\nhost = \"mail.example.com\""), vec![], "tls must be"),
    ] {
        let mut account = Relay::new(25, settings);
        account.secrets = secrets.into_iter().map(|key| (key, "canary".to_owned())).collect();
        let refusal = account.build().map(|_| ()).expect_err("must be refused").to_string();
        assert!(refusal.contains(word) && refusal.contains("office"), "{settings}: {refusal}");
        assert!(!refusal.contains("canary"), "{refusal}");
    }
}

#[test]
fn who_signs_in_follows_from_what_is_given() {
    use touchline::provider::sign_in::Grant;
    let google = MICROSOFT.replace("microsoft", "google");
    let key = crate::support::token_server::service_account();
    for (settings, secrets, grant) in [
        (MICROSOFT, vec![], Grant::Person),
        (MICROSOFT, vec![("client_secret", "s".to_owned())], Grant::Application),
        (&google, vec![("client_secret", "s".to_owned())], Grant::Person),
        (&google, vec![("service_account", key)], Grant::ServiceAccount),
    ] {
        let mut account = Relay::new(587, settings);
        account.secrets = secrets;
        let provider = account.provider();
        let sign_in = provider.sign_in().expect("it signs in");
        assert_eq!(sign_in.grant(), grant, "{settings}");
        assert_eq!(sign_in.has_device(), settings.contains("microsoft"), "Google's device flow has no mail");
        assert!(sign_in.has_browser());
        assert!(!format!("{provider:?} {sign_in:?}").contains("harbor"));
    }
}
