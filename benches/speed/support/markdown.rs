//! The figures as a Markdown table, so that none is ever typed by hand.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::report::Report;

/// Between these the table stands in a document.
const BEGIN: &str = "<!-- figures: written by `cargo bench --bench speed -- --markdown` -->";
const END: &str = "<!-- end of figures -->";

/// Writes the figures of a file into a document, or prints them.
pub fn write(results: &Path, into: Option<&Path>) -> anyhow::Result<()> {
    let table = table(&Report::load(results).context("the results cannot be read")?);
    let Some(document) = into else {
        println!("{table}");
        return Ok(());
    };
    let text = std::fs::read_to_string(document)?;
    let (before, rest) = text.split_once(BEGIN).context("the document has no mark where the figures begin")?;
    let (_, after) = rest.split_once(END).context("the document has no mark where the figures end")?;
    std::fs::write(document, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    if report.miniature {
        text.push_str("**In miniature: these figures mean nothing.**\n\n");
    }
    let machine = report.machine.to_string().replace('\n', " ");
    let _ = writeln!(text, "Measured {} on: {machine}.\n", report.at);
    text.push_str("| what | database | target | figure | |\n| --- | --- | --- | --- | --- |\n");
    for figure in &report.figures {
        let cells = [&figure.what, &figure.database, &figure.target, &figure.figure];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} | {} |", cells.join(" | "), figure.verdict());
    }
    text.push_str("\nHow each was measured:\n\n");
    let mut told: Vec<(&str, &str)> = Vec::new();
    for figure in &report.figures {
        let this = (figure.row.as_str(), figure.measures.as_str());
        if told.contains(&this) {
            continue;
        }
        told.push(this);
        let _ = writeln!(
            text,
            "- **{}** measures {} It does not measure {} Settings: {}",
            figure.row, figure.measures, figure.leaves_out, figure.settings
        );
    }
    text.trim_end().to_owned()
}
