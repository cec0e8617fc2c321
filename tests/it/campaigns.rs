//! A standing plan fires exactly once at its local time, and a person can look at it, stop it and run it by hand.

pub mod clinic;
mod editing;
mod firing;
mod missing;
mod renewing;

use serde_json::Map;
use touchline::campaign::CampaignError;
use touchline::campaign::{self, NewCampaign};
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::{Channel, MessageStatus, Timestamp};
use touchline::policy::hours::Hours;

use self::clinic::{Clinic, audited, broadcasts, plan, planned, put, referrer, row, staffed};
use crate::support::databases::each_database;

const MONDAY: &str = "2026-11-23T15:00:00Z";

fn refusal<T: std::fmt::Debug>(answer: Result<T, CampaignError>) -> String {
    answer.expect_err("should be refused").to_string()
}

#[tokio::test]
async fn a_campaign_is_shown_with_its_sentence_and_its_next_moment() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let made = campaign::add(&parts, plan("monthly update", "first tuesday 09:00")).await.expect("made");
        assert_eq!(made.when, "the first Tuesday of each month at 9:00 AM, America/Chicago");
        assert_eq!(made.campaign.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-12-01T15:00:00.000Z"));
        assert_eq!((made.active_targets, made.warnings.len(), made.runs.len()), (2, 0, 0));
        assert_eq!(campaign::show(&parts, " monthly update ").await.expect("shown"), made);
        assert_eq!(campaign::list(&parts).await.expect("listed"), std::slice::from_ref(&made.campaign));
        assert_eq!(campaign::when(&made.campaign), made.when);
        assert_eq!(audited(&parts, "add_campaign").await, [format!("operator:liaison monthly update {}", made.when)]);
        assert!(refusal(campaign::show(&parts, "weekly").await).contains("there is no campaign `weekly`"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_kept() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let good = plan("monthly", "first tuesday 09:00");
        let one = "Amara Whitfield1";
        let cases: Vec<(NewCampaign, &str)> = vec![
            (plan("", "daily 09:00"), "1 to 80 characters"),
            (plan(&"x".repeat(81), "daily 09:00"), "1 to 80 characters"),
            (plan("two\nlines", "daily 09:00"), "1 to 80 characters"),
            (plan("monthly", "now and then"), "Write one of:"),
            (plan("monthly", "once 2026-11-22 09:00"), "is in the past"),
            (NewCampaign { letter: "no-such".into(), ..good.clone() }, "there is no letter `no-such`"),
            (NewCampaign { letter: "end-of-treatment-report".into(), ..good.clone() }, "treatment letter"),
            (
                NewCampaign {
                    letter: "end-of-treatment-report".into(),
                    to: one.parse().expect("an audience"),
                    ..good.clone()
                },
                "treatment letter",
            ),
            (
                NewCampaign { to: "tag:nobody".parse().expect("an audience"), ..good.clone() },
                "no one is in `tag:nobody`",
            ),
            (NewCampaign { via: vec![], ..good.clone() }, "say how"),
            (NewCampaign { variables: Map::new(), ..good.clone() }, "`resource_name` is missing"),
        ];
        for (new, expected) in cases {
            let problem = refusal(campaign::add(&parts, new.clone()).await);
            assert!(problem.contains(expected), "{problem}");
            assert_eq!(refusal(campaign::preview_new(&parts, new).await), problem);
        }
        assert!(campaign::list(&parts).await.expect("listed").is_empty());
        assert!(audited(&parts, "add_campaign").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_in_words() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let first = campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        let problem = refusal(campaign::add(&parts, plan(" monthly ", "daily 08:00")).await);
        assert!(problem.contains("there is already a campaign `monthly`: choose another name"), "{problem}");
        assert_eq!(campaign::list(&parts).await.expect("listed"), [first.campaign]);
    })
    .await;
}

#[tokio::test]
async fn more_than_fifty_active_targets_are_warned_about_and_allowed() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let mut many: Vec<Referrer> = (0..51).map(referrer).collect();
        many[0].state = ReferrerState::Paused;
        put(&parts, &many).await;
        let made = campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        assert_eq!((made.active_targets, made.warnings.len()), (50, 0));
        put(&parts, &[Referrer { state: ReferrerState::Active, ..many[0].clone() }]).await;
        let shown = campaign::show(&parts, "monthly").await.expect("shown");
        assert_eq!(shown.active_targets, 51);
        assert!(shown.warnings[0].starts_with("51 active targets"), "{:?}", shown.warnings);
    })
    .await;
}

#[tokio::test]
async fn a_preview_names_who_is_left_out_and_why_and_stores_nothing() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let mut people: Vec<Referrer> = (1..=5).map(referrer).collect();
        people[1].state = ReferrerState::DoNotContact;
        people[2].state = ReferrerState::ConversationOpen;
        people[3].email = None;
        people[4].email = people[0].email.clone();
        put(&parts, &people).await;
        let mut new = plan("monthly", "first tuesday 09:00");
        new.letter = "direct-ask".to_owned();
        new.variables = Map::new();
        new.via = vec![Channel::Email, Channel::Fax];

        let preview = campaign::preview_new(&parts, new.clone()).await.expect("a preview").planned;
        let verdicts: Vec<_> = preview
            .messages
            .iter()
            .map(|message| {
                (
                    message.name.as_str(),
                    message.channel,
                    message.status,
                    message.reason.map(touchline::domain::Reason::as_str),
                )
            })
            .collect();
        let (fax, email) = (Channel::Fax, Channel::Email);
        let (suppressed, queued) = (MessageStatus::Suppressed, MessageStatus::Queued);
        assert_eq!(
            verdicts,
            [
                ("Amara Whitfield1, MD", fax, suppressed, Some("no_basis")),
                ("Amara Whitfield1, MD", email, queued, None),
                ("Amara Whitfield2, MD", fax, suppressed, Some("do_not_contact")),
                ("Amara Whitfield2, MD", email, suppressed, Some("do_not_contact")),
                ("Amara Whitfield3, MD", fax, suppressed, Some("no_basis")),
                ("Amara Whitfield3, MD", email, MessageStatus::Held, Some("conversation_open")),
                ("Amara Whitfield4, MD", fax, suppressed, Some("no_basis")),
                ("Amara Whitfield5, MD", fax, suppressed, Some("no_basis")),
            ]
        );
        let skipped: Vec<_> = preview.skipped.iter().map(|left| (left.name.as_str(), left.why.as_str())).collect();
        assert_eq!(
            skipped,
            [
                ("Amara Whitfield4, MD", "no email address"),
                ("Amara Whitfield5, MD", "shares the email address of an earlier recipient: one copy is sent there"),
            ]
        );

        campaign::add(&parts, new).await.expect("made");
        let again =
            campaign::preview(&parts, "monthly", campaign::Decisions::default()).await.expect("a preview").planned;
        assert_eq!((again.messages.len(), again.skipped), (preview.messages.len(), preview.skipped));
        assert!(broadcasts(&parts).await.is_empty());
        let mut tx = parts.store.read().await.expect("a transaction");
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
        for status in [suppressed, queued, MessageStatus::Held] {
            assert!(tx.messages_in(status, 10).await.expect("read").is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_waits_for_office_hours_unless_a_person_says_now() {
    each_database(async |database| {
        // It is nine in the morning; the offices open at ten.
        let clinic = Clinic::at(database, MONDAY);
        let mut parts = staffed(&clinic).await;
        let hours = "Mon-Fri 10:00-17:00".parse().expect("office hours");
        parts.hours = std::sync::Arc::new(Hours::new(hours, chrono_tz::Tz::America__Chicago));
        campaign::add(&parts, plan("monthly", "daily 09:00")).await.expect("made");
        let who = touchline::domain::Actor::operator("operator");
        let look = async |decisions| campaign::preview(&parts, "monthly", decisions).await.expect("a preview").planned;
        let planned = look(campaign::Decisions::default()).await;
        assert_eq!((planned.counts.queued, planned.counts.waiting), (2, 2));
        assert_eq!(look(campaign::Decisions { again: false, now: true }).await.counts.waiting, 0);

        let waits = campaign::run_now(&parts, "monthly", &who).await.expect("accepted");
        let ten = clinic.now().after(std::time::Duration::from_secs(3600));
        assert!(waits.messages.iter().all(|message| message.waits_until == Some(ten)), "{waits:?}");
        assert!(audited(&parts, "send_now").await.is_empty());
        let hurried = campaign::run_as_decided(&parts, "monthly", &who, campaign::Decisions { again: true, now: true })
            .await
            .expect("accepted");
        let ids: Vec<_> = hurried.messages.iter().map(|message| message.id).collect();
        assert!(!ids.is_empty());
        let mut tx = parts.store.read().await.expect("a transaction");
        for message in tx.messages(&ids, false).await.expect("read") {
            assert_eq!((message.any_hour_ms, message.due_ms), (Some(clinic.now()), clinic.now()));
        }
        drop(tx);
        let expected = format!("operator:operator {} community-resource", hurried.submission);
        assert_eq!(audited(&parts, "send_now").await, [expected]);

        // A run of the schedule is nobody's decision.
        clinic.clock.set("2026-11-24T15:00:00Z");
        assert_eq!(campaign::runner::fire_due(&parts).await.expect("fired"), 1);
        let mut tx = parts.store.read().await.expect("a transaction");
        let queued = tx.messages_in(MessageStatus::Queued, 10).await.expect("read");
        let of_today: Vec<_> = queued.iter().filter(|message| message.created_ms == clinic.now()).collect();
        assert_eq!(of_today.len(), 2);
        assert!(of_today.iter().all(|message| message.waits_until().is_some() && message.any_hour_ms.is_none()));
    })
    .await;
}

#[tokio::test]
async fn every_run_is_on_record_as_a_submission_by_the_person_or_campaign_that_made_it() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("monthly", "once 2026-11-24 09:00")).await.expect("made");
        let dana = touchline::domain::Actor::operator("dana");
        let by_hand = campaign::run_now(&parts, "monthly", &dana).await.expect("accepted");
        clinic.clock.set("2026-11-24T15:00:00Z");
        assert_eq!(campaign::runner::fire_due(&parts).await.expect("fired"), 1);
        let scheduled = broadcasts(&parts).await[1].submission_id;
        let told = "community-resource to tag:north-shore: ";
        let submitted = audited(&parts, "submit").await;
        assert!(submitted[0].starts_with(&format!("campaign:monthly {scheduled} {told}")), "{submitted:?}");
        let expected = format!("operator:dana {} {told}2 messages accepted, 0 not", by_hand.submission);
        assert_eq!(submitted[1..], [expected]);
    })
    .await;
}

#[tokio::test]
async fn a_run_by_hand_goes_out_at_once_and_leaves_the_schedule_alone() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        let before = row(&parts, "monthly").await;
        let accepted = campaign::run_now(&parts, "monthly", &touchline::domain::Actor::operator("operator"))
            .await
            .expect("accepted");
        assert_eq!(accepted.messages.len(), 2);
        campaign::pause(&parts, "monthly", &touchline::domain::Actor::operator("operator")).await.expect("paused");
        let again = campaign::Decisions { again: true, now: false };
        campaign::run_as_decided(&parts, "monthly", &touchline::domain::Actor::operator("operator"), again)
            .await
            .expect("a paused one can be run by hand");
        assert_eq!(planned(&parts).await, ["by hand", "by hand"]);
        campaign::resume(&parts, "monthly", &touchline::domain::Actor::operator("operator")).await.expect("resumed");
        assert_eq!(row(&parts, "monthly").await.next_ms, before.next_ms);
        let runs = campaign::show(&parts, "monthly").await.expect("shown").runs;
        assert_eq!(runs.iter().map(|run| (run.name.as_str(), run.total)).collect::<Vec<_>>(), [("monthly", 2); 2]);
        assert_eq!(audited(&parts, "run_campaign").await, ["operator:operator monthly "; 2]);
    })
    .await;
}

#[tokio::test]
async fn an_act_that_does_not_fit_the_state_is_refused_in_words() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        campaign::add(&parts, plan("one day", "once 2026-12-01 09:00")).await.expect("made");
        let refused =
            refusal(campaign::resume(&parts, "monthly", &touchline::domain::Actor::operator("operator")).await);
        assert!(refused.contains("campaign `monthly` is active"), "{refused}");
        campaign::pause(&parts, "monthly", &touchline::domain::Actor::operator("operator")).await.expect("paused");
        let refused =
            refusal(campaign::pause(&parts, "monthly", &touchline::domain::Actor::operator("operator")).await);
        assert!(refused.contains("campaign `monthly` is paused"), "{refused}");
        campaign::pause(&parts, "one day", &touchline::domain::Actor::operator("operator")).await.expect("paused");
        clinic.clock.advance(std::time::Duration::from_secs(30 * 24 * 3600));
        let refused =
            refusal(campaign::resume(&parts, "one day", &touchline::domain::Actor::operator("operator")).await);
        assert!(refused.contains("its last planned time has passed"), "{refused}");
        assert_eq!(audited(&parts, "pause_campaign").await.len(), 2);
        assert_eq!(audited(&parts, "resume_campaign").await, [] as [String; 0]);
        assert_eq!(row(&parts, "one day").await.next_ms, None::<Timestamp>);
    })
    .await;
}
