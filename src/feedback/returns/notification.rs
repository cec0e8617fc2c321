//! Amazon SES's notifications where they arrive as a mail or a file: the JSON itself, or wrapped by SNS (docs.aws.amazon.com/ses:
//! notification contents, event publishing contents).

use serde_json::{Deserializer, Value};

use super::verdict::{Evidence, weigh};
use super::{Class, Kind, Recipient, Return};
use crate::domain::Fault;
use crate::domain::mail_reply::EnhancedStatus;

/// How many recipients of one notification are read.
const RECIPIENTS_MAX: usize = 100;

/// What a text says, if it is a notification.
pub(super) fn read(text: &str) -> Option<Return> {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    // SNS writes more behind the object when it sends a mail.
    let object = Deserializer::from_str(text).into_iter::<Value>().next()?.ok()?;
    let wrapped =
        object.get("Message").and_then(Value::as_str).and_then(|message| serde_json::from_str::<Value>(message).ok());
    of_object(&wrapped.unwrap_or(object))
}

fn of_object(object: &Value) -> Option<Return> {
    let kind = object.get("notificationType").or_else(|| object.get("eventType"))?.as_str()?;
    let (kind, recipients) = match kind {
        "Bounce" => (Kind::Bounce, bounced(object.get("bounce")?)),
        "DeliveryDelay" => (Kind::Delay, delayed(object.get("deliveryDelay")?)),
        "Complaint" => (Kind::Complaint, complained(object.get("complaint")?)),
        "Delivery" => (Kind::Delivered, delivered(object.get("delivery")?)),
        _ => return None,
    };
    let mail = object.get("mail");
    let original = mail.and_then(|mail| mail.get("headers")).and_then(Value::as_array).and_then(|headers| {
        let is_id = |header: &&Value| text(header, "name").eq_ignore_ascii_case("message-id");
        headers.iter().find(is_id).map(|header| text(header, "value").to_owned())
    });
    let of_relay = || mail.map(|mail| text(mail, "messageId").to_owned());
    let message_id = original.or_else(of_relay).filter(|id| !id.is_empty());
    Some(Return { kind, recipients, ..Return::none() }.naming(message_id.as_deref().unwrap_or_default()))
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    object.get(name).and_then(Value::as_array).into_iter().flatten().take(RECIPIENTS_MAX)
}

/// What SES concludes narrows what the words say: "Undetermined" and "Transient" prove nothing against an address.
fn bounced(bounce: &Value) -> Vec<Recipient> {
    let (kind, detail) = (text(bounce, "bounceType"), text(bounce, "bounceSubType"));
    let read = |recipient: &Value| {
        let mut read = one(recipient, false);
        match (kind, detail) {
            ("Permanent", "NoEmail") if read.code.is_none_or(|code| code >= 500) => {
                (read.class, read.reason) = (Some(Class::Hard), Some(Fault::MailboxUnknown))
            }
            ("Permanent", "Suppressed" | "OnAccountSuppressionList") => {
                (read.class, read.reason) = (Some(Class::Soft), Some(Fault::Unknown))
            }
            ("Transient", "MailboxFull") => (read.class, read.reason) = (Some(Class::Soft), Some(Fault::MailboxFull)),
            ("Transient", "MessageTooLarge") => (read.class, read.reason) = (Some(Class::Ours), Some(Fault::TooLarge)),
            ("Transient", "ContentRejected" | "AttachmentRejected") => {
                (read.class, read.reason) = (Some(Class::Ours), Some(Fault::PolicyRefusal))
            }
            ("Permanent", _) => return read,
            _ if read.class == Some(Class::Hard) => {
                (read.class, read.reason) = (Some(Class::Soft), Some(Fault::Unknown))
            }
            _ => return read,
        }
        read.row = Some(format!("ses: {kind} {detail}"));
        read
    };
    list(bounce, "bouncedRecipients").map(read).collect()
}

fn delayed(delay: &Value) -> Vec<Recipient> {
    list(delay, "delayedRecipients").map(|recipient| one(recipient, true)).collect()
}

fn one(recipient: &Value, is_delay: bool) -> Recipient {
    let evidence = Evidence {
        diagnostic: text(recipient, "diagnosticCode").trim_start_matches("smtp;").trim(),
        status: EnhancedStatus::parse(text(recipient, "status")),
        is_delay,
        ..Evidence::default()
    };
    weigh(text(recipient, "emailAddress").to_owned(), None, &evidence)
}

fn complained(complaint: &Value) -> Vec<Recipient> {
    let what = text(complaint, "complaintFeedbackType");
    list(complaint, "complainedRecipients")
        .map(|one| Recipient::complaining(text(one, "emailAddress").to_owned(), what))
        .collect()
}

fn delivered(delivery: &Value) -> Vec<Recipient> {
    let read = |one: &Value| one.as_str().map(|address| Recipient::reached(address.to_owned()));
    list(delivery, "recipients").filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounce(kind: &str, detail: &str, diagnostic: &str) -> Recipient {
        let text = format!(
            r#"{{"notificationType":"Bounce","bounce":{{"bounceType":"{kind}","bounceSubType":"{detail}",
            "bouncedRecipients":[{{"emailAddress":"dana@clinic.example","status":"5.1.1","diagnosticCode":"{diagnostic}"}}]}},
            "mail":{{"messageId":"0101"}}}} behind it"#
        );
        read(&text).expect("a notification").recipients.remove(0)
    }

    #[test]
    fn what_ses_is_not_sure_of_proves_nothing() {
        let unknown = "smtp; 550 5.1.1 user unknown";
        assert_eq!(bounce("Permanent", "General", unknown).class, Some(Class::Hard));
        assert_eq!(bounce("Undetermined", "Undetermined", unknown).class, Some(Class::Soft));
        assert_eq!(bounce("Transient", "General", unknown).class, Some(Class::Soft));
        assert_eq!(bounce("Transient", "ContentRejected", "smtp; 552 no").class, Some(Class::Ours));
        assert!(read("{\"notificationType\":\"Open\"}").is_none());
        assert!(read("{ no json").is_none());
    }
}
