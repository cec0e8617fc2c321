//! What is nobody else's business: files that only their owner can read, whatever the umask, and what about a patient is
//! not taken from the command line. Tests may run as root, who may read everything: permissions are looked at, not tried.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::house::{Answer, House, sample_list};

/// The report about a patient, with values for all it needs.
const REPORT: &str = "end-of-treatment-report";
const SAMPLE: &str = include_str!("../../../templates/end-of-treatment-report/sample.json");

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|_| panic!("{} is there", path.display())).permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("permissions are set");
}

/// Runs the program where everybody may read whatever is created without a thought.
fn run_openly(house: &House, arguments: &[&str]) -> Answer {
    let program = house.command();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(program.get_program()).args(arguments);
    shell.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(program.get_current_dir().expect("a folder"));
    let output = shell.output().expect("a shell runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Answer {
        code: output.status.code().expect("it ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
    .good()
}

/// Everything below a folder.
fn all_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            folders.extend(entry.path().is_dir().then(|| entry.path()));
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn what_is_written_is_its_owners_alone_whatever_the_umask() {
    let house = House::empty();
    let list = sample_list();
    for arguments in [
        &["init", "--defaults", "--provider=sandbox", "--setting=sandbox.base_url=http://127.0.0.1:9"][..],
        &["referrers", "import", &list],
        &["preview", "introduction", "--for=Whitfield", "--out=pages/of/one"],
        &["referrers", "export", "--out=list.csv"],
        &["backup", "copy.db"],
    ] {
        run_openly(&house, arguments);
    }
    if crate::support::require::program(&["openssl"]).is_some() {
        run_openly(&house, &["dkim", "new"]);
    }
    let written = all_in(&house.path(""));
    assert!(
        ["touchline.db", "list.csv", "copy.db", "pages/of/one/fax.pdf", "pages/of/one/email.html"]
            .iter()
            .all(|name| written.contains(&house.path(name)))
    );
    for path in written {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

#[test]
fn a_file_that_others_could_read_is_theirs_no_longer_once_it_is_overwritten() {
    let house = House::with_referrers();
    house.write("list.csv", "an older list");
    std::fs::create_dir(house.path("preview")).expect("made");
    set_mode(&house.path("list.csv"), 0o644);
    set_mode(&house.path("preview"), 0o755);
    house.run(&["referrers", "export", "--out=list.csv"]).good();
    house.run(&["preview", "introduction", "--for=Whitfield"]).good();
    assert_eq!((mode(&house.path("list.csv")), mode(&house.path("preview/email.txt"))), (0o600, 0o600));
    assert_eq!(mode(&house.path("preview")), 0o755, "a folder that was there may be anything");
}

/// What the doctor says of permissions.
fn permissions(house: &House) -> serde_json::Value {
    let told = house.run(&["doctor", "--json"]).json();
    let checks = told["checks"].as_array().expect("checks").clone();
    checks.into_iter().find(|check| check["check"] == "permissions").expect("a check")
}

#[test]
fn the_doctor_says_when_others_may_read_an_older_database_and_how_to_close_it() {
    let house = House::with_referrers();
    assert_eq!(permissions(&house)["state"], "ok");
    let database = house.path("touchline.db");
    set_mode(&database, 0o644);
    house.write("touchline.db.replaced-20260101T000000Z", "an earlier one");
    set_mode(&house.path("touchline.db.replaced-20260101T000000Z"), 0o640);
    let told = permissions(&house);
    let words = told["words"].as_str().expect("words").to_owned();
    assert_eq!(told["state"], "warn", "{told}");
    assert!(words.contains("chmod go=") && words.contains("touchline.db ") && words.contains(".replaced-"), "{words}");
    assert_eq!(mode(&database), 0o644, "nothing of somebody's is changed unasked");

    let (_, command) = words.split_once('\n').expect("a command");
    let done =
        Command::new("/bin/sh").args(["-c", command.trim()]).current_dir(house.path("")).status().expect("a shell");
    assert!(done.success(), "{command}");
    assert_eq!(permissions(&house)["state"], "ok");
}

#[test]
fn the_doctor_says_when_others_may_replace_the_database() {
    let house = House::with_referrers();
    let folders = || {
        let told = house.run(&["doctor", "--json"]).json();
        let checks = told["checks"].as_array().expect("checks").clone();
        checks.into_iter().find(|check| check["check"] == "folders")
    };
    assert_eq!(folders(), None);
    for open in [0o777, 0o770, 0o702] {
        set_mode(&house.path(""), open);
        let told = folders().expect("a check");
        assert_eq!(told["state"], "warn", "{told}");
        assert!(told["words"].as_str().expect("words").contains("chmod go-w"), "{told}");
    }
    set_mode(&house.path(""), 0o755);
    assert_eq!(folders(), None, "others may look into the folder");
}

#[test]
fn what_is_about_a_patient_is_not_taken_from_the_command_line() {
    let house = House::with_referrers();
    house.write("report.json", SAMPLE);
    let with = ["--variables=report.json", "--set=patient_name=Canary Patient"];
    for command in [
        &["send", REPORT, "--to=Whitfield", "--dry-run"][..],
        &["preview", REPORT, "--for=Whitfield"],
        &["campaign", "add", "reports", "--letter", REPORT, "--to=Whitfield", "--every=first tuesday 09:00"],
    ] {
        let refused =
            house.run(&[command, &["--set=patient_name=Canary Patient", "--set-json=session_count=36"]].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(
            refused.err.contains("patient_name, session_count") && refused.err.contains("--set-file"),
            "{refused:?}"
        );
        assert!(!refused.err.contains("Canary"), "no value is repeated: {refused:?}");
    }
    assert_eq!(house.run(&[&["preview", REPORT, "--for=Whitfield"][..], &with].concat()).code, 2);
    assert!(!house.path("preview").exists());
    house.run(&["preview", REPORT, "--for=Whitfield", "--variables=report.json"]).good();
}

#[test]
fn a_report_comes_from_files_and_from_standard_input() {
    let house = House::with_referrers();
    let mut sample: serde_json::Map<String, serde_json::Value> = serde_json::from_str(SAMPLE).expect("a sample");
    let (name, value) = sample
        .iter()
        .find(|(_, value)| value.is_string())
        .map(|(name, value)| (name.clone(), value.clone()))
        .expect("a text");
    sample.remove(&name);
    house.write("one.txt", &format!("{}\n", value.as_str().expect("a text")));
    let one = format!("--set-file={name}=one.txt");
    let mut command = house.command();
    command.args(["preview", REPORT, "--for=Whitfield", "--variables=-", &one]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut preview = command.spawn().expect("it starts");
    let text = serde_json::Value::Object(sample).to_string();
    preview.stdin.take().expect("its input").write_all(text.as_bytes()).expect("written");
    let output = preview.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(house.path("preview/email.txt")).expect("a page");
    assert!(!page.is_empty());

    let twice = house.run(&["preview", REPORT, "--for=Whitfield", "--variables=-", "--set-file=patient_name=-"]);
    assert_eq!((twice.code, twice.err.contains("only once")), (2, true), "{twice:?}");
    let nowhere = house.run(&["preview", REPORT, "--for=Whitfield", "--set-file=patient_name=nowhere.txt"]);
    assert_eq!((nowhere.code, nowhere.err.contains("nowhere.txt")), (4, true), "{nowhere:?}");
}
