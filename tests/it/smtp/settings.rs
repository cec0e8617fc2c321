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
