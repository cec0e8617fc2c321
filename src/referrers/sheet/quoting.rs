//! Quotation marks that are not closed where they should be (RFC 4180, section 2): what follows becomes part of one cell, and
//! the people in those rows vanish without a message.

/// The digits of a telephone number (NANP).
const DIGITS_OF_NUMBER: usize = 10;
/// With so many cells a line is no address or note that happens to have commas.
const CELLS_THAT_SAY_ENOUGH: usize = 5;

/// The line on which a quotation mark opens that swallows other rows; none if all is well. A cell may hold line breaks, but
/// not if its mark is never closed, is closed in the middle of a text, or holds a line with as many cells as `width`.
pub(super) fn swallows(text: &str, delimiter: u8, width: usize) -> Option<u64> {
    let (bytes, mut line, mut place) = (text.as_bytes(), 1, 0);
    while place < bytes.len() {
        // At the beginning of a cell.
        if bytes[place] == b'"' {
            let (opened, start) = (line, place + 1);
            let end = end_of_quoted(bytes, start);
            let inside = &bytes[start..end.min(bytes.len())];
            let breaks = inside.iter().filter(|byte| **byte == b'\n').count();
            let is_closed = end < bytes.len();
            let goes_on = bytes.get(end + 1).is_some_and(|next| *next != delimiter && *next != b'\n');
            if !is_closed || (breaks > 0 && (goes_on || holds_row(inside, delimiter, width))) {
                return Some(opened);
            }
            line += breaks as u64;
            place = end + 1;
        }
        while place < bytes.len() && bytes[place] != delimiter && bytes[place] != b'\n' {
            place += 1;
        }
        line += u64::from(bytes.get(place) == Some(&b'\n'));
        place += 1;
    }
    None
}

/// Where the mark stands that closes the cell; the end of the text if none does.
fn end_of_quoted(bytes: &[u8], start: usize) -> usize {
    let mut place = start;
    while place < bytes.len() {
        if bytes[place] == b'"' {
            if bytes.get(place + 1) != Some(&b'"') {
                return place;
            }
            place += 1;
        }
        place += 1;
    }
    bytes.len()
}

/// Whether a line inside the cell, but not its first, is a row of the list: it has as many cells, and somebody's address where
/// so few cells say little.
fn holds_row(inside: &[u8], delimiter: u8, width: usize) -> bool {
    let is_row = |line: &[u8]| {
        let cells = line.iter().filter(|byte| **byte == delimiter).count() + 1;
        let has_address =
            || line.contains(&b'@') || line.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS_OF_NUMBER;
        width > 1 && cells == width && (width >= CELLS_THAT_SAY_ENOUGH || has_address())
    };
    inside.split(|byte| *byte == b'\n').skip(1).any(is_row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mark_that_swallows_rows_is_found_where_it_opens() {
        for (text, width, opened) in [
            ("a,b\n\"x\",1\n", 2, None),
            ("a,b\n\"say \"\"hi\"\"\",1\n", 2, None),
            ("a,b\nx 5\" pipe,1\ny,2\n", 2, None),
            ("a,b,c\nx,\"1 Main St\nEvanston, IL, 60201\",1\n", 3, None),
            ("a,b\nx,\"see desk\ny,2\nz,3\n", 2, Some(2)),
            ("a,b,c,d,e\nx,\"see desk\ny,2,3,4,5\nz\",1,2,3\n", 5, Some(2)),
            ("a,b,c\n\nx,\"Lake\ny,\"Hill\",3\n", 3, Some(3)),
            ("a,b\n\"x\ny@elm.example,2\",1\n", 2, Some(2)),
            ("", 2, None),
            ("\"", 2, Some(1)),
        ] {
            assert_eq!(swallows(text, b',', width), opened, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_program_writes_is_never_taken_for_a_mistake(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z\"\n ]{0,6}", 3), 1..6),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).expect("written"));
            let text = String::from_utf8(writer.into_inner().expect("whole")).expect("text");
            prop_assert_eq!(swallows(&text, b',', 3), None);
        }

        #[test]
        fn no_text_is_too_odd(text in "[a,\"\n]{0,40}") {
            let lines = 1 + text.matches('\n').count() as u64;
            prop_assert!(swallows(&text, b',', 2).is_none_or(|line| (1..=lines).contains(&line)));
        }
    }
}
