//! `touchline mail`: a person signs in at the terminal, looks, and signs out; nothing secret is said on the way, and an ended
//! sign-in names the command that puts it right.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::Value;

use super::house::House;
use crate::support::terminal::Terminal;
use crate::support::token_server::{CANARY, MAILBOX, SECRET, TokenServer};
use crate::support::token_smtp::TokenSmtp;

const SCOPE: &str = "mail offline_access";
const ACCOUNT: &str = "email-smtp";

/// A house whose relay wants a token of that service.
fn house(server: &TokenServer, relay: &TokenSmtp, has_page: bool) -> House {
    let house = House::empty();
    let mut settings = vec!["host=127.0.0.1".to_owned(), "tls=off".to_owned(), format!("port={}", relay.port)];
    let own: toml::Table = server.settings(has_page).parse().expect("TOML");
    settings.extend(own.iter().map(|(key, value)| format!("{key}={}", value.as_str().expect("text"))));
    let mut arguments = vec!["init".to_owned(), "--defaults".to_owned(), "--provider=smtp".to_owned()];
    arguments.extend(settings.iter().map(|setting| format!("--setting=smtp.{setting}")));
    house.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).good();
    house
}

/// The program as it waits for a sign-in, and what it says to open.
struct Waiting {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    open: Value,
}

impl Waiting {
    fn start(house: &House, way: &str) -> Self {
        Self::start_for(house, ACCOUNT, way)
    }

    fn start_for(house: &House, account: &str, way: &str) -> Self {
        let mut command = house.command();
        command.args(["mail", "login", account, way, "--json"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        errors.read_line(&mut line).expect("read");
        let open = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, errors, open }
    }

    fn address(&self) -> String {
        self.open["open"].as_str().expect("an address").to_owned()
    }

    /// Types a line, and waits for its end: the exit code and the answer.
    fn end(mut self, typed: &str) -> (i32, Value) {
        let mut input = self.child.stdin.take().expect("piped");
        // Who waits for a browser reads nothing.
        let _ = input.write_all(format!("{typed}\n").as_bytes());
        drop(input);
        let output = self.child.wait_with_output().expect("it ends");
        let (out, mut err) = (String::from_utf8(output.stdout).expect("UTF-8"), String::new());
        self.errors.read_to_string(&mut err).expect("read");
        assert!(!format!("{out}{err}").contains("canary"), "a secret was said: {out}{err}");
        (output.status.code().expect("it ends by itself"), serde_json::from_str(&out).expect("one object"))
    }
}

async fn in_background<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.expect("no panic")
}

async fn stage(has_secret: bool) -> (TokenServer, TokenSmtp, Arc<House>) {
    let server = TokenServer::start(SCOPE, has_secret).await;
    let relay = TokenSmtp::start(&server).await;
    let (of, by) = (server.clone(), relay.clone());
    let house = in_background(move || house(&of, &by, !has_secret)).await;
    (server, relay, Arc::new(house))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_behind_the_address_reaches_neither_the_screen_nor_the_shell() {
    let (server, _relay, house) = stage(false).await;
    let mut shell = Command::new("/bin/sh");
    let program = env!("CARGO_BIN_EXE_touchline");
    shell.args(["-c", &format!("{program} mail login {ACCOUNT} --paste; read line; echo got:$line.")]);
    shell.current_dir(house.path(""));
    shell.envs(house.command().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let started = in_background(move || {
        let mut terminal = Terminal::start(&shell)?;
        let address = terminal.rest_of_line("open  ");
        Some((terminal, address))
    });
    let Some((mut terminal, address)) = started.await else { return };
    let landed = server.sign_in_at(&address).await;
    let (code, shown) = in_background(move || {
        terminal.answer("Address:", &format!("{landed}\ncanary-of-the-next-line\n"));
        terminal.answer("Checked:", "typed\n");
        terminal.end()
    })
    .await;
    assert!(code == 0 && shown.contains("got:typed."), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_pasting_and_an_ended_sign_in_names_the_command() {
    let (server, _relay, house) = stage(false).await;
    let at = house.clone();
    let waiting = in_background(move || {
        let checked = at.run(&["provider", "check", ACCOUNT, "--json"]);
        assert!(checked.code == 1 && checked.out.contains("touchline mail login email-smtp"), "{checked:?}");
        assert_eq!(at.run(&["mail", "login", "nobody"]).code, 4);
        Waiting::start(&at, "--paste")
    })
    .await;
    assert_eq!(waiting.open["mailbox"], MAILBOX);
    let landed = server.sign_in_at(&waiting.address()).await;
    let (code, answer) = in_background(move || waiting.end(&landed)).await;
    assert_eq!((code, &answer["signed_in_as"], &answer["check"]["ok"]), (0, &MAILBOX.into(), &true.into()), "{answer}");

    let (at, of) = (house.clone(), server.clone());
    in_background(move || {
        let known = at.ask(&["mail", "status"])["accounts"][0].clone();
        assert_eq!((&known["state"], &known["grant"]), (&"signed_in".into(), &"person".into()), "{known}");
        assert_eq!((&known["signed_in_as"], &known["signed_in_by"]), (&MAILBOX.into(), &"operator:dana".into()));
        assert!(known["valid_until"].is_string() && known["last_refusal"].is_null(), "{known}");
        let checked = at.run(&["provider", "check", ACCOUNT]).good().out;
        assert!(checked.contains("OAuth, a person's sign-in"), "{checked}");
        #[cfg(unix)]
        assert_eq!(touchline::files::is_open_to_others(&at.path("touchline.db.key")), Some(false));

        of.revoke();
        for command in [&["provider", "check", ACCOUNT, "--json"][..], &["doctor", "--json"][..]] {
            let told = at.run(command);
            assert!(told.code == 1 && told.out.contains("touchline mail login email-smtp"), "{told:?}");
            assert!(!told.out.contains(CANARY) && !told.out.contains("canary"), "{told:?}");
        }
        let known = at.ask(&["mail", "status"])["accounts"][0].clone();
        assert_eq!(
            (&known["state"], &known["last_refusal"]["remedy"]),
            (&"refused".into(), &"sign_in".into()),
            "{known}"
        );

        at.run(&["mail", "logout", ACCOUNT]).good();
        assert_eq!(at.run(&["mail", "logout", ACCOUNT]).code, 4, "there is none any more");
        assert_eq!(at.ask(&["mail", "status"])["accounts"][0]["state"], "sign_in_needed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_on_this_machine_comes_back_by_itself_and_a_wrong_address_changes_nothing() {
    let (server, _relay, house) = stage(false).await;
    let at = house.clone();
    let waiting = in_background(move || Waiting::start(&at, "--paste")).await;
    let (code, answer) = in_background(move || waiting.end("http://127.0.0.1:49152/?code=canary&state=guessed")).await;
    assert_eq!((code, &answer["error"]["code"]), (1, &"failed".into()), "{answer}");

    let at = house.clone();
    let waiting = in_background(move || {
        at.run(&["provider", "pause", ACCOUNT, "--reason", "inspection"]).good();
        Waiting::start(&at, "--browser")
    })
    .await;
    let landed = server.sign_in_at(&waiting.address()).await;
    let client = touchline::http::client().expect("a client");
    let page = client.get(&landed).send().await.expect("answered").text().await.expect("text");
    assert!(page.contains("You are signed in") && !page.contains("canary"), "{page}");
    let (code, answer) = in_background(move || waiting.end("")).await;
    assert_eq!((code, &answer["resumed"]), (0, &false.into()), "{answer}");
    let paused = &answer["paused"];
    assert_eq!((&paused["reason"], &paused["remedy"]), (&"inspection".into(), &Value::Null), "it stays: {answer}");
    assert_eq!(paused["command"], "touchline provider resume email-smtp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_to_a_mailbox_for_returns_likewise() {
    let server = TokenServer::start(SCOPE, false).await;
    let settings = server.settings(true);
    let (house, waiting) = in_background(move || {
        let house = House::new();
        let text = std::fs::read_to_string(house.path("touchline.toml")).expect("written");
        let own = "kind = \"imap\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"off\"\n";
        house.write("touchline.toml", &format!("{text}\n[mailboxes.returns]\n{own}{settings}"));
        let checked = house.run(&["mailbox", "check", "returns"]);
        assert!(checked.code == 1 && checked.out.contains("touchline mail login returns"), "{checked:?}");
        let waiting = Waiting::start_for(&house, "returns", "--paste");
        (house, waiting)
    })
    .await;
    let landed = server.sign_in_at(&waiting.address()).await;
    let (code, answer) = in_background(move || waiting.end(&landed)).await;
    assert_eq!((code, &answer["signed_in_as"], &answer["paused"]), (1, &MAILBOX.into(), &Value::Null), "{answer}");
    let words = answer["check"]["words"].as_str().expect("words");
    assert!(words.contains("no connection to the mail server"), "nobody listens there: {answer}");
    in_background(move || {
        let known = house.ask(&["mail", "status"])["accounts"][0].clone();
        assert_eq!((&known["account"], &known["state"]), (&"returns".into(), &"signed_in".into()), "{known}");
        house.run(&["mail", "logout", "returns"]).good();
        assert_eq!(house.ask(&["mail", "status"])["accounts"][0]["state"], "sign_in_needed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_signs_in_by_itself_needs_nobody() {
    let (_server, relay, house) = stage(true).await;
    let mut house = Arc::into_inner(house).expect("the only one");
    house.set("SMTP_CLIENT_SECRET", SECRET);
    house.set("TOUCHLINE_LOG", "trace");
    in_background(move || {
        let text = std::fs::read_to_string(house.path("touchline.toml")).expect("written");
        house.write("touchline.toml", &text.replace("# client_secret =", "client_secret ="));
        let refused = house.run(&["mail", "login", ACCOUNT]);
        assert!(refused.code == 5 && refused.err.contains("signs in by itself"), "{refused:?}");
        let checked = house.run(&["provider", "check", ACCOUNT]).good();
        assert!(checked.out.contains("client credentials"), "{checked:?}");
        let refused = house.run(&["mail", "logout", ACCOUNT]);
        assert!(refused.code == 5 && refused.err.contains("touchline provider pause email-smtp"), "{refused:?}");
        let said = format!("{}{}", checked.out, checked.err);
        assert!(!said.contains("canary") && !said.contains(MAILBOX), "{said}");
        house.run(&["provider", "check", ACCOUNT]).good();
        assert_eq!(house.ask(&["mail", "status"])["accounts"][0]["state"], "ready");
    })
    .await;
    assert_eq!(relay.logins().0, 2);
}
