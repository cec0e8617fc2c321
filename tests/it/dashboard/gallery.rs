//! Every page with something on it, wide and narrow: it loads, has one heading, does not scroll sideways, names every
//! field, and leaves its picture for people to look at.

use serde_json::{Value, json};
use touchline::consent::{self, Refusal};
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{AttemptId, BroadcastId, MessageId};
use touchline::domain::suppression::Scope;
use touchline::domain::touch::TouchKind;
use touchline::domain::{Channel, FaxNumber, MessageStatus};
use touchline::operator;
use touchline::referrers;
use touchline::referrers::audience;

use super::browser::Browser;
use super::stage::Stage;
use super::{gallery_returns, log_in};

/// Words that a script may check on every page. Each must hold.
const CHECKS: [(&str, &str); 9] = [
    ("one main heading", "document.querySelectorAll('h1').length === 1"),
    ("one main landmark", "document.querySelectorAll('main').length === 1"),
    ("a language", "document.documentElement.lang === 'en'"),
    ("no sideways scrolling", NO_SCROLLING),
    (
        "every field named",
        "[...document.querySelectorAll('input:not([type=hidden]), select')].every(one => one.labels.length > 0)",
    ),
    ("no empty heading of a table", "[...document.querySelectorAll('th')].every(one => one.textContent.trim() !== '')"),
    ("nothing cut off", NOTHING_CUT_OFF),
    ("contrast of 4.5 to 1", ENOUGH_CONTRAST),
    ("no id twice", "(all => new Set(all).size === all.length)([...document.querySelectorAll('[id]')].map(o => o.id))"),
];

const NO_SCROLLING: &str = "document.documentElement.scrollWidth <= window.innerWidth";

/// Whether everything that can be seen stands inside the window, and inside its card where that hides what does not fit.
const NOTHING_CUT_OFF: &str = "(() => {
    const beyond = [...document.querySelectorAll('body *')]
        .filter(one => one.getClientRects().length && !one.closest('.unseen, .skip, thead, svg, option'))
        .filter(one => one.checkVisibility())
        .filter(one => {
            const room = one.closest('.card.flush')?.getBoundingClientRect().right ?? window.innerWidth;
            return one.getBoundingClientRect().right > room + 1;
        });
    return beyond.length === 0 || beyond.map(one => one.tagName + ' ' + one.className + ' ' + one.textContent.trim()).join(' | ');
})()";

/// Whether every text stands out from its ground as WCAG 2.2 asks of small text (success criterion 1.4.3).
const ENOUGH_CONTRAST: &str = "(() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = one => {
        for (; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const weak = [...document.querySelectorAll('body *')]
        .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
        .filter(one => one.getClientRects().length && !['OPTION', 'SCRIPT'].includes(one.tagName))
        .filter(one => {
            const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))];
            return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5;
        });
    return weak.length === 0 || weak.map(one => one.className + ' ' + one.textContent.trim()).join(' | ');
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_reads_well_wide_and_narrow() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::set().await;
    log_in(&browser, &stage.address).await;
    let pages = a_working_week(&stage, &browser).await;
    let looks =
        [(1280, "light", "wide"), (1280, "dark", "wide-dark"), (390, "dark", "phone-dark"), (320, "light", "narrow")];
    for (width, scheme, kind) in looks {
        browser.scheme(scheme).await;
        browser.resize(width).await;
        for (name, path) in &pages {
            browser.open(&format!("{}{path}", stage.address)).await;
            for (what, script) in CHECKS {
                assert_eq!(browser.value(script).await, Value::Bool(true), "{name} at {width} px lacks: {what}");
            }
            browser.picture(&format!("{kind}-{name}")).await;
            browser.value("document.querySelectorAll('details').forEach(one => one.open = true)").await;
            for (what, script) in [("nothing cut off", NOTHING_CUT_OFF), ("no sideways scrolling", NO_SCROLLING)] {
                assert_eq!(
                    browser.value(script).await,
                    Value::Bool(true),
                    "{name}, opened at {width} px, lacks: {what}"
                );
            }
            if name == &"operators" {
                browser.picture(&format!("{kind}-{name}-opened")).await;
            }
        }
        let (_, referrer) = pages.iter().find(|(name, _)| *name == "referrer").expect("a referrer");
        refused_form(&browser, &format!("{}{referrer}", stage.address), kind).await;
    }
    browser.close().await;
    stage.strike().await;
}

/// A form with a mistake, sent by the browser itself: the page comes again, and the mistake stands beside its field.
async fn refused_form(browser: &Browser, address: &str, kind: &str) {
    browser.open(address).await;
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)").await;
    browser.fill("#other", "Nobody at all").await;
    browser.press("Merge it into this one").await;
    let wrong = browser.text("#wrong").await;
    assert!(!wrong.is_empty(), "it says what is wrong");
    let kept = "document.querySelector('#other').value === 'Nobody at all' && document.activeElement.id === 'other'";
    assert_eq!(browser.value(kept).await, Value::Bool(true), "the input is kept, and the field is ready for another");
    for (what, script) in CHECKS {
        assert_eq!(browser.value(script).await, Value::Bool(true), "a refused form, {kind}, lacks: {what}");
    }
    browser.picture(&format!("{kind}-form-refused")).await;
}

/// Fills the house with what a week brings, and answers the pages to look at.
async fn a_working_week(stage: &Stage, browser: &Browser) -> Vec<(&'static str, String)> {
    let variables = json!({
        "treatment": "TMS", "openings": "four weekday morning places", "as_of": "2026-11-23", "start_window": "two weeks"
    });
    let amara = one(stage, "Amara Whitfield").await;
    for (kind, title) in [
        (TouchKind::Visit, "Brought the quick reference; met the nurse"),
        (TouchKind::Call, "Asked about a patient with two failed trials"),
        (TouchKind::ReferralReceived, "First referral"),
    ] {
        referrers::log_touch(
            &stage.gateway.referrers(),
            amara.id,
            kind,
            title,
            None,
            &touchline::domain::Actor::operator("dana"),
        )
        .await
        .expect("logged");
    }
    refuse(stage, "(708) 555-0125").await;
    let dana = touchline::domain::Actor::operator("dana");
    touchline::access::add_operator(&stage.gateway.access(), "maria", "a long walk by the river", &dana)
        .await
        .expect("an operator");
    let both = [Channel::Fax, Channel::Email];
    let broadcast = stage.send("capacity-update", "all", &both, variables.clone()).await;
    let report: Value =
        serde_json::from_str(include_str!("../../../templates/end-of-treatment-report/sample.json")).expect("a sample");
    let report = stage.send("end-of-treatment-report", "Amara Whitfield", &[Channel::Fax], report).await;
    let held = stage.send("capacity-update", "Hannah Reyes-Lindqvist", &[Channel::Email], variables.clone()).await;
    let _ = operator::act(
        &stage.gateway.operator(),
        held.messages[0].id,
        operator::Act::Hold,
        &touchline::domain::Actor::operator("dana"),
    )
    .await;

    browser.reload_until(".tiles .busy b", |count| count == "0").await;
    let doubtful = in_doubt(stage, broadcast.messages.iter().map(|one| one.id)).await;
    let of_broadcast = broadcast.broadcast.expect("a broadcast");
    pause(stage, of_broadcast, broadcast.messages.iter().rev().map(|one| one.id)).await;
    stage.gateway.check_mail_setup().await.expect("nothing is asked: the letters of the demo leave no machine");
    let campaign = campaign(stage, variables).await;
    let id = |channel: Channel, name: &str| {
        let found = broadcast.messages.iter().find(|one| one.channel == channel && one.name.contains(name));
        found.expect("in the broadcast").id
    };
    let message = |channel: Channel, name: &str| format!("/messages/{}", id(channel, name));
    let (bounced, answered) = (id(Channel::Email, "Goldfarb"), id(Channel::Email, "Whitfield"));
    let mut pages = gallery_returns::pages(stage, bounced, answered).await;
    pages.extend([
        ("overview", "/".to_owned()),
        ("failures", "/failures".to_owned()),
        ("failures-of-a-cause", "/failures?reason=not_a_fax".to_owned()),
        ("failures-of-no-basis", "/failures?reason=no_basis".to_owned()),
        ("calls-permission", "/calls/permission".to_owned()),
        ("calls-number", "/calls/number".to_owned()),
        ("messages", "/messages".to_owned()),
        ("messages-failed", "/messages?status=failed".to_owned()),
        ("broadcast", format!("/messages?broadcast={of_broadcast}")),
        ("message-delivered-fax", message(Channel::Fax, "Whitfield")),
        ("message-failed-fax", message(Channel::Fax, "Goldfarb")),
        ("message-email", message(Channel::Email, "Whitfield")),
        ("message-suppressed", message(Channel::Fax, "Bielak")),
        ("message-in-doubt", format!("/messages/{doubtful}")),
        ("message-about-a-patient", format!("/messages/{}", report.messages[0].id)),
        ("message-about-a-patient-shown", format!("/messages/{}?document=show", report.messages[0].id)),
        ("referrers", "/referrers".to_owned()),
        ("referrer", format!("/referrers/{}", amara.id)),
        ("referrer-new", "/referrers/new".to_owned()),
        ("imports", "/referrers/imports".to_owned()),
        ("addresses", "/referrers/addresses".to_owned()),
        ("campaigns", "/campaigns".to_owned()),
        ("campaign-run", format!("{campaign}/run")),
        ("campaign", campaign),
        ("providers", "/providers".to_owned()),
        ("email-setup", "/providers/email-setup".to_owned()),
        ("failures-of-a-pause", "/failures?reason=broadcast_paused".to_owned()),
        ("suppressions", "/suppressions".to_owned()),
        ("operators", "/operators".to_owned()),
        ("audit", "/audit".to_owned()),
        ("nowhere", "/messages/nothing".to_owned()),
        ("opt-out", format!("/o/{}", stage.gateway.opt_out.token(broadcast.messages[0].id))),
        ("login", "/login".to_owned()),
    ]);
    pages
}

async fn one(stage: &Stage, name: &str) -> touchline::domain::referrer::Referrer {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    audience::one(&mut tx, name).await.expect("in the sample list")
}

async fn refuse(stage: &Stage, number: &str) {
    let number: FaxNumber = number.parse().expect("a number");
    let refusal = Refusal {
        address: touchline::domain::Address::Fax(number),
        scope: Scope::Advertisement,
        reason: touchline::domain::suppression::SuppressionReason::OptOut,
        source: touchline::domain::suppression::SuppressionSource::Operator,
        evidence: Some("called on Tuesday".to_owned()),
        who: touchline::domain::Actor::operator("dana"),
        because: None,
        expires_ms: None,
    };
    consent::suppress(&stage.gateway.consent(), &refusal).await.expect("recorded");
}

/// Makes one delivered message look as it would had the connection broken: the sandbox always tells the truth in time.
async fn in_doubt(stage: &Stage, messages: impl Iterator<Item = MessageId>) -> MessageId {
    let mut tx = stage.gateway.store.write().await.expect("a database");
    for id in messages {
        let mut message = tx.message(id, true).await.expect("read").expect("there");
        let last = tx.attempts_of(id).await.expect("read").pop();
        let (Some(last), Channel::Email) = (last, message.channel()) else { continue };
        let doubt = Attempt {
            id: AttemptId::new(),
            number: last.number + 1,
            status: AttemptStatus::InDoubt,
            provider_reference: None,
            ..last
        };
        tx.attempts_insert(std::slice::from_ref(&doubt)).await.expect("stored");
        message.status = MessageStatus::InDoubt;
        message.reason = Some(touchline::domain::PolicyReason::OutcomeUnknown.into());
        (message.settled_ms, message.confidence) = (None, None);
        tx.message_update(&message).await.expect("stored");
        tx.commit().await.expect("committed");
        return id;
    }
    panic!("no email was sent");
}

/// Makes a broadcast look as if too much of it had come back: it has paused itself, and one of its letters is held.
async fn pause(stage: &Stage, broadcast: BroadcastId, messages: impl Iterator<Item = MessageId>) {
    let mut tx = stage.gateway.store.write().await.expect("a database");
    for id in messages {
        let mut message = tx.message(id, true).await.expect("read").expect("there");
        if (message.status, message.channel()) == (MessageStatus::Delivered, Channel::Email) {
            message.status = MessageStatus::Held;
            message.reason = Some(touchline::domain::PolicyReason::BroadcastPaused.into());
            (message.settled_ms, message.confidence) = (None, None);
            tx.message_update(&message).await.expect("stored");
            break;
        }
    }
    let why = "7 of 40 emails went to addresses that are bad";
    assert!(tx.broadcast_pause(broadcast, why, stage.gateway.clock.now()).await.expect("paused"));
    tx.broadcast_reopen(broadcast).await.expect("open");
    tx.commit().await.expect("committed");
}

async fn campaign(stage: &Stage, variables: Value) -> String {
    let plan = touchline::campaign::NewCampaign {
        name: "Monthly update, north shore".to_owned(),
        letter: "capacity-update".to_owned(),
        to: "tag:north-shore".parse().expect("an audience"),
        via: vec![Channel::Fax, Channel::Email],
        variables: variables.as_object().cloned().expect("an object"),
        every: "first tuesday 09:00".to_owned(),
        zone: chrono_tz::America::Chicago,
        who: touchline::domain::Actor::operator("dana"),
    };
    let made = touchline::campaign::add(&stage.intake, plan).await.expect("a campaign");
    format!("/campaigns/{}", made.campaign.id)
}
