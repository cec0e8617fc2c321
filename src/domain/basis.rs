//! The recorded permission or relationship that lets an advertisement be faxed to a number
//! (47 U.S.C. § 227(b)(1)(C); `compliance.md` §2.1).

use serde::Serialize;

use super::address::FaxNumber;
use super::channel::words;
use super::clock::Timestamp;
use super::id::BasisId;

words! {
    /// Which of the two ways through the prohibition.
    BasisKind {
        /// Prior express invitation or permission.
        Permission = "permission",
        /// Established business relationship.
        Ebr = "ebr",
    }
}

words! {
    /// Where the number came from; matters for a relationship.
    NumberSource {
        /// The recipient gave it.
        GivenByRecipient = "given_by_recipient",
        /// The recipient's own directory, advertisement or site.
        RecipientOwnDirectoryAdOrSite = "recipient_own_directory_ad_or_site",
        /// A list compiled by others: not enough by itself.
        ThirdPartyList = "third_party_list",
    }
}

/// A basis as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Basis {
    /// Identifier.
    pub id: BasisId,
    /// The number it is about.
    pub fax: FaxNumber,
    /// Which way.
    pub kind: BasisKind,
    /// Where the number came from.
    pub number_source: Option<NumberSource>,
    /// ISO date on which it was obtained.
    pub obtained_on: String,
    /// How: by telephone, on a form, by a referral.
    pub how: String,
    /// Who recorded it.
    pub by_whom: String,
    /// More words.
    pub note: Option<String>,
    /// When it was recorded.
    pub created_ms: Timestamp,
    /// When it ended.
    pub ended_ms: Option<Timestamp>,
    /// Why it ended.
    pub ended_reason: Option<String>,
}

impl Basis {
    /// Whether it lets an advertisement be faxed: permission always; a relationship only if that is allowed at all and
    /// the number came from the recipient (R2.2, R2.4).
    #[must_use]
    pub const fn is_sufficient(&self, permission_only: bool) -> bool {
        self.ended_ms.is_none()
            && match self.kind {
                BasisKind::Permission => true,
                BasisKind::Ebr => {
                    !permission_only
                        && matches!(
                            self.number_source,
                            Some(NumberSource::GivenByRecipient | NumberSource::RecipientOwnDirectoryAdOrSite)
                        )
                }
            }
    }
}
