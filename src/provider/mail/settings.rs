//! What an account of the relay is told, and what is refused before anything starts.

use std::path::PathBuf;

use serde::Deserialize;

use super::events;
use super::tls::{RequireTls, TlsMode};
use crate::provider::Setting;
use crate::provider::sign_in::{self, Authority};

/// The keys of an account's section.
pub(super) const SETTINGS: &[Setting] = &[
    sign_in::SETTINGS[0],
    Setting::plain_unless("host", "oauth", "The relay's host name, which its certificate must bear."),
    setting("port", "Its port: 587 unless given, 465 with tls = \"implicit\".", false),
    setting(
        "tls",
        "off, opportunistic, required (STARTTLS with a valid certificate; the default) or implicit (TLS from the start). \
         Letters with health information always demand a valid certificate.",
        false,
    ),
    setting("username", "The name to log in with, if the relay asks for one; with oauth, the mailbox.", false),
    secret("password", "The password that goes with it; none with oauth."),
    sign_in::SETTINGS[1],
    sign_in::SETTINGS[2],
    sign_in::SETTINGS[3],
    sign_in::SETTINGS[4],
    sign_in::SETTINGS[5],
    sign_in::SETTINGS[6],
    sign_in::SETTINGS[7],
    sign_in::SETTINGS[8],
    setting("hello_name", "What to call this machine in EHLO; its address in brackets unless given.", false),
    setting("accept_ca_file", "A PEM file of authorities to trust besides the machine's own.", false),
    setting("connections_max", "Connections at once: as many as the account's concurrency unless given.", false),
    setting("messages_per_connection_max", "Letters before a connection is closed: 100 unless given.", false),
    setting("command_timeout_seconds", "The most for one command; the RFC's minutes unless given.", false),
    setting(
        "final_dot_timeout_seconds",
        "How long to wait for the answer to a whole letter: 600 unless given. Less means more letters in doubt.",
        false,
    ),
    setting(
        "return_path",
        "A mailbox that Touchline reads, for what comes back: letters leave with an address of their own below it \
         (bounces+b…@practice.example), so that each bounce names its letter. The account must be allowed to send with it. \
         practice.email unless given.",
        false,
    ),
    setting(
        "return_path_verp",
        "false: letters leave with return_path itself, for relays that rewrite or refuse addresses with a plus; bounces are then \
         matched by what stands in them.",
        false,
    ),
    setting(
        "requiretls",
        "never (the default); if_offered: every hop behind the relay must check whom it encrypts to, where the relay offers \
         REQUIRETLS, and letters come back where one cannot; phi: letters with health information demand it, and are not sent by a \
         relay that does not offer it.",
        false,
    ),
    setting(
        "dkim_domain",
        "Sign letters for this domain (DKIM), which must be that of practice.email, above it or below it. Without it the \
         relay has to sign. A relay that rewrites Message-ID or Date breaks the signature and must sign itself.",
        false,
    ),
    setting("dkim_rsa_selector", "The selector of the RSA key: its record is SELECTOR._domainkey.DOMAIN.", false),
    secret("dkim_rsa_key", "An RSA private key in PEM, 2048 to 4096 bits: touchline dkim new makes both keys."),
    setting("dkim_ed25519_selector", "The selector of the Ed25519 key, another than that of the RSA key.", false),
    secret("dkim_ed25519_key", "An Ed25519 private key in PEM. Beside the RSA key, for few receivers know it yet."),
    setting("dkim_expire_days", "Days after which a signature no longer counts, 1 to 365; never unless given.", false),
    events::SETTINGS[0],
    events::SETTINGS[1],
    events::SETTINGS[2],
    events::SETTINGS[3],
    events::SETTINGS[4],
    events::SETTINGS[5],
    events::SETTINGS[6],
    events::SETTINGS[7],
];

const fn setting(key: &'static str, about: &'static str, required: bool) -> Setting {
    Setting::plain(key, about, required)
}

const fn secret(key: &'static str, about: &'static str) -> Setting {
    Setting::secret(key, about, false)
}

/// The section as read, without what says how to sign in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Always given once [`Settings::filled`].
    #[serde(default)]
    pub host: String,
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: TlsMode,
    pub username: Option<String>,
    pub hello_name: Option<String>,
    pub accept_ca_file: Option<PathBuf>,
    pub connections_max: Option<usize>,
    #[serde(default = "default_messages_per_connection_max")]
    pub messages_per_connection_max: u32,
    pub command_timeout_seconds: Option<u64>,
    #[serde(default = "default_final_dot_timeout_seconds")]
    pub final_dot_timeout_seconds: u64,
    pub return_path: Option<String>,
    pub return_path_verp: Option<bool>,
    #[serde(default)]
    pub requiretls: RequireTls,
    pub dkim_domain: Option<String>,
    pub dkim_rsa_selector: Option<String>,
    pub dkim_ed25519_selector: Option<String>,
    pub dkim_expire_days: Option<u64>,
}

const fn default_messages_per_connection_max() -> u32 {
    100
}

/// RFC 5321 §4.5.3.2.6: ten minutes.
const fn default_final_dot_timeout_seconds() -> u64 {
    600
}

impl Settings {
    /// With the host and port of the service that is signed in to, where none are given.
    pub fn filled(self, service: Option<Authority>) -> Self {
        match service.and_then(Authority::relay) {
            Some((host, port)) if self.host.is_empty() => {
                let port = self.port.or_else(|| (self.tls != TlsMode::Implicit).then_some(port));
                Self { host: host.to_owned(), port, ..self }
            }
            _ => self,
        }
    }

    /// Whether the relay is this machine, so that nobody else can listen.
    pub fn is_near(&self) -> bool {
        is_loopback(&self.host)
    }

    /// What would be dangerous or makes no sense, except for DKIM, which its signer checks.
    ///
    /// # Errors
    /// Names the key and what it must be.
    pub fn check(&self) -> Result<(), &'static str> {
        let is_word = |text: &str| !text.is_empty() && text.len() <= 253 && text.bytes().all(|b| b.is_ascii_graphic());
        if self.host.is_empty() {
            return Err("host is missing: add the relay's host name, or oauth = \"microsoft\" or \"google\"");
        }
        if !is_word(&self.host) {
            return Err("host must be a host name or an address");
        }
        if self.hello_name.as_deref().is_some_and(|name| !is_word(name)) {
            return Err("hello_name must be a host name");
        }
        if self.connections_max.is_some_and(|max| !(1..=256).contains(&max)) {
            return Err("connections_max must lie between 1 and 256");
        }
        if self.messages_per_connection_max == 0 {
            return Err("messages_per_connection_max must be at least 1");
        }
        let times = [self.command_timeout_seconds, Some(self.final_dot_timeout_seconds)];
        if times.iter().flatten().any(|seconds| !(1..=3600).contains(seconds)) {
            return Err("timeouts must lie between 1 and 3600 seconds");
        }
        if self.requiretls != RequireTls::Never && self.tls == TlsMode::Off {
            return Err("requiretls needs encryption to the relay too: remove tls = \"off\"");
        }
        if self.username.is_some() && !self.tls.is_strict() && !self.is_near() {
            return Err(
                "with a username, tls must be \"required\" or \"implicit\": neither a password nor a token ever \
                        travels to an unproven server",
            );
        }
        Ok(())
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_brings_its_host_and_port_and_what_is_given_counts_more() {
        let read = |text: &str| toml::from_str::<Settings>(text).expect("settings");
        for (text, service, host, port) in [
            ("", Some(Authority::Microsoft), "smtp.office365.com", Some(587)),
            ("", Some(Authority::Google), "smtp.gmail.com", Some(587)),
            ("tls = \"implicit\"", Some(Authority::Google), "smtp.gmail.com", None),
            ("port = 465\ntls = \"implicit\"", Some(Authority::Google), "smtp.gmail.com", Some(465)),
            ("host = \"smtp-relay.gmail.com\"", Some(Authority::Google), "smtp-relay.gmail.com", None),
            ("host = \"a.example\"", Some(Authority::Other), "a.example", None),
            ("host = \"a.example\"", None, "a.example", None),
        ] {
            let filled = read(text).filled(service);
            assert_eq!((filled.host.as_str(), filled.port), (host, port), "{text}");
            assert_eq!(filled.check(), Ok(()), "{text}");
        }
        for service in [None, Some(Authority::Other)] {
            assert!(read("").filled(service).check().is_err_and(|why| why.starts_with("host is missing")));
        }
    }
}
