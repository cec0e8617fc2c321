//! Operators: one lets another log in and ends it again, in the browser, and nobody can shut everybody out.

use reqwest::StatusCode;
use reqwest::header::LOCATION;
use touchline::access::{self, AccessError};
use touchline::domain::id::OperatorId;

use super::stage::{OPERATOR, Stage};
use super::visitor::Visitor;

/// The space around the password is part of it.
const SAM: (&str, &str) = ("sam", " a long walk by the river ");
const OTHER_PASSWORD: &str = "a short walk by the river";

fn filled_in(name: &'static str, password: &'static str) -> [(&'static str, &'static str); 4] {
    [("page", "/operators"), ("name", name), ("password", password), ("password_again", password)]
}

async fn id_of(stage: &Stage, name: &str) -> OperatorId {
    let all = access::operators(&stage.gateway.access()).await.expect("read");
    all.iter().find(|one| one.name == name).expect("known").id
}

/// Whether somebody is sent to the login page.
async fn is_logged_out(visitor: &Visitor) -> bool {
    let answer = visitor.get("/operators").await;
    let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
    answer.status() == StatusCode::SEE_OTHER && place.is_some_and(|place| place.starts_with("/login"))
}

/// Whether a log-in is turned away.
async fn is_turned_away(stage: &Stage, password: &str) -> bool {
    let answer = Visitor::stranger(stage).send("/login", &[("name", SAM.0), ("password", password)]).await;
    answer.status() == StatusCode::UNAUTHORIZED
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_added_disabled_and_removed_and_every_session_of_theirs_ends() {
    let stage = Stage::set_idle().await;
    let mut dana = Visitor::operator(&stage).await;
    let next = dana.submit("/operators", &filled_in(SAM.0, SAM.1)).await;
    let page = dana.read(&next).await;
    assert!(page.contains("The operator is added and can log in now.") && page.contains(">sam<"), "{page}");
    let twice = dana.submit_refused("/operators", &filled_in(SAM.0, OTHER_PASSWORD)).await;
    assert!(twice.contains("There is an operator of that name already."), "{twice}");
    assert!(twice.contains("value=\"sam\"") && !twice.contains(OTHER_PASSWORD), "{twice}");

    let of_sam = format!("/operators/{}", id_of(&stage, SAM.0).await);
    let sam = Visitor::logged_in(&stage, SAM.0, SAM.1).await;
    assert!(!is_logged_out(&sam).await);
    assert!(dana.read("/operators").await.matches("not in the last 30 days").count() == 0, "both have logged in");
    let next = dana.submit(&format!("{of_sam}/disable"), &[]).await;
    assert!(dana.read(&next).await.contains("They can no longer log in"));
    assert!(is_logged_out(&sam).await && is_turned_away(&stage, SAM.1).await);
    dana.submit(&format!("{of_sam}/enable"), &[]).await;
    assert!(is_logged_out(&sam).await, "the old session stays ended");

    let sam = Visitor::logged_in(&stage, SAM.0, SAM.1).await;
    let password = [("password", OTHER_PASSWORD), ("password_again", OTHER_PASSWORD)];
    dana.submit(&format!("{of_sam}/password"), &password).await;
    assert!(is_logged_out(&sam).await && is_turned_away(&stage, SAM.1).await);

    let sam = Visitor::logged_in(&stage, SAM.0, OTHER_PASSWORD).await;
    let remove = format!("{of_sam}/remove");
    let unsure = dana.submit_refused(&remove, &[("page", "/operators")]).await;
    assert!(unsure.contains("Please check the box") && !is_logged_out(&sam).await, "{unsure}");
    let next = dana.submit(&remove, &[("sure", "yes")]).await;
    let page = dana.read(&next).await;
    assert!(page.contains("The operator is removed.") && !page.contains(">sam<"), "{page}");
    assert!(is_logged_out(&sam).await && is_turned_away(&stage, OTHER_PASSWORD).await);
    let key = dana.form_key.clone();
    let gone = dana.send(&remove, &[("form_key", &key), ("sure", "yes")]).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);

    let lines = stage.gateway.store.read().await.expect("a database").audit_page(&[], 0, 100).await.expect("read");
    let of_sam = lines.iter().rev().filter(|line| line.subject.as_deref() == Some(SAM.0));
    let by_dana = of_sam.filter(|line| line.who.to_string() == "operator:dana");
    let acts: Vec<&str> = by_dana.map(|line| line.action.as_str()).collect();
    assert_eq!(acts, ["set_operator", "disable_operator", "enable_operator", "set_password", "remove_operator"]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_disables_or_removes_themselves_and_a_disabled_operator_can_do_nothing_more() {
    let stage = Stage::set_idle().await;
    let mut dana = Visitor::operator(&stage).await;
    let own = id_of(&stage, OPERATOR.0).await;
    let page = dana.read("/operators").await;
    for act in ["disable", "remove"] {
        let path = format!("/operators/{own}/{act}");
        assert!(!page.contains(&path), "there is no such button");
        let refused = dana.submit_refused(&path, &[("page", "/operators"), ("sure", "yes")]).await;
        assert!(refused.contains("You cannot disable or remove yourself: another operator can."), "{refused}");
    }
    dana.submit("/operators", &filled_in(SAM.0, SAM.1)).await;
    let mut sam = Visitor::logged_in(&stage, SAM.0, SAM.1).await;
    sam.submit(&format!("/operators/{own}/disable"), &[]).await;
    let parts = stage.gateway.access();
    let of_sam = id_of(&stage, SAM.0).await;
    for late in [
        access::disable_other(&parts, of_sam, OPERATOR.0).await,
        access::remove_other(&parts, of_sam, OPERATOR.0).await,
        access::disable_other(&parts, of_sam, SAM.0).await,
    ] {
        assert!(matches!(late, Err(AccessError::Invalid(_))), "{late:?}");
    }
    assert!(!is_logged_out(&sam).await && is_logged_out(&dana).await, "one of them can still log in");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_typed_after_the_session_had_ended_is_not_sent_back() {
    let stage = Stage::set_idle().await;
    let mut dana = Visitor::operator(&stage).await;
    dana.forget_session();
    let answer = dana.send("/operators", &filled_in(SAM.0, OTHER_PASSWORD)).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let login = answer.text().await.expect("text");
    assert!(login.contains("name=sam"), "the name is kept: {login}");
    assert!(!login.contains("short+walk") && !login.contains(OTHER_PASSWORD), "{login}");
    stage.strike().await;
}
