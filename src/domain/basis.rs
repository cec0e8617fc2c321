//! A basis: the recorded permission or relationship without which no advertisement is faxed to a number
//! (47 U.S.C. § 227(b)(1)(C); `compliance.md` §2.1).

use serde::{Deserialize, Serialize};

use super::address::FaxNumber;
use super::clock::Timestamp;
use super::id::BasisId;
use super::words::words;

words! {
    /// Which of the two exceptions to the prohibition applies.
    BasisKind {
        /// Prior express invitation or permission, in writing or otherwise.
        Permission = "permission",
        /// An established business relationship: a voluntary two-way communication about our services. A name in a
        /// directory is not one.
        Ebr = "ebr",
    }
}

words! {
    /// Where the fax number came from (FCC 08-239).
    NumberSource {
        /// From the recipient, directly.
        GivenByRecipient = "given_by_recipient",
        /// From the recipient's own directory, advertisement or site, which does not refuse advertisements.
        RecipientOwnDirectoryAdOrSite = "recipient_own_directory_ad_or_site",
        /// From a list that someone else compiled, such as an insurer's directory or NPPES.
        ThirdPartyList = "third_party_list",
    }
}

impl NumberSource {
    /// Whether the number counts as lawfully obtained under a relationship, without further verification.
    #[must_use]
    pub const fn is_voluntary(self) -> bool {
        matches!(self, Self::GivenByRecipient | Self::RecipientOwnDirectoryAdOrSite)
    }
}

/// A stored basis. It belongs to the number, not to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Identifier.
    pub id: BasisId,
    /// The number that may be faxed.
    pub fax: FaxNumber,
    /// Permission or relationship.
    pub kind: BasisKind,
    /// Where the number came from; a relationship does not suffice without it.
    pub number_source: Option<NumberSource>,
    /// The day it was obtained, `YYYY-MM-DD`.
    pub obtained_on: String,
    /// How it was obtained, in words: "asked on the telephone", "signed the form".
    pub how: String,
    /// The person who obtained or recorded it.
    pub by_whom: String,
    /// Evidence: who said what, or where the paper is filed. Nothing about patients.
    pub note: Option<String>,
    /// When it was recorded.
    pub created_ms: Timestamp,
    /// When it ended, if it has.
    pub ended_ms: Option<Timestamp>,
    /// Why it ended: an opt-out, a withdrawal, a mistake.
    pub ended_reason: Option<String>,
}

impl Basis {
    /// Whether an advertisement may be faxed on this alone: it has not ended, and it is a permission, or (unless the
    /// practice accepts permission only) a relationship with a number that the recipient gave or published.
    #[must_use]
    pub const fn is_sufficient(&self, permission_only: bool) -> bool {
        self.ended_ms.is_none() && suffices(self.kind, self.number_source, permission_only)
    }
}

/// Whether a basis of that kind, with a number from there, is enough to fax advertisements while it has not ended. This is the
/// one place of the rule: what the database is asked is made from it.
#[must_use]
pub const fn suffices(kind: BasisKind, number_source: Option<NumberSource>, permission_only: bool) -> bool {
    match (kind, number_source) {
        (BasisKind::Permission, _) => true,
        (BasisKind::Ebr, Some(source)) => !permission_only && source.is_voluntary(),
        (BasisKind::Ebr, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basis(kind: BasisKind, number_source: Option<NumberSource>) -> Basis {
        Basis {
            id: BasisId::new(),
            fax: FaxNumber::parse("312 555 0142").expect("a number"),
            kind,
            number_source,
            obtained_on: "2026-10-06".into(),
            how: "asked on the telephone".into(),
            by_whom: "Dana".into(),
            note: None,
            created_ms: Timestamp(0),
            ended_ms: None,
            ended_reason: None,
        }
    }

    #[test]
    fn permission_suffices_wherever_the_number_came_from() {
        for source in [None, Some(NumberSource::ThirdPartyList), Some(NumberSource::GivenByRecipient)] {
            assert!(basis(BasisKind::Permission, source).is_sufficient(false));
            assert!(basis(BasisKind::Permission, source).is_sufficient(true));
        }
    }

    #[test]
    fn a_relationship_suffices_only_with_a_number_from_the_recipient() {
        for (source, expected) in [
            (None, false),
            (Some(NumberSource::ThirdPartyList), false),
            (Some(NumberSource::GivenByRecipient), true),
            (Some(NumberSource::RecipientOwnDirectoryAdOrSite), true),
        ] {
            assert_eq!(basis(BasisKind::Ebr, source).is_sufficient(false), expected, "{source:?}");
            assert!(!basis(BasisKind::Ebr, source).is_sufficient(true), "permission only: {source:?}");
        }
    }

    #[test]
    fn an_ended_basis_suffices_for_nothing() {
        let mut ended = basis(BasisKind::Permission, None);
        ended.ended_ms = Some(Timestamp(1));
        assert!(!ended.is_sufficient(false));
    }
}
