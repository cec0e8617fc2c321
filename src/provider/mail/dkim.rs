//! Signs letters with DKIM (RFC 6376; RFC 8463 for Ed25519), relaxed/relaxed, one signature for each key. Made last:
//! nothing may touch the octets afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use super::canonical::{self, Field};
use super::compose::ascii_domain;
use super::settings::Settings;
use super::signing_key::{SignError, SigningKey};
use crate::domain::dns_name::is_dns_name;
use crate::domain::{EmailAddress, Timestamp};
use crate::provider::DnsRecord;

/// Fields that are signed where they are there, in this order (RFC 6376 §5.4.1; RFC 8058 §4 for the two of unsubscribing).
const SIGNED: [&str; 15] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Fields that are named once more than they occur, so that nobody can add another and be believed (RFC 6376 §8.15).
const SEALED: [&str; 6] = ["From", "To", "Cc", "Subject", "Date", "Reply-To"];
/// Fields that are sealed where there is one; a relay may add them where there is none.
const SEALED_IF_PRESENT: [&str; 4] = ["Message-ID", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"];
/// A signature in base64 is folded into lines of so many octets.
const LINE_OCTETS: usize = 72;
/// Days after which a signature may expire.
const EXPIRE_DAYS: std::ops::RangeInclusive<u64> = 1..=365;

/// Signs for one domain.
pub(super) struct Signer {
    domain: String,
    keys: Vec<(String, SigningKey)>,
    expire: Option<Duration>,
}

impl Signer {
    /// The signer that the settings describe; `None` where they do not speak of DKIM.
    ///
    /// # Errors
    /// Names the setting, what is wrong and what to do.
    pub fn new(
        settings: &Settings,
        secrets: &BTreeMap<String, SecretString>,
        sender: Option<&EmailAddress>,
    ) -> Result<Option<Self>, String> {
        let mut keys = Vec::new();
        for (word, selector, read) in [
            ("rsa", &settings.dkim_rsa_selector, SigningKey::rsa as fn(&str) -> Result<SigningKey, &'static str>),
            ("ed25519", &settings.dkim_ed25519_selector, SigningKey::ed25519),
        ] {
            match (selector, secrets.get(&format!("dkim_{word}_key"))) {
                (Some(selector), Some(_)) if !is_dns_name(selector) => {
                    return Err(format!("dkim_{word}_selector must be a word of a-z, 0-9, hyphen: {word}2026"));
                }
                (Some(selector), Some(pem)) => {
                    let key = read(pem.expose_secret()).map_err(|reason| format!("dkim_{word}_key {reason}"))?;
                    keys.push((selector.to_ascii_lowercase(), key));
                }
                (Some(_), None) => return Err(format!("dkim_{word}_selector is given without dkim_{word}_key")),
                (None, Some(_)) => return Err(format!("dkim_{word}_key is given without dkim_{word}_selector")),
                (None, None) => {}
            }
        }
        let domain = match (&settings.dkim_domain, keys.is_empty()) {
            (None, true) => return Ok(None),
            (Some(_), true) => return Err("dkim_domain is given without a key: add dkim_rsa_key".to_owned()),
            (None, false) => return Err("a DKIM key is given without dkim_domain".to_owned()),
            (Some(domain), false) => signing_domain(domain, sender)?,
        };
        if let [(one, _), (other, _)] = keys.as_slice()
            && one == other
        {
            return Err(
                "dkim_rsa_selector and dkim_ed25519_selector must differ: each names a record of its own".into()
            );
        }
        if settings.dkim_expire_days.is_some_and(|days| !EXPIRE_DAYS.contains(&days)) {
            return Err("dkim_expire_days must lie between 1 and 365".to_owned());
        }
        let expire = settings.dkim_expire_days.map(|days| Duration::from_secs(days * 24 * 3600));
        Ok(Some(Self { domain, keys, expire }))
    }

    /// Whether signing takes long enough to stand in the way of others.
    pub fn is_slow(&self) -> bool {
        self.keys.iter().any(|(_, key)| key.is_slow())
    }

    /// What the domain must publish.
    pub fn records(&self) -> Vec<DnsRecord> {
        let record = |(selector, key): &(String, SigningKey)| DnsRecord {
            name: format!("{selector}._domainkey.{}", self.domain),
            kind: "TXT",
            value: key.record(),
        };
        self.keys.iter().map(record).collect()
    }

    /// What a person should know of the choice of keys.
    pub fn advice(&self) -> Option<&'static str> {
        (!self.is_slow()).then_some("few receivers check Ed25519 yet: add an RSA key, or they see no signature")
    }

    /// The signatures as header fields, to be put before the mail as it is.
    pub fn sign(&self, eml: &[u8], now: Timestamp) -> Result<Vec<u8>, SignError> {
        let (fields, body) = canonical::take_apart(eml);
        let body_hash = BASE64.encode(digest(&SHA256, &canonical::body(body)));
        let (names, hashed) = signed_header(&fields);
        let mut signatures = Vec::with_capacity(1024);
        for (selector, key) in &self.keys {
            let unsigned = self.unsigned(selector, key.algorithm(), &names, &body_hash, now);
            let signature = BASE64.encode(key.sign(&hash_input(&hashed, &unsigned)?)?);
            signatures.extend_from_slice(unsigned.as_bytes());
            for (number, line) in signature.as_bytes().chunks(LINE_OCTETS).enumerate() {
                signatures.extend_from_slice(if number == 0 { b"" } else { b"\r\n " });
                signatures.extend_from_slice(line);
            }
            signatures.extend_from_slice(b"\r\n");
        }
        Ok(signatures)
    }

    /// The field with an empty `b=`.
    fn unsigned(&self, selector: &str, algorithm: &str, names: &str, body_hash: &str, now: Timestamp) -> String {
        let time = now.0.max(0) / 1000;
        let mut field = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={};\r\n s={selector}; t={time}",
            self.domain
        );
        if let Some(expire) = self.expire {
            // Writing to a string cannot fail.
            let _ = write!(field, "; x={}", now.after(expire).0.max(0) / 1000);
        }
        let _ = write!(field, ";\r\n h={names};\r\n bh={body_hash};\r\n b=");
        field
    }
}

/// The value of `h=`, folded, and the fields it names in the form that is hashed. Where a field occurs more than once,
/// the last is meant first (RFC 6376 §5.4.2); a field that is not there counts as nothing.
fn signed_header(fields: &[Field<'_>]) -> (String, Vec<u8>) {
    let (mut names, mut hashed) = (String::with_capacity(256), Vec::with_capacity(1024));
    let mut line = 0;
    let mut name_it = |name: &str| {
        let separator = if names.is_empty() { "" } else { ":" };
        if line + name.len() > LINE_OCTETS {
            names.push_str(separator);
            names.push_str("\r\n  ");
            line = 0;
        } else {
            names.push_str(separator);
        }
        names.push_str(name);
        line += name.len() + 1;
    };
    for name in SIGNED {
        let mut is_there = false;
        for field in fields.iter().rev().filter(|field| field.is(name)) {
            is_there = true;
            name_it(name);
            canonical::push_field(&mut hashed, *field);
        }
        if SEALED.contains(&name) || (is_there && SEALED_IF_PRESENT.contains(&name)) {
            name_it(name);
        }
    }
    (names, hashed)
}

/// What is signed: the named fields, then the signature's own field without a value of `b=` and without its CRLF
/// (RFC 6376 §3.7).
fn hash_input(hashed: &[u8], unsigned: &str) -> Result<Vec<u8>, SignError> {
    let mut input = Vec::with_capacity(hashed.len() + unsigned.len());
    input.extend_from_slice(hashed);
    canonical::push_field(&mut input, Field::read(unsigned.as_bytes()).ok_or(SignError)?);
    input.truncate(input.len() - 2);
    Ok(input)
}

/// The domain in its ASCII form. It must be that of the sender, above it or below it: a receiver that follows DMARC
/// (RFC 9989) gives a signature of another domain no weight.
fn signing_domain(written: &str, sender: Option<&EmailAddress>) -> Result<String, String> {
    let domain = ascii_domain(written).ok().filter(|domain| is_dns_name(domain) && domain.contains('.'));
    let domain = domain.ok_or("dkim_domain must be a domain name, such as practice.example")?.to_ascii_lowercase();
    let Some(from) = sender.and_then(|sender| ascii_domain(sender.domain()).ok()) else { return Ok(domain) };
    let from = from.to_ascii_lowercase();
    let below = |one: &str, other: &str| one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'));
    if from == domain || below(&from, &domain) || below(&domain, &from) {
        Ok(domain)
    } else {
        Err(format!("dkim_domain must be the domain of practice.email ({from}), or receivers ignore the signature"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/dkim/");

    fn fixture(name: &str) -> String {
        std::fs::read_to_string(format!("{FOLDER}{name}")).expect("a fixture")
    }

    /// RFC 8463 appendix A: the private key, the mail and the signature it must give.
    #[test]
    fn the_example_of_the_standard_comes_out_octet_by_octet() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                   -----END PRIVATE KEY-----\n";
        let key = SigningKey::ed25519(pem).expect("the key of the example");
        assert_eq!(key.record(), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let eml = fixture("rfc8463.eml").replace('\n', "\r\n");
        let (own, rest) = eml.split_once("DKIM-Signature: v=1; a=rsa").expect("two signatures");
        let (unsigned, signature) = own.rsplit_once("b=").expect("a signature");
        let (fields, body) = canonical::take_apart(rest.as_bytes());
        let mut hashed = Vec::new();
        for name in ["From", "To", "Subject", "Date", "Message-ID"] {
            let field = fields.iter().find(|field| field.is(name)).expect("a field of the example");
            canonical::push_field(&mut hashed, *field);
        }
        let body_hash = BASE64.encode(digest(&SHA256, &canonical::body(body)));
        assert_eq!(body_hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        let input = hash_input(&hashed, &format!("{unsigned}b=")).expect("a field");
        let signature: String = signature.split_whitespace().collect();
        assert_eq!(key.sign(&input).map(|signature| BASE64.encode(signature)), Ok(signature));
    }

    /// The folder's README says who else has verified these octets.
    #[test]
    fn a_mail_is_signed_as_an_independent_verifier_has_found_good() {
        let signer = Signer {
            domain: "harbor.example".into(),
            keys: vec![
                ("rsa2026".into(), SigningKey::rsa(&fixture("rsa.pem")).expect("a key")),
                ("ed2026".into(), SigningKey::ed25519(&fixture("ed25519.pem")).expect("a key")),
            ],
            expire: None,
        };
        let eml = fixture("letter.eml").replace('\n', "\r\n");
        let signatures = signer.sign(eml.as_bytes(), Timestamp(1_795_446_000_000)).expect("signed");
        let signatures = String::from_utf8(signatures).expect("ASCII").replace("\r\n", "\n");
        assert_eq!(signatures, fixture("letter.signatures"));
    }
}
