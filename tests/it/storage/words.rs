//! Words in the database: those of an earlier version become those of this one, and one that nobody knows is an error that
//! names its row, on both engines.

use touchline::domain::event::EventKind;
use touchline::domain::id::MessageId;
use touchline::domain::reason::PolicyReason;
use touchline::domain::{Actor, Address, EmailAddress, Reason, Timestamp};

use super::forward::{execute, id, migrate_to, migrations, records};
use crate::support::databases::{Database, each_empty_database};

/// An identifier of the fixture as the engine writes it in a statement.
fn literal(database: &Database, number: u128) -> String {
    let id = id(number);
    if database.is_sqlite() { format!("X'{}'", id.simple()) } else { format!("'{id}'") }
}

#[tokio::test]
async fn the_words_of_an_earlier_version_become_those_of_this_one() {
    each_empty_database(async |database| {
        migrate_to(database, &migrations(database), 3).await.expect("the schema before");
        execute(database, records(database)).await;
        let at = |number| literal(database, number);
        let old = [
            format!("UPDATE message SET reason = 'released', updated_ms = 1795000000099 WHERE id = {}", at(60)),
            format!("UPDATE message SET reason = 'a word of long ago' WHERE id = {}", at(65)),
            format!("UPDATE message SET address = 'Zoe@Together.Example' WHERE id = {}", at(61)),
            format!("UPDATE event SET who = 'campaign north shore', kind = 'gone_astray' WHERE id = {}", at(80)),
            "UPDATE audit SET who = 'api:crm'".to_owned(),
            "UPDATE suppression SET reason = 'asked on the phone' WHERE evidence = 'a call'".to_owned(),
            "UPDATE touch SET actor = 'schedule'".to_owned(),
        ];
        execute(database, old.join(";\n")).await;

        let store = database.open().await;
        store.migrate().await.expect("brought forward");
        let mut tx = store.read().await.expect("tx");
        let message = tx.message(MessageId(id(60)), false).await.expect("read").expect("there");
        assert_eq!((message.reason, message.released_ms), (None, Some(Timestamp(1_795_000_000_099))));
        let message = tx.message(MessageId(id(65)), false).await.expect("read").expect("there");
        assert_eq!(message.reason.map(Reason::as_str), Some("unknown"));
        let message = tx.message(MessageId(id(66)), false).await.expect("read").expect("there");
        assert_eq!(message.reason, Some(Reason::Policy(PolicyReason::OptedOut)));
        let address = Address::Email(EmailAddress::parse("zoe@together.example").expect("an address"));
        let found = tx.messages_unsettled_to(&address).await.expect("read");
        assert!(found.iter().any(|message| message.id == MessageId(id(61))), "found by any spelling");

        let events = tx.events_of(MessageId(id(60))).await.expect("read");
        let known: Vec<_> = events.iter().map(|event| (event.kind, event.who.clone())).collect();
        let campaign = Actor::campaign("north shore");
        assert_eq!(known, [(EventKind::Progress, campaign), (EventKind::Failed, Actor::provider("fax-main"))]);
        assert_eq!(events[0].detail.as_deref(), Some("gone_astray"));
        let line =
            tx.audit_page(&[], 0, 9).await.expect("read").into_iter().find(|line| line.at_ms.0 == 1_795_000_000_034);
        assert_eq!(line.map(|line| line.who), Some(Actor::token("crm")));
        let suppressions = tx.suppressions_list(true, 9).await.expect("read");
        assert!(suppressions.iter().any(|one| one.evidence.as_deref() == Some("a call (asked on the phone)")));
        let touches = tx.touches_of(message.referrer_id, 9).await.expect("read");
        assert!(touches.iter().all(|touch| touch.actor == Actor::System), "{touches:?}");
        drop(tx);
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_word_that_the_program_does_not_know_is_an_error_that_names_its_row() {
    each_empty_database(async |database| {
        let store = database.open().await;
        migrate_to(database, &migrations(database), 1).await.expect("the first schema");
        execute(database, records(database)).await;
        store.migrate().await.expect("brought forward");
        let at = |number| literal(database, number);
        let foreign = [
            format!("UPDATE message SET reason = 'felt_like_it' WHERE id = {}", at(60)),
            format!("UPDATE event SET kind = 'felt_like_it' WHERE id = {}", at(80)),
            "UPDATE audit SET who = 'felt_like_it'".to_owned(),
            "UPDATE touch SET actor = 'felt:like it'".to_owned(),
            "UPDATE suppression SET source = 'felt_like_it'".to_owned(),
        ];
        execute(database, foreign.join(";\n")).await;

        let mut tx = store.read().await.expect("tx");
        let message = MessageId(id(60));
        let referrer = tx.message(MessageId(id(62)), false).await.expect("a sound row").expect("there").referrer_id;
        let errors = [
            ("message", "reason", tx.message(message, false).await.map(drop)),
            ("event", "kind", tx.events_of(message).await.map(drop)),
            ("audit", "who", tx.audit_page(&[], 0, 9).await.map(drop)),
            ("touch", "actor", tx.touches_of(referrer, 9).await.map(drop)),
            ("suppression", "source", tx.suppressions_list(true, 9).await.map(drop)),
        ];
        for (table, column, result) in errors {
            let words = result.expect_err(table).to_string();
            let named = words.contains(&format!("{table} ")) && words.contains(&format!("column {column}:"));
            assert!(named && words.contains("later version"), "{words}");
            assert!(!words.contains("felt"), "the value may be anything, and is not repeated: {words}");
        }
        drop(tx);
        store.close().await;
    })
    .await;
}
