//! To whom: `REFERRER-ID`, an NPI, an email address, a fax or telephone number, a name, `tag:T`, `type:T`, or `all`.

use std::fmt;
use std::str::FromStr;

use super::ReferrersError;
use crate::domain::EmailAddress;
use crate::domain::id::{self, ReferrerId, short};
use crate::domain::names::folded;
use crate::domain::referrer::{Referrer, ReferrerType, read_npi};
use crate::store::records::referrers::Members;
use crate::store::records::short_ids::Kept;
use crate::store::{StoreError, Tx};

/// Referrers examined when one is looked for by name.
const CANDIDATES_MAX: i64 = 200;

/// Whom a submission or campaign is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// One referrer, however named.
    One(String),
    /// Everyone with a tag.
    Tag(String),
    /// Everyone of a type.
    Type(ReferrerType),
    /// Everyone.
    All,
}

impl Audience {
    /// Whether it is a list, even if the list has one member today.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        !matches!(self, Self::One(_))
    }
}

impl FromStr for Audience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 200 {
            return Err("say to whom: a referrer, tag:NAME, type:NAME or all".to_owned());
        }
        match text.split_once(':') {
            Some(("tag", tag)) if !tag.trim().is_empty() => Ok(Self::Tag(tag.trim().to_lowercase())),
            Some(("type", kind)) => Ok(Self::Type(kind.parse()?)),
            Some(("tag", _)) => Err("tag: needs a name, such as tag:north-shore".to_owned()),
            _ if text == "all" => Ok(Self::All),
            _ => Ok(Self::One(text.to_owned())),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => f.write_str(name),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Type(kind) => write!(f, "type:{kind}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// Everyone in the audience now, by priority.
///
/// # Errors
/// [`ReferrersError::NotFound`] if a single referrer is named that does not exist, [`ReferrersError::Invalid`] if the name
/// matches several.
pub async fn members(tx: &mut Tx, audience: &Audience) -> Result<Vec<ReferrerId>, ReferrersError> {
    Ok(match audience {
        Audience::One(name) => vec![one(tx, name).await?.id],
        Audience::Tag(tag) => tx.referrer_ids(Members::Tagged(tag)).await?,
        Audience::Type(kind) => tx.referrer_ids(Members::OfType(*kind)).await?,
        Audience::All => tx.referrer_ids(Members::All).await?,
    })
}

/// The referrer of that id (whole or its last eight characters), NPI, email address, number in any form, or (part of a) name.
///
/// # Errors
/// As [`members`].
pub async fn one(tx: &mut Tx, name: &str) -> Result<Referrer, ReferrersError> {
    let name = name.trim();
    if let Ok(id) = ReferrerId::from_str(name) {
        let found = tx.referrer(id).await?.filter(|referrer| referrer.removed_ms.is_none());
        return found.ok_or_else(|| ReferrersError::NotFound(format!("there is no referrer {id}")));
    }
    let mut found = candidates(tx, name).await?;
    let wanted = folded(name);
    let exact = |referrer: &Referrer| {
        let names = [referrer.person_name(), Some(referrer.display_name()), referrer.organization.clone()];
        names.into_iter().flatten().any(|name| folded(&name) == wanted)
    };
    if found.iter().filter(|referrer| exact(referrer)).count() == 1 {
        found.retain(exact);
    }
    if found.is_empty()
        && let Some(reference) = id::reference(name)
    {
        let ids: Vec<ReferrerId> =
            tx.ids_ending(Kept::Referrer, &reference).await?.into_iter().map(ReferrerId).collect();
        found = tx.referrers(&ids).await?;
        found.retain(|referrer| referrer.removed_ms.is_none());
    }
    match found.len() {
        1 => found.pop().ok_or_else(|| ReferrersError::NotFound("no referrer".to_owned())),
        0 => Err(ReferrersError::NotFound(format!(
            "no referrer matches `{}`; `touchline referrers list` shows them all",
            shown(name)
        ))),
        _ => {
            let described: Vec<String> = found.iter().map(Referrer::full_description).collect();
            let named = |(one, name): (&Referrer, &String)| match &one.npi {
                Some(npi) if described.iter().filter(|other| *other == name).count() > 1 => {
                    format!("{name}, NPI {npi} ({})", short(&one.id.0))
                }
                _ => format!("{name} ({})", short(&one.id.0)),
            };
            let names: Vec<String> = found.iter().zip(&described).take(5).map(named).collect();
            Err(ReferrersError::Invalid(format!(
                "`{}` fits several referrers; name one by its id: {}",
                shown(name),
                names.join("; ")
            )))
        }
    }
}

/// What tells two people of one name and place apart: the NPI, else the end of the id, whose beginning is a time.
#[must_use]
pub fn mark(id: ReferrerId, npi: Option<&str>) -> String {
    let id = id.to_string();
    npi.map_or_else(|| format!("id …{}", &id[id.len().saturating_sub(6)..]), |npi| format!("NPI {npi}"))
}

/// What an error may repeat: a name, but never an address.
fn shown(name: &str) -> &str {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    if name.contains('@') || digits >= 7 { "that address" } else { name }
}

async fn candidates(tx: &mut Tx, name: &str) -> Result<Vec<Referrer>, StoreError> {
    if let Ok(email) = EmailAddress::parse(name) {
        return tx.referrers_like(None, Some(&email), None).await;
    }
    if let Some(npi) = read_npi(name) {
        let by_npi = tx.referrers_like(Some(&npi), None, None).await?;
        if !by_npi.is_empty() {
            return Ok(by_npi);
        }
    }
    if name.is_empty() {
        return Ok(Vec::new());
    }
    tx.referrers_page(Some(name), None, CANDIDATES_MAX).await
}
