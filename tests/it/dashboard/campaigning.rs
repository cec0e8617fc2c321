//! Campaigns at the dashboard: what a run would send is looked at before it is sent, and a campaign is renewed, renamed and
//! removed.

use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::json;
use touchline::campaign::{self, NewCampaign};
use touchline::domain::Channel;
use touchline::domain::referrer::ReferrerState;
use touchline::referrers::audience;

use super::stage::Stage;
use super::visitor::Visitor;

pub async fn planned(stage: &Stage) -> String {
    let variables = json!({ "treatment": "TMS", "openings": "four <places>", "as_of": "2026-11-23" });
    let plan = NewCampaign {
        name: "Monthly update".to_owned(),
        letter: "capacity-update".to_owned(),
        to: "tag:north-shore".parse().expect("an audience"),
        via: vec![Channel::Fax, Channel::Email],
        variables: variables.as_object().cloned().expect("an object"),
        every: "first tuesday 09:00".to_owned(),
        zone: chrono_tz::America::Chicago,
        who: touchline::domain::Actor::operator("dana"),
    };
    let made = campaign::add(&stage.intake, plan).await.expect("a campaign");
    format!("/campaigns/{}", made.campaign.id)
}

/// What stands in a field of the page that holds the text of `before`.
fn field(page: &str, before: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split('"').next().expect("a value").to_owned()
}

/// The fields of the form as the page fills them in.
const FORM: [(&str, &str); 9] = [
    ("letter", "capacity-update"),
    ("to", "tag:north-shore"),
    ("fax", "yes"),
    ("email", "yes"),
    ("every", "first tuesday 09:00"),
    ("zone", "America/Chicago"),
    ("v.treatment", "TMS"),
    ("v.openings", "four <places>"),
    ("v.as_of", "2026-11-23"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_looked_at_before_it_is_sent_and_sends_exactly_what_was_shown() {
    let stage = Stage::set_idle().await;
    let path = planned(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    assert!(operator.read("/campaigns").await.contains(&format!("href=\"{path}\"")));
    let page = operator.read(&format!("{path}/run")).await;
    for part in [
        "Who won't get it",
        "Shares the fax address",
        "The cost is not known",
        "Nothing is sent before you confirm",
        "Send to ",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let mark = field(&page, "name=\"mark\" value=\"");
    let picture = field(&page, "<figure><a href=\"");
    let answer = operator.get(&picture).await;
    assert_eq!(answer.status(), StatusCode::OK, "{picture}");
    assert!(answer.bytes().await.expect("octets").starts_with(b"\x89PNG"));

    // One of them is not to be contacted any more.
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let amara = audience::one(&mut tx, "Amara Whitfield").await.expect("in the sample list");
    drop(tx);
    let who = touchline::domain::Actor::operator("dana");
    touchline::referrers::edit(&stage.gateway.referrers(), amara.id, &who, |one| {
        one.state = ReferrerState::DoNotContact
    })
    .await
    .expect("edited");
    let place = operator.submit(&format!("{path}/run"), &[("mark", mark.as_str())]).await;
    assert_eq!(place, format!("{path}/run?done=campaign_changed"));
    let page = operator.read(&place).await;
    assert!(page.contains("Nothing was sent: the list or the campaign has changed"), "{page}");

    let mark = field(&page, "name=\"mark\" value=\"");
    let place = operator.submit(&format!("{path}/run"), &[("mark", mark.as_str())]).await;
    assert_eq!(place, format!("{path}?done=campaign_run"));
    let page = operator.read(&place).await;
    assert!(
        page.contains("These values were set for an earlier run") && page.contains("four &#60;places&#62;"),
        "{page}"
    );
    assert!(!page.contains("/run\">Run now"), "it is renewed first");
    let again = operator.submit(&format!("{path}/run"), &[("mark", mark.as_str())]).await;
    assert_eq!(again, format!("{path}?done=campaign_stale"));
    let looked = operator.get(&format!("{path}/run")).await;
    assert_eq!(looked.headers()[LOCATION].to_str().expect("a place"), format!("{path}?done=campaign_stale"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_renewed_renamed_and_removed() {
    let stage = Stage::set_idle().await;
    let path = planned(&stage).await;
    let who = touchline::domain::Actor::operator("dana");
    campaign::run_now(&stage.intake, "Monthly update", &who).await.expect("accepted");
    let mut operator = Visitor::operator(&stage).await;
    assert!(
        operator.read("/campaigns").await.contains("Renew “Openings”, “As of” before the next run"),
        "it is listed so"
    );

    let nothing = operator.submit(&format!("{path}/edit"), &FORM).await;
    assert_eq!(nothing, path, "nothing changed");
    let mut form = FORM.to_vec();
    form[8].1 = "2026-12-20";
    form.push(("keep.openings", "yes"));
    let place = operator.submit(&format!("{path}/edit"), &form).await;
    assert_eq!(place, format!("{path}?done=campaign_saved"));
    let shown = campaign::show(&stage.intake, "Monthly update").await.expect("shown");
    assert_eq!(shown.renew, [] as [String; 0]);
    assert!(shown.campaign.variables.contains("2026-12-20"), "{}", shown.campaign.variables);

    let key = operator.form_key.clone();
    let mut bad = form.clone();
    bad[4].1 = "now and then";
    bad.push(("page", path.as_str()));
    let page = operator.submit_refused(&format!("{path}/edit"), &bad).await;
    let said = field(&page, "<p class=\"wrong\" id=\"wrong\">").split('<').next().expect("words").to_owned();
    assert!(said.contains("For example: “first tuesday 09:00”") && !said.contains("touchline"), "{said}");
    assert!(!page.contains("Write one of") && !page.contains("cron:"), "{page}");
    let other = operator.read(&format!("{path}?letter=evening-hours")).await;
    assert!(other.contains("v.open_until") && other.contains("The campaign still sends"), "{other}");

    operator.submit(&format!("{path}/rename"), &[("to", "Openings")]).await;
    assert!(operator.read(&path).await.contains("<h1>Openings</h1>"));
    let unsure = operator.send(&format!("{path}/remove"), &[("form_key", key.as_str())]).await;
    assert_eq!(unsure.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let place = operator.submit(&format!("{path}/remove"), &[("sure", "yes")]).await;
    assert_eq!(place, "/campaigns?done=campaign_removed");
    assert!(operator.read(&path).await.contains("This campaign is removed"));
    assert_eq!(operator.get(&format!("{path}/run")).await.status(), StatusCode::NOT_FOUND);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_waits_needs_attention() {
    let stage = Stage::set_idle().await;
    planned(&stage).await;
    let who = touchline::domain::Actor::operator("dana");
    campaign::run_now(&stage.intake, "Monthly update", &who).await.expect("accepted");
    let now = stage.gateway.clock.now();
    let mut row = campaign::show(&stage.intake, "Monthly update").await.expect("shown").campaign;
    (row.next_ms, row.waiting_ms) = (Some(now), Some(now));
    let mut tx = stage.gateway.store.write().await.expect("a database");
    tx.campaign_update(&row).await.expect("stored");
    tx.commit().await.expect("committed");
    let operator = Visitor::operator(&stage).await;
    let overview = operator.read("/").await;
    assert!(
        overview.contains("The campaign Monthly update waits and sends nothing: renew “Openings”, “As of”."),
        "{overview}"
    );
    assert!(operator.read("/campaigns").await.contains("Waits: renew “Openings”, “As of”"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_with_a_mistake_is_on_the_overview_and_its_campaign_says_so_and_when_it_would_run() {
    let text = "+++\nsubject = \"S\"\n+++\nDear {{nobody}}";
    let stage = Stage::set_idle_with(&[("evening-clinic/letter.md", text)]).await;
    let path = planned(&stage).await;
    let operator = Visitor::operator(&stage).await;
    let overview = operator.read("/").await;
    assert!(overview.contains("The letter evening-clinic is out of service"), "{overview}");
    assert!(overview.contains("evening-clinic/letter.md"), "{overview}");
    let page = operator.read(&path).await;
    let (_, dates) = page.split_once("Next dates: ").unwrap_or_else(|| panic!("no dates in {page}"));
    let dates = dates.split_once("</p>").expect("the end of them").0;
    assert_eq!(dates.matches("Tuesday, ").count(), 3, "{dates}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letterhead_with_a_mistake_is_told_once_and_what_does_not_need_it_goes_on() {
    let stage = Stage::set_idle_with(&[("letterhead/fax.typ", "#let broken = (")]).await;
    let operator = Visitor::operator(&stage).await;
    let overview = operator.read("/").await;
    let told = "letters cannot be faxed because of a mistake: letterhead/fax.typ";
    assert_eq!(overview.matches(told).count(), 1, "{overview}");
    let update = json!({ "treatment": "TMS", "openings": "four", "as_of": "2026-11-23" });
    let sent = stage.send("capacity-update", "Amara Whitfield", &[Channel::Email], update).await;
    assert!(operator.read(&format!("/messages/{}", sent.messages[0].id)).await.contains("TMS"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_calls_variables_by_their_labels_picks_days_from_a_calendar_and_offers_the_tags_there_are() {
    let stage = Stage::set_idle().await;
    let path = planned(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let page = operator.read(&path).await;
    for part in [">As of", ">Start window", "type=\"date\" id=\"v.as_of\"", "<option value=\"tag:north-shore\">"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains(">as_of") && !page.contains(">start_window"), "{page}");
    let mut bad = FORM.to_vec();
    bad[1].1 = "Nobody Atall";
    bad.push(("page", path.as_str()));
    let refused = operator.submit_refused(&format!("{path}/edit"), &bad).await;
    assert!(refused.contains("No referrer matches.") && !refused.contains("referrers list"), "{refused}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_called_by_their_titles_in_lists_and_broadcasts() {
    let stage = Stage::set_idle().await;
    let via = [Channel::Fax, Channel::Email];
    let variables = json!({ "treatment": "TMS", "openings": "four", "as_of": "2026-11-23" });
    stage.send("capacity-update", "tag:north-shore", &via, variables).await;
    let operator = Visitor::operator(&stage).await;
    let title = stage.gateway.renderer.letter("capacity-update").expect("a built-in letter").title.clone();
    for path in ["/", "/campaigns", "/messages"] {
        let page = operator.read(path).await;
        assert!(page.contains(&title) && !page.contains("capacity-update to"), "{path}: {page}");
    }
    assert!(operator.read("/campaigns").await.contains(&format!("{title} to everyone tagged north-shore")));
    stage.strike().await;
}
