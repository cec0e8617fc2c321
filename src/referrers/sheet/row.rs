//! One row: its cells read into a referrer's facts, with everything that is wrong about it in words. A row is refused only
//! if its people could be written to wrongly or not at all: an address that cannot be read, cells that may have shifted, a
//! refusal or a basis that nobody understands. Anything else that cannot be read costs its cell, with a note.

use chrono_tz::Tz;

use super::attributes;
use super::cell::{Cells, one_line, several_lines};
use super::field::Field;
use super::refusal_words::day;
use super::refused::{self, Refused};
use super::{SheetBasis, SheetRow, mailbox, numbers, person, taxonomy, zone};
use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::referrer::{ReferrerState, ReferrerType, npi_is_valid};
use crate::domain::{EmailAddress, FaxNumber};

/// Labels kept of one row.
const TAGS_MAX: usize = 20;
/// Longest label.
const TAG_CHARS_MAX: usize = 40;
/// Longest notes.
const NOTES_CHARS_MAX: usize = 2_000;
/// Labels that an address book gives by itself.
const LABELS_OF_PROGRAMS: [&str; 4] = ["mycontacts", "my contacts", "starred", "coworkers"];

/// Reads one row. None if it is refused; what is wrong is added to the problems. `file_says`: what the name of the file
/// says of everybody in it.
pub(super) fn read(mut cells: Cells<'_>, file_says: Option<Field>) -> Option<SheetRow> {
    cells.check_shape();
    if cells.is_refused {
        return None;
    }
    attributes::read(&mut cells);
    cells.look_over();
    let mut refused = refused::read(&mut cells, file_says);
    let mut tags = read_tags(&mut cells);
    if !cells.columns.is_ours {
        refused.add_labels(&tags, cells.columns.column(Field::Tags));
    }
    let state = read_state(&mut cells, &mut refused);
    tags.append(&mut refused.tags);
    tags.sort();
    tags.dedup();
    let row = facts(&mut cells, refused, tags, state);
    let is_reached = row.fax.is_some() || row.email.is_some() || row.phone.is_some();
    // Our own export has people whose addresses are not known, too.
    if !cells.is_refused && !is_reached && !cells.columns.is_ours {
        cells.refuse(None, "the row has neither fax number nor email address nor telephone number");
    }
    if row.fax.is_some() && row.fax.as_ref().map(FaxNumber::as_str) == row.phone.as_deref() {
        cells.note(Field::Fax, "fax and telephone number are the same: it may be a voice line, so ask first");
    }
    (!cells.is_refused).then_some(row)
}

fn facts(cells: &mut Cells<'_>, refused: Refused, tags: Vec<String>, state: Option<String>) -> SheetRow {
    let person = person::read(cells);
    let fax = read_fax(cells);
    SheetRow {
        line: cells.line,
        npi: read_npi(cells),
        email: read_email(cells),
        phone: read_phone(cells),
        kind: read_kind(cells, person.credentials.as_deref()),
        first_name: person.first_name,
        last_name: person.last_name,
        credentials: person.credentials,
        organization: person.organization,
        street: cells.remark(Field::Street),
        city: cells.remark(Field::City),
        state,
        postal_code: cells.remark(Field::PostalCode),
        time_zone: read_zone(cells),
        tags,
        source: cells.remark(Field::Source),
        notes: read_notes(cells),
        basis: read_basis(cells, fax.is_some()),
        standing: refused.standing,
        standing_evidence: refused.standing_evidence,
        refusals: refused.refusals,
        dead: refused.dead,
        fax,
    }
}

fn read_npi(cells: &mut Cells<'_>) -> Option<String> {
    let digits = cells.raw(Field::Npi)?.trim_end_matches(".0").replace([' ', '-'], "");
    if npi_is_valid(&digits) {
        return Some(digits);
    }
    let message = if digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()) {
        "the check digit of the NPI does not match, so that a digit is wrong: it was left out"
    } else {
        "the NPI is not ten digits and was left out"
    };
    cells.note(Field::Npi, message);
    None
}

/// A fax number that cannot be read refuses the row.
fn read_fax(cells: &mut Cells<'_>) -> Option<FaxNumber> {
    match numbers::fax(cells.raw(Field::Fax)?) {
        Ok((number, others)) => {
            note_others(cells, Field::Fax, others);
            Some(number)
        }
        Err(error) => {
            cells.refuse(Some(Field::Fax), &error.to_string());
            None
        }
    }
}

/// A mailbox that cannot be read refuses the row.
fn read_email(cells: &mut Cells<'_>) -> Option<EmailAddress> {
    match mailbox::read(cells.raw(Field::Email)?) {
        Ok((mailbox, others)) => {
            note_others(cells, Field::Email, others);
            Some(mailbox)
        }
        Err(error) => {
            cells.refuse(Some(Field::Email), &error.to_string());
            None
        }
    }
}

fn note_others(cells: &mut Cells<'_>, field: Field, others: usize) {
    if others > 0 {
        cells.note(field, "the cell has several: the first was used");
    }
}

/// The voice number in its stored form. One that cannot be read is left out with a note: nothing is ever sent to it.
fn read_phone(cells: &mut Cells<'_>) -> Option<String> {
    let number = cells.raw(Field::Phone)?.to_owned();
    let extension = cells.raw(Field::Extension).map(|text| text.trim_end_matches(".0").to_owned());
    let is_plain = |text: &String| !text.is_empty() && text.len() <= 7 && text.bytes().all(|b| b.is_ascii_digit());
    let with_extension = extension
        .as_ref()
        .filter(|text| is_plain(text))
        .and_then(|text| numbers::phone(&format!("{number} x{text}")).ok());
    if extension.is_some() && with_extension.is_none() {
        cells.note(Field::Extension, "the extension cannot be read and was left out");
    }
    match with_extension.map_or_else(|| numbers::phone(&number), Ok) {
        Ok((number, others)) => {
            note_others(cells, Field::Phone, others);
            Some(number)
        }
        Err(_) => {
            cells.note(Field::Phone, "the telephone number cannot be read and was left out");
            None
        }
    }
}

/// The state or territory. Our own words for the contact status are none.
fn read_state(cells: &mut Cells<'_>, refused: &mut Refused) -> Option<String> {
    let text = cells.remark(Field::State)?;
    match text.parse::<ReferrerState>() {
        Ok(state) => {
            refused.add_standing(state, cells.columns.column(Field::State));
            None
        }
        Err(_) => Some(text),
    }
}

fn read_notes(cells: &mut Cells<'_>) -> Option<String> {
    let text = several_lines(cells.raw(Field::Notes)?);
    if text.chars().count() > NOTES_CHARS_MAX {
        cells.note(Field::Notes, "the notes are longer than 2,000 characters: the rest was left out");
    }
    let text: String = text.chars().take(NOTES_CHARS_MAX).collect();
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// From the type column, else the taxonomy code, else the specialty, else the letters after the name.
fn read_kind(cells: &mut Cells<'_>, credentials: Option<&str>) -> ReferrerType {
    let said = cells.raw(Field::Type).map(str::to_owned);
    let by_type = said.as_deref().and_then(taxonomy::of_words);
    let by_code = || cells.columns.taxonomy(cells.record).and_then(taxonomy::of_code);
    let by_specialty = || cells.raw(Field::Specialty).and_then(taxonomy::of_words);
    let by_letters = || credentials.and_then(taxonomy::of_letters);
    let kind = by_type.or_else(by_code).or_else(by_specialty).or_else(by_letters);
    if kind.is_none() && said.is_some() {
        cells.note(Field::Type, "the kind of referrer is not known: `other` was used");
    }
    kind.unwrap_or(ReferrerType::Other)
}

fn read_zone(cells: &mut Cells<'_>) -> Option<Tz> {
    let given = cells.raw(Field::TimeZone).map(zone::read);
    if given == Some(None) {
        cells
            .note(Field::TimeZone, "the time zone is not known and was left out: write a name such as America/Chicago");
    }
    given.flatten().or_else(|| cells.raw(Field::State).and_then(zone::of_state))
}

fn read_tags(cells: &mut Cells<'_>) -> Vec<String> {
    let text = cells.raw(Field::Tags).unwrap_or_default().to_lowercase().replace(":::", ";");
    let one_tag = |text: &str| one_line(text.trim().trim_matches(['"', '*']));
    let is_said = |tag: &String| !tag.is_empty() && !LABELS_OF_PROGRAMS.contains(&tag.as_str());
    let mut tags: Vec<String> = text.split([';', ',', '|', '\n']).map(one_tag).filter(is_said).collect();
    tags.sort();
    tags.dedup();
    let before = tags.len();
    tags.retain(|tag| tag.chars().count() <= TAG_CHARS_MAX);
    tags.truncate(TAGS_MAX);
    if tags.len() < before {
        cells.note(Field::Tags, "labels beyond 20, or longer than 40 characters, were left out");
    }
    tags
}

/// Evidence is accepted whole or not at all: a basis that cannot be read refuses the row.
fn read_basis(cells: &mut Cells<'_>, has_fax: bool) -> Option<SheetBasis> {
    let kind = match cells.raw(Field::Basis)?.parse::<BasisKind>() {
        Ok(kind) => kind,
        Err(_) => {
            cells.refuse(Some(Field::Basis), "write permission, ebr, or nothing");
            return None;
        }
    };
    let number_source = match cells.raw(Field::BasisSource).map(str::parse::<NumberSource>) {
        None => None,
        Some(Ok(source)) => Some(source),
        Some(Err(_)) => {
            let message = "write given_by_recipient, recipient_own_directory_ad_or_site, third_party_list, or nothing";
            cells.refuse(Some(Field::BasisSource), message);
            None
        }
    };
    if kind == BasisKind::Ebr && !number_source.is_some_and(NumberSource::is_voluntary) {
        let message = "a relationship allows advertisements only to a number from the recipient: say so in basis_source, or get permission";
        cells.note(Field::Basis, message);
    }
    let Some(date) = cells.raw(Field::BasisDate).and_then(day) else {
        cells.refuse(Some(Field::BasisDate), "a basis needs the day it was obtained: write it as 2026-01-31");
        return None;
    };
    if !has_fax {
        cells.refuse(Some(Field::Basis), "a basis belongs to a fax number, and the row has none");
    }
    Some(SheetBasis { kind, number_source, date, note: cells.raw(Field::BasisNote).map(one_line) })
}
