//! What a database does not take is told from what may pass, by the same class on both engines.

use touchline::domain::id::{LocationId, ReferrerId};
use touchline::domain::referrer::Location;
use touchline::store::{Store, StoreError};

use super::samples::at;
use crate::support::databases::each_db;

/// A location of nobody.
async fn stray(store: &Store) -> Result<(), StoreError> {
    let location = Location {
        id: LocationId::new(),
        referrer_id: ReferrerId::new(),
        organization: None,
        place: touchline::domain::referrer::Place::default(),
        email: None,
        fax: None,
        phone: None,
        source: None,
        created_ms: at(1),
        updated_ms: at(1),
    };
    store.write().await?.location_put(&location).await
}

#[tokio::test]
async fn what_breaks_a_rule_of_the_schema_is_refused_and_does_not_pass() {
    each_db(async |store| {
        let error = stray(&store).await.expect_err("there is no such referrer");
        assert!(matches!(error, StoreError::Refused(_)) && !error.is_passing(), "{error:?}");
        store.read().await.expect("tx").queue_depth().await.expect("all else goes on");
    })
    .await;
}

/// SQLite holds it, so that every way in refuses it before it gets here.
#[tokio::test]
async fn a_text_that_the_server_cannot_hold_is_refused_and_not_repeated() {
    each_db(async |store| {
        let kept = store.write().await.expect("tx").setting_or("canary\0", "canary\0").await;
        match kept {
            Ok(_) => assert_eq!(store.describe().split(' ').next(), Some("SQLite")),
            Err(error) => {
                assert!(matches!(error, StoreError::Refused(_)) && !error.is_passing(), "{error:?}");
                assert!(!error.to_string().contains("canary"), "{error}");
            }
        }
    })
    .await;
}
