//! One row: its cells read into a referrer's facts, with everything that is wrong about it in words.

use chrono::NaiveDate;
use chrono_tz::Tz;
use csv::StringRecord;

use super::columns::{Columns, Field};
use super::{CELL_CHARS_MAX, Problem, SheetBasis, SheetRow, name, taxonomy, zone};
use crate::domain::address::AddressError;
use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::referrer::{ReferrerType, npi_is_valid};
use crate::domain::{EmailAddress, FaxNumber, PhoneNumber};

/// Longest name, organization or source.
const TEXT_CHARS_MAX: usize = 200;
/// Labels kept of one row.
const TAGS_MAX: usize = 20;
/// Longest label.
const TAG_CHARS_MAX: usize = 40;
/// What lists write where they know nothing.
const NOTHING: [&str; 13] =
    ["-", "--", "---", "n/a", "na", "#n/a", "none", "null", "nil", "unknown", "tbd", "not available", "<unavail>"];

/// Reads one row. None if it is refused; what is wrong is added to the problems.
pub(super) fn read(
    columns: &Columns,
    line: u64,
    record: &StringRecord,
    problems: &mut Vec<Problem>,
) -> Option<SheetRow> {
    let mut cells = Cells { columns, line, record, problems, is_refused: false };
    cells.check_shape();
    if cells.is_refused {
        return None;
    }
    let person = read_person(&mut cells);
    let npi = read_npi(&mut cells);
    let fax = read_fax(&mut cells);
    let email = read_email(&mut cells);
    let phone = read_phone(&mut cells);
    let row = SheetRow {
        line,
        npi,
        kind: read_kind(&mut cells, person.credentials.as_deref()),
        first_name: person.first_name,
        last_name: person.last_name,
        credentials: person.credentials,
        organization: person.organization,
        time_zone: read_zone(&mut cells),
        tags: read_tags(&mut cells),
        source: cells.text(Field::Source),
        basis: read_basis(&mut cells, fax.is_some()),
        email,
        fax,
        phone,
        street: None,
        city: None,
        state: None,
        postal_code: None,
        notes: None,
        standing: None,
    };
    if !cells.is_refused && row.fax.is_none() && row.email.is_none() && row.phone.is_none() {
        cells.refuse(None, "the row has neither fax number nor email address nor telephone number");
    }
    if row.fax.is_some() && row.fax.as_ref().map(FaxNumber::as_str) == row.phone.as_deref() {
        cells.note(Field::Fax, "fax and telephone number are the same: it may be a voice line, so ask first");
    }
    (!cells.is_refused).then_some(row)
}

/// The cells of one row, by field, and what is wrong with them.
struct Cells<'a> {
    columns: &'a Columns,
    line: u64,
    record: &'a StringRecord,
    problems: &'a mut Vec<Problem>,
    is_refused: bool,
}

impl Cells<'_> {
    fn add(&mut self, column: Option<String>, message: &str, refuses: bool) {
        self.is_refused |= refuses;
        self.problems.push(Problem { line: self.line, column, message: message.to_owned(), refuses });
    }

    fn refuse(&mut self, field: Option<Field>, message: &str) {
        self.add(field.and_then(|field| self.columns.column(field)), message, true);
    }

    fn note(&mut self, field: Field, message: &str) {
        self.add(self.columns.column(field), message, false);
    }

    /// A row whose cells may have shifted into the wrong columns is not read at all.
    fn check_shape(&mut self) {
        let expected = self.columns.headers.len();
        if self.record.iter().skip(expected).any(|cell| !cell.trim().is_empty()) {
            self.add(
                None,
                "the row has more cells than the header: put quotation marks around a text that contains the separator",
                true,
            );
        }
        if let Some(place) = self.record.iter().position(|cell| cell.chars().count() > CELL_CHARS_MAX) {
            let message = "the cell is longer than 4,000 characters; perhaps a quotation mark is not closed";
            self.add(self.columns.headers.get(place).cloned(), message, true);
        }
    }

    /// The field's cell without outer blanks, if it says anything.
    fn raw(&self, field: Field) -> Option<&str> {
        let cell = self.columns.place(field).and_then(|place| self.record.get(place))?;
        let cell = cell.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        // Spreadsheets keep leading zeros by writing ="0123".
        let cell = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell);
        let says_nothing = cell.is_empty() || NOTHING.contains(&cell.to_lowercase().as_str());
        (!says_nothing).then_some(cell)
    }

    /// The field's cell as one line of text.
    fn text(&mut self, field: Field) -> Option<String> {
        let text = one_line(self.raw(field)?);
        if text.chars().count() > TEXT_CHARS_MAX {
            self.refuse(Some(field), "the text is longer than 200 characters");
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who the row describes.
struct Person {
    first_name: Option<String>,
    last_name: Option<String>,
    credentials: Option<String>,
    organization: Option<String>,
}

fn read_person(cells: &mut Cells<'_>) -> Person {
    let mut organization = cells.text(Field::Organization);
    let mut whole = cells.text(Field::Name);
    if whole.as_deref().is_some_and(name::is_organization) {
        organization = organization.or(whole.take());
    }
    let apart = whole.as_deref().map(name::take_apart).unwrap_or_default();
    let first_name = cells.text(Field::FirstName).map(|text| name::as_written(&text));
    let last_name = cells.text(Field::LastName);
    let credentials = cells.text(Field::Credentials).map(|text| name::tidy_credentials(&text));
    // A "last name" column may hold the letters too: `Whitfield, MD`.
    let last_apart = last_name.as_deref().filter(|text| text.contains(',')).map(name::take_apart).unwrap_or_default();
    let last_name = last_apart.last.or_else(|| last_name.map(|text| name::as_written(&text)));
    Person {
        first_name: first_name.or(apart.first),
        last_name: last_name.or(apart.last),
        credentials: credentials.filter(|text| !text.is_empty()).or(apart.credentials).or(last_apart.credentials),
        organization,
    }
}

fn read_npi(cells: &mut Cells<'_>) -> Option<String> {
    let digits = cells.raw(Field::Npi)?.trim_end_matches(".0").replace([' ', '-'], "");
    if npi_is_valid(&digits) {
        return Some(digits);
    }
    let message = if digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()) {
        "the check digit of the NPI does not match: a digit is wrong"
    } else {
        "the NPI is not ten digits"
    };
    cells.refuse(Some(Field::Npi), message);
    None
}

fn read_fax(cells: &mut Cells<'_>) -> Option<FaxNumber> {
    read_one_of_several(cells, Field::Fax, |text| FaxNumber::parse(text.trim_end_matches(".0")))
}

fn read_email(cells: &mut Cells<'_>) -> Option<EmailAddress> {
    read_one_of_several(cells, Field::Email, |text| {
        let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
        EmailAddress::parse(inner.trim().trim_start_matches("mailto:"))
    })
}

/// The cell as one address; of several in one cell, the first, with a note. An address that cannot be read refuses the row.
fn read_one_of_several<T>(
    cells: &mut Cells<'_>,
    field: Field,
    parse: impl Fn(&str) -> Result<T, AddressError>,
) -> Option<T> {
    let text = cells.raw(field)?.to_owned();
    let error = match parse(&text) {
        Ok(address) => return Some(address),
        Err(error) => error,
    };
    let parts: Vec<&str> =
        text.split([';', ',', '/', '|', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if let [first, _, ..] = parts.as_slice()
        && let Ok(address) = parse(first)
    {
        cells.note(field, "the cell has several: the first was used");
        return Some(address);
    }
    cells.refuse(Some(field), error.0);
    None
}

/// The voice number with its extension. One that cannot be read is left out with a note: nothing is ever
/// sent to it.
fn read_phone(cells: &mut Cells<'_>) -> Option<String> {
    match PhoneNumber::read(cells.raw(Field::Phone)?) {
        Ok(number) => Some(number.value.as_str().to_owned()),
        Err(_) => {
            cells.note(Field::Phone, "the telephone number cannot be read and was left out");
            None
        }
    }
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
    let text = cells.raw(Field::Tags).unwrap_or_default().to_lowercase();
    let mut tags: Vec<String> = text.split([';', ',', '|', '\n']).map(one_line).filter(|tag| !tag.is_empty()).collect();
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
    let Some(date) = cells.raw(Field::BasisDate).and_then(read_date) else {
        cells.refuse(Some(Field::BasisDate), "a basis needs the day it was obtained: write it as 2026-01-31");
        return None;
    };
    if !has_fax {
        cells.refuse(Some(Field::Basis), "a basis belongs to a fax number, and the row has none");
    }
    Some(SheetBasis { kind, number_source, date, note: cells.raw(Field::BasisNote).map(one_line) })
}

/// A day as ISO or as Americans write it.
fn read_date(text: &str) -> Option<NaiveDate> {
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    ["%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
        .filter(|day| (1990..=2100).contains(&chrono::Datelike::year(day)))
}
