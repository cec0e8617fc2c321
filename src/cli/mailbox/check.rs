//! `touchline mailbox check`: reaches each mailbox, logs in, and counts what is there and what would be read; reads and changes
//! nothing.

use serde_json::json;

use crate::app::Gateway;
use crate::cli::console::{Console, count, table};
use crate::cli::exit::{CliError, Ending};
use crate::domain::fault::Failure;
use crate::feedback::mailboxes::{Beginning, beginning};
use crate::provider::mailbox::{Count, Mailbox, MailboxKind, is_missing};
use crate::store::StoreError;
use crate::wording;

/// What a check of one mailbox found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Checked {
    /// The mailbox.
    pub mailbox: String,
    /// Whether it works.
    pub ok: bool,
    /// What was reached, or what is wrong and what to do.
    pub words: String,
}

/// Checks one mailbox or all concurrently, in the order of their names.
pub async fn check_mailboxes(gateway: &Gateway, only: Option<&str>) -> Vec<Checked> {
    let mailboxes = gateway.mailboxes.iter().filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
    let checks = mailboxes.map(|(name, watched)| async move {
        let (ok, words) = match try_mailbox(gateway, watched.mailbox.as_ref()).await {
            Ok(words) => (true, words),
            Err(failure) => (false, failure_words(&failure, name)),
        };
        Checked { mailbox: name.clone(), ok, words }
    });
    let checked = futures_util::future::join_all(checks).await;
    gateway.mail_tokens.finish_renewals().await;
    checked
}

/// Logs in and counts the mails of each folder; says which folders are missing, and what the first reading would take.
///
/// # Errors
/// What is wrong, and that no folder is there.
pub async fn try_mailbox(gateway: &Gateway, mailbox: &dyn Mailbox) -> Result<String, Failure> {
    let mut session = mailbox.open().await?;
    let begins = begins(gateway, mailbox).await.ok().filter(|begins| !begins.was_read);
    let since = begins.and_then(|begins| begins.since);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for folder in mailbox.folders() {
        let mails = match session.count(folder, since).await {
            Ok(mails) => counted(mails),
            Err(failure) if is_missing(&failure) => {
                missing.push(failure);
                "there is no such folder".to_owned()
            }
            Err(failure) => return Err(failure),
        };
        found.push(if folder.is_empty() { mails } else { format!("{folder}: {mails}") });
    }
    session.close().await;
    if missing.len() == found.len()
        && let Some(failure) = missing.pop()
    {
        return Err(failure.text(found.join(", ")));
    }
    let reached = match mailbox.kind() {
        MailboxKind::Maildir => "maildir can be read",
        MailboxKind::Imap => "logged in by IMAP",
        MailboxKind::Pop3 => "logged in by POP3",
    };
    let lacks = if missing.is_empty() { "" } else { ". Correct folders in the configuration, or make the missing one" };
    let first = since.map(|since| {
        let day = since.to_utc().with_timezone(&gateway.config.practice.time_zone).format("%b %-d, %Y");
        format!(". When it is read for the first time, mail received before {day} is left unread")
    });
    Ok(format!("{reached}; {}{lacks}{}", found.join(", "), first.unwrap_or_default()))
}

/// Where the reading of a mailbox stands, or would begin.
async fn begins(gateway: &Gateway, mailbox: &dyn Mailbox) -> Result<Beginning, StoreError> {
    let mut tx = gateway.store.read().await?;
    beginning(&mut tx, mailbox, gateway.config.practice.time_zone, gateway.clock.now()).await
}

/// The mails of a folder, and how many the first reading would take.
fn counted(Count { mails, since }: Count) -> String {
    let all = count(usize::try_from(mails).unwrap_or(usize::MAX), "mail");
    match since {
        Some(recent) if recent < mails => format!("{all}, {recent} to be read"),
        _ => all,
    }
}

/// # Errors
/// There is no mailbox of that name, and which there are.
pub(super) fn known(gateway: &Gateway, name: &str) -> Result<(), CliError> {
    if gateway.mailboxes.contains_key(name) {
        return Ok(());
    }
    let names: Vec<&str> = gateway.mailboxes.keys().map(String::as_str).collect();
    let there =
        if names.is_empty() { "none is configured".to_owned() } else { format!("there are: {}", names.join(", ")) };
    Err(CliError::not_found(format!("there is no mailbox `{name}`; {there}")))
}

/// What is wrong with a mailbox, in the server's words as well, and what to do.
pub fn failure_words(failure: &Failure, name: &str) -> String {
    let said = failure.raw_text.as_deref().unwrap_or_default().trim_end_matches('.');
    format!("{said}. {}", wording::mailboxes::advice(failure.remedy, name))
}

pub(super) async fn run(console: &Console, name: Option<&str>) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    if let Some(name) = name {
        known(&gateway, name)?;
    }
    let checked = check_mailboxes(&gateway, name).await;
    console.answer(&json!({ "checks": checked }), || {
        if checked.is_empty() {
            return super::list::NONE.to_owned();
        }
        let rows = checked.iter().map(|check| {
            vec![check.mailbox.clone(), if check.ok { "ok" } else { "fail" }.to_owned(), check.words.clone()]
        });
        table(&["mailbox", "state", "what was found"], rows)
    })?;
    if checked.iter().all(|check| check.ok) { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}
