//! Whether two refusals say the same: their text without what differs from one recipient, letter or moment to the next.

/// The words of a refusal without addresses, numbers, host names and identifiers, in lower case. Two refusals with the
/// same result say the same. Empty if nothing is left to compare.
#[must_use]
pub fn sameness(code: Option<&str>, text: Option<&str>) -> String {
    let code = code.unwrap_or_default().trim();
    let words = text.unwrap_or_default().split_whitespace().filter(|word| !code.split(' ').any(|part| part == *word));
    let kept = words.filter(|word| !differs_by_itself(word)).map(bare).filter(|word| !word.is_empty());
    std::iter::once(code.to_owned()).chain(kept).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The word without its punctuation, in lower case.
fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric() || *c == '\'').flat_map(char::to_lowercase).collect()
}

/// Whether a word may be another one in the next refusal of the same kind: an address or what stands for a masked one, a
/// number, a host name, a link, an identifier.
fn differs_by_itself(word: &str) -> bool {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    let small_then_large = core.chars().zip(core.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    word.contains('…')
        || word.contains('@')
        || core.chars().any(|c| c.is_ascii_digit())
        || core.contains("://")
        || core.contains('.')
        || core.contains('_')
        || core.contains('=')
        || (small_then_large && core.chars().count() >= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_that_differ_in_address_number_or_identifier_say_the_same() {
        let same = |a: &str, b: &str| sameness(Some("550 5.7.1"), Some(a)) == sameness(Some("550 5.7.1"), Some(b));
        assert!(same("5.7.1 <dana@clinic.example> refused (id 4F00BA)", "5.7.1 … refused (id 77AB1C)"));
        assert!(same("user x9 has exceeded 100 of 100", "user y8 has exceeded 101 of 100"));
        assert!(same(
            "blocked by mx1.example.net, see https://a.example/x",
            "blocked by mx2.example.net, see https://a.example/y"
        ));
        assert!(same("Refused: try later.", "refused, try LATER"));
        assert!(same("no (MN2PEPFabcDEFgh)", "no (QzPEPFabcDEFghX)"));
        assert!(!same("refused", "no such user"));
        assert_ne!(sameness(Some("550 5.7.1"), Some("no")), sameness(Some("550 5.1.1"), Some("no")));
        assert_eq!(sameness(None, None), "");
    }
}
