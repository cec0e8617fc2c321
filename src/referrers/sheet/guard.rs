//! Cells that a spreadsheet would run as a formula: guarded by an apostrophe when they are written, and read back without
//! it. Both go by one rule, so that a text which really begins with an apostrophe (`'t Hart`) stays as it is.

/// What makes a spreadsheet read a cell as a formula, in the forms that it takes for the same.
const STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '|', '＝', '＋', '－', '＠'];
/// What may stand before it without helping.
const BEFORE: [char; 5] = ['\'', '"', '\u{2018}', '\u{2019}', ' '];

/// Whether the text is a formula to some spreadsheet, or what a guard would make of one.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches(BEFORE).starts_with(STARTS)
}

/// The text as it is safe in a cell.
pub(super) fn guarded(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell without its guard.
pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded_and_nothing_else() {
        for text in ["=1+1", "+1 312", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1", "\"=1", "'=1", " =1", "''@x"] {
            assert_eq!(guarded(text), format!("'{text}"));
            assert_eq!(unguarded(&guarded(text)), text);
        }
        for text in ["", "'t Hart", "'s-Gravesande", "O'Brien", "a=b", "(847) 555-0110", "'", "''", "Dr. 'Bo' +1"] {
            assert_eq!((guarded(text), unguarded(text)), (text.to_owned(), text));
        }
    }

    proptest! {
        #[test]
        fn a_guard_is_taken_off_exactly_where_it_was_put(text in "['\"=+@ \t＝a-]{0,6}|\\PC{0,12}") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), text.as_str());
            prop_assert!(!cell.starts_with(STARTS));
        }
    }
}
