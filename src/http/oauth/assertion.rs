//! A service account proves itself by a signed statement (RFC 7523 §2.1, RFC 7519, RFC 7515): Google's JSON key.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::Timestamp;

/// The grant type of a signed statement.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long a statement counts: Google takes an hour at most.
const LIFE: Duration = Duration::from_secs(3600);
/// How much later our clock may be than the server's.
const EARLIER: Duration = Duration::from_secs(60);

/// A service account's key. Prints nothing of itself.
pub struct ServiceKey {
    /// Who states.
    pub issuer: String,
    key_id: Option<String>,
    pair: RsaKeyPair,
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceKey")
    }
}

/// What is used of the JSON file.
#[derive(Deserialize)]
struct Written {
    client_email: String,
    private_key: SecretString,
    private_key_id: Option<String>,
}

impl ServiceKey {
    /// Reads the JSON file that Google makes for a service account.
    ///
    /// # Errors
    /// What is wrong with it and what to do, without a word of it.
    pub fn read(json: &SecretString) -> Result<Self, &'static str> {
        let written: Written = serde_json::from_str(json.expose_secret())
            .map_err(|_| "is not the JSON key of a service account: it has client_email and private_key")?;
        let der = PrivateKeyDer::from_pem_slice(written.private_key.expose_secret().as_bytes());
        let pair = match der {
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("holds a private_key that is not in PEM: download the key again"),
        };
        let pair = pair.map_err(|_| "holds a private_key that is no RSA key of 2048 to 4096 bits")?;
        Ok(Self { issuer: written.client_email, key_id: written.private_key_id, pair })
    }

    /// The statement that the account asks for `scope` in the name of `subject`, for the token endpoint `audience`. `None` if
    /// the machine has no randomness.
    #[must_use]
    pub fn sign(&self, scope: &str, subject: &str, audience: &str, now: Timestamp) -> Option<SecretString> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.key_id {
            header["kid"] = json!(id);
        }
        let issued = now.before(EARLIER);
        let claims = json!({
            "iss": self.issuer,
            "sub": subject,
            "scope": scope,
            "aud": audience,
            "iat": issued.0 / 1000,
            "exp": issued.after(LIFE).0 / 1000,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let stated = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), stated.as_bytes(), &mut signature).ok()?;
        Some(SecretString::from(format!("{stated}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_without_a_word_of_it() {
        for text in ["", "{}", "canary", r#"{"client_email":"a@b","private_key":"canary"}"#] {
            let refused = ServiceKey::read(&SecretString::from(text)).map(|_| ()).expect_err("no key");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
