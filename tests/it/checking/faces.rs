//! The email setup on the screen and in the API: what was found with the record to publish, and a broadcast that is refused before it
//! starts, with the reason.

use reqwest::StatusCode;
use serde_json::{Value, json};
use touchline::access::{Scope, create_token};
use touchline::config::Config;
use touchline::domain::{Actor, Channel};
use touchline::referrers::{import, sheet};

use crate::dashboard::stage::Stage;
use crate::dashboard::visitor::Visitor;
use crate::support::stub_dns::StubDns;

const DOMAIN: &str = "lakeside-psychiatry.example";
const DMARC: &str = "_dmarc.lakeside-psychiatry.example";

/// A practice whose letters leave this machine, and whose name server is in this process.
async fn practice(dns: &StubDns) -> Stage {
    let server = dns.address();
    let configure = move |config: &mut Config| {
        config.dns.server = Some(server);
        let relay = config.providers.get_mut("mail-sandbox").expect("an account of the demo");
        for (key, value) in [("host", "mail.relay.example"), ("tls", "required")] {
            relay.settings.insert(key.to_owned(), toml::Value::String(value.to_owned()));
        }
        relay.settings.insert("port".to_owned(), toml::Value::Integer(587));
    };
    Stage::set_idle_configured(configure).await
}

/// So many referrers with an email address that mail to all of them is mail to many.
async fn import_many(stage: &Stage) {
    let mut list = "first_name,last_name,credentials,type,email\n".to_owned();
    for number in 0..50 {
        list.push_str(&format!("Dana,Referrer{number},MD,psychiatrist,dana{number}@referrers{number}.example\n"));
    }
    let list = sheet::read(list.as_bytes(), &[]).expect("a list");
    import::import(&stage.gateway.referrers(), &list, &Actor::operator("dana"), &import::ImportOptions::default())
        .await
        .expect("imported");
}

async fn token(stage: &Stage, scopes: &[Scope]) -> String {
    create_token(&stage.gateway.access(), "integrator", scopes, &Actor::operator("test")).await.expect("a token")
}

/// The status and the body of an answer of the API.
async fn post(stage: &Stage, path: &str, token: &str, body: Option<Value>) -> (StatusCode, Value) {
    let http = touchline::http::client().expect("a client");
    let request = http.post(format!("{}{path}", stage.address)).bearer_auth(token);
    let request = body.iter().fold(request, |request, body| request.json(body));
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_that_large_receivers_would_refuse_is_refused_by_the_api_and_the_screen_with_the_reason() {
    let dns = StubDns::start(&[]);
    let stage = practice(&dns).await;
    let plan = touchline::campaign::NewCampaign {
        name: "Monthly update".to_owned(),
        letter: "introduction".to_owned(),
        to: "all".parse().expect("an audience"),
        via: vec![Channel::Email],
        variables: serde_json::Map::new(),
        every: "first tuesday 09:00".to_owned(),
        zone: chrono_tz::America::Chicago,
        who: Actor::operator("dana"),
    };
    // It is planned while it reaches few; a plan that reaches many would be refused as well.
    let campaign = touchline::campaign::add(&stage.intake, plan).await.expect("a campaign").campaign.id;
    import_many(&stage).await;

    let body = json!({ "letter": "introduction", "to": "all", "via": ["email"] });
    let token = token(&stage, &[Scope::Send]).await;
    let (status, problem) = post(&stage, "/api/v1/messages", &token, Some(body)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("no DMARC record") && detail.contains("large receivers"), "{detail}");

    let mut operator = Visitor::operator(&stage).await;
    let run = format!("/campaigns/{campaign}/run");
    let page = operator.read(&run).await;
    for part in ["Nothing would be sent", "no DMARC record", "href=\"/providers/email-setup\""] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert!(!page.contains("<button type=\"submit\">Send to"), "there is no button that sends: {page}");
    let refused = operator.submit_refused(&run, &[("mark", "any"), ("page", run.as_str())]).await;
    assert!(refused.contains("no DMARC record"), "{refused}");
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let ledger = tx.ledger(touchline::store::views::ledger::LedgerOf::Everything).await.expect("read");
    assert_eq!(ledger.total, 0, "nothing was begun");
    drop(tx);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_email_setup_is_checked_by_a_button_and_the_result_stays_with_its_time_and_its_record() {
    let dns = StubDns::start(&[]);
    let stage = practice(&dns).await;
    let mut operator = Visitor::operator(&stage).await;
    let place = "/providers/email-setup";
    let page = operator.read(place).await;
    assert!(page.contains("Nobody has checked it") && dns.asked() == 0, "looking at the page asks nothing: {page}");
    assert_eq!(operator.submit(place, &[]).await, format!("{place}?done=email_setup_checked"));
    let page = operator.read(place).await;
    let record = format!("<pre class=\"copy\">{DMARC}</pre>");
    for part in
        ["last checked", "has no DMARC record", record.as_str(), "v=DMARC1; p=none", "Postal address", "Opt-out link"]
    {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let providers = operator.read("/providers").await;
    assert!(providers.contains("needs work") && providers.contains("See what was found"), "{providers}");
    let asked = dns.asked();
    operator.read(place).await;
    assert_eq!(dns.asked(), asked, "the last look is shown");

    let token = token(&stage, &[Scope::Read, Scope::Operate]).await;
    dns.publish(&[(DMARC, "TXT v=DMARC1; p=quarantine"), (DOMAIN, "TXT v=spf1 a:mail.relay.example ~all")]);
    let (status, look) = post(&stage, "/api/v1/mail-setup", &token, None).await;
    assert_eq!(status, StatusCode::OK, "{look}");
    let findings = look["findings"].as_array().expect("a list");
    let dmarc = findings.iter().find(|finding| finding["check"] == "dmarc").expect("a finding");
    assert_eq!((&dmarc["grade"], &dmarc["publish"]), (&json!("ok"), &json!([])), "{dmarc}");
    assert!(!operator.read(place).await.contains("has no DMARC record"), "the page shows the new look");
    stage.strike().await;
}
