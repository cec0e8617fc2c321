//! Logging in with a password (RFC 4954): the mechanisms that the relay offers, the strongest first. If the relay
//! refuses a mechanism rather than the password, the next one is tried; the account fails only if none is left.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};

use super::connection::Connection;
use super::dialogue::{Silence, TimeLimits};
use super::reply::Reply;
use super::scram::Exchange;
use super::tls::Security;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::mail_reply::Phase;
use crate::domain::remedy::Remedy;

/// A name and password.
pub(super) struct Login {
    pub username: String,
    pub password: SecretString,
}

impl Login {
    /// As they are said: the name, the password, and both for PLAIN. In base64 without its end, which a server may leave out.
    fn encoded(&self) -> [String; 3] {
        let password = self.password.expose_secret();
        let both = format!("\0{}\0{password}", self.username);
        [&self.username, password, &both].map(|said| BASE64.encode(said).trim_end_matches('=').to_owned())
    }
}

/// A way to log in, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mechanism {
    /// RFC 7677: the password itself is not said.
    ScramSha256,
    /// RFC 4616.
    Plain,
    /// Never standardized, and all that some relays know.
    Login,
    /// RFC 7628: a token instead of a password.
    OAuthBearer,
    /// The same before it was standardized, and all that Microsoft knows.
    XOAuth2,
}

/// The names by which servers offer them.
const NAMES: [(Mechanism, &str); 5] = [
    (Mechanism::ScramSha256, "SCRAM-SHA-256"),
    (Mechanism::Plain, "PLAIN"),
    (Mechanism::Login, "LOGIN"),
    (Mechanism::OAuthBearer, "OAUTHBEARER"),
    (Mechanism::XOAuth2, "XOAUTH2"),
];

impl Mechanism {
    /// Those among the words of an AUTH line that are known here, the strongest first.
    pub fn offered(words: &[&str]) -> Vec<Self> {
        NAMES.into_iter().filter(|(_, name)| words.contains(name)).map(|(mechanism, _)| mechanism).collect()
    }

    /// Those among `offered` that take a token, the standard one first.
    pub fn of_tokens(offered: &[Self]) -> Vec<Self> {
        let mut mechanisms: Vec<Self> = offered.iter().copied().filter(|one| one.takes_token()).collect();
        mechanisms.sort_unstable();
        mechanisms
    }

    const fn takes_token(self) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOAuth2)
    }
}

/// How one mechanism ended.
enum Ended {
    LoggedIn,
    /// The relay's last answer.
    Refused(Reply),
    /// The relay did not do its part.
    Broken(Failure),
}

/// Logs in. Never says the password to a server that proved nothing, unless it is this machine itself (the account's
/// settings see to that).
///
/// # Errors
/// Nothing was sent; the failure names what can be done.
pub(super) async fn log_in(connection: &mut Connection, login: &Login, limits: &TimeLimits) -> Result<(), Failure> {
    let password = login.password.expose_secret();
    let mut mechanisms = connection.offers.mechanisms.clone();
    mechanisms.sort_unstable();
    mechanisms.retain(|one| !one.takes_token());
    mechanisms.retain(|one| *one != Mechanism::ScramSha256 || Exchange::suits(&login.username, password));
    let mut last: Option<Failure> = None;
    for mechanism in mechanisms {
        let ended = match mechanism {
            Mechanism::ScramSha256 => by_scram(connection, login, limits).await,
            Mechanism::Plain => by_plain(connection, login, limits).await,
            _ => by_questions(connection, login, limits).await,
        };
        match ended.map_err(|silence| silence.failure("while logging in"))? {
            Ended::LoggedIn => return Ok(()),
            Ended::Broken(failure) => return Err(failure),
            Ended::Refused(reply) => {
                let [name, secret, both] = login.encoded();
                let failure = reply.failure(Phase::Auth, &[&login.username, password, &name, &secret, &both]);
                let goes_on = reply.refuses_the_mechanism() || is_unknown_to_scram(mechanism, &reply);
                if !goes_on || reply.ends_session() {
                    return Err(failure);
                }
                last = Some(failure);
            }
        }
    }
    Err(last.unwrap_or_else(|| nothing_in_common(connection)))
}

/// A server that keeps only hashes of passwords may offer SCRAM and then know nothing to compare with; it says the same as
/// to a wrong password. Where the next mechanism says the password, that password decides.
fn is_unknown_to_scram(mechanism: Mechanism, reply: &Reply) -> bool {
    mechanism == Mechanism::ScramSha256 && reply.code == 535
}

fn nothing_in_common(connection: &Connection) -> Failure {
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::OtherLogin);
    match (connection.offers.auth, connection.security) {
        (true, _) => failure.text("the relay offers no login by SCRAM-SHA-256, PLAIN or LOGIN"),
        (false, Security::Plain) => failure.text("the relay offers no login on a connection without encryption"),
        (false, _) => failure.text("the relay offers no login at all"),
    }
}

async fn by_plain(connection: &mut Connection, login: &Login, limits: &TimeLimits) -> Result<Ended, Silence> {
    let response = BASE64.encode(format!("\0{}\0{}", login.username, login.password.expose_secret()));
    let reply = connection.dialogue.say(&format!("AUTH PLAIN {response}"), limits.minutes(5)).await?;
    Ok(if reply.code == 235 { Ended::LoggedIn } else { Ended::Refused(reply) })
}

async fn by_questions(connection: &mut Connection, login: &Login, limits: &TimeLimits) -> Result<Ended, Silence> {
    let mut reply = connection.dialogue.say("AUTH LOGIN", limits.minutes(5)).await?;
    for answer in [login.username.as_str(), login.password.expose_secret()] {
        if reply.code != 334 {
            return Ok(Ended::Refused(reply));
        }
        reply = connection.dialogue.say(&BASE64.encode(answer), limits.minutes(5)).await?;
    }
    Ok(if reply.code == 235 { Ended::LoggedIn } else { Ended::Refused(reply) })
}

async fn by_scram(connection: &mut Connection, login: &Login, limits: &TimeLimits) -> Result<Ended, Silence> {
    let broken = |text: &str| {
        let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(Remedy::AskRelay);
        Ok(Ended::Broken(failure.text(text)))
    };
    let Some(exchange) = Exchange::begin(&login.username) else { return broken("this machine has no randomness") };
    let command = format!("AUTH SCRAM-SHA-256 {}", exchange.first());
    let reply = connection.dialogue.say(&command, limits.minutes(5)).await?;
    if reply.code != 334 {
        return Ok(Ended::Refused(reply));
    }
    let (challenge, password) = (reply.lines.join(""), login.password.clone());
    let computed =
        tokio::task::spawn_blocking(move || exchange.answer(password.expose_secret(), &challenge)).await.ok().flatten();
    let Some(proof) = computed else {
        // RFC 4954 §4: a single asterisk withdraws from the exchange, and the relay answers 501.
        return Ok(Ended::Refused(connection.dialogue.say("*", limits.minutes(5)).await?));
    };
    let reply = connection.dialogue.say(&proof.message, limits.minutes(5)).await?;
    if reply.code != 334 {
        let unproven = "the relay accepted the login and did not prove that it knows the password";
        return if reply.code == 235 { broken(unproven) } else { Ok(Ended::Refused(reply)) };
    }
    if !proof.is_answered_by(&reply.lines.join("")) {
        return broken("the relay could not prove that it knows the password");
    }
    let reply = connection.dialogue.say("", limits.minutes(5)).await?;
    Ok(if reply.code == 235 { Ended::LoggedIn } else { Ended::Refused(reply) })
}
