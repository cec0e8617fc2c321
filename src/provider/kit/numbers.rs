//! Whether a number that a provider wrote down is the one that was dialed: some write it in full, some without the
//! plus, some formatted for people.

use serde_json::Value;

use super::reading::words;

/// Whether `written`, a text or a number, is the fax number `dialed` (E.164). A North American number may lack its
/// country code; nothing else may be missing.
pub fn is_same(written: &Value, dialed: &str) -> bool {
    let Some(written) = words(written).map(|text| digits(&text)) else { return false };
    let dialed = digits(dialed);
    let national = dialed.strip_prefix('1').filter(|rest| rest.len() == 10);
    !written.is_empty() && (written == dialed || national == Some(written.as_str()))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_known_again_however_it_is_written() {
        for written in [json!("+13125550142"), json!(13_125_550_142_u64), json!("(312) 555-0142"), json!("13125550142")]
        {
            assert!(is_same(&written, "+13125550142"), "{written}");
        }
    }

    #[test]
    fn another_number_or_none_is_not_ours() {
        for written in [json!("+13125550143"), json!("5550142"), json!(""), json!(null), json!("+443125550142")] {
            assert!(!is_same(&written, "+13125550142"), "{written}");
        }
    }
}
