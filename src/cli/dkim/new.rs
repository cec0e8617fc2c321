//! `touchline dkim new`: two keys, the records to publish, and the settings that make an account sign with them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::Utc;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use super::rsa_key;
use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::config::Config;
use crate::domain::dns_name::is_dns_name;
use crate::files::{folder_of, new_private};
use crate::provider::mail;

/// The kind of account that signs.
const KIND: &str = "smtp";
/// Octets that one string of a TXT record can hold (RFC 1035 §3.3).
const TXT_STRING_OCTETS_MAX: usize = 255;

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sign for this domain (default: that of practice.email)
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The account whose letters are to be signed (default: the only SMTP account)
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Write the keys into this folder (default: the configuration's)
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
}

/// A key that was made.
#[derive(Debug, Serialize)]
struct Made {
    /// `rsa` or `ed25519`, as in the names of the settings.
    algorithm: &'static str,
    selector: String,
    file: PathBuf,
    record: Record,
}

/// What to publish.
#[derive(Debug, Serialize)]
struct Record {
    name: String,
    kind: &'static str,
    value: String,
    /// The value in pieces of at most 255 octets, for DNS panels that ask for strings.
    strings: Vec<String>,
}

/// Makes both keys. Each file is new and its owner's alone; if one is there already, nothing is made.
///
/// # Errors
/// See [`super::run`].
pub(super) async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let config = known(console, args)?;
    let domain = domain(args, config.as_ref())?;
    let account = account(args, config.as_ref())?;
    let folder = args.folder.clone().unwrap_or_else(|| folder_of(&console.config_path).to_owned());
    let zone = config.as_ref().map_or(Tz::UTC, |config| config.practice.time_zone);
    let month = Utc::now().with_timezone(&zone).format("%Y%m").to_string();
    let made = make(&domain, &month, &folder).await?;
    let settings = settings(&account, &domain, &made, args.folder.is_some());
    let object = json!({ "domain": domain, "account": account, "keys": made, "settings": settings });
    console.answer(&object, || for_a_person(&domain, &made, &settings))
}

/// The configuration. It may be missing only where the command line says all that is needed.
fn known(console: &Console, args: &Args) -> Result<Option<Config>, CliError> {
    if args.domain.is_some() && !console.config_path.exists() {
        return Ok(None);
    }
    console.settings().map(Some)
}

fn domain(args: &Args, config: Option<&Config>) -> Result<String, CliError> {
    let own = || config.map(|config| config.practice.email.domain().to_owned());
    let written = args.domain.clone().or_else(own).unwrap_or_default();
    let ascii = idna::domain_to_ascii(written.trim().trim_end_matches('.')).unwrap_or_default();
    if ascii.contains('.') && is_dns_name(&ascii) {
        return Ok(ascii);
    }
    Err(CliError::usage("--domain takes a domain name, such as practice.example"))
}

/// The account that is to sign, if it is clear which.
fn account(args: &Args, config: Option<&Config>) -> Result<Option<String>, CliError> {
    let Some(config) = config else { return Ok(args.account.clone()) };
    let relays = || config.providers.iter().filter(|(_, account)| account.kind == KIND).map(|(name, _)| name.clone());
    match &args.account {
        Some(named) if !relays().any(|name| name == *named) => {
            let names = relays().collect::<Vec<_>>().join(", ");
            Err(CliError::not_found(format!("there is no account `{named}` of kind {KIND}; there are: {names}")))
        }
        Some(named) => Ok(Some(named.clone())),
        None => {
            Ok(Some(relays().collect::<Vec<_>>()).filter(|names| names.len() == 1).and_then(|mut names| names.pop()))
        }
    }
}

/// Both keys, written; the selector of each is `tl`, the month, and the first letter of the algorithm.
async fn make(domain: &str, month: &str, folder: &Path) -> Result<Vec<Made>, CliError> {
    let (rsa, ed25519) = (selector(month, "rsa"), selector(month, "ed25519"));
    for file in [file_of(folder, &rsa), file_of(folder, &ed25519)] {
        refuse_existing(&file)?;
    }
    let failed = |error: String| CliError::new(Ending::Failed, error);
    let rsa_pem = rsa_key::make().await.map_err(failed)?;
    let rsa_record = mail::dkim_rsa_record(&rsa_pem).map_err(|error| failed(error.to_string()))?;
    let (ed25519_pem, ed25519_record) = mail::new_dkim_key().map_err(|error| failed(error.to_string()))?;
    let mut made = Vec::with_capacity(2);
    for (algorithm, selector, pem, value) in
        [("rsa", rsa, rsa_pem, rsa_record), ("ed25519", ed25519, ed25519_pem, ed25519_record)]
    {
        let file = file_of(folder, &selector);
        write(&file, &pem)?;
        let (name, strings) = (format!("{selector}._domainkey.{domain}"), strings(&value));
        made.push(Made { algorithm, selector, file, record: Record { name, kind: "TXT", value, strings } });
    }
    Ok(made)
}

fn selector(month: &str, algorithm: &str) -> String {
    format!("tl{month}{}", &algorithm[..1])
}

fn file_of(folder: &Path, selector: &str) -> PathBuf {
    folder.join(format!("dkim-{selector}.pem"))
}

fn refuse_existing(file: &Path) -> Result<(), CliError> {
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    let shown = file.display();
    Err(CliError::refused(format!(
        "{shown} is there already, and a key is never overwritten: use it, move it away, or give another --folder"
    )))
}

fn write(file: &Path, pem: &SecretString) -> Result<(), CliError> {
    let written = new_private(file).and_then(|mut opened| {
        opened.write_all(pem.expose_secret().as_bytes())?;
        opened.sync_all()
    });
    let refused = |error: std::io::Error| {
        CliError::refused(format!("the key cannot be written to {}: {}", file.display(), error.kind()))
    };
    written.map_err(refused)
}

/// The value in strings of at most 255 octets. A value is ASCII.
fn strings(value: &str) -> Vec<String> {
    value.as_bytes().chunks(TXT_STRING_OCTETS_MAX).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
}

/// The lines of the account's section. Files of the configuration's own folder are named as they stand there.
fn settings(account: &Option<String>, domain: &str, made: &[Made], is_elsewhere: bool) -> String {
    let section = account.as_deref().unwrap_or("NAME");
    let mut lines = vec![format!("[providers.{section}]"), format!("dkim_domain           = \"{domain}\"")];
    for Made { algorithm, selector, file, .. } in made {
        let whole = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        let name = file.file_name().map(PathBuf::from).unwrap_or_default();
        let shown = if is_elsewhere { whole } else { name };
        lines.push(format!("{:<21} = \"{selector}\"", format!("dkim_{algorithm}_selector")));
        lines.push(format!("{:<21} = {{ file = {} }}", format!("dkim_{algorithm}_key"), quoted(&shown)));
    }
    lines.join("\n")
}

/// A path as TOML reads it.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

fn for_a_person(domain: &str, made: &[Made], settings: &str) -> String {
    let files: Vec<String> = made.iter().map(|made| made.file.display().to_string()).collect();
    let mut text = format!(
        "Two keys are in {}; only their owner can read them.\n\n1. Publish these two TXT records in the DNS of {domain}:\n",
        files.join(" and ")
    );
    for Made { record, .. } in made {
        text.push_str(&format!("\n  Name   {}\n  Value  {}\n", record.name, record.value));
        if record.strings.len() > 1 {
            let pieces: Vec<String> = record.strings.iter().map(|piece| format!("\"{piece}\"")).collect();
            text.push_str(&format!(
                "  If your DNS panel asks for strings of at most 255:\n         {}\n",
                pieces.join(" ")
            ));
        }
    }
    text.push_str(&format!(
        "\nSome panels add the domain to the name by themselves: then leave .{domain} out.\n\n\
         2. Put these lines into touchline.toml:\n\n"
    ));
    text.push_str(&settings.lines().map(|line| format!("  {line}\n")).collect::<String>());
    text.push_str("\n3. `touchline doctor mail` says when both records are there. Then restart `touchline serve`, which signs from then on. If the \
         account signed with another key before, leave that key's record in DNS for a week more.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_into_strings_that_together_are_the_value() {
        for octets in [0, 1, 255, 256, 410, 510, 511] {
            let value = "v".repeat(octets);
            let strings = strings(&value);
            assert_eq!(strings.concat(), value);
            assert_eq!(strings.len(), octets.div_ceil(255), "{octets}");
        }
    }
}
