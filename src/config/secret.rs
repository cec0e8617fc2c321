//! Secrets: given as the name of an environment variable or of a file, read once, and never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::files::{ReadError, read_regular};

/// Longest secret read from a file, in bytes.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a value that may be secret comes from.
#[derive(Debug, Clone)]
pub(super) enum SecretSource {
    /// It is in the file itself.
    Inline(SecretString),
    /// `{ env = "NAME" }`
    Environment(String),
    /// `{ file = "PATH" }`
    File(PathBuf),
}

impl SecretSource {
    /// The value, from its source. A relative path is relative to `folder`.
    ///
    /// # Errors
    /// Names the variable or the file, and what to do; never what was in it.
    pub(super) fn resolve(
        self,
        folder: &Path,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, String> {
        let secret = match self {
            Self::Inline(secret) => secret,
            Self::Environment(name) => match lookup(&name) {
                Some(value) if !value.trim().is_empty() => SecretString::from(value),
                Some(_) => return Err(format!("the environment variable {name} is empty: give it the value")),
                None => {
                    return Err(format!(
                        "the environment variable {name} is not set: set it, or write it into touchline.env beside the configuration"
                    ));
                }
            },
            Self::File(path) => read_secret_file(&folder.join(path))?,
        };
        if secret.expose_secret().chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err("it holds control characters: copy it again from its source".to_owned());
        }
        Ok(secret)
    }
}

fn read_secret_file(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let bytes = read_regular(path, SECRET_BYTES_MAX).map_err(|error| match error {
        ReadError::TooLarge(_) => format!("the file {shown} is larger than 64 KB: this is not the secret"),
        other => format!("the file {shown} {other}: create it or correct the path"),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {shown} is not UTF-8 text"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(format!("the file {shown} is empty: write the value into it"));
    }
    Ok(SecretString::from(text.to_owned()))
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ env = \"NAME\" } or { file = \"PATH\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::Inline(SecretString::from(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let wrong = || de::Error::custom("write exactly one of { env = \"NAME\" } and { file = \"PATH\" }");
        let (key, value) = map.next_entry::<String, String>()?.ok_or_else(wrong)?;
        let source = match key.as_str() {
            "env" => SecretSource::Environment(value),
            "file" => SecretSource::File(PathBuf::from(value)),
            _ => return Err(wrong()),
        };
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(wrong()),
        }
    }
}
