//! The dashboard in a real browser: an office manager logs in, sees what failed, corrects a number, and sees it arrive.

mod belonging;
mod browser;
mod calling;
mod campaigning;
mod forms;
mod gallery;
mod gallery_returns;
mod guarding;
mod listing;
mod operators;
mod pausing;
mod returns;
pub mod stage;
mod undoing;
pub mod visitor;

use serde_json::json;
use touchline::domain::Channel;

use browser::Browser;
use stage::{OPERATOR, Stage};

/// Logs in.
async fn log_in(browser: &Browser, address: &str) {
    browser.open(address).await;
    browser.fill("#name", OPERATOR.0).await;
    browser.fill("#password", OPERATOR.1).await;
    browser.press("Log in").await;
    // A page that is loaded anew before the answer has come would forget that anybody logged in.
    browser.text("form[action='/logout']").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_without_a_fax_machine_is_corrected_and_the_letter_arrives() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::set().await;
    give_voice_line(&stage).await;
    let variables = json!({
        "treatment": "TMS", "openings": "four places", "as_of": "2026-11-23", "start_window": "two weeks"
    });
    let accepted = stage.send("capacity-update", "Amara Whitfield", &[Channel::Fax], variables).await;
    let message = accepted.messages[0].id;

    browser.open(&stage.address).await;
    assert!(browser.url().await.ends_with("/login"), "nobody sees the dashboard without logging in");
    browser.fill("#name", OPERATOR.0).await;
    browser.fill("#password", "not the password at all").await;
    browser.press("Log in").await;
    assert!(browser.text("[role=alert]").await.contains("Incorrect name or password."));
    browser.picture("01-wrong-password").await;
    log_in(&browser, &stage.address).await;

    browser.reload_until("main", |page| page.contains("1 message did not arrive.")).await;
    browser.picture("02-overview-with-a-failure").await;
    browser.follow("Review and retry").await;
    browser.follow("Something answered, but no fax tone was heard").await;
    browser.picture("03-failures-of-one-cause").await;
    browser.follow("Correct").await;
    assert!(browser.url().await.contains(&message.to_string()));
    assert_eq!(browser.text(".standing h2").await, "Fax did not arrive.");
    assert!(browser.text("#sheet").await.contains("Exactly as sent"), "the page is drawn again dot for dot");
    browser.picture("04-failed-fax").await;

    browser.fill("#address", "(847) 555-0199").await;
    browser.click("input[name=permission]").await;
    browser.press("Correct and send again").await;
    assert!(browser.text("[role=status]").await.contains("Address corrected. The message will be sent again."));
    browser
        .reload_until(".standing h2", |headline| headline == "Delivered: the receiving machine confirmed 1 page.")
        .await;
    let history = browser.text(".timeline").await;
    for said in ["dana requested it.", "no fax tone was heard", "dana sent it again.", "Delivered: 1 page confirmed."] {
        assert!(history.contains(said), "`{said}` is not in: {history}");
    }
    browser.picture("05-corrected-and-delivered").await;

    browser.open(&format!("{}/audit", stage.address)).await;
    assert!(browser.text("main").await.contains("changed a referrer"));
    browser.close().await;
    stage.strike().await;
}

/// Her number is one that a person answers.
async fn give_voice_line(stage: &Stage) {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let referrer = touchline::referrers::audience::one(&mut tx, "Amara Whitfield").await.expect("in the sample list");
    drop(tx);
    let number: touchline::domain::FaxNumber = "(847) 555-0119".parse().expect("a number");
    let basis = touchline::domain::basis::Basis {
        id: touchline::domain::id::BasisId::new(),
        fax: number.clone(),
        kind: touchline::domain::basis::BasisKind::Permission,
        number_source: None,
        obtained_on: "2026-10-06".to_owned(),
        how: "asked on the telephone".to_owned(),
        by_whom: "dana".to_owned(),
        note: None,
        created_ms: stage.gateway.clock.now(),
        ended_ms: None,
        ended_reason: None,
    };
    touchline::consent::add_basis(&stage.gateway.consent(), &basis, &touchline::domain::Actor::operator("sam"))
        .await
        .expect("recorded");
    touchline::referrers::edit(
        &stage.gateway.referrers(),
        referrer.id,
        &touchline::domain::Actor::operator("dana"),
        |referrer| referrer.fax = Some(number),
    )
    .await
    .expect("edited");
}
