//! Lists of referrers, read from CSV of any origin: a practice's own export, an insurer's directory, NPPES. Pure: bytes
//! in, rows and problems out. A row is taken whole or refused with its line and the reason; no message repeats an address.

mod attributes;
mod casing;
mod cell;
mod columns;
mod decode;
mod field;
mod field_names;
mod guard;
mod header;
mod labelled;
mod mailbox;
mod name;
mod numbers;
mod person;
mod refusal_columns;
mod refusal_names;
mod refusal_words;
mod refused;
mod row;
mod taken;
mod taxonomy;
#[cfg(test)]
mod tests;
pub mod write;
mod zone;

use csv::StringRecord;

pub use field::{Field, parse_mapping};
pub use refused::RefusalEvidence;
pub use taken::{NOT_CALLED, Problem, RefusedRows, Sheet, SheetBasis, SheetRefusal, SheetRow};

use cell::Cells;
use columns::Columns;
use decode::{DELIMITERS, Records};

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

/// Columns named in one message.
const SUSPECTS_SHOWN_MAX: usize = 10;

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
    /// Columns that look as if they said who refused letters, in ways that nobody knows.
    #[error("{}", explain_suspects(.0))]
    Unexplained(Vec<String>),
    /// A mapping instruction that cannot be followed.
    #[error("{0}")]
    Mapping(String),
}

/// What a person says about a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Instructions<'a> {
    /// Which column holds a field where its name does not say so (see [`parse_mapping`]).
    pub mapping: &'a [(Field, String)],
    /// Columns to leave alone, by name, whatever they look like.
    pub ignored: &'a [String],
    /// Name of the file: a mailing tool may say there that everybody in it unsubscribed.
    pub file: Option<&'a str>,
}

/// Reads a file. `mapping` says which column holds a field where its name does not (see [`parse_mapping`]).
///
/// # Errors
/// As [`read_as_told`].
pub fn read(bytes: &[u8], mapping: &[(Field, String)]) -> Result<Sheet, SheetError> {
    read_as_told(bytes, &Instructions { mapping, ..Instructions::default() })
}

/// Reads a file as a person says.
///
/// # Errors
/// The file as a whole cannot be read, or one of its columns may say who refused letters and nobody has said how
/// ([`SheetError::Unexplained`]); what is wrong with single rows is in [`Sheet::problems`].
pub fn read_as_told(bytes: &[u8], instructions: &Instructions<'_>) -> Result<Sheet, SheetError> {
    if bytes.len() > BYTES_MAX {
        return Err(SheetError::TooLarge);
    }
    let (text, encoding) = decode::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(SheetError::Empty);
    }
    let header = find_header(&text, instructions)?;
    let mut sheet = Sheet {
        rows: Vec::new(),
        problems: Vec::new(),
        refused_count: 0,
        mapping: header.columns.mapping(),
        unused_columns: header.columns.unused(),
        encoding,
        delimiter: char::from(header.delimiter),
    };
    note_header(&header, &mut sheet.problems);
    read_rows(&text, &header, &mut sheet)?;
    Ok(sheet)
}

/// Where the header is, and what it says.
struct Header {
    delimiter: u8,
    line: u64,
    row: StringRecord,
    columns: Columns,
    /// What the name of the file says of everybody in it.
    file_says: Option<Field>,
}

/// The row among the first that names most fields, under whichever delimiter shows most.
fn find_header(text: &str, instructions: &Instructions<'_>) -> Result<Header, SheetError> {
    let mut best: Option<Header> = None;
    for delimiter in DELIMITERS {
        let mut records = Records::new(text, delimiter);
        for _ in 0..HEADER_ROWS_MAX {
            let Some((line, row)) = records.next() else { break };
            let Some(columns) = Columns::read(row, instructions) else { continue };
            if best.as_ref().is_none_or(|best| columns.count() > best.columns.count()) {
                let is_ours = columns.is_ours;
                let by_name = |name| refusal_columns::of_file(name, columns.is_mailing_tool);
                let file_says = instructions.file.filter(|_| !is_ours).and_then(by_name);
                best = Some(Header { delimiter, line, row: row.clone(), columns, file_says });
            }
        }
    }
    best.ok_or_else(|| {
        let is_told = !instructions.mapping.is_empty() || !instructions.ignored.is_empty();
        if is_told && find_header(text, &Instructions::default()).is_ok() {
            Columns::not_named(instructions)
        } else {
            SheetError::NoHeader
        }
    })
}

/// Notes what is odd about the columns and the name of the file.
fn note_header(header: &Header, problems: &mut Vec<Problem>) {
    let mut note = |column: Option<String>, message: String| {
        problems.push(Problem { line: header.line, column, message, refuses: false });
    };
    for (name, count) in header.columns.repeated() {
        let message = format!("{count} columns have this name: of each row, the first that is filled is used");
        note(Some(name), message);
    }
    if header.file_says.is_some() {
        let message = "the name of the file says that everybody in it refused letters or cannot be reached, and so they \
             come in; if that is wrong, give the file another name";
        note(None, message.to_owned());
    }
}

fn read_rows(text: &str, header: &Header, sheet: &mut Sheet) -> Result<(), SheetError> {
    let mut records = Records::new(text, header.delimiter);
    let (mut count, mut suspects) = (0, Vec::new());
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
        let cells = Cells::new(&header.columns, line, record, &mut sheet.problems, &mut suspects);
        match row::read(cells, header.file_says) {
            Some(row) => sheet.rows.push(row),
            None => sheet.refused_count += 1,
        }
        sheet.problems.truncate(PROBLEMS_MAX);
    }
    if suspects.is_empty() { Ok(()) } else { Err(SheetError::Unexplained(suspects)) }
}

/// What to do about columns that nobody understands.
fn explain_suspects(columns: &[String]) -> String {
    let names: Vec<String> =
        columns.iter().take(SUSPECTS_SHOWN_MAX).map(|name| format!("\u{201c}{name}\u{201d}")).collect();
    let example = columns.first().map_or("", String::as_str);
    let (column, it) = if columns.len() == 1 { ("the column", "it") } else { ("the columns", "them") };
    format!(
        "{column} {} may say who refused letters or cannot be reached, and it is not known how to read {it}. Nothing was imported. \
         Say what it means with --map FIELD=\"{example}\", where FIELD is opted_out, email_opted_out, fax_opted_out, opted_in, \
         bounced, complained, do_not_contact, do_not_call, subscription_status or standing; or, if it says nothing of the \
         kind, with --ignore-column \"{example}\"",
        names.join(", "),
    )
}
