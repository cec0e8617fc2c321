//! `touchline referrers export`: all referrers as CSV with the columns of the import template.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::console::{Console, count, print};
use crate::cli::exit::{CliError, Ending};
use crate::domain::AddressKey;
use crate::domain::address::pretty_number;
use crate::domain::basis::Basis;
use crate::domain::referrer::Referrer;
use crate::public::{BasisView, ReferrerView};
use crate::referrers::sheet::TEMPLATE_HEADER;
use crate::store::records::referrers::Members;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// The file cannot be written.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let referrers = tx.referrers_of(Members::All).await?;
    let numbers: Vec<AddressKey> =
        referrers.iter().filter_map(|referrer| referrer.fax.as_ref()).map(AddressKey::from).collect();
    let current = tx.basis_among(&numbers).await?;
    drop(tx);
    if console.json && args.out.is_none() {
        return console.answer(
            &json!({
                "referrers": referrers.iter().map(|one| ReferrerView::of(one, true)).collect::<Vec<_>>(),
                "bases": current.iter().map(|one| BasisView::of(one, true)).collect::<Vec<_>>(),
            }),
            String::new,
        );
    }
    let bases: HashMap<&str, &Basis> = current.iter().map(|basis| (basis.fax.as_str(), basis)).collect();
    let text = sheet(&referrers, &bases)
        .map_err(|error| CliError::new(Ending::Failed, format!("the list cannot be written: {error}")))?;
    let Some(file) = args.out else {
        print(text.trim_end());
        return Ok(());
    };
    std::fs::write(&file, text).map_err(|error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", file.display(), error.kind()))
    })?;
    let object = json!({ "referrers": referrers.len(), "file": file.display().to_string() });
    console.answer(&object, || format!("{} written to {}.", count(referrers.len(), "referrer"), file.display()))
}

fn sheet(referrers: &[Referrer], bases: &HashMap<&str, &Basis>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(TEMPLATE_HEADER.split(','))?;
    for referrer in referrers {
        let basis = referrer.fax.as_ref().and_then(|fax| bases.get(fax.as_str()).copied());
        writer.write_record(row(referrer, basis))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The cells in the order of [`TEMPLATE_HEADER`].
fn row(referrer: &Referrer, basis: Option<&Basis>) -> [String; 16] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        text(&referrer.npi),
        text(&referrer.first_name),
        text(&referrer.last_name),
        text(&referrer.credentials),
        text(&referrer.organization),
        referrer.kind.to_string(),
        referrer.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
        referrer.fax.as_ref().map(|fax| fax.pretty()).unwrap_or_default(),
        referrer.phone.as_deref().map(pretty_number).unwrap_or_default(),
        text(&referrer.time_zone),
        referrer.tags.join(";"),
        text(&referrer.source),
        basis.map(|basis| basis.kind.to_string()).unwrap_or_default(),
        basis.and_then(|basis| basis.number_source).map(|source| source.to_string()).unwrap_or_default(),
        basis.map(|basis| basis.obtained_on.clone()).unwrap_or_default(),
        basis.map(|basis| basis.how.clone()).unwrap_or_default(),
    ]
}
