//! What came back for emails, as the office manager sees it: the list, the return beside its letter, and the buttons.

use reqwest::StatusCode;
use serde_json::json;
use touchline::domain::id::short;
use touchline::domain::message::Message;
use touchline::domain::referrer::ReferrerState;
use touchline::domain::returned::{Automatic, MatchedBy, ReturnKind, ReturnState};
use touchline::domain::{Channel, Timestamp};
use touchline::store::records::returns::ReturnRow;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::support::returned::{about, hand_over, hard_bounce, keep, keep_callback, keep_mail, lost_bounce, unknown};

/// The letter that is sent to her by email.
async fn letter(stage: &Stage) -> Message {
    let sent = stage.send("introduction", "Amara Whitfield", &[Channel::Email], json!({})).await;
    message(stage, sent.messages[0].id).await
}

async fn message(stage: &Stage, id: touchline::domain::id::MessageId) -> Message {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    tx.message(id, false).await.expect("read").expect("there")
}

async fn audited(stage: &Stage, action: &str) -> usize {
    let lines = stage.gateway.store.read().await.expect("a database").audit_page(&[], 0, 500).await.expect("read");
    lines.iter().filter(|line| line.action.as_str() == action).count()
}

/// An answer that seems to ask for no more letters.
fn asks_to_stop(message: &Message, at: Timestamp) -> ReturnRow {
    ReturnRow {
        sender: Some(message.address.as_str().to_owned()),
        first_line: Some("Please <b>stop</b> & remove me.".to_owned()),
        ..about(ReturnKind::OptOut, message, at)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_look_is_on_the_overview_and_dealt_with_from_the_list() {
    let stage = Stage::set_idle().await;
    let mut operator = Visitor::operator(&stage).await;
    let empty = operator.read("/returns").await;
    assert!(empty.contains("Nothing has come back yet.") && empty.contains("mailbox"), "{empty}");
    assert!(!operator.read("/").await.contains("Replies and returns"), "nothing needs anybody");

    let message = letter(&stage).await;
    let row = asks_to_stop(&message, stage.gateway.clock.now());
    keep(&stage.gateway.store, std::slice::from_ref(&row)).await;
    let overview = operator.read("/").await;
    assert!(overview.contains("Replies and returns that need a look: 1.") && overview.contains("href=\"/returns\""));
    let list = operator.read("/returns").await;
    for part in [
        "Needs a look (1)",
        "Amara Whitfield",
        "Please &#60;b&#62;stop&#60;/b&#62; &#38; remove me.",
        "held until you decide",
        &format!("/messages/{}", message.id),
        "Suppress this address",
        "Nothing to do",
    ] {
        assert!(list.contains(part), "`{part}` is not in {list}");
    }
    assert!(!list.contains(message.address.as_str()), "addresses stand on the return's own page");
    assert!(operator.read("/returns?show=replies").await.contains("Nobody has answered."));
    assert_eq!(operator.get("/returns?show=nothing").await.status(), StatusCode::NOT_FOUND);

    let path = format!("/returns/{}", row.id);
    let forged = operator.send(&path, &[("form_key", "guessed"), ("act", "suppress")]).await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    assert!(operator.submit_refused(&path, &[("act", "burn")]).await.contains("Please use the buttons on the page."));
    let place = operator.submit(&path, &[("act", "suppress"), ("list", "opt-outs")]).await;
    assert_eq!(place, "/returns?show=opt-outs&done=suppressed");
    assert!(operator.read(&place).await.contains("The address was suppressed: dana"));
    assert!(operator.read("/returns").await.contains("Nothing needs a look."));
    let again = operator.submit_refused(&path, &[("act", "dismiss"), ("page", path.as_str())]).await;
    assert!(again.contains("It was dealt with before."), "{again}");
    let suppressions = operator.read("/suppressions").await;
    assert!(suppressions.contains(&format!("href=\"{path}\"")) && suppressions.contains("See what came back"));
    assert!(operator.read(&path).await.contains("is suppressed for updates and advertisements"));
    assert_eq!(audited(&stage, "work_return").await, 1);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_returns_are_on_two_pages_and_none_is_on_both() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let rows: Vec<ReturnRow> = (0..60).map(|_| unknown(ReturnKind::Bounce, now)).collect();
    keep(&stage.gateway.store, &rows).await;
    let operator = Visitor::operator(&stage).await;
    let seen = |page: &str| -> Vec<String> {
        rows.iter()
            .map(|row| row.id.to_string())
            .filter(|id| page.contains(&format!("action=\"/returns/{id}\"")))
            .collect()
    };
    for list in ["/returns", "/returns?show=bounces", "/returns?show=all"] {
        let first = operator.read(list).await;
        let (_, older) = first.split_once("<p class=\"pager\"><a class=\"button second\" href=\"").expect("more");
        let older = older.split('"').next().expect("a link").replace("&#38;", "&");
        let second = operator.read(&older).await;
        let (mut first, second) = (seen(&first), seen(&second));
        assert_eq!((first.len(), second.len()), (50, 10), "{list}");
        first.extend(second);
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 60, "{list}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_is_shown_beside_its_letter_with_the_mail_as_it_came() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let message = letter(&stage).await;
    let mail = format!("Subject: Undelivered\r\n\r\n<script>alert(1)</script>\0{}", "x".repeat(70_000));
    let arrival = keep_mail(&stage.gateway.store, mail.as_bytes(), now).await;
    let row = ReturnRow { arrival_id: Some(arrival), ..hard_bounce(&message, now) };
    keep(&stage.gateway.store, std::slice::from_ref(&row)).await;
    let operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", row.id);

    let page = operator.read(&path).await;
    for part in [
        "Bounce: Amara Whitfield",
        "There is no such mailbox. The address is suppressed",
        "550 5.1.1",
        "It came to the signed address of the letter",
        "The address is good",
        &format!("/messages/{}/mail.html", message.id),
        "Show the mail",
    ] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert!(!page.contains("Undelivered"), "the mail is shown on demand");
    let page = operator.read(&format!("{path}?mail=show")).await;
    assert!(page.contains("Subject: Undelivered\n\n&#60;script&#62;alert(1)"), "as text");
    assert!(!page.contains('\0') && page.contains("Only the first 64 KB are shown."));
    assert!(!page.contains(&"x".repeat(64 * 1024)), "no more than 64 KB");
    assert_eq!(audited(&stage, "view_document").await, 0, "it is about no patient");

    let of_letter = operator.read(&format!("/messages/{}", message.id)).await;
    assert!(of_letter.contains("What came back") && of_letter.contains(&format!("href=\"{path}\"")), "{of_letter}");
    let of_referrer = operator.read(&format!("/referrers/{}", message.referrer_id)).await;
    assert!(of_referrer.contains("What came back by email") && of_referrer.contains(&path), "{of_referrer}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_of_a_patients_letter_is_covered_and_each_look_is_written_down() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let sample = include_str!("../../../templates/end-of-treatment-report/sample.json");
    let report = serde_json::from_str(sample).expect("a sample");
    let sent = stage.send("end-of-treatment-report", "Amara Whitfield", &[Channel::Fax], report).await;
    let message = message(&stage, sent.messages[0].id).await;
    let arrival = keep_mail(&stage.gateway.store, b"Subject: Undelivered\r\n\r\nJordan", now).await;
    let row = ReturnRow { arrival_id: Some(arrival), diagnostic: None, ..hard_bounce(&message, now) };
    keep(&stage.gateway.store, std::slice::from_ref(&row)).await;
    let operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", row.id);
    let page = operator.read(&path).await;
    assert!(page.contains("Viewing it is recorded") && page.contains("shown on its own page only"), "{page}");
    assert!(!page.contains("Jordan") && !page.contains("mail.html"), "{page}");
    assert_eq!(audited(&stage, "view_document").await, 0);
    assert!(operator.read(&format!("{path}?mail=show")).await.contains("Jordan"));
    assert_eq!(audited(&stage, "view_document").await, 1);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_of_which_nobody_knows_the_letter_asks_for_it() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let message = letter(&stage).await;
    let row = ReturnRow { recipient: Some("nobody@clinic.example".to_owned()), ..unknown(ReturnKind::Bounce, now) };
    let guess = ReturnRow { matched_by: Some(MatchedBy::Recipient), ..about(ReturnKind::Bounce, &message, now) };
    keep(&stage.gateway.store, &[row.clone(), guess.clone()]).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", row.id);
    let page = operator.read(&path).await;
    assert!(page.contains("Which letter is it about?") && page.contains("nobody@clinic.example"), "{page}");
    let list = operator.read("/returns").await;
    assert!(list.contains("email n…") && list.contains("no referrer on record") && list.contains("perhaps"), "{list}");
    let proposed = operator.read(&format!("/returns/{}", guess.id)).await;
    assert!(proposed.contains("Perhaps about this letter") && proposed.contains("It is about this letter"));

    let naming = format!("{path}/letter");
    let refused = operator.submit_refused(&naming, &[("letter", "00000000"), ("page", path.as_str())]).await;
    assert!(refused.contains("There is no letter with this reference.") && refused.contains("value=\"00000000\""));
    assert!(refused.contains("id=\"wrong\""), "it stands beside the field");
    // It was never handed over, so nothing can have come back for it.
    let reference = short(&message.id.0);
    let refused = operator.submit_refused(&naming, &[("letter", reference.as_str()), ("page", path.as_str())]).await;
    assert!(refused.contains("not an email that was handed over"), "{refused}");
    let place = operator.submit(&path, &[("act", "dismiss"), ("list", "open")]).await;
    assert_eq!(place, "/returns?done=return_dismissed");
    assert!(operator.read(&path).await.contains("There was nothing to do"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_referrers_page_says_that_they_answered_and_until_when_they_are_away() {
    let stage = Stage::set_idle().await;
    let now = stage.gateway.clock.now();
    let message = letter(&stage).await;
    let reply =
        ReturnRow { first_line: Some("Thank you, do call me.".to_owned()), ..about(ReturnKind::Reply, &message, now) };
    let absence = ReturnRow {
        automatic: Some(Automatic::Absence),
        back_on: Some("2027-01-05".to_owned()),
        state: ReturnState::Applied,
        ..about(ReturnKind::AutoReply, &message, now)
    };
    keep(&stage.gateway.store, &[reply.clone(), absence.clone()]).await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let back = now.after(std::time::Duration::from_secs(3 * 86_400));
    tx.away_set(message.referrer_id, back, absence.received_ms, Some(absence.id)).await.expect("noted");
    let mut referrer = tx.referrer(message.referrer_id).await.expect("read").expect("there");
    referrer.state = ReferrerState::ConversationOpen;
    tx.referrer_put(&referrer).await.expect("noted");
    tx.commit().await.expect("committed");

    let mut operator = Visitor::operator(&stage).await;
    let page = operator.read(&format!("/referrers/{}", message.referrer_id)).await;
    for part in [
        "Something came back by email that needs a look.",
        "A conversation with them is open",
        "They are away. Automatic updates to them wait until",
        "Thank you, do call me.",
        "away until January 5, 2027",
    ] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let path = format!("/returns/{}", reply.id);
    let page = operator.read(&path).await;
    assert!(page.contains("What they wrote") && page.contains("Only the first line is kept."), "{page}");
    assert!(page.contains("The conversation with them is open"), "{page}");
    assert_eq!(operator.submit(&path, &[("act", "done")]).await, format!("{path}?done=return_done"));
    assert!(operator.read(&format!("/returns/{}", absence.id)).await.contains("Automatic updates to them wait until"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naming_the_letter_that_was_handed_over_fails_it_and_calling_the_address_good_lifts_what_followed() {
    let stage = Stage::set_idle().await;
    let (store, now) = (&stage.gateway.store, stage.gateway.clock.now());
    let letter = hand_over(store, letter(&stage).await.id, now).await;
    let lost = lost_bounce(now);
    keep(store, std::slice::from_ref(&lost)).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", lost.id);
    let reference = short(&letter.id.0);
    let place = operator.submit(&format!("{path}/letter"), &[("letter", reference.as_str())]).await;
    assert_eq!(place, format!("{path}?done=return_matched"));
    let page = operator.read(&path).await;
    for part in ["A person said so", "is suppressed for updates and advertisements since", "The address is good"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert!(operator.read("/returns").await.contains("Nothing needs a look."));
    assert!(operator.read(&format!("/messages/{}", letter.id)).await.contains("There is no such mailbox."));
    assert!(operator.read(&format!("/referrers/{}", letter.referrer_id)).await.contains("what came back"));
    operator.submit(&path, &[("act", "not_a_bounce")]).await;
    let page = operator.read(&path).await;
    assert!(page.contains("It was lifted") && page.contains("Decided by dana"), "{page}");
    assert!(operator.read("/suppressions?ended=1").await.contains("not a bounce"));
    assert_eq!(stage.status(letter.id).await, touchline::domain::MessageStatus::Failed, "it did not arrive");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_of_a_mail_provider_is_shown_as_it_came_until_its_time_is_over() {
    let stage = Stage::set_idle().await;
    let (store, now) = (&stage.gateway.store, stage.gateway.clock.now());
    let callback = keep_callback(store, b"{\"Type\":\"Bounce <script>\"}\0", now).await;
    let row = ReturnRow { inbox_id: Some(callback), ..hard_bounce(&letter(&stage).await, now) };
    keep(store, std::slice::from_ref(&row)).await;
    let operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", row.id);
    let page = operator.read(&path).await;
    assert!(page.contains("The mail provider's report as it came") && page.contains("Show the report"), "{page}");
    assert!(!page.contains("Bounce &#60;script"), "on demand");
    let page = operator.read(&format!("{path}?mail=show")).await;
    assert!(page.contains("{&#34;Type&#34;:&#34;Bounce &#60;script&#62;&#34;}\u{fffd}"), "{page}");
    assert!(page.contains("x-signature: &#60;b&#62;proof&#60;/b&#62;"), "{page}");
    let mut tx = store.write().await.expect("a database");
    let later = now.after(std::time::Duration::from_secs(86_400));
    assert_eq!(tx.inbox_remove_old(later, 10, later).await.expect("removed"), 1);
    tx.commit().await.expect("committed");
    assert!(operator.read(&path).await.contains("It was deleted"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_an_answer_is_read_by_an_operator_who_stands_in_the_audit_log_for_it() {
    let stage = Stage::set_idle().await;
    let (store, now) = (&stage.gateway.store, stage.gateway.clock.now());
    let row = about(ReturnKind::Reply, &letter(&stage).await, now);
    keep(store, std::slice::from_ref(&row)).await;
    let key = &stage.gateway.feedback().returns.key;
    let sealer = key.sealer_or_new(touchline::sealing::Purpose::Replies).expect("a key");
    let text = secrecy::SecretString::from("Call me <b>on</b> Thursday about canary.".to_owned());
    let sealed = sealer.seal(&text, format!("reply {}", row.id).as_bytes()).expect("sealed");
    let mut tx = store.write().await.expect("a database");
    tx.reply_insert(row.id, &sealed, 100, now).await.expect("kept");
    tx.commit().await.expect("committed");
    let operator = Visitor::operator(&stage).await;
    let path = format!("/returns/{}", row.id);
    for page in [&path, "/returns", "/returns?show=replies", &format!("/referrers/{}", row.referrer_id.expect("one"))] {
        assert!(!operator.read(page).await.contains("canary"), "{page}");
    }
    assert!(operator.read(&path).await.contains("Read the whole answer"));
    assert_eq!(audited(&stage, "read_reply").await, 0);
    let page = operator.read(&format!("{path}?reply=show")).await;
    assert!(page.contains("Call me &#60;b&#62;on&#60;/b&#62; Thursday about canary."), "{page}");
    assert!(page.contains("Only the first 64 KB are kept."), "{page}");
    assert_eq!(audited(&stage, "read_reply").await, 1);
    let audit = operator.read("/audit").await;
    assert!(audit.contains("read an answer") && audit.contains(&path), "{audit}");
    let mut tx = store.write().await.expect("a database");
    let later = now.after(std::time::Duration::from_secs(1));
    assert_eq!(tx.replies_forget(later, 10, later).await.expect("deleted"), 1);
    tx.commit().await.expect("committed");
    let page = operator.read(&format!("{path}?reply=show")).await;
    assert!(page.contains("The answer was deleted") && !page.contains("canary"), "{page}");
    assert_eq!(audited(&stage, "read_reply").await, 1);
    stage.strike().await;
}
