//! `touchline provider dkim-key`: an Ed25519 key for DKIM in a new file, and its DNS record.

use std::io::Write as _;
use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::json;

use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::files::new_private;
use crate::provider::mail;

/// Writes the key so that only its owner can read it, and never over an existing file.
pub(super) fn run(console: &Console, file: &Path) -> Result<(), CliError> {
    let (pem, record) = mail::new_dkim_key().map_err(|error| CliError::new(Ending::Failed, error.to_string()))?;
    let shown = file.display();
    let written = new_private(file).and_then(|mut opened| {
        opened.write_all(pem.expose_secret().as_bytes())?;
        opened.sync_all()
    });
    written.map_err(|error| CliError::refused(format!("the key cannot be written to {shown}: {}", error.kind())))?;
    console.answer(&json!({ "file": file, "kind": "TXT", "value": record }), || {
        format!(
            "The key is in {shown}; only its owner can read it. In the account's section of touchline.toml:\n\n  \
             dkim_domain           = \"your-practice.example\"\n  dkim_ed25519_selector = \"touchline-ed\"\n  \
             dkim_ed25519_key      = {{ file = \"{shown}\" }}\n\n\
             In DNS, at SELECTOR._domainkey.DOMAIN, a TXT record:\n\n  {record}\n\n\
             Few receivers check Ed25519 yet. Add an RSA key beside it: openssl genrsa -out dkim-rsa.pem 2048"
        )
    })
}
