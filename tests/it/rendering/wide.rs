//! Tables that are wider than the page, and characters that the fax fonts do not have.

use serde_json::{Map, Value, json};
use touchline::render::{Renderer, Severity};

use super::{folder, job, letter_md, object, practice, referrer, squeezed, text_of};

/// A table with so many columns, and these words in each cell.
fn table(columns: usize, rows: usize, cell: &str) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let head = line((0..columns).map(|column| format!("Weekday{column}")).collect());
    let rule = line(vec!["---".to_owned(); columns]);
    let body = (0..rows).map(|row| line((0..columns).map(|column| format!("{cell}{row}{column}")).collect()));
    [head, rule].into_iter().chain(body).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_cell_of_a_table_is_printed_over_another_however_many_columns_there_are() {
    let cells =
        ["10:00-19:00/", "only after a call the day before ", "closed", "8-5", "https://long.example/a/b/c?day="];
    let tables: Vec<(usize, &str)> =
        [1, 2, 4, 7, 8, 9, 12, 20].into_iter().flat_map(|columns| cells.map(|cell| (columns, cell))).collect();
    // A letter with a few short lines would be set in large type, and its cells on two lines.
    let rows = |columns: usize| if columns < 3 { 16 } else { 3 };
    let letters: Vec<(String, String)> = tables
        .iter()
        .enumerate()
        .map(|(place, (columns, cell))| {
            let body = table(*columns, rows(*columns), cell);
            (format!("wide-{place}/letter.md"), letter_md("informational", "fax = { pages_max = 9 }", &body))
        })
        .collect();
    let letters: Vec<(&str, &str)> = letters.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let folder = folder(&letters);
    let renderer = Renderer::load(practice(), Some(folder.path())).expect("letters");
    let (referrer, variables) = (referrer(), Map::new());
    for (place, (columns, cell)) in tables.into_iter().enumerate() {
        let fax = renderer.fax(&job(&format!("wide-{place}"), &referrer, &variables)).expect("a fax");
        let findings: Vec<_> = fax.lint.iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert!(findings.is_empty(), "{columns} columns of {cell}: {findings:?}");
        let page = squeezed(&text_of(&fax));
        let last = squeezed(&format!("{cell}{}{}", rows(columns) - 1, columns - 1));
        if columns < 3 {
            assert!(page.contains(&last), "{columns} columns of {cell}: the last cell is missing");
        }
    }
}

#[test]
fn what_a_fax_cannot_print_is_named_and_what_it_can_print_is_not() {
    let with = |name: &str, said: Value| {
        let mut referrer = referrer();
        referrer.last_name = Some(name.to_owned());
        let mut variables = super::built_in().letter("lunch-and-learn").expect("built in").sample.clone();
        variables.extend(object(said));
        super::built_in().missing_on_fax("lunch-and-learn", &referrer, &variables).join("\n")
    };
    assert_eq!(with("Núñez", json!({ "topic": "Zoë’s “new” rooms – 5 €" })), "");
    assert_eq!(with("Nu\u{301}n\u{303}ez", json!({})), "", "an accent of its own is part of its letter");
    let said = with("李", json!({ "questions": ["a", "ひ"] }));
    assert!(said.contains("`李` in the recipient's name") && said.contains("`ひ` in `questions`"), "{said}");
    let folder =
        folder(&[("own/letter.md", letter_md("operational", "", "Dear {{referrer.salutation}}, ⚕龍").as_str())]);
    let own = Renderer::load(practice(), Some(folder.path())).expect("a letter");
    let said = own.missing_on_fax("own", &referrer(), &Map::new()).join("\n");
    assert!(said.contains("`龍` in the letter's own text"), "{said}");
    assert!(own.missing("own", &referrer(), &Map::new()).is_empty(), "mail prints it");
    let lint = own.fax(&job("own", &referrer(), &Map::new())).expect("a fax").lint;
    let refused =
        |one: &&touchline::render::LintFinding| one.severity == Severity::Error && one.message.contains("`龍`");
    assert!(lint.iter().find(refused).is_some(), "{lint:?}");
}
