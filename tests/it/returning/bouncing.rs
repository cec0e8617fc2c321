//! Bounces, delays and complaints.

use std::time::Duration;

use touchline::domain::id::AttemptId;
use touchline::domain::message::Confidence;
use touchline::domain::returned::{MatchedBy, ReturnKind, ReturnState};
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::domain::{Channel, Clock, Fault, MessageStatus, Reason};
use touchline::feedback::returns::taking::Taken;
use touchline::upkeep;

use super::mails::{complaint, mailbox_full, personal, report, report_to, unknown_user};
use super::{TUESDAY, mailed, returns, suppressions, take_all, take_one};
use crate::support::gateway::each_gateway_at;

#[tokio::test]
async fn a_hard_bounce_fails_the_letter_and_suppresses_the_address_once() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            // The address is written otherwise than on record, and another recipient is named who is nobody's business here.
            let mail = unknown_user(&id, "Ana@Ruiz.example");
            assert_eq!(
                take_all(gateway, &[mail.clone(), personal(), mail.clone()]).await,
                [Taken::Ours, Taken::NotOurs, Taken::Known]
            );
            assert_eq!(take_one(gateway, mail).await, Taken::Known, "taken once");
            let failed = gateway.message(letter.id).await;
            assert_eq!(
                (failed.status, failed.reason),
                (MessageStatus::Failed, Some(Reason::Fault(Fault::MailboxUnknown)))
            );
            let rows = returns(gateway).await;
            assert_eq!(rows.len(), 1);
            assert_eq!((rows[0].kind, rows[0].state), (ReturnKind::Bounce, ReturnState::Applied));
            assert_eq!(rows[0].matched_by, Some(MatchedBy::MessageId));
            assert_eq!(rows[0].message_id, Some(letter.id));
            let suppressed = suppressions(gateway, &letter).await;
            assert_eq!(suppressed.len(), 1);
            assert_eq!(
                (suppressed[0].reason, suppressed[0].source),
                (SuppressionReason::Bounced, SuppressionSource::Email)
            );
            assert_eq!((suppressed[0].return_id, suppressed[0].expires_ms), (Some(rows[0].id), None));
            assert!(!suppressed[0].evidence.as_deref().unwrap_or_default().contains('@'), "{suppressed:?}");
            let refused = gateway.try_send("introduction", "Ruiz", &[Channel::Email]).await;
            let left_out = refused.map(|accepted| accepted.counts.queued).unwrap_or(0);
            assert_eq!(left_out, 0, "nothing more goes to a bad address");
            let (other, _) = mailed(gateway, "introduction", "Stone").await;
            assert_eq!(suppressions(gateway, &other).await, []);
        },
    )
    .await;
}

#[tokio::test]
async fn in_whatever_order_reports_arrive_the_letter_ends_the_same() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            let people = ["Ames", "Bell", "Cruz", "Diaz", "Ebel", "Fox"];
            let mailboxes: Vec<String> =
                people.iter().map(|name| format!("{}@clinic.example", name.to_lowercase())).collect();
            let known: Vec<_> =
                people.iter().zip(&mailboxes).map(|(name, at)| (*name, None, Some(at.as_str()))).collect();
            gateway.know(&known).await;
            let delivered = |id: &str, to: &str| report(id, to, "delivered", "2.0.0", "250 ok");
            let delayed = |id: &str, to: &str| report(id, to, "delayed", "4.4.1", "connection timed out");
            type Mail<'a> = &'a dyn Fn(&str, &str) -> String;
            let orders: [&[Mail<'_>]; 5] = [
                &[&delivered, &mailbox_full],
                &[&mailbox_full, &delivered],
                &[&delayed, &mailbox_full, &delayed],
                &[&mailbox_full],
                &[&delayed, &delivered, &mailbox_full],
            ];
            for (name, order) in people.iter().zip(orders) {
                let (letter, id) = mailed(gateway, "introduction", name).await;
                let address = format!("{}@clinic.example", name.to_lowercase());
                for mail in order {
                    take_one(gateway, mail(&id, &address)).await;
                }
                let ended = gateway.message(letter.id).await;
                assert_eq!(
                    (ended.status, ended.reason),
                    (MessageStatus::Failed, Some(Reason::Fault(Fault::MailboxFull))),
                    "{name}"
                );
                assert_eq!(suppressions(gateway, &letter).await, [], "a full mailbox is not a bad address");
            }
            // The same after no bounce came in time.
            let (letter, id) = mailed(gateway, "introduction", "Fox").await;
            clock.advance(Duration::from_secs(3600));
            let presumed =
                gateway.message_until(letter.id, "presumed", |one| one.status == MessageStatus::Delivered).await;
            assert_eq!(presumed.confidence, Some(Confidence::Presumed));
            take_one(gateway, mailbox_full(&id, "fox@clinic.example")).await;
            let ended = gateway.message(letter.id).await;
            assert_eq!((ended.status, ended.reason), (MessageStatus::Failed, Some(Reason::Fault(Fault::MailboxFull))));
        },
    )
    .await;
}

#[tokio::test]
async fn a_report_about_several_recipients_touches_the_letters_own_and_a_complaint_stops_advertisements_only() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (ruiz, id) = mailed(gateway, "introduction", "Ruiz").await;
            let (stone, stone_id) = mailed(gateway, "introduction", "Stone").await;
            // Two recipients in one report: the first is somebody else's and bad, the second is ours and only delayed.
            let mail = report(&id, "someone@else.example", "failed", "5.1.1", "550 5.1.1 User unknown").replace(
                "\r\n\r\n--b\r\nContent-Type: text/rfc822-headers",
                "\r\n\r\nFinal-Recipient: rfc822; ana@ruiz.example\r\nAction: failed\r\nStatus: 4.4.7\r\n\
             Diagnostic-Code: smtp; 451 4.4.7 expired\r\n\r\n--b\r\nContent-Type: text/rfc822-headers",
            );
            assert_eq!(take_one(gateway, mail).await, Taken::Ours);
            assert_eq!(suppressions(gateway, &ruiz).await, [], "the bad address is somebody else's");
            assert_eq!(take_one(gateway, complaint(&stone_id, "ben@stone.example")).await, Taken::Ours);
            let arrived = gateway.message(stone.id).await;
            assert_eq!((arrived.status, arrived.confidence), (MessageStatus::Delivered, Some(Confidence::Confirmed)));
            let suppressed = suppressions(gateway, &stone).await;
            assert_eq!(
                suppressed.iter().map(|one| (one.scope, one.reason)).collect::<Vec<_>>(),
                [(Scope::Advertisement, SuppressionReason::Complaint)]
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_signed_return_path_names_the_letter_and_a_forged_one_names_none() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (ruiz, _) = mailed(gateway, "introduction", "Ruiz").await;
            let (stone, _) = mailed(gateway, "introduction", "Stone").await;
            let attempt = async |id| gateway.attempts_of(id).await[0].id;
            let mailbox =
                touchline::domain::EmailAddress::parse("bounces@lakeside-psychiatry.example").expect("an address");
            let path = |of: AttemptId| gateway.gateway.return_paths.bounce(&mailbox, of).expect("room");
            let to = path(attempt(ruiz.id).await);
            // Nothing else in the mail says which letter it is: the relay has rewritten all of it.
            let mail =
                report_to(to.as_str(), "<x@relay>", "ana@ruiz.example", "failed", "5.1.1", "550 5.1.1 unknown user");
            assert_eq!(take_one(gateway, mail).await, Taken::Ours);
            assert_eq!(returns(gateway).await[0].matched_by, Some(MatchedBy::ReturnPath));
            assert_eq!(gateway.message(ruiz.id).await.status, MessageStatus::Failed);
            let own = path(attempt(stone.id).await);
            let forged = own.as_str().replacen("+b", "+ba", 1).replacen("+baa", "+bb", 1);
            let mail =
                report_to(&forged, "<y@relay>", "nobody@stone.example", "failed", "5.1.1", "550 5.1.1 unknown user");
            assert_eq!(take_one(gateway, mail).await, Taken::Unmatched);
            assert_eq!(gateway.message(stone.id).await.status, MessageStatus::Accepted);
            assert_eq!(suppressions(gateway, &stone).await, []);
        },
    )
    .await;
}

#[tokio::test]
async fn the_third_soft_bounce_within_a_month_suppresses_for_a_month() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let mut last = None;
            for bounced in 0..3 {
                if let Some(message) = &last {
                    assert_eq!(suppressions(gateway, message).await, [], "after {bounced}");
                }
                let (message, id) = mailed(gateway, "introduction", "Ruiz").await;
                take_one(gateway, mailbox_full(&id, "ana@ruiz.example")).await;
                clock.advance(Duration::from_secs(24 * 3600));
                last = Some(message);
            }
            let message = last.expect("a letter");
            let suppressed = suppressions(gateway, &message).await;
            assert_eq!(suppressed.len(), 1);
            let ends = suppressed[0].expires_ms.expect("an end");
            let refused = gateway.try_send("introduction", "Ruiz", &[Channel::Email]).await;
            assert_eq!(refused.map(|accepted| accepted.counts.queued).unwrap_or(0), 0);
            assert_eq!(upkeep::returns::lift_expired(gateway.store(), clock).await.expect("looked"), 0, "not yet");
            clock.advance(ends.since(clock.now()) + Duration::from_secs(1));
            upkeep::returns::lift_expired(gateway.store(), clock).await.expect("lifted");
            assert_eq!(suppressions(gateway, &message).await, []);
        },
    )
    .await;
}

#[tokio::test]
async fn an_opt_out_outlives_a_bounce_in_either_order_and_not_a_bounce_ends_no_opt_out() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            for (name, address, opts_out_first) in
                [("Ruiz", "ana@ruiz.example", false), ("Stone", "ben@stone.example", true)]
            {
                let (letter, id) = mailed(gateway, "introduction", name).await;
                let attempt = gateway.attempts_of(letter.id).await[0].id;
                let mailbox =
                    touchline::domain::EmailAddress::parse("bounces@lakeside-psychiatry.example").expect("an address");
                let to = gateway.gateway.return_paths.opt_out(&mailbox, attempt).expect("room");
                let opt_out = format!("From: {address}\r\nTo: <{}>\r\nSubject: unsubscribe\r\n\r\n", to.as_str());
                let mut mails = vec![unknown_user(&id, address), opt_out];
                if opts_out_first {
                    mails.reverse();
                }
                take_all(gateway, &mails).await;
                let reasons: Vec<_> = suppressions(gateway, &letter).await.iter().map(|one| one.reason).collect();
                assert_eq!(reasons, [SuppressionReason::OptOut], "{name}");
                let rows = returns(gateway).await;
                let bounce = rows.iter().find(|row| row.kind == ReturnKind::Bounce).expect("one");
                super::act(gateway, bounce, touchline::feedback::returns::working::Act::NotABounce, None)
                    .await
                    .expect("done");
                let reasons: Vec<_> = suppressions(gateway, &letter).await.iter().map(|one| one.reason).collect();
                assert_eq!(reasons, [SuppressionReason::OptOut], "{name}: what somebody asked for stays");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_report_about_a_member_of_a_list_does_not_give_up_the_list() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway
                .know(&[("Ruiz", None, Some("frontdesk@ruiz.example")), ("Stone", None, Some("ben@stone.example"))])
                .await;
            let (list, id) = mailed(gateway, "introduction", "Ruiz").await;
            take_one(gateway, unknown_user(&id, "former.member@ruiz.example")).await;
            assert_eq!(suppressions(gateway, &list).await, []);
            // Their own server may call the mailbox by another host's name.
            let (own, id) = mailed(gateway, "introduction", "Stone").await;
            take_one(gateway, unknown_user(&id, "ben@mx3.stone.example")).await;
            assert_eq!(suppressions(gateway, &own).await.len(), 1);
        },
    )
    .await;
}
