//! SCRAM-SHA-256 (RFC 7677, RFC 5802): the password proves itself without being said, and the relay proves that it knows
//! it. Without channel binding, which RFC 4954 relays do not offer with this name.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SecureRandom;
use ring::{digest, hmac, pbkdf2, rand};

/// The fewest iterations that RFC 7677 §4 allows, and the most that a relay may have us compute.
const ITERATIONS_MIN: u32 = 4_096;
const ITERATIONS_MAX: u32 = 1_000_000;

const OCTETS: usize = digest::SHA256_OUTPUT_LEN;

/// The client's side before the first answer.
pub(super) struct Exchange {
    first_bare: String,
    nonce: String,
}

/// The last message of the client, and what the relay must answer to it.
pub(super) struct Proof {
    /// In base64, to be said.
    pub message: String,
    signature: Vec<u8>,
}

impl Exchange {
    /// Whether name and password can be used as they are: for others RFC 4013 asks for a preparation that is not ours.
    pub fn suits(name: &str, password: &str) -> bool {
        let plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        plain(name) && plain(password)
    }

    /// Begins one. `None` if the machine has no randomness.
    pub fn begin(name: &str) -> Option<Self> {
        let mut octets = [0; 18];
        rand::SystemRandom::new().fill(&mut octets).ok()?;
        Some(Self::with_nonce(name, BASE64.encode(octets)))
    }

    fn with_nonce(name: &str, nonce: String) -> Self {
        let name = name.replace('=', "=3D").replace(',', "=2C");
        Self { first_bare: format!("n={name},r={nonce}"), nonce }
    }

    /// The first message, in base64.
    pub fn first(&self) -> String {
        BASE64.encode(format!("n,,{}", self.first_bare))
    }

    /// Answers the relay's challenge (base64). `None` if it is not one that may be answered. Takes up to a second for a
    /// relay that asks for many iterations.
    pub fn answer(&self, password: &str, challenge: &str) -> Option<Proof> {
        let server_first = String::from_utf8(BASE64.decode(challenge.trim()).ok()?).ok()?;
        let mut parts = server_first.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = BASE64.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let is_ours = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !is_ours || !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
            return None;
        }
        let mut salted = [0; OCTETS];
        let iterations = NonZeroU32::new(iterations)?;
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password.as_bytes(), &mut salted);
        let client_key = mac(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let without_proof = format!("c=biws,r={nonce}");
        let dialogue = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_signature = mac(stored_key.as_ref(), dialogue.as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(client_signature.as_ref()).map(|(key, signature)| key ^ signature).collect();
        let server_key = mac(&salted, b"Server Key");
        Some(Proof {
            message: BASE64.encode(format!("{without_proof},p={}", BASE64.encode(proof))),
            signature: mac(server_key.as_ref(), dialogue.as_bytes()).as_ref().to_vec(),
        })
    }
}

impl Proof {
    /// Whether the relay's last message (base64) shows that it knows the password too.
    pub fn is_answered_by(&self, message: &str) -> bool {
        let told = BASE64.decode(message.trim()).ok().and_then(|octets| String::from_utf8(octets).ok());
        let signature = told.and_then(|told| BASE64.decode(told.split(',').next()?.strip_prefix("v=")?).ok());
        signature.is_some_and(|signature| bool::from(subtle::ConstantTimeEq::ct_eq(&*signature, &*self.signature)))
    }
}

fn mac(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    /// RFC 7677 §3.
    #[test]
    fn the_example_of_the_rfc_is_answered_as_it_says() {
        let exchange = Exchange::with_nonce("user", "rOprNGfwEbeRWgbNEkqO".into());
        assert_eq!(BASE64.decode(exchange.first()).expect("base64"), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = exchange.answer("pencil", &BASE64.encode(CHALLENGE)).expect("a challenge");
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(BASE64.decode(&proof.message).expect("base64"), last.as_bytes());
        assert!(proof.is_answered_by(&BASE64.encode("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
        assert!(!proof.is_answered_by(&BASE64.encode("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=")));
        assert!(!proof.is_answered_by("not base64") && !proof.is_answered_by(""));
    }

    #[test]
    fn a_challenge_that_is_not_meant_for_us_or_asks_for_too_much_or_too_little_is_not_answered() {
        let exchange = Exchange::with_nonce("user", "rOprNGfwEbeRWgbNEkqO".into());
        for challenge in [
            CHALLENGE.replace("r=rO", "r=xO"),
            CHALLENGE.replace("4096", "4095"),
            CHALLENGE.replace("4096", "999999999"),
            CHALLENGE.replace(",i=4096", ""),
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".to_owned(),
        ] {
            assert!(exchange.answer("pencil", &BASE64.encode(&challenge)).is_none(), "{challenge}");
        }
        assert!(exchange.answer("pencil", "???").is_none());
    }

    #[test]
    fn names_with_separators_are_escaped_and_foreign_letters_left_to_other_mechanisms() {
        let exchange = Exchange::with_nonce("a,b=c", "n".into());
        assert_eq!(BASE64.decode(exchange.first()).expect("base64"), b"n,,n=a=2Cb=3Dc,r=n");
        assert!(
            Exchange::suits("user", "p w!") && !Exchange::suits("user", "pässword") && !Exchange::suits("a\u{7f}", "b")
        );
    }
}
