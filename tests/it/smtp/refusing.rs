//! What hosted relays, Google, Microsoft, Amazon and others say when they refuse, each played by a relay on loopback and
//! carried through `settle` on both databases: nobody is blamed for our account, no letter is lost by it, and every pause
//! names its remedy.

use std::collections::BTreeMap;
use std::time::Duration;

use touchline::domain::attempt::Attempt;
use touchline::domain::event::EventSource;
use touchline::domain::health::Health;
use touchline::domain::mail_domains::MailDomains;
use touchline::domain::message::Message;
use touchline::domain::{About, Address, MessageStatus, Outcome};
use touchline::queue::retry::RetryRules;
use touchline::settle::{self, Evidence, Origin, Rules, SmtpDoubt};
use touchline::store::Store;
use touchline::wording::refusals;

use super::{Relay, envelope};
use crate::storage::samples::{Stage, at, attempt};
use crate::support::databases::each_db;
use crate::support::scripted_smtp::ScriptedSmtp;

/// What becomes of the letter, the address and the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The account is paused until a person resumes it; the letter waits.
    AccountPaused,
    /// The account is paused until its quota returns; the letter waits.
    QuotaAwaited,
    /// The letter waits for its next turn and has used up no try.
    Waits,
    /// The letter is tried again a few times.
    TriedAgain,
    /// The letter failed and nobody is marked.
    Failed,
    /// The letter failed and the address is dead.
    Dead,
    /// The letter failed and the address has a first strike.
    Struck,
}

use About::{Account, Letter, Path, Recipient, Speed};
use Then::{AccountPaused, Dead, Failed, QuotaAwaited, Struck, TriedAgain, Waits};

/// Where the relay says it, what it says, whom it is about, and what follows.
const REFUSALS: [(&str, &str, About, Then); 96] = [
    // Before the letter
    (
        "greeting",
        "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
        Path,
        AccountPaused,
    ),
    (
        "greeting",
        "550 5.7.1 Connection refused: IP address blocked, see https://ipcheck.proofpoint.com/?ip=192.0.2.7",
        Path,
        AccountPaused,
    ),
    ("greeting", "421 4.3.2 Service not available", Speed, Waits),
    ("greeting", "421 4.7.0 Too many connections from your host", Speed, Waits),
    ("greeting", "554 No SMTP service here", Path, Waits),
    ("hello", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Account, AccountPaused),
    ("hello", "554 5.7.1 Blocked by Barracuda, see http://www.barracudacentral.org/reputation", Path, AccountPaused),
    (
        "auth",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
        Account,
        AccountPaused,
    ),
    ("auth", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", Account, AccountPaused),
    ("auth", "550 5.7.30 Basic authentication is not supported for Client Submission.", Account, AccountPaused),
    (
        "auth",
        "535 5.7.8 Username and Password not accepted. https://support.google.com/mail/?p=BadCredentials",
        Account,
        AccountPaused,
    ),
    ("auth", "534 5.7.9 Application-specific password required.", Account, AccountPaused),
    (
        "auth",
        "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked",
        Account,
        AccountPaused,
    ),
    ("auth", "454 4.7.0 Temporary authentication failure", Speed, Waits),
    ("auth", "451 Authentication failed: Maximum credits exceeded", Account, AccountPaused),
    ("auth", "502 5.7.0 Your SMTP account is not yet activated. Please contact us", Account, AccountPaused),
    // At the sender
    ("mail", "530 5.7.57 Client not authenticated to send mail.", Account, AccountPaused),
    ("mail", "530 5.7.0 Must issue a STARTTLS command first.", Path, Waits),
    ("mail", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Account, AccountPaused),
    (
        "mail",
        "553 5.7.1 <letters@harbor.example>: Sender address rejected: not owned by user frontdesk@harbor.example",
        Account,
        AccountPaused,
    ),
    ("mail", "550 5.1.8 Access denied, bad outbound sender AS(42003)", Account, AccountPaused),
    (
        "mail",
        "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
        Account,
        AccountPaused,
    ),
    (
        "mail",
        "550 5.4.5 Daily user sending limit exceeded. https://support.google.com/a/answer/166852",
        Speed,
        QuotaAwaited,
    ),
    ("mail", "454 Throttling failure: Daily message quota exceeded.", Speed, QuotaAwaited),
    ("mail", "454 Throttling failure: Maximum sending rate exceeded.", Speed, Waits),
    ("mail", "432 4.3.2 Concurrent connections limit exceeded.", Speed, Waits),
    ("mail", "451 4.3.0 Temporary lookup failure", Path, Waits),
    ("mail", "555 5.5.4 Unsupported option: SIZE", Path, Waits),
    // At the recipient, about us
    (
        "rcpt",
        "550 5.1.1 user has exceeded its 24-hour sending limit. Messages to 250 recipients out of 250 allowed have been sent. Relay quota will reset in 2.41 hours.",
        Speed,
        QuotaAwaited,
    ),
    ("rcpt", "550 user has exceeded its sending limit", Speed, QuotaAwaited),
    (
        "rcpt",
        "550 Domain harbor.example has exceeded the max emails per hour (500/500 (100%)) allowed. Message discarded.",
        Speed,
        QuotaAwaited,
    ),
    (
        "rcpt",
        "450 Requested mail action not taken: mailbox unavailable. Mail send limit exceeded.",
        Speed,
        QuotaAwaited,
    ),
    ("rcpt", "451 You have exceeded your messaging limits", Speed, QuotaAwaited),
    ("rcpt", "421 4.7.0 rate limited", Speed, Waits),
    ("rcpt", "452 4.5.3 Too many recipients", Speed, Waits),
    ("rcpt", "554 5.7.1 <dana@clinic.example>: Relay access denied", Account, AccountPaused),
    ("rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Account, AccountPaused),
    ("rcpt", "550 5.7.1 Daily SMTP relay limit exceeded for customer.", Speed, QuotaAwaited),
    ("rcpt", "550 5.4.6 Unusual sending activity detected. Please try after sometime", Account, AccountPaused),
    ("rcpt", "550 5.7.705 Access denied, tenant has exceeded threshold", Account, AccountPaused),
    ("rcpt", "550 Sender verify failed", Account, AccountPaused),
    ("rcpt", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Account, AccountPaused),
    ("rcpt", "550 5.7.1 Your account has been suspended. Please contact support.", Account, AccountPaused),
    ("rcpt", "550 5.1.1 user has exceeded its daily relay allowance", Speed, QuotaAwaited),
    ("rcpt", "550 5.2.2 Sending quota of mailbox exceeded", Speed, QuotaAwaited),
    ("rcpt", "550 Message rejected: too many recipients today for user", Speed, QuotaAwaited),
    ("rcpt", "550 5.4.5 Too many recipients in last 24h", Speed, QuotaAwaited),
    ("rcpt", "554 5.7.1 Account is disabled: contact support", Account, AccountPaused),
    ("rcpt", "550 5.7.1 Mail from IP 203.0.113.5 was rejected due to listing in Proofpoint", Path, AccountPaused),
    ("rcpt", "550 5.1.8 <letters@harbor.example>: Domain not found", Account, AccountPaused),
    ("rcpt", "550 5.7.27 harbor.example has null MX", Account, AccountPaused),
    ("rcpt", "550 5.7.1 Unknown host 192.0.2.7", Path, AccountPaused),
    ("rcpt", "535 5.7.8 Error: authentication failed: no such user", Account, AccountPaused),
    ("rcpt", "550 5.7.1 Directory Harvest Attack detected: user unknown", Speed, Waits),
    ("rcpt", "552 5.2.2 SMTP quota exceeded for letters", Speed, QuotaAwaited),
    ("rcpt", "450 4.2.1 Peak SMTP relay limit exceeded for customer", Speed, Waits),
    // At the recipient, about the recipient
    (
        "rcpt",
        "550 5.4.6 <dana@clinic.example>: Recipient address rejected: undeliverable address: mail for clinic.example loops back to myself",
        Recipient,
        TriedAgain,
    ),
    (
        "rcpt",
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx.clinic.example[192.0.2.9] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command)",
        Recipient,
        TriedAgain,
    ),
    (
        "rcpt",
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx.clinic.example[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
        Recipient,
        Dead,
    ),
    ("rcpt", "550 5.1.1 blocked by policy", Recipient, TriedAgain),
    ("rcpt", "550 5.7.1 user not found in whitelist", Recipient, Failed),
    ("rcpt", "550 Account closed", Recipient, Struck),
    ("rcpt", "550 #5.1.0 Address rejected.", Recipient, Dead),
    ("rcpt", "552 5.2.2 The email account that you tried to reach is over quota", Recipient, TriedAgain),
    ("rcpt", "550 5.2.1 user suspended: outbound spam", Recipient, TriedAgain),
    ("rcpt", "550 no such user: authentication failed", Recipient, TriedAgain),
    ("rcpt", "521 5.3.2 Host does not accept mail from you", Recipient, TriedAgain),
    ("rcpt", "550 5.7.1 Sender not allowed by recipient whitelist", Recipient, Failed),
    ("rcpt", "550 5.1.1 The email account that you tried to reach does not exist.", Recipient, Dead),
    ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Recipient, Dead),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", Recipient, Dead),
    ("rcpt", "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550", Recipient, Dead),
    ("rcpt", "550 5.2.1 The email account that you tried to reach is disabled.", Recipient, Struck),
    ("rcpt", "452 4.2.2 The email account that you tried to reach is over quota.", Recipient, TriedAgain),
    ("rcpt", "450 4.2.0 <dana@clinic.example>: Recipient address rejected: Greylisted", Recipient, TriedAgain),
    (
        "rcpt",
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
        Recipient,
        TriedAgain,
    ),
    ("rcpt", "550 Requested action not taken: mailbox unavailable", Recipient, TriedAgain),
    ("rcpt", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", Recipient, Failed),
    // At the letter
    (
        "data",
        "554 5.7.1 Sending paused for this account. For more information, please check the inbox of the email address",
        Account,
        AccountPaused,
    ),
    (
        "data",
        "550 5.7.232 Your message can't be sent because your trial tenant exceeded its daily limit",
        Speed,
        QuotaAwaited,
    ),
    (
        "dot",
        "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: letters@harbor.example",
        Account,
        AccountPaused,
    ),
    (
        "dot",
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        Account,
        AccountPaused,
    ),
    ("dot", "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", Account, AccountPaused),
    (
        "dot",
        "550 5.7.515 Access denied, sending domain HARBOR.EXAMPLE does not meet the required authentication level.",
        Account,
        AccountPaused,
    ),
    (
        "dot",
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        Speed,
        QuotaAwaited,
    ),
    (
        "dot",
        "554 Access denied: User `arn:aws:iam::1:user/x` is not authorized to perform `ses:SendRawEmail`",
        Account,
        AccountPaused,
    ),
    (
        "dot",
        "554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes",
        Letter,
        Failed,
    ),
    ("dot", "554 5.7.1 Message rejected as spam by Content Filtering.", Letter, Failed),
    ("dot", "552 5.3.4 Message size exceeds fixed limit", Letter, Failed),
    ("dot", "550 5.1.1 message rejected due to unacceptable attachment", Letter, Failed),
    ("dot", "421 4.7.26 This email has been rate limited because it is unauthenticated.", Account, AccountPaused),
    ("dot", "550 5.7.1 Message contains a URL listed by URIBL", Letter, Failed),
    ("dot", "554 5.2.3 MailPolicy violation Error delivering to mailboxes", Letter, Failed),
    (
        "dot",
        "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message with message WASCL",
        Account,
        AccountPaused,
    ),
    ("dot", "451 4.7.1 Please try again later", Recipient, TriedAgain),
    ("dot", "550 5.1.1 <dana@clinic.example>: user unknown", Recipient, Dead),
];

/// The dialogue up to the refusal.
fn script(phase: &str, refusal: &str) -> String {
    let hello = "> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH PLAIN\n< AUTH PLAIN\n> 235 ok\n";
    let before = match phase {
        "greeting" => String::new(),
        "hello" => "> 220 relay\n< EHLO\n".to_owned(),
        "auth" => "> 220 relay\n< EHLO\n> 250-relay\n> 250 AUTH PLAIN\n< AUTH PLAIN\n".to_owned(),
        "mail" => format!("{hello}< MAIL\n"),
        "rcpt" => format!("{hello}< MAIL\n> 250 ok\n< RCPT\n"),
        "data" => format!("{hello}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n"),
        "dot" => format!("{hello}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n! body\n"),
        other => panic!("no such phase: {other}"),
    };
    format!("{before}> {refusal}\n! hold")
}

async fn said(phase: &str, refusal: &str) -> Outcome {
    let relay = ScriptedSmtp::start(&[&script(phase, refusal)]).await;
    let mut account = Relay::new(relay.address.port(), "tls = \"off\"\nusername = \"frontdesk\"");
    account.password = Some("open-sesame");
    let outcome = account.provider().submit(&envelope("dana@clinic.example")).await;
    let told = format!("{:?}", outcome.failure()).to_lowercase();
    for word in ["dana", "clinic.example", "frontdesk", "letters@", "sesame"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
    outcome
}

fn rules() -> Rules {
    Rules {
        retry: RetryRules::default(),
        status_poll: Duration::from_secs(20),
        presume_delivered: Duration::from_secs(3600),
        doubt_settle: Duration::from_secs(120),
        doubt_deadline: Duration::from_secs(86_400),
        report_deadline: Duration::from_secs(86_400),
        smtp_doubt: SmtpDoubt::Hold,
        give_up: Duration::from_secs(3 * 86_400),
        restored: None,
        purging: BTreeMap::new(),
        domains: MailDomains::default(),
        capabilities: BTreeMap::new(),
    }
}

/// What follows from an outcome, by an account of its own.
async fn followed(store: &Store, stage: &Stage, number: usize, outcome: Outcome) -> Then {
    let account = format!("relay-{number}");
    let address: Address = format!("dana{number}@clinic.example").parse().expect("an address");
    let far = at(0).after(Duration::from_secs(2 * 86_400));
    let message = Message { address: address.clone(), give_up_ms: far, ..stage.message() };
    let called = Attempt { provider: account.clone(), dialled: Some(address.clone()), ..attempt(message.id, 1) };
    stage.store(store, std::slice::from_ref(&message)).await;
    let mut tx = store.write().await.expect("tx");
    tx.addresses_ensure(&[address.key()], at(1)).await.expect("made");
    tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
    let origin = Origin::provider(EventSource::Answer, &account);
    let evidence = Evidence::Answer(outcome);
    let after = settle::apply(&mut tx, &rules(), called.id, &evidence, &origin, at(30)).await.expect("learnt");
    let after = after.expect("a known attempt");
    let known = tx.address_health(&address).await.expect("read").expect("known");
    let states = tx.provider_states(false).await.expect("read");
    let waits = tx.queue_entry(message.id.0).await.expect("read").is_some();
    tx.commit().await.expect("committed");
    assert_eq!(waits, after.status == MessageStatus::Queued, "what waits is on the queue");
    let pause = states.iter().find(|state| state.provider == account && state.paused_ms.is_some());
    if let Some(pause) = pause {
        let remedy = pause.paused_remedy.expect("every pause names its remedy");
        assert!(refusals::remedy(remedy).len() > 30 && pause.paused_reason.is_some(), "{pause:?}");
        assert!(!format!("{pause:?}").contains("clinic.example"), "{pause:?}");
    }
    let resumes = pause.map(|pause| pause.resumes_ms.is_some());
    match (after.status, after.tries, known.health, known.strikes, resumes) {
        (MessageStatus::Queued, 0, Health::Unverified, 0, Some(false)) => AccountPaused,
        (MessageStatus::Queued, 0, Health::Unverified, 0, Some(true)) => QuotaAwaited,
        (MessageStatus::Queued, 0, Health::Unverified, 0, None) => Waits,
        (MessageStatus::Queued, 1, Health::Unverified, 0, None) => TriedAgain,
        (MessageStatus::Failed, 1, Health::Unverified, 0, None) => Failed,
        (MessageStatus::Failed, 1, Health::Dead, 1, None) => Dead,
        (MessageStatus::Failed, 1, Health::Unverified, 1, None) => Struck,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_recipient_is_blamed_for_our_account_and_no_letter_is_lost_by_it() {
    let mut outcomes = Vec::new();
    for (phase, refusal, about, then) in REFUSALS {
        let outcome = said(phase, refusal).await;
        let failure = outcome.failure().expect("a refusal");
        assert_eq!(failure.about, Some(about), "{phase}: {refusal}: {failure:?}");
        assert!(failure.remedy.is_some(), "{phase}: {refusal}");
        outcomes.push((phase, refusal, then, outcome));
    }
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        for (number, (phase, refusal, then, outcome)) in outcomes.iter().enumerate() {
            assert_eq!(followed(&store, &stage, number, outcome.clone()).await, *then, "{phase}: {refusal}");
        }
    })
    .await;
}
