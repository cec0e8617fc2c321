//! A connection to the relay that is ready for mail: reached, greeted, encrypted as far as the mode demands, logged in.
//! Whatever fails here concerns the relay or the account and has sent nothing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::bearer::{Entered, TokenLogin};
use super::dialogue::{Dialogue, Silence, TimeLimits, Wire};
use super::login::{Login, Mechanism, log_in};
use super::reply::Reply;
use super::tls::{Security, Tls, TlsMode};
use crate::domain::Timestamp;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::mail_reply::Phase;
use crate::domain::remedy::Remedy;
use crate::domain::transport::Transport;

/// Tokens that are tried before the account is at fault: the one at hand, and another.
const TOKENS_MAX: usize = 2;

/// What a connection needs to know of the account.
pub(super) struct Relay {
    pub host: String,
    pub port: u16,
    pub hello_name: Option<String>,
    pub login: Option<LoginBy>,
    pub tls: Tls,
}

/// By what the account logs in.
pub(super) enum LoginBy {
    /// A name and password.
    Password(Login),
    /// A token of its mailbox.
    Token(Box<TokenLogin>),
}

/// What the server offers, as far as it is used (RFC 1869; RFC 1870, RFC 2920, RFC 3461, RFC 4954, RFC 8689).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub starttls: bool,
    pub pipelining: bool,
    /// Whether it offers any login.
    pub auth: bool,
    /// The logins that are known here.
    pub mechanisms: Vec<Mechanism>,
    pub size: bool,
    pub size_max: Option<usize>,
    pub dsn: bool,
    pub requiretls: bool,
}

impl Offers {
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            // Some announce their logins twice, once as `AUTH=PLAIN`, which is older than the RFC.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => offers.starttls = true,
                Some("PIPELINING") => offers.pipelining = true,
                Some("DSN") => offers.dsn = true,
                Some("REQUIRETLS") => offers.requiretls = true,
                Some("SIZE") => {
                    offers.size = true;
                    offers.size_max = words.next().and_then(|max| max.parse().ok()).filter(|max| *max > 0);
                }
                Some("AUTH") => {
                    offers.auth = true;
                    offers.mechanisms.extend(Mechanism::offered(&words.collect::<Vec<_>>()));
                    offers.mechanisms.sort_unstable();
                    offers.mechanisms.dedup();
                }
                _ => {}
            }
        }
        offers
    }
}

/// Ready for mail.
pub(super) struct Connection {
    pub dialogue: Dialogue<Box<dyn Wire>>,
    pub offers: Offers,
    pub security: Security,
    /// TLS version, for people.
    pub tls_version: Option<&'static str>,
    tls_cipher: Option<&'static str>,
    /// The name that the certificate was checked for.
    peer: Option<String>,
    pub logged_in: bool,
    /// Letters it carried.
    pub letters: u32,
    /// Whether it may carry another.
    pub usable: bool,
    /// Whether a transaction was begun and not ended.
    pub in_transaction: bool,
    pub idle_since: Timestamp,
}

impl Connection {
    /// Opens one and logs in.
    ///
    /// # Errors
    /// Nothing was sent; the failure speaks of the relay or the account.
    pub async fn open(relay: &Relay, mode: TlsMode, limits: &TimeLimits) -> Result<Self, Failure> {
        match &relay.login {
            Some(LoginBy::Token(login)) => Self::open_with_token(relay, login, mode, limits).await,
            Some(LoginBy::Password(login)) => {
                let mut connection = Self::open_unknown(relay, mode, limits).await?;
                log_in(&mut connection, login, limits).await?;
                connection.logged_in = true;
                Ok(connection)
            }
            None => Self::open_unknown(relay, mode, limits).await,
        }
    }

    /// A token that is refused may have been revoked before its time: another one is tried once, over a connection that knows
    /// nothing of the first.
    async fn open_with_token(
        relay: &Relay,
        login: &TokenLogin,
        mode: TlsMode,
        limits: &TimeLimits,
    ) -> Result<Self, Failure> {
        let mut refused = None;
        for _ in 0..TOKENS_MAX {
            let bearer = login.bearer(refused.as_ref().map(|(bearer, _)| bearer), limits).await?;
            let mut connection = Self::open_unknown(relay, mode, limits).await?;
            match login.log_in(&mut connection, &bearer, limits).await? {
                Entered::LoggedIn => {
                    connection.logged_in = true;
                    return Ok(connection);
                }
                Entered::TokenRefused(failure) => refused = Some((bearer, failure)),
            }
            tokio::spawn(connection.close());
        }
        let refused = refused.map(|(_, failure)| failure);
        Err(refused.unwrap_or_else(|| Failure::new(Fault::AccountError).about(About::Account)))
    }

    /// Opens one, step by step, without a login.
    async fn open_unknown(relay: &Relay, mode: TlsMode, limits: &TimeLimits) -> Result<Self, Failure> {
        let tcp = reach(relay, limits).await?;
        let hello = hello(relay, tcp.local_addr().ok());
        if mode != TlsMode::Implicit {
            return Self::open_in_clear(relay, tcp, &hello, mode, limits).await;
        }
        let mut connection = encrypt(relay, tcp, true, limits).await?;
        greeting(&mut connection.dialogue, limits).await?;
        connection.offers = introduce(&mut connection.dialogue, &hello, limits).await?;
        Ok(connection)
    }

    async fn open_in_clear(
        relay: &Relay,
        tcp: TcpStream,
        hello: &str,
        mode: TlsMode,
        limits: &TimeLimits,
    ) -> Result<Self, Failure> {
        let mut dialogue = Dialogue::new(tcp);
        greeting(&mut dialogue, limits).await?;
        let offers = introduce(&mut dialogue, hello, limits).await?;
        if mode == TlsMode::Off || !start_tls(&mut dialogue, &offers, mode.is_strict(), limits).await? {
            let tcp = dialogue.into_stream().ok_or_else(|| Silence::Garbled.failure("to EHLO"))?;
            return Ok(Self::new(Box::new(tcp), offers, Security::Plain));
        }
        let injected = || unencrypted("the relay went on in the clear after STARTTLS");
        let tcp = dialogue.into_stream().ok_or_else(injected)?;
        let mut connection = encrypt(relay, tcp, mode.is_strict(), limits).await?;
        connection.offers = introduce(&mut connection.dialogue, hello, limits).await?;
        Ok(connection)
    }

    fn new(wire: Box<dyn Wire>, offers: Offers, security: Security) -> Self {
        Self {
            dialogue: Dialogue::new(wire),
            offers,
            security,
            tls_version: None,
            tls_cipher: None,
            peer: None,
            logged_in: false,
            letters: 0,
            usable: true,
            in_transaction: false,
            idle_since: Timestamp(0),
        }
    }

    /// How what it carries travels.
    pub fn transport(&self) -> Transport {
        if self.security == Security::Plain {
            return Transport::plain();
        }
        Transport {
            version: self.tls_version.unwrap_or("TLS").to_owned(),
            cipher: self.tls_cipher.map(str::to_owned),
            peer: self.peer.clone(),
        }
    }

    /// Says goodbye, for at most a few seconds; what the server answers does not matter.
    pub async fn close(mut self) {
        let _ = self.dialogue.say("QUIT", tokio::time::Instant::now() + Duration::from_secs(5)).await;
    }
}

async fn reach(relay: &Relay, limits: &TimeLimits) -> Result<TcpStream, Failure> {
    let until = limits.minutes(1);
    let unreachable =
        |text: String| Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay).text(text);
    let tcp = timeout_at(until, TcpStream::connect((relay.host.as_str(), relay.port)))
        .await
        .map_err(|_| unreachable("no connection to the mail relay: timed out".to_owned()))?
        .map_err(|error| unreachable(format!("no connection to the mail relay: {}", error.kind())))?;
    // Without it the end of a body waits 40 ms for an acknowledgement (Nagle against delayed acknowledgement).
    tcp.set_nodelay(true).map_err(|error| unreachable(format!("no connection to the mail relay: {}", error.kind())))?;
    Ok(tcp)
}

/// Our name for EHLO: the configured one, else our address as a literal (RFC 5321 §4.1.4).
fn hello(relay: &Relay, local: Option<SocketAddr>) -> String {
    match (&relay.hello_name, local.map(|address| address.ip().to_canonical())) {
        (Some(name), _) => name.clone(),
        (None, Some(std::net::IpAddr::V4(ip))) => format!("[{ip}]"),
        (None, Some(std::net::IpAddr::V6(ip))) => format!("[IPv6:{ip}]"),
        (None, None) => "[127.0.0.1]".to_owned(),
    }
}

async fn greeting<S: Wire>(dialogue: &mut Dialogue<S>, limits: &TimeLimits) -> Result<(), Failure> {
    let reply = dialogue.hear(limits.minutes(5)).await.map_err(|silence| silence.failure("before its greeting"))?;
    if reply.code == 220 { Ok(()) } else { Err(reply.failure(Phase::Greeting, &[])) }
}

/// EHLO, or HELO to a relay that does not know it (RFC 5321 §3.2); that one offers nothing.
async fn introduce<S: Wire>(dialogue: &mut Dialogue<S>, hello: &str, limits: &TimeLimits) -> Result<Offers, Failure> {
    let reply = dialogue.say(&format!("EHLO {hello}"), limits.minutes(5)).await;
    let reply = reply.map_err(|silence| silence.failure("at EHLO"))?;
    if reply.code == 250 {
        return Ok(Offers::read(&reply));
    }
    let refused = reply.failure(Phase::Hello, &[]);
    if !matches!(reply.code, 500 | 501 | 502 | 504) {
        return Err(refused);
    }
    match dialogue.say(&format!("HELO {hello}"), limits.minutes(5)).await {
        Ok(reply) if reply.code == 250 => Ok(Offers::default()),
        Ok(reply) => Err(reply.failure(Phase::Hello, &[])),
        Err(_) => Err(refused),
    }
}

/// Encryption was demanded and could not be had: every letter of the account would hear the same.
fn unencrypted(text: &str) -> Failure {
    Failure::new(Fault::TlsRequired).about(About::Path).remedy(Remedy::UseEncryption).text(text)
}

/// Asks for TLS. `Ok(false)` means that it goes on in the clear, which a strict mode never does.
async fn start_tls<S: Wire>(
    dialogue: &mut Dialogue<S>,
    offers: &Offers,
    strict: bool,
    limits: &TimeLimits,
) -> Result<bool, Failure> {
    let refused = |failure: Failure| if strict { Err(failure) } else { Ok(false) };
    if !offers.starttls {
        return refused(unencrypted("the relay does not offer STARTTLS"));
    }
    let reply = dialogue.say("STARTTLS", limits.minutes(2)).await;
    let reply = reply.map_err(|silence| silence.failure("at STARTTLS"))?;
    if reply.ends_session() {
        return Err(reply.failure(Phase::StartTls, &[]));
    }
    if reply.code == 220 {
        return Ok(true);
    }
    let Failure { raw_code, raw_text, .. } = reply.failure(Phase::StartTls, &[]);
    refused(Failure { raw_code, raw_text, ..unencrypted("") })
}

async fn encrypt(relay: &Relay, tcp: TcpStream, strict: bool, limits: &TimeLimits) -> Result<Connection, Failure> {
    let stream = timeout_at(limits.minutes(1), relay.tls.handshake(tcp, strict))
        .await
        .map_err(|_| Silence::TimedOut.failure("during the TLS handshake"))??;
    let session = stream.get_ref().1;
    let tls_version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => Some("TLS 1.2"),
        Some(rustls::ProtocolVersion::TLSv1_3) => Some("TLS 1.3"),
        _ => None,
    };
    let security = if strict { Security::Verified } else { Security::Encrypted };
    let tls_cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let peer = strict.then(|| relay.host.clone());
    let connection = Connection::new(Box::new(stream), Offers::default(), security);
    Ok(Connection { tls_version, tls_cipher, peer, ..connection })
}
