use touchline::domain::MessageStatus;
use touchline::domain::id::TouchId;
use touchline::domain::message::Message;
use touchline::domain::touch::{Disposition, Touch, TouchKind};
use touchline::store::Tx;

use super::samples::{Stage, at, referrer, touch};
use crate::support::databases::each_db;

#[tokio::test]
async fn a_touch_is_read_back_with_every_field_and_with_none() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut touches = Vec::new();
        for kind in TouchKind::ALL {
            for disposition in Disposition::ALL {
                touches.push(Touch {
                    kind: *kind,
                    disposition: *disposition,
                    letter: None,
                    category: None,
                    ..touch(stage.referrer.id)
                });
            }
        }
        touches.push(Touch {
            delivered_ms: Some(at(5)),
            notes: Some("by telephone".into()),
            ..touch(stage.referrer.id)
        });
        let mut tx = store.write().await.expect("tx");
        tx.touches_insert(&touches).await.expect("stored");
        for one in touches.iter().chain([&stage.touch]) {
            assert_eq!(tx.touch(one.id).await.expect("read").as_ref(), Some(one));
        }
        let history = tx.touches_of(stage.referrer.id, 1000).await.expect("read");
        assert_eq!(history.len(), touches.len() + 1);
        assert!(history.is_sorted_by(|a, b| a.id > b.id), "of one moment, the newest id first");
        assert_eq!(tx.touches_of(stage.referrer.id, 3).await.expect("read"), history[..3]);
    })
    .await;
}

#[tokio::test]
async fn a_touch_is_a_projection_of_its_messages() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let (fax, mail) = (stage.message(), stage.settled_message());
        let undelivered = Message { status: MessageStatus::Failed, ..mail.clone() };
        stage.store(&store, &[fax, undelivered.clone()]).await;
        let mut tx = store.write().await.expect("tx");
        let id = stage.touch.id;
        let project = async |tx: &mut Tx, ms| {
            tx.touches_project(&[id, TouchId::new()], at(ms)).await.expect("projected");
            tx.touches_lock(&[id]).await.expect("locked")
        };
        assert_eq!(project(&mut tx, 10).await, [(id, Disposition::Pending)]);
        assert_eq!(tx.touches_delivered(stage.referrer.id).await.expect("read"), 0);
        tx.message_update(&mail).await.expect("written");
        assert_eq!(project(&mut tx, 11).await, [(id, Disposition::Delivered)]);
        assert_eq!(project(&mut tx, 12).await, [(id, Disposition::Delivered)]);
        let delivered = tx.touch(id).await.expect("read").expect("it is there");
        assert_eq!(delivered.delivered_ms, Some(at(11)), "the first arrival counts");
        tx.message_update(&undelivered).await.expect("written");
        project(&mut tx, 13).await;
        let corrected = tx.touch(id).await.expect("read").expect("it is there");
        assert_eq!((corrected.disposition, corrected.delivered_ms), (Disposition::Pending, None));
    })
    .await;
}

#[tokio::test]
async fn a_repeat_does_not_count_while_the_touch_it_repeats_does() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let who = stage.referrer.id;
        let first = Touch { disposition: Disposition::Delivered, ..touch(who) };
        let second = Touch { repeat_of: Some(first.id), ..first.clone() };
        let second = Touch { id: TouchId::new(), ..second };
        let third = Touch { id: TouchId::new(), repeat_of: Some(second.id), ..first.clone() };
        let failed = Touch { id: TouchId::new(), disposition: Disposition::Failed, ..touch(who) };
        let of_failed = Touch { id: TouchId::new(), repeat_of: Some(failed.id), ..first.clone() };
        let failed_repeat = Touch { repeat_of: Some(first.id), ..failed.clone() };
        let failed_repeat = Touch { id: TouchId::new(), ..failed_repeat };
        let again = Touch { id: TouchId::new(), repeat_of: Some(failed_repeat.id), ..first.clone() };
        let mut tx = store.write().await.expect("tx");
        for (one, counted) in
            [(&first, 1), (&second, 1), (&third, 1), (&failed, 1), (&of_failed, 2), (&failed_repeat, 2), (&again, 2)]
        {
            tx.touches_insert(std::slice::from_ref(one)).await.expect("stored");
            assert_eq!(tx.touch(one.id).await.expect("read").as_ref(), Some(one));
            assert_eq!(tx.touches_delivered(who).await.expect("read"), counted);
            assert_eq!(tx.touches_delivered_all().await.expect("read"), [(who, counted)]);
        }
    })
    .await;
}

#[tokio::test]
async fn only_what_took_place_counts_toward_the_goal() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let other = referrer("Bielak");
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&other).await.expect("stored");
        for kind in TouchKind::ALL {
            for disposition in Disposition::ALL {
                let one = Touch { kind: *kind, disposition: *disposition, ..touch(stage.referrer.id) };
                tx.touches_insert(&[one]).await.expect("stored");
            }
        }
        let counting = i64::try_from(TouchKind::ALL.iter().filter(|kind| kind.counts()).count()).expect("few");
        assert_eq!(tx.touches_delivered(stage.referrer.id).await.expect("read"), counting);
        assert_eq!(tx.touches_delivered(other.id).await.expect("read"), 0);
        assert_eq!(tx.touches_delivered_all().await.expect("read"), [(stage.referrer.id, counting)]);
    })
    .await;
}
