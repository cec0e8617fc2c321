//! A broadcast of which too much comes back pauses itself.

use touchline::domain::{Channel, MessageStatus, PolicyReason, Reason};
use touchline::operator::Act;
use touchline::upkeep;

use super::TUESDAY;
use crate::support::gateway::each_gateway_at;

#[tokio::test]
async fn a_broadcast_to_many_bad_addresses_pauses_itself_and_goes_on_when_a_person_releases_a_letter() {
    // Few at a time, so that there is a rest to pause.
    let slowly = |settings: String| {
        let settings = settings.replace("kind = \"smtp\"", "kind = \"smtp\"\nrate_per_minute = 60");
        format!("{settings}\n[returns]\npause_bounces_min = 2\npause_after = 3\n")
    };
    each_gateway_at(TUESDAY, slowly, async |gateway, _, clock| {
        let names: Vec<String> = ('a'..='p').map(|letter| format!("Ref{letter}")).collect();
        // Every second one is there: the same refusal for everybody would be about us, and pause the account.
        let mailbox = |(place, name): (usize, &String)| {
            let mood = if place % 2 == 0 { "unknown." } else { "" };
            format!("{mood}{name}@clinic.example")
        };
        let mailboxes: Vec<String> = names.iter().enumerate().map(mailbox).collect();
        let people: Vec<_> =
            names.iter().zip(&mailboxes).map(|(name, at)| (name.as_str(), None, Some(at.as_str()))).collect();
        gateway.know(&people).await;
        gateway.send_via("introduction", "all", &[Channel::Email]).await;
        // The account's burst is a tenth of a minute's rate.
        gateway
            .until("the first come back", async || {
                let failed = gateway.messages().await.iter().filter(|one| one.status == MessageStatus::Failed).count();
                (failed >= 2).then_some(())
            })
            .await;
        let rules = touchline::domain::returned::PauseRules {
            bounce_percent: 5.0,
            bounces_min: 2,
            after: 3,
            complaint_percent: 0.3,
            complaints_min: 2,
        };
        let clock_now = clock as &dyn touchline::domain::Clock;
        gateway
            .until("it pauses itself", async || {
                let paused =
                    upkeep::returns::pause_broadcasts(gateway.store(), clock_now, &rules).await.expect("looked");
                let acts = [touchline::domain::AuditAct::PauseBroadcast];
                let mut tx = gateway.store().read().await.expect("a transaction");
                // The gateway's own upkeep may have been first.
                (paused == 1 || tx.audit_count(&acts).await.expect("counted") == 1).then_some(())
            })
            .await;
        let held = gateway
            .until("the rest waits for a person", async || {
                clock.advance(std::time::Duration::from_secs(2));
                let messages = gateway.messages().await;
                let held: Vec<_> = messages.iter().filter(|one| one.status == MessageStatus::Held).cloned().collect();
                let is_over = messages.iter().all(|one| !matches!(one.status, MessageStatus::Queued));
                (is_over && !held.is_empty()).then_some(held)
            })
            .await;
        assert!(held.iter().all(|one| one.reason == Some(Reason::Policy(PolicyReason::BroadcastPaused))), "{held:?}");
        gateway.act(held[0].id, Act::Release).await.expect("released");
        gateway
            .until("they go on", async || {
                clock.advance(std::time::Duration::from_secs(2));
                upkeep::returns::pause_broadcasts(gateway.store(), clock_now, &rules).await.expect("looked");
                let rules_of_messages = &gateway.gateway.rules;
                upkeep::returns::go_on(gateway.store(), clock_now, rules_of_messages).await.expect("went on");
                let is_out = |status| {
                    matches!(status, MessageStatus::Failed | MessageStatus::Accepted | MessageStatus::Delivered)
                };
                gateway.messages().await.iter().all(|one| is_out(one.status)).then_some(())
            })
            .await;
        let mut tx = gateway.store().read().await.expect("a transaction");
        let acts: Vec<String> =
            tx.audit_page(&[], 0, 50).await.expect("read").into_iter().map(|line| line.action.to_string()).collect();
        assert!(
            acts.contains(&"pause_broadcast".to_owned()) && acts.contains(&"resume_broadcast".to_owned()),
            "{acts:?}"
        );
    })
    .await;
}
