//! `touchline referrers add | edit | delete | prefer`: one referrer's record. An address that is given, even the same one
//! again, is tried again although it counts as dead.

use serde_json::json;

use super::fields::FieldArgs;
use crate::cli::console::{Console, count};
use crate::cli::exit::CliError;
use crate::cli::ids;
use crate::domain::Timestamp;
use crate::domain::id::LocationId;
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Referrer, ReferrerType};
use crate::public::ReferrerView;
use crate::referrers::{self, ReferrersError, audience, fields, locations, remove};

/// A new referrer.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Add them although somebody on record looks like the same person
    #[arg(long)]
    another: bool,
    #[command(flatten)]
    fields: FieldArgs,
}

/// Which referrer, and what changes.
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// Id, NPI, email address, number or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
    #[command(flatten)]
    fields: FieldArgs,
}

/// Which referrer, and why.
#[derive(Debug, clap::Args)]
pub struct DeleteArgs {
    /// Id, NPI, email address, number or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    why: String,
}

/// Which referrer, and which location.
#[derive(Debug, clap::Args)]
pub struct PreferArgs {
    /// Id, NPI, email address, number or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
    /// The location's id, as `referrers show` lists it
    #[arg(value_name = "LOCATION")]
    location: LocationId,
}

/// Adds one.
///
/// # Errors
/// A value is not valid, something is missing, or somebody on record looks like the same person.
pub async fn add(console: &Console, args: AddArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tried = Referrer::new(ReferrerType::Other, Timestamp(0));
    args.fields.apply(&mut tried)?;
    let fill = |referrer: &mut Referrer| drop(args.fields.apply(referrer));
    let added = referrers::add(&gateway.referrers(), &console.who, args.another, fill).await.map_err(or_another)?;
    console.answer(&json!({ "referrer": ReferrerView::of(&added, true) }), || {
        format!("{} has been added: {}.", added.full_description(), ids::shown(added.id.0))
    })
}

fn or_another(error: ReferrersError) -> CliError {
    match error {
        ReferrersError::Known(who) => {
            CliError::refused(format!("{who}; edit that one, or add --another if this is another person"))
        }
        other => other.into(),
    }
}

/// Changes one.
///
/// # Errors
/// There is no such referrer; a value is not valid.
pub async fn edit(console: &Console, args: EditArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let before = audience::one(&mut tx, &args.referrer).await?;
    drop(tx);
    // Tried on a copy first, so that a wrong value is refused before anything is written.
    args.fields.apply(&mut before.clone())?;
    let apply = |referrer: &mut Referrer| drop(args.fields.apply(referrer));
    let parts = gateway.referrers();
    let after = referrers::edit_entering(&parts, before.id, &console.who, &args.fields.entered(), apply).await?;
    console.answer(&json!({ "referrer": ReferrerView::of(&after, true) }), || {
        let mut text = format!("{} has been changed.", after.display_name());
        if RecordField::ALL.iter().any(|field| fields::value(&before, *field) != fields::value(&after, *field)) {
            text.push_str(" Later lists do not overwrite it.");
        }
        if before.state > after.state {
            text.push_str(" A later list that says do_not_contact sets that again.");
        }
        if before.fax != after.fax && after.fax.is_some() {
            text.push_str(" Advertisements go to the new fax number only once a basis is recorded for it.");
        }
        text
    })
}

/// Deletes one.
///
/// # Errors
/// There is no such referrer.
pub async fn delete(console: &Console, args: DeleteArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let referrer = audience::one(&mut tx, &args.referrer).await?;
    drop(tx);
    let removed = remove::remove(&gateway.referrers(), referrer.id, &args.why, &console.who).await?;
    console.answer(&json!({ "removed": removed }), || {
        format!(
            "{} has been deleted: they will receive nothing further, and a later list does not add them again.\n\
             Kept, because a practice must be able to show them: {} of their history and {} of their addresses.",
            removed.name,
            if removed.touches == 1 { "1 touch".to_owned() } else { format!("{} touches", removed.touches) },
            count(removed.refusals, "refusal"),
        )
    })
}

/// Makes a further location the preferred one.
///
/// # Errors
/// There is no such referrer or location.
pub async fn prefer(console: &Console, args: PreferArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let referrer = audience::one(&mut tx, &args.referrer).await?;
    drop(tx);
    let after = locations::prefer(&gateway.referrers(), referrer.id, args.location, &console.who).await?;
    console.answer(&json!({ "referrer": ReferrerView::of(&after, true) }), || {
        format!("Letters to {} go to this location from now on.", after.full_description())
    })
}
