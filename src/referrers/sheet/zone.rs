//! Time zones as lists write them, and of states that have only one.

use chrono_tz::Tz;

/// What people write for the zones of the United States. The abbreviations stand for the zone with its summer time.
const WORDS: &[(&[&str], Tz)] = &[
    (&["eastern", "et", "est", "edt"], Tz::America__New_York),
    (&["central", "ct", "cst", "cdt"], Tz::America__Chicago),
    (&["mountain", "mt", "mst", "mdt"], Tz::America__Denver),
    (&["arizona"], Tz::America__Phoenix),
    (&["pacific", "pt", "pst", "pdt"], Tz::America__Los_Angeles),
    (&["alaska", "akt", "akst", "akdt"], Tz::America__Anchorage),
    (&["hawaii", "ht", "hst"], Tz::Pacific__Honolulu),
];

/// States and territories that are in one zone (49 CFR part 71). Absent are those in two zones: AK, FL, ID, IN,
/// KS, KY, MI, ND, NE, NV, OR, SD, TN, TX.
const STATES: &[(&[&str], Tz)] = &[
    (
        &[
            "ct",
            "connecticut",
            "de",
            "delaware",
            "dc",
            "district of columbia",
            "ga",
            "georgia",
            "me",
            "maine",
            "md",
            "maryland",
            "ma",
            "massachusetts",
            "nh",
            "new hampshire",
            "nj",
            "new jersey",
            "ny",
            "new york",
            "nc",
            "north carolina",
            "oh",
            "ohio",
            "pa",
            "pennsylvania",
            "ri",
            "rhode island",
            "sc",
            "south carolina",
            "vt",
            "vermont",
            "va",
            "virginia",
            "wv",
            "west virginia",
        ],
        Tz::America__New_York,
    ),
    (
        &[
            "al",
            "alabama",
            "ar",
            "arkansas",
            "il",
            "illinois",
            "ia",
            "iowa",
            "la",
            "louisiana",
            "mn",
            "minnesota",
            "ms",
            "mississippi",
            "mo",
            "missouri",
            "ok",
            "oklahoma",
            "wi",
            "wisconsin",
        ],
        Tz::America__Chicago,
    ),
    (&["co", "colorado", "mt", "montana", "nm", "new mexico", "ut", "utah", "wy", "wyoming"], Tz::America__Denver),
    (&["az", "arizona"], Tz::America__Phoenix),
    (&["ca", "california", "wa", "washington"], Tz::America__Los_Angeles),
    (&["hi", "hawaii"], Tz::Pacific__Honolulu),
    (&["pr", "puerto rico", "vi", "virgin islands"], Tz::America__Puerto_Rico),
    (&["gu", "guam"], Tz::Pacific__Guam),
];

/// A zone as written: an IANA name in any case, or one of the usual words.
pub(super) fn read(text: &str) -> Option<Tz> {
    let word = text.trim().to_lowercase();
    let word = word.trim_end_matches(" time").trim_end_matches(" standard").trim_end_matches(" daylight").trim();
    let by_word = WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, zone)| *zone);
    let by_name = || chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text.trim())).copied();
    by_word.or_else(by_name)
}

/// The zone of a state that has one.
pub(super) fn of_state(text: &str) -> Option<Tz> {
    let state = text.trim().trim_end_matches('.').to_lowercase();
    STATES.iter().find(|(states, _)| states.contains(&state.as_str())).map(|(_, zone)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_as_people_write_them() {
        assert_eq!(read("America/Chicago"), Some(Tz::America__Chicago));
        assert_eq!(read("america/new_york"), Some(Tz::America__New_York));
        assert_eq!(read("Central Standard Time"), Some(Tz::America__Chicago));
        assert_eq!(read("EST"), Some(Tz::America__New_York));
        assert_eq!(read("the usual"), None);
    }

    #[test]
    fn only_a_state_with_one_zone_gives_one() {
        assert_eq!(of_state("IL"), Some(Tz::America__Chicago));
        assert_eq!(of_state("New Jersey"), Some(Tz::America__New_York));
        for shared in ["FL", "TX", "Indiana", "OR", "TN", "ID", ""] {
            assert_eq!(of_state(shared), None, "{shared}");
        }
    }
}
