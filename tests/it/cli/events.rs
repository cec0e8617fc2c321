//! Callbacks that a provider is to send to an installation that it cannot reach: the doctor says so.

use super::house::House;

#[test]
fn the_doctor_warns_of_events_that_cannot_arrive() {
    // A relay on this machine: what is at port 25 passes letters on.
    let mut house = House::with_providers("http://127.0.0.1:9", "25");
    let file = house.path("touchline.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let events = "[providers.email-smtp]\nevents = \"mailgun\"\nevents_key = { env = \"EVENTS_KEY\" }";
    house.write("touchline.toml", &text.replacen("[providers.email-smtp]", events, 1));
    house.set("EVENTS_KEY", "a key of the tests");
    for (public_url, is_warned) in [("", true), ("http://127.0.0.1:8025", true), ("https://touchline.example", false)] {
        house.set("TOUCHLINE_SERVER__PUBLIC_URL", public_url);
        let found = house.run(&["doctor", "--json"]).json();
        let checks = found["checks"].as_array().expect("a list");
        let warning = checks.iter().find(|check| check["check"] == "provider events");
        assert_eq!(warning.is_some(), is_warned, "{public_url}: {checks:?}");
        let Some(warning) = warning else { continue };
        let words = warning["words"].as_str().expect("words");
        for part in ["providers.email-smtp.events", "mailgun", "server.public_url", "/hooks/email-smtp", "cannot reach"]
        {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert_eq!(warning["state"], "warn");
    }
}
