//! Forms that are refused: the page comes again with what was filled in, says what is wrong beside the field, and nothing is
//! changed. So it is when a session has ended in between.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::StatusCode;
use reqwest::header::LOCATION;
use touchline::access;
use touchline::domain::Actor;
use touchline::domain::referrer::Referrer;
use touchline::referrers::audience;

use super::stage::{OPERATOR, Stage};
use super::visitor::Visitor;
use super::{calling, campaigning};

/// A password that is long enough.
const PASSWORD: &str = "a long walk by the river";

/// A form: the page it stands on, where it goes, what is filled in, the field that is wrong, and what must still stand there.
type Case = (String, String, Vec<(&'static str, String)>, &'static str, &'static str);

fn case(page: &str, action: &str, fields: &[(&'static str, &str)], wrong: &'static str, kept: &'static str) -> Case {
    let fields = fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    (page.to_owned(), action.to_owned(), fields, wrong, kept)
}

/// Every form with something to fill in, each with a mistake.
fn cases(referrer: &str, campaign: &str, [failed, waiting]: [&str; 2], ids: [&str; 4]) -> Vec<Case> {
    let long = "x".repeat(600);
    let at = |act: &str| format!("{referrer}/{act}");
    let [basis, suppression, asked, operator] = ids;
    let password = |password, again| [("password", password), ("password_again", again)];
    let added = |name, [one, two]: [(&'static str, &'static str); 2]| [("name", name), one, two];
    let (good, other) = (password(PASSWORD, PASSWORD), password(PASSWORD, "another one, no less long"));
    let edit = [
        ("letter", "capacity-update"),
        ("to", "tag:north-shore"),
        ("fax", "yes"),
        ("zone", "America/Chicago"),
        ("every", "whenever it suits"),
        ("v.treatment", "Kept treatment"),
        ("v.openings", "two"),
        ("v.as_of", "2026-11-23"),
        ("v.start_window", "soon"),
    ];
    let no_channel: Vec<_> = edit.iter().filter(|(name, _)| *name != "fax").copied().collect();
    vec![
        case("/referrers/new", "/referrers/new", &[("last_name", "Kept"), ("fax", "12")], "fax", "value=\"Kept\""),
        case(
            "/referrers/new",
            "/referrers/new",
            &[("last_name", &long), ("city", "Kept")],
            "last_name",
            "value=\"Kept\"",
        ),
        case(referrer, &at("touch"), &[("kind", "visit"), ("title", ""), ("day", "2026-10-05")], "title", "2026-10-05"),
        case(
            referrer,
            &at("touch"),
            &[("kind", "visit"), ("title", "Kept words"), ("day", "2999-01-01")],
            "day",
            "Kept words",
        ),
        case(referrer, &at("details"), &[("tags", "kept"), ("npi", "12")], "npi", "value=\"kept\""),
        case(referrer, &at("details"), &[("city", "Kept City"), ("tags", &"x".repeat(80))], "tags", "Kept City"),
        case(referrer, &at("state"), &[("state", "asleep")], "state", "asks"),
        case(referrer, &at("basis"), &[("kind", "permission"), ("how", ""), ("note", "Kept note")], "how", "Kept note"),
        case(referrer, &at("basis"), &[("kind", "ebr"), ("how", "Kept way")], "number_source", "Kept way"),
        case(referrer, &format!("{referrer}/basis/{basis}"), &[("why", "")], "why", "wrong"),
        case(
            referrer,
            &at("suppress"),
            &[("channel", "fax"), ("scope", "all"), ("evidence", &long)],
            "evidence",
            "value=\"all\" selected",
        ),
        case(referrer, &at("merge"), &[("other", "Nobody At All")], "other", "value=\"Nobody At All\""),
        case(referrer, &at("delete"), &[("why", &long)], "why", "xxxx"),
        case(
            "/suppressions",
            "/suppressions",
            &[("address", "12"), ("scope", "all"), ("evidence", "Kept call")],
            "address",
            "Kept call",
        ),
        case("/suppressions", &format!("/suppressions/{suppression}/lift"), &[("why", "")], "why", "wrong"),
        case("/operators", "/operators", &added(OPERATOR.0, good), "name", "value=\"dana\""),
        case("/operators", "/operators", &added("unknown", good), "name", "value=\"unknown\""),
        case("/operators", "/operators", &added("Kept", other), "password_again", "value=\"Kept\""),
        case("/operators", "/operators", &added("Kept", password("short", "short")), "password", "value=\"Kept\""),
        case(
            "/operators",
            &format!("/operators/{operator}/password"),
            &password("short", "short"),
            "password",
            "wrong",
        ),
        case("/operators", &format!("/operators/{operator}/remove"), &[], "sure", "wrong"),
        case("/providers", "/providers", &[("name", "fax-sandbox"), ("act", "pause"), ("why", &long)], "why", "xxxx"),
        case(
            failed,
            &format!("{failed}/correct"),
            &[("address", "12"), ("permission", "yes")],
            "address",
            "value=\"yes\" checked",
        ),
        case(waiting, &format!("{waiting}/permit"), &[("how", &long)], "how", "xxxx"),
        case(campaign, &format!("{campaign}/edit"), &edit, "every", "Kept treatment"),
        case(campaign, &format!("{campaign}/edit"), &no_channel, "fax", "Kept treatment"),
        case(campaign, &format!("{campaign}/rename"), &[("to", &long)], "to", "xxxx"),
        case(campaign, &format!("{campaign}/remove"), &[], "sure", "wrong"),
        case(
            "/calls/permission",
            &format!("/calls/permission/{asked}"),
            &[("who", &long), ("answer", "agreed")],
            "who",
            "xxxx",
        ),
        case(
            "/calls/number",
            &format!("/calls/number/{}", &failed_referrer(referrer)),
            &[("number", "12"), ("answer", "corrected")],
            "number",
            "value=\"12\"",
        ),
    ]
}

fn failed_referrer(referrer: &str) -> String {
    referrer.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The id of an operator who is not the one logged in.
async fn another_operator(stage: &Stage) -> String {
    let parts = stage.gateway.access();
    access::add_operator(&parts, "sam", PASSWORD, &Actor::operator(OPERATOR.0)).await.expect("added");
    let all = access::operators(&parts).await.expect("read");
    all.iter().find(|one| one.name == "sam").expect("added").id.to_string()
}

async fn one(stage: &Stage, name: &str) -> Referrer {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    audience::one(&mut tx, name).await.expect("in the sample list")
}

/// What was recorded, to see that nothing is.
async fn acts(stage: &Stage) -> usize {
    stage.gateway.store.read().await.expect("a database").audit_page(&[], 0, 1000).await.expect("read").len()
}

/// The part of a page around the field, from its name to what is said about it.
fn is_beside(page: &str, field: &str) -> bool {
    let Some(place) = page.find("id=\"wrong\"") else { return false };
    let marked = page.find("aria-invalid=\"true\"");
    let named = page[..place].rfind(&format!("name=\"{field}\""));
    // A group of choices has no mark of its own.
    named.is_some() && (marked.is_some_and(|marked| marked < place) || field == "state")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_form_comes_again_with_its_input_and_the_mistake_beside_the_field() {
    let stage = Stage::set_idle().await;
    let scene = calling::scene(&stage).await;
    let referrer = format!("/referrers/{}", scene.wrong.id);
    let campaign = campaigning::planned(&stage).await;
    let pages = [format!("/messages/{}", scene.wrong_message), format!("/messages/{}", scene.unasked_message)];
    let sam = another_operator(&stage).await;
    let ids = [scene.basis.to_string(), scene.suppression.to_string(), scene.unasked.id.to_string(), sam];
    let mut operator = Visitor::operator(&stage).await;
    let before = acts(&stage).await;
    let pages = [pages[0].as_str(), pages[1].as_str()];
    let cases = cases(&referrer, &campaign, pages, ids.each_ref().map(String::as_str));
    for (page, action, fields, wrong, kept) in cases {
        let key = operator.form_key.clone();
        let mut all = vec![("form_key", key.as_str()), ("page", page.as_str())];
        all.extend(fields.iter().map(|(name, text)| (*name, text.as_str())));
        let answer = operator.send(&action, &all).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{action} {fields:?}");
        let text = answer.text().await.expect("text");
        assert!(text.contains("role=\"alert\"") && text.contains("Nothing was saved"), "{action}: {text}");
        assert!(is_beside(&text, wrong), "{action}: nothing stands beside `{wrong}`: {text}");
        assert!(kept == "asks" || text.contains(kept), "{action}: `{kept}` is lost: {text}");
        assert!(!text.contains(PASSWORD), "{action}: a password is sent back");
        assert_eq!(text.matches("id=\"wrong\"").count(), 1, "{action}: it stands in one place");
    }
    assert_eq!(acts(&stage).await, before, "nothing was done");
    let page = operator.get("/referrers/addresses?since=soon&until=2026-11-01").await;
    assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = page.text().await.expect("text");
    assert!(is_beside(&text, "since") && text.contains("value=\"2026-11-01\""), "{text}");
    stage.strike().await;
}

#[test]
fn every_form_with_something_to_fill_in_is_in_the_table() {
    let cases = cases(
        "/referrers/{{ id }}",
        "{{ link }}",
        ["/messages/{{ id }}", "/messages/{{ id }}"],
        ["{{ basis.id }}", "{{ row.refusal.id }}", "{{ row.id }}", "{{ row.id }}"],
    );
    let mut known: BTreeSet<String> = cases.into_iter().map(|(_, action, ..)| action).collect();
    known.extend(
        ["/suppressions/{{ refusal.id }}/lift", "{{ sheet }}/{{ row.id }}", "/login", "/referrers"].map(str::to_owned),
    );
    // `dashboard::returns` tries it, because it takes a return.
    known.insert("/returns/{{ id }}/letter".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/pages");
    for file in std::fs::read_dir(folder).expect("a folder").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a page");
        for form in text.split("<form method=\"post\" action=\"").skip(1) {
            let (action, rest) = form.split_once('"').expect("an address");
            let body = rest.split("</form>").next().expect("a form");
            let has_field = body.contains("<input id=")
                || body.contains("<textarea")
                || body.contains("<select")
                || body.contains("type=\"radio\"");
            assert!(!has_field || known.contains(action), "{}: {action}", file.path().display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_filled_in_is_shown_again_after_a_session_that_had_ended() {
    let stage = Stage::set_idle().await;
    let referrer = one(&stage, "Amara Whitfield").await;
    let page = format!("/referrers/{}", referrer.id);
    let action = format!("{page}/touch");
    let mut operator = Visitor::operator(&stage).await;
    let before = acts(&stage).await;
    operator.forget_session();
    let sent = operator
        .send(&action, &[("form_key", "old"), ("page", &page), ("kind", "visit"), ("title", "Kept & \"whole\"")])
        .await;
    assert_eq!(sent.status(), StatusCode::UNAUTHORIZED);
    let login = sent.text().await.expect("text");
    assert!(login.contains("Your session has ended") && login.contains("what you entered is shown again"), "{login}");
    let kept = hidden(&login, "kept");
    assert!(!kept.contains("old"), "a key is not kept");

    let wrong = operator
        .send(
            "/login",
            &[("name", OPERATOR.0), ("password", "wrong"), ("next", &page), ("action", &action), ("kept", &kept)],
        )
        .await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(hidden(&wrong.text().await.expect("text"), "kept"), kept, "a wrong password loses nothing");
    let back = operator
        .send(
            "/login",
            &[("name", OPERATOR.0), ("password", OPERATOR.1), ("next", &page), ("action", &action), ("kept", &kept)],
        )
        .await;
    assert_eq!(back.status(), StatusCode::OK);
    let shown = back.text().await.expect("text");
    assert!(
        shown.contains("value=\"Kept &#38; &#34;whole&#34;\"") && shown.contains("value=\"visit\" selected"),
        "{shown}"
    );
    assert!(shown.contains("Your session had ended, so nothing was saved yet"), "{shown}");
    let touches = stage.gateway.store.read().await.expect("tx").touches_of(referrer.id, 9).await.expect("read");
    assert!(touches.is_empty() && acts(&stage).await > before, "logging in is all that was done");
    stage.strike().await;
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split('"').next().expect("a value").replace("&#38;", "&").replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_logged_out_by_time_is_told_so_and_led_back() {
    let stage = Stage::set_idle().await;
    let mut operator = Visitor::operator(&stage).await;
    operator.forget_session();
    let sent = operator.get("/failures?reason=busy").await;
    let place = sent.headers()[LOCATION].to_str().expect("a place").to_owned();
    assert!(place.contains("ended=yes") && place.contains("%2Ffailures%3Freason%3Dbusy"), "{place}");
    assert!(operator.read(&place).await.contains("Your session has ended. Log in to go on where you were."));
    let stranger = Visitor::stranger(&stage);
    let place = stranger.get("/failures").await.headers()[LOCATION].to_str().expect("a place").to_owned();
    assert!(!place.contains("ended"), "{place}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_site_is_not_shown_with_what_that_site_filled_in() {
    let stage = Stage::set_idle().await;
    let mut operator = Visitor::operator(&stage).await;
    let fields = [("form_key", "guessed"), ("page", "/suppressions"), ("address", "planted@example.org")];
    let answer = operator.send_from("cross-site", "/suppressions", &fields).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.text().await.expect("text").contains("planted"));
    for elsewhere in ["https://evil.example/", "//evil.example", "/assets/touchline.css", "/messages/nothing"] {
        let answer = operator.submit_refused("/suppressions", &[("page", elsewhere), ("address", "planted")]).await;
        assert!(!answer.contains("planted"), "{elsewhere}");
    }
    stage.strike().await;
}
