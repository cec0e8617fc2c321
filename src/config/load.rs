//! From file, text and environment to a [`Config`]: merge, read section by section, check, resolve paths.

use std::io::Read;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::accounts::AccountReader;
use super::mailboxes::MailboxReader;
use super::merge::{find_overrides, merge, parse_toml};
use super::problem::{ConfigError, Problem, Problems};
use super::routes::Known;
use super::secret::SecretSource;
use super::section::Reader;
use super::variables::Variables;
use super::{Config, StoreConfig, check, routes};
use crate::domain::practice::Practice;
use crate::files::folder_of;
use crate::provider::REGISTRY;
use crate::sealing::SECRET_CHARS_MIN;

/// Largest configuration file, in bytes.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// The known sections.
const SECTIONS: [&str; 13] = [
    "practice",
    "store",
    "server",
    "templates",
    "providers",
    "mailboxes",
    "routes",
    "sending",
    "returns",
    "retention",
    "dns",
    "policy",
    "log",
];

/// The environment, so that a test or the demo can supply its own.
pub struct Environment<'a> {
    /// The value of a variable that a secret names.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Variables that may override keys, as name and value; those in another form are ignored.
    pub overrides: Vec<(String, String)>,
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("overrides", &self.overrides.len()).finish_non_exhaustive()
    }
}

/// Whether an account may lack a secret that the configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// No: to send, every account must be complete.
    Required,
    /// Yes: a command that only reads needs none of the providers' secrets.
    Optional,
}

impl Config {
    /// Reads a file of at most 1 MB, with the process's environment and `touchline.env` beside the file on top.
    ///
    /// # Errors
    /// Every problem found, each with file, key and what to do.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with(path, Secrets::Required)
    }

    /// The same, perhaps without the secrets of providers whose variable or file is missing.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(path: &Path, secrets: Secrets) -> Result<Self, ConfigError> {
        Self::read(path, &Self::text(path)?, &|_| None, secrets)
    }

    /// The text of a file, as it stands there.
    ///
    /// # Errors
    /// It cannot be read, is larger than 1 MB or not UTF-8.
    pub fn text(path: &Path) -> Result<String, ConfigError> {
        read_text(path).map_err(|message| ConfigError {
            file: path.display().to_string(),
            problems: vec![Problem { key: String::new(), line: None, message }],
        })
    }

    /// Reads a text as [`Config::load`] would if it stood in that file, with variables that are not set yet.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_as(path: &Path, text: &str, further: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(path, text, further, Secrets::Required)
    }

    fn read(
        path: &Path,
        text: &str,
        further: &dyn Fn(&str) -> Option<String>,
        secrets: Secrets,
    ) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let folder = folder_of(path);
        let variables = Variables::read(folder)?;
        let lookup = |name: &str| further(name).or_else(|| variables.lookup(name));
        let environment = Environment { lookup: &lookup, overrides: variables.all() };
        parse(text, &name, folder, &environment, secrets)
    }

    /// Reads a text. Secrets are looked up in the process's environment; nothing is overridden by it.
    ///
    /// # Errors
    /// As [`Config::load`]; `name` is used as the file's name.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, ConfigError> {
        Self::parse_with_env(text, name, folder, &process_variable)
    }

    /// Reads a text, with secrets looked up in the environment given.
    ///
    /// # Errors
    /// As [`Config::load`]; `name` is used as the file's name.
    pub fn parse_with_env(
        text: &str,
        name: &str,
        folder: &Path,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        Self::parse_in(text, name, folder, &Environment { lookup, overrides: Vec::new() })
    }

    /// Reads a text, with secrets and overrides of the environment given.
    ///
    /// # Errors
    /// As [`Config::load`]; `name` is used as the file's name.
    pub fn parse_in(text: &str, name: &str, folder: &Path, environment: &Environment<'_>) -> Result<Self, ConfigError> {
        parse(text, name, folder, environment, Secrets::Required)
    }
}

fn parse(
    text: &str,
    name: &str,
    folder: &Path,
    environment: &Environment<'_>,
    secrets: Secrets,
) -> Result<Config, ConfigError> {
    let mut problems = Problems::default();
    let reader = AccountReader { specs: REGISTRY, folder, lookup: environment.lookup, secrets };
    let config = assemble(text, environment, &reader, &mut problems);
    match (problems.into_error(name, text), config) {
        (None, Some(config)) => Ok(config),
        (Some(error), _) => Err(error),
        (None, None) => Err(ConfigError {
            file: name.to_owned(),
            problems: vec![Problem { key: String::new(), line: None, message: "it cannot be read".to_owned() }],
        }),
    }
}

fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file: run `touchline init`, or give --config".to_owned(),
        kind => format!("it cannot be read ({kind}): check its permissions"),
    })?;
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read ({})", error.kind()))?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err("it is larger than 1 MB: this is not a configuration file".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text: save it as UTF-8".to_owned())
}

/// All steps. None only together with at least one problem.
pub(super) fn assemble(
    text: &str,
    environment: &Environment<'_>,
    accounts: &AccountReader<'_>,
    problems: &mut Problems,
) -> Option<Config> {
    let (folder, specs) = (accounts.folder, accounts.specs);
    let file = parse_toml(text, problems)?;
    let overrides = find_overrides(&environment.overrides, &file, problems);
    let mut root = merge(&file, &overrides, problems)?;
    refuse_unknown_sections(&root, problems);

    let mut reader = Reader { overrides: &overrides, problems };
    let practice = read_section::<Practice>(&mut root, &mut reader, "practice");
    let store = read_store(&mut root, &mut reader, folder, environment.lookup);
    let server = read_section(&mut root, &mut reader, "server");
    let templates = read_section(&mut root, &mut reader, "templates");
    let providers = take_section(&mut root, "providers", reader.problems);
    let configured: Vec<String> = providers.keys().cloned().collect();
    let boxes = MailboxReader { folder, lookup: environment.lookup, secrets: accounts.secrets, accounts: &configured };
    let accounts = accounts.read_all(&mut reader, providers);
    let mailboxes = take_section(&mut root, "mailboxes", reader.problems);
    let mailboxes = boxes.read_all(&mut reader, mailboxes);
    let routes = read_section(&mut root, &mut reader, "routes").map(|written| routes::read(&mut reader, written));
    let sending = read_section(&mut root, &mut reader, "sending");
    let retention = read_section(&mut root, &mut reader, "retention");
    let returns = read_section(&mut root, &mut reader, "returns");
    let dns = read_section(&mut root, &mut reader, "dns");
    let policy = read_section(&mut root, &mut reader, "policy");
    let log = read_section(&mut root, &mut reader, "log");

    practice.as_ref().into_iter().flat_map(Practice::problems).for_each(|text| add_practice_problem(problems, &text));
    server.as_ref().inspect(|server| check::server(problems, server));
    sending.as_ref().inspect(|sending| check::sending(problems, sending));
    retention.as_ref().inspect(|retention| check::retention(problems, retention));
    returns.as_ref().inspect(|returns| check::returns(problems, returns));
    log.as_ref().inspect(|log| check::log(problems, log));
    let routes = routes.map(|written| {
        routes::check(problems, written, &Known { accounts: &accounts, configured: &configured, specs })
    });
    let mut config = Config {
        practice: practice?,
        store: store?,
        server: server?,
        templates: templates?,
        providers: accounts,
        mailboxes,
        routes: routes?,
        sending: sending?,
        retention: retention?,
        returns: returns?,
        dns: dns?,
        policy: policy?,
        log: log?,
    };
    make_paths_whole(&mut config, folder);
    Some(config)
}

fn refuse_unknown_sections(root: &Dict, problems: &mut Problems) {
    for name in root.keys().filter(|name| !SECTIONS.contains(&name.as_str())) {
        problems.add(name, format!("unknown section: remove it, or use one of: {}", SECTIONS.join(", ")));
    }
}

fn take_section(root: &mut Dict, name: &str, problems: &mut Problems) -> Dict {
    match root.remove(name) {
        Some(Value::Dict(_, section)) => section,
        None => Dict::new(),
        Some(_) => {
            problems.add(name, format!("write a section: [{name}]"));
            Dict::new()
        }
    }
}

fn read_section<T: DeserializeOwned>(root: &mut Dict, reader: &mut Reader<'_>, name: &str) -> Option<T> {
    let section = take_section(root, name, reader.problems);
    reader.read(&[name], section)
}

/// `[store]` as written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenStore {
    url: SecretSource,
    connections_max: u32,
    key: Option<SecretSource>,
}

impl Default for WrittenStore {
    fn default() -> Self {
        Self { url: SecretSource::Inline(SecretString::from("sqlite:touchline.db")), connections_max: 8, key: None }
    }
}

fn read_store(
    root: &mut Dict,
    reader: &mut Reader<'_>,
    folder: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<StoreConfig> {
    let written: WrittenStore = read_section(root, reader, "store")?;
    if !(1..=200).contains(&written.connections_max) {
        reader.problems.add("store.connections_max", "write a number from 1 to 200");
    }
    let key = read_key(written.key, reader, folder, lookup)?;
    match written.url.resolve(folder, lookup) {
        Ok(url) => {
            check::store_url(reader.problems, &url);
            Some(StoreConfig { url: sqlite_in(folder, url), connections_max: written.connections_max, key })
        }
        Err(message) => {
            reader.problems.add("store.url", message);
            None
        }
    }
}

/// `store.key`; the outer `None` if it is given and cannot be used.
#[allow(clippy::option_option, reason = "whether it is given, and whether it can be used")]
fn read_key(
    written: Option<SecretSource>,
    reader: &mut Reader<'_>,
    folder: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<Option<SecretString>> {
    let instead = "write key = { file = \"PATH\" } or { env = \"NAME\" }: openssl rand -base64 32 > PATH";
    let resolved = match written {
        None => return Some(None),
        Some(SecretSource::Inline(_)) => Err(format!("a secret does not belong into this file: {instead}")),
        Some(source) => source.resolve(folder, lookup),
    };
    match resolved {
        Ok(key) if key.expose_secret().trim().len() >= SECRET_CHARS_MIN => return Some(Some(key)),
        Ok(_) => reader.problems.add("store.key", format!("is shorter than {SECRET_CHARS_MIN} characters: {instead}")),
        Err(message) => reader.problems.add("store.key", message),
    }
    None
}

/// A relative SQLite path made relative to the configuration's folder; anything else unchanged.
fn sqlite_in(folder: &Path, url: SecretString) -> SecretString {
    let Some(rest) = url.expose_secret().strip_prefix("sqlite:") else { return url };
    let path = rest.trim_start_matches("//");
    if path.starts_with('/') || path.starts_with(":memory:") {
        return url;
    }
    SecretString::from(format!("sqlite:{}", folder.join(path).display()))
}

/// The practice's own texts begin with their key.
fn add_practice_problem(problems: &mut Problems, text: &str) {
    match text.split_once(' ') {
        Some((key, message)) if key.starts_with("practice.") => problems.add(key, message),
        _ => problems.add("practice", text),
    }
}

fn make_paths_whole(config: &mut Config, folder: &Path) {
    let paths: [Option<&mut PathBuf>; 3] = [
        config.practice.logo.as_mut(),
        config.practice.medical_director.signature.as_mut(),
        config.templates.folder.as_mut(),
    ];
    for path in paths.into_iter().flatten() {
        *path = folder.join(&*path);
    }
}
