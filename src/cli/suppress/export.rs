//! `touchline suppress export`: the suppressions in effect and the dead addresses as CSV, for another installation or mail
//! service.

use std::path::PathBuf;

use serde_json::json;

use crate::access;
use crate::cli::console::{Console, count};
use crate::cli::exit::CliError;
use crate::cli::referrers::export::write_list;
use crate::public::SuppressionView;
use crate::referrers::export::Records;
use crate::referrers::sheet::write::sheet;

/// Where to.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write, which only its owner can read (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// The export cannot be recorded, or the file cannot be written.
pub(super) async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let database = console.records().await?;
    let records = Records::of_suppressions(&mut database.store.read().await?).await?;
    let many = count(records.refusals.len(), "suppression");
    access::note_export(&database.access(), "suppressions", &many, &console.who).await?;
    let suppressions: Vec<SuppressionView> =
        records.refusals.iter().map(|one| SuppressionView::of(one, true)).collect();
    let text = sheet(&records.rows());
    let Some(file) = args.out else {
        return console.answer(&json!({ "suppressions": suppressions }), || text.trim_end().to_owned());
    };
    write_list(&file, &text)?;
    let object = json!({ "suppressions": suppressions.len(), "file": file.display().to_string() });
    console.answer(&object, || format!("{many} written to {}.", file.display()))
}
