//! Logging in to a mailbox, the same for IMAP and POP3: with a password, or with a token in the mechanism that the server
//! offers. A token that is refused may have been revoked before its time: another one is tried once, over another connection.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};

use super::server::{Server, unencrypted};
use super::settings::MailboxTls;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::provider::mail::bearer::{oauthbearer, xoauth2};
use crate::provider::mail::reply::{without, without_base64};
use crate::provider::sign_in::{Bearer, SignIn, TokenKeeper};

/// Tokens that are tried before the mailbox is at fault: the one at hand, and another.
const TOKENS_MAX: usize = 2;

/// By what a mailbox is logged in to.
pub(super) enum Login {
    /// A name and password.
    Password { username: String, password: SecretString },
    /// A token of its own.
    Token { sign_in: Arc<SignIn>, tokens: Arc<dyn TokenKeeper> },
}

impl Login {
    /// How the mailbox signs in, where it does so by OAuth.
    pub fn sign_in(&self) -> Option<&Arc<SignIn>> {
        match self {
            Self::Token { sign_in, .. } => Some(sign_in),
            Self::Password { .. } => None,
        }
    }
}

/// A way to show a token, the standard one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// RFC 7628.
    OAuthBearer,
    /// The same before it was standardized, and all that Microsoft knows.
    XOAuth2,
}

impl Mechanism {
    const ALL: [Self; 2] = [Self::OAuthBearer, Self::XOAuth2];

    /// As servers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// What answers the continuation of a failure, in base64: a single 0x01 (RFC 7628 §3.2.3), or nothing.
    pub const fn goes_on(self) -> &'static str {
        match self {
            Self::OAuthBearer => "AQ==",
            Self::XOAuth2 => "",
        }
    }

    fn response(self, mailbox: &str, server: &Server, token: &str) -> String {
        BASE64.encode(match self {
            Self::OAuthBearer => oauthbearer(mailbox, &server.host, server.port, token),
            Self::XOAuth2 => xoauth2(mailbox, token),
        })
    }
}

/// How a login ended.
pub(super) enum Entered {
    LoggedIn,
    /// The server's words, as far as they may be shown.
    Refused {
        words: String,
        is_passing: bool,
    },
}

/// A connection on which nobody is logged in yet.
#[async_trait]
pub(super) trait Connection: Send + Sized {
    /// Reached, greeted, encrypted as the mode demands.
    async fn connect(server: &Server) -> Result<Self, Failure>;
    /// Says name and password.
    async fn say_password(&mut self, username: &str, password: &str) -> Result<Entered, Failure>;
    /// Whether a token can be shown in that way.
    fn offers(&self, mechanism: Mechanism) -> bool;
    /// Shows a token, encoded already.
    async fn show_token(&mut self, mechanism: Mechanism, response: &str) -> Result<Entered, Failure>;
}

/// A connection that is logged in.
///
/// # Errors
/// `account_error` if the login is refused; otherwise it may work later.
pub(super) async fn enter<C: Connection>(server: &Server, login: &Login) -> Result<C, Failure> {
    if server.tls == MailboxTls::Off && !server.is_near() {
        return Err(unencrypted("no password and no token is said without encryption"));
    }
    match login {
        Login::Password { username, password } => {
            let mut connection = C::connect(server).await?;
            let password = password.expose_secret();
            match connection.say_password(username, password).await? {
                Entered::LoggedIn => Ok(connection),
                refused => Err(refusal(refused, &[username, password], Remedy::CheckPassword)),
            }
        }
        Login::Token { sign_in, tokens } => enter_with_token(server, sign_in, tokens.as_ref()).await,
    }
}

async fn enter_with_token<C: Connection>(
    server: &Server,
    sign_in: &Arc<SignIn>,
    tokens: &dyn TokenKeeper,
) -> Result<C, Failure> {
    let mut last: Option<(Bearer, Failure)> = None;
    for _ in 0..TOKENS_MAX {
        let bearer = tokens.bearer(sign_in, last.as_ref().map(|(bearer, _)| bearer)).await?;
        let mut connection = C::connect(server).await?;
        let mut refused = nothing_in_common();
        for mechanism in Mechanism::ALL.into_iter().filter(|one| connection.offers(*one)).collect::<Vec<_>>() {
            let token = bearer.token.expose_secret();
            let response = mechanism.response(sign_in.mailbox(), server, token);
            match connection.show_token(mechanism, &response).await? {
                Entered::LoggedIn => return Ok(connection),
                other => refused = refusal(other, &[sign_in.mailbox(), token], Remedy::MailboxAccess),
            }
        }
        if refused.remedy != Some(Remedy::MailboxAccess) {
            return Err(refused);
        }
        last = Some((bearer, refused));
    }
    Err(last.map_or_else(nothing_in_common, |(_, failure)| failure))
}

/// A refusal as a failure, without what was said to the server, which some repeat.
fn refusal(entered: Entered, private: &[&str], remedy: Remedy) -> Failure {
    let (words, is_passing) = match entered {
        Entered::LoggedIn => (String::new(), false),
        Entered::Refused { words, is_passing } => (words, is_passing),
    };
    let words = without_base64(&without(&words, private));
    let failure = if is_passing {
        Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay)
    } else {
        Failure::new(Fault::AccountError).about(About::Account).remedy(remedy)
    };
    failure.text(format!("the mail server refuses the login: {words}"))
}

fn nothing_in_common() -> Failure {
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::OtherLogin);
    failure.text("the mail server offers no login by OAUTHBEARER or XOAUTH2")
}
