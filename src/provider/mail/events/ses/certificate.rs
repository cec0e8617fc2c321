//! The certificates that SNS signs with. What is served is one certificate alone; who issued it is fetched from the address
//! that it names (RFC 5280 §4.2.2.1), until the chain ends at an authority that this machine trusts. A chain is checked
//! anew with every message, so that it ends when it expires.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use url::Url;

use super::envelope::{Envelope, Topic};
use crate::domain::Timestamp;
use crate::http;

/// Most certificates that are kept; SNS changes its own about once a year.
const KEPT_MAX: usize = 16;
/// Most certificates above the one that is signed with.
const ISSUERS_MAX: usize = 4;
/// How often certificates are fetched at most: anybody who knows the topic's name can ask for one.
const FETCHES_MAX: usize = 10;
/// … in this time.
const FETCHES_WITHIN: Duration = Duration::from_secs(60);
/// How long a fetch may take: SNS waits 15 seconds for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest certificate, in octets.
const OCTETS_MAX: usize = 64 * 1024;
/// Whose issuers' certificates may be fetched: Amazon's own authority, and that of its regions in China.
const ISSUER_HOSTS: [&str; 3] = [".amazontrust.com", ".digicert.com", ".digicert.cn"];
/// `caIssuers` (RFC 5280 §4.2.2.1), then the tag of an address.
const CA_ISSUERS: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86];
/// `rsaEncryption` (RFC 8017 appendix C).
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Where certificates come from.
#[async_trait]
pub(super) trait Web: Send + Sync {
    /// What an address answers with.
    ///
    /// # Errors
    /// Why there was no good answer, in words that name no address.
    async fn get(&self, url: &Url) -> Result<Vec<u8>, String>;
}

/// The web.
pub(super) struct Https(reqwest::Client);

impl Https {
    pub const fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Web for Https {
    async fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let failed = |text: Option<String>| text.unwrap_or_else(|| "there was no answer".to_owned());
        let answer = http::ask(self.0.get(url.clone()), TIMEOUT).await.map_err(|failure| failed(failure.raw_text))?;
        if answer.status != 200 {
            return Err(format!("the answer was HTTP {}", answer.status));
        }
        if answer.body.len() > OCTETS_MAX { Err("the answer is too long".to_owned()) } else { Ok(answer.body) }
    }
}

/// Whom this account trusts.
pub(super) struct Trust(RootCertStore);

impl Trust {
    /// The machine's authorities.
    pub fn of_this_machine() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self(roots)
    }

    #[cfg(test)]
    pub fn only(authority: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority).expect("an authority");
        Self(roots)
    }
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Chain,
    Name,
    Key,
    Signature,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "its chain does not end at an authority that this machine trusts, or it has expired",
            Self::Name => "it is not for SNS in the topic's region",
            Self::Key => "it holds no RSA key",
            Self::Signature => "the signature does not match",
        })
    }
}

/// A certificate and those above it.
pub(super) struct Chain {
    trust: Arc<Trust>,
    signer: CertificateDer<'static>,
    issuers: Vec<CertificateDer<'static>>,
}

impl Chain {
    /// Checks chain, dates, name and signature.
    ///
    /// # Errors
    /// What of it is wrong.
    pub fn verify(&self, topic: &Topic, envelope: &Envelope, now: Timestamp) -> Result<(), Wrong> {
        self.check(topic, now)?;
        verify_by(&self.signer, envelope)
    }

    fn check(&self, topic: &Topic, now: Timestamp) -> Result<(), Wrong> {
        let signer = ParsedCertificate::try_from(&self.signer).map_err(|_| Wrong::Chain)?;
        let at = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(now.0).unwrap_or(0)));
        let algorithms = default_provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&signer, &self.trust.0, &self.issuers, at, algorithms)
            .map_err(|_| Wrong::Chain)?;
        let bears =
            |name: String| ServerName::try_from(name).is_ok_and(|name| verify_server_name(&signer, &name).is_ok());
        if topic.names().into_iter().any(bears) { Ok(()) } else { Err(Wrong::Name) }
    }
}

/// The signature alone, by a certificate's key.
pub(super) fn verify_by(signer: &CertificateDer<'_>, envelope: &Envelope) -> Result<(), Wrong> {
    let algorithm: &RsaParameters = match envelope.version.as_str() {
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "2" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(Wrong::Signature),
    };
    let parsed = ParsedCertificate::try_from(signer).map_err(|_| Wrong::Key)?;
    let info = parsed.subject_public_key_info();
    let key = rsa_key(&info).ok_or(Wrong::Key)?;
    let signature = BASE64.decode(envelope.signature.trim()).map_err(|_| Wrong::Signature)?;
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(envelope.signed().as_bytes(), &signature).map_err(|_| Wrong::Signature)
}

/// The `RSAPublicKey` in a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
fn rsa_key(info: &[u8]) -> Option<&[u8]> {
    let (info, _) = element(0x30, info)?;
    let (algorithm, rest) = element(0x30, info)?;
    let (bits, _) = element(0x03, rest)?;
    bits.strip_prefix(&[0]).filter(|_| algorithm.starts_with(RSA_ENCRYPTION))
}

/// The content of a DER element with that tag, and what follows it (X.690 §8.1).
fn element(tag: u8, octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// Where a certificate says that its issuer's is. It need not be believed: what comes from there must complete the chain.
pub(super) fn issuer_address(certificate: &[u8]) -> Option<Url> {
    let start = certificate.windows(CA_ISSUERS.len()).position(|window| window == CA_ISSUERS)? + CA_ISSUERS.len();
    let (&length, rest) = certificate.get(start..)?.split_first()?;
    let text = std::str::from_utf8(rest.get(..usize::from(length)).filter(|_| length < 0x80)?).ok()?;
    let url = Url::parse(text).ok()?;
    let is_known = url.host_str().is_some_and(|host| ISSUER_HOSTS.iter().any(|known| host.ends_with(known)));
    (is_known && matches!(url.scheme(), "http" | "https") && url.port().is_none()).then_some(url)
}

/// The certificates of one account.
pub(super) struct Certificates {
    trust: Arc<Trust>,
    web: Arc<dyn Web>,
    kept: Mutex<BTreeMap<String, Arc<Chain>>>,
    /// When the latest fetches were made; held over a fetch, so that there is one at a time.
    fetches: tokio::sync::Mutex<VecDeque<Timestamp>>,
}

impl Certificates {
    pub fn new(trust: Trust, web: Arc<dyn Web>) -> Self {
        Self { trust: Arc::new(trust), web, kept: Mutex::default(), fetches: tokio::sync::Mutex::default() }
    }

    /// The certificate of that address, if it was fetched.
    pub fn kept(&self, address: &str) -> Option<Arc<Chain>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    /// Fetches the certificate of that address and its issuers, unless it is here. One whose chain is not complete is not
    /// kept, because it may be complete the next time.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub async fn fetch(&self, topic: &Topic, address: &str, now: Timestamp) -> Result<(), String> {
        if self.kept(address).is_some() {
            return Ok(());
        }
        let mut fetches = self.fetches.lock().await;
        if self.kept(address).is_some() {
            return Ok(());
        }
        fetches.retain(|at| now.distance(*at) < FETCHES_WITHIN);
        if fetches.len() >= FETCHES_MAX {
            return Err("too many certificates were asked for in the last minute".to_owned());
        }
        fetches.push_back(now);
        let url = Url::parse(address).map_err(|_| "it has no address".to_owned())?;
        let chain = self.complete(topic, &self.web.get(&url).await?, now).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.pop_first();
        }
        kept.insert(address.to_owned(), Arc::new(chain));
        Ok(())
    }

    /// The chain that begins with what was fetched. A complete one that is wrong in another way is kept too: another fetch
    /// would not mend it.
    async fn complete(&self, topic: &Topic, pem: &[u8], now: Timestamp) -> Result<Chain, String> {
        let mut fetched = CertificateDer::pem_slice_iter(pem).take(1 + ISSUERS_MAX).filter_map(Result::ok);
        let signer = fetched.next().ok_or("what was fetched is no certificate")?;
        let mut chain = Chain { trust: self.trust.clone(), signer, issuers: fetched.collect() };
        while chain.check(topic, now) == Err(Wrong::Chain) {
            let above = chain.issuers.last().unwrap_or(&chain.signer);
            let next = issuer_address(above).filter(|_| chain.issuers.len() < ISSUERS_MAX);
            let next = next.ok_or_else(|| Wrong::Chain.to_string())?;
            let issuer = self.web.get(&next).await.map_err(|why| format!("that of its issuer: {why}"))?;
            let issuer = CertificateDer::from_pem_slice(&issuer).unwrap_or_else(|_| CertificateDer::from(issuer));
            chain.issuers.push(issuer);
        }
        Ok(chain)
    }
}
