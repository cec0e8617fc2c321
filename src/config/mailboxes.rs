//! Mailboxes to which returns come: `[mailboxes.NAME]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate};
use figment::value::{Dict, Value};
use secrecy::SecretString;
use serde::Deserialize;

use super::load::Secrets;
use super::problem::Problems;
use super::secret::SecretSource;
use super::section::Reader;
use crate::provider::mailbox::{After, MailboxKind, MailboxTls, OAUTH_KEYS, Settings};

/// Longest name of a mailbox.
const NAME_CHARS_MAX: usize = 40;
/// Folders of one mailbox.
const FOLDERS_MAX: usize = 20;
/// Longest name of a folder, in characters.
const FOLDER_CHARS_MAX: usize = 200;
/// The folder that every IMAP server has.
const INBOX: &str = "INBOX";
/// Keys that a maildir has no use for.
const OF_SERVERS: [&str; 7] = ["host", "port", "tls", "username", "password", "accept_ca_file", "oauth"];

/// One mailbox to which returns come.
#[derive(Debug, Clone)]
pub struct MailboxConfig {
    /// What is neither secret nor about signing in.
    pub settings: Settings,
    /// How often it is read where it cannot say that there is something new, 10 to 3,600 s. Default 60.
    pub poll_seconds: u64,
    /// The keys by which it signs in, as written.
    pub oauth: toml::Table,
    /// Its secrets by key, resolved.
    pub secrets: BTreeMap<String, SecretString>,
    /// What is wrong with secrets that are missing, a sentence for each; only as [`Secrets::Optional`] allows. Such a mailbox
    /// cannot be read.
    pub missing: Vec<String>,
}

/// A section as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: MailboxKind,
    host: Option<String>,
    port: Option<u16>,
    tls: Option<MailboxTls>,
    username: Option<String>,
    password: Option<SecretSource>,
    oauth: Option<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretSource>,
    service_account: Option<SecretSource>,
    token_url: Option<String>,
    authorize_url: Option<String>,
    device_url: Option<String>,
    scope: Option<String>,
    folders: Option<Vec<String>>,
    path: Option<PathBuf>,
    since: Option<String>,
    #[serde(default = "poll_default")]
    poll_seconds: u64,
    after: Option<After>,
    move_to: Option<String>,
    accept_ca_file: Option<PathBuf>,
}

const fn poll_default() -> u64 {
    60
}

/// Reads mailboxes.
pub(super) struct MailboxReader<'a> {
    /// The folder to which relative paths refer.
    pub(super) folder: &'a Path,
    /// The environment.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a mailbox may lack a secret.
    pub(super) secrets: Secrets,
    /// The names of provider accounts, under which tokens are kept as well.
    pub(super) accounts: &'a [String],
}

impl MailboxReader<'_> {
    /// Every mailbox of the section that can be read; problems with the others are noted.
    pub(super) fn read_all(&self, reader: &mut Reader<'_>, section: Dict) -> BTreeMap<String, MailboxConfig> {
        let mut mailboxes = BTreeMap::new();
        for (name, value) in section {
            let key = format!("mailboxes.{name}");
            let is_name = (1..=NAME_CHARS_MAX).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
            if !is_name {
                reader.problems.add(&key, "name the mailbox with 1 to 40 of: a-z, 0-9, hyphen, underscore");
            }
            if self.accounts.contains(&name) {
                reader.problems.add(&key, "a provider account has that name: choose another");
            }
            match value {
                Value::Dict(_, table) => {
                    if let Some(mailbox) = self.read(reader, &name, table) {
                        mailboxes.insert(name, mailbox);
                    }
                }
                _ => reader.problems.add(&key, format!("write a table: [{key}] with kind = \"imap\" below it")),
            }
        }
        mailboxes
    }

    fn read(&self, reader: &mut Reader<'_>, name: &str, table: Dict) -> Option<MailboxConfig> {
        let given: BTreeSet<String> = table.keys().cloned().collect();
        let written: Written = reader.read(&["mailboxes", name], table)?;
        let before = reader.problems.count();
        let mut check = Check { problems: reader.problems, name, given: &given };
        check.all(&written);
        let (secrets, missing) = self.secrets(&mut check, &written);
        let oauth = oauth(&written);
        let Written { kind, host, port, username, poll_seconds, move_to, .. } = written;
        let in_folder = |path: PathBuf| self.folder.join(path);
        let settings = Settings {
            kind,
            host,
            port,
            tls: written.tls.unwrap_or(MailboxTls::Implicit),
            username,
            folders: written.folders.unwrap_or_else(|| vec![INBOX.to_owned()]),
            path: written.path.map(in_folder),
            since: written.since.as_deref().and_then(day),
            after: written.after.unwrap_or(After::Keep),
            move_to,
            accept_ca_file: written.accept_ca_file.map(in_folder),
        };
        let mailbox = MailboxConfig { settings, poll_seconds, oauth, secrets, missing };
        (reader.problems.count() == before).then_some(mailbox)
    }

    /// The secrets that are given; what cannot be used is noted, or may be missing.
    fn secrets(&self, check: &mut Check<'_>, written: &Written) -> (BTreeMap<String, SecretString>, Vec<String>) {
        let (mut secrets, mut missing) = (BTreeMap::new(), Vec::new());
        let sources = [
            ("password", &written.password),
            ("client_secret", &written.client_secret),
            ("service_account", &written.service_account),
        ];
        for (key, source) in sources {
            let instead = format!("write {key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}");
            match source.clone() {
                None => {}
                Some(SecretSource::Inline(_)) => {
                    check.add(key, &format!("a secret does not belong into this file: {instead}"));
                }
                Some(source) => match source.resolve(self.folder, self.lookup) {
                    Ok(secret) => drop(secrets.insert(key.to_owned(), secret)),
                    Err(why) if self.secrets == Secrets::Optional => missing.push(format!("{key}: {why}")),
                    Err(why) => check.add(key, &why),
                },
            }
        }
        (secrets, missing)
    }
}

/// The keys by which a mailbox signs in, as they were written.
fn oauth(written: &Written) -> toml::Table {
    let Written { oauth, tenant, client_id, token_url, authorize_url, device_url, scope, .. } = written;
    let values = [oauth, tenant, client_id, token_url, authorize_url, device_url, scope];
    let given = OAUTH_KEYS.into_iter().zip(values).filter_map(|(key, value)| Some((key, value.clone()?)));
    given.map(|(key, value)| (key.to_owned(), toml::Value::String(value))).collect()
}

/// What must hold beyond the types.
struct Check<'a> {
    problems: &'a mut Problems,
    name: &'a str,
    given: &'a BTreeSet<String>,
}

impl Check<'_> {
    fn add(&mut self, key: &str, message: &str) {
        self.problems.add(format!("mailboxes.{}.{key}", self.name), message);
    }

    /// Notes keys that are given and have no use.
    fn useless(&mut self, keys: &[&str], why: &str) {
        let given: Vec<&str> = keys.iter().copied().filter(|key| self.given.contains(*key)).collect();
        for key in given {
            self.add(key, why);
        }
    }

    fn all(&mut self, written: &Written) {
        if !(10..=3_600).contains(&written.poll_seconds) {
            self.add("poll_seconds", "write a number from 10 to 3600");
        }
        match written.kind {
            MailboxKind::Maildir => self.maildir(written),
            MailboxKind::Imap | MailboxKind::Pop3 => self.server(written),
        }
        if written.kind == MailboxKind::Imap {
            self.folders(written);
        } else {
            self.useless(&["folders"], "only IMAP has folders: remove it");
        }
        if written.since.as_deref().is_some_and(|since| day(since).is_none()) {
            self.add("since", "write the first day whose mail is read, such as \"2026-11-01\"");
        }
        self.after(written);
    }

    fn maildir(&mut self, written: &Written) {
        if written.path.as_ref().is_none_or(|path| path.as_os_str().is_empty()) {
            self.add("path", "is missing: write the folder that holds cur, new and tmp");
        }
        self.useless(&OF_SERVERS, "a maildir is a folder of this machine: remove it");
    }

    fn server(&mut self, written: &Written) {
        self.useless(&["path"], "only a maildir has a path: remove it");
        let host = written.host.as_deref().unwrap_or_default();
        let is_host = |text: &str| text.len() <= 253 && text.bytes().all(|b| b.is_ascii_graphic());
        let is_known = matches!(written.oauth.as_deref(), Some("microsoft" | "google"));
        if !is_host(host) {
            self.add("host", "must be a host name or an address");
        } else if host.is_empty() && !is_known {
            self.add("host", "is missing: add the mail server's host name, or oauth = \"microsoft\" or \"google\"");
        }
        if !written.tls.unwrap_or(MailboxTls::Implicit).suits(host) {
            self.add(
                "tls",
                "off is for a server on this machine only: write implicit (993, 995) or required (143, 110)",
            );
        }
        let username = written.username.as_deref().unwrap_or_default();
        if username.is_empty() || username.chars().any(char::is_control) {
            self.add("username", "is missing: add the name to log in with; with oauth, the mailbox");
        }
        if written.oauth.is_none() && written.password.is_none() {
            let how = "is missing: write password = { env = \"NAME\" } or { file = \"PATH\" }. Microsoft 365 and Google take \
                       no password: add oauth = \"microsoft\" or \"google\" instead";
            self.add("password", how);
        }
    }

    fn folders(&mut self, written: &Written) {
        let Some(folders) = &written.folders else { return };
        let is_name = |name: &String| is_folder(name);
        let different: BTreeSet<&String> = folders.iter().collect();
        if !(1..=FOLDERS_MAX).contains(&folders.len()) || !folders.iter().all(is_name) {
            self.add("folders", "write 1 to 20 names of folders, such as [\"INBOX\", \"Junk\"]");
        } else if different.len() < folders.len() {
            self.add("folders", "names a folder twice");
        }
    }

    fn after(&mut self, written: &Written) {
        let after = written.after.unwrap_or(After::Keep);
        match (written.kind, after) {
            (MailboxKind::Pop3, After::Seen | After::Move) => self.add("after", "POP3 knows keep and delete only"),
            (MailboxKind::Maildir, After::Move) => self.add("after", "a maildir knows keep, seen and delete only"),
            _ => {}
        }
        let folders = written.folders.clone().unwrap_or_else(|| vec![INBOX.to_owned()]);
        match written.move_to.as_ref() {
            Some(_) if after != After::Move => self.add("move_to", "has no use without after = \"move\""),
            None if after == After::Move => {
                self.add("move_to", "is missing: name the folder that returns of ours go to")
            }
            Some(folder) if !is_folder(folder) => self.add("move_to", "must be the name of a folder"),
            Some(folder) if folders.contains(folder) => {
                self.add("move_to", "is one of the folders that are read: name another");
            }
            _ => {}
        }
    }
}

/// A day such as `2026-11-01`, of this era and of years with four digits.
fn day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == "2026-11-01".len() && day.year() >= 1970).then_some(day)
}

fn is_folder(name: &str) -> bool {
    (1..=FOLDER_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::config::{Config, ConfigError};

    const EXAMPLE: &str = include_str!("../../config/touchline.example.toml");
    const ROUTES: &str = "[routes]\nfax = [\"fax-telnyx\"]\nemail = [\"mail-relay\"]\n";

    /// The example with one mailbox instead of its own.
    fn read_named(name: &str, mailbox: &str) -> Result<Config, ConfigError> {
        let (before, _) = EXAMPLE.split_once("[mailboxes").expect("it shows one");
        let text = format!("{before}\n[mailboxes.{name}]\n{mailbox}\n{ROUTES}");
        let lookup = |_: &str| Some("canary-secret".to_owned());
        Config::parse_with_env(&text, "t.toml", std::path::Path::new("/etc/touchline"), &lookup)
    }

    fn read(mailbox: &str) -> Result<Config, ConfigError> {
        read_named("returns", mailbox)
    }

    #[test]
    fn a_section_is_taken_with_its_defaults() {
        let config = read("kind = \"imap\"\nhost = \"mail.example\"\nusername = \"u\"\npassword = { env = \"P\" }")
            .expect("good");
        let mailbox = &config.mailboxes["returns"];
        assert_eq!((mailbox.settings.folders.as_slice(), mailbox.poll_seconds), (&["INBOX".to_owned()][..], 60));
        assert!(mailbox.secrets.contains_key("password") && mailbox.oauth.is_empty());
        let maildir =
            read("kind = \"maildir\"\npath = \"Maildir\"\nafter = \"seen\"\nsince = \"2026-11-01\"").expect("good");
        assert_eq!(maildir.mailboxes["returns"].settings.since, NaiveDate::from_ymd_opt(2026, 11, 1));
        assert_eq!(mailbox.settings.since, None);
        let path = maildir.mailboxes["returns"].settings.path.clone();
        assert_eq!(path.as_deref(), Some(std::path::Path::new("/etc/touchline/Maildir")));
        let oauth =
            "kind = \"pop3\"\noauth = \"microsoft\"\ntenant = \"t\"\nclient_id = \"c\"\nusername = \"u@x.example\"";
        assert_eq!(read(oauth).expect("good").mailboxes["returns"].oauth.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key_and_no_value_is_said() {
        let server = "kind = \"imap\"\nhost = \"mail.example\"\nusername = \"u\"\npassword = { env = \"P\" }\n";
        for (text, key) in [
            ("kind = \"nntp\"".to_owned(), "kind"),
            ("kind = \"imap\"\nhost = \"h\"\npassword = { env = \"P\" }".to_owned(), "username"),
            ("kind = \"imap\"\nhost = \"h\"\nusername = \"u\"".to_owned(), "password"),
            ("kind = \"imap\"\nhost = \"h\"\nusername = \"u\"\npassword = \"canary-inline\"".to_owned(), "password"),
            ("kind = \"imap\"\nusername = \"u\"\npassword = { env = \"P\" }".to_owned(), "host"),
            (format!("{server}tls = \"off\""), "tls"),
            (format!("{server}poll_seconds = 1"), "poll_seconds"),
            (format!("{server}since = \"November\""), "since"),
            (format!("{server}since = \"1926-11-01\""), "since"),
            (format!("{server}since = 2026-11-01"), "since"),
            (format!("{server}folders = []"), "folders"),
            (format!("{server}folders = [\"A\", \"A\"]"), "folders"),
            (format!("{server}after = \"move\""), "move_to"),
            (format!("{server}move_to = \"Done\""), "move_to"),
            (format!("{server}after = \"move\"\nmove_to = \"INBOX\""), "move_to"),
            (format!("{server}path = \"x\""), "path"),
            (format!("{server}folder = \"INBOX\""), "folder"),
            ("kind = \"maildir\"".to_owned(), "path"),
            ("kind = \"maildir\"\npath = \"x\"\nhost = \"h\"".to_owned(), "host"),
            ("kind = \"maildir\"\npath = \"x\"\nafter = \"move\"\nmove_to = \"y\"".to_owned(), "after"),
            (server.replace("imap", "pop3") + "after = \"seen\"", "after"),
            (server.replace("imap", "pop3") + "folders = [\"INBOX\"]", "folders"),
        ] {
            let error = read(&text).err().unwrap_or_else(|| panic!("taken: {text}"));
            let key = format!("mailboxes.returns.{key}");
            assert!(error.problems.iter().any(|problem| problem.key == key), "{text}: {error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_mailbox_has_a_name_of_its_own() {
        let error = read_named("mail-relay", "kind = \"maildir\"\npath = \"x\"").expect_err("refused");
        assert!(error.to_string().contains("mailboxes.mail-relay"), "{error}");
    }
}
