//! An id in a path belongs to what stands before it: nothing is done to, or shown of, what belongs to somebody else.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::StatusCode;
use touchline::domain::basis::Basis;
use touchline::domain::campaign::CampaignState;
use touchline::domain::id::{CampaignId, LocationId, ReferrerId};
use touchline::domain::referrer::{Location, Place, Referrer, ReferrerType};
use touchline::domain::{Actor, FaxNumber};
use touchline::referrers::merge::merge;
use touchline::store::records::campaigns::CampaignRow;

use super::stage::Stage;
use super::visitor::Visitor;
use crate::web::house::permission;

/// Every route with two names in its path, and whether the second is the id of something that belongs to the first.
const ROUTES: [(&str, bool); 8] = [
    ("/messages/{id}/page/{file}", false),
    ("/referrers/{id}/merges/{merge}/undo", true),
    ("/referrers/{id}/locations/{location}", true),
    ("/referrers/{id}/basis/{basis}", true),
    ("/campaigns/{id}/first-page/{file}", true),
    ("/api/v1/messages/{id}/{act}", false),
    ("/api/v1/conflicts/{id}/{choice}", false),
    ("/hooks/{provider}/{secret}", false),
];

/// The routes in the source.
fn routes_with_two_names() -> BTreeSet<String> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
    let mut found = BTreeSet::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let routes = text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(routes.filter(|route| route.matches('{').count() > 1).map(str::to_owned));
    }
    found
}

#[test]
fn every_route_with_two_names_is_known_to_this_test() {
    let known: BTreeSet<String> = ROUTES.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(routes_with_two_names(), known);
}

/// Two referrers: one with nothing, one with a basis, a location and a merge.
struct Pair {
    without: ReferrerId,
    with: ReferrerId,
    basis: Basis,
    location: Location,
    merge: String,
    campaign: CampaignId,
}

async fn pair(stage: &Stage) -> Pair {
    let now = stage.gateway.clock.now();
    let person = |first: &str, fax: Option<&str>, tag: &str| Referrer {
        first_name: Some(first.to_owned()),
        last_name: Some("Okonkwo".to_owned()),
        fax: fax.and_then(|fax| FaxNumber::parse(fax).ok()),
        tags: vec![tag.to_owned()],
        ..Referrer::new(ReferrerType::Psychiatrist, now)
    };
    let without = person("Ada", Some("(312) 555-0171"), "outer");
    let with = person("Bela", Some("(312) 555-0172"), "inner");
    let gone = person("Bella", None, "inner");
    let basis = permission(with.fax.clone().expect("a number"), now);
    let location = Location {
        id: LocationId::new(),
        referrer_id: with.id,
        organization: Some("Hill Clinic".to_owned()),
        place: Place::default(),
        email: None,
        fax: None,
        phone: None,
        source: None,
        created_ms: now,
        updated_ms: now,
    };
    let row = campaign(now);
    let mut tx = stage.gateway.store.write().await.expect("a database");
    for one in [&without, &with, &gone] {
        tx.referrer_put(one).await.expect("kept");
    }
    tx.basis_insert(&basis).await.expect("kept");
    tx.location_put(&location).await.expect("kept");
    tx.campaign_insert(&row).await.expect("kept");
    tx.commit().await.expect("committed");
    let merged = merge(&stage.gateway.referrers(), with.id, gone.id, &Actor::operator("dana")).await.expect("merged");
    Pair { without: without.id, with: with.id, basis, location, merge: merged.merge.to_string(), campaign: row.id }
}

fn campaign(now: touchline::domain::Timestamp) -> CampaignRow {
    CampaignRow {
        id: CampaignId::new(),
        name: "inner".to_owned(),
        letter: "capacity-update".to_owned(),
        variables: r#"{"treatment":"TMS","openings":"two","as_of":"2026-11-23","start_window":"two weeks"}"#.to_owned(),
        dated: "{}".to_owned(),
        audience: "tag:inner".to_owned(),
        channels: "fax".to_owned(),
        schedule: "first tuesday 09:00".to_owned(),
        zone: "America/Chicago".to_owned(),
        state: CampaignState::Paused,
        next_ms: None,
        runs: 0,
        waiting_ms: None,
        who: Actor::operator("dana"),
        created_ms: now,
        updated_ms: now,
        removed_ms: None,
    }
}

/// What stands of all that belongs to the second referrer.
async fn standing(stage: &Stage, pair: &Pair) -> (bool, usize, bool) {
    let mut tx = stage.gateway.store.read().await.expect("a database");
    let bases = tx.basis_of(&pair.basis.fax).await.expect("read");
    let locations = tx.locations_of(&[pair.with]).await.expect("read");
    let merges = tx.merges_of(pair.with).await.expect("read");
    (bases.iter().any(|one| one.ended_ms.is_none()), locations.len(), merges.iter().any(|one| one.undone_ms.is_none()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_to_another_is_neither_changed_nor_shown() {
    let stage = Stage::set_idle().await;
    let pair = pair(&stage).await;
    let mut operator = Visitor::operator(&stage).await;
    let before = standing(&stage, &pair).await;
    assert_eq!((before.0, before.2), (true, true));
    let acts = |id: ReferrerId| {
        [
            format!("/referrers/{id}/basis/{}", pair.basis.id),
            format!("/referrers/{id}/locations/{}", pair.location.id),
            format!("/referrers/{id}/merges/{}/undo", pair.merge),
        ]
    };
    for path in acts(pair.without) {
        let key = operator.form_key.clone();
        let answer = operator.send(&path, &[("form_key", &key), ("why", "a mistake")]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(standing(&stage, &pair).await, before, "{path}");
    }
    let picture = |id: ReferrerId| format!("/campaigns/{}/first-page/{id}.png", pair.campaign);
    assert_eq!(operator.get(&picture(pair.without)).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(operator.get(&picture(pair.with)).await.status(), StatusCode::OK, "this one is of the audience");
    for path in acts(pair.with) {
        let place = operator.submit(&path, &[("why", "a mistake")]).await;
        assert!(!place.contains("not_possible"), "{path}: {place}");
    }
    let after = standing(&stage, &pair).await;
    assert_eq!((after.0, after.2), (false, false));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pages_address_that_cannot_be_read_gets_a_page() {
    let stage = Stage::set_idle().await;
    let operator = Visitor::operator(&stage).await;
    for path in ["/failures?reason=busy&reason=busy", "/referrers?after=a&after=b", "/messages?before=a&before=b"] {
        let answer = operator.get(path).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(answer.headers()["content-type"].to_str().expect("text").starts_with("text/html"), "{path}");
    }
    stage.strike().await;
}
