//! What a provider is asked to delete, and when.

use std::sync::atomic::Ordering;
use std::time::Duration;

use touchline::domain::attempt::Attempt;
use touchline::domain::event::Fact;
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::message::Message;
use touchline::domain::{Actor, MessageStatus, PhiClass};
use touchline::feedback::purge_some;
use touchline::operator::{self, Act, OperatorError};

use super::{Scene, each_scene};

/// A fax that has arrived, about a patient or not.
pub(super) async fn delivered(scene: &Scene, phi: PhiClass) -> Attempt {
    let fax = scene.in_doubt_about(phi).await;
    scene.provider.says(Ok(Fact::Delivered { pages: None }));
    scene.look_up().await;
    assert_eq!(scene.standing(&fax).await.1, MessageStatus::Delivered);
    fax
}

impl Scene {
    /// Asks for the deletion of what is due after a wait; how many requests there have been in all.
    pub(super) async fn purged_after(&self, wait: Duration) -> usize {
        self.clock.advance(wait);
        purge_some(&self.parts).await.expect("asked");
        self.provider.purges.load(Ordering::Relaxed)
    }

    async fn last_event(&self, of: &Attempt) -> String {
        let mut tx = self.gateway.store.read().await.expect("tx");
        tx.events_of(of.message_id).await.expect("read").pop().expect("some").kind.to_string()
    }

    async fn asks_for_purge(&self, of: &Attempt) -> Result<Message, OperatorError> {
        operator::act(&self.gateway.operator(), of.message_id, Act::Purge, &Actor::operator("sam")).await
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_copy_of_a_letter_about_a_patient_is_deleted_once_it_has_arrived() {
    each_scene(async |scene| {
        let fax = delivered(scene, PhiClass::Identified).await;
        assert_eq!(scene.purged_after(Duration::ZERO).await, 0, "its last callbacks are on their way");
        assert_eq!(scene.purged_after(Duration::from_secs(61)).await, 1);
        assert_eq!(scene.last_event(&fax).await, "purged");
        assert_eq!(scene.purged_after(DAY).await, 1, "once");
        let again = scene.asks_for_purge(&fax).await.expect_err("it is gone");
        assert!(again.to_string().contains("deleted it already"), "{again}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_deleted_is_asked_for_eight_times_and_then_shown_to_a_person() {
    each_scene(async |scene| {
        *scene.provider.purge.lock().expect("sound") = Err(Failure::new(Fault::ProviderError).text("not today"));
        let fax = delivered(scene, PhiClass::Identified).await;
        for times in 1..=8 {
            assert_eq!(scene.last_event(&fax).await, "delivered");
            assert_eq!(scene.purged_after(DAY).await, times);
        }
        assert_eq!(scene.last_event(&fax).await, "purge_failed");
        assert_eq!(scene.purged_after(DAY).await, 8, "nobody is asked any more");
        let given_up = async || scene.gateway.store.read().await.expect("tx").purges_given_up().await.expect("read");
        assert_eq!(given_up().await, 1);

        *scene.provider.purge.lock().expect("sound") = Ok(());
        scene.asks_for_purge(&fax).await.expect("a person asks for it");
        assert_eq!((given_up().await, scene.purged_after(Duration::ZERO).await), (0, 9));
        assert_eq!(scene.last_event(&fax).await, "purged");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_letters_copy_is_deleted_only_when_a_person_asks_for_it_and_it_has_ended() {
    each_scene(async |scene| {
        let fax = delivered(scene, PhiClass::None).await;
        assert_eq!(scene.purged_after(DAY).await, 0);
        scene.asks_for_purge(&fax).await.expect("asked for");
        assert_eq!(scene.purged_after(Duration::ZERO).await, 1);
        let lines = scene.gateway.store.read().await.expect("tx").audit_page(&[], 0, 1).await.expect("read");
        assert_eq!((lines[0].action.as_str(), &lines[0].who), ("purge", &Actor::operator("sam")));

        let under_way = scene.in_doubt().await;
        let early = scene.asks_for_purge(&under_way).await.expect_err("it has not ended");
        assert!(early.to_string().contains("once it has ended"), "{early}");
    })
    .await;
}
