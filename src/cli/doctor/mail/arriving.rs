//! `touchline doctor mail --loop`: one test mail by each account to the practice's own mailbox, and what arrived there.

use std::time::{Duration, Instant};

use crate::accounts::acts;
use crate::app::Gateway;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::provider::failure_words;
use crate::config::Config;
use crate::domain::envelope::{Content, Envelope, Mail};
use crate::domain::id::AttemptId;
use crate::domain::{Address, EmailAddress, Outcome, PhiClass, Purpose, Timestamp};
use crate::policy::mail_setup::{Finding, arrived};
use crate::provider::mail::message_id;
use crate::provider::mailbox::{MailboxKind, Place, Progress, Session, is_missing};
use crate::store::StoreError;

/// How long a mailbox that cannot say that there is mail waits before it is asked again.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Batches of one folder that are read at once: a mailbox that nobody has read yet may be full.
const BATCHES_MAX: usize = 40;
/// The clocks of servers differ.
const CLOCKS: Duration = Duration::from_secs(24 * 3_600);
/// The checks speak of the letter's own account; this one of all.
const CHECK: &str = "arrived";

/// Sends by each of these accounts, and tells what arrived within that time.
///
/// # Errors
/// The mail cannot be recorded, and so is not sent.
pub(super) async fn findings(
    console: &Console,
    gateway: &Gateway,
    accounts: &[String],
    within: Duration,
) -> Result<Vec<Finding>, CliError> {
    let to = recipient(&gateway.config);
    if gateway.mailboxes.is_empty() {
        let words = "no mailbox is read, so what arrives cannot be seen";
        let advice = "name the mailbox in a section [mailboxes.NAME] of touchline.toml";
        return Ok(vec![Finding::problem(CHECK, to.as_str(), words, advice)]);
    }
    let mut watches = watches(gateway).await?;
    let (mut findings, mut sent) = (Vec::new(), Vec::new());
    for account in accounts {
        match send(console, gateway, account, to).await? {
            Ok(id) => sent.push((account.clone(), id)),
            Err(finding) => findings.push(finding),
        }
    }
    findings.extend(wait_for(&mut watches, sent, to, within).await);
    for watch in watches.iter_mut().filter(|watch| watch.trouble.is_some()) {
        let words = watch.trouble.take().unwrap_or_default();
        findings.push(Finding::problem(
            CHECK,
            &watch.name,
            words,
            "`touchline mailbox check` says what is wrong with it",
        ));
    }
    Ok(findings)
}

/// The practice's own mailbox: where answers go.
fn recipient(config: &Config) -> &EmailAddress {
    config.practice.reply_to.as_ref().unwrap_or(&config.practice.email)
}

/// One folder of a mailbox, and how far it was read.
struct Watch {
    name: String,
    session: Option<Box<dyn Session>>,
    folders: Vec<(String, Place)>,
    /// In a mailbox that nobody has read yet, only what has just come is of interest.
    since: Option<Timestamp>,
    trouble: Option<String>,
}

/// Every mailbox, opened before anything is sent, each from where it was last read to.
async fn watches(gateway: &Gateway) -> Result<Vec<Watch>, StoreError> {
    let mut watches = Vec::new();
    for (name, watched) in &gateway.mailboxes {
        let (mailbox, mut folders) = (&watched.mailbox, Vec::new());
        let mut tx = gateway.store.read().await?;
        for folder in mailbox.folders() {
            let place = match mailbox.kind() {
                MailboxKind::Imap => last(tx.mailbox_place(name, folder).await?),
                _ => Place::Seen(tx.mailbox_seen(name, folder).await?.into_iter().collect()),
            };
            folders.push((folder.clone(), place));
        }
        drop(tx);
        let (session, trouble) = match mailbox.open().await {
            Ok(session) => (Some(session), None),
            Err(failure) => (None, Some(format!("it cannot be read: {}", failure.raw_text.unwrap_or_default()))),
        };
        let since = Some(gateway.clock.now().before(CLOCKS));
        watches.push(Watch { name: name.clone(), session, folders, since, trouble });
    }
    Ok(watches)
}

fn last(place: Option<(i64, i64)>) -> Place {
    let number = |number: i64| u32::try_from(number).unwrap_or_default();
    let (validity, uid) = place.unwrap_or_default();
    Place::Last { validity: number(validity), uid: number(uid) }
}

/// Hands the mail over, once that is on record; its Message-ID, or what went wrong.
async fn send(
    console: &Console,
    gateway: &Gateway,
    account: &str,
    to: &EmailAddress,
) -> Result<Result<String, Finding>, CliError> {
    let Some(configured) = gateway.accounts.get(account) else {
        let advice = format!("touchline provider check {account}");
        return Ok(Err(Finding::problem(CHECK, account, "the account cannot be used", advice)));
    };
    let envelope = envelope(&gateway.config, to);
    acts::record_trial(&gateway.store, account, envelope.attempt, &console.who, gateway.clock.now()).await?;
    let outcome = configured.layered.provider().submit(&envelope).await;
    Ok(match &outcome {
        Outcome::Accepted { .. } => Ok(message_id(envelope.attempt, &gateway.config.practice.email)),
        other => {
            let why = other.failure().map(|failure| failure_words(failure, account)).unwrap_or_default();
            let advice = format!("touchline provider check {account}");
            Err(Finding::problem(
                CHECK,
                account,
                format!("the relay did not take the mail ({}): {why}", other.as_str()),
                advice,
            ))
        }
    })
}

/// A mail like any that recipients may refuse, so that it has what those have.
fn envelope(config: &Config, to: &EmailAddress) -> Envelope {
    let practice = &config.practice;
    let words = format!(
        "This mail was sent by `touchline doctor mail --loop` of {}, to see how letters arrive. Nothing needs to be done.",
        practice.name
    );
    let base = config.server.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let mail = Mail {
        from_name: practice.name.clone(),
        from: practice.email.clone(),
        reply_to: practice.reply_to.clone(),
        to_name: practice.name.clone(),
        subject: "A test mail by Touchline".to_owned(),
        html: format!(
            "<!doctype html><html lang=\"en\"><head><title>Test</title></head><body><p>{}</p></body></html>",
            escaped(&words)
        ),
        text: format!("{words}\n"),
        // It stops nothing: no letter has this token.
        unsubscribe: base.map(|base| format!("{base}/o/test")),
        automatic: true,
    };
    Envelope {
        attempt: AttemptId::new(),
        to: Address::Email(to.clone()),
        content: Content::Mail(Box::new(mail)),
        purpose: Purpose::Operational,
        phi: PhiClass::None,
        transport: Default::default(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Reads the mailboxes until every mail arrived or the time is up.
async fn wait_for(
    watches: &mut [Watch],
    mut sent: Vec<(String, String)>,
    to: &EmailAddress,
    within: Duration,
) -> Vec<Finding> {
    let (began, mut findings) = (Instant::now(), Vec::new());
    loop {
        for watch in &mut *watches {
            for (folder, octets) in watch.read().await {
                let id = arrived::field(&octets, "message-id");
                let Some(place) = sent.iter().position(|(_, sent)| Some(sent) == id.as_ref()) else { continue };
                let (account, _) = sent.remove(place);
                let in_folder = if folder.is_empty() { String::new() } else { format!(", folder {folder}") };
                let words = format!("after {} s in mailboxes.{}{in_folder}", began.elapsed().as_secs(), watch.name);
                findings.push(Finding::ok(CHECK, &account, words));
                findings.extend(arrived::judge(&account, &arrived::read(&octets)));
            }
        }
        let can_read = watches.iter().any(|watch| watch.session.is_some());
        if sent.is_empty() || !can_read || began.elapsed() >= within {
            break;
        }
        tokio::time::sleep(ASK_EVERY.min(within)).await;
    }
    let seconds = within.as_secs();
    findings.extend(sent.into_iter().map(|(account, _)| {
        let words = format!("the relay took the mail, but within {seconds} s it did not arrive at {}", to.as_str());
        let advice = "see whether this address is delivered to one of [mailboxes], and look into its junk folder";
        Finding::problem(CHECK, &account, words, advice)
    }));
    findings
}

impl Watch {
    /// What is new, with its folder. After a failure, nothing more.
    async fn read(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let Some(session) = &mut self.session else { return found };
        for (folder, place) in &mut self.folders {
            for _ in 0..BATCHES_MAX {
                let batch = match session.read(folder, place, self.since).await {
                    Ok(batch) => batch,
                    Err(failure) if is_missing(&failure) => break,
                    Err(failure) => {
                        let said = failure.raw_text.unwrap_or_default();
                        self.trouble = Some(format!("it could not be read any more: {said}"));
                        self.session = None;
                        return found;
                    }
                };
                go_on(place, batch.progress);
                found.extend(batch.mails.into_iter().map(|mail| (folder.clone(), mail.octets)));
                if !batch.more {
                    break;
                }
            }
        }
        found
    }
}

/// The place after a batch.
fn go_on(place: &mut Place, progress: Progress) {
    match (place, progress) {
        (Place::Seen(seen), Progress::Seen { added, gone }) => {
            seen.extend(added);
            seen.retain(|key| !gone.contains(key));
        }
        (place, Progress::Last { validity, uid }) => *place = Place::Last { validity, uid },
        (place, Progress::Seen { added, .. }) => *place = Place::Seen(added.into_iter().collect()),
    }
}
