//! The table: what is said of the login, of our account and our domain, of our speed and of the way there, of the mailbox, of the letter,
//! and last the codes alone. Within each part the narrower row stands first.

mod account;
mod codes;
mod domain;
mod letter;
mod login;
mod mailbox;
mod path;
mod recipient;
mod speed;

use super::{Phase, Row, Verdict};
use crate::domain::fault::{About, Fault};
use crate::domain::remedy::Remedy;

pub(super) use codes::LAST;

/// All of it, in the order in which it is read.
pub(super) const TABLE: &[&[Row]] = &[
    account::FIRST,
    domain::FIRST,
    recipient::RECEIVING,
    speed::FIRST,
    recipient::FIRST,
    mailbox::ROWS,
    recipient::BEHIND_PROOF,
    letter::FIRST,
    login::ROWS,
    speed::ROWS,
    path::ROWS,
    account::ROWS,
    domain::ROWS,
    recipient::ROWS,
    letter::ROWS,
    mailbox::CODES,
    codes::ROWS,
    &[LAST],
];

const ANY: &[Phase] = &[];
const AUTH: &[Phase] = &[Phase::Auth];
/// Before any recipient is named.
const OPENING: &[Phase] = &[Phase::Greeting, Phase::Hello, Phase::StartTls, Phase::Auth, Phase::Mail];
/// From the sender's address on.
const SENDING: &[Phase] = &[Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Dot, Phase::Bounce];
/// From the recipient's address on.
const DELIVERY: &[Phase] = &[Phase::Rcpt, Phase::Data, Phase::Dot, Phase::Bounce];
const RCPT: &[Phase] = &[Phase::Rcpt, Phase::Bounce];
/// The letter itself.
const LETTER: &[Phase] = &[Phase::Dot, Phase::Data, Phase::Bounce];

/// One row.
const fn row(
    phases: &'static [Phase],
    code: &'static str,
    enhanced: &'static str,
    words: &'static [&'static str],
    verdict: Verdict,
    source: &'static str,
    sample: &'static str,
) -> Row {
    Row { phases, code, enhanced, words, alone: false, verdict, source, sample }
}

/// A row that counts only if nothing else is said.
const fn alone(row: Row) -> Row {
    Row { alone: true, ..row }
}

const fn verdict(about: About, fault: Fault, remedy: Remedy) -> Verdict {
    Verdict { about, fault, proves_mailbox: false, remedy, wait_seconds: None }
}

const fn account(remedy: Remedy) -> Verdict {
    verdict(About::Account, Fault::AccountError, remedy)
}

const fn quota(wait_seconds: u64) -> Verdict {
    Verdict { wait_seconds: Some(wait_seconds), ..verdict(About::Speed, Fault::QuotaReached, Remedy::WaitForQuota) }
}

const fn proof(fault: Fault) -> Verdict {
    Verdict { proves_mailbox: true, ..verdict(About::Recipient, fault, Remedy::CorrectAddress) }
}

const PASSWORD: Verdict = account(Remedy::CheckPassword);
const LOGIN_WANTED: Verdict = account(Remedy::LogIn);
const MICROSOFT_LOGIN: Verdict = account(Remedy::OauthMicrosoft);
const APP_PASSWORD: Verdict = account(Remedy::AppPassword);
const GOOGLE_LOGIN: Verdict = account(Remedy::OauthGoogle);
const MECHANISM: Verdict = account(Remedy::OtherLogin);
const SEND_AS: Verdict = account(Remedy::AllowSendAs);
const IDENTITY: Verdict = account(Remedy::VerifyIdentity);
const RELAYING: Verdict = account(Remedy::AllowRelay);
const CLOSED_ACCOUNT: Verdict = account(Remedy::AskRelay);
const UNPAID: Verdict = account(Remedy::PayRelay);
const DOMAIN_RECORDS: Verdict = account(Remedy::FixDomainRecords);
const HELLO_NAME: Verdict = account(Remedy::SetHelloName);

/// A quota of an hour, or one whose period nobody names: it is tried again after an hour.
const QUOTA: Verdict = quota(3600);
/// A quota of a day. Most count the last 24 hours and so return little by little; four hours are not too often.
const QUOTA_OF_A_DAY: Verdict = quota(4 * 3600);
const SLOWER: Verdict = verdict(About::Speed, Fault::RateLimited, Remedy::SlowDown);

const LISTED: Verdict = verdict(About::Path, Fault::AccountError, Remedy::AskDelisting);
const RELAY_TROUBLE: Verdict = verdict(About::Path, Fault::ProviderError, Remedy::WaitForRelay);
/// The sender's domain could not be looked up just now.
const SENDER_LATER: Verdict = verdict(About::Path, Fault::ProviderError, Remedy::VerifyIdentity);
const NO_SENSE: Verdict = verdict(About::Path, Fault::ProtocolError, Remedy::AskRelay);
const ENCRYPTION: Verdict = verdict(About::Path, Fault::TlsRequired, Remedy::UseEncryption);
const GAVE_UP: Verdict = verdict(About::Path, Fault::Expired, Remedy::WaitForRetry);

const GONE: Verdict = proof(Fault::MailboxUnknown);
const DOMAIN_GONE: Verdict = proof(Fault::DomainUnknown);
const SWITCHED_OFF: Verdict = proof(Fault::MailboxDisabled);
const FULL: Verdict = verdict(About::Recipient, Fault::MailboxFull, Remedy::WaitForRetry);
const LATER: Verdict = verdict(About::Recipient, Fault::Deferred, Remedy::WaitForRetry);
/// No, and no reason that holds anything against the mailbox.
const UNEXPLAINED: Verdict = verdict(About::Recipient, Fault::Unknown, Remedy::AskRecipient);
/// The mailbox is there and takes no letters from outside, or none from us.
const CLOSED: Verdict = verdict(About::Recipient, Fault::PolicyRefusal, Remedy::AskRecipient);

const TOO_LARGE: Verdict = verdict(About::Letter, Fault::TooLarge, Remedy::ShortenLetter);
const CONTENT: Verdict = verdict(About::Letter, Fault::PolicyRefusal, Remedy::ChangeContent);
const POLICY: Verdict = verdict(About::Letter, Fault::PolicyRefusal, Remedy::ReadReply);
