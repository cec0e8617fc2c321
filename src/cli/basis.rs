//! `touchline basis`: the recorded permission or relationship without which no advertisement is faxed to a number.

use chrono::{NaiveDate, Utc};
use serde_json::json;

use super::arguments::word;
use super::console::{Console, table};
use super::exit::CliError;
use crate::config::AdvertisingPolicy;
use crate::consent;
use crate::domain::basis::{Basis, BasisKind, NumberSource};
use crate::domain::id::BasisId;
use crate::domain::{Address, FaxNumber, Purpose};
use crate::public::BasisView;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Record a permission or a relationship for a fax number
    Add(Add),
    /// Show what is recorded for a fax number
    List {
        /// The number
        #[arg(value_name = "FAX")]
        fax: FaxNumber,
    },
}

/// What is to be recorded.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The number
    #[arg(value_name = "FAX")]
    fax: FaxNumber,
    /// Permission, or an established business relationship
    #[arg(long, value_parser = word(BasisKind::ALL, BasisKind::as_str))]
    kind: BasisKind,
    /// Where the number came from; a relationship is not sufficient without it
    #[arg(long, value_parser = word(NumberSource::ALL, NumberSource::as_str))]
    number_source: Option<NumberSource>,
    /// The day it was obtained
    #[arg(long, value_name = "YYYY-MM-DD")]
    obtained_on: NaiveDate,
    /// How it was obtained, such as "asked by phone"
    #[arg(long, value_name = "TEXT")]
    how: String,
    /// Evidence: who said what, or where the paper is filed; no patient information
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Does it.
///
/// # Errors
/// What was given is not a valid basis.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(console, add).await,
        Command::List { fax } => list(console, &fax).await,
    }
}

async fn add(console: &Console, add: Add) -> Result<(), CliError> {
    if add.how.trim().is_empty() {
        return Err(CliError::usage("--how says how it was obtained"));
    }
    let gateway = console.gateway_to_read().await?;
    let zone = gateway.config.practice.time_zone;
    if add.obtained_on > Utc::now().with_timezone(&zone).date_naive() {
        return Err(CliError::refused("--obtained-on is in the future"));
    }
    let permission_only = gateway.config.policy.advertising == AdvertisingPolicy::PermissionOnly;
    let basis = Basis {
        id: BasisId::new(),
        fax: add.fax,
        kind: add.kind,
        number_source: add.number_source,
        obtained_on: add.obtained_on.to_string(),
        how: add.how,
        by_whom: console.who.name().to_owned(),
        note: add.note,
        created_ms: gateway.clock.now(),
        ended_ms: None,
        ended_reason: None,
    };
    consent::add_basis(&gateway.consent(), &basis, &console.who).await?;
    let refusals = gateway.store.read().await?.suppressions_of(&Address::Fax(basis.fax.clone())).await?;
    let refused = refusals.iter().any(|refusal| refusal.scope.covers(Purpose::Advertisement));
    let sufficient = basis.is_sufficient(permission_only);
    let object = json!({ "basis": BasisView::of(&basis, true), "sufficient": sufficient, "suppressed": refused });
    console.answer(&object, || {
        let number = basis.fax.pretty();
        match (sufficient, refused) {
            (_, true) => format!(
                "Recorded. {number} still refuses advertisements; if they asked again in writing, lift that with `touchline suppress lift`."
            ),
            (true, false) => format!("Recorded. Advertisements may be faxed to {number}."),
            (false, false) => insufficient(&basis, permission_only),
        }
    })
}

fn insufficient(basis: &Basis, permission_only: bool) -> String {
    let number = basis.fax.pretty();
    if permission_only {
        return format!("Recorded, but this installation accepts permission only: nothing is faxed to {number} yet.");
    }
    format!(
        "Recorded, but not sufficient: a relationship counts only with a number that {number}'s owner gave or \
         published (--number-source given_by_recipient or recipient_own_directory_ad_or_site)."
    )
}

async fn list(console: &Console, fax: &FaxNumber) -> Result<(), CliError> {
    let records = console.records().await?;
    let found = records.store.read().await?.basis_of(fax).await?;
    console.answer(&json!({ "bases": found.iter().map(|one| BasisView::of(one, true)).collect::<Vec<_>>() }), || {
        if found.is_empty() {
            return format!("Nothing is recorded for {}: advertisements are not faxed there.", fax.pretty());
        }
        let rows = found.iter().map(|basis| {
            let state = match (basis.ended_ms, &basis.ended_reason) {
                (Some(at), why) => format!("ended {}: {}", at.in_zone(records.zone), why.as_deref().unwrap_or("")),
                (None, _) => "current".to_owned(),
            };
            vec![
                basis.kind.to_string(),
                basis.number_source.map(|source| source.as_str().replace('_', " ")).unwrap_or_default(),
                basis.obtained_on.clone(),
                basis.how.clone(),
                basis.by_whom.clone(),
                state,
            ]
        });
        table(&["kind", "number from", "obtained", "how", "by", "state"], rows)
    })
}
