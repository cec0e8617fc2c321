//! `touchline referrers import`: imports a list, all or nothing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::console::{Console, count, plain, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::ids;
use crate::domain::id::ReferrerId;
use crate::referrers::import::{Decision, ImportOptions, ImportReport, Unclear, import};
use crate::referrers::sheet;
use crate::referrers::sheet::{BYTES_MAX, Field, Instructions, RefusalEvidence, RefusedRows, Sheet, SheetError};
use crate::referrers::{Parts, audience};
use crate::wording::lists::refused_as;

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
    /// The row on this line is that referrer: LINE=ID, as the dry run lists them
    #[arg(long, value_name = "LINE=ID")]
    same: Vec<String>,
    /// The row on this line is somebody who is not on record yet
    #[arg(long, value_name = "LINE")]
    new: Vec<u64>,
}

/// Imports.
///
/// # Errors
/// The file cannot be read; rows cannot be used, each with its line, and nothing was imported.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let mapping = args.mapping.iter().map(|text| sheet::parse_mapping(text)).collect::<Result<Vec<_>, _>>();
    let mapping = mapping.map_err(|error| CliError::usage(error.to_string()))?;
    let options = ImportOptions {
        list: list_name(&args.file),
        dry_run: args.dry_run,
        skip_bad_rows: args.skip_bad_rows,
        decisions: decisions(&args)?,
    };
    let parts = console.gateway_to_read().await?.referrers();
    let sheet = read(console, args.file, mapping, args.ignored).await?;
    let rows = count(sheet.rows.len(), "row");
    let bar = console.progress(None, &format!("storing {rows}"));
    let done = import(&parts, &sheet, &console.who, &options).await;
    bar.finish_and_clear();
    let mut report = done?;
    tell_apart(&parts, &mut report).await?;
    let columns: Vec<_> =
        sheet.mapping.iter().map(|(field, column)| json!({ "field": field, "column": column })).collect();
    let object = json!({
        "import": report.import,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "locations": report.locations,
        "conflicts": report.conflicts,
        "unclear": report.unclear,
        "bases": report.bases,
        "bases_left_out": report.bases_left_out,
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
        warn_of_problems(&report.problems);
    }
    console.answer(&object, || told(&sheet, &report))
}

/// The file's name without its folders.
pub(in crate::cli) fn list_name(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| name != "-").unwrap_or_else(|| "standard input".to_owned())
}

fn decisions(args: &Args) -> Result<BTreeMap<u64, Decision>, CliError> {
    let mut decisions: BTreeMap<u64, Decision> = args.new.iter().map(|line| (*line, Decision::New)).collect();
    for text in &args.same {
        let read = || {
            let (line, id) = text.split_once('=')?;
            Some((line.trim().parse::<u64>().ok()?, id.parse::<ReferrerId>().ok()?))
        };
        let (line, id) =
            read().ok_or_else(|| CliError::usage("write --same LINE=ID, with the id that the dry run shows"))?;
        if decisions.insert(line, Decision::Same(id)).is_some() {
            return Err(CliError::usage(format!("line {line} is named twice by --same and --new")));
        }
    }
    Ok(decisions)
}

/// Candidates who read the same are shown with their NPI, or the end of their id.
async fn tell_apart(parts: &Parts, report: &mut ImportReport) -> Result<(), CliError> {
    let ids: Vec<ReferrerId> = report.unclear.iter().flat_map(|one| &one.candidates).map(|one| one.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let known = parts.store.read().await?.referrers(&ids).await?;
    for unclear in &mut report.unclear {
        let names: Vec<String> = unclear.candidates.iter().map(|one| one.name.clone()).collect();
        for one in &mut unclear.candidates {
            if names.iter().filter(|name| **name == one.name).count() > 1 {
                let npi = known.iter().find(|known| known.id == one.id).and_then(|known| known.npi.clone());
                one.name = format!("{} ({})", one.name, audience::mark(one.id, npi.as_deref()));
            }
        }
    }
    Ok(())
}

/// Reads the file as told.
async fn read(
    console: &Console,
    file: PathBuf,
    mapping: Vec<(Field, String)>,
    ignored: Vec<String>,
) -> Result<Sheet, CliError> {
    let bar = console.progress(None, "reading the list");
    let read = read_list(file, move |bytes, name| {
        sheet::read_as_told(bytes, &Instructions { mapping: &mapping, ignored: &ignored, file: name })
    })
    .await;
    bar.finish_and_clear();
    read
}

/// Reads a list from its octets and its name, where blocking is allowed.
///
/// # Errors
/// The file cannot be read, or is no list: named by the file.
pub(in crate::cli) async fn read_list(
    file: PathBuf,
    read: impl FnOnce(&[u8], Option<&str>) -> Result<Sheet, SheetError> + Send + 'static,
) -> Result<Sheet, CliError> {
    let reading = tokio::task::spawn_blocking(move || {
        let bytes = bytes_of(&file)?;
        let name = file.file_name().map(|name| name.to_string_lossy()).filter(|name| name != "-");
        read(&bytes, name.as_deref()).map_err(|error| CliError::refused(format!("{}: {error}", file.display())))
    });
    reading.await.map_err(|_| CliError::new(Ending::Failed, "reading the list stopped unexpectedly"))?
}

/// The octets of a list, or one more than a list may have; `-` is standard input.
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

/// Says on standard error what is odd or wrong about a list.
pub(in crate::cli) fn warn_of_problems(problems: &[String]) {
    for problem in problems.iter().take(PROBLEMS_SHOWN_MAX) {
        warn(&plain(problem));
    }
    if problems.len() > PROBLEMS_SHOWN_MAX {
        warn(&format!("  … and {} more; --json lists them all", problems.len() - PROBLEMS_SHOWN_MAX));
    }
}

fn told(sheet: &Sheet, report: &ImportReport) -> String {
    let verb = if report.stored { "Imported" } else { "Dry run, nothing stored. Result of an import" };
    let mut text = format!("{verb}: {} new, {} updated, {} unchanged.", report.added, report.updated, report.unchanged);
    let mut say = |sentence: String| text.push_str(&sentence);
    if report.locations > 0 {
        say(format!(" {} added to people who work at several places.", count(report.locations, "location")));
    }
    if report.bases > 0 {
        let plural = if report.bases == 1 { "basis" } else { "bases" };
        say(format!(" {} {plural} for faxing recorded.", report.bases));
    }
    if report.bases_left_out > 0 {
        let (plural, had) = if report.bases_left_out == 1 { ("basis", "it had") } else { ("bases", "they had") };
        say(format!(" {} {plural} left out, because {had} ended before.", report.bases_left_out));
    }
    if report.suppressions > 0 {
        say(format!(" {} recorded.", count(report.suppressions, "suppression")));
    }
    if sheet.refused_count > 0 {
        say(format!(" {} left out.", count(sheet.refused_count, "row")));
    }
    for refused in sheet.refused_rows() {
        say(format!("\n{}", refused_line(&refused, report.stored)));
    }
    if !sheet.unused_columns.is_empty() {
        say(format!("\nNothing was read from: {}", sheet.unused_columns.join(", ")));
    }
    if report.conflicts > 0 {
        let stand =
            if report.conflicts == 1 { "differs from this list and stands" } else { "differ from this list and stand" };
        let corrections = count(report.conflicts, "correction");
        say(format!("\n{corrections} by hand {stand}: `touchline referrers conflicts` shows what the list says."));
    }
    say(unclear_rows(&report.unclear));
    if let Some(import) = report.import {
        say(format!("\nTo undo it: touchline referrers undo-import {}", ids::shown(import.0)));
    }
    plain(&text)
}

/// Rows of which a person must say whom they mean.
fn unclear_rows(unclear: &[Unclear]) -> String {
    if unclear.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{} skipped because the match is unclear. Specify with --same LINE=ID or --new LINE:",
        count(unclear.len(), "row")
    );
    for one in unclear.iter().take(PROBLEMS_SHOWN_MAX) {
        text.push_str(&format!("\n  line {}, {}: {}", one.line, one.name, one.why));
        for candidate in one.candidates.iter().take(5) {
            text.push_str(&format!("\n    --same {}={}  {}", one.line, candidate.id, candidate.name));
        }
    }
    if unclear.len() > PROBLEMS_SHOWN_MAX {
        text.push_str(&format!("\n  … and {} more; --json lists them all", unclear.len() - PROBLEMS_SHOWN_MAX));
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
