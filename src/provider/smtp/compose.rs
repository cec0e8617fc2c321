//! A finished mail as the octets that travel: RFC 5322 header, multipart/alternative (text first, RFC 2046 §5.1.4),
//! quoted-printable throughout, so that any hop can carry it.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::domain::envelope::Mail;
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{EmailAddress, Timestamp};

/// RFC 5322 §2.1.1: no line is longer than this, without its CRLF.
const LINE_OCTETS_MAX: usize = 998;

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
    /// The builder refused.
    #[error("the mail could not be put together")]
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
/// same octets.
///
/// # Errors
/// What about the mail cannot travel.
pub fn compose(mail: &Mail, to: &EmailAddress, attempt: AttemptId, now: Timestamp) -> Result<Vec<u8>, ComposeError> {
    let written = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    let mut builder = Message::builder()
        .from(mailbox(&mail.from_name, &mail.from)?)
        .to(mailbox(&mail.to_name, to)?)
        .subject(one_line(&mail.subject))
        .date(UNIX_EPOCH + written)
        .message_id(Some(message_id(attempt, &mail.from)));
    if let Some(target) = &mail.unsubscribe {
        builder = builder
            .raw_header(plain_header("List-Unsubscribe", format!("<{}>", unsubscribe_target(target)?)))
            .raw_header(plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    if mail.automatic {
        builder = builder.raw_header(plain_header("Auto-Submitted", "auto-generated".to_owned()));
    }
    let parts = MultiPart::alternative()
        .boundary(format!("touchline-{}", attempt.0.simple()))
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html));
    let eml = builder.multipart(parts).map_err(|_| ComposeError::Malformed)?.formatted();
    check_lines(&eml)?;
    Ok(eml)
}

/// The address as it is written in commands and headers: an international domain becomes its A-labels (RFC 5891).
pub(super) fn ascii_address(address: &EmailAddress) -> Result<Address, ComposeError> {
    let (local, domain) = address.as_str().rsplit_once('@').ok_or(ComposeError::Malformed)?;
    if !local.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ComposeError::AddressNotAscii);
    }
    Address::new(local, ascii_domain(domain)?).map_err(|_| ComposeError::Malformed)
}

/// The domain as it stands in DNS.
pub(super) fn ascii_domain(domain: &str) -> Result<String, ComposeError> {
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    url::Host::parse(domain).map(|host| host.to_string()).map_err(|_| ComposeError::Malformed)
}

fn mailbox(name: &str, address: &EmailAddress) -> Result<Mailbox, ComposeError> {
    let name = Some(one_line(name)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, ascii_address(address)?))
}

/// Names and subjects come from data: whatever could begin another header becomes a space.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || c.is_whitespace();
    text.split(breaks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn unsubscribe_target(target: &str) -> Result<url::Url, ComposeError> {
    let url = url::Url::parse(target).map_err(|_| ComposeError::UnsubscribeTarget)?;
    let fits = ["http", "https"].contains(&url.scheme())
        && url.as_str().len() <= 900
        && url.as_str().bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte));
    if fits { Ok(url) } else { Err(ComposeError::UnsubscribeTarget) }
}

/// A header whose value is made of printable ASCII already; it is neither encoded nor folded, since a folded URL is
/// not read as one by every mailbox provider.
fn plain_header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// Line ends are made CRLF here because lettre's own conversion takes time by the square of the length.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let text = text.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

/// The promise of [`compose`], checked on the result: a line end other than CRLF could end the mail early at the next
/// hop and begin another (SMTP smuggling).
fn check_lines(eml: &[u8]) -> Result<(), ComposeError> {
    let body = eml.strip_suffix(b"\r\n").ok_or(ComposeError::Malformed)?;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_OCTETS_MAX {
            return Err(ComposeError::LineTooLong);
        }
        if line.iter().any(|byte| !byte.is_ascii() || [0, b'\r'].contains(byte)) {
            return Err(ComposeError::Malformed);
        }
    }
    let ends = body.iter().filter(|byte| **byte == b'\n').count();
    let pairs = body.windows(2).filter(|pair| pair == b"\r\n").count();
    if ends == pairs { Ok(()) } else { Err(ComposeError::Malformed) }
}
