//! Telephone numbers of a cell: the one place where lists hand a number to its parser.

use crate::domain::address::AddressError;
use crate::domain::{FaxNumber, PhoneNumber};

/// The fax number of a cell, and how many further numbers it holds.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub(super) fn fax(cell: &str) -> Result<(FaxNumber, usize), AddressError> {
    FaxNumber::read(cell).map(|reading| (reading.value, reading.others))
}

/// The voice number of a cell in its stored form, and how many further numbers it holds.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub(super) fn phone(cell: &str) -> Result<(String, usize), AddressError> {
    PhoneNumber::read(cell).map(|reading| (reading.value.as_str().to_owned(), reading.others))
}
