//! The states, and the time zones in which their practices may be.

use chrono_tz::Tz;

/// A state, district or territory.
#[derive(Debug)]
pub struct State {
    /// Its two letters.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its time zones, the one with the most people first. Never empty.
    pub zones: &'static [Tz],
}

const EAST: Tz = Tz::America__New_York;
const CENTRAL: Tz = Tz::America__Chicago;
const MOUNTAIN: Tz = Tz::America__Denver;
const PACIFIC: Tz = Tz::America__Los_Angeles;

const fn state(code: &'static str, name: &'static str, zones: &'static [Tz]) -> State {
    State { code, name, zones }
}

/// All of them, by their letters.
pub static STATES: [State; 56] = [
    state("AK", "Alaska", &[Tz::America__Anchorage, Tz::America__Adak]),
    state("AL", "Alabama", &[CENTRAL]),
    state("AR", "Arkansas", &[CENTRAL]),
    state("AS", "American Samoa", &[Tz::Pacific__Pago_Pago]),
    // Without daylight-saving time, unlike its neighbors.
    state("AZ", "Arizona", &[Tz::America__Phoenix]),
    state("CA", "California", &[PACIFIC]),
    state("CO", "Colorado", &[MOUNTAIN]),
    state("CT", "Connecticut", &[EAST]),
    state("DC", "District of Columbia", &[EAST]),
    state("DE", "Delaware", &[EAST]),
    state("FL", "Florida", &[EAST, CENTRAL]),
    state("GA", "Georgia", &[EAST]),
    state("GU", "Guam", &[Tz::Pacific__Guam]),
    state("HI", "Hawaii", &[Tz::Pacific__Honolulu]),
    state("IA", "Iowa", &[CENTRAL]),
    state("ID", "Idaho", &[Tz::America__Boise, PACIFIC]),
    state("IL", "Illinois", &[CENTRAL]),
    state("IN", "Indiana", &[Tz::America__Indiana__Indianapolis, CENTRAL]),
    state("KS", "Kansas", &[CENTRAL, MOUNTAIN]),
    state("KY", "Kentucky", &[EAST, CENTRAL]),
    state("LA", "Louisiana", &[CENTRAL]),
    state("MA", "Massachusetts", &[EAST]),
    state("MD", "Maryland", &[EAST]),
    state("ME", "Maine", &[EAST]),
    state("MI", "Michigan", &[Tz::America__Detroit, CENTRAL]),
    state("MN", "Minnesota", &[CENTRAL]),
    state("MO", "Missouri", &[CENTRAL]),
    state("MP", "Northern Mariana Islands", &[Tz::Pacific__Guam]),
    state("MS", "Mississippi", &[CENTRAL]),
    state("MT", "Montana", &[MOUNTAIN]),
    state("NC", "North Carolina", &[EAST]),
    state("ND", "North Dakota", &[CENTRAL, MOUNTAIN]),
    state("NE", "Nebraska", &[CENTRAL, MOUNTAIN]),
    state("NH", "New Hampshire", &[EAST]),
    state("NJ", "New Jersey", &[EAST]),
    state("NM", "New Mexico", &[MOUNTAIN]),
    state("NV", "Nevada", &[PACIFIC]),
    state("NY", "New York", &[EAST]),
    state("OH", "Ohio", &[EAST]),
    state("OK", "Oklahoma", &[CENTRAL]),
    state("OR", "Oregon", &[PACIFIC, Tz::America__Boise]),
    state("PA", "Pennsylvania", &[EAST]),
    state("PR", "Puerto Rico", &[Tz::America__Puerto_Rico]),
    state("RI", "Rhode Island", &[EAST]),
    state("SC", "South Carolina", &[EAST]),
    state("SD", "South Dakota", &[CENTRAL, MOUNTAIN]),
    state("TN", "Tennessee", &[CENTRAL, EAST]),
    state("TX", "Texas", &[CENTRAL, MOUNTAIN]),
    state("UT", "Utah", &[MOUNTAIN]),
    state("VA", "Virginia", &[EAST]),
    state("VI", "Virgin Islands", &[Tz::America__St_Thomas]),
    state("VT", "Vermont", &[EAST]),
    state("WA", "Washington", &[PACIFIC]),
    state("WI", "Wisconsin", &[CENTRAL]),
    state("WV", "West Virginia", &[EAST]),
    state("WY", "Wyoming", &[MOUNTAIN]),
];

/// The state of these letters or this name, with periods or without.
#[must_use]
pub fn find_state(text: &str) -> Option<&'static State> {
    let wanted: String = text.chars().filter(|c| *c != '.').collect();
    let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
    STATES.iter().find(|state| wanted.eq_ignore_ascii_case(state.code) || wanted.eq_ignore_ascii_case(state.name))
}

/// A zone as people call it.
#[must_use]
pub fn zone_words(zone: Tz) -> String {
    let called = match zone {
        Tz::America__New_York | Tz::America__Detroit | Tz::America__Indiana__Indianapolis => "Eastern time",
        Tz::America__Chicago => "Central time",
        Tz::America__Denver | Tz::America__Boise => "Mountain time",
        Tz::America__Phoenix => "Arizona time, the same all year",
        Tz::America__Los_Angeles => "Pacific time",
        Tz::America__Anchorage => "Alaska time",
        // Atka and the islands west of it.
        Tz::America__Adak => "Hawaii-Aleutian time, in the western Aleutians",
        Tz::Pacific__Honolulu => "Hawaii time, the same all year",
        Tz::America__Puerto_Rico | Tz::America__St_Thomas => "Atlantic time, the same all year",
        Tz::Pacific__Guam => "Chamorro time, the same all year",
        Tz::Pacific__Pago_Pago => "Samoa time, the same all year",
        _ => return zone.name().to_owned(),
    };
    format!("{called} ({})", zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_zone_and_is_found_by_letters_and_name() {
        for known in &STATES {
            assert!(!known.zones.is_empty(), "{known:?}");
            for text in [known.code, known.name, &known.name.to_lowercase()] {
                assert_eq!(find_state(text).map(|found| found.code), Some(known.code), "{text}");
            }
        }
        assert!(STATES.is_sorted_by(|a, b| a.code < b.code));
        assert!(find_state("Ontario").is_none());
    }

    #[test]
    fn every_zone_of_a_state_is_called_as_people_call_it_and_like_no_other_of_that_state() {
        for state in &STATES {
            let mut called: Vec<String> = state.zones.iter().map(|zone| zone_words(*zone)).collect();
            assert!(called.iter().all(|words| words.contains(" time")), "{called:?}");
            called.iter_mut().for_each(|words| words.truncate(words.find('(').unwrap_or(words.len())));
            called.sort_unstable();
            called.dedup();
            assert_eq!(called.len(), state.zones.len(), "{}: {called:?}", state.code);
        }
    }

    #[test]
    fn arizona_has_a_time_of_its_own_and_texas_has_two() {
        let zones = |code| find_state(code).expect("a state").zones;
        assert_eq!(zones("AZ"), [Tz::America__Phoenix]);
        assert_eq!(zones("TX"), [Tz::America__Chicago, Tz::America__Denver]);
        assert_eq!(zone_words(Tz::America__Phoenix), "Arizona time, the same all year (America/Phoenix)");
    }
}
