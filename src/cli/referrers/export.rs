//! `touchline referrers export`: all referrers as CSV, with what they refused and what allows faxing them, for another
//! installation or a spreadsheet.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use serde_json::json;

use crate::access;
use crate::cli::console::{Console, count, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::domain::basis::{Basis, BasisKind};
use crate::domain::health::AddressHealth;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::{Location, Referrer};
use crate::domain::suppression::Suppression;
use crate::domain::{Address, AddressKey, Channel};
use crate::files::write_private;
use crate::public::{BasisView, ReferrerView, SuppressionView};
use crate::referrers::sheet::write::{Exported, sheet};
use crate::store::records::referrers::Members;
use crate::store::{StoreError, Tx};

/// Refusals looked through for those of nobody in the file.
const REFUSALS_MAX: i64 = 1_000_000;

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
        records.left_out().iter().for_each(|sentence| warn(sentence));
    }
    let Some(file) = args.out else {
        print(text.trim_end());
        return Ok(());
    };
    write_private(&file, text.as_bytes()).map_err(|error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", file.display(), error.kind()))
    })?;
    let object = json!({
        "referrers": records.referrers.len(),
        "suppressions": records.refusals.len(),
        "suppressions_left_out": records.refusals_elsewhere,
        "locations_left_out": records.locations_left_out,
        "file": file.display().to_string(),
    });
    console.answer(&object, || format!("{many} written to {}.", file.display()))
}

/// Everything that goes into the list.
struct Records {
    referrers: Vec<Referrer>,
    /// The same people once more for each further location, with what belongs to that place.
    elsewhere: Vec<Referrer>,
    bases: Vec<Basis>,
    refusals: Vec<Suppression>,
    health: Vec<AddressHealth>,
    /// Refusals in effect of addresses that nobody in the list has.
    refusals_elsewhere: usize,
    /// Further locations of people without an NPI: nothing in a list would say that they are the same person.
    locations_left_out: usize,
}

impl Records {
    async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let referrers = tx.referrers_of(Members::All).await?;
        let ids: Vec<ReferrerId> = referrers.iter().map(|one| one.id).collect();
        let locations = tx.locations_of(&ids).await?;
        let elsewhere = further_places(&referrers, &locations);
        let locations_left_out = locations.len() - elsewhere.len();
        let keys: HashSet<AddressKey> = referrers.iter().chain(&elsewhere).flat_map(keys_of).collect();
        let list: Vec<AddressKey> = keys.iter().cloned().collect();
        let mut bases = tx.basis_among(&list).await?;
        // Of several, a permission allows more than a relationship, and the newest says most.
        bases.sort_by_key(|basis| (basis.kind == BasisKind::Permission, basis.created_ms));
        let all = tx.suppressions_list(false, REFUSALS_MAX).await?;
        let refusals_elsewhere = all.iter().filter(|refusal| !keys.contains(&refusal.address)).count();
        let mut refusals = tx.suppressions_among(&list).await?;
        refusals.sort_by_key(|refusal| (refusal.scope, refusal.created_ms));
        let health = tx.addresses_known(&list).await?;
        Ok(Self { referrers, elsewhere, bases, refusals, health, refusals_elsewhere, locations_left_out })
    }

    /// What the list does not hold, in sentences.
    fn left_out(&self) -> Vec<String> {
        let is_or_are = |number: usize, what: &str| match number {
            1 => format!("1 {what} is not in the list"),
            many => format!("{many} {what}s are not in the list"),
        };
        let refusals = (self.refusals_elsewhere > 0).then(|| {
            let counted = is_or_are(self.refusals_elsewhere, "suppression");
            format!("{counted}, because nobody in it has the address: `touchline suppress list` shows all")
        });
        let locations = (self.locations_left_out > 0).then(|| {
            let counted = is_or_are(self.locations_left_out, "further location");
            format!("{counted}, because the person has no NPI by which a list could say who it is")
        });
        refusals.into_iter().chain(locations).collect()
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
        self.referrers.iter().chain(&self.elsewhere).map(row).collect()
    }
}

/// Everyone with an NPI once more for each further location, so that a row of its own says where else they are.
fn further_places(referrers: &[Referrer], locations: &[Location]) -> Vec<Referrer> {
    let people: HashMap<ReferrerId, &Referrer> = referrers.iter().map(|one| (one.id, one)).collect();
    let at = |location: &Location| {
        let person = people.get(&location.referrer_id).filter(|person| person.npi.is_some())?;
        Some(Referrer {
            organization: location.organization.clone(),
            place: location.place.clone(),
            email: location.email.clone(),
            fax: location.fax.clone(),
            phone: location.phone.clone(),
            ..(*person).clone()
        })
    };
    locations.iter().filter_map(at).collect()
}

fn keys_of(referrer: &Referrer) -> impl Iterator<Item = AddressKey> + use<> {
    let addresses: Vec<Address> = Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).collect();
    addresses.into_iter().map(|address| address.key())
}
