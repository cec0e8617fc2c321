//! README's "Set it up for your practice", from the first question to the first touch, in a terminal of 80 columns: three
//! practices as office managers describe them.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use touchline::sandbox::fax::{FaxLine, FaxLineOptions, Guise};
use touchline::sandbox::mail::{MailCatcher, Options};

use super::house::{House, sample_list};
use crate::support::terminal::Terminal;

/// A list in which nothing is marked.
const NOTHING: &str = "\r";

/// What is asked, and what is typed.
type Dialogue<'a> = &'a [(&'a str, &'a str)];

/// The last questions: no account yet, and everything is right.
const REHEARSING: Dialogue<'static> = &[
    ("Fax provider", "\r"),
    ("Mail server", "\r"),
    ("This is what you answered", ""),
    ("What now:", "\r"),
    ("Your introduction letter", ""),
    ("first-letter/fax.png", ""),
    ("touchline sandbox in a second window", ""),
];

fn converse(house: &House, dialogue: &[Dialogue<'_>]) -> Option<(i32, String)> {
    let mut command = house.command();
    command.arg("init");
    let mut terminal = Terminal::start(&command)?;
    for (asked, typed) in dialogue.iter().copied().flatten() {
        terminal.answer(asked, typed);
    }
    Some(terminal.end())
}

fn practice(house: &House) -> toml::Table {
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("written");
    let file: toml::Table = text.parse().expect("TOML");
    file["practice"].as_table().expect("a practice").clone()
}

fn letter(house: &House) -> String {
    std::fs::read_to_string(house.path("first-letter/email.txt")).expect("written")
}

/// The sandbox that a rehearsal is sent to, on ports of its own.
struct Sandbox {
    line: FaxLine,
    catcher: MailCatcher,
}

impl Sandbox {
    async fn start(house: &mut House) -> Self {
        let secrets = std::fs::read_to_string(house.path("touchline.env")).expect("written");
        let key = secrets.lines().find_map(|line| line.strip_prefix("TOUCHLINE_SANDBOX_KEY=")).expect("a key");
        let options = FaxLineOptions {
            call_takes: Duration::from_millis(20),
            ..FaxLineOptions::new(SecretString::from(key.to_owned()))
        };
        let line = FaxLine::start(port().await, options).expect("a line");
        let catcher = MailCatcher::start(port().await, Options::default()).expect("a catcher");
        house.set("TOUCHLINE_PROVIDERS__REHEARSAL__BASE_URL", &line.base_url());
        house.set("TOUCHLINE_PROVIDERS__REHEARSAL_MAIL__PORT", &catcher.address().port().to_string());
        for (name, value) in [("STATUS_POLL_SECONDS", "1"), ("POLL_MS", "20")] {
            house.set(&format!("TOUCHLINE_SENDING__{name}"), value);
        }
        Self { line, catcher }
    }

    async fn stop(self) {
        self.line.shutdown().await;
        self.catcher.shutdown().await;
    }
}

async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// The rest of README's list, as it stands there.
async fn follow_the_readme(house: Arc<House>) {
    let followed = tokio::task::spawn_blocking(move || {
        let found = house.run(&["doctor"]).good().out;
        assert!(found.contains("it reads well from beginning to end") && !found.contains("FAIL"), "{found}");
        house.run(&["referrers", "import", &sample_list(), "--dry-run"]).good();
        house.run(&["referrers", "import", &sample_list()]).good();
        house.run(&["preview", "introduction", "--for", "Whitfield", "--out", "look"]).good();
        house.run(&["send", "introduction", "--to", "Whitfield", "--now", "--wait", "--timeout", "100"]).good();
        let touches = house.run(&["touches", "Whitfield"]).good().out;
        assert!(touches.contains("1 of 7"), "{touches}");
        house.write("password", "correct horse battery\n");
        house.run(&["operator", "add", "maria", "--password-file", "password"]).good();
    });
    followed.await.expect("followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_with_empty_lists_gets_a_letter_without_empty_headings() {
    let mut house = House::empty();
    let dialogue: Dialogue<'_> = &[
        ("Name on the letterhead:", "Birch Clinic\r"),
        ("Legal name [Birch Clinic]:", "\r"),
        ("Street and suite:", "1 Main Street\r"),
        ("City, state and ZIP code:", "Dayton, Ohio 45402\r"),
        ("Eastern time (America/New_York)", ""),
        ("Main telephone number:", "937 222 1000\r"),
        ("Fax number:", "937 222 1001\r"),
        ("letters come from:", "office@birchclinic.com\r"),
        ("Website (Enter: none):", "\r"),
        ("Referral line", "\r"),
        ("Hours", "\r"),
        ("Within", "\r"),
        ("Name and letters", "Ana Roth, MD\r"),
        ("Sentences (Enter: none)", "\r"),
        ("Treatments: space marks", NOTHING),
        ("Go on without?", "y"),
        ("Others", "\r"),
        ("Conditions: space marks", NOTHING),
        ("Go on without?", "y"),
        ("Others", "\r"),
        ("Insurers: space marks", NOTHING),
        ("Go on without?", "y"),
        ("Others", "\r"),
        ("Telephone number for it [(937) 222-1000]:", "\r"),
        ("Fax number for it [(937) 222-1001]:", "\r"),
        ("Email address for it [office@birchclinic.com]:", "\r"),
    ];
    let Some((code, shown)) = converse(&house, &[dialogue, REHEARSING]) else { return };
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("Look at this"), "{shown}");
    let letter = letter(&house);
    assert!(!letter.contains("We offer") && !letter.contains(" .") && letter.contains("Ana Roth, MD"), "{letter}");
    house.set("TOUCHLINE_PROVIDERS__REHEARSAL__BASE_URL", "http://127.0.0.1:1");
    let without = house.run(&["doctor"]);
    assert!(without.code == 1 && without.out.contains("start `touchline sandbox`"), "{without:?}");
    let sandbox = Sandbox::start(&mut house).await;
    follow_the_readme(Arc::new(house)).await;
    assert_eq!((sandbox.line.faxes().len(), sandbox.catcher.messages().len()), (1, 1));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_with_title_and_letters_signs_once_and_questions_can_be_taken_back() {
    let mut house = House::empty();
    let dialogue: Dialogue<'_> = &[
        ("Name on the letterhead:", "Hill Country Psychiatry\r"),
        ("Legal name", "<\r"),
        ("Name on the letterhead [Hill Country Psychiatry]:", "Hill Country Interventional Psychiatry\r"),
        ("Legal name [Hill Country", "Hill Country Interventional Psychiatry, PLLC\r"),
        ("Street and suite:", "77 Barton Springs Road\r"),
        ("City, state and ZIP code:", "Austin, Texas\r"),
        ("the ZIP code is missing", ""),
        ("City, state and ZIP code: Austin, Texas", " 78704\r"),
        ("Time zone", "\r"),
        ("Main telephone number:", "(512) 472-2000\r"),
        ("Fax number:", "(512) 472-2000\r"),
        ("this is the telephone number", ""),
        ("Fax number: (512) 472-2000", "<\r"),
        ("Main telephone number [(512) 472-2000]:", "\r"),
        ("Fax number:", "512 472 2001\r"),
        ("letters come from:", "office@hillcountrytms.com\r"),
        ("Website (Enter: none):", "https://hillcountrytms.com\r"),
        ("Referral line", "512-472-2002\r"),
        ("Hours", "jjj\r"),
        ("Hours, in words:", "Monday to Saturday, 7:00 am to 7:00 pm\r"),
        ("Within", "j\r"),
        ("Name and letters", "Dr. Elena Vance, MD\r"),
        ("Letters will be signed: Elena Vance, MD", ""),
        ("Sentences (Enter: none)", "I am board certified in psychiatry and trained in Houston\r"),
        // The first and the third of the list, then back from what follows, and on again.
        ("Treatments: space marks", " jj \r"),
        ("Others", "<\r"),
        ("Treatments: space marks", "\r"),
        ("Others", "light therapy, ECT referrals\r"),
        ("Conditions: space marks", " j \r"),
        ("Others", "\r"),
        ("Insurers: space marks", " \r"),
        ("Others", "Scott and White\r"),
        ("Telephone number for it", "800-472-2000\r"),
        ("Fax number for it", "\r"),
        ("Fax provider", "\r"),
        ("Mail server", "\r"),
        ("What now:", "j\r"),
        ("Change", "jjj\r"),
        ("Referral line", "-\r"),
        ("Hours", "\r"),
        ("Hours, in words", "\r"),
        ("Within", "\r"),
    ];
    let Some((code, shown)) = converse(&house, &[dialogue, &REHEARSING[2..]]) else { return };
    assert_eq!(code, 0, "{shown}");
    let practice = practice(&house);
    let director = &practice["medical_director"];
    assert_eq!((director["name"].as_str(), director["credentials"].as_str()), (Some("Elena Vance"), Some("MD")));
    assert_eq!(director["background"].as_str(), Some("I am board certified in psychiatry and trained in Houston."));
    assert_eq!(practice["name"].as_str(), Some("Hill Country Interventional Psychiatry"));
    assert_eq!(practice["time_zone"].as_str(), Some("America/Chicago"));
    assert_eq!((practice["fax"].as_str(), practice.get("referral_line")), (Some("+15124722001"), None));
    assert_eq!(practice["hours"].as_str(), Some("Monday to Saturday, 7:00 am to 7:00 pm"));
    assert_eq!(practice["response_time"].as_str(), Some("two business days"));
    let services: Vec<&str> =
        practice["services"].as_array().expect("a list").iter().filter_map(|s| s.as_str()).collect();
    assert_eq!(services.len(), 4, "{services:?}");
    assert_eq!(services[2..], ["light therapy", "ECT referrals"]);
    assert_eq!(practice["opt_out"].get("email"), None, "a toll-free number is enough");
    let letter = letter(&house);
    assert!(
        letter.contains("Elena Vance, MD") && !letter.contains("MD, MD") && !letter.contains("Dr. Elena"),
        "{letter}"
    );
    let sandbox = Sandbox::start(&mut house).await;
    let house = Arc::new(house);
    follow_the_readme(house.clone()).await;
    add_a_provider(house).await;
    sandbox.stop().await;
}

/// The first real account, in one command: checked, written, and tried on the practice's own fax.
async fn add_a_provider(house: Arc<House>) {
    let options = FaxLineOptions {
        guise: Guise::Telnyx,
        account: "1293384261075731499".to_owned(),
        call_takes: Duration::from_millis(20),
        ..FaxLineOptions::new(SecretString::from("KEY0123"))
    };
    let line = FaxLine::start(port().await, options).expect("a line");
    let base_url = format!("base_url={}{}", line.base_url(), Guise::Telnyx.base_path());
    let before = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
    let talked = tokio::task::spawn_blocking(move || {
        let mut command = house.command();
        command.args(["provider", "add", "telnyx", "--setting", &base_url, "--setting", "document=media"]);
        let mut terminal = Terminal::start(&command)?;
        for (asked, typed) in [
            ("Before an account works", ""),
            ("Connection id:", "1293384261075731499\r"),
            ("TELNYX_API_KEY:", "KEY0123\r"),
            ("(512) 472-2001", "y"),
            ("Test page: delivered", ""),
        ] {
            terminal.answer(asked, typed);
        }
        let (code, shown) = terminal.end();
        assert_eq!((code, shown.contains("KEY0123")), (0, false), "{shown}");
        let after = std::fs::read_to_string(house.path("touchline.toml")).expect("a file");
        let kept: Vec<&str> = before.lines().filter(|line| line.starts_with('#')).collect();
        assert!(kept.iter().all(|line| after.contains(line)), "{after}");
        assert!(after.contains("fax = [\"fax-telnyx\"]") && !after.contains("KEY0123"), "{after}");
        let secrets = std::fs::read_to_string(house.path("touchline.env")).expect("a file");
        assert!(secrets.contains("TELNYX_API_KEY=KEY0123\n"), "{secrets}");
        let again = house.run(&["provider", "add", "telnyx"]);
        assert_eq!((again.code, again.err.contains("--name")), (5, true), "{again:?}");
        Some(())
    });
    if talked.await.expect("talked").is_some() {
        assert_eq!(line.faxes().len(), 1);
    }
    line.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_in_arizona_has_its_own_time_all_year() {
    let mut house = House::empty();
    let dialogue: Dialogue<'_> = &[
        ("Name on the letterhead:", "Saguaro TMS\r"),
        ("Legal name", "Saguaro TMS, LLC\r"),
        ("Street and suite:", "400 East Camelback Road\r"),
        ("City, state and ZIP code:", "Phoenix AZ 85012\r"),
        ("Arizona time, the same all year (America/Phoenix)", ""),
        ("Main telephone number:", "602-264-1000\r"),
        ("Fax number:", "602-264-1001\r"),
        // The mistyped address stays, to be corrected.
        ("letters come from:", "frontdesk\r"),
        ("That cannot be used", ""),
        ("letters come from: frontdesk", "@saguarotms.com\r"),
        ("Website", "saguarotms.com\r"),
        ("Referral line", "602-264-1002\r"),
        ("Hours", "\u{1b}"),
        ("Referral line (Enter: the main number) [(602) 264-1002]:", "\r"),
        ("Hours", "j\r"),
        ("Within", "\r"),
        ("Name and letters", "Luz Ortega\r"),
        ("Letters after the name", "DO\r"),
        ("Sentences (Enter: none)", "I opened this practice in 2019.\r"),
        ("Treatments: space marks", "a\r"),
        ("Others", "\r"),
        ("Conditions: space marks", " jjj \r"),
        ("Others", "\r"),
        ("Insurers: space marks", " j j \r"),
        ("Others", "\r"),
        ("Telephone number for it", "\r"),
        ("Fax number for it", "\r"),
        ("Email address for it", "optout@saguarotms.com\r"),
    ];
    let Some((code, shown)) = converse(&house, &[dialogue, REHEARSING]) else { return };
    assert_eq!(code, 0, "{shown}");
    let practice = practice(&house);
    assert_eq!(practice["time_zone"].as_str(), Some("America/Phoenix"));
    assert_eq!(practice["opt_out"]["email"].as_str(), Some("optout@saguarotms.com"));
    assert_eq!(practice["medical_director"]["credentials"].as_str(), Some("DO"));
    let sandbox = Sandbox::start(&mut house).await;
    follow_the_readme(Arc::new(house)).await;
    sandbox.stop().await;
}

#[tokio::test]
async fn stopping_writes_nothing() {
    let house = House::empty();
    let mut command = house.command();
    command.arg("init");
    let Some(mut terminal) = Terminal::start(&command) else { return };
    terminal.answer("Name on the letterhead:", "Birch Clinic\r");
    terminal.answer("Legal name", "\u{3}");
    let (code, shown) = terminal.end();
    assert_eq!((code, shown.matches("Stopped. No file was written.").count()), (130, 1), "{shown}");
    assert!(!house.path("touchline.toml").exists());
}

/// What is asked before the first list, and the answers.
const UP_TO_A_LIST: Dialogue<'static> = &[
    ("Name on the letterhead:", "Birch Clinic\r"),
    ("Legal name [Birch Clinic]:", "\r"),
    ("Street and suite:", "1 Main Street\r"),
    ("City, state and ZIP code:", "Dayton, Ohio 45402\r"),
    ("Main telephone number:", "937 222 1000\r"),
    ("Fax number:", "937 222 1001\r"),
    ("letters come from:", "office@birchclinic.com\r"),
    ("Website (Enter: none):", "\r"),
    ("Referral line", "\r"),
];

#[tokio::test]
async fn stopping_in_a_list_or_a_long_answer_says_so_and_leaves_the_cursor() {
    let in_a_list: Dialogue<'_> = &[("9:00 am to 5:00 pm", "\u{3}")];
    let in_a_long_answer: Dialogue<'_> =
        &[("Hours", "\r"), ("Within", "\r"), ("Name and letters", "Roth, Ana, MD\r"), ("(Enter: none)", "\u{3}")];
    for last in [in_a_list, in_a_long_answer] {
        let house = House::empty();
        let mut command = house.command();
        command.arg("init");
        let Some(mut terminal) = Terminal::start(&command) else { return };
        for (asked, typed) in [UP_TO_A_LIST, last].into_iter().flatten() {
            terminal.answer(asked, typed);
        }
        let (code, shown, has_cursor) = terminal.end_with_cursor();
        assert_eq!((code, shown.matches("Stopped. No file was written.").count()), (130, 1), "{shown}");
        assert!(has_cursor, "{shown}");
        assert!(!house.path("touchline.toml").exists());
    }
}

#[tokio::test]
async fn stopping_at_a_hidden_password_has_the_terminal_show_what_is_typed_again() {
    let house = House::new();
    let program = house.command();
    let name = program.get_program().to_str().expect("UTF-8");
    // The shell lives on, so that it can be asked what the terminal is like afterwards.
    let script = format!("trap : INT; \"{name}\" operator add maria; code=$?; stty -a; exit $code");
    let mut command = std::process::Command::new("/bin/sh");
    command.arg("-c").arg(script).current_dir(program.get_current_dir().expect("a folder"));
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let Some(mut terminal) = Terminal::start(&command) else { return };
    terminal.answer("Password for maria, at least", "\u{3}");
    let (code, shown) = terminal.end();
    assert_eq!((code, shown.matches("Stopped. Nothing was changed.").count()), (130, 1), "{shown}");
    assert!(shown.contains(" echo ") && !shown.contains("-echo "), "{shown}");
    assert!(house.ask(&["operator", "list"])["operators"].as_array().is_some_and(Vec::is_empty));
}
