//! One row: its cells read into a referrer's facts, with everything that is wrong about it in words. A row is refused only
//! if its people could be written to wrongly or not at all: an address that cannot be read, cells that may have shifted, a
//! refusal or a basis that nobody understands. Anything else that cannot be read costs its cell, with a note.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::attributes;
use super::cell::{Cells, one_line, several_lines};
use super::field::Field;
use super::refusal_dates::day;
use super::refusal_words::{labels, plain};
use super::refused::{self, RefusalEvidence, Refused};
use super::{SheetBasis, SheetRow, country, further, mailbox, numbers, person, taxonomy, zone};
use crate::domain::address::AddressError;
use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::referrer::{ReferrerState, ReferrerType, npi_digits, npi_is_valid, refusal_label};
use crate::domain::{Address, Channel, EmailAddress, FaxNumber};

/// Labels kept of one row.
const TAGS_MAX: usize = 20;
/// Longest label.
const TAG_CHARS_MAX: usize = 40;
/// Longest notes.
const NOTES_CHARS_MAX: usize = 2_000;
/// How a refusal in a name reads. A single short word, such as `DNC`, may be a part of the name.
const SAID_IN_NAMES: [&str; 4] = [" do not ", " opted out ", " opt out ", " unsubscribed "];
/// What is wrong with a national number of another country.
const FOREIGN: &str = "the row is of another country: write the number with + and its country code";
/// Labels that an address book gives by itself.
const LABELS_OF_PROGRAMS: [&str; 4] = ["mycontacts", "my contacts", "starred", "coworkers"];

/// What became of one row.
pub(super) enum Read {
    /// It was accepted.
    Accepted(SheetRow),
    /// It was refused. What could be read of it is kept where it says that somebody refuses letters or cannot be reached:
    /// a refusal counts even if the rest of its row does not.
    Refused(Option<SheetRow>),
}

/// Reads one row; what is wrong is added to the problems. `file_says`: what the name of the file says of everybody in it.
pub(super) fn read(mut cells: Cells<'_>, file_says: Option<Field>) -> Read {
    cells.check_shape();
    if cells.is_refused {
        return Read::Refused(None);
    }
    attributes::read(&mut cells);
    cells.look_over();
    let mut refused = refused::read(&mut cells, file_says);
    if !cells.columns.is_ours {
        refused.add_labels(&labels_of(&cells), cells.columns.column(Field::Tags));
    }
    if !cells.columns.is_ours {
        refused.add_sentences(cells.raw(Field::Notes).unwrap_or_default(), cells.columns.column(Field::Notes));
        refuse_in_names(&mut cells, &mut refused);
    }
    let mut tags = read_tags(&mut cells);
    let state = read_state(&mut cells, &mut refused);
    let fax = read_fax(&mut cells, &mut refused);
    let email = read_email(&mut cells, &mut refused);
    let further = further::read(&cells, fax.as_ref(), email.as_ref());
    tags.append(&mut refused.tags);
    let has = |channel: Channel| match channel {
        Channel::Fax => fax.is_some() || further.iter().any(|one| one.channel() == channel),
        Channel::Email => email.is_some() || further.iter().any(|one| one.channel() == channel),
    };
    // Nothing can be suppressed yet: the refusal stays with the person.
    let without = Channel::ALL.iter().filter(|channel| refused.is_by_person(**channel) && !has(**channel));
    tags.extend(without.map(|channel| refusal_label(*channel).to_owned()));
    tags.sort();
    tags.dedup();
    let row = facts(&mut cells, refused, tags, Before { state, fax, email, further });
    let is_reached = row.fax.is_some() || row.email.is_some() || row.phone.is_some();
    // Our own export has people whose addresses are not known, too.
    if !cells.is_refused && !is_reached && !cells.columns.is_ours {
        cells.refuse(None, "the row has neither fax number nor email address nor telephone number");
    }
    if row.fax.is_some() && row.fax.as_ref().map(FaxNumber::as_str) == row.phone.as_deref() {
        cells.note(Field::Fax, "fax and telephone number are the same: it may be a voice line, so ask first");
    }
    if !cells.is_refused {
        return Read::Accepted(row);
    }
    let is_kept = row.says_a_refusal();
    if is_kept {
        let message = "the row also says that they refuse letters or cannot be reached: even if the row is left out, that is \
             recorded for the addresses in it that can be read and for the person, if it is clear who is meant";
        cells.add(None, message, false);
    }
    Read::Refused(is_kept.then_some(row))
}

/// What was read before the rest, because it may hold refusals.
struct Before {
    state: Option<String>,
    fax: Option<FaxNumber>,
    email: Option<EmailAddress>,
    further: Vec<Address>,
}

fn facts(cells: &mut Cells<'_>, refused: Refused, tags: Vec<String>, before: Before) -> SheetRow {
    let Before { state, fax, email, further } = before;
    let person = person::read(cells);
    SheetRow {
        line: cells.line,
        npi: read_npi(cells),
        email,
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
        on_record: refused.on_record,
        refusals: refused.refusals,
        dead: refused.dead,
        fax,
        further,
    }
}

fn read_npi(cells: &mut Cells<'_>) -> Option<String> {
    let digits = npi_digits(cells.raw(Field::Npi)?);
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

/// A name with a refusal in it is no name: `John Smith DO NOT CONTACT`.
fn refuse_in_names(cells: &mut Cells<'_>, refused: &mut Refused) {
    for field in [Field::Name, Field::FirstName, Field::LastName, Field::Organization] {
        let Some(cell) = cells.raw_name(field) else { continue };
        let text = format!(" {} ", plain(cell));
        let mut said = if SAID_IN_NAMES.iter().any(|phrase| text.contains(phrase)) { labels(cell) } else { Vec::new() };
        if text.contains(" deceased ") {
            said.push(Field::DoNotContact);
        }
        if said.is_empty() {
            continue;
        }
        let column = cells.column(field).unwrap_or_else(|| field.to_string());
        said.into_iter().for_each(|one| refused.add(one, None, &RefusalEvidence::Column(column.clone())));
        let message = "the cell says that letters are refused: write the name alone in this column, and the refusal in a \
             column such as do_not_contact";
        cells.refuse(Some(field), message);
    }
}

/// A number of another country is written with its country code: without it, it would be somebody's here.
fn is_foreign(cells: &Cells<'_>, cell: &str) -> bool {
    let is_international = |cell: &str| {
        let digits = cell.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+');
        digits.starts_with('+') || digits.starts_with("00") || digits.starts_with("011")
    };
    cells.raw(Field::Country).is_some_and(|country| !country::is_in_plan(country)) && !is_international(cell)
}

/// A fax number that cannot be read refuses the row.
fn read_fax(cells: &mut Cells<'_>, refused: &mut Refused) -> Option<FaxNumber> {
    let cell = cells.raw(Field::Fax)?;
    if is_foreign(cells, cell) {
        cells.refuse(Some(Field::Fax), FOREIGN);
        return None;
    }
    let said = refused_in(Channel::Fax, cell);
    let read = numbers::fax(&without_words(Channel::Fax, cell, &said));
    checked(cells, refused, Field::Fax, &said, read)
}

/// A mailbox that cannot be read refuses the row.
fn read_email(cells: &mut Cells<'_>, refused: &mut Refused) -> Option<EmailAddress> {
    let cell = cells.raw(Field::Email)?;
    let said = refused_in(Channel::Email, cell);
    let read = mailbox::read(&without_words(Channel::Email, cell, &said));
    checked(cells, refused, Field::Email, &said, read)
}

/// The address that was read from a cell, and how many others. If the cell says a refusal as well, it is the refusal of
/// that address, and there must be no doubt which one is meant.
fn checked<T>(
    cells: &mut Cells<'_>,
    refused: &mut Refused,
    field: Field,
    said: &[Field],
    read: Result<(T, usize), AddressError>,
) -> Option<T> {
    match read {
        Ok((address, others)) if said.is_empty() => {
            note_others(cells, field, others);
            Some(address)
        }
        Ok((address, 0)) => {
            let column = cells.column(field).unwrap_or_else(|| field.to_string());
            for one in said {
                refused.add(*one, None, &RefusalEvidence::Column(column.clone()));
            }
            Some(address)
        }
        Err(error) if said.is_empty() => {
            cells.refuse(Some(field), &error.to_string());
            None
        }
        _ => {
            let message = "the cell says that letters are refused, and not clearly at which address: write the address alone \
                 in this column, and the refusal in a column such as fax_opted_out or email_opted_out";
            cells.refuse(Some(field), message);
            None
        }
    }
}

/// What the words beside an address say about refusals: `847-555-0105 DO NOT FAX`. Refusals without a channel concern the
/// cell's own.
fn refused_in(channel: Channel, cell: &str) -> Vec<Field> {
    let words: Vec<&str> = cell.split_whitespace().filter(|word| !word.contains('@')).collect();
    let words = words.join(" ");
    let lower = words.to_lowercase();
    // `No fax` in the column for it says that there is none.
    if lower.starts_with("no ") {
        return Vec::new();
    }
    let names_email = lower.contains("mail");
    let of_channel = |field: Field| match (field, channel) {
        (Field::OptedOut, Channel::Email) => Some(Field::EmailOptedOut),
        (Field::OptedOut, Channel::Fax) => Some(Field::FaxOptedOut),
        (Field::EmailOptedOut, Channel::Fax) if !names_email => Some(Field::FaxOptedOut),
        // Only letters by email bounce.
        (Field::Bounced, Channel::Fax) => None,
        (other, _) => Some(other),
    };
    labels(&words).into_iter().filter_map(of_channel).collect()
}

/// The cell without the words of a refusal: what can be a part of an address.
fn without_words<'c>(channel: Channel, cell: &'c str, said: &[Field]) -> Cow<'c, str> {
    if said.is_empty() {
        return Cow::Borrowed(cell);
    }
    let is_address = |word: &&str| match channel {
        Channel::Email => word.contains('@'),
        Channel::Fax => word.chars().any(|c| c.is_ascii_digit()),
    };
    Cow::Owned(cell.split_whitespace().filter(is_address).collect::<Vec<_>>().join(" "))
}

fn note_others(cells: &mut Cells<'_>, field: Field, others: usize) {
    if others > 0 {
        cells.note(field, "the cell has several: the first was used");
    }
}

/// The voice number in its stored form. One that cannot be read is left out with a note: nothing is ever sent to it.
fn read_phone(cells: &mut Cells<'_>) -> Option<String> {
    let number = cells.raw(Field::Phone)?.to_owned();
    if is_foreign(cells, &number) {
        cells.note(Field::Phone, &format!("the telephone number was left out: {FOREIGN}"));
        return None;
    }
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
        Err(error) => {
            cells.note(Field::Phone, &format!("the telephone number was left out: {error}"));
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

/// The row's labels, sorted, whatever their number and length.
fn labels_of(cells: &Cells<'_>) -> Vec<String> {
    let text = cells.raw(Field::Tags).unwrap_or_default().to_lowercase().replace(":::", ";");
    let one_tag = |text: &str| one_line(text.trim().trim_matches(['"', '*']));
    let is_said = |tag: &String| !tag.is_empty() && !LABELS_OF_PROGRAMS.contains(&tag.as_str());
    let mut tags: Vec<String> = text.split([';', ',', '|', '\n']).map(one_tag).filter(is_said).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn read_tags(cells: &mut Cells<'_>) -> Vec<String> {
    let mut tags = labels_of(cells);
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
