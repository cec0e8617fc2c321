//! The call sheets: who is to be telephoned, and what each answer does.

use reqwest::StatusCode;
use serde_json::json;
use touchline::consent::{self, Refusal};
use touchline::domain::basis::BasisKind;
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::id::{BasisId, MessageId, SuppressionId};
use touchline::domain::referrer::Referrer;
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, Fault, FaxNumber, MessageStatus, PolicyReason, Reason, Timestamp};
use touchline::referrers::audience;
use touchline::store::views::calls::StoppedBy;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::web::house::permission;

/// Before anything was stopped.
const LONG_AGO: Timestamp = Timestamp(0);

/// Somebody whose number is wrong, somebody who was not asked yet, and what belongs to them.
pub struct Scene {
    pub wrong: Referrer,
    pub wrong_message: MessageId,
    pub basis: BasisId,
    pub unasked: Referrer,
    pub unasked_message: MessageId,
    pub suppression: SuppressionId,
}

pub async fn scene(stage: &Stage) -> Scene {
    let wrong_message = stop(stage, "Amara Whitfield", MessageStatus::Failed, Fault::NotAFax.into()).await;
    let no_basis = PolicyReason::NoBasis.into();
    // Two of them, of which the earlier is out of date.
    stop(stage, "Tomasz Bielak", MessageStatus::Suppressed, no_basis).await;
    let unasked_message = stop(stage, "Tomasz Bielak", MessageStatus::Suppressed, no_basis).await;
    let (wrong, unasked) = (one(stage, "Amara Whitfield").await, one(stage, "Tomasz Bielak").await);
    let basis = permission(wrong.fax.clone().expect("a number"), stage.gateway.clock.now());
    consent::add_basis(&stage.gateway.consent(), &basis, &Actor::operator("sam")).await.expect("recorded");
    let refused: Address = "+17085550125".parse().expect("a number");
    let refusal = Refusal {
        address: refused.clone(),
        scope: Scope::Advertisement,
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Operator,
        evidence: None,
        who: Actor::operator("dana"),
        because: None,
        expires_ms: None,
    };
    consent::suppress(&stage.gateway.consent(), &refusal).await.expect("recorded");
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let suppression = tx.suppressions_of(&refused).await.expect("read")[0].id;
    Scene { wrong, wrong_message, basis: basis.id, unasked, unasked_message, suppression }
}

async fn one(stage: &Stage, name: &str) -> Referrer {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    audience::one(&mut tx, name).await.expect("in the sample list")
}

/// A fax that ended without arriving.
async fn stop(stage: &Stage, name: &str, status: MessageStatus, reason: Reason) -> MessageId {
    let update = json!({ "treatment": "TMS", "openings": "four", "as_of": "2026-11-23", "start_window": "two weeks" });
    let id = stage.send("capacity-update", name, &[Channel::Fax], update).await.messages[0].id;
    let now = stage.gateway.clock.now();
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(id, true).await.expect("read").expect("there");
    (message.status, message.reason, message.settled_ms) = (status, Some(reason), Some(now));
    tx.message_update(&message).await.expect("stored");
    tx.queue_remove(id.0).await.expect("removed");
    if let Reason::Fault(fault) = reason {
        let key = message.address.key();
        let learnt = AddressHealth {
            channel: Channel::Fax,
            value: key,
            health: Health::Doubtful,
            strikes: 2,
            fault: Some(fault),
        };
        tx.addresses_learn(&[learnt], now).await.expect("stored");
    }
    tx.commit().await.expect("committed");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_agrees_on_the_telephone_is_recorded_with_who_and_when_and_gets_the_latest_update_only() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let overview = operator.read("/").await;
    assert!(overview.contains("must be asked for permission") && overview.contains("href=\"/calls/permission\""));
    let page = operator.read("/calls/permission").await;
    for part in ["Tomasz Bielak", "href=\"tel:+1", "May we fax you updates", "They agreed", "They declined"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert!(!page.contains("Amara Whitfield"), "she gave permission");
    let path = format!("/calls/permission/{}", scene.unasked.id);
    let place = operator.submit(&path, &[("who", "Lena at the front desk"), ("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed&n=1&left=0");
    let page = operator.read(&place).await;
    assert!(
        page.contains("Permission is recorded with your name") && page.contains("1 message goes out again."),
        "{page}"
    );
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Queued);
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let bases = tx.basis_of(&scene.unasked.fax.clone().expect("a number")).await.expect("read");
    let basis = bases.iter().find(|basis| basis.ended_ms.is_none()).expect("one is in effect");
    assert_eq!((basis.kind, basis.by_whom.as_str()), (BasisKind::Permission, "dana"));
    assert_eq!(basis.how, "given by telephone by Lena at the front desk");
    let stopped = tx.faxes_stopped(scene.unasked.id, StoppedBy::NoPermission, LONG_AGO).await.expect("read");
    assert_eq!(stopped.len(), 1, "the earlier one is out of date and stays");
    drop(tx);
    assert!(!operator.read("/calls/permission").await.contains("Tomasz Bielak"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_declines_on_the_telephone_gets_no_updates_and_is_not_asked_again() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", scene.unasked.id);
    assert_eq!(operator.submit(&path, &[("answer", "declined")]).await, "/calls/permission?done=call_declined");
    let number = Address::Fax(scene.unasked.fax.clone().expect("a number"));
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let refusal = tx.suppressions_of(&number).await.expect("read").pop().expect("recorded");
    assert_eq!((refusal.scope, refusal.who), (Scope::Advertisement, Actor::operator("dana")));
    assert_eq!(refusal.evidence.as_deref(), Some("declined when asked by telephone"));
    drop(tx);
    assert!(!operator.read("/calls/permission").await.contains("Tomasz Bielak"));
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Suppressed);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_number_is_corrected_or_confirmed_from_the_call_sheet() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let page = operator.read("/calls/number").await;
    for part in ["Amara Whitfield", "no fax tone was heard", "Our faxes do not reach you", "Right fax number"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let path = format!("/calls/number/{}", scene.wrong.id);
    let place = operator.submit(&path, &[("answer", "right")]).await;
    assert_eq!(place, "/calls/number?done=call_number_right&n=1&left=0");
    assert_eq!(stage.status(scene.wrong_message).await, MessageStatus::Queued);
    assert!(operator.read("/calls/number").await.contains("There is no one to call."));

    stop(&stage, "Amara Whitfield", MessageStatus::Failed, Fault::InvalidNumber.into()).await;
    let fields = [("answer", "corrected"), ("number", "(847) 555-0199"), ("permission", "yes")];
    assert_eq!(operator.submit(&path, &fields).await, "/calls/number?done=call_number_corrected&n=1&left=0");
    let corrected = one(&stage, "Amara Whitfield").await.fax.expect("a number");
    assert_eq!(corrected.pretty(), "(847) 555-0199");
    let mut tx = stage.gateway.store.read().await.expect("a database");
    assert!(tx.basis_of(&corrected).await.expect("read").iter().any(|basis| basis.is_sufficient(true)));
    let stopped = tx.faxes_stopped(scene.wrong.id, StoppedBy::WrongNumber, LONG_AGO).await.expect("read");
    assert!(stopped.is_empty(), "it goes out again");
    drop(tx);
    let answer = operator.get("/calls/number?after=nobody").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_referrers_page_leads_to_their_entry_on_the_call_sheet_and_back() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    for (id, sheet, answer, done) in [
        (scene.wrong.id, "/calls/number", "right", "call_number_right&n=1&left=0"),
        (scene.unasked.id, "/calls/permission", "agreed", "call_agreed&n=1&left=0"),
    ] {
        let own = format!("/referrers/{id}");
        let link = format!("{sheet}?of={id}");
        assert!(operator.read(&own).await.contains(&format!("href=\"{link}\"")), "{sheet}");
        let page = operator.read(&link).await;
        assert_eq!(page.matches("class=\"card\"").count(), 1, "{page}");
        let place = operator.submit(&format!("{sheet}/{id}"), &[("page", &link), ("answer", answer)]).await;
        assert_eq!(place, format!("{own}?done={done}"));
        assert!(!operator.read(&place).await.contains(&link), "it is answered");
        assert!(operator.read(&link).await.contains("They are not on this list any more."));
    }
    assert_eq!(operator.get("/calls/number?of=nobody").await.status(), StatusCode::NOT_FOUND);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_sheet_has_pages_of_fifty() {
    let stage = Stage::set_idle().await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let now = stage.gateway.clock.now();
    for n in 0..51 {
        let fax: FaxNumber = format!("(312) 555-{:04}", 1000 + n).parse().expect("a number");
        let key = Address::Fax(fax.clone()).key();
        let referrer = Referrer {
            last_name: Some(format!("Person {n:02}")),
            fax: Some(fax),
            ..Referrer::new(touchline::domain::referrer::ReferrerType::Other, now)
        };
        tx.referrer_put(&referrer).await.expect("stored");
        tx.addresses_ensure(std::slice::from_ref(&key), now).await.expect("made");
        let dead = AddressHealth {
            channel: Channel::Fax,
            value: key,
            health: Health::Dead,
            strikes: 1,
            fault: Some(Fault::InvalidNumber),
        };
        tx.addresses_learn(&[dead], now).await.expect("learnt");
    }
    tx.commit().await.expect("committed");
    let mut operator = Visitor::operator(&stage).await;
    let first = operator.read("/calls/number").await;
    assert!(first.contains("51 calls to make") && first.matches("class=\"card\"").count() == 50, "{first}");
    let (_, next) = first.split_once("href=\"/calls/number?after=").expect("a link to the next page");
    let next = format!("/calls/number?after={}", next.split('"').next().expect("an id"));
    let second = operator.read(&next).await;
    assert_eq!(second.matches("class=\"card\"").count(), 1);
    let last = one(&stage, "Person 50").await;
    let path = format!("/calls/number/{}", last.id);
    let place = operator.submit(&path, &[("page", &next), ("answer", "right")]).await;
    assert_eq!(place, format!("{next}&done=call_number_right&n=0&left=0"), "back to the page of the list");
    assert!(operator.read(&place).await.contains("no one left to call on this page"));
    stage.strike().await;
}

/// What is known of their fax number is forgotten.
async fn forget_health(stage: &Stage, referrer: &Referrer) {
    let key = Address::Fax(referrer.fax.clone().expect("a number")).key();
    let mut tx = stage.gateway.store.write().await.expect("a database");
    tx.addresses_learn(&[AddressHealth::fresh(key)], stage.gateway.clock.now()).await.expect("stored");
    tx.commit().await.expect("committed");
}

async fn permissions_in_effect(stage: &Stage, number: &FaxNumber) -> usize {
    let bases = stage.gateway.store.read().await.expect("a database").basis_of(number).await.expect("read");
    bases.iter().filter(|basis| basis.kind == BasisKind::Permission && basis.ended_ms.is_none()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permission_sends_nothing_that_a_wrong_number_stopped() {
    let stage = Stage::set_idle().await;
    let no_basis = PolicyReason::NoBasis.into();
    let wrong = stop(&stage, "Tomasz Bielak", MessageStatus::Failed, Fault::NotAFax.into()).await;
    let unasked = stop(&stage, "Tomasz Bielak", MessageStatus::Suppressed, no_basis).await;
    let referrer = one(&stage, "Tomasz Bielak").await;
    forget_health(&stage, &referrer).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", referrer.id);
    let place = operator.submit(&path, &[("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed&n=1&left=0");
    assert_eq!(stage.status(unasked).await, MessageStatus::Queued);
    assert_eq!(stage.status(wrong).await, MessageStatus::Failed, "nobody said that the number was right");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permission_for_a_number_that_does_not_work_is_recorded_and_sends_nothing_there() {
    let stage = Stage::set_idle().await;
    let unasked = stop(&stage, "Tomasz Bielak", MessageStatus::Suppressed, PolicyReason::NoBasis.into()).await;
    let wrong = stop(&stage, "Tomasz Bielak", MessageStatus::Failed, Fault::NotAFax.into()).await;
    let referrer = one(&stage, "Tomasz Bielak").await;
    let number = referrer.fax.clone().expect("a number");
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", referrer.id);
    let place = operator.submit(&path, &[("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed&n=0&left=1");
    let page = operator.read(&place).await;
    assert!(page.contains("No message goes out again. 1 letter is not sent:"), "{page}");
    assert_eq!(stage.status(unasked).await, MessageStatus::Suppressed);
    assert_eq!(permissions_in_effect(&stage, &number).await, 1);
    assert!(operator.read("/calls/number").await.contains("Tomasz Bielak"), "the number is still to be asked for");

    let path = format!("/calls/number/{}", referrer.id);
    let place = operator.submit(&path, &[("answer", "right")]).await;
    assert_eq!(place, "/calls/number?done=call_number_right&n=1&left=0");
    assert_eq!(stage.status(wrong).await, MessageStatus::Queued);
    assert_eq!(stage.status(unasked).await, MessageStatus::Suppressed, "this sheet is about the number");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_agrees_after_an_opt_out_gets_nothing_until_it_is_lifted() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let number = scene.unasked.fax.clone().expect("a number");
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", scene.unasked.id);
    operator.submit(&path, &[("answer", "declined")]).await;
    let page = operator.submit_refused(&path, &[("page", "/calls/permission"), ("answer", "agreed")]).await;
    assert!(page.contains("an opt-out is recorded for this fax number"), "{page}");
    // The same on the message's own page.
    let permit = format!("/messages/{}/permit", scene.unasked_message);
    let own = format!("/messages/{}", scene.unasked_message);
    let page = operator.submit_refused(&permit, &[("page", &own), ("how", "by telephone")]).await;
    assert!(page.contains("an opt-out is recorded for this fax number"), "{page}");
    assert_eq!(permissions_in_effect(&stage, &number).await, 0);
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Suppressed);

    let mut tx = stage.gateway.store.read().await.expect("a database");
    let refusal = tx.suppressions_of(&Address::Fax(number.clone())).await.expect("read")[0].id;
    drop(tx);
    let lift = format!("/suppressions/{refusal}/lift");
    operator.submit(&lift, &[("why", "they asked for updates again")]).await;
    assert_eq!(operator.submit(&path, &[("answer", "agreed")]).await, "/calls/permission?done=call_agreed&n=1&left=0");
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Queued);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_agrees_twice_has_one_permission_and_gets_nothing_twice() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let number = scene.unasked.fax.clone().expect("a number");
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", scene.unasked.id);
    operator.submit(&path, &[("answer", "agreed")]).await;
    let place = operator.submit(&path, &[("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed_before&n=0&left=0", "the earlier update is out of date");
    assert!(operator.read(&place).await.contains("Their permission was on record already."));
    assert_eq!(permissions_in_effect(&stage, &number).await, 1);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_answer_about_a_shared_number_sends_what_waited_for_everyone_there() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let shared = scene.unasked.fax.clone();
    let colleague = one(&stage, "Daniel Okonkwo").await;
    let dana = Actor::operator("dana");
    touchline::referrers::edit(&stage.gateway.referrers(), colleague.id, &dana, |one| one.fax = shared)
        .await
        .expect("edited");
    let theirs = stop(&stage, "Daniel Okonkwo", MessageStatus::Suppressed, PolicyReason::NoBasis.into()).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/permission/{}", scene.unasked.id);
    let place = operator.submit(&path, &[("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed&n=2&left=0");
    assert!(operator.read(&place).await.contains("2 messages go out again."));
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Queued);
    assert_eq!(stage.status(theirs).await, MessageStatus::Queued);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_number_needs_a_permission_of_its_own_for_updates() {
    let stage = Stage::set_idle().await;
    let scene = scene(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let path = format!("/calls/number/{}", scene.wrong.id);
    let same = scene.wrong.fax.clone().expect("a number").pretty();
    let fields = [("page", "/calls/number"), ("answer", "corrected"), ("number", same.as_str())];
    let page = operator.submit_refused(&path, &fields).await;
    assert!(page.contains("This is the fax number on record."), "{page}");
    assert_eq!(stage.status(scene.wrong_message).await, MessageStatus::Failed);

    let fields = [("answer", "corrected"), ("number", "(847) 555-0199")];
    let place = operator.submit(&path, &fields).await;
    assert_eq!(place, "/calls/number?done=call_number_corrected&n=0&left=1");
    let page = operator.read(&place).await;
    assert!(page.contains("The number is corrected. No message goes out again. 1 letter is not sent:"), "{page}");
    assert_eq!(stage.status(scene.wrong_message).await, MessageStatus::Failed);
    assert_eq!(one(&stage, "Amara Whitfield").await.fax.expect("a number").pretty(), "(847) 555-0199");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_of_last_season_is_not_sent_when_they_agree() {
    let stage = Stage::set_idle().await;
    let old = stop(&stage, "Tomasz Bielak", MessageStatus::Suppressed, PolicyReason::NoBasis.into()).await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let mut message = tx.message(old, true).await.expect("read").expect("there");
    message.updated_ms = stage.gateway.clock.now().before(std::time::Duration::from_secs(91 * 86_400));
    tx.message_update(&message).await.expect("stored");
    tx.commit().await.expect("committed");
    let referrer = one(&stage, "Tomasz Bielak").await;
    let mut operator = Visitor::operator(&stage).await;
    let page = operator.read("/calls/permission").await;
    assert!(page.contains("Tomasz Bielak") && page.contains("more than 90 days ago") && !page.contains("Waiting:"));
    let path = format!("/calls/permission/{}", referrer.id);
    let place = operator.submit(&path, &[("answer", "agreed")]).await;
    assert_eq!(place, "/calls/permission?done=call_agreed&n=0&left=0");
    assert_eq!(stage.status(old).await, MessageStatus::Suppressed);
    stage.strike().await;
}
