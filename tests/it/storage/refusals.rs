use touchline::domain::health::Health;
use touchline::domain::id::AttemptId;
use touchline::domain::{Address, Channel, Fault};
use touchline::store::records::addresses::DeadOf;
use touchline::store::records::refusals::RefusalRow;

use super::samples::{at, email, fax, known};
use crate::support::databases::each_db;

fn refusal(provider: &str, mailbox: &str, ms: i64) -> RefusalRow {
    RefusalRow {
        attempt_id: AttemptId::new(),
        provider: provider.into(),
        address_key: Address::Email(email(mailbox)).key(),
        words: "550 no".into(),
        health: Some(Health::Confirmed),
        strikes: 2,
        fault: Some(Fault::MailboxFull),
        at_ms: at(ms),
        taken_back_ms: None,
        stands_ms: None,
    }
}

#[tokio::test]
async fn refusals_of_an_account_are_kept_until_it_accepts_something() {
    each_db(async |store| {
        let rows = [
            refusal("office", "a@x.example", 1),
            RefusalRow { health: None, fault: None, ..refusal("office", "b@x.example", 2) },
        ];
        let other = refusal("other", "a@x.example", 3);
        let mut tx = store.write().await.expect("tx");
        tx.refusals_lock("office", at(1)).await.expect("locked");
        tx.refusals_lock("office", at(2)).await.expect("it is ours");
        tx.refusals_insert(&rows).await.expect("stored");
        tx.refusals_insert(&rows).await.expect("a repeat changes nothing");
        tx.refusals_insert(std::slice::from_ref(&other)).await.expect("stored");
        assert_eq!(tx.refusals_of("office").await.expect("read"), rows);
        assert_eq!(tx.refusing_providers().await.expect("read"), ["office", "other"]);
        tx.refusals_take_back(&[rows[0].attempt_id], at(5)).await.expect("written");
        assert_eq!(tx.refusals_stand("office", at(6)).await.expect("written"), 2);
        assert_eq!(tx.refusals_stand("office", at(7)).await.expect("asked"), 0, "they stand");
        let known = tx.refusals_of("office").await.expect("read");
        let times: Vec<_> = known.iter().map(|row| (row.taken_back_ms, row.stands_ms)).collect();
        assert_eq!(times, [(Some(at(5)), Some(at(6))), (None, Some(at(6)))]);
        tx.refusals_forget("office", at(2)).await.expect("forgotten");
        assert_eq!(tx.refusals_of("office").await.expect("read").len(), 1);
        tx.refusals_end("office").await.expect("ended");
        assert!(tx.refusals_of("office").await.expect("read").is_empty());
        assert_eq!(tx.refusals_of("other").await.expect("read"), [other]);
    })
    .await;
}

#[tokio::test]
async fn dead_addresses_are_found_by_channel_cause_and_time() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let mailbox = |n: i64| Address::Email(email(&format!("a{n}@x.example")));
        let number = Address::Fax(fax(101));
        let keys: Vec<_> = (1..=3).map(mailbox).chain([number.clone()]).map(|address| address.key()).collect();
        tx.addresses_ensure(&keys, at(1)).await.expect("made");
        for (address, health, fault, ms) in [
            (mailbox(1), Health::Dead, Fault::MailboxUnknown, 10),
            (mailbox(2), Health::Dead, Fault::DomainUnknown, 20),
            (mailbox(3), Health::Doubtful, Fault::MailboxDisabled, 30),
            (number.clone(), Health::Dead, Fault::InvalidNumber, 40),
        ] {
            tx.addresses_learn(&[known(&address, health, 1, Some(fault))], at(ms)).await.expect("written");
        }
        let mut dead = async |which: DeadOf| {
            let found = tx.addresses_dead(which, 10, true).await.expect("read");
            found.into_iter().map(|one| one.value.address().expect("one")).collect::<Vec<_>>()
        };
        let all = DeadOf::default();
        assert_eq!(dead(all).await, [mailbox(1), mailbox(2), number.clone()]);
        assert_eq!(dead(DeadOf { channel: Some(Channel::Fax), ..all }).await, [number]);
        assert_eq!(dead(DeadOf { fault: Some(Fault::MailboxUnknown), ..all }).await, [mailbox(1)]);
        assert_eq!(dead(DeadOf { since: Some(at(20)), until: Some(at(40)), ..all }).await, [mailbox(2)]);
        assert_eq!(tx.addresses_dead(all, 1, false).await.expect("read").len(), 1);
    })
    .await;
}
