//! From digits to a number that can exist: the North American numbering plan by its own rules, other countries by the
//! metadata of their plans.

use crate::domain::address_error::AddressError;

/// ITU-T E.164: fifteen digits with the country code; the metadata of some countries allow more.
const DIGITS_MAX: usize = 15;

const NO_SUCH: AddressError = AddressError("no such number can exist in that country");

/// The digits, in the groups in which they are written, as a number in E.164.
///
/// # Errors
/// In words: too few or too many digits, or a number that cannot exist or must not be dialed.
pub(super) fn e164(groups: &[&str], has_plus: bool) -> Result<String, AddressError> {
    let digits: String = groups.concat();
    if has_plus {
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        if lengths == [3, 3, 4] {
            return Err(AddressError("write +1 before a US number, or leave out the +"));
        }
        return international(&digits);
    }
    match digits.len() {
        10 => north_american(&digits),
        11 if digits.starts_with('1') => north_american(&digits[1..]),
        12.. if digits.starts_with("011") => international(&digits[3..]),
        11.. if digits.starts_with("00") => international(&digits[2..]),
        7 => Err(AddressError("a US number has ten digits: write it with its area code")),
        _ => Err(AddressError(
            "a US or Canadian number has ten digits; a number from another country begins with + and its country code",
        )),
    }
}

fn international(digits: &str) -> Result<String, AddressError> {
    if digits.len() > DIGITS_MAX + 1 {
        return Err(AddressError("a telephone number has at most fifteen digits"));
    }
    if let Some(national) = digits.strip_prefix('1') {
        // No area code begins with 1: a second one is the prefix again (`+1 (1-847) …`).
        let national = national.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(national);
        return north_american(national);
    }
    let number = phonenumber::parse(None, format!("+{digits}")).map_err(|_| NO_SUCH)?;
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    if !phonenumber::is_valid(&number) || number.extension().is_some() || e164.len() > DIGITS_MAX + 1 {
        return Err(NO_SUCH);
    }
    let code = number.country().code().to_string();
    let as_written = e164[1..] == *digits;
    // `+44 020 …`: the zero of the national form.
    let without_zero = digits.strip_prefix(&code).and_then(|rest| rest.strip_prefix('0'));
    let is_national_form = without_zero.is_some_and(|rest| e164[1..] == format!("{code}{rest}"));
    let again = phonenumber::parse(None, &e164).ok().filter(phonenumber::is_valid);
    let is_stable = again.is_some_and(|again| again.format().mode(phonenumber::Mode::E164).to_string() == e164);
    if is_stable && (as_written || is_national_form) { Ok(e164) } else { Err(NO_SUCH) }
}

/// The numbering plan itself decides, so that the fictional 555-01xx range, which the demo and the sandbox use, is
/// accepted.
fn north_american(national: &str) -> Result<String, AddressError> {
    let digits = national.as_bytes();
    if digits.len() != 10 {
        return Err(AddressError("a US or Canadian number has ten digits"));
    }
    if digits[0] < b'2' || digits[3] < b'2' {
        return Err(AddressError("area code and exchange cannot begin with 0 or 1"));
    }
    if &digits[1..3] == b"11" || &digits[4..6] == b"11" {
        return Err(AddressError("this is a service code such as 911, not a number that can be dialed"));
    }
    if &digits[..3] == b"900" || &digits[3..6] == b"976" {
        return Err(AddressError("this is a premium-rate number"));
    }
    Ok(format!("+1{national}"))
}
