//! Two records of one person: what came back for the one holds for the other, before and after they are merged.

use touchline::domain::id::ReferrerId;
use touchline::domain::{Actor, Channel, MessageStatus, PolicyReason};
use touchline::feedback::returns::taking::Taken;
use touchline::feedback::returns::working::Act;
use touchline::referrers::merge::{merge, undo_merge};

use super::mails::absence;
use super::{TUESDAY, act, mailed, returns, take_one};
use crate::support::gateway::{TestGateway, each_gateway_at};

const AWAY: &str = "I am out of the office until December 4, 2026.";

async fn until(gateway: &TestGateway, ids: &[ReferrerId]) -> usize {
    let now = gateway.gateway.clock.now();
    gateway.store().read().await.expect("a transaction").away_among(ids, now).await.expect("read").len()
}

#[tokio::test]
async fn an_absence_told_for_one_record_holds_and_ends_for_the_person() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ana@stone.example"))]).await;
            let (told, id) = mailed(gateway, "introduction", "Ruiz").await;
            let (other, _) = mailed(gateway, "introduction", "Stone").await;
            assert_eq!(take_one(gateway, absence(&id, "ana@ruiz.example", AWAY)).await, Taken::Ours);
            let both = [told.referrer_id, other.referrer_id];
            assert_eq!(until(gateway, &both).await, 1, "they are two people still");
            let (parts, sam) = (gateway.gateway.referrers(), Actor::operator("sam"));
            let merged = merge(&parts, other.referrer_id, told.referrer_id, &sam).await.expect("merged");
            assert_eq!(until(gateway, &both).await, 2, "whichever record is asked for");
            // An update to who stays waits.
            gateway.send_via("introduction", "all", &[Channel::Email]).await;
            let waiting = gateway
                .until("it waits", async || {
                    let message = gateway.message_of("Stone", Channel::Email).await;
                    (message.reason == Some(PolicyReason::ReferrerAway.into())).then_some(message)
                })
                .await;
            // A person says that they are back: it goes, and after the merge is undone nobody is away again.
            let row = returns(gateway).await.remove(0);
            act(gateway, &row, Act::Done, None).await.expect("done");
            assert_eq!(until(gateway, &both).await, 0);
            gateway.message_until(waiting.id, "sent", |one| one.status == MessageStatus::Accepted).await;
            undo_merge(&parts, merged.merge, &sam).await.expect("undone");
            assert_eq!(until(gateway, &both).await, 0);
        },
    )
    .await;
}
