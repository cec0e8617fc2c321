//! `touchline mail login`: a person signs in to the mailbox of an account. The address to open and the code to type are shown;
//! tokens, secrets and the redirect that is pasted are not.

use std::io::{BufRead, IsTerminal, Read};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

use super::landing::Landing;
use crate::accounts::mail_tokens::acts::{AfterSignIn, SignInError};
use crate::app::Gateway;
use crate::cli::console::{Console, plain, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::hidden;
use crate::cli::init::Interruption;
use crate::cli::mailbox::{self, try_mailbox};
use crate::cli::provider::{check_known, failure_words};
use crate::domain::Timestamp;
use crate::domain::fault::{Failure, Fault};
use crate::domain::provider_state::ProviderState;
use crate::http::oauth::code::{NoCode, Pending};
use crate::http::oauth::exchange::Issued;
use crate::provider::sign_in::{Grant, SignIn};

/// Where a browser is sent whose answer is pasted: nobody need listen there, for the address is all that is wanted.
const PASTED_PORT: u16 = 49_152;
/// Longest address that is read from a pipe, in octets, with what ends its line.
const PASTED_OCTETS_MAX: u64 = 8_194;

/// Who signs in, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// Sign in in a browser on this machine, not by a code on another device
    #[arg(long, conflicts_with = "paste")]
    browser: bool,
    /// Sign in in a browser on any machine, and paste the address that it ends at; it is not shown. One longer than 4,000
    /// characters is cut by most terminals: put it into a file, and run it with --paste < FILE
    #[arg(long)]
    paste: bool,
    /// How long to wait for the sign-in, in seconds, 10 to 900
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(10..=900))]
    wait: u64,
}

/// Signs in, stores it, tries it, and puts the account in use again if it was paused for want of it.
///
/// # Errors
/// The account has no person's sign-in; nobody signed in in time; the service refuses; the relay refuses the sign-in.
pub(super) async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    let sign_in = signs_in(&gateway, &args.account)?;
    gateway.mail_tokens.check_key().map_err(|error| CliError::new(Ending::Configuration, error.to_string()))?;
    let interruption = Interruption::listen("Stopped. Nobody was signed in.");
    let issued =
        timeout(Duration::from_secs(args.wait), ask(console, args, sign_in)).await.map_err(|_| late(args))??;
    drop(interruption);
    gateway.mail_tokens.sign_in(sign_in, &issued, &console.who).await?;
    let checked = try_it(&gateway, &args.account).await;
    let after = gateway.mail_tokens.resume_signed_in(&args.account, checked.is_ok(), &console.who).await?;
    gateway.mail_tokens.finish_renewals().await;
    tell(console, &gateway, sign_in, &issued, &after, &checked)
}

/// How the account or mailbox signs in, if a person does.
fn signs_in<'a>(gateway: &'a Gateway, name: &str) -> Result<&'a Arc<SignIn>, CliError> {
    let section = if gateway.config.mailboxes.contains_key(name) { "mailboxes" } else { "providers" };
    if section == "providers" {
        check_known(gateway, name)?;
    }
    let Some(sign_in) = gateway.sign_in_of(name) else {
        return Err(CliError::refused(format!(
            "{name} does not sign in: add oauth = \"microsoft\" or \"google\" with its values to [{section}.{name}] first; \
             `touchline provider list --markdown` has the steps"
        )));
    };
    if sign_in.grant() == Grant::Person {
        return Ok(sign_in);
    }
    Err(CliError::refused(format!(
        "{name} signs in by itself ({}): nobody needs to. `touchline provider check {name}` tries it",
        sign_in.grant().said()
    )))
}

/// Tries what was signed in for.
async fn try_it(gateway: &Gateway, name: &str) -> Result<String, Failure> {
    match (gateway.mailboxes.get(name), gateway.accounts.get(name)) {
        (Some(watched), _) => try_mailbox(gateway, watched.mailbox.as_ref()).await,
        (None, Some(account)) => account.layered.check().await,
        (None, None) => Err(Failure::new(Fault::AccountError)),
    }
}

fn late(args: &Args) -> CliError {
    hidden::show_typing();
    CliError::new(Ending::Failed, format!("nobody signed in within {} seconds; nothing was changed", args.wait))
}

async fn ask(console: &Console, args: &Args, sign_in: &SignIn) -> Result<Issued, CliError> {
    let refused = |failure: Failure| CliError::new(Ending::Failed, failure_words(&failure, sign_in.account()));
    if args.paste {
        let redirect = format!("http://{}:{PASTED_PORT}", sign_in.redirect_host());
        let pending = sign_in.begin_browser(&redirect).map_err(refused)?;
        let code = pasted(console, sign_in, &pending).await?;
        return sign_in.redeem(&pending, &code).await.map_err(refused);
    }
    if sign_in.has_device() && !args.browser {
        let device = sign_in.begin_device().await.map_err(refused)?;
        show(
            console,
            sign_in,
            &device.address,
            Some((&device.user_code, device.ends)),
            "Waiting for the sign-in. Ctrl-C stops.",
        );
        return sign_in.wait_for_device(&device).await.map_err(refused);
    }
    let no_port =
        |error: std::io::Error| CliError::new(Ending::Failed, format!("no port can be opened ({})", error.kind()));
    let landing = Landing::open(sign_in.redirect_host()).await.map_err(no_port)?;
    let pending = sign_in.begin_browser(landing.redirect()).map_err(refused)?;
    let words = "Waiting for the browser on this machine. Ctrl-C stops; without a browser here, use --paste.";
    show(console, sign_in, &pending.address, None, words);
    let code = landing.code(&pending).await.map_err(|no_code| without_code(sign_in, &no_code))?;
    sign_in.redeem(&pending, &code).await.map_err(refused)
}

/// Shows what to open on standard error: as text, or with `--json` as one object in one line.
fn show(console: &Console, sign_in: &SignIn, address: &Url, code: Option<(&str, Timestamp)>, then: &str) {
    if console.json {
        let object = json!({
            "open": address,
            "code": code.map(|(code, _)| code),
            "ends_at": code.map(|(_, ends)| ends),
            "mailbox": sign_in.mailbox(),
        });
        return warn(&object.to_string());
    }
    warn(&format!("Sign in to {} as {}:", sign_in.authority().title(), plain(sign_in.mailbox())));
    warn(&format!("  open  {address}"));
    if let Some((code, _)) = code {
        warn(&format!("  type  {code}"));
    }
    warn(then);
}

/// The code in an address that a person pastes. It is read like a password.
async fn pasted(console: &Console, sign_in: &SignIn, pending: &Pending) -> Result<SecretString, CliError> {
    let then =
        "The browser ends at a page that cannot be shown. Copy its whole address and paste it here; it is not shown.";
    show(console, sign_in, &pending.address, None, then);
    let (tell, told) = oneshot::channel();
    // A thread of its own: reading cannot be broken off, and must not keep the program from ending in time.
    std::thread::spawn(move || tell.send(read_address()));
    let address = told.await.ok().flatten();
    let address = address.ok_or_else(|| CliError::new(Ending::Failed, "no address was given; nothing was changed"))?;
    pending.read(&address).map_err(|no_code| without_code(sign_in, &no_code))
}

/// One line from the terminal, not shown, or from a pipe.
fn read_address() -> Option<String> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return hidden::ask_pasted("Address").ok();
    }
    let mut line = String::new();
    std::io::stdin().lock().take(PASTED_OCTETS_MAX).read_line(&mut line).ok().map(|_| line)
}

fn without_code(sign_in: &SignIn, no_code: &NoCode) -> CliError {
    match no_code {
        NoCode::Refused(word) => {
            CliError::new(Ending::Failed, failure_words(&sign_in.refused(word), sign_in.account()))
        }
        NoCode::NotOurs => CliError::new(
            Ending::Failed,
            "this is not the address at which this sign-in ended: start again and paste the whole address, with code and state",
        ),
    }
}

fn tell(
    console: &Console,
    gateway: &Gateway,
    sign_in: &SignIn,
    issued: &Issued,
    after: &AfterSignIn,
    checked: &Result<String, Failure>,
) -> Result<(), CliError> {
    let account = sign_in.account();
    let found = match checked {
        Ok(words) => words.clone(),
        Err(failure) if gateway.mailboxes.contains_key(account) => mailbox::failure_words(failure, account),
        Err(failure) => failure_words(failure, account),
    };
    let other = issued.person.as_deref().filter(|person| !person.eq_ignore_ascii_case(sign_in.mailbox()));
    let object: Value = json!({
        "account": account,
        "mailbox": sign_in.mailbox(),
        "signed_in_as": issued.person,
        "signed_in_at": gateway.clock.now(),
        "resumed": *after == AfterSignIn::Resumed,
        "paused": paused(account, after),
        "check": { "ok": checked.is_ok(), "words": found },
    });
    console.answer(&object, || {
        let who = issued.person.as_deref().unwrap_or(sign_in.mailbox());
        let mut text = format!("{account} is signed in as {}.", plain(who));
        if let Some(other) = other {
            text.push_str(&format!(
                "\nThe mailbox is {}: that works only if {} may send as it. If this was a mistake, run the command again.",
                plain(sign_in.mailbox()),
                plain(other)
            ));
        }
        text.push_str(&after_words(gateway, account, after));
        format!("{text}\n{}: {found}", if checked.is_ok() { "Checked" } else { "The check failed" })
    })?;
    if checked.is_ok() { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}

/// Why the account is paused still; nothing if it is not.
fn paused(account: &str, after: &AfterSignIn) -> Option<Value> {
    let AfterSignIn::StillPaused(state) = after else { return None };
    Some(json!({
        "since": state.paused_ms,
        "until": state.resumes_ms,
        "reason": state.paused_reason,
        "remedy": state.paused_remedy,
        "command": resume_command(account),
    }))
}

/// A line on what became of a pause; nothing if there was none.
fn after_words(gateway: &Gateway, account: &str, after: &AfterSignIn) -> String {
    match after {
        AfterSignIn::InUse => String::new(),
        AfterSignIn::Resumed => "\nThe account is in use again, and its letters go out.".to_owned(),
        AfterSignIn::StillPaused(state) => {
            let ProviderState { paused_reason, resumes_ms, .. } = state.as_ref();
            let until = resumes_ms.map(|until| format!(" until {}", until.in_zone(gateway.config.practice.time_zone)));
            let then = match resumes_ms {
                Some(_) => "It resumes by itself then; to resume it sooner, run",
                None => "Once that is fixed, run",
            };
            format!(
                "\n{account} is still paused{} and sends nothing: {}. {then} `{}`.",
                until.unwrap_or_default(),
                plain(paused_reason.as_deref().unwrap_or("no reason was given")).trim_end_matches('.'),
                resume_command(account),
            )
        }
    }
}

fn resume_command(account: &str) -> String {
    format!("touchline provider resume {account}")
}

impl From<SignInError> for CliError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Key(error) => Self::new(Ending::Configuration, error.to_string()),
            SignInError::Store(error) => error.into(),
        }
    }
}
