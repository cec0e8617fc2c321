//! What is said before a broadcast is sent, and about campaigns that wait for a person.

use super::numbers::count;

/// What it means that faxes are left out because no permission or relationship is recorded; `None` if there are none.
/// Amounts: 47 U.S.C. § 227(b)(3).
#[must_use]
pub fn missing_basis(faxes: usize) -> Option<String> {
    let faxes = i64::try_from(faxes).unwrap_or(i64::MAX);
    (faxes > 0).then(|| {
        format!(
            "{} left out because no permission or business relationship is recorded. Each faxed advertisement without one \
             can cost $500, and up to $1,500 if it is sent knowingly (47 U.S.C. 227(b)(3)).",
            count(faxes, "fax is", "faxes are")
        )
    })
}

/// That a campaign's due run waits, and for what.
#[must_use]
pub fn waits_for(variables: &[String]) -> String {
    format!("waits: renew {}", variables.join(", "))
}

/// That a campaign's due run waits for its letter to be corrected.
pub const WAITS_FOR_LETTER: &str = "waits: its letter is out of service because of a mistake";

/// That a campaign's next run would wait, and for what.
#[must_use]
pub fn will_wait_for(variables: &[String]) -> String {
    format!("renew {} before the next run, or it waits", variables.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_missing_permission_can_cost_is_said_only_where_one_is_missing() {
        assert_eq!(missing_basis(0), None);
        let one = missing_basis(1).expect("a sentence");
        assert!(one.starts_with("1 fax is left out") && one.contains("$1,500"), "{one}");
        assert!(missing_basis(1200).expect("a sentence").starts_with("1,200 faxes are"));
        assert_eq!(waits_for(&["as_of".to_owned(), "openings".to_owned()]), "waits: renew as_of, openings");
    }
}
