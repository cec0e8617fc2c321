//! A finished mail as the octets that travel: RFC 5322 header, multipart/alternative (text first, RFC 2046 §5.1.4),
//! quoted-printable throughout, so that any hop can carry it.

use chrono::DateTime;

use super::encoding::{FieldWriter, push_quoted_printable};
use crate::domain::envelope::Mail;
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{EmailAddress, Timestamp};

/// Why a mail cannot be put into a form that travels. Holds nothing of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A mailbox name outside ASCII needs SMTPUTF8 (RFC 6531) at every hop, which is not used here.
    #[error("a mailbox name outside ASCII cannot be written to")]
    AddressNotAscii,
    /// The unsubscribe target is not an http or https URL that fits a header line.
    #[error("the unsubscribe link is not a web address of at most 900 characters")]
    UnsubscribeTarget,
    /// A header has a word longer than a line may be.
    #[error("a header line is longer than 998 octets")]
    LineTooLong,
    /// An address has no form that can be written.
    #[error("an address of the mail cannot be written")]
    Malformed,
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::AddressNotAscii => Self::new(Fault::PolicyRefusal).code("5.6.7").text(error.to_string()),
            other => Self::new(Fault::DocumentError).text(other.to_string()),
        }
    }
}

/// The `Message-ID` of an attempt, angle brackets included: `<attempt@domain of the sender>`. It is made of the
/// attempt's id, so that a bounce, a provider's log and our records name the same thing.
#[must_use]
pub fn message_id(attempt: AttemptId, from: &EmailAddress) -> String {
    let domain = ascii_domain(from.domain()).unwrap_or_else(|_| from.domain().to_owned());
    format!("<{attempt}@{domain}>")
}

/// The attempt that a `Message-ID` of ours names, with or without angle brackets.
#[must_use]
pub fn attempt_of(message_id: &str) -> Option<AttemptId> {
    let (attempt, _) = message_id.trim().trim_start_matches('<').split_once('@')?;
    attempt.parse().ok()
}

/// Puts the mail into its final form: CRLF line ends, ASCII only, no line over 998 octets. The same input gives the
/// same octets. `opt_out`: the mailbox to which its recipient can write to be sent no more, named beside the link where the mail
/// has one.
///
/// # Errors
/// What about the mail cannot travel.
pub fn compose(
    mail: &Mail,
    to: &EmailAddress,
    attempt: AttemptId,
    now: Timestamp,
    opt_out: Option<&EmailAddress>,
) -> Result<Vec<u8>, ComposeError> {
    let mut eml = Vec::with_capacity(2048 + (mail.text.len() + mail.html.len()) * 9 / 8);
    push_header(&mut eml, mail, to, attempt, now, opt_out)?;
    // Quoted-printable has no "=_", so that no line of a part can look like the boundary (RFC 2045 §6.7).
    let boundary = format!("=_touchline-{}", attempt.0.simple());
    push(&mut eml, &["Content-Type: multipart/alternative;\r\n boundary=\"", &boundary, "\"\r\n"]);
    for (kind, text) in [("plain", &mail.text), ("html", &mail.html)] {
        push(&mut eml, &["\r\n--", &boundary, "\r\nContent-Type: text/", kind, "; charset=utf-8\r\n"]);
        push(&mut eml, &["Content-Transfer-Encoding: quoted-printable\r\n\r\n"]);
        push_quoted_printable(&mut eml, text);
    }
    push(&mut eml, &["\r\n--", &boundary, "--\r\n"]);
    Ok(eml)
}

fn push_header(
    eml: &mut Vec<u8>,
    mail: &Mail,
    to: &EmailAddress,
    attempt: AttemptId,
    now: Timestamp,
    opt_out: Option<&EmailAddress>,
) -> Result<(), ComposeError> {
    push_mailbox(eml, "From", &mail.from_name, &mail.from)?;
    push_mailbox(eml, "To", &mail.to_name, to)?;
    if let Some(reply_to) = &mail.reply_to {
        push_mailbox(eml, "Reply-To", "", reply_to)?;
    }
    let mut subject = FieldWriter::new(eml, "Subject");
    subject.text(&one_line(&mail.subject));
    ends_well(subject)?;
    push(eml, &["Date: ", &date(now), "\r\nMessage-ID: ", &message_id(attempt, &mail.from), "\r\n"]);
    if let Some(target) = &mail.unsubscribe {
        // Each on a line of its own and not folded, since a folded URL is not read as one by every mailbox provider.
        push(eml, &["List-Unsubscribe: <", unsubscribe_target(target)?.as_str(), ">"]);
        if let Some(mailbox) = opt_out {
            push(eml, &[",\r\n <mailto:", &in_a_url(mailbox), "?subject=unsubscribe>"]);
        }
        push(eml, &["\r\n"]);
        push(eml, &["List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]);
    }
    if mail.automatic {
        push(eml, &["Auto-Submitted: auto-generated\r\n"]);
    }
    push(eml, &["MIME-Version: 1.0\r\n"]);
    Ok(())
}

fn push(eml: &mut Vec<u8>, pieces: &[&str]) {
    pieces.iter().for_each(|piece| eml.extend_from_slice(piece.as_bytes()));
}

fn push_mailbox(eml: &mut Vec<u8>, field: &str, name: &str, address: &EmailAddress) -> Result<(), ComposeError> {
    let address = ascii_address(address)?;
    let mut field = FieldWriter::new(eml, field);
    let name = one_line(name);
    if name.is_empty() {
        field.word(address.as_str().as_bytes());
    } else {
        field.phrase(&name);
        field.word(format!("<{}>", address.as_str()).as_bytes());
    }
    ends_well(field)
}

fn ends_well(field: FieldWriter<'_>) -> Result<(), ComposeError> {
    if field.end() { Ok(()) } else { Err(ComposeError::LineTooLong) }
}

/// RFC 5322 §3.3, in UTC.
fn date(now: Timestamp) -> String {
    DateTime::from_timestamp_millis(now.0.max(0)).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// The address as it is written in commands and headers: an international domain becomes its A-labels (RFC 5891).
pub(super) fn ascii_address(address: &EmailAddress) -> Result<EmailAddress, ComposeError> {
    if !address.local().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ComposeError::AddressNotAscii);
    }
    let ascii = format!("{}@{}", address.local(), ascii_domain(address.domain())?);
    EmailAddress::parse(&ascii).map_err(|_| ComposeError::Malformed)
}

/// The domain as it is written in DNS.
pub(super) fn ascii_domain(domain: &str) -> Result<String, ComposeError> {
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    url::Host::parse(domain).map(|host| host.to_string()).map_err(|_| ComposeError::Malformed)
}

/// Names and subjects come from data: whatever could begin another header becomes a space.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || c.is_whitespace();
    text.split(breaks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The address in a `mailto:` (RFC 6068 section 2).
fn in_a_url(address: &EmailAddress) -> String {
    let stands_for_itself = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~!$'*+@".contains(&octet);
    let escaped =
        |octet: u8| if stands_for_itself(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    address.as_str().bytes().map(escaped).collect()
}

fn unsubscribe_target(target: &str) -> Result<url::Url, ComposeError> {
    let url = url::Url::parse(target).map_err(|_| ComposeError::UnsubscribeTarget)?;
    let fits = ["http", "https"].contains(&url.scheme())
        && url.as_str().len() <= 900
        && url.as_str().bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte));
    if fits { Ok(url) } else { Err(ComposeError::UnsubscribeTarget) }
}
