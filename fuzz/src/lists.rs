//! Lists of referrers: any octets.

use touchline::referrers::sheet;

/// Tries one file.
pub fn run(input: &[u8]) {
    let Ok(sheet) = sheet::read(input, &[]) else { return };
    for row in &sheet.rows {
        assert!(row.tags.len() <= 20, "{} labels", row.tags.len());
        assert!(row.basis.is_none() || row.fax.is_some(), "a basis without a number");
        assert!(row.refusals.len() <= 4, "{} refusals", row.refusals.len());
        if let Some(fax) = &row.fax {
            assert!(fax.as_str().starts_with('+'));
        }
    }
    for problem in &sheet.problems {
        assert!(problem.message.chars().count() <= 1000, "{} characters", problem.message.len());
        assert!(!problem.message.contains('\n'));
    }
}
