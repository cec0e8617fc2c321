//! What a person does about returns.

use touchline::domain::MessageStatus;
use touchline::domain::health::Health;
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnState};
use touchline::feedback::returns::taking::Taken;
use touchline::feedback::returns::working::{Act, WorkError, acts_for};

use super::mails::unknown_user;
use super::{TUESDAY, act, mailed, returns, suppressions, take_one};
use crate::support::gateway::each_gateway_at;

#[tokio::test]
async fn a_return_that_names_no_letter_is_proposed_and_a_person_confirms_or_names_another() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@lake.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (ruiz, _) = mailed(gateway, "introduction", "Ruiz").await;
            let (stone, _) = mailed(gateway, "introduction", "Stone").await;
            assert_eq!(
                take_one(gateway, unknown_user("<rewritten@relay>", "ana@lake.example")).await,
                Taken::Unmatched
            );
            let row = returns(gateway).await.remove(0);
            assert_eq!((row.state, row.matched_by), (ReturnState::Open, Some(MatchedBy::Recipient)));
            assert_eq!(row.message_id, Some(ruiz.id), "proposed");
            assert_eq!(gateway.message(ruiz.id).await.status, MessageStatus::Accepted, "and nothing more");
            assert_eq!(suppressions(gateway, &ruiz).await, []);
            assert_eq!(acts_for(&row), [Act::Match, Act::Dismiss]);
            let done = act(gateway, &row, Act::Match, None).await.expect("matched");
            assert_eq!((done.state, done.matched_by), (ReturnState::Done, Some(MatchedBy::Person)));
            assert_eq!(gateway.message(ruiz.id).await.status, MessageStatus::Failed);
            assert_eq!(suppressions(gateway, &ruiz).await.len(), 1);
            // One about an address that nothing was sent to: a person knows which letter it is.
            assert_eq!(take_one(gateway, unknown_user("<other@relay>", "b.stone@old.example")).await, Taken::Unmatched);
            let row = returns(gateway).await.remove(0);
            assert_eq!((row.message_id, acts_for(&row)), (None, vec![Act::Dismiss]));
            assert!(matches!(act(gateway, &row, Act::Match, None).await, Err(WorkError::Invalid(_))));
            act(gateway, &row, Act::Match, Some(stone.id)).await.expect("matched");
            assert_eq!(gateway.message(stone.id).await.status, MessageStatus::Failed);
            assert_eq!(returns(gateway).await[0].class, Some(ReturnClass::Soft));
            assert_eq!(suppressions(gateway, &stone).await, [], "the report names another mailbox than the letter's");
        },
    )
    .await;
}

#[tokio::test]
async fn what_a_person_calls_no_bounce_gives_the_address_back_and_that_mailer_is_read_otherwise() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            let people = [
                ("Ruiz", "ana@lake.example"),
                ("Stone", "ben@stone.example"),
                ("Vega", "cy@vega.example"),
                ("Abelard", "abe@lake.example"),
            ];
            gateway.know(&people.map(|(name, address)| (name, None, Some(address)))).await;
            let (ruiz, id) = mailed(gateway, "introduction", "Ruiz").await;
            take_one(gateway, unknown_user(&id, "ana@lake.example")).await;
            assert_eq!(suppressions(gateway, &ruiz).await.len(), 1);
            let row = returns(gateway).await.remove(0);
            assert_eq!(acts_for(&row), [Act::NotABounce]);
            let done = act(gateway, &row, Act::NotABounce, None).await.expect("done");
            assert_eq!((done.state, done.outcome.as_deref()), (ReturnState::Done, Some("not_a_bounce")));
            assert_eq!(acts_for(&done), []);
            assert_eq!(suppressions(gateway, &ruiz).await, []);
            let mut tx = gateway.store().read().await.expect("a transaction");
            let known = tx.addresses_known(&[ruiz.address.key()]).await.expect("read");
            assert_eq!(known.iter().map(|one| one.health).collect::<Vec<_>>(), [Health::Unverified]);
            let body =
                tx.arrival_body(row.arrival_id.expect("a mail")).await.expect("read").expect("the evidence is kept");
            assert!(String::from_utf8_lossy(&body).contains("User unknown"));
            drop(tx);
            // The same words about that domain prove nothing any more, whichever server reports them; about another one they do.
            let (son, id) = mailed(gateway, "introduction", "Abelard").await;
            take_one(gateway, unknown_user(&id, "abe@lake.example")).await;
            assert_eq!(returns(gateway).await[0].class, Some(ReturnClass::Soft));
            assert_eq!(suppressions(gateway, &son).await, []);
            assert_eq!(gateway.message(son.id).await.status, MessageStatus::Failed, "it did not arrive all the same");
            let (vega, id) = mailed(gateway, "introduction", "Vega").await;
            take_one(gateway, unknown_user(&id, "cy@vega.example")).await;
            assert_eq!(suppressions(gateway, &vega).await.len(), 1);
        },
    )
    .await;
}
