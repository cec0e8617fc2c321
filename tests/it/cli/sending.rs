//! Sending: what would happen is shown first, policy is explained, and an operator's acts do what they say.

use serde_json::Value;

use super::house::House;

/// A fax number of a referrer in the sample list for whom no basis is recorded.
const BIELAK_FAX: &str = "(312) 555-0103";

fn fax_verdict(house: &House) -> (String, Value) {
    let dry = house.ask(&["send", "introduction", "--to=Bielak", "--via=fax", "--dry-run"]);
    let message = dry["messages"][0].clone();
    (message["status"].as_str().expect("a status").to_owned(), message)
}

/// Both of a referrer's numbers look alike in the list; this is the one that is faxed.
fn fax_of(house: &House, name: &str) -> String {
    let shown = house.ask(&["referrers", "show", name]);
    shown["referrer"]["fax"].as_str().expect("a number").to_owned()
}

#[test]
fn an_advertisement_is_faxed_only_once_a_basis_is_recorded_and_never_after_a_refusal() {
    let house = House::with_referrers();
    assert_eq!(fax_of(&house, "Bielak"), "+13125550103");
    let (status, message) = fax_verdict(&house);
    assert_eq!((status.as_str(), &message["reason"]), ("suppressed", &"no_basis".into()));
    let said = house.run(&["send", "introduction", "--to=Bielak", "--via=fax", "--dry-run"]).good().out;
    assert!(said.contains("1 suppressed") && said.contains("touchline basis add"), "{said}");
    assert_eq!(house.ask(&["failures"])["causes"].as_array().map(Vec::len), Some(0), "a dry run stores nothing");

    let basis = ["basis", "add", BIELAK_FAX, "--kind=ebr", "--obtained-on=2026-11-02", "--how=asked by telephone"];
    assert_eq!(house.ask(&basis)["sufficient"], false, "a relationship needs the number's origin");
    assert_eq!(fax_verdict(&house).0, "suppressed");
    let origin = [&basis[..], &["--number-source=given-by-recipient"]].concat();
    assert_eq!(house.ask(&origin)["sufficient"], true);
    assert_eq!(fax_verdict(&house).0, "queued");
    assert_eq!(house.ask(&["basis", "list", BIELAK_FAX])["bases"].as_array().map(Vec::len), Some(2));

    house.run(&["suppress", BIELAK_FAX, "--reason=asked us to stop"]).good();
    let (status, message) = fax_verdict(&house);
    assert_eq!((status.as_str(), &message["reason"]), ("suppressed", &"opted_out".into()));
    let list = house.ask(&["suppress", "list"]);
    let id = list["suppressions"][0]["id"].as_str().expect("an id").to_owned();
    house.run(&["suppress", "lift", &id, "--reason=asked again in writing"]).good();
    assert_eq!(fax_verdict(&house).1["reason"], "no_basis", "an opt-out ended the relationship too");
    assert_eq!(house.run(&["suppress", "lift", &id, "--reason=again"]).code, 4);
}

#[test]
fn a_basis_cannot_lie_in_the_future_and_an_address_must_be_one() {
    let house = House::new();
    let future = ["basis", "add", BIELAK_FAX, "--kind=permission", "--obtained-on=2999-01-01", "--how=x"];
    assert_eq!(house.run(&future).code, 5);
    assert_eq!(house.run(&["suppress", "not an address"]).code, 5);
    assert_eq!(house.run(&["basis", "list", "911"]).code, 2);
}

#[test]
fn what_cannot_be_sent_at_all_is_refused() {
    let house = House::with_referrers();
    let refused = house.run(&["send", "introduction", "--to=Bielak", "--via=fax"]);
    assert_eq!((refused.code, refused.out.contains("recorded permission")), (5, true), "{refused:?}");
    let failures = house.ask(&["failures", "--reason=no_basis"]);
    assert_eq!(
        (&failures["causes"][0]["messages"], &failures["messages"][0]["letter"]),
        (&1.into(), &"introduction".into())
    );
    assert!(failures["causes"][0]["advice"].as_str().expect("advice").contains("basis add"));
    assert_eq!(house.ask(&["failures", "--reason=busy"])["causes"].as_array().map(Vec::len), Some(0));
    let incomplete = house.run(&["send", "lunch-and-learn", "--to=tag:north-shore"]);
    assert_eq!((incomplete.code, incomplete.err.contains("Whitfield")), (5, true), "{incomplete:?}");
    assert_eq!(house.run(&["send", "introduction", "--to=Bielak", "--at=tomorrow"]).code, 2);
    assert_eq!(house.run(&["send", "introduction", "--to=Bielak", "--at=2026-12-01 09:00", "--wait"]).code, 2);
}

#[test]
fn an_operators_acts_move_a_message_and_are_refused_where_they_make_no_sense() {
    let house = House::with_referrers();
    let sent = house.ask(&["send", "introduction", "--to=Whitfield", "--via=email", "--at=2099-12-01 09:00"]);
    let id = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    let status = || house.ask(&["status", &id])["status"].as_str().expect("a status").to_owned();
    assert_eq!(status(), "queued");
    for (act, after) in [("hold", "held"), ("release", "queued"), ("cancel", "cancelled"), ("retry", "queued")] {
        house.run(&[act, &id]).good();
        assert_eq!(status(), after, "{act}");
    }
    let wrong = house.run(&["release", &id]);
    assert_eq!((wrong.code, wrong.err.contains("only a message on hold")), (5, true), "{wrong:?}");
    assert_eq!(house.run(&["resolve", &id, "--sent"]).code, 5, "it is not in doubt");
    assert_eq!(house.run(&["resolve", &id]).code, 2);
    let nobody = "01890000-0000-7000-8000-000000000000";
    let both = house.run(&["hold", &id, nobody, "--json"]);
    assert_eq!((both.code, status().as_str()), (4, "held"), "one that is unknown does not keep the other: {both:?}");
    assert!(both.json()["messages"][1]["error"].is_string());

    let shown = house.ask(&["status", &id]);
    let kinds: Vec<&str> =
        shown["events"].as_array().expect("events").iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["queued", "held", "released", "cancelled", "retried", "held"]);
    assert!(
        shown["events"].as_array().is_some_and(|events| events.iter().all(|event| event["who"] == "operator:dana"))
    );
    assert!(house.run(&["status", &id]).good().out.contains("touchline release"));
    assert_eq!(house.run(&["status", nobody]).code, 4);
}

#[test]
fn the_same_key_sends_once() {
    let house = House::with_referrers();
    let send = |letter: &str| {
        house.run(&["send", letter, "--to=Whitfield", "--via=email", "--at=2099-12-01 09:00", "--key=monday", "--json"])
    };
    let (first, second) = (send("introduction").good().json(), send("introduction").good().json());
    assert_eq!(first["submission"], second["submission"]);
    assert_eq!(send("meeting-request").code, 5);
    assert_eq!(house.ask(&["touches", "Whitfield"])["touches"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_campaign_is_made_paused_resumed_and_run() {
    let house = House::with_referrers();
    let add =
        ["campaign", "add", "north", "--letter=introduction", "--to=tag:north-shore", "--every=first tuesday 09:00"];
    let dry = house.ask(&[&add[..], &["--dry-run"]].concat());
    assert!(dry["messages"].as_array().is_some_and(|list| !list.is_empty()), "{dry}");
    assert_eq!(house.ask(&["campaign", "list"])["campaigns"].as_array().map(Vec::len), Some(0));
    let made = house.ask(&add);
    assert_eq!((&made["state"], made["next_at"].is_string()), (&"active".into(), true), "{made}");
    assert_eq!(house.run(&add).code, 5, "the name is taken");
    house.run(&["campaign", "pause", "north"]).good();
    assert_eq!(house.run(&["campaign", "pause", "north"]).code, 5);
    house.run(&["campaign", "resume", "north"]).good();
    let ran = house.ask(&["campaign", "run", "north", "--yes"]);
    assert_eq!(ran["messages"].as_array().map(Vec::len), dry["messages"].as_array().map(Vec::len));
    let shown = house.ask(&["campaign", "show", "north"]);
    assert_eq!(
        shown["ledgers"][0]["total"].as_u64().map(|total| total as usize),
        ran["messages"].as_array().map(Vec::len)
    );
    assert!(house.run(&["campaign", "show", "north"]).good().out.contains("Next run"));
    assert_eq!(house.run(&["campaign", "show", "south"]).code, 4);
    assert_eq!(
        house.run(&["campaign", "add", "x", "--letter=introduction", "--to=all", "--every=now and then"]).code,
        5
    );
}

#[test]
fn a_provider_is_paused_with_a_reason_and_resumed() {
    let house = House::new();
    house.run(&["provider", "pause", "fax-sandbox", "--reason=no funds"]).good();
    let paused = |account: usize| house.ask(&["provider", "list"])["accounts"][account]["paused_reason"].clone();
    assert_eq!(paused(1), "no funds");
    house.run(&["provider", "resume", "fax-sandbox"]).good();
    assert!(paused(1).is_null());
    let unknown = house.run(&["provider", "pause", "fax-telnyx", "--reason=x"]);
    assert_eq!((unknown.code, unknown.err.contains("fax-sandbox")), (4, true), "{unknown:?}");
}

/// Hours of a day that is not today, in any zone.
fn hours_of_another_day() -> String {
    let day = chrono::Utc::now().date_naive() + chrono::Days::new(3);
    format!("{} 09:00-17:00", day.format("%a"))
}

#[test]
fn what_waits_for_office_hours_says_so_everywhere_and_a_person_may_send_it_now() {
    let mut house = House::with_referrers();
    house.set("TOUCHLINE_SENDING__OFFICE_HOURS", &hours_of_another_day());
    let letter = ["send", "introduction", "--to=Whitfield", "--via=email"];
    let dry = house.run(&[&letter[..], &["--dry-run"]].concat()).good().out;
    assert!(dry.contains("1 of them waits for the recipients' office hours, the first until"), "{dry}");
    assert!(dry.contains("`--now` sends outside them"), "{dry}");
    let hurried = house.ask(&[&letter[..], &["--dry-run", "--now"]].concat());
    assert_eq!((&hurried["counts"]["waiting"], &hurried["messages"][0]["waits_until"]), (&0.into(), &Value::Null));
    assert_eq!(house.run(&[&letter[..], &["--wait", "--timeout=300"]].concat()).code, 0, "nobody waits for days here");

    let letter = [&letter[..], &["--again"]].concat();
    let sent = house.ask(&letter);
    let until = sent["messages"][0]["waits_until"].as_str().expect("a time").to_owned();
    let id = sent["messages"][0]["id"].as_str().expect("an id").to_owned();
    let status = house.ask(&["status", &id]);
    assert_eq!(
        (status["waits_until"].as_str(), status["next_at"].as_str()),
        (Some(until.as_str()), Some(until.as_str()))
    );
    let words = house.run(&["status", &id]).good().out;
    for part in ["It waits for the recipient's office hours, until", "when the office opens", "touchline send-now"] {
        assert!(words.contains(part), "{part} is not in: {words}");
    }
    assert_eq!(house.run(&["release", &id]).code, 5, "a release is for what is held");
    house.run(&["send-now", &id]).good();
    let status = house.ask(&["status", &id]);
    assert_eq!((&status["waits_until"], status["any_hour_at"].is_string()), (&Value::Null, true));
    assert_eq!(house.run(&["send-now", &id]).code, 5, "it waits no more");
    let hurried = house.ask(&[&letter[..], &["--now"]].concat());
    assert_eq!(hurried["counts"]["waiting"], 0);
}

#[test]
fn one_account_is_shown_with_what_it_can_do_how_it_stands_and_what_is_left_of_its_budget() {
    let house = House::new();
    let text = std::fs::read_to_string(house.path("touchline.toml")).expect("a configuration");
    let thrifty = "[providers.fax-sandbox]\ncost_per_page = 0.07\ndaily_budget = { hand_overs = 200, cost = 20 }";
    house.write("touchline.toml", &text.replacen("[providers.fax-sandbox]", thrifty, 1));
    let shown = house.ask(&["provider", "show", "fax-sandbox"]);
    assert_eq!((shown["state"].as_str(), shown["provider"]["kind"].as_str()), (Some("ready"), Some("sandbox")));
    assert_eq!(
        (shown["budget"]["hand_overs_today"].as_i64(), shown["budget"]["cost_max"].as_str()),
        (Some(0), Some("20.00"))
    );
    assert_eq!(shown["route"]["place"], 1);
    assert_eq!(shown["in_flight"]["calling"], 0);
    house.run(&["provider", "pause", "fax-sandbox", "--reason=no funds"]).good();
    let words = house.run(&["provider", "show", "fax-sandbox"]).good().out;
    for part in
        ["paused: no funds", "0 of 200, 0.00 of 20.00", "looked up by reference", "Nothing has gone wrong recently."]
    {
        assert!(words.contains(part), "{part} is not in: {words}");
    }
    let listed = house.run(&["provider", "list"]).good().out;
    assert!(listed.contains("paused: no funds") && listed.contains("0 of 200"), "{listed}");
    assert_eq!(house.run(&["provider", "show", "fax-telnyx"]).code, 4);
}

#[test]
fn a_key_has_printable_characters() {
    let house = House::with_referrers();
    for key in ["mon\nday", "Montag früh", ""] {
        let refused = house.run(&["send", "introduction", "--to=Whitfield", "--via=email", "--key", key]);
        assert_eq!((refused.code, refused.err.contains("printable ASCII")), (5, true), "{key:?}: {refused:?}");
    }
    house.run(&["send", "introduction", "--to=Whitfield", "--via=email", "--key", "monday, early"]).good();
}
