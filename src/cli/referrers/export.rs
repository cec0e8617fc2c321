//! `touchline referrers export`: all referrers as CSV, with what they refused and what allows faxing them, for another
//! installation or a spreadsheet.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use serde_json::json;

use crate::cli::console::{Console, count, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::domain::basis::{Basis, BasisKind};
use crate::domain::health::AddressHealth;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::Suppression;
use crate::domain::{Address, AddressKey, Channel};
use crate::public::{BasisView, ReferrerView, SuppressionView};
use crate::referrers::sheet::write::{Exported, sheet};
use crate::store::records::referrers::Members;
use crate::store::{StoreError, Tx};

/// Refusals looked through for those of nobody in the file.
const REFUSALS_MAX: i64 = 1_000_000;

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
    let records = Records::read(&mut tx).await?;
    drop(tx);
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
    let left_out = (records.refusals_elsewhere > 0).then(|| {
        format!(
            "{} not in the list, because nobody in it has the address: `touchline suppress list` shows all",
            match records.refusals_elsewhere {
                1 => "1 suppression is".to_owned(),
                many => format!("{many} suppressions are"),
            }
        )
    });
    if let Some(sentence) = left_out.as_deref().filter(|_| !console.json) {
        warn(sentence);
    }
    let Some(file) = args.out else {
        print(text.trim_end());
        return Ok(());
    };
    std::fs::write(&file, text).map_err(|error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", file.display(), error.kind()))
    })?;
    let object = json!({
        "referrers": records.referrers.len(),
        "suppressions": records.refusals.len(),
        "suppressions_left_out": records.refusals_elsewhere,
        "file": file.display().to_string(),
    });
    console.answer(&object, || format!("{} written to {}.", count(records.referrers.len(), "referrer"), file.display()))
}

/// Everything that goes into the list.
struct Records {
    referrers: Vec<Referrer>,
    bases: Vec<Basis>,
    refusals: Vec<Suppression>,
    health: Vec<AddressHealth>,
    /// Refusals in effect of addresses that nobody in the list has.
    refusals_elsewhere: usize,
}

impl Records {
    async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let referrers = tx.referrers_of(Members::All).await?;
        let keys: HashSet<AddressKey> = referrers.iter().flat_map(keys_of).collect();
        let list: Vec<AddressKey> = keys.iter().cloned().collect();
        let mut bases = tx.basis_among(&list).await?;
        // Of several, a permission allows more than a relationship, and the newest says most.
        bases.sort_by_key(|basis| (basis.kind == BasisKind::Permission, basis.created_ms));
        let all = tx.suppressions_list(false, REFUSALS_MAX).await?;
        let refusals_elsewhere = all.iter().filter(|refusal| !keys.contains(&refusal.address)).count();
        let mut refusals = tx.suppressions_among(&list).await?;
        refusals.sort_by_key(|refusal| (refusal.scope, refusal.created_ms));
        Ok(Self { referrers, bases, refusals, health: tx.addresses_known(&list).await?, refusals_elsewhere })
    }

    fn rows(&self) -> Vec<Exported<'_>> {
        let bases: HashMap<&str, &Basis> = self.bases.iter().map(|basis| (basis.fax.as_str(), basis)).collect();
        let health: HashMap<&AddressKey, &AddressHealth> =
            self.health.iter().map(|known| (&known.value, known)).collect();
        let mut refusals: HashMap<&AddressKey, Vec<&Suppression>> = HashMap::new();
        for refusal in &self.refusals {
            refusals.entry(&refusal.address).or_default().push(refusal);
        }
        let row = |referrer| {
            let keys: Vec<AddressKey> = keys_of(referrer).collect();
            Exported {
                referrer,
                basis: referrer.fax.as_ref().and_then(|fax| bases.get(fax.as_str()).copied()),
                refusals: keys.iter().filter_map(|key| refusals.get(key)).flatten().copied().collect(),
                health: keys.iter().filter_map(|key| health.get(key).copied()).collect(),
            }
        };
        self.referrers.iter().map(row).collect()
    }
}

fn keys_of(referrer: &Referrer) -> impl Iterator<Item = AddressKey> + use<> {
    let addresses: Vec<Address> = Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).collect();
    addresses.into_iter().map(|address| address.key())
}
