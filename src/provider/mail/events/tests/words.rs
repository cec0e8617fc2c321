//! Every word that a provider documents for what became of a letter, beside what it means here. The bodies hold no more than
//! what counts; whole ones are in `tests/it/fixtures/mail-events`.

use serde_json::{Value, json};

use super::super::{MailEvents, ses};
use super::{events, parts};
use crate::domain::event::Fact;
use crate::domain::fault::Fault;
use crate::domain::returned::ReturnClass::{Hard, Ours, Soft};
use crate::domain::returned::{ReturnClass, ReturnKind};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PASSWORD: &str = "a-long-word-of-the-tests";
const MAILBOX: &str = "ana@clinic.example";
/// What a server says of a mailbox that does not exist, and of our own reputation.
const UNKNOWN_USER: &str = "550 5.1.1 user unknown";
const LISTED_HOST: &str = "550 5.7.1 blocked using zen.spamhaus.org";

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// A failure, with what follows for the address and why.
    Failed(ReturnClass, Fault),
    /// A failure by our reputation, whatever its fault is called.
    FailedByUs,
    Is(ReturnKind),
    /// A letter that was not sent because of what somebody said of an earlier one.
    FailedAs(ReturnKind),
    Nothing,
}
use Means::{Failed, FailedAs, FailedByUs, Is, Nothing};

fn read(events: &dyn MailEvents, body: &str) -> Means {
    let facts = events.translate(&parts(&[], body)).unwrap_or_else(|| panic!("unreadable: {body}"));
    let Some(fact) = facts.first() else { return Nothing };
    assert_eq!(facts.len(), 1, "{body}");
    let returned = fact.returned.as_ref().expect("what came back");
    match &fact.fact {
        Fact::Failed(_) if returned.kind != ReturnKind::Bounce => FailedAs(returned.kind),
        Fact::Failed(failure) => Failed(returned.class.expect("a class"), failure.fault),
        _ => Is(returned.kind),
    }
}

fn hold(events: &dyn MailEvents, table: &[(String, String, Means)]) {
    let mut wrong = Vec::new();
    for (word, body, wanted) in table {
        let found = read(events, body);
        let is_as_wanted = match (wanted, found) {
            (FailedByUs, Failed(class, _)) => class == Ours,
            (wanted, found) => *wanted == found,
        };
        if !is_as_wanted {
            wrong.push(format!("{word}: {found:?}, not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ses_says_bounces() {
    let rows = [
        ("Permanent", "General", UNKNOWN_USER, Failed(Hard, Fault::MailboxUnknown)),
        ("Permanent", "General", "", Failed(Hard, Fault::MailboxUnknown)),
        ("Permanent", "General", LISTED_HOST, FailedByUs),
        ("Permanent", "NoEmail", "", Failed(Hard, Fault::MailboxUnknown)),
        ("Permanent", "Suppressed", "Amazon SES has suppressed sending to this address", Failed(Soft, Fault::Blocked)),
        ("Permanent", "OnAccountSuppressionList", UNKNOWN_USER, Failed(Soft, Fault::Blocked)),
        ("Permanent", "UnsubscribedRecipient", "", FailedAs(ReturnKind::OptOut)),
        ("Transient", "General", "", Is(ReturnKind::AutoReply)),
        ("Transient", "General", UNKNOWN_USER, Failed(Soft, Fault::Deferred)),
        ("Transient", "MailboxFull", "", Failed(Soft, Fault::MailboxFull)),
        ("Transient", "MessageTooLarge", "", Failed(Ours, Fault::TooLarge)),
        ("Transient", "ContentRejected", "", Failed(Ours, Fault::PolicyRefusal)),
        ("Transient", "AttachmentRejected", "", Failed(Ours, Fault::PolicyRefusal)),
        ("Transient", "CustomTimeoutExceeded", "", Failed(Soft, Fault::Expired)),
        ("Transient", "A new one", "", Failed(Soft, Fault::Deferred)),
        ("Undetermined", "Undetermined", "", Failed(Soft, Fault::Unknown)),
        ("Undetermined", "Undetermined", UNKNOWN_USER, Failed(Soft, Fault::Deferred)),
        ("A new one", "", "", Failed(Soft, Fault::Unknown)),
    ];
    let table = rows.map(|(kind, subtype, said, wanted)| {
        let mut recipient = json!({ "emailAddress": MAILBOX });
        if !said.is_empty() {
            recipient["action"] = json!("failed");
            recipient["diagnosticCode"] = json!(format!("smtp; {said}"));
        }
        let bounce = json!({ "bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient] });
        (format!("{kind}/{subtype} {said}"), of_ses("Bounce", "bounce", bounce), wanted)
    });
    hold(&ses::tests::unread(), &table);
}

/// A report as SNS carries it.
fn of_ses(kind: &str, part: &str, mut content: Value) -> String {
    content["timestamp"] = json!("2026-11-01T12:00:00.000Z");
    let mail = json!({ "messageId": "m", "destination": [MAILBOX] });
    ses::tests::notification(&json!({ "eventType": kind, part: content, "mail": mail }).to_string())
}

#[test]
fn ses_says_what_else_became_of_a_letter() {
    let complaint = |feedback: &str, subtype: &str| {
        let complained = json!({ "complainedRecipients": [{ "emailAddress": MAILBOX }], "complaintFeedbackType": feedback, "complaintSubType": subtype });
        of_ses("Complaint", "complaint", complained)
    };
    let complained = Is(ReturnKind::Complaint);
    let mut table: Vec<(String, String, Means)> = [
        ("", "", complained),
        ("abuse", "", complained),
        ("fraud", "", complained),
        ("other", "", complained),
        ("virus", "", complained),
        ("not-spam", "", Nothing),
        ("auth-failure", "", Nothing),
        ("", "OnAccountSuppressionList", FailedAs(ReturnKind::Complaint)),
    ]
    .map(|(feedback, subtype, wanted)| {
        (format!("Complaint/{feedback}/{subtype}"), complaint(feedback, subtype), wanted)
    })
    .into();
    for delay in [
        "InternalFailure",
        "General",
        "MailboxFull",
        "SpamDetected",
        "RecipientServerError",
        "IPFailure",
        "TransientCommunicationFailure",
        "BYOIPHostNameLookupUnavailable",
        "Undetermined",
        "SendingDeferral",
    ] {
        let delayed = json!({ "delayType": delay, "delayedRecipients": [{ "emailAddress": MAILBOX }] });
        table.push((delay.to_owned(), of_ses("DeliveryDelay", "deliveryDelay", delayed), Is(ReturnKind::Delay)));
    }
    let preferences = |value: Value| json!({ "newTopicPreferences": value });
    let topic = |status: &str| json!({ "topicSubscriptionStatus": [{ "subscriptionStatus": status }] });
    for (kind, part, content, wanted) in [
        ("Delivery", "delivery", json!({ "recipients": [MAILBOX] }), Is(ReturnKind::Delivered)),
        ("Reject", "reject", json!({ "reason": "Bad content" }), Failed(Ours, Fault::PolicyRefusal)),
        (
            "Rendering Failure",
            "failure",
            json!({ "errorMessage": "no such attribute" }),
            Failed(Ours, Fault::DocumentError),
        ),
        ("Subscription", "subscription", preferences(json!({ "unsubscribeAll": true })), Is(ReturnKind::OptOut)),
        ("Subscription", "subscription", preferences(topic("OptOut")), Is(ReturnKind::OptOut)),
        ("Subscription", "subscription", preferences(topic("OptIn")), Nothing),
        ("Send", "send", json!({}), Nothing),
        ("Open", "open", json!({}), Nothing),
        ("Click", "click", json!({}), Nothing),
        ("A new one", "new", json!({}), Nothing),
    ] {
        table.push((format!("{kind} {content}"), of_ses(kind, part, content), wanted));
    }
    hold(&ses::tests::unread(), &table);
}

#[test]
fn sendgrid_says() {
    const VERIFICATION_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";
    let bounced = Failed(Hard, Fault::MailboxUnknown);
    let rows = [
        ("bounce", "bounce", "Invalid Address", UNKNOWN_USER, bounced),
        ("bounce", "bounce", "Invalid Address", "", bounced),
        ("bounce", "bounce", "Unclassified", "", bounced),
        ("bounce", "bounce", "", LISTED_HOST, FailedByUs),
        ("bounce", "bounce", "Technical", UNKNOWN_USER, Failed(Soft, Fault::Deferred)),
        ("bounce", "bounce", "Content", UNKNOWN_USER, Failed(Ours, Fault::PolicyRefusal)),
        ("bounce", "bounce", "Reputation", UNKNOWN_USER, Failed(Ours, Fault::PolicyRefusal)),
        ("bounce", "bounce", "Frequency/Volume", UNKNOWN_USER, Failed(Ours, Fault::RateLimited)),
        ("bounce", "bounce", "Mailbox Unavailable", "552 5.2.2 mailbox full", Failed(Soft, Fault::MailboxFull)),
        ("bounce", "blocked", "", "", Failed(Soft, Fault::PolicyRefusal)),
        ("bounce", "blocked", "", UNKNOWN_USER, Failed(Soft, Fault::Deferred)),
        ("blocked", "", "", "", Failed(Soft, Fault::PolicyRefusal)),
        ("dropped", "", "", "Bounced Address", Failed(Soft, Fault::Blocked)),
        ("dropped", "", "", "Unsubscribed Address", FailedAs(ReturnKind::OptOut)),
        ("dropped", "", "", "Invalid", Failed(Soft, Fault::Blocked)),
        ("dropped", "", "", "Spam Reporting Address", FailedAs(ReturnKind::Complaint)),
        ("dropped", "", "", "Spam Content (if Spam Checker app is enabled)", Failed(Ours, Fault::PolicyRefusal)),
        ("dropped", "", "", "Recipient List over Package Quota", Failed(Ours, Fault::QuotaReached)),
        ("dropped", "", "", "Invalid SMTPAPI header", Failed(Ours, Fault::ProtocolError)),
        ("deferred", "", "", "400 try again later", Is(ReturnKind::Delay)),
        ("delivered", "", "", "250 OK", Is(ReturnKind::Delivered)),
        ("spamreport", "", "", "", Is(ReturnKind::Complaint)),
        ("unsubscribe", "", "", "", Is(ReturnKind::OptOut)),
        ("group_unsubscribe", "", "", "", Is(ReturnKind::OptOut)),
        ("group_resubscribe", "", "", "", Nothing),
        ("resubscribe", "", "", "", Nothing),
        ("processed", "", "", "", Nothing),
        ("open", "", "", "", Nothing),
        ("click", "", "", "", Nothing),
    ];
    let table = rows.map(|(event, kind, classification, reason, wanted)| {
        let body = json!([{ "email": MAILBOX, "timestamp": 1_793_534_400, "event": event, "type": kind, "reason": reason,
            "bounce_classification": classification, "sg_event_id": "e", "sg_message_id": "m" }]);
        (format!("{event}/{kind}/{classification} {reason}"), body.to_string(), wanted)
    });
    hold(&*events("events = 'sendgrid'", &[("events_key", VERIFICATION_KEY)]).expect("opened"), &table);
}

#[test]
fn postmark_says() {
    let rows = [
        (1, "HardBounce", Failed(Hard, Fault::MailboxUnknown)),
        (2, "Transient", Is(ReturnKind::Delay)),
        (16, "Unsubscribe", Is(ReturnKind::OptOut)),
        (32, "Subscribe", Nothing),
        (64, "AutoResponder", Is(ReturnKind::AutoReply)),
        (128, "AddressChange", Is(ReturnKind::AutoReply)),
        (256, "DnsError", Failed(Soft, Fault::Deferred)),
        (512, "SpamNotification", Failed(Ours, Fault::PolicyRefusal)),
        (1_024, "OpenRelayTest", Nothing),
        (2_048, "Unknown", Failed(Soft, Fault::Unknown)),
        (4_096, "SoftBounce", Failed(Soft, Fault::Deferred)),
        (8_192, "VirusNotification", Failed(Ours, Fault::PolicyRefusal)),
        (16_384, "ChallengeVerification", Is(ReturnKind::AutoReply)),
        (100_000, "BadEmailAddress", Failed(Hard, Fault::MailboxUnknown)),
        (100_001, "SpamComplaint", Is(ReturnKind::Complaint)),
        (100_002, "ManuallyDeactivated", Failed(Soft, Fault::Blocked)),
        (100_003, "Unconfirmed", Failed(Ours, Fault::AccountError)),
        (100_006, "Blocked", Failed(Soft, Fault::PolicyRefusal)),
        (100_007, "SMTPApiError", Failed(Ours, Fault::AccountError)),
        (100_008, "InboundError", Nothing),
        (100_009, "DMARCPolicy", Failed(Ours, Fault::PolicyRefusal)),
        (100_010, "TemplateRenderingFailed", Failed(Ours, Fault::DocumentError)),
        (7, "A new one", Nothing),
    ];
    let bounce = |kind: Value, code: u32| {
        json!({ "RecordType": "Bounce", "ID": 7, "Type": kind, "TypeCode": code, "MessageID": "m", "Email": MAILBOX,
            "BouncedAt": "2026-11-01T12:00:00Z" })
    };
    let mut table: Vec<(String, String, Means)> = Vec::new();
    for (code, name, wanted) in rows {
        table.push((name.to_owned(), bounce(json!(name), code).to_string(), wanted));
        table.push((code.to_string(), bounce(Value::Null, code).to_string(), wanted));
    }
    for (suppresses, reason, origin, wanted) in [
        (true, "ManualSuppression", "Recipient", Is(ReturnKind::OptOut)),
        (true, "ManualSuppression", "Customer", Nothing),
        (true, "ManualSuppression", "Admin", Nothing),
        (true, "HardBounce", "Recipient", Nothing),
        (true, "SpamComplaint", "Recipient", Nothing),
        (false, "", "Recipient", Nothing),
    ] {
        let change = json!({ "RecordType": "SubscriptionChange", "MessageID": "m", "Recipient": MAILBOX, "Origin": origin,
            "ChangedAt": "2026-11-01T12:00:00Z", "SuppressSending": suppresses, "SuppressionReason": reason });
        table.push((format!("{reason}/{origin}"), change.to_string(), wanted));
    }
    for (record, wanted) in [
        ("Delivery", Is(ReturnKind::Delivered)),
        ("SpamComplaint", Is(ReturnKind::Complaint)),
        ("Open", Nothing),
        ("Click", Nothing),
        ("Inbound", Nothing),
    ] {
        let body = json!({ "RecordType": record, "MessageID": "m", "Recipient": MAILBOX, "DeliveredAt": "2026-11-01T12:00:00Z" });
        table.push((record.to_owned(), body.to_string(), wanted));
    }
    hold(
        &*events("events = 'postmark'\nevents_user = 'us'", &[("events_password", PASSWORD)]).expect("opened"),
        &table,
    );
}

#[test]
fn mailgun_says() {
    let rows = [
        ("failed", "permanent", "bounce", 550, "5.1.1 user unknown", Failed(Hard, Fault::MailboxUnknown)),
        ("failed", "permanent", "bounce", 550, "5.7.1 blocked using zen.spamhaus.org", FailedByUs),
        ("failed", "permanent", "suppress-bounce", 605, "", Failed(Soft, Fault::Blocked)),
        ("failed", "permanent", "suppress-unsubscribe", 606, "", FailedAs(ReturnKind::OptOut)),
        ("failed", "permanent", "suppress-complaint", 607, "", FailedAs(ReturnKind::Complaint)),
        ("failed", "permanent", "generic", 552, "5.2.2 mailbox full", Failed(Soft, Fault::MailboxFull)),
        ("failed", "permanent", "espblock", 550, "5.7.1 blocked using zen.spamhaus.org", FailedByUs),
        ("failed", "permanent", "espblock", 0, "", Failed(Soft, Fault::PolicyRefusal)),
        ("failed", "permanent", "greylisted", 0, "", Failed(Soft, Fault::PolicyRefusal)),
        ("failed", "permanent", "old", 602, "", Failed(Soft, Fault::Expired)),
        ("failed", "temporary", "generic", 450, "4.2.1 try later", Is(ReturnKind::Delay)),
        ("failed", "temporary", "greylisted", 450, "4.7.1 greylisted", Is(ReturnKind::Delay)),
        ("failed", "temporary", "espblock", 421, "4.7.0 too much", Is(ReturnKind::Delay)),
        ("rejected", "", "", 0, "", Failed(Ours, Fault::PolicyRefusal)),
        ("delivered", "", "", 250, "OK", Is(ReturnKind::Delivered)),
        ("complained", "", "", 0, "", Is(ReturnKind::Complaint)),
        ("unsubscribed", "", "", 0, "", Is(ReturnKind::OptOut)),
        ("accepted", "", "", 0, "", Nothing),
        ("opened", "", "", 0, "", Nothing),
        ("clicked", "", "", 0, "", Nothing),
        ("stored", "", "", 0, "", Nothing),
    ];
    let table = rows.map(|(event, severity, reason, code, message, wanted)| {
        let body = json!({ "event-data": { "id": "e", "timestamp": 1_793_534_400.5, "event": event, "severity": severity,
            "reason": reason, "recipient": MAILBOX, "delivery-status": { "code": code, "message": message } } });
        (format!("{event}/{severity}/{reason} {message}"), body.to_string(), wanted)
    });
    hold(&*events("events = 'mailgun'", &[("events_key", "key")]).expect("opened"), &table);
}

#[test]
fn resend_says() {
    let bounce = |kind: &str, subtype: &str, message: &str| json!({ "bounce": { "type": kind, "subType": subtype, "message": message } });
    let suppressed = |kind: &str| json!({ "suppressed": { "type": kind, "message": "" } });
    let failed = |reason: &str| json!({ "failed": { "reason": reason } });
    let rows = [
        ("email.bounced", bounce("Permanent", "General", UNKNOWN_USER), Failed(Hard, Fault::MailboxUnknown)),
        ("email.bounced", bounce("Permanent", "NoEmail", ""), Failed(Hard, Fault::MailboxUnknown)),
        ("email.bounced", bounce("Permanent", "Suppressed", "on the suppression list"), Failed(Soft, Fault::Blocked)),
        ("email.bounced", bounce("Permanent", "OnAccountSuppressionList", ""), Failed(Soft, Fault::Blocked)),
        ("email.bounced", bounce("Transient", "General", ""), Failed(Soft, Fault::Deferred)),
        ("email.bounced", bounce("Transient", "MailboxFull", ""), Failed(Soft, Fault::MailboxFull)),
        ("email.bounced", bounce("Transient", "MessageTooLarge", ""), Failed(Ours, Fault::TooLarge)),
        ("email.bounced", bounce("Transient", "ContentRejected", ""), Failed(Ours, Fault::PolicyRefusal)),
        ("email.bounced", bounce("Undetermined", "Undetermined", UNKNOWN_USER), Failed(Soft, Fault::Deferred)),
        ("email.suppressed", suppressed("OnAccountSuppressionList"), Failed(Soft, Fault::Blocked)),
        ("email.suppressed", suppressed("Manual"), Failed(Soft, Fault::Blocked)),
        ("email.suppressed", suppressed("OnComplaintList"), FailedAs(ReturnKind::Complaint)),
        ("email.failed", failed("reached_daily_quota"), Failed(Ours, Fault::QuotaReached)),
        ("email.failed", failed("invalid_to_address"), Failed(Soft, Fault::Unknown)),
        ("email.failed", failed("domain_not_verified"), Failed(Ours, Fault::AccountError)),
        ("email.delivered", json!({}), Is(ReturnKind::Delivered)),
        ("email.delivery_delayed", json!({}), Is(ReturnKind::Delay)),
        ("email.complained", json!({}), Is(ReturnKind::Complaint)),
        ("email.sent", json!({}), Nothing),
        ("email.scheduled", json!({}), Nothing),
        ("email.opened", json!({}), Nothing),
        ("email.clicked", json!({}), Nothing),
        ("email.received", json!({}), Nothing),
        ("contact.updated", json!({}), Nothing),
        ("domain.updated", json!({}), Nothing),
    ];
    let table = rows.map(|(kind, mut data, wanted)| {
        let word = format!("{kind} {data}");
        (data["email_id"], data["to"]) = (json!("e"), json!([MAILBOX]));
        let body = json!({ "type": kind, "created_at": "2026-11-01T12:00:00.000Z", "data": data });
        (word, body.to_string(), wanted)
    });
    hold(&*events("events = 'resend'", &[("events_key", KEY)]).expect("opened"), &table);
}
