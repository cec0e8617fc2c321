//! Telephone numbers of a cell: the one place where lists hand a number to its parser.

use crate::domain::FaxNumber;
use crate::domain::address::AddressError;

/// The fax number of a cell, and how many further numbers it holds.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub(super) fn fax(cell: &str) -> Result<(FaxNumber, usize), AddressError> {
    let parts: Vec<&str> = split(cell);
    let whole = FaxNumber::parse(cell.trim_end_matches(".0"));
    match (whole, parts.as_slice()) {
        (Err(_), [first, others @ ..]) if !others.is_empty() => Ok((FaxNumber::parse(first)?, others.len())),
        (whole, _) => whole.map(|number| (number, 0)),
    }
}

/// The voice number of a cell in its stored form, and how many further numbers it holds.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub(super) fn phone(cell: &str) -> Result<(String, usize), AddressError> {
    let cell = cell.to_lowercase();
    let parts: Vec<&str> = split(&cell);
    let first = parts.first().copied().unwrap_or_default();
    let main = first.split(['x', '#']).next().unwrap_or_default();
    let main = main.trim_end().trim_end_matches(".0").trim_end_matches('e').trim_end();
    let number = FaxNumber::parse(first).or_else(|_| FaxNumber::parse(main))?;
    Ok((number.as_str().to_owned(), parts.len().saturating_sub(1)))
}

fn split(cell: &str) -> Vec<&str> {
    let parts = cell.split([';', ',', '/', '|', '\n']).flat_map(|part| part.split(":::"));
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}
