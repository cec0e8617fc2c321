//! The mail server that holds a mailbox: how it is reached, and encryption. TLS 1.2 at least, certificates always checked.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::conversation::{TimeLimits, Wire};
use super::settings::MailboxTls;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::provider::mail::tls::Tls;

/// The most for the connection, and for the handshake.
const REACH_MAX: Duration = Duration::from_secs(30);

/// What is to be done about a certificate.
const CERTIFICATES: &str = "host must be the name in it; an authority of your own goes into accept_ca_file, a PEM file";

/// What a connection needs to know.
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    pub tls: MailboxTls,
    pub trust: Tls,
    pub limits: TimeLimits,
}

impl Server {
    /// Whether it is this machine, where nobody else can listen.
    pub fn is_near(&self) -> bool {
        super::settings::is_loopback(&self.host)
    }

    /// A connection as it is at first, encrypted if that is the mode.
    ///
    /// # Errors
    /// It cannot be reached, or is not who it should be.
    pub async fn reach(&self) -> Result<Box<dyn Wire>, Failure> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let tcp = timeout(REACH_MAX, connecting)
            .await
            .map_err(|_| unreachable("timed out"))?
            .map_err(|error| unreachable(&error.kind().to_string()))?;
        tcp.set_nodelay(true).map_err(|error| unreachable(&error.kind().to_string()))?;
        if self.tls == MailboxTls::Implicit { self.encrypt(Box::new(tcp)).await } else { Ok(Box::new(tcp)) }
    }

    /// Encrypts a connection, with the server that is meant and no other.
    ///
    /// # Errors
    /// `TlsRequired` if the server is not who it should be.
    pub async fn encrypt(&self, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, Failure> {
        let shaken = timeout(REACH_MAX, self.trust.handshake(wire, true)).await;
        let shaken = shaken.map_err(|_| unreachable("timed out during the TLS handshake"))?;
        // The words are those of SMTP, where the server is a relay.
        let words = |failure: Failure| {
            let text = failure.raw_text.clone().unwrap_or_default().replace("the relay", "the mail server");
            let is_about_certificate = text.contains("certificate");
            let text = if is_about_certificate { format!("{text} ({CERTIFICATES})") } else { text };
            // Whoever answers in the clear, or hangs up, may have been spoken to at the wrong port.
            failure.remedy(Remedy::UseEncryption).text(text)
        };
        Ok(Box::new(shaken.map_err(words)?))
    }
}

/// Encryption was demanded and could not be had.
pub(super) fn unencrypted(words: &str) -> Failure {
    Failure::new(Fault::TlsRequired).about(About::Path).remedy(Remedy::UseEncryption).text(words)
}

/// Something listens there, and it is no such server, or it is spoken to in the wrong way.
pub(super) fn speaks_otherwise(protocol: &str) -> Failure {
    let failure = Failure::new(Fault::ProtocolError).about(About::Path).remedy(Remedy::UseEncryption);
    failure.text(format!("what answers there does not speak {protocol}"))
}

fn unreachable(why: &str) -> Failure {
    let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
    failure.text(format!("no connection to the mail server: {why}"))
}
