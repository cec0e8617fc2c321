//! A new RSA key, made by OpenSSL: what signs here (ring) makes no RSA keys (decision 54).

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::process::Command;

/// Bits of the key: what RFC 8301 §3.2 wants signers to use, and what fits a TXT record that every DNS panel takes.
const BITS: &str = "2048";
/// A key takes less than a second; a machine without randomness might wait for ever.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most octets that a key in PEM has, with much to spare.
const PEM_OCTETS_MAX: usize = 16 * 1024;

/// Makes a key of 2048 bits: a private key in PEM, PKCS#8 or PKCS#1.
///
/// # Errors
/// OpenSSL is not installed, fails, or takes longer than two minutes; the words say what to do.
pub(super) async fn make() -> Result<SecretString, String> {
    let mut command = Command::new("openssl");
    command.args(["genrsa", BITS]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            return Err("RSA keys are made with OpenSSL, which is not on this machine: install it (apt install openssl), or run \
                        this command on a machine that has it and bring the two files here"
                .to_owned());
        }
        Ok(Err(error)) => return Err(format!("openssl cannot be started ({})", error.kind())),
        Err(_) => return Err("openssl genrsa did not end within two minutes: try it by hand".to_owned()),
    };
    let pem = String::from_utf8(output.stdout).ok().filter(|pem| pem.len() <= PEM_OCTETS_MAX);
    match pem {
        Some(pem) if output.status.success() => Ok(pem.into()),
        _ => Err("openssl genrsa made no key: try it by hand".to_owned()),
    }
}
