//! The call sheets: who is to be telephoned, and what each answer does.

use reqwest::StatusCode;
use serde_json::json;
use touchline::consent::{self, Refusal};
use touchline::domain::basis::BasisKind;
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::id::{BasisId, MessageId, SuppressionId};
use touchline::domain::referrer::Referrer;
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, Fault, MessageStatus, PolicyReason, Reason};
use touchline::referrers::audience;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::web::house::permission;

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
    assert_eq!(place, "/calls/permission?done=call_agreed");
    assert!(operator.read(&place).await.contains("Permission is recorded with your name"));
    assert_eq!(stage.status(scene.unasked_message).await, MessageStatus::Queued);
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let bases = tx.basis_of(&scene.unasked.fax.clone().expect("a number")).await.expect("read");
    let basis = bases.iter().find(|basis| basis.ended_ms.is_none()).expect("one is in effect");
    assert_eq!((basis.kind, basis.by_whom.as_str()), (BasisKind::Permission, "dana"));
    assert_eq!(basis.how, "given by telephone by Lena at the front desk");
    let stopped = tx.faxes_stopped(scene.unasked.id).await.expect("read");
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
    assert_eq!(operator.submit(&path, &[("answer", "right")]).await, "/calls/number?done=call_number_right");
    assert_eq!(stage.status(scene.wrong_message).await, MessageStatus::Queued);
    assert!(operator.read("/calls/number").await.contains("There is no one to call."));

    stop(&stage, "Amara Whitfield", MessageStatus::Failed, Fault::InvalidNumber.into()).await;
    let fields = [("answer", "corrected"), ("number", "(847) 555-0199"), ("permission", "yes")];
    assert_eq!(operator.submit(&path, &fields).await, "/calls/number?done=call_number_corrected");
    let corrected = one(&stage, "Amara Whitfield").await.fax.expect("a number");
    assert_eq!(corrected.pretty(), "(847) 555-0199");
    let mut tx = stage.gateway.store.read().await.expect("a database");
    assert!(tx.basis_of(&corrected).await.expect("read").iter().any(|basis| basis.is_sufficient(true)));
    assert!(tx.faxes_stopped(scene.wrong.id).await.expect("read").is_empty(), "it goes out again");
    drop(tx);
    let answer = operator.get("/calls/number?after=nobody").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_sheet_has_pages_of_fifty() {
    let stage = Stage::set_idle().await;
    let mut tx = stage.gateway.store.write().await.expect("a database");
    let now = stage.gateway.clock.now();
    for n in 0..51 {
        let fax: touchline::domain::FaxNumber = format!("(312) 555-{:04}", 1000 + n).parse().expect("a number");
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
    assert_eq!(place, format!("{next}&done=call_number_right"), "back to the page of the list");
    assert!(operator.read(&place).await.contains("no one left to call on this page"));
    stage.strike().await;
}
