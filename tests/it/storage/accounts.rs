use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::message::Message;
use touchline::domain::provider_state::DomainTurn;
use touchline::domain::{Address, AddressKey};
use touchline::domain::{Fault, FaxNumber, Lane, Remedy};
use touchline::store::records::provider_state::{Meter, Pause, ProviderState};
use touchline::store::records::queue_entries::{Lanes, NewEntry};

use super::samples::{Stage, at, attempt, ended};
use crate::support::databases::each_db;

#[tokio::test]
async fn a_breaker_is_written_down_and_leaves_pause_and_meter_alone() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let resting = ProviderState {
            provider: "fax".into(),
            rests_until_ms: Some(at(60)),
            faults: 5,
            fault: Some(Fault::ProviderError),
            fault_text: Some("no answer in time".into()),
            faulted_ms: Some(at(30)),
            ..ProviderState::default()
        };
        tx.provider_breaker(&resting, at(30)).await.expect("written");
        assert_eq!(tx.provider_states(false).await.expect("read").first(), Some(&resting));
        tx.provider_pause("fax", Some("moving house"), at(31)).await.expect("paused");
        let meter = Meter { arrival_ms: at(32), ..Meter::default() };
        tx.provider_meter("fax", &meter, at(32)).await.expect("written");
        let closed = ProviderState { rests_until_ms: None, faults: 0, ..resting };
        tx.provider_breaker(&closed, at(33)).await.expect("written");
        let known =
            ProviderState { paused_ms: Some(at(31)), paused_reason: Some("moving house".into()), meter, ..closed };
        assert_eq!(tx.provider_states(true).await.expect("read"), [known]);
    })
    .await;
}

#[tokio::test]
async fn a_pause_by_a_fault_does_not_write_over_another_ones_reason() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let pause = |reason: &str| Pause {
            reason: reason.into(),
            resumes_ms: None,
            remedy: Some(Remedy::PayRelay),
            called_ms: at(9),
        };
        assert!(tx.provider_pause_new("fax", &pause("no funds"), at(1)).await.expect("paused"), "it had no row");
        assert!(!tx.provider_pause_new("fax", &pause("wrong key"), at(2)).await.expect("asked"));
        let states = tx.provider_states(false).await.expect("read");
        assert_eq!((states[0].paused_ms, states[0].paused_reason.as_deref()), (Some(at(1)), Some("no funds")));
        assert_eq!(states[0].paused_remedy, Some(Remedy::PayRelay));
        tx.provider_pause("fax", None, at(3)).await.expect("resumed");
        assert_eq!(tx.provider_states(false).await.expect("read")[0].paused_remedy, None);
        assert!(tx.provider_pause_new("fax", &pause("wrong key"), at(4)).await.expect("paused"));
        assert_eq!(tx.provider_states(false).await.expect("read")[0].paused_reason.as_deref(), Some("wrong key"));
    })
    .await;
}

#[tokio::test]
async fn after_a_sign_in_a_pause_for_a_call_made_before_is_old_news_and_an_older_pause_stays() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let pause =
            |called| Pause { reason: "no sign-in".into(), resumes_ms: None, remedy: None, called_ms: at(called) };
        tx.provider_signed_in("mail", at(10)).await.expect("noted, though it had no row");
        assert!(!tx.provider_pause_new("mail", &pause(9), at(11)).await.expect("asked"));
        assert!(tx.provider_pause_new("mail", &pause(12), at(13)).await.expect("paused"));
        tx.provider_signed_in("mail", at(20)).await.expect("noted");
        assert_eq!(
            tx.provider_states(true).await.expect("read")[0].paused_ms,
            Some(at(13)),
            "signing in resumes nothing"
        );
    })
    .await;
}

#[tokio::test]
async fn a_pause_that_ends_by_itself_gives_way_to_the_next_and_to_one_for_a_person() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let quota =
            |until| Pause { reason: "quota".into(), resumes_ms: Some(at(until)), remedy: None, called_ms: at(90) };
        let remedy = Some(Remedy::AskRelay);
        let closed = Pause { reason: "closed".into(), resumes_ms: None, remedy, called_ms: at(90) };
        assert!(tx.provider_pause_new("mail", &quota(100), at(1)).await.expect("paused"));
        assert!(!tx.provider_pause_new("mail", &quota(200), at(99)).await.expect("asked"), "it is paused");
        assert!(tx.provider_pause_new("mail", &quota(300), at(100)).await.expect("paused"), "the first has ended");
        assert_eq!(tx.provider_states(false).await.expect("read")[0].resumes_ms, Some(at(300)));
        assert!(tx.provider_pause_new("mail", &closed, at(150)).await.expect("paused"), "a person is needed");
        assert!(!tx.provider_pause_new("mail", &quota(400), at(151)).await.expect("asked"));
        let state = tx.provider_states(false).await.expect("read").remove(0);
        assert_eq!((state.resumes_ms, state.paused_reason.as_deref()), (None, Some("closed")));
    })
    .await;
}

/// The answer to a call that was made before the person resumed the account may come after it.
#[tokio::test]
async fn what_a_call_brings_back_that_was_made_before_a_resume_pauses_nothing() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let of = |called| Pause { reason: "no".into(), resumes_ms: None, remedy: None, called_ms: at(called) };
        assert!(tx.provider_pause_new("mail", &of(1), at(2)).await.expect("paused"));
        tx.provider_pause("mail", None, at(10)).await.expect("resumed");
        assert!(!tx.provider_pause_new("mail", &of(9), at(11)).await.expect("asked"), "old news");
        assert!(tx.provider_pause_new("mail", &of(11), at(12)).await.expect("paused"));
        tx.provider_pause("mail", Some("holidays"), at(13)).await.expect("paused");
        tx.provider_pause("mail", None, at(20)).await.expect("resumed");
        assert!(!tx.provider_pause_new("mail", &of(19), at(21)).await.expect("asked"));
    })
    .await;
}

#[tokio::test]
async fn what_is_under_way_and_what_went_wrong_is_found_by_account() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages: Vec<Message> = (0..4).map(|_| stage.message()).collect();
        stage.store(&store, &messages).await;
        let of = |place: usize, provider: &str| Attempt { provider: provider.into(), ..attempt(messages[place].id, 1) };
        let attempts = [of(0, "fax"), of(1, "fax"), of(2, "other"), of(3, "fax")];
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(&attempts).await.expect("stored");
        let busy = ended(&attempts[0], AttemptStatus::Failed);
        let doubt =
            Attempt { status: AttemptStatus::InDoubt, fault: Some(Fault::ProviderError), ..attempts[3].clone() };
        let elsewhere = ended(&attempts[2], AttemptStatus::Refused);
        tx.attempts_update(&[busy, doubt, elsewhere]).await.expect("written");
        let open = tx.provider_open_attempts().await.expect("read");
        let fax = |status, count| ("fax".to_owned(), status, count);
        assert_eq!(open, [fax(AttemptStatus::Calling, 1), fax(AttemptStatus::InDoubt, 1)]);
        let troubles = tx.provider_troubles("fax", 100, 5).await.expect("read");
        let faults: Vec<Fault> = troubles.iter().map(|trouble| trouble.fault).collect();
        assert_eq!(faults, [Fault::ProviderError, Fault::Busy], "the newest first");
        assert_eq!(troubles[1].raw_text.as_deref(), Some("user busy"));
        assert_eq!(tx.provider_troubles("fax", 100, 1).await.expect("read").len(), 1);
        assert_eq!(tx.provider_troubles("fax", 1, 5).await.expect("read").len(), 1, "among the newest only");
    })
    .await;
}

#[tokio::test]
async fn an_attempt_keeps_the_number_that_was_called_and_its_health_is_locked_with_it() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let called = FaxNumber::parse("(312) 555-0177").expect("a number");
        let one = Attempt { dialled: Some(Address::Fax(called.clone())), ..attempt(message.id, 1) };
        let mut tx = store.write().await.expect("tx");
        let both = [message.address.key(), AddressKey::from(&called)];
        tx.addresses_ensure(&both, at(1)).await.expect("made");
        tx.attempts_insert(std::slice::from_ref(&one)).await.expect("stored");
        assert_eq!(tx.attempt(one.id).await.expect("read").expect("there").dialled, one.dialled);
        let (known, _) = tx.attempts_lock(&[one.id]).await.expect("locked");
        assert_eq!(known.len(), 2, "where it goes now, and where it went");
    })
    .await;
}

#[tokio::test]
async fn turns_at_domains_are_made_read_back_and_forgotten() {
    each_db(async |store| {
        let key = |account: &str, domain: &str| (account.to_owned(), domain.to_owned());
        let keys = [key("mail", "a.example"), key("mail", "b.example"), key("second", "a.example")];
        let mut tx = store.write().await.expect("tx");
        let fresh = tx.domain_turns_lock(&keys).await.expect("made");
        assert_eq!(fresh.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), keys);
        assert!(fresh.iter().all(|(_, turn)| *turn == DomainTurn::default()));
        let turn = DomainTurn { arrival_ms: at(5), promised_ms: at(7) };
        tx.domain_turns_write(&[(&keys[0], turn), (&keys[2], DomainTurn { promised_ms: at(2), ..turn })])
            .await
            .expect("written");
        assert_eq!(tx.domain_turns_lock(&keys[..1]).await.expect("read"), [(keys[0].clone(), turn)]);
        assert_eq!(tx.domain_turns_old(at(6)).await.expect("counted"), 2, "one is still of use");
        tx.domain_turns_forget(at(6)).await.expect("forgotten");
        assert_eq!(tx.domain_turns_old(at(100)).await.expect("counted"), 1);
        tx.domain_turns_write(&[]).await.expect("nothing to write");
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_under_way_from_the_record_of_its_call_to_the_end_of_its_claim() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let mut tx = store.write().await.expect("tx");
        let entry = NewEntry {
            kind: "submit",
            subject: message.id.0,
            lane: Lane::OneOff,
            pool: String::new(),
            flow: uuid::Uuid::from_u128(7),
            rank: 1,
            due_ms: at(0),
        };
        tx.queue_insert(&[entry], at(0)).await.expect("queued");
        let call = attempt(message.id, 1);
        tx.attempts_insert(std::slice::from_ref(&call)).await.expect("stored");
        assert!(tx.letters_under_way(&["fax-sandbox"]).await.expect("read").is_empty(), "nobody has claimed it");
        let claimed = tx.queue_claim("submit", Lanes::All, "", "node", at(90), 1).await.expect("claimed");
        assert_eq!(claimed.len(), 1);
        let dialled = call.dialled.expect("an address");
        assert_eq!(tx.letters_under_way(&["fax-sandbox"]).await.expect("read"), [("fax-sandbox".to_owned(), dialled)]);
        assert!(tx.letters_under_way(&["other"]).await.expect("read").is_empty());
        tx.queue_finish(claimed[0].id, claimed[0].fence).await.expect("finished");
        assert!(tx.letters_under_way(&["fax-sandbox"]).await.expect("read").is_empty());
    })
    .await;
}
