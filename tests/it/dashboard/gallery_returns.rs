//! What comes back in a week, for the pictures: a bounce, a request to stop, an answer, an absence, and one that names no letter.

use touchline::domain::Fault;
use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::returned::{Automatic, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::store::records::returns::ReturnRow;

use super::stage::Stage;
use crate::support::returned::{about, hard_bounce, keep, keep_callback, keep_mail, unknown};

const MAIL: &str = "From: Mail Delivery System <MAILER-DAEMON@relay.example>\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n\
    This is the mail system at host relay.example.\r\n\r\n<reception@goldfarb-family.example>: host mx.goldfarb-family.example said:\r\n    \
    550 5.1.1 no such user (in reply to RCPT TO command)\r\n";

const EVENT: &[u8] = br#"{"RecordType":"Bounce","Type":"HardBounce","Email":"reception@goldfarb-family.example","Description":"The server was unable to deliver your message (ex: unknown user, mailbox not found).","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483"}"#;

/// Fills the tray, and answers its pages.
pub async fn pages(stage: &Stage, bounced: MessageId, answered: MessageId) -> Vec<(&'static str, String)> {
    let (store, now) = (&stage.gateway.store, stage.gateway.clock.now());
    let (bounced, answered) = (message(stage, bounced).await, message(stage, answered).await);
    let arrival = keep_mail(store, MAIL.as_bytes(), now).await;
    let bounce = ReturnRow { arrival_id: Some(arrival), ..hard_bounce(&bounced, now) };
    let asks = ReturnRow {
        sender: Some(answered.address.as_str().to_owned()),
        first_line: Some("Thank you, but please take our front desk off this list.".to_owned()),
        ..about(ReturnKind::OptOut, &answered, now)
    };
    let reply = ReturnRow {
        first_line: Some("Yes, we have two patients to talk about. Can Dr. Marsh call on Thursday?".to_owned()),
        ..about(ReturnKind::Reply, &answered, now)
    };
    let absence = ReturnRow {
        automatic: Some(Automatic::Absence),
        back_on: Some("2027-01-05".to_owned()),
        state: ReturnState::Applied,
        ..about(ReturnKind::AutoReply, &answered, now)
    };
    let moved = ReturnRow { automatic: Some(Automatic::Moved), ..about(ReturnKind::AutoReply, &bounced, now) };
    let lost = ReturnRow {
        class: Some(ReturnClass::Soft),
        reason: Some(Fault::MailboxFull),
        recipient: Some(
            "a-very-long-name-of-a-front-desk@department-of-psychiatry.lakeside-hospital.example".to_owned(),
        ),
        diagnostic: Some(format!("452 4.2.2 {}", "over-quota-".repeat(30))),
        ..unknown(ReturnKind::Bounce, now)
    };
    let told = ReturnRow { inbox_id: Some(keep_callback(store, EVENT, now).await), ..hard_bounce(&bounced, now) };
    let rows = [bounce.clone(), asks.clone(), reply.clone(), absence.clone(), moved, lost.clone(), told.clone()];
    keep(store, &rows).await;
    keep_answer(stage, &reply).await;
    follow(stage, &bounce, &bounced, &absence).await;
    vec![
        ("returns", "/returns".to_owned()),
        ("returns-all", "/returns?show=all".to_owned()),
        ("returns-none", "/returns?show=complaints".to_owned()),
        ("return-asks-to-stop", format!("/returns/{}", asks.id)),
        ("return-unmatched", format!("/returns/{}", lost.id)),
        ("return-bounce", format!("/returns/{}", bounce.id)),
        ("return-bounce-mail", format!("/returns/{}?mail=show", bounce.id)),
        ("return-reported", format!("/returns/{}?mail=show", told.id)),
        ("return-reply", format!("/returns/{}", reply.id)),
        ("return-reply-read", format!("/returns/{}?reply=show", reply.id)),
        ("message-bounced", format!("/messages/{}", bounced.id)),
    ]
}

/// All of an answer, as the setting keeps it.
async fn keep_answer(stage: &Stage, reply: &ReturnRow) {
    let text = "Yes, we have two patients to talk about. Can Dr. Marsh call on Thursday?\n\n\
        The number at the front desk is best, between nine and eleven.\n\n> Dear Dr. Goldfarb,\n> we now have openings in the evening.";
    let key = &stage.gateway.feedback().returns.key;
    let sealer = key.sealer_or_new(touchline::sealing::Purpose::Replies).expect("a key");
    let text = secrecy::SecretString::from(text.to_owned());
    let sealed = sealer.seal(&text, format!("reply {}", reply.id).as_bytes()).expect("sealed");
    let mut tx = stage.gateway.store.write().await.expect("a database");
    tx.reply_insert(reply.id, &sealed, 200, reply.received_ms).await.expect("kept");
    tx.commit().await.expect("committed");
}

async fn message(stage: &Stage, id: MessageId) -> Message {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    tx.message(id, false).await.expect("read").expect("there")
}

/// What the engine does of itself.
async fn follow(stage: &Stage, bounce: &ReturnRow, bounced: &Message, absence: &ReturnRow) {
    let now = stage.gateway.clock.now();
    let refusal = touchline::consent::Refusal {
        address: bounced.address.clone(),
        scope: Scope::Advertisement,
        reason: SuppressionReason::Bounced,
        source: SuppressionSource::Email,
        evidence: Some("550 5.1.1 no such user".to_owned()),
        who: touchline::domain::Actor::provider("office-mailbox"),
        because: Some(bounce.id),
        expires_ms: Some(now.after(std::time::Duration::from_secs(30 * 86_400))),
    };
    touchline::consent::suppress(&stage.gateway.consent(), &refusal).await.expect("recorded");
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let until = now.after(std::time::Duration::from_secs(5 * 86_400));
    tx.away_set(absence.referrer_id.expect("known"), until, absence.received_ms, Some(absence.id))
        .await
        .expect("noted");
    tx.commit().await.expect("committed");
}
