//! `touchline referrers export`: all referrers as CSV, with who was deleted, what addresses refused and what allows faxing
//! them, for another installation or a spreadsheet.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::access;
use crate::cli::console::{Console, count, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::files::write_private;
use crate::public::{BasisView, ReferrerView, SuppressionView};
use crate::referrers::export::Records;
use crate::referrers::sheet::write::sheet;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write, which only its owner can read (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// The export cannot be recorded, or the file cannot be written.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let database = console.records().await?;
    let mut tx = database.store.read().await?;
    let records = Records::read(&mut tx).await?;
    drop(tx);
    let many = count(records.referrers.len(), "referrer");
    access::note_export(&database.access(), "referrers", &many, &console.who).await?;
    if console.json && args.out.is_none() {
        return console.answer(
            &json!({
                "referrers": records.referrers.iter().map(|one| ReferrerView::of(one, true)).collect::<Vec<_>>(),
                "bases": records.bases.iter().map(|one| BasisView::of(one, true)).collect::<Vec<_>>(),
                "suppressions": records.refusals.iter().map(|one| SuppressionView::of(one, true)).collect::<Vec<_>>(),
            }),
            String::new,
        );
    }
    let text = sheet(&records.rows());
    if !console.json {
        left_out(records.locations_left_out).iter().for_each(|sentence| warn(sentence));
    }
    let Some(file) = args.out else {
        print(text.trim_end());
        return Ok(());
    };
    write_list(&file, &text)?;
    let object = json!({
        "referrers": records.referrers.len(),
        "suppressions": records.refusals.len(),
        "deleted": records.deleted,
        "locations_left_out": records.locations_left_out,
        "file": file.display().to_string(),
    });
    console.answer(&object, || format!("{many} written to {}.", file.display()))
}

/// Writes a list into a file that only its owner can read.
///
/// # Errors
/// The file cannot be written: named.
pub(in crate::cli) fn write_list(file: &Path, text: &str) -> Result<(), CliError> {
    write_private(file, text.as_bytes()).map_err(|error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", file.display(), error.kind()))
    })
}

/// What the list does not hold, in a sentence.
fn left_out(locations: usize) -> Option<String> {
    let (are, people) = match locations {
        0 => return None,
        1 => ("1 further location is".to_owned(), "the person has"),
        many => (format!("{many} further locations are"), "the people have"),
    };
    Some(format!(
        "{are} not in the list, because {people} no NPI by which a list could say who it is; what the addresses there refused \
         is in it"
    ))
}
