//! Tables for people. No word is broken: columns are at least as wide as their longest word, and where they do not all fit
//! beside each other, each row becomes a block of lines, a name and a value in each.

use std::io::IsTerminal;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableComponent, Width, presets};

use super::console::plain;

/// Table width where neither a terminal nor the variable `COLUMNS` says one.
const WIDTH_ELSEWHERE: usize = 160;
/// The least width that a terminal or `COLUMNS` may ask for.
const WIDTH_MIN: usize = 20;
/// Columns whose cells are copied into the next command, and so stay on one line.
const COPIED: [&str; 4] = ["id", "message", "account", "reference"];
/// Spaces beside the text of a column.
const PADDING: usize = 2;
/// Spaces between a name and its value in a block.
const BESIDE: usize = 2;

/// A table as wide as the terminal. Cells come from data: control characters, which could drive a terminal, are removed.
#[must_use]
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    drawn(header, rows, width())
}

fn width() -> usize {
    if std::io::stdout().is_terminal() {
        return Table::new().width().map_or(WIDTH_ELSEWHERE, usize::from).max(WIDTH_MIN);
    }
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    asked.filter(|columns| *columns >= WIDTH_MIN).unwrap_or(WIDTH_ELSEWHERE)
}

fn drawn(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: usize) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    match widths(header, &rows, width) {
        Some(widths) => columns(header, &rows, &widths),
        None => blocks(header, &rows, width),
    }
}

fn columns(header: &[&str], rows: &[Vec<String>], widths: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '─');
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(widths.iter().map(|width| width + PADDING).sum::<usize>()).unwrap_or(u16::MAX));
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (index, width) in widths.iter().enumerate() {
        let width = Width::Fixed(u16::try_from(width + PADDING).unwrap_or(u16::MAX));
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::Absolute(width));
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The width of each column's text: at least its longest word, at most its longest line, and no more together than there is.
/// `None`: not even the longest words fit beside each other.
fn widths(header: &[&str], rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let cells = |index: usize| {
        let cells = rows.iter().filter_map(move |row| row.get(index)).map(String::as_str);
        cells.chain(header.get(index).copied())
    };
    let longest = |index, parts: fn(&str) -> Box<dyn Iterator<Item = &str> + '_>| {
        cells(index).flat_map(parts).map(measured).max().unwrap_or_default()
    };
    let natural: Vec<usize> = (0..header.len()).map(|index| longest(index, |cell| Box::new(cell.lines()))).collect();
    let mut widths: Vec<usize> = (0..header.len())
        .map(|index| {
            let is_copied = COPIED.contains(&header[index]);
            if is_copied { natural[index] } else { longest(index, |cell| Box::new(cell.split_whitespace())) }
        })
        .collect();
    let least: usize = widths.iter().map(|width| width + PADDING).sum();
    let mut left = width.checked_sub(least)?;
    // A space at a time, to the column that is narrowest of those that want more.
    while left > 0 {
        let wanting = (0..widths.len()).filter(|index| widths[*index] < natural[*index]);
        let Some(narrowest) = wanting.min_by_key(|index| widths[*index]) else { break };
        widths[narrowest] += 1;
        left -= 1;
    }
    Some(widths)
}

/// A block of lines for each row; what is empty is left out.
fn blocks(header: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let names = header.iter().map(|name| measured(name)).max().unwrap_or_default();
    let room = width.saturating_sub(names + BESIDE);
    let block = |row: &Vec<String>| {
        let filled = header.iter().zip(row).filter(|(_, cell)| !cell.trim().is_empty());
        let lines = filled.flat_map(|(name, cell)| {
            let lines = cell.lines().flat_map(|line| wrapped(line, room)).enumerate();
            let shown = lines.map(|(index, line)| {
                let name = if index == 0 { name } else { "" };
                format!("{name:<names$}{:BESIDE$}{line}", "").trim_end().to_owned()
            });
            shown.collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

/// The line in pieces of at most that width, a longer word in a piece of its own; none of a blank line. What is joined by a
/// no-break space stays together.
pub(super) fn wrapped(line: &str, room: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let words = line.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|word| !word.is_empty());
    for word in words {
        match pieces.last_mut() {
            Some(piece) if measured(piece) + 1 + measured(word) <= room => {
                piece.push(' ');
                piece.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

/// How many places a text takes in a terminal; characters of East Asian scripts and pictures take two.
fn measured(text: &str) -> usize {
    let is_wide = |c| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffe6}' | '\u{1f300}'..='\u{3fffd}');
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_no_break_space_joins_is_not_torn_apart() {
        assert_eq!(wrapped("call (608)\u{a0}233-1900 now", 12), ["call", "(608)\u{a0}233-1900", "now"]);
    }

    fn cells(row: &[&str]) -> Vec<String> {
        row.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn what_fits_stands_in_columns_and_what_does_not_in_blocks() {
        let header = ["id", "address", "why"];
        let row = cells(&["418622DC", "billing@very-long-practice-name.example", "They asked by phone."]);
        let wide = drawn(&header, [row.clone()], 80);
        assert!(wide.lines().all(|line| measured(line) <= 80) && wide.lines().count() > 2, "{wide}");
        assert!(wide.contains("billing@very-long-practice-name.example"), "{wide}");
        let narrow = drawn(&header, [row], 50);
        assert_eq!(
            narrow,
            "id       418622DC\naddress  billing@very-long-practice-name.example\nwhy      They asked by phone."
        );
    }

    #[test]
    fn a_control_character_reaches_no_terminal() {
        assert!(!drawn(&["name"], [cells(&["a\u{1b}[31mb"])], 80).contains('\u{1b}'));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_word_is_broken_and_no_line_is_too_long(
            rows in prop::collection::vec(prop::collection::vec("[a-z0-9@.,]{1,24}( [a-zé]{1,14}){0,6}", 5), 1..5), width in 20usize..160
        ) {
            let header = ["id", "name", "why it is so", "", "since"];
            let text = drawn(&header, rows.clone(), width);
            let words = |row: &Vec<String>| row.iter().flat_map(|cell| cell.split_whitespace()).map(str::to_owned).collect::<Vec<_>>();
            let shown: Vec<&str> = text.split_whitespace().collect();
            for word in rows.iter().flat_map(words) {
                prop_assert!(shown.contains(&word.as_str()), "{} is broken in\n{}", word, text);
            }
            let longest = shown.iter().map(|word| measured(word)).max().unwrap_or_default();
            let most = width.max("why it is so".len() + BESIDE + longest);
            prop_assert!(text.lines().all(|line| measured(line) <= most), "{} columns:\n{}", width, text);
        }
    }
}
