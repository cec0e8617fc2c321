//! What happens to runs that could not be made: late, paused, broken, or with the queue full.

use std::time::Duration;

use touchline::campaign::{self, NewCampaign, runner};
use touchline::domain::campaign::CampaignWait;
use touchline::domain::referrer::Referrer;
use touchline::domain::{Channel, MessageStatus};

use super::clinic::{Clinic, audited, plan, planned, put, referrer, row, staffed};
use crate::support::databases::each_database;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Half an hour before the weekly moment.
const MONDAY: &str = "2026-11-23T14:30:00Z";

#[tokio::test]
async fn a_run_missed_while_paused_is_not_made_up() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made");
        campaign::pause(&parts, "weekly", &touchline::domain::Actor::operator("operator")).await.expect("paused");
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        let resumed =
            campaign::resume(&parts, "weekly", &touchline::domain::Actor::operator("operator")).await.expect("resumed");
        assert_eq!(resumed.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-11-30T15:00:00.000Z"));
        assert_eq!(resumed, row(&parts, "weekly").await);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        clinic.clock.advance(7 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(planned(&parts).await, ["2026-11-30 09:00 -0600"]);
        assert!(audited(&parts, "skip_campaign_run").await.is_empty(), "a pause is no failure");
    })
    .await;
}

#[tokio::test]
async fn two_hours_late_is_made_up_and_three_days_late_is_not() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made");
        drop(parts);

        clinic.clock.advance(HOUR / 2 + 2 * HOUR);
        let parts = clinic.node().await;
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(planned(&parts).await, ["2026-11-23 09:00 -0600"]);
        assert!(audited(&parts, "skip_campaign_run").await.is_empty());
        drop(parts);

        clinic.clock.advance(8 * DAY);
        let parts = clinic.node().await;
        clinic.clock.advance(2 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        let after = row(&parts, "weekly").await;
        assert_eq!(after.state.as_str(), "active");
        assert_eq!(after.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-12-07T15:00:00.000Z"));
        assert_eq!(
            audited(&parts, "skip_campaign_run").await,
            ["system weekly missed since Nov 30, 2026 9:00 AM CST: more than 24 hours late"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_that_a_fax_cannot_print_leaves_out_one_fax_and_skips_no_run() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        put(&parts, &[Referrer { last_name: Some("李".to_owned()), ..referrer(3) }]).await;
        let by_both = NewCampaign { via: Channel::ALL.to_vec(), ..plan("weekly", "every monday 09:00") };
        campaign::add(&parts, by_both).await.expect("made");
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert!(audited(&parts, "skip_campaign_run").await.is_empty());
        let mut tx = parts.store.read().await.expect("a transaction");
        let queued = tx.messages_in(MessageStatus::Queued, 10).await.expect("read");
        let by = |channel| queued.iter().filter(|message| message.channel() == channel).count();
        assert_eq!((by(Channel::Fax), by(Channel::Email)), (2, 3));
    })
    .await;
}

#[tokio::test]
async fn of_several_missed_runs_only_the_latest_is_made() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("daily", "daily 09:00")).await.expect("made");
        // Friday at 11:30.
        clinic.clock.advance(4 * DAY + 3 * HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        assert_eq!(planned(&parts).await, ["2026-11-27 09:00 -0600"]);
        assert_eq!(
            audited(&parts, "skip_campaign_run").await,
            ["system daily missed since Nov 23, 2026 9:00 AM CST: only the run of Nov 27, 2026 9:00 AM CST is made up"]
        );
        let next = row(&parts, "daily").await.next_ms;
        assert_eq!(next.map(|next| next.to_string()).as_deref(), Some("2026-11-28T15:00:00.000Z"));
    })
    .await;
}

#[tokio::test]
async fn exactly_a_day_late_is_still_made_up() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made");
        campaign::add(&parts, plan("once", "once 2026-11-23 08:59")).await.expect("made");
        clinic.clock.advance(HOUR / 2 + DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(planned(&parts).await, ["2026-11-23 09:00 -0600"]);
        assert_eq!(row(&parts, "once").await.state.as_str(), "done", "its only moment is gone");
    })
    .await;
}

#[tokio::test]
async fn a_campaign_for_one_moment_is_done_after_it() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("once", "once 2026-11-23 09:00")).await.expect("made");
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        let after = row(&parts, "once").await;
        assert_eq!((after.state.as_str(), after.next_ms), ("done", None));
        clinic.clock.advance(400 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        let refused = campaign::resume(&parts, "once", &touchline::domain::Actor::operator("operator"))
            .await
            .expect_err("refused")
            .to_string();
        assert!(refused.contains("campaign `once` is done"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_broke_keeps_the_schedule_moving() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter("bulletin", &["news"]);
        let parts = staffed(&clinic).await;
        let mut new = plan("weekly", "every monday 09:00");
        new.letter = "bulletin".to_owned();
        new.variables = serde_json::Map::from_iter([("news".to_owned(), "We moved.".into())]);
        campaign::add(&parts, new).await.expect("made");
        campaign::add(&parts, plan("healthy", "every monday 09:00")).await.expect("made");

        clinic.write_letter("bulletin", &["news", "new_address"]);
        let parts = clinic.node().await;
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1, "the other one is not held up");
        let after = row(&parts, "weekly").await;
        assert_eq!(after.state.as_str(), "active");
        assert_eq!(after.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-11-30T15:00:00.000Z"));
        let skipped = audited(&parts, "skip_campaign_run").await;
        assert_eq!(skipped.len(), 1);
        assert!(skipped[0].contains("the letter cannot be written for every recipient"), "{skipped:?}");
        assert!(!skipped[0].contains("Whitfield"));

        // Mended, the next run goes out.
        clinic.write_letter("bulletin", &["news"]);
        let parts = clinic.node().await;
        clinic.clock.advance(7 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 2);
    })
    .await;
}

#[tokio::test]
async fn a_run_waits_for_a_letter_out_of_service_and_says_so_and_is_made_once_it_is_corrected() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter("bulletin", &[]);
        let parts = staffed(&clinic).await;
        let new = NewCampaign {
            letter: "bulletin".to_owned(),
            variables: serde_json::Map::new(),
            ..plan("weekly", "every monday 09:00")
        };
        campaign::add(&parts, new).await.expect("made");
        let due = row(&parts, "weekly").await.next_ms;
        let letter = clinic.letters.path().join("bulletin/letter.md");
        let sound = std::fs::read_to_string(&letter).expect("the letter");
        std::fs::write(&letter, format!("{sound}\n{{{{nobody}}}}\n")).expect("written");
        let broken = clinic.node().await;
        assert_eq!(campaign::show(&broken, "weekly").await.expect("shown").waits, None, "nothing is due yet");
        clinic.clock.advance(HOUR);
        for _ in 0..3 {
            assert_eq!(runner::fire_due(&broken).await.expect("looked"), 0);
        }
        let shown = campaign::show(&broken, "weekly").await.expect("shown");
        assert_eq!((shown.waits, shown.campaign.next_ms), (Some(CampaignWait::LetterOutOfService), due));
        assert!(audited(&broken, "skip_campaign_run").await.is_empty(), "it is not given up yet");

        std::fs::write(&letter, &sound).expect("written");
        let corrected = clinic.node().await;
        assert_eq!(runner::fire_due(&corrected).await.expect("looked"), 1);
        assert_eq!(campaign::show(&corrected, "weekly").await.expect("shown").waits, None);

        // The next one waits too long.
        std::fs::write(&letter, format!("{sound}\n{{{{nobody}}}}\n")).expect("written");
        let broken = clinic.node().await;
        clinic.clock.advance(9 * DAY);
        assert_eq!(runner::fire_due(&broken).await.expect("looked"), 0);
        let skipped = audited(&broken, "skip_campaign_run").await;
        assert_eq!(skipped.len(), 1);
        assert!(skipped[0].contains("its letter was out of service for more than 24 hours"), "{skipped:?}");
    })
    .await;
}

#[tokio::test]
async fn an_empty_audience_keeps_the_schedule_moving() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let only = referrer(1);
        put(&parts, std::slice::from_ref(&only)).await;
        campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made");
        put(&parts, &[Referrer { tags: Vec::new(), ..only.clone() }]).await;
        let shown = campaign::show(&parts, "weekly").await.expect("shown");
        assert_eq!(shown.warnings, ["no one in `tag:north-shore` can be contacted at present"]);
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        assert_eq!(audited(&parts, "skip_campaign_run").await, ["system weekly no one is in `tag:north-shore`"]);
        put(&parts, &[only]).await;
        clinic.clock.advance(7 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
    })
    .await;
}

#[tokio::test]
async fn before_a_full_queue_a_run_stays_due_until_it_is_too_late() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made");
        campaign::run_now(&parts, "weekly", &touchline::domain::Actor::operator("operator"))
            .await
            .expect("fills the queue");
        let due = row(&parts, "weekly").await.next_ms;
        let narrow = clinic.node_with_queue_of(1).await;
        clinic.clock.advance(HOUR);
        for _ in 0..3 {
            assert_eq!(runner::fire_due(&narrow).await.expect("looked"), 0);
            assert_eq!(row(&narrow, "weekly").await.next_ms, due);
        }
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(planned(&parts).await, ["by hand", "2026-11-23 09:00 -0600"]);
        clinic.clock.advance(7 * DAY);
        assert_eq!(runner::fire_due(&narrow).await.expect("looked"), 0);
        clinic.clock.advance(2 * DAY);
        assert_eq!(runner::fire_due(&narrow).await.expect("looked"), 0);
        assert!(audited(&narrow, "skip_campaign_run").await[0].contains("more than 24 hours late"));
    })
    .await;
}

#[tokio::test]
async fn a_campaign_that_cannot_be_read_is_paused_with_the_reason() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let made = campaign::add(&parts, plan("weekly", "every monday 09:00")).await.expect("made").campaign;
        let strange = touchline::store::records::campaigns::CampaignRow {
            id: touchline::domain::id::CampaignId::new(),
            name: "strange".to_owned(),
            schedule: "whenever".to_owned(),
            ..made
        };
        let mut tx = parts.store.write().await.expect("a transaction");
        tx.campaign_insert(&strange).await.expect("stored");
        tx.commit().await.expect("committed");
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        let after = row(&parts, "strange").await;
        assert_eq!((after.state.as_str(), after.next_ms), ("paused", None));
        let skipped = audited(&parts, "skip_campaign_run").await;
        assert!(skipped[0].contains("paused, since it cannot be read: schedule: `whenever`"), "{skipped:?}");
        assert_eq!(campaign::when(&after), "whenever");
        let shown = campaign::show(&parts, "strange").await.expect("shown");
        assert!(shown.warnings[0].starts_with("it cannot run: schedule:"), "{:?}", shown.warnings);
    })
    .await;
}
