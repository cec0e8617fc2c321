//! The keys that sign for DKIM: read from PEM, and told to the world as a DNS record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// A private key. Prints nothing of itself.
pub(super) enum SigningKey {
    /// RSA of 2048 to 4096 bits (RFC 8301 §3.2).
    Rsa(Box<RsaKeyPair>),
    /// Ed25519 (RFC 8463).
    Ed25519(Box<Ed25519KeyPair>),
}

/// Why nothing was signed. It does not happen with a key that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignError;

impl SigningKey {
    /// Reads an RSA key in PEM, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// What is wrong with it and what to do, without a word of it.
    pub fn rsa(pem: &str) -> Result<Self, &'static str> {
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("is not a private key in PEM: it begins with -----BEGIN PRIVATE KEY-----"),
        };
        let pair = pair.map_err(|rejected| match rejected.to_string().as_str() {
            "TooSmall" => "is shorter than 2048 bits: make a longer one",
            "TooLarge" => "is longer than 4096 bits: make a shorter one",
            "WrongAlgorithm" => "is not an RSA key",
            _ => "is damaged, or not an RSA key of 2048 to 4096 bits",
        })?;
        Ok(Self::Rsa(Box::new(pair)))
    }

    /// Reads an Ed25519 key in PEM, PKCS#8.
    ///
    /// # Errors
    /// What is wrong with it and what to do, without a word of it.
    pub fn ed25519(pem: &str) -> Result<Self, &'static str> {
        let Ok(PrivateKeyDer::Pkcs8(der)) = PrivateKeyDer::from_pem_slice(pem.as_bytes()) else {
            return Err("is not a PKCS#8 private key in PEM: it begins with -----BEGIN PRIVATE KEY-----");
        };
        // OpenSSL writes keys without their public half, which is then computed here instead of checked.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        Ok(Self::Ed25519(Box::new(pair.map_err(|_| "is not an Ed25519 key")?)))
    }

    /// Makes an Ed25519 key: the PEM to keep, and the key.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn new_ed25519() -> Result<(String, Self), SignError> {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SignError)?;
        let text = BASE64.encode(der.as_ref());
        let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let key = Self::ed25519(&pem).map_err(|_| SignError)?;
        Ok((pem, key))
    }

    /// The word for `a=`.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Whether signing takes long enough (about half a millisecond) to stand in the way of others.
    pub const fn is_slow(&self) -> bool {
        matches!(self, Self::Rsa(_))
    }

    /// Signs the SHA-256 of what is given (RFC 6376 §3.3.2; RFC 8463 §3: the hash is what Ed25519 signs).
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).map_err(|_| SignError)?;
                Ok(signature)
            }
            Self::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, text).as_ref()).as_ref().to_vec()),
        }
    }

    /// The record that lets others check the signatures (RFC 6376 §3.6.1, RFC 8463 §4).
    pub fn record(&self) -> String {
        match self {
            Self::Rsa(pair) => {
                format!("v=DKIM1; k=rsa; p={}", BASE64.encode(subject_public_key_info(pair.public().as_ref())))
            }
            Self::Ed25519(pair) => format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(pair.public_key().as_ref())),
        }
    }
}

/// An RSA public key as X.509 wraps it (RFC 5280 §4.1), which is what every verifier expects in `p=`.
fn subject_public_key_info(rsa_public_key: &[u8]) -> Vec<u8> {
    /// SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL } (RFC 8017 appendix A.1).
    const ALGORITHM: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let bits = der(0x03, &[&[0], rsa_public_key].concat());
    der(0x30, &[ALGORITHM, &bits].concat())
}

/// One DER value of at most 64 KB, longer than any key.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = match length {
        [0, low] if low < 0x80 => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}
