//! The real thing: a Dovecot over a maildir, read by IMAP with IDLE, by POP3, and in the maildir itself.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpSocket;
use touchline::domain::{Clock, Fault, MessageStatus};
use touchline::feedback::mailboxes::{Round, read_once};
use touchline::provider::mailbox::{After, Mailbox, MailboxKind, MailboxTls, Settings};

use super::{built, claim, deliver, files, found, maildir, read_well, settings};
use crate::returning::mails::{personal, unknown_user};
use crate::returning::{TUESDAY, mailed, returns};
use crate::support::clock::FakeClock;
use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::scripted_smtp::Identity;
use crate::support::token_server::{MAILBOX, SECRET, TokenServer};
use crate::support::{ports, require, soon};
use touchline::sandbox::fax::Guise;

pub const SCOPE: &str = "https://outlook.office365.com/.default";
pub const PASSWORD: &str = "a \"secret\" of the tests";

/// A Dovecot of our own with IMAP and POP3, in a folder that goes with it.
pub struct Dovecot {
    folder: TempDir,
    pub imap: u16,
    pop: u16,
    identity: Identity,
    _places: [TcpSocket; 2],
}

impl Dovecot {
    /// Starts one. `None`, said aloud, where this machine cannot run it.
    pub fn start(tokens: &TokenServer) -> Option<Self> {
        let is_there = |name: &str| Path::new("/usr/lib/dovecot").join(name).exists();
        let Some(program) = require::program(&["dovecot"]).filter(|_| is_there("imap-login") && is_there("pop3-login"))
        else {
            require::skip("dovecot-core with dovecot-imapd and dovecot-pop3d");
            return None;
        };
        if !Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n")) {
            require::skip("the right to start dovecot (root)");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("touchline-mailboxes").tempdir().expect("a folder");
        let [one, two] = [(); 2].map(|()| ports::reserved(Ipv4Addr::LOCALHOST.into()).expect("a port"));
        let (imap, pop) = (one.1.port(), two.1.port());
        let dovecot = Self { folder, imap, pop, identity: Identity::new("localhost"), _places: [one.0, two.0] };
        dovecot.configure(tokens);
        // It leaves a daemon that keeps what it inherits open: nothing is read from it.
        let mut starting = Command::new(program);
        starting.arg("-c").arg(dovecot.file("dovecot.conf"));
        starting.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = starting.status().expect("it runs");
        assert!(started.success(), "dovecot did not start: {started}\n{}", dovecot.log());
        Some(dovecot)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn maildir(&self) -> PathBuf {
        self.file("home/Maildir")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("dovecot.log")).unwrap_or_default()
    }

    fn configure(&self, tokens: &TokenServer) {
        let place = self.folder.path().display();
        std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
        for name in ["run", "state", "home", "home/Maildir", "home/Maildir/new", "home/Maildir/cur", "home/Maildir/tmp"]
        {
            std::fs::create_dir(self.file(name)).expect("a folder");
        }
        let owned =
            Command::new("chown").arg("-R").arg("nobody:nogroup").arg(self.file("home")).status().expect("chown runs");
        assert!(owned.success(), "the user nobody is missing");
        let write = |name: &str, text: &str| std::fs::write(self.file(name), text).expect("written");
        write("key.pem", &self.identity.key_pem);
        write("certificate.pem", &self.identity.certificate_pem);
        write("users", &format!("{MAILBOX}:{{PLAIN}}{PASSWORD}::::::\n"));
        write(
            "oauth2.conf",
            &format!("tokeninfo_url = {}/introspect?access_token=\nusername_attribute = email\n", tokens.url),
        );
        write(
            "dovecot.conf",
            &format!(
                "base_dir = {place}/run\nstate_dir = {place}/state\nlog_path = {place}/dovecot.log\nprotocols = imap pop3\n\
                 listen = 127.0.0.1\nssl = required\nssl_cert = <{place}/certificate.pem\nssl_key = <{place}/key.pem\n\
                 auth_mechanisms = plain login xoauth2 oauthbearer\nauth_verbose = yes\nauth_failure_delay = 0\n\
                 first_valid_uid = 1\nmail_location = maildir:{place}/home/Maildir\nmaildir_very_dirty_syncs = no\n\
                 service imap-login {{\n  inet_listener imap {{\n    port = 0\n  }}\n  \
                 inet_listener imaps {{\n    address = 127.0.0.1\n    port = {}\n    ssl = yes\n  }}\n}}\n\
                 service pop3-login {{\n  inet_listener pop3 {{\n    address = 127.0.0.1\n    port = {}\n  }}\n  \
                 inet_listener pop3s {{\n    port = 0\n  }}\n}}\n\
                 service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
                 passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {place}/oauth2.conf\n}}\n\
                 passdb {{\n  driver = passwd-file\n  mechanisms = plain login\n  args = scheme=plain {place}/users\n}}\n\
                 userdb {{\n  driver = static\n  args = uid=nobody gid=nogroup home={place}/home\n}}\n",
                self.imap, self.pop,
            ),
        );
    }

    /// The mailbox by IMAP or POP3, by password or by token.
    fn mailbox(&self, kind: MailboxKind, after: After, login: &Login<'_>, clock: &Arc<dyn Clock>) -> Arc<dyn Mailbox> {
        let (port, tls) = match kind {
            MailboxKind::Pop3 => (self.pop, MailboxTls::Required),
            _ => (self.imap, MailboxTls::Implicit),
        };
        let trusted = self.file("certificate.pem");
        let (oauth, secrets) = login.settings();
        let settings = Settings {
            host: Some("localhost".to_owned()),
            port: Some(port),
            tls,
            username: Some(MAILBOX.to_owned()),
            // The second is not there.
            folders: vec!["INBOX".to_owned(), "Junk".to_owned()],
            after,
            move_to: (after == After::Move).then(|| "Rückläufer".to_owned()),
            accept_ca_file: Some(trusted),
            ..settings(kind)
        };
        built(kind.as_str(), settings, oauth, &[secrets], clock)
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

/// How the tests log in.
enum Login<'a> {
    Password(&'a str),
    Token(&'a TokenServer),
}

impl<'a> Login<'a> {
    fn settings(&self) -> (toml::Table, (&'static str, &'a str)) {
        match self {
            Self::Password(password) => (toml::Table::new(), ("password", password)),
            Self::Token(server) => {
                let mut own: toml::Table = server.settings(false).parse().expect("TOML");
                own.remove("username");
                (own, ("client_secret", SECRET))
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_are_read_by_imap_with_idle_by_pop3_and_from_the_maildir_and_personal_mail_stays() {
    let tokens = TokenServer::start(SCOPE, true).await;
    let Some(dovecot) = Dovecot::start(&tokens) else { return };
    let database = Database::sqlite().await;
    let far = FarSide::start_by(Guise::Own, FakeClock::at(TUESDAY)).await;
    let gateway = TestGateway::start(&database, &far, |settings| settings).await;
    let (parts, place) = (gateway.gateway.feedback(), dovecot.maildir());
    gateway
        .know(&[
            ("Ruiz", None, Some("ana@ruiz.example")),
            ("Stone", None, Some("ben@stone.example")),
            ("Okafor", None, Some("chi@okafor.example")),
        ])
        .await;
    deliver(&place, "1.personal", &personal());
    let login = Login::Password(PASSWORD);

    // By IMAP: the server says that there is a mail, and it goes to another folder. One of the folders to read is missing.
    let (letter, id) = mailed(&gateway, "introduction", "Ruiz").await;
    let mailbox = dovecot.mailbox(MailboxKind::Imap, After::Move, &login, &far.clock);
    assert!(claim(&parts, mailbox.name()).await.expect("asked"));
    let mut session = mailbox.open().await.unwrap_or_else(|failure| panic!("{failure:?}\n{}", dovecot.log()));
    assert_eq!(read_once(&parts, mailbox.as_ref(), session.as_mut()).await.expect("read"), without_junk(1, 0));
    let waiting = tokio::spawn(async move {
        session.wait(Duration::from_secs(3600)).await.expect("waited");
        session
    });
    deliver(&place, "2.bounce", &unknown_user(&id, "ana@ruiz.example"));
    let mut session = soon("the server to say so", waiting).await.expect("no panic");
    assert_eq!(read_once(&parts, mailbox.as_ref(), session.as_mut()).await.expect("read"), without_junk(1, 1));
    session.close().await;
    assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
    assert_eq!(files(&place.join(".R&APw-ckl&AOQ-ufer")).len(), 1, "{}", dovecot.log());
    only_personal_mail_is_left(&place);

    // By POP3: it is deleted.
    let (letter, id) = mailed(&gateway, "introduction", "Stone").await;
    let mailbox = dovecot.mailbox(MailboxKind::Pop3, After::Delete, &login, &far.clock);
    deliver(&place, "3.bounce", &unknown_user(&id, "ben@stone.example"));
    assert_eq!(read_well(&parts, &mailbox).await, found(2, 1));
    assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
    only_personal_mail_is_left(&place);
    assert_eq!(read_well(&parts, &mailbox).await, found(0, 0));

    // In the maildir.
    let (letter, id) = mailed(&gateway, "introduction", "Okafor").await;
    let mailbox = maildir(&place, After::Delete, &far.clock);
    deliver(&place, "4.bounce", &unknown_user(&id, "chi@okafor.example"));
    assert_eq!(read_well(&parts, &mailbox).await, found(2, 1));
    assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Failed);
    only_personal_mail_is_left(&place);
    assert_eq!(returns(&gateway).await.len(), 3);
    gateway.finish(&far).await;
}

const fn without_junk(read: usize, ours: usize) -> Round {
    Round { missing: 1, ..found(read, ours) }
}

/// Unread, and as it was written.
fn only_personal_mail_is_left(maildir: &Path) {
    let left = files(maildir);
    assert_eq!(left.values().collect::<Vec<_>>(), [&personal().into_bytes()], "{:?}", left.keys());
    let name = left.keys().next().expect("one").to_string_lossy().into_owned();
    assert!(name.starts_with("new/1.personal") || name.ends_with(":2,"), "it is marked: {name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_open_a_mailbox_by_imap_and_pop3_and_a_wrong_password_is_about_the_account() {
    let tokens = TokenServer::start(SCOPE, true).await;
    let Some(dovecot) = Dovecot::start(&tokens) else { return };
    let clock: Arc<dyn Clock> = FakeClock::at(TUESDAY);
    deliver(&dovecot.maildir(), "1.personal", &personal());
    for kind in [MailboxKind::Imap, MailboxKind::Pop3] {
        let mailbox = dovecot.mailbox(kind, After::Keep, &Login::Token(&tokens), &clock);
        let mut session = mailbox.open().await.unwrap_or_else(|failure| panic!("{failure:?}\n{}", dovecot.log()));
        assert_eq!(session.count(&mailbox.folders()[0], None).await.expect("counted").mails, 1);
        session.close().await;

        // Whatever is issued is refused: another token is tried, and then it is about the account.
        let before = tokens.requests().len();
        tokens.only_issues_strangers(true);
        let refused = mailbox.open().await.err().expect("refused");
        assert_eq!((refused.fault, tokens.requests().len() - before), (Fault::AccountError, 2), "{refused:?}");
        tokens.only_issues_strangers(false);

        let wrong = dovecot.mailbox(kind, After::Keep, &Login::Password("canary-wrong"), &clock);
        let refused = wrong.open().await.err().expect("refused");
        assert_eq!(refused.fault, Fault::AccountError, "{refused:?}");
        assert!(!format!("{refused:?}").contains("canary") && !format!("{refused:?}").contains('@'), "{refused:?}");
    }
}
