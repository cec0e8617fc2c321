//! The real thing: a Dovecot that asks our service whose a token is, and hands letters on to a mail catcher.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpSocket;
use touchline::domain::{Fault, Outcome, Remedy};
use touchline::sandbox::mail::{MailCatcher, Options};

use crate::smtp::{Relay, phi_envelope};
use crate::support::scripted_smtp::Identity;
use crate::support::token_server::{SECRET, TokenServer};
use crate::support::{PATIENCE, ports, require};

const SCOPE: &str = "https://outlook.office365.com/.default";

/// A Dovecot of our own with its submission service, in a folder that goes with it.
struct Dovecot {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    _place: TcpSocket,
}

impl Dovecot {
    /// Starts one that knows these mechanisms and hands all mail on to `next`. `None`, said aloud, where this machine cannot
    /// run it.
    fn start(mechanisms: &str, identity: &Identity, tokens: &TokenServer, next: SocketAddr) -> Option<Self> {
        let Some(program) = require::program(&["dovecot"]).filter(|_| submission_is_there()) else {
            require::skip("dovecot-core with dovecot-submissiond");
            return None;
        };
        if !am_root() {
            require::skip("the right to start dovecot (root)");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("touchline-dovecot").tempdir().expect("a folder");
        let (place, address) = ports::reserved(Ipv4Addr::LOCALHOST.into()).expect("a port");
        write_configuration(folder.path(), mechanisms, identity, tokens, address.port(), next);
        let dovecot = Self { program, folder, port: address.port(), _place: place };
        // It leaves a daemon that keeps what it inherits open: nothing is read from it.
        let mut starting = Command::new(&dovecot.program);
        starting.arg("-c").arg(dovecot.file("dovecot.conf"));
        starting.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = starting.status().expect("it runs");
        assert!(started.success(), "dovecot did not start: {started}\n{}", dovecot.log());
        Some(dovecot)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it wrote to its log, for a test that fails.
    fn log(&self) -> String {
        std::fs::read_to_string(self.file("dovecot.log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let Ok(id) = std::fs::read_to_string(self.file("run/master.pid")) else { return };
        let stopped = Command::new("kill").arg(id.trim()).status();
        // Its folder goes with it, and only once it writes nothing there any more.
        let ended = Command::new("timeout").args(["30", "tail", "-f", "--pid", id.trim(), "/dev/null"]).status();
        if ![stopped, ended].into_iter().all(|done| done.is_ok_and(|status| status.success())) {
            eprintln!("dovecot did not stop");
        }
    }
}

fn submission_is_there() -> bool {
    Path::new("/usr/lib/dovecot/submission-login").exists()
}

fn am_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn write_configuration(
    folder: &Path,
    mechanisms: &str,
    identity: &Identity,
    tokens: &TokenServer,
    port: u16,
    next: SocketAddr,
) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    for name in ["run", "state", "home"] {
        std::fs::create_dir(folder.join(name)).expect("a folder");
    }
    let owned = Command::new("chown").arg("nobody").arg(folder.join("home")).status().expect("chown runs");
    assert!(owned.success(), "the user nobody is missing");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("key.pem", &identity.key_pem);
    write("certificate.pem", &identity.certificate_pem);
    let place = folder.display();
    write(
        "oauth2.conf",
        &format!("tokeninfo_url = {}/introspect?access_token=\nusername_attribute = email\n", tokens.url),
    );
    write(
        "dovecot.conf",
        &format!(
            "base_dir = {place}/run\nstate_dir = {place}/state\nlog_path = {place}/dovecot.log\nprotocols = submission\n\
             listen = 127.0.0.1\nhostname = relay.example\nssl = required\nssl_cert = <{place}/certificate.pem\n\
             ssl_key = <{place}/key.pem\nauth_mechanisms = {mechanisms}\nauth_verbose = yes\nauth_failure_delay = 0\n\
             submission_relay_host = {}\nsubmission_relay_port = {}\nsubmission_relay_trusted = no\nfirst_valid_uid = 1\n\
             mail_location = maildir:{place}/home\n\
             service submission-login {{\n  inet_listener submission {{\n    address = 127.0.0.1\n    port = {port}\n  }}\n  \
             inet_listener submissions {{\n    port = 0\n  }}\n}}\n\
             service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
             passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {place}/oauth2.conf\n}}\n\
             userdb {{\n  driver = static\n  args = uid=nobody gid=nogroup home={place}/home\n}}\n",
            next.ip(),
            next.port(),
        ),
    );
}

#[tokio::test]
async fn a_letter_goes_through_dovecot_by_a_token_in_either_mechanism_and_a_revoked_one_is_renewed() {
    for mechanisms in ["xoauth2", "oauthbearer"] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let catcher = MailCatcher::start(listener, Options::default()).expect("a catcher");
        let (identity, tokens) = (Identity::new("localhost"), TokenServer::start(SCOPE, true).await);
        let Some(dovecot) = Dovecot::start(mechanisms, &identity, &tokens, catcher.address()) else { return };
        let file = identity.trusted();
        let settings = format!("accept_ca_file = {:?}\n{}", file.path(), tokens.settings(false));
        let mut account = Relay::new(dovecot.port, &settings);
        account.secrets = vec![("client_secret", SECRET.to_owned())];
        let provider = account.provider();

        let checked = provider.check().await.unwrap_or_else(|failure| panic!("{failure:?}\n{}", dovecot.log()));
        assert!(checked.contains("certificate checked) and AUTH (OAuth"), "{checked}");
        let Outcome::Accepted { reference } = provider.submit(&phi_envelope("dana@clinic.example")).await else {
            panic!("{}", dovecot.log())
        };
        tokio::time::timeout(PATIENCE, catcher.caught(1)).await.expect("handed on in time");
        assert_eq!(catcher.find(&reference.0).expect("the letter we sent").to, ["dana@clinic.example"]);
        assert!(dovecot.log().contains(&format!("method={}", mechanisms.to_uppercase())), "{}", dovecot.log());

        // Whatever is issued is refused: another token is tried, and then it is about the account.
        let before = tokens.requests().len();
        tokens.only_issues_strangers(true);
        let failure = provider.check().await.expect_err("refused");
        assert_eq!((failure.fault, failure.remedy), (Fault::AccountError, Some(Remedy::MailboxAccess)), "{failure:?}");
        assert!(failure.raw_text.is_some_and(|words| words.contains("(token status ")));
        assert_eq!(tokens.requests().len() - before, 2);
    }
}
