//! The mailboxes and fax numbers of a row that nothing is sent to: second values of a cell, a home's, a billing office's. A
//! refusal in the row holds for them too.

use super::cell::Cells;
use super::field::Field;
use super::{mailbox, numbers};
use crate::domain::{Address, AddressKey, EmailAddress, FaxNumber};

/// Most further addresses of one row.
const FURTHER_MAX: usize = 20;

/// Reads them, each once, without those that letters go to.
pub(super) fn read(cells: &Cells<'_>, fax: Option<&FaxNumber>, email: Option<&EmailAddress>) -> Vec<Address> {
    let is_break = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '|' | '"');
    let mailboxes = cells.every(Field::Email).into_iter().flat_map(|cell| cell.split(is_break));
    let mailboxes = mailboxes.filter(|word| word.contains('@')).filter_map(|word| mailbox::read(word).ok());
    let parts = cells.every(Field::Fax).into_iter().flat_map(|cell| cell.split([',', ';', '|', '/', '\n']));
    let parts = parts.flat_map(|part| part.split(":::"));
    let faxes = parts.filter_map(|part| numbers::fax(part.trim()).ok());
    let all = mailboxes.map(|(one, _)| Address::Email(one)).chain(faxes.map(|(one, _)| Address::Fax(one)));
    let mut known: Vec<AddressKey> = fax.map(AddressKey::from).into_iter().chain(email.map(AddressKey::from)).collect();
    let mut further = Vec::new();
    for address in all {
        let key = address.key();
        if further.len() < FURTHER_MAX && !known.contains(&key) {
            known.push(key);
            further.push(address);
        }
    }
    further
}
