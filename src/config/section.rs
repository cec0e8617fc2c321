//! Reads one section into its type and continues after each error, so that one run lists them all: what is wrong is
//! noted and removed, what is missing is noted and filled in, and the section is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use url::Url;

use super::problem::Problems;

/// A section is read again at most this often; more errors than that are not listed.
const ROUNDS_MAX: usize = 300;

/// The path of a key inside the file.
pub(super) type KeyPath = Vec<String>;

/// Reads sections.
pub(super) struct Reader<'a> {
    /// Values that came from the environment, as they were written: `60201` may be a number or a text.
    pub(super) overrides: &'a BTreeMap<KeyPath, String>,
    /// Where problems go.
    pub(super) problems: &'a mut Problems,
}

/// What was done so far to continue in one section.
#[derive(Default)]
struct Progress {
    noted: BTreeSet<KeyPath>,
    stand_ins: BTreeMap<KeyPath, usize>,
    taken_as_text: BTreeSet<KeyPath>,
}

impl Reader<'_> {
    /// The section at `path`, or none if anything in it is wrong; the problems are noted with their full keys.
    pub(super) fn read<T: DeserializeOwned>(&mut self, path: &[&str], mut section: Dict) -> Option<T> {
        let before = self.problems.count();
        let mut progress = Progress::default();
        for _ in 0..ROUNDS_MAX {
            let error = match Value::from(section.clone()).deserialize::<T>() {
                Ok(value) => return (self.problems.count() == before).then_some(value),
                Err(error) => error,
            };
            if !self.get_on(path, &mut section, &mut progress, error) {
                break;
            }
        }
        None
    }

    /// Notes what is wrong and changes the section so that reading can continue. False if it cannot.
    fn get_on(
        &mut self,
        section_path: &[&str],
        section: &mut Dict,
        progress: &mut Progress,
        error: figment::Error,
    ) -> bool {
        let mut inner = error.path;
        if let Kind::MissingField(name) = &error.kind {
            inner.push(name.to_string());
        }
        let full: KeyPath = section_path.iter().map(|part| (*part).to_owned()).chain(inner.iter().cloned()).collect();
        if let Some(tried) = progress.stand_ins.get_mut(&inner) {
            *tried += 1;
            return stand_in(*tried).is_some_and(|value| put(section, &inner, value));
        }
        if let (Kind::InvalidType(..), Some(text)) = (&error.kind, self.overrides.get(&full))
            && progress.taken_as_text.insert(inner.clone())
        {
            return put(section, &inner, Value::from(text.clone()));
        }
        if progress.noted.insert(inner.clone()) {
            self.problems.add(full.join("."), explain(&error.kind));
        }
        if matches!(error.kind, Kind::MissingField(_)) {
            progress.stand_ins.insert(inner.clone(), 0);
            return stand_in(0).is_some_and(|value| put(section, &inner, value));
        }
        remove(section, &inner)
    }
}

/// Values of the shapes that required keys have; the first that fits replaces a missing one.
fn stand_in(number: usize) -> Option<Value> {
    match number {
        0 => Some(Value::from(Dict::new())),
        1 => Some(Value::from("UTC")),
        2 => Some(Value::from("+12025550100")),
        3 => Some(Value::from("stand-in@clinic.example")),
        4 => Some(Value::from(true)),
        5 => Some(Value::from(1u32)),
        _ => None,
    }
}

/// Puts a value at a path whose tables exist.
fn put(section: &mut Dict, path: &[String], value: Value) -> bool {
    let Some((name, parents)) = path.split_last() else { return false };
    let Some(table) = table_at(section, parents) else { return false };
    table.insert(name.clone(), value);
    true
}

/// Removes the deepest key of the path that is in a table. A wrong element takes its whole list with it.
fn remove(section: &mut Dict, path: &[String]) -> bool {
    (1..=path.len()).rev().any(|length| {
        let (name, parents) = (&path[length - 1], &path[..length - 1]);
        table_at(section, parents).is_some_and(|table| table.remove(name).is_some())
    })
}

fn table_at<'a>(section: &'a mut Dict, path: &[String]) -> Option<&'a mut Dict> {
    path.iter().try_fold(section, |table, part| match table.get_mut(part) {
        Some(Value::Dict(_, inner)) => Some(inner),
        _ => None,
    })
}

/// What is wrong and what to do, without the value.
fn explain(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(found, expected) => format!("write {}; found {}", in_words(expected), shape(found)),
        Kind::InvalidValue(_, expected) => format!("the value does not fit: write {}", in_words(expected)),
        Kind::InvalidLength(_, expected) => format!("the length does not fit: write {}", in_words(expected)),
        Kind::UnknownVariant(_, known) => format!("write one of: {}", known.join(", ")),
        Kind::UnknownField(_, known) => format!("unknown key: remove it, or use one of: {}", known.join(", ")),
        Kind::MissingField(_) => "is missing: add it; touchline.example.toml shows how".to_owned(),
        Kind::DuplicateField(_) => "is given twice: keep one".to_owned(),
        _ => "the value does not fit: touchline.example.toml shows what is expected".to_owned(),
    }
}

/// An expectation in plain words.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, zero or more",
        "bool" | "a boolean" => "true or false",
        "a sequence" => "a list",
        "a string" => "a text in quotes",
        text if text.starts_with("struct ") || text == "a map" => "a table",
        text if text.starts_with("enum ") => "one of the words that touchline.example.toml lists",
        text => text,
    }
}

/// The shape of what was found, without the value.
fn shape(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a fraction",
        Actual::Char(_) | Actual::Str(_) => "a text in quotes",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}

/// Reads an address and port.
pub(super) fn socket_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(|_| D::Error::custom("write an IP address and a port, such as \"127.0.0.1:8025\""))
}

/// Reads an address and port that may be left out.
pub(super) fn socket_address_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    socket_address(deserializer).map(Some)
}

/// Reads addresses and networks.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: &str| text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
    let unreadable = || D::Error::custom("write IP addresses or networks, such as \"127.0.0.1\" or \"10.0.0.0/8\"");
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| read(text.trim()).ok_or_else(unreadable)).collect()
}

/// Reads the base of web addresses.
pub(super) fn web_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    base_url(&text).map(Some).ok_or_else(|| {
        D::Error::custom("write an address such as \"https://touchline.clinic.example\", without user, ? and #")
    })
}

/// The base of web addresses: http or https, a host, perhaps a path, and nothing else.
pub(crate) fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}
