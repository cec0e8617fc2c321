//! An installation: a folder with a configuration, and the program run in it.

use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::place;

/// Stands for the secret of the house's fax account; must never be seen.
pub const CANARY: &str = "canary-secret-5f2e";
/// Where nobody answers: a fax line and the port of a relay.
const NOBODY: (&str, &str) = ("http://127.0.0.1:9", "9");

/// What `touchline init` leaves in an empty folder, and what it holds once the sample list is imported. Both are made once
/// by the program and copied for every test.
static BEGUN: OnceLock<Snapshot> = OnceLock::new();
static WITH_REFERRERS: OnceLock<Snapshot> = OnceLock::new();

/// A folder in which the program runs.
pub struct House {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The same, of a command that must have succeeded.
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

impl House {
    /// An empty folder.
    pub fn empty() -> Self {
        let folder = place::folder("touchline-cli");
        let mut house = Self { folder, variables: vec![("SANDBOX_API_KEY".to_owned(), CANARY.to_owned())] };
        // What is sent here is to leave at once, whatever hour it is, save where a test says otherwise.
        house.set("TOUCHLINE_SENDING__UNDO_ONE_SECONDS", "0");
        house.set("TOUCHLINE_SENDING__UNDO_LIST_SECONDS", "0");
        house.set("TOUCHLINE_SENDING__OFFICE_HOURS", "always");
        house
    }

    /// A folder with a configuration by `touchline init`: the sandbox and a relay, at addresses where nobody answers.
    pub fn new() -> Self {
        Self::from(BEGUN.get_or_init(|| Snapshot::of(&Self::with_providers(NOBODY.0, NOBODY.1))))
    }

    /// The same with a fax line and a relay that may answer.
    pub fn with_providers(fax_line: &str, relay_port: &str) -> Self {
        let house = Self::empty();
        let base_url = format!("sandbox.base_url={fax_line}");
        let port = format!("smtp.port={relay_port}");
        house
            .run(&[
                "init",
                "--defaults",
                "--provider=sandbox",
                "--setting",
                &base_url,
                "--provider=smtp",
                "--setting=smtp.host=127.0.0.1",
                "--setting=smtp.tls=off",
                "--setting",
                &port,
            ])
            .good();
        house
    }

    /// With the sample list imported.
    pub fn with_referrers() -> Self {
        Self::from(WITH_REFERRERS.get_or_init(|| {
            let house = Self::new();
            house.run(&["referrers", "import", &sample_list()]).good();
            Snapshot::of(&house)
        }))
    }

    fn from(snapshot: &Snapshot) -> Self {
        let house = Self::empty();
        snapshot.copy_to(house.folder.path());
        house
    }

    /// Sets an environment variable for every run from now on; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.variables.push((name.to_owned(), value.to_owned()));
        }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// The program, ready to be run here, with nothing of this machine's environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
        command.current_dir(self.folder.path()).env_clear().env("USER", "dana");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end. Whatever it says, it never says the secret.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let Output { status, stdout, stderr } = self.command().args(arguments).output().expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let answer = Answer { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) };
        assert!(!answer.out.contains(CANARY) && !answer.err.contains(CANARY), "the secret was said: {arguments:?}");
        answer
    }

    /// Runs it with `--json` and answers the object of a command that must have succeeded.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        self.run(&arguments).good().json()
    }
}

/// The files of a folder, in memory.
struct Snapshot(Vec<File>);

struct File {
    path: PathBuf,
    octets: Vec<u8>,
    permissions: Permissions,
}

impl Snapshot {
    fn of(house: &House) -> Self {
        let (mut files, mut folders) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(house.path("").join(&folder)).expect("a folder").flatten() {
                let (path, whole) = (folder.join(entry.file_name()), entry.path());
                if whole.is_dir() {
                    folders.push(path);
                    continue;
                }
                let octets = std::fs::read(&whole).expect("read");
                let permissions = std::fs::metadata(&whole).expect("there").permissions();
                files.push(File { path, octets, permissions });
            }
        }
        Self(files)
    }

    fn copy_to(&self, folder: &Path) {
        for File { path, octets, permissions } in &self.0 {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, octets).expect("written");
            std::fs::set_permissions(&path, permissions.clone()).expect("allowed");
        }
    }
}

/// The list that comes with the program.
pub fn sample_list() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sample-referrers.csv").display().to_string()
}
