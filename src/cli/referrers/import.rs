//! `touchline referrers import`: imports a list, all or nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::console::{Console, count, plain, warn};
use crate::cli::exit::{CliError, Ending};
use crate::referrers::import::{ImportReport, import};
use crate::referrers::sheet;
use crate::referrers::sheet::{BYTES_MAX, Field, Instructions, RefusalEvidence, RefusedRows, Sheet};
use crate::wording::refusals::refused_as;

/// Problems shown to a person; JSON has them all.
const PROBLEMS_SHOWN_MAX: usize = 40;

/// Which list, and how it is read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The CSV file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which column holds a field if its name does not say: FIELD=COLUMN, such as fax="Fax Number"
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    mapping: Vec<String>,
    /// Leave a column alone that looks as if it said who refused letters, and does not
    #[arg(long = "ignore-column", value_name = "COLUMN")]
    ignored: Vec<String>,
    /// Show what would happen; store nothing
    #[arg(long)]
    dry_run: bool,
    /// Skip rows that cannot be used, instead of rejecting the list
    #[arg(long)]
    skip_bad_rows: bool,
}

/// Imports.
///
/// # Errors
/// The file cannot be read; rows cannot be used, each with its line, and nothing was imported.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let mapping = args.mapping.iter().map(|text| sheet::parse_mapping(text)).collect::<Result<Vec<_>, _>>();
    let mapping = mapping.map_err(|error| CliError::usage(error.to_string()))?;
    let parts = console.gateway().await?.referrers();
    let sheet = read(console, args.file, mapping, args.ignored).await?;
    let rows = count(sheet.rows.len(), "row");
    let bar = console.progress(None, &format!("storing {rows}"));
    let done = import(&parts, &sheet, &console.who, args.dry_run, args.skip_bad_rows).await;
    bar.finish_and_clear();
    let report = done?;
    let columns: Vec<_> =
        sheet.mapping.iter().map(|(field, column)| json!({ "field": field, "column": column })).collect();
    let object = json!({
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "bases": report.bases,
        "suppressions": report.suppressions,
        "refused_rows": sheet.refused_rows(),
        "refused": sheet.refused_count,
        "stored": report.stored,
        "problems": report.problems.iter().map(|problem| problem.trim()).collect::<Vec<_>>(),
        "columns": columns,
        "unused_columns": sheet.unused_columns,
        "encoding": sheet.encoding,
    });
    if !console.json {
        warn_of_problems(&report);
    }
    console.answer(&object, || told(&sheet, &report))
}

/// Reads the file where blocking is allowed.
async fn read(
    console: &Console,
    file: PathBuf,
    mapping: Vec<(Field, String)>,
    ignored: Vec<String>,
) -> Result<Sheet, CliError> {
    let bar = console.progress(None, "reading the list");
    let read = tokio::task::spawn_blocking(move || {
        let bytes = bytes_of(&file)?;
        let name = file.file_name().map(|name| name.to_string_lossy()).filter(|name| name != "-");
        let told = Instructions { mapping: &mapping, ignored: &ignored, file: name.as_deref() };
        sheet::read_as_told(&bytes, &told).map_err(|error| CliError::refused(format!("{}: {error}", file.display())))
    })
    .await;
    bar.finish_and_clear();
    read.map_err(|_| CliError::new(Ending::Failed, "reading the list stopped unexpectedly"))?
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => CliError::not_found(format!("there is no file {}", file.display())),
        kind => CliError::new(Ending::Failed, format!("{} cannot be read ({kind})", file.display())),
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a larger file is noticed.
    source.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn warn_of_problems(report: &ImportReport) {
    for problem in report.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        warn(&plain(problem));
    }
    if report.problems.len() > PROBLEMS_SHOWN_MAX {
        warn(&format!("  … and {} more; --json lists them all", report.problems.len() - PROBLEMS_SHOWN_MAX));
    }
}

fn told(sheet: &Sheet, report: &ImportReport) -> String {
    let verb = if report.stored { "Imported" } else { "Nothing stored. An import would give" };
    let mut text = format!("{verb}: {} new, {} updated, {} unchanged.", report.added, report.updated, report.unchanged);
    if report.bases > 0 {
        let plural = if report.bases == 1 { "basis" } else { "bases" };
        text.push_str(&format!(" {} {plural} for faxing recorded.", report.bases));
    }
    if sheet.refused_count > 0 {
        text.push_str(&format!(" {} left out.", count(sheet.refused_count, "row")));
    }
    for refused in sheet.refused_rows() {
        text.push_str(&format!("\n{}", refused_line(&refused, report.stored)));
    }
    if !sheet.unused_columns.is_empty() {
        text.push_str(&format!("\nNothing was read from: {}", sheet.unused_columns.join(", ")));
    }
    text
}

/// Which rows are not written to, and why.
fn refused_line(refused: &RefusedRows, is_stored: bool) -> String {
    let come = match (is_stored, refused.rows) {
        (true, _) => "came in",
        (false, 1) => "comes in",
        (false, _) => "come in",
    };
    let place = match &refused.said_in {
        RefusalEvidence::Column(name) => format!("column \u{201c}{name}\u{201d}"),
        RefusalEvidence::FileName => "the name of the file".to_owned(),
        RefusalEvidence::Kept(words) => words.clone(),
    };
    format!("{} {come} as {} ({place}).", count(refused.rows, "row"), refused_as(refused.channel, refused.reason))
}
