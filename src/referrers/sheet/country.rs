//! The country of a row, as far as it decides how a national number is read.

use super::refusal_words::plain;

/// Countries and territories whose national numbers are those of the North American Numbering Plan (NANPA), as lists write
/// them.
const IN_PLAN: [&str; 39] = [
    "us",
    "usa",
    "u s",
    "u s a",
    "united states",
    "united states of america",
    "america",
    "1",
    "840",
    "ca",
    "can",
    "canada",
    "pr",
    "pri",
    "puerto rico",
    "vi",
    "virgin islands",
    "u s virgin islands",
    "us virgin islands",
    "gu",
    "gum",
    "guam",
    "as",
    "american samoa",
    "mp",
    "northern mariana islands",
    "bs",
    "bahamas",
    "bb",
    "barbados",
    "bm",
    "bermuda",
    "jm",
    "jamaica",
    "do",
    "dominican republic",
    "tt",
    "trinidad and tobago",
    "ky",
];

/// Whether national numbers there are read as they are here. What says nothing is here.
pub(super) fn is_in_plan(country: &str) -> bool {
    let plain = plain(country);
    plain.is_empty() || IN_PLAN.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_in_plan;

    #[test]
    fn a_country_is_known_however_it_is_written() {
        for here in ["", "US", "U.S.A.", "United States", "CANADA", "Puerto Rico"] {
            assert!(is_in_plan(here), "{here}");
        }
        for there in ["India", "UK", "United Kingdom", "Mexico", "MX", "Deutschland"] {
            assert!(!is_in_plan(there), "{there}");
        }
    }
}
