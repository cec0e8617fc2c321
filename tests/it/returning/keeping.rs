//! What is kept of people's answers, where the setting says that it is all of them.

use std::time::Duration;

use secrecy::ExposeSecret;
use touchline::domain::returned::{ReturnKind, ReturnState};
use touchline::domain::{Actor, AuditAct, Clock};
use touchline::feedback::returns::replies::{ReplyError, read_reply};
use touchline::feedback::returns::taking::Taken;
use touchline::upkeep::retention::{Retention, remove_old};

use super::mails::{absence, reply};
use super::{TUESDAY, mailed, returns, take_all, take_one};
use crate::support::gateway::{TestGateway, each_gateway_at};

const WORDS: &str = "Happy to meet.\r\nThe canary patient is better.";

/// A key on disk, and the settings by which all of the answers are kept under it.
fn all_of_them() -> (tempfile::NamedTempFile, impl Fn(String) -> String) {
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), "k".repeat(40)).expect("written");
    let line = format!("[store]\nkey = {{ file = \"{}\" }}", key.path().display());
    (key, move |settings: String| format!("{}\n[returns]\nreplies = \"whole\"\n", settings.replace("[store]", &line)))
}

async fn read(gateway: &TestGateway, id: touchline::domain::id::ReturnId) -> Result<String, ReplyError> {
    let reply = read_reply(&gateway.gateway.feedback(), id, &Actor::operator("sam")).await?;
    Ok(reply.text.expose_secret().to_owned())
}

async fn readings(gateway: &TestGateway) -> Vec<(Actor, Option<String>)> {
    let mut tx = gateway.store().read().await.expect("a transaction");
    let lines = tx.audit_page(&[AuditAct::ReadReply], 0, 100).await.expect("read");
    lines.into_iter().map(|line| (line.who, line.subject)).collect()
}

#[tokio::test]
async fn all_of_an_answer_is_sealed_read_by_name_and_deleted_after_its_time() {
    let (_key, settings) = all_of_them();
    each_gateway_at(TUESDAY, settings, async |gateway, _, clock| {
        gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
        let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
        let (_, other) = mailed(gateway, "introduction", "Stone").await;
        let taken = take_all(
            gateway,
            &[reply(&id, "ana@ruiz.example", WORDS), absence(&other, "ben@stone.example", "I am out of the office.")],
        )
        .await;
        assert_eq!(taken, [Taken::Answer, Taken::Ours]);
        let rows = returns(gateway).await;
        let row = rows.iter().find(|row| row.kind == ReturnKind::Reply).expect("an answer");
        let mut tx = gateway.store().read().await.expect("a transaction");
        let stored = tx.reply(row.id).await.expect("read").expect("kept");
        assert!(!String::from_utf8_lossy(&stored.sealed.expect("its text")).contains("canary"), "sealed at rest");
        assert_eq!(tx.arrival_body(row.arrival_id.expect("a mail")).await.expect("read"), None, "and nowhere else");
        let away = rows.iter().find(|row| row.kind == ReturnKind::AutoReply).expect("an absence");
        assert_eq!(tx.reply(away.id).await.expect("read"), None, "no person wrote that");
        drop(tx);
        assert!(!format!("{row:?}").contains("canary"), "the list has the first line alone");
        assert_eq!(readings(gateway).await, []);
        let text = read(gateway, row.id).await.expect("opened");
        assert!(text.starts_with("Happy to meet.\nThe canary patient is better."), "{text}");
        assert!(text.contains("> Unsubscribe"), "with the letter that it quotes");
        assert_eq!(readings(gateway).await, [(Actor::operator("sam"), Some(row.id.to_string()))]);
        assert!(matches!(read(gateway, away.id).await, Err(ReplyError::NotKept(_))));

        let keep = Retention { callback_days: 3_650, reply_days: 30 };
        for (days, is_kept) in [(29, true), (2, false)] {
            clock.advance(Duration::from_secs(days * 86_400));
            remove_old(gateway.store(), clock as &dyn Clock, keep).await.expect("looked");
            assert_eq!(read(gateway, row.id).await.is_ok(), is_kept, "after {days} more days");
        }
        assert_eq!(readings(gateway).await.len(), 2, "what cannot be read is no reading");
        let still = returns(gateway).await;
        assert!(still.iter().any(|one| one.id == row.id && one.state == ReturnState::Open), "the fact stays");
    })
    .await;
}

#[tokio::test]
async fn without_the_key_answers_are_taken_and_nothing_else_breaks() {
    let (key, settings) = all_of_them();
    each_gateway_at(TUESDAY, settings, async |gateway, _, _| {
        gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
        let (_, id) = mailed(gateway, "introduction", "Ruiz").await;
        assert_eq!(take_one(gateway, reply(&id, "ana@ruiz.example", WORDS)).await, Taken::Answer);
        let row = returns(gateway).await.remove(0);
        // The same database under another key, as after a restore without it.
        let mut parts = gateway.gateway.feedback();
        parts.returns.key = touchline::sealing::KeyPlace::Nowhere;
        let error = read_reply(&parts, row.id, &Actor::operator("sam")).await.expect_err("no key");
        assert!(matches!(&error, ReplyError::Locked(words) if words.contains("store.key")), "{error}");
        assert_eq!(readings(gateway).await, []);
        let mail = reply(&id, "ana@ruiz.example", "Me again.").replace("<1@clinic.example>", "<2@clinic.example>");
        let now = parts.clock.now();
        let arrived = touchline::feedback::returns::taking::Arrived { octets: mail.into_bytes(), received_ms: now };
        let mut tx = gateway.store().write().await.expect("a transaction");
        let taken = touchline::feedback::returns::taking::take(&mut tx, &parts, "m", &[arrived], now).await;
        tx.commit().await.expect("committed");
        assert_eq!(taken.expect("taken"), [Taken::Answer], "it is on record all the same");
        assert_eq!(returns(gateway).await.len(), 2);
    })
    .await;
    drop(key);
}
