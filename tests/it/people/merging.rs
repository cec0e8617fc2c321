//! Two records of one person are merged, and the merge can be undone.

use touchline::domain::referrer::ReferrerState;
use touchline::domain::touch::TouchKind;
use touchline::referrers::merge::{merge, undo_merge};
use touchline::referrers::{self, log_touch};

use super::{Desk, counts, dana};
use crate::support::databases::each_db;

const LIST: &str = "NPI,First Name,Last Name,Organization,Fax,Email\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101,\n\
    ,Ana,Ruiz-Lee,Hill Clinic,,ana@hill.example\n";

#[tokio::test]
async fn a_merge_joins_the_touches_keeps_the_stricter_refusal_and_can_be_undone() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let (ana, lee) = (desk.named("Ruiz").await, desk.named("Ruiz-Lee").await);
        for (who, title) in [(ana.id, "a call"), (lee.id, "a visit"), (lee.id, "a lunch")] {
            log_touch(&desk.parts, who, TouchKind::Call, title, None, &dana()).await.expect("logged");
        }
        referrers::edit(&desk.parts, lee.id, &dana(), |one| one.state = ReferrerState::DoNotContact)
            .await
            .expect("edited");

        let merged = merge(&desk.parts, ana.id, lee.id, &dana()).await.expect("merged");
        assert_eq!(merged.touches, 2);
        let one = desk.named("Ruiz").await;
        assert_eq!((one.state, one.email.is_some()), (ReferrerState::DoNotContact, true));
        let mut tx = desk.parts.store.read().await.expect("tx");
        assert_eq!(tx.touches_delivered(ana.id).await.expect("read"), 3);
        drop(tx);
        assert_eq!(desk.everyone().await.len(), 1);
        assert_eq!(counts(&desk.import(LIST).await).0, 0, "the list does not bring the second one back");
        assert_eq!(desk.everyone().await.len(), 1);

        let restored = undo_merge(&desk.parts, merged.merge, &dana()).await.expect("undone");
        assert_eq!(restored.len(), 2);
        assert_eq!(desk.everyone().await.len(), 2);
        let mut tx = desk.parts.store.read().await.expect("tx");
        assert_eq!(tx.touches_delivered(ana.id).await.expect("read"), 1);
        assert_eq!(tx.touches_delivered(lee.id).await.expect("read"), 2);
        drop(tx);
        assert_eq!(desk.named("Ruiz").await.state, ReferrerState::Active, "each as before");
        assert_eq!(desk.named("Ruiz-Lee").await.state, ReferrerState::DoNotContact, "each as before");
        assert!(undo_merge(&desk.parts, merged.merge, &dana()).await.is_err(), "once");
    })
    .await;
}

#[tokio::test]
async fn two_people_with_different_npis_are_not_merged() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("NPI,Last Name,Fax\n1234567893,Ruiz,847-555-0101\n1000000004,Salas,847-555-0101\n").await;
        let (one, other) = (desk.named("Ruiz").await, desk.named("Salas").await);
        assert!(merge(&desk.parts, one.id, other.id, &dana()).await.is_err());
        assert!(merge(&desk.parts, one.id, one.id, &dana()).await.is_err());
        assert_eq!(desk.everyone().await.len(), 2);
    })
    .await;
}
