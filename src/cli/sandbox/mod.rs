//! `touchline sandbox`: what stands in for the world outside while a practice rehearses: a fax line, as its own kind of
//! provider or in the guise of the one that the practice will use, and a mail catcher.

mod account;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use super::console::Console;
use super::exit::{CliError, Ending};
use super::rehearsal::{FAX_PORT, KEY_VARIABLE, MAIL_PORT, SECRET_VARIABLE, new_word};
use super::serve::stop_signal;
use crate::config::{Config, variable};
use crate::sandbox::fax::{Chances, FaxLine, FaxLineOptions, Guise, MAGIC, Script};
use crate::sandbox::mail::{MailCatcher, Options};
use account::{ACCOUNT, Rehearsal};

/// The largest script.
const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;

/// How it behaves.
#[derive(Debug, clap::Args)]
#[command(after_long_help = numbers())]
pub struct Args {
    /// The port of the fax line and of the pages that show what arrived; 0 takes a free one
    #[arg(long, default_value_t = FAX_PORT)]
    port: u16,
    /// The port of the mail catcher; 0 takes a free one
    #[arg(long, default_value_t = MAIL_PORT)]
    mail_port: u16,
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
    /// Where callbacks go unless a fax names another address (default: the account's hook at 127.0.0.1:8025)
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
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

/// Runs until Ctrl-C.
///
/// # Errors
/// The script or a share is not valid (refused), a port cannot be used, or `touchline.env` cannot be read.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let (key, secret) = (word_of(console, KEY_VARIABLE)?, word_of(console, SECRET_VARIABLE)?);
    let mut options = options(&args, &key, &secret)?;
    let listener = listen(args.port, "--port").await?;
    let mail = listen(args.mail_port, "--mail-port").await?;
    let catcher = MailCatcher::start(mail, Options::default())
        .map_err(|error| CliError::new(Ending::Failed, format!("the mail catcher cannot start ({})", error.kind())))?;
    options.further_pages = Some(catcher.pages());
    let line = FaxLine::start(listener, options).map_err(|error| CliError::refused(error.to_string()))?;
    let (base_url, mail_port) = (line.base_url(), catcher.address().port());
    let records = account::records(&console.config_path);
    let rehearsal = Rehearsal { like: args.like, base_url, mail_port, key, secret, records };
    // A configuration that cannot be read is the gateway's to complain about.
    let is_configured = Config::load(&console.config_path).is_ok_and(|config| rehearsal.is_in(&config));
    console.answer(&answer(&rehearsal, is_configured), || greeting(console, &rehearsal, is_configured))?;
    stop_signal().await;
    line.shutdown().await;
    catcher.shutdown().await;
    Ok(())
}

async fn listen(port: u16, option: &str) -> Result<TcpListener, CliError> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    TcpListener::bind(address).await.map_err(|error| {
        CliError::new(
            Ending::Failed,
            format!("port {port} cannot be used ({}): choose another with {option}", error.kind()),
        )
    })
}

/// The value in the environment or in `touchline.env`, or one generated for this run.
fn word_of(console: &Console, name: &str) -> Result<String, CliError> {
    Ok(variable(&console.config_path, name)?.unwrap_or_else(new_word))
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
    let hook = || format!("http://127.0.0.1:8025/hooks/{}", account::name(args.like));
    let url = args.callback_url.clone().unwrap_or_else(hook);
    let url = if is_unsigned { format!("{url}/{secret}") } else { url };
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

/// For programs: where it listens, and the configuration in both forms.
fn answer(rehearsal: &Rehearsal, is_configured: bool) -> serde_json::Value {
    json!({
        "address": rehearsal.base_url,
        "mail": { "host": "127.0.0.1", "port": rehearsal.mail_port, "page": format!("{}/mail", rehearsal.base_url) },
        "like": rehearsal.like.kind(),
        "configured": is_configured,
        "section": rehearsal.section(),
        "environment": { KEY_VARIABLE: rehearsal.key, SECRET_VARIABLE: rehearsal.secret },
        "exports": rehearsal.exports(),
    })
}

fn greeting(console: &Console, rehearsal: &Rehearsal, is_configured: bool) -> String {
    let Rehearsal { base_url, mail_port, like, .. } = rehearsal;
    let guise = if *like == Guise::Own { String::new() } else { format!("   as {}", like.title()) };
    let beginning = format!(
        "The sandbox stands in for fax and mail. Nothing leaves this machine.\n\n  \
         faxes   {base_url}{guise}\n  mail    {base_url}/mail   caught at port {mail_port}\n\n"
    );
    let how = if is_configured {
        format!("{} sends here already: start touchline serve in another window.\n", console.config_path.display())
    } else {
        format!(
            "Paste these lines into another window, and run every command of the rehearsal there. In that window\n\
             everything goes to the sandbox, and the configuration file stays as it is. The first line gives the\n\
             rehearsal records of its own, which begin empty: import a list there. In the real ones letters may be\n\
             waiting, and touchline serve would hand them to the sandbox and record them as delivered.\n\n{}\n",
            rehearsal.exports()
        )
    };
    format!("{beginning}{how}\nNumbers that misbehave on purpose: touchline sandbox --help.\nServing until Ctrl-C.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_that_misbehaves_is_in_the_help() {
        let help = numbers();
        assert!(MAGIC.iter().all(|magic| help.contains(magic.digits) && help.contains(magic.about)), "{help}");
    }
}
