//! Lists of referrers, read from CSV of any origin: a practice's own export, an insurer's directory, NPPES. Pure: bytes
//! in, rows and problems out. A row is taken whole or refused with its line and the reason; no message repeats an address.

mod columns;
mod decode;
mod name;
mod row;
mod taxonomy;
#[cfg(test)]
mod tests;
mod zone;

use chrono::NaiveDate;
use chrono_tz::Tz;
use csv::StringRecord;

pub use columns::{Field, parse_mapping};

use columns::Columns;
use decode::{DELIMITERS, Records};

use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::referrer::{Place, ReferrerState, ReferrerType};
use crate::domain::{EmailAddress, FaxNumber};

/// Largest file, in bytes.
pub const BYTES_MAX: usize = 50 * 1024 * 1024;
/// Most rows of one file.
pub const ROWS_MAX: usize = 200_000;
/// Longest cell, in characters.
pub const CELL_CHARS_MAX: usize = 4_000;
/// Rows examined to find the header.
const HEADER_ROWS_MAX: usize = 30;
/// Most problems listed; further rows are still read.
const PROBLEMS_MAX: usize = 10_000;

/// The header of a list made for Touchline. Only one of email, fax and phone is needed; any order will do.
pub const TEMPLATE_HEADER: &str = "npi,first_name,last_name,credentials,organization,type,email,fax,phone,time_zone,tags,source,basis,basis_source,basis_date,basis_note";

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// More than [`BYTES_MAX`].
    #[error("the file is larger than 50 MB: split it")]
    TooLarge,
    /// More than [`ROWS_MAX`].
    #[error("the file has more than 200,000 rows: split it")]
    TooManyRows,
    /// A spreadsheet program's own format.
    #[error("this is a workbook (XLSX or XLS): save the sheet as CSV and give that file")]
    Workbook,
    /// Binary.
    #[error("this is not a text file: give a CSV file")]
    NotText,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No row names known columns.
    #[error(
        "no header row was found in the first 30 rows: name the columns (fax, email, phone, first_name, …), or say which is which with fax=COLUMN"
    )]
    NoHeader,
    /// A mapping instruction that cannot be followed.
    #[error("{0}")]
    Mapping(String),
}

/// What a list says.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Rows that were accepted, in the order of the file.
    pub rows: Vec<SheetRow>,
    /// What is wrong, in the order of the file; at most 10,000 are listed.
    pub problems: Vec<Problem>,
    /// Rows that were refused, listed or not.
    pub refused_count: usize,
    /// Fields and the columns they were read from.
    pub mapping: Vec<(Field, String)>,
    /// Columns that nothing was read from.
    pub unused_columns: Vec<String>,
    /// Name of the encoding, such as `UTF-8`.
    pub encoding: &'static str,
    /// The separator between the cells.
    pub delimiter: char,
}

/// One row that was accepted. At least one of email, fax and phone is present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// National Provider Identifier with a valid check digit.
    pub npi: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Letters after the name, without dots.
    pub credentials: Option<String>,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// Kind.
    pub kind: ReferrerType,
    /// Email address.
    pub email: Option<EmailAddress>,
    /// Fax number.
    pub fax: Option<FaxNumber>,
    /// Voice number, as `PhoneNumber` stores it.
    pub phone: Option<String>,
    /// Street and house number.
    pub street: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// State or province, as written.
    pub state: Option<String>,
    /// ZIP or postal code.
    pub postal_code: Option<String>,
    /// Notes for people.
    pub notes: Option<String>,
    /// Contact status as the list states it. An import can only make it stricter.
    pub standing: Option<ReferrerState>,
    /// Zone as given, or that of a state which has only one.
    pub time_zone: Option<Tz>,
    /// Labels: lower case, sorted, without repeats, at most 20.
    pub tags: Vec<String>,
    /// Where the row came from.
    pub source: Option<String>,
    /// Permission or relationship; only with a fax number.
    pub basis: Option<SheetBasis>,
}

impl SheetRow {
    /// Where the office is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            street: self.street.clone(),
            city: self.city.clone(),
            region: self.state.clone(),
            postal_code: self.postal_code.clone(),
        }
    }
}

/// A basis as a list states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetBasis {
    /// Permission or relationship.
    pub kind: BasisKind,
    /// Where the number came from.
    pub number_source: Option<NumberSource>,
    /// The day it was obtained.
    pub date: NaiveDate,
    /// Evidence.
    pub note: Option<String>,
}

/// Something wrong with a row, in words. Never holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The column's name in the file, if one cell is meant.
    pub column: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the row was refused for it; otherwise the row was accepted without what could not be read.
    pub refuses: bool,
}

/// Reads a file. `mapping` says which column holds a field where its name does not (see [`parse_mapping`]).
///
/// # Errors
/// The file as a whole cannot be read; what is wrong with single rows is in [`Sheet::problems`].
pub fn read(bytes: &[u8], mapping: &[(Field, String)]) -> Result<Sheet, SheetError> {
    if bytes.len() > BYTES_MAX {
        return Err(SheetError::TooLarge);
    }
    let (text, encoding) = decode::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(SheetError::Empty);
    }
    let header = find_header(&text, mapping)?;
    let mut sheet = Sheet {
        rows: Vec::new(),
        problems: Vec::new(),
        refused_count: 0,
        mapping: header.columns.mapping(),
        unused_columns: header.columns.unused(),
        encoding,
        delimiter: char::from(header.delimiter),
    };
    read_rows(&text, &header, &mut sheet)?;
    Ok(sheet)
}

/// Where the header is, and what it says.
struct Header {
    delimiter: u8,
    line: u64,
    row: StringRecord,
    columns: Columns,
}

/// The row among the first that names most fields, under whichever delimiter shows most.
fn find_header(text: &str, mapping: &[(Field, String)]) -> Result<Header, SheetError> {
    let mut best: Option<Header> = None;
    for delimiter in DELIMITERS {
        let mut records = Records::new(text, delimiter);
        for _ in 0..HEADER_ROWS_MAX {
            let Some((line, row)) = records.next() else { break };
            let Some(columns) = Columns::read(row, mapping) else { continue };
            if best.as_ref().is_none_or(|best| columns.count() > best.columns.count()) {
                best = Some(Header { delimiter, line, row: row.clone(), columns });
            }
        }
    }
    best.ok_or_else(|| match mapping {
        [] => SheetError::NoHeader,
        _ if find_header(text, &[]).is_err() => SheetError::NoHeader,
        _ => {
            SheetError::Mapping("a column named in the mapping is not in the header: copy its name exactly".to_owned())
        }
    })
}

fn read_rows(text: &str, header: &Header, sheet: &mut Sheet) -> Result<(), SheetError> {
    let mut records = Records::new(text, header.delimiter);
    let mut count = 0;
    while let Some((line, record)) = records.next() {
        let says_something = record.iter().any(|cell| !cell.trim().is_empty());
        // Lists made for printing repeat their header on every page.
        if line <= header.line || !says_something || *record == header.row {
            continue;
        }
        count += 1;
        if count > ROWS_MAX {
            return Err(SheetError::TooManyRows);
        }
        match row::read(&header.columns, line, record, &mut sheet.problems) {
            Some(row) => sheet.rows.push(row),
            None => sheet.refused_count += 1,
        }
        sheet.problems.truncate(PROBLEMS_MAX);
    }
    Ok(())
}
