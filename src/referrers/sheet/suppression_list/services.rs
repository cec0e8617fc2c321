//! What an entry of a suppression list says, in the words of each mail service. Where the columns of a service do not tell one
//! kind of list from another, the name of the file does; where it does not either, the strictest kind is assumed.
//!
//! Sources: Mailgun, "Suppressions" (API v3); Twilio SendGrid, "Suppressions" (Web API v3); Amazon SES,
//! `ListSuppressedDestinations` (API v2); Postmark, "Suppressions API" and "Bounce API".

use chrono::{DateTime, NaiveDate};

use super::Origin;
use super::bounces::{self, Held};
use super::entries::Entry;
use crate::domain::mail_reply::QuotedReply;
use crate::domain::suppression::{Scope, SuppressionReason};
use crate::referrers::sheet::refusal_dates::{by_number, day};
use crate::referrers::sheet::refusal_words::Answer;

/// How the cell may be called that says since when.
const SINCE: [&str; 8] =
    ["createdat", "created", "lastupdatetime", "bouncedat", "date", "timestamp", "createdon", "suppressedat"];
/// Longest words kept of what a server said, in characters.
const WORDS_CHARS_MAX: usize = 300;

/// What an entry says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The address as written.
    pub(super) address: String,
    /// What the address refuses, and why; none: nothing, and the words say why not.
    pub(super) refuses: Option<(Scope, SuppressionReason)>,
    /// Since when.
    pub(super) day: Option<NaiveDate>,
    /// What was said, as evidence.
    pub(super) words: String,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its owner does not want such mail.
    OptedOut,
    /// Its owner reported mail as spam.
    Complained,
    /// Mail to it came back, or the service calls it invalid.
    Bounced,
    /// A server refused a letter, which the service does not hold against the address.
    Blocked,
    /// The sender suppressed it.
    ByHand,
    /// Something passing.
    Passing,
}

/// Reads an entry.
///
/// # Errors
/// What is missing or not understood, in words.
pub(super) fn said(origin: Origin, entry: &Entry, file: Option<&str>) -> Result<Said, String> {
    let address = entry.address().ok_or("the entry has no email address")?.to_owned();
    let kind = match origin {
        Origin::Mailgun => mailgun(entry, file)?,
        Origin::SendGrid => sendgrid(entry, file),
        Origin::Ses => ses(entry)?,
        Origin::Postmark => postmark(entry)?,
        Origin::Csv => Kind::OptedOut,
    };
    let (refuses, words) = meaning(kind, entry);
    Ok(Said { address, refuses, day: since(entry), words })
}

/// What the address refuses, and the evidence; or nothing, and why not. Where nothing is kept, nothing is quoted: a server's
/// words may hold the address.
fn meaning(kind: Kind, entry: &Entry) -> (Option<(Scope, SuppressionReason)>, String) {
    let quoted = quoted(entry);
    let with = |words: &str| match &quoted {
        Some(quoted) => format!("{words} ({quoted})"),
        None => words.to_owned(),
    };
    let advertisements = |reason| Some((Scope::Advertisement, reason));
    match kind {
        Kind::OptedOut => (advertisements(SuppressionReason::OptOut), with("unsubscribed")),
        Kind::Complained => (advertisements(SuppressionReason::Complaint), with("reported mail as spam")),
        Kind::ByHand => (advertisements(SuppressionReason::DoNotContact), with("suppressed by the sender")),
        Kind::Passing => (None, "left out: this says nothing against the mailbox".to_owned()),
        Kind::Bounced | Kind::Blocked => match bounces::held(quoted.as_deref(), kind == Kind::Blocked) {
            Held::AgainstMailbox => (Some((Scope::All, SuppressionReason::Bounced)), with("mail came back")),
            Held::Passing => (None, "left out: what the server said passes".to_owned()),
            Held::AgainstOthers => (None, "left out: the server said it of the sender or the letter".to_owned()),
        },
    }
}

/// What a server said, or the service noted, in one line.
fn quoted(entry: &Entry) -> Option<String> {
    let words = entry.get(&["error", "reason", "details", "description", "diagnosticcode"]);
    // The words of most servers begin with the code.
    let code = entry.get(&["code", "status"]).filter(|_| words.and_then(QuotedReply::parse).is_none());
    let line = code.into_iter().chain(words).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(WORDS_CHARS_MAX).collect())
}

fn since(entry: &Entry) -> Option<NaiveDate> {
    let text = entry.get(&SINCE)?;
    let by_mail = || DateTime::parse_from_rfc2822(&text.replace("UTC", "+0000")).ok().map(|time| time.date_naive());
    match by_number(text) {
        Some(Answer::Yes(day)) => day,
        _ => day(text).or_else(by_mail),
    }
}

fn is_called(file: Option<&str>, parts: &[&str]) -> bool {
    let name = file.unwrap_or_default().to_ascii_lowercase();
    parts.iter().any(|part| name.contains(part))
}

/// Bounces have `code` and `error`, unsubscribes have `tags`, complaints have neither.
fn mailgun(entry: &Entry, file: Option<&str>) -> Result<Kind, String> {
    if is_called(file, &["allowlist", "whitelist"]) {
        return Err("this is an allowlist, which suppresses nothing".to_owned());
    }
    Ok(if entry.has("code") || entry.has("error") || is_called(file, &["bounce"]) {
        Kind::Bounced
    } else if entry.has("tags") || entry.has("tag") || is_called(file, &["unsub"]) {
        Kind::OptedOut
    } else {
        Kind::Complained
    })
}

/// Spam reports have `ip`, bounces and blocks have `status` and `reason`, invalid addresses have `reason` alone,
/// unsubscribes have none of them.
fn sendgrid(entry: &Entry, file: Option<&str>) -> Kind {
    let tells_why = entry.has("reason") || entry.has("status");
    let is_block = (tells_why && is_called(file, &["block"]))
        || entry.get(&["type"]).is_some_and(|kind| kind.starts_with("block"));
    if entry.has("ip") || is_called(file, &["spam"]) {
        Kind::Complained
    } else if is_block {
        Kind::Blocked
    } else if tells_why || is_called(file, &["bounce", "invalid"]) {
        Kind::Bounced
    } else {
        Kind::OptedOut
    }
}

fn ses(entry: &Entry) -> Result<Kind, String> {
    match entry.get(&["reason", "suppressionreason"]).map(str::to_ascii_uppercase).as_deref() {
        Some("BOUNCE") => Ok(Kind::Bounced),
        Some("COMPLAINT") => Ok(Kind::Complained),
        _ => Err("the reason must be BOUNCE or COMPLAINT".to_owned()),
    }
}

/// Suppressions have `SuppressionReason` and `Origin`; bounces have `Type`.
fn postmark(entry: &Entry) -> Result<Kind, String> {
    let by_recipient = entry.get(&["origin"]).is_none_or(|origin| origin.eq_ignore_ascii_case("recipient"));
    let reason = entry.get(&["suppressionreason", "type", "reason"]).unwrap_or_default();
    match reason.to_ascii_lowercase().replace([' ', '_'], "").as_str() {
        "hardbounce" | "bademailaddress" => Ok(Kind::Bounced),
        "spamcomplaint" => Ok(Kind::Complained),
        "manualsuppression" if by_recipient => Ok(Kind::OptedOut),
        "manualsuppression" | "manuallydeactivated" => Ok(Kind::ByHand),
        "unsubscribe" => Ok(Kind::OptedOut),
        "blocked" | "spamnotification" | "virusnotification" | "dmarcpolicy" => Ok(Kind::Blocked),
        "transient"
        | "softbounce"
        | "autoresponder"
        | "dnserror"
        | "addresschange"
        | "openrelaytest"
        | "challengeverification"
        | "subscribe"
        | "unknown"
        | "unconfirmed"
        | "smtpapierror"
        | "inbounderror"
        | "templaterenderingfailed" => Ok(Kind::Passing),
        "" => Err("the entry does not say why it is suppressed (SuppressionReason)".to_owned()),
        _ => Err("the reason is not one of Postmark's (HardBounce, SpamComplaint, ManualSuppression)".to_owned()),
    }
}
