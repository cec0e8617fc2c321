//! The cells of one row, by field, and what is wrong with them.

use csv::StringRecord;

use super::columns::Columns;
use super::field::Field;
use super::guard::unguarded;
use super::refusal_columns::Form;
use super::refusal_words::is_refusal;
use super::{CELL_CHARS_MAX, Problem};

/// Longest name, organization or source.
const TEXT_CHARS_MAX: usize = 400;
/// What lists write where they know nothing.
const NOTHING: [&str; 23] = [
    "-",
    "--",
    "---",
    "n/a",
    "na",
    "#n/a",
    "none",
    "null",
    "nil",
    "unknown",
    "tbd",
    "not available",
    "<unavail>",
    "no email",
    "no e-mail",
    "no email address",
    "no fax",
    "no fax number",
    "no phone",
    "none on file",
    "not on file",
    "no number",
    "does not have one",
];
/// Of those, what can be a name: people are called Null, Na, None and Unknown.
const NAMES_TOO: [&str; 5] = ["na", "none", "null", "nil", "unknown"];

/// A cell of a refusal column that comes from the attributes of a row.
#[derive(Debug, Clone)]
pub(super) struct ExtraMark {
    pub(super) field: Field,
    pub(super) form: Form,
    pub(super) name: String,
    pub(super) value: String,
}

/// One row.
pub(super) struct Cells<'a> {
    pub(super) columns: &'a Columns,
    pub(super) line: u64,
    pub(super) record: &'a StringRecord,
    problems: &'a mut Vec<Problem>,
    /// Columns with something in them that may say who refused, and that nobody has explained.
    suspects: &'a mut Vec<String>,
    /// Fields from the row's attributes.
    pub(super) extra: Vec<(Field, String)>,
    /// Refusals from the row's attributes.
    pub(super) extra_marks: Vec<ExtraMark>,
    pub(super) is_refused: bool,
}

impl<'a> Cells<'a> {
    pub(super) const fn new(
        columns: &'a Columns,
        line: u64,
        record: &'a StringRecord,
        problems: &'a mut Vec<Problem>,
        suspects: &'a mut Vec<String>,
    ) -> Self {
        Self {
            columns,
            line,
            record,
            problems,
            suspects,
            extra: Vec::new(),
            extra_marks: Vec::new(),
            is_refused: false,
        }
    }

    pub(super) fn add(&mut self, column: Option<String>, message: &str, refuses: bool) {
        self.is_refused |= refuses;
        self.problems.push(Problem { line: self.line, column, message: message.to_owned(), refuses });
    }

    pub(super) fn refuse(&mut self, field: Option<Field>, message: &str) {
        self.add(field.and_then(|field| self.column(field)), message, true);
    }

    pub(super) fn note(&mut self, field: Field, message: &str) {
        self.add(self.column(field), message, false);
    }

    /// The column that the field was read from in this row.
    pub(super) fn column(&self, field: Field) -> Option<String> {
        let place = self.columns.candidates(field, self.record).into_iter().find(|place| self.at(*place).is_some());
        place.and_then(|place| self.columns.name(place)).or_else(|| self.columns.column(field))
    }

    /// Remembers a column that stops the import.
    pub(super) fn suspect(&mut self, name: String) {
        if !self.suspects.contains(&name) {
            self.suspects.push(name);
        }
    }

    /// A row whose cells may have shifted into the wrong columns is not read at all.
    pub(super) fn check_shape(&mut self) {
        let expected = self.columns.width();
        if self.record.iter().skip(expected).any(|cell| !cell.trim().is_empty()) {
            self.add(
                None,
                "the row has more cells than the header: put quotation marks around a text that contains the separator",
                true,
            );
        }
        if let Some(place) = self.record.iter().position(|cell| cell.chars().count() > CELL_CHARS_MAX) {
            let message = "the cell is longer than 4,000 characters; perhaps a quotation mark is not closed";
            self.add(self.columns.name(place), message, true);
        }
    }

    /// Notes columns of one name that say different things, and remembers filled columns that nobody has explained.
    pub(super) fn look_over(&mut self) {
        let fields = [Field::Fax, Field::Email, Field::FirstName, Field::LastName, Field::Name, Field::Organization];
        for field in fields {
            let places = self.columns.candidates(field, self.record);
            let is_nothing = |cell: &str| says_nothing(cell) || (field.is_dialed() && is_placeholder(cell));
            let mut filled =
                places.iter().filter_map(|place| self.part(field, *place)).filter(|cell| !is_nothing(cell));
            let first = filled.next();
            if filled.any(|other| first.is_some_and(|first| !other.eq_ignore_ascii_case(first))) {
                self.note(
                    field,
                    "several columns hold this and say different things: the first that is filled was used",
                );
            }
        }
        let names = self.columns.suspects.iter().filter(|place| self.at(**place).is_some());
        // A cell that is a refusal must not be passed over, whatever its column is called.
        let watched = self.columns.watched.iter().filter(|place| self.at(**place).is_some_and(is_refusal));
        let names: Vec<String> = names.chain(watched).filter_map(|place| self.columns.name(*place)).collect();
        names.into_iter().for_each(|name| self.suspect(name));
    }

    /// A cell by its place, without outer blanks and the guard of a formula, if there is anything in it.
    pub(super) fn at(&self, place: usize) -> Option<&'a str> {
        let written = trimmed(self.record.get(place)?);
        let cell = match unguarded(written) {
            // Spreadsheets keep leading zeros by writing ="0123".
            plain if plain.len() == written.len() => {
                plain.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(plain)
            }
            guarded => guarded,
        };
        (!cell.is_empty()).then_some(cell)
    }

    /// What of a cell belongs to the field.
    fn part(&self, field: Field, place: usize) -> Option<&'a str> {
        let columns = self.columns;
        columns.part(field, place, self.record, self.at(place)?)
    }

    /// Every filled cell of the field's columns, also of those that nothing is sent to.
    pub(super) fn every(&self, field: Field) -> Vec<&'a str> {
        self.columns.every_place(field).into_iter().filter_map(|place| self.at(place)).collect()
    }

    /// The field's cell, if it says anything.
    pub(super) fn raw(&self, field: Field) -> Option<&str> {
        let says = |cell: &str| self.columns.is_ours || !says_nothing(cell);
        self.first(field, says)
    }

    /// The same for a part of a name, where the words for nothing may be the name.
    pub(super) fn raw_name(&self, field: Field) -> Option<&str> {
        let says = |cell: &str| self.columns.is_ours || !says_nothing(cell) || is_name_too(cell);
        self.first(field, says)
    }

    fn first(&self, field: Field, says: impl Fn(&str) -> bool) -> Option<&str> {
        let places = self.columns.candidates(field, self.record);
        let says = |cell: &&str| says(cell) && !(field.is_dialed() && is_placeholder(cell));
        let by_column = places.into_iter().filter_map(|place| self.part(field, place)).find(says);
        let by_attribute = || self.extra.iter().find(|(known, _)| *known == field).map(|(_, text)| text.as_str());
        by_column.or_else(by_attribute)
    }

    /// The field's cell as one line of text. One that is too long refuses the row: cells may have run together.
    pub(super) fn text(&mut self, field: Field) -> Option<String> {
        let text = one_line(self.raw(field)?);
        self.checked(field, text)
    }

    /// The same for a part of a name.
    pub(super) fn name(&mut self, field: Field) -> Option<String> {
        let text = one_line(self.raw_name(field)?);
        self.checked(field, text)
    }

    fn checked(&mut self, field: Field, text: String) -> Option<String> {
        if text.chars().count() > TEXT_CHARS_MAX {
            self.refuse(Some(field), "the text is longer than 400 characters");
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// The field's cell as one line; one that is too long costs the cell.
    pub(super) fn remark(&mut self, field: Field) -> Option<String> {
        let text = one_line(self.raw(field)?);
        if text.chars().count() > TEXT_CHARS_MAX {
            self.note(field, "the text is longer than 400 characters and was left out");
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

/// Whether a cell only says that nothing is known.
pub(super) fn says_nothing(cell: &str) -> bool {
    cell.is_empty() || NOTHING.contains(&cell.to_lowercase().as_str())
}

/// Whether a telephone number consists of zeros or nines alone, which programs write where they know none.
fn is_placeholder(cell: &str) -> bool {
    let is_number = cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-' | '.' | '/' | '+'));
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix('1').unwrap_or(&digits);
    let is_all = |digit: u8| national.bytes().all(|b| b == digit);
    is_number && (7..=10).contains(&national.len()) && (is_all(b'0') || is_all(b'9'))
}

/// Whether a word for nothing can be a name.
pub(super) fn is_name_too(cell: &str) -> bool {
    NAMES_TOO.contains(&cell.to_lowercase().as_str())
}

fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

/// The text with every run of blanks and line breaks as one space.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with its line breaks, without blanks at the ends of lines and control characters.
pub(super) fn several_lines(text: &str) -> String {
    let lines = text.lines().map(one_line);
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_zeros_or_nines_alone_is_none() {
        for cell in ["000-000-0000", "0000000000", "(000) 000-0000", "999.999.9999", "+1 999 999 9999", "000-0000"] {
            assert!(is_placeholder(cell), "{cell}");
        }
        for cell in ["", "0", "99", "847-555-0000", "1-847-555-0104", "000-000-0000 x1", "0000000000000"] {
            assert!(!is_placeholder(cell), "{cell}");
        }
    }
}
