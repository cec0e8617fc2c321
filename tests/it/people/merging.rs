//! Two records of one person are merged, and the merge can be undone.

use touchline::consent::{self, Refusal};
use touchline::domain::Address;
use touchline::domain::referrer::ReferrerState;
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
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

const TWO: &str = "First Name,Last Name,Organization,Fax,Email\nAna,Ruiz,Lake Clinic,847-555-0101,a@lake.example\n\
    Ana,Ruiz,Hill Clinic,,a@hill.example\n";

impl Desk {
    async fn refuse(&self, address: &str, scope: Scope, reason: SuppressionReason) {
        let refusal = Refusal {
            address: Address::guess(address).expect("an address"),
            scope,
            reason,
            source: SuppressionSource::Web,
            evidence: Some("the link in letter 7".to_owned()),
            who: dana(),
            because: None,
            expires_ms: None,
        };
        let parts = consent::Parts { store: self.parts.store.clone(), clock: self.parts.clock.clone() };
        consent::suppress(&parts, &refusal).await.expect("suppressed");
    }

    async fn refusals_of(&self, address: &str) -> Vec<Suppression> {
        let mut tx = self.parts.store.read().await.expect("tx");
        tx.suppressions_of(&Address::guess(address).expect("an address")).await.expect("read")
    }

    async fn with_mailbox(&self, address: &str) -> touchline::domain::id::ReferrerId {
        let mut tx = self.parts.store.read().await.expect("tx");
        referrers::audience::one(&mut tx, address).await.expect("known").id
    }
}

#[tokio::test]
async fn an_opt_out_of_one_address_holds_for_the_merged_persons_own_until_the_merge_is_undone() {
    each_db(async |store| {
        for (refusing, kept, other) in [
            ("a@hill.example", "a@lake.example", "a@hill.example"),
            ("a@hill.example", "a@hill.example", "a@lake.example"),
            ("a@lake.example", "a@hill.example", "a@lake.example"),
        ] {
            let desk = Desk::at(store.clone());
            desk.import(TWO).await;
            desk.refuse(refusing, Scope::Advertisement, SuppressionReason::OptOut).await;
            let (keep, gone) = (desk.with_mailbox(kept).await, desk.with_mailbox(other).await);
            let merged = merge(&desk.parts, keep, gone, &dana()).await.expect("merged");
            assert_eq!(merged.suppressions, usize::from(refusing != kept), "{kept}");
            let [one] = &desk.refusals_of(kept).await[..] else { panic!("one refusal of {kept}") };
            assert_eq!((one.scope, one.reason), (Scope::Advertisement, SuppressionReason::OptOut));
            if refusing != kept {
                let evidence = one.evidence.as_deref().unwrap_or_default();
                assert!(evidence.contains(&merged.merge.to_string()) && evidence.contains("letter 7"), "{evidence}");
            }
            assert!(desk.refusals_of("847-555-0101").await.is_empty(), "the fax number refused nothing");
            undo_merge(&desk.parts, merged.merge, &dana()).await.expect("undone");
            assert_eq!(desk.refusals_of(refusing).await.len(), 1, "what they refused stands");
            let unrefused = if refusing == kept { other } else { kept };
            assert!(desk.refusals_of(unrefused).await.is_empty(), "what the merge brought does not");
            let consent = consent::Parts { store: desk.parts.store.clone(), clock: desk.parts.clock.clone() };
            for known in desk.refusals_of(refusing).await {
                consent::lift(&consent, known.id, &dana(), "the next round").await.expect("lifted");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_an_address_refuses_itself_outlives_the_merge_that_refused_it_before() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(TWO).await;
        desk.refuse("a@hill.example", Scope::All, SuppressionReason::Complaint).await;
        let (keep, gone) = (desk.with_mailbox("a@lake.example").await, desk.with_mailbox("a@hill.example").await);
        let merged = merge(&desk.parts, keep, gone, &dana()).await.expect("merged");
        assert_eq!(desk.refusals_of("a@lake.example").await[0].source, SuppressionSource::Merge);
        desk.refuse("a@lake.example", Scope::All, SuppressionReason::OptOut).await;
        undo_merge(&desk.parts, merged.merge, &dana()).await.expect("undone");
        let [one] = &desk.refusals_of("a@lake.example").await[..] else { panic!("one refusal") };
        assert_eq!((one.source, one.reason), (SuppressionSource::Web, SuppressionReason::OptOut));
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_that_bounced_refuses_nothing_for_another_one() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(TWO).await;
        desk.refuse("a@hill.example", Scope::All, SuppressionReason::Bounced).await;
        let (keep, gone) = (desk.with_mailbox("a@lake.example").await, desk.with_mailbox("a@hill.example").await);
        assert_eq!(merge(&desk.parts, keep, gone, &dana()).await.expect("merged").suppressions, 0);
        assert!(desk.refusals_of("a@lake.example").await.is_empty());
    })
    .await;
}
