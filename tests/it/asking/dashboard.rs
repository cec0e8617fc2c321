//! What the dashboard shows of what a provider is asked: to delete its copy, and to stop a fax.

use std::time::Duration;

use touchline::access;
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::{Actor, Clock, PhiClass};

use super::purging::delivered;
use super::{Scene, each_scene};
use crate::dashboard::stage::OPERATOR;
use crate::dashboard::visitor::Visitor;
use crate::hinting;

const DELETE: &str = "value=\"purge\"";
const CANCEL: &str = "value=\"cancel\"";

/// An operator in front of the dashboard.
async fn operator(scene: &Scene, url: &str) -> Visitor {
    let who = Actor::operator("test");
    access::add_operator(&scene.gateway.access(), OPERATOR.0, OPERATOR.1, &who).await.expect("an operator");
    Visitor::operator_at(url).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_asks_the_provider_to_delete_its_copy_and_is_gone_once_that_is_done() {
    each_scene(async |scene| {
        let (url, stop) = scene.serve().await;
        let mut visitor = operator(scene, &url).await;
        let fax = delivered(scene, PhiClass::None).await;
        let path = format!("/messages/{}", fax.message_id);
        let page = visitor.read(&path).await;
        assert!(page.contains(DELETE) && page.contains("Delete at the provider"), "{page}");
        let shown = visitor.submit(&path, &[("act", "purge")]).await;
        assert!(visitor.read(&shown).await.contains("The provider will be asked to delete its copy."));
        assert_eq!(scene.purged_after(Duration::ZERO).await, 1);
        let page = visitor.read(&path).await;
        assert!(!page.contains(DELETE), "{page}");
        assert!(page.contains("deleted its copy."), "{page}");
        stop.cancel();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_the_provider_says_about_a_cancel_that_it_refuses() {
    each_scene(async |scene| {
        let (url, stop) = scene.serve().await;
        let mut visitor = operator(scene, &url).await;
        let fax = hinting::accept(&scene.gateway, scene.clock.now()).await;
        let path = format!("/messages/{}", fax.message_id);
        let page = visitor.read(&path).await;
        assert!(page.contains(CANCEL) && !page.contains(DELETE), "a fax that is under way needs its document");
        let no = Failure::new(Fault::ProtocolError).code("E77").text("page two is on its way to +13125550142");
        *scene.provider.cancel.lock().expect("sound") = Err(no);
        let key = visitor.form_key.clone();
        let answer = visitor.send(&path, &[("form_key", &key), ("act", "cancel")]).await;
        let page = answer.text().await.expect("text");
        assert!(page.contains("E77 page two is on its way to") && !page.contains("3125550142"), "{page}");

        *scene.provider.cancel.lock().expect("sound") = Ok(());
        let shown = visitor.submit(&path, &[("act", "cancel")]).await;
        assert!(visitor.read(&shown).await.contains("The provider was asked to stop it."));
        stop.cancel();
    })
    .await;
}
