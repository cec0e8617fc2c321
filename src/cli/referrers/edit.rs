//! `touchline referrers edit`: corrects what is known about a referrer. An empty value erases. An address that is given,
//! even the same one again, is tried again although it counts as dead.

use chrono_tz::Tz;
use serde_json::json;

use crate::cli::arguments::word;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::domain::referrer::{Referrer, ReferrerState, ReferrerType, npi_is_valid};
use crate::domain::{Channel, EmailAddress, FaxNumber};
use crate::public::ReferrerView;
use crate::referrers::audience;

/// Longest text kept.
const TEXT_CHARS_MAX: usize = 400;

/// Which referrer, and what changes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id, NPI, email address or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
    /// Fax number; an empty one erases it
    #[arg(long)]
    fax: Option<String>,
    /// Email address; an empty one erases it
    #[arg(long)]
    email: Option<String>,
    /// Telephone number; an empty one erases it
    #[arg(long)]
    phone: Option<String>,
    /// Contact status
    #[arg(long, value_parser = word(ReferrerState::ALL, ReferrerState::as_str))]
    state: Option<ReferrerState>,
    /// Add a tag with +TAG, remove one with -TAG
    #[arg(long = "tag", value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    tags: Vec<String>,
    /// Given name
    #[arg(long)]
    first_name: Option<String>,
    /// Family name
    #[arg(long)]
    last_name: Option<String>,
    /// Letters after the name
    #[arg(long)]
    credentials: Option<String>,
    /// Clinic, group or facility
    #[arg(long)]
    organization: Option<String>,
    /// Kind of referrer
    #[arg(long = "type", value_parser = word(ReferrerType::ALL, ReferrerType::as_str))]
    kind: Option<ReferrerType>,
    /// National Provider Identifier
    #[arg(long)]
    npi: Option<String>,
    /// IANA zone name, such as America/Chicago
    #[arg(long)]
    time_zone: Option<String>,
    /// Notes for people; no patient information
    #[arg(long)]
    notes: Option<String>,
}

/// Changes it.
///
/// # Errors
/// There is no such referrer; a value is not valid.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    let mut tx = gateway.store.read().await?;
    let before = audience::one(&mut tx, &args.referrer).await?;
    drop(tx);
    // Tried on a copy first, so that a wrong value is refused before anything is written.
    change(&mut before.clone(), &args)?;
    let apply = |referrer: &mut Referrer| {
        let _ = change(referrer, &args);
    };
    let given = [(Channel::Fax, &args.fax), (Channel::Email, &args.email)];
    let anew: Vec<Channel> =
        given.into_iter().filter(|(_, address)| address.is_some()).map(|(channel, _)| channel).collect();
    let parts = gateway.referrers();
    let after = crate::referrers::edit_entering(&parts, before.id, &console.who, &anew, apply).await?;
    console.answer(&json!({ "referrer": ReferrerView::of(&after, true) }), || {
        let mut text = format!("{} has been changed.", after.display_name());
        if before.fax != after.fax && after.fax.is_some() {
            text.push_str(" Advertisements go to the new fax number only once a basis is recorded for it.");
        }
        text
    })
}

fn change(referrer: &mut Referrer, args: &Args) -> Result<(), CliError> {
    let refused = |error: crate::domain::address::AddressError| CliError::refused(error.to_string());
    let said = |text: &str| !text.trim().is_empty();
    if let Some(fax) = &args.fax {
        referrer.fax =
            Some(fax).filter(|fax| said(fax)).map(|fax| FaxNumber::parse(fax)).transpose().map_err(refused)?;
    }
    if let Some(email) = &args.email {
        let email = Some(email).filter(|email| said(email));
        referrer.email = email.map(|email| EmailAddress::parse(email)).transpose().map_err(refused)?;
    }
    if let Some(phone) = &args.phone {
        let phone = Some(phone).filter(|phone| said(phone));
        let phone = phone.map(|phone| FaxNumber::parse(phone)).transpose().map_err(refused)?;
        referrer.phone = phone.map(|phone| phone.as_str().to_owned());
    }
    if let Some(npi) = args.npi.as_deref().filter(|npi| said(npi) && !npi_is_valid(npi.trim())) {
        return Err(CliError::refused(format!(
            "an NPI has ten digits with a valid check digit; this has {}",
            npi.len()
        )));
    }
    if let Some(zone) = args.time_zone.as_deref().filter(|zone| said(zone) && zone.trim().parse::<Tz>().is_err()) {
        let shown: String = zone.chars().take(40).collect();
        return Err(CliError::refused(format!("`{shown}` is not an IANA zone name, such as America/Chicago")));
    }
    referrer.state = args.state.unwrap_or(referrer.state);
    referrer.kind = args.kind.unwrap_or(referrer.kind);
    change_texts(referrer, args);
    change_tags(&mut referrer.tags, &args.tags)
}

fn change_texts(referrer: &mut Referrer, args: &Args) {
    for (known, said) in [
        (&mut referrer.first_name, &args.first_name),
        (&mut referrer.last_name, &args.last_name),
        (&mut referrer.credentials, &args.credentials),
        (&mut referrer.organization, &args.organization),
        (&mut referrer.npi, &args.npi),
        (&mut referrer.time_zone, &args.time_zone),
        (&mut referrer.notes, &args.notes),
    ] {
        if let Some(said) = said {
            let text: String = said.trim().chars().take(TEXT_CHARS_MAX).collect();
            *known = Some(text).filter(|text| !text.is_empty());
        }
    }
}

fn change_tags(tags: &mut Vec<String>, changes: &[String]) -> Result<(), CliError> {
    for change in changes {
        let tag = change.get(1..).unwrap_or_default().trim().to_lowercase();
        if tag.is_empty() {
            return Err(CliError::usage("--tag takes +TAG or -TAG"));
        }
        match change.as_bytes().first() {
            Some(b'+') => tags.push(tag),
            Some(b'-') => tags.retain(|known| *known != tag),
            _ => return Err(CliError::usage("--tag takes +TAG or -TAG")),
        }
    }
    tags.sort_unstable();
    tags.dedup();
    Ok(())
}
