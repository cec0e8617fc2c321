//! A list in which some recipients get another letter, or other words in it, than the rest: one broadcast all the same.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, json};
use touchline::domain::id::ReferrerId;
use touchline::domain::{Actor, Channel};
use touchline::intake::request::{Content, Request};
use touchline::intake::{self, IntakeError};
use touchline::referrers::audience::Audience;

use crate::support::gateway::{TestGateway, each_gateway};

fn talk(topic: Option<&str>) -> Content {
    let mut variables = Map::new();
    variables.extend(topic.map(|topic| ("topic".to_owned(), json!(topic))));
    for day in ["offered_date_1", "offered_date_2"] {
        variables.insert(day.to_owned(), json!("Tuesday, January 12"));
    }
    Content { letter: "lunch-and-learn".to_owned(), variables }
}

async fn known(gateway: &TestGateway, name: &str) -> ReferrerId {
    let mut tx = gateway.store().read().await.expect("a transaction");
    touchline::referrers::audience::one(&mut tx, name).await.expect("known").id
}

fn to_all(individually: BTreeMap<ReferrerId, Content>) -> Request {
    Request {
        letter: "introduction".to_owned(),
        to: Audience::from_str("all").expect("an audience"),
        via: vec![Channel::Email],
        variables: Map::new(),
        individually,
        at: None,
        who: Actor::operator("dana"),
        idempotency_key: None,
        again: false,
        now: false,
        undo_seconds: Some(0),
        run: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_with_words_of_their_own_gets_those_and_the_others_the_common_letter() {
    each_gateway(async |gateway, far| {
        let people = ["Sleep", "Pain", "Common"].map(|name| (name, None, Some(format!("{name}@far.example"))));
        gateway.know(&people.each_ref().map(|(name, fax, mail)| (*name, *fax, mail.as_deref()))).await;
        let (sleep, pain) = (known(gateway, "Sleep").await, known(gateway, "Pain").await);

        let lacking = BTreeMap::from([(sleep, talk(Some("sleep"))), (pain, talk(None))]);
        match intake::submit(&gateway.intake, &to_all(lacking)).await {
            Err(IntakeError::MissingVariables(lines)) => {
                assert!(
                    lines.len() == 1 && lines[0].names == ["Ana Pain"] && lines[0].words.contains("topic"),
                    "{lines:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(gateway.ledger().await.total, 0, "nothing of it is kept");

        let own = BTreeMap::from([(sleep, talk(Some("sleep"))), (pain, talk(Some("chronic pain")))]);
        let accepted = intake::submit(&gateway.intake, &to_all(own)).await.expect("accepted");
        assert_eq!((accepted.messages.len(), accepted.broadcast.is_some()), (3, true));
        gateway.settled().await;
        let letters = [("Sleep", "lunch-and-learn"), ("Pain", "lunch-and-learn"), ("Common", "introduction")];
        for (name, letter) in letters {
            assert_eq!(gateway.message_of(name, Channel::Email).await.letter, letter, "{name}");
        }
        for (name, topic) in
            [("sleep", Some("talk for your staff: sleep")), ("pain", Some("chronic pain")), ("common", None)]
        {
            let mails = far.catcher.messages();
            let mail = mails.iter().find(|mail| mail.to.iter().any(|to| to.to_lowercase().starts_with(name)));
            let eml = String::from_utf8_lossy(&mail.expect("sent").eml).replace("\r\n ", " ");
            assert_eq!(eml.contains("talk for your staff"), topic.is_some(), "{name}");
            assert!(topic.is_none_or(|topic| eml.contains(topic)), "{name}: {eml}");
        }
    })
    .await;
}
