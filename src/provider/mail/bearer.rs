//! Logging in with an access token: XOAUTH2 (Google's and Microsoft's own) and OAUTHBEARER (RFC 7628). A server that refuses
//! the token says why in a continuation, which must be answered before the refusal itself comes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::timeout_at;

use super::connection::Connection;
use super::dialogue::{Silence, TimeLimits};
use super::login::Mechanism;
use super::reply::Reply;
use super::tls::Security;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::mail_reply::Phase;
use crate::domain::remedy::Remedy;
use crate::provider::sign_in::{Bearer, SignIn, TokenKeeper};

/// What the answer to the continuation of a failure is: nothing for XOAUTH2, a single 0x01 in base64 for OAUTHBEARER
/// (RFC 7628 §3.2.3).
const XOAUTH2_GOES_ON: &str = "";
const OAUTHBEARER_GOES_ON: &str = "AQ==";

/// A mailbox, and who keeps its tokens.
pub(super) struct TokenLogin {
    pub sign_in: Arc<SignIn>,
    pub tokens: Arc<dyn TokenKeeper>,
    /// As the relay is named in OAUTHBEARER.
    pub host: String,
    pub port: u16,
    /// Whether the relay is this machine, where nobody else can listen.
    pub is_near: bool,
}

/// How a login with a token ended.
pub(super) enum Entered {
    LoggedIn,
    /// The server knows the token no more, or does not let it in: another one may be.
    TokenRefused(Failure),
}

impl TokenLogin {
    /// A token to log in with, another than the one that was refused.
    ///
    /// # Errors
    /// There is none. Nothing was sent.
    pub async fn bearer(&self, refused: Option<&Bearer>, limits: &TimeLimits) -> Result<Bearer, Failure> {
        let late = |_| {
            let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
            failure.text("there was no token in time")
        };
        timeout_at(limits.deadline, self.tokens.bearer(&self.sign_in, refused)).await.map_err(late)?
    }

    /// Logs in. Never says the token to a server that proved nothing, unless it is this machine itself.
    ///
    /// # Errors
    /// Nothing was sent, and another token would not help.
    pub async fn log_in(
        &self,
        connection: &mut Connection,
        bearer: &Bearer,
        limits: &TimeLimits,
    ) -> Result<Entered, Failure> {
        if connection.security != Security::Verified && !self.is_near {
            let failure = Failure::new(Fault::TlsRequired).about(About::Path).remedy(Remedy::UseEncryption);
            return Err(failure.text("the relay's certificate was not checked: no token is said to it"));
        }
        let token = bearer.token.expose_secret();
        let mut last: Option<Failure> = None;
        for mechanism in Mechanism::of_tokens(&connection.offers.mechanisms) {
            let (name, response, goes_on) = self.response(mechanism, token);
            let said = format!("AUTH {name} {response}");
            let answered = say(connection, &said, goes_on, limits).await;
            let (reply, why) = answered.map_err(|silence| silence.failure("while logging in"))?;
            if reply.code == 235 {
                return Ok(Entered::LoggedIn);
            }
            let private = [self.sign_in.mailbox(), token, response.trim_end_matches('=')];
            let failure = explained(reply.failure(Phase::Auth, &private), why.as_deref());
            if reply.ends_session() || failure.fault != Fault::AccountError {
                return Err(failure);
            }
            if !reply.refuses_the_mechanism() {
                return Ok(Entered::TokenRefused(failure.remedy(Remedy::MailboxAccess)));
            }
            last = Some(failure);
        }
        Err(last.unwrap_or_else(|| nothing_in_common(connection)))
    }

    /// A mechanism's name, what is said by it (in base64), and what answers the continuation of a failure.
    fn response(&self, mechanism: Mechanism, token: &str) -> (&'static str, String, &'static str) {
        let mailbox = self.sign_in.mailbox();
        let (name, response, goes_on) = match mechanism {
            Mechanism::OAuthBearer => {
                ("OAUTHBEARER", oauthbearer(mailbox, &self.host, self.port, token), OAUTHBEARER_GOES_ON)
            }
            _ => ("XOAUTH2", xoauth2(mailbox, token), XOAUTH2_GOES_ON),
        };
        (name, BASE64.encode(response), goes_on)
    }
}

/// Says a command; the relay's last word, and what it said of the token before.
async fn say(
    connection: &mut Connection,
    command: &str,
    goes_on: &str,
    limits: &TimeLimits,
) -> Result<(Reply, Option<String>), Silence> {
    let reply = connection.dialogue.say(command, limits.minutes(5)).await?;
    if reply.code != 334 {
        return Ok((reply, None));
    }
    let why = status_in(&reply);
    Ok((connection.dialogue.say(goes_on, limits.minutes(5)).await?, why))
}

/// Google: XOAUTH2 protocol, the SASL initial client response.
pub(in crate::provider) fn xoauth2(mailbox: &str, token: &str) -> String {
    format!("user={mailbox}\x01auth=Bearer {token}\x01\x01")
}

/// RFC 7628 §3.1; the mailbox is a `saslname` (RFC 5801 §4).
pub(in crate::provider) fn oauthbearer(mailbox: &str, host: &str, port: u16, token: &str) -> String {
    let mailbox = mailbox.replace('=', "=3D").replace(',', "=2C");
    format!("n,a={mailbox},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
}

/// The word `status` of the JSON in a continuation (RFC 7628 §3.2.2): `invalid_token`, or a number at Google and Microsoft.
fn status_in(reply: &Reply) -> Option<String> {
    let json: Value = serde_json::from_slice(&BASE64.decode(reply.lines.join("").trim()).ok()?).ok()?;
    let status = json["status"].as_str()?;
    let is_word = (1..=40).contains(&status.len()) && status.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_word.then(|| status.to_owned())
}

fn explained(failure: Failure, status: Option<&str>) -> Failure {
    match status {
        Some(status) => {
            let words = failure.raw_text.clone().unwrap_or_default();
            failure.text(format!("{words} (token status {status})"))
        }
        None => failure,
    }
}

fn nothing_in_common(connection: &Connection) -> Failure {
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::OtherLogin);
    match connection.offers.auth {
        true => failure.text("the relay offers no login by OAUTHBEARER or XOAUTH2"),
        false => failure.text("the relay offers no login at all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Google's description of XOAUTH2.
    #[test]
    fn an_xoauth2_response_is_that_of_googles_description() {
        let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        let response = xoauth2("someuser@example.com", token);
        assert_eq!(
            response.as_bytes(),
            [b"user=someuser@example.com\x01auth=Bearer ", token.as_bytes(), b"\x01\x01"].concat()
        );
        assert_eq!(
            BASE64.encode(response),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
    }

    /// RFC 7628 §4.1, and its saslname with characters that must be escaped.
    #[test]
    fn an_oauthbearer_response_is_that_of_the_rfc() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let response = oauthbearer("user@example.com", "server.example.com", 587, token);
        assert_eq!(
            response,
            format!("n,a=user@example.com,\u{1}host=server.example.com\u{1}port=587\u{1}auth=Bearer {token}\u{1}\u{1}")
        );
        assert_eq!(
            BASE64.encode(oauthbearer("user@example.com", "server.example.com", 143, token)),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
        assert!(oauthbearer("a=b,c@x", "h", 1, "t").starts_with("n,a=a=3Db=2Cc@x,\u{1}"));
    }

    #[test]
    fn the_longest_token_fits_into_an_auth_command() {
        let token = "x".repeat(crate::http::oauth::exchange::TOKEN_OCTETS_MAX);
        let (mailbox, host) = ("m".repeat(254), "h".repeat(253));
        for (name, response) in
            [("XOAUTH2", xoauth2(&mailbox, &token)), ("OAUTHBEARER", oauthbearer(&mailbox, &host, 65_535, &token))]
        {
            assert!(format!("AUTH {name} {}\r\n", BASE64.encode(response)).len() <= 12_288, "{name}");
        }
    }

    #[test]
    fn the_status_of_a_refused_token_is_a_word_or_nothing() {
        let reply = |json: &str| Reply { code: 334, lines: vec![BASE64.encode(json)] };
        let of_rfc =
            r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/"}"#;
        assert_eq!(status_in(&reply(of_rfc)).as_deref(), Some("invalid_token"));
        assert_eq!(status_in(&reply(r#"{"status":"400","schemes":"Bearer"}"#)).as_deref(), Some("400"));
        for odd in ["", "{}", r#"{"status":"you are <b>"}"#, r#"{"status":7}"#] {
            assert_eq!(status_in(&reply(odd)), None, "{odd}");
        }
        assert_eq!(status_in(&Reply { code: 334, lines: vec!["???".into()] }), None);
    }
}
