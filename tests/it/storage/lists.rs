//! The lists that people see: message lines by filter, addresses that do not work, broadcasts under way, pages of history.

use touchline::domain::health::Health;
use touchline::domain::message::Message;
use touchline::domain::touch::Touch;
use touchline::domain::{Address, Channel, Fault, MessageStatus};
use touchline::store::views::lists::LinesOf;

use super::samples::{Stage, at, email, fax, known, referrer, touch};
use crate::support::databases::each_db;

#[tokio::test]
async fn message_lines_come_newest_first_by_status_broadcast_and_page() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let first = stage.message();
        let held = Message { status: MessageStatus::Held, ..stage.message() };
        let messages = [first, held, stage.settled_message(), stage.message()];
        stage.store(&store, &messages).await;
        let mut tx = store.read().await.expect("tx");
        let all = tx.message_lines(LinesOf::default(), 100).await.expect("read");
        let newest_first: Vec<_> = messages.iter().rev().map(|one| one.id).collect();
        assert_eq!(all.iter().map(|line| line.id).collect::<Vec<_>>(), newest_first);
        assert_eq!((all[0].name().as_str(), all[0].reason), ("Whitfield", None));
        let next = LinesOf { before: Some(all[1].id), ..LinesOf::default() };
        assert_eq!(tx.message_lines(next, 1).await.expect("read"), all[2..3]);
        let waiting = LinesOf { statuses: &[MessageStatus::Held, MessageStatus::Accepted], ..LinesOf::default() };
        assert_eq!(tx.message_lines(waiting, 9).await.expect("read"), all[2..3]);
        let of_broadcast = LinesOf { broadcast: Some(stage.broadcast.id), ..LinesOf::default() };
        assert_eq!(tx.message_lines(of_broadcast, 9).await.expect("read"), all[1..2]);
        let both = LinesOf { statuses: &[MessageStatus::Held], broadcast: Some(stage.broadcast.id), before: None };
        assert!(tx.message_lines(both, 9).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn addresses_that_do_not_work_are_listed_with_whose_they_are() {
    each_db(async |store| {
        let (mut one, mut two) = (referrer("Adeyemi"), referrer("Nakamura"));
        (one.fax, two.fax) = (Some(fax(112)), Some(fax(112)));
        one.email = Some(email("S.Adeyemi@dempster.example"));
        let addresses = [
            (Address::Fax(fax(112)), Health::Dead, Some(Fault::InvalidNumber)),
            (Address::Email(email("s.adeyemi@dempster.example")), Health::Doubtful, None),
            (Address::Fax(fax(113)), Health::Dead, None),
        ];
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&one).await.expect("stored");
        tx.referrer_put(&two).await.expect("stored");
        for (address, health, fault) in &addresses {
            tx.addresses_ensure(&[address.key()], at(1)).await.expect("made");
            tx.addresses_learn(&[known(address, *health, 4, *fault)], at(2)).await.expect("learnt");
        }
        let unwell = tx.addresses_unwell(100).await.expect("read");
        let seen: Vec<_> = unwell.iter().map(|line| (line.referrer_id, line.channel, line.health)).collect();
        let mut shared = [one.id, two.id];
        shared.sort_unstable();
        let dead = shared.map(|id| (id, Channel::Fax, Health::Dead));
        assert_eq!(
            seen,
            [dead[0], dead[1], (one.id, Channel::Email, Health::Doubtful)],
            "nobody's number is not listed"
        );
        assert_eq!((unwell[0].fault, unwell[0].updated_ms), (Some(Fault::InvalidNumber), at(2)));
        assert_eq!(tx.addresses_unwell(1).await.expect("read"), unwell[..1]);
        assert_eq!(tx.calls_for_number_count().await.expect("read"), 2);
        assert_eq!(tx.mailboxes_dead_count().await.expect("read"), 0, "a doubtful one is still tried");
    })
    .await;
}

#[tokio::test]
async fn a_broadcast_is_listed_as_running_until_it_is_finished() {
    each_db(async |store| {
        let (first, second) = (Stage::set(&store).await, Stage::set(&store).await);
        let mut tx = store.write().await.expect("tx");
        let running = tx.broadcasts_running(9).await.expect("read");
        assert_eq!(running, [second.broadcast, first.broadcast], "the newest first");
        assert_eq!(tx.broadcasts_running(1).await.expect("read"), running[..1]);
        tx.broadcasts_finish(at(9)).await.expect("neither has a message");
        assert!(tx.broadcasts_running(9).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_history_follow_each_other_and_bring_their_messages() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let touches: Vec<Touch> =
            (0..7).map(|n| Touch { occurred_ms: at(n / 3), ..touch(stage.referrer.id) }).collect();
        let mut tx = store.write().await.expect("tx");
        tx.touches_insert(&touches).await.expect("stored");
        let letters: Vec<Message> = [Channel::Fax, Channel::Email]
            .into_iter()
            .map(|channel| Message { touch_id: touches[0].id, ..stage.message_by(channel) })
            .collect();
        tx.messages_insert(&letters).await.expect("stored");

        let whole = tx.touches_of(stage.referrer.id, 100).await.expect("read");
        let mut paged = tx.touches_page(stage.referrer.id, None, 3).await.expect("read");
        while paged.len() < whole.len() {
            let last = paged.last().expect("some");
            let after = Some((last.occurred_ms, last.id));
            paged.extend(tx.touches_page(stage.referrer.id, after, 3).await.expect("read"));
        }
        assert_eq!(paged, whole);
        let found = tx.messages_of_touches(&[touches[1].id, touches[0].id]).await.expect("read");
        assert_eq!(found, [letters[1].clone(), letters[0].clone()], "by channel");
        assert!(tx.messages_of_touches(&[]).await.expect("read").is_empty());
    })
    .await;
}
