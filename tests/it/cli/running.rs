//! The gateway at work: `send --wait` without a daemon, and `serve` until it is stopped.

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};

use super::house::{Answer, CANARY, House, sample_list};
use crate::support::PATIENCE;

async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// Runs the program without holding up the line and the catcher, which live in this process.
async fn run(house: &std::sync::Arc<House>, arguments: &[&str]) -> Answer {
    let house = house.clone();
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = tokio::task::spawn_blocking(move || house.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    timeout(PATIENCE, run).await.expect("in time").expect("it ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_sent_and_waited_for_without_a_running_gateway() {
    let options =
        FaxLineOptions { call_takes: Duration::from_millis(20), ..FaxLineOptions::new(SecretString::from(CANARY)) };
    let line = FaxLine::start(port().await, options).expect("a line");
    let catcher = MailCatcher::start(port().await, Options::default()).expect("a catcher");
    let mut house = House::with_providers(&line.base_url(), &catcher.address().port().to_string());
    for (name, value) in
        [("STATUS_POLL_SECONDS", "1"), ("POLL_MS", "20"), ("RETRY_SCALE_PERCENT", "1"), ("RETRY_WAIT_MAX_SECONDS", "1")]
    {
        house.set(&format!("TOUCHLINE_SENDING__{name}"), value);
    }
    let house = std::sync::Arc::new(house);
    run(&house, &["referrers", "import", &sample_list()]).await.good();

    let sent =
        run(&house, &["send", "introduction", "--to=Whitfield", "--wait", "--timeout=300", "--json"]).await.good();
    let sent = sent.json();
    assert_eq!(sent["handled"], true, "{sent}");
    let status = |channel: &str| {
        let messages = sent["messages"].as_array().expect("messages");
        messages.iter().find(|message| message["channel"] == channel).map(|message| message["status"].clone())
    };
    assert_eq!((status("fax"), status("email")), (Some("delivered".into()), Some("accepted".into())), "{sent}");
    assert_eq!((line.faxes().len(), catcher.messages().len()), (1, 1));
    let touches = run(&house, &["touches", "Whitfield", "--json"]).await.good().json();
    assert_eq!(touches["delivered"], 1, "faxing and mailing one letter is one touch: {touches}");
    // The accounts work. The practice is invented, and the relay may be a real one.
    let doctor = run(&house, &["doctor", "--json"]).await.json();
    let failed: Vec<&str> = doctor["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|check| check["state"] == "fail")
        .filter_map(|check| check["check"].as_str())
        .collect();
    assert_eq!(failed, ["practice"], "{doctor}");

    // A person answers at that number, whenever it is called.
    let failed = run(&house, &["send", "introduction", "--to=Goldfarb", "--via=fax", "--wait", "--json"]).await;
    let message = failed.json()["messages"][0].clone();
    assert_eq!((failed.code, &message["status"], &message["reason"]), (1, &"failed".into(), &"not_a_fax".into()));
    let id = message["id"].as_str().expect("an id").to_owned();
    let status = run(&house, &["status", &id]).await.good().out;
    assert!(status.contains("voice line") && status.contains("touchline retry"), "{status}");
    line.shutdown().await;
    catcher.shutdown().await;
}

/// Two offices: at one number the answer to the call is lost, the other takes very long.
const TWO_OFFICES: &str = "last_name,type,fax,basis,basis_source,basis_date,basis_note\n\
    Lost,therapist,(312) 555-0124,permission,given_by_recipient,2026-10-06,asked\n\
    Slow,therapist,(312) 555-0123,permission,given_by_recipient,2026-10-06,asked\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_lasts_until_a_doubt_is_looked_up_and_what_was_handed_over_is_only_asked_to_be_stopped() {
    let options = FaxLineOptions {
        call_takes: Duration::from_millis(20),
        slow_after: Duration::from_secs(3600),
        ..FaxLineOptions::new(SecretString::from(CANARY))
    };
    let line = FaxLine::start(port().await, options).expect("a line");
    let mut house = House::with_providers(&line.base_url(), "9");
    for (name, value) in [("STATUS_POLL_SECONDS", "1"), ("POLL_MS", "20"), ("DOUBT_SETTLE_SECONDS", "1")] {
        house.set(&format!("TOUCHLINE_SENDING__{name}"), value);
    }
    house.write("two.csv", TWO_OFFICES);
    let house = std::sync::Arc::new(house);
    run(&house, &["referrers", "import", "two.csv"]).await.good();

    let sent =
        run(&house, &["send", "introduction", "--to=Lost", "--via=fax", "--wait", "--timeout=300", "--json"]).await;
    let sent = sent.good().json();
    assert_eq!((&sent["handled"], &sent["messages"][0]["status"]), (&true.into(), &"delivered".into()), "{sent}");
    assert_eq!(line.faxes().len(), 1);

    let sent =
        run(&house, &["send", "introduction", "--to=Slow", "--via=fax", "--wait", "--timeout=8", "--json"]).await;
    let sent = sent.json();
    assert_eq!((&sent["handled"], &sent["messages"][0]["status"]), (&false.into(), &"accepted".into()), "{sent}");
    let id = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    let asked = run(&house, &["cancel", &id]).await.good().out;
    assert!(asked.contains("The provider was asked to stop it") && !asked.contains("is cancelled"), "{asked}");
    line.shutdown().await;
}

#[tokio::test]
async fn the_gateway_serves_until_it_is_told_to_stop() {
    let house = House::new();
    let mut command = tokio::process::Command::from(house.command());
    command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut gateway = command.spawn().expect("it starts");
    let mut lines = BufReader::new(gateway.stdout.take().expect("its output")).lines();
    let first = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable").expect("a line");
    let address = first.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address").to_owned();

    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let second = house.run(&["serve", "--listen", &address]);
    assert_eq!((second.code, second.err.contains("--listen")), (1, true), "{second:?}");

    let id = gateway.id().expect("it runs").to_string();
    let told = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    assert!(told.success());
    let ended = timeout(PATIENCE, gateway.wait()).await.expect("it stops").expect("an end");
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn the_sandbox_runs_by_itself_and_what_it_shows_can_be_pasted_as_it_stands() {
    let mut house = House::new();
    house.write("script.toml", "[[rule]]\nends_in = '0142'\nends = 'sunburn'\n");
    let alone = ["sandbox", "--port=0", "--mail-port=0"];
    let refused = house.run(&[&alone[..], &["--script=script.toml"]].concat());
    assert_eq!((refused.code, refused.err.contains("rule 1")), (5, true), "{refused:?}");
    let refused = house.run(&[&alone[..], &["--chance=busy=0.8", "--chance=no_answer=0.8"]].concat());
    assert_eq!((refused.code, refused.err.contains("more than 1")), (2, true), "{refused:?}");
    let help = house.run(&["sandbox", "--help"]).good().out;
    assert!(help.contains("0264") && help.contains("declines the call"), "{help}");

    let mut command = tokio::process::Command::from(house.command());
    command.args(alone).arg("--like=telnyx").stdout(Stdio::piped()).kill_on_drop(true);
    let mut sandbox = command.env("TOUCHLINE_SANDBOX_KEY", "a-key").spawn().expect("it starts");
    let mut lines = BufReader::new(sandbox.stdout.take().expect("its output")).lines();
    let mut told = String::new();
    while !told.contains("Serving until") {
        let next = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable");
        told = told + &next.expect("a line") + "\n";
    }
    // A shell reads the lines; another run of the program has what they set.
    let pasted: String =
        told.lines().filter(|line| line.starts_with("export ")).map(|line| format!("{line}\n")).collect();
    let environment = std::process::Command::new("sh").env_clear().args(["-c", &format!("{pasted}env")]).output();
    for line in String::from_utf8(environment.expect("a shell").stdout).expect("text").lines() {
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| name.starts_with("TOUCHLINE_")) {
            house.set(name, value);
        }
    }
    house.run(&["referrers", "import", &sample_list()]).good();
    let house = std::sync::Arc::new(house);
    let checked = run(&house, &["provider", "check", "--json"]).await.json();
    let works = |account: &str| {
        let checks = checked["checks"].as_array().expect("a list");
        checks.iter().any(|check| check["account"] == account && check["ok"] == true)
    };
    assert!(works("rehearsal_telnyx") && works("rehearsal_mail"), "{checked}");
    let arguments = ["send", "introduction", "--to=Whitfield", "--via=email", "--now", "--wait", "--timeout=300"];
    run(&house, &arguments).await.good();
    let page = told.split_whitespace().find(|word| word.ends_with("/mail")).expect("an address");
    let client = touchline::http::client().expect("a client");
    let text = |address: String| {
        let request = client.get(address);
        async move { request.send().await.expect("it answers").text().await.expect("text") }
    };
    let mail = text(page.to_owned()).await;
    assert!(
        mail.contains("Introducing Lakeside") && mail.contains("href=\"/mail/1\"") && !mail.contains("<script"),
        "{mail}"
    );
    assert!(text(format!("{page}/1/html")).await.contains("Whitfield"));
    assert!(house.path("rehearsal.db").exists(), "the rehearsal has records of its own");
    assert!(!house.path("touchline.db").exists(), "those of real letters are not touched");
    assert!(told.contains("records of its own") && told.contains("record them as delivered"), "{told}");
    assert!(text(page.trim_end_matches("/mail").to_owned()).await.contains("href=\"/mail\""));

    let id = sandbox.id().expect("it runs").to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    assert_eq!(timeout(PATIENCE, sandbox.wait()).await.expect("it stops").expect("an end").code(), Some(0));
}
