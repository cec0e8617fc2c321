//! The fields of a referrer on the command line, for `add` and `edit`. An empty value erases.

use chrono_tz::Tz;

use crate::cli::arguments::word;
use crate::cli::exit::CliError;
use crate::domain::Channel;
use crate::domain::provenance::RecordField;
use crate::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use crate::referrers::fields;

/// Longest text kept.
const TEXT_CHARS_MAX: usize = 400;

/// What is said about a referrer.
#[derive(Debug, Default, clap::Args)]
pub struct FieldArgs {
    /// Fax number; an empty one erases it
    #[arg(long)]
    fax: Option<String>,
    /// Email address; an empty one erases it
    #[arg(long)]
    email: Option<String>,
    /// Telephone number, with its extension if it has one; an empty one erases it
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
    /// Street and house number
    #[arg(long)]
    street: Option<String>,
    /// Town
    #[arg(long)]
    city: Option<String>,
    /// State or province of the address
    #[arg(long)]
    region: Option<String>,
    /// ZIP or postal code
    #[arg(long)]
    postal_code: Option<String>,
    /// IANA zone name, such as America/Chicago
    #[arg(long)]
    time_zone: Option<String>,
    /// Notes for people; no patient information
    #[arg(long)]
    notes: Option<String>,
}

impl FieldArgs {
    /// The channels of which an address is given.
    pub fn entered(&self) -> Vec<Channel> {
        let given = [(Channel::Fax, &self.fax), (Channel::Email, &self.email)];
        given.into_iter().filter(|(_, address)| address.is_some()).map(|(channel, _)| channel).collect()
    }

    /// Sets what is said.
    ///
    /// # Errors
    /// A value is not valid; the record may have been changed in part, so try it on a copy first.
    pub fn apply(&self, referrer: &mut Referrer) -> Result<(), CliError> {
        if let Some(zone) =
            self.time_zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty() && zone.parse::<Tz>().is_err())
        {
            let shown: String = zone.chars().take(40).collect();
            return Err(CliError::refused(format!("`{shown}` is not an IANA zone name, such as America/Chicago")));
        }
        for (field, said) in [
            (RecordField::Fax, &self.fax),
            (RecordField::Email, &self.email),
            (RecordField::Phone, &self.phone),
            (RecordField::FirstName, &self.first_name),
            (RecordField::LastName, &self.last_name),
            (RecordField::Credentials, &self.credentials),
            (RecordField::Organization, &self.organization),
            (RecordField::Npi, &self.npi),
            (RecordField::Street, &self.street),
            (RecordField::City, &self.city),
            (RecordField::Region, &self.region),
            (RecordField::PostalCode, &self.postal_code),
            (RecordField::TimeZone, &self.time_zone),
            (RecordField::Notes, &self.notes),
        ] {
            if let Some(said) = said {
                let text: String =
                    said.trim().chars().filter(|c| !c.is_control() || *c == '\n').take(TEXT_CHARS_MAX).collect();
                fields::set(referrer, field, &text)
                    .map_err(|why| CliError::refused(format!("{}: {why}", field.label())))?;
            }
        }
        referrer.state = self.state.unwrap_or(referrer.state);
        referrer.kind = self.kind.unwrap_or(referrer.kind);
        change_tags(&mut referrer.tags, &self.tags)
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
