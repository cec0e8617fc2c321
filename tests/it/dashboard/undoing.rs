//! The button that withdraws what was sent by mistake.

use touchline::domain::{Channel, MessageStatus};
use touchline::intake;
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::repeating;

async fn send(stage: &Stage, to: &str) -> Accepted {
    let via = vec![Channel::Email];
    let request = Request { undo_seconds: Some(600), via, ..repeating::request("introduction", to) };
    intake::submit(&stage.intake, &request).await.expect("accepted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_withdrawn_is_shown_with_its_time_and_one_press_withdraws_it() {
    let stage = Stage::set_idle().await;
    let mut visitor = Visitor::operator(&stage).await;
    assert!(!visitor.read("/").await.contains("Can still be withdrawn"));
    let letter = send(&stage, "Amara Whitfield").await;
    let page = visitor.read("/").await;
    let path = format!("/submissions/{}/undo", letter.submission);
    assert!(page.contains("Can still be withdrawn") && page.contains("min") && page.contains(&path), "{page}");
    let message = visitor.read(&format!("/messages/{}", letter.messages[0].id)).await;
    assert!(message.contains(&path) && message.contains("Withdraw"), "{message}");

    let refused = visitor.send(&path, &[]).await;
    assert!(!refused.status().is_success() && !refused.status().is_redirection(), "a form without the session's key");
    assert_eq!(stage.status(letter.messages[0].id).await, MessageStatus::Queued);
    assert_eq!(visitor.submit(&path, &[]).await, "/?done=withdrawn");
    assert_eq!(stage.status(letter.messages[0].id).await, MessageStatus::Cancelled);
    let page = visitor.read("/?done=withdrawn").await;
    assert!(page.contains("It is withdrawn. Nothing was sent.") && !page.contains(&path), "{page}");
    assert_eq!(visitor.submit(&path, &[]).await, "/?done=too_late");
    let message = visitor.read(&format!("/messages/{}", letter.messages[0].id)).await;
    assert!(!message.contains(&path) && !message.contains("value=\"retry\""), "what was withdrawn never leaves");
    stage.strike().await;
}
