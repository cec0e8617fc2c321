//! Callbacks that are not signed: user and password (RFC 7617) or a secret in a header of its own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};

use crate::provider::kit::callback::same;
use crate::provider::{Rejection, WebhookParts};

/// Fewest characters of such a secret: it alone keeps strangers out.
pub(super) const CHARS_MIN: usize = 16;

/// What such a callback carries.
pub(super) enum Shared {
    /// User and password.
    Basic(String, SecretString),
    /// A header, its name in lower case, and its value.
    Header(String, SecretString),
}

impl Shared {
    /// Whether a callback carries it. Takes constant time.
    ///
    /// # Errors
    /// `Forged` if not.
    pub fn verify(&self, parts: &WebhookParts) -> Result<(), Rejection> {
        let fits = match self {
            Self::Basic(user, password) => {
                let wanted = BASE64.encode(format!("{user}:{}", password.expose_secret()));
                let given = parts.header("authorization").and_then(|value| value.trim().split_once(' '));
                given.is_some_and(|(scheme, given)| {
                    scheme.eq_ignore_ascii_case("basic") && same(given.trim().as_bytes(), wanted.as_bytes())
                })
            }
            Self::Header(name, value) => {
                let given = parts.header(name).map(str::trim);
                given.is_some_and(|given| same(given.as_bytes(), value.expose_secret().as_bytes()))
            }
        };
        if fits { Ok(()) } else { Err(Rejection::Forged) }
    }

    /// The header that holds it.
    pub fn header(&self) -> &str {
        match self {
            Self::Basic(..) => "authorization",
            Self::Header(name, _) => name,
        }
    }
}
