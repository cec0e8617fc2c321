//! What the dashboard refuses, hides, and records.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION};
use serde_json::{Value, json};
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::id::MessageId;
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::{Address, Channel, Fault, MessageStatus, PolicyReason};
use touchline::referrers::audience;
use touchline::store::records::documents::Document;

use super::stage::Stage;
use super::visitor::Visitor;

fn update() -> Value {
    json!({ "treatment": "TMS", "openings": "four places", "as_of": "2026-11-23", "start_window": "two weeks" })
}

async fn one(stage: &Stage, name: &str) -> Referrer {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    audience::one(&mut tx, name).await.expect("in the sample list")
}

async fn audited(stage: &Stage, action: &str) -> usize {
    let lines = stage.gateway.store.read().await.expect("a database").audit_page(&[], 0, 500).await.expect("read");
    lines.iter().filter(|line| line.action.as_str() == action).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_or_does_anything_without_logging_in() {
    let stage = Stage::set_idle().await;
    let message = stage.send("capacity-update", "Amara Whitfield", &[Channel::Fax], update()).await.messages[0].id;
    let referrer = one(&stage, "Amara Whitfield").await;
    let mut stranger = Visitor::stranger(&stage);
    for path in [
        "/".to_owned(),
        "/failures".to_owned(),
        "/calls/permission".to_owned(),
        "/calls/number".to_owned(),
        "/messages".to_owned(),
        format!("/messages/{message}"),
        format!("/messages/{message}/page/1.png"),
        format!("/messages/{message}/document.pdf"),
        format!("/messages/{message}/mail.html"),
        "/returns".to_owned(),
        format!("/returns/{}", referrer.id),
        "/referrers".to_owned(),
        "/referrers/addresses".to_owned(),
        format!("/referrers/{}", referrer.id),
        "/campaigns".to_owned(),
        format!("/campaigns/{}", referrer.id),
        format!("/campaigns/{}/run", referrer.id),
        format!("/campaigns/{0}/first-page/{0}.png", referrer.id),
        "/providers".to_owned(),
        "/suppressions".to_owned(),
        "/operators".to_owned(),
        "/audit".to_owned(),
    ] {
        let answer = stranger.get(&path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(answer.headers()[LOCATION].to_str().expect("a place").starts_with("/login"), "{path}");
    }
    let answer = stranger.send(&format!("/messages/{message}"), &[("act", "cancel")]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(stage.status(message).await, MessageStatus::Queued);
    for asset in ["/assets/touchline.css", "/assets/touchline.svg"] {
        assert_eq!(stranger.get(asset).await.status(), StatusCode::OK, "the login page needs {asset}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_office_hours_has_a_button_that_sends_it_now() {
    let stage = Stage::set_idle().await;
    let id = stage.send("capacity-update", "Amara Whitfield", &[Channel::Fax], update()).await.messages[0].id;
    let tomorrow = stage.gateway.clock.now().after(std::time::Duration::from_secs(86_400));
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(id, true).await.expect("read").expect("there");
    (message.due_ms, message.reason) = (tomorrow, Some(PolicyReason::OutsideOfficeHours.into()));
    tx.message_update(&message).await.expect("written");
    tx.queue_next_steps(&[(id.0, "submit", tomorrow)]).await.expect("written");
    tx.commit().await.expect("committed");

    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/messages/{id}");
    let page = operator.read(&path).await;
    for words in ["waiting for office hours", "The office is closed. It goes out", "Send now, outside office hours"] {
        assert!(page.contains(words), "{words}");
    }
    let next = operator.submit(&path, &[("act", "send_now")]).await;
    let page = operator.read(&next).await;
    assert!(page.contains("no longer waits for office hours") && !page.contains("Send now, outside office hours"));
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let message = tx.message(id, false).await.expect("read").expect("there");
    assert!(message.any_hour_ms.is_some() && message.due_ms < tomorrow && message.reason.is_none());
    drop(tx);
    assert_eq!(audited(&stage, "send_now").await, 1);
    let next = operator.submit(&path, &[("act", "send_now")]).await;
    assert!(operator.read(&next).await.contains("That was not possible"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_from_another_site_changes_nothing() {
    let stage = Stage::set_idle().await;
    let referrer = one(&stage, "Amara Whitfield").await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/referrers/{}/state", referrer.id);
    for key in ["", "guessed"] {
        let answer = operator.send(&path, &[("form_key", key), ("state", "do_not_contact")]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(one(&stage, "Amara Whitfield").await.state, ReferrerState::Active);
    let page = operator.submit(&path, &[("state", "paused")]).await;
    assert!(operator.read(&page).await.contains("From now on this decides"), "the notice says what was done");
    assert_eq!(one(&stage, "Amara Whitfield").await.state, ReferrerState::Paused);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patients_letter_stays_covered_until_somebody_looks_and_the_look_is_written_down() {
    let stage = Stage::set_idle().await;
    let sample = include_str!("../../../templates/end-of-treatment-report/sample.json");
    let report = serde_json::from_str(sample).expect("a sample");
    let sent = stage.send("end-of-treatment-report", "Amara Whitfield", &[Channel::Fax], report).await;
    let path = format!("/messages/{}", sent.messages[0].id);
    let operator = Visitor::operator(&stage).await;

    let covered = operator.read(&path).await;
    assert!(covered.contains("This letter identifies a patient"), "{covered}");
    assert!(!covered.contains("page/1.png") && !covered.contains("Jordan"), "nothing of the letter is on the page");
    assert_eq!(audited(&stage, "view_document").await, 0);

    assert!(operator.read(&format!("{path}?document=show")).await.contains("page/1.png"));
    let picture = operator.get(&format!("{path}/page/1.png")).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.expect("octets").starts_with(b"\x89PNG"));
    assert_eq!(audited(&stage, "view_document").await, 1);
    stage.strike().await;
}

/// Three empty pages, as short as a PDF can be: nothing that the letter would give today.
const SENT: &[u8] = b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
    2 0 obj <</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]/MediaBox[0 0 612 792]>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R>> endobj\n4 0 obj <</Type/Page/Parent 2 0 R>> endobj\n\
    5 0 obj <</Type/Page/Parent 2 0 R>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fax_is_shown_as_it_was_sent_whatever_its_letter_says_today() {
    let stage = Stage::set_idle().await;
    let id = stage.send("capacity-update", "Amara Whitfield", &[Channel::Fax], update()).await.messages[0].id;
    let path = format!("/messages/{id}");
    let operator = Visitor::operator(&stage).await;
    let before = operator.read(&path).await;
    assert!(before.contains("Nothing has been sent yet") && before.contains("Page 1 of 1"), "{before}");

    for (document, shown) in [(SENT, "Page 3 of 3"), (b"%PDF-1.7 scrap".as_slice(), "document.pdf")] {
        hand_over(&stage, id, document).await;
        let page = operator.read(&path).await;
        assert!(page.contains(shown) && !page.contains("Page 1 of 1"), "{page}");
    }
    assert_eq!(operator.get(&format!("{path}/page/1.png")).await.status(), StatusCode::NOT_FOUND);

    hand_over(&stage, id, SENT).await;
    let picture = operator.get(&format!("{path}/page/3.png")).await;
    assert!(picture.bytes().await.expect("octets").starts_with(b"\x89PNG"));
    for beyond in ["0", "4"] {
        let answer = operator.get(&format!("{path}/page/{beyond}.png")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{beyond}");
    }
    stage.strike().await;
}

/// Stores a document as the one that was handed over last.
async fn hand_over(stage: &Stage, id: MessageId, document: &[u8]) {
    let hash = touchline::render::fax::sha256(document);
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let kept = Document::new(hash.clone(), "pdf", document.to_vec());
    tx.documents_put(&[kept], stage.gateway.clock.now()).await.expect("stored");
    let mut message = tx.message(id, true).await.expect("read").expect("there");
    message.document_hash = Some(hash);
    tx.message_update(&message).await.expect("stored");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_shown_where_it_can_do_nothing() {
    let stage = Stage::set_idle().await;
    let sent = stage.send("capacity-update", "Amara Whitfield", &[Channel::Email], update()).await;
    let operator = Visitor::operator(&stage).await;
    let answer = operator.get(&format!("/messages/{}/mail.html", sent.messages[0].id)).await;
    let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    for needed in ["default-src 'none'", "sandbox", "form-action 'none'"] {
        assert!(policy.contains(needed), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("allow-scripts"), "{policy}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_searched_for_never_stands_in_an_address() {
    let stage = Stage::set_idle().await;
    let mut operator = Visitor::operator(&stage).await;
    for (search, found, absent) in [
        ("whitfield amara", "Amara Whitfield", "Tomasz Bielak"),
        ("BIELAK", "Tomasz Bielak", "Amara Whitfield"),
        ("(847) 555-0101", "Amara Whitfield", "Tomasz Bielak"),
        ("2700141189", "Amara Whitfield", "Tomasz Bielak"),
    ] {
        let place = operator.submit("/referrers", &[("search", search)]).await;
        assert_eq!(place, "/referrers?found=1");
        let page = operator.read(&place).await;
        assert!(page.contains(found) && !page.contains(absent), "{search}");
    }
    let place = operator.submit("/referrers", &[("search", "<script>alert(1)</script>")]).await;
    let page = operator.read(&place).await;
    assert!(page.contains("No referrer matches") && !page.contains("<script>"), "what was typed is plain text");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_number_is_not_dialled_again_with_the_others_until_it_is_corrected() {
    let stage = Stage::set_idle().await;
    let wrong = fail_with_wrong_number(&stage, "Amara Whitfield").await;
    let mended = fail_with_wrong_number(&stage, "Daniel Okonkwo").await;
    let daniel = one(&stage, "Daniel Okonkwo").await;
    let number = "(773) 555-0177".parse().expect("a number");
    touchline::referrers::edit(
        &stage.gateway.referrers(),
        daniel.id,
        &touchline::domain::Actor::operator("dana"),
        |referrer| referrer.fax = Some(number),
    )
    .await
    .expect("edited");

    let mut operator = Visitor::operator(&stage).await;
    let place = operator.submit("/failures", &[("reason", "not_a_fax"), ("act", "retry_corrected")]).await;
    let page = operator.read(&place).await;
    assert!(page.contains("1 message goes out again. 1 is unchanged."), "{place}");
    assert_eq!(stage.status(wrong).await, MessageStatus::Failed);
    assert_eq!(stage.status(mended).await, MessageStatus::Queued);

    let place = operator.submit("/failures", &[("reason", "not_a_fax"), ("act", "retry")]).await;
    assert!(place.contains("n=0"), "all of them at once is not offered: {place}");
    stage.strike().await;
}

/// A fax that something answered without a fax tone.
async fn fail_with_wrong_number(stage: &Stage, name: &str) -> MessageId {
    let id = stage.send("capacity-update", name, &[Channel::Fax], update()).await.messages[0].id;
    let now = stage.gateway.clock.now();
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(id, true).await.expect("read").expect("there");
    message.status = MessageStatus::Failed;
    message.reason = Some(Fault::NotAFax.into());
    message.settled_ms = Some(now);
    tx.message_update(&message).await.expect("stored");
    tx.queue_remove(id.0).await.expect("removed");
    let address: Address = message.address.clone();
    let learnt = AddressHealth {
        channel: address.channel(),
        value: address.key(),
        health: Health::Doubtful,
        strikes: 2,
        fault: Some(Fault::NotAFax),
    };
    tx.addresses_learn(&[learnt], now).await.expect("stored");
    tx.commit().await.expect("committed");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_provider_stands_first_on_the_overview_until_it_is_resumed() {
    let stage = Stage::set_idle().await;
    let mut operator = Visitor::operator(&stage).await;
    let name = ("name", "fax-sandbox");
    operator.submit("/providers", &[name, ("act", "pause"), ("why", "the invoice is unpaid")]).await;
    let needs = "fax-sandbox is paused and sends nothing: the invoice is unpaid.";
    assert!(operator.read("/").await.contains(needs));
    operator.submit("/providers", &[name, ("act", "resume")]).await;
    assert!(operator.read("/").await.contains("Nothing needs attention."));
    assert_eq!((audited(&stage, "pause_provider").await, audited(&stage, "resume_provider").await), (1, 1));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_trail_says_what_a_list_brought_and_can_be_narrowed_to_one_field() {
    let stage = Stage::set_idle().await;
    let operator = Visitor::operator(&stage).await;
    let all = operator.read("/audit").await;
    assert!(all.contains("imported referrers") && all.contains("logged in"), "{all}");
    assert!(all.contains(" new, 0 updated, ") && all.contains(" bases for faxing"), "{all}");
    let lists = operator.read("/audit?about=referrers").await;
    assert!(lists.contains("<h1>Audit: referrers and lists</h1>"), "{lists}");
    assert!(lists.contains("imported referrers") && !lists.contains("logged in"), "{lists}");
    for nowhere in ["/audit?about=anything", "/audit?page=0"] {
        assert_eq!(operator.get(nowhere).await.status(), StatusCode::NOT_FOUND, "{nowhere}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_all_again_is_not_the_first_button_where_the_office_is_to_be_asked_first() {
    let stage = Stage::set_idle().await;
    fail_with_wrong_number(&stage, "Amara Whitfield").await;
    let operator = Visitor::operator(&stage).await;
    let page = operator.read("/failures").await;
    let (sheet, bulk) = (page.find("href=\"/calls/number\""), page.find("Retry corrected ones"));
    assert!(sheet.is_some() && sheet < bulk && !page.contains("Retry all"), "{page}");
    let cause = operator.read("/failures?reason=not_a_fax").await;
    assert!(cause.contains("<button type=\"submit\" class=\"second\">Retry corrected ones"), "{cause}");
    assert!(operator.read("/messages?status=failed").await.contains("<h1>Messages: failed</h1>"));
    stage.strike().await;
}
