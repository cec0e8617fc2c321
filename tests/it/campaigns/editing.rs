//! Campaigns are edited with the checks of a new one, renamed and removed; what was shown is what a run by hand sends.

use std::time::Duration;

use serde_json::Map;
use touchline::campaign::edit::{self, Changes};
use touchline::campaign::{self, CampaignError, by_hand, runner};
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::{Actor, Channel};

use super::clinic::{Clinic, audited, broadcasts, plan, put, referrer, row, staffed};
use crate::support::databases::each_database;

const MONDAY: &str = "2026-11-23T15:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn dana() -> Actor {
    Actor::operator("dana")
}

#[tokio::test]
async fn an_edit_changes_what_is_given_and_the_next_run_sends_it() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let before = campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made").campaign;
        let changes = Changes {
            to: Some("all".parse().expect("an audience")),
            every: Some("every monday at 9".to_owned()),
            set: Map::from_iter([("where".to_owned(), "at the library".into())]),
            unset: vec![],
            ..Changes::default()
        };
        let dry = edit::preview_edit(&parts, "monthly", &changes).await.expect("a dry run").planned;
        assert_eq!(dry.counts.queued, 2);
        assert_eq!(row(&parts, "monthly").await, before, "a dry run changes nothing");
        let after = edit::edit(&parts, "monthly", &changes, &dana()).await.expect("saved");
        assert_eq!(after.when, "every Monday at 9:00 AM, America/Chicago");
        assert_eq!(after.campaign.next_ms.map(|next| next.to_string()).as_deref(), Some("2026-11-30T15:00:00.000Z"));
        assert_eq!((after.campaign.id, after.campaign.created_ms), (before.id, before.created_ms));
        assert!(after.campaign.variables.contains("at the library") && after.campaign.variables.contains("Northside"));
        assert_eq!(audited(&parts, "edit_campaign").await, ["operator:dana monthly audience, schedule, set where"]);
        clinic.clock.advance(7 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
    })
    .await;
}

#[tokio::test]
async fn an_edit_that_cannot_work_changes_nothing() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let before = campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made").campaign;
        let none = Changes::default();
        let cases: Vec<(Changes, &str)> = vec![
            (none.clone(), "say what to change"),
            (Changes { letter: Some("no-such".into()), ..none.clone() }, "there is no letter `no-such`"),
            (Changes { letter: Some("end-of-treatment-report".into()), ..none.clone() }, "treatment letter"),
            (Changes { letter: Some("direct-ask".into()), ..none.clone() }, "`audience` is not a variable"),
            (Changes { to: Some("tag:nobody".parse().expect("an audience")), ..none.clone() }, "no one is in"),
            (Changes { via: Some(vec![]), ..none.clone() }, "say how"),
            (Changes { every: Some("now and then".into()), ..none.clone() }, "Write one of"),
            (Changes { every: Some("once 2026-11-22 09:00".into()), ..none.clone() }, "is in the past"),
            (Changes { every: Some("0 9 30 2 *".into()), ..none.clone() }, "no such time ever comes"),
            (Changes { unset: vec!["host".into()], ..none.clone() }, "`host` is missing"),
            (Changes { unset: vec!["details".into()], ..none.clone() }, "cannot be unset"),
            (Changes { keep: vec!["nothing".into()], ..none.clone() }, "not a variable of this letter"),
            (Changes { set: Map::from_iter([("x".to_owned(), "y".into())]), ..none.clone() }, "not a variable"),
        ];
        for (changes, expected) in cases {
            let problem = edit::edit(&parts, "monthly", &changes, &dana()).await.expect_err(expected).to_string();
            assert!(problem.contains(expected), "{problem}");
            assert_eq!(row(&parts, "monthly").await, before);
        }
        assert!(audited(&parts, "edit_campaign").await.is_empty());
        let missing = edit::edit(&parts, "yearly", &none, &dana()).await;
        assert!(matches!(missing, Err(CampaignError::NotFound(_))), "{missing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_name_that_was_given_up_can_be_used_again_and_the_history_stays() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let first = campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made").campaign;
        campaign::run_now(&parts, "monthly", &dana()).await.expect("accepted");
        campaign::add(&parts, plan("other", "first tuesday 09:00")).await.expect("made");
        for taken in ["other", " other "] {
            let refused = edit::rename(&parts, "monthly", taken, &dana()).await.expect_err("taken").to_string();
            assert!(refused.contains("there is already a campaign `other`"), "{refused}");
        }
        assert!(edit::rename(&parts, "monthly", "two\nlines", &dana()).await.is_err());
        let renamed = edit::rename(&parts, "monthly", "Monthly update", &dana()).await.expect("renamed");
        assert_eq!((renamed.id, renamed.name.as_str()), (first.id, "Monthly update"));
        campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("the old name is free");
        assert_eq!(audited(&parts, "rename_campaign").await, ["operator:dana Monthly update it was called monthly"]);
        assert_eq!(broadcasts(&parts).await[0].name, "monthly", "a broadcast keeps its name");

        let removed = edit::remove(&parts, "Monthly update", &dana()).await.expect("removed");
        assert_eq!((removed.removed_ms, removed.next_ms), (Some(clinic.now()), None));
        assert!(campaign::show(&parts, "Monthly update").await.is_err());
        assert!(edit::remove(&parts, "Monthly update", &dana()).await.is_err());
        assert!(campaign::resume(&parts, "Monthly update", &dana()).await.is_err());
        campaign::add(&parts, plan("Monthly update", "first tuesday 09:00")).await.expect("the name is free");
        assert_eq!(campaign::removed(&parts).await.expect("listed"), [removed]);
        let kept = campaign::show_by_id(&parts, first.id).await.expect("still there");
        assert_eq!((kept.runs.len(), kept.renew.len()), (1, 0));
        clinic.clock.advance(8 * DAY);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 3, "the removed one makes no run");
        assert_eq!(audited(&parts, "remove_campaign").await, ["operator:dana Monthly update "]);
    })
    .await;
}

#[tokio::test]
async fn a_proposal_counts_everyone_and_only_what_was_shown_is_sent() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = clinic.node().await;
        let mut people: Vec<Referrer> = (1..=9).map(referrer).collect();
        people[1].state = ReferrerState::DoNotContact;
        people[2].email = None;
        people[3].email = people[0].email.clone();
        put(&parts, &people).await;
        let mut new = plan("monthly", "first tuesday 09:00");
        (new.letter, new.variables) = ("direct-ask".to_owned(), Map::new());
        new.via = vec![Channel::Fax, Channel::Email];
        campaign::add(&parts, new).await.expect("made");

        let shown =
            campaign::propose(&parts, "monthly", &dana(), campaign::Decisions::default()).await.expect("a proposal");
        assert_eq!((shown.letters, shown.planned.counts.queued, shown.without_basis()), (6, 6, 8));
        let shares: Vec<_> = shown.shares.iter().map(|share| (share.channel, share.messages, share.pages)).collect();
        assert_eq!(shares, [(Channel::Email, 6, None)]);
        let left: Vec<_> =
            shown.left_out.iter().map(|left| (left.channel, left.count, left.names.len(), left.why.as_str())).collect();
        let (fax, email) = (Some(Channel::Fax), Some(Channel::Email));
        assert_eq!(left[0], (fax, 8, 5, ""));
        assert!(left.contains(&(email, 1, 1, "no email address")), "{left:?}");
        assert_eq!(left.iter().map(|left| left.1).sum::<usize>(), 8 + 2 + 1 + 1, "{left:?}");
        assert_eq!(
            shown.first.as_ref().map(|first| first.referrer.display_name()).as_deref(),
            Some("Amara Whitfield1, MD")
        );
        let again =
            campaign::propose(&parts, "monthly", &dana(), campaign::Decisions::default()).await.expect("a proposal");
        assert_eq!(again.mark, shown.mark, "the same twice");

        put(&parts, &[referrer(10)]).await;
        let refused = by_hand::run_as_proposed(&parts, "monthly", &shown.mark, &dana(), campaign::Decisions::default())
            .await
            .expect_err("one more");
        assert!(matches!(refused, CampaignError::WrongState(_)), "{refused:?}");
        assert!(broadcasts(&parts).await.is_empty(), "nothing was sent");
        let now =
            campaign::propose(&parts, "monthly", &dana(), campaign::Decisions::default()).await.expect("a proposal");
        let accepted = by_hand::run_as_proposed(&parts, "monthly", &now.mark, &dana(), campaign::Decisions::default())
            .await
            .expect("accepted");
        assert_eq!(accepted.counts.queued, 7);
        let ran = audited(&parts, "run_campaign").await;
        assert_eq!(ran, ["operator:dana monthly "]);
    })
    .await;
}

#[tokio::test]
async fn a_fax_proposal_has_pages_and_a_price() {
    each_database(async |database| {
        let clinic = Clinic::at(database, MONDAY);
        let parts = staffed(&clinic).await;
        let new = campaign::NewCampaign { via: vec![Channel::Fax], ..plan("monthly", "first tuesday 09:00") };
        campaign::add(&parts, new).await.expect("made");
        let shown =
            campaign::propose(&parts, "monthly", &dana(), campaign::Decisions::default()).await.expect("a proposal");
        let share = shown.shares[0];
        assert_eq!((share.channel, share.messages, share.pages), (Channel::Fax, 2, Some(1)));
        let account = parts.accounts.get("fax-sandbox").expect("the demo's account");
        let price = account.cost_per_page;
        assert_eq!(shown.cost(), price.map_or((touchline::domain::cost::Cost::ZERO, 2), |price| (price.times(2), 0)));
        assert_eq!(shown.problem, None);
    })
    .await;
}
