//! `touchline suppress import`: imports a suppression list, all or nothing.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::arguments::word;
use crate::cli::console::{Console, count};
use crate::cli::exit::CliError;
use crate::cli::referrers::import::{list_name, read_list, warn_of_problems};
use crate::referrers::import::{ImportOptions, SuppressionsReport, import_suppressions};
use crate::referrers::sheet::suppression_list::{self, Origin};

/// Which list, and where it comes from.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The list as it was exported, CSV or JSON; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where it comes from; csv: any list of addresses, with what they refuse or without
    #[arg(long, value_name = "SERVICE", value_parser = word(Origin::ALL, Origin::as_str))]
    from: Origin,
    /// Show what would happen; store nothing
    #[arg(long)]
    dry_run: bool,
    /// Skip entries that cannot be read, instead of rejecting the list
    #[arg(long)]
    skip_bad_rows: bool,
}

/// Imports.
///
/// # Errors
/// The file cannot be read; entries cannot be read, each with its line, and nothing was imported.
pub(super) async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let options = ImportOptions {
        list: list_name(&args.file),
        dry_run: args.dry_run,
        skip_bad_rows: args.skip_bad_rows,
        ..ImportOptions::default()
    };
    let parts = console.gateway_to_read().await?.referrers();
    let from = args.from;
    let sheet = read_list(args.file, move |bytes, name| suppression_list::read(bytes, from, name)).await?;
    let report = import_suppressions(&parts, &sheet, &console.who, &options).await?;
    if !console.json {
        warn_of_problems(&report.problems);
    }
    let object = json!({
        "addresses": report.addresses,
        "suppressions": report.suppressions,
        "refused": report.refused,
        "refused_rows": sheet.refused_rows(),
        "problems": report.problems.iter().map(|problem| problem.trim()).collect::<Vec<_>>(),
        "stored": report.stored,
    });
    console.answer(&object, || told(&report))
}

fn told(report: &SuppressionsReport) -> String {
    let verb = if report.stored { "Imported" } else { "Dry run, nothing stored. Result of an import" };
    let of = match report.addresses {
        1 => "1 address".to_owned(),
        many => format!("{many} addresses"),
    };
    let known = match report.suppressions {
        0 if report.addresses > 0 => " What they refuse was on record already.",
        _ => "",
    };
    let refused = match report.refused {
        0 => String::new(),
        1 => " 1 entry left out, which cannot be read.".to_owned(),
        many => format!(" {many} entries left out, which cannot be read."),
    };
    format!("{verb}: {} at {of}.{known}{refused}", count(report.suppressions, "new suppression"))
}
