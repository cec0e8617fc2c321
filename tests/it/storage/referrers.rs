use touchline::domain::id::ReferrerId;
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::store::records::referrers::{Members, sort_name};
use touchline::store::{StoreError, Tx};

use super::samples::{at, email, fax, known_referrer, referrer};
use crate::support::databases::each_db;

async fn names_like(tx: &mut Tx, text: &str) -> Vec<String> {
    let found = tx.referrers_page(Some(text), None, 100).await.expect("read");
    found.into_iter().filter_map(|one| one.last_name).collect()
}

#[tokio::test]
async fn a_referrer_is_read_back_as_it_was_stored_and_as_it_was_changed() {
    each_db(async |store| {
        let (known, bare) = (known_referrer(), referrer("Bielak"));
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&known).await.expect("stored");
        tx.referrer_put(&bare).await.expect("stored");
        tx.commit().await.expect("committed");

        let mut tx = store.read().await.expect("tx");
        assert_eq!(tx.referrer(known.id).await.expect("read"), Some(known.clone()));
        assert_eq!(tx.referrer(bare.id).await.expect("read"), Some(bare.clone()));
        assert_eq!(tx.referrer_count().await.expect("read"), 2);
        for (search, count) in [("bielak", 1), ("NUNEZ", 1), ("nobody", 0), ("", 2)] {
            assert_eq!(tx.referrers_found_count(search).await.expect("read"), count, "{search}");
        }
        assert_eq!(tx.referrers(&[known.id, referrer("Nobody").id]).await.expect("read"), std::slice::from_ref(&known));
        drop(tx);

        let mut changed = referrer("Núñez-Ruiz");
        (changed.id, changed.updated_ms, changed.tags) = (known.id, at(5), vec!["city".into()]);
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&changed).await.expect("stored");
        assert_eq!(tx.referrer(known.id).await.expect("read"), Some(changed), "an erased field stays erased");
        assert_eq!(tx.referrer_tags().await.expect("read"), [("city".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn every_type_and_state_of_a_referrer_is_read_back() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        for kind in ReferrerType::ALL {
            for state in ReferrerState::ALL {
                let mut one = referrer("Okonkwo");
                (one.kind, one.state) = (*kind, *state);
                tx.referrer_put(&one).await.expect("stored");
                assert_eq!(tx.referrer(one.id).await.expect("read"), Some(one));
            }
            let of_type = tx.referrers_of(Members::OfType(*kind)).await.expect("read");
            assert_eq!(of_type.len(), ReferrerState::ALL.len(), "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_referrers_cannot_bear_one_npi() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&known_referrer()).await.expect("stored");
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        let second = tx.referrer_put(&known_referrer()).await;
        assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");
    })
    .await;
}

#[tokio::test]
async fn a_list_comes_by_priority_and_then_by_name() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let people = [
            ("Zimmer", ReferrerType::Psychiatrist, "priority"),
            ("adeyemi", ReferrerType::PrimaryCare, "priority"),
            ("Baptiste", ReferrerType::PrimaryCare, "priority"),
            ("Carranza", ReferrerType::Hospital, "other"),
        ];
        for (name, kind, tag) in people {
            let mut one = referrer(name);
            (one.kind, one.tags) = (kind, vec![tag.to_owned()]);
            tx.referrer_put(&one).await.expect("stored");
        }
        let names = |list: Vec<Referrer>| -> Vec<String> { list.into_iter().filter_map(|one| one.last_name).collect() };
        assert_eq!(
            names(tx.referrers_of(Members::Tagged("priority")).await.expect("read")),
            ["Zimmer", "adeyemi", "Baptiste"]
        );
        assert_eq!(
            names(tx.referrers_of(Members::All).await.expect("read")),
            ["Zimmer", "adeyemi", "Baptiste", "Carranza"]
        );
        assert_eq!(
            names(tx.referrers_of(Members::OfType(ReferrerType::PrimaryCare)).await.expect("read")),
            ["adeyemi", "Baptiste"]
        );
        let mut ids = tx.referrer_ids(Members::Tagged("priority")).await.expect("read");
        ids.reverse();
        ids.insert(1, ReferrerId::new());
        let backwards = tx.referrers_in_order(&ids).await.expect("read");
        assert_eq!(names(backwards), ["Baptiste", "adeyemi", "Zimmer"], "who is gone is passed over");
        let tags = tx.referrer_tags().await.expect("read");
        assert_eq!(tags, [("other".to_owned(), 1), ("priority".to_owned(), 3)]);
    })
    .await;
}

#[tokio::test]
async fn the_same_referrer_is_looked_for_by_npi_email_or_fax() {
    each_db(async |store| {
        let known = known_referrer();
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&known).await.expect("stored");
        tx.referrer_put(&referrer("Fielding")).await.expect("stored");
        let mut found = async |npi: Option<&str>, mail: Option<&str>, number: Option<u32>| {
            let (mail, number) = (mail.map(email), number.map(fax));
            tx.referrers_like(npi, mail.as_ref(), number.as_ref()).await.expect("read").len()
        };
        assert_eq!(found(Some("1234567893"), None, None).await, 1);
        assert_eq!(found(None, Some("zoe@together.example"), None).await, 1);
        assert_eq!(found(None, None, Some(101)).await, 1);
        assert_eq!(found(None, None, None).await, 0, "absent is not equal to absent");
        assert_eq!(found(Some("1000000000"), Some("other@x.example"), Some(199)).await, 0);
    })
    .await;
}

#[tokio::test]
async fn pages_of_referrers_follow_each_other_without_gap_or_repeat() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        for number in 0..25 {
            // Every name three times, so that a page may end between two of the same name.
            let mut one = referrer(&format!("Name {}", (b'A' + number / 3) as char));
            one.organization = Some(format!("Clinic {}", number % 2));
            tx.referrer_put(&one).await.expect("stored");
        }
        let whole = tx.referrers_page(None, None, 100).await.expect("read");
        assert_eq!(whole.len(), 25);
        let mut paged: Vec<_> = tx.referrers_page(None, None, 4).await.expect("read");
        while let Some(last) = paged.last().cloned() {
            let next = tx.referrers_page(None, Some((&sort_name(&last), last.id)), 4).await.expect("read");
            if next.is_empty() {
                break;
            }
            paged.extend(next);
        }
        assert_eq!(paged, whole);
    })
    .await;
}

#[tokio::test]
async fn a_search_takes_every_letter_as_it_is_typed() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let mut whitfield = referrer("Whitfield");
        (whitfield.email, whitfield.organization) = (Some(email("a_w@ridge.example")), Some("Élan 100% Care".into()));
        let mut bielak = referrer("Bielak\\Co");
        (bielak.email, bielak.npi) = (Some(email("axw@ridge.example")), Some("1234567893".into()));
        tx.referrer_put(&whitfield).await.expect("stored");
        tx.referrer_put(&bielak).await.expect("stored");
        assert_eq!(names_like(&mut tx, "WHIT").await, ["Whitfield"]);
        assert_eq!(names_like(&mut tx, "élan").await, ["Whitfield"]);
        assert_eq!(names_like(&mut tx, "a_w@").await, ["Whitfield"], "an underscore is an underscore");
        assert_eq!(names_like(&mut tx, "100%").await, ["Whitfield"], "a percent sign is a percent sign");
        assert_eq!(names_like(&mut tx, "k\\c").await, ["Bielak\\Co"], "a backslash is a backslash");
        assert_eq!(names_like(&mut tx, "45678").await, ["Bielak\\Co"]);
        assert_eq!(names_like(&mut tx, "!").await, [] as [&str; 0]);
        assert_eq!(names_like(&mut tx, "ridge").await, ["Bielak\\Co", "Whitfield"]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_opens_the_conversation_with_an_active_referrer_alone() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let removed = Referrer { removed_ms: Some(at(4)), ..referrer("Gone") };
        tx.referrer_put(&removed).await.expect("stored");
        assert!(!tx.referrer_open_conversation(removed.id, at(9)).await.expect("asked"));
        for state in ReferrerState::ALL {
            let one = Referrer { state: *state, id: ReferrerId::new(), npi: None, ..known_referrer() };
            tx.referrer_put(&one).await.expect("stored");
            let is_opened = tx.referrer_open_conversation(one.id, at(9)).await.expect("asked");
            assert_eq!(is_opened, *state == ReferrerState::Active, "{state}");
            let expected = if is_opened {
                Referrer { state: ReferrerState::ConversationOpen, updated_ms: at(9), ..one }
            } else {
                one
            };
            assert_eq!(tx.referrer(expected.id).await.expect("read"), Some(expected), "{state}: nothing else changes");
        }
    })
    .await;
}
