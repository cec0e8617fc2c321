//! Reading what providers answer: leniently, because samples and servers differ, and never trusting a length or a
//! format.

use serde_json::Value;

use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::domain::fault::{Failure, Fault, clean};
use crate::http::Answer;

/// Longest text accepted as a provider's id; a UUID has 36 characters.
const ID_CHARS_MAX: usize = 100;
/// Longest stage word that is stored.
const STAGE_CHARS_MAX: usize = 40;

/// Whether a text can be one part of a path without changing its meaning (RFC 3986 §2.3, dots alone excepted).
pub fn is_path_safe(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(plain)
}

/// The reference for a path or a form, if it is one that the provider can have issued.
///
/// # Errors
/// It is not one; nothing was called.
pub fn id(reference: &ProviderReference) -> Result<&str, Failure> {
    let id = reference.0.as_str();
    if is_path_safe(id) { Ok(id) } else { Err(unreadable("the reference is not one of this provider's")) }
}

/// A provider's id, given as text or as a number.
pub fn reference(value: &Value) -> Option<ProviderReference> {
    let text = words(value).filter(|_| !value.is_boolean())?;
    if is_path_safe(&text) { ProviderReference::new(&text) } else { None }
}

/// A member that is a text and not empty.
pub fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A member, taken out of its object; null where there is none, or no object.
pub fn taken(mut value: Value, key: &str) -> Value {
    value.get_mut(key).map_or(Value::Null, Value::take)
}

/// A text, a number or a boolean, as text; not empty.
pub fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A count, given as a number or, as some samples have it, as text.
pub fn count(value: &Value) -> Option<u32> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    u32::try_from(number).ok()
}

/// A time with a zone (RFC 3339).
pub fn time(text: &str) -> Option<Timestamp> {
    chrono::DateTime::parse_from_rfc3339(text).ok().and_then(|time| Timestamp::written(time.to_utc()))
}

/// A time with a zone, or seconds or milliseconds since 1970.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    /// Seconds would be in the year 5138 by then.
    const SECONDS_MAX: i64 = 100_000_000_000;
    let moment = match text.trim().parse::<i64>() {
        Ok(seconds) if (-SECONDS_MAX..SECONDS_MAX).contains(&seconds) => Timestamp(seconds * 1000),
        Ok(milliseconds) => Timestamp(milliseconds),
        Err(_) => return time(text.trim()),
    };
    Some(moment).filter(|moment| moment.is_writable())
}

/// In progress, at the stage the provider names.
pub fn progress(stage: &str) -> Fact {
    Fact::Progress { stage: self::stage(stage) }
}

/// A provider's word for a stage, made safe to show and to be part of a key.
pub fn stage(word: &str) -> String {
    clean(word, STAGE_CHARS_MAX)
}

/// Whether a fax that failed this way cannot have sent a page: no call was made, or no fax machine answered it.
pub const fn excludes_transmission(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Busy
            | Fault::NoAnswer
            | Fault::NotAFax
            | Fault::InvalidNumber
            | Fault::RejectedByRemote
            | Fault::Blocked
            | Fault::DocumentError
            | Fault::AccountError
            | Fault::RateLimited
    )
}

/// The end of a fax of which `confirmed` of `total` pages arrived, for a failure that did not exclude it: pages that
/// arrived before a failure make it a partial send, which is never repeated as a whole.
pub fn failed_after(failure: Failure, confirmed: Option<u32>) -> Fact {
    match confirmed {
        Some(pages) if pages > 0 => {
            let fault = Fault::PartialSend;
            Fact::Failed(Failure { fault, ..failure }.pages(Some(pages)))
        }
        pages => Fact::Failed(failure.pages(pages)),
    }
}

/// The end of a failed fax for which the provider gives a page count without saying what it counts. Where the fault
/// rules out that a page went out, it can only be that of the document; else some may have arrived.
pub fn failed_with(failure: Failure, pages: Option<u32>) -> Fact {
    let confirmed = if excludes_transmission(failure.fault) { Some(0) } else { pages };
    failed_after(failure, confirmed)
}

/// What a callback says about a fax, under a key that is the same whenever the same stage is reported again.
pub fn event(reference: ProviderReference, stage: &str, fact: Fact) -> DeliveryEvent {
    DeliveryEvent {
        attempt: None,
        dedupe: format!("{}:{}", reference.0, self::stage(stage)),
        reference: Some(reference),
        fact,
        billed: None,
        returned: None,
        occurred_ms: None,
    }
}

/// Delivered, unless fewer pages were confirmed than there are: then only a part arrived, whatever the provider calls it.
pub fn delivered(confirmed: Option<u32>, total: Option<u32>) -> Fact {
    match (confirmed, total) {
        (Some(confirmed), Some(total)) if confirmed < total => {
            Fact::Failed(Failure::new(Fault::PartialSend).pages(Some(confirmed)))
        }
        (confirmed, _) => Fact::Delivered { pages: confirmed },
    }
}

/// An answer that cannot be understood.
pub fn unreadable(why: &str) -> Failure {
    Failure::new(Fault::ProtocolError).text(why)
}

/// The JSON of a success.
///
/// # Errors
/// It is not JSON.
pub fn json(answer: &Answer) -> Result<Value, Failure> {
    answer.json().ok_or_else(|| unreadable("the answer is not JSON").code(answer.status.to_string()))
}
