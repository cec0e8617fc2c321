//! `touchline referrers show`: everything known about one referrer, including addresses.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::json;

use crate::cli::console::{Console, plain};
use crate::cli::exit::CliError;
use crate::cli::ids;
use crate::domain::address::pretty_number;
use crate::domain::basis::Basis;
use crate::domain::health::AddressHealth;
use crate::domain::referrer::{Location, Referrer};
use crate::domain::suppression::Suppression;
use crate::domain::{Address, Channel};
use crate::public::{BasisView, ReferrerView, SuppressionView};
use crate::referrers::audience;
use crate::store::{StoreError, Tx};
use crate::wording;

/// Which referrer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id, NPI, email address or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
}

/// One address and what is known about it.
struct Known {
    address: Address,
    health: Option<AddressHealth>,
    refusals: Vec<Suppression>,
    bases: Vec<Basis>,
}

/// Shows it.
///
/// # Errors
/// There is no such referrer, or several match.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let referrer = audience::one(&mut tx, &args.referrer).await?;
    let delivered = tx.touches_delivered(referrer.id).await?;
    let locations = tx.locations_of(&[referrer.id]).await?;
    let merges = tx.merges_of(referrer.id).await?;
    let mut known = Vec::new();
    for address in Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)) {
        known.push(read_known(&mut tx, address).await?);
    }
    drop(tx);
    let (goal, zone) = (records.touch_goal, records.zone);
    let addresses: Vec<_> = known
        .iter()
        .map(|one| {
            json!({
                "channel": one.address.channel(),
                "address": one.address.as_str(),
                "health": one.health.as_ref().map(|health| health.health),
                "fault": one.health.as_ref().and_then(|health| health.fault),
                "suppressions": one.refusals.iter().map(|one| SuppressionView::of(one, true)).collect::<Vec<_>>(),
                "bases": one.bases.iter().map(|one| BasisView::of(one, true)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let object = json!({
        "referrer": ReferrerView::of(&referrer, true).with_locations(&locations),
        "addresses": addresses,
        "delivered": delivered,
        "goal": goal,
        "provenance": referrer.provenance,
        "merges": merges.iter().map(|one| json!({ "id": one.id, "kept": one.kept, "merged": one.merged,
            "created_at": one.created_ms, "undone_at": one.undone_ms })).collect::<Vec<_>>(),
    });
    console.answer(&object, || {
        let mut text = facts(&referrer);
        text.push_str(&origins(&referrer, zone));
        for location in &locations {
            text.push_str(&format!("also at: {}\n", location_words(location)));
        }
        for merge in merges.iter().filter(|merge| merge.undone_ms.is_none()) {
            text.push_str(&format!(
                "merged with another record: `touchline referrers undo-merge {}` undoes it\n",
                ids::shown(merge.id.0)
            ));
        }
        for one in &known {
            text.push_str(&format!("{}\n", address_words(one, zone)));
        }
        text.push_str(&format!("touches: {delivered} of {goal} delivered\n"));
        plain(&text)
    })
}

async fn read_known(tx: &mut Tx, address: Address) -> Result<Known, StoreError> {
    let bases = match &address {
        Address::Fax(number) => tx.basis_of(number).await?,
        Address::Email(_) => Vec::new(),
    };
    Ok(Known {
        health: tx.address_health(&address).await?,
        refusals: tx.suppressions_of(&address).await?,
        bases,
        address,
    })
}

fn facts(referrer: &Referrer) -> String {
    let mut text = format!("{}\n", referrer.display_name());
    let kind = referrer.kind.as_str().replace('_', " ");
    let state = referrer.state.as_str().replace('_', " ");
    let tags = Some(referrer.tags.join(", ")).filter(|tags| !tags.is_empty());
    for (label, value) in [
        ("id", Some(ids::shown(referrer.id.0))),
        ("NPI", referrer.npi.clone()),
        ("organization", referrer.organization.clone()),
        ("place", referrer.place.line()),
        ("type", Some(kind)),
        ("state", Some(state)),
        ("phone", referrer.phone.as_deref().map(pretty_number)),
        ("time zone", referrer.time_zone.clone()),
        ("tags", tags),
        ("source", referrer.source.clone()),
        ("notes", referrer.notes.clone()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{label}: {value}\n"));
        }
    }
    text
}

/// Who corrected which field, and which list each other field came from.
fn origins(referrer: &Referrer, zone: Tz) -> String {
    let mut by_origin: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (field, origin) in &referrer.provenance.fields {
        let (who, at) = (origin.who.name(), origin.at_ms.in_zone(zone));
        let words = match &origin.list {
            None => format!("by hand ({who}, {at}; lists do not overwrite it)"),
            Some(list) => format!("from {list} ({who}, {at})"),
        };
        by_origin.entry(words).or_default().push(field.label());
    }
    by_origin.iter().map(|(origin, fields)| format!("{}: {origin}\n", fields.join(", "))).collect()
}

fn location_words(location: &Location) -> String {
    let parts = [
        location.organization.clone(),
        location.place.line(),
        location.fax.as_ref().map(|fax| format!("fax {}", fax.pretty())),
        location.email.as_ref().map(|email| email.as_str().to_owned()),
        location.phone.as_deref().map(|phone| format!("phone {}", pretty_number(phone))),
        Some(format!("location {}", location.id)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn address_words(known: &Known, zone: Tz) -> String {
    let mut words = vec![format!("{}: {}", known.address.channel(), known.address.pretty())];
    if let Some(health) = &known.health {
        let why = health.fault.map(|fault| format!(" ({})", wording::fault(fault))).unwrap_or_default();
        words.push(format!("{}{why}", health.health));
    }
    for refusal in &known.refusals {
        let end = refusal.expires_ms.map(|at| format!(", ends {}", at.in_zone(zone))).unwrap_or_default();
        words.push(format!("refused: {} ({}{end})", refusal.scope, refusal.reason));
    }
    let current = known.bases.iter().filter(|basis| basis.ended_ms.is_none());
    let bases: Vec<String> = current.map(|basis| format!("{} since {}", basis.kind, basis.obtained_on)).collect();
    if known.address.channel() == Channel::Fax {
        let basis = if bases.is_empty() { "none: no advertisements".to_owned() } else { bases.join(", ") };
        words.push(format!("basis: {basis}"));
    }
    words.join("; ")
}
