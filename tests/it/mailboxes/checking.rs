//! `touchline mailbox check` on mailboxes that cannot be read: each says what is wrong and what to do.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::house::House;
use crate::support::ports;
use crate::support::scripted_smtp::{Identity, ScriptedSmtp};

/// A greeting and what the server can do, up to the login.
const GREETING: &str = "> * OK ready\n< t1 CAPABILITY\n> * CAPABILITY IMAP4rev1\n> t1 OK\n";

/// A mailbox that cannot be read.
struct Case {
    name: &'static str,
    kind: &'static str,
    tls: &'static str,
    script: String,
    /// What must be said.
    words: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let case = |name, kind, tls, script: &str, words| Case { name, kind, tls, script: script.to_owned(), words };
    let logged_in = format!("{GREETING}< t2 LOGIN\n> t2 OK\n< t3 CAPABILITY\n> t3 OK\n");
    vec![
        case(
            "folder",
            "imap",
            "off",
            &format!("{logged_in}< t4 EXAMINE\n> t4 NO [NONEXISTENT] no\n< t5 LOGOUT\n> t5 OK\n"),
            &["INBOX: there is no such folder", "Check folders"],
        ),
        case(
            "password",
            "imap",
            "off",
            &format!("{GREETING}< t2 LOGIN\n> t2 NO [AUTHENTICATIONFAILED] office canary-word\n"),
            &["refuses the login", "Check username and password of [mailboxes.password]"],
        ),
        case(
            "password-pop",
            "pop3",
            "off",
            "> +OK\n< CAPA\n> -ERR\n< USER\n> +OK\n< PASS\n> -ERR [AUTH] canary-word\n",
            &["refuses the login", "Check username and password"],
        ),
        case(
            "stranger",
            "imap",
            "implicit",
            "! tls",
            &["authority that is not trusted", "accept_ca_file", "Check host"],
        ),
        case("name", "imap", "implicit", "! tls", &["certificate is for another name", "host must be the name in it"]),
        case(
            "starttls",
            "imap",
            "required",
            GREETING,
            &["does not offer STARTTLS", "143 and 110 with tls = \"required\""],
        ),
        case(
            "starttls-refused",
            "imap",
            "required",
            "> * OK\n< t1 CAPABILITY\n> * CAPABILITY IMAP4rev1 STARTTLS\n> t1 OK\n< t2 STARTTLS\n> t2 NO not now\n",
            &["refuses STARTTLS", "Check host, port and tls"],
        ),
        case(
            "stls",
            "pop3",
            "required",
            "> +OK\n< STLS\n> -ERR what\n",
            &["does not offer STLS", "Check host, port and tls"],
        ),
        case("clear", "imap", "implicit", "> * OK ready\n! hold", &["TLS handshake", "993 (IMAP)"]),
        case("smtp", "imap", "off", "> 220 relay.example ESMTP\n! hold", &["does not speak IMAP", "Check host, port"]),
        case("imap-for-pop", "pop3", "off", "> * OK ready\n! hold", &["does not speak POP3", "Check host, port"]),
        case(
            "garbage",
            "imap",
            "off",
            "> * OK\n< t1 CAPABILITY\n> {{{{\n! close",
            &["connection", "check host, port and tls"],
        ),
        case(
            "bye",
            "imap",
            "off",
            "> * BYE too many connections\n",
            &["refuses to be spoken to", "too many connections"],
        ),
    ]
}

#[tokio::test]
async fn whatever_is_wrong_with_a_mailbox_the_check_says_so_and_what_to_do() {
    let (cases, mut sections, mut servers) = (cases(), String::new(), Vec::new());
    for case in &cases {
        let identity = Identity::new(if case.name == "name" { "other.example" } else { "localhost" });
        let trusted = identity.trusted();
        let server = ScriptedSmtp::start_as(identity, &[&case.script]).await;
        let port = server.address.port();
        writeln!(
            sections,
            "\n[mailboxes.{}]\nkind = {:?}\nhost = \"localhost\"\nport = {port}\ntls = {:?}\nusername = \"office\"\n\
             password = {{ env = \"RETURNS_PASSWORD\" }}",
            case.name, case.kind, case.tls
        )
        .expect("text");
        if case.name == "name" {
            writeln!(sections, "accept_ca_file = {:?}", trusted.path()).expect("text");
        }
        servers.push((server, trusted));
    }
    let (_place, nobody) = ports::reserved(std::net::Ipv4Addr::LOCALHOST.into()).expect("a port");
    let nobody = nobody.port();
    writeln!(
        sections,
        "\n[mailboxes.nobody]\nkind = \"imap\"\nhost = \"127.0.0.1\"\nport = {nobody}\ntls = \"off\"\nusername = \"office\"\n\
         password = {{ env = \"RETURNS_PASSWORD\" }}\n\n[mailboxes.no-folder]\nkind = \"maildir\"\npath = \"nowhere\"\n",
    )
    .expect("text");
    let checking = tokio::task::spawn_blocking(move || {
        let mut house = House::new();
        house.set("RETURNS_PASSWORD", "canary-word");
        let text = std::fs::read_to_string(house.path("touchline.toml")).expect("written");
        house.write("touchline.toml", &format!("{text}{sections}"));
        house.run(&["mailbox", "check", "--json"])
    });
    let answer = checking.await.expect("it ran");
    let said = answer.json();
    assert_eq!(answer.code, 1, "{said}");
    let words_of = |name: &str| -> (bool, String) {
        let checks = said["checks"].as_array().expect("a list");
        let check = checks.iter().find(|check| check["mailbox"] == name).unwrap_or_else(|| panic!("{name}: {said}"));
        (check["ok"] == Value::Bool(true), check["words"].as_str().expect("words").to_owned())
    };
    let others =
        [("nobody", &["no connection", "check host, port and tls"][..]), ("no-folder", &["maildir", "path"][..])];
    for (name, words) in cases.iter().map(|case| (case.name, case.words)).chain(others) {
        let (ok, told) = words_of(name);
        assert!(!ok, "{name}: {told}");
        for word in words {
            assert!(told.contains(word), "{name}: {word:?} is not in {told:?}");
        }
    }
    assert!(!format!("{}{}", answer.out, answer.err).contains("canary"), "no secret is said");
}
