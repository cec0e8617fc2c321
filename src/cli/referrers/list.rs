//! `touchline referrers list`: who there is, by name, without their addresses.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::Referrer;
use crate::store::records::referrers::Members;

/// Referrers searched when a tag is given too.
const SEARCHED_MAX: i64 = 200_000;

/// Which referrers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those whose name, organization, town, email address, NPI or number contains this; accents do not matter
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those with this tag
    #[arg(long)]
    tag: Option<String>,
    /// How many to show
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    limit: u32,
}

/// Lists them.
///
/// # Errors
/// Configuration or database cannot be used.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut found = match (&args.tag, &args.search) {
        (Some(tag), None) => tx.referrers_of(Members::Tagged(&tag.trim().to_lowercase())).await?,
        (Some(_), search) => tx.referrers_page(search.as_deref(), None, SEARCHED_MAX).await?,
        (None, search) => tx.referrers_page(search.as_deref(), None, i64::from(args.limit) + 1).await?,
    };
    if let (Some(tag), Some(_)) = (&args.tag, &args.search) {
        found.retain(|referrer| referrer.tags.contains(&tag.trim().to_lowercase()));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let delivered: HashMap<ReferrerId, i64> = tx.touches_delivered_all().await?.into_iter().collect();
    let tags = tx.referrer_tags().await?;
    let total = tx.referrer_count().await?;
    drop(tx);
    let touches = |id| delivered.get(&id).copied().unwrap_or(0);
    let goal = records.touch_goal;
    let object = json!({
        "referrers": found.iter().map(|referrer| object(referrer, touches(referrer.id))).collect::<Vec<_>>(),
        "goal": goal,
        "total": total,
        "more": more,
        "tags": tags.iter().map(|(tag, count)| json!({ "tag": tag, "referrers": count })).collect::<Vec<_>>(),
    });
    console.answer(&object, || {
        if found.is_empty() {
            return match total {
                0 => "There are no referrers yet: `touchline referrers import FILE` imports a list.".to_owned(),
                _ => "No referrer matches.".to_owned(),
            };
        }
        let rows = found.iter().map(|referrer| row(referrer, touches(referrer.id), goal));
        let header = ["name", "organization", "type", "reach", "state", "tags", "touches"];
        let more = if more { format!("\nThere are more; --limit shows up to {total}.") } else { String::new() };
        format!("{}{more}", table(&header, rows))
    })
}

fn object(referrer: &Referrer, touches: i64) -> Value {
    json!({
        "id": referrer.id,
        "name": referrer.display_name(),
        "type": referrer.kind,
        "organization": referrer.organization,
        "has_fax": referrer.fax.is_some(),
        "has_email": referrer.email.is_some(),
        "state": referrer.state,
        "tags": referrer.tags,
        "touches": touches,
    })
}

fn row(referrer: &Referrer, touches: i64, goal: u32) -> Vec<String> {
    let reach: Vec<&str> = [referrer.fax.as_ref().map(|_| "fax"), referrer.email.as_ref().map(|_| "email")]
        .into_iter()
        .flatten()
        .collect();
    let name = referrer.display_name();
    let organization = referrer.organization.clone().filter(|organization| *organization != name).unwrap_or_default();
    vec![
        name,
        organization,
        referrer.kind.as_str().replace('_', " "),
        if reach.is_empty() { "none".to_owned() } else { reach.join(", ") },
        referrer.state.as_str().replace('_', " "),
        referrer.tags.join(", "),
        format!("{touches} of {goal}"),
    ]
}
