//! `touchline sandbox`: the sandbox fax line by itself, to rehearse against: as its own kind of provider, or in the guise
//! of the one that the practice will use.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use super::console::Console;
use super::exit::{CliError, Ending};
use super::serve::stop_signal;
use crate::sandbox::fax::{Chances, FaxLine, FaxLineOptions, Guise, MAGIC, Script, telnyx_public_key};

/// Where the key and the secret may be set, so that they stay the same from run to run.
const KEY_VARIABLE: &str = "TOUCHLINE_SANDBOX_KEY";
const SECRET_VARIABLE: &str = "TOUCHLINE_SANDBOX_SECRET";
/// The largest script.
const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;
/// The account's name in the configuration shown.
const ACCOUNT: &str = "rehearsal";

/// How the line behaves.
#[derive(Debug, clap::Args)]
#[command(after_long_help = numbers())]
pub struct Args {
    /// The port on this machine; 0 takes a free one
    #[arg(long, default_value_t = 8026)]
    port: u16,
    /// Imitate this provider: sandbox, telnyx, phaxio or interfax
    #[arg(long, value_name = "PROVIDER", default_value = "sandbox")]
    like: Guise,
    /// What happens to which fax: a TOML or JSON file
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// The share of faxes to which something happens, such as busy=0.1 or garbage=0.02; may be repeated
    #[arg(long, value_name = "WHAT=SHARE", value_parser = share)]
    chance: Vec<(String, f64)>,
    /// The random seed: the same seed gives the same outcomes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How all callbacks arrive: lost, late, twice, reversed, forged, stale; separate several with commas
    #[arg(long, value_name = "HOW", value_delimiter = ',')]
    callbacks: Vec<String>,
    /// Where callbacks go unless a fax names another address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8025/hooks/rehearsal")]
    callback_url: String,
    /// How long a call takes
    #[arg(long, value_name = "MS", default_value_t = 300)]
    call_ms: u64,
    /// How long a slow call takes, and how late a late callback arrives
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    slow_ms: u64,
    /// Keep what happened in this file, and continue from it at the next start; documents, callback addresses and tags
    /// are not kept
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

fn share(text: &str) -> Result<(String, f64), String> {
    let (what, share) = text.split_once('=').ok_or("write WHAT=SHARE, such as busy=0.1")?;
    Ok((what.to_owned(), share.parse().map_err(|_| format!("{share} is not a share from 0 to 1"))?))
}

/// The numbers that misbehave, for the help.
fn numbers() -> String {
    let mut text = "Numbers that misbehave on purpose: (any area code) 555-, and\n".to_owned();
    for magic in MAGIC {
        let _ = writeln!(text, "  {}  {}", magic.digits, magic.about);
    }
    text.push_str("Every other number delivers, unless a script or chance decides.");
    text
}

/// Runs the line until Ctrl-C.
///
/// # Errors
/// The script or a share is not valid (refused), or the port cannot be used.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let (key, secret) = (word_of(KEY_VARIABLE), word_of(SECRET_VARIABLE));
    let options = options(&args, &key, &secret)?;
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        CliError::new(
            Ending::Failed,
            format!("port {} cannot be used ({}): choose another with --port", args.port, error.kind()),
        )
    })?;
    let line = FaxLine::start(listener, options).map_err(|error| CliError::refused(error.to_string()))?;
    let section = section(args.like, &line.base_url(), &secret);
    let answer = json!({
        "address": line.base_url(), "like": args.like.kind(), "section": section,
        "environment": { KEY_VARIABLE: key, SECRET_VARIABLE: secret },
    });
    console.answer(&answer, || greeting(&args, &line.base_url(), &section, &key, &secret))?;
    stop_signal().await;
    line.shutdown().await;
    Ok(())
}

/// The value in the environment, or one generated for this run.
fn word_of(variable: &str) -> String {
    let given = std::env::var(variable).ok().filter(|word| !word.trim().is_empty());
    given.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string())
}

fn options(args: &Args, key: &str, secret: &str) -> Result<FaxLineOptions, CliError> {
    let mut options = FaxLineOptions::new(SecretString::from(key.to_owned()));
    options.guise = args.like;
    options.account = ACCOUNT.to_owned();
    options.script = args.script.as_ref().map(script).transpose()?.unwrap_or_default();
    if !args.chance.is_empty() {
        let shares = args.chance.iter().map(|(what, share)| (what.as_str(), *share));
        options.chances = Some(Chances::new(shares, args.seed).map_err(CliError::usage)?);
    }
    options.callbacks.clone_from(&args.callbacks);
    // Where nothing is signed, the secret is the last part of the address.
    let is_unsigned = args.like == Guise::InterFax;
    let url = if is_unsigned { format!("{}/{secret}", args.callback_url) } else { args.callback_url.clone() };
    options.callback_url = Some(url);
    options.callback_secret = Some(SecretString::from(secret.to_owned()));
    options.call_takes = Duration::from_millis(args.call_ms);
    options.slow_after = Duration::from_millis(args.slow_ms);
    options.journal.clone_from(&args.journal);
    options.open_pages = true;
    Ok(options)
}

fn script(path: &PathBuf) -> Result<Script, CliError> {
    let name = path.display();
    let length =
        std::fs::metadata(path).map_err(|error| CliError::not_found(format!("{name}: {}", error.kind())))?.len();
    if length > SCRIPT_BYTES_MAX {
        return Err(CliError::refused(format!("{name} is larger than a megabyte")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| CliError::refused(format!("{name}: {}", error.kind())))?;
    Script::parse(&text).map_err(|why| CliError::refused(format!("{name}: {why}")))
}

/// What to put into touchline.toml.
fn section(like: Guise, base_url: &str, secret: &str) -> String {
    let base_url = format!("{base_url}{}", like.base_path());
    let own = match like {
        Guise::Own => format!(
            "api_key        = {{ env = \"{KEY_VARIABLE}\" }}\nwebhook_secret = {{ env = \"{SECRET_VARIABLE}\" }}\n"
        ),
        Guise::Telnyx => format!(
            "connection_id = \"{ACCOUNT}\"\napi_key       = {{ env = \"{KEY_VARIABLE}\" }}\npublic_key    = \"{}\"\n\
             document      = \"media\"\n",
            telnyx_public_key(secret)
        ),
        Guise::Phaxio => format!(
            "api_key        = {{ env = \"TOUCHLINE_SANDBOX_ACCOUNT\" }}   # the word {ACCOUNT}\n\
             api_secret     = {{ env = \"{KEY_VARIABLE}\" }}\ncallback_token = {{ env = \"{SECRET_VARIABLE}\" }}\n"
        ),
        Guise::InterFax => format!(
            "username        = \"{ACCOUNT}\"\npassword        = {{ env = \"{KEY_VARIABLE}\" }}\n\
             callback_secret = {{ env = \"{SECRET_VARIABLE}\" }}\n"
        ),
    };
    let kind = like.kind();
    format!(
        "[providers.{ACCOUNT}]\nkind = \"{kind}\"\nbase_url = \"{base_url}\"\n{own}\n[routes]\nfax = [\"{ACCOUNT}\"]\n"
    )
}

fn greeting(args: &Args, address: &str, section: &str, key: &str, secret: &str) -> String {
    let mut exports = format!("export {KEY_VARIABLE}={key}\nexport {SECRET_VARIABLE}={secret}\n");
    if args.like == Guise::Phaxio {
        let _ = writeln!(exports, "export TOUCHLINE_SANDBOX_ACCOUNT={ACCOUNT}");
    }
    format!(
        "The sandbox fax line answers at {address} as {title}. What it receives is shown there; nothing leaves this machine.\n\n\
         Put this into touchline.toml:\n\n{section}\nand this into the environment of the gateway:\n\n{exports}\n\
         Numbers that misbehave on purpose: touchline sandbox --help. Serving until Ctrl-C.",
        title = args.like.title(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_for_the_configuration_is_toml_and_holds_no_secret() {
        for guise in Guise::ALL {
            let section = section(guise, "http://127.0.0.1:8026", "a secret word");
            let table: toml::Table = toml::from_str(&section).expect("TOML");
            assert_eq!(table["providers"]["rehearsal"]["kind"].as_str(), Some(guise.kind()));
            assert!(!section.contains("a secret word"), "{section}");
        }
    }

    #[test]
    fn every_number_that_misbehaves_is_in_the_help() {
        let help = numbers();
        assert!(MAGIC.iter().all(|magic| help.contains(magic.digits) && help.contains(magic.about)), "{help}");
    }
}
