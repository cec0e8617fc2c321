//! A recurring campaign carries no stale fact: what holds a date, or is marked as perishable, is good for one run.

use std::time::Duration;

use serde_json::{Map, Value};
use touchline::campaign::edit::{self, Changes};
use touchline::campaign::{self, CampaignError, NewCampaign, runner};
use touchline::domain::Actor;
use touchline::domain::campaign::CampaignWait;
use touchline::intake::Parts;

use super::clinic::{Clinic, audited, plan, planned, row, staffed};
use crate::support::databases::each_database;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Half an hour before the weekly moment.
const MONDAY: &str = "2026-11-23T14:30:00Z";

fn dana() -> Actor {
    Actor::operator("dana")
}

fn said(text: &str) -> Map<String, Value> {
    Map::from_iter([("news".to_owned(), text.into())])
}

/// A campaign that sends the bulletin every Monday at nine.
fn weekly(text: &str) -> NewCampaign {
    NewCampaign { letter: "bulletin".to_owned(), variables: said(text), ..plan("weekly", "every monday 09:00") }
}

fn set(text: &str) -> Changes {
    Changes { set: said(text), ..Changes::default() }
}

fn keep() -> Changes {
    Changes { keep: vec!["news".to_owned()], ..Changes::default() }
}

async fn look(parts: &Parts) -> usize {
    runner::fire_due(parts).await.expect("looked")
}

/// A clinic whose weekly campaign says something with a date, and has made its first run.
async fn after_one_run(clinic: &Clinic<'_>) -> Parts {
    clinic.write_letter("bulletin", &["news"]);
    let parts = staffed(clinic).await;
    let made = campaign::add(&parts, weekly("We are closed on December 9.")).await.expect("made");
    assert_eq!((made.renew.len(), made.waits), (0, None), "it is good for its first run");
    clinic.clock.advance(HOUR);
    assert_eq!(look(&parts).await, 1);
    parts
}

#[tokio::test]
async fn a_run_waits_for_renewal_and_is_made_once_within_its_period_however_late() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = after_one_run(&clinic).await;
        let shown = campaign::show(&parts, "weekly").await.expect("shown");
        assert_eq!((shown.renew.as_slice(), shown.waits), (&["news".to_owned()][..], None), "nothing is due yet");

        clinic.clock.advance(7 * DAY);
        for _ in 0..3 {
            assert_eq!(look(&parts).await, 0);
        }
        let shown = campaign::show(&parts, "weekly").await.expect("shown");
        assert_eq!((shown.campaign.state.as_str(), shown.waits), ("active", Some(CampaignWait::RenewVariables)));
        assert_eq!(audited(&parts, "hold_campaign_run").await, ["system weekly renew news"], "said once");
        assert_eq!(planned(&parts).await, ["2026-11-23 09:00 -0600"]);

        clinic.clock.advance(3 * DAY);
        assert_eq!(look(&parts).await, 0);
        let renewed =
            edit::edit(&parts, "weekly", &set("We are closed on December 23."), &dana()).await.expect("saved");
        assert_eq!((renewed.renew.len(), renewed.waits), (0, None));
        assert_eq!(look(&parts).await, 1, "the run that waited");
        assert_eq!(look(&parts).await, 0, "and no other");
        assert_eq!(planned(&parts).await, ["2026-11-23 09:00 -0600", "2026-11-30 09:00 -0600"]);
        let after = row(&parts, "weekly").await;
        assert_eq!((after.runs, after.waiting_ms), (2, None));
        assert_eq!(after.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-12-07T15:00:00.000Z"));
        assert_eq!(audited(&parts, "edit_campaign").await, ["operator:dana weekly set news"]);
        assert!(audited(&parts, "skip_campaign_run").await.is_empty());

        clinic.clock.advance(4 * DAY);
        assert_eq!(look(&parts).await, 0, "it was good for one run");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_not_renewed_in_its_period_is_given_up_and_the_next_one_waits() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = after_one_run(&clinic).await;
        clinic.clock.advance(7 * DAY);
        assert_eq!(look(&parts).await, 0);
        clinic.clock.advance(7 * DAY);
        assert_eq!(look(&parts).await, 0);
        let skipped = audited(&parts, "skip_campaign_run").await;
        assert_eq!(skipped, ["system weekly missed since Nov 30, 2026 9:00 AM CST: it was not renewed"]);
        edit::edit(&parts, "weekly", &keep(), &dana()).await.expect("confirmed");
        assert_eq!(look(&parts).await, 1);
        assert_eq!(look(&parts).await, 0);
        assert_eq!(planned(&parts).await, ["2026-11-23 09:00 -0600", "2026-12-07 09:00 -0600"]);
    })
    .await;
}

#[tokio::test]
async fn a_restart_forgets_neither_the_wait_nor_the_renewal() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = after_one_run(&clinic).await;
        clinic.clock.advance(7 * DAY);
        assert_eq!(look(&parts).await, 0);
        drop(parts);
        let parts = clinic.node().await;
        clinic.clock.advance(2 * DAY);
        assert_eq!(look(&parts).await, 0);
        edit::edit(&parts, "weekly", &keep(), &dana()).await.expect("confirmed");
        drop(parts);
        let (one, two) = (clinic.node().await, clinic.node().await);
        let (first, second) = tokio::join!(look(&one), look(&two));
        assert_eq!(first + second, 1, "never two at once");
    })
    .await;
}

#[tokio::test]
async fn what_is_renewed_in_advance_goes_out_on_time() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = after_one_run(&clinic).await;
        clinic.clock.advance(DAY);
        edit::edit(&parts, "weekly", &set("two openings this week"), &dana()).await.expect("saved");
        clinic.clock.advance(6 * DAY);
        assert_eq!(look(&parts).await, 1);
        assert!(audited(&parts, "hold_campaign_run").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_person_is_refused_a_second_run_and_told_the_fix() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter("bulletin", &["news"]);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, weekly("Open on 12/9.")).await.expect("made");
        campaign::run_now(&parts, "weekly", &dana()).await.expect("the first");
        for refused in [
            campaign::run_now(&parts, "weekly", &dana()).await.expect_err("the second"),
            campaign::propose(&parts, "weekly", &dana(), campaign::Decisions::default()).await.expect_err("the second"),
        ] {
            assert!(
                matches!(&refused, CampaignError::Renew { variables, .. } if *variables == ["news"]),
                "{refused:?}"
            );
            let words = refused.to_string();
            assert!(words.contains("--set news=TEXT") && words.contains("--keep news"), "{words}");
        }
        campaign::preview(&parts, "weekly", campaign::Decisions::default())
            .await
            .expect("a dry run may always be made");
        clinic.clock.advance(HOUR);
        assert_eq!(look(&parts).await, 0, "the planned one waits too");
        edit::edit(&parts, "weekly", &keep(), &dana()).await.expect("confirmed");
        campaign::run_now(&parts, "weekly", &dana()).await.expect("renewed");
        assert_eq!(look(&parts).await, 0, "the run by hand stands for the one that waited");
        assert_eq!(planned(&parts).await, ["by hand", "by hand"]);
        assert_eq!(
            row(&parts, "weekly").await.next_ms.map(|next| next.to_string()).as_deref(),
            Some("2026-11-30T15:00:00.000Z")
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_set_for_a_run_that_passed_unused_is_stale_too() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter("bulletin", &["news"]);
        let parts = staffed(&clinic).await;
        campaign::add(&parts, weekly("Open on 12/9.")).await.expect("made");
        campaign::pause(&parts, "weekly", &dana()).await.expect("paused");
        clinic.clock.advance(20 * DAY);
        let resumed = campaign::resume(&parts, "weekly", &dana()).await.expect("resumed");
        assert_eq!(campaign::renewals(&parts, &resumed), ["news"]);
        clinic.clock.advance(DAY + HOUR);
        assert_eq!(look(&parts).await, 0);
        assert!(row(&parts, "weekly").await.waiting_ms.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_mark_in_the_letter_makes_any_value_perishable_and_its_default_too() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_perishable("marked", "news", "perishable = true");
        clinic.write_perishable("by-default", "news", "perishable = true\ndefault = \"four places\"");
        clinic.write_perishable("dated-default", "news", "default = \"until December 9\"");
        clinic.write_perishable("may-be-empty", "news", "perishable = true\ndefault = \"\"");
        clinic.write_perishable("plain", "news", "");
        let parts = staffed(&clinic).await;
        let of = |name: &str, variables: Map<String, Value>| NewCampaign {
            letter: name.to_owned(),
            variables,
            ..plan(name, "every monday 09:00")
        };
        for (name, variables) in [
            ("marked", said("four places")),
            ("by-default", Map::new()),
            ("dated-default", Map::new()),
            ("may-be-empty", Map::new()),
            ("plain", said("every Tuesday, 6:30 pm, call (847) 555-0166")),
        ] {
            campaign::add(&parts, of(name, variables)).await.expect("made");
        }
        clinic.clock.advance(HOUR);
        assert_eq!(look(&parts).await, 5);
        clinic.clock.advance(7 * DAY);
        assert_eq!(look(&parts).await, 2);
        for (name, waits) in
            [("marked", true), ("by-default", true), ("dated-default", true), ("may-be-empty", false), ("plain", false)]
        {
            assert_eq!(row(&parts, name).await.waiting_ms.is_some(), waits, "{name}");
        }
        edit::edit(&parts, "by-default", &keep(), &dana()).await.expect("a default can be confirmed");
        assert_eq!(look(&parts).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_runs_once_is_not_concerned() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        clinic.write_letter("bulletin", &["news"]);
        let parts = staffed(&clinic).await;
        let once = NewCampaign { every: "12/1/2026 9:00 AM".to_owned(), ..weekly("Open on December 9.") };
        let made = campaign::add(&parts, once).await.expect("made");
        assert_eq!(made.campaign.schedule, "once 2026-12-01 09:00");
        for _ in 0..2 {
            campaign::run_now(&parts, "weekly", &dana()).await.expect("by hand");
        }
        clinic.clock.advance(8 * DAY + HOUR);
        assert_eq!(look(&parts).await, 1);
    })
    .await;
}
