//! The real thing: letters through a Postfix with STARTTLS and a password, on to a mail catcher behind it.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpSocket;
use touchline::domain::{Fault, Outcome};
use touchline::sandbox::mail::{MailCatcher, Options};

use crate::smtp::{Relay, phi_envelope};
use crate::support::PATIENCE;
use crate::support::scripted_smtp::Identity;
use crate::support::{ports, require};

pub const PASSWORD: &str = "open-sesame";

/// A Postfix of our own: its configuration, queue, certificate and users in a folder that goes with it.
pub struct Postfix {
    program: PathBuf,
    folder: TempDir,
    pub port: u16,
    _place: TcpSocket,
}

impl Postfix {
    /// Starts one that hands all mail on to `next`. `None`, said aloud, where this machine cannot run it.
    fn start(identity: &Identity, next: SocketAddr) -> Option<Self> {
        Self::start_with(identity, next, |_| (String::new(), Vec::new()))
    }

    /// The same with more in its configuration and more services, given its folder.
    pub fn start_with(
        identity: &Identity,
        next: SocketAddr,
        more: impl FnOnce(&Path) -> (String, Vec<String>),
    ) -> Option<Self> {
        let (Some(program), Some(saslpasswd)) = (require::program(&["postfix"]), require::program(&["saslpasswd2"]))
        else {
            require::skip("postfix with sasl2-bin");
            return None;
        };
        if !am_root() {
            require::skip("the right to start postfix (root)");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("touchline-postfix").tempdir().expect("a folder");
        let (place, address) = ports::reserved(Ipv4Addr::LOCALHOST.into()).expect("a port");
        let port = address.port();
        let more = more(folder.path());
        write_configuration(folder.path(), identity, port, next, &more);
        add_user(&saslpasswd, folder.path());
        let postfix = Self { program, folder, port, _place: place };
        let started = postfix.run("start");
        assert!(started.status.success(), "postfix did not start: {started:?}\n{}", postfix.log());
        Some(postfix)
    }

    fn run(&self, act: &str) -> std::process::Output {
        Command::new(&self.program).arg("-c").arg(self.folder.path()).arg(act).output().expect("postfix runs")
    }

    /// What it wrote to its log, for a test that fails.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("mail.log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let stopped = self.run("stop");
        if !stopped.status.success() {
            eprintln!("postfix did not stop: {stopped:?}");
        }
    }
}

fn am_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn open_to_all(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

fn write_configuration(folder: &Path, identity: &Identity, port: u16, next: SocketAddr, more: &(String, Vec<String>)) {
    open_to_all(folder, 0o755);
    for name in ["queue", "data", "sasl"] {
        std::fs::create_dir(folder.join(name)).expect("a folder");
    }
    let owned = Command::new("chown").arg("postfix").arg(folder.join("data")).status().expect("chown runs");
    assert!(owned.success(), "the user postfix is missing");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("key.pem", &identity.key_pem);
    write("certificate.pem", &identity.certificate_pem);
    open_to_all(&folder.join("key.pem"), 0o600);
    let place = folder.display();
    write(
        "sasl/smtpd.conf",
        &format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {place}/users.db\n"
        ),
    );
    write(
        "main.cf",
        &format!(
            "compatibility_level = 3.6\nmyhostname = relay.example\nmydestination =\nmynetworks =\n\
             queue_directory = {place}/queue\ndata_directory = {place}/data\n\
             maillog_file = {place}/mail.log\nmaillog_file_prefixes = {place}\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nalias_maps =\nalias_database =\n\
             relayhost = [{}]:{}\ndisable_dns_lookups = yes\n\
             smtpd_tls_security_level = encrypt\nsmtpd_tls_auth_only = yes\nsmtpd_tls_received_header = yes\n\
             smtpd_tls_cert_file = {place}/certificate.pem\nsmtpd_tls_key_file = {place}/key.pem\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n\
             smtpd_sasl_local_domain = relay.example\ncyrus_sasl_config_path = {place}/sasl\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n\
             smtpd_recipient_restrictions =\n{}",
            next.ip(),
            next.port(),
            more.0,
        ),
    );
    let mut services = vec![
        format!("127.0.0.1:{port} inet n - n - - smtpd"),
        "cleanup unix n - n - 0 cleanup".into(),
        "qmgr fifo n - n 300 1 qmgr".into(),
        "tlsmgr unix - - n 1000? 1 tlsmgr".into(),
        "rewrite unix - - n - - trivial-rewrite".into(),
        "bounce unix - - n - 0 bounce".into(),
        "defer unix - - n - 0 bounce".into(),
        "trace unix - - n - 0 bounce".into(),
        "flush unix n - n 1000? 0 flush".into(),
        "proxymap unix - - n - - proxymap".into(),
        "smtp unix - - n - - smtp".into(),
        "relay unix - - n - - smtp".into(),
        "error unix - - n - - error".into(),
        "retry unix - - n - - error".into(),
        "anvil unix - - n - 1 anvil".into(),
        "scache unix - - n - 1 scache".into(),
        "postlog unix-dgram n - n - 1 postlogd".into(),
    ];
    services.extend(more.1.iter().cloned());
    write("master.cf", &format!("{}\n", services.join("\n")));
}

fn add_user(saslpasswd: &Path, folder: &Path) {
    let users = folder.join("users.db");
    let mut command = Command::new(saslpasswd)
        .args(["-c", "-p", "-u", "relay.example", "-f"])
        .arg(&users)
        .arg("frontdesk")
        .stdin(Stdio::piped())
        .spawn()
        .expect("saslpasswd2 runs");
    command.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("written");
    assert!(command.wait().expect("it ends").success(), "no user was made");
    open_to_all(&users, 0o644);
}

async fn catcher() -> MailCatcher {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    MailCatcher::start(listener, Options::default()).expect("a catcher")
}

fn account<'a>(port: u16, settings: &'a str, password: &'a str) -> Relay<'a> {
    let mut account = Relay::new(port, settings);
    account.password = Some(password);
    account
}

#[tokio::test]
async fn a_letter_goes_through_postfix_encrypted_and_logged_in_and_nothing_else_does() {
    let (catcher, identity) = (catcher().await, Identity::new("localhost"));
    let Some(postfix) = Postfix::start(&identity, catcher.address()) else { return };
    let file = identity.trusted();
    let settings = format!("tls = \"required\"\nusername = \"frontdesk\"\naccept_ca_file = {:?}", file.path());

    let provider = account(postfix.port, &settings, PASSWORD).provider();
    let checked = provider.check().await;
    assert_eq!(
        checked.as_deref(),
        Ok("relay answered with STARTTLS (TLS 1.3, certificate checked) and AUTH"),
        "{}",
        postfix.log()
    );
    let envelope = phi_envelope("dana@clinic.example");
    let Outcome::Accepted { reference } = provider.submit(&envelope).await else { panic!("{}", postfix.log()) };
    tokio::time::timeout(PATIENCE, catcher.caught(1)).await.expect("handed on in time");
    let mail = catcher.find(&reference.0).expect("the letter we sent");
    assert_eq!(mail.to, ["dana@clinic.example"]);
    let eml = String::from_utf8_lossy(&mail.eml);
    assert!(eml.contains("with ESMTPSA") && eml.contains("TLSv1.3"), "{eml}");

    let wrong = account(postfix.port, &settings, "wrong").provider().submit(&envelope).await;
    assert_eq!((wrong.as_str(), wrong.failure().map(|failure| failure.fault)), ("not_sent", Some(Fault::AccountError)));
    let untrusting = "tls = \"required\"\nusername = \"frontdesk\"";
    let stranger = account(postfix.port, untrusting, PASSWORD).provider().submit(&envelope).await;
    assert_eq!(
        (stranger.as_str(), stranger.failure().map(|failure| failure.fault)),
        ("not_sent", Some(Fault::TlsRequired))
    );
    let anonymous = format!("accept_ca_file = {:?}", file.path());
    let anonymous = Relay::new(postfix.port, &anonymous).provider().submit(&envelope).await;
    assert_eq!(
        (anonymous.as_str(), anonymous.failure().map(|failure| failure.fault)),
        ("not_sent", Some(Fault::AccountError)),
        "{anonymous:?}"
    );
    assert_eq!(catcher.total(), 1);
}

#[tokio::test]
async fn postfix_carries_many_letters_over_few_connections() {
    let (catcher, identity) = (catcher().await, Identity::new("localhost"));
    let Some(postfix) = Postfix::start(&identity, catcher.address()) else { return };
    let file = identity.trusted();
    let settings = format!("username = \"frontdesk\"\nconnections_max = 2\naccept_ca_file = {:?}", file.path());
    let mut account = account(postfix.port, &settings, PASSWORD);
    // Most of the letters wait for one of the two connections.
    account.timeout = Duration::from_secs(120);
    let provider = account.provider();
    let letters: Vec<_> = (0..40)
        .map(|number| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.submit(&phi_envelope(&format!("office{number}@clinic.example"))).await })
        })
        .collect();
    for letter in letters {
        assert_eq!(letter.await.expect("no panic").as_str(), "accepted", "{}", postfix.log());
    }
    tokio::time::timeout(PATIENCE, catcher.caught(40)).await.expect("handed on in time");
    let connections = postfix.log().matches(": connect from ").count();
    assert!((1..=2).contains(&connections), "{connections} connections\n{}", postfix.log());
}
