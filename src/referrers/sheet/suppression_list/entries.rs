//! A suppression list as entries of named cells: a CSV file with a header, a JSON document that holds a list of objects, or
//! one JSON object on each line.

use std::collections::BTreeMap;

use csv::StringRecord;
use serde_json::Value;

use super::Origin;
use crate::referrers::sheet::decode::{DELIMITERS, Records};
use crate::referrers::sheet::{CELL_CHARS_MAX, ROWS_MAX, SheetError, quoting};

/// Rows examined to find the header.
const HEADER_ROWS_MAX: usize = 10;
/// How the cell may be called that holds the address.
const ADDRESS_NAMES: [&str; 5] = ["emailaddress", "email", "address", "recipient", "recipientemail"];

/// What a file holds.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) list: Vec<Entry>,
    pub(super) delimiter: char,
    /// What a person should know of the file.
    pub(super) note: Option<&'static str>,
}

/// One entry: its cells by name, in small letters and without anything between them (`created_at` is `createdat`).
#[derive(Debug)]
pub(super) struct Entry {
    /// Line of the file on which it begins; in a JSON document, its place in the list; both from 1.
    pub(super) line: u64,
    cells: BTreeMap<String, String>,
}

impl Entry {
    /// The cell of the first of these names that is there and not empty.
    pub(super) fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().filter_map(|name| self.cells.get(*name)).map(String::as_str).find(|cell| !cell.is_empty())
    }

    /// Whether it has a cell of that name, if only an empty one.
    pub(super) fn has(&self, name: &str) -> bool {
        self.cells.contains_key(name)
    }

    /// The address as written.
    pub(super) fn address(&self) -> Option<&str> {
        self.get(&ADDRESS_NAMES)
    }
}

/// Reads them.
///
/// # Errors
/// The file is neither of the forms, holds no addresses, or more than [`ROWS_MAX`] entries.
pub(super) fn read(text: &str, origin: Origin) -> Result<Entries, SheetError> {
    let entries =
        if text.trim_start().starts_with(['{', '[']) { of_json(text, origin)? } else { of_csv(text, origin)? };
    if entries.list.len() > ROWS_MAX {
        return Err(SheetError::TooManyRows);
    }
    Ok(entries)
}

fn of_csv(text: &str, origin: Origin) -> Result<Entries, SheetError> {
    let (delimiter, line, header) = header(text).ok_or_else(|| foreign(origin, "no column holds email addresses"))?;
    if let Some(open) = quoting::swallows(text, delimiter, header.len()) {
        return Err(SheetError::OpenQuote(open));
    }
    let names: Vec<String> = header.iter().map(plain).collect();
    let mut list = Vec::new();
    let mut records = Records::new(text, delimiter);
    while let Some((at, record)) = records.next() {
        if at > line && record.iter().any(|cell| !cell.trim().is_empty()) && list.len() <= ROWS_MAX {
            let cells = names.iter().cloned().zip(record.iter().map(short)).collect();
            list.push(Entry { line: at, cells });
        }
    }
    Ok(Entries { list, delimiter: char::from(delimiter), note: None })
}

/// The delimiter, the line and the cells of the first row that names a column of addresses.
fn header(text: &str) -> Option<(u8, u64, StringRecord)> {
    DELIMITERS.into_iter().find_map(|delimiter| {
        let mut records = Records::new(text, delimiter);
        for _ in 0..HEADER_ROWS_MAX {
            let (line, record) = records.next()?;
            if record.iter().map(plain).any(|name| ADDRESS_NAMES.contains(&name.as_str())) {
                return Some((delimiter, line, record.clone()));
            }
        }
        None
    })
}

fn of_json(text: &str, origin: Origin) -> Result<Entries, SheetError> {
    let (list, note) = match serde_json::from_str::<Value>(text) {
        Ok(document) => {
            let note = one_page_of_several(&document, origin)?;
            let list = objects(document).ok_or_else(|| foreign(origin, "the document holds no list"))?;
            if list.len() > ROWS_MAX {
                return Err(SheetError::TooManyRows);
            }
            (numbered(list), note)
        }
        Err(whole) => {
            let mistake = format!("it is not valid JSON (line {}, column {})", whole.line(), whole.column());
            (of_lines(text).ok_or_else(|| foreign(origin, &mistake))?, None)
        }
    };
    if list.iter().any(|entry| entry.address().is_some()) || list.is_empty() {
        return Ok(Entries { list, delimiter: ',', note });
    }
    Err(foreign(origin, "no field holds email addresses"))
}

/// Refuses a page of an answer that says that there are more; notes one that may have more.
fn one_page_of_several(document: &Value, origin: Origin) -> Result<Option<&'static str>, SheetError> {
    let goes_on = document["NextToken"].as_str().is_some_and(|token| !token.is_empty());
    let listed = document.as_object().into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_array);
    let listed = listed.map(Vec::len).max().unwrap_or(0);
    let is_part = document["TotalCount"].as_u64().is_some_and(|total| total > listed as u64);
    if goes_on || is_part {
        return Err(foreign(origin, "it is one page of several: fetch all of them, and import each file"));
    }
    let may_go_on = document["paging"]["next"].is_string();
    Ok(may_go_on.then_some("the API answers in pages, and this is one of them: import the others too"))
}

/// One object on each line.
fn of_lines(text: &str) -> Option<Vec<Entry>> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(line, object)| Some(entry(line, serde_json::from_str(object).ok()?))).take(ROWS_MAX + 1).collect()
}

/// The objects of the document: itself a list, or an object that holds one.
fn objects(document: Value) -> Option<Vec<Value>> {
    match document {
        Value::Array(list) => Some(list),
        object if has_address(&object) => Some(vec![object]),
        Value::Object(fields) => {
            let lists = fields.into_iter().filter_map(|(_, value)| match value {
                Value::Array(list) if list.iter().all(Value::is_object) => Some(list),
                _ => None,
            });
            // Of several lists, the one of entries; an empty one only where there is no other.
            lists.max_by_key(|list| (list.iter().any(has_address), list.len()))
        }
        _ => None,
    }
}

fn has_address(object: &Value) -> bool {
    object.as_object().is_some_and(|fields| fields.keys().any(|name| ADDRESS_NAMES.contains(&plain(name).as_str())))
}

fn numbered(list: Vec<Value>) -> Vec<Entry> {
    (1..).zip(list).map(|(place, object)| entry(place, object)).collect()
}

fn entry(line: u64, object: Value) -> Entry {
    let Value::Object(fields) = object else { return Entry { line, cells: BTreeMap::new() } };
    let cell = |value: Value| match value {
        Value::String(text) => short(&text),
        Value::Null => String::new(),
        other => short(&other.to_string()),
    };
    Entry { line, cells: fields.into_iter().map(|(name, value)| (plain(&name), cell(value))).collect() }
}

/// A name in small letters, without anything that is neither letter nor figure.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A cell without blanks around it, and no longer than any cell may be.
fn short(cell: &str) -> String {
    cell.trim().chars().take(CELL_CHARS_MAX).collect()
}

fn foreign(origin: Origin, why: &str) -> SheetError {
    SheetError::Foreign { from: origin.title(), why: why.to_owned() }
}
