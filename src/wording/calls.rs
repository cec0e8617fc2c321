//! What to say and ask on the telephone.

use super::faults::fault;
use crate::domain::Fault;

/// Asks for permission to fax updates, as a person says it on the telephone.
#[must_use]
pub fn ask_permission(practice: &str) -> String {
    format!(
        "“This is {practice}. May we fax you updates about our services, such as openings and waiting times? You can say no, \
         or change your mind at any time.”"
    )
}

/// Asks for the right fax number.
#[must_use]
pub fn ask_number(practice: &str) -> String {
    format!("“This is {practice}. Our faxes do not reach you. What is your fax number for letters about patients?”")
}

/// What went wrong with a fax number.
#[must_use]
pub fn wrong_number(why: Option<Fault>) -> &'static str {
    why.map_or("Earlier faxes to this number did not arrive.", fault)
}

/// How permission was given, as it is recorded.
#[must_use]
pub fn given_by_telephone(by: Option<&str>) -> String {
    by.map_or_else(|| "given by telephone".to_owned(), |by| format!("given by telephone by {by}"))
}

/// How a refusal was given, as it is recorded.
#[must_use]
pub fn declined_by_telephone(by: Option<&str>) -> String {
    by.map_or_else(|| "declined when asked by telephone".to_owned(), |by| format!("declined by telephone by {by}"))
}
