//! The exchange files under `tests/it/fixtures/providers/`: how they are read, and what is known of one provider's
//! folder. The format is described in the README there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::sample;
use super::subject::{Described, Subject, folder};

/// What all exchanges of one provider share: `account.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// A reference as this provider gives them, for calls that need one.
    pub reference: String,
    /// What the exchanges are written from, where a file does not say otherwise.
    pub written_from: Origin,
    pub settings: toml::Table,
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The provider is described by this file of `config/providers`.
    pub described: Option<Described>,
    /// Parts of dialogues that several files play, by name.
    #[serde(default)]
    pub parts: BTreeMap<String, Vec<Line>>,
    /// Exchanges that several files play, by name.
    #[serde(default)]
    pub exchanges: BTreeMap<String, Vec<Exchange>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallName {
    Submit,
    Status,
    Find,
    Cancel,
    Purge,
    Check,
    Receive,
}

/// What an exchange is written from: how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An exchange that the provider or its library recorded.
    Recording,
    /// A published machine-readable specification.
    Specification,
    /// The provider's documentation or library code.
    Documentation,
    /// What others say of it.
    SecondHand,
    /// Our own code.
    Ours,
}

/// One file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    #[serde(skip)]
    pub name: String,
    /// What it shows and where the facts come from.
    pub about: String,
    pub call: CallName,
    /// What it is written from, if not what the account says.
    pub written_from: Option<Origin>,
    /// The present, if it is not [`sample::NOW`].
    pub now: Option<String>,
    /// Settings that differ from the account's.
    #[serde(default)]
    pub settings: toml::Table,
    /// Nobody listens at the account's address.
    #[serde(default)]
    pub closed_port: bool,
    /// Some of the pages arrived, and the provider has no way to say how many.
    #[serde(default)]
    pub pages_untold: bool,
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Exchange>,
    /// Instead of exchanges, for providers that are spoken to line by line.
    #[serde(default)]
    pub dialogue: Vec<Line>,
    #[serde(default, rename = "delivery")]
    pub deliveries: Vec<Delivery>,
    /// The same exchange with other words: each case is played by itself.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
    pub expect: Expect,
}

/// Words put for `{name}` into answers, callbacks and expectations.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Case(BTreeMap<String, String>);

impl Fixture {
    /// What there is to play: the file itself, or each of its cases.
    pub fn plays(&self) -> Vec<Self> {
        if self.cases.is_empty() {
            return vec![self.clone()];
        }
        self.cases.iter().map(|case| self.with(case)).collect()
    }

    fn with(&self, case: &Case) -> Self {
        let mut one = self.clone();
        one.cases.clear();
        let words: Vec<&str> = case.0.values().map(String::as_str).collect();
        one.name = format!("{} ({})", self.name, words.join(", "));
        let answers = one.exchanges.iter_mut().flat_map(|exchange| {
            exchange.answer.headers.values_mut().chain(std::iter::once(&mut exchange.answer.body))
        });
        let lines = one.dialogue.iter_mut().flat_map(Line::answers);
        let deliveries = one.deliveries.iter_mut().map(|delivery| &mut delivery.body);
        let expect = &mut one.expect;
        let expected = [&mut expect.fault, &mut expect.code, &mut expect.stage].into_iter().flatten();
        for text in answers.chain(lines).chain(deliveries).chain(expected).chain(std::iter::once(&mut expect.is)) {
            for (name, value) in &case.0 {
                *text = text.replace(&format!("{{{name}}}"), value);
            }
        }
        one
    }
}

/// A request that must come next, and its answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    /// Instead of everything else: the exchanges of that name in `account.toml`.
    pub play: Option<String>,
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    /// Texts that the raw body must contain.
    pub body_has: Vec<String>,
    pub answer: Answer,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    /// The request is read and never answered.
    #[serde(default)]
    pub silence: bool,
    /// The connection breaks before the answer is complete.
    #[serde(default)]
    pub cut: bool,
}

/// A line that must come next, and what the server says to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    /// Instead of everything else: the part of that name in `account.toml`.
    pub play: Option<String>,
    /// What must come, without its end; not given where the server speaks first.
    pub expect: Option<String>,
    /// What it answers. `{data}` opens a port for data and stands for it as `PASV` writes it, `{data_port}` as `EPSV`.
    pub reply: String,
    /// Texts that must come by the data connection.
    pub upload_has: Vec<String>,
    /// What the server sends by the data connection.
    pub download: Option<String>,
    /// What it says once the data are over.
    pub then: String,
    /// It is read and never answered.
    pub silence: bool,
    /// The connection breaks behind `reply`, before the line is complete, or behind the data.
    pub cut: bool,
}

impl Line {
    /// Everything the server says.
    fn answers(&mut self) -> impl Iterator<Item = &mut String> {
        [&mut self.reply, &mut self.then].into_iter().chain(&mut self.download)
    }
}

/// One callback, byte for byte.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// The secret in the address it came to, for providers that sign nothing.
    pub secret: Option<String>,
}

/// How the call must end. What is not given is not compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub is: String,
    pub fault: Option<String>,
    pub code: Option<String>,
    pub reference: Option<String>,
    pub attempt: Option<String>,
    pub stage: Option<String>,
    pub pages: Option<u32>,
    pub retry_after_seconds: Option<u64>,
    /// What it costs, as `amount unit`.
    pub billed: Option<String>,
}

/// The provider's account, with the address of the server filled in.
pub fn account(subject: &Subject, host: &str, port: u16) -> Result<AccountFile, String> {
    let mut file = account_file(&subject.name, host, port)?;
    if let Some(described) = &file.described {
        let path = described.write(&subject.name, &format!("http://{host}:{port}"))?;
        file.settings.insert("description".to_owned(), path.into());
    }
    Ok(file)
}

pub(super) fn account_file(name: &str, host: &str, port: u16) -> Result<AccountFile, String> {
    let path = folder(name).join("account.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text
        .replace("\"{port}\"", &port.to_string())
        .replace("{server}", &format!("http://{host}:{port}"))
        .replace("{host}", host);
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every exchange of the provider, by name: those of its folder, and those that it plays of another's.
pub fn all(subject: &Subject) -> Result<Vec<Fixture>, String> {
    let account = account_file(&subject.name, "127.0.0.1", 1)?;
    let own = read_all(&subject.name, &account)?;
    match &account.described {
        Some(described) => described.with_borrowed(subject, own, &account),
        None => Ok(own),
    }
}

pub(super) fn read_all(name: &str, account: &AccountFile) -> Result<Vec<Fixture>, String> {
    let entries = std::fs::read_dir(folder(name)).map_err(|error| error.to_string())?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml") && !path.ends_with("account.toml"));
    paths.sort();
    paths.into_iter().map(|path| read(&path, account)).collect()
}

fn read(path: &std::path::Path, account: &AccountFile) -> Result<Fixture, String> {
    let secrets = &account.secrets;
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut fixture: Fixture = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    fixture.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let located = |error: String| format!("{}: {error}", path.display());
    let play = |exchange: &Exchange| exchange.play.clone();
    fixture.exchanges = whole(&fixture.exchanges, &account.exchanges, play).map_err(located)?;
    let played = |line: &Line| line.play.clone();
    fixture.dialogue = whole(&fixture.dialogue, &account.parts, played).map_err(located)?;
    for line in &mut fixture.dialogue {
        line.answers().for_each(|text| fill(text, secrets));
        line.expect.iter_mut().chain(&mut line.upload_has).for_each(|text| fill(text, secrets));
    }
    fixture.exchanges.iter_mut().for_each(|exchange| exchange.fill(secrets));
    fixture.deliveries.iter_mut().filter_map(|one| one.secret.as_mut()).for_each(|text| fill(text, secrets));
    Ok(fixture)
}

impl Exchange {
    pub(super) fn fill(&mut self, secrets: &BTreeMap<String, String>) {
        fill(&mut self.answer.body, secrets);
        self.query.values_mut().chain(self.headers.values_mut()).for_each(|text| fill(text, secrets));
        self.body_has.iter_mut().for_each(|text| fill(text, secrets));
    }
}

/// The steps of an exchange with its shared parts put in.
fn whole<T: Clone>(
    steps: &[T],
    parts: &BTreeMap<String, Vec<T>>,
    play: impl Fn(&T) -> Option<String>,
) -> Result<Vec<T>, String> {
    let mut whole = Vec::new();
    for step in steps {
        match play(step) {
            None => whole.push(step.clone()),
            Some(name) => whole.extend(parts.get(&name).ok_or(format!("no part {name}"))?.iter().cloned()),
        }
    }
    Ok(whole)
}

/// Fills in the sample's own values: `{to}`, `{attempt}`, `{document}`, and `{secret.<key>}`.
pub(super) fn fill(text: &mut String, secrets: &BTreeMap<String, String>) {
    let constants = [("{to}", sample::FAX_TO), ("{attempt}", sample::ATTEMPT), ("{document}", sample::DOCUMENT_WORD)];
    for (mark, value) in constants {
        *text = text.replace(mark, value);
    }
    for (key, value) in secrets {
        *text = text.replace(&format!("{{secret.{key}}}"), value);
    }
}
