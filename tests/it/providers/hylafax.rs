//! The real thing: faxes handed to a HylaFAX server on this machine. It has no modem, so that a job waits until it is
//! stopped; nothing is ever dialed.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpSocket;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::{Content, Envelope};
use touchline::domain::event::Fact;
use touchline::domain::fault::Failure;
use touchline::domain::id::AttemptId;
use touchline::domain::{Channel, Clock, Fault, Outcome};
use touchline::provider::{FindQuery, FindResult, Provider, find_spec};

use crate::providers::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::{ports, require};

/// The password, and as hosts.hfaxd keeps it (crypt(3), salt `ab`).
const PASSWORD: (&str, &str) = ("s3cret-pass", "abrTA66eJHxDk");

/// A server of our own: its spool folder and its processes, which end with it.
struct Server {
    spool: TempDir,
    address: SocketAddr,
    _place: TcpSocket,
    processes: Vec<Child>,
}

impl Server {
    /// Starts one, with or without the scheduler, at an address of the loopback. `None`, said aloud, where this machine
    /// cannot run it.
    fn start(at: &str, with_scheduler: bool) -> Option<Self> {
        let (Some(hfaxd), Some(faxq)) = (require::program(&["hfaxd"]), require::program(&["faxq"])) else {
            require::skip("hylafax-server");
            return None;
        };
        if !am_root() {
            require::skip("the right to start hylafax (root)");
            return None;
        }
        let spool = tempfile::Builder::new().prefix("touchline-hylafax").tempdir().expect("a folder");
        lay_out(spool.path());
        let Ok((place, address)) = ports::reserved(at.parse().expect("an address in the test")) else {
            // Not every machine has the newer kind, and a clinic lacks nothing without it: no failure anywhere.
            eprintln!("SKIPPED: this machine has no {at}");
            return None;
        };
        let mut server = Self { spool, address, _place: place, processes: Vec::new() };
        server.run(&hfaxd, &["-d", "-l", at, "-i", &address.port().to_string()]);
        wait("hfaxd listens", || TcpStream::connect(address).is_ok());
        if with_scheduler {
            server.run(&faxq, &["-D"]);
            wait("faxq reads", || server.spool.path().join("FIFO").exists());
        }
        Some(server)
    }

    fn run(&mut self, program: &Path, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.arg("-q").arg(self.spool.path()).args(arguments);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.processes.push(process.expect("it runs"));
    }

    /// An account at it.
    fn account(&self, password: &str, further: &str) -> Arc<dyn Provider> {
        let mut settings: toml::Table = toml::from_str(further).expect("settings in the test");
        settings.insert("host".to_owned(), self.address.ip().to_string().into());
        settings.insert("port".to_owned(), i64::from(self.address.port()).into());
        settings.insert("user".to_owned(), "touchline".into());
        let secrets = BTreeMap::from([("password".to_owned(), password.to_owned())]);
        let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
        (find_spec("hylafax").expect("hylafax is in the registry").build)(account).expect("a complete account")
    }

    /// What a folder of the spool holds, apart from the counters.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.spool.path().join(folder)).expect("a folder of the spool");
        let paths = entries.flatten().map(|entry| entry.path());
        paths.filter(|path| path.file_name().is_some_and(|name| name != "seqf")).collect()
    }

    /// What the server wrote down about the only job it has.
    fn job(&self) -> String {
        let files = self.files("sendq");
        assert_eq!(files.len(), 1, "{files:?}");
        std::fs::read_to_string(&files[0]).expect("a job")
    }
}

impl Server {
    /// Writes other values into a job, as the scheduler does at its end.
    fn rewrite(&self, file: &str, values: &[(&str, &str)]) {
        let path = self.spool.path().join(file);
        let text = std::fs::read_to_string(&path).expect("a job");
        let line = |line: &str| {
            let key = line.split(':').next().unwrap_or_default();
            let value = values.iter().find(|(name, _)| *name == key).map(|(_, value)| format!("{key}:{value}\n"));
            value.unwrap_or_else(|| format!("{line}\n"))
        };
        std::fs::write(&path, text.lines().map(line).collect::<String>()).expect("written");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn am_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The least of a spool that hfaxd(8) and faxq(8) work with.
fn lay_out(spool: &Path) {
    std::fs::set_permissions(spool, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    for name in [
        "archive", "bin", "client", "config", "dev", "docq", "doneq", "etc", "info", "log", "pollq", "recvq", "sendq",
        "status", "tmp",
    ] {
        std::fs::create_dir(spool.join(name)).expect("a folder");
    }
    let write = |name: &str, text: &str| std::fs::write(spool.join("etc").join(name), text).expect("written");
    // faxq(8) wants to see that faxsetup was here.
    write("setup.cache", "");
    write("config", "LogFacility: daemon\n");
    write("hosts.hfaxd", &format!("^touchline@:60:{}\n", PASSWORD.1));
    let hosts = spool.join("etc/hosts.hfaxd");
    std::fs::set_permissions(hosts, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    let owned = Command::new("chown").args(["-R", "uucp:uucp"]).arg(spool).status().expect("chown runs");
    assert!(owned.success(), "the user uucp is missing");
}

fn search(attempt: AttemptId) -> FindQuery {
    FindQuery { attempt, to: sample::to(Channel::Fax), opened_ms: FakeClock::at(sample::NOW).now() }
}

/// A letter from a practice whose name has everything that could end a command.
fn letter() -> Envelope {
    let mut envelope = sample::envelope(Channel::Fax);
    let Content::Fax { sender, .. } = &mut envelope.content else { panic!("a fax") };
    *sender = "Dr. \"Seuss\" \\101 Ño,\r\nJKILL 1".to_owned();
    envelope
}

async fn accepted(fax: &dyn Provider) -> ProviderReference {
    match fax.submit(&letter()).await {
        Outcome::Accepted { reference } => reference,
        other => panic!("{other:?}"),
    }
}

async fn fact(fax: &dyn Provider, reference: &ProviderReference) -> Fact {
    fax.status(reference).await.expect("a report").fact
}

/// Stops a job and waits until it has ended.
async fn stop(fax: &dyn Provider, reference: &ProviderReference) {
    fax.cancel(reference).await.expect("it is stopped");
    let start = Instant::now();
    while matches!(fact(fax, reference).await, Fact::Progress { .. }) {
        assert!(start.elapsed() < PATIENCE, "it was not stopped in time");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_real_server_gets_the_letter_and_the_job_as_they_are_meant() {
    let Some(server) = Server::start("127.0.0.1", true) else { return };
    let fax = server.account(PASSWORD.0, "dials = 2\ntries = 2\ngive_up_minutes = 90");
    assert_eq!(fax.check().await.as_deref(), Ok("HylaFAX accepts the login and takes PDF"));
    let reference = accepted(fax.as_ref()).await;
    assert_eq!(reference.0, format!("1.{}", sample::ATTEMPT));

    let job = server.job();
    for line in [
        "number:+13125550142",
        "external:+13125550142",
        &format!("jobtag:{}", sample::ATTEMPT),
        "sender:Dr. \"Seuss\" \\101 Ño,JKILL 1",
        "tsi:+13125550100",
        "maxdials:2",
        "maxtries:2",
        "resolution:196",
        "pagewidth:216",
        "pagelength:279",
        "notify:none",
        "desiredtl:1",
        "tagline:",
        "owner:touchline",
        "pdf:0::docq/doc1.pdf.1",
    ] {
        assert!(job.lines().any(|written| written == line), "{line} is missing in\n{job}");
    }
    let seconds = |name: &str| {
        let line = job.lines().find_map(|line| line.strip_prefix(name)).expect("a time");
        line.parse::<i64>().expect("a number")
    };
    let window = seconds("killtime:") - seconds("tts:");
    assert!((90 * 60 - 60..=90 * 60).contains(&window), "{window} seconds");
    let Content::Fax { pdf, .. } = letter().content else { panic!("a fax") };
    assert_eq!(std::fs::read(server.spool.path().join("docq/doc1.pdf.1")).expect("the document"), pdf);
    wait("the upload goes with its connection", || server.files("tmp").is_empty());
}

/// How a fax can end, without a modem to end it: the values the scheduler leaves (sendq(5)), and what they mean.
fn ends() -> Vec<(Vec<(&'static str, &'static str)>, Fact)> {
    let failed = |fault, code: &str, words: &str, pages| {
        Fact::Failed(Failure::new(fault).code(code).text(words).pages(Some(pages)))
    };
    let values = |state, statuscode, status, npages, totpages| {
        vec![
            ("state", state),
            ("statuscode", statuscode),
            ("status", status),
            ("npages", npages),
            ("totpages", totpages),
        ]
    };
    vec![
        (values("7", "0", "", "2", "2"), Fact::Delivered { pages: Some(2) }),
        (values("7", "0", "", "1", "2"), Fact::Failed(Failure::new(Fault::PartialSend).pages(Some(1)))),
        (values("8", "1", "Busy signal detected", "0", "2"), failed(Fault::Busy, "E001", "Busy signal detected", 0)),
        (values("8", "128", "Gone", "1", "2"), failed(Fault::PartialSend, "E128", "Gone", 1)),
    ]
}

#[tokio::test]
async fn on_a_real_server_a_fax_is_followed_found_stopped_and_deleted() {
    let Some(server) = Server::start("127.0.0.1", true) else { return };
    let fax = server.account(PASSWORD.0, "");
    let stranger = AttemptId::new();
    assert_eq!(fax.find(&search(sample::attempt())).await, Ok(FindResult::Absent));
    let reference = accepted(fax.as_ref()).await;

    let Fact::Progress { stage } = fact(fax.as_ref(), &reference).await else { panic!("nothing can have ended it") };
    assert!(["ready", "sleeping", "pending", "blocked"].contains(&stage.as_str()), "{stage}");
    let Ok(FindResult::Found(found)) = fax.find(&search(sample::attempt())).await else { panic!("it waits in sendq") };
    assert_eq!(found.reference, reference);
    assert_eq!(fax.find(&search(stranger)).await, Ok(FindResult::Absent));
    assert!(fax.purge(&reference).await.is_err(), "it has not ended");

    let another = ProviderReference(format!("1.{stranger}"));
    assert!(fax.cancel(&another).await.is_err(), "the number is right and the tag is not");
    assert!(matches!(fact(fax.as_ref(), &reference).await, Fact::Progress { .. }), "it still waits");

    stop(fax.as_ref(), &reference).await;
    let Fact::Failed(failure) = fact(fax.as_ref(), &reference).await else { panic!("it was stopped") };
    assert_eq!((failure.fault, failure.raw_code.as_deref()), (Fault::Cancelled, Some("E345")), "{failure:?}");
    assert_eq!(failure.pages_confirmed, Some(0));
    assert!(fax.cancel(&reference).await.is_err(), "it has ended already");
    let Ok(FindResult::Found(found)) = fax.find(&search(sample::attempt())).await else { panic!("it lies in doneq") };
    assert_eq!((found.reference, found.fact), (reference.clone(), Fact::Failed(failure)));

    for (ended, expected) in ends() {
        server.rewrite("doneq/q1", &ended);
        assert_eq!(fact(fax.as_ref(), &reference).await, expected, "{ended:?}");
    }

    fax.purge(&another).await.expect("what is gone counts as deleted");
    assert_eq!(server.files("doneq").len(), 1, "and nobody else's job is touched");
    fax.purge(&reference).await.expect("it is deleted");
    assert!(server.files("doneq").is_empty());
    fax.purge(&reference).await.expect("deleting again does no harm");
    assert!(fax.status(&reference).await.is_err());
    assert_eq!(fax.find(&search(sample::attempt())).await, Ok(FindResult::Absent));
}

#[tokio::test]
async fn a_real_server_is_spoken_to_at_an_address_of_the_new_kind_too() {
    let Some(server) = Server::start("::1", true) else { return };
    let fax = server.account(PASSWORD.0, "");
    let reference = accepted(fax.as_ref()).await;
    let Ok(FindResult::Found(found)) = fax.find(&search(sample::attempt())).await else { panic!("it waits in sendq") };
    assert_eq!(found.reference, reference);
    stop(fax.as_ref(), &reference).await;
}

#[tokio::test]
async fn what_a_real_server_refuses_leaves_nothing_there() {
    let Some(server) = Server::start("127.0.0.1", false) else { return };
    let wrong = server.account("another-pass", "");
    let refused = wrong.submit(&letter()).await;
    assert_eq!(refused.as_str(), "refused", "{refused:?}");
    assert_eq!(refused.failure().map(|failure| failure.fault), Some(Fault::AccountError));
    assert_eq!(wrong.check().await.map_err(|failure| failure.fault), Err(Fault::AccountError));

    let without_scheduler = server.account(PASSWORD.0, "").submit(&letter()).await;
    assert_eq!(without_scheduler.as_str(), "not_sent", "{without_scheduler:?}");
    assert_eq!(without_scheduler.failure().and_then(|failure| failure.raw_code.as_deref()), Some("460"));
    for folder in ["sendq", "docq", "doneq", "tmp"] {
        wait("everything is thrown away", || server.files(folder).is_empty());
    }
}
