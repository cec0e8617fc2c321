//! A person signs in in a browser: the authorization code grant (RFC 6749 §4.1) with a proof that the code is redeemed by
//! who asked for it (PKCE, RFC 7636), and its answer in the address that the browser is sent to (RFC 8252 §7.3).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::Url;

use super::exchange::{Denied, Endpoint, Issued};
use crate::domain::fault::{Failure, Fault};

/// Octets of randomness in a verifier and in a state: 43 characters (RFC 7636 §4.1).
const RANDOM_OCTETS: usize = 32;
/// Longest address and code accepted, in octets.
const ADDRESS_OCTETS_MAX: usize = 8_192;

/// A sign-in that waits for its browser. Prints nothing of itself.
pub struct Pending {
    /// The address to open.
    pub address: Url,
    /// As it is sent, without a slash at its end: servers compare it letter by letter.
    redirect: String,
    state: String,
    verifier: SecretString,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

/// Why an address that the browser was sent to brings no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCode {
    /// It does not belong to this sign-in: another state, or none.
    NotOurs,
    /// The server refused, with the error word of RFC 6749 §4.1.2.1.
    Refused(String),
}

impl Pending {
    /// Begins one. `further` are what the server wants besides the RFC's parameters. `None` if the machine has no randomness.
    #[must_use]
    pub fn begin(
        authorize: &Url,
        client_id: &str,
        scope: &str,
        redirect: &str,
        further: &[(&str, &str)],
    ) -> Option<Self> {
        let (verifier, state) = (random()?, random()?);
        let challenge = challenge(&verifier);
        let mut address = authorize.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", scope)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(further);
        Some(Self { address, redirect: redirect.to_owned(), state, verifier: SecretString::from(verifier) })
    }

    /// The code in the address that the browser was sent to, whole or from its path on.
    ///
    /// # Errors
    /// It is not the answer to this sign-in, or the server refused.
    pub fn read(&self, address: &str) -> Result<SecretString, NoCode> {
        let address = address.trim();
        let url = Some(address).filter(|address| address.len() <= ADDRESS_OCTETS_MAX);
        let base = Url::parse(&self.redirect).map_err(|_| NoCode::NotOurs)?;
        let url = url.and_then(|address| base.join(address).ok()).ok_or(NoCode::NotOurs)?;
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let is_ours = value("state").is_some_and(|state| state.as_bytes().ct_eq(self.state.as_bytes()).into());
        if !is_ours {
            return Err(NoCode::NotOurs);
        }
        if let Some(error) = value("error") {
            let is_plain = error.len() <= 60 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            return Err(NoCode::Refused(if is_plain { error } else { "access_denied".to_owned() }));
        }
        value("code").filter(|code| !code.is_empty()).map(SecretString::from).ok_or(NoCode::NotOurs)
    }

    /// Redeems the code.
    ///
    /// # Errors
    /// Nothing was issued, and why.
    pub async fn redeem(
        &self,
        endpoint: &Endpoint,
        client: &[(&str, &str)],
        code: &SecretString,
    ) -> Result<Issued, Denied> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", &self.redirect),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        form.extend_from_slice(client);
        endpoint.ask(&form, None).await
    }
}

/// The failure of a machine without randomness.
#[must_use]
pub fn no_randomness() -> Failure {
    Failure::new(Fault::ProviderError).text("this machine has no randomness")
}

/// RFC 7636 §4.2: S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

fn random() -> Option<String> {
    let mut octets = [0; RANDOM_OCTETS];
    SystemRandom::new().fill(&mut octets).ok()?;
    Some(URL_SAFE_NO_PAD.encode(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    fn pending() -> Pending {
        let url = |text: &str| Url::parse(text).expect("an address");
        let further = [("prompt", "consent")];
        let redirect = "http://127.0.0.1:5";
        Pending::begin(&url("https://id.example/auth?a=b"), "the client", "mail x", redirect, &further).expect("random")
    }

    #[test]
    fn the_address_asks_for_a_code_with_a_challenge_and_holds_no_verifier() {
        let (one, other) = (pending(), pending());
        let value = |name: &str| one.address.query_pairs().find(|(key, _)| key == name).map(|(_, it)| it.into_owned());
        for (name, wanted) in [
            ("a", "b"),
            ("response_type", "code"),
            ("client_id", "the client"),
            ("redirect_uri", "http://127.0.0.1:5"),
            ("scope", "mail x"),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ] {
            assert_eq!(value(name).as_deref(), Some(wanted), "{name}");
        }
        assert_eq!(value("code_challenge"), Some(challenge(one.verifier.expose_secret())));
        assert!(!one.address.as_str().contains(one.verifier.expose_secret()));
        assert!(one.state != other.state && one.verifier.expose_secret() != other.verifier.expose_secret());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_pasted_brings_no_code_without_the_state(text in "\\PC{0,200}|(/|http://[a-z.]{0,9}:[0-9]{0,6})?\\?(code|state|error)=\\PC{0,60}&(code|state)=\\PC{0,60}") {
            proptest::prop_assert!(pending().read(&text).is_err());
        }
    }

    #[test]
    fn only_the_answer_to_this_sign_in_brings_a_code() {
        let pending = pending();
        let state = &pending.state;
        for address in [
            format!("/?code=c%2F1&state={state}"),
            format!(" http://127.0.0.1:5/?state={state}&code=c%2F1&scope=x\n"),
            format!("http://localhost/?state={state}&code=c%2F1"),
        ] {
            assert_eq!(pending.read(&address).expect("a code").expose_secret(), "c/1", "{address}");
        }
        for address in ["", "/", "/?code=c&state=x", "/?code=c", "c", &format!("/?state={state}"), &"x".repeat(9_000)] {
            assert_eq!(pending.read(address).map(|_| ()), Err(NoCode::NotOurs), "{address}");
        }
        let refused = pending.read(&format!("/?error=access_denied&state={state}"));
        assert_eq!(refused.map(|_| ()), Err(NoCode::Refused("access_denied".into())));
    }
}
