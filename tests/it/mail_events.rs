//! A relay's provider says by a callback what became of a letter, through the real inbox: what it says counts once, and
//! what is forged, stale or replayed counts for nothing.

mod replaying;

use mail_parser::MessageParser;
use reqwest::StatusCode;
use ring::hmac;
use serde_json::json;
use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::{Address, Channel, EmailAddress, MessageStatus};

use crate::support::gateway::{FarSide, TestGateway, WEBHOOK_SECRET, each_gateway_with};

const MAILBOX: &str = "ana.carter@cedarwell.example";

/// The demo's relay with Mailgun's callbacks, and letters that are presumed delivered only much later.
fn with_mailgun(settings: String) -> String {
    let events = "kind = \"smtp\"\nevents = \"mailgun\"\nevents_key = { env = \"WEBHOOK\" }\n";
    settings
        .replacen("kind = \"smtp\"\n", events, 1)
        .replace("email_presume_delivered_seconds = 1", "email_presume_delivered_seconds = 360000")
}

async fn accepted(gateway: &TestGateway, name: &str, mailbox: &str) -> MessageId {
    gateway.know(&[(name, None, Some(mailbox))]).await;
    let id = gateway.send_via("introduction", name, &[Channel::Email]).await.messages[0].id;
    gateway.message_until(id, "the relay to take it", |message| message.status == MessageStatus::Accepted).await;
    id
}

/// What the mail carries of ours for Mailgun to repeat.
fn carried(far: &FarSide, mailbox: &str) -> serde_json::Value {
    let mail = far.mails_to(mailbox).pop().expect("a mail");
    let parsed = MessageParser::default().parse(&mail.eml).expect("a mail");
    let field = parsed.header_raw("X-Mailgun-Variables").expect("the field").trim().to_owned();
    serde_json::from_str(&field).expect("JSON")
}

struct Said<'a> {
    id: &'a str,
    token: &'a str,
    event: serde_json::Value,
}

impl Said<'_> {
    async fn post(&self, gateway: &TestGateway, key: &str, seconds: i64) -> StatusCode {
        let signature = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
            format!("{seconds}{}", self.token).as_bytes(),
        );
        let mut event = self.event.clone();
        event["id"] = json!(self.id);
        event["timestamp"] = json!(seconds);
        let body = json!({
            "signature": { "timestamp": seconds.to_string(), "token": self.token, "signature": hex::encode(signature) },
            "event-data": event,
        });
        let http = touchline::http::client().expect("a client");
        let request = http.post(format!("{}/hooks/mail-sandbox", gateway.url)).json(&body);
        request.send().await.expect("an answer").status()
    }
}

fn bounce(variables: &serde_json::Value, mailbox: &str) -> serde_json::Value {
    json!({
        "event": "failed", "severity": "permanent", "reason": "bounce", "recipient": mailbox, "user-variables": variables,
        "delivery-status": { "code": 550, "message": "5.1.1 no such user here" },
    })
}

fn now(far: &FarSide) -> i64 {
    far.clock.now().0 / 1000
}

fn reason(message: &Message) -> Option<&'static str> {
    message.reason.map(touchline::domain::Reason::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_bounce_by_callback_fails_the_letter_once_and_the_address_for_good() {
    each_gateway_with(with_mailgun, async |gateway, far| {
        let id = accepted(gateway, "Carter", MAILBOX).await;
        let variables = carried(far, MAILBOX);
        let event = bounce(&variables, MAILBOX);
        let said = Said { id: "e1", token: "t1", event: event.clone() };
        let seconds = now(far);
        assert_eq!(said.post(gateway, "another key", seconds).await, StatusCode::UNAUTHORIZED, "forged");
        assert_eq!(said.post(gateway, WEBHOOK_SECRET, seconds - 3600).await, StatusCode::UNAUTHORIZED, "stale");
        assert_eq!(gateway.message(id).await.status, MessageStatus::Accepted);

        assert_eq!(said.post(gateway, WEBHOOK_SECRET, seconds).await, StatusCode::OK);
        let message = gateway.message_until(id, "the bounce", |message| message.status == MessageStatus::Failed).await;
        assert_eq!(reason(&message), Some("mailbox_unknown"));
        assert_eq!(said.post(gateway, WEBHOOK_SECRET, seconds).await, StatusCode::OK, "sent again");
        let delivered = json!({ "event": "delivered", "recipient": MAILBOX, "user-variables": variables });
        let replayed = Said { id: "e2", token: "t1", event: delivered };
        assert_eq!(replayed.post(gateway, WEBHOOK_SECRET, seconds).await, StatusCode::UNAUTHORIZED, "a used token");
        let repeated = Said { id: "e1", token: "t2", event };
        assert_eq!(
            repeated.post(gateway, WEBHOOK_SECRET, seconds).await,
            StatusCode::OK,
            "the same event, signed anew"
        );
        let story = gateway.story_of(id).await;
        assert_eq!(story.iter().filter(|kind| *kind == "failed").count(), 1, "{story:?}");

        let mailbox = Address::Email(EmailAddress::parse(MAILBOX).expect("an address"));
        let suppressions = gateway.store().read().await.expect("tx").suppressions_of(&mailbox).await.expect("read");
        assert_eq!(suppressions.len(), 1, "{suppressions:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_against_an_address_leaves_it_alone() {
    each_gateway_with(with_mailgun, async |gateway, far| {
        let id = accepted(gateway, "Carter", MAILBOX).await;
        let variables = carried(far, MAILBOX);
        let delayed = json!({
            "event": "failed", "severity": "temporary", "reason": "generic", "recipient": MAILBOX, "user-variables": variables,
            "delivery-status": { "code": 450, "message": "4.2.1 try again later" },
        });
        let opened = json!({ "event": "opened", "recipient": MAILBOX, "user-variables": variables });
        let delivered = json!({ "event": "delivered", "recipient": MAILBOX, "user-variables": variables });
        for (id, event) in [("e1", delayed), ("e2", opened), ("e3", delivered)] {
            let said = Said { id, token: id, event };
            assert_eq!(said.post(gateway, WEBHOOK_SECRET, now(far)).await, StatusCode::OK, "{id}");
        }
        gateway.message_until(id, "the delivery", |message| message.status == MessageStatus::Delivered).await;
        let mailbox = Address::Email(EmailAddress::parse(MAILBOX).expect("an address"));
        let suppressions = gateway.store().read().await.expect("tx").suppressions_of(&mailbox).await.expect("read");
        assert!(suppressions.is_empty(), "{suppressions:?}");
    })
    .await;
}
