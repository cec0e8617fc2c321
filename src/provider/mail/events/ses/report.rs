//! What SES says in a message: notifications of an identity and events of a configuration set, which have the same parts
//! (AWS: "Contents of Amazon SES notifications" and "Contents of event data").

use serde_json::Value;

use super::super::told::{ECHO, Happened, Told, echoed, in_message_id, time, word};
use super::super::verdict::Saying;
use crate::domain::fault::{About, Fault};
use crate::domain::id::AttemptId;
use crate::domain::returned::ReturnClass;

/// Most recipients that one report may name; SES takes 50 in one mail.
const RECIPIENTS_MAX: usize = 50;
/// Most headers of the mail that are looked at.
const HEADERS_MAX: usize = 200;

/// What a bounce of that type and subtype is.
pub(in super::super) fn saying(kind: &str, subtype: &str) -> Saying {
    let ours = |fault| Saying::Is(fault, About::Letter, ReturnClass::Ours);
    match (kind, subtype) {
        ("Permanent", "NoEmail") => Saying::Dead,
        ("Permanent", "Suppressed" | "OnAccountSuppressionList") => Saying::Listed,
        ("Permanent", "UnsubscribedRecipient") => Saying::Unwilling,
        ("Permanent", _) => Saying::Hard,
        ("Transient", "MailboxFull") => Saying::Is(Fault::MailboxFull, About::Recipient, ReturnClass::Soft),
        ("Transient", "MessageTooLarge") => ours(Fault::TooLarge),
        ("Transient", "ContentRejected" | "AttachmentRejected") => ours(Fault::PolicyRefusal),
        ("Transient", "CustomTimeoutExceeded") => Saying::Soft(Fault::Expired),
        ("Transient", _) => Saying::Soft(Fault::Deferred),
        _ => Saying::Soft(Fault::Unknown),
    }
}

/// What is said of each recipient; an empty list if it is no fact or no report, `None` if it is one without its parts.
pub(super) fn told(message: &str) -> Option<Vec<Told>> {
    // When a topic is set up, SES says so in plain words.
    let Ok(report) = serde_json::from_str::<Value>(message) else { return Some(Vec::new()) };
    let Some(kind) = report["eventType"].as_str().or_else(|| report["notificationType"].as_str()) else {
        return Some(Vec::new());
    };
    let mail = &report["mail"];
    let of = |part: &str, recipients: &str, happened, said: &str| {
        let part = &report[part];
        let named = part[recipients].as_array().or_else(|| mail["destination"].as_array())?;
        let told = named.iter().take(RECIPIENTS_MAX).map(|recipient| one(mail, part, recipient, happened, said));
        Some(told.collect::<Vec<_>>())
    };
    match kind {
        "Delivery" => of("delivery", "recipients", Happened::Delivered, kind),
        "DeliveryDelay" => {
            let delay = report["deliveryDelay"]["delayType"].as_str().unwrap_or_default();
            of("deliveryDelay", "delayedRecipients", Happened::Delayed, &format!("{kind}/{delay}"))
        }
        "Bounce" => bounces(&report),
        "Complaint" => match happened(&report["complaint"]) {
            Some((happened, said)) => of("complaint", "complainedRecipients", happened, &said),
            None => Some(Vec::new()),
        },
        "Reject" => of("reject", "", ours(Fault::PolicyRefusal), kind),
        "Rendering Failure" => of("failure", "", ours(Fault::DocumentError), kind),
        "Subscription" if is_end(&report["subscription"]) => of("subscription", "", Happened::OptedOut, kind),
        _ => Some(Vec::new()),
    }
}

const fn ours(fault: Fault) -> Happened {
    Happened::Bounced(Saying::Is(fault, About::Letter, ReturnClass::Ours))
}

fn bounces(report: &Value) -> Option<Vec<Told>> {
    let bounce = &report["bounce"];
    let (kind, subtype) = (bounce["bounceType"].as_str()?, bounce["bounceSubType"].as_str().unwrap_or_default());
    let said = format!("{kind}/{subtype}");
    let recipients = bounce["bouncedRecipients"].as_array()?;
    let told = recipients.iter().take(RECIPIENTS_MAX).map(|recipient| {
        let is_answer = (kind, subtype) == ("Transient", "General") && says_nothing(recipient);
        let happened = if is_answer { Happened::AutoReplied } else { Happened::Bounced(saying(kind, subtype)) };
        one(&report["mail"], bounce, recipient, happened, said.trim_end_matches('/'))
    });
    Some(told.collect())
}

/// Whether no server's refusal is quoted: so SES passes on the answer of somebody who is out of the office (AWS: "Bounce
/// types", Transient General).
fn says_nothing(recipient: &Value) -> bool {
    ["action", "status", "diagnosticCode"].iter().all(|name| word(&recipient[*name]).is_none())
}

/// What a complaint is; none if it is good news, or about our own signatures.
fn happened(complaint: &Value) -> Option<(Happened, String)> {
    let feedback = complaint["complaintFeedbackType"].as_str().unwrap_or_default();
    if matches!(feedback, "not-spam" | "auth-failure") {
        return None;
    }
    // SES took the mail and did not send it.
    if complaint["complaintSubType"] == "OnAccountSuppressionList" {
        let saying = Saying::Is(Fault::Complaint, About::Recipient, ReturnClass::Hard);
        return Some((Happened::Bounced(saying), "Complaint/OnAccountSuppressionList".to_owned()));
    }
    Some((Happened::Complained, format!("Complaint/{feedback}").trim_end_matches('/').to_owned()))
}

/// Whether a change of subscriptions ends one.
fn is_end(subscription: &Value) -> bool {
    let new = &subscription["newTopicPreferences"];
    let is_out = |topic: &Value| {
        topic["subscriptionStatus"].as_str().is_some_and(|status| status.eq_ignore_ascii_case("optout"))
    };
    new["unsubscribeAll"] == true
        || new["topicSubscriptionStatus"].as_array().is_some_and(|topics| topics.iter().any(is_out))
}

fn one(mail: &Value, part: &Value, recipient: &Value, happened: Happened, said: &str) -> Told {
    let details = ["diagnosticCode", "smtpResponse", "reason", "errorMessage"];
    let details = details.iter().find_map(|name| word(&recipient[*name]).or_else(|| word(&part[*name])));
    Told {
        recipient: word(recipient).or_else(|| word(&recipient["emailAddress"])),
        status: word(&recipient["status"]),
        diagnostic: details.unwrap_or_default(),
        id: word(&part["feedbackId"]),
        attempt: attempt(mail),
        reference: word(&mail["messageId"]),
        at: time(&part["timestamp"]).or_else(|| time(&mail["timestamp"])),
        ..Told::new(happened, "ses", said)
    }
}

/// Our reference: in the tags of the mail, or in the `Message-ID` that it came with, which SES replaces when it sends.
fn attempt(mail: &Value) -> Option<AttemptId> {
    let header = || {
        let headers = mail["headers"].as_array()?;
        let is_id =
            |header: &&Value| header["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("message-id"));
        headers.iter().take(HEADERS_MAX).find(is_id).and_then(|header| in_message_id(&header["value"]))
    };
    echoed(&mail["tags"][ECHO]).or_else(|| in_message_id(&mail["commonHeaders"]["messageId"])).or_else(header)
}
