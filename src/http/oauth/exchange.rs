//! One request to a token endpoint (RFC 6749 §3.2), and what its answer says. The free text of a refusal is not kept: it may
//! repeat what was sent.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::domain::fault::{Failure, Fault};
use crate::http::{self, Answer};

/// Longest token accepted, in octets. In base64 and with a name around it, it still fits into an AUTH command, which may
/// have 12,288 octets (RFC 4954 §4).
pub const TOKEN_OCTETS_MAX: usize = 8_192;
/// Lifetime of a token whose answer gives none (RFC 6749 §5.1 only recommends it).
const LIFE_UNTOLD: Duration = Duration::from_secs(300);
/// Longest lifetime accepted.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Longest list of scopes that is read, in octets.
pub const SCOPE_OCTETS_MAX: usize = 4_096;
/// Longest mailbox or name of a person, in octets (RFC 5321 §4.5.3.1).
const PERSON_OCTETS_MAX: usize = 254;

/// A token endpoint, and how long a request to it may take.
#[derive(Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    url: Url,
    timeout: Duration,
}

/// What was issued. Prints nothing of itself.
pub struct Issued {
    /// The access token: visible ASCII (RFC 6750 §2.1), at most [`TOKEN_OCTETS_MAX`] octets.
    pub access: SecretString,
    /// How long it is valid from the request on; at most a day.
    pub life: Duration,
    /// The refresh token that takes the place of the one used, if there is one.
    pub refresh: Option<SecretString>,
    /// Who signed in, where an ID token says so (OpenID Connect Core §5.1). It came from the endpoint itself over TLS, so its
    /// signature need not be checked (§3.1.3.7).
    pub person: Option<String>,
    /// What was granted, where the answer says so (RFC 6749 §5.1): scopes with spaces between, at most
    /// [`SCOPE_OCTETS_MAX`] octets.
    pub scope: Option<String>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("life", &self.life).finish_non_exhaustive()
    }
}

/// Why nothing was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// As a failure: `account_error` where the credentials were refused.
    pub failure: Failure,
    /// The error word of RFC 6749 §5.2 or RFC 8628 §3.5; `None` if the endpoint gave no such answer.
    pub word: Option<String>,
    /// Microsoft's own number of the error (`AADSTS…`). It helps a person; nothing is decided by it, because Microsoft
    /// changes them.
    pub number: Option<u32>,
}

impl Denied {
    /// No answer, or none that says why.
    #[must_use]
    pub const fn without_word(failure: Failure) -> Self {
        Self { failure, word: None, number: None }
    }

    /// Whether the endpoint answered with that word.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.word.as_deref() == Some(word)
    }
}

impl Endpoint {
    /// An endpoint at that address.
    #[must_use]
    pub const fn new(http: reqwest::Client, url: Url, timeout: Duration) -> Self {
        Self { http, url, timeout }
    }

    /// Its address.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The longest that a request takes.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Asks for a token with the fields of a grant; `basic` are client id and secret where they are not among the fields.
    ///
    /// # Errors
    /// Nothing was issued, and why; or what was issued cannot be used.
    pub async fn ask(&self, form: &[(&str, &str)], basic: Option<(&str, &SecretString)>) -> Result<Issued, Denied> {
        let answer = self.post(form, basic).await?;
        let body = answer.json().unwrap_or_default();
        if answer.is_success() { issued(&body) } else { Err(denied(&answer, &body)) }
    }

    /// The body of a successful answer that is no token.
    ///
    /// # Errors
    /// As [`Endpoint::ask`].
    pub(super) async fn ask_for_other(&self, form: &[(&str, &str)]) -> Result<Value, Denied> {
        let answer = self.post(form, None).await?;
        let body = answer.json().unwrap_or_default();
        if answer.is_success() { Ok(body) } else { Err(denied(&answer, &body)) }
    }

    async fn post(&self, form: &[(&str, &str)], basic: Option<(&str, &SecretString)>) -> Result<Answer, Denied> {
        let mut request = self.http.request(Method::POST, self.url.clone()).header("accept", "application/json");
        if let Some((id, secret)) = basic {
            request = request.basic_auth(id, Some(secret.expose_secret()));
        }
        http::ask(request.form(form), self.timeout).await.map_err(Denied::without_word)
    }
}

/// RFC 6749 §5.2: wrong credentials are a 400 or 401 with a word of a fixed list.
fn denied(answer: &Answer, body: &Value) -> Denied {
    let failure = answer.failure();
    let fault = if failure.fault == Fault::Unknown { Fault::AccountError } else { failure.fault };
    let is_plain =
        |word: &&str| (1..=60).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let word = body["error"].as_str().filter(is_plain).map(str::to_owned);
    let number = body["error_codes"][0].as_u64().and_then(|number| u32::try_from(number).ok());
    let failure = Failure { fault, ..failure }.text(word.as_deref().unwrap_or("no token was returned"));
    Denied { failure, word, number }
}

fn issued(body: &Value) -> Result<Issued, Denied> {
    let unusable = |text: &str| Denied::without_word(Failure::new(Fault::ProtocolError).text(text));
    let access = body["access_token"].as_str().filter(|token| !token.is_empty());
    let access = access.ok_or_else(|| unusable("the answer contains no token"))?;
    let refresh = body["refresh_token"].as_str().filter(|token| !token.is_empty());
    if [Some(access), refresh].into_iter().flatten().any(|token| !is_token(token)) {
        return Err(unusable("the answer contains a token that cannot be used"));
    }
    let refresh = refresh.map(SecretString::from);
    Ok(Issued {
        access: SecretString::from(access),
        life: life(body),
        refresh,
        person: person(body),
        scope: scope(body),
    })
}

fn is_token(text: &str) -> bool {
    text.len() <= TOKEN_OCTETS_MAX && text.bytes().all(|octet| octet.is_ascii_graphic())
}

fn life(body: &Value) -> Duration {
    let told = &body["expires_in"];
    // Some servers give the number as text.
    let seconds = told.as_u64().or_else(|| told.as_str()?.trim().parse().ok());
    seconds.map_or(LIFE_UNTOLD, Duration::from_secs).min(LIFE_MAX)
}

fn scope(body: &Value) -> Option<String> {
    let told = body["scope"].as_str().map(str::trim)?;
    (1..=SCOPE_OCTETS_MAX).contains(&told.len()).then(|| told.to_owned())
}

/// The mailbox in an ID token, else the name to sign in with.
fn person(body: &Value) -> Option<String> {
    let payload = body["id_token"].as_str()?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let said = ["email", "preferred_username", "upn"].into_iter().find_map(|claim| claims[claim].as_str())?;
    let fits = said.len() <= PERSON_OCTETS_MAX && !said.chars().any(char::is_control);
    fits.then(|| said.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_signed_in_is_read_from_an_id_token_and_nothing_else() {
        let with =
            |claims: Value| json!({ "id_token": format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string())) });
        let mailbox = json!({ "email": "front@harbor.example", "preferred_username": "x@harbor.example" });
        assert_eq!(person(&with(mailbox)).as_deref(), Some("front@harbor.example"));
        let name = json!({ "preferred_username": "front@harbor.example" });
        assert_eq!(person(&with(name)).as_deref(), Some("front@harbor.example"));
        for odd in [json!({}), json!({ "email": 7 }), json!({ "email": "a\nb" }), json!({ "email": "x".repeat(255) })] {
            assert_eq!(person(&with(odd.clone())), None, "{odd}");
        }
        assert_eq!(person(&json!({ "id_token": "no token" })), None);
    }

    #[test]
    fn a_token_that_would_break_a_command_or_is_too_long_is_not_used() {
        for odd in ["a b", "a\r\nMAIL", "tök", &"x".repeat(TOKEN_OCTETS_MAX + 1)] {
            let refused = issued(&json!({ "access_token": odd })).expect_err("unusable");
            assert_eq!((refused.failure.fault, refused.word), (Fault::ProtocolError, None));
            assert!(issued(&json!({ "access_token": "fine", "refresh_token": odd })).is_err());
        }
        let good = issued(&json!({ "access_token": "fine", "expires_in": "3599" })).expect("usable");
        assert_eq!((good.life, good.refresh.is_none()), (Duration::from_secs(3599), true));
        assert!(!format!("{good:?}").contains("fine"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_answered_a_token_fits_into_a_command_or_is_none(
            access in "\\PC{0,60}|[a-zA-Z0-9._~+/-]{1,60}",
            told in "\\PC{0,20}|[0-9]{1,25}",
            id_token in "\\PC{0,60}|[a-zA-Z0-9_-]{0,20}\\.[a-zA-Z0-9_-]{0,40}\\.",
        ) {
            let body = json!({ "access_token": access, "expires_in": told, "id_token": id_token });
            if let Ok(issued) = issued(&body) {
                let token = issued.access.expose_secret();
                proptest::prop_assert!(!token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic()));
                proptest::prop_assert!(issued.life <= LIFE_MAX);
            }
        }
    }

    #[test]
    fn a_refusal_keeps_its_word_and_number_and_none_of_its_text() {
        let body =
            json!({ "error": "invalid_grant", "error_codes": [50173, 1], "error_description": "front@x refused" });
        let answer = Answer { status: 400, retry_after_seconds: None, location: None, body: Vec::new() };
        let refused = denied(&answer, &body);
        assert!(refused.is("invalid_grant") && refused.number == Some(50173));
        assert_eq!(refused.failure.fault, Fault::AccountError);
        assert!(!format!("{refused:?}").contains("front"));
        let odd = denied(&answer, &json!({ "error": "Front Desk", "error_codes": ["x"] }));
        assert_eq!((odd.word, odd.number), (None, None));
    }
}
